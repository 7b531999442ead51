"""Asks each device at its period and publishes what it said, flat, with the time of asking."""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.gateways.config import ModbusDevice, PolledDevice
from ingest.gateways.config_meters import Cjt188Device, MBusDevice
from ingest.gateways.link import Link, LinkError
from ingest.gateways.meter_links import Cjt188Link, MBusLink
from ingest.gateways.modbus_link import ModbusLink
from ingest.gateways.opcua import OpcUaLink
from twin.model.errors import InputError

log = logging.getLogger("gateway")
Publish = Callable[[str, bytes], None]
RETRY_MAX_S = 60.0


def open_link(device: PolledDevice) -> Link:
    """The way to a device; connects with the first reading."""
    if isinstance(device, ModbusDevice):
        return ModbusLink(device)
    if isinstance(device, MBusDevice):
        return MBusLink(device)
    if isinstance(device, Cjt188Device):
        return Cjt188Link(device)
    return OpcUaLink(device)


@dataclass
class Poller:
    """One device in a thread of its own; one that does not answer is asked less often, up to a minute."""

    device: PolledDevice
    publish: Publish
    stop: threading.Event
    trouble: str = ""
    _link: Link = field(init=False)

    def __post_init__(self) -> None:
        self._link = open_link(self.device)

    def run(self) -> None:
        """Ask until stopped."""
        wait, due = self.device.period_s, time.monotonic()
        while not self.stop.wait(max(due - time.monotonic(), 0.0)):
            try:
                self.ask_once(time.time())
                wait = self.device.period_s
                if self.trouble:
                    log.info("%s answers again", self.device.name)
                self.trouble = ""
            except LinkError as e:
                wait = min(max(2 * wait, 1.0), max(RETRY_MAX_S, self.device.period_s))
                if str(e) != self.trouble:
                    log.warning("%s: %s; asked again every %.0f s", self.device.name, e, wait)
                self.trouble = str(e)
            due = max(due + wait, time.monotonic())
        self._link.close()

    def ask_once(self, now: float) -> None:
        """Read the device and publish one message; what it refuses costs only its own values.

        Raises
        ------
        LinkError : nothing could be read
        """
        before = self._link.refused
        values: dict[str, float | None] = {"ts": round(now * 1000), **self._link.read()}
        self.publish(f"heat/{self.device.name}/data", json.dumps(values, ensure_ascii=False).encode())
        if self._link.refused and self._link.refused != before:
            log.warning("%s: %s; the other values are read", self.device.name, self._link.refused)

    @property
    def takes_commands(self) -> bool:
        """Whether anything of the device may be written."""
        return isinstance(self._link, ModbusLink) and bool(self._link.writable)

    def obey(self, payload: bytes, now: float) -> bytes | None:
        """Carry out a command of the flat dialect and read the device at once; the answer to publish.

        None: not a command that could be answered.
        """
        try:
            body = json.loads(payload)
            no, until = body.pop("id"), body.pop("until", None)
            body.pop("ts", None)
        except (ValueError, KeyError, AttributeError, TypeError):
            return None
        refused = ""
        try:
            if isinstance(until, (int, float)) and now * 1000 > until:
                raise InputError("too late")
            if not isinstance(self._link, ModbusLink):
                raise InputError("nothing of this device can be written")
            for key, value in body.items():
                self._link.write(key, float(value))
        except (InputError, LinkError, TypeError, ValueError) as e:
            refused = str(e)
        log.info("%s was told %s: %s", self.device.name, body, refused or "done")
        if not refused:
            try:
                self.ask_once(now)
            except LinkError as e:
                log.warning("%s: %s", self.device.name, e)
        said = {"id": no, "ok": not refused, **({"error": refused} if refused else {})}
        return json.dumps(said, ensure_ascii=False).encode()
