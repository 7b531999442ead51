"""Many states of one network at once: a leak at each pipe, valves in other positions, other loads.

Flows and pressures answer a change within seconds, temperatures within hours: all scenarios have the
temperatures of the state they start from. Scenarios that only add leaks are solved in compiled code, with the
pumps and open valves of the state without them; where a valve would move, the scenario is solved by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.heat.batch_kernel import solve_leaks
from twin.heat.boundary import Leak, SteadyBoundary, SteadyState
from twin.heat.case import Case, prepare_case
from twin.heat.components import CONTROLLED
from twin.heat.hydraulics import FlowAnswer, FlowProblem, prepare_pipes
from twin.heat.network_flow import (
    LinkedProblem,
    judge_valves,
    open_links,
    pose_flows,
    pose_links,
    solve_case,
)
from twin.heat.plan import Plan
from twin.heat.topology import CompiledNetwork
from twin.model.errors import EngineError, InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What differs from the boundary: more ``leaks``; ``openings`` of valves as (valve id, opening);
    ``closed`` pipes by id; ``load``: all flows through substations times this."""

    name: str
    leaks: tuple[Leak, ...] = ()
    openings: tuple[tuple[str, float], ...] = ()
    closed: tuple[str, ...] = ()
    load: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class FlowBatch:
    """Answers, one row per scenario in the order of ``names``.

    ``mass_flow_kg_s`` (n, n_pipe); ``p_supply_pa``, ``p_return_pa`` (n, n_node) gauge; ``flow_kg_s``
    (n, n_station); ``source_flow_kg_s``, ``make_up_kg_s`` (n, n_source); ``leak_kg_s`` (n,) in all;
    ``residual_kg_s`` (n,) worst mass balance; ``converged`` (n,). Isolated points, and rows that did not
    converge, are NaN. ``lowest_pa`` (n,): the least pressure anywhere, to look for what boils or sucks air.
    """

    names: tuple[str, ...]
    mass_flow_kg_s: Floats
    p_supply_pa: Floats
    p_return_pa: Floats
    flow_kg_s: Floats
    source_flow_kg_s: Floats
    make_up_kg_s: Floats
    leak_kg_s: Floats
    residual_kg_s: Floats
    converged: Bools

    @property
    def lowest_pa(self) -> Floats:
        """The least pressure anywhere, per scenario."""
        low: Floats = np.fmin(np.fmin.reduce(self.p_supply_pa, 1), np.fmin.reduce(self.p_return_pa, 1))
        return low


def list_pipe_leaks(net: CompiledNetwork, emitter: float) -> tuple[Scenario, ...]:
    """One scenario per pipe: a leak of ``emitter`` kg/(s Pa**0.5) half way along it, named after the pipe."""
    return tuple(Scenario(p.id, (Leak(pipe_id=p.id, emitter=emitter),)) for p in net.network.pipes)


