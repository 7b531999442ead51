"""What every check would show for a leak in every pipe, on the present state.

The flows through stations are what they are, so a leak draws its water through the pipes that lead to it: in
a tree through those before it, in loops on every way in the share that the linearised network gives it
(``patterns.respond``). A flow that is measured in both pipes of a trench differs by what is lost behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.diagnosis.patterns import conductances, respond
from twin.diagnosis.search.kit import CLAMP, LISTEN, VALVE, Check, Kit
from twin.diagnosis.search.trench import Trench, find_cut, walk_trench
from twin.heat import CompiledNetwork, SteadyState
from twin.heat.water import density_kg_m3
from twin.model.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WARM_C, COLD_C = 80.0, 45.0
FRESH_KG_M3 = 990.0
"""Water that is made up."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What ``checks`` would show, row by row.

    ``change`` (n, n_pipe): clamp and valve: kg/s of difference per kg/s of leak in each pipe; listening: the
    probability to hear it. ``still`` (n,) kg/s of difference without a leak; ``doubt`` (n,) its standard
    deviation, from friction; ``flow`` (n, 2) simulated kg/s in supply and return pipe; ``area_m2``,
    ``rho_kg_m3`` (n, 2). ``cut`` (n,) stations without water meanwhile; -1: such a test is not possible.
    ``supply`` (n_pipe,) pipes of the supply side.
    """

    checks: tuple[Check, ...]
    change: Floats
    still: Floats
    doubt: Floats
    flow: Floats
    area_m2: Floats
    rho_kg_m3: Floats
    cut: Ints
    supply: Bools

    def differ(self, size_kg_s: Floats) -> Floats:
        """(n, n_pipe) kg/s of difference for a leak of ``size_kg_s`` (n_pipe,) in each pipe; rows of
        listening as they are. A leak may turn the flow of a pipe that carries little: a meter shows how much,
        not where to."""
        more = self.change * size_kg_s
        out = more.copy()
        for i, c in enumerate(self.checks):
            if c.kind == CLAMP:
                there, back = self.flow[i]
                turned = np.where(self.supply, np.abs(there + more[i]) - there, back - np.abs(back - more[i]))
                out[i] = self.still[i] + turned
            elif c.kind == LISTEN:
                out[i] = self.change[i]
        return out

    def pick(self, rows: list[int]) -> "Answers":
        """Some of the rows."""
        return Answers(
            tuple(self.checks[i] for i in rows), self.change[rows], self.still[rows], self.doubt[rows],
            self.flow[rows], self.area_m2[rows], self.rho_kg_m3[rows], self.cut[rows], self.supply,
        )  # fmt: skip


def answer_checks(
    net: CompiledNetwork, trench: Trench, state: SteadyState, checks: Sequence[Check], kit: Kit
) -> Answers:
    """Simulate what each check would show.

    Raises
    ------
    InputError : a check names a section or chamber that is not there, or a chamber at neither of its ends
    """
    n = len(checks)
    out = Answers(
        tuple(checks), np.zeros((n, net.n_pipe)), np.zeros(n), np.zeros(n), np.zeros((n, 2)),
        np.ones((n, 2)), np.full((n, 2), FRESH_KG_M3), np.zeros(n, np.int64),
        net.start < net.n_node,
    )  # fmt: skip
    rows = {kind: [i for i, c in enumerate(checks) if c.kind == kind] for kind in (CLAMP, VALVE, LISTEN)}
    _clamp(net, trench, state, out, rows[CLAMP], kit)
    _listen(net, trench, out, rows[LISTEN], kit)
    for i in rows[VALVE]:
        _shut(net, trench, out, i)
    return out


def find_place(net: CompiledNetwork, trench: Trench, check: Check) -> tuple[tuple[int, ...], int, int]:
    """Sections, node, and at which end (0 or 1) of the first section that is.

    Raises
    ------
    InputError : in words
    """
    node = net.network.node_index.get(check.node_id, -1)
    if node < 0:
        raise InputError(f"chamber: there is no chamber {check.node_id[:40]!r}")
    if check.kind == LISTEN:
        return (), node, 0
    for name in check.pair_ids:
        if name not in trench.number:
            raise InputError(f"section: there is no pair of pipes {name[:40]!r}")
    if not check.pair_ids or (check.kind == CLAMP and len(check.pair_ids) > 1):
        raise InputError(
            f"section: {check.kind} needs {'one pair' if check.kind == CLAMP else 'a pair'} of pipes"
        )
    pairs = tuple(trench.number[name] for name in check.pair_ids)
    at = np.flatnonzero(trench.ends[pairs[0]] == node)
    if not at.size:
        raise InputError(f"chamber: {check.node_id} is at neither end of {check.pair_ids[0]}")
    for n in pairs if check.kind == VALVE else ():
        if trench.valve_end[n] < 0:
            raise InputError(f"section: the two pipes of {trench.pair_ids[n]} have no section valves")
    return pairs, node, int(at[0])


def _clamp(
    net: CompiledNetwork, trench: Trench, state: SteadyState, out: Answers, rows: list[int], kit: Kit
) -> None:
    if not rows:
        return
    places = [find_place(net, trench, out.checks[i]) for i in rows]
    pair, end = np.array([p[0][0] for p in places]), np.array([p[2] for p in places])
    pipe = np.stack([trench.supply[pair], trench.back[pair]], axis=1)  # (n, 2)
    g = conductances(net, state)
    wanted, where = np.unique(np.concatenate([net.start[pipe], net.end[pipe]]), return_inverse=True)
    x = respond(net, state, wanted)  # (n_point, n_wanted), and symmetric
    a, b = where.reshape(2, *pipe.shape)
    m = np.nan_to_num(state.mass_flow_kg_s)
    total, doubt = np.zeros((len(rows), net.n_pipe)), np.zeros(len(rows))
    friction = kit.unlike * np.abs(m) / (2.0 * g)  # Pa, without the water's own weight
    for side, sign in ((0, 1.0), (1, -1.0)):
        k = pipe[:, side]
        along = np.where(m[k] < 0.0, -1.0, 1.0)
        drop = (x[:, a[:, side]] - x[:, b[:, side]]).T  # (n, n_point)
        change = -(g[k] * along)[:, None] * 0.5 * (drop[:, net.start] + drop[:, net.end])
        # half of a leak in the measured pipe itself has yet to leave it at the near end
        forward = np.where(end == 0, 1.0, -1.0) * np.where(trench.turned[pair] & (side == 1), -1.0, 1.0)
        change[np.arange(len(rows)), k] += 0.5 * forward * along
        total += sign * change
        loop = (drop[:, net.start] - drop[:, net.end]) * g * g[k, None]  # flow per Pa lost in each pipe
        loop[np.arange(len(rows)), k] -= g[k]
        doubt += np.square(loop) @ np.square(friction)
        out.flow[rows, side] = np.abs(m[k])
        out.area_m2[rows, side] = np.pi / 4 * net.diameter_m[k] ** 2
        t = np.where(np.isfinite(state.t_pipe_c[k]), state.t_pipe_c[k], (WARM_C, COLD_C)[side])
        out.rho_kg_m3[rows, side] = density_kg_m3(t)
    out.change[rows] = total
    out.still[rows] = out.flow[rows, 0] - out.flow[rows, 1]
    out.doubt[rows] = np.sqrt(doubt)


def _listen(net: CompiledNetwork, trench: Trench, out: Answers, rows: list[int], kit: Kit) -> None:
    if not rows:
        return
    nodes = np.array([find_place(net, trench, out.checks[i])[1] for i in rows])
    away = walk_trench(net, trench, nodes, kit.deaf_m)
    share = np.clip((kit.deaf_m - away) / (kit.deaf_m - kit.hear_m), 0.0, 1.0)
    out.change[rows] = (kit.imagine + (kit.hear - kit.imagine) * share).mean(axis=2)


def _shut(net: CompiledNetwork, trench: Trench, out: Answers, i: int) -> None:
    """Make-up falls by what is lost behind the valves; a shut section lies on the side away from its own."""
    pairs, _, _ = find_place(net, trench, out.checks[i])
    cut = find_cut(net, trench, pairs)
    if not cut.any():
        out.cut[i] = -1
        return
    out.cut[i] = int(cut[net.station_node].sum())
    out.change[i] = cut[net.start % net.n_node] & cut[net.end % net.n_node]
    for n in pairs:
        far = trench.ends[n, 1 - trench.valve_end[n]]
        out.change[i, [trench.supply[n], trench.back[n]]] = float(cut[far])
