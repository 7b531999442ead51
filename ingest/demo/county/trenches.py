"""Trenches of the primary network: along the streets, looped in the town, sized by the design flows."""

import heapq
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from shapely.geometry import LineString, MultiLineString
from shapely.geometry import Point as Dot
from shapely.ops import linemerge, substring, unary_union
from shapely.strtree import STRtree

from ingest.demo.county.streets import Point, Street

# inner diameters of common steel pipe (outer x wall, mm), m: DN100 ... DN800
BORES = (0.100, 0.125, 0.150, 0.207, 0.259, 0.309, 0.359, 0.408, 0.462, 0.514, 0.616, 0.706, 0.804)
ROUGHNESS_M = 0.0005
AIM_PA_M = {"trunk": 26.0, "main": 24.0, "branch": 80.0}
TIE_KG_S = 25.0
"""Every street main can carry this much: enough to keep a quarter warm from its other end."""
SECOND_SHARE = 0.3
"""Share of the design flow that the second source can send into the network."""
CHAMBER_EVERY_M = 165.0
TRENCH_M = 60_000.0
ASIDE = (4.0, -5.0)
"""Pipes lie beside the middle of the street."""
_COST = {"main": 1.0, "secondary": 1.05, "county": 1.1, "local": 1.5, "link": 1.0}

Key = tuple[int, int]


@dataclass
class Trench:
    """A graph of chambers: positions, kinds, edges (a, b, kind) and the line of each edge."""

    at: list[Point] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    edges: list[tuple[int, int, str]] = field(default_factory=list)
    paths: list[list[Point]] = field(default_factory=list)
    known: dict[Key, int] = field(default_factory=dict)

    def add(self, p: Point, kind: str = "chamber") -> int:
        """A node; one per place."""
        key = _key(p)
        if key not in self.known:
            self.known[key] = len(self.at)
            self.at.append((p[0] + ASIDE[0], p[1] + ASIDE[1]))
            self.kind.append(kind)
        return self.known[key]

    def lay(self, line: LineString, kind: str) -> None:
        """Lay a trench along ``line`` with a chamber about every 165 m."""
        n = max(1, round(line.length / CHAMBER_EVERY_M))
        for j in range(n):
            part = substring(line, j / n, (j + 1) / n, normalized=True)
            path = [(float(x), float(y)) for x, y in part.coords]
            self.edges.append((self.add(path[0]), self.add(path[-1]), kind))
            self.paths.append([(x + ASIDE[0], y + ASIDE[1]) for x, y in path])

    def length_m(self, e: int) -> float:
        """Length of edge ``e``."""
        return float(LineString(self.paths[e]).length)


def _key(p: Point) -> Key:
    return round(2 * p[0]), round(2 * p[1])


def lay_trenches(
    streets: list[Street], stations: list[Point], chp: Point, boiler: Point
) -> tuple[Trench, list[int], int, int]:
    """All trenches; returns them with the nodes of the stations, of the CHP and of the boiler.

    The shortest ways from the CHP to every station are taken first; then street mains close loops until the
    trenches are as long as wanted.
    """
    usable = [s for s in streets if s.kind in ("main", "secondary", "local", "county")]
    links = [_link(p, usable) for p in [chp, boiler, *stations]]
    pieces = _pieces(usable, links)
    ends = [_key((x, y)) for x, y in [chp, boiler, *stations]]
    chosen = _ways(pieces, ends)
    _close_loops(pieces, chosen, set(ends))
    t = Trench()
    merged = linemerge(MultiLineString([pieces[i].line for i in sorted(chosen)]))
    shapes = [s.shape for s in usable]
    tree = STRtree(shapes)
    branch = {_key(line.coords[0]) for line in links[2:]}
    for line in sorted(getattr(merged, "geoms", [merged]), key=lambda g: (g.coords[0], g.coords[-1])):
        tips = {_key(line.coords[0]), _key(line.coords[-1])}
        middle = line.interpolate(0.5, normalized=True)
        near = usable[int(tree.nearest(middle))]
        kind = (
            "branch"
            if tips & branch
            else "trunk"
            if near.name in ("工业大道", "电厂路") or tips & {ends[0]}
            else "main"
        )
        t.lay(line, kind)
    nodes = [t.known[k] for k in ends]
    for n, kind in zip(nodes, ["source", "source", *["substation"] * len(stations)], strict=True):
        t.kind[n] = kind
    return t, nodes[2:], nodes[0], nodes[1]


