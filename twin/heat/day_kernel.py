"""The steps of a simulated day, compiled: stations choose flows, water moves, buildings answer.

One call runs many steps; it comes back when the flows have moved so far that the hydraulics must be solved
again. Arrays travel in named tuples, one per part of the system.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.building import WATER_J_KG_K, respond_to_water, settle_buildings
from twin.heat.day_arrays import (
    GAIN,
    GROUND,
    LEAK,
    MAKEUP,
    OUTDOOR,
    PLANT,
    REFILL,
    SOURCE,
    Drive,
    Flows,
    Grid,
    Log,
    Plants,
    Rooms,
    Stations,
    Water,
)
from twin.heat.exchange import exchange_pipes
from twin.heat.kernels import enthalpy, heat_capacity, quick_temperature
from twin.heat.plugflow import release_pipes
from twin.heat.quick import read_temperature
from twin.heat.share import share_flows
from twin.heat.source import fire_source
from twin.heat.substation import exchanger_w_k, find_flow, heat_for_setpoint, solve_secondary
from twin.heat.thermal import order_points
from twin.heat.transient_kernel import Feed, Route, begin_tally, move_side, rest_points, sort_sides

Floats = NDArray[np.float64]

IDEAL, PI = 0, 1
RESHARE = 0.02
RESCALE = 0.05
"""The hydraulics are solved again when the draws have moved by ``RESHARE`` of them all beside a common
factor, or when that factor has moved by ``RESCALE``."""
LONGEST_HOLD_S = 1800.0
H_HIGHEST_J_KG = 6.3e5
"""No source heats beyond 150 °C."""


@njit(cache=True, error_model="numpy")
def choose_flow(
    s: int, dt: float, setpoint: float, t_hot: float, emit: float, own: float, st: Stations, error_sum: Floats
) -> tuple[float, bool]:
    """Primary flow station ``s`` asks for, and whether it would need more than its valve can pass."""
    cap = st.flow_cap[s]
    if st.controller[s] == IDEAL:
        heat, t_cold = heat_for_setpoint(
            dt, st.w[s], st.c_supply[s], st.c_return[s], st.w_makeup[s], st.t_makeup, st.t_supply[s],
            st.t_return[s], emit, own, setpoint,
        )  # fmt: skip
        if heat > 0.0 and t_hot <= t_cold:
            return cap, True  # too cold to warm with: fully open, or hot water would never come again
        flow = find_flow(
            heat, t_hot, t_cold, st.flow[s], cap, st.m_2[s], st.ua[s], st.m_design[s], st.film_2[s],
            st.fouling[s],
        )  # fmt: skip
        return flow, heat > 0.0 and (flow >= cap or t_hot <= t_cold)
    opening = st.integral[s]
    if st.controller[s] == PI:
        error = setpoint - st.t_out[s]
        whole = opening + st.gain[s] * dt / st.reset[s] * error
        opening = min(max(whole + st.gain[s] * error, 0.0), 1.0)
        error_sum[s] = min(max(whole, 0.0), 1.0)
    return opening * cap, opening >= 1.0


@njit(cache=True, error_model="numpy")
def turn_pumps(t: int, st: Stations, rooms: Rooms, drive: Drive) -> None:
    """Secondary flows of this step: pumps at their share of full speed."""
    for s in range(st.flow.shape[0]):
        st.m_2[s] = st.m_2_full[s] * drive.pump[t, s]
        st.w[s] = st.m_2[s] * WATER_J_KG_K
        st.film_2[s] = st.film_2_full[s] * drive.pump_film[t, s]
    for b in range(rooms.station.shape[0]):
        rooms.flow_w_k[b] = rooms.flow_full_w_k[b] * drive.pump[t, rooms.station[b]]


@njit(cache=True, error_model="numpy")
def sum_answers(rooms: Rooms, emit: Floats, own: Floats) -> None:
    """Answer of all buildings of each station: they take ``emit T_s - own`` watts."""
    emit[:], own[:] = 0.0, 0.0
    for b in range(rooms.station.shape[0]):
        s = rooms.station[b]
        emit[s] += rooms.emit[b] * (1.0 - rooms.gain[b])
        own[s] += rooms.emit[b] * rooms.own[b]


@njit(cache=True, error_model="numpy")
def has_moved(flow: Floats, before: Floats) -> bool:
    """Whether the draws have moved so far from the last hydraulic solution that it must be found anew."""
    now, then = flow.sum(), before.sum()
    if abs(now - then) > RESCALE * then:
        return True
    ratio, moved = now / max(then, 1e-9), 0.0
    for s in range(flow.shape[0]):
        moved += abs(flow[s] - before[s] * ratio)
    return bool(moved > RESHARE * then)


@njit(cache=True, error_model="numpy")
def spread_flows(
    grid: Grid, flows: Flows, flow: Floats, m: Floats, need: Floats, inflow: Floats, draw: Floats
) -> None:
    """Flows of all pipes, and what enters and leaves at the points, for the stations' ``flow``."""
    n_node = need.shape[0] // 2
    then = flows.station_flow.sum()
    ratio = flow.sum() / then if then > 0.0 else 1.0
    demand = flows.base.copy()
    draw[:] = flows.leak
    inflow[:] = 0.0
    for s in range(flow.shape[0]):
        i = grid.station[s]
        demand[i] += flow[s]
        demand[n_node + i] -= flow[s]
        draw[i] += flow[s]
    share_flows(
        grid.start, grid.end, flows.order, flows.parent, flows.chord, flows.root, flows.fixed, flows.m,
        flows.supplied, demand, ratio, need, m,
    )  # fmt: skip
    for i in range(need.shape[0]):
        if flows.fixed[i]:
            q = need[i] if flows.root[i] else flows.supplied[i] * ratio
            inflow[i] += max(q, 0.0)
            draw[i] += max(-q, 0.0)
    for j in range(grid.source.shape[0]):
        inflow[grid.source[j]] += flows.given[j]
        draw[n_node + grid.source[j]] += flows.given[j]


