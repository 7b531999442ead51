"""Behind the stations: water that is shared out unevenly, rooms with open windows.

A building's flow and cooling are told as shares of its station's, a room as its difference from the rooms of
the same station; each is judged against its own habit.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.diagnosis.explain import Candidate, Explanation
from twin.diagnosis.habit import Habit
from twin.diagnosis.homebook import HomeBook
from twin.diagnosis.kinds import FAULTS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Found = dict[tuple[str, str], Explanation]

SHARE_FLOOR, ROOM_FLOOR_K = 0.015, 0.20
COOLS = -0.8
"""How the cooling of a building's water answers to its flow, by the law of a radiator."""
CONFIRMED = 0.5
"""Coolings that answer by this share confirm a flow."""
STEADY_S, CHANGED = 1200.0, 0.05
"""While a station's flow differs by this share from its mean of the last time, shares mean nothing: buildings
report later than stations."""
LOOK_S = 240.0
"""These meters report every quarter of an hour: no need to look every moment."""
WINDOW = 1
"""Of ``habit.WINDOWS_S``: these meters report every quarter of an hour."""
SUDDEN = 0.8
"""A room whose fall came by this share between two reports is rather a meter that was moved."""


@dataclass
class Homes:
    """Habits of buildings (flow shares, then coolings) and rooms, carried from moment to moment."""

    book: HomeBook
    buildings: Habit = field(init=False)
    rooms: Habit = field(init=False)
    held_b: NDArray[np.bool_] = field(init=False)
    held_r: NDArray[np.bool_] = field(init=False)
    steady: Floats | None = None
    last: Floats = field(init=False)
    steepest: Floats = field(init=False)
    looked: float = float("-inf")
    found: Found = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, k = len(self.book.building_ids), len(self.book.room_ids)
        self.buildings = Habit(np.full(2 * n, SHARE_FLOOR))
        self.rooms = Habit(np.full(k, ROOM_FLOOR_K))
        self.held_b, self.held_r = np.zeros(2 * n, bool), np.zeros(k, bool)
        self.last, self.steepest = np.full(k, np.nan), np.zeros(k)

    def take(
        self, value: Floats, station_flow: Floats, station_dt_k: Floats, flow: float, load: float, dt_s: float
    ) -> None:
        """One moment. ``value`` (n_point,); ``station_flow`` m³/s, ``station_dt_k`` (n_station,) of the
        secondary circuits; ``flow``, ``load`` as :meth:`Habit.take`."""
        b = self.book
        with np.errstate(all="ignore"):
            share = np.log(value[b.flow] / station_flow[b.row])
            cooling = np.log((value[b.warm] - value[b.cold]) / station_dt_k[b.row])
        sign = np.concatenate([share, cooling])
        sign[np.tile(self._changes(station_flow, dt_s)[b.row], 2)] = np.nan
        self.buildings.take(np.where(np.isfinite(sign), sign, np.nan), flow, load, dt_s, self.held_b)
        room = value[b.room]
        step = np.nan_to_num(self.last - room)
        self.steepest = np.maximum(self.steepest * np.exp(-dt_s / 7200.0), step)
        self.last = np.where(np.isfinite(room), room, self.last)
        usual = _medians(room, b.room_row, station_flow.size)
        self.rooms.take(room - usual[b.room_row], flow, load, dt_s, self.held_r)

    def _changes(self, flow: Floats, dt_s: float) -> NDArray[np.bool_]:
        """Whether each station's flow is changing."""
        with np.errstate(all="ignore"):
            now = np.log(flow)
        known = np.isfinite(now)
        old = now if self.steady is None else np.where(np.isfinite(self.steady), self.steady, now)
        self.steady = old + np.where(
            known, (1.0 - np.exp(-dt_s / STEADY_S)) * np.where(known, now - old, 0.0), 0.0
        )
        return known & (np.abs(now - self.steady) > CHANGED)

    def find(self, station_ids: tuple[str, ...], size: int, t: float, flow: float, load: float) -> Found:
        """Uneven stations and cold rooms at ``t``; ``size`` of the vector of signs that findings refer to."""
        if t - self.looked >= LOOK_S:
            nothing = np.zeros(size, bool)
            uneven = self._find_uneven(station_ids, nothing, flow, load)
            self.found, self.looked = {**uneven, **self._find_open(nothing, flow, load)}, t
        return dict(self.found)

    def _find_uneven(
        self, station_ids: tuple[str, ...], nothing: NDArray[np.bool_], flow: float, load: float
    ) -> Found:
        b, h, n = self.book, self.buildings, len(self.book.building_ids)
        sigma = h.sigmas(WINDOW, flow, load) * SHARE_FLOOR
        mean = h.mean[WINDOW] * SHARE_FLOOR
        out: Found = {}
        self.held_b[:] = False
        for i in np.unique(b.row):
            mine = np.flatnonzero(b.row == i)
            mine = mine[np.isfinite(sigma[mine]) & (h.known_s[mine] > 0)]
            moved = _uneven(mine, mean, sigma, n)
            if mine.size == 0 or moved is None:
                continue
            evidence = 0.5 * float(np.sum((moved / sigma[mine]) ** 2))
            spread = float(np.sqrt(np.mean(moved**2)))
            far = mine[np.abs(moved) > 0.5 * np.abs(moved).max()]
            real = _realness(far, mean, sigma, n)
            if evidence < FAULTS["imbalance"].evidence or spread < FAULTS["imbalance"].least:
                continue
            self.held_b[mine] = self.held_b[n + mine] = True
            chance = min(max(0.15 + 0.75 * real, 0.1), 0.95)
            worst = int(far[np.argmax(np.abs(mean[far]))])
            meter = Candidate(
                "sensor_bias", f"{b.building_ids[worst]}/b_flow", float(mean[worst]), 1 - chance
            )
            rows = [Candidate("imbalance", station_ids[i], spread, chance), meter]
            if far.size == 1:
                rows.sort(key=lambda c: -c.probability)
            first = rows[0]
            out[(first.kind, first.place)] = Explanation(tuple(rows), evidence, nothing)
        return out

    def _find_open(self, nothing: NDArray[np.bool_], flow: float, load: float) -> Found:
        h = self.rooms
        sigma = h.sigmas(0, flow, load)
        z = np.where(np.isfinite(sigma), h.mean[0] / np.where(np.isfinite(sigma), sigma, 1.0), 0.0)
        size = -h.mean[0] * ROOM_FLOOR_K
        kind = FAULTS["open_room"]
        cold = (0.5 * z**2 > kind.evidence) & (size > kind.least)
        self.held_r = cold
        out: Found = {}
        for k in np.flatnonzero(cold):
            room, fell = self.book.room_ids[k], float(size[k])
            sudden = bool(self.steepest[k] > SUDDEN * fell) and fell > 4.0
            chance = 0.4 if sudden else 0.85
            rows = [
                Candidate("open_room", room, fell, chance),
                Candidate("sensor_bias", f"{room}/room_t", -fell, 1.0 - chance),
            ]
            rows.sort(key=lambda c: -c.probability)
            out[("open_room", room)] = Explanation(tuple(rows), float(0.5 * z[k] ** 2), nothing)
        return out


