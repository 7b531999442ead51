"""What every polled device has: one reading at a time, by key, in the unit of its points."""

import threading
from typing import Protocol

_GUARD = threading.Lock()
_BUSES: dict[tuple[str, int], threading.Lock] = {}


class LinkError(Exception):
    """The device did not answer, refused, or said something that cannot be read; the text says which."""


class Link(Protocol):
    """A way to one device. ``refused``: what the last reading lacks, and why; empty: nothing."""

    refused: str

    def read(self) -> dict[str, float | None]:
        """Values by key; None: the device has none now. Raises ``LinkError``: nothing could be read."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def find_bus(host: str, port: int) -> threading.Lock:
    """The lock of a converter: meters behind one address share a line, on which one may talk at a time."""
    with _GUARD:
        return _BUSES.setdefault((host, port), threading.Lock())