@njit(cache=True, error_model="numpy")
def fire_sources(
    t: int, grid: Grid, plants: Plants, drive: Drive, h_point: Floats, inflow: Floats, draw: Floats,
    h_inflow: Floats, log: Log,
) -> None:  # fmt: skip
    """Heat of every source in this step, and the enthalpy of what it sends out."""
    n_node = h_point.shape[0] // 2
    for j in range(grid.source.shape[0]):
        i = grid.source[j]
        m, back = inflow[i], min(draw[n_node + i], inflow[i])
        h_back = h_point[n_node + i]
        log.source_flow[t, j], log.source_back[t, j] = m, read_temperature(h_back)
        if m <= 1e-9:
            plants.given[j], log.source_wanted[t, j] = 0.0, 0.0
            log.source_heat[t, j], log.source_t[t, j] = 0.0, np.nan
            continue
        h_in = (back * h_back + (m - back) * plants.h_makeup[j]) / m
        wanted = m * (drive.h_source[t, j] - h_in)
        given = fire_source(wanted, plants.given[j], plants.capacity[j], plants.ramp[j], drive.dt)
        given = max(min(given, m * (H_HIGHEST_J_KG - h_in)), 0.0)
        h_inflow[i] = h_in + given / m
        plants.given[j], log.source_wanted[t, j] = given, wanted
        log.source_heat[t, j], log.source_t[t, j] = given, read_temperature(h_inflow[i])
        log.sums[SOURCE] += given * drive.dt
        log.sums[MAKEUP] += (m - back) * plants.h_makeup[j] * drive.dt
        log.sums[PLANT] -= back * h_back * drive.dt


@njit(cache=True, error_model="numpy")
def close_stations(
    t: int, grid: Grid, st: Stations, drive: Drive, draw: Floats, kg: Floats, joule: Floats, emit: Floats,
    own: Floats, h_point: Floats, log: Log,
) -> None:  # fmt: skip
    """Stations take their share of what is drawn at their supply point, cool it, and warm their buildings."""
    n_node, taken, taken_j, dt = h_point.shape[0] // 2, kg.copy(), joule.copy(), drive.dt
    for s in range(st.flow.shape[0]):
        i = grid.station[s]
        water, h_in = 0.0, h_point[i]
        if st.flow[s] > 0.0 and draw[i] > 0.0 and taken[i] > 0.0:
            water, h_in = taken[i] * st.flow[s] / draw[i], taken_j[i] / taken[i]
        t_hot = quick_temperature(h_in)
        cp = heat_capacity(0.5 * (t_hot + st.t_return[s]))
        g = exchanger_w_k(water / dt, st.m_2[s], st.ua[s], st.m_design[s], st.film_2[s], st.fouling[s], cp)
        t_supply, t_return, heat = solve_secondary(
            dt, st.w[s], st.c_supply[s], st.c_return[s], st.w_makeup[s], st.t_makeup, st.t_supply[s],
            st.t_return[s], emit[s], own[s], g, t_hot,
        )  # fmt: skip
        st.t_supply[s], st.t_return[s] = t_supply, t_return
        st.t_out[s] = t_return + heat / st.w[s] if st.w[s] > 0.0 else t_supply
        log.sums[REFILL] += st.w_makeup[s] * (t_return - st.t_makeup) * dt
        log.flow[t, s], log.t_in[t, s], log.heat[t, s] = water / dt, t_hot, heat
        log.t_supply[t, s], log.t_return[t, s], log.t_back[t, s] = st.t_out[s], t_return, np.nan
        if water > 0.0:
            h_out = h_in - heat * dt / water
            log.t_back[t, s] = quick_temperature(h_out)
            kg[i] -= water
            joule[i] -= water * h_in
            kg[n_node + i] += water
            joule[n_node + i] += water * h_out


