"""Heat transport of the plant: finite volumes along every pipe, implicit upwind, mixing at nodes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from ingest.demo.plant.grid import CP_J_KG_K, Grid

Floats = NDArray[np.float64]

NODE_CAPACITY_J_K = 4.0e5
"""Water of a chamber; keeps a standing node at its temperature."""


@dataclass
class Heat:
    """``cell_c`` (n_cell,) and ``node_c`` (2n,) water temperatures."""

    cell_c: Floats
    node_c: Floats


def mean_pipe_c(grid: Grid, state: Heat) -> Floats:
    """Mean temperature of the water in every pipe (n_pipe,)."""
    out: Floats = np.bincount(grid.cell_pipe, state.cell_c, grid.count.size) / grid.count
    return out


def step_heat(
    grid: Grid,
    state: Heat,
    pipe_kg_s: Floats,
    inflow_node: NDArray[np.int64],
    inflow_kg_s: Floats,
    inflow_c: Floats,
    t_ground_c: float,
    dt_s: float,
) -> tuple[Heat, float]:
    """One implicit step; returns the new state and the heat lost to the ground (W).

    Parameters
    ----------
    inflow_node, inflow_kg_s, inflow_c : water that enters at nodes from sources and stations
    """
    n_cell, n_node = grid.cell_pipe.size, 2 * grid.n
    m = pipe_kg_s
    forward = m >= 0
    w = np.abs(m) * CP_J_KG_K
    cells = np.arange(n_cell)
    offset = cells - grid.first[grid.cell_pipe]
    ahead = forward[grid.cell_pipe]
    at_start = np.where(ahead, offset == 0, offset == grid.count[grid.cell_pipe] - 1)
    entry = np.where(forward, grid.a, grid.b)
    leaving = np.where(forward, grid.b, grid.a)
    upstream = np.where(at_start, n_cell + entry[grid.cell_pipe], np.where(ahead, cells - 1, cells + 1))
    last = np.where(forward, grid.first + grid.count - 1, grid.first)
    wc = w[grid.cell_pipe]

    node_w = np.zeros(n_node)
    np.add.at(node_w, leaving, w)
    np.add.at(node_w, inflow_node, inflow_kg_s * CP_J_KG_K)
    node_rhs = NODE_CAPACITY_J_K / dt_s * state.node_c
    np.add.at(node_rhs, inflow_node, inflow_kg_s * CP_J_KG_K * inflow_c)

    diagonal = np.concatenate(
        [grid.cell_capacity_j_k / dt_s + wc + grid.cell_loss_w_k, NODE_CAPACITY_J_K / dt_s + node_w]
    )
    rows = np.concatenate([np.arange(n_cell + n_node), cells, n_cell + leaving])
    cols = np.concatenate([np.arange(n_cell + n_node), upstream, last])
    values = np.concatenate([diagonal, -wc, -w])
    rhs = np.concatenate(
        [grid.cell_capacity_j_k / dt_s * state.cell_c + grid.cell_loss_w_k * t_ground_c, node_rhs]
    )
    x = splu(csc_matrix((values, (rows, cols)), shape=(rhs.size, rhs.size))).solve(rhs)
    loss_w = float(np.sum(grid.cell_loss_w_k * (x[:n_cell] - t_ground_c)))
    return Heat(x[:n_cell], x[n_cell:]), loss_w
