"""One pipe by itself: what surrounds its water, and its outlet for a measured inlet."""

from dataclasses import dataclass
from math import nan, pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.exchange import exchange_pipes, survey_pipes
from twin.heat.film import cylinder_resistance
from twin.heat.kernels import density, enthalpy, temperature
from twin.heat.plugflow import CONTENT, MEAN, N_KNOWN, Pipes, begin_way, couple_block, flush_pipe, let_out
from twin.heat.quick import volume_m3_kg
from twin.model.errors import InputError

Floats = NDArray[np.float64]

STEEL_J_M3_K = 7800.0 * 480.0
COPPER_J_M3_K = 8960.0 * 385.0
INSULATION_J_M3_K = 50.0 * 1400.0
"""Foam of 50 kg/m³ and 1400 J/(kg K)."""
FITTINGS_FACTOR = 1.15
"""Buried networks lose this much more than their straight pipe (valves, bends, branches, supports): local
loss coefficient of directly buried networks in Chinese design practice, 1.15 to 1.2."""
RESOLUTION = 40
"""Wall cells and water parcels of one pipe when its front matters; networks use fewer."""


@dataclass(frozen=True, slots=True)
class PipeShell:
    """What surrounds the water, per metre: capacities J/(m K), conductances W/(m K)."""

    wall_j_m_k: float
    insulation_j_m_k: float
    inner_w_m_k: float
    outer_w_m_k: float

    @property
    def u_w_m_k(self) -> float:
        """Loss per metre and kelvin in the steady state, W/(m K)."""
        return 1.0 / (1.0 / self.inner_w_m_k + 1.0 / self.outer_w_m_k)

    def as_row(self) -> Floats:
        """The four numbers as a row (1, 4) for the kernels."""
        return np.array([[self.wall_j_m_k, self.insulation_j_m_k, self.inner_w_m_k, self.outer_w_m_k]])


def describe_shell(
    d_inner_m: float,
    d_wall_m: float,
    d_outer_m: float,
    lambda_w_m_k: float,
    wall_j_m3_k: float = STEEL_J_M3_K,
    outer_film_w_m2_k: float | None = None,
    ground_w_m_k: float | None = None,
    ground_diameter_m: float = 2.0,
    fittings: float = 1.0,
) -> PipeShell:
    """Shell of a pipe from its layers: wall, insulation, then air film or ground.

    Parameters
    ----------
    d_inner_m, d_wall_m, d_outer_m : diameters of water, wall and insulation, rising
    lambda_w_m_k : conductivity of the insulation
    outer_film_w_m2_k : film to air, or
    ground_w_m_k, ground_diameter_m : conductivity of the soil, a cylinder around the casing
    fittings : multiplies the conductances (``FITTINGS_FACTOR`` for a buried network, 1 for a plain pipe)

    Raises
    ------
    InputError : diameters do not rise
    """
    if not 0.0 < d_inner_m < d_wall_m < d_outer_m:
        raise InputError(f"pipe diameters must rise: {d_inner_m:g}, {d_wall_m:g}, {d_outer_m:g} m")
    r_insulation = cylinder_resistance(d_wall_m, d_outer_m, lambda_w_m_k)
    r_outside = 0.0
    if outer_film_w_m2_k is not None:
        r_outside += 1.0 / (pi * d_outer_m * outer_film_w_m2_k)
    if ground_w_m_k is not None:
        r_outside += cylinder_resistance(d_outer_m, ground_diameter_m, ground_w_m_k)
    return PipeShell(
        wall_j_m_k=wall_j_m3_k * pi / 4.0 * (d_wall_m**2 - d_inner_m**2),
        insulation_j_m_k=INSULATION_J_M3_K * pi / 4.0 * (d_outer_m**2 - d_wall_m**2),
        inner_w_m_k=2.0 * fittings / r_insulation,
        outer_w_m_k=fittings / (0.5 * r_insulation + r_outside),
    )


@dataclass(frozen=True, slots=True, eq=False)
class PipeRun:
    """Result of :func:`simulate_pipe`: ``t_out_c`` (n,) and the energy balance in J.

    ``stored_j`` change of what water, wall and insulation hold; ``lost_j`` to the surroundings; ``in_j`` and
    ``out_j`` carried by the water. ``in - out - lost - stored`` is the error of the balance.
    """

    t_out_c: Floats
    in_j: float
    out_j: float
    lost_j: float
    stored_j: float


