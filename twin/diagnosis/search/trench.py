"""Where a crew can get at the pipes: trench sections (a supply and a return pipe) between chambers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from twin.heat import CompiledNetwork
from twin.model.network import Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ALONG = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
"""Where a leak may sit along its pipe."""


@dataclass(frozen=True, slots=True, eq=False)
class Trench:
    """Sections (n_pair,) of a network: ``pair_ids``; ``supply``, ``back`` pipe numbers; ``ends`` (n_pair, 2)
    nodes of the supply pipe from -> to; ``turned`` where the return pipe is drawn the other way;
    ``length_m``; ``valve_end`` 0 or 1: at which end both pipes can be shut, -1: at none. ``pair_of``
    (n_pipe,); ``middle`` (n_pipe, 2) m east and north. ``number``: pair id -> place in the table."""

    pair_ids: tuple[str, ...]
    supply: Ints
    back: Ints
    ends: Ints
    turned: Bools
    length_m: Floats
    valve_end: Ints
    pair_of: Ints
    middle: Floats
    number: dict[str, int]


def compile_trench(net: CompiledNetwork) -> Trench:
    """Find the sections of a network; a pipe without its partner is none."""
    pipes = net.network.pipes
    sides: dict[str, dict[Side, int]] = {}
    for k, p in enumerate(pipes):
        sides.setdefault(p.pair_id, {})[p.side] = k
    whole = {i: s for i, s in sides.items() if len(s) == 2}
    ids = tuple(whole)
    supply = np.array([whole[i][Side.SUPPLY] for i in ids], np.int64)
    back = np.array([whole[i][Side.RETURN] for i in ids], np.int64)
    ends = np.stack([net.start[supply], net.end[supply]], axis=1) if ids else np.empty((0, 2), np.int64)
    pair_of = np.full(net.n_pipe, -1)
    pair_of[supply] = pair_of[back] = np.arange(len(ids))
    return Trench(
        ids, supply, back, ends, net.start[back] % net.n_node != ends[:, 0], net.length_m[supply],
        _find_valves(net, supply, back, ends), pair_of, _middles(net), {i: n for n, i in enumerate(ids)},
    )  # fmt: skip


def _plane(net: CompiledNetwork) -> Floats:
    """(n_node, 2) m east and north of the first node."""
    nodes = net.network.nodes
    at = np.array([(n.lon, n.lat) for n in nodes]).reshape(-1, 2)
    shrink = np.cos(np.radians(at[:, 1].mean())) if len(at) else 1.0
    out: Floats = (at - at[:1]) * 111_320.0 * np.array([shrink, 1.0])
    return out


def _middles(net: CompiledNetwork) -> Floats:
    at = _plane(net)
    out: Floats = 0.5 * (at[net.start % net.n_node] + at[net.end % net.n_node])
    return out


def _find_valves(net: CompiledNetwork, supply: Ints, back: Ints, ends: Ints) -> Ints:
    """The end whose chamber holds a section valve of both pipes."""
    at = _plane(net)
    nodes = net.network.nodes
    shrink = np.cos(np.radians(np.mean([n.lat for n in nodes]))) if nodes else 1.0
    place: dict[str, tuple[float, float]] = {}
    for v in net.network.valves:
        if v.kind == "section":
            place[v.pipe_id] = (
                (v.lon - nodes[0].lon) * 111_320.0 * shrink, (v.lat - nodes[0].lat) * 111_320.0
            )  # fmt: skip
    ids = [p.id for p in net.network.pipes]
    out = np.full(len(supply), -1)
    for n, (s, r) in enumerate(zip(supply, back, strict=True)):
        if ids[s] in place and ids[r] in place:
            away = np.hypot(*(at[ends[n]] - np.array(place[ids[s]])).T)
            out[n] = int(np.argmin(away))
    return out


def _graph(net: CompiledNetwork, trench: Trench, without: tuple[int, ...] = ()) -> csr_array:
    keep = ~np.isin(np.arange(len(trench.pair_ids)), without)
    a, b = trench.ends[keep].T
    # of two sections between the same chambers the shorter one counts
    order = np.argsort(-trench.length_m[keep], kind="stable")
    table: dict[tuple[int, int], float] = {}
    for i in order:
        table[(min(a[i], b[i]), max(a[i], b[i]))] = max(float(trench.length_m[keep][i]), 1e-3)
    rows = np.array(list(table), np.int64).reshape(-1, 2)
    return csr_array((list(table.values()), (rows[:, 0], rows[:, 1])), shape=(net.n_node, net.n_node))


def find_cut(net: CompiledNetwork, trench: Trench, pairs: tuple[int, ...]) -> Bools:
    """(n_node,) chambers that reach no source any more when these sections are shut; none in a loop."""
    _, part = connected_components(_graph(net, trench, pairs), directed=False)
    fed = np.zeros(part.max() + 1, bool)
    fed[part[net.source_node]] = True
    mine = part[trench.ends[list(pairs)]]
    out: Bools = ~fed[part] & np.isin(part, mine)
    return out


def walk_trench(net: CompiledNetwork, trench: Trench, nodes: Ints, limit_m: float) -> Floats:
    """Metres of trench from chambers ``nodes`` to five places along every pipe: (n, n_pipe, 5); infinite
    beyond ``limit_m`` from its ends."""
    away = dijkstra(_graph(net, trench), directed=False, indices=nodes, limit=limit_m)
    away = np.atleast_2d(away)
    a, b = away[:, net.start % net.n_node], away[:, net.end % net.n_node]
    length = net.length_m[:, None]
    out: Floats = np.minimum(a[:, :, None] + ALONG * length, b[:, :, None] + (1.0 - ALONG) * length)
    return out
