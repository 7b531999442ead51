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
    index = network.node_index
    held = [s for s in network.sources if s.holds_pressure] or list(network.sources)
    pipes = [p for p in network.pipes if p.side is Side.SUPPLY]
    nothing = "", np.empty(0, np.int64), np.empty(0)
    if target_node not in index or not held or not pipes:
        return nothing
    n = len(network.nodes)
    a = np.array([index[p.from_node] for p in pipes])
    b = np.array([index[p.to_node] for p in pipes])
    length = np.array([max(p.length_m, 1e-3) for p in pipes])
    order = np.argsort(length)[::-1]  # of parallel pipes the shortest is written last
    table = {(int(a[k]), int(b[k])): float(length[k]) for k in order}
    rows, columns = zip(*table, strict=True)
    graph = csr_array((list(table.values()), (rows, columns)), shape=(n, n))
    start = index[target_node]
    table_far, table_before = dijkstra(graph, directed=False, indices=[start], return_predecessors=True)
    far, before = table_far[0], table_before[0]
    source = min(held, key=lambda s: far[index[s.node_id]])
    at = index[source.node_id]
    if not np.isfinite(far[at]):
        return nothing
    path = [at]
    while path[-1] != start:
        path.append(int(before[path[-1]]))
    return source.id, np.array(path, np.int64), far[at] - far[np.array(path)]


def make_profile(network: HeatNetwork, state: NetworkState, target_node: str) -> Profile:
    """Heads and temperatures of the newest simulated state along :func:`trace_path`; empty without a path."""
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
