"""The network at moments of a rehearsal: temperatures, pressures, flows, and what pressures must be told."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.heat import DayState, HeatSystem, SteadyBoundary
from twin.heat.findings import P_ATMOSPHERE_PA, P_RATING_PA, T_NEVER_BOILS_C
from twin.heat.quick import read_temperatures
from twin.heat.transient import leak_flows, solve_step_flows
from twin.heat.water import vapour_pressure_pa

Floats = NDArray[np.float64]

WATER_KG_M3 = 960.0
WAVE_M_S = 1000.0
"""Speed of a pressure wave in a steel pipe full of water (1000 to 1200 m/s)."""
EVENT_H = 0.25
"""A change of flow within this time may have been sudden."""


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """The network after ``hour`` (n,) hours; temperatures and gauge pressures (n, n_node), flows and mean
    temperatures of pipes (n, n_pipe) signed from_node -> to_node, rooms (n, n_building).

    Quasi-steady: pressures belong to the flows of the moment. NaN where no pressure reaches.
    """

    hour: Floats
    t_supply_c: Floats
    t_return_c: Floats
    p_supply_pa: Floats
    p_return_pa: Floats
    mass_flow_kg_s: Floats
    t_pipe_c: Floats
    t_room_c: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One moment, arrays of points (supply side first), pipes, buildings; ``leak_kg_s`` per point."""

    hour: float
    t_point_c: Floats
    p_pa: Floats
    mass_flow_kg_s: Floats
    t_pipe_c: Floats
    t_room_c: Floats
    leak_kg_s: Floats


def take_frame(system: HeatSystem, boundary: SteadyBoundary, state: DayState, hour: float) -> Frame:
    """The network under a boundary with the flows that the stations draw in ``state``."""
    net, water = system.net, state.transient
    t_point = np.empty(net.n_point)
    read_temperatures(water.h_point, t_point)
    drawn = SteadyBoundary(
        t_source_c=boundary.t_source_c, p_supply_pa=boundary.p_supply_pa, p_return_pa=boundary.p_return_pa,
        source_flow_kg_s=boundary.source_flow_kg_s, flow_kg_s=state.flow_kg_s,
        t_return_c=t_point[net.n_node + net.station_node], t_ground_c=boundary.t_ground_c,
        valve_opening=boundary.valve_opening, leaks=boundary.leaks,
    )  # fmt: skip
    case, answer = solve_step_flows(net, drawn, water.t_pipe, water.m)
    known = answer.reached & answer.converged
    return Frame(
        hour, t_point, np.where(known, answer.p, np.nan),
        np.where(known[net.start], answer.m, 0.0) if answer.converged else np.zeros(net.n_pipe),
        water.t_pipe.copy(), state.t_air_c.copy(), leak_flows(net, drawn, case, answer),
    )  # fmt: skip


def stack_frames(frames: list[Frame], n_node: int) -> Frames:
    """Many moments as arrays."""
    t, p = (np.stack([getattr(f, k) for f in frames]) for k in ("t_point_c", "p_pa"))
    return Frames(
        np.array([f.hour for f in frames]), t[:, :n_node], t[:, n_node:], p[:, :n_node], p[:, n_node:],
        np.stack([f.mass_flow_kg_s for f in frames]), np.stack([f.t_pipe_c for f in frames]),
        np.stack([f.t_room_c for f in frames]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Extreme:
    """A pressure (Pa gauge), the ``node`` and side where it stands, and the hour."""

    p_pa: float
    node: str
    side: str
    hour: float


@dataclass(frozen=True, slots=True)
class Pressures:
    """``lowest`` and ``highest`` of the hours after the start; ``boils`` points where the water may boil and
    ``under`` such below the air's pressure, ``above`` points above the rating, each with its first hour (inf:
    never); ``unheld`` nodes that no pressure reaches at the end. ``surge_pa`` upper bound (Joukowsky) of the
    wave, were the greatest change of velocity sudden, in ``surge_pipe``."""

    lowest: Extreme
    highest: Extreme
    boils: int
    boils_h: float
    under: int
    under_h: float
    above: int
    above_h: float
    unheld: int
    surge_pa: float
    surge_pipe: str


def judge_pressures(system: HeatSystem, f: Frames) -> Pressures:
    """Pressures of a rehearsal against boiling, the air and the rating."""
    p = np.concatenate([f.p_supply_pa, f.p_return_pa], axis=1)
    t = np.concatenate([f.t_supply_c, f.t_return_c], axis=1)
    with np.errstate(invalid="ignore"):
        margin = p + P_ATMOSPHERE_PA - vapour_pressure_pa(np.clip(np.nan_to_num(t, nan=10.0), 0.0, 150.0))
        boils = (margin < 0.0) & (t > T_NEVER_BOILS_C - 20.0)
        under, above = (p < 0.0) & ~boils, p > P_RATING_PA
    surge, pipe = _find_surge(system, f)
    return Pressures(
        _extreme(system, f, p, np.inf), _extreme(system, f, p, -np.inf), *_first(f, boils), *_first(f, under),
        *_first(f, above), int(np.isnan(p[-1]).reshape(2, -1).any(axis=0).sum()), surge, pipe,
    )  # fmt: skip


def _extreme(system: HeatSystem, f: Frames, p: Floats, worst: float) -> Extreme:
    if not np.isfinite(p).any():
        return Extreme(float("nan"), "", "", float("nan"))
    filled = np.where(np.isfinite(p), p, worst)
    k = int(filled.argmin() if worst > 0 else filled.argmax())
    row, point = divmod(k, p.shape[1])
    n = system.net.n_node
    node = system.net.network.nodes[point % n].id
    return Extreme(float(p[row, point]), node, "supply" if point < n else "return", float(f.hour[row]))


def _first(f: Frames, mask: NDArray[np.bool_]) -> tuple[int, float]:
    """How many points ever, and the first hour."""
    rows = np.flatnonzero(mask.any(axis=1))
    return int(mask.any(axis=0).sum()), float(f.hour[rows[0]]) if rows.size else float("inf")


def _find_surge(system: HeatSystem, f: Frames) -> tuple[float, str]:
    if len(f.hour) < 2:
        return 0.0, ""
    pipes = system.net.network.pipes
    area = np.pi / 4.0 * np.array([p.diameter_m for p in pipes]) ** 2
    step = np.abs(np.diff(f.mass_flow_kg_s, axis=0)) / (WATER_KG_M3 * area)
    step[np.diff(f.hour) > EVENT_H] = 0.0
    k = int(step.argmax())
    speed = float(step.reshape(-1)[k])
    return WATER_KG_M3 * WAVE_M_S * speed, pipes[k % len(pipes)].id if speed > 0.0 else ""
