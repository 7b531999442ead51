"""Many leaks over one network, one after the other in compiled code.

Every leak asks for its own cut of the network, because the points it leaves from become junctions; the order
of elimination stays that of the network without leaks, with the new junctions before the others.
"""

import numpy as np
from numpy.typing import NDArray

from twin.heat.compiled import inner, outer
from twin.heat.core import solve_core
from twin.heat.drops import evaluate_drops
from twin.heat.hydraulics import finish_flows, sum_trees
from twin.heat.plan import (
    CHAIN_A,
    CHAIN_B,
    CHAIN_FIRST,
    CORE_PIPE,
    EMITTER,
    FIXED,
    FREE,
    Plan,
    find_reached,
    peel_trees,
    trace_chains,
    write_elimination,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@inner()
def _plan_leak(start: Ints, end: Ints, base: Plan, kind: NDArray[np.int8], number: Ints) -> Plan:
    """The plan with more emitters than ``base`` was made for; ``number`` (n_point,) is scratch."""
    tree, degree, xor, left = peel_trees(start, end, base.open_, kind)
    core, chain = trace_chains(start, end, kind, degree, xor, left)
    reached = find_reached(kind, tree, core, chain)
    end_a, end_b = chain[CHAIN_A], chain[CHAIN_B]
    n_base = base.junction.shape[0]
    junction = np.empty(n_base + 2 * end_a.shape[0], np.int64)
    for i in range(number.shape[0]):
        number[i] = -1
    for i in range(n_base):
        number[base.junction[i]] = -2
    n = 0
    for e in range(2 * end_a.shape[0]):
        point = end_a[e // 2] if e % 2 == 0 else end_b[e // 2]
        if number[point] == -1:
            number[point], junction[n] = n, point
            n += 1
    for i in range(n_base):
        point = base.junction[i]
        number[point], junction[n + i] = n + i, point
    for c in range(end_a.shape[0]):
        end_a[c], end_b[c] = number[end_a[c]], number[end_b[c]]
    n_free = n + base.n_free
    first, row, target = write_elimination(chain, n_free)
    return Plan(
        base.open_,
        kind,
        reached,
        tree,
        core,
        chain,
        junction[: n + n_base].copy(),
        n_free,
        first,
        row,
        target,
    )


@outer()
def solve_leaks(
    base: Plan, pipes: Floats, start: Ints, end: Ints, one_way: Bools, draw: Floats,
    emitter: Floats, m_start: Floats, p_start: Floats, at: Ints, c_at: Floats, m: Floats, p: Floats,
    leak: Floats, residual: Floats, met: Bools,
) -> None:  # fmt: skip
    """Solve one state per row of ``at``.

    Parameters
    ----------
    base : the plan without these leaks, all points reached
    m_start, p_start : (n_pipe,) flows and (n_point,) pressures without them; those held stay
    at, c_at : (n_scenario, n_place) points and emitter coefficients of each scenario, on top of ``emitter``
    m : (n_scenario, n_pipe), p, leak : (n_scenario, n_point); filled
    residual : (n_scenario,) worst mass residual, met : (n_scenario,) converged; filled
    """
    n_point, n_pipe = draw.shape[0], start.shape[0]
    number, below = np.empty(n_point, np.int64), np.empty(n_point)
    dp, slope, c_all, kind = np.empty(n_pipe), np.empty(n_pipe), emitter.copy(), base.kind.copy()
    for s in range(at.shape[0]):
        for j in range(at.shape[1]):
            i = at[s, j]
            c_all[i] += c_at[s, j]
            if kind[i] == FREE and c_all[i] > 0.0:
                kind[i] = EMITTER
        plan = _plan_leak(start, end, base, kind, number)
        sum_trees(plan.tree, plan.reached, draw, m[s], below)
        n_junction, n_chain = plan.junction.shape[0], plan.chain.shape[1]
        p_junction, leak_junction, flow = np.empty(n_junction), np.zeros(n_junction), np.empty(n_chain)
        for i in range(n_junction):
            p_junction[i] = p_start[plan.junction[i]]
        for c in range(n_chain):
            flow[c] = m_start[plan.core[CORE_PIPE, plan.chain[CHAIN_FIRST, c]]]
        met[s], _ = solve_core(
            plan.core, plan.chain, plan.junction, plan.n_free, plan.first, plan.row, plan.target, pipes,
            one_way, below, c_all, flow, p_junction, leak_junction, m[s],
        )  # fmt: skip
        evaluate_drops(m[s], pipes, dp, slope)
        _, residual[s] = finish_flows(
            plan, pipes, start, end, one_way, draw, c_all, p_junction, leak_junction, below, m[s], dp, p[s],
            leak[s],
        )  # fmt: skip
        for j in range(at.shape[1]):
            i = at[s, j]
            c_all[i] = emitter[i]
            if kind[i] != FIXED:
                kind[i] = EMITTER if emitter[i] > 0.0 else FREE
