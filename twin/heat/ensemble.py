"""Many members over one network at once: they differ in weather, ground, losses, roughness or leaks.

The fast, diffusive sister of :func:`twin.heat.simulate`: implicit upwind cells instead of parcels, in blocks
of up to 16 members. Stable for any step; no temperature leaves the range of the boundary. Where fronts matter
to the minute, use ``simulate``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import SteadyBoundary
from twin.heat.day_arrays import Flows, Grid
from twin.heat.day_kernel import has_moved, spread_flows
from twin.heat.ensemble_kernel import advance_block, ground_loss, stored_energy
from twin.heat.follow import freeze_flows
from twin.heat.steady import solve_steady
from twin.heat.thermal import STILL_KG_S, order_points
from twin.heat.topology import CompiledNetwork
from twin.heat.transient import describe_network_shells, solve_step_flows
from twin.heat.water import density_kg_m3, heat_capacity_j_kg_k
from twin.model.errors import EngineError, InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK, ROUNDS = 16, 500
MOVES = frozenset({"t_source_c", "flow_kg_s", "t_return_c", "heat_w", "t_ground_c", "u_factor"})
"""Parts of a boundary that may change without a new look at valves, pipes, pumps and pressures."""


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """The last hydraulic solution of one member and the boundary it belongs to."""

    boundary: SteadyBoundary
    flows: Flows
    converged: bool


@dataclass(frozen=True, slots=True, eq=False)
class EnsembleState:
    """What all members remember; the last index is the member.

    ``t_water``, ``t_shell`` (n_pipe, n_cell, n_member), ``t_point`` (2 n_node, n_member), ``c_water``
    (n_pipe, n_member) J/K of the water, ``cp`` (n_member,); ``members``: their hydraulics; ``time_s``.
    """

    t_water: Floats
    t_shell: Floats
    t_point: Floats
    c_water: Floats
    cp: Floats
    members: tuple[Member, ...]
    time_s: float


@dataclass(frozen=True, slots=True, eq=False)
class EnsembleStep:
    """All members at the end of a step; the first index is the member.

    ``t_supply_c``, ``t_return_c`` (n_member, n_node); ``mass_flow_kg_s``, ``t_pipe_c`` (n_member, n_pipe);
    ``flow_kg_s``, ``heat_w``, ``t_station_return_c`` (n_member, n_station); ``source_heat_w``
    (n_member, n_source); per member: ``ground_loss_w``, ``leak_kg_s``, ``converged``, and the energy of the
    step in J: ``brought_j``, ``drawn_j``, ``stored_j`` (brought - drawn - heat - loss - stored is its error).
    """

    t_supply_c: Floats
    t_return_c: Floats
    mass_flow_kg_s: Floats
    t_pipe_c: Floats
    flow_kg_s: Floats
    heat_w: Floats
    t_station_return_c: Floats
    source_heat_w: Floats
    ground_loss_w: Floats
    leak_kg_s: Floats
    converged: NDArray[np.bool_]
    brought_j: Floats
    drawn_j: Floats
    stored_j: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Drive:
    """What moves in one step, the member last."""

    flow: Floats
    inflow: Floats
    t_inflow: Floats
    draw: Floats
    station: Floats
    t_given: Floats
    heat_given: Floats
    u_factor: Floats
    t_ground: Floats
    leak: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Members over one network: ``begin`` gives a state, ``step`` moves all members on.

    ``cells``: wall and water cells per pipe.
    """

    net: CompiledNetwork
    cells: int = 5

    def begin(self, boundaries: Sequence[SteadyBoundary]) -> EnsembleState:
        """Start every member from the steady state of its boundary.

        Raises
        ------
        EngineError : a member has no steady state (the text names it)
        """
        net, n = self.net, len(boundaries)
        if n == 0:
            raise InputError("Ensemble.begin: no members given")
        t_water, t_shell = np.empty((2, net.n_pipe, self.cells, n))
        t_point, c_water, cp = np.empty((net.n_point, n)), np.empty((net.n_pipe, n)), np.empty(n)
        wall, share = describe_network_shells(net), (np.arange(self.cells) + 0.5) / self.cells
        through = wall[:, 2] / (wall[:, 2] + wall[:, 3])
        volume = 0.25 * np.pi * net.diameter_m**2 * net.length_m
        members = []
        for i, b in enumerate(boundaries):
            steady = solve_steady(net, b)
            if not steady.converged:
                raise EngineError(f"member {i} has no steady state: " + "; ".join(map(str, steady.findings)))
            t = np.concatenate([steady.t_supply_c, steady.t_return_c])
            t_point[:, i] = np.where(np.isfinite(t), t, b.t_ground_c)
            forward = steady.mass_flow_kg_s >= 0.0
            t_in = t_point[np.where(forward, net.start, net.end), i]
            first, last = np.where(forward, t_in, steady.t_out_c), np.where(forward, steady.t_out_c, t_in)
            t_water[:, :, i] = first[:, None] + (last - first)[:, None] * share
            t_shell[:, :, i] = b.t_ground_c + (t_water[:, :, i] - b.t_ground_c) * through[:, None]
            cp[i] = float(heat_capacity_j_kg_k(0.5 * (np.nanmax(b.t_source_c) + np.nanmin(t))))
            c_water[:, i] = volume * density_kg_m3(steady.t_pipe_c) * cp[i]
            members.append(_solve_member(net, b, steady.t_pipe_c, steady.mass_flow_kg_s))
        return EnsembleState(t_water, t_shell, t_point, c_water, cp, tuple(members), 0.0)

    def step(
        self, boundaries: Sequence[SteadyBoundary], state: EnsembleState, dt_s: float
    ) -> tuple[EnsembleState, EnsembleStep]:
        """Move all members on by ``dt_s`` seconds, each with its boundary held; ``state`` is left untouched.

        Raises
        ------
        InputError : the number of boundaries is not that of the members, or ``dt_s`` is not positive
        EngineError : flows run in a circle and do not settle (use ``simulate``)
        """
        net, n = self.net, len(state.cp)
        if len(boundaries) != n:
            raise InputError(f"Ensemble.step: {len(boundaries)} boundaries for {n} members")
        if not dt_s > 0.0:
            raise InputError(f"dt_s is {dt_s:g}, it must be positive")
        members, drive = _follow(net, boundaries, state)
        wall = describe_network_shells(net)
        t_water, t_shell, t_point = state.t_water.copy(), state.t_shell.copy(), state.t_point.copy()
        n_station = len(net.station_node)
        heat, t_back = np.zeros((n_station, n)), np.empty((n_station, n))
        for columns in _group_members(drive.flow):
            _advance(net, dt_s, wall, state, drive, columns, t_water, t_shell, t_point, heat, t_back)
        after = EnsembleState(
            t_water, t_shell, t_point, state.c_water, state.cp, members, state.time_s + dt_s
        )
        return after, _report(net, dt_s, wall, state, after, drive, heat, t_back)


