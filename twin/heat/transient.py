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
from twin.heat.hydraulics import FlowAnswer, solve_flows
from twin.heat.pipe import INSULATION_J_M3_K, STEEL_J_M3_K
from twin.heat.steady import assemble_state, pose_flows, solve_steady
from twin.heat.topology import CompiledNetwork
from twin.heat.transient_kernel import advance_network, fill_pipes, mean_temperatures, stored_energy
from twin.heat.water import density_kg_m3
from twin.model.errors import EngineError, InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PARCELS, CELLS = 8, 5
INSULATION_SHARE = 0.9
"""Part of the thermal resistance of a buried pipe that lies in its insulation; the rest is soil."""
INSULATION_M = 0.045


@dataclass(frozen=True, slots=True, eq=False)
class TransientState:
    """What the network remembers between two steps; nobody but this module looks inside the queues.

    ``mass``, ``h`` (n_pipe, n_parcel) and ``ring`` (n_pipe, 2): water; ``t_wall``, ``t_shell``
    (n_pipe, n_cell): steel and insulation, °C; ``t_point`` (2 n_node,); ``m`` (n_pipe,) last flows;
    ``wait_kg``, ``wait_j`` (2 n_node,): water that waits at a point; ``time_s`` since the start.
    """

    mass: Floats
    h: Floats
    ring: Ints
    t_wall: Floats
    t_shell: Floats
    t_point: Floats
    m: Floats
    wait_kg: Floats
    wait_j: Floats
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


def describe_network_shells(net: CompiledNetwork, u_factor: Floats | None = None) -> Floats:
    """Shell rows (n_pipe, 4) of a buried steel network from its diameters and loss coefficients.

    Wall thickness 3.2 mm + 0.9 % of the diameter (steel pipe tables); 45 mm of foam.
    """
    d, u = net.diameter_m, net.u_w_m_k * (1.0 if u_factor is None else u_factor)
    d_wall = d + 2.0 * (0.0032 + 0.009 * d)
    d_shell = d_wall + 2.0 * INSULATION_M
    half = 0.5 * INSULATION_SHARE
    u = np.maximum(u, 1e-9)
    return np.stack(
        [
            STEEL_J_M3_K * np.pi / 4.0 * (d_wall**2 - d**2),
            INSULATION_J_M3_K * np.pi / 4.0 * (d_shell**2 - d_wall**2),
            u / half,
            u / (1.0 - half),
        ],
        axis=1,
    )


def begin_transient(
    net: CompiledNetwork, boundary: SteadyBoundary, parcels: int = PARCELS, cells: int = CELLS
) -> tuple[TransientState, SteadyState]:
    """Start from the steady state of ``boundary``; ``parcels`` of water and ``cells`` of wall per pipe.

    Raises
    ------
    EngineError : there is no steady state to start from
    """
    steady = solve_steady(net, boundary)
    if not steady.converged:
        raise EngineError("no steady state to start from: " + "; ".join(str(f) for f in steady.findings))
    n_pipe, m = net.n_pipe, steady.mass_flow_kg_s
    t_point = np.concatenate([steady.t_supply_c, steady.t_return_c])
    t_point = np.where(np.isfinite(t_point), t_point, boundary.t_ground_c)
    t_in = t_point[np.where(m >= 0.0, net.start, net.end)]
    t_start, t_end = np.where(m >= 0.0, t_in, steady.t_out_c), np.where(m >= 0.0, steady.t_out_c, t_in)
    mass, h = np.zeros((n_pipe, parcels)), np.zeros((n_pipe, parcels))
    ring = np.zeros((n_pipe, 2), np.int64)
    t_wall, t_shell = np.zeros((n_pipe, cells)), np.zeros((n_pipe, cells))
    fill_pipes(
        mass, h, ring, t_wall, t_shell, describe_network_shells(net, boundary.u_factor), net.length_m,
        net.diameter_m, density_kg_m3(steady.t_pipe_c), t_start, t_end, boundary.t_ground_c,
    )  # fmt: skip
    empty = np.zeros(net.n_point)
    return TransientState(mass, h, ring, t_wall, t_shell, t_point, m, empty, empty.copy(), 0.0), steady


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
    case = prepare_case(net, boundary)
    n = _copy(state)
    t_pipe = np.empty(net.n_pipe)
    mean_temperatures(n.mass, n.h, n.ring, t_pipe)
    answer = solve_flows(pose_flows(net, case, t_pipe), net.program, state.m)
    if not answer.converged:  # a warm start far away may mislead: once more from nothing
        answer = solve_flows(pose_flows(net, case, t_pipe), net.program)
    heat, energy = _advance(net, boundary, case, answer, n, dt_s)
    after = TransientState(
        n.mass,
        n.h,
        n.ring,
        n.t_wall,
        n.t_shell,
        n.t_point,
        answer.m,
        n.wait_kg,
        n.wait_j,
        state.time_s + dt_s,
    )
    return after, assemble_state(net, boundary, case, answer, heat, answer.iterations), energy


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


