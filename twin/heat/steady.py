"""The steady thermo-hydraulic state of a whole network, supply and return.

Flows follow from the draws, friction and density; temperatures follow from the flows; friction and density
follow from the temperatures. The two are solved in turn until the flows stand still.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import Finding, Reason, SteadyBoundary, SteadyState
from twin.heat.case import Case, HeatAnswer, prepare_case, sum_at
from twin.heat.compiled import outer
from twin.heat.findings import find_reasons
from twin.heat.hydraulics import FlowAnswer
from twin.heat.kernels import enthalpy
from twin.heat.network_flow import solve_case
from twin.heat.share import sum_surplus
from twin.heat.thermal import STILL_KG_S, sweep_steady
from twin.heat.topology import CompiledNetwork
from twin.heat.water import density_kg_m3, enthalpy_j_kg

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MAX_ROUNDS = 8
MAX_LINKED_ROUNDS = 40
FLOW_TOLERANCE = 1e-6
"""Rounds of flow and temperature end when no flow moves more than this share of the largest."""
UNSETTLED, UNSETTLED_KG_S = 1e-3, 1e-3
"""A flow that still moves by more than this share of the largest, and this much, is named: water that drives
itself round by its own weight may have no steady state."""


def solve_steady(
    net: CompiledNetwork, boundary: SteadyBoundary, warm: SteadyState | None = None
) -> SteadyState:
    """Solve one steady state.

    Parameters
    ----------
    net : from :func:`twin.heat.compile_network`
    boundary : what drives it
    warm : an earlier state of the same network, to start from

    Returns
    -------
    SteadyState; whatever could not be answered is NaN and has a finding

    Raises
    ------
    InputError : an array has the wrong length or a value that cannot be (the text names it)
    EngineError : no source is given by its pressures, so nothing holds the network
    """
    case = prepare_case(net, boundary)
    t_pipe, t_point = _guess_temperatures(net, boundary)
    if warm is not None:
        t_pipe = np.where(np.isfinite(warm.t_pipe_c), warm.t_pipe_c, boundary.t_ground_c)
        before = np.concatenate([warm.t_supply_c, warm.t_return_c])
        t_point = np.where(np.isfinite(before), before, t_point)
    m = None if warm is None else warm.mass_flow_kg_s
    iterations, moved = 0, np.zeros(net.n_pipe)
    for turn in range(MAX_ROUNDS if case.links is None else MAX_LINKED_ROUNDS):
        answer, solved = solve_case(net, boundary, case, t_pipe, t_point, m)
        iterations += answer.iterations
        heat = _solve_heat(net, boundary, solved, answer)
        moved = np.full(net.n_pipe, np.inf) if turn == 0 or m is None else np.abs(answer.m - m)
        share = 1.0 if turn < MAX_ROUNDS else 0.5
        m, t_pipe = answer.m, t_pipe + share * (heat.t_pipe - t_pipe)
        t_point = t_point + share * (heat.t_point - t_point)
        if case.links is not None:
            case = replace(case, links=solved.links)
        scale = max(float(np.abs(m).max(initial=0.0)), 1e-6)
        if not answer.converged or float(moved.max(initial=0.0)) <= FLOW_TOLERANCE * scale:
            break
    state = assemble_state(net, boundary, solved, answer, heat, iterations)
    worst = float(moved.max(initial=0.0))
    if not state.converged or worst <= max(UNSETTLED * scale, UNSETTLED_KG_S):
        return state
    ids = tuple(net.network.pipes[int(k)].id for k in np.flatnonzero(moved > 0.1 * worst))
    return replace(state, findings=(*state.findings, Finding(Reason.UNSETTLED, ids, worst)))


def _guess_temperatures(net: CompiledNetwork, b: SteadyBoundary) -> tuple[Floats, Floats]:
    """Temperatures of pipes and points to start from."""
    t_supply = float(np.nanmax(b.t_source_c))
    known = b.t_return_c[np.isfinite(b.t_return_c)]
    t_return = float(known.mean()) if known.size else 0.5 * (t_supply + b.t_ground_c)
    t_point = np.repeat([t_supply, t_return], net.n_node)
    return t_point[net.start], t_point


def _solve_heat(net: CompiledNetwork, b: SteadyBoundary, case: Case, answer: FlowAnswer) -> HeatAnswer:
    """Sweep the supply side, close the substations, sweep the return side."""
    n, ground = net.n_node, b.t_ground_c
    m = answer.m if answer.converged else np.zeros(net.n_pipe)
    flow = np.where(answer.reached[net.station_node] & answer.reached[n + net.station_node], case.flow, 0.0)
    inflow, t_inflow = np.zeros(net.n_point), np.zeros(net.n_point)
    net_out = _leave_sources(net, case, answer, flow)
    at = net.source_node
    source_in = np.where(case.holds, net_out[at], case.given)
    np.maximum.at(inflow, at, np.maximum(source_in, 0.0))
    t_inflow[at] = np.where(np.isfinite(b.t_source_c), b.t_source_c, 0.0)
    back = np.where(case.holds, net_out[n + at], 0.0)  # a holding source may feed its return side
    np.maximum.at(inflow, n + at, np.maximum(back, 0.0))
    t_inflow[n + at] = np.where(np.isfinite(b.t_source_c), b.t_source_c, 0.0)
    t_point, t_out = np.full(net.n_point, ground), np.full(net.n_pipe, ground)
    ul = net.u_w_m_k * net.length_m * (1.0 if b.u_factor is None else b.u_factor)
    args = (net.start, net.end, m, ul, ground)
    passes = sweep_steady(*args, inflow, t_inflow, t_point, t_out)
    t_in = t_point[net.station_node]
    t_station, heat_w, unreachable = _close_stations(b, flow, t_in)
    station = n + net.station_node
    energy = sum_at(station, flow * np.nan_to_num(t_station), net.n_point)
    inflow += sum_at(station, flow, net.n_point)
    mine = np.unique(station[flow > 0.0])
    t_inflow[mine] = (
        energy[mine] + (inflow[mine] - sum_at(station, flow, net.n_point)[mine]) * t_inflow[mine]
    ) / (inflow[mine])
    passes = min(passes, sweep_steady(*args, inflow, t_inflow, t_point, t_out))
    up = np.where(m >= 0.0, net.start, net.end)
    moving = np.abs(m) > STILL_KG_S
    t_up = np.where(moving, t_point[up], ground)
    drop = (t_up - ground) / np.where(np.abs(t_out - ground) > 1e-9, t_out - ground, 1.0)
    log_drop = np.log(np.where(moving & (drop > 1.0 + 1e-9), drop, np.e))
    t_pipe = np.where(drop > 1.0 + 1e-9, ground + (t_up - t_out) / log_drop, 0.5 * (t_up + t_out))
    loss = np.abs(m) * (enthalpy_j_kg(t_up) - enthalpy_j_kg(t_out))
    return HeatAnswer(
        t_point=t_point,
        t_out=t_out,
        t_pipe=np.where(moving, t_pipe, ground),
        loss_w=np.where(moving, loss, 0.0),
        t_station=t_station,
        heat_w=heat_w,
        unreachable=unreachable,
        settled=passes >= 0,
    )


def _leave_sources(net: CompiledNetwork, case: Case, answer: FlowAnswer, flow: Floats) -> Floats:
    """What comes into the network from outside at every point: the flows that leave it, less those that
    reach it, and what substations and leaks take there."""
    leak = case.leak_draw + answer.leak
    return sum_surplus(net.start, net.end, answer.m, leak, net.station_node, flow)


def _close_stations(b: SteadyBoundary, flow: Floats, t_in: Floats) -> tuple[Floats, Floats, Bools]:
    """Return temperature, heat and an out-of-reach mark per substation."""
    t_return = np.where(flow > 0.0, b.t_return_c, np.nan)
    heat = flow * (enthalpy_j_kg(t_in) - enthalpy_j_kg(t_return))
    unreachable = np.zeros(len(flow), bool)
    if b.heat_w is not None:
        by_heat = ~np.isfinite(b.t_return_c) & np.isfinite(b.heat_w) & (flow > 0.0)
        h_out = enthalpy_j_kg(t_in) - np.where(by_heat, b.heat_w / np.where(flow > 0.0, flow, 1.0), 0.0)
        t_new = _invert_enthalpy(h_out)
        unreachable = by_heat & (t_new < b.t_ground_c)
        t_new = np.maximum(t_new, b.t_ground_c)
        t_return = np.where(by_heat, t_new, t_return)
        heat = np.where(by_heat, flow * (enthalpy_j_kg(t_in) - enthalpy_j_kg(t_new)), heat)
    return t_return, np.where(flow > 0.0, heat, 0.0), unreachable


def _invert_enthalpy(h_j_kg: Floats) -> Floats:
    t = h_j_kg / 4190.0
    for _ in range(4):
        t = t - (enthalpy_j_kg(t) - h_j_kg) / 4190.0
    return t


def assemble_state(
    net: CompiledNetwork, b: SteadyBoundary, case: Case, answer: FlowAnswer, heat: HeatAnswer, iterations: int
) -> SteadyState:
    """Put flows and temperatures together into a state with its findings."""
    n, m = net.n_node, answer.m
    ok = answer.converged and heat.settled
    source, station = net.source_node, net.station_node
    t_back = heat.t_point[n + source]
    served = answer.reached[station] & answer.reached[n + station]
    flow = np.where(served, case.flow, 0.0)
    net_out = _leave_sources(net, case, answer, flow)
    on = answer.reached[source]
    flow_source = np.where(case.holds, net_out[source], np.where(on, case.given, 0.0))
    back_source = np.where(case.holds, -net_out[n + source], np.where(on, case.given, 0.0))
    t = heat.t_point if answer.reached.all() else np.where(answer.reached, heat.t_point, np.nan)
    p = answer.p
    pump_flow, pump_rise = _run_pumps(net, b, case, m, heat)
    state = SteadyState(
        t_supply_c=t[:n],
        t_return_c=t[n:],
        p_supply_pa=p[:n],
        p_return_pa=p[n:],
        mass_flow_kg_s=m,
        t_pipe_c=heat.t_pipe,
        t_out_c=heat.t_out,
        dp_pa=p[net.start] - p[net.end],
        heat_loss_w=heat.loss_w,
        flow_kg_s=flow,
        heat_w=heat.heat_w,
        t_station_return_c=heat.t_station,
        source_flow_kg_s=flow_source,
        source_return_flow_kg_s=back_source,
        t_source_return_c=np.where(on, t_back, np.nan),
        source_heat_w=flow_source * rise_enthalpy(t_back, b.t_source_c),
        leak_kg_s=float(answer.leak.sum()) + sum(x.flow_kg_s for x in b.leaks),
        converged=ok,
        iterations=iterations,
        residual_kg_s=answer.residual_kg_s,
        residual_pa=answer.residual_pa,
        findings=(),
        pump_flow_kg_s=pump_flow,
        pump_rise_pa=pump_rise,
        unmet_heat_w=_unmet_heat(net, b, case, flow, t),
    )
    findings = find_reasons(net, case, answer, heat, state, b.pumps)
    return replace(state if ok else _blank(state), findings=findings)


@outer()
def rise_enthalpy(t_from_c: Floats, t_to_c: Floats) -> Floats:
    """Heat that water takes up between two temperatures (n,), J/kg."""
    out = np.empty(t_to_c.shape[0])
    for i in range(out.shape[0]):
        out[i] = enthalpy(t_to_c[i]) - enthalpy(t_from_c[i])
    return out


def _run_pumps(
    net: CompiledNetwork, b: SteadyBoundary, case: Case, m: Floats, heat: HeatAnswer
) -> tuple[Floats, Floats]:
    """Flow of every pump in its direction and the pressure it adds; nothing where it stands."""
    flow, rise = np.zeros(len(b.pumps)), np.zeros(len(b.pumps))
    if case.pumps is not None:
        q = case.pumps
        flow[q.of] = q.sign * m[q.pipe]
        volume = flow[q.of] / density_kg_m3(heat.t_pipe[q.pipe])
        rise[q.of] = q.dp0_pa - q.c * volume * np.abs(volume)
    if case.links is not None:
        links, n = case.links, case.links.n_pump
        of = [k for k, pump in enumerate(b.pumps) if pump.source_id]
        flow[of] = links.flow_kg_s[:n]
        volume = flow[of] / density_kg_m3(heat.t_point[links.start[:n]])
        rise[of] = np.where(links.running, links.dp0_pa[:n] - links.c[:n] * volume * np.abs(volume), 0.0)
    return flow, rise


def _unmet_heat(net: CompiledNetwork, b: SteadyBoundary, case: Case, flow: Floats, t: Floats) -> Floats:
    """Heat that controlled substations asked for and did not get (n_station,); empty without control."""
    if b.control is None or case.wanted is None:
        return np.zeros(0)
    gain = enthalpy_j_kg(t[net.station_node]) - enthalpy_j_kg(b.t_return_c)
    missing = np.where(np.isfinite(case.wanted), case.wanted - flow, 0.0)
    unmet = np.where(missing > 0.0, missing * gain, 0.0)
    if b.heat_w is not None:
        left = np.nan_to_num(b.heat_w) - np.where(flow > 0.0, flow * np.nan_to_num(gain), 0.0)
        unmet = np.where(b.control.by_heat, np.maximum(left, 0.0), unmet)
    return np.where(np.isfinite(b.control.opening), 0.0, unmet)


def _blank(state: SteadyState) -> SteadyState:
    """An answer that did not converge is no answer: every array becomes NaN."""
    changes: dict[str, Any] = {}
    for name in SteadyState.__slots__:
        value = getattr(state, name)
        if isinstance(value, np.ndarray):
            changes[name] = np.full_like(value, np.nan)
    return replace(state, **changes)