def _solve_member(net: CompiledNetwork, b: SteadyBoundary, t_pipe: Floats, m: Floats) -> Member:
    case, answer = solve_step_flows(net, b, t_pipe, m)
    at = net.station_node
    served = answer.reached[at] & answer.reached[net.n_node + at] & answer.converged
    return Member(
        b, freeze_flows(net, b, case, answer, np.where(served, case.flow, 0.0), served), answer.converged
    )


def _is_same(a: SteadyBoundary, b: SteadyBoundary) -> bool:
    """Whether two boundaries differ only in what :data:`MOVES` names."""
    for f in fields(a):
        x, y = getattr(a, f.name), getattr(b, f.name)
        if x is y or f.name in MOVES:
            continue
        if isinstance(x, np.ndarray) or isinstance(y, np.ndarray):
            if x is None or y is None or not np.array_equal(x, y, equal_nan=True):
                return False
        elif x != y:
            return False
    return True


def _follow(
    net: CompiledNetwork, boundaries: Sequence[SteadyBoundary], state: EnsembleState
) -> tuple[tuple[Member, ...], _Drive]:
    """Flows of every member: from its last solution where little has moved, else solved anew."""
    n, n_station, n_point = len(boundaries), len(net.station_node), net.n_point
    flow, u_factor = np.empty((net.n_pipe, n)), np.ones((net.n_pipe, n))
    inflow, t_inflow, draw, leak = (np.zeros((n_point, n)) for _ in range(4))
    station, t_given, heat_given = (np.zeros((n_station, n)) for _ in range(3))
    grid = Grid(net.start, net.end, net.station_node, net.source_node)
    m, need, come, go = np.empty(net.n_pipe), np.empty(n_point), np.empty(n_point), np.empty(n_point)
    members = []
    for i, (b, before) in enumerate(zip(boundaries, state.members, strict=True)):
        member = before
        wanted = np.where(member.flows.served, np.asarray(b.flow_kg_s, dtype=np.float64), 0.0)
        known = member.converged and bool(np.all(np.isfinite(wanted))) and _is_same(b, member.boundary)
        if not known or has_moved(wanted, member.flows.station_flow):
            member = _solve_member(net, b, state.t_water[:, :, i].mean(axis=1), member.flows.m)
            wanted = member.flows.station_flow
        members.append(member)
        spread_flows(grid, member.flows, wanted, m, need, come, go)
        flow[:, i], inflow[:, i], draw[:, i], station[:, i] = m, come, go, wanted
        leak[:, i] = member.flows.leak
        hot = np.where(np.isfinite(b.t_source_c), b.t_source_c, b.t_ground_c)
        t_inflow[net.source_node, i], t_inflow[net.n_node + net.source_node, i] = hot, hot
        t_given[:, i] = b.t_return_c
        heat_given[:, i] = 0.0 if b.heat_w is None else np.nan_to_num(b.heat_w)
        if b.u_factor is not None:
            u_factor[:, i] = np.maximum(b.u_factor, 1e-9)
    t_ground = np.array([b.t_ground_c for b in boundaries])
    return tuple(members), _Drive(
        flow, inflow, t_inflow, draw, station, t_given, heat_given, u_factor, t_ground, leak
    )


