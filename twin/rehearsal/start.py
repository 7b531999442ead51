"""Where a rehearsal starts: the network, stations and rooms as they are at a moment."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.heat import DayPlan, DayState, HeatSystem, SteadyBoundary, Weather, begin_day, simulate_day
from twin.model.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """The hours before the moment, one row per step of ``dt_s``, and what holds the network.

    ``t_outdoor_c``, ``wind_m_s``, ``sun_w_m2`` (n_step,); ``t_source_c`` (n_step, n_source); ``p_supply_pa``,
    ``p_return_pa`` gauge and ``source_flow_kg_s`` (NaN where the source holds the pressure) (n_source,);
    ``t_room_c`` (n_building,) of the system's buildings at the moment, NaN where nobody measures.
    """

    dt_s: float
    t_outdoor_c: Floats
    wind_m_s: Floats
    sun_w_m2: Floats
    t_source_c: Floats
    p_supply_pa: Floats
    p_return_pa: Floats
    source_flow_kg_s: Floats
    t_room_c: Floats


def hold_boundary(system: HeatSystem, past: Past) -> SteadyBoundary:
    """The boundary that the sources hold."""
    design = system.net.station_design_kg_s
    return SteadyBoundary(
        t_source_c=past.t_source_c[-1],
        p_supply_pa=past.p_supply_pa,
        p_return_pa=past.p_return_pa,
        source_flow_kg_s=past.source_flow_kg_s,
        flow_kg_s=design.copy(),
        t_return_c=np.full(design.size, 50.0),
    )


def settle_system(system: HeatSystem, past: Past) -> DayState:
    """Walk the past hours, then set the rooms to what is measured.

    Buildings that nobody measures take the mean difference of the measured ones of their station (or of the
    county); structure and air are moved alike.

    Raises
    ------
    InputError : arrays of different lengths, or a value missing
    """
    n = len(past.t_outdoor_c)
    arrays = (past.t_outdoor_c, past.wind_m_s, past.sun_w_m2, past.t_source_c)
    if n == 0 or any(len(a) != n or not np.isfinite(a).all() for a in arrays):
        raise InputError("the past needs weather and source temperatures for every step, without gaps")
    weather = Weather(past.t_outdoor_c, past.wind_m_s, past.sun_w_m2)
    plan = DayPlan(past.dt_s, hold_boundary(system, past), past.t_source_c)
    start = begin_day(system, weather, plan)
    end = simulate_day(system, weather, plan, start).end
    shift = _shifts(system, past.t_room_c - end.t_air_c)
    return replace(end, t_air_c=end.t_air_c + shift, t_structure_c=end.t_structure_c + shift)


def _shifts(system: HeatSystem, difference: Floats) -> Floats:
    known = np.isfinite(difference)
    if not known.any():
        return np.zeros(difference.size)
    station, n = system.buildings.station, len(system.stations.ids)
    count = np.bincount(station[known], minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(station[known], difference[known], n) / count
    mean = np.where(count > 0, mean, float(difference[known].mean()))
    return np.where(known, difference, mean[station])
