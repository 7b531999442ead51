"""One time step of all pipes: points are mixed in flow order, pipes pass their water on.

Mass and energy are conserved to rounding. Water that expands in a pipe leaves with what it carries: a point
hands on what it has received, shared out by the flows. Flows in a circle have no first point; what reaches a
point that has already been served waits there for the next step.
"""

from math import isnan, nan, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.heat.compiled import CONTRACT, inner, outer
from twin.heat.exchange import exchange_pipes
from twin.heat.kernels import enthalpy
from twin.heat.plugflow import Pipes, Way, flush_pipe, release_pipes
from twin.heat.quick import read_temperature
from twin.heat.thermal import STILL_KG_S

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Route(NamedTuple):
    """Flows ``m`` (n_pipe,) from ``start`` to ``end``, and the points in the order they go through, as
    :func:`twin.heat.thermal.order_points` has it and :func:`sort_sides` takes it apart."""

    start: Ints
    end: Ints
    m: Floats
    order: Ints
    first: Ints
    outgoing: Ints


class Feed(NamedTuple):
    """What goes in and out at the points (n_point,), kg/s: from sources with enthalpy ``h_inflow``; ``draw``
    of stations, leaks and the return of sources."""

    inflow: Floats
    h_inflow: Floats
    draw: Floats


class Tally(NamedTuple):
    """What a step leaves behind. Points (n_point,): ``h_point``, filled where water moves; ``wait_kg``,
    ``wait_j`` that waits there; ``kg``, ``joule`` at hand, afterwards what was drawn; ``served``, ``mixed``.
    Pipes (n_pipe,): ``h_out`` where the water leaves, ``loss`` W. ``sums``: J brought in, J drawn (leaks and
    sources), J lost to the ground, J to stations."""

    h_point: Floats
    wait_kg: Floats
    wait_j: Floats
    kg: Floats
    joule: Floats
    served: Bools
    mixed: Bools
    h_out: Floats
    loss: Floats
    sums: Floats


