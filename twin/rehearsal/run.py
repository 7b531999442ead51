"""One case, simulated hours ahead in phases: whatever begins or ends begins a phase."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twin.heat import (
    DayFinding,
    DayPlan,
    DayRun,
    DayState,
    HeatSystem,
    Leak,
    SteadyBoundary,
    Weather,
    simulate_day,
)
from twin.heat.water import enthalpy_j_kg
from twin.model.errors import InputError
from twin.rehearsal.case import Case, Incident, Measure, check_case, find_stuck
from twin.rehearsal.frames import Frame, Frames, stack_frames, take_frame
from twin.rehearsal.mobile import warm_by_boilers
from twin.rehearsal.section import Section, find_section
from twin.rehearsal.start import lift_curves, share_pumps

Floats = NDArray[np.float64]

DISCHARGE = 0.6
"""Discharge of a sharp-edged hole."""
WATER_KG_M3 = 970.0
COLD_WITHIN_S = 86_400.0
FRAME_S = 3600.0
"""The network is looked at this often, and ``SOON_S`` after whatever begins or ends."""
SOON_S = 300.0


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What would come without the incident: one row per step of ``dt_s`` from the start on.

    ``t_outdoor_c``, ``wind_m_s``, ``sun_w_m2`` (n_step,); ``t_source_c`` (n_step, n_source) set-points;
    ``boundary`` what the sources hold; ``lift_k``, ``pump_share`` (n_station,) what the stations are set to
    (see ``Past``).
    """

    dt_s: float
    t_outdoor_c: Floats
    wind_m_s: Floats
    sun_w_m2: Floats
    t_source_c: Floats
    boundary: SteadyBoundary
    lift_k: Floats | None = None
    pump_share: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rehearsal:
    """A case's course: arrays per step, as in ``DayRun``.

    ``time_s`` (n_step,) since the start; ``t_room_c`` (n_step, n_building); ``heat_w``, ``t_supply_c``
    (n_step, n_station); ``source_heat_w`` (n_step, n_source); ``lost_kg_s`` (n_step,) water that leaves
    through holes; ``t_out_c`` (n_step,) as simulated; ``pump_share`` (n_step, n_station); ``frames`` the
    network at moments; ``sections`` what was cut off; ``findings`` of all phases.
    """

    case: Case
    time_s: Floats
    t_out_c: Floats
    t_room_c: Floats
    heat_w: Floats
    t_supply_c: Floats
    source_heat_w: Floats
    lost_kg_s: Floats
    pump_share: Floats
    frames: Frames
    sections: tuple[Section, ...]
    findings: tuple[DayFinding, ...]


