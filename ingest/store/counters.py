"""Meter counters that fall: rolled over at their last digit, or set back.

The readings stay as the meter gave them (raw metering records must be kept); what fell is written down
beside them, and the consumption over a time adds only what the meter really counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.model.county import Point
from twin.model.quantities import VENDOR_UNITS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COUNTED = ("volume", "energy", "electric_energy")
"""Quantities whose points only ever count up."""
SHORTEST_TURN = 10_000.0
"""Meters have at least four digits before the point."""
NEAR_END = 0.9
"""A roll-over comes from the last tenth of the turn and lands in the first."""


@dataclass(frozen=True, slots=True)
class Fall:
    """One counter that fell between two readings; ``span`` (SI) is a full turn, 0 for a set-back."""

    point_no: int
    t_us: int
    before: float
    after: float
    span: float

    @property
    def kind(self) -> str:
        """``rollover``, ``reset`` (began again near nothing) or ``back`` (fell a little)."""
        if self.span:
            return "rollover"
        return "reset" if is_reset(self.before, self.after) else "back"


class CounterWatch:
    """Follows the last value of each counter; knows in which unit its digits turn over."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.counter = np.array([p.quantity in COUNTED for p in points], bool)
        self.scale = np.array([VENDOR_UNITS[p.unit][0] for p in points])
        self.last = np.full(len(points), np.nan)

    def remember(self, point_no: Ints, value: Floats) -> None:
        """Start from stored values."""
        known = point_no < self.last.size
        self.last[point_no[known]] = value[known]

    def find_falls(self, point_no: Ints, t_us: Ints, value: Floats) -> list[Fall]:
        """Falls in new believed readings, newer than all before; remembers the values.

        Parameters
        ----------
        point_no, t_us, value : (n,) sorted by point and time; SI
        """
        mine = self.counter[point_no] & np.isfinite(value)
        no, t, v = point_no[mine], t_us[mine], value[mine]
        if not no.size:
            return []
        first = np.concatenate(([True], no[1:] != no[:-1]))
        before = np.where(first, self.last[no], np.concatenate(([np.nan], v[:-1])))
        falls = [
            Fall(int(no[i]), int(t[i]), float(before[i]), float(v[i]),
                 find_turn(float(before[i]), float(v[i]), float(self.scale[no[i]])))
            for i in np.flatnonzero(v < before)
        ]  # fmt: skip
        ends = np.concatenate((no[1:] != no[:-1], [True]))
        self.last[no[ends]] = v[ends]
        return falls


def is_reset(before: float, after: float) -> bool:
    """Whether the counter began again, and did not just fall a little."""
    return after <= (1.0 - NEAR_END) * before


def find_turn(before: float, after: float, scale: float) -> float:
    """What a full turn counts (SI) when a counter fell from ``before`` to ``after``; 0: it was set back.

    Counters turn over at a power of ten of the vendor's unit (``scale`` turns that unit into SI), or at
    2**32 of it.
    """
    shown = before / scale
    if shown < NEAR_END * SHORTEST_TURN:
        return 0.0
    for turn in (10.0 ** np.ceil(np.log10(shown)), 2.0**32):
        if NEAR_END * turn <= shown < turn * 1.000001 and after / scale <= (1.0 - NEAR_END) * turn:
            return float(turn * scale)
    return 0.0


def add_up(value: Floats, span: Floats) -> float:
    """Consumption over readings (n,) by time: rises, plus the rest of each full turn; NaN without readings.

    ``span``: (n,) full turn (SI) at the reading after a roll-over, else 0. A counter that was reset is taken
    to have begun at nothing; one that fell a little has counted nothing until it is past its old value.
    """
    if not value.size:
        return float("nan")
    total, held = 0.0, float(value[0])
    for now, turn in zip(value[1:].tolist(), span[1:].tolist(), strict=True):
        if turn > 0:
            total += now - held + turn
        elif now >= held:
            total += now - held
        elif is_reset(held, now):
            total += now
        else:
            continue  # fell a little: wait until it is past where it was
        held = now
    return total
