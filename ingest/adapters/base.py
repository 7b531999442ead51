"""What every adapter shares: the directory of devices and points, and the making of one reading.

An adapter turns one message into readings in SI. What it cannot read it says in words: a whole message by
raising ``PayloadError``, a part of one in ``Decoded.problems``, so that a good value beside a bad one stays.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from twin.model.county import County, Device, Point
from twin.model.errors import PayloadError
from twin.model.quantities import VENDOR_UNITS, find_quantity
from twin.model.readings import Quality, Reading

MAX_PAYLOAD = 262_144
"""Bytes; a message above is refused unread."""
LATE_S = 300.0
"""Readings older than this at arrival are marked late."""
OLDEST_S = 7 * 86_400.0
"""Older than this at arrival the device's clock is not believed."""
FUTURE_S = 600.0
"""Nor when the reading comes from further ahead than this."""
MAX_PROBLEMS = 5
"""Reasons kept of one message."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A point as its vendor sends it: ``SI = value * scale + offset``; plausible from ``low`` to ``high``."""

    point_no: int
    scale: float
    offset: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Directory:
    """Who sends what: devices by (dialect, external id), channels by (device id, external key)."""

    devices: Mapping[tuple[str, str], Device]
    channels: Mapping[tuple[str, str], Channel]

    def find_device(self, dialect: str, external_id: str) -> Device:
        """Raises ``PayloadError``: no such device."""
        device = self.devices.get((dialect, external_id))
        if device is None:
            raise PayloadError(f"unknown device {external_id[:80]!r}: add it to the county's devices")
        return device


def compile_directory(county: County) -> Directory:
    """Resolve units and ranges once."""
    return Directory(
        devices={(d.dialect, d.external_id): d for d in county.devices},
        channels={(p.device_id, p.external_key): _channel(p) for p in county.points},
    )


def _channel(point: Point) -> Channel:
    scale, offset = VENDOR_UNITS[point.unit]
    quantity = find_quantity(point.quantity)
    low = max(point.low, quantity.low) if math.isfinite(point.low) else quantity.low
    high = min(point.high, quantity.high) if math.isfinite(point.high) else quantity.high
    return Channel(point.no, scale, offset, low, high)


@dataclass(slots=True)
class Decoded:
    """What came out of one message.

    ``heard``: device id -> newest measuring time (s) in it; ``online``: device id -> said by birth, death or
    connect messages; ``replies``: (topic, payload) to publish, such as a request for a new birth;
    ``memory``: key -> text that the adapter must know after a restart.
    """

    readings: list[Reading] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    heard: dict[str, float] = field(default_factory=dict)
    online: dict[str, bool] = field(default_factory=dict)
    replies: list[tuple[str, bytes]] = field(default_factory=list)
    memory: dict[str, str] = field(default_factory=dict)

    def add_values(
        self, directory: Directory, device: Device, t: float, received: float, values: Mapping[str, object]
    ) -> None:
        """Turn ``values`` (vendor key -> raw value) measured at ``t`` into readings."""
        self.heard[device.id] = max(t, self.heard.get(device.id, -math.inf))
        for key, raw in values.items():
            channel = directory.channels.get((device.id, key))
            if channel is None:
                self.problems.append(f"{device.external_id}: unknown point {str(key)[:60]!r}")
                continue
            if raw is None:
                continue
            number = _as_number(raw)
            if number is None:
                self.problems.append(
                    f"{device.external_id}: {str(key)[:60]!r} is {type(raw).__name__} {str(raw)[:40]!r}, "
                    "a number is needed"
                )
                continue
            value = number * channel.scale + channel.offset
            self.readings.append(Reading(channel.point_no, t, value, judge(channel, value, t, received)))


def _as_number(raw: object) -> float | None:
    if isinstance(raw, bool):
        return float(raw)
    if isinstance(raw, (int, float)):
        try:
            number = float(raw)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    return None


def judge(channel: Channel, value: float, t: float, received: float) -> int:
    """Quality of a reading: clock first (a value at a wrong time is no use), then range, then lateness."""
    if t > received + FUTURE_S or t < received - OLDEST_S:
        return int(Quality.CLOCK_SUSPECT)
    if not channel.low <= value <= channel.high:
        return int(Quality.OUT_OF_RANGE)
    return int(Quality.LATE if t < received - LATE_S else Quality.GOOD)


def read_timestamp_ms(raw: object, received: float) -> float:
    """Milliseconds since 1970 UTC as seconds; a message without a time was measured when it arrived.

    Raises
    ------
    PayloadError : not a whole number of milliseconds between the years 1970 and 2100
    """
    if raw is None:
        return received
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not 0 <= raw < 4.2e12:
        raise PayloadError(f"time stamp {str(raw)[:40]!r}: milliseconds since 1970 are needed")
    return float(raw) / 1000.0


class Adapter(Protocol):
    """One dialect. ``filters``: MQTT topic filters it answers for."""

    name: str
    filters: tuple[str, ...]

    def matches(self, topic: str) -> bool:
        """Whether this adapter reads ``topic``."""
        ...

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """Read one message. Raises ``PayloadError``: nothing in it could be read."""
        ...
