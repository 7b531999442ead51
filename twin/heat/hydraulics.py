"""Flows and pressures of one network state by Newton's method on flows and pressures together.

The global gradient algorithm: every pipe is linearised about its present flow, ``m = m_k + g (dp - h(m_k))``
with ``g = 1 / h'(m_k)``; mass balance at the free points then is one sparse symmetric system for the
pressures. Source: E. Todini, S. Pilati, A gradient algorithm for the analysis of pipe networks (1988).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from twin.heat.friction import pipe_drop

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

GRAVITY_M_S2 = 9.80665
CHECK_SLOPE_PA_S_KG = 1e9
"""Resistance of a closed check valve: 1 MPa drives 0.001 kg/s through it."""
MAX_ITERATIONS = 60
TOLERANCE_PA = 1e-2
"""A pipe's pressure balance counts as met below this, or below 1e-7 of its pressure drop."""


@dataclass(frozen=True, slots=True, eq=False)
class FlowProblem:
    """One hydraulic question.

    Pipes (n_pipe,): ``start``, ``end`` points, sizes, ``zeta`` minor loss, ``quadratic`` extra loss of
    valves in Pa s²/kg², ``rho``, ``mu``, ``open_``, ``one_way`` (check valve: flow from start to end only).
    Points (n_point,): ``elevation_m``, ``fixed_pa`` (NaN where free), ``draw_kg_s`` (positive: leaves),
    ``emitter`` C of ``m = C sqrt(p)`` in kg/(s Pa**0.5), 0 for none.
    """

    start: Ints
    end: Ints
    length_m: Floats
    diameter_m: Floats
    roughness_m: Floats
    zeta: Floats
    quadratic: Floats
    rho: Floats
    mu: Floats
    open_: Bools
    one_way: Bools
    elevation_m: Floats
    fixed_pa: Floats
    draw_kg_s: Floats
    emitter: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FlowAnswer:
    """``m`` (n_pipe,) kg/s, ``dp`` (n_pipe,) friction drop Pa, ``p`` (n_point,) Pa gauge with NaN where
    isolated, ``leak`` (n_point,) kg/s through emitters, ``reached`` (n_point,)."""

    m: Floats
    dp: Floats
    p: Floats
    leak: Floats
    reached: Bools
    converged: bool
    iterations: int
    residual_pa: float
    residual_kg_s: float


@njit(cache=True, error_model="numpy")
def evaluate_pipes(
    m: Floats,
    length: Floats,
    diameter: Floats,
    roughness: Floats,
    zeta: Floats,
    quadratic: Floats,
    one_way: Bools,
    rho: Floats,
    mu: Floats,
    dp: Floats,
    slope: Floats,
) -> None:
    """Fill ``dp`` and ``slope`` of every pipe at flow ``m``."""
    for i in range(m.shape[0]):
        d, s = pipe_drop(m[i], length[i], diameter[i], roughness[i], zeta[i], rho[i], mu[i])
        size = abs(m[i])
        d += quadratic[i] * size * m[i]
        s += 2.0 * quadratic[i] * size
        if one_way[i] and m[i] < 0.0:
            d += CHECK_SLOPE_PA_S_KG * m[i]
            s += CHECK_SLOPE_PA_S_KG
        dp[i] = d
        slope[i] = s


def find_reached(start: Ints, end: Ints, n_point: int, fixed: Bools) -> Bools:
    """Points that an open path joins to a point of fixed pressure."""
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(n_point, n_point))
    _, label = connected_components(graph, directed=False)
    out: Bools = np.isin(label, np.unique(label[fixed]))
    return out


