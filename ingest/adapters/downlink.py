"""The way down: what a dialect makes of a set-point, and what a device says to it.

An adapter that can write has ``encode_set``; what its devices answer it puts into ``Decoded.answers``. A
message carries the number of the command and when it ends, so that a device may refuse what comes too late.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from twin.model.county import Device
from twin.model.errors import InputError


@dataclass(frozen=True, slots=True)
class Downlink:
    """One value for one point of a device, in the vendor's key and unit.

    ``no`` numbers the command (below 2**53); ``t`` and ``until``: sent, and void from then on (s since 1970).
    """

    device: Device
    key: str
    number: float
    no: int
    t: float
    until: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device said to command ``no``; ``text``: its reason, empty when it has none."""

    device_id: str
    no: int
    ok: bool
    text: str = ""


@runtime_checkable
class Commander(Protocol):
    """An adapter whose devices can be written."""

    name: str

    def encode_set(self, down: Downlink) -> tuple[str, bytes]:
        """(topic, payload). Raises ``InputError``: this device cannot be reached (yet), with the reason."""
        ...


def find_commander(adapters: Sequence[object], dialect: str) -> Commander:
    """The adapter of a dialect that can write.

    Raises
    ------
    InputError : nothing can be written in this dialect
    """
    for adapter in adapters:
        if isinstance(adapter, Commander) and adapter.name == dialect:
            return adapter
    raise InputError(f"dialect: nothing can be written to devices of dialect {dialect!r}")


def plain_number(value: float) -> float | int:
    """Whole numbers as such: many controllers take no 1.0 for a switch."""
    return int(value) if value == int(value) else round(value, 6)


def to_json(body: Mapping[str, object]) -> bytes:
    """UTF-8 JSON."""
    return json.dumps(body, ensure_ascii=False).encode()


def read_number(raw: object) -> int | None:
    """Number of a command in an answer, sent as a number or as digits; None when it is none of ours."""
    if isinstance(raw, str) and raw.isascii() and raw.isdecimal() and len(raw) <= 16:
        return int(raw)
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < 2**53 else None
