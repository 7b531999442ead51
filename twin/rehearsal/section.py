"""Which section valves cut a pipe off, and who is behind them."""

from collections import deque
from dataclasses import dataclass

from twin.model.errors import InputError
from twin.model.network import HeatNetwork


@dataclass(frozen=True, slots=True)
class Section:
    """``valves`` to shut, ``pipes`` that are then without flow, ``stations`` that lose their supply, and
    whether a ``source`` lies inside (then it has to stop)."""

    valves: tuple[str, ...]
    pipes: tuple[str, ...]
    stations: tuple[str, ...]
    source: bool


def find_section(network: HeatNetwork, pipe_id: str, stuck: frozenset[str] = frozenset()) -> Section:
    """The smallest part around a pipe that its side's section valves can cut off.

    A valve in the broken pipe itself does not count: on which side of it the break is, nobody knows. Nor do
    those of ``stuck``, which cannot be closed: the valves beyond them are taken.

    Raises
    ------
    InputError : no such pipe
    """
    pipes = {p.id: p for p in network.pipes}
    if pipe_id not in pipes:
        raise InputError(f"pipe {pipe_id!r} is not in the pipe table")
    side = pipes[pipe_id].side
    valved: dict[str, list[str]] = {}
    for v in network.valves:
        if v.kind == "section" and v.pipe_id != pipe_id and v.id not in stuck:
            valved.setdefault(v.pipe_id, []).append(v.id)
    at: dict[str, list[str]] = {}
    for p in network.pipes:
        if p.side == side:
            at.setdefault(p.from_node, []).append(p.id)
            at.setdefault(p.to_node, []).append(p.id)
    inside, border = {pipe_id}, set()
    nodes = {pipes[pipe_id].from_node, pipes[pipe_id].to_node}
    waiting = deque(nodes)
    while waiting:
        for k in at[waiting.popleft()]:
            if k in valved:
                border.add(k)
                continue
            inside.add(k)
            for node in (pipes[k].from_node, pipes[k].to_node):
                if node not in nodes:
                    nodes.add(node)
                    waiting.append(node)
    shut = tuple(sorted(v for k in border for v in valved[k]))
    return Section(
        valves=shut,
        pipes=tuple(sorted(inside)),
        stations=_unreached(network, side, inside | border),
        source=any(s.node_id in nodes for s in network.sources),
    )


def _unreached(network: HeatNetwork, side: str, out: set[str]) -> tuple[str, ...]:
    """Stations that no source that holds the pressure reaches on this side without these pipes."""
    near: dict[str, list[str]] = {}
    for p in network.pipes:
        if p.side == side and p.id not in out:
            near.setdefault(p.from_node, []).append(p.to_node)
            near.setdefault(p.to_node, []).append(p.from_node)
    holding = [s for s in network.sources if s.holds_pressure] or list(network.sources)
    reached = {s.node_id for s in holding}
    waiting = deque(reached)
    while waiting:
        for node in near.get(waiting.popleft(), ()):
            if node not in reached:
                reached.add(node)
                waiting.append(node)
    return tuple(s.id for s in network.substations if s.node_id not in reached)
