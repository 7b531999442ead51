"""Flows and pressures of one network state by Newton's method on flows and pressures together.

The global gradient algorithm: every pipe is linearised about its present flow, ``m = m_k + g (dp - h(m_k))``
with ``g = 1 / h'(m_k)``; mass balance at the free points then is one sparse symmetric system for the
pressures, solved by the network's fixed program. A pipe is evaluated again only if its flow has moved: where
there are no loops that is once.
Source: E. Todini, S. Pilati, A gradient algorithm for the analysis of pipe networks (1988).
"""

from dataclasses import dataclass
from math import pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.balance import CHECK_SLOPE_PA_S_KG, balance_points, find_reached, settle_flows
from twin.heat.friction import prepared_drop
from twin.heat.program import Program

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

GRAVITY_M_S2 = 9.80665
MAX_ITERATIONS = 60
TOLERANCE_PA = 1e-4
"""A pipe's pressure balance counts as met below this, or below 1e-6 of its pressure drop."""


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
def _evaluate(
    k: int,
    m: float,
    re_per_flow: Floats,
    k_rel: Floats,
    per_length: Floats,
    per_square: Floats,
    one_way: Bools,
    x: Floats,
) -> tuple[float, float]:
    d, s, x[k] = prepared_drop(m, re_per_flow[k], k_rel[k], per_length[k], per_square[k], x[k])
    if one_way[k] and m < 0.0:
        return d + CHECK_SLOPE_PA_S_KG * m, s + CHECK_SLOPE_PA_S_KG
    return d, s


