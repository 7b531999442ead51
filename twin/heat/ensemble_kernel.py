"""Implicit upwind heat transport for a block of members at once; the member is the innermost index.

A pipe is a row of cells of water with its steel, one insulation node around each:

    C/dt (T_i' - T_i) = w (T_{i-1}' - T_i') + g1 (S_i' - T_i')
    Cs/dt (S_i' - S_i) = g1 (T_i' - S_i') + g2 (T_g - S_i')

Every new temperature is a mean of old ones and of what enters, with positive weights: stable for any step,
never outside the boundary. The price is numerical diffusion, ``u dx / 2 + u**2 dt / 2``.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.thermal import STILL_KG_S

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, error_model="numpy")
def _weigh_pipe(
    k: int, lo: int, hi: int, dt: float, n_cell: int, cp: Floats, flow: Floats, c_water: Floats, wall: Floats,
    length: float, u_factor: Floats, t_ground: Floats, weight: Floats,
) -> None:  # fmt: skip
    """Weights of one step of pipe ``k`` for every member.

    Rows: old water, upstream, shell to water, ground to water, old shell, water to shell, ground to shell.
    """
    size = length / n_cell
    for b in range(lo, hi):
        c, s = (c_water[k, b] / n_cell + wall[k, 0] * size) / dt, wall[k, 1] * size / dt
        w = abs(flow[k, b]) * cp[b] if abs(flow[k, b]) > STILL_KG_S else 0.0
        g1 = wall[k, 2] * size * u_factor[k, b]
        g2 = wall[k, 3] * size * u_factor[k, b]
        shell = 1.0 / (s + g1 + g2)
        inverse = 1.0 / (c + w + g1 - g1 * g1 * shell)
        weight[0, b], weight[1, b] = c * inverse, w * inverse
        weight[2, b], weight[3, b] = g1 * s * shell * inverse, g1 * g2 * shell * inverse * t_ground[b]
        weight[4, b], weight[5, b], weight[6, b] = s * shell, g1 * shell, g2 * shell * t_ground[b]


@njit(cache=True, error_model="numpy")
def _step_pipe(
    k: int, lo: int, hi: int, forward: bool, t_water: Floats, t_shell: Floats, weight: Floats, t_in: Floats
) -> None:
    """Sweep the cells of pipe ``k`` downstream; ``t_in`` (n_member,) enters and ends as what leaves."""
    n_cell = t_water.shape[1]
    for q in range(n_cell):
        i = q if forward else n_cell - 1 - q
        for b in range(lo, hi):
            t = weight[0, b] * t_water[k, i, b] + weight[1, b] * t_in[b]
            t += weight[2, b] * t_shell[k, i, b] + weight[3, b]
            t_shell[k, i, b] = weight[4, b] * t_shell[k, i, b] + weight[5, b] * t + weight[6, b]
            t_water[k, i, b] = t
            t_in[b] = t


@njit(cache=True, error_model="numpy")
def _close_stations(
    n_node: int, lo: int, hi: int, cp: Floats, station: Ints, flow: Floats, t_given: Floats,
    heat_given: Floats, t_ground: Floats, t_point: Floats, heat: Floats, t_back: Floats, reached: Floats,
) -> None:  # fmt: skip
    """Stations cool their water and hand it to the return points."""
    for s in range(station.shape[0]):
        i = station[s]
        for b in range(lo, hi):
            w = flow[s, b] * cp[b]
            t_back[s, b], heat[s, b] = np.nan, 0.0
            if w <= 0.0:
                continue
            t = t_given[s, b]
            if np.isnan(t):
                t = max(t_point[i, b] - heat_given[s, b] / w, min(t_ground[b], t_point[i, b]))
            t_back[s, b], heat[s, b] = t, w * (t_point[i, b] - t)
            reached[0, n_node + i, b - lo] += w
            reached[1, n_node + i, b - lo] += w * t


@njit(cache=True, error_model="numpy")
def _advance_side(
    side: int, lo: int, hi: int, dt: float, start: Ints, end: Ints, order: Ints, first: Ints,
    outgoing: Ints, length: Floats, wall: Floats, cp: Floats, c_water: Floats, u_factor: Floats,
    t_ground: Floats, flow: Floats,
    inflow: Floats, t_inflow: Floats, t_water: Floats, t_shell: Floats, t_point: Floats, reached: Floats,
    after: Floats, served: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Points and pipes of one side in flow order; ``reached``, ``after`` (2, n_point, hi - lo) W/K, W."""
    n_point, n_member, n_cell = t_point.shape[0], cp.shape[0], t_water.shape[1]
    weight, t_in = np.empty((7, n_member)), np.empty(n_member)
    for q in range(n_point):
        i = order[q]
        if (i >= n_point // 2) != (side == 1):
            continue
        served[i] = True
        for b in range(lo, hi):
            w = reached[0, i, b - lo] + inflow[i, b] * cp[b]
            if w > 0.0:
                t_point[i, b] = (reached[1, i, b - lo] + inflow[i, b] * cp[b] * t_inflow[i, b]) / w
        for j in range(first[i], first[i + 1]):
            k = outgoing[j]
            forward = flow[k, lo] > 0.0
            _weigh_pipe(k, lo, hi, dt, n_cell, cp, flow, c_water, wall, length[k], u_factor, t_ground, weight)
            for b in range(lo, hi):
                t_in[b] = t_point[i, b]
            _step_pipe(k, lo, hi, forward, t_water, t_shell, weight, t_in)
            down = end[k] if forward else start[k]
            target = after if served[down] else reached
            for b in range(lo, hi):
                w = abs(flow[k, b]) * cp[b]
                target[0, down, b - lo] += w
                target[1, down, b - lo] += w * t_in[b]


@njit(cache=True, error_model="numpy")
def advance_block(
    lo: int, hi: int, dt: float, start: Ints, end: Ints, order: Ints, first: Ints, outgoing: Ints,
    length: Floats, wall: Floats, cp: Floats, c_water: Floats, u_factor: Floats, t_ground: Floats,
    flow: Floats, inflow: Floats, t_inflow: Floats, station: Ints, station_flow: Floats, t_given: Floats,
    heat_given: Floats, late: Floats, t_water: Floats, t_shell: Floats, t_point: Floats, heat: Floats,
    t_back: Floats,
) -> float:  # fmt: skip
    """One step of members ``lo`` to ``hi``, whose pipes all flow the same way.

    Parameters
    ----------
    flow : (n_pipe, n_member); ``order``, ``first``, ``outgoing`` as from ``order_points`` for any of them
    inflow, t_inflow : (n_point, n_member) water from outside, kg/s, °C
    station_flow, t_given, heat_given : (n_station, n_member); ``t_given`` NaN where ``heat_given`` holds
    late : (2, n_point, hi - lo) W/K and W that reach points from further down (flows in a circle); the
        guess is replaced by what came out
    t_water, t_shell, t_point : state, changed in place; ``heat``, ``t_back`` (n_station, n_member) filled

    Returns
    -------
    how far ``late`` was from what came out, K; 0 where nothing flows in a circle
    """
    n_point, n_member, n_cell = t_point.shape[0], cp.shape[0], t_water.shape[1]
    reached, after, served = late.copy(), np.zeros_like(late), np.zeros(n_point, np.bool_)
    for side in range(2):
        _advance_side(
            side, lo, hi, dt, start, end, order, first, outgoing, length, wall, cp, c_water, u_factor,
            t_ground, flow, inflow, t_inflow, t_water, t_shell, t_point, reached, after, served,
        )  # fmt: skip
        if side == 0:
            _close_stations(
                n_point // 2, lo, hi, cp, station, station_flow, t_given, heat_given, t_ground, t_point, heat,
                t_back, reached,
            )  # fmt: skip
    weight, t_in = np.empty((7, n_member)), np.zeros(n_member)
    for k in range(start.shape[0]):
        if abs(flow[k, lo]) <= STILL_KG_S:
            _weigh_pipe(k, lo, hi, dt, n_cell, cp, flow, c_water, wall, length[k], u_factor, t_ground, weight)
            _step_pipe(k, lo, hi, True, t_water, t_shell, weight, t_in)
    change = 0.0
    for i in range(n_point):
        for b in range(hi - lo):
            if after[0, i, b] > 0.0:
                change = max(change, abs(after[1, i, b] - late[1, i, b]) / after[0, i, b])
    late[:] = after
    return change


@njit(cache=True, error_model="numpy")
def stored_energy(
    c_water: Floats, wall: Floats, length: Floats, t_water: Floats, t_shell: Floats, out: Floats
) -> None:
    """Fill ``out`` (n_member,) with the energy above 0 °C in water, steel and insulation, J."""
    n_pipe, n_cell, n_member = t_water.shape
    out[:] = 0.0
    for k in range(n_pipe):
        size = length[k] / n_cell
        for i in range(n_cell):
            for b in range(n_member):
                c = c_water[k, b] / n_cell + wall[k, 0] * size
                out[b] += c * t_water[k, i, b] + wall[k, 1] * size * t_shell[k, i, b]


@njit(cache=True, error_model="numpy")
def ground_loss(
    wall: Floats, length: Floats, u_factor: Floats, t_ground: Floats, t_shell: Floats, out: Floats
) -> None:
    """Fill ``out`` (n_member,) with the loss to the ground at the end of a step, W."""
    n_pipe, n_cell, n_member = t_shell.shape
    out[:] = 0.0
    for k in range(n_pipe):
        size = length[k] / n_cell
        for i in range(n_cell):
            for b in range(n_member):
                out[b] += wall[k, 3] * size * u_factor[k, b] * (t_shell[k, i, b] - t_ground[b])
