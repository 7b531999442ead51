"""Patterns: what every fault would do to the signs, simulated on the present state.

Pressures answer through the linearised network: with the flows of stations given, a leak, a narrowed pipe
or a wrong flow meter moves the pressures by the inverse of the nodal matrix. Errors of meters are found by
moving each meter a little and looking at the station's relations.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_array
from scipy.sparse.linalg import splu

from twin.diagnosis.book import DiagnosisBook
from twin.diagnosis.kinds import FAULTS, RELATIVE, SENSOR_LEAST, SENSOR_STEP
from twin.diagnosis.signs import (
    SOURCE_SIGNS,
    STATION_SIGNS,
    Layout,
    Simulated,
    compose,
    relate_source,
    relate_station,
)
from twin.heat import CompiledNetwork, SteadyState
from twin.heat.water import density_kg_m3

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

G_M_S2 = 9.80665
BLOCK_PA = 1e4


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Some columns of :class:`Patterns`."""

    table: Floats
    unit: Floats
    kind: tuple[str, ...]
    place: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Columns of signs: ``table`` (n_sign, n) per ``unit`` (n,) of size; ``kind`` and ``place`` of each.

    Sizes: leak kg/s, blockage Pa, fouling and secondary leak a share, source trip K, meters in SI or as a
    share of the value (``kinds.RELATIVE``). ``matrix``, ``square`` (n, n_sign): the table and its squares,
    the other way round and without the zeros.
    """

    table: Floats
    unit: Floats
    kind: tuple[str, ...]
    place: tuple[str, ...]
    matrix: csr_array = field(init=False)
    square: csr_array = field(init=False)
    rules: "Rules" = field(init=False)

    def __post_init__(self) -> None:
        matrix = csr_array(self.table.T)  # most faults move few signs
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "square", matrix.power(2))
        object.__setattr__(self, "rules", find_rules(self.kind, self.place))

    def column(self, kind: str, place: str) -> Floats | None:
        """The pattern (n_sign,) of one fault per unit of its told size, or None."""
        for j, (k, p) in enumerate(zip(self.kind, self.place, strict=True)):
            if k == kind and p == place:
                column: Floats = self.table[:, j] / self.unit[j]
                return column
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """What :mod:`twin.diagnosis.kinds` asks of each column: ``least`` size, ``evidence``, ``rarity`` (shared
    among the places of a kind), ``sign``; (n,) each."""

    least: Floats
    evidence: Floats
    rarity: Floats
    sign: Floats


@lru_cache(maxsize=4)
def find_rules(kind: tuple[str, ...], place: tuple[str, ...]) -> Rules:
    """The rules of every column."""
    kinds = [FAULTS[k] for k in kind]
    least = [
        SENSOR_LEAST[p.rsplit("/", 1)[1]] if k.key.startswith("sensor") else k.least
        for k, p in zip(kinds, place, strict=True)
    ]
    number = {k: kind.count(k) for k in set(kind)}
    return Rules(
        np.array(least),
        np.array([k.evidence for k in kinds]),
        np.array([k.rarity - np.log(number[k.key]) for k in kinds]),
        np.array([float(k.sign) for k in kinds]),
    )


def respond(net: CompiledNetwork, state: SteadyState, at: Ints) -> Floats:
    """Pressure at points ``at`` per kg/s put in at every point, flows through stations given.

    Returns
    -------
    (n_point, n_at) Pa s/kg; 0 where a pressure is held or no open pipe leads

    The conductance of a pipe is ``m / (2 dp)``, that of a square law.
    """
    g = conductances(net, state)
    n = net.n_point
    held = np.zeros(n, bool)
    held[net.source_node[net.source_holds]] = True
    held[net.n_node + net.source_node[net.source_holds]] = True
    free = np.flatnonzero(~held)
    place = np.full(n, -1)
    place[free] = np.arange(free.size)
    a, b = place[net.start], place[net.end]
    both = (a >= 0) & (b >= 0)
    rows = np.concatenate([a[a >= 0], b[b >= 0], a[both], b[both], np.arange(free.size)])
    cols = np.concatenate([a[a >= 0], b[b >= 0], b[both], a[both], np.arange(free.size)])
    data = np.concatenate([g[a >= 0], g[b >= 0], -g[both], -g[both], np.full(free.size, 1e-9)])
    matrix = csc_matrix((data, (rows, cols)), shape=(free.size, free.size))
    wanted = np.zeros((free.size, len(at)))
    for j, point in enumerate(at):
        if place[point] >= 0:
            wanted[place[point], j] = 1.0
    out = np.zeros((n, len(at)))
    out[free] = splu(matrix).solve(wanted)
    return np.where(np.abs(out) < 1e8, out, 0.0)  # a point cut off from every held pressure


def conductances(net: CompiledNetwork, state: SteadyState) -> Floats:
    """(n_pipe,) kg/(s Pa), not below that of a trickle; 0 where the state has no answer."""
    rho = density_kg_m3(np.where(np.isfinite(state.t_pipe_c), state.t_pipe_c, 60.0))
    lift = rho * G_M_S2 * (net.elevation_m[net.end] - net.elevation_m[net.start])
    friction = np.abs(state.dp_pa - lift)
    m = np.maximum(np.abs(state.mass_flow_kg_s), 1e-2)
    g = m / (2.0 * np.maximum(friction, 1.0))
    return np.where(np.isfinite(g), np.clip(g, 1e-7, 10.0), 1e-7)


def simulate_patterns(
    net: CompiledNetwork, book: DiagnosisBook, layout: Layout, state: SteadyState,
    stations: dict[str, Floats], sources: dict[str, Floats], sim: Simulated, t_out_c: float,
    circulation: float, known: NDArray[np.bool_],
) -> Patterns:  # fmt: skip
    """All patterns for the present state.

    Parameters
    ----------
    stations, sources : measured values by key; ``circulation`` kg/s, positive
    known : (n_sign,) signs that have a value now
    """
    sides = (net.station_node, net.n_node + net.station_node, net.source_node, net.n_node + net.source_node)
    x = respond(net, state, np.concatenate(sides))
    parts = [
        _leaks(net, layout, x, circulation),
        _blockages(net, layout, state, x),
        _stations(book, layout, x, net, stations, sim, t_out_c, circulation),
        _sources(net, book, layout, sources, sim),
    ]
    table = np.concatenate([p.table for p in parts], axis=1)
    table[~known] = np.nan
    composed = np.nan_to_num(compose(layout, table), nan=0.0)
    return Patterns(
        composed,
        np.concatenate([p.unit for p in parts]),
        tuple(k for p in parts for k in p.kind),
        tuple(k for p in parts for k in p.place),
    )


def _leaks(net: CompiledNetwork, layout: Layout, x: Floats, circulation: float) -> Columns:
    n, n_s = net.n_pipe, layout.n_station
    table = np.zeros((layout.size, n))
    inside = 0.5 * (x[net.start] + x[net.end])
    table[layout.station("p_supply")] = -inside[:, :n_s].T
    table[layout.station("p_return")] = -inside[:, n_s : 2 * n_s].T
    table[layout.network("make_up")] = 1.0 / circulation
    table[layout.network("flow_gap")] = (net.start < net.n_node) / circulation
    ids = tuple(p.id for p in net.network.pipes)
    return Columns(table, np.ones(n), ("leak",) * n, ids)


def _blockages(net: CompiledNetwork, layout: Layout, state: SteadyState, x: Floats) -> Columns:
    n, n_s = net.n_pipe, layout.n_station
    along = np.sign(np.nan_to_num(state.mass_flow_kg_s)) * conductances(net, state) * BLOCK_PA
    moved = (x[net.start] - x[net.end]) * along[:, None]
    table = np.zeros((layout.size, n))
    table[layout.station("p_supply")] = moved[:, :n_s].T
    table[layout.station("p_return")] = moved[:, n_s : 2 * n_s].T
    heads = moved[:, 2 * n_s : 2 * n_s + layout.n_source] - moved[:, 2 * n_s + layout.n_source :]
    table[layout.source("head")] = np.where(net.source_holds[:, None], 0.0, heads.T)
    ids = tuple(p.id for p in net.network.pipes)
    return Columns(table, np.full(n, BLOCK_PA), ("blockage",) * n, ids)


def _stations(
    book: DiagnosisBook, layout: Layout, x: Floats, net: CompiledNetwork, v: dict[str, Floats],
    sim: Simulated, t_out_c: float, circulation: float,
) -> Columns:  # fmt: skip
    n = layout.n_station
    columns, unit, kind, place = [], [], [], []
    base = relate_station(book, v, sim, t_out_c)

    def add(key: str, where: list[str], size: float, blocks: dict[str, Floats]) -> None:
        table = np.zeros((layout.size, n))
        for sign, value in blocks.items():
            table[layout.station(sign)] = np.diag(np.broadcast_to(value, (n,)))
        columns.append(table)
        unit.append(np.full(n, size))
        kind.extend([key] * n)
        place.extend(where)

    one = np.ones(n)
    head = np.nan_to_num(v["s2_ps"] - v["s2_pr"], nan=1e5)
    add("fouling", list(book.station_ids), 1.0, {"conductance": -one})
    add("weak_pump", list(book.station_ids), 1.0, {"flow_2": -one, "head_2": -1.8 * np.abs(head)})
    add("air", list(book.station_ids), 1.0, {"flow_2": -one, "head_2": 0.4 * np.abs(head)})
    add("secondary_leak", list(book.station_ids), 1.0, {"make_up_2": one})
    add("pump_trip", list(book.station_ids), 1.0,
        {"pump": -one, "flow_2": -3.5 * one, "head_2": -np.maximum(np.abs(head), 1e5)})  # fmt: skip
    for key in SENSOR_STEP:
        if key not in v:
            continue
        moved = relate_station(book, {**v, key: _move(v[key], key)}, sim, t_out_c) - base
        add("sensor_bias", [f"{i}/{key}" for i in book.station_ids], SENSOR_STEP[key],
            {s: np.nan_to_num(moved[i]) for i, s in enumerate(STATION_SIGNS)})  # fmt: skip
        if key == "p1_flow":  # the simulation draws what the meter says
            dm = 0.01 * np.nan_to_num(v[key] * density_kg_m3(v["p1_tr"]))
            pushed = (x[net.station_node] - x[net.n_node + net.station_node]) * dm[:, None]
            columns[-1][layout.station("p_supply")] += pushed[:, :n].T
            columns[-1][layout.station("p_return")] += pushed[:, n : 2 * n].T
            columns[-1][layout.network("flow_gap")] = -dm / circulation
    return Columns(np.concatenate(columns, axis=1), np.concatenate(unit), tuple(kind), tuple(place))


def _move(value: Floats, key: str) -> Floats:
    step = SENSOR_STEP[key]
    return value * (1.0 + step) if key in RELATIVE else value + step


def _sources(
    net: CompiledNetwork, book: DiagnosisBook, layout: Layout, v: dict[str, Floats], sim: Simulated
) -> Columns:
    n = layout.n_source
    base = relate_source(v, sim)
    columns, unit, kind, place = [], [], [], []
    holds = net.source_holds

    def add(key: str, where: str, size: float, column: Floats) -> None:
        columns.append(column)
        unit.append(size)
        kind.append(key)
        place.append(where)

    for i in range(n):
        outlet = layout.source("outlet").start + i
        head = layout.source("head").start + i
        for share_k, share_pa in ((1.0, 0.0), (1.0, 1e4), (0.2, 1e4)):
            c = np.zeros(layout.size)
            c[outlet], c[head] = -share_k, -share_pa
            add("source_trip", book.source_ids[i], share_k, c)
        for key in SENSOR_STEP:
            if key not in v:
                continue
            moved = v[key].copy()
            moved[i] = _move(moved[i : i + 1], key)[0]
            difference = np.nan_to_num(relate_source({**v, key: moved}, sim) - base)
            c = np.zeros(layout.size)
            for k, sign in enumerate(SOURCE_SIGNS):
                c[layout.source(sign).start + i] = difference[k, i]
            _drive(c, key, layout, bool(holds[i]), v, i, sim)
            add("sensor_bias", f"{book.source_ids[i]}/{key}", SENSOR_STEP[key], c)
    return Columns(np.stack(columns, axis=1), np.array(unit), tuple(kind), tuple(place))


def _drive(
    c: Floats, key: str, layout: Layout, holds: bool, v: dict[str, Floats], i: int, sim: Simulated
) -> None:
    """What a wrong boundary meter does to everything simulated from it."""
    out = np.nansum(v["src_flow"])
    share = float(np.nan_to_num(v["src_flow"][i]) / out) if out > 0 else 0.0
    if key == "src_ts":
        excess = (sim.t_supply_c - 6.0) / max(float(v["src_ts"][i]) - 6.0, 10.0)
        c[layout.station("supply")] = -share * np.nan_to_num(excess, nan=1.0)
    elif key == "src_ps" and holds:
        c[layout.station("p_supply")] = -SENSOR_STEP[key]
    elif key == "src_pr" and holds:
        c[layout.station("p_return")] = -SENSOR_STEP[key]
    elif key == "src_flow":
        c[layout.network("flow_gap")] = SENSOR_STEP[key] * share
