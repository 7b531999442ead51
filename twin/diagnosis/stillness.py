"""Meters that stand still, and devices that have fallen silent.

A living meter seldom reports the same value twice. How seldom is learned for each: a run of equal reports is
as unlikely as that chance to the power of its length.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEARN_REPORTS = 60.0
"""The chance of a repeat is a mean over about this many reports."""
ENOUGH_REPORTS = 120
"""A meter is known after so many."""
USUAL = 0.6
"""A point that repeats itself this often is one that stands."""
LEAST_RUN = 4
LOWEST_CHANCE = 0.04
SILENT_PERIODS, SILENT_S = 3.0, 720.0
"""A device is silent when its liveliest point is older than both."""


@dataclass
class Stillness:
    """Per point (n,): ``value`` and time ``t`` of the last report, length ``run`` of equal reports,
    ``chance`` of a repeat, ``reports`` seen, ``since`` when the run began."""

    n: int
    value: Floats = field(init=False)
    t: Floats = field(init=False)
    run: Floats = field(init=False)
    chance: Floats = field(init=False)
    reports: Floats = field(init=False)
    since: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.value = np.full(self.n, np.nan)
        self.t = np.full(self.n, -np.inf)
        self.run, self.reports = np.zeros(self.n), np.zeros(self.n)
        self.chance = np.full(self.n, 0.4)
        self.since = np.full(self.n, np.nan)

    def take(self, value: Floats, reported_t: Floats) -> None:
        """New values (n,) with the times they were measured; only newer ones count."""
        fresh = np.isfinite(value) & (reported_t > self.t)
        equal = fresh & (value == self.value)
        other = fresh & ~equal & np.isfinite(self.value)
        counted = equal | other
        # once a meter is known to be alive a long run teaches nothing, or a frozen one would become usual
        usual = (self.reports < ENOUGH_REPORTS) | (self.chance > USUAL)
        teaches = counted & ((self.run < LEAST_RUN) | usual)
        step = 1.0 / LEARN_REPORTS
        self.chance[teaches] += step * (equal[teaches] - self.chance[teaches])
        self.reports[counted] += 1.0
        self.since[fresh & ~equal] = reported_t[fresh & ~equal]
        self.run = np.where(equal, self.run + 1.0, np.where(fresh, 0.0, self.run))
        self.value[fresh], self.t[fresh] = value[fresh], reported_t[fresh]

    def surprise(self) -> Floats:
        """(n,) how unlikely the present run is, as a negative logarithm; 0 for short runs."""
        chance = np.maximum(self.chance, LOWEST_CHANCE)
        enough = (self.run >= LEAST_RUN) & (self.reports >= ENOUGH_REPORTS)
        return np.where(enough, -self.run * np.log(chance), 0.0)


def find_silent(
    devices: tuple[tuple[str, str, NDArray[np.int64]], ...], period_s: Floats, reported_t: Floats, t: float
) -> tuple[tuple[str, ...], dict[str, float]]:
    """Devices without any news for too long, and those of them that have one gateway in common.

    Parameters
    ----------
    devices : id, dialect and point numbers of each; ``period_s`` (n_point,)
    reported_t : (n_point,) time of the last report, -inf for never

    Returns
    -------
    ids or ``*dialect`` where all devices of a dialect are silent; and since when each
    """
    silent: dict[str, float] = {}
    members: dict[str, list[str]] = {}
    for device, dialect, numbers in devices:
        if numbers.size == 0:
            continue
        last = reported_t[numbers]
        if not np.isfinite(last).any():
            continue  # never delivered: not a fault
        members.setdefault(dialect, []).append(device)
        limit = np.maximum(SILENT_PERIODS * np.maximum(period_s[numbers], 300.0), SILENT_S)
        if np.all(t - last > limit):
            silent[device] = float(last[np.isfinite(last)].max())
    names: list[str] = []
    since: dict[str, float] = {}
    for dialect, ids in members.items():
        gone = [i for i in ids if i in silent]
        if len(ids) > 2 and len(gone) >= max(3, 0.8 * len(ids)):
            names.append(f"*{dialect}")
            since[f"*{dialect}"] = max(silent[i] for i in gone)
        else:
            names.extend(gone)
            since.update({i: silent[i] for i in gone})
    return tuple(names), since
