"""What every adapter shares: the directory of devices and points, and the making of one reading.

An adapter turns one message into readings in SI. What it cannot read it says in words: a whole message by
raising ``PayloadError``, a part of one in ``Decoded.problems``, so that a good value beside a bad one stays.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.adapters.downlink import Answer
from ingest.onboarding.flow import Source
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
LARGEST = 1e290
"""No measured number is larger, and none below becomes infinite when it is turned into SI."""
_NO_KEYS: Mapping[str, int] = {}
_NO_NAMES: frozenset[str] = frozenset()
_NUMBERS = frozenset((float, int, bool))
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
    """Who sends what: devices by (dialect, external id), point numbers by device id and external key.

    ``scale``, ``offset``, ``low``, ``high``: (n_point,) as in :class:`Channel`. ``sources``: how messages of
    no known dialect are read, by flow; ``ignored``: external keys of a device that are known and not wanted.
    """

    devices: Mapping[tuple[str, str], Device]
    keys: Mapping[str, Mapping[str, int]]
    scale: Floats
    offset: Floats
    low: Floats
    high: Floats
    sources: Mapping[str, Source] = field(default_factory=dict)
    ignored: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def find_device(self, dialect: str, external_id: str) -> Device:
        """Raises ``PayloadError``: no such device."""
        device = self.devices.get((dialect, external_id))
        if device is None:
            raise PayloadError(f"unknown device {external_id[:80]!r}: add it to the county's devices")
        return device

    def convert(self, point_no: Ints, number: Floats) -> Floats:
        """Vendor numbers (n,) of points (n,) in SI."""
        return number * self.scale[point_no] + self.offset[point_no]

    def judge(self, point_no: Ints, value: Floats, t: Floats, received: Floats) -> Ints:
        """Quality (n,): clock first (a value at a wrong time is no use), then range, then lateness."""
        quality = np.full(point_no.size, int(Quality.GOOD))
        quality[t < received - LATE_S] = int(Quality.LATE)
        outside = ~((value >= self.low[point_no]) & (value <= self.high[point_no]))
        quality[outside] = int(Quality.OUT_OF_RANGE)
        quality[(t > received + FUTURE_S) | (t < received - OLDEST_S)] = int(Quality.CLOCK_SUSPECT)
        return quality


def compile_directory(
    county: County,
    sources: Mapping[str, Source] | None = None,
    ignored: Mapping[str, frozenset[str]] | None = None,
) -> Directory:
    """Resolve units and ranges once."""
    keys: dict[str, dict[str, int]] = {d.id: {} for d in county.devices}
    for p in county.points:
        keys.setdefault(p.device_id, {})[p.external_key] = p.no
    channels = sorted((_channel(p) for p in county.points), key=lambda c: c.point_no)
    return Directory(
        devices={(d.dialect, d.external_id): d for d in county.devices},
        keys=keys,
        scale=np.array([c.scale for c in channels]),
        offset=np.array([c.offset for c in channels]),
        low=np.array([c.low for c in channels]),
        high=np.array([c.high for c in channels]),
        sources=sources or {},
        ignored=ignored or {},
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

    ``point_no``, ``t`` (s), ``number`` (in the vendor's unit): columns of the readings, turned into SI and
    judged for a whole batch at once; ``heard``: device id -> newest measuring time (s) in it; ``online``:
    device id -> said by birth, death or connect messages; ``replies``: (topic, payload) to publish, such as
    a request for a new birth; ``memory``: key -> text that the adapter must know after a restart;
    ``answers``: what devices say to commands; ``facts``: device id -> what it says of itself (``firmware``).
    """

    point_no: list[int] = field(default_factory=list)
    t: list[float] = field(default_factory=list)
    number: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    heard: dict[str, float] = field(default_factory=dict)
    online: dict[str, bool] = field(default_factory=dict)
    replies: list[tuple[str, bytes]] = field(default_factory=list)
    memory: dict[str, str] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)

    def add_values(
        self, directory: Directory, device: Device, t: float, received: float, values: Mapping[str, object]
    ) -> None:
        """Take ``values`` (vendor key -> raw value) measured at ``t``."""
        if t > self.heard.get(device.id, -math.inf):
            self.heard[device.id] = t
        keys = directory.keys.get(device.id, _NO_KEYS)
        point_no, numbers = list(map(keys.get, values)), list[Any](values.values())
        if None not in point_no and _are_numbers(numbers):
            self.point_no += point_no  # type: ignore[arg-type]  # none is None
            self.number += numbers
            self.t += [t] * len(numbers)
            return
        for (key, raw), no in zip(values.items(), point_no, strict=True):
            if no is None and key in directory.ignored.get(device.id, _NO_NAMES):
                continue
            if no is None:
                self.problems.append(f"{device.external_id}: unknown point {str(key)[:60]!r}")
            elif isinstance(raw, (float, int)) and -LARGEST < raw < LARGEST:
                self.point_no.append(no)
                self.t.append(t)
                self.number.append(float(raw))
            elif raw is not None:
                self.problems.append(_refuse(device, key, raw))

    def readings(self, directory: Directory, received: float) -> list[Reading]:
        """The readings one by one, in SI with their quality, for a message that came at ``received``."""
        no, t = np.array(self.point_no, np.int64), np.array(self.t, float)
        value = directory.convert(no, np.array(self.number, float))
        quality = directory.judge(no, value, t, np.full(t.size, received))
        columns = (x.tolist() for x in (no, t, value, quality))
        return [Reading(*row) for row in zip(*columns, strict=True)]


def _are_numbers(values: list[Any]) -> bool:
    """Whether all are numbers that may be measured; the quick look at what nearly every message holds."""
    if not values or not _NUMBERS.issuperset(map(type, values)):
        return False
    try:
        finite = math.isfinite(sum(values))  # NaN and infinity show in the sum
    except OverflowError:
        return False
    return finite and min(values) > -LARGEST and max(values) < LARGEST


def _refuse(device: Device, key: object, raw: object) -> str:
    where = f"{device.external_id}: {str(key)[:60]!r}"
    if isinstance(raw, (float, int)) and (isinstance(raw, int) or math.isfinite(raw)):
        return f"{where} is {_short(raw)}, too large to be a measured value"
    return f"{where} is {type(raw).__name__} {_short(raw)!r}, a number is needed"


def _short(raw: object) -> str:
    """First 40 characters; a number of a thousand digits is not written out."""
    if isinstance(raw, int) and abs(raw) > 2**200:
        return f"a number of {raw.bit_length()} bits"
    return str(raw)[:40]


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
    """One dialect. ``filters``: MQTT topic filters it answers for.

    ``clockless``: its values carry no time, so a retained one may be of any age and is not taken for new.
    """

    name: str
    filters: tuple[str, ...]
    clockless: bool

    def matches(self, topic: str) -> bool:
        """Whether this adapter reads ``topic``."""
        ...

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """Read one message. Raises ``PayloadError``: nothing in it could be read."""
        ...
