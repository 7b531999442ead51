"""Cases with one cause: several of one station, or of stations behind one place of the network, in hours."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from app.domains.heating.complaints.case import HOUR_S, Case
from app.domains.heating.complaints.rules import Rules
from twin.model.county import County
from twin.model.network import HeatNetwork, Side

ONE_CAUSE = ("cold", "hot", "leak")
"""Kinds that can have a cause in common; cases of different kinds have none."""
HALF = 0.5
"""Part of the stations behind a place that must have cases before the place is thought to be the cause."""


@dataclass(frozen=True, slots=True)
class Branches:
    """The way of the water: ``ways`` station -> nodes from its source to it, ``pipes`` station -> ids of the
    pipes of both sides along it."""

    ways: dict[str, tuple[str, ...]]
    pipes: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that are one line: ``cases`` numbers, oldest first; ``kind`` of all; ``stations`` they come from;
    ``node`` of the network they have in common, empty for a single station."""

    kind: str
    cases: tuple[int, ...]
    stations: tuple[str, ...]
    node: str


def trace_branches(network: HeatNetwork) -> Branches:
    """Shortest ways over supply pipes from the sources that hold the pressure to every station; a station
    that none reaches has none."""
    pipes = [p for p in network.pipes if p.side is Side.SUPPLY]
    index, n = network.node_index, len(network.nodes)
    held = [s for s in network.sources if s.holds_pressure] or list(network.sources)
    starts = [index[s.node_id] for s in held if s.node_id in index]
    if not pipes or not starts:
        return Branches({}, {})
    shortest: dict[tuple[int, int], tuple[float, str]] = {}
    for p in pipes:
        a, b = sorted((index[p.from_node], index[p.to_node]))
        shortest[a, b] = min(shortest.get((a, b), (np.inf, "")), (max(p.length_m, 1e-3), p.pair_id))
    rows, columns = zip(*shortest, strict=True)
    graph = csr_array(([length for length, _ in shortest.values()], (rows, columns)), shape=(n, n))
    far, before, _ = dijkstra(graph, directed=False, indices=starts, return_predecessors=True, min_only=True)
    pairs: dict[str, list[str]] = defaultdict(list)
    for p in network.pipes:
        pairs[p.pair_id].append(p.id)
    ways, found = {}, {}
    for s in network.substations:
        at = index.get(s.node_id, -1)
        if at < 0 or not np.isfinite(far[at]):
            continue
        chain = [at]
        while before[chain[-1]] >= 0:
            chain.append(int(before[chain[-1]]))
        ways[s.id] = tuple(network.nodes[k].id for k in reversed(chain))
        steps = [tuple(sorted(ab)) for ab in pairwise(chain)]
        found[s.id] = tuple(i for a, b in steps for i in pairs[shortest[a, b][1]])
    return Branches(ways, found)


def group_cases(county: County, branches: Branches, cases: Sequence[Case], rules: Rules) -> list[Group]:
    """Groups of open cases, the largest first; a case stands in one group at most.

    A place of the network is taken for the cause when at least half of the stations behind it have cases of
    one kind within hours of each other; what is left is grouped by station.
    """
    home = {b.id: b.substation_id for b in county.buildings}
    groups: list[Group] = []
    for kind in ONE_CAUSE:
        mine = [c for c in cases if c.open and c.kind == kind and home.get(c.building)]
        by_station: dict[str, list[Case]] = defaultdict(list)
        for c in mine:
            by_station[home[c.building]].append(c)
        groups += _branch_groups(branches, by_station, kind, rules)
        for station, rest in by_station.items():
            for run in _runs(rest, rules):
                groups.append(Group(kind, tuple(c.no for c in run), (station,), ""))
    return sorted(groups, key=lambda g: (-len(g.cases), g.cases))


def _branch_groups(
    branches: Branches, by_station: dict[str, list[Case]], kind: str, rules: Rules
) -> list[Group]:
    """Groups over several stations; takes their cases out of ``by_station``."""
    groups = []
    for node, behind in _places(branches):
        touched = {s: by_station[s] for s in behind if by_station.get(s)}
        if len(touched) < 2 or len(touched) < HALF * len(behind):
            continue
        for run in _runs([c for found in touched.values() for c in found], rules):
            numbers = {c.no for c in run}
            stations = tuple(sorted(s for s, found in touched.items() if any(c.no in numbers for c in found)))
            if len(stations) < 2 or len(stations) < HALF * len(behind):
                continue
            groups.append(Group(kind, tuple(c.no for c in run), stations, node))
            for s in stations:
                by_station[s] = [c for c in by_station[s] if c.no not in numbers]
    return groups


def _places(branches: Branches) -> list[tuple[str, frozenset[str]]]:
    """Nodes with the stations behind them (two or more), the most stations first; of nodes with the same
    stations the last before them."""
    behind: dict[str, set[str]] = defaultdict(set)
    depth: dict[str, int] = {}
    for station, way in branches.ways.items():
        for k, node in enumerate(way):
            behind[node].add(station)
            depth[node] = k
    last: dict[frozenset[str], str] = {}
    for node in sorted(behind, key=lambda i: depth[i]):
        if len(behind[node]) > 1:
            last[frozenset(behind[node])] = node
    return sorted(((node, s) for s, node in last.items()), key=lambda x: (-len(x[1]), x[0]))


def _runs(cases: Iterable[Case], rules: Rules) -> list[list[Case]]:
    """Cases that follow each other within the hours of a group, where there are enough of them."""
    runs: list[list[Case]] = []
    for c in sorted(cases, key=lambda c: (c.received, c.no)):
        if runs and c.received - runs[-1][-1].received <= rules.group_h * HOUR_S:
            runs[-1].append(c)
        else:
            runs.append([c])
    return [r for r in runs if len(r) >= rules.group_least]
