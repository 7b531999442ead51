"""Along the pipes from a source to a place: the pressure diagram (水压图) that heat engineers read first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from ingest.store.api import NetworkState
from twin.model.network import HeatNetwork, Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PA_PER_M_WATER = 9806.65
"""One metre of water column, as pressures are drawn in this diagram."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What stands at each node of a path, (n,) from the source on.

    ``distance_m`` along the pipes, ``ground_m`` above sea level, heads in m above sea level (elevation plus
    gauge pressure as a column of water), temperatures in °C; NaN where the twin has no answer.
    """

    source_id: str
    node: Ints
    distance_m: Floats
    ground_m: Floats
    supply_head_m: Floats
    return_head_m: Floats
    t_supply_c: Floats
    t_return_c: Floats


def trace_path(network: HeatNetwork, target_node: str) -> tuple[str, Ints, Floats]:
    """Shortest way over supply pipes from the nearest source that holds the pressure.

    Returns
    -------
    source id, (n,) node numbers from the source to the target, (n,) distance from the source in m;
    "" and empty arrays when no pipe joins the target to such a source
    """
    held = [s for s in network.sources if s.holds_pressure] or list(network.sources)
    found = _walk(network, target_node, [s.node_id for s in held])
    if found is None:
        return "", np.empty(0, np.int64), np.empty(0)
    return held[found[0]].id, found[1], found[2]


def trace_between(network: HeatNetwork, start_node: str, end_node: str) -> tuple[Ints, Floats]:
    """Shortest way over supply pipes between any two nodes: (n,) node numbers, (n,) distance from the first
    in m; empty arrays when no pipe joins them."""
    found = _walk(network, end_node, [start_node])
    return (np.empty(0, np.int64), np.empty(0)) if found is None else found[1:]


def _walk(network: HeatNetwork, end: str, starts: list[str]) -> tuple[int, Ints, Floats] | None:
    """Which of ``starts`` is nearest to ``end``, the nodes from there, and their distance from it."""
    index = network.node_index
    pipes = [p for p in network.pipes if p.side is Side.SUPPLY]
    if end not in index or not starts or not pipes or any(s not in index for s in starts):
        return None
    n = len(network.nodes)
    a = np.array([index[p.from_node] for p in pipes])
    b = np.array([index[p.to_node] for p in pipes])
    length = np.array([max(p.length_m, 1e-3) for p in pipes])
    order = np.argsort(length)[::-1]  # of parallel pipes the shortest is written last
    table = {(int(a[k]), int(b[k])): float(length[k]) for k in order}
    rows, columns = zip(*table, strict=True)
    graph = csr_array((list(table.values()), (rows, columns)), shape=(n, n))
    last = index[end]
    table_far, table_before = dijkstra(graph, directed=False, indices=[last], return_predecessors=True)
    far, before = table_far[0], table_before[0]
    best = int(np.argmin([far[index[s]] for s in starts]))
    at = index[starts[best]]
    if not np.isfinite(far[at]):
        return None
    path = [at]
    while path[-1] != last:
        path.append(int(before[path[-1]]))
    return best, np.array(path, np.int64), far[at] - far[np.array(path)]


def make_profile(
    network: HeatNetwork, state: NetworkState, target_node: str, start_node: str = ""
) -> Profile:
    """Heads and temperatures of a simulated state along :func:`trace_path`, or from ``start_node`` along
    :func:`trace_between`; empty without a path."""
    if start_node:
        source_id = ""
        node, distance = trace_between(network, start_node, target_node)
    else:
        source_id, node, distance = trace_path(network, target_node)
    ground = np.array([network.nodes[int(i)].elevation_m for i in node])
    return Profile(
        source_id=source_id,
        node=node,
        distance_m=distance,
        ground_m=ground,
        supply_head_m=ground + state.p_supply_pa[node] / PA_PER_M_WATER,
        return_head_m=ground + state.p_return_pa[node] / PA_PER_M_WATER,
        t_supply_c=state.t_supply_c[node],
        t_return_c=state.t_return_c[node],
    )
