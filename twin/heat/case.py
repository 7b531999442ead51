"""A boundary, checked and spread over the points and pipes of a compiled network."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import Leak, SteadyBoundary
from twin.heat.components import Links, PipePumps, make_links, place_pipe_pumps
from twin.heat.topology import CHECK, CompiledNetwork
from twin.model.errors import EngineError, InputError
from twin.model.network import Side

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """The boundary, checked and spread over points and pipes.

    ``flow`` (n_station,) through the substations, ``given`` (n_source,) into the network where a source is
    given by its flow, ``draw`` (n_point,) both and the leaks of given size, ``leak_draw`` those alone;
    ``holds`` (n_source,): the flow is an answer. ``pumps`` in pipes, ``links`` between supply and
    return; ``wanted`` (n_station,) what controlled valves were asked for.
    """

    flow: Floats
    assumed: Bools
    given: Floats
    holds: Bools
    roughness: Floats
    open_: Bools
    one_way: Bools
    valve_kv: Floats
    fixed_pa: Floats
    draw: Floats
    leak_draw: Floats
    emitter: Floats
    pumps: PipePumps | None = None
    links: Links | None = None
    wanted: Floats | None = None


def _check(name: str, values: NDArray[np.float64] | None, size: int) -> None:
    if values is not None and np.shape(values) != (size,):
        raise InputError(f"boundary {name}: shape {np.shape(values)}, expected ({size},)")


def _check_boundary(net: CompiledNetwork, b: SteadyBoundary, holds: Bools, pumped: Bools) -> None:
    n_source, n_station, sources = len(net.source_node), len(net.station_node), net.network.sources
    for name in ("t_source_c", "p_supply_pa", "p_return_pa", "source_flow_kg_s"):
        _check(name, getattr(b, name), n_source)
    for name in ("flow_kg_s", "t_return_c", "heat_w"):
        _check(name, getattr(b, name), n_station)
    for name in ("roughness_factor", "u_factor", "closed_pipe"):
        _check(name, getattr(b, name), net.n_pipe)
    _check("valve_opening", b.valve_opening, len(net.valve_pipe))
    if np.any(b.flow_kg_s < 0.0):
        worst = int(np.argmax(b.flow_kg_s < 0.0))
        station = net.network.substations[worst].id
        raise InputError(f"substation {station}: flow_kg_s {b.flow_kg_s[worst]:g} is negative")
    if not np.isfinite(b.t_ground_c):
        raise InputError("boundary t_ground_c is not a number")
    for i in np.flatnonzero(pumped & (~holds | np.isfinite(b.p_supply_pa))):
        raise InputError(
            f"source {sources[i].id}: it has a pump, so p_supply_pa and source_flow_kg_s must be NaN"
        )
    if not np.any(holds & np.isfinite(b.p_return_pa) & (pumped | np.isfinite(b.p_supply_pa))):
        raise EngineError("no source is given by its pressures: give one p_supply_pa and p_return_pa")
    for i in np.flatnonzero(holds | (np.nan_to_num(b.source_flow_kg_s) > 0.0)):
        if not np.isfinite(b.t_source_c[i]):
            raise InputError(f"source {sources[i].id}: t_source_c is not a number")
    if b.control is not None:
        wrong = np.broadcast_to(b.control.by_heat, b.flow_kg_s.shape) & ~np.isfinite(b.t_return_c)
        heat = np.full(n_station, np.nan) if b.heat_w is None else b.heat_w
        for i in np.flatnonzero(wrong | (b.control.by_heat & ~(np.isfinite(heat) & (heat >= 0.0)))):
            raise InputError(
                f"substation {net.network.substations[i].id}: a flow by heat needs heat_w of zero or more and"
                " t_return_c"
            )


def prepare_case(net: CompiledNetwork, b: SteadyBoundary) -> Case:
    """Check a boundary and spread it over points and pipes; errors as in ``solve_steady``."""
    if np.shape(b.source_flow_kg_s) != (len(net.source_node),):
        _check("source_flow_kg_s", b.source_flow_kg_s, len(net.source_node))
    holds = ~np.isfinite(b.source_flow_kg_s)
    ids = {pump.source_id for pump in b.pumps}
    pumped = np.array([s.id in ids for s in net.network.sources], bool)
    _check_boundary(net, b, holds, pumped)
    flow, assumed = _fill_flows(net, b)
    opening = net.valve_opening if b.valve_opening is None else np.asarray(b.valve_opening, float)
    open_ = np.ones(net.n_pipe, bool) if b.closed_pipe is None else ~b.closed_pipe
    open_[net.valve_pipe[opening <= 0.0]] = False
    one_way = np.zeros(net.n_pipe, bool)
    one_way[net.valve_pipe[net.valve_kind == CHECK]] = True
    fixed = np.full(net.n_point, np.nan)
    held = net.source_node[holds]
    fixed[held], fixed[net.n_node + held] = b.p_supply_pa[holds], b.p_return_pa[holds]
    given = np.where(holds, 0.0, b.source_flow_kg_s)
    leak_draw, emitter = np.zeros(net.n_point), np.zeros(net.n_point)
    for leak in b.leaks:
        _place_leak(net, leak, leak_draw, emitter)
    return Case(
        flow=flow,
        assumed=assumed,
        given=given,
        holds=holds,
        roughness=net.roughness_m if b.roughness_factor is None else net.roughness_m * b.roughness_factor,
        open_=open_,
        one_way=one_way,
        valve_kv=net.valve_kv_m3_h * opening,
        fixed_pa=fixed,
        draw=spread_draws(net, leak_draw, flow, given),
        leak_draw=leak_draw,
        emitter=emitter,
        pumps=place_pipe_pumps(net, b.pumps) if b.pumps else None,
        links=make_links(net, b.pumps, b.control),
    )


def sum_at(at: NDArray[np.int64], values: Floats, size: int) -> Floats:
    """Sum ``values`` by their places ``at`` into ``size`` numbers."""
    return np.bincount(at, values, size).astype(np.float64, copy=False)


def spread_draws(net: CompiledNetwork, leak_draw: Floats, flow: Floats, given: Floats) -> Floats:
    """What leaves at every point (n_point,): leaks, and the flows of substations and of sources."""
    n, draw = net.n_node, leak_draw.copy()
    through = sum_at(net.station_node, flow, n) - sum_at(net.source_node, given, n)
    draw[:n] += through
    draw[n:] -= through
    return draw


def _fill_flows(net: CompiledNetwork, b: SteadyBoundary) -> tuple[Floats, Bools]:
    """Unknown flows: design flow times the mean load of the known ones (60 % if none is known)."""
    assumed = ~np.isfinite(b.flow_kg_s)
    design = net.station_design_kg_s
    known = float(design[~assumed].sum())
    load = float(b.flow_kg_s[~assumed].sum()) / known if known > 0.0 else 0.6
    return np.where(assumed, design * min(load, 1.5), np.nan_to_num(b.flow_kg_s)), assumed


def _place_leak(net: CompiledNetwork, leak: Leak, draw: Floats, emitter: Floats) -> None:
    if leak.pipe_id:
        if leak.pipe_id not in net.pipe_index:
            raise InputError(f"leak: pipe {leak.pipe_id!r} is not in the pipe table")
        pipe = net.pipe_index[leak.pipe_id]
        at = [int(net.start[pipe]), int(net.end[pipe])]
    elif leak.node_id in net.network.node_index:
        at = [net.network.node_index[leak.node_id] + (net.n_node if leak.side == Side.RETURN else 0)]
    else:
        raise InputError(f"leak: node {leak.node_id!r} is not in the node table")
    for point in at:
        draw[point] += leak.flow_kg_s / len(at)
        emitter[point] += leak.emitter / len(at)


@dataclass(frozen=True, slots=True, eq=False)
class HeatAnswer:
    """Temperatures of points, pipe outlets, pipe means; loss per pipe; return, heat and reach per station."""

    t_point: Floats
    t_out: Floats
    t_pipe: Floats
    loss_w: Floats
    t_station: Floats
    heat_w: Floats
    unreachable: Bools
    settled: bool
