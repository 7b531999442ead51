"""Control valves that stand while their water leaves the curve.

A controller moves its valve for what it has left undone: the error of its temperature, added up. However the
weather changes, a living valve has never left much more undone than it does between two of its usual moves. A
stuck one does, and what it has left undone in this stand is remembered when the weather comes back to it.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOVED = 0.004
"""A feedback that changes by more has moved."""
FORGET_S = 3 * 86400.0
LONGEST_STEP_S = 600.0
CLIP_K = 3.0
"""An error counts as this much at most: a valve cannot make up for what a source lacks."""
LEAST_K_S = 1000.0
"""What any living valve may leave undone: about a quarter of a kelvin for an hour."""
SMALL_K = 0.15
"""Errors below this are not known to be any: meters wander, and so does the habit."""
MORE = 2.0
"""A stuck valve leaves this much more undone than it ever did in the last days."""
ENOUGH_MOVES = 5
STANDS_S = 1800.0
"""A stand is at least this long."""
ENOUGH_STATIONS = 6
"""From so many stations on, what half of them are off the curve by at the same moment is nobody's valve."""


@dataclass
class Valves:
    """Per station (n,): ``stand`` opening of the present stand, NaN where unknown; ``undone`` error added up
    since it began, K s, ``peak`` its largest; ``most`` the largest of the stands of the last days;
    ``moves`` seen; ``stood_s`` length of the present stand."""

    n: int
    stand: Floats = field(init=False)
    undone: Floats = field(init=False)
    peak: Floats = field(init=False)
    most: Floats = field(init=False)
    moves: Floats = field(init=False)
    stood_s: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.stand = np.full(self.n, np.nan)
        self.undone, self.peak, self.most, self.moves, self.stood_s = (np.zeros(self.n) for _ in range(5))

    def take(self, opening: Floats, error_k: Floats, other: Bools, dt_s: float) -> None:
        """One moment.

        Parameters
        ----------
        opening : (n,) feedback, NaN where missing
        error_k : (n,) how far the secondary supply is off its habit, K
        other : (n,) stations that something else is wrong with: what they leave undone is not the valve's
        """
        dt = min(dt_s, LONGEST_STEP_S)
        with np.errstate(invalid="ignore"):
            moved = np.abs(opening - self.stand) > MOVED
        first = ~np.isfinite(self.stand) & np.isfinite(opening)
        self.most *= np.exp(-dt / FORGET_S)
        self.most = np.where(moved & ~other, np.maximum(self.most, self.peak), self.most)
        self.moves += moved
        begun = moved | first | other
        self.stood_s = np.where(begun, 0.0, self.stood_s + dt)
        self.stand = np.where(begun, opening, self.stand)
        error = np.clip(np.nan_to_num(error_k - _common(error_k, other)), -CLIP_K, CLIP_K)
        left = np.sign(error) * np.maximum(np.abs(error) - SMALL_K, 0.0) * dt
        self.undone = np.where(begun, 0.0, self.undone + left)
        self.peak = np.where(begun, 0.0, np.maximum(self.peak, np.abs(self.undone)))

    def idle(self) -> Floats:
        """(n,) what the present stand has left undone over what a living valve might, 1; 0 where its habits
        are not known yet."""
        share = self.peak / np.maximum(LEAST_K_S, MORE * self.most)
        return np.where((self.moves >= ENOUGH_MOVES) & (self.stood_s >= STANDS_S), share, 0.0)


def _common(error_k: Floats, other: Bools) -> float:
    """What stations are off together, K: weather that the habit has not met yet, or a source that is short.
    0 where too few are known to tell it from one station's own."""
    known = error_k[np.isfinite(error_k) & ~other]
    return float(np.median(known)) if known.shape[0] >= ENOUGH_STATIONS else 0.0
