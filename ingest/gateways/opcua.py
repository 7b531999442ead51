"""OPC UA servers as links: the values of a list of nodes, read together; good status only.

asyncua brings its own event loop in a thread; it is imported only where such a device is configured.
"""

import concurrent.futures
import struct
from contextlib import suppress
from typing import Any

from ingest.gateways.config_meters import OpcUaDevice
from ingest.gateways.link import LinkError

TIMEOUT_S = 5.0


class OpcUaLink:
    """See ``Link``. The session lives on between readings and is opened anew after any error."""

    def __init__(self, device: OpcUaDevice) -> None:
        self._device = device
        self._client: Any = None
        self._nodes: list[Any] = []
        self.refused = ""

    def read(self) -> dict[str, float | None]:
        """See ``Link``; a node of bad status, or that is no number, is named in ``refused``."""
        try:
            self._open()
            found = self._client.read_attributes(self._nodes)
        except _faults() as e:
            self.close()
            raise LinkError(f"{self._device.url}: {type(e).__name__}: {e}".rstrip(": ")) from e
        values: dict[str, float | None] = {}
        refused = []
        for node, said in zip(self._device.nodes, found, strict=True):
            raw = said.Value.Value if said.Value is not None else None
            if not said.StatusCode.is_good():
                refused.append(f"{node.node} ({said.StatusCode.name})")
            elif isinstance(raw, (bool, int, float)):
                values[node.key] = float(raw) * node.scale + node.offset
            elif raw is None:
                values[node.key] = None
            else:
                refused.append(f"{node.node} (is {type(raw).__name__}, not a number)")
        self.refused = f"{self._device.url}: {', '.join(refused)}" if refused else ""
        if not values:
            raise LinkError(self.refused)
        return values

    def _open(self) -> None:
        if self._client is not None:
            return
        from asyncua.sync import Client

        d = self._device
        client = Client(d.url, timeout=TIMEOUT_S)
        try:
            if d.user:
                client.set_user(d.user)
                client.set_password(d.password)
            if d.security:
                client.set_security_string(d.security)
            client.connect()
            self._nodes = [client.get_node(n.node) for n in d.nodes]
        except BaseException:
            _end_loop(client)
            raise
        self._client = client

    def close(self) -> None:
        """See ``Link``."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            client.disconnect()
        except _faults():  # the server may be gone already
            _end_loop(client)


def _faults() -> tuple[type[BaseException], ...]:
    """What asyncua raises when a server is away, says no, or says what its parser cannot read.

    A fault of ours (a wrong name, a wrong type of argument) is none of them and is told with its place.
    """
    from asyncua.sync import ThreadLoopNotRunning
    from asyncua.ua.uaerrors import UaError

    return (
        UaError, OSError, TimeoutError, concurrent.futures.CancelledError, EOFError, ValueError, struct.error,
        ThreadLoopNotRunning, RuntimeError,
    )  # fmt: skip


def _end_loop(client: Any) -> None:
    """Stop the thread of a client that could not be closed in order."""
    if client.tloop.is_alive():
        with suppress(RuntimeError):
            client.tloop.stop()
