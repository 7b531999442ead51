"""Tables of the primary network: pipes with their years, section valves, pumps."""

import numpy as np

from ingest.demo.county.frame import Frame
from ingest.demo.county.land import Land
from ingest.demo.county.stations import CP
from ingest.demo.county.trenches import BORES, ROUGHNESS_M, Sized, Trench
from twin.model.network import HeatNetwork, LonLat, Node, Pipe, Pump, Side, Source, Substation, Valve

U_W_M_K = (0.24, 0.26, 0.28, 0.31, 0.34, 0.37, 0.39, 0.41, 0.43, 0.45, 0.49, 0.53, 0.57)
P_RETURN_PA = 320_000.0
OPENED = 2009
"""First heating season of the network; nothing in the ground is older."""
RENEWED = (2019, 2024)
TRUNK_SPACING = 5
PUMP_C = 4.0e5
"""Loss of head of a source pump, Pa per (m³/s)²."""


def make_network(
    t: Trench, sized: Sized, frame: Frame, land: Land, sources: list[Source], stations: list[Substation],
    connected: list[int], rng: np.random.Generator,
) -> HeatNetwork:  # fmt: skip
    """A supply and a return pipe per trench, section valves at branches and loops.

    ``connected``: year in which each station was connected.
    """
    xy = np.array(t.at)
    z = land.height(xy[:, 0], xy[:, 1]) - 1.5
    nodes = []
    for j, (x, y) in enumerate(t.at):
        lon, lat = frame.lonlat(x, y)
        nodes.append(Node(f"N{j + 1:04d}", lon, lat, round(float(z[j]), 2), t.kind[j]))
    ends = {s.node_id: year for s, year in zip(stations, connected, strict=True)}
    years = _years(t, sized, [ends.get(n.id, 9999) for n in nodes], rng)
    pipes: list[Pipe] = []
    valves: list[Valve] = []
    degree = np.bincount(np.array([q for a, b, _ in t.edges for q in (a, b)]), minlength=len(t.at))
    for e, (one, other, kind) in enumerate(t.edges):
        turn = sized.parent[one] == other and sized.via[one] == e
        a, b = (other, one) if turn else (one, other)
        path = t.paths[e][::-1] if turn else t.paths[e]
        pair = _pair(e, nodes[a], nodes[b], path, t.length_m(e), sized.bore[e], years[e], frame, rng)
        pipes += pair
        if _has_valve(kind, int(degree[a]), e):
            valves += [_valve(len(valves) + k + 1, pipe) for k, pipe in enumerate(pair)]
    return HeatNetwork(
        tuple(nodes),
        tuple(pipes),
        tuple(valves),
        tuple(_pumps(sources, stations)),
        tuple(sources),
        tuple(stations),
    )


def _has_valve(kind: str, degree: int, e: int) -> bool:
    """At every fork (CJJ/T 34: where branches leave), and along a trunk at least every fifth pipe."""
    return degree >= 3 or (kind == "trunk" and e % TRUNK_SPACING == 2)


def _valve(no: int, pipe: Pipe) -> Valve:
    (x0, y0), (x1, y1) = pipe.path[0], pipe.path[1]
    share = 0.25
    at = round(x0 + share * (x1 - x0), 7), round(y0 + share * (y1 - y0), 7)
    return Valve(f"V{no:03d}", pipe.id, "section", round(2.2e4 * pipe.diameter_m**2, 1), 1.0, *at)


def _pumps(sources: list[Source], stations: list[Substation]) -> list[Pump]:
    """Source pumps reach an eighth above the design head at design flow; station pumps 16 m."""
    out = []
    for s in sources:
        flow_m3_s = s.capacity_w / (CP * (s.t_supply_design_c - s.t_return_design_c)) / 970.0
        dp0 = 1.12 * (s.p_supply_pa - s.p_return_pa) + PUMP_C * flow_m3_s**2
        out.append(
            Pump(
                f"CP-{s.id}", s.id, "circulation", round(dp0), PUMP_C, 1.0, 1.6e6 if s.kind == "chp" else 3e5
            )
        )
    for st in stations:
        curve = round(8.0e4 / max(st.secondary_flow_kg_s / 985.0, 1e-3) ** 2)
        out.append(Pump(f"CP-{st.id}", st.id, "circulation", 2.4e5, curve, 1.0, 45_000.0))
    return out


def _years(t: Trench, sized: Sized, station_year: list[int], rng: np.random.Generator) -> list[int]:
    """A trench is as old as the first station behind it; ties came later, some old ones were renewed."""
    first = list(station_year)
    for u in range(len(t.at)):
        v = u
        while sized.parent[v] >= 0:
            v = sized.parent[v]
            first[v] = min(first[v], station_year[u])
    out = []
    for e, (a, b, kind) in enumerate(t.edges):
        child = b if sized.via[b] == e else a if sized.via[a] == e else -1
        year = first[child] if child >= 0 and first[child] < 9999 else OPENED + 4 + (e * 7) % 9
        if kind != "branch" and year < OPENED + 4 and (e // 5) % 6 == 0:
            year = int(rng.integers(*RENEWED))
        out.append(year)
    return out


def _pair(
    e: int, a: Node, b: Node, path: list[tuple[float, float]], length_m: float, bore: int, year: int,
    frame: Frame, rng: np.random.Generator,
) -> list[Pipe]:  # fmt: skip
    length = round(length_m, 2)
    depth = round(float(rng.uniform(1.2, 1.8)), 2)
    line: tuple[LonLat, ...] = ((a.lon, a.lat), *frame.path(path[1:-1]), (b.lon, b.lat))
    return [
        Pipe(
            f"P{e + 1:04d}{side.value[0].upper()}", f"P{e + 1:04d}", side, a.id, b.id, length, BORES[bore], ROUGHNESS_M,
            U_W_M_K[bore], round(1.0 + length / 120.0, 2), depth, year, line,
        )
        for side in (Side.SUPPLY, Side.RETURN)
    ]  # fmt: skip