@outer()
def fill_pipes(p: Pipes, rho: Floats, t_start: Floats, t_end: Floats, t_ground: float) -> None:
    """Fill every pipe with half its queue of parcels, linear from ``t_start`` to ``t_end`` (n_pipe,)."""
    n_pipe, cap = p.mass.shape
    n_cell = p.t_wall.shape[1]
    n = max(1, cap // 2)
    for k in range(n_pipe):
        content = 0.25 * pi * p.diameter[k] ** 2 * p.length[k] * rho[k]
        p.ring[k, 0], p.ring[k, 1] = 0, n
        for q in range(n):
            t = t_start[k] + (t_end[k] - t_start[k]) * (q + 0.5) / n
            p.mass[k, q] = content / n
            p.h[k, q] = enthalpy(t)
        through = p.wall[k, 2] / (p.wall[k, 2] + p.wall[k, 3])
        for i in range(n_cell):
            t = t_start[k] + (t_end[k] - t_start[k]) * (i + 0.5) / n_cell
            p.t_wall[k, i] = t
            p.t_shell[k, i] = t_ground + (t - t_ground) * through


@outer()
def net_outflow(start: Ints, end: Ints, m: Floats, out: Floats) -> None:
    """Fill ``out`` (n_point,) with what the pipes carry away from each point, kg/s."""
    out[:] = 0.0
    for k in range(m.shape[0]):
        out[start[k]] += m[k]
        out[end[k]] -= m[k]


@inner()
def begin_tally(
    h_point: Floats, wait_kg: Floats, wait_j: Floats, h_out: Floats, loss: Floats, sums: Floats, h_rest: float
) -> Tally:
    """Open the books of a step: what waited is at hand; ``h_rest``: enthalpy where no water moves."""
    n_point = h_point.shape[0]
    kg, joule = wait_kg.copy(), wait_j.copy()
    wait_kg[:], wait_j[:], h_out[:], sums[:] = 0.0, 0.0, h_rest, 0.0
    served, mixed = np.zeros(n_point, np.bool_), np.zeros(n_point, np.bool_)
    return Tally(h_point, wait_kg, wait_j, kg, joule, served, mixed, h_out, loss, sums)


@inner()
def sort_sides(order: Ints) -> Ints:
    """Points of the supply side first, then those of the return side, each in the order they had."""
    n_node = order.shape[0] // 2
    out, at, back = np.empty(2 * n_node, np.int64), 0, n_node
    for q in range(2 * n_node):
        i = order[q]
        here = i < n_node
        out[at if here else back] = i
        at += here
        back += not here
    return out


@inner(fastmath=CONTRACT)
def move_side(side: int, p: Pipes, r: Route, f: Feed, y: Tally, way: Way, dt: float) -> None:
    """Mix the points of one side (0 supply, 1 return) in flow order and hand on what leaves the pipes.

    Afterwards ``kg`` and ``joule`` hold what was drawn at each point of the side, ``way`` what enters.
    """
    known, wall, length, diameter = p.known, p.wall, p.length, p.diameter
    start, end, m, order, first, outgoing = r
    inflow, h_inflow, draw = f
    h_point, wait_kg, wait_j, kg, joule, served, mixed, h_out, _, sums = y
    way_gone, way_energy, entered, h_in, t_steel = way.gone, way.energy, way.entered, way.h_in, way.t_steel
    n_node, brought = h_point.shape[0] // 2, 0.0
    for q in range(side * n_node, (side + 1) * n_node):
        i = order[q]
        gain = inflow[i] * dt * h_inflow[i]
        at_hand, energy_at_hand = kg[i] + inflow[i] * dt, joule[i] + gain
        brought += gain
        served[i] = True
        due = draw[i]  # what the flows say must leave here in this step
        for j in range(first[i], first[i + 1]):
            due += abs(m[outgoing[j]])
        if at_hand <= 0.0 or due <= 0.0:
            wait_kg[i] += at_hand
            wait_j[i] += energy_at_hand
            kg[i], joule[i], h_mix, factor = at_hand, energy_at_hand, h_point[i], 0.0
        else:
            h_mix, factor = energy_at_hand / at_hand, at_hand / due  # about dt, more where water expands
            h_point[i], mixed[i] = h_mix, True
            kg[i] = draw[i] * factor
            joule[i] = kg[i] * h_mix
        for j in range(first[i], first[i + 1]):
            k = outgoing[j]
            gone, energy, m_in = way_gone[k], way_energy[k], abs(m[k]) * factor
            entered[k], h_in[k] = m_in, h_mix
            if not isnan(t_steel[k]):
                if m_in > 0.0:
                    gone, energy = flush_pipe(k, known, wall, length[k], diameter[k], way, abs(m[k]), dt)
                else:
                    t_steel[k] = nan  # nothing reaches it: its water stays
            h_out[k] = energy / gone if gone > 0.0 else h_mix
            down = end[k] if m[k] > 0.0 else start[k]
            if served[down]:
                wait_kg[down] += gone
                wait_j[down] += energy
            else:
                kg[down] += gone
                joule[down] += energy
    sums[0] += brought


@inner()
def rest_points(p: Pipes, r: Route, y: Tally) -> None:
    """Points without flow take the state of the last parcel of a pipe without flow."""
    h, ring, start, end, m = p.h, p.ring, r.start, r.end, r.m
    h_point, mixed, h_out = y.h_point, y.mixed, y.h_out
    cap = h.shape[1]
    for k in range(m.shape[0]):
        if abs(m[k]) <= STILL_KG_S:
            h_out[k] = h[k, (ring[k, 0] + ring[k, 1] - 1) % cap]
            for i in (start[k], end[k]):
                if not mixed[i]:
                    h_point[i] = h_out[k]


@outer()
def advance_network(
    mass_0: Floats, h_0: Floats, ring_0: Ints, t_wall_0: Floats, t_shell_0: Floats, mass: Floats, h: Floats,
    ring: Ints, t_wall: Floats, t_shell: Floats, known: Floats, wall: Floats, length: Floats,
    diameter: Floats, start: Ints, end: Ints, m: Floats, order: Ints, first: Ints, outgoing: Ints,
    inflow: Floats, h_inflow: Floats, draw: Floats, station: Ints, flow: Floats, t_return: Floats,
    heat: Floats, h_point: Floats, wait_kg: Floats, wait_j: Floats, h_out: Floats, loss: Floats, sums: Floats,
    t_ground: float, dt: float,
) -> float:  # fmt: skip
    """Advance the whole network by ``dt``; arrays as in :class:`Pipes`, :class:`Route`, :class:`Feed` and
    :class:`Tally` (a tuple of arrays costs 0.1 ms to bring in from Python).

    Parameters
    ----------
    mass_0, h_0, ring_0, t_wall_0, t_shell_0 : the state before, left as it is; those without 0 are filled
    station : (n_station,) node of each; its supply point is the node, its return point ``n_node`` further
    flow : (n_station,); ``t_return`` holds the return temperature where known, else NaN and ``heat`` the
        heat in W; both are filled with what came out

    Returns
    -------
    the energy that the pipes hold now, J
    """
    before = Pipes(mass_0, h_0, ring_0, t_wall_0, t_shell_0, known, wall, length, diameter)
    p = Pipes(mass, h, ring, t_wall, t_shell, known, wall, length, diameter)
    r, f = Route(start, end, m, sort_sides(order), first, outgoing), Feed(inflow, h_inflow, draw)
    y = begin_tally(h_point, wait_kg, wait_j, h_out, loss, sums, enthalpy(t_ground))
    way = release_pipes(before, p, m, start, end, h_point, dt)
    move_side(0, p, r, f, y, way, dt)
    close_stations(station, flow, t_return, heat, draw, y, t_ground, dt)
    move_side(1, p, r, f, y, way, dt)
    sums[1] = sum_drawn(y.joule, y.mixed)
    sums[2], held = exchange_pipes(before, p, m, way, t_ground, dt, loss)
    rest_points(p, r, y)
    return held


@inner()
def sum_drawn(joule: Floats, mixed: Bools) -> float:
    """Energy of what was drawn where water moves, J."""
    total = 0.0
    for i in range(joule.shape[0]):
        if mixed[i]:
            total += joule[i]
    return total


@inner()
def close_stations(
    station: Ints, flow: Floats, t_return: Floats, heat: Floats, draw: Floats, y: Tally, t_ground: float,
    dt: float,
) -> None:  # fmt: skip
    """Stations take their share of what is drawn at their supply point and give it to the return point."""
    kg, joule, to_stations = y.kg, y.joule, 0.0
    n_node, taken, taken_j = len(kg) // 2, kg.copy(), joule.copy()
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
        to_stations += given
        kg[i] -= water
        joule[i] -= water * h_in
        kg[n_node + i] += water
        joule[n_node + i] += water * h_out
    y.sums[3] = to_stations
