"""Flows between two hydraulic solutions: mass balance exactly, loops by proportion.

In a tree the draws alone fix every flow. Where pipes close loops (a few per cent of them), their flows are
held in proportion to all draws since the last solution, which for draws that move together is exact in
turbulent flow. So a small change of the draws costs one pass over the pipes instead of a Newton solve, and
the balance of every point stays exact to rounding.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.compiled import outer
from twin.heat.kernels import enthalpy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class FlowTree:
    """A spanning forest of the open pipes: ``order`` (n_point,) roots first, ``parent`` pipe of each point
    (-1 at roots and at points that nothing reaches), ``chord`` (n_pipe,) true where a pipe closes a loop,
    ``root`` (n_point,) true at the first held point of each component."""

    order: Ints
    parent: Ints
    chord: Bools
    root: Bools


def grow_tree(start: Ints, end: Ints, use: Bools, fixed: Bools) -> FlowTree:
    """Span the pipes in ``use`` from the points in ``fixed`` (pressure held), breadth first."""
    return FlowTree(*_grow(start, end, use, fixed))


@njit(cache=True)
def _grow(start: Ints, end: Ints, use: Bools, fixed: Bools) -> tuple[Ints, Ints, Bools, Bools]:
    n_point, n_pipe = fixed.shape[0], start.shape[0]
    first = np.zeros(n_point + 1, np.int64)
    for k in range(n_pipe):
        first[start[k] + 1] += 1
        first[end[k] + 1] += 1
    for i in range(n_point):
        first[i + 1] += first[i]
    fill, near = first[:-1].copy(), np.empty(2 * n_pipe, np.int64)
    for k in range(n_pipe):
        for i in (start[k], end[k]):
            near[fill[i]] = k
            fill[i] += 1
    order, parent = np.empty(n_point, np.int64), np.full(n_point, -1, np.int64)
    chord, root, seen = use.copy(), np.zeros(n_point, np.bool_), np.zeros(n_point, np.bool_)
    tail, head = 0, 0
    for hold in range(2):  # held points first, then what they do not reach
        for i in range(n_point):
            if seen[i] or (hold == 0 and not fixed[i]):
                continue
            root[i] = hold == 0
            seen[i] = True
            order[tail] = i
            tail += 1
            while head < tail:
                a = order[head]
                head += 1
                for q in range(first[a], first[a + 1]):
                    k = near[q]
                    b = end[k] if start[k] == a else start[k]
                    if use[k] and not seen[b]:
                        seen[b] = True
                        parent[b], chord[k] = k, False
                        order[tail] = b
                        tail += 1
    return order, parent, chord, root


@outer()
def sum_surplus(start: Ints, end: Ints, m: Floats, leak: Floats, station: Ints, flow: Floats) -> Floats:
    """What comes into the network from outside at every point (n_point,), kg/s: the flows of pipes that leave
    it less those that reach it, and what substations and leaks take there."""
    out = leak.copy()
    n_node = out.shape[0] // 2
    for k in range(m.shape[0]):
        out[start[k]] += m[k]
        out[end[k]] -= m[k]
    for s in range(station.shape[0]):
        out[station[s]] += flow[s]
        out[n_node + station[s]] -= flow[s]
    return out


@outer()
def feed_points(
    start: Ints, end: Ints, m: Floats, leak: Floats, station: Ints, flow: Floats, source: Ints,
    t_source: Floats,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """What enters and leaves the pipes at the points (n_point,): inflow kg/s, its J/kg, and draw kg/s."""
    surplus = sum_surplus(start, end, m, leak, station, flow)
    n_node = leak.shape[0] // 2
    inflow, h_inflow, draw = np.zeros(2 * n_node), np.zeros(2 * n_node), np.zeros(2 * n_node)
    for j in range(source.shape[0]):
        for i in (source[j], n_node + source[j]):
            inflow[i], draw[i] = max(surplus[i], 0.0), max(-surplus[i], 0.0)
            h_inflow[i] = enthalpy(t_source[j])
    for s in range(station.shape[0]):
        draw[station[s]] += flow[s]
    draw += leak
    return inflow, h_inflow, draw


@njit(cache=True)
def share_flows(
    start: Ints,
    end: Ints,
    order: Ints,
    parent: Ints,
    chord: Bools,
    root: Bools,
    fixed: Bools,
    m_before: Floats,
    supplied: Floats,
    draw: Floats,
    ratio: float,
    need: Floats,
    m: Floats,
) -> None:
    """Fill ``m`` (n_pipe,) so that every point gets its ``draw`` (n_point,) kg/s.

    Parameters
    ----------
    m_before, supplied : (n_pipe,), (n_point,) flows and what held points supplied in the last solution
    ratio : all draws now over all draws then; chords and held points beyond the roots follow it
    need : (n_point,) scratch; at roots it ends as what the root supplies, kg/s
    """
    for i in range(need.shape[0]):
        need[i] = draw[i]
        if fixed[i] and not root[i]:
            need[i] -= supplied[i] * ratio
    for k in range(m.shape[0]):
        m[k] = 0.0
        if chord[k]:
            m[k] = m_before[k] * ratio
            need[start[k]] += m[k]
            need[end[k]] -= m[k]
    for q in range(order.shape[0] - 1, -1, -1):
        i = order[q]
        k = parent[i]
        if k < 0:
            continue
        if end[k] == i:
            m[k] = need[i]
            need[start[k]] += need[i]
        else:
            m[k] = -need[i]
            need[end[k]] += need[i]
