"""What is learnt while running, and which reading speaks of it: tables, compiled once per county."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.calibration.groups import group_pipes
from twin.compare import PointBook
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STATION_ROWS: dict[str, tuple[float, float, bool]] = {
    "p1_ts": (0.5, 0.25, False),
    "p1_tr": (0.4, 0.3, False),
    "p1_ps": (8e3, 1.5e3, False),
    "p1_pr": (8e3, 1.5e3, False),
    "p1_flow": (0.03, 0.02, True),
    "p1_heat": (0.03, 0.02, True),
    "s2_ts": (0.4, 0.3, False),
}
"""Per key: how far a point may stand off the simulation for good (1 sigma: its meter, its height, its path),
least noise of a mean of some minutes, and whether both are shares of the value; else SI."""
SOURCE_ROWS: dict[str, tuple[float, float, bool]] = {
    "src_ts": (0.4, 0.25, False),
    "src_tr": (0.5, 0.3, False),
    "src_ps": (5e3, 1.5e3, False),
    "src_pr": (5e3, 1.5e3, False),
    "src_flow": (0.02, 0.015, True),
    "src_heat": (0.03, 0.02, True),
}
LOSS_SIGMA, ROUGHNESS_SIGMA, VALVE_SIGMA, SOURCE_K, UA_SIGMA = 0.15, 0.25, 0.7, 0.25, 0.2
"""Believed of the logarithm of a pipe group's heat loss and roughness, of what open section valves lose, of a
source's thermometer (K), and of the logarithm of an exchanger's conductance. What a pipe group is learnt to
be is kept nearer the survey than calibration keeps it: from day to day it mostly makes up for something
else."""
TABLE = {**STATION_ROWS, **SOURCE_ROWS}


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where everything stands. Places are the stations, then the sources; each has ``n_row`` readings and
    ``n_row + 1`` parameters: what each reading stands off, and its exchanger.

    ``point`` (n_place, n_row) point numbers, -1: none; ``key``: the same as names; ``prior``, ``floor``
    (n_place, n_row), ``share`` (n_place, n_row) see :data:`STATION_ROWS`. ``groups``: of pipes; ``group``
    (n_pipe,) their rows; ``opening`` (n_valve,) as built, ``section`` which are section valves. Common
    parameters: heat loss of each group, roughness of each group, section valves, outlet of each source.
    """

    station_ids: tuple[str, ...]
    source_ids: tuple[str, ...]
    point: Ints
    key: tuple[tuple[str, ...], ...]
    prior: Floats
    floor: Floats
    share: Bools
    groups: tuple[str, ...]
    group: Ints
    opening: Floats
    section: Bools

    @property
    def n_row(self) -> int:
        """Readings of a place."""
        return int(self.point.shape[1])

    @property
    def places(self) -> tuple[str, ...]:
        """Names of the places."""
        return self.station_ids + self.source_ids

    @property
    def prior_g(self) -> Floats:
        """What is believed of the common parameters (k,)."""
        n, m = len(self.groups), len(self.source_ids)
        parts = (n, LOSS_SIGMA), (n, ROUGHNESS_SIGMA), (1, VALVE_SIGMA), (m, SOURCE_K)
        return np.concatenate([np.full(count, sigma) for count, sigma in parts])

    @property
    def prior_l(self) -> Floats:
        """What is believed of the parameters of the places (n_place, n_row + 1)."""
        return np.concatenate([self.prior, np.full((len(self.places), 1), UA_SIGMA)], axis=1)

    def row(self, key: str) -> int:
        """Row of a key within its places."""
        return list(STATION_ROWS if key in STATION_ROWS else SOURCE_ROWS).index(key)

    def common(self) -> tuple[slice, slice, slice, slice]:
        """Where heat losses, roughness, section valves and outlets stand among the common parameters."""
        n = len(self.groups)
        return slice(0, n), slice(n, 2 * n), slice(2 * n, 2 * n + 1), slice(2 * n + 1, None)

    def open_valves(self, log_loss: float) -> Floats:
        """Openings at which section valves lose ``exp(log_loss)`` times what they should (n_valve,)."""
        return self.opening * np.where(self.section, np.exp(-0.5 * log_loss), 1.0)


def compile_layout(network: HeatNetwork, book: PointBook) -> Layout:
    """Find places, readings and groups of a county."""
    n, m, width = len(book.station_ids), len(book.source_ids), max(len(STATION_ROWS), len(SOURCE_ROWS))
    point = np.full((n + m, width), -1, np.int64)
    names = [[""] * width for _ in range(n + m)]
    prior, floor = np.ones((2, n + m, width))
    share = np.zeros((n + m, width), bool)

    def fill(rows: slice, table: dict[str, tuple[float, float, bool]], numbers: Mapping[str, Ints]) -> None:
        for j, (key, (wide, noise, relative)) in enumerate(table.items()):
            point[rows, j], prior[rows, j], floor[rows, j] = numbers[key], wide, noise
            share[rows, j] = relative
            for row in names[rows]:
                row[j] = key

    fill(slice(0, n), STATION_ROWS, book.station)
    fill(slice(n, n + m), SOURCE_ROWS, book.source)
    group_of = group_pipes(network)
    groups = tuple(sorted(set(group_of.values())))
    at = {g: i for i, g in enumerate(groups)}
    group = np.array([at[group_of[p.id]] for p in network.pipes], dtype=np.int64)
    return Layout(
        book.station_ids, book.source_ids, point, tuple(tuple(r) for r in names), prior, floor, share, groups,
        group, np.array([v.opening for v in network.valves]),
        np.array([v.kind == "section" for v in network.valves], bool),
    )  # fmt: skip
