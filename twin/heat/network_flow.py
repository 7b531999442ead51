"""Flows of a whole network: substations that cannot be served, pumps, and valves that saturate.

A controlled valve takes what is wanted from it as long as the pressure difference is enough for that with the
valve open; if not it stands open, and is a loop of its own until more than what is wanted flows. Which valves
are open is found by solving, looking and solving again; nothing flows through a station backwards.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import SteadyBoundary
from twin.heat.case import Case, spread_draws, sum_at
from twin.heat.components import CONTROLLED, KV_FACTOR, OPEN, SHUT, STANDING, Links
from twin.heat.hydraulics import FlowAnswer, FlowProblem, solve_flows
from twin.heat.kernels import fill_flow_properties
from twin.heat.program import Program
from twin.heat.topology import CompiledNetwork
from twin.heat.water import density_kg_m3, enthalpy_j_kg

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MAX_TURNS = 60
ALL_AT_ONCE = 12
"""In so many turns all valves move that should; after that the one that should most."""
SLACK = 1e-6
LEAST_GAIN_J_KG = 2000.0
"""A station that would have to cool its water by less than half a kelvin takes all it can get."""
LINE_PA_S_KG, THICK_PA_S = 0.01, 1e3
"""Links have a small resistance in proportion to the flow (0.2 Pa at 20 kg/s), as short pipes of a water so
thick that it never turns turbulent: without it nothing would tell small flows of a pump from none."""
USUAL_DIAMETER = 400.0
"""A pipe of diameter d carries about 400 d² kg/s (at 0.5 m/s)."""


def pose_flows(net: CompiledNetwork, case: Case, t_pipe: Floats) -> FlowProblem:
    """The hydraulic problem of a case at mean pipe temperatures ``t_pipe`` (n_pipe,), without its links."""
    rho, mu = np.empty(net.n_pipe), np.empty(net.n_pipe)
    fill_flow_properties(t_pipe, rho, mu)
    np.exp(mu, out=mu)
    mu *= 1e-3
    usable = case.valve_kv > 0.0
    at = net.valve_pipe[usable]
    quadratic = sum_at(at, KV_FACTOR / (rho[at] * case.valve_kv[usable] ** 2), net.n_pipe)
    lift = np.zeros(0)
    if case.pumps is not None:
        at = case.pumps.pipe
        quadratic += sum_at(at, case.pumps.c / rho[at] ** 2, net.n_pipe)
        lift = sum_at(at, case.pumps.sign * case.pumps.dp0_pa, net.n_pipe)
    return FlowProblem(
        start=net.start,
        end=net.end,
        length_m=net.length_m,
        diameter_m=net.diameter_m,
        roughness_m=case.roughness,
        zeta=net.zeta,
        quadratic=quadratic,
        rho=rho,
        mu=mu,
        open_=case.open_,
        one_way=case.one_way,
        elevation_m=net.elevation_m,
        fixed_pa=case.fixed_pa,
        draw_kg_s=case.draw,
        emitter=case.emitter,
        lift_pa=lift,
    )


def want_flows(net: CompiledNetwork, b: SteadyBoundary, case: Case, t_point: Floats) -> Floats:
    """What controlled substations would like to take: infinite where the supply is no warmer than the
    return that is asked for, but the heat is not nothing."""
    if b.control is None or b.heat_w is None:
        return case.flow
    gain = enthalpy_j_kg(t_point[net.station_node]) - enthalpy_j_kg(b.t_return_c)
    heat = np.nan_to_num(b.heat_w)
    by_heat = np.where(gain > LEAST_GAIN_J_KG, heat / np.maximum(gain, LEAST_GAIN_J_KG), np.inf)
    return np.where(b.control.by_heat, np.where(heat > 0.0, by_heat, 0.0), case.flow)


def spread_to_points(net: CompiledNetwork, t_pipe: Floats) -> Floats:
    """Temperature of every point (n_point,) as the mean of its pipes."""
    n = net.n_point
    total = sum_at(net.start, t_pipe, n) + sum_at(net.end, t_pipe, n)
    count = np.bincount(net.start, minlength=n) + np.bincount(net.end, minlength=n)
    return np.where(count > 0, total / np.maximum(count, 1), float(t_pipe.mean()))


def solve_case(
    net: CompiledNetwork,
    b: SteadyBoundary,
    case: Case,
    t_pipe: Floats,
    t_point: Floats,
    m_start: Floats | None = None,
) -> tuple[FlowAnswer, Case]:
    """Flows of a case at given temperatures.

    Parameters
    ----------
    case : of the boundary ``b``; its links remember which valves stood open
    t_pipe, t_point : (n_pipe,), (n_point,) °C
    m_start : (n_pipe,) flows to start from

    Returns
    -------
    the answer for the network's pipes, and the case with the flows that pass the substations: nothing where
    supply or return is not reached, less than wanted where a valve stands open
    """
    problem = pose_flows(net, case, t_pipe)
    links = case.links
    if links is not None:
        wanted = want_flows(net, b, case, t_point)
        case = replace(case, flow=wanted, wanted=wanted)
        return _solve_links(net, case, links, problem, t_point, m_start)
    reached = net.program.find_plan(problem.open_, problem.fixed_pa, problem.emitter).reached
    case = drop_unserved(net, case, reached)
    return solve_flows(replace(problem, draw_kg_s=case.draw), net.program, m_start), case


def drop_unserved(net: CompiledNetwork, case: Case, reached: Bools) -> Case:
    """The case without the substations and sources of which only one side, or none, is ``reached``."""
    if reached.all():
        return case
    n = net.n_node
    flow = np.where(reached[net.station_node] & reached[n + net.station_node], case.flow, 0.0)
    given = np.where(reached[net.source_node] & reached[n + net.source_node], case.given, 0.0)
    return replace(case, flow=flow, given=given, draw=spread_draws(net, case.leak_draw, flow, given))


def _extend(q: FlowProblem, links: Links, rho: Floats) -> FlowProblem:
    """The problem with the links behind its pipes; ``rho`` (n_link,)."""
    n = len(links.start)
    valve = KV_FACTOR / (rho * np.where(links.kv_m3_h > 0.0, links.kv_m3_h, 1.0) ** 2)
    size = np.sqrt(links.size_kg_s / USUAL_DIAMETER)
    none = np.zeros(n)
    length = LINE_PA_S_KG * np.pi * rho * size**4 / (128.0 * THICK_PA_S)
    lift = q.lift_pa if len(q.lift_pa) else np.zeros(len(q.start))
    return replace(
        q,
        start=np.concatenate([q.start, links.start]),
        end=np.concatenate([q.end, links.end]),
        length_m=np.concatenate([q.length_m, length]),
        diameter_m=np.concatenate([q.diameter_m, size]),
        roughness_m=np.concatenate([q.roughness_m, none]),
        zeta=np.concatenate([q.zeta, none]),
        quadratic=np.concatenate([q.quadratic, np.where(links.kv_m3_h > 0.0, valve, links.c / rho**2)]),
        rho=np.concatenate([q.rho, rho]),
        mu=np.concatenate([q.mu, np.full(n, THICK_PA_S)]),
        open_=np.concatenate([q.open_, np.zeros(n, bool)]),
        one_way=np.concatenate([q.one_way, np.arange(n) < links.n_pump]),
        lift_pa=np.concatenate([lift, links.dp0_pa]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class LinkedProblem:
    """A problem with its links behind the pipes. Valves (n_station,): ``wanted`` flow, ``need``: the pressure
    difference that takes, ``status``: where they stand to begin with."""

    problem: FlowProblem
    program: Program
    wanted: Floats
    need: Floats
    status: Ints


def pose_links(
    net: CompiledNetwork, case: Case, links: Links, base: FlowProblem, t_point: Floats
) -> LinkedProblem:
    """Put the links of a case behind the pipes of ``base``; they are opened by :func:`open_links`."""
    n_pipe, n_pump = net.n_pipe, links.n_pump
    rho = density_kg_m3(np.minimum(t_point[links.start], t_point[links.end]))
    problem = _extend(base, links, rho)
    wanted, status, need = case.flow, links.status.copy(), np.zeros(0)
    if len(status):
        usable = links.kv_m3_h[n_pump:] > 0.0
        endless = ~np.isfinite(wanted)
        need = np.where(
            usable, problem.quadratic[n_pipe + n_pump :] * np.where(endless, 0.0, wanted) ** 2, 0.0
        )
        status = np.where(endless & usable & ~links.standing, OPEN, status)
        wanted = np.where(endless & ~usable, 0.0, wanted)
    return LinkedProblem(problem, net.program.extend(links.start, links.end), wanted, need, status)


def open_links(q: FlowProblem, links: Links, status: Ints) -> None:
    """Let pass what runs and stands open: the last places of ``q.open_``."""
    passing = ((status == OPEN) | (status == STANDING)) & (links.kv_m3_h[links.n_pump :] > 0.0)
    q.open_[len(q.open_) - len(links.start) :] = np.concatenate([links.running, passing])


def _solve_links(
    net: CompiledNetwork, case: Case, links: Links, base: FlowProblem, t_point: Floats, m_start: Floats | None
) -> tuple[FlowAnswer, Case]:
    n, n_pipe, n_pump, station = net.n_node, net.n_pipe, links.n_pump, net.station_node
    posed = pose_links(net, case, links, base, t_point)
    problem, program, wanted, need, status = (
        posed.problem, posed.program, posed.wanted, posed.need, posed.status
    )  # fmt: skip
    start = None if m_start is None else np.concatenate([m_start, links.flow_kg_s])
    for turn in range(MAX_TURNS):
        open_links(problem, links, status)
        flow = np.where(status == CONTROLLED, wanted, 0.0) if len(status) else wanted
        reached = program.find_plan(problem.open_, problem.fixed_pa, problem.emitter).reached
        now = drop_unserved(net, replace(case, flow=flow), reached)
        draw = spread_draws(net, case.leak_draw, now.flow, now.given)
        answer = solve_flows(replace(problem, draw_kg_s=draw), program, start)
        link = answer.m[n_pipe:]
        if not len(status) or not answer.converged:
            break
        served = reached[station] & reached[n + station]
        dp = np.where(served, answer.p[:n][station] - answer.p[n:][station], np.inf)
        new, urge = judge_valves(links, status, wanted, need, dp, link[n_pump:])
        if turn >= ALL_AT_ONCE:
            new = np.where(np.arange(len(new)) == np.argmax(urge), new, status)
        if np.array_equal(new, status):
            break
        start, status = answer.m, new
    else:
        answer = replace(answer, converged=False)
    if len(status):
        now = replace(now, flow=np.where(status == CONTROLLED, now.flow, np.maximum(link[n_pump:], 0.0)))
    trimmed = replace(answer, m=answer.m[:n_pipe], dp=answer.dp[:n_pipe])
    return trimmed, replace(now, draw=draw, links=replace(links, status=status, flow_kg_s=link))


def judge_valves(
    links: Links, status: Ints, wanted: Floats, need: Floats, dp: Floats, m: Floats
) -> tuple[Ints, Floats]:
    """Where every valve should stand at pressure differences ``dp`` and flows ``m`` (n_station,), and how
    much each that is wrong is out (0..)."""
    full = np.where(links.standing, STANDING, OPEN)
    lacking = (status == CONTROLLED) & (need > 0.0) & (dp < need * (1.0 - SLACK))
    enough = (status == OPEN) & (m > wanted * (1.0 + SLACK))
    backwards = ((status == OPEN) | (status == STANDING)) & (m < 0.0)
    again = (status == SHUT) & (dp > 0.0) & (links.standing | (wanted > 0.0))
    new = np.where(lacking | again, full, status)
    new = np.where(enough, CONTROLLED, np.where(backwards, SHUT, new))
    urge = np.where(lacking, (need - dp) / np.maximum(need, 1.0), 0.0)
    urge = np.where(enough, m / np.maximum(wanted, 1e-9) - 1.0, urge)
    return new, np.where(backwards | again, 1.0 + np.abs(np.where(np.isfinite(dp), dp, 0.0)), urge)
