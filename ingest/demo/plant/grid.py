"""The plant's own picture of the network: 2 n nodes (supply first, then return), pipes, stations, cells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.demo.plant.hidden import HiddenTruth
from twin.model.county import County
from twin.model.network import Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELL_M = 80.0
CP_J_KG_K = 4195.0
RHO_KG_M3 = 968.0
STEEL_HEAT_J_M3_K = 3.7e6


def water_density_kg_m3(t_c: Floats) -> Floats:
    """Liquid water near 0.6 MPa; quadratic through 0, 50 and 100 °C tables, within 1 kg/m³ to 120 °C."""
    return 1002.0 - 0.116 * t_c - 0.00315 * t_c**2


@dataclass(frozen=True, slots=True)
class Grid:
    """Arrays of the network.

    Nodes: ``z_m`` (2n,). Pipes (n_pipe,): ``a``, ``b`` end nodes, length, inner diameter, roughness, zeta.
    Cells: ``first`` and ``count`` of each pipe; ``cell_pipe``, ``cell_capacity_j_k``, ``cell_loss_w_k``
    (n_cell,). Stations: ``s_in`` supply node, ``s_out`` return node. Sources: ``q_out`` supply node, ``q_in``
    return node.
    """

    n: int
    z_m: Floats
    a: Ints
    b: Ints
    length_m: Floats
    diameter_m: Floats
    roughness_m: Floats
    zeta: Floats
    first: Ints
    count: Ints
    cell_pipe: Ints
    cell_capacity_j_k: Floats
    cell_loss_w_k: Floats
    s_in: Ints
    s_out: Ints
    q_out: Ints
    q_in: Ints


def make_grid(county: County, hidden: HiddenTruth) -> Grid:
    """Lay the network out with its true (hidden) roughness and heat loss."""
    network = county.network
    n = len(network.nodes)
    at = network.node_index
    shift = np.array([0 if p.side == Side.SUPPLY else n for p in network.pipes], dtype=np.int64)
    a = np.array([at[p.from_node] for p in network.pipes], dtype=np.int64) + shift
    b = np.array([at[p.to_node] for p in network.pipes], dtype=np.int64) + shift
    length = np.array([p.length_m for p in network.pipes])
    d = np.array([p.diameter_m for p in network.pipes])
    count = np.maximum(1, np.round(length / CELL_M)).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64)
    cell_pipe = np.repeat(np.arange(len(length)), count)
    dx = (length / count)[cell_pipe]
    wall_m = np.clip(0.012 * d + 0.003, 0.003, 0.012)
    water = np.pi / 4 * d**2 * RHO_KG_M3 * CP_J_KG_K
    steel = np.pi * d * wall_m * STEEL_HEAT_J_M3_K
    u = np.array([p.u_w_m_k for p in network.pipes]) * hidden.u
    z = np.array([x.elevation_m for x in network.nodes])
    stations = np.array([at[s.node_id] for s in network.substations], dtype=np.int64)
    sources = np.array([at[s.node_id] for s in network.sources], dtype=np.int64)
    return Grid(
        n=n,
        z_m=np.concatenate([z, z]),
        a=a,
        b=b,
        length_m=length,
        diameter_m=d,
        roughness_m=np.array([p.roughness_m for p in network.pipes]) * hidden.roughness,
        zeta=np.array([p.zeta for p in network.pipes]),
        first=first,
        count=count,
        cell_pipe=cell_pipe,
        cell_capacity_j_k=((water + steel)[cell_pipe]) * dx,
        cell_loss_w_k=u[cell_pipe] * dx,
        s_in=stations,
        s_out=stations + n,
        q_out=sources,
        q_in=sources + n,
    )
