"""What a course of things means for the people: hours until rooms are cold, homes, water, a score."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.heat import HeatSystem
from twin.model.county import Building
from twin.rehearsal.frames import Pressures, judge_pressures
from twin.rehearsal.frost import Frost, find_frost
from twin.rehearsal.run import Rehearsal

Floats = NDArray[np.float64]

LIMITS_C = (16.0, 14.0, 5.0)
"""Where complaints are paid for, where people move out, where pipes in houses are in danger."""
FIRST = frozenset({"hospital", "school", "kindergarten", "nursing"})
PEOPLE_PER_HOME = 2.8


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """``hours_until`` (n_limit, n_building): until each of ``LIMITS_C``, inf where it stays above;
    ``homes_below`` (n_limit,) homes that ever fall below; ``first`` ids of hospitals, schools and the like
    that fall below the first limit; ``lost_t`` tonnes of water; ``degree_hours`` home-weighted K h below
    18 °C; ``lowest_c`` (n_building,) coldest; ``stations`` that lose heat, worst first; ``frost`` when pipes
    freeze; ``pressures`` the extremes."""

    hours_until: Floats
    homes_below: Floats
    first: tuple[str, ...]
    lost_t: float
    degree_hours: float
    lowest_c: Floats
    stations: tuple[str, ...]
    frost: Frost
    pressures: Pressures

    @property
    def people_below(self) -> Floats:
        """People in the homes that fall below each limit."""
        return PEOPLE_PER_HOME * self.homes_below


def judge_run(system: HeatSystem, buildings: Mapping[str, Building], r: Rehearsal) -> Judgement:
    """Judge a rehearsal.

    Parameters
    ----------
    buildings : the county's buildings by id (homes, use)
    """
    ids = system.buildings.ids
    homes = np.array([float(buildings[i].homes) for i in ids])
    hours = np.stack([_hours_until(r, limit) for limit in LIMITS_C])
    dt_h = float(r.time_s[0]) / 3600.0
    cold = np.maximum(18.0 - r.t_room_c, 0.0).sum(axis=0) * dt_h
    below = np.isfinite(hours)
    supply = r.heat_w.mean(axis=0)
    usual = np.array([s.design_heat_w for s in system.net.network.substations])
    share = supply / np.maximum(usual, 1.0)
    order = np.argsort(share)
    worst = [k for k in order if share[k] < 0.5 * float(np.median(share))]
    return Judgement(
        hours_until=hours,
        homes_below=(below * homes).sum(axis=1),
        first=tuple(i for i, b in zip(ids, below[0], strict=True) if b and buildings[i].use in FIRST),
        lost_t=float(r.lost_kg_s.sum() * r.time_s[0] / 1000.0),
        degree_hours=float(cold @ np.maximum(homes, 1.0)),
        lowest_c=r.t_room_c.min(axis=0),
        stations=tuple(system.stations.ids[k] for k in worst),
        frost=find_frost(system, r.time_s, r.t_room_c, r.t_out_c, r.pump_share, r.frames),
        pressures=judge_pressures(system, r.frames),
    )


def _hours_until(r: Rehearsal, limit_c: float) -> Floats:
    below = r.t_room_c < limit_c
    first = np.argmax(below, axis=0)
    hours: Floats = np.where(below.any(axis=0), r.time_s[first] / 3600.0, np.inf)
    return hours