def solve_flows(problem: FlowProblem, m_start: Floats | None = None) -> FlowAnswer:
    """Solve one hydraulic problem; ``m_start`` (n_pipe,) is the warm start.

    Isolated points draw nothing and have no pressure. A result with ``converged`` false is the last iterate.
    """
    q, n_point = problem, len(problem.fixed_pa)
    fixed = np.isfinite(q.fixed_pa)
    use = np.flatnonzero(q.open_)
    reached = find_reached(q.start[use], q.end[use], n_point, fixed)
    use = use[reached[q.start[use]]]
    free = np.flatnonzero(reached & ~fixed)
    place = np.full(n_point, -1)
    place[free] = np.arange(free.size)
    a, b = q.start[use], q.end[use]
    args = (q.length_m[use], q.diameter_m[use], q.roughness_m[use], q.zeta[use], q.quadratic[use])
    rho, mu, one_way = q.rho[use], q.mu[use], q.one_way[use]
    weight = rho * GRAVITY_M_S2 * (q.elevation_m[b] - q.elevation_m[a])
    area = 0.25 * np.pi * q.diameter_m[use] ** 2
    m = 0.3 * rho * area if m_start is None else np.where(np.isfinite(m_start[use]), m_start[use], 0.0)
    p = np.where(fixed, q.fixed_pa, 0.0)
    draw = np.where(reached, q.draw_kg_s, 0.0)
    leak, dp, slope = np.zeros(n_point), np.empty(use.size), np.empty(use.size)
    if m_start is None:
        p[free] = np.nanmean(q.fixed_pa) if fixed.any() else 0.0
    residual_pa, residual_kg, converged, iteration = np.inf, np.inf, False, 0
    evaluate_pipes(m, *args, one_way, rho, mu, dp, slope)
    while iteration < MAX_ITERATIONS:
        iteration += 1
        g = 1.0 / slope
        flow0 = m - g * (dp + weight)
        leak, leak_slope = _evaluate_emitters(q.emitter, p)
        rhs = -draw - leak + leak_slope * p
        np.add.at(rhs, b, flow0)
        np.subtract.at(rhs, a, flow0)
        p = _solve_pressures(p, free, place, a, b, g, leak_slope, rhs)
        m = flow0 + g * (p[a] - p[b])
        evaluate_pipes(m, *args, one_way, rho, mu, dp, slope)
        error = np.abs(p[a] - p[b] - dp - weight)
        residual_pa = float(error.max(initial=0.0))
        leak = _evaluate_emitters(q.emitter, p)[0]
        balance = -draw - leak
        np.add.at(balance, b, m)
        np.subtract.at(balance, a, m)
        residual_kg = float(np.abs(balance[free]).max(initial=0.0))
        if np.all(error <= TOLERANCE_PA + 1e-7 * np.abs(dp)) and residual_kg < 1e-7:
            converged = True
            break
        if not np.isfinite(residual_pa):
            break
    return FlowAnswer(
        m=_spread(m, use, len(q.start), 0.0),
        dp=_spread(dp, use, len(q.start), np.nan),
        p=np.where(reached, p, np.nan),
        leak=leak,
        reached=reached,
        converged=converged,
        iterations=iteration,
        residual_pa=residual_pa,
        residual_kg_s=residual_kg,
    )


def _spread(values: Floats, at: Ints, size: int, rest: float) -> Floats:
    out = np.full(size, rest)
    out[at] = values
    return out


def _evaluate_emitters(c: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Leak flow ``C sqrt(p)`` and its slope; straight below 100 Pa, none below zero gauge."""
    low = 100.0
    root = np.sqrt(np.maximum(p, low))
    inside = p > low
    flow = np.where(inside, c * root, np.where(p > 0.0, c * p / np.sqrt(low), 0.0))
    slope = np.where(inside, 0.5 * c / root, np.where(p > 0.0, c / np.sqrt(low), 0.0))
    return flow, slope


def _solve_pressures(
    p: Floats, free: Ints, place: Ints, a: Ints, b: Ints, g: Floats, leak_slope: Floats, rhs: Floats
) -> Floats:
    if not free.size:
        return p
    n = free.size
    diagonal = leak_slope[free].copy()
    ia, ib = place[a], place[b]
    both = (ia >= 0) & (ib >= 0)
    for i, other in ((ia, b), (ib, a)):
        mine = i >= 0
        np.add.at(diagonal, i[mine], g[mine])
        edge = mine & (place[other] < 0)
        np.add.at(rhs, free[i[edge]], g[edge] * p[other[edge]])
    rows = np.concatenate([np.arange(n), ia[both], ib[both]])
    cols = np.concatenate([np.arange(n), ib[both], ia[both]])
    matrix = csc_array((np.concatenate([diagonal, -g[both], -g[both]]), (rows, cols)), shape=(n, n))
    out = p.copy()
    out[free] = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(rhs[free])
    return out
