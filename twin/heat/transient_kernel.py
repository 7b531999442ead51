"""One time step of all pipes: points are mixed in flow order, pipes pass their water on.

Mass and energy are conserved to rounding. Water that expands in a pipe leaves with what it carries: a point
hands on what it has received, shared out by the flows. Flows in a circle have no first point; what reaches a
point that has already been served waits there for the next step.
"""

from math import pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.kernels import enthalpy
from twin.heat.plugflow import advance_pipe, rest_pipe
from twin.heat.quick import read_temperature
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


@njit(cache=True)
def net_outflow(start: Ints, end: Ints, m: Floats, out: Floats) -> None:
    """Fill ``out`` (n_point,) with what the pipes carry away from each point, kg/s."""
    out[:] = 0.0
    for k in range(m.shape[0]):
        out[start[k]] += m[k]
        out[end[k]] -= m[k]


@njit(cache=True, error_model="numpy")
def survey_pipes(
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    wall: Floats,
    length: Floats,
    h_mean: Floats,
) -> float:
    """Fill ``h_mean`` (n_pipe,) with the mean enthalpy of each pipe's water, J/kg.

    Returns
    -------
    energy in water (above 0 °C), walls and insulation, J
    """
    total = 0.0
    n_pipe, cap = mass.shape
    n_cell = t_wall.shape[1]
    for k in range(n_pipe):
        kg, joule, j = 0.0, 0.0, ring[k, 0]
        for _ in range(ring[k, 1]):
            kg += mass[k, j]
            joule += mass[k, j] * h[k, j]
            j = 0 if j + 1 == cap else j + 1
        h_mean[k] = joule / kg
        t_w, t_s = 0.0, 0.0
        for i in range(n_cell):
            t_w += t_wall[k, i]
            t_s += t_shell[k, i]
        total += joule + length[k] / n_cell * (wall[k, 0] * t_w + wall[k, 1] * t_s)
    return total


@njit(cache=True, error_model="numpy")
def advance_side(
    side: int,
    order: Ints,
    first: Ints,
    outgoing: Ints,
    start: Ints,
    end: Ints,
    m: Floats,
    length: Floats,
    diameter: Floats,
    wall: Floats,
    films: Floats,
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    h_point: Floats,
    inflow: Floats,
    h_inflow: Floats,
    draw: Floats,
    t_ground: float,
    dt: float,
    kg: Floats,
    joule: Floats,
    wait_kg: Floats,
    wait_j: Floats,
    served: NDArray[np.bool_],
    mixed: NDArray[np.bool_],
    h_out: Floats,
    loss: Floats,
    sums: Floats,
) -> None:
    """Advance the pipes of one side (0 supply, 1 return) in flow order by ``dt``.

    Afterwards ``kg`` and ``joule`` hold what was drawn at each point of the side. ``sums``: J brought in and
    J lost to the ground are added to places 0 and 2.
    """
    n_point = h_point.shape[0]
    n_node = n_point // 2
    for q in range(n_point):
        i = order[q]
        if (i >= n_node) != (side == 1):
            continue
        gain = inflow[i] * dt * h_inflow[i]
        kg[i] += inflow[i] * dt
        joule[i] += gain
        sums[0] += gain
        served[i] = True
        due = draw[i]  # what the flows say must leave here in this step
        for j in range(first[i], first[i + 1]):
            due += abs(m[outgoing[j]])
        if kg[i] <= 0.0 or due <= 0.0:
            wait_kg[i] += kg[i]
            wait_j[i] += joule[i]
            continue
        h_mix, factor = joule[i] / kg[i], kg[i] / due  # factor: about dt, a little more where water expands
        h_point[i], mixed[i] = h_mix, True
        kg[i] = draw[i] * factor
        joule[i] = kg[i] * h_mix
        for j in range(first[i], first[i + 1]):
            k = outgoing[j]
            gone, energy, lost = advance_pipe(
                k, mass, h, ring, t_wall, t_shell, length[k], diameter[k], wall, films,
                abs(m[k]) * factor,
                m[k] > 0.0, h_mix, t_ground, dt,
            )  # fmt: skip
            down = end[k] if m[k] > 0.0 else start[k]
            if served[down]:
                wait_kg[down] += gone
                wait_j[down] += energy
            else:
                kg[down] += gone
                joule[down] += energy
            h_out[k] = energy / gone if gone > 0.0 else h_mix
            loss[k] = lost / dt
            sums[2] += lost


