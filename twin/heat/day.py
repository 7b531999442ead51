"""A simulated day: network, substations, buildings and sources together, driven by the weather.

Stations choose their primary flow from their set-point and what they saw in the step before; the network's
water moves; the exchangers warm the secondary water; the buildings take their heat; the sources fire. The
hydraulics are solved when the flows have moved by some per cent, and followed exactly in mass in between
(``twin.heat.share``). Frozen inputs, named arrays out, the state is passed in and returned.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.heat.building import RADIATOR_EXPONENT, WATER_J_KG_K, BuildingStock, describe_buildings
from twin.heat.curve import read_curve, read_offset
from twin.heat.day_arrays import Drive, Flows, Grid, Log, Plants, Rooms, Stations, Water
from twin.heat.day_findings import HydraulicNotes, find_day_reasons, sum_energy
from twin.heat.day_kernel import run_steps
from twin.heat.day_result import DayPlan, DayRun, DayState, HeatSystem, Weather
from twin.heat.exchange import survey_pipes
from twin.heat.exchanger import FLOW_EXPONENT
from twin.heat.follow import freeze_flows
from twin.heat.plugflow import MEAN
from twin.heat.quick import read_temperatures
from twin.heat.source import PUMP_EFFICIENCY, SourceSet, describe_sources
from twin.heat.substation import StationSet, describe_stations, find_flow
from twin.heat.topology import CompiledNetwork
from twin.heat.transient import TransientState, begin_transient, copy_pipes, scale_losses, solve_step_flows
from twin.heat.water import density_kg_m3, enthalpy_j_kg
from twin.model.county import Building
from twin.model.errors import InputError

Floats = NDArray[np.float64]

ROUNDS = 4
"""Rounds in which flows and what the valves can pass at the pressures they cause are brought together."""


def compile_system(
    net: CompiledNetwork,
    buildings: Sequence[Building],
    stations: StationSet | None = None,
    sources: SourceSet | None = None,
    imbalance: Sequence[float] | None = None,
) -> HeatSystem:
    """The whole from the tables of a county; ``stations`` and ``sources`` default to their survey values.

    Raises
    ------
    InputError : as :func:`describe_buildings`, :func:`describe_stations`, :func:`describe_sources`
    """
    network = net.network
    return HeatSystem(
        net=net,
        stations=describe_stations(network) if stations is None else stations,
        buildings=describe_buildings(buildings, network, imbalance),
        sources=describe_sources(network) if sources is None else sources,
    )


def read_setpoints(system: HeatSystem, weather: Weather, plan: DayPlan) -> Floats:
    """Set-points of the secondary supply, (n_step, n_station), from curves, weather and time slots."""
    n_step = len(weather.t_outdoor_c)
    rows = system.net.network.substations
    if plan.setpoint_c is not None:
        if np.shape(plan.setpoint_c) != (n_step, len(rows)):
            raise InputError(f"plan setpoint_c: shape {np.shape(plan.setpoint_c)}, not {(n_step, len(rows))}")
        return np.asarray(plan.setpoint_c, dtype=np.float64)
    offset = read_offset(plan.slots, plan.start_s + plan.dt_s * np.arange(n_step))
    known: dict[tuple[tuple[float, float], ...], Floats] = {}
    out = np.empty((n_step, len(rows)))
    for s, row in enumerate(rows):
        if row.curve not in known:
            known[row.curve] = read_curve(row.curve, weather.t_outdoor_c) + offset
        out[:, s] = known[row.curve]
    return out


def begin_day(system: HeatSystem, weather: Weather, plan: DayPlan, room_c: float = 20.0) -> DayState:
    """A state to start from: rooms at ``room_c`` and everything at rest with the first step's weather.

    Raises
    ------
    EngineError : the network has no steady state to start from
    """
    st, b, out_c = system.stations, system.buildings, float(weather.t_outdoor_c[0])
    setpoint = read_setpoints(system, weather, plan)[0]
    n, n_station = len(b.station), len(st.ids)
    t_air = np.full(n, room_c)
    t_structure = (b.h_inner_w_k * t_air + b.h_structure_w_k * out_c) / (b.h_inner_w_k + b.h_structure_w_k)
    demand = np.maximum(b.ua_w_k * (room_c - out_c) - b.people_w, 0.0)
    heat = np.bincount(b.station, demand, n_station)
    w = np.maximum(st.secondary_kg_s, 1e-9) * WATER_J_KG_K
    t_return = np.minimum(np.maximum(setpoint - heat / w, room_c), setpoint)
    hot = float(np.nanmax(plan.t_source_c[0]))
    flow = np.array(
        [
            find_flow(
                w[s] * (setpoint[s] - t_return[s]), hot, t_return[s], st.flow_design_kg_s[s],
                st.flow_max_kg_s[s], st.secondary_kg_s[s], st.ua_w_k[s], st.flow_design_kg_s[s], 1.0,
                st.fouling_k_w[s],
            )
            for s in range(n_station)
        ]
    )  # fmt: skip
    boundary = replace(
        plan.boundary, t_source_c=plan.t_source_c[0], flow_kg_s=flow, t_return_c=t_return + 3.0, heat_w=None
    )
    transient, steady = begin_transient(system.net, boundary)
    return DayState(
        transient=transient,
        t_supply_c=setpoint.copy(),
        t_return_c=t_return,
        t_out_c=setpoint.copy(),
        integral=np.clip(flow / st.flow_max_kg_s, 0.0, 1.0),
        flow_kg_s=flow,
        flow_cap_kg_s=st.flow_max_kg_s.copy(),
        t_air_c=t_air,
        t_structure_c=t_structure,
        excess_k=np.maximum((demand / b.radiator_w_k) ** (1.0 / RADIATOR_EXPONENT), 1.0),
        source_w=np.clip(steady.source_heat_w, 0.0, system.sources.capacity_w),
    )


def simulate_day(
    system: HeatSystem, weather: Weather, plan: DayPlan, state: DayState | None = None
) -> DayRun:
    """Run through the weather, one step of ``plan.dt_s`` seconds per row (a day, or any other time).

    Parameters
    ----------
    state : where to go on from; None: :func:`begin_day`

    Returns
    -------
    DayRun; ``end`` goes on from there

    Raises
    ------
    InputError : an array has the wrong length, or the step is not positive
    EngineError : nothing holds the network, or it has no state to start from
    """
    n_step, n_source = len(weather.t_outdoor_c), len(system.sources.ids)
    if not plan.dt_s > 0.0 or n_step == 0:
        raise InputError(f"simulate_day: dt_s {plan.dt_s:g} must be positive and weather have a row")
    if np.shape(plan.t_source_c) != (n_step, n_source):
        raise InputError(f"plan t_source_c: shape {np.shape(plan.t_source_c)}, not {(n_step, n_source)}")
    before = begin_day(system, weather, plan) if state is None else state
    drive = _drive(system, weather, plan)
    grid, water = _grid(system.net), _water(plan, before.transient)
    st, rooms, plants = _stations(system, before), _rooms(system, before), _plants(system, before)
    log = _log(n_step, len(st.flow), len(rooms.t_air), n_source)
    notes, t, solved = HydraulicNotes(len(st.flow)), 0, False
    flows = _solve(system, plan, 0, water, st, notes)
    while t < n_step:
        t = run_steps(t, n_step, solved, grid, water, st, rooms, plants, drive, flows, log)
        solved = True
        if t < n_step:
            flows = _solve(system, plan, t, water, st, notes)
    end = _end(before, water, st, rooms, plants, n_step * plan.dt_s)
    return _report(system, plan, drive, log, notes, before, end)


def _report(
    system: HeatSystem,
    plan: DayPlan,
    drive: Drive,
    log: Log,
    notes: HydraulicNotes,
    before: DayState,
    end: DayState,
) -> DayRun:
    """Put a run together from what its steps have logged."""
    return DayRun(
        time_s=plan.dt_s * np.arange(1.0, len(log.ground_w) + 1.0),
        flow_kg_s=log.flow,
        t_in_c=log.t_in,
        t_back_c=log.t_back,
        t_supply_c=log.t_supply,
        t_return_c=log.t_return,
        setpoint_c=drive.setpoint,
        heat_w=log.heat,
        short=log.short,
        pump_w=_pump_power(system, drive.pump),
        t_room_c=log.t_room,
        source_flow_kg_s=log.source_flow,
        source_heat_w=log.source_heat,
        source_wanted_w=log.source_wanted,
        source_t_c=log.source_t,
        source_back_c=log.source_back,
        fuel_w=log.source_heat / system.sources.efficiency,
        electric_w=_electric(system, plan, log),
        ground_loss_w=log.ground_w,
        energy=sum_energy(system, before, end, log),
        findings=find_day_reasons(system, plan.dt_s, drive.setpoint, log, notes),
        solves=notes.solves,
        end=end,
    )


def _solve(
    system: HeatSystem, plan: DayPlan, t: int, water: Water, st: Stations, notes: HydraulicNotes
) -> Flows:
    """Hydraulics for the flows the stations ask for, and what their valves can pass at these pressures."""
    net, n = system.net, system.net.n_node
    t_pipe = np.empty(net.n_pipe)
    read_temperatures(water.pipes.known[MEAN], t_pipe)
    kv, full = system.stations.kv_m3_h, system.stations.flow_max_kg_s
    dt_return = np.full(len(st.flow), 50.0)
    for _ in range(ROUNDS):
        boundary = replace(
            plan.boundary, t_source_c=plan.t_source_c[t], flow_kg_s=st.flow, t_return_c=dt_return, heat_w=None
        )
        case, answer = solve_step_flows(net, boundary, t_pipe, water.m)
        dp = answer.p[net.station_node] - answer.p[n + net.station_node]
        served = np.isfinite(dp) & answer.converged
        passing = _pass_valves(plan, kv, np.nan_to_num(dp), st.flow)
        limit = np.where(served & (kv > 0.0), np.minimum(passing, full), full)
        st.flow_cap[:] = 0.5 * (st.flow_cap + limit)
        tight = st.flow > 1.02 * st.flow_cap
        if not np.any(tight):
            break
        st.flow[tight] = st.flow_cap[tight]
    notes.add(answer.converged, served, dp <= 0.0)
    st.flow[~served] = 0.0
    flows = freeze_flows(net, boundary, case, answer, st.flow, served)
    water.m[:] = flows.m
    return flows


def _pass_valves(plan: DayPlan, kv: Floats, dp_pa: Floats, flow_kg_s: Floats) -> Floats:
    """What open valves pass, kg/s (n_station,), if all draws change alike.

    The way to a station takes ``head - dp`` at the flow it has, and with the square of the flow. What a valve
    passes at the pressure of the moment is no answer where the network is the narrow place: nothing at the
    flow that was wanted, plenty at a small one, in turns for ever.
    """
    heads = plan.boundary.p_supply_pa - plan.boundary.p_return_pa
    head = float(np.max(heads[np.isfinite(heads)], initial=0.0))
    valve = kv / 3600.0 * np.sqrt(1000.0 * 975.0 / 1e5)
    lost = np.maximum(head - dp_pa, 0.0)
    moving = (flow_kg_s > 1e-6) & (lost > 0.0) & (head > 0.0)
    way = np.where(moving, lost / np.maximum(flow_kg_s, 1e-6) ** 2, 0.0)
    together: Floats = valve * np.sqrt(head / (1.0 + valve**2 * way))
    alone: Floats = valve * np.sqrt(np.maximum(dp_pa, 0.0))
    return np.where(moving, together, alone)


def read_pumps(system: HeatSystem, weather: Weather, plan: DayPlan) -> Floats:
    """Secondary flow over full flow, (n_step, n_station).

    Raises
    ------
    InputError : wrong shape, or a share below 0 or above 1.2
    """
    shape = (len(weather.t_outdoor_c), len(system.stations.ids))
    if plan.pump_share is None:
        return np.ones(shape)
    share = np.asarray(plan.pump_share, dtype=np.float64)
    if share.shape != shape or not np.all((share >= 0.0) & (share <= 1.2)):
        raise InputError(f"plan pump_share: give {shape} numbers between 0 and 1.2")
    return np.ascontiguousarray(share)


def _drive(system: HeatSystem, weather: Weather, plan: DayPlan) -> Drive:
    people = np.ones(len(weather.t_outdoor_c)) if plan.people is None else np.asarray(plan.people, float)
    if people.shape != np.shape(weather.t_outdoor_c):
        raise InputError(f"plan people: shape {people.shape}, one number per step is needed")
    pump = read_pumps(system, weather, plan)
    with np.errstate(divide="ignore"):
        pump_film = pump**-FLOW_EXPONENT
    return Drive(
        plan.dt_s,
        plan.boundary.t_ground_c,
        np.ascontiguousarray(weather.t_outdoor_c, dtype=np.float64),
        np.ascontiguousarray(weather.wind_m_s, dtype=np.float64),
        np.ascontiguousarray(weather.sun_w_m2, dtype=np.float64),
        people,
        read_setpoints(system, weather, plan),
        pump,
        pump_film,
        enthalpy_j_kg(plan.t_source_c),
    )


def _grid(net: CompiledNetwork) -> Grid:
    return Grid(net.start, net.end, net.station_node, net.source_node)


def _water(plan: DayPlan, s: TransientState) -> Water:
    pipes = copy_pipes(s.pipes)._replace(wall=scale_losses(s.pipes.wall, plan.boundary.u_factor))
    return Water(pipes, s.h_point.copy(), s.wait_kg.copy(), s.wait_j.copy(), s.m.copy())


def _stations(system: HeatSystem, s: DayState) -> Stations:
    p = system.stations
    w = p.secondary_kg_s * WATER_J_KG_K
    design = np.array([row.secondary_flow_kg_s for row in system.net.network.substations])
    film = (design / np.maximum(p.secondary_kg_s, 1e-9)) ** FLOW_EXPONENT
    return Stations(
        p.ua_w_k, p.flow_design_kg_s, p.secondary_kg_s, film, p.secondary_kg_s.copy(), film.copy(),
        p.fouling_k_w, s.flow_cap_kg_s.copy(),
        p.controller, p.gain_1_k, p.reset_s, w, p.c_supply_j_k, p.c_return_j_k, p.makeup_kg_s * WATER_J_KG_K,
        10.0, s.t_supply_c.copy(), s.t_return_c.copy(), s.t_out_c.copy(), s.integral.copy(),
        s.flow_kg_s.copy(),
    )  # fmt: skip


def _rooms(system: HeatSystem, s: DayState) -> Rooms:
    b: BuildingStock = system.buildings
    flow = b.share * system.stations.secondary_kg_s[b.station] * WATER_J_KG_K
    return Rooms(
        b.station, flow, flow.copy(), b.radiator_w_k, b.h_air_w_k, b.h_structure_w_k, b.h_inner_w_k,
        b.c_air_j_k, b.c_structure_j_k, b.sun_m2, b.people_w, b.wind_s_m, s.t_air_c.copy(),
        s.t_structure_c.copy(), s.excess_k.copy(), *(np.zeros(len(flow)) for _ in range(5)),
    )  # fmt: skip


def _plants(system: HeatSystem, s: DayState) -> Plants:
    p = system.sources
    return Plants(p.capacity_w, p.ramp_w_s, enthalpy_j_kg(p.makeup_c), s.source_w.copy())


def _log(n_step: int, n_station: int, n_building: int, n_source: int) -> Log:
    a, b, c, d, e, f = np.zeros((6, n_step, n_station))
    v, w, x, y, z = np.zeros((5, n_step, n_source))
    short, room = np.zeros((n_step, n_station), np.bool_), np.zeros((n_step, n_building))
    return Log(a, b, c, d, e, f, short, room, v, w, x, y, z, np.zeros(n_step), np.zeros(8))


def _end(
    before: DayState, water: Water, st: Stations, rooms: Rooms, plants: Plants, seconds: float
) -> DayState:
    pipes = water.pipes._replace(wall=before.transient.pipes.wall)
    t_pipe, stored = np.empty(len(water.m)), survey_pipes(pipes) + float(water.wait_j.sum())
    read_temperatures(pipes.known[MEAN], t_pipe)
    transient = TransientState(
        pipes, water.h_point, t_pipe, water.m, water.wait_kg, water.wait_j, stored,
        before.transient.time_s + seconds,
    )  # fmt: skip
    return DayState(
        transient, st.t_supply, st.t_return, st.t_out, st.integral, st.flow, st.flow_cap, rooms.t_air,
        rooms.t_structure, rooms.excess, plants.given,
    )  # fmt: skip


def _pump_power(system: HeatSystem, pump: Floats) -> Floats:
    """Power of the secondary pumps, W: by the affinity laws with the cube of their share."""
    st = system.stations
    power: Floats = st.pump_dp_pa * st.secondary_kg_s / 985.0 / PUMP_EFFICIENCY * pump**3
    return power


def _electric(system: HeatSystem, plan: DayPlan, log: Log) -> Floats:
    """Power of circulation pumps and own use, W (n_step, n_source)."""
    rise = np.nan_to_num(plan.boundary.p_supply_pa - plan.boundary.p_return_pa)
    rho = density_kg_m3(np.where(np.isfinite(log.source_back), log.source_back, 50.0))
    pump = log.source_flow / rho * np.maximum(rise, 0.0) / system.sources.pump_efficiency
    return pump + system.sources.own_use * log.source_heat