@njit(cache=True, error_model="numpy")
def _prepare_pipes(
    length: Floats,
    diameter: Floats,
    roughness: Floats,
    zeta: Floats,
    quadratic: Floats,
    rho: Floats,
    mu: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Constants of every pipe for :func:`twin.heat.friction.prepared_drop`."""
    n = length.shape[0]
    re_per_flow, k_rel, per_length, per_square = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for k in range(n):
        inverse = 1.0 / diameter[k]
        area = 0.25 * pi * diameter[k] * diameter[k]
        half = 0.5 / (rho[k] * area * area)
        re_per_flow[k] = 4.0 / (pi * mu[k]) * inverse
        k_rel[k] = roughness[k] * inverse
        per_length[k] = half * length[k] * inverse
        per_square[k] = half * zeta[k] + quadratic[k]
    return re_per_flow, k_rel, per_length, per_square


@njit(cache=True, error_model="numpy")
def _newton(
    start: Ints,
    end: Ints,
    length: Floats,
    diameter: Floats,
    roughness: Floats,
    zeta: Floats,
    quadratic: Floats,
    one_way: Bools,
    rho: Floats,
    mu: Floats,
    use: Bools,
    own: Bools,
    elevation: Floats,
    draw: Floats,
    emitter: Floats,
    position: Ints,
    slot: Ints,
    first: Ints,
    row: Ints,
    target: Ints,
    warm: bool,
    m: Floats,
    p: Floats,
    dp: Floats,
    leak: Floats,
) -> tuple[bool, int, float]:
    """Newton's method; fills ``m``, ``p``, ``dp``. Returns converged, iterations, worst pipe residual."""
    n_pipe, n_point = m.shape[0], p.shape[0]
    g, flow0, weight, slope = np.empty(n_pipe), np.empty(n_pipe), np.empty(n_pipe), np.empty(n_pipe)
    diagonal, value, x = np.empty(n_point), np.empty(row.shape[0]), np.empty(n_point)
    re_per_flow, k_rel, per_length, per_square = _prepare_pipes(
        length, diameter, roughness, zeta, quadratic, rho, mu
    )
    x_friction = np.full(n_pipe, 8.0)
    for k in range(n_pipe):
        weight[k] = rho[k] * GRAVITY_M_S2 * (elevation[end[k]] - elevation[start[k]])
        # without a warm start: conductance of the pipe at about 0.5 m/s, a guess that needs no friction
        dp[k] = 0.0 if use[k] else np.nan
        slope[k] = 15.0 * length[k] / diameter[k] ** 3 + 0.1
        if not use[k]:
            m[k] = 0.0
        elif warm:
            dp[k], slope[k] = _evaluate(
                k, m[k], re_per_flow, k_rel, per_length, per_square, one_way, x_friction
            )
    residual = np.inf
    for iteration in range(1, MAX_ITERATIONS + 1):
        for k in range(n_pipe):
            g[k] = 1.0 / slope[k]
            flow0[k] = m[k] - g[k] * (dp[k] + weight[k])
        leak_error = balance_points(
            start, end, use, own, position, slot, first, row, target, g, flow0, p, draw, emitter, leak,
            diagonal, value, x,
        )  # fmt: skip
        residual, met = leak_error, leak_error <= TOLERANCE_PA
        for k in range(n_pipe):
            if not use[k]:
                continue
            drive = p[start[k]] - p[end[k]]
            new = flow0[k] + g[k] * drive
            moved = new - m[k]
            m[k] = new
            if abs(moved) <= 3e-4 * abs(new) and iteration > 1:
                dp[k] += slope[k] * moved
            else:
                dp[k], slope[k] = _evaluate(
                    k, new, re_per_flow, k_rel, per_length, per_square, one_way, x_friction
                )
            error = abs(drive - dp[k] - weight[k])
            residual = max(residual, error)
            met = met and error <= TOLERANCE_PA + 1e-6 * abs(dp[k])
        if met:
            settle_flows(
                start,
                end,
                use,
                own,
                position,
                slot,
                first,
                row,
                target,
                g,
                m,
                draw + leak,
                diagonal,
                value,
                x,
            )
            return True, iteration, residual
        if not np.isfinite(residual):
            break
    return False, iteration, residual


def solve_flows(problem: FlowProblem, program: Program, m_start: Floats | None = None) -> FlowAnswer:
    """Solve one hydraulic problem.

    Parameters
    ----------
    program : from :func:`twin.heat.program.write_program` for the same ``start``, ``end``
    m_start : (n_pipe,) flows to start from

    Returns
    -------
    FlowAnswer; isolated points draw nothing and have no pressure. With ``converged`` false it is the last
    iterate.
    """
    q, n_pipe = problem, len(problem.start)
    reached = find_reached(q.start, q.end, q.open_, q.fixed_pa)
    fixed = np.isfinite(q.fixed_pa)
    use = q.open_ & reached[q.start]
    own = fixed | ~reached
    m = np.zeros(n_pipe) if m_start is None else np.nan_to_num(m_start)
    p = np.where(fixed, q.fixed_pa, np.nanmean(q.fixed_pa) if fixed.any() else 0.0)
    dp, draw = np.full(n_pipe, np.nan), np.where(reached, q.draw_kg_s, 0.0)
    leak = np.where(own, 0.0, q.emitter * np.sqrt(np.maximum(p, 0.0)))  # where Newton starts from
    g = program
    converged, iterations, residual = _newton(
        q.start, q.end, q.length_m, q.diameter_m, q.roughness_m, q.zeta, q.quadratic, q.one_way, q.rho, q.mu,
        use, own, q.elevation_m, draw, q.emitter, g.position, g.slot, g.first, g.row, g.target,
        m_start is not None, m, p, dp, leak,
    )  # fmt: skip
    error = np.where(own, 0.0, _net_inflow(q.start, q.end, m, len(p)) - draw - leak)
    worst = float(np.abs(error).max(initial=0.0))
    return FlowAnswer(
        m=m,
        dp=dp,
        p=np.where(reached, p, np.nan),
        leak=np.maximum(leak, 0.0),
        reached=reached,
        converged=bool(converged) and worst < 1e-6,
        iterations=int(iterations),
        residual_pa=float(residual),
        residual_kg_s=worst,
    )


@njit(cache=True)
def _net_inflow(start: Ints, end: Ints, m: Floats, n_point: int) -> Floats:
    out = np.zeros(n_point)
    for k in range(m.shape[0]):
        out[end[k]] += m[k]
        out[start[k]] -= m[k]
    return out