def solve_batch(
    net: CompiledNetwork, boundary: SteadyBoundary, scenarios: Sequence[Scenario], base: SteadyState
) -> FlowBatch:
    """Solve the flows and pressures of many scenarios.

    Parameters
    ----------
    boundary : what all have in common
    base : the steady state of ``boundary`` (temperatures, and flows to start from)

    Raises
    ------
    InputError : a scenario names a pipe or valve that does not exist
    EngineError : ``base`` did not converge
    """
    if not base.converged:
        raise EngineError("the state to start from did not converge")
    case = prepare_case(net, boundary)
    t_pipe = np.where(np.isfinite(base.t_pipe_c), base.t_pipe_c, boundary.t_ground_c)
    n, n_row = net.n_node, len(scenarios)
    m, p = np.empty((n_row, net.n_pipe)), np.empty((n_row, net.n_point))
    flow, leak = np.empty((n_row, len(net.station_node))), np.zeros((n_row, net.n_point))
    residual, met = np.zeros(n_row), np.zeros(n_row, bool)
    quick = _prepare_quick(net, boundary, case, base, t_pipe)
    emits = [i for i, s in enumerate(scenarios) if quick is not None and _only_emits(s)]
    if quick is not None and emits:
        part = _solve_quick(net, quick, [scenarios[i] for i in emits], base)
        if len(emits) == n_row:
            m, p, leak, flow, residual, met = part
        else:
            rows = np.array(emits)
            m[rows], p[rows], leak[rows], flow[rows], residual[rows], met[rows] = part
    for i in np.flatnonzero(~met).tolist():  # whatever else, and where a valve would move
        answer, solved = _solve_one(net, boundary, scenarios[i], base, t_pipe)
        m[i], p[i], flow[i], met[i] = answer.m, answer.p, solved.flow, answer.converged
        leak[i], residual[i] = answer.leak + solved.leak_draw, answer.residual_kg_s
    for array in (m, p, flow, leak):
        array[~met] = np.nan
    source, back = _sum_sources(net, case, m, flow, leak)
    return FlowBatch(
        names=tuple(s.name for s in scenarios),
        mass_flow_kg_s=m,
        p_supply_pa=p[:, :n],
        p_return_pa=p[:, n:],
        flow_kg_s=flow,
        source_flow_kg_s=source,
        make_up_kg_s=source - back,
        leak_kg_s=leak.sum(axis=1),
        residual_kg_s=residual,
        converged=met,
    )


def _only_emits(s: Scenario) -> bool:
    return not s.openings and not s.closed and s.load == 1.0 and all(x.flow_kg_s == 0.0 for x in s.leaks)


@dataclass(frozen=True, slots=True, eq=False)
class _Quick:
    """What scenarios that only add leaks start from: the problem with its links (pumps at sources, valves
    that stand open) behind the pipes, its cut, and the flows without leaks."""

    case: Case
    problem: FlowProblem
    plan: Plan
    m: Floats
    posed: LinkedProblem | None


def _prepare_quick(
    net: CompiledNetwork, b: SteadyBoundary, case: Case, base: SteadyState, t_pipe: Floats
) -> _Quick | None:
    """The state without leaks, posed for compiled code; None where points are cut off or nothing settles."""
    problem, program, m, posed = pose_flows(net, case, t_pipe), net.program, base.mass_flow_kg_s, None
    if case.links is not None:
        t_point = _point_temperatures(b, base)
        answer, case = solve_case(net, b, case, t_pipe, t_point, m)
        links = case.links
        if not answer.converged or links is None or case.wanted is None:
            return None
        posed = pose_links(net, replace(case, flow=case.wanted), links, problem, t_point)
        problem, program, m = posed.problem, posed.program, np.concatenate([answer.m, links.flow_kg_s])
        open_links(problem, links, links.status)
    plan = program.find_plan(problem.open_, problem.fixed_pa, problem.emitter)
    return _Quick(case, problem, plan, m, posed) if plan.reached.all() else None


def _point_temperatures(b: SteadyBoundary, base: SteadyState) -> Floats:
    t = np.concatenate([base.t_supply_c, base.t_return_c])
    return np.where(np.isfinite(t), t, b.t_ground_c)