def rehearse(system: HeatSystem, state: DayState, outlook: Outlook, case: Case) -> Rehearsal:
    """Simulate a case from ``state`` through ``outlook``.

    Raises
    ------
    InputError : see :func:`twin.rehearsal.case.check_case`; the outlook has no step
    """
    check_case(system.net.network, case)
    n_step = len(outlook.t_outdoor_c)
    if n_step == 0:
        raise InputError("rehearsal: the outlook has no step")
    t_out = _colder(outlook, case)
    runs: list[DayRun] = []
    lost: list[Floats] = []
    pumps: list[Floats] = []
    frames: list[Frame] = []
    heat_w: Floats | None = None
    for start, end in pairwise(_cuts(case, outlook.dt_s, n_step)):
        hour = start * outlook.dt_s / 3600.0
        phase = _phase(system, outlook, case, hour, start, end, t_out)
        if not frames:
            frames.append(take_frame(system, outlook.boundary, state, 0.0))
        warmed = warm_by_boilers(phase.system, phase.done, state.t_air_c, phase.weather, heat_w)
        run = simulate_day(warmed, phase.weather, phase.plan, state)
        state, heat_w = run.end, run.heat_w[-1]
        frames.append(take_frame(system, phase.plan.boundary, state, end * outlook.dt_s / 3600.0))
        runs.append(run)
        lost.append(_lost(frames[-1], run))
        pumps.append(phase.pumps)
    stuck = find_stuck(case.incidents)
    shut = dict.fromkeys(m.at for m in case.measures if m.kind == "isolate")
    return Rehearsal(
        case=case,
        time_s=outlook.dt_s * np.arange(1.0, n_step + 1.0),
        t_out_c=t_out,
        t_room_c=np.concatenate([r.t_room_c for r in runs]),
        heat_w=np.concatenate([r.heat_w for r in runs]),
        t_supply_c=np.concatenate([r.t_supply_c for r in runs]),
        source_heat_w=np.concatenate([r.source_heat_w for r in runs]),
        lost_kg_s=np.concatenate(lost),
        pump_share=np.concatenate(pumps),
        frames=stack_frames(frames, system.net.n_node),
        sections=tuple(find_section(system.net.network, p, stuck) for p in shut),
        findings=tuple(f for r in runs for f in r.findings),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Phase:
    system: HeatSystem
    weather: Weather
    plan: DayPlan
    pumps: Floats
    done: list[Measure]


def _lost(frame: Frame, run: DayRun) -> Floats:
    """Water that left through holes, kg/s, evenly over the phase: the heat it took over its enthalpy."""
    n, leak = len(run.time_s), frame.leak_kg_s
    if run.energy.leak <= 0.0 or not leak.any():
        return np.zeros(n)
    enthalpy = float(leak @ enthalpy_j_kg(frame.t_point_c) / leak.sum())
    return np.full(n, run.energy.leak / enthalpy / float(run.time_s[-1]))


def _cuts(case: Case, dt_s: float, n_step: int) -> list[int]:
    """Steps at which something begins or ends, soon after those, and every hour; with both ends."""
    hours = [x.after_h for x in case.incidents] + [m.after_h for m in case.measures]
    hours += [x.after_h + x.hours for x in case.incidents if np.isfinite(x.hours)]
    inside = {round(h * 3600.0 / dt_s) for h in hours}
    inside |= {k + max(1, round(SOON_S / dt_s)) for k in inside}
    inside |= set(range(0, n_step, max(1, round(FRAME_S / dt_s))))
    return sorted({0, n_step} | {k for k in inside if 0 < k < n_step})


def _colder(outlook: Outlook, case: Case) -> Floats:
    t = outlook.dt_s * np.arange(len(outlook.t_outdoor_c))
    out = outlook.t_outdoor_c.copy()
    for x in case.incidents:
        if x.kind == "cold_wave":
            out -= x.size * np.clip((t - 3600.0 * x.after_h) / COLD_WITHIN_S, 0.0, 1.0)
    return out


def _phase(
    system: HeatSystem, outlook: Outlook, case: Case, hour: float, start: int, end: int, t_out: Floats
) -> _Phase:
    on = [x for x in case.incidents if x.after_h <= hour + 1e-6 < x.after_h + x.hours]
    done = [m for m in case.measures if m.after_h <= hour + 1e-6]
    net, n = system.net, end - start
    boundary = outlook.boundary
    opening = net.valve_opening.copy()
    index = {v.id: k for k, v in enumerate(net.network.valves)}
    isolated = {m.at for m in done if m.kind == "isolate"}
    stuck = find_stuck(case.incidents)
    for pipe in isolated:
        for v in find_section(net.network, pipe, stuck).valves:
            opening[index[v]] = 0.0
    for x in on:
        if x.kind == "valve_shut":
            opening[index[x.at]] = 0.0
    leaks = tuple(_hole(x) for x in on if x.kind == "burst" and x.at not in isolated)
    t_source = outlook.t_source_c[start:end] + sum(m.size for m in done if m.kind == "raise_supply")
    flow = boundary.source_flow_kg_s.copy()
    design = float(net.station_design_kg_s.sum())
    sources = {s.id: k for k, s in enumerate(net.network.sources)}
    for m in done:
        if m.kind == "peak_boiler" and np.isfinite(flow[sources[m.at]]):
            flow[sources[m.at]] = m.size * design
        if m.kind == "island":
            flow[np.isnan(flow)] = 0.0  # who held the pressure is cut off, on the return side too
            flow[sources[m.at]] = np.nan
    pumps = _pumps(system, on, n, outlook.pump_share)
    weather = Weather(t_out[start:end], outlook.wind_m_s[start:end], outlook.sun_w_m2[start:end])
    plan = DayPlan(
        outlook.dt_s,
        replace(boundary, valve_opening=opening, leaks=leaks, source_flow_kg_s=flow),
        t_source,
        setpoint_c=_setpoints(system, weather, done, outlook.lift_k),
        pump_share=pumps,
    )
    return _Phase(_with_capacity(system, on), weather, plan, pumps, done)


def _hole(x: Incident) -> Leak:
    area = np.pi / 4.0 * x.size**2
    return Leak(pipe_id=x.at, emitter=float(DISCHARGE * area * np.sqrt(2.0 * WATER_KG_M3)))


def _setpoints(system: HeatSystem, weather: Weather, done: list[Measure], lift_k: Floats | None) -> Floats:
    rows = system.net.network.substations
    off = np.zeros(len(rows))
    for m in done:
        if m.kind == "shed_load":
            named = set(m.at.split(",")) if m.at else set(system.stations.ids)
            off += [m.size if s.id in named else 0.0 for s in rows]
    return lift_curves(system, weather.t_outdoor_c, lift_k) - off


def _pumps(system: HeatSystem, on: list[Incident], n_step: int, usual: Floats | None) -> Floats:
    share = share_pumps(n_step, usual)
    if share is None:
        share = np.ones((n_step, len(system.stations.ids)))
    for x in on:
        if x.kind in ("pump_trip", "power_cut"):
            named = set(x.at.split(",")) if x.at else set(system.stations.ids)
            share[:, [k for k, s in enumerate(system.stations.ids) if s in named]] = 0.0
    return share


def _with_capacity(system: HeatSystem, on: list[Incident]) -> HeatSystem:
    left = np.ones(len(system.sources.ids))
    for x in on:
        if x.kind in ("source_trip", "fuel_shortage"):
            left[system.sources.ids.index(x.at)] *= x.size
    capacity = np.maximum(system.sources.capacity_w * left, 1.0)
    return replace(system, sources=replace(system.sources, capacity_w=capacity))
