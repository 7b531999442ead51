"""A boundary, checked and spread over the points and pipes of a compiled network."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import Leak, SteadyBoundary
from twin.heat.topology import CHECK, CompiledNetwork
from twin.model.errors import EngineError, InputError
from twin.model.network import Side

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """The boundary, checked and spread over points and pipes."""

    flow: Floats
    assumed: Bools
    holds: Bools
    roughness: Floats
    ul: Floats
    open_: Bools
    one_way: Bools
    valve_kv: Floats
    fixed_pa: Floats
    draw: Floats
    emitter: Floats


def _check(name: str, values: NDArray[np.float64] | None, size: int) -> None:
    if values is not None and np.shape(values) != (size,):
        raise InputError(f"boundary {name}: shape {np.shape(values)}, expected ({size},)")


def prepare_case(net: CompiledNetwork, b: SteadyBoundary) -> Case:
    """Check a boundary and spread it over points and pipes; errors as in ``solve_steady``."""
    n_source, n_station = len(net.source_node), len(net.station_node)
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
    holds = ~np.isfinite(b.source_flow_kg_s)
    if not np.any(holds & np.isfinite(b.p_supply_pa) & np.isfinite(b.p_return_pa)):
        raise EngineError("no source is given by its pressures: give one p_supply_pa and p_return_pa")
    for i in np.flatnonzero(holds | (np.nan_to_num(b.source_flow_kg_s) > 0.0)):
        if not np.isfinite(b.t_source_c[i]):
            raise InputError(f"source {net.network.sources[i].id}: t_source_c is not a number")
    flow, assumed = _fill_flows(net, b)
    roughness = net.roughness_m * (1.0 if b.roughness_factor is None else b.roughness_factor)
    ul = net.u_w_m_k * net.length_m * (1.0 if b.u_factor is None else b.u_factor)
    opening = net.valve_opening if b.valve_opening is None else np.asarray(b.valve_opening, float)
    open_ = np.ones(net.n_pipe, bool) if b.closed_pipe is None else ~b.closed_pipe
    open_[net.valve_pipe[opening <= 0.0]] = False
    one_way = np.zeros(net.n_pipe, bool)
    one_way[net.valve_pipe[net.valve_kind == CHECK]] = True
    fixed = np.full(net.n_point, np.nan)
    held = net.source_node[holds]
    fixed[held], fixed[net.n_node + held] = b.p_supply_pa[holds], b.p_return_pa[holds]
    draw = np.zeros(net.n_point)
    given, at = np.where(holds, 0.0, b.source_flow_kg_s), net.source_node
    np.add.at(draw, at, -given)
    np.add.at(draw, net.n_node + at, given)
    np.add.at(draw, net.station_node, flow)
    np.add.at(draw, net.n_node + net.station_node, -flow)
    emitter = np.zeros(net.n_point)
    for leak in b.leaks:
        _place_leak(net, leak, draw, emitter)
    return Case(
        flow=flow,
        assumed=assumed,
        holds=holds,
        roughness=roughness,
        ul=ul,
        open_=open_,
        one_way=one_way,
        valve_kv=net.valve_kv_m3_h * opening,
        fixed_pa=fixed,
        draw=draw,
        emitter=emitter,
    )


def _fill_flows(net: CompiledNetwork, b: SteadyBoundary) -> tuple[Floats, Bools]:
    """Unknown flows: design flow times the mean load of the known ones (60 % if none is known)."""
    assumed = ~np.isfinite(b.flow_kg_s)
    design = net.station_design_kg_s
    known = float(design[~assumed].sum())
    load = float(b.flow_kg_s[~assumed].sum()) / known if known > 0.0 else 0.6
    return np.where(assumed, design * min(load, 1.5), np.nan_to_num(b.flow_kg_s)), assumed


def _place_leak(net: CompiledNetwork, leak: Leak, draw: Floats, emitter: Floats) -> None:
    if leak.pipe_id:
        found = [k for k, p in enumerate(net.network.pipes) if p.id == leak.pipe_id]
        if not found:
            raise InputError(f"leak: pipe {leak.pipe_id!r} is not in the pipe table")
        at = [int(net.start[found[0]]), int(net.end[found[0]])]
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
