"""Newton's method on the core of a network: flows of the chains, pressures of the junctions, emitters.

The global gradient algorithm of Todini and Pilati (1988) with chains in the place of pipes: a chain is
linearised about its present flow, ``q = q_k + g (dp - h(q_k))`` with ``g = 1 / sum of h'``; balance at the
free junctions is one sparse symmetric system for their pressures.
"""

from math import isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from twin.heat.compiled import inner, outer
from twin.heat.drops import PER_SQUARE, evaluate_drops
from twin.heat.plan import (
    CHAIN_A,
    CHAIN_B,
    CHAIN_FIRST,
    CHAIN_LAST,
    CHAIN_SLOT,
    CORE_CHAIN,
    CORE_PIPE,
    CORE_POINT,
    CORE_SIGN,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WEIGHT, GUESS, N_CONSTANT = 4, 5, 6
"""Rows of a network's constants behind those of :mod:`twin.heat.drops`: pressure that height and pumps take
along the pipe, Pa; slope to start from, Pa s/kg."""
CHECK_SLOPE_PA_S_KG = 1e9
"""Resistance of a closed check valve: 1 MPa drives 0.001 kg/s through it."""
LEAST_SLOPE_PA_S_KG = 1e-5
MAX_ITERATIONS = 60
CALM_ITERATIONS = 20
"""After so many steps they are halved: check valves and emitters may throw Newton to and fro."""
TOLERANCE_PA = 1e-4
"""A chain's pressure balance counts as met below this, or below 1e-6 of its pressure drop; one more step
with the slopes at hand follows."""
TOLERANCE_REL = 1e-6


@inner()
def factor(first: Ints, row: Ints, target: Ints, diagonal: Floats, value: Floats) -> None:
    """``L D L^T`` in place: ``diagonal`` (n,) becomes 1/D; ``value`` (n_slot,) becomes L D."""
    t = 0
    for k in range(first.shape[0] - 1):
        inverse = 1.0 / diagonal[k]
        diagonal[k] = inverse
        for a in range(first[k], first[k + 1]):
            la = value[a] * inverse
            diagonal[row[a]] -= value[a] * la
            for b in range(a + 1, first[k + 1]):
                value[target[t]] -= la * value[b]
                t += 1


@inner()
def substitute(first: Ints, row: Ints, diagonal: Floats, value: Floats, x: Floats) -> None:
    """Solve with what :func:`factor` left; the right-hand side ``x`` (n,) becomes the answer."""
    n = first.shape[0] - 1
    for k in range(n):
        xk = x[k] * diagonal[k]
        for a in range(first[k], first[k + 1]):
            x[row[a]] -= value[a] * xk
    for k in range(n - 1, -1, -1):
        s = x[k]
        for a in range(first[k], first[k + 1]):
            s -= value[a] * x[row[a]]
        x[k] = s * diagonal[k]


@inner()
def emitter_head(c: float, q: float) -> tuple[float, float]:
    """Pressure that drives ``q`` through an emitter, ``(q / C)**2``, and its slope.

    Straight below 100 Pa; backwards (pressure below the air's) it closes like a check valve.
    """
    if q < 0.0:
        return CHECK_SLOPE_PA_S_KG * q, CHECK_SLOPE_PA_S_KG
    if q < 10.0 * c:
        return 10.0 / c * q, 10.0 / c
    return q * q / (c * c), 2.0 * q / (c * c)


@inner()
def _gather(
    core: Ints, pipes: Floats, below: Floats, constants: Floats, taken: Floats, weight: Floats
) -> None:
    """Constants (4, n_core) of the core's pipes, what was drawn before each, weights (n_chain,)."""
    pipe, sign, point, member = core[CORE_PIPE], core[CORE_SIGN], core[CORE_POINT], core[CORE_CHAIN]
    pipe_weight = pipes[WEIGHT]
    before, gone = -1, 0.0
    for j in range(pipe.shape[0]):
        k, c = pipe[j], member[j]
        for r in range(PER_SQUARE + 1):
            constants[r, j] = pipes[r, k]
        if c != before:
            gone, weight[c], before = 0.0, 0.0, c
        weight[c] += sign[j] * pipe_weight[k]
        taken[j] = gone
        gone += below[point[j]]


@inner()
def _close_one_way(core: Ints, one_way: Bools, m: Floats, dp: Floats, slope: Floats) -> None:
    pipe, sign = core[CORE_PIPE], core[CORE_SIGN]
    for j in range(m.shape[0]):
        if one_way[pipe[j]] and sign[j] * m[j] < 0.0:
            dp[j] += CHECK_SLOPE_PA_S_KG * m[j]
            slope[j] += CHECK_SLOPE_PA_S_KG


@inner()
def _sum_chains(
    chain: Ints, weight: Floats, p: Floats, dp: Floats, slope: Floats, total: Floats, g: Floats, miss: Floats
) -> bool:
    """Drops, conductances of the chains, and what their pressure balance lacks; whether that is nothing."""
    end_a, end_b, first, last = chain[CHAIN_A], chain[CHAIN_B], chain[CHAIN_FIRST], chain[CHAIN_LAST]
    met = True
    for c in range(end_a.shape[0]):
        drop, rise = 0.0, 0.0
        for j in range(first[c], last[c] + 1):
            drop += dp[j]
            rise += slope[j]
        total[c] = drop + weight[c]
        g[c] = 1.0 / max(rise, LEAST_SLOPE_PA_S_KG)
        miss[c] = p[end_a[c]] - p[end_b[c]] - total[c]
        met &= abs(miss[c]) <= TOLERANCE_PA + TOLERANCE_REL * abs(drop)
    return met


@inner()
def _assemble(
    chain: Ints, g: Floats, flow0: Floats, passed: Floats, out: Floats, p: Floats, n: int, diagonal: Floats,
    value: Floats, x: Floats,
) -> None:  # fmt: skip
    """Matrix and right-hand side of the balance of the ``n`` free junctions.

    ``flow0`` (n_chain,): flow of a chain with equal pressures at its ends; ``passed``: drawn along it;
    ``out`` (n_junction,): drawn at junctions. ``diagonal`` comes with the conductance of emitters.
    """
    end_a, end_b, slot = chain[CHAIN_A], chain[CHAIN_B], chain[CHAIN_SLOT]
    for t in range(value.shape[0]):
        value[t] = 0.0
    for i in range(n):
        x[i] = -out[i]
    for c in range(end_a.shape[0]):
        a, b = end_a[c], end_b[c]
        if a == b:
            if a < n:
                x[a] -= passed[c]
            continue
        if a < n:
            diagonal[a] += g[c]
            x[a] -= flow0[c]
            if b >= n:
                x[a] += g[c] * p[b]
        if b < n:
            diagonal[b] += g[c]
            x[b] += flow0[c] - passed[c]
            if a >= n:
                x[b] += g[c] * p[a]
        if slot[c] >= 0:
            value[slot[c]] -= g[c]


@inner()
def _balance_left(
    chain: Ints, g: Floats, miss: Floats, passed: Floats, out: Floats, n: int, q: Floats, x: Floats
) -> None:
    """Right-hand side of one more step: what chains lack in pressure goes into their flows, and what these
    leave over at the junctions is to be balanced. Rounding of the pressures is put right by this too."""
    end_a, end_b = chain[CHAIN_A], chain[CHAIN_B]
    for i in range(n):
        x[i] = -out[i]
    for c in range(end_a.shape[0]):
        a, b = end_a[c], end_b[c]
        q[c] += g[c] * miss[c]
        if a < n:
            x[a] -= q[c]
        if b < n:
            x[b] += q[c] - passed[c]


@inner()
def _linearise_emitters(
    junction: Ints, below: Floats, c_emitter: Floats, leak: Floats, diagonal: Floats, out: Floats
) -> None:
    """Begin the balance of the free junctions: what is drawn, and emitters as conductances."""
    for i in range(out.shape[0]):
        diagonal[i], out[i] = 0.0, below[junction[i]]
        if c_emitter[i] > 0.0:
            head, slope = emitter_head(c_emitter[i], leak[i])
            diagonal[i] = 1.0 / slope
            out[i] += leak[i] - head / slope


@inner()
def _move(
    junction: Ints, end_a: Ints, end_b: Ints, below: Floats, c_emitter: Floats, flow0: Floats, g: Floats,
    x: Floats, share: float, p: Floats, q: Floats, leak: Floats, out: Floats,
) -> bool:  # fmt: skip
    """Take the new pressures ``x``, the flows of the chains and the emitters; whether the emitters agree."""
    met = True
    for i in range(x.shape[0]):
        p[i], out[i] = x[i], below[junction[i]]
        if c_emitter[i] > 0.0:
            head, slope = emitter_head(c_emitter[i], leak[i])
            leak[i] += share * (p[i] - head) / slope
            met &= abs(p[i] - emitter_head(c_emitter[i], leak[i])[0]) <= TOLERANCE_PA
            out[i] += leak[i]
    for c in range(q.shape[0]):
        q[c] += share * (flow0[c] + g[c] * (p[end_a[c]] - p[end_b[c]]) - q[c])
    return met


@inner()
def _finish(
    end_a: Ints, end_b: Ints, c_emitter: Floats, g: Floats, x: Floats, p: Floats, q: Floats, leak: Floats,
) -> None:  # fmt: skip
    """Add the last step ``x`` to pressures, flows and emitters."""
    n = x.shape[0]
    for i in range(n):
        p[i] += x[i]
        if c_emitter[i] > 0.0:
            leak[i] += x[i] / emitter_head(c_emitter[i], leak[i])[1]
    for c in range(q.shape[0]):
        a, b = end_a[c], end_b[c]
        q[c] += g[c] * ((x[a] if a < n else 0.0) - (x[b] if b < n else 0.0))


@outer()
def solve_core(
    core: Ints, chain: Ints, junction: Ints, n: int, first: Ints, row: Ints, target: Ints, pipes: Floats,
    one_way: Bools, below: Floats, emitter: Floats, flow: Floats, p: Floats, leak: Floats,
    m_pipe: Floats,
) -> tuple[bool, int]:  # fmt: skip
    """Flows of the chains and pressures of the junctions; returns converged, iterations.

    ``core``, ``chain``, ``junction``, ``first``, ``row``, ``target`` are those of the
    :class:`twin.heat.plan.Plan` with ``n`` free junctions, ``pipes`` (6, n_pipe) the constants.
    ``below`` (n_point,): drawn at a point and in the trees on it, kg/s; ``emitter`` (n_point,): C of
    ``m = C sqrt(p)``; ``flow`` (n_chain,) or empty: of each chain's first pipe, to start from; ``p``
    (n_junction,): given at the fixed ones, a guess at the free ones. Filled: ``p``, ``leak`` (n_junction,)
    through emitters, ``m_pipe`` (n_pipe,) where the core's pipes are.
    """
    n_core, n_chain, warm = core.shape[1], chain.shape[1], flow.shape[0] > 0
    pipe, member, end_a, end_b = core[CORE_PIPE], core[CORE_CHAIN], chain[CHAIN_A], chain[CHAIN_B]
    constants, taken, weight = np.empty((PER_SQUARE + 1, n_core)), np.empty(n_core), np.empty(n_chain)
    m, dp, slope = np.empty(n_core), np.empty(n_core), np.empty(n_core)
    total, miss = np.empty(n_chain), np.empty(n_chain)
    g, new_g, passed, q = np.empty(n_chain), np.empty(n_chain), np.empty(n_chain), np.zeros(n_chain)
    diagonal, value, x = np.empty(n), np.empty(row.shape[0]), np.empty(n)
    out, c_emitter, some_one_way, guess = np.empty(n), np.empty(n), False, pipes[GUESS]
    _gather(core, pipes, below, constants, taken, weight)
    for c in range(n_chain):
        passed[c] = taken[chain[CHAIN_LAST, c]]
        if warm and isfinite(flow[c]):
            q[c] = core[CORE_SIGN, chain[CHAIN_FIRST, c]] * flow[c]
    for i in range(n):
        c_emitter[i] = emitter[junction[i]]
        leak[i] = c_emitter[i] * sqrt(max(p[i], 0.0))
    for j in range(n_core):  # a cold start takes the guessed slopes for straight lines
        some_one_way |= one_way[pipe[j]]
        m[j], slope[j] = q[member[j]] - taken[j], guess[pipe[j]]
        dp[j] = slope[j] * m[j]
    iteration, met = 0, False
    while True:
        if iteration > 0 or warm:
            for j in range(n_core):
                m[j] = q[member[j]] - taken[j]
            evaluate_drops(m, constants, dp, slope)
        if some_one_way:
            _close_one_way(core, one_way, m, dp, slope)
        met &= _sum_chains(chain, weight, p, dp, slope, total, new_g, miss)
        if met or iteration == MAX_ITERATIONS or (n > 0 and not isfinite(p[0])):
            break
        iteration += 1
        _linearise_emitters(junction, below, c_emitter, leak, diagonal, out)
        for c in range(n_chain):
            g[c] = new_g[c]
            total[c] = q[c] - g[c] * total[c]
        _assemble(chain, g, total, passed, out, p, n, diagonal, value, x)
        factor(first, row, target, diagonal, value)
        substitute(first, row, diagonal, value, x)
        share = 1.0 if iteration <= CALM_ITERATIONS else 0.5
        met = _move(junction, end_a, end_b, below, c_emitter, total, g, x, share, p, q, leak, out)
    _balance_left(chain, g, miss, passed, out, n, q, x)
    substitute(first, row, diagonal, value, x)
    _finish(end_a, end_b, c_emitter, g, x, p, q, leak)
    for j in range(n_core):
        m_pipe[pipe[j]] = core[CORE_SIGN, j] * (q[member[j]] - taken[j])
    return met, iteration
