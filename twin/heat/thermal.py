"""Steady temperatures: one sweep through the points in flow order, no linear system.

Water loses heat to the ground along a pipe, ``T_out = T_g + (T_in - T_g) exp(-u L / (m cp))``, and mixes at
the points by enthalpy. Where flows run in a circle (possible through pumps or buoyancy only) the sweep is
repeated over the points concerned until it settles.
"""

from math import exp

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.kernels import enthalpy, heat_capacity, temperature

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STILL_KG_S = 1e-7
"""A flow below this carries no heat."""


@njit(cache=True, error_model="numpy")
def order_points(start: Ints, end: Ints, m: Floats, n_point: int) -> tuple[Ints, int, Ints, Ints]:
    """Points in flow order.

    Returns
    -------
    order : (n_point,) the first ``n_sorted`` are in flow order, the rest lie on or behind circles
    n_sorted : how many
    first, outgoing : outgoing pipes of point i are ``outgoing[first[i]:first[i + 1]]``
    """
    n_pipe = m.shape[0]
    first, entering = np.zeros(n_point + 1, np.int64), np.zeros(n_point, np.int32)
    up, down = np.empty(n_pipe, np.int32), np.empty(n_pipe, np.int32)
    for k in range(n_pipe):  # without branches: no processor guesses which way water flows
        ahead, moving = m[k] > 0.0, abs(m[k]) > STILL_KG_S
        up[k], down[k] = start[k] if ahead else end[k], end[k] if ahead else start[k]
        first[up[k] + 1] += moving
        entering[down[k]] += moving
    for i in range(n_point):
        first[i + 1] += first[i]
    fill, outgoing = first.copy(), np.empty(n_pipe + 1, np.int64)
    for k in range(n_pipe):
        moving = abs(m[k]) > STILL_KG_S
        outgoing[fill[up[k]] if moving else n_pipe] = k
        fill[up[k]] += moving
    order, n_sorted, head = np.empty(n_point + 1, np.int64), 0, 0
    for i in range(n_point):
        order[n_sorted] = i
        n_sorted += entering[i] == 0
    while head < n_sorted:
        i = order[head]
        head += 1
        for j in range(first[i], first[i + 1]):
            at = down[outgoing[j]]
            entering[at] -= 1
            order[n_sorted] = at
            n_sorted += entering[at] == 0
    tail = n_sorted
    for i in range(n_point):
        if entering[i] > 0:
            order[tail] = i
            tail += 1
    return order[:n_point], n_sorted, first, outgoing[: first[n_point]]


@njit(cache=True, error_model="numpy")
def outlet_temperature(t_in: float, m: float, ul: float, t_ground: float) -> float:
    """Outlet temperature of a pipe of total conductance ``ul`` W/K at flow ``m`` > 0."""
    excess = t_in - t_ground
    t_out = t_ground + excess * exp(-ul / (m * heat_capacity(t_in)))
    return t_ground + excess * exp(-ul / (m * heat_capacity(0.5 * (t_in + t_out))))


@njit(cache=True, error_model="numpy")
def sweep_steady(
    start: Ints,
    end: Ints,
    m: Floats,
    ul: Floats,
    t_ground: float,
    inflow: Floats,
    t_inflow: Floats,
    t_point: Floats,
    t_out: Floats,
) -> int:
    """Fill temperatures in flow order.

    Parameters
    ----------
    inflow, t_inflow : (n_point,) water that enters from outside, kg/s >= 0, and its temperature
    t_point, t_out : filled; ``t_out`` (n_pipe,) is where the water leaves the pipe; points and pipes
        without flow take ``t_ground``

    Returns
    -------
    passes made over points on circles (0: there were none; -1: not settled)
    """
    n_point = t_point.shape[0]
    order, n_sorted, first, outgoing = order_points(start, end, m, n_point)
    mass = np.zeros(n_point)
    heat = np.zeros(n_point)
    t_out[:] = t_ground
    for j in range(n_sorted):
        i = order[j]
        _mix_point(i, inflow, t_inflow, mass, heat, t_ground, t_point)
        _send_on(i, first, outgoing, start, end, m, ul, t_ground, t_point, t_out, mass, heat)
    if n_sorted == n_point:
        return 0
    for j in range(n_sorted, n_point):
        t_point[order[j]] = t_ground
    mass0, heat0 = mass.copy(), heat.copy()
    for passes in range(1, 2000):
        change = 0.0
        for j in range(n_sorted, n_point):
            i = order[j]
            for q in range(first[i], first[i + 1]):
                k = outgoing[q]
                t_out[k] = outlet_temperature(t_point[i], abs(m[k]), ul[k], t_ground)
        for i in range(n_point):
            mass[i], heat[i] = mass0[i], heat0[i]
        for j in range(n_sorted, n_point):
            i = order[j]
            for q in range(first[i], first[i + 1]):
                k = outgoing[q]
                down = end[k] if m[k] > 0.0 else start[k]
                mass[down] += abs(m[k])
                heat[down] += abs(m[k]) * enthalpy(t_out[k])
        for j in range(n_sorted, n_point):
            i = order[j]
            before = t_point[i]
            _mix_point(i, inflow, t_inflow, mass, heat, t_ground, t_point)
            change = max(change, abs(t_point[i] - before))
        if change < 1e-9:
            return passes
    return -1


@njit(cache=True, error_model="numpy")
def _mix_point(
    i: int, inflow: Floats, t_inflow: Floats, mass: Floats, heat: Floats, t_ground: float, t_point: Floats
) -> None:
    total, h = mass[i], heat[i]
    if inflow[i] > 0.0:
        total += inflow[i]
        h += inflow[i] * enthalpy(t_inflow[i])
    t_point[i] = temperature(h / total) if total > STILL_KG_S else t_ground


@njit(cache=True, error_model="numpy")
def _send_on(
    i: int,
    first: Ints,
    outgoing: Ints,
    start: Ints,
    end: Ints,
    m: Floats,
    ul: Floats,
    t_ground: float,
    t_point: Floats,
    t_out: Floats,
    mass: Floats,
    heat: Floats,
) -> None:
    for j in range(first[i], first[i + 1]):
        k = outgoing[j]
        size = abs(m[k])
        down = end[k] if m[k] > 0.0 else start[k]
        t_out[k] = outlet_temperature(t_point[i], size, ul[k], t_ground)
        mass[down] += size
        heat[down] += size * enthalpy(t_out[k])
