"""Meters that stand still, and devices that have fallen silent.

A living meter seldom stands. How seldom is learned for each: a stand is as unlikely as the chance of a period
without a change to the power of its length, and must be longer than any of the last days.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEARN_PERIODS = 60.0
"""The chance that a meter stays as it is for a period is a mean over about so many."""
ENOUGH_CHANGES = 20
"""A meter is known after so many changes; one that never changes is one that stands."""
LEAST_RUN = 2
"""Equal reports in a row, at least."""
LOWEST_CHANCE = 0.3
LONGER = 1.7
"""A stand must be this much longer than the longest of the last days."""
FORGET_S = 3 * 86400.0
SILENT_PERIODS, SILENT_S = 3.0, 720.0
"""A device is silent when its liveliest point is older than both."""
NEARLY = 0.45
"""When none of a dialect has been heard for this share of the time, it is their gateway that is going."""
DEAF_S = 900.0
"""Who has not looked for so long has not listened: what was silent meanwhile may have spoken."""


@dataclass
class Stillness:
    """Per point (n,): ``period_s`` of its sampling; ``value`` and time ``t`` of the last report; ``run``
    periods and ``equal`` reports without a change, ``since`` when; ``chance`` of a period without one;
    ``longest`` stand of the last days, s; ``changes`` seen. ``looked`` last time, ``listening`` since when
    without a pause."""

    period_s: Floats
    value: Floats = field(init=False)
    t: Floats = field(init=False)
    run: Floats = field(init=False)
    equal: Floats = field(init=False)
    chance: Floats = field(init=False)
    longest: Floats = field(init=False)
    changes: Floats = field(init=False)
    since: Floats = field(init=False)
    looked: float = float("-inf")
    listening: float = float("-inf")

    def __post_init__(self) -> None:
        n = self.period_s.size
        self.value, self.since = np.full(n, np.nan), np.full(n, np.nan)
        self.t = np.full(n, -np.inf)
        self.run, self.equal, self.changes, self.longest = (np.zeros(n) for _ in range(4))
        self.chance = np.full(n, 0.5)

    def take(self, value: Floats, reported_t: Floats, now: float) -> None:
        """New values (n,) with the times they were measured; only newer ones count.

        A meter reports when it has changed, and now and then when it has not: the time between two reports
        says as much as their values.
        """
        if now - self.looked > DEAF_S:
            self._begin_again(now)
        fresh = np.isfinite(value) & (reported_t > self.t)
        known = fresh & np.isfinite(self.value)
        # what happened between two looks is not seen: one look is one period at most
        look_s = np.maximum(self.period_s, now - self.looked if np.isfinite(self.looked) else 0.0)
        passed_s = np.zeros(value.size)
        passed_s[known] = reported_t[known] - self.t[known]
        gap = np.maximum(np.round(passed_s / look_s), 1.0)
        same = known & (value == self.value)
        changed = known & ~same
        stood = np.where(same, gap, gap - 1.0)
        # once a meter is known to be alive a long stand teaches nothing, or a frozen one would become usual
        teaches = known & ((self.changes < ENOUGH_CHANGES) | (self.equal < LEAST_RUN))
        step = 1.0 - (1.0 - 1.0 / LEARN_PERIODS) ** gap
        self.chance[teaches] += (step * (stood / gap - self.chance))[teaches]
        ended = changed & np.isfinite(self.since)
        self.longest *= np.exp(-passed_s / FORGET_S)
        self.longest[ended] = np.maximum(self.longest[ended], self.t[ended] - self.since[ended])
        self.changes[changed] += 1.0
        self.run = np.where(same, self.run + gap, np.where(changed, 0.0, self.run))
        self.equal = np.where(same, self.equal + 1.0, np.where(changed, 0.0, self.equal))
        self.since = np.where(fresh & ~same, reported_t, self.since)
        self.value[fresh], self.t[fresh] = value[fresh], reported_t[fresh]
        self.looked = now

    def _begin_again(self, now: float) -> None:
        """After a pause of one's own no stand goes on: it is not known whether it was one."""
        self.listening = now
        self.run[:] = self.equal[:] = 0.0
        self.value[:] = self.since[:] = np.nan

    def surprise(self) -> Floats:
        """(n,) how unlikely the present stand is, as a negative logarithm; 0 for short ones."""
        chance = np.clip(self.chance, LOWEST_CHANCE, 1.0)
        long = np.isfinite(self.since)
        long[long] = self.t[long] - self.since[long] > LONGER * self.longest[long]
        enough = (self.equal >= LEAST_RUN) & (self.changes >= ENOUGH_CHANGES) & long
        return np.where(enough, -self.run * np.log(chance), 0.0)


def find_silent(
    devices: tuple[tuple[str, str, NDArray[np.int64]], ...], period_s: Floats, reported_t: Floats, t: float,
    listening: float = float("-inf"),
) -> tuple[tuple[str, ...], dict[str, float]]:  # fmt: skip
    """Devices without any news for too long, and those of them that have one gateway in common.

    Parameters
    ----------
    devices : id, dialect and point numbers of each; ``period_s`` (n_point,)
    reported_t : (n_point,) time of the last report, -inf for never
    listening : since when somebody has listened; silence before that says nothing

    Returns
    -------
    ids or ``*dialect`` where all devices of a dialect are silent; and since when each
    """
    members: dict[str, list[int]] = {}
    limit = np.maximum(SILENT_PERIODS * np.maximum(period_s, 300.0), SILENT_S)
    listed = [d for d in devices if d[2].size]
    if not listed:
        return (), {}
    numbers = np.concatenate([d[2] for d in listed])
    first = np.cumsum([0, *[d[2].size for d in listed]])[:-1]
    spoke = np.logical_or.reduceat(np.isfinite(reported_t)[numbers], first)
    reported_t = np.where(np.isfinite(reported_t), np.maximum(reported_t, listening), reported_t)
    age = np.where(np.isfinite(reported_t), t - reported_t, np.inf)
    late = np.logical_and.reduceat((age > limit)[numbers], first)
    shortest = np.minimum.reduceat(limit[numbers], first)
    newest = np.maximum.reduceat(reported_t[numbers], first)
    for i in np.flatnonzero(spoke):  # never delivered is not a fault
        members.setdefault(listed[i][1], []).append(int(i))
    names: list[str] = []
    since: dict[str, float] = {}
    for dialect, rows in members.items():
        gone = [i for i in rows if late[i]]
        heard = float(newest[rows].max())
        quiet = (t - heard) / float(shortest[rows].min()) if len(rows) > 2 else 0.0
        if quiet > 1.0:
            names.append(f"*{dialect}")
            since[f"*{dialect}"] = heard
            continue
        if quiet >= NEARLY:  # their gateway is going: wait for the rest, but for those silent long before
            gone = [i for i in gone if newest[i] < heard - float(shortest[i])]
        names.extend(listed[i][0] for i in gone)
        since.update({listed[i][0]: float(newest[i]) for i in gone})
    return tuple(names), since