def simulate_pipe(
    t_s: Floats,
    mass_flow_kg_s: Floats,
    t_in_c: Floats,
    t_around_c: Floats,
    length_m: float,
    diameter_m: float,
    shell: PipeShell,
    t_start_c: float,
    resolution: int = RESOLUTION,
) -> PipeRun:
    """Outlet temperature of one pipe fed by a measured inlet.

    Parameters
    ----------
    t_s, mass_flow_kg_s, t_in_c, t_around_c : (n,) rising times; between two times flow and inlet are the mean
        of both values; flow may be zero; negative flow enters at the outlet with ``t_in_c``
    t_start_c : water and wall at the start, uniform

    Returns
    -------
    PipeRun; ``t_out_c`` is read at ``t_s`` from the means over the steps

    Raises
    ------
    InputError : times do not rise or a value is missing
    """
    columns = [np.asarray(x, dtype=np.float64) for x in (t_s, mass_flow_kg_s, t_in_c, t_around_c)]
    if not all(c.shape == columns[0].shape and np.all(np.isfinite(c)) for c in columns):
        raise InputError("simulate_pipe: columns differ in length or have missing values")
    if columns[0].size < 2 or np.any(np.diff(columns[0]) <= 0.0):
        raise InputError("simulate_pipe: t_s must rise and have two values at least")
    time, flow, t_in, around = columns
    mean_out, sums = _run_pipe(
        time, flow, t_in, around, length_m, diameter_m, shell.as_row(), resolution, t_start_c
    )
    middle = np.concatenate([time[:1], 0.5 * (time[1:] + time[:-1])])
    return PipeRun(np.interp(time, middle, mean_out), *(float(x) for x in sums))


@njit(cache=True, error_model="numpy")
def _run_pipe(
    t: Floats,
    flow: Floats,
    t_in: Floats,
    t_around: Floats,
    length: float,
    diameter: float,
    wall: Floats,
    resolution: int,
    t_start: float,
) -> tuple[Floats, Floats]:
    cap, one = resolution, np.ones(1)
    through = wall[0, 2] / (wall[0, 2] + wall[0, 3])
    p = Pipes(
        np.zeros((1, cap)), np.zeros((1, cap)), np.array([[0, 1]]), np.full((1, cap), t_start),
        np.full((1, cap), t_around[0] + (t_start - t_around[0]) * through), np.zeros((N_KNOWN, 1)),
        wall, length * one, diameter * one,
    )  # fmt: skip
    p.mass[0, 0] = 0.25 * pi * diameter * diameter * length * density(t_start)
    p.h[0, 0] = enthalpy(t_start)
    t_out, sums, m, loss = np.empty(t.shape[0]), np.zeros(4), np.empty(1), np.empty(1)
    t_out[0] = t_start
    way, film, cp = begin_way(1), np.empty(1), np.empty(1)
    before = survey_pipes(p)
    for k in range(1, t.shape[0]):
        dt, m[0], around = (
            t[k] - t[k - 1],
            0.5 * (flow[k] + flow[k - 1]),
            0.5 * (t_around[k] + t_around[k - 1]),
        )
        h_in, ahead, m_in = enthalpy(0.5 * (t_in[k] + t_in[k - 1])), m[0] >= 0.0, abs(m[0]) * dt
        couple_block(
            m, p.known[CONTENT], p.known[MEAN], wall, p.length, p.diameter, way.given, way.mix, film, cp, dt
        )
        way.entered[0], way.h_in[0], way.t_steel[0] = m_in, h_in, nan
        if m_in > p.known[CONTENT, 0]:
            way.t_steel[0] = p.t_wall.mean()
            gone, energy = flush_pipe(0, p.known, wall, length, diameter, way, abs(m[0]), dt)
        else:
            gone, energy = let_out(0, p.mass, p.h, p.ring, p.known, m_in, ahead, volume_m3_kg(h_in))
        lost, held = exchange_pipes(p, p, m, way, around, dt, loss)
        sums += np.array([m_in * h_in, energy, lost, 0.0])
        still = p.h[0, (p.ring[0, 0] + (p.ring[0, 1] - 1 if ahead else 0)) % cap]
        t_out[k] = temperature(energy / gone if m_in > 0.0 and gone > 0.0 else still)
        sums[3] = held - before
    return t_out, sums
