"""One time step of all pipes: points are mixed in flow order, pipes pass their water on.

Mass and energy are conserved to rounding. Water that expands in a pipe leaves with what it carries: a point
hands on what it has received, shared out by the flows. Flows in a circle have no first point; what reaches a
point that has already been served waits there for the next step.
"""

from math import pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.kernels import enthalpy, temperature
from twin.heat.plugflow import advance_pipe, exchange
from twin.heat.thermal import STILL_KG_S, order_points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, error_model="numpy")
def fill_pipes(
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    wall: Floats,
    length: Floats,
    diameter: Floats,
    rho: Floats,
    t_start: Floats,
    t_end: Floats,
    t_ground: float,
) -> None:
    """Fill every pipe with half its queue of parcels, linear from ``t_start`` to ``t_end``."""
    n_pipe, cap = mass.shape
    n_cell = t_wall.shape[1]
    n = max(1, cap // 2)
    for k in range(n_pipe):
        content = 0.25 * pi * diameter[k] ** 2 * length[k] * rho[k]
        ring[k, 0], ring[k, 1] = 0, n
        for q in range(n):
            t = t_start[k] + (t_end[k] - t_start[k]) * (q + 0.5) / n
            mass[k, q] = content / n
            h[k, q] = enthalpy(t)
        through = wall[k, 2] / (wall[k, 2] + wall[k, 3])
        for i in range(n_cell):
            t = t_start[k] + (t_end[k] - t_start[k]) * (i + 0.5) / n_cell
            t_wall[k, i] = t
            t_shell[k, i] = t_ground + (t - t_ground) * through


@njit(cache=True, error_model="numpy")
def stored_energy(
    mass: Floats, h: Floats, ring: Ints, t_wall: Floats, t_shell: Floats, wall: Floats, length: Floats
) -> float:
    """Energy in water (above 0 °C), walls and insulation, J."""
    total = 0.0
    n_pipe, cap = mass.shape
    n_cell = t_wall.shape[1]
    for k in range(n_pipe):
        for q in range(ring[k, 1]):
            j = (ring[k, 0] + q) % cap
            total += mass[k, j] * h[k, j]
        for i in range(n_cell):
            total += length[k] / n_cell * (wall[k, 0] * t_wall[k, i] + wall[k, 1] * t_shell[k, i])
    return total


@njit(cache=True, error_model="numpy")
def advance_network(
    start: Ints,
    end: Ints,
    m: Floats,
    length: Floats,
    diameter: Floats,
    wall: Floats,
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    t_point: Floats,
    wait_kg: Floats,
    wait_j: Floats,
    inflow: Floats,
    t_inflow: Floats,
    draw: Floats,
    station: Ints,
    station_flow: Floats,
    station_t: Floats,
    station_heat: Floats,
    t_ground: float,
    dt: float,
    t_out: Floats,
    loss: Floats,
    sums: Floats,
) -> None:
    """Advance the whole network by ``dt``.

    Parameters
    ----------
    m : (n_pipe,) flows of this step
    inflow, t_inflow : (n_point,) water entering from sources, kg/s, and its temperature
    draw : (n_point,) water leaving, kg/s (stations, leaks and the return of sources)
    station : (n_station,) node of each; its supply point is the node, its return point ``n_node`` further
    station_flow : (n_station,); ``station_t`` holds the return temperature where known, else NaN and
        ``station_heat`` the heat in W; both are filled with what came out
    sums : (4,) filled with J brought in, J drawn (leaks and sources), J lost to the ground, J to stations
    """
    n_point, n_node = t_point.shape[0], t_point.shape[0] // 2
    order, _, first, outgoing = order_points(start, end, m, n_point)
    kg, joule = wait_kg.copy(), wait_j.copy()
    wait_kg[:], wait_j[:], sums[:] = 0.0, 0.0, 0.0
    served, mixed = np.zeros(n_point, np.bool_), np.zeros(n_point, np.bool_)
    mean, t_parcel = np.empty(t_wall.shape[1]), np.empty(mass.shape[1])
    for side in range(2):
        for q in range(n_point):
            i = order[q]
            if (i >= n_node) != (side == 1):
                continue
            gain = inflow[i] * dt * enthalpy(t_inflow[i]) if inflow[i] > 0.0 else 0.0
            kg[i] += inflow[i] * dt
            joule[i] += gain
            sums[0] += gain
            served[i] = True
            due = draw[i] * dt  # what the flows say must leave here in this step
            for j in range(first[i], first[i + 1]):
                due += abs(m[outgoing[j]]) * dt
            if kg[i] <= 0.0 or due <= 0.0:
                wait_kg[i] += kg[i]
                wait_j[i] += joule[i]
                continue
            h_mix, factor = joule[i] / kg[i], kg[i] / due
            t_point[i], mixed[i] = temperature(h_mix), True
            kg[i] = draw[i] * dt * factor
            joule[i] = kg[i] * h_mix
            for j in range(first[i], first[i + 1]):
                k = outgoing[j]
                gone, energy, lost = advance_pipe(
                    mass[k], h[k], ring[k], t_wall[k], t_shell[k], length[k], diameter[k], wall[k],
                    abs(m[k]) * dt * factor, m[k] > 0.0, h_mix, t_ground, dt, mean, t_parcel,
                )  # fmt: skip
                down = end[k] if m[k] > 0.0 else start[k]
                _receive(down, gone, energy, served[down], kg, joule, wait_kg, wait_j)
                t_out[k] = temperature(energy / gone) if gone > 0.0 else t_point[i]
                loss[k] = lost / dt
                sums[2] += lost
        if side == 0:
            _close_stations(
                station, n_node, station_flow, station_t, station_heat, draw, kg, joule, t_ground, dt, sums
            )
    for i in range(n_point):
        sums[1] += joule[i] if mixed[i] else 0.0
    sums[2] += _rest_pipes(
        start, end, m, length, diameter, wall, mass, h, ring, t_wall, t_shell, t_point, mixed, t_ground, dt,
        t_out, loss, mean, t_parcel,
    )  # fmt: skip


@njit(cache=True)
def _receive(
    i: int,
    kg_in: float,
    joule_in: float,
    late: bool,
    kg: Floats,
    joule: Floats,
    wait_kg: Floats,
    wait_j: Floats,
) -> None:
    """Water reaches a point, or waits there if the point has been served already."""
    if late:
        wait_kg[i] += kg_in
        wait_j[i] += joule_in
    else:
        kg[i] += kg_in
        joule[i] += joule_in


@njit(cache=True, error_model="numpy")
def _rest_pipes(
    start: Ints,
    end: Ints,
    m: Floats,
    length: Floats,
    diameter: Floats,
    wall: Floats,
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    t_point: Floats,
    mixed: NDArray[np.bool_],
    t_ground: float,
    dt: float,
    t_out: Floats,
    loss: Floats,
    mean: Floats,
    t_parcel: Floats,
) -> float:
    """Pipes without flow only lose heat; points without flow take the temperature of such a pipe."""
    total = 0.0
    for k in range(m.shape[0]):
        if abs(m[k]) > STILL_KG_S:
            continue
        lost = exchange(
            mass[k], h[k], ring[k], t_wall[k], t_shell[k], length[k], diameter[k], wall[k], 0.0,
            t_ground, dt, mean, t_parcel,
        )  # fmt: skip
        loss[k] = lost / dt
        total += lost
        t_out[k] = temperature(h[k, (ring[k, 0] + ring[k, 1] - 1) % mass.shape[1]])
        for i in (start[k], end[k]):
            if not mixed[i]:
                t_point[i] = t_out[k]
    return total


@njit(cache=True, error_model="numpy")
def _close_stations(
    station: Ints,
    n_node: int,
    flow: Floats,
    t_return: Floats,
    heat: Floats,
    draw: Floats,
    kg: Floats,
    joule: Floats,
    t_ground: float,
    dt: float,
    sums: Floats,
) -> None:
    """Stations take their share of what is drawn at their supply point and give it to the return point."""
    taken = kg.copy()
    taken_j = joule.copy()
    for s in range(station.shape[0]):
        i = station[s]
        if flow[s] <= 0.0 or draw[i] <= 0.0 or taken[i] <= 0.0:
            t_return[s], heat[s] = np.nan, 0.0
            continue
        water = taken[i] * flow[s] / draw[i]
        h_in = taken_j[i] / taken[i]
        if np.isnan(t_return[s]):
            h_out = max(h_in - heat[s] * dt / water, enthalpy(min(t_ground, temperature(h_in))))
            t_return[s] = temperature(h_out)
        else:
            h_out = enthalpy(t_return[s])
        given = water * (h_in - h_out)
        heat[s] = given / dt
        sums[3] += given
        kg[i] -= water
        joule[i] -= water * h_in
        kg[n_node + i] += water
        joule[n_node + i] += water * h_out


@njit(cache=True)
def mean_temperatures(mass: Floats, h: Floats, ring: Ints, t_pipe: Floats) -> None:
    """Fill ``t_pipe`` with the mean temperature of each pipe's water."""
    cap = mass.shape[1]
    for k in range(mass.shape[0]):
        kg, t = 0.0, 0.0
        for q in range(ring[k, 1]):
            j = (ring[k, 0] + q) % cap
            kg += mass[k, j]
            t += mass[k, j] * h[k, j]
        t_pipe[k] = temperature(t / kg)
