"""Flows and pressures of one network state.

Trees follow from what is drawn in them, the core by Newton's method (:mod:`twin.heat.core`); then the
friction of all pipes is worked out once more at the flows found, and pressures follow outwards from the
junctions.
"""

from dataclasses import dataclass, field
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from twin.heat.compiled import inner, outer
from twin.heat.core import CHECK_SLOPE_PA_S_KG, GUESS, N_CONSTANT, WEIGHT, solve_core
from twin.heat.drops import K_REL, PER_LENGTH, PER_SQUARE, RE_PER_FLOW, evaluate_drops
from twin.heat.plan import (
    CHAIN_A,
    CHAIN_B,
    CHAIN_FIRST,
    CHAIN_LAST,
    CORE_PIPE,
    CORE_POINT,
    CORE_SIGN,
    FIXED,
    LEAF,
    LEAF_PARENT,
    LEAF_PIPE,
    LEAF_SIGN,
    Plan,
)
from twin.heat.program import Program

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

GRAVITY_M_S2 = 9.80665


@dataclass(frozen=True, slots=True, eq=False)
class FlowProblem:
    """One hydraulic question.

    Pipes (n_pipe,): ``start``, ``end`` points, sizes, ``zeta`` minor loss, ``quadratic`` extra loss of
    valves and pumps in Pa s²/kg², ``rho``, ``mu``, ``open_``, ``one_way`` (check valve: flow from start to
    end only), ``lift_pa`` pressure a pump adds from start to end at no flow (empty: none).
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
    lift_pa: Floats = field(default_factory=lambda: np.zeros(0))


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


@outer()
def prepare_pipes(
    start: Ints, end: Ints, length: Floats, diameter: Floats, roughness: Floats, zeta: Floats,
    quadratic: Floats, rho: Floats, mu: Floats, elevation: Floats, lift: Floats,
) -> Floats:  # fmt: skip
    """Constants (6, n_pipe) of the pipes; the slope guessed is that at about 0.5 m/s."""
    n = length.shape[0]
    out = np.empty((N_CONSTANT, n))
    for k in range(n):
        inverse = 1.0 / diameter[k]
        square = diameter[k] * diameter[k]
        half = (8.0 / (pi * pi)) * inverse * inverse / (rho[k] * square)
        out[RE_PER_FLOW, k] = (4.0 / pi) * inverse / mu[k]
        out[K_REL, k] = roughness[k] * inverse
        out[PER_LENGTH, k] = half * length[k] * inverse
        out[PER_SQUARE, k] = half * zeta[k] + quadratic[k]
        out[GUESS, k] = 15.0 * length[k] * inverse / square + 0.1 + 400.0 * square * out[PER_SQUARE, k]
    for k in range(n):
        out[WEIGHT, k] = rho[k] * GRAVITY_M_S2 * (elevation[end[k]] - elevation[start[k]])
    for k in range(lift.shape[0]):
        out[WEIGHT, k] -= lift[k]
    return out


@inner()
def _spread_pressures(
    tree: Ints, core: Ints, chain: Ints, junction: Ints, dp: Floats, pipes: Floats, p_junction: Floats,
    p: Floats,
) -> float:  # fmt: skip
    """Fill ``p`` outwards from the junctions; returns the worst gap where chains meet, Pa."""
    end_a, end_b, first, last = chain[CHAIN_A], chain[CHAIN_B], chain[CHAIN_FIRST], chain[CHAIN_LAST]
    pipe, sign, point, weight = core[CORE_PIPE], core[CORE_SIGN], core[CORE_POINT], pipes[WEIGHT]
    for i in range(junction.shape[0]):
        p[junction[i]] = p_junction[i]
    worst = 0.0
    for c in range(end_a.shape[0]):
        level = p_junction[end_a[c]]
        for j in range(first[c], last[c] + 1):
            level -= sign[j] * (dp[pipe[j]] + weight[pipe[j]])
            if j < last[c]:
                p[point[j]] = level
        worst = max(worst, abs(level - p_junction[end_b[c]]))
    leaf, leaf_pipe, parent, leaf_sign = tree[LEAF], tree[LEAF_PIPE], tree[LEAF_PARENT], tree[LEAF_SIGN]
    for t in range(leaf.shape[0] - 1, -1, -1):
        k = leaf_pipe[t]
        p[leaf[t]] = p[parent[t]] - leaf_sign[t] * (dp[k] + weight[k])
    return worst


@inner()
def _worst_imbalance(kind: NDArray[np.int8], start: Ints, end: Ints, m: Floats, left: Floats) -> float:
    """Largest mass that the flows leave over at a point whose pressure is not given; ``left`` comes with what
    is drawn."""
    for k in range(m.shape[0]):
        left[start[k]] += m[k]
        left[end[k]] -= m[k]
    worst = 0.0
    for i in range(left.shape[0]):
        if kind[i] != FIXED:
            worst = max(worst, abs(left[i]))
    return worst


@outer()
def sum_trees(tree: Ints, reached: Bools, draw: Floats, m: Floats, below: Floats) -> None:
    """Fill ``below`` (n_point,) with what is drawn at and below a point, ``m`` with flows of trees."""
    leaf, pipe, parent, sign = tree[LEAF], tree[LEAF_PIPE], tree[LEAF_PARENT], tree[LEAF_SIGN]
    for i in range(draw.shape[0]):
        below[i] = draw[i] if reached[i] else 0.0
    for k in range(m.shape[0]):
        m[k] = 0.0
    for t in range(leaf.shape[0]):
        below[parent[t]] += below[leaf[t]]
        m[pipe[t]] = sign[t] * below[leaf[t]]


@outer()
def finish_flows(
    plan: Plan, pipes: Floats, start: Ints, end: Ints, one_way: Bools, draw: Floats, emitter: Floats,
    p_junction: Floats, leak_junction: Floats, below: Floats, m: Floats, dp: Floats, p: Floats, leak: Floats,
) -> tuple[float, float]:  # fmt: skip
    """From flows ``m`` and drops ``dp`` of all pipes to pressures ``p`` and leaks ``leak`` of all points.

    ``below`` (n_point,) is scratch; ``dp`` is completed for check valves and pipes without water.

    Returns
    -------
    worst pressure residual Pa, worst mass residual kg/s
    """
    tree, core, chain, junction, reached = plan.tree, plan.core, plan.chain, plan.junction, plan.reached
    n_pipe, n_point = m.shape[0], draw.shape[0]
    for k in range(n_pipe):
        if one_way[k] and m[k] < 0.0:
            dp[k] += CHECK_SLOPE_PA_S_KG * m[k]
        if not (plan.open_[k] and reached[start[k]]):
            dp[k] = np.nan
    for i in range(n_point):
        below[i] = draw[i] if reached[i] else 0.0
        leak[i], p[i] = 0.0, np.nan
    gap = _spread_pressures(tree, core, chain, junction, dp, pipes, p_junction, p)
    for i in range(plan.n_free):
        leak[junction[i]] = max(leak_junction[i], 0.0)
        below[junction[i]] += leak_junction[i]
    for i in range(plan.n_free, junction.shape[0]):
        leak[junction[i]] = emitter[junction[i]] * sqrt(max(p_junction[i], 0.0))
    return gap, _worst_imbalance(plan.kind, start, end, m, below)


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
    q, n_pipe, n_point = problem, len(problem.start), len(problem.fixed_pa)
    plan = program.find_plan(q.open_, q.fixed_pa, q.emitter)
    pipes = prepare_pipes(
        q.start, q.end, q.length_m, q.diameter_m, q.roughness_m, q.zeta, q.quadratic, q.rho, q.mu,
        q.elevation_m, q.lift_pa,
    )  # fmt: skip
    m, dp, p, leak = np.empty(n_pipe), np.empty(n_pipe), np.empty(n_point), np.empty(n_point)
    below, slope = np.empty(n_point), np.empty(n_pipe)
    sum_trees(plan.tree, plan.reached, q.draw_kg_s, m, below)
    p_junction = q.fixed_pa[plan.junction]
    leak_junction = np.empty(len(p_junction))
    flow = NO_FLOWS if m_start is None else m_start[plan.core[CORE_PIPE, plan.chain[CHAIN_FIRST]]]
    for start in (flow, NO_FLOWS) if m_start is not None else (NO_FLOWS,):
        # a warm start far away may mislead Newton where check valves close: then once more from nothing
        if plan.n_free:
            p_junction[: plan.n_free] = p_junction[plan.n_free :].mean()
        leak_junction[:] = 0.0
        converged, iterations = solve_core(
            plan.core, plan.chain, plan.junction, plan.n_free, plan.first, plan.row, plan.target, pipes,
            q.one_way, below, q.emitter, start, p_junction, leak_junction, m,
        )  # fmt: skip
        if converged:
            break
    evaluate_drops(m, pipes, dp, slope)
    gap, worst = finish_flows(
        plan, pipes, q.start, q.end, q.one_way, q.draw_kg_s, q.emitter, p_junction, leak_junction, below, m,
        dp, p, leak,
    )  # fmt: skip
    return FlowAnswer(
        m=m,
        dp=dp,
        p=p,
        leak=leak,
        reached=plan.reached,
        converged=converged and worst < 1e-6,
        iterations=iterations,
        residual_pa=gap,
        residual_kg_s=worst,
    )


NO_FLOWS = np.zeros(0)