def _group_members(flow: Floats) -> list[Ints]:
    """Members whose pipes all flow the same way, in blocks of at most :data:`BLOCK`."""
    sign = np.where(np.abs(flow) > STILL_KG_S, np.sign(flow), 0.0).astype(np.int8).T
    groups: dict[bytes, list[int]] = {}
    for i, row in enumerate(np.ascontiguousarray(sign)):
        groups.setdefault(row.tobytes(), []).append(i)
    return [np.array(g[k : k + BLOCK]) for g in groups.values() for k in range(0, len(g), BLOCK)]


def _advance(
    net: CompiledNetwork, dt_s: float, wall: Floats, s: EnsembleState, d: _Drive, columns: Ints,
    t_water: Floats, t_shell: Floats, t_point: Floats, heat: Floats, t_back: Floats,
) -> None:  # fmt: skip
    """Move one block of members on; the arrays of all members are changed in its columns."""
    order, n_sorted, first, outgoing = order_points(
        net.start, net.end, np.ascontiguousarray(d.flow[:, columns[0]]), net.n_point
    )
    state: tuple[Floats, ...] = (t_water, t_shell, t_point, heat, t_back)
    given: tuple[Floats, ...] = (s.cp, s.c_water, d.u_factor, d.t_ground, d.flow, d.inflow, d.t_inflow)
    stations: tuple[Floats, ...] = (d.station, d.t_given, d.heat_given)
    lo, hi = int(columns[0]), int(columns[-1]) + 1
    apart = hi - lo != len(columns) or n_sorted < net.n_point
    if apart:  # members far apart are brought together and put back; circles start again from the state
        lo, hi = 0, len(columns)
        given = tuple(np.ascontiguousarray(x[..., columns]) for x in given)
        stations = tuple(np.ascontiguousarray(x[..., columns]) for x in stations)
    cp, c_water, u_factor, t_ground, flow, inflow, t_inflow = given
    late = np.zeros((2, net.n_point, hi - lo))
    for _ in range(ROUNDS):  # one, but where flows run in a circle
        new = tuple(np.ascontiguousarray(x[..., columns]) for x in state) if apart else state
        change = advance_block(
            lo, hi, dt_s, net.start, net.end, order, first, outgoing, net.length_m, wall, cp, c_water,
            u_factor, t_ground, flow, inflow, t_inflow, net.station_node, stations[0], stations[1],
            stations[2], late, new[0], new[1], new[2], new[3], new[4],
        )  # fmt: skip
        if change < 1e-10:
            break
    else:
        raise EngineError("flows run in a circle and do not settle in an ensemble: use simulate")
    if apart:
        for whole, part in zip(state, new, strict=True):
            whole[..., columns] = part


def _report(
    net: CompiledNetwork, dt_s: float, wall: Floats, before: EnsembleState, after: EnsembleState, d: _Drive,
    heat: Floats, t_back: Floats,
) -> EnsembleStep:  # fmt: skip
    n, cp = net.n_node, after.cp
    loss, old, new = np.empty((3, len(cp)))
    ground_loss(wall, net.length_m, d.u_factor, d.t_ground, after.t_shell, loss)
    stored_energy(after.c_water, wall, net.length_m, before.t_water, before.t_shell, old)
    stored_energy(after.c_water, wall, net.length_m, after.t_water, after.t_shell, new)
    gone = d.draw.copy()
    np.subtract.at(gone, net.station_node, d.station)
    at = net.source_node
    sent = d.inflow[at] * d.t_inflow[at]
    back = np.maximum(gone[n + at] - d.leak[n + at], 0.0) * after.t_point[n + at]
    t = after.t_point.T
    return EnsembleStep(
        t_supply_c=t[:, :n].copy(),
        t_return_c=t[:, n:].copy(),
        mass_flow_kg_s=d.flow.T.copy(),
        t_pipe_c=after.t_water.mean(axis=1).T.copy(),
        flow_kg_s=d.station.T.copy(),
        heat_w=heat.T.copy(),
        t_station_return_c=t_back.T.copy(),
        source_heat_w=((sent - back) * cp).T.copy(),
        ground_loss_w=loss,
        leak_kg_s=d.leak.sum(axis=0),
        converged=np.array([m.converged for m in after.members]),
        brought_j=dt_s * cp * (d.inflow * d.t_inflow).sum(axis=0),
        drawn_j=dt_s * cp * (gone * after.t_point).sum(axis=0),
        stored_j=new - old,
    )
