"""Steady temperatures: one sweep through the points in flow order, no linear system.

Water loses heat to the ground along a pipe, ``T_out = T_g + (T_in - T_g) exp(-u L / (m cp))``, and mixes at
the points by enthalpy. Where flows run in a circle (possible through pumps or buoyancy only) the circle is
cut where most of the water is known already, and the sweep is repeated over the points concerned until the
water that comes round settles; what it tends to is read from three sweeps (Aitken).
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
MOST_PASSES, SETTLED_K = 20_000, 1e-9


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
    place = cut_circles(order, n_sorted, first, outgoing, start, end, m, inflow, mass)
    back = _turn_back(order, n_sorted, first, outgoing, start, end, m, place)
    mass0, heat0, t_back = mass.copy(), heat.copy(), np.empty((3, back.shape[0]))
    low, high = t_ground, t_ground
    for i in range(n_point):
        if inflow[i] > 0.0:
            low, high = min(low, t_inflow[i]), max(high, t_inflow[i])
    for passes in range(1, MOST_PASSES):
        mass[:], heat[:] = mass0, heat0
        for b in range(back.shape[0] if passes > 1 else 0):  # at first nothing has come round
            k = back[b]
            down = end[k] if m[k] > 0.0 else start[k]
            mass[down] += abs(m[k])
            heat[down] += abs(m[k]) * enthalpy(t_back[2, b])
        change = _go_round(
            order, n_sorted, first, outgoing, start, end, m, ul, t_ground, inflow, t_inflow, place, t_point,
            t_out, mass, heat,
        )  # fmt: skip
        if change < SETTLED_K and passes > 1:
            return passes
        for b in range(back.shape[0]):
            t_back[0, b], t_back[1, b], t_back[2, b] = t_back[1, b], t_back[2, b], t_out[back[b]]
            if passes >= 4 and passes & (passes - 1) == 0:  # ever rarer: circles that share water disturb it
                t_back[2, b] = min(max(_see_limit(t_back[0, b], t_back[1, b], t_back[2, b]), low), high)
    return -1


@njit(cache=True, error_model="numpy")
def _go_round(
    order: Ints, n_sorted: int, first: Ints, outgoing: Ints, start: Ints, end: Ints, m: Floats, ul: Floats,
    t_ground: float, inflow: Floats, t_inflow: Floats, place: Ints, t_point: Floats, t_out: Floats,
    mass: Floats, heat: Floats,
) -> float:  # fmt: skip
    """One pass over the points on and behind circles; water that goes back to a place before is kept in
    ``t_out`` only. Returns the largest change of a point, K."""
    change = 0.0
    for j in range(n_sorted, order.shape[0]):
        i = order[j]
        before = t_point[i]
        _mix_point(i, inflow, t_inflow, mass, heat, t_ground, t_point)
        change = max(change, abs(t_point[i] - before))
        for q in range(first[i], first[i + 1]):
            k = outgoing[q]
            t_out[k] = outlet_temperature(t_point[i], abs(m[k]), ul[k], t_ground)
            down = end[k] if m[k] > 0.0 else start[k]
            if place[down] > j:
                mass[down] += abs(m[k])
                heat[down] += abs(m[k]) * enthalpy(t_out[k])
    return change


@njit(cache=True, error_model="numpy")
def cut_circles(
    order: Ints, n_sorted: int, first: Ints, outgoing: Ints, start: Ints, end: Ints, m: Floats,
    inflow: Floats, mass: Floats,
) -> Ints:  # fmt: skip
    """Put the last points of ``order`` (on and behind circles) in flow order as far as there is one; where
    every point waits for another, the one that knows the largest share of its water comes next.

    ``mass`` (n_point,): what has come from the points before. Returns the place of every point in the order.
    """
    n_point = order.shape[0]
    place, waits, known = np.zeros(n_point, np.int64), np.zeros(n_point), mass + inflow
    count, ready = np.zeros(n_point, np.int64), np.empty(n_point, np.int64)
    for j in range(n_sorted):
        place[order[j]] = j
    rest = order[n_sorted:].copy()
    for i in rest:
        place[i] = n_point
        for q in range(first[i], first[i + 1]):
            k = outgoing[q]
            down = end[k] if m[k] > 0.0 else start[k]
            count[down] += 1
            waits[down] += abs(m[k])
    n_ready = 0
    for j in range(n_sorted, n_point):
        if n_ready == j - n_sorted:
            best, share = -1, -1.0
            for i in rest:
                if place[i] == n_point and known[i] > share * (known[i] + waits[i]):
                    best, share = i, known[i] / (known[i] + waits[i])
            ready[n_ready] = best if best >= 0 else _first_left(rest, place, n_point)
            count[ready[n_ready]] = -n_point
            n_ready += 1
        i = ready[j - n_sorted]
        order[j], place[i] = i, j
        for q in range(first[i], first[i + 1]):
            k = outgoing[q]
            down = end[k] if m[k] > 0.0 else start[k]
            waits[down] -= abs(m[k])
            known[down] += abs(m[k])
            count[down] -= 1
            if count[down] == 0:
                ready[n_ready] = down
                n_ready += 1
    return place


@njit(cache=True, error_model="numpy")
def _first_left(rest: Ints, place: Ints, n_point: int) -> int:
    for i in rest:
        if place[i] == n_point:
            return int(i)
    return -1


@njit(cache=True, error_model="numpy")
def _turn_back(
    order: Ints, n_sorted: int, first: Ints, outgoing: Ints, start: Ints, end: Ints, m: Floats, place: Ints
) -> Ints:
    """Pipes that lead to an earlier point of the order: the water that comes round."""
    out, n = np.empty(outgoing.shape[0], np.int64), 0
    for j in range(n_sorted, order.shape[0]):
        i = order[j]
        for q in range(first[i], first[i + 1]):
            k = outgoing[q]
            if place[end[k] if m[k] > 0.0 else start[k]] <= j:
                out[n] = k
                n += 1
    return out[:n]


@njit(cache=True, error_model="numpy")
def _see_limit(x0: float, x1: float, x2: float) -> float:
    """What a row of values tends to, by Aitken; the last of them where it does not come nearer."""
    d1, d2 = x1 - x0, x2 - x1
    if d1 * d2 <= 0.0 or abs(d2) >= abs(d1):
        return x2
    return x2 + d2 * d2 / (d1 - d2)


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
