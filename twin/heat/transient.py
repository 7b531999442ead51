"""The network through time: plug flow in every pipe, hydraulics solved anew at every step.

Flows are quasi-steady (pressure waves die out in seconds); temperatures travel with the water. The state is
passed in and returned, so a caller can stop, keep it and go on later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import SteadyBoundary, SteadyState
from twin.heat.case import Case, HeatAnswer, prepare_case, spread_draws
from twin.heat.hydraulics import FlowAnswer
from twin.heat.network_flow import solve_case, spread_to_points
from twin.heat.pipe import INSULATION_J_M3_K, STEEL_J_M3_K
from twin.heat.plugflow import UNKNOWN
from twin.heat.quick import read_temperatures
from twin.heat.steady import assemble_state, solve_steady
from twin.heat.topology import CompiledNetwork
from twin.heat.transient_kernel import advance_network, fill_pipes, net_outflow, survey_pipes
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

    ``mass``, ``h`` (n_pipe, n_parcel) and ``ring`` (n_pipe, 2): water; ``t_wall``, ``t_shell``
    (n_pipe, n_cell): steel and insulation, °C; ``wall`` (n_pipe, 4): shells as built; ``h_point``
    (2 n_node,) enthalpy; ``t_pipe`` (n_pipe,) mean of the water; ``m`` (n_pipe,) last flows; ``wait_kg``,
    ``wait_j`` (2 n_node,): water that waits at a point; ``films`` (n_pipe, 5) as in ``plugflow``;
    ``stored_j`` in pipes and at points; ``time_s`` since
    the start.
    """

    mass: Floats
    h: Floats
    ring: Ints
    t_wall: Floats
    t_shell: Floats
    wall: Floats
    h_point: Floats
    t_pipe: Floats
    m: Floats
    wait_kg: Floats
    wait_j: Floats
    films: Floats
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
    mass, h = np.zeros((n_pipe, parcels)), np.zeros((n_pipe, parcels))
    ring = np.zeros((n_pipe, 2), np.int64)
    t_wall, t_shell = np.zeros((n_pipe, cells)), np.zeros((n_pipe, cells))
    wall = describe_network_shells(net)
    fill_pipes(
        mass, h, ring, t_wall, t_shell, scale_losses(wall, boundary.u_factor), net.length_m,
        net.diameter_m, density_kg_m3(steady.t_pipe_c), t_start, t_end, boundary.t_ground_c,
    )  # fmt: skip
    t_pipe, h_mean = np.empty(n_pipe), np.empty(n_pipe)
    stored = survey_pipes(mass, h, ring, t_wall, t_shell, wall, net.length_m, h_mean)
    read_temperatures(h_mean, t_pipe)
    empty = np.zeros(net.n_point)
    state = TransientState(
        mass,
        h,
        ring,
        t_wall,
        t_shell,
        wall,
        enthalpy_j_kg(t_point),
        t_pipe,
        m,
        empty,
        empty.copy(),
        np.full((n_pipe, 5), UNKNOWN),
        stored,
        0.0,
    )
    return state, steady


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


def spread_exchange(
    net: CompiledNetwork, m: Floats, flow: Floats, leak: Floats, t_source_c: Floats
) -> tuple[Floats, Floats, Floats]:
    """What enters and leaves the pipes at the points: inflow kg/s, its enthalpy J/kg, draw kg/s."""
    n, source = net.n_node, net.source_node
    surplus = np.zeros(net.n_point)  # positive: water enters the pipes here
    net_outflow(net.start, net.end, m, surplus)
    surplus += spread_draws(net, leak, flow, np.zeros(len(source)))
    inflow, draw, h_inflow = np.zeros(net.n_point), np.zeros(net.n_point), np.zeros(net.n_point)
    at = np.concatenate([source, n + source])
    inflow[at], draw[at] = np.maximum(surplus[at], 0.0), np.maximum(-surplus[at], 0.0)
    np.add.at(draw, net.station_node, flow)
    draw += leak
    hot = enthalpy_j_kg(t_source_c)
    h_inflow[source], h_inflow[n + source] = hot, hot
    return inflow, h_inflow, draw


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
    inflow, h_inflow, draw = spread_exchange(net, m, flow, leak_flows(net, b, case, answer), hot)
    t_station = b.t_return_c.astype(np.float64).copy()
    heat_w = np.zeros(len(flow)) if b.heat_w is None else np.nan_to_num(b.heat_w)
    wanted, by_heat = heat_w.copy(), ~np.isfinite(t_station)
    mass, h, ring = s.mass.copy(), s.h.copy(), s.ring.copy()
    t_wall, t_shell = s.t_wall.copy(), s.t_shell.copy()
    h_point, wait_kg, wait_j, films = s.h_point.copy(), s.wait_kg.copy(), s.wait_j.copy(), s.films.copy()
    h_out = np.full(n_pipe, float(enthalpy_j_kg(b.t_ground_c)))
    loss, sums, t_out, t_pipe, t_point = (
        np.zeros(n_pipe),
        np.zeros(4),
        np.empty(n_pipe),
        np.empty(n_pipe),
        np.empty(net.n_point),
    )
    wall = scale_losses(s.wall, b.u_factor)
    advance_network(
        net.start, net.end, m, net.length_m, net.diameter_m, wall, films, mass, h, ring, t_wall, t_shell,
        h_point, wait_kg, wait_j, inflow, h_inflow, draw, net.station_node, flow, t_station, heat_w,
        b.t_ground_c, dt_s, h_out, loss, sums,
    )  # fmt: skip
    read_temperatures(h_point, t_point)
    read_temperatures(h_out, t_out)
    stored = survey_pipes(mass, h, ring, t_wall, t_shell, wall, net.length_m, h_out) + float(wait_j.sum())
    read_temperatures(h_out, t_pipe)
    after = TransientState(
        mass, h, ring, t_wall, t_shell, s.wall, h_point, t_pipe, answer.m, wait_kg, wait_j, films, stored,
        s.time_s + dt_s,
    )  # fmt: skip
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
