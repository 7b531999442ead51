"""The primary network: trenches along the streets, loops, sizes by flow, pipes and valves."""

import itertools
from dataclasses import dataclass, field

import numpy as np

from ingest.demo.county.frame import Frame
from ingest.demo.county.land import Land
from ingest.demo.county.plan import CROSS, Plan, Point
from twin.model.network import HeatNetwork, LonLat, Node, Pipe, Pump, Side, Source, Substation, Valve

# inner diameters of common steel pipe (outer x wall, mm), m: DN100 ... DN800
BORES = (0.100, 0.125, 0.150, 0.207, 0.259, 0.309, 0.359, 0.408, 0.462, 0.514, 0.616, 0.706, 0.804)
U_W_M_K = (0.24, 0.26, 0.28, 0.31, 0.34, 0.37, 0.39, 0.41, 0.43, 0.45, 0.49, 0.53, 0.57)
ROUGHNESS_M = 0.0005
TRUNK_PA_M, MAIN_PA_M, BRANCH_PA_M = 20.0, 22.0, 80.0
CHAMBER_EVERY_M = 165.0
MAIN_AVENUES = (0, 1, 2, 3)
LOOP_STREETS = (2, 4, 6, 8, 10, 12, 14, 16, 18)
P_RETURN_PA = 320_000.0


@dataclass
class Trench:
    """A graph of chambers: positions, edges (a, b, kind), where kind is trunk, main or branch."""

    at: list[Point] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    edges: list[tuple[int, int, str]] = field(default_factory=list)
    known: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, p: Point, kind: str = "chamber") -> int:
        """A node; one per metre of ground."""
        key = (round(p[0]), round(p[1]))
        if key not in self.known:
            self.known[key] = len(self.at)
            self.at.append(p)
            self.kind.append(kind)
        return self.known[key]

    def lay(self, line: list[Point], kind: str) -> list[int]:
        """Lay a trench with chambers along ``line``; returns its nodes."""
        nodes = [self.add(line[0])]
        for (x0, y0), (x1, y1) in itertools.pairwise(line):
            n = max(1, round(float(np.hypot(x1 - x0, y1 - y0)) / CHAMBER_EVERY_M))
            for j in range(1, n + 1):
                node = self.add((x0 + (x1 - x0) * j / n, y0 + (y1 - y0) * j / n))
                if node != nodes[-1]:
                    self.edges.append((nodes[-1], node, kind))
                    nodes.append(node)
        return nodes


def lay_trenches(
    plan: Plan, stations: list[tuple[int, int]], chp: Point, boiler: Point
) -> tuple[Trench, list[int], int, int]:
    """All trenches; returns them with station nodes, and the nodes of CHP and boiler.

    The trunk comes from the CHP in the west; two avenues carry the town, tied by cross streets (loops);
    compounds off the two avenues are fed through their nearest cross street.
    """
    t = Trench()
    source = t.add(chp, "source")
    first = plan.corner(0, 1)
    land = plan.land
    xs = np.linspace(chp[0], first[0], 9)
    way = [chp] + [(float(x), float(land.valley_y(x) + 110.0)) for x in xs[1:-2]] + [first]
    t.lay(way, "trunk")
    for k in MAIN_AVENUES:
        t.lay([_off(plan, i, k) for i in range(CROSS)], "main")
    for i in (0, *LOOP_STREETS, CROSS - 1):
        t.lay([_off(plan, i, k) for k in MAIN_AVENUES], "main")
    t.edges.append((t.add(first), t.add(_off(plan, 0, 1)), "trunk"))
    second = t.lay([boiler, _off(plan, CROSS - 1, 2)], "main")[0]
    t.kind[second] = "source"
    ends = [_branch(t, plan, i, k) for i, k in stations]
    return t, ends, source, second


def _off(plan: Plan, i: int, k: int) -> Point:
    """Pipes lie under the southern lane, a few metres off the street's middle."""
    x, y = plan.corner(i, k)
    return x + 5.0, y - 6.0


def _branch(t: Trench, plan: Plan, i: int, k: int) -> int:
    """From the nearest main avenue along the western street of the block to its station."""
    ring = plan.block_ring(i, k, 10.0)
    low = k if k in MAIN_AVENUES else k + 1
    start = _off(plan, i, low)
    corner = ring[0] if low == k else ring[3]
    street = (start[0], corner[1])
    (x0, y0), (x1, y1) = ring[0], ring[2]
    inside = (x0 + 0.16 * (x1 - x0), corner[1] + (0.20 if low == k else -0.20) * (y1 - y0))
    nodes = t.lay([start, street, (inside[0], street[1]), inside], "branch")
    t.kind[nodes[-1]] = "substation"
    return nodes[-1]


@dataclass(frozen=True, slots=True)
class Sized:
    """Sizes of every trench and an estimate of the design state."""

    bore: list[int]
    flow_kg_s: list[float]
    dp_supply_pa: list[float]
    parent: list[int]


