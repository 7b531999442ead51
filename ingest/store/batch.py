"""What the worker hands to the writer in one transaction."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

KEEP_PAYLOAD = 65_536
"""Bytes of a dead letter's payload that are kept."""


@dataclass(frozen=True, slots=True)
class DeadMessage:
    """A message (or part of one) that could not be read."""

    hash: str
    t_us: int
    topic: str
    reason: str
    payload: bytes


def make_dead_message(topic: str, payload: bytes, reason: str, t_us: int) -> DeadMessage:
    """Key a rejected message by topic and payload; keep the first 64 KiB."""
    digest = hashlib.sha256(topic.encode("utf-8", "replace") + b"\0" + payload).hexdigest()[:32]
    return DeadMessage(digest, t_us, topic[:500], reason[:500], payload[:KEEP_PAYLOAD])


@dataclass(frozen=True, slots=True)
class DeviceMark:
    """What a batch says of one device; ``skew_s`` device clock minus ours."""

    device_id: str
    t_us: int
    received_us: int
    messages: int
    skew_s: float
    online: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings as columns (n,), times in microseconds since 1970 UTC, and everything that goes with them."""

    point_no: Ints
    t_us: Ints
    received_us: Ints
    value: Floats
    quality: Ints
    dead: tuple[DeadMessage, ...] = ()
    devices: tuple[DeviceMark, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    memory: dict[str, str] = field(default_factory=dict)
