"""Which station gains most: where mobile boilers relieve most cold, and where load can be shed.

Estimated from the course without any measure by the step response of every house (one time constant); what
the advice really brings is simulated afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.heat import HeatSystem
from twin.model.county import Building
from twin.rehearsal.judge import FIRST
from twin.rehearsal.run import Rehearsal

Floats = NDArray[np.float64]

ROOM_C = 18.0
PUBLIC_M2_PER_HOME = 100.0
"""A hospital or school counts as so many homes as its area holds; nobody lives there, but they come first."""
SPARE_K = 1.0
"""Load is shed where rooms stay this far above the limit."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What a mobile boiler at ``station`` relieves: ``home_k_h`` kelvin-hours below 18 °C times homes,
    ``boilers`` how many of those at hand the advice puts there."""

    station: str
    home_k_h: float
    homes: float
    boilers: int


def weigh_buildings(system: HeatSystem, buildings: Mapping[str, Building]) -> Floats:
    """Homes of every building of the system, (n_building,); hospitals and the like by their area."""
    rows = [buildings[i] for i in system.buildings.ids]
    return np.array(
        [max(float(b.homes), 1.0) + (b.area_m2 / PUBLIC_M2_PER_HOME if b.use in FIRST else 0.0) for b in rows]
    )


def rank_mobile(
    system: HeatSystem, buildings: Mapping[str, Building], nothing: Rehearsal, power_w: float, count: int,
    after_h: float,
) -> tuple[Gain, ...]:  # fmt: skip
    """Stations by what one boiler relieves there, most first; ``count`` boilers are placed one by one."""
    b, n = system.buildings, len(system.stations.ids)
    every = max(1, round(600.0 / float(nothing.time_s[0])))
    hours = nothing.time_s[::every] / 3600.0
    dt_h = float(hours[1] - hours[0]) if len(hours) > 1 else float(hours[0])
    deficit = np.maximum(ROOM_C - nothing.t_room_c[::every], 0.0)
    weight = weigh_buildings(system, buildings)
    ua = b.ua_w_k
    share = ua / np.bincount(b.station, ua, n)[b.station]
    tau_h = (b.c_air_j_k + b.c_structure_j_k) / ua / 3600.0
    rise = np.where(hours > after_h, 1.0, 0.0)[:, None] * (
        1.0 - np.exp(-np.maximum(hours - after_h, 0.0)[:, None] / tau_h)
    )
    warmer = power_w * share / ua * rise

    def gain(left: Floats) -> Floats:
        relieved = np.minimum(left, warmer).sum(axis=0) * dt_h * weight
        return np.asarray(np.bincount(b.station, relieved, n), dtype=np.float64)

    first, placed, left = gain(deficit), np.zeros(n, np.int64), deficit
    for _ in range(count):
        now = gain(left)
        s = int(now.argmax())
        if now[s] <= 0.0:
            break
        placed[s] += 1
        mine = b.station == s
        left = np.where(mine, np.maximum(left - warmer, 0.0), left)
    homes = np.bincount(b.station, [float(buildings[i].homes) for i in b.ids], n)
    order = sorted(range(n), key=lambda k: (-placed[k], -first[k]))
    return tuple(
        Gain(system.stations.ids[k], float(first[k]), float(homes[k]), int(placed[k]))
        for k in order
        if first[k] > 0.0
    )


@dataclass(frozen=True, slots=True)
class Spare:
    """What ``station`` can give: ``power_w`` less for the rest of the time with the coldest of its houses
    still at the limit; ``room_c`` that house's lowest without; ``first``: a hospital or school is there."""

    station: str
    power_w: float
    room_c: float
    homes: float
    first: bool


def rank_shedding(
    system: HeatSystem, buildings: Mapping[str, Building], nothing: Rehearsal, after_h: float
) -> tuple[Spare, ...]:
    """Stations by the heat they can do without from ``after_h`` on, most first; those with a hospital or
    school after all others."""
    b, n = system.buildings, len(system.stations.ids)
    every = max(1, round(600.0 / float(nothing.time_s[0])))
    rows = np.append(np.arange(0, len(nothing.time_s) - 1, every), len(nothing.time_s) - 1)
    hours, room = nothing.time_s[rows] / 3600.0, nothing.t_room_c[rows]
    late = hours > after_h
    if not late.any():
        return ()
    tau_h = (b.c_air_j_k + b.c_structure_j_k) / b.ua_w_k / 3600.0
    fallen = 1.0 - np.exp(-(hours[late] - after_h)[:, None] / tau_h)
    can = (np.maximum(room[late] - ROOM_C, 0.0) / np.maximum(fallen, 1e-9)).min(axis=0)
    share = b.ua_w_k / np.bincount(b.station, b.ua_w_k, n)[b.station]
    power, lowest, homes, first = np.full(n, np.inf), np.full(n, np.inf), np.zeros(n), np.zeros(n, bool)
    np.minimum.at(power, b.station, can * b.ua_w_k / share)
    np.minimum.at(lowest, b.station, room[late].min(axis=0))
    np.add.at(homes, b.station, [float(buildings[i].homes) for i in b.ids])
    np.logical_or.at(first, b.station, [buildings[i].use in FIRST for i in b.ids])
    found = [
        Spare(system.stations.ids[k], float(power[k]), float(lowest[k]), float(homes[k]), bool(first[k]))
        for k in range(n)
        if 0.0 < power[k] < np.inf
    ]
    return tuple(sorted(found, key=lambda s: (s.first, -s.power_w)))


def find_spare(system: HeatSystem, buildings: Mapping[str, Building], nothing: Rehearsal) -> tuple[str, ...]:
    """Stations that can give: their rooms stay warm enough without any measure and nobody there comes first;
    the warmest first."""
    b, n = system.buildings, len(system.stations.ids)
    size = np.bincount(b.station, b.ua_w_k, n)
    mean = np.bincount(b.station, b.ua_w_k * nothing.t_room_c.min(axis=0), n) / np.maximum(size, 1e-9)
    kept = {s for s, i in zip(b.station, b.ids, strict=True) if buildings[i].use in FIRST}
    order = np.argsort(-mean)
    return tuple(
        system.stations.ids[k]
        for k in order
        if size[k] > 0.0 and mean[k] > ROOM_C + SPARE_K and k not in kept
    )