def size_trenches(t: Trench, source: int, ends: list[int], design_kg_s: list[float]) -> Sized:
    """Shortest-path tree from the CHP carries the design flows; loop ties get their neighbours' size."""
    n = len(t.at)
    length = [float(np.hypot(t.at[a][0] - t.at[b][0], t.at[a][1] - t.at[b][1])) for a, b, _ in t.edges]
    near: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for e, (a, b, _) in enumerate(t.edges):
        near[a].append((b, e))
        near[b].append((a, e))
    parent, via, far = [-1] * n, [-1] * n, [float("inf")] * n
    far[source] = 0.0
    todo = {source}
    order: list[int] = []
    while todo:
        u = min(todo, key=lambda q: (far[q], q))
        todo.discard(u)
        order.append(u)
        for v, e in near[u]:
            if far[u] + length[e] < far[v] - 1e-9:
                far[v], parent[v], via[v] = far[u] + length[e], u, e
                todo.add(v)
    flow = [0.0] * n
    for end, m in zip(ends, design_kg_s, strict=True):
        flow[end] += m
    for u in reversed(order):
        if parent[u] >= 0:
            flow[parent[u]] += flow[u]
    bore, carried = [0] * len(t.edges), [0.0] * len(t.edges)
    for e, (a, b, kind) in enumerate(t.edges):
        child = b if via[b] == e else a if via[a] == e else -1
        carried[e] = flow[child] if child >= 0 else 0.0
        aim = {"trunk": TRUNK_PA_M, "main": MAIN_PA_M, "branch": BRANCH_PA_M}[kind]
        m = max(carried[e], 100.0 if kind == "main" else 1.0)
        bore[e] = next((j for j, d in enumerate(BORES) if _slope(m, d) <= aim), len(BORES) - 1)
    drop = [0.0] * n
    for u in order[1:]:
        e = via[u]
        drop[u] = drop[parent[u]] + _slope(carried[e], BORES[bore[e]]) * length[e] * 1.25
    return Sized(bore, carried, drop, parent)


def _slope(m_kg_s: float, d_m: float) -> float:
    """Pa/m at 970 kg/m³ and a rough-pipe friction factor (Nikuradse)."""
    f = (1.14 - 2 * np.log10(ROUGHNESS_M / d_m)) ** -2
    return float(f / d_m * m_kg_s**2 / (2 * 970.0 * (np.pi / 4 * d_m**2) ** 2))


def make_network(
    t: Trench, sized: Sized, frame: Frame, land: Land, sources: list[Source], stations: list[Substation],
    rng: np.random.Generator,
) -> HeatNetwork:  # fmt: skip
    """Tables of the network: a supply and a return pipe per trench, section valves at branches and loops."""
    xy = np.array(t.at)
    z = land.height(xy[:, 0], xy[:, 1]) - 1.5
    nodes = []
    for j, (x, y) in enumerate(t.at):
        lon, lat = frame.lonlat(x, y)
        nodes.append(Node(f"N{j + 1:04d}", lon, lat, round(float(z[j]), 2), t.kind[j]))
    pipes: list[Pipe] = []
    valves: list[Valve] = []
    degree = np.bincount(np.array([q for a, b, _ in t.edges for q in (a, b)]), minlength=len(t.at))
    for e, (one, other, kind) in enumerate(t.edges):
        a, b = (other, one) if sized.parent[one] == other else (one, other)
        pipes += _pair(e, nodes[a], nodes[b], t.at[a], t.at[b], sized.bore[e], kind, frame, rng)
        if (degree[a] >= 3 and (kind == "branch" or e % 3 == 0)) or (kind == "trunk" and e % 9 == 4):
            for pipe in pipes[-2:]:
                valves.append(
                    Valve(
                        f"V{len(valves) + 1:03d}",
                        pipe.id,
                        "section",
                        round(2.2e4 * pipe.diameter_m**2, 1),
                        1.0,
                        *_near(pipe.path),
                    )
                )
    pumps = [
        Pump(
            f"CP-{s.id}",
            s.id,
            "circulation",
            round(1.3 * (s.p_supply_pa - s.p_return_pa)),
            4.0e5,
            1.0,
            1.6e6 if s.kind == "chp" else 3e5,
        )
        for s in sources
    ] + [
        Pump(
            f"CP-{s.id}",
            s.id,
            "circulation",
            2.4e5,
            round(8.0e4 / max(s.secondary_flow_kg_s / 985.0, 1e-3) ** 2),
            1.0,
            45_000.0,
        )
        for s in stations
    ]
    return HeatNetwork(
        tuple(nodes), tuple(pipes), tuple(valves), tuple(pumps), tuple(sources), tuple(stations)
    )


def _near(path: tuple[LonLat, ...]) -> LonLat:
    (x0, y0), (x1, y1) = path[0], path[-1]
    return round(x0 + 0.08 * (x1 - x0), 7), round(y0 + 0.08 * (y1 - y0), 7)


def _pair(
    e: int,
    a: Node,
    b: Node,
    pa: Point,
    pb: Point,
    bore: int,
    kind: str,
    frame: Frame,
    rng: np.random.Generator,
) -> list[Pipe]:
    length = round(float(np.hypot(pb[0] - pa[0], pb[1] - pa[1])), 2)
    year = int({"trunk": 2015, "main": 2009, "branch": 2006}[kind] + rng.integers(-4, 9))
    depth = round(float(rng.uniform(1.2, 1.8)), 2)
    path = ((a.lon, a.lat), (b.lon, b.lat))
    return [
        Pipe(
            f"P{e + 1:04d}{side.value[0].upper()}", f"P{e + 1:04d}", side, a.id, b.id, length, BORES[bore], ROUGHNESS_M,
            U_W_M_K[bore], round(1.0 + length / 120.0, 2), depth, year, path,
        )
        for side in (Side.SUPPLY, Side.RETURN)
    ]  # fmt: skip
