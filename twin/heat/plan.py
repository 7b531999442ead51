"""What a network's flows depend on: its trees, its chains and the junctions between them.

Most of a heat network is tree: what is drawn below a pipe of a tree is what flows through it, whatever the
friction. What is left when the trees are taken off, the *core*, is chains of pipes between junctions; all
pipes of a chain carry one unknown flow, less what was drawn on the way. So the unknowns of a network are the
flows of its chains and the pressures of its junctions: about three and two for every loop.

A *pinned* point (pressure given, or an emitter) is a junction, wherever it lies, and is never taken off.
"""

from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.heat.compiled import inner, outer
from twin.heat.order import eliminate, find_slot, list_columns, write_targets

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Kinds = NDArray[np.int8]

FREE, FIXED, EMITTER = 0, 1, 2


LEAF, LEAF_PIPE, LEAF_PARENT, LEAF_SIGN = 0, 1, 2, 3
CORE_PIPE, CORE_SIGN, CORE_POINT, CORE_CHAIN = 0, 1, 2, 3
CHAIN_A, CHAIN_B, CHAIN_SLOT, CHAIN_FIRST, CHAIN_LAST = 0, 1, 2, 3, 4


class Plan(NamedTuple):
    """Trees, chains and junctions of a network for one set of open pipes and pinned points.

    ``open_`` (n_pipe,), ``kind`` (n_point,): what it was made for. ``reached`` (n_point,): joined to a fixed
    pressure by open pipes; trees and chains are those of reached points only.
    ``tree`` (4, n_leaf), leaves first: point, the pipe that feeds it, the point this comes from, and +1 where
    the pipe runs this way, else -1.
    ``core`` (4, n_core), chain by chain: pipe, +1 or -1, the point behind it, its chain.
    ``chain`` (5, n_chain): junctions at both ends, where its conductance stands in the matrix (-1: nowhere),
    its first and last place in ``core``.
    ``junction`` (n_junction,): points; the first ``n_free`` are free, in the order of elimination with
    ``first``, ``row``, ``target`` (:mod:`twin.heat.order`); the rest are fixed.
    """

    open_: Bools
    kind: Kinds
    reached: Bools
    tree: Ints
    core: Ints
    chain: Ints
    junction: Ints
    n_free: int
    first: Ints
    row: Ints
    target: Ints


@outer()
def peel_trees(start: Ints, end: Ints, open_: Bools, kind: Kinds) -> tuple[Ints, Ints, Ints, Bools]:
    """Take the trees off: the trees, what is left of degrees, ``xor``, and which pipes are left.

    ``xor`` of a point is the exclusive or of its pipes: with one pipe left it is that pipe, with two it turns
    one into the other.
    """
    n_point = kind.shape[0]
    degree, xor = np.zeros(n_point, np.int64), np.zeros(n_point, np.int64)
    left = np.zeros(start.shape[0], np.bool_)
    for k in range(start.shape[0]):
        left[k] = open_[k]
        if open_[k]:
            degree[start[k]] += 1
            degree[end[k]] += 1
            xor[start[k]] ^= k
            xor[end[k]] ^= k
    tree = np.empty((4, n_point), np.int64)
    leaf, leaf_pipe, parent, sign = tree[LEAF], tree[LEAF_PIPE], tree[LEAF_PARENT], tree[LEAF_SIGN]
    n = 0
    for i in range(n_point):
        v = i
        while degree[v] == 1 and kind[v] == FREE:
            k = xor[v]
            u = start[k] + end[k] - v
            leaf[n], leaf_pipe[n], parent[n], sign[n] = v, k, u, 1 if end[k] == v else -1
            n += 1
            left[k] = False
            degree[v] = 0
            degree[u] -= 1
            xor[u] ^= k
            v = u
    return tree[:, :n].copy(), degree, xor, left


