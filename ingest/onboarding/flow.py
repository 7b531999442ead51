"""What a flow is: where messages come from, how they are read, and which points they become.

Plain data, as it is kept in ``onboarding.json``, exported, imported and sent to the page.
"""

from itertools import pairwise

import msgspec

KINDS = ("source", "decode", "map", "check", "publish")
"""The blocks of a flow, in the order in which a message goes through them."""
MAPPED = "mapped"
"""Dialect of devices whose messages are read by a :class:`Source` of a flow."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How messages that no adapter knows are read. Paths are names joined by dots; "" is the whole message.

    ``filter``: MQTT topic filter; ``format``: json or csv; ``rows``: path of a list with one object per
    measurement; ``values``: path of the object with the values, within a row; ``key_field`` and
    ``value_field``: for rows that hold one named value each; ``device_from``: topic (``device_at`` is the
    level, from 1), field (a path) or fixed (the name itself); ``time``: path, "" for the time of arrival;
    ``time_format``: auto, ms, s, iso, or local (text without an offset, ``utc_offset_min`` is added);
    ``text_numbers``: "80.5" counts as a number; ``words``: texts that stand for numbers.
    """

    filter: str
    format: str = "json"
    rows: str = ""
    values: str = ""
    key_field: str = ""
    value_field: str = ""
    device_from: str = "topic"
    device_at: str = "2"
    time: str = ""
    time_format: str = "auto"
    utc_offset_min: int = 480
    text_numbers: bool = False
    words: dict[str, float] = {}


class FlowDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One device: ``external_id`` as it calls itself, ``place_id`` where it measures, ``part`` of that place
    (a room, a bay, the device's own name where several of a kind stand in one place)."""

    external_id: str
    name: str
    place_id: str
    part: str = ""

    @property
    def where(self) -> str:
        """The place its points belong to: ``B0007`` or ``B0007:302``."""
        return f"{self.place_id}:{self.part}" if self.part else self.place_id


class MapRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One external key and the point it becomes. ``low``, ``high``, ``deadband`` in ``unit``."""

    external_key: str
    key: str
    quantity: str
    unit: str
    low: float
    high: float
    period_s: float = 300.0
    deadband: float = 0.0
    name: str = ""


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block on the canvas, in pixels at 16 to the rem."""

    kind: str
    x: float
    y: float


class Flow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One flow. ``dialect``: an adapter's name, or ``mapped`` with a ``source``; ``ignore``: external keys
    that are known and not wanted; ``model``: the thing model it was made from."""

    id: str
    name: str
    dialect: str = MAPPED
    source: Source | None = None
    model: str = ""
    kind: str = "rtu"
    vendor: str = ""
    devices: tuple[FlowDevice, ...] = ()
    maps: tuple[MapRow, ...] = ()
    ignore: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    def device_id(self, external_id: str) -> str:
        """Id of a device in the county."""
        return f"{self.id}.{external_id}"

    def wire_name(self, external_id: str) -> str:
        """``Device.external_id``; devices of a source carry the flow, since names repeat between vendors."""
        return f"{self.id}/{external_id}" if self.dialect == MAPPED else external_id

    def is_linked(self, kind: str) -> bool:
        """Whether a message gets as far as ``kind``; a flow without a picture is linked throughout."""
        if not self.blocks:
            return True
        placed, links = {b.kind for b in self.blocks}, set(self.links)
        way = KINDS[: KINDS.index(kind) + 1]
        return set(way) <= placed and all(pair in links for pair in pairwise(way))


def match_topic(topic_filter: str, topic: str) -> bool:
    """Whether ``topic`` passes an MQTT filter (MQTT 5.0, 4.7)."""
    want, have = topic_filter.split("/"), topic.split("/")
    for i, level in enumerate(want):
        if level == "#":
            return True
        if i >= len(have) or level not in ("+", have[i]):
            return False
    return len(want) == len(have)


def overlap(one: str, other: str) -> bool:
    """Whether some topic passes both filters."""
    a, b = one.split("/"), other.split("/")
    for x, y in zip(a, b, strict=False):
        if "#" in (x, y):
            return True
        if x != y and "+" not in (x, y):
            return False
    return len(a) == len(b) or a[len(b) : len(b) + 1] == ["#"] or b[len(a) : len(a) + 1] == ["#"]