@njit(cache=True, error_model="numpy")
def advance_network(
    start: Ints,
    end: Ints,
    m: Floats,
    length: Floats,
    diameter: Floats,
    wall: Floats,
    films: Floats,
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    h_point: Floats,
    wait_kg: Floats,
    wait_j: Floats,
    inflow: Floats,
    h_inflow: Floats,
    draw: Floats,
    station: Ints,
    station_flow: Floats,
    station_t: Floats,
    station_heat: Floats,
    t_ground: float,
    dt: float,
    h_out: Floats,
    loss: Floats,
    sums: Floats,
) -> None:
    """Advance the whole network by ``dt``.

    Parameters
    ----------
    m : (n_pipe,) flows of this step
    inflow, h_inflow : (n_point,) water entering from sources, kg/s, and its enthalpy
    draw : (n_point,) water leaving, kg/s (stations, leaks and the return of sources)
    station : (n_station,) node of each; its supply point is the node, its return point ``n_node`` further
    station_flow : (n_station,); ``station_t`` holds the return temperature where known, else NaN and
        ``station_heat`` the heat in W; both are filled with what came out
    h_point, h_out : (n_point,), (n_pipe,) enthalpies, filled where water moves
    sums : (4,) filled with J brought in, J drawn (leaks and sources), J lost to the ground, J to stations
    """
    n_point = h_point.shape[0]
    order, _, first, outgoing = order_points(start, end, m, n_point)
    kg, joule = wait_kg.copy(), wait_j.copy()
    wait_kg[:], wait_j[:], sums[:] = 0.0, 0.0, 0.0
    served, mixed = np.zeros(n_point, np.bool_), np.zeros(n_point, np.bool_)
    for side in range(2):
        advance_side(
            side, order, first, outgoing, start, end, m, length, diameter, wall, films, mass, h, ring, t_wall,
            t_shell, h_point, inflow, h_inflow, draw, t_ground, dt, kg, joule, wait_kg, wait_j, served, mixed,
            h_out, loss, sums,
        )  # fmt: skip
        if side == 0:
            _close_stations(
                station, n_point // 2, station_flow, station_t, station_heat, draw, kg, joule, t_ground, dt,
                sums,
            )  # fmt: skip
    for i in range(n_point):
        sums[1] += joule[i] if mixed[i] else 0.0
    sums[2] += rest_pipes(
        start, end, m, length, wall, mass, h, ring, t_wall, t_shell, h_point, mixed, t_ground, dt, h_out,
        loss,
    )  # fmt: skip


@njit(cache=True, error_model="numpy")
def rest_pipes(
    start: Ints,
    end: Ints,
    m: Floats,
    length: Floats,
    wall: Floats,
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    h_point: Floats,
    mixed: NDArray[np.bool_],
    t_ground: float,
    dt: float,
    h_out: Floats,
    loss: Floats,
) -> float:
    """Pipes without flow only lose heat; points without flow take the state of such a pipe's last parcel."""
    total, cap = 0.0, mass.shape[1]
    for k in range(m.shape[0]):
        if abs(m[k]) > STILL_KG_S:
            continue
        lost = rest_pipe(k, mass, h, ring, t_wall, t_shell, length[k], wall, t_ground, dt)
        loss[k] = lost / dt
        total += lost
        h_out[k] = h[k, (ring[k, 0] + ring[k, 1] - 1) % cap]
        for i in (start[k], end[k]):
            if not mixed[i]:
                h_point[i] = h_out[k]
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
            h_out = max(h_in - heat[s] * dt / water, min(enthalpy(t_ground), h_in))
            t_return[s] = read_temperature(h_out)
        else:
            h_out = enthalpy(t_return[s])
        given = water * (h_in - h_out)
        heat[s] = given / dt
        sums[3] += given
        kg[i] -= water
        joule[i] -= water * h_in
        kg[n_node + i] += water
        joule[n_node + i] += water * h_out