@outer()
def trace_chains(
    start: Ints, end: Ints, kind: Kinds, degree: Ints, xor: Ints, left: Bools
) -> tuple[Ints, Ints]:
    """Follow the pipes of the core from junction to junction: ``core``, and ``chain`` with points at its
    ends."""
    n_left = 0
    for k in range(left.shape[0]):
        n_left += left[k]
    core, chain = np.empty((4, n_left), np.int64), np.empty((5, n_left), np.int64)
    pipe, sign, point, member = core[CORE_PIPE], core[CORE_SIGN], core[CORE_POINT], core[CORE_CHAIN]
    end_a, end_b, first, last = chain[CHAIN_A], chain[CHAIN_B], chain[CHAIN_FIRST], chain[CHAIN_LAST]
    n_chain, n_core = 0, 0
    for e in range(2 * start.shape[0]):
        k = e // 2
        i = start[k] if e % 2 == 0 else end[k]
        if not left[k] or (kind[i] == FREE and degree[i] < 3):
            continue
        end_a[n_chain], first[n_chain] = i, n_core
        while left[k]:
            left[k] = False
            sign[n_core] = 1 if start[k] == i else -1
            i = start[k] + end[k] - i
            pipe[n_core], point[n_core], member[n_core] = k, i, n_chain
            n_core += 1
            if kind[i] == FREE and degree[i] == 2:
                k ^= xor[i]
        end_b[n_chain], last[n_chain] = i, n_core - 1
        n_chain += 1
    return core[:, :n_core].copy(), chain[:, :n_chain].copy()


