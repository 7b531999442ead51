"""Checks of the heat network: references, drawn shape against nodes, pairs, islands."""

from collections.abc import Iterable
from itertools import pairwise
from math import hypot, isfinite

from twin.model.check_table import CheckLimits
from twin.model.findings import Finding, make_finding
from twin.model.network import HeatNetwork, LonLat, Node, Pipe, Side
from twin.model.plane import Plane


def check_network(network: HeatNetwork, plane: Plane, limits: CheckLimits) -> Iterable[Finding]:
    """Yield the findings of ``network``; positions are measured on ``plane``."""
    nodes = {n.id: n for n in network.nodes}
    for pipe in network.pipes:
        yield from _check_pipe(pipe, nodes, plane, limits)
    yield from _check_pairs(network.pipes)
    yield from _check_valves(network, plane, limits)
    places = {s.id for s in network.sources} | {s.id for s in network.substations}
    for pump in network.pumps:
        if pump.place_id not in places:
            yield make_finding("pumps", pump.id, "unknown_place", field="place_id", ref=pump.place_id)
    yield from _check_sources(network, nodes)
    for s in network.substations:
        if s.node_id not in nodes:
            yield make_finding("substations", s.id, "unknown_node", field="node_id", ref=s.node_id)
    yield from _check_islands(network)


def _check_pipe(pipe: Pipe, nodes: dict[str, Node], plane: Plane, limits: CheckLimits) -> Iterable[Finding]:
    for field in ("from_node", "to_node"):
        ref = getattr(pipe, field)
        if ref not in nodes:
            yield make_finding("pipes", pipe.id, "unknown_node", field=field, ref=ref)
    if pipe.from_node == pipe.to_node:
        yield make_finding("pipes", pipe.id, "same_ends", node=pipe.from_node)
    if len(pipe.path) < 2 or not all(isfinite(c) for p in pipe.path for c in p):
        return
    drawn = measure_path(pipe.path, plane)
    if drawn < 0.01:
        yield make_finding("pipes", pipe.id, "zero_length")
    elif abs(drawn - pipe.length_m) > limits.length_slack_m + limits.length_ratio * max(drawn, pipe.length_m):
        yield make_finding("pipes", pipe.id, "length_differs", given=pipe.length_m, drawn=round(drawn, 1))
    for end, ref, position in (("start", pipe.from_node, pipe.path[0]), ("end", pipe.to_node, pipe.path[-1])):
        node = nodes.get(ref)
        if node is None:
            continue
        apart = _measure_gap(position, (node.lon, node.lat), plane)
        if apart > limits.end_m:
            yield make_finding(
                "pipes",
                pipe.id,
                "ends_apart",
                end=end,
                node=ref,
                distance=round(apart, 2),
                limit=limits.end_m,
            )


def measure_path(path: tuple[LonLat, ...], plane: Plane) -> float:
    """Return the drawn length of ``path`` in metres."""
    return sum(_measure_gap(a, b, plane) for a, b in pairwise(path))


def _measure_gap(a: LonLat, b: LonLat, plane: Plane) -> float:
    return hypot((a[0] - b[0]) * plane.east_m_deg, (a[1] - b[1]) * plane.north_m_deg)


def _check_pairs(pipes: tuple[Pipe, ...]) -> Iterable[Finding]:
    pairs: dict[str, list[Pipe]] = {}
    for pipe in pipes:
        pairs.setdefault(pipe.pair_id, []).append(pipe)
    for pair_id, members in pairs.items():
        supply = sum(p.side == Side.SUPPLY for p in members)
        if supply != 1 or len(members) != 2:
            ret = len(members) - supply
            yield make_finding(
                "pipes", members[0].id, "pair_incomplete", pair=pair_id or "''", supply=supply, ret=ret
            )
        elif {members[0].from_node, members[0].to_node} != {members[1].from_node, members[1].to_node}:
            yield make_finding("pipes", members[1].id, "pair_differs", pair=pair_id)


def _check_valves(network: HeatNetwork, plane: Plane, limits: CheckLimits) -> Iterable[Finding]:
    pipes = {p.id: p for p in network.pipes}
    for valve in network.valves:
        pipe = pipes.get(valve.pipe_id)
        if pipe is None:
            yield make_finding("valves", valve.id, "unknown_pipe", ref=valve.pipe_id)
            continue
        if not pipe.path:
            continue
        apart = _measure_to_path((valve.lon, valve.lat), pipe.path, plane)
        if apart > limits.valve_m:
            yield make_finding("valves", valve.id, "valve_off_pipe", pipe=pipe.id, distance=round(apart, 1))


def _measure_to_path(position: LonLat, path: tuple[LonLat, ...], plane: Plane) -> float:
    """Return the shortest distance in metres from ``position`` to the line ``path``."""
    px, py = plane.to_xy(position)
    xy = [plane.to_xy(p) for p in path]
    best = min(hypot(x - px, y - py) for x, y in xy)
    for (ax, ay), (bx, by) in pairwise(xy):
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy
        if square > 0.0:
            t = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square))
            best = min(best, hypot(ax + t * dx - px, ay + t * dy - py))
    return best


def _check_sources(network: HeatNetwork, nodes: dict[str, Node]) -> Iterable[Finding]:
    if network.pipes and not network.sources:
        yield make_finding("sources", "", "no_source")
    elif network.sources and not any(s.holds_pressure for s in network.sources):
        yield make_finding("sources", "", "no_pressure")
    for s in network.sources:
        if s.node_id not in nodes:
            yield make_finding("sources", s.id, "unknown_node", field="node_id", ref=s.node_id)
        for high, low in (
            ("capacity_w", "min_w"),
            ("t_supply_design_c", "t_return_design_c"),
            ("p_supply_pa", "p_return_pa"),
        ):
            if not getattr(s, high) > getattr(s, low):
                yield make_finding("sources", s.id, "wrong_order", high=high, low=low)


def _check_islands(network: HeatNetwork) -> Iterable[Finding]:
    """A node that a pipe or a station uses must reach a source on both sides; valves do not cut here."""
    if not network.sources:
        return
    known = {n.id for n in network.nodes}
    used = {s.node_id for s in network.substations} & known
    piped: set[str] = set()
    for pipe in network.pipes:
        piped |= {pipe.from_node, pipe.to_node} & known
    reached = {side: _reach(network, side) for side in Side}
    for node in network.nodes:
        if node.id in piped | used:
            for side in Side:
                if node.id not in reached[side]:
                    yield make_finding("nodes", node.id, "island", side=side.value)
        else:
            yield make_finding("nodes", node.id, "lonely_node")


def _reach(network: HeatNetwork, side: Side) -> set[str]:
    """Return the nodes joined to any source by pipes of ``side``."""
    neighbours: dict[str, list[str]] = {}
    for pipe in network.pipes:
        if pipe.side == side:
            neighbours.setdefault(pipe.from_node, []).append(pipe.to_node)
            neighbours.setdefault(pipe.to_node, []).append(pipe.from_node)
    todo = [s.node_id for s in network.sources]
    seen = set(todo)
    while todo:
        for other in neighbours.get(todo.pop(), ()):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen
