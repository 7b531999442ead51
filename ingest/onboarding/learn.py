"""Reads a message of devices that nobody knows: every adapter, with a directory that knows everyone.

An adapter asks the directory for devices and keys. One that answers yes to all, and remembers what it was
asked, turns any adapter into a reader of strangers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ingest.adapters import Adapter, Directory, make_adapters
from ingest.onboarding.flow import MAPPED, Source
from twin.model.county import Device
from twin.model.errors import PayloadError


@dataclass(frozen=True, slots=True)
class RawValue:
    """One number as it came: device as it calls itself, vendor's key, measuring time (s), number."""

    device: str
    key: str
    t: float
    number: float


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a message says. ``refused``: why nothing could be read, else empty."""

    values: tuple[RawValue, ...]
    problems: tuple[str, ...] = ()
    refused: str = ""


class _AllDevices(dict[tuple[str, str], Device]):
    """Knows everyone."""

    def get(self, key: Any, default: Any = None) -> Any:
        """A device of that name."""
        dialect, name = key
        return Device(name, "", name, "", dialect, name)


@dataclass
class _AllKeys(dict[str, int]):
    """The keys of one device; each new one gets the next number."""

    device: str
    asked: list[tuple[str, str]]
    known: dict[str, int] = field(default_factory=dict)

    def get(self, key: Any, default: Any = None) -> Any:
        """The number of a key."""
        if key not in self.known:
            self.known[key] = len(self.asked)
            self.asked.append((self.device, str(key)))
        return self.known[key]


class _EveryDevice(dict[str, Mapping[str, int]]):
    """Keys by device id, made when asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []

    def get(self, key: Any, default: Any = None) -> Any:
        """The keys of a device."""
        return self.setdefault(key, _AllKeys(key, self.asked))


def find_adapter(topic: str) -> Adapter | None:
    """The adapter of a known dialect that reads ``topic``, or None."""
    return next((a for a in make_adapters() if a.name != MAPPED and a.matches(topic)), None)


def learn(dialect: str, source: Source | None, topic: str, payload: bytes, received: float) -> Learnt:
    """Read one message by an adapter, or by a source, of whatever devices.

    Never raises: what cannot be read is said in the answer.
    """
    adapter = next(a for a in make_adapters() if a.name == dialect)
    none = np.zeros(0)
    keys = _EveryDevice()
    sources = {"": source} if source is not None else {}
    directory = Directory(_AllDevices(), keys, none, none, none, none, sources)
    try:
        found = adapter.decode(topic, payload, received, directory)
    except PayloadError as e:
        return Learnt((), (), str(e))
    except Exception as e:  # a fault of an adapter must not end the page
        return Learnt((), (), f"{dialect} adapter failed: {type(e).__name__}: {e}")
    rows = zip(found.point_no, found.t, found.number, strict=True)
    values = tuple(
        RawValue(keys.asked[no][0].removeprefix("/"), keys.asked[no][1], t, float(n)) for no, t, n in rows
    )
    return Learnt(values, tuple(found.problems))