@inner()
def _find_root(parent: Ints, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@outer()
def find_reached(kind: Kinds, tree: Ints, core: Ints, chain: Ints) -> Bools:
    """Points joined to a fixed pressure."""
    n_point = kind.shape[0]
    end_a, end_b, point, member = chain[CHAIN_A], chain[CHAIN_B], core[CORE_POINT], core[CORE_CHAIN]
    leaf, parent = tree[LEAF], tree[LEAF_PARENT]
    group, held = np.empty(n_point, np.int64), np.zeros(n_point, np.bool_)
    for i in range(n_point):
        group[i] = i
    for c in range(end_a.shape[0]):
        a, b = _find_root(group, end_a[c]), _find_root(group, end_b[c])
        group[max(a, b)] = min(a, b)
    for i in range(n_point):
        if kind[i] == FIXED:
            held[_find_root(group, i)] = True
    reached = np.zeros(n_point, np.bool_)
    for i in range(n_point):
        reached[i] = held[_find_root(group, i)]
    for j in range(point.shape[0]):
        reached[point[j]] = reached[end_a[member[j]]]
    for t in range(leaf.shape[0] - 1, -1, -1):
        reached[leaf[t]] = reached[parent[t]]
    return reached


def _keep_reached(reached: Bools, tree: Ints, core: Ints, chain: Ints) -> tuple[Ints, Ints, Ints]:
    """Drop the trees and chains that no fixed pressure reaches."""
    keep = reached[chain[CHAIN_A]]
    core = core[:, keep[core[CORE_CHAIN]]]
    core[CORE_CHAIN] = (np.cumsum(keep) - 1)[core[CORE_CHAIN]]
    chain = chain[:, keep]
    length = chain[CHAIN_LAST] - chain[CHAIN_FIRST] + 1
    chain[CHAIN_LAST] = np.cumsum(length) - 1
    chain[CHAIN_FIRST] = chain[CHAIN_LAST] - length + 1
    return tree[:, reached[tree[LEAF]]], core, chain


@outer()
def write_elimination(chain: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    """``first``, ``row``, ``target`` of the first ``n`` junctions; fills the slots of the chains."""
    end_a, end_b, slot = chain[CHAIN_A], chain[CHAIN_B], chain[CHAIN_SLOT]
    first, row = list_columns(n, end_a, end_b)
    for c in range(slot.shape[0]):
        a, b = end_a[c], end_b[c]
        slot[c] = find_slot(first, row, a, b) if a < n and b < n and a != b else -1
    return first, row, write_targets(first, row)


UNRANKED = 12
"""So many junctions may be eliminated before the others without a new order."""


def make_plan(
    start: Ints, end: Ints, open_: Bools, kind: Kinds, rank: Ints | None = None
) -> tuple[Plan, Ints]:
    """Find trees, chains and junctions.

    Parameters
    ----------
    start, end : (n_pipe,) points
    open_ : (n_pipe,) pipes that water can pass
    kind : (n_point,) ``FREE``, ``FIXED`` (pressure given) or ``EMITTER``
    rank : (n_point,) places in the order of elimination from an earlier plan of the same points, -1 for none

    Returns
    -------
    the plan, and the ``rank`` it used
    """
    tree, degree, xor, left = peel_trees(start, end, open_, kind)
    core, chain = trace_chains(start, end, kind, degree, xor, left)
    reached = find_reached(kind, tree, core, chain)
    if not reached.all():
        tree, core, chain = _keep_reached(reached, tree, core, chain)
    free = np.flatnonzero(reached & (kind != FIXED) & ((kind == EMITTER) | (degree > 2)))
    fresh = None
    if rank is None or np.count_nonzero(rank[free] < 0) > UNRANKED:
        a, b = _number(free, chain, len(kind))
        inside = (a >= 0) & (b >= 0) & (a != b)
        fresh = eliminate(len(free), a[inside], b[inside])
        rank = np.full(len(kind), -1, np.int64)
        rank[free] = fresh[0]
    free = free[np.argsort(rank[free], kind="stable")]
    junction = np.concatenate([free, np.flatnonzero(kind == FIXED)])
    chain[CHAIN_A], chain[CHAIN_B] = _number(junction, chain, len(kind))
    if fresh is None:
        first, row, target = write_elimination(chain, len(free))
    else:
        _, first, row, target = fresh
        _fill_slots(chain, first, row)
    return Plan(open_, kind, reached, tree, core, chain, junction, len(free), first, row, target), rank


def _number(points: Ints, chain: Ints, n_point: int) -> tuple[Ints, Ints]:
    """Places in ``points`` of the ends of the chains (-1: not there)."""
    number = np.full(n_point, -1, np.int64)
    number[points] = np.arange(len(points))
    return number[chain[CHAIN_A]], number[chain[CHAIN_B]]


def _fill_slots(chain: Ints, first: Ints, row: Ints) -> None:
    """Where the conductance of every chain stands (-1: its ends are one, or one of them is fixed)."""
    n = len(first) - 1
    low, high = np.minimum(chain[CHAIN_A], chain[CHAIN_B]), np.maximum(chain[CHAIN_A], chain[CHAIN_B])
    key = np.repeat(np.arange(n), np.diff(first)) * n + row  # rises, as rows rise within columns
    chain[CHAIN_SLOT] = np.where((high < n) & (low != high), np.searchsorted(key, low * n + high), -1)


@outer()
def serves(plan_open: Bools, plan_kind: Kinds, open_: Bools, fixed_pa: Floats, emitter: Floats) -> bool:
    """Whether a plan was made for these open pipes, fixed points and emitters."""
    same = True
    for k in range(open_.shape[0]):
        same &= plan_open[k] == open_[k]
    for i in range(fixed_pa.shape[0]):
        kind = FREE if isnan(fixed_pa[i]) else FIXED
        if kind == FREE and emitter[i] > 0.0:
            kind = EMITTER
        same &= plan_kind[i] == kind
    return same


def sort_points(fixed_pa: Floats, emitter: Floats) -> Kinds:
    """``FREE``, ``FIXED`` or ``EMITTER`` for every point."""
    kind = np.where(emitter > 0.0, EMITTER, FREE).astype(np.int8)
    kind[np.isfinite(fixed_pa)] = FIXED
    return kind
