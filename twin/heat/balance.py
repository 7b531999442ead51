"""Balance of every point: which points are held at all, and one linear solve of the linearised pipes."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.program import factor_and_solve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CHECK_SLOPE_PA_S_KG = 1e9
"""Resistance of a closed check valve: 1 MPa drives 0.001 kg/s through it."""


@njit(cache=True, error_model="numpy")
def find_reached(start: Ints, end: Ints, open_: Bools, fixed_pa: Floats) -> Bools:
    """Points that open pipes join to a point of fixed pressure."""
    n = fixed_pa.shape[0]
    parent = np.arange(n)
    for k in range(start.shape[0]):
        if open_[k]:
            a, b = _root(parent, start[k]), _root(parent, end[k])
            if a != b:
                parent[max(a, b)] = min(a, b)
    held = np.zeros(n, np.bool_)
    for i in range(n):
        if not np.isnan(fixed_pa[i]):
            held[_root(parent, i)] = True
    out = np.zeros(n, np.bool_)
    for i in range(n):
        out[i] = held[_root(parent, i)]
    return out


@njit(cache=True)
def _root(parent: Ints, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, error_model="numpy")
def _emitter_head(c: float, q: float) -> tuple[float, float]:
    """Pressure that drives ``q`` through an emitter, ``(q / C)**2``, and its slope.

    Straight below 100 Pa; backwards (pressure below the air's) it closes like a check valve.
    """
    if q < 0.0:
        return CHECK_SLOPE_PA_S_KG * q, CHECK_SLOPE_PA_S_KG
    if q < 10.0 * c:
        return 10.0 / c * q, 10.0 / c
    return q * q / (c * c), 2.0 * q / (c * c)


@njit(cache=True, error_model="numpy")
def balance_points(
    start: Ints,
    end: Ints,
    use: Bools,
    own: Bools,
    position: Ints,
    slot: Ints,
    first: Ints,
    row: Ints,
    target: Ints,
    g: Floats,
    flow0: Floats,
    p: Floats,
    draw: Floats,
    emitter: Floats,
    leak: Floats,
    diagonal: Floats,
    value: Floats,
    x: Floats,
) -> float:
    """One linear solve: pressures at which the linearised pipes balance every free point; fills ``p``.

    ``leak`` (n_point,) is moved along; returns the worst emitter residual, Pa.
    """
    value[:] = 0.0
    n_point = p.shape[0]
    for i in range(n_point):
        k = position[i]
        diagonal[k], x[k] = 1.0, p[i]
        if not own[i]:
            diagonal[k], x[k] = 0.0, -draw[i]
            if emitter[i] > 0.0:
                head, slope = _emitter_head(emitter[i], leak[i])
                diagonal[k] = 1.0 / slope
                x[k] -= leak[i] - head / slope
    for k in range(start.shape[0]):
        if not use[k]:
            continue
        a, b = start[k], end[k]
        pa, pb = position[a], position[b]
        if own[a]:
            if not own[b]:
                diagonal[pb] += g[k]
                x[pb] += flow0[k] + g[k] * p[a]
        elif own[b]:
            diagonal[pa] += g[k]
            x[pa] -= flow0[k] - g[k] * p[b]
        else:
            diagonal[pa] += g[k]
            diagonal[pb] += g[k]
            x[pa] -= flow0[k]
            x[pb] += flow0[k]
            value[slot[k]] -= g[k]
    factor_and_solve(first, row, target, diagonal, value, x)
    worst = 0.0
    for i in range(n_point):
        if own[i]:
            continue
        p[i] = x[position[i]]
        if emitter[i] > 0.0:
            worst = max(worst, _move_emitter(i, emitter[i], p[i], leak))
    return worst


@njit(cache=True, error_model="numpy")
def _move_emitter(i: int, c: float, p: float, leak: Floats) -> float:
    """Newton step of one emitter's flow; returns what its pressure still misses, Pa."""
    head, slope = _emitter_head(c, leak[i])
    leak[i] += (p - head) / slope
    return abs(p - _emitter_head(c, leak[i])[0])


@njit(cache=True, error_model="numpy")
def settle_flows(
    start: Ints,
    end: Ints,
    use: Bools,
    own: Bools,
    position: Ints,
    slot: Ints,
    first: Ints,
    row: Ints,
    target: Ints,
    g: Floats,
    m: Floats,
    draw: Floats,
    diagonal: Floats,
    value: Floats,
    x: Floats,
) -> None:
    """Pressures carry their rounding into the flows: balance what is left (one step of refinement)."""
    p, none = np.zeros(own.shape[0]), np.zeros(own.shape[0])
    balance_points(
        start, end, use, own, position, slot, first, row, target, g, m, p, draw, none, none,
        diagonal, value, x,
    )  # fmt: skip
    for k in range(m.shape[0]):
        if use[k]:
            m[k] += g[k] * (p[start[k]] - p[end[k]])
