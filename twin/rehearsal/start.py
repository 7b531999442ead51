"""Where a rehearsal starts: the network, stations and rooms as they are at a moment."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.heat import (
    DayPlan,
    DayState,
    HeatSystem,
    SteadyBoundary,
    Weather,
    begin_day,
    read_curve,
    resume_transient,
    simulate_day,
)
from twin.model.errors import EngineError, InputError

Floats = NDArray[np.float64]


COLDER_K = (0.0, 1.0, 3.0)
"""Where the network has no state for the first step's flows the walk begins with those of colder weather;
twelve hours later nothing is left of it."""
LIFT_K, MOST_PUMP = 25.0, 1.2
"""Set-points further from their curves than this, and faster pumps, are taken for a meter's error."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is known of the moment itself; NaN where nothing is.

    The water as the live twin has it: ``t_supply_c``, ``t_return_c`` (n_node,), ``t_pipe_c``,
    ``mass_flow_kg_s`` (n_pipe,) signed. As stations (n_station,) read: ``t_warm_c``, ``t_cold_c`` of the
    secondary supply and return, ``flow_kg_s`` primary.
    """

    t_supply_c: Floats
    t_return_c: Floats
    t_pipe_c: Floats
    mass_flow_kg_s: Floats
    t_warm_c: Floats
    t_cold_c: Floats
    flow_kg_s: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """The hours before the moment, one row per step of ``dt_s``, and what holds the network.

    ``t_outdoor_c``, ``wind_m_s``, ``sun_w_m2`` (n_step,); ``t_source_c`` (n_step, n_source); ``p_supply_pa``,
    ``p_return_pa`` gauge and ``source_flow_kg_s`` (NaN where the source holds the pressure) (n_source,);
    ``t_room_c`` (n_building,) of the system's buildings at the moment, NaN where nobody measures.
    ``lift_k`` (n_station,): what the set-points stand above the stations' curves, ``pump_share``
    (n_station,): secondary flow over full flow; None: as the survey has it. ``seen``: of the moment itself,
    None: nothing. ``following`` (n_source,): change of the supply temperature per kelvin outdoors, None: it
    stays.
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
    lift_k: Floats | None = None
    pump_share: Floats | None = None
    seen: Seen | None = None
    following: Floats | None = None


def drive_sources(system: HeatSystem, past: Past, t_outdoor_c: Floats) -> Floats:
    """Supply temperatures ahead (n_step, n_source): as they are now, and as the sources follow the weather,
    up to their design."""
    now = past.t_source_c[-1]
    if past.following is None:
        return np.tile(now, (len(t_outdoor_c), 1))
    moved = now + np.outer(t_outdoor_c - past.t_outdoor_c[-1], past.following)
    design = np.array([s.t_supply_design_c for s in system.net.network.sources])
    limited: Floats = np.minimum(moved, np.maximum(design, now))
    return limited


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
    """Walk the past hours, then set water, stations and rooms to what is known of the moment.

    Buildings that nobody measures take the mean difference of the measured ones of their station (or of the
    county); structure and air are moved alike.

    Raises
    ------
    InputError : arrays of different lengths, or a value missing
    EngineError : the network has no state to start from
    """
    n = len(past.t_outdoor_c)
    arrays = (past.t_outdoor_c, past.wind_m_s, past.sun_w_m2, past.t_source_c)
    if n == 0 or any(len(a) != n or not np.isfinite(a).all() for a in arrays):
        raise InputError("the past needs weather and source temperatures for every step, without gaps")
    weather = Weather(past.t_outdoor_c, past.wind_m_s, past.sun_w_m2)
    plan = DayPlan(
        past.dt_s, hold_boundary(system, past), past.t_source_c,
        setpoint_c=lift_curves(system, past.t_outdoor_c, past.lift_k),
        pump_share=share_pumps(n, past.pump_share),
    )  # fmt: skip
    end = simulate_day(system, weather, plan, _begin(system, weather, plan)).end
    if past.seen is not None:
        end = _take_up(system, end, past.seen, plan.boundary.t_ground_c)
    shift = _shifts(system, past.t_room_c - end.t_air_c)
    return replace(end, t_air_c=end.t_air_c + shift, t_structure_c=end.t_structure_c + shift)


def _begin(system: HeatSystem, weather: Weather, plan: DayPlan) -> DayState:
    """A state to walk from: of the weather of the moment, else of a little colder one."""
    for colder_k in COLDER_K[:-1]:
        try:
            return begin_day(system, replace(weather, t_outdoor_c=weather.t_outdoor_c - colder_k), plan)
        except EngineError:
            continue
    return begin_day(system, replace(weather, t_outdoor_c=weather.t_outdoor_c - COLDER_K[-1]), plan)


def lift_curves(system: HeatSystem, t_outdoor_c: Floats, lift_k: Floats | None) -> Floats:
    """Set-points of the secondary supply (n_step, n_station): the curves, and what they were lifted by."""
    curves = np.stack([read_curve(s.curve, t_outdoor_c) for s in system.net.network.substations], axis=1)
    return curves if lift_k is None else curves + lift_k


def share_pumps(n_step: int, pump_share: Floats | None) -> Floats | None:
    """Secondary flow over full flow in every step (n_step, n_station); None: full."""
    return None if pump_share is None else np.tile(pump_share, (n_step, 1))


def _take_up(system: HeatSystem, walked: DayState, seen: Seen, t_ground_c: float) -> DayState:
    """The state with the water that the live twin has and what stations read."""

    def known(x: Floats, otherwise: Floats) -> Floats:
        return np.where(np.isfinite(x), x, otherwise)

    t_point = np.concatenate([seen.t_supply_c, seen.t_return_c])
    water = resume_transient(
        system.net, walked.transient, t_point, seen.t_pipe_c, seen.mass_flow_kg_s, t_ground_c
    )
    most = system.stations.flow_max_kg_s
    flow = np.clip(known(seen.flow_kg_s, walked.flow_kg_s), 0.0, most)
    warm = known(seen.t_warm_c, walked.t_supply_c)
    return replace(
        walked, transient=water, flow_kg_s=flow, integral=np.clip(flow / most, 0.0, 1.0), t_supply_c=warm,
        t_out_c=warm, t_return_c=known(seen.t_cold_c, walked.t_return_c),
        flow_cap_kg_s=np.maximum(walked.flow_cap_kg_s, flow),
    )  # fmt: skip


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
