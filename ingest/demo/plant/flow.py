"""Hydraulics of the plant: node pressures and flows by Newton's method on the whole circuit.

Pipes follow Darcy-Weisbach with the friction factor of Swamee and Jain (1976); a station is one quadratic
resistance (valve and exchanger) between its supply and its return node. The first source that holds the
pressure fixes both its nodes; another source is a given flow from its return to its supply node.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from ingest.demo.plant.grid import RHO_KG_M3, Grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

G_M_S2 = 9.81
VISCOSITY_PA_S = 3.4e-4
TINY_KG_S = 1e-3
STEPS = 30


@dataclass
class Flow:
    """A hydraulic state: ``p_pa`` (2n,) gauge, ``pipe_kg_s`` (n_pipe,), ``station_kg_s`` (n_station,)."""

    p_pa: Floats
    pipe_kg_s: Floats
    station_kg_s: Floats
    steps: int = 0


def pipe_resistance(grid: Grid, m_kg_s: Floats, zeta_extra: Floats) -> Floats:
    """``dp = r m |m|`` in Pa s²/kg² at the present flow."""
    area = np.pi / 4 * grid.diameter_m**2
    re = np.maximum(np.abs(m_kg_s) * grid.diameter_m / (area * VISCOSITY_PA_S), 1.0)
    turbulent = (
        0.25
        / np.log10(grid.roughness_m / (3.7 * grid.diameter_m) + 5.74 / np.maximum(re, 3000.0) ** 0.9) ** 2
    )
    f = np.where(re < 2000.0, 64.0 / re, turbulent)
    return (f * grid.length_m / grid.diameter_m + grid.zeta + zeta_extra) / (2 * RHO_KG_M3 * area**2)


def solve_flow(
    grid: Grid,
    p_hold_pa: tuple[int, float, float],
    other_flow_kg_s: Floats,
    station_r: Floats,
    zeta_extra: Floats,
    draw_kg_s: Floats,
    warm: Flow | None,
    rho_kg_m3: Floats | None = None,
) -> Flow:
    """Solve for pressures and flows.

    Parameters
    ----------
    p_hold_pa : (source index, supply pressure, return pressure) of the holding source, gauge
    other_flow_kg_s : (n_source,) flow pumped by each other source, 0 for the holding one
    station_r : (n_station,) dp = r m², Pa s²/kg²; large when shut
    zeta_extra : (n_pipe,) added loss coefficients (blockages)
    draw_kg_s : (2n,) water lost at nodes (leaks), positive
    rho_kg_m3 : (n_pipe,) density of the water in the pipes, which decides what its column weighs
    """
    tail = np.concatenate([grid.a, grid.s_in])
    head = np.concatenate([grid.b, grid.s_out])
    size = 2 * grid.n
    source, p_supply, p_return = p_hold_pa
    lift = RHO_KG_M3 * G_M_S2 * grid.z_m
    fixed = np.array([grid.q_out[source], grid.q_in[source]])
    free = np.ones(size, bool)
    free[fixed] = False
    index = np.cumsum(free) - 1
    h = np.full(size, np.nan)
    n_pipe = grid.a.size
    drive = np.zeros(tail.size)  # what the water weighs more than usual, from tail to head
    if rho_kg_m3 is not None:
        drive[:n_pipe] = (rho_kg_m3 - RHO_KG_M3) * G_M_S2 * (grid.z_m[grid.a] - grid.z_m[grid.b])
    if warm is None:
        m = np.concatenate([np.full(n_pipe, 1.0), np.full(grid.s_in.size, 1.0)])
        h[:] = (p_supply + p_return) / 2 + lift[grid.q_out[source]]
    else:
        m = np.concatenate([warm.pipe_kg_s, warm.station_kg_s])
        h[:] = warm.p_pa + lift
    h[fixed] = np.array([p_supply, p_return]) + lift[fixed]
    demand = draw_kg_s.copy()
    np.add.at(demand, grid.q_out, -other_flow_kg_s)
    np.add.at(demand, grid.q_in, other_flow_kg_s)
    step = 0
    for step in range(1, STEPS + 1):
        r = np.concatenate([pipe_resistance(grid, m[:n_pipe], zeta_extra), station_r])
        slope = 1.0 / (2.0 * r * np.maximum(np.abs(m), TINY_KG_S))
        linear = m / 2.0 + slope * drive  # m + slope * (dh + drive - r m|m|) for the quadratic law
        b = -demand
        np.add.at(b, tail, -linear)
        np.add.at(b, head, linear)
        rows, cols, values, rhs = _laplacian(tail, head, slope, free, index, h, b)
        h[free] = splu(csc_matrix((values, (rows, cols)), shape=(rhs.size, rhs.size))).solve(rhs)
        new = linear + slope * (h[tail] - h[head])
        change = np.max(np.abs(new - m)) / max(np.max(np.abs(new)), 1.0)
        m = new if step < 12 else 0.5 * (m + new)
        if change < 1e-5:
            break
    return Flow(h - lift, m[:n_pipe], m[n_pipe:], step)


def _laplacian(
    tail: Ints, head: Ints, slope: Floats, free: NDArray[np.bool_], index: Ints, h: Floats, b: Floats
) -> tuple[Ints, Ints, Floats, Floats]:
    """Triplets of the nodal matrix over the free nodes; known pressures moved to the right-hand side."""
    rhs = b.copy()
    ft, fh = free[tail], free[head]
    np.add.at(rhs, tail[ft & ~fh], slope[ft & ~fh] * h[head[ft & ~fh]])
    np.add.at(rhs, head[fh & ~ft], slope[fh & ~ft] * h[tail[fh & ~ft]])
    both = ft & fh
    i, j, s = index[tail], index[head], slope
    n = int(free.sum())
    anchor = np.full(n, 1e-12)
    rows = np.concatenate([i[ft], j[fh], i[both], j[both], np.arange(n)])
    cols = np.concatenate([i[ft], j[fh], j[both], i[both], np.arange(n)])
    values = np.concatenate([s[ft], s[fh], -s[both], -s[both], anchor])
    return rows, cols, values, rhs[free]
