"""The network through time: plug flow in every pipe, hydraulics solved anew at every step.

Flows are quasi-steady (pressure waves die out in seconds); temperatures travel with the water. The state is
passed in and returned, so a caller can stop, keep it and go on later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import SteadyBoundary, SteadyState
from twin.heat.case import Case, HeatAnswer, prepare_case
from twin.heat.exchange import survey_pipes
from twin.heat.hydraulics import FlowAnswer
from twin.heat.network_flow import solve_case, spread_to_points
from twin.heat.pipe import INSULATION_J_M3_K, STEEL_J_M3_K
from twin.heat.plugflow import MEAN, N_KNOWN, Pipes
from twin.heat.quick import read_temperatures
from twin.heat.share import feed_points
from twin.heat.steady import assemble_state, solve_steady
from twin.heat.thermal import order_points
from twin.heat.topology import CompiledNetwork
from twin.heat.transient_kernel import advance_network, fill_pipes
from twin.heat.water import density_kg_m3, enthalpy_j_kg
from twin.model.errors import EngineError, InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELL_M = 12.0
"""Length of a wall cell aimed at in a network; a front is smeared over about two."""
CELLS_MIN, CELLS_MAX, MORE_PARCELS = 5, 40, 3
INSULATION_SHARE = 0.9
"""Part of the thermal resistance of a buried pipe that lies in its insulation; the rest is soil."""
INSULATION_M = 0.045


@dataclass(frozen=True, slots=True, eq=False)
class TransientState:
    """What the network remembers between two steps; nobody but this module looks inside the queues.

    ``pipes``: water and steel, shells as built (:class:`twin.heat.plugflow.Pipes`); ``h_point`` (2 n_node,)
    enthalpy; ``t_pipe`` (n_pipe,) mean of the water; ``m`` (n_pipe,) last flows; ``wait_kg``, ``wait_j``
    (2 n_node,): water that waits at a point; ``stored_j`` in pipes and at points; ``time_s`` since the start.
    """

    pipes: Pipes
    h_point: Floats
    t_pipe: Floats
    m: Floats
    wait_kg: Floats
    wait_j: Floats
    stored_j: float
    time_s: float


@dataclass(frozen=True, slots=True)
class StepEnergy:
    """Energy of one step, J: brought by sources, drawn off at sources and leaks, lost to the ground, taken by
    substations, and the change of what the network holds. ``error`` is what does not add up."""

    brought: float
    drawn: float
    lost: float
    taken: float
    stored: float

    @property
    def error(self) -> float:
        """Brought less drawn, lost, taken and stored, J."""
        return self.brought - self.drawn - self.lost - self.taken - self.stored


@dataclass(frozen=True, slots=True, eq=False)
class TransientRun:
    """Result of :func:`simulate`: ``time_s`` (n_step,), ``states`` one per step, ``end`` to go on from,
    ``energy`` one per step."""

    time_s: Floats
    states: tuple[SteadyState, ...]
    energy: tuple[StepEnergy, ...]
    end: TransientState


def describe_network_shells(net: CompiledNetwork) -> Floats:
    """Shell rows (n_pipe, 4) of a buried steel network from its diameters and loss coefficients.

    Wall thickness 3.2 mm + 0.9 % of the diameter (steel pipe tables); 45 mm of foam.
    """
    d, u = net.diameter_m, np.maximum(net.u_w_m_k, 1e-9)
    d_wall = d + 2.0 * (0.0032 + 0.009 * d)
    d_shell = d_wall + 2.0 * INSULATION_M
    half = 0.5 * INSULATION_SHARE
    return np.stack(
        [
            STEEL_J_M3_K * np.pi / 4.0 * (d_wall**2 - d**2),
            INSULATION_J_M3_K * np.pi / 4.0 * (d_shell**2 - d_wall**2),
            u / half,
            u / (1.0 - half),
        ],
        axis=1,
    )


def choose_resolution(net: CompiledNetwork) -> tuple[int, int]:
    """Parcels and cells per pipe for a network: cells of about 12 m in its longer pipes, 5 to 40 of them."""
    longer = float(np.percentile(net.length_m, 75.0)) if net.n_pipe else 0.0
    cells = int(np.clip(round(longer / CELL_M), CELLS_MIN, CELLS_MAX))
    return cells + MORE_PARCELS, cells


def begin_transient(
    net: CompiledNetwork,
    boundary: SteadyBoundary,
    parcels: int | None = None,
    cells: int | None = None,
) -> tuple[TransientState, SteadyState]:
    """Start from the steady state of ``boundary``.

    Parameters
    ----------
    parcels, cells : of water and of wall per pipe, at least 3 and 1; None: :func:`choose_resolution`

    Raises
    ------
    EngineError : there is no steady state to start from
    """
    steady = solve_steady(net, boundary)
    if not steady.converged:
        raise EngineError("no steady state to start from: " + "; ".join(str(f) for f in steady.findings))
    usual = choose_resolution(net)
    parcels, cells = usual[0] if parcels is None else parcels, usual[1] if cells is None else cells
    if parcels < 3 or cells < 1:
        raise InputError(f"parcels {parcels} and cells {cells}: give at least 3 parcels and 1 cell per pipe")
    n_pipe, m = net.n_pipe, steady.mass_flow_kg_s
    t_point = np.concatenate([steady.t_supply_c, steady.t_return_c])
    t_point = np.where(np.isfinite(t_point), t_point, boundary.t_ground_c)
    t_in = t_point[np.where(m >= 0.0, net.start, net.end)]
    t_start, t_end = np.where(m >= 0.0, t_in, steady.t_out_c), np.where(m >= 0.0, steady.t_out_c, t_in)
    pipes = Pipes(
        mass=np.zeros((n_pipe, parcels)),
        h=np.zeros((n_pipe, parcels)),
        ring=np.zeros((n_pipe, 2), np.int64),
        t_wall=np.zeros((n_pipe, cells)),
        t_shell=np.zeros((n_pipe, cells)),
        known=np.zeros((N_KNOWN, n_pipe)),
        wall=describe_network_shells(net),
        length=net.length_m,
        diameter=net.diameter_m,
    )
    scaled = pipes._replace(wall=scale_losses(pipes.wall, boundary.u_factor))
    fill_pipes(scaled, density_kg_m3(steady.t_pipe_c), t_start, t_end, boundary.t_ground_c)
    stored, t_pipe, empty = survey_pipes(pipes), np.empty(n_pipe), np.zeros(net.n_point)
    read_temperatures(pipes.known[MEAN], t_pipe)
    state = TransientState(pipes, enthalpy_j_kg(t_point), t_pipe, m, empty, empty.copy(), stored, 0.0)
    return state, steady


def resume_transient(
    net: CompiledNetwork, before: TransientState, t_point_c: Floats, t_pipe_c: Floats, m_kg_s: Floats,
    t_ground_c: float,
) -> TransientState:  # fmt: skip
    """Take up a network whose temperatures are known at its points and in the mean of its pipes.

    Water lies in every pipe along a straight line from what enters it to what its mean asks for; walls stand
    as they do beside such water. Where nothing is known (NaN) the temperatures of ``before`` are kept.

    Parameters
    ----------
    before : a state of the same network, for what is not known and for its resolution
    t_point_c : (2 n_node,) supply side first; ``t_pipe_c``, ``m_kg_s`` (n_pipe,) signed, from_node -> to_node
    """
    t_old = np.empty(net.n_point)
    read_temperatures(before.h_point, t_old)
    known = np.isfinite(t_point_c)
    t_point = np.where(known, t_point_c, t_old)
    m = np.where(np.isfinite(m_kg_s), m_kg_s, before.m)
    mean = np.where(np.isfinite(t_pipe_c), t_pipe_c, before.t_pipe)
    forward = m >= 0.0
    first, last = np.where(forward, net.start, net.end), np.where(forward, net.end, net.start)
    seen = known[first] & np.isfinite(t_pipe_c)
    t_in = np.where(seen, t_point[first], mean)
    low, high = (
        np.minimum(np.minimum(t_in, mean), t_point[last]),
        np.maximum(np.maximum(t_in, mean), t_point[last]),
    )
    t_out = np.clip(2.0 * mean - t_in, low, high)
    pipes = copy_pipes(before.pipes)
    pipes.mass[:], pipes.h[:] = 0.0, 0.0
    t_start, t_end = np.where(forward, t_in, t_out), np.where(forward, t_out, t_in)
    fill_pipes(pipes, density_kg_m3(mean), t_start, t_end, t_ground_c)
    stored, t_pipe, empty = survey_pipes(pipes), np.empty(net.n_pipe), np.zeros(net.n_point)
    read_temperatures(pipes.known[MEAN], t_pipe)
    h_point = np.where(known, enthalpy_j_kg(t_point), before.h_point)
    return TransientState(pipes, h_point, t_pipe, m, empty, empty.copy(), stored, before.time_s)


def step_transient(
    net: CompiledNetwork, boundary: SteadyBoundary, state: TransientState, dt_s: float
) -> tuple[TransientState, SteadyState, StepEnergy]:
    """Advance by ``dt_s`` seconds with ``boundary`` held.

    Returns
    -------
    the new state (the old one is untouched), the network as it stands at the end of the step, its energy

    Raises
    ------
    InputError : ``dt_s`` is not positive, or the boundary is wrong (as :func:`twin.heat.solve_steady`)
    """
    if not dt_s > 0.0:
        raise InputError(f"dt_s is {dt_s:g}, it must be positive")
    case, answer = solve_step_flows(net, boundary, state.t_pipe, state.m)
    after, heat, energy = _advance(net, boundary, case, answer, state, dt_s)
    return after, assemble_state(net, boundary, case, answer, heat, answer.iterations), energy


def solve_step_flows(
    net: CompiledNetwork, boundary: SteadyBoundary, t_pipe_c: Floats, m_before: Floats
) -> tuple[Case, FlowAnswer]:
    """Hydraulics of one step at the pipes' mean temperatures, from the flows before."""
    case = prepare_case(net, boundary)
    t_point = np.full(net.n_point, np.nan) if case.links is None else spread_to_points(net, t_pipe_c)
    answer, solved = solve_case(net, boundary, case, t_pipe_c, t_point, m_before)
    if not answer.converged:  # a warm start far away may mislead: once more from nothing
        answer, solved = solve_case(net, boundary, case, t_pipe_c, t_point)
    return solved, answer