def _solve_quick(
    net: CompiledNetwork, quick: _Quick, scenarios: Sequence[Scenario], base: SteadyState
) -> tuple[Floats, Floats, Floats, Floats, Floats, Bools]:
    """Flows, pressures, leaks, flows of the stations, residuals, and whether the rows are answers."""
    q, case, plan = quick.problem, quick.case, quick.plan
    places = [[x for leak in s.leaks for x in _place(net, leak)] for s in scenarios]
    widest = max((len(x) for x in places), default=0)
    at, c = np.zeros((len(places), widest), np.int64), np.zeros((len(places), widest))
    for i, row in enumerate(places):
        for j, (point, emitter) in enumerate(row):
            at[i, j], c[i, j] = point, emitter
    pipes = prepare_pipes(
        q.start, q.end, q.length_m, q.diameter_m, q.roughness_m, q.zeta, q.quadratic, q.rho, q.mu,
        q.elevation_m, q.lift_pa,
    )  # fmt: skip
    n = len(places)
    m, p, leak = np.empty((n, len(q.start))), np.empty((n, net.n_point)), np.empty((n, net.n_point))
    residual, met = np.empty(n), np.empty(n, bool)
    p_start = np.concatenate([base.p_supply_pa, base.p_return_pa])
    solve_leaks(
        plan, pipes, q.start, q.end, q.one_way, case.draw, q.emitter, quick.m, p_start, at, c, m,
        p, leak, residual, met,
    )  # fmt: skip
    leak += case.leak_draw
    met &= residual < 1e-6
    flow = np.tile(case.flow, (n, 1))
    if quick.posed is not None and case.links is not None and len(case.links.status):
        status, link = case.links.status, m[:, net.n_pipe + case.links.n_pump :]
        dp = p[:, net.station_node] - p[:, net.n_node + net.station_node]
        new, _ = judge_valves(case.links, status, quick.posed.wanted, quick.posed.need, dp, link)
        met &= (new == status).all(axis=1)
        flow = np.where(status == CONTROLLED, flow, np.maximum(link, 0.0))
    return m[:, : net.n_pipe], p, leak, flow, residual, met


def _place(net: CompiledNetwork, leak: Leak) -> list[tuple[int, float]]:
    if leak.pipe_id:
        if leak.pipe_id not in net.pipe_index:
            raise InputError(f"leak: pipe {leak.pipe_id!r} is not in the pipe table")
        k = net.pipe_index[leak.pipe_id]
        return [(int(net.start[k]), 0.5 * leak.emitter), (int(net.end[k]), 0.5 * leak.emitter)]
    if leak.node_id not in net.network.node_index:
        raise InputError(f"leak: node {leak.node_id!r} is not in the node table")
    point = net.network.node_index[leak.node_id] + (net.n_node if leak.side == "return" else 0)
    return [(point, leak.emitter)]


def _solve_one(
    net: CompiledNetwork, b: SteadyBoundary, s: Scenario, base: SteadyState, t_pipe: Floats
) -> tuple[FlowAnswer, Case]:
    valve_index = {v.id: k for k, v in enumerate(net.network.valves)}
    opening = net.valve_opening.copy() if b.valve_opening is None else b.valve_opening.copy()
    for name, value in s.openings:
        if name not in valve_index:
            raise InputError(f"scenario {s.name}: valve {name!r} is not in the valve table")
        opening[valve_index[name]] = value
    closed = np.zeros(net.n_pipe, bool) if b.closed_pipe is None else b.closed_pipe.copy()
    for name in s.closed:
        if name not in net.pipe_index:
            raise InputError(f"scenario {s.name}: pipe {name!r} is not in the pipe table")
        closed[net.pipe_index[name]] = True
    changed = replace(
        b,
        valve_opening=opening,
        closed_pipe=closed,
        leaks=(*b.leaks, *s.leaks),
        flow_kg_s=s.load * b.flow_kg_s,
        heat_w=None if b.heat_w is None else s.load * b.heat_w,
    )
    case = prepare_case(net, changed)
    t_point = _point_temperatures(b, base)
    answer, solved = solve_case(net, changed, case, t_pipe, t_point, base.mass_flow_kg_s)
    if not answer.converged:
        answer, solved = solve_case(net, changed, case, t_pipe, t_point)
    return answer, solved


def _sum_sources(
    net: CompiledNetwork, case: Case, m: Floats, flow: Floats, leak: Floats
) -> tuple[Floats, Floats]:
    """Water that the sources send out and take back, (n_scenario, n_source): what the pipes at their nodes
    carry off, and what leaves there."""
    n = net.n_node
    at = np.concatenate([net.source_node, n + net.source_node])
    out = leak[:, at]
    for j, point in enumerate(at):
        out[:, j] += m[:, net.start == point].sum(axis=1) - m[:, net.end == point].sum(axis=1)
        here = flow[:, net.station_node == point % n].sum(axis=1)
        out[:, j] += here if point < n else -here
    k = len(net.source_node)
    return np.where(case.holds, out[:, :k], case.given), np.where(case.holds, -out[:, k:], case.given)
