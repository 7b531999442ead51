"""The door for what the twin found wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FoundSuspect:
    """One explanation of the same signs: fault kind, place, size in the kind's unit, probability 0..1."""

    kind: str
    place: str
    size: float
    probability: float


@dataclass(frozen=True, slots=True)
class TwinFinding:
    """A finding as it stood at ``t``; times in s since 1970 UTC.

    ``id`` stays the same while the finding lives, whatever becomes of its kind, place or size. ``suspects``
    begin with the finding itself.
    """

    id: str
    t: float
    open: bool
    kind: str
    place: str
    size: float
    probability: float
    since: float
    evidence: float
    suspects: tuple[FoundSuspect, ...]


class FindingDoor(Protocol):
    """What a store offers of findings."""

    def write_findings(self, rows: Sequence[TwinFinding]) -> None:
        """Add how findings stand now."""
        ...

    def findings(self, since: float = 0.0, limit: int = 200) -> list[TwinFinding]:
        """How each finding stood last, of those that stood at or after ``since``: open ones first."""
        ...
