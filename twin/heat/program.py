"""The order of work for solving nodal balances on one graph, found once.

The matrix of the global gradient algorithm is a weighted Laplacian whose pattern never changes. Points are
put in an order of rising degree (leaves first: trees cause no fill), the fill is found symbolically, and each
multiplication of the factorisation ``L D L^T`` is written down as an index. Solving is then a pass over
arrays. Shut pipes have weight zero and fixed or unreachable points a row of their own, so the same program
serves every state of the network.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Factorisation written down as indices.

    ``position`` (n_point,): place of a point in the elimination order. ``first`` (n_point + 1,), ``row``
    (n_slot,): entries below the diagonal, column by column. ``target``: slots that the products of the pairs
    of a column are taken from, in order. ``slot`` (n_edge,): where the weight of an edge stands.
    """

    position: Ints
    first: Ints
    row: Ints
    target: Ints
    slot: Ints


def write_program(start: Ints, end: Ints, n_point: int) -> Program:
    """Order the points of a graph and write the factorisation down."""
    near: list[set[int]] = [set() for _ in range(n_point)]
    for a, b in zip(start.tolist(), end.tolist(), strict=True):
        near[a].add(b)
        near[b].add(a)
    order, columns = _eliminate(near)
    position = np.empty(n_point, np.int64)
    position[order] = np.arange(n_point)
    place = position.tolist()
    first: list[int] = [0]
    row: list[int] = []
    slot_of: dict[int, int] = {}
    for k, column in enumerate(columns):
        for r in sorted(place[v] for v in column):
            slot_of[k * n_point + r] = len(row)
            row.append(r)
        first.append(len(row))
    target: list[int] = []
    for k in range(n_point):
        rows = row[first[k] : first[k + 1]]
        for i, r in enumerate(rows):
            target.extend(slot_of[r * n_point + s] for s in rows[i + 1 :])
    ends = zip(position[start].tolist(), position[end].tolist(), strict=True)
    slot = [slot_of[min(a, b) * n_point + max(a, b)] for a, b in ends]
    return Program(*(np.array(x, dtype=np.int64) for x in (position, first, row, target, slot)))


def _eliminate(near: list[set[int]]) -> tuple[list[int], list[list[int]]]:
    """Minimum degree: the order and, per eliminated point, its neighbours at that moment."""
    heap = [(len(s), i) for i, s in enumerate(near)]
    heapify(heap)
    done = [False] * len(near)
    order: list[int] = []
    columns: list[list[int]] = []
    while heap:
        degree, k = heappop(heap)
        if done[k] or degree != len(near[k]):
            continue
        done[k] = True
        column = list(near[k])
        order.append(k)
        columns.append(column)
        for v in column:
            near[v].discard(k)
            if len(column) > 1:
                near[v].update(column)
                near[v].discard(v)
            heappush(heap, (len(near[v]), v))
    return order, columns


@njit(cache=True, error_model="numpy")
def factor_and_solve(
    first: Ints, row: Ints, target: Ints, diagonal: Floats, value: Floats, x: Floats
) -> None:
    """Solve in place: ``diagonal`` (n,), ``value`` (n_slot,), right-hand side ``x`` (n,) are overwritten."""
    n = diagonal.shape[0]
    t = 0
    for k in range(n):
        inverse = 1.0 / diagonal[k]
        diagonal[k] = inverse
        lo, hi = first[k], first[k + 1]
        xk = x[k] * inverse
        for a in range(lo, hi):
            va = value[a]
            la = va * inverse
            diagonal[row[a]] -= va * la
            x[row[a]] -= va * xk
            for b in range(a + 1, hi):
                value[target[t]] -= la * value[b]
                t += 1
    for k in range(n - 1, -1, -1):
        s = x[k]
        for a in range(first[k], first[k + 1]):
            s -= value[a] * x[row[a]]
        x[k] = s * diagonal[k]