def _realness(rows: Ints, mean: Floats, sigma: Floats, n: int) -> float:
    """How far the coolings answer to the flows of some buildings, 1 as radiators do, 0 not at all: water that
    really flows less cools more; a meter that is wrong cools nothing."""
    w, wanted = 1.0 / np.square(sigma[n + rows]), mean[rows] * COOLS
    return float(np.sum(w * mean[n + rows] * wanted) / max(float(np.sum(w * np.square(wanted))), 1e-12))


def _uneven(mine: Ints, mean: Floats, sigma: Floats, n: int) -> Floats | None:
    """What the shares of a station's metered buildings have moved (k,); None where nobody can say.

    What all have in common is the station's own meter, unless their coolings confirm it: then the buildings
    without a meter get the rest.
    """
    if mine.size == 0 or _realness(mine, mean, sigma, n) > CONFIRMED:
        return mean[mine]
    if mine.size < 2:
        return None  # one meter alone, and its cooling does not confirm it
    return mean[mine] - (np.median(mean[mine]) if mine.size > 2 else mean[mine].mean())


def _medians(value: Floats, row: Ints, n: int) -> Floats:
    """Median of the known values of each row (n,), NaN for fewer than three."""
    out = np.full(n, np.nan)
    known = np.flatnonzero(np.isfinite(value))
    order = known[np.lexsort((value[known], row[known]))]
    count = np.bincount(row[order], minlength=n)
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    for i in np.flatnonzero(count >= 3):
        mine = value[order[first[i] : first[i] + count[i]]]
        out[i] = mine[mine.size // 2]
    return out
