"""The order in which the junctions of a network are eliminated, and the fill that comes with it.

The order is found once per network: minimum degree, which the nearly planar loops of heat networks leave
almost without fill. Any order gives the same answer; the symbolic factorisation for an order that is given is
compiled, because every shut valve and every leak asks for one.
"""

from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from twin.heat.compiled import inner

Ints = NDArray[np.int64]


def eliminate(n: int, a: Ints, b: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Minimum degree on the graph of ``n`` nodes with edges ``a``, ``b`` (n_edge,).

    Returns
    -------
    place : (n,) of every node in the order
    first, row, target : as :func:`list_columns` and :func:`write_targets` give for that order
    """
    near: list[set[int]] = [set() for _ in range(n)]
    for u, v in zip(a.tolist(), b.tolist(), strict=True):
        near[u].add(v)
        near[v].add(u)
    heap = [(len(s), i) for i, s in enumerate(near)]
    heapify(heap)
    place: list[int] = [-1] * n
    columns: list[set[int]] = []
    while heap:
        degree, k = heappop(heap)
        if place[k] >= 0 or degree != len(near[k]):
            continue
        place[k] = len(columns)
        column = near[k]
        columns.append(column)
        for v in column:
            near[v].discard(k)
            if len(column) > 1:
                near[v] |= column
                near[v].discard(v)
            heappush(heap, (len(near[v]), v))
    rows = [sorted(place[v] for v in column) for column in columns]
    first = np.cumsum([0] + [len(x) for x in rows])
    slot = {k * n + r: int(first[k]) + i for k, x in enumerate(rows) for i, r in enumerate(x)}
    target = [slot[r * n + q] for x in rows for i, r in enumerate(x) for q in x[i + 1 :]]
    row = [r for x in rows for r in x]
    return tuple(np.array(x, dtype=np.int64) for x in (place, first, row, target))  # type: ignore[return-value]


@inner()
def _list_later(n: int, a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Where the later neighbours of every node start, and the neighbours; edges to a fixed junction (n or
    more) and from a node to itself do not count."""
    begin = np.zeros(n + 2, np.int64)
    for e in range(a.shape[0]):
        if max(a[e], b[e]) < n and a[e] != b[e]:
            begin[min(a[e], b[e]) + 2] += 1
    for k in range(n + 1):
        begin[k + 1] += begin[k]
    later = np.empty(begin[n + 1], np.int64)
    for e in range(a.shape[0]):
        k = min(a[e], b[e])
        if max(a[e], b[e]) < n and a[e] != b[e]:
            later[begin[k + 1]] = max(a[e], b[e])
            begin[k + 1] += 1
    return begin, later


@inner()
def list_columns(n: int, a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Entries below the diagonal of ``L`` for nodes eliminated in the order 0..n-1.

    Column k has the later neighbours of k and what is left of the columns whose first entry is k.

    Returns
    -------
    first, row : the entries of column k are ``row[first[k]:first[k + 1]]``, rising
    """
    begin, later = _list_later(n, a, b)
    head, after = np.empty(n, np.int64), np.empty(n, np.int64)
    first, mark = np.zeros(n + 1, np.int64), np.zeros(n, np.int64)
    for k in range(n):
        head[k] = -1
    row = np.empty(64 + 4 * a.shape[0], np.int64)
    for k in range(n):
        size, child = begin[k + 1] - begin[k], head[k]
        while child >= 0:
            size += first[child + 1] - first[child]
            child = after[child]
        at = first[k]
        if at + size > row.shape[0]:
            bigger = np.empty(2 * row.shape[0] + size, np.int64)
            for t in range(at):
                bigger[t] = row[t]
            row = bigger
        for t in range(begin[k], begin[k + 1]):
            at = _insert(row, first[k], at, later[t], mark, k)
        child = head[k]
        while child >= 0:
            for t in range(first[child] + 1, first[child + 1]):
                at = _insert(row, first[k], at, row[t], mark, k)
            child = after[child]
        first[k + 1] = at
        if at > first[k]:
            parent = row[first[k]]
            after[k], head[parent] = head[parent], k
    return first, row[: first[n]].copy()


@inner()
def _insert(row: Ints, lo: int, at: int, node: int, mark: Ints, k: int) -> int:
    """Put ``node`` into the rising list ``row[lo:at]`` unless it is there; returns the new end."""
    if mark[node] == k + 1:
        return at
    mark[node] = k + 1
    t = at
    while t > lo and row[t - 1] > node:
        row[t] = row[t - 1]
        t -= 1
    row[t] = node
    return at + 1


@inner()
def find_slot(first: Ints, row: Ints, i: int, j: int) -> int:
    """Where the entry of the pair ``i``, ``j`` of places stands in ``row``."""
    at: int = first[min(i, j)]
    while row[at] != max(i, j):
        at += 1
    return at


@inner()
def write_targets(first: Ints, row: Ints) -> Ints:
    """Slots that the products of the pairs of every column are taken from, in the order of the work."""
    n, total = first.shape[0] - 1, 0
    for k in range(n):
        size = first[k + 1] - first[k]
        total += size * (size - 1) // 2
    target = np.empty(total, np.int64)
    t = 0
    for k in range(n):
        for i in range(first[k], first[k + 1]):
            at = first[row[i]]
            for j in range(i + 1, first[k + 1]):
                while row[at] != row[j]:
                    at += 1
                target[t] = at
                t += 1
    return target