def _copy(s: TransientState) -> TransientState:
    return TransientState(
        mass=s.mass.copy(),
        h=s.h.copy(),
        ring=s.ring.copy(),
        t_wall=s.t_wall.copy(),
        t_shell=s.t_shell.copy(),
        t_point=s.t_point.copy(),
        m=s.m,
        wait_kg=s.wait_kg.copy(),
        wait_j=s.wait_j.copy(),
        time_s=s.time_s,
    )


def _advance(
    net: CompiledNetwork, b: SteadyBoundary, case: Case, answer: FlowAnswer, s: TransientState, dt_s: float
) -> tuple[HeatAnswer, StepEnergy]:
    """Move heat in ``s`` (changed in place)."""
    n, source = net.n_node, net.source_node
    m = answer.m if answer.converged else np.zeros(net.n_pipe)
    surplus = np.zeros(net.n_point)  # positive: water enters the pipes here
    np.add.at(surplus, net.start, m)
    np.subtract.at(surplus, net.end, m)
    served = answer.reached[net.station_node] & answer.reached[n + net.station_node] & answer.converged
    flow = np.where(served, case.flow, 0.0)
    inflow, draw = np.zeros(net.n_point), np.zeros(net.n_point)
    at = np.concatenate([source, n + source])
    inflow[at], draw[at] = np.maximum(surplus[at], 0.0), np.maximum(-surplus[at], 0.0)
    np.add.at(draw, net.station_node, flow)
    if answer.converged:
        draw += answer.leak
    t_inflow = np.zeros(net.n_point)
    hot = np.where(np.isfinite(b.t_source_c), b.t_source_c, b.t_ground_c)
    t_inflow[source], t_inflow[n + source] = hot, hot
    t_station = b.t_return_c.astype(np.float64).copy()
    heat_w = np.zeros(len(flow)) if b.heat_w is None else np.nan_to_num(b.heat_w)
    wanted = heat_w.copy()
    by_heat = ~np.isfinite(t_station)
    wall = describe_network_shells(net, b.u_factor)
    before = stored_energy(s.mass, s.h, s.ring, s.t_wall, s.t_shell, wall, net.length_m) + s.wait_j.sum()
    t_out, loss, sums = np.full(net.n_pipe, b.t_ground_c), np.zeros(net.n_pipe), np.zeros(4)
    advance_network(
        net.start, net.end, m, net.length_m, net.diameter_m, wall, s.mass, s.h, s.ring, s.t_wall, s.t_shell,
        s.t_point, s.wait_kg, s.wait_j, inflow, t_inflow, draw, net.station_node, flow, t_station, heat_w,
        b.t_ground_c, dt_s, t_out, loss, sums,
    )  # fmt: skip
    after = stored_energy(s.mass, s.h, s.ring, s.t_wall, s.t_shell, wall, net.length_m) + s.wait_j.sum()
    t_pipe = np.empty(net.n_pipe)
    mean_temperatures(s.mass, s.h, s.ring, t_pipe)
    heat = HeatAnswer(
        t_point=s.t_point.copy(),
        t_out=t_out,
        t_pipe=t_pipe,
        loss_w=loss,
        t_station=t_station,
        heat_w=heat_w,
        unreachable=by_heat & (flow > 0.0) & (heat_w < 0.999 * wanted),
        settled=True,
    )
    return heat, StepEnergy(
        float(sums[0]), float(sums[1]), float(sums[2]), float(sums[3]), float(after - before)
    )
