"""Devices that have just fallen quiet: what they said last is one reading and not a mean.

A station speaks every few seconds. Its last pressure, held for minutes, is taken for a meter that has moved;
so the values of a device are not used while it has been quiet for longer than it usually is.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.diagnosis.book import DiagnosisBook

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

LEARN_S, FORGET_S = 3600.0, 86_400.0
LONGER, LEAST_S = 2.0, 60.0
"""A device is quiet when its newest report is older than both: times its usual age, and s."""


@dataclass
class Hearing:
    """``usual`` (n_device,) the oldest that the newest report of each has been in the last day, s; ``age`` at
    the last look. ``told`` devices that have points, ``numbers`` of these one after the other, ``first`` of
    each."""

    book: DiagnosisBook
    usual: Floats = field(init=False)
    age: Floats = field(init=False)
    told: Ints = field(init=False)
    numbers: Ints = field(init=False)
    first: Ints = field(init=False)
    listened_s: float = 0.0

    def __post_init__(self) -> None:
        points = [no for _, _, no in self.book.devices]
        self.usual, self.age = np.zeros(len(points)), np.zeros(len(points))
        self.told = np.array([k for k, no in enumerate(points) if no.size], dtype=np.int64)
        self.numbers = np.concatenate([*points, np.empty(0, np.int64)])
        self.first = np.cumsum([0, *[points[k].size for k in self.told]])[:-1]

    def take(self, reported_t: Floats, t: float, dt_s: float) -> Bools:
        """(n_point,) points of devices that are quiet at ``t``; ``reported_t`` (n_point,), -inf for never."""
        newest = np.full(self.usual.size, -np.inf)
        newest[self.told] = (
            np.maximum.reduceat(reported_t[self.numbers], self.first) if self.told.size else 0.0
        )
        age = np.where(np.isfinite(newest), np.maximum(t - newest, 0.0), 0.0)
        most = np.maximum(LONGER * self.usual, LEAST_S)
        quiet = (age > most) & (self.listened_s >= LEARN_S)
        self.listened_s += dt_s
        # a pause teaches when it is over; one of a device that is known teaches little at a time
        bounded = np.minimum(self.age, most) if self.listened_s > LEARN_S else self.age
        learnt = np.where(age < self.age, bounded, 0.0)
        self.usual, self.age = np.maximum(self.usual * np.exp(-dt_s / FORGET_S), learnt), age
        out = np.zeros(reported_t.size, bool)
        for k in np.flatnonzero(quiet):
            out[self.book.devices[k][2]] = True
        return out