def leak_flows(net: CompiledNetwork, b: SteadyBoundary, case: Case, answer: FlowAnswer) -> Floats:
    """Water lost at every point, kg/s: through emitters, and by leaks of given flow."""
    if not answer.converged:
        return np.zeros(net.n_point)
    out: Floats = np.where(answer.reached, case.leak_draw, 0.0) + answer.leak
    return out


def simulate(
    net: CompiledNetwork,
    boundaries: Sequence[SteadyBoundary],
    dt_s: float,
    state: TransientState | None = None,
) -> TransientRun:
    """Run through a row of boundaries, one per step of ``dt_s`` seconds.

    Parameters
    ----------
    boundaries : what holds during each step
    state : where to go on from; None: the steady state of the first boundary

    Returns
    -------
    TransientRun; a step whose hydraulics did not converge is NaN with its finding, and heat stands still
    """
    if not boundaries:
        raise InputError("simulate: no boundaries given")
    if state is None:
        state, _ = begin_transient(net, boundaries[0])
    states, energy, times = [], [], []
    for boundary in boundaries:
        state, now, joule = step_transient(net, boundary, state, dt_s)
        states.append(now)
        energy.append(joule)
        times.append(state.time_s)
    return TransientRun(np.array(times), tuple(states), tuple(energy), state)