@njit(cache=True, error_model="numpy")
def move_water(
    t: int, grid: Grid, water: Water, st: Stations, drive: Drive, leak: Floats, inflow: Floats,
    h_inflow: Floats, draw: Floats, emit: Floats, own: Floats, log: Log,
) -> None:  # fmt: skip
    """One step of the network with the stations between its sides."""
    n_point, ground, dt = water.h_point.shape[0], drive.t_ground, drive.dt
    order, _, first, outgoing = order_points(grid.start, grid.end, water.m, n_point)
    route, feed = (
        Route(grid.start, grid.end, water.m, sort_sides(order), first, outgoing),
        Feed(inflow, h_inflow, draw),
    )
    n_pipe, none = water.m.shape[0], enthalpy(ground)
    h_out, loss, sums = np.empty(n_pipe), np.empty(n_pipe), np.empty(4)
    y = begin_tally(water.h_point, water.wait_kg, water.wait_j, h_out, loss, sums, none)
    way = release_pipes(water.pipes, water.pipes, water.m, grid.start, grid.end, water.h_point, dt)
    move_side(0, water.pipes, route, feed, y, way, dt)
    close_stations(t, grid, st, drive, draw, y.kg, y.joule, emit, own, water.h_point, log)
    move_side(1, water.pipes, route, feed, y, way, dt)
    lost, _ = exchange_pipes(water.pipes, water.pipes, water.m, way, ground, dt, y.loss)
    rest_points(water.pipes, route, y)
    log.ground_w[t] = lost / dt
    log.sums[GROUND] += lost
    for i in range(n_point):
        if y.mixed[i]:
            gone = y.joule[i] * leak[i] / draw[i] if leak[i] > 0.0 else 0.0
            log.sums[LEAK] += gone
            log.sums[PLANT] += y.joule[i] - gone


@njit(cache=True, error_model="numpy")
def run_steps(
    first: int, last: int, solved: bool, grid: Grid, water: Water, st: Stations, rooms: Rooms, plants: Plants,
    drive: Drive, flows: Flows, log: Log,
) -> int:  # fmt: skip
    """Run steps ``first`` to ``last``; returns the step that needs its hydraulics solved first, or ``last``.

    With ``solved`` the first step takes ``flows`` as it is. ``st.flow`` then holds what the stations ask for.
    """
    n_station, n_point, dt = st.flow.shape[0], water.h_point.shape[0], drive.dt
    emit, own, error_sum = np.zeros(n_station), np.zeros(n_station), np.zeros(n_station)
    wanted, need = np.zeros(n_station), np.zeros(n_point)
    inflow, h_inflow, draw = np.zeros(n_point), np.zeros(n_point), np.zeros(n_point)
    oldest = first + max(1, int(LONGEST_HOLD_S / dt))
    for t in range(first, last):
        turn_pumps(t, st, rooms, drive)
        respond_to_water(
            dt, drive.t_outdoor[t], drive.wind[t], drive.sun[t], drive.people[t], rooms.flow_w_k,
            rooms.radiator, rooms.h_air, rooms.h_structure, rooms.h_inner, rooms.c_air, rooms.c_structure,
            rooms.sun_m2, rooms.people_w, rooms.wind_s_m, rooms.t_air, rooms.t_structure, rooms.excess,
            rooms.u, rooms.emit, rooms.own, rooms.gain,
        )  # fmt: skip
        sum_answers(rooms, emit, own)
        for s in range(n_station):
            t_hot = quick_temperature(water.h_point[grid.station[s]])
            error_sum[s] = st.integral[s]
            wanted[s], log.short[t, s] = choose_flow(
                s, dt, drive.setpoint[t, s], t_hot, emit[s], own[s], st, error_sum
            )
            if not flows.served[s]:
                wanted[s] = 0.0
        if not (solved and t == first) and (t >= oldest or has_moved(wanted, flows.station_flow)):
            st.flow[:] = wanted
            return t
        st.flow[:], st.integral[:] = wanted, error_sum
        spread_flows(grid, flows, st.flow, water.m, need, inflow, draw)
        fire_sources(t, grid, plants, drive, water.h_point, inflow, draw, h_inflow, log)
        move_water(t, grid, water, st, drive, flows.leak, inflow, h_inflow, draw, emit, own, log)
        lost, gained = settle_buildings(
            dt, drive.t_outdoor[t], drive.wind[t], drive.sun[t], drive.people[t], st.t_supply, rooms.station,
            rooms.h_air, rooms.h_structure, rooms.h_inner, rooms.c_structure, rooms.sun_m2, rooms.people_w,
            rooms.wind_s_m, rooms.t_air, rooms.t_structure, rooms.excess, rooms.u, rooms.emit, rooms.own,
            rooms.gain, rooms.heat,
        )  # fmt: skip
        log.sums[OUTDOOR] += lost
        log.sums[GAIN] += gained
        log.t_room[t, :] = rooms.t_air
    return last
