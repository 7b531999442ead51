"""A network compiled to arrays, once: what every solver needs and nothing that changes.

Hydraulically a node is two *points*: its supply point has the node's number ``i``, its return point
``n_node + i``. A pipe joins two points of its side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.heat.program import Program, write_program
from twin.model.errors import InputError
from twin.model.network import HeatNetwork, Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SECTION, CHECK, CONTROL = 0, 1, 2
VALVE_KINDS = {"section": SECTION, "check": CHECK, "control": CONTROL}


@dataclass(frozen=True, slots=True, eq=False)
class CompiledNetwork:
    """Arrays of one network, in the order of its tables.

    Pipes (n_pipe,): ``start``, ``end`` points; ``length_m``, ``diameter_m``, ``roughness_m``, ``u_w_m_k``,
    ``zeta``. Points (2 n_node,): ``elevation_m``. Valves (n_valve,): ``valve_pipe``, ``valve_kind``
    (``SECTION``, ``CHECK``, ``CONTROL``), ``valve_kv_m3_h``, ``valve_opening``. Sources: ``source_node``,
    ``source_holds``. Substations: ``station_node``, ``station_design_kg_s``. ``program``: how
    to solve its balances. ``point_names`` (n_point,): ``id/supply`` and ``id/return``. ``pipe_index``: place
    of each pipe's id.
    """

    network: HeatNetwork
    n_node: int
    start: Ints
    end: Ints
    length_m: Floats
    diameter_m: Floats
    roughness_m: Floats
    u_w_m_k: Floats
    zeta: Floats
    elevation_m: Floats
    valve_pipe: Ints
    valve_kind: Ints
    valve_kv_m3_h: Floats
    valve_opening: Floats
    source_node: Ints
    source_holds: Bools
    station_node: Ints
    station_design_kg_s: Floats
    program: Program
    point_names: NDArray[np.object_]
    pipe_index: dict[str, int]

    @property
    def n_pipe(self) -> int:
        """Number of pipes, both sides."""
        return len(self.start)

    @property
    def n_point(self) -> int:
        """Number of hydraulic points, twice the nodes."""
        return 2 * self.n_node


def _require_positive(what: str, ids: list[str], values: Floats) -> None:
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0.0)))
    if bad.size:
        i = int(bad[0])
        raise InputError(f"pipe {ids[i]}: {what} is {values[i]:g}, it must be a positive number")


def _require_not_negative(what: str, ids: list[str], values: Floats) -> None:
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0.0)))
    if bad.size:
        i = int(bad[0])
        raise InputError(f"pipe {ids[i]}: {what} is {values[i]:g}, it must be zero or more")


def _find_nodes(network: HeatNetwork, table: str, rows: list[tuple[str, str]]) -> Ints:
    index = network.node_index
    for row, node in rows:
        if node not in index:
            raise InputError(f"{table} {row}: node {node!r} is not in the node table")
    return np.array([index[node] for _, node in rows], dtype=np.int64)


def _floats(values: list[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def compile_network(network: HeatNetwork) -> CompiledNetwork:
    """Turn the tables of a network into arrays and check them.

    Raises
    ------
    InputError : a row names a node or pipe that does not exist, or a size is out of range
    """
    pipes, n = network.pipes, len(network.nodes)
    ids = [p.id for p in pipes]
    offset = np.array([n if p.side == Side.RETURN else 0 for p in pipes], dtype=np.int64)
    start = _find_nodes(network, "pipe", [(p.id, p.from_node) for p in pipes]) + offset
    end = _find_nodes(network, "pipe", [(p.id, p.to_node) for p in pipes]) + offset
    same = np.flatnonzero(start == end)
    if same.size:
        raise InputError(f"pipe {ids[int(same[0])]}: both ends are at node {pipes[int(same[0])].from_node!r}")
    length, diameter = _floats([p.length_m for p in pipes]), _floats([p.diameter_m for p in pipes])
    roughness, u = _floats([p.roughness_m for p in pipes]), _floats([p.u_w_m_k for p in pipes])
    zeta = _floats([p.zeta for p in pipes])
    _require_positive("length_m", ids, length)
    _require_positive("diameter_m", ids, diameter)
    _require_not_negative("roughness_m", ids, roughness)
    _require_not_negative("u_w_m_k", ids, u)
    _require_not_negative("zeta", ids, zeta)
    pipe_index = {i: k for k, i in enumerate(ids)}
    for v in network.valves:
        if v.pipe_id not in pipe_index:
            raise InputError(f"valve {v.id}: pipe {v.pipe_id!r} is not in the pipe table")
        if v.kind not in VALVE_KINDS:
            raise InputError(f"valve {v.id}: kind {v.kind!r} is not one of {', '.join(VALVE_KINDS)}")
        if not v.kv_m3_h > 0.0:
            raise InputError(f"valve {v.id}: kv_m3_h is {v.kv_m3_h:g}, it must be a positive number")
    elevation = _floats([k.elevation_m for k in network.nodes])
    return CompiledNetwork(
        network=network,
        n_node=n,
        start=start,
        end=end,
        length_m=length,
        diameter_m=diameter,
        roughness_m=roughness,
        u_w_m_k=u,
        zeta=zeta,
        elevation_m=np.concatenate([elevation, elevation]),
        valve_pipe=np.array([pipe_index[v.pipe_id] for v in network.valves], dtype=np.int64),
        valve_kind=np.array([VALVE_KINDS[v.kind] for v in network.valves], dtype=np.int64),
        valve_kv_m3_h=_floats([v.kv_m3_h for v in network.valves]),
        valve_opening=_floats([v.opening for v in network.valves]),
        source_node=_find_nodes(network, "source", [(s.id, s.node_id) for s in network.sources]),
        source_holds=np.array([s.holds_pressure for s in network.sources], dtype=np.bool_),
        station_node=_find_nodes(network, "substation", [(s.id, s.node_id) for s in network.substations]),
        station_design_kg_s=_floats([s.design_flow_kg_s for s in network.substations]),
        program=write_program(start, end, 2 * n),
        point_names=np.array([f"{k.id}/{side.value}" for side in Side for k in network.nodes], object),
        pipe_index=pipe_index,
    )