def scale_losses(wall: Floats, u_factor: Floats | None) -> Floats:
    """Shell rows with their conductances multiplied by ``u_factor`` (n_pipe,)."""
    if u_factor is None:
        return wall
    out = wall.copy()
    out[:, 2:] *= np.maximum(u_factor, 1e-9)[:, None]
    return out


def copy_pipes(p: Pipes) -> Pipes:
    """Pipes of their own: what changes is copied, what does not is shared."""
    return p._replace(
        mass=p.mass.copy(),
        h=p.h.copy(),
        ring=p.ring.copy(),
        t_wall=p.t_wall.copy(),
        t_shell=p.t_shell.copy(),
        known=p.known.copy(),
    )


def _empty_pipes(p: Pipes) -> Pipes:
    """Room for the state after ``p``."""
    return p._replace(
        mass=np.empty_like(p.mass),
        h=np.empty_like(p.h),
        ring=np.empty_like(p.ring),
        t_wall=np.empty_like(p.t_wall),
        t_shell=np.empty_like(p.t_shell),
        known=p.known.copy(),
    )


def _advance(
    net: CompiledNetwork, b: SteadyBoundary, case: Case, answer: FlowAnswer, s: TransientState, dt_s: float
) -> tuple[TransientState, HeatAnswer, StepEnergy]:
    """Move heat from one state to the next."""
    n, n_pipe = net.n_node, net.n_pipe
    ok = answer.converged
    m = answer.m if ok else np.zeros(n_pipe)
    served = answer.reached[net.station_node] & answer.reached[n + net.station_node] & ok
    flow = np.where(served, case.flow, 0.0)
    hot = np.where(np.isfinite(b.t_source_c), b.t_source_c, b.t_ground_c)
    inflow, h_inflow, draw = feed_points(
        net.start, net.end, m, leak_flows(net, b, case, answer), net.station_node, flow, net.source_node, hot
    )
    t_station = b.t_return_c.astype(np.float64).copy()
    heat_w = np.zeros(len(flow)) if b.heat_w is None else np.nan_to_num(b.heat_w)
    wanted, by_heat = heat_w.copy(), ~np.isfinite(t_station)
    p, t_pipe, t_point = _empty_pipes(s.pipes), np.empty(n_pipe), np.empty(net.n_point)
    t_out, h_out, loss, sums = np.empty(n_pipe), np.empty(n_pipe), np.empty(n_pipe), np.empty(4)
    h_point, wait_kg, wait_j = s.h_point.copy(), s.wait_kg.copy(), s.wait_j.copy()
    order, _, first, outgoing = order_points(net.start, net.end, m, net.n_point)
    o = s.pipes
    held = advance_network(
        o.mass, o.h, o.ring, o.t_wall, o.t_shell, p.mass, p.h, p.ring, p.t_wall, p.t_shell, p.known,
        scale_losses(p.wall, b.u_factor), p.length, p.diameter, net.start, net.end, m, order, first, outgoing,
        inflow, h_inflow, draw, net.station_node, flow, t_station, heat_w, h_point, wait_kg, wait_j, h_out,
        loss, sums, b.t_ground_c, dt_s,
    )  # fmt: skip
    read_temperatures(h_point, t_point)
    read_temperatures(h_out, t_out)
    read_temperatures(p.known[MEAN], t_pipe)
    stored = held + float(wait_j.sum())
    after = TransientState(p, h_point, t_pipe, answer.m, wait_kg, wait_j, stored, s.time_s + dt_s)
    heat = HeatAnswer(
        t_point=t_point,
        t_out=t_out,
        t_pipe=t_pipe,
        loss_w=loss,
        t_station=t_station,
        heat_w=heat_w,
        unreachable=by_heat & (flow > 0.0) & (heat_w < 0.999 * wanted),
        settled=True,
    )
    brought, drawn, lost, taken = (float(x) for x in sums)
    return after, heat, StepEnergy(brought, drawn, lost, taken, stored - s.stored_j)
