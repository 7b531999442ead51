"""What the worker hands to the writer in one transaction."""

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

KEEP_PAYLOAD = 65_536
"""Bytes of a dead letter's payload that are kept."""


@dataclass(frozen=True, slots=True)
class DeadMessage:
    """A message (or part of one) that could not be read; ``size`` is its whole length in bytes."""

    hash: str
    t_us: int
    topic: str
    reason: str
    payload: bytes
    count: int = 1
    size: int = 0


def make_dead_message(topic: str, payload: bytes, reason: str, t_us: int) -> DeadMessage:
    """Key a rejected message by topic and payload; keep the first 64 KiB."""
    digest = hashlib.sha256(topic.encode("utf-8", "replace") + b"\0" + payload).hexdigest()[:32]
    return DeadMessage(digest, t_us, topic[:500], reason[:500], payload[:KEEP_PAYLOAD], 1, len(payload))


@dataclass(frozen=True, slots=True)
class HeardMessage:
    """A message as it came; ``payload``: its beginning, ``size``: of the whole, ``devices``: heard in it."""

    devices: tuple[str, ...]
    t_us: int
    topic: str
    payload: bytes
    size: int


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
class NoticeMark:
    """Something that a person should know: ``kind`` of ``subject`` happened ``count`` times more."""

    kind: str
    subject: str
    t_us: int
    count: int = 1
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings as columns (n,), times in microseconds since 1970 UTC, and everything that goes with them.

    ``redone``: hashes of dead letters that this batch holds the readings of, and that leave the table.
    """

    point_no: Ints
    t_us: Ints
    received_us: Ints
    value: Floats
    quality: Ints
    dead: tuple[DeadMessage, ...] = ()
    devices: tuple[DeviceMark, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    memory: dict[str, str] = field(default_factory=dict)
    notices: tuple[NoticeMark, ...] = ()
    redone: tuple[str, ...] = ()
    messages: tuple[HeardMessage, ...] = ()

    def halves(self) -> tuple["Batch", "Batch"] | None:
        """Two smaller batches that hold the same, for a writer that could not take it; None: indivisible.

        What is remembered goes with the second: it says that all before is stored.
        """
        n, k = self.point_no.size, len(self.dead)
        if n + k < 2:
            return None
        i, j = (n + 1) // 2, (k + 1) // 2
        first = replace(
            self, point_no=self.point_no[:i], t_us=self.t_us[:i], received_us=self.received_us[:i],
            value=self.value[:i], quality=self.quality[:i], dead=self.dead[:j], memory={},
        )  # fmt: skip
        second = Batch(
            self.point_no[i:], self.t_us[i:], self.received_us[i:], self.value[i:], self.quality[i:],
            dead=self.dead[j:], memory=self.memory,
        )  # fmt: skip
        return first, second