def _link(p: Point, streets: list[Street]) -> LineString:
    """From a place to the next street, a little across it; quarter streets cost a detour."""
    here = Dot(p)
    best = min(streets, key=lambda s: s.shape.distance(here) + (70.0 if s.kind == "local" else 0.0))
    q = best.shape.interpolate(best.shape.project(here))
    reach = 1.0 + 0.6 / max(here.distance(q), 1.0)
    return LineString([p, (p[0] + (q.x - p[0]) * reach, p[1] + (q.y - p[1]) * reach)])


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of street between two crossings."""

    a: Key
    b: Key
    line: LineString
    street: str
    kind: str


def _pieces(streets: list[Street], links: list[LineString]) -> list[_Piece]:
    noded = unary_union([*[s.shape for s in streets], *links])
    tree = STRtree([s.shape for s in streets])
    out = []
    for line in sorted(noded.geoms, key=lambda g: (g.coords[0], g.coords[-1])):
        middle = line.interpolate(0.5, normalized=True)
        near = streets[int(tree.nearest(middle))]
        on = near.shape.distance(middle) < 0.3
        a, b = _key(line.coords[0]), _key(line.coords[-1])
        if a != b:
            out.append(_Piece(a, b, line, near.name if on else "", near.kind if on else "link"))
    return out


def _ways(pieces: list[_Piece], ends: list[Key]) -> set[int]:
    """Pieces on the cheapest ways from the first end to the others."""
    near: dict[Key, list[tuple[Key, int]]] = defaultdict(list)
    for i, p in enumerate(pieces):
        near[p.a].append((p.b, i))
        near[p.b].append((p.a, i))
    far, via = {ends[0]: 0.0}, dict[Key, tuple[Key, int]]()
    heap = [(0.0, ends[0])]
    while heap:
        d, u = heapq.heappop(heap)
        if d > far[u]:
            continue
        for v, i in near[u]:
            cost = d + pieces[i].line.length * _COST[pieces[i].kind]
            if cost < far.get(v, np.inf) - 1e-9:
                far[v], via[v] = cost, (u, i)
                heapq.heappush(heap, (cost, v))
    chosen: set[int] = set()
    for end in ends[1:]:
        u = end
        while u != ends[0]:
            u, i = via[u]
            chosen.add(i)
    return chosen


def _close_loops(pieces: list[_Piece], chosen: set[int], ends: set[Key]) -> None:
    """Pipes in every street, then without the least of them until the trenches are as long as wanted."""
    rank = {"local": 0, "county": 1, "secondary": 2, "main": 3}
    by_street: dict[tuple[int, str], set[int]] = defaultdict(set)
    for i, p in enumerate(pieces):
        if p.kind in rank:
            by_street[rank[p.kind], p.street].add(i)
    ways = set(chosen)
    left = _prune(pieces, ways | set().union(*by_street.values()), ends)
    for _, ids in sorted(by_street.items()):
        excess = sum(pieces[i].line.length for i in left) - TRENCH_M
        if excess <= 0.0:
            break
        fewer = _prune(pieces, ways | (left - ids), ends)
        if sum(pieces[i].line.length for i in fewer) > TRENCH_M - 2_500.0:
            left = fewer
    chosen |= left


def _prune(pieces: list[_Piece], chosen: set[int], ends: set[Key]) -> set[int]:
    """Without blind ends."""
    left = set(chosen)
    while True:
        degree: dict[Key, int] = defaultdict(int)
        for i in left:
            degree[pieces[i].a] += 1
            degree[pieces[i].b] += 1
        blind = {
            i for i in left
            if any(degree[k] == 1 and k not in ends for k in (pieces[i].a, pieces[i].b))
        }  # fmt: skip
        if not blind:
            return left
        left -= blind


@dataclass(frozen=True, slots=True)
class Sized:
    """Sizes of every trench and an estimate of the design state."""

    bore: list[int]
    flow_kg_s: list[float]
    dp_supply_pa: list[float]
    parent: list[int]
    via: list[int]


def size_trenches(t: Trench, source: int, second: int, ends: list[int], design_kg_s: list[float]) -> Sized:
    """Shortest-path tree from the CHP carries the design flows; loop ties get a least size.

    The way to the ``second`` source takes what that sends against the stream.
    """
    n = len(t.at)
    length = [t.length_m(e) for e in range(len(t.edges))]
    near: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for e, (a, b, _) in enumerate(t.edges):
        near[a].append((b, e))
        near[b].append((a, e))
    parent, via, far = [-1] * n, [-1] * n, [float("inf")] * n
    far[source] = 0.0
    heap, order, done = [(0.0, source)], [], set[int]()
    while heap:
        _, u = heapq.heappop(heap)
        if u in done:
            continue
        done.add(u)
        order.append(u)
        for v, e in near[u]:
            if far[u] + length[e] < far[v] - 1e-9:
                far[v], parent[v], via[v] = far[u] + length[e], u, e
                heapq.heappush(heap, (far[v], v))
    flow = [0.0] * n
    for end, m in zip(ends, design_kg_s, strict=True):
        flow[end] += m
    for u in reversed(order):
        if parent[u] >= 0:
            flow[parent[u]] += flow[u]
    against: dict[int, float] = {}
    u = second
    while parent[u] >= 0:
        against[via[u]] = SECOND_SHARE * sum(design_kg_s)
        u = parent[u]
    bore, carried = [0] * len(t.edges), [0.0] * len(t.edges)
    for e, (a, b, kind) in enumerate(t.edges):
        child = b if via[b] == e else a if via[a] == e else -1
        carried[e] = flow[child] if child >= 0 else 0.0
        m = max(carried[e], TIE_KG_S if kind != "branch" else 1.0, against.get(e, 0.0))
        bore[e] = next((j for j, d in enumerate(BORES) if _slope(m, d) <= AIM_PA_M[kind]), len(BORES) - 1)
    drop = [0.0] * n
    for u in order[1:]:
        e = via[u]
        drop[u] = drop[parent[u]] + _slope(carried[e], BORES[bore[e]]) * length[e] * 1.25
    return Sized(bore, carried, drop, parent, via)


def _slope(m_kg_s: float, d_m: float) -> float:
    """Pa/m at 970 kg/m³ and a rough-pipe friction factor (Nikuradse)."""
    f = (1.14 - 2 * np.log10(ROUGHNESS_M / d_m)) ** -2
    return float(f / d_m * m_kg_s**2 / (2 * 970.0 * (np.pi / 4 * d_m**2) ** 2))
