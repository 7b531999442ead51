"""What the twin can see now and what it cannot know, how sure it is, and which data are most worth mending.

Every fault of a stated size is simulated on the present state; it is visible when the living signs gather the
evidence its kind needs. Signs that a missing point would give back are added to see what its mending brings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from twin.compare import Comparison
from twin.diagnosis.book import SOURCE_KEYS, STATION_KEYS, DiagnosisBook
from twin.diagnosis.kinds import FAULTS
from twin.diagnosis.moment import Moment, read_moment, relate_all
from twin.diagnosis.patterns import Patterns, simulate_patterns
from twin.diagnosis.place import TRUST, UNSURE, ZONE
from twin.diagnosis.signs import Layout
from twin.heat import CompiledNetwork
from twin.heat.water import density_kg_m3

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAK_SHARE = 0.01
"""Of the circulation: the leak that should be seen."""
SIZES = {"blockage": 5e4, "fouling": 0.22, "secondary_leak": 2.0, "weak_pump": 0.15, "air": 0.15,
         "pump_trip": 1.0, "source_trip": 20.0}  # fmt: skip
"""Sizes at which the other faults should be seen, in the unit of their kind; meters: ``WRONG`` times the
least error that is told."""
WRONG = 3.0
USUAL = 1.5
"""Spread of a sign of which no habit is known yet, in its floors."""
MOST_MENDS = 8
SURVEY_PA, SURVEY_SHARE = 9e3, 0.35
"""What heights, offsets and roughness of an honest survey leave open: Pa, and a share of the friction."""
SURVEY_EVIDENCE = 12.0


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that cannot be known: ``code`` (no_loop, one_station, dead, blind, crossed, survey), the
    ``place`` it is about and a number."""

    code: str
    place: str = ""
    value: float = float("nan")


@dataclass(frozen=True, slots=True)
class Mend:
    """Points that are worth mending together: how many more faults would be seen, as a share of all."""

    points: tuple[str, ...]
    gain: float


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen: ``visible`` kind -> share of the places where a fault of the stated size would be
    told; ``zone_m`` metres of pipe among which a leak of ``LEAK_SHARE`` can be placed (median);
    ``least_leak`` the smallest leak that would be told in half of the pipes, share of the circulation;
    ``limits``; ``mends`` by falling gain."""

    visible: dict[str, float]
    zone_m: float
    least_leak: float
    limits: tuple[Limit, ...]
    mends: tuple[Mend, ...]


def judge_sight(
    net: CompiledNetwork, book: DiagnosisBook, c: Comparison, value: Floats, sigma: Floats | None = None
) -> Sight:
    """What can be told from ``value`` (n_point,), NaN where missing, beside its comparison.

    Parameters
    ----------
    sigma : (n_sign,) learned spread of every sign; without it a usual one
    """
    layout = Layout(book.n_station, book.n_source)
    usual = USUAL * layout.floors()
    sigma = usual if sigma is None else np.where(np.isfinite(sigma), sigma, usual)
    m = read_moment(net, book, c, value)
    whole = _stand_in(book, c, m)
    every, circulation = relate_all(book, whole.stations, whole.sources, m.sim, _mild(m.t_out_c))
    circulation = max(circulation, 1.0)
    patterns = simulate_patterns(
        net, book, layout, c.state, whole.stations, whole.sources, m.sim, _mild(m.t_out_c), circulation,
        np.isfinite(every),
    )  # fmt: skip
    alive = np.isfinite(m.raw)
    per_sign = _evidence(patterns, sigma, circulation)
    seen = _visible(patterns, per_sign, alive)
    limits = [*_form(net, book), *_gaps(book, value), *_crossed(book, m), *judge_survey(book, c, m, patterns)]
    limits += [Limit("blind", k, v) for k, v in _shares(patterns, seen).items() if v < 0.5]
    leaks = np.flatnonzero(np.array(patterns.kind) == "leak")
    gathered = np.maximum(per_sign[alive][:, leaks].sum(axis=0), 1e-9)
    least = float(np.median(LEAK_SHARE * np.sqrt(FAULTS["leak"].evidence / gathered)))
    return Sight(
        _shares(patterns, seen), _zone_m(net, patterns, leaks, alive, sigma, circulation), least,
        tuple(limits), _mends(book, m, whole, patterns, per_sign, seen),
    )  # fmt: skip


def _mild(t_out_c: float) -> float:
    return t_out_c if np.isfinite(t_out_c) else 0.0


def _stand_in(book: DiagnosisBook, c: Comparison, m: Moment) -> Moment:
    """The moment with every missing value in its place as simulated or as designed."""
    b = c.boundary
    rho = density_kg_m3(b.t_return_c)
    flow = b.flow_kg_s / rho
    t_hot = np.where(np.isfinite(m.sim.t_supply_c), m.sim.t_supply_c, np.nanmax(b.t_source_c))
    heat = np.maximum(b.flow_kg_s, 0.1) * 4190.0 * np.maximum(t_hot - b.t_return_c, 5.0)
    warm = b.t_cold_c + heat / (4190.0 * np.maximum(b.flow_cold_kg_s, 0.1))
    one = np.ones(book.n_station)
    station = {
        "p1_ts": t_hot, "p1_tr": b.t_return_c, "p1_ps": m.sim.p_supply_pa, "p1_pr": m.sim.p_return_pa,
        "p1_flow": np.maximum(flow, 1e-3), "p1_heat": heat, "cv_pos": 0.4 * one, "cv_sp": 0.4 * one,
        "s2_ts": np.minimum(warm, t_hot - 3.0), "s2_tr": b.t_cold_c, "s2_ps": 4e5 * one, "s2_pr": 2.5e5 * one,
        "s2_flow": np.maximum(b.flow_cold_kg_s, 0.1) / 985.0, "mk_flow": 1e-4 * one, "cp1_run": one,
        "cp1_hz": 42.0 * one, "p_kw": 1e4 * one,
    }  # fmt: skip
    stations = {k: np.where(np.isfinite(x), x, station.get(k, np.nan)) for k, x in m.stations.items()}
    total = float(np.sum(b.flow_kg_s)) / 975.0
    n = book.n_source
    source = {
        "src_ts": b.t_source_c, "src_tr": np.where(np.isfinite(m.sim.t_back_c), m.sim.t_back_c, 45.0),
        "src_ps": b.p_supply_pa, "src_pr": b.p_return_pa, "src_flow": np.full(n, total / n),
        "src_heat": np.full(n, float(heat.sum()) / n), "src_mk": np.full(n, 1e-4),
    }  # fmt: skip
    sources = {k: np.where(np.isfinite(x), x, source[k]) for k, x in m.sources.items()}
    return Moment(stations, sources, m.sim, m.t_out_c, m.circulation, m.raw, m.crossed)


def _sizes(patterns: Patterns, circulation: float) -> Floats:
    """(n,) size at which each fault should be seen, in units of its column."""
    told = [
        LEAK_SHARE * circulation if k == "leak" else SIZES.get(k, WRONG * least)
        for k, least in zip(patterns.kind, patterns.rules.least.tolist(), strict=True)
    ]
    return np.array(told) / patterns.unit


def _evidence(patterns: Patterns, sigma: Floats, circulation: float) -> Floats:
    """(n_sign, n) what every sign gathers for every fault of its stated size."""
    moved = patterns.table * _sizes(patterns, circulation) / sigma[:, None]
    gathered: Floats = 0.5 * np.square(moved)
    return gathered


def _visible(patterns: Patterns, per_sign: Floats, alive: Bools) -> Bools:
    seen: Bools = per_sign[alive].sum(axis=0) >= patterns.rules.evidence
    return seen


def _shares(patterns: Patterns, seen: Bools) -> dict[str, float]:
    """Kind -> share of its places that are seen by any of their columns."""
    places: dict[str, set[str]] = {}
    found: dict[str, set[str]] = {}
    for kind, place, one in zip(patterns.kind, patterns.place, seen.tolist(), strict=True):
        places.setdefault(kind, set()).add(place)
        if one:
            found.setdefault(kind, set()).add(place)
    return {k: len(found.get(k, ())) / len(all_) for k, all_ in places.items()}


def _form(net: CompiledNetwork, book: DiagnosisBook) -> list[Limit]:
    """What the shape of the network leaves unknown."""
    out = []
    if _count_loops(net) == 0:
        out.append(Limit("no_loop"))
    if book.n_station < 2:
        out.append(Limit("one_station", book.station_ids[0] if book.station_ids else ""))
    return out


def _count_loops(net: CompiledNetwork) -> int:
    """Independent loops of the supply network."""
    supply = net.start < net.n_node
    a, b = net.start[supply], net.end[supply]
    joined = csr_array((np.ones(a.size), (a, b)), shape=(net.n_node, net.n_node))
    parts, _ = connected_components(joined, directed=False)
    return int(a.size - net.n_node + parts)


def _needed(book: DiagnosisBook) -> dict[int, tuple[str, str, int]]:
    """Point number -> side, key and row of every point that diagnosis reads."""
    out = {}
    for side, keys, table in (("station", STATION_KEYS, book.station), ("source", SOURCE_KEYS, book.source)):
        for key in keys:
            for row, no in enumerate(table[key]):
                if no >= 0:
                    out[int(no)] = (side, key, row)
    return out


def _gaps(book: DiagnosisBook, value: Floats) -> list[Limit]:
    needed = np.array(sorted(_needed(book)), np.int64)
    dead = needed[~np.isfinite(value[needed])] if needed.size else needed
    return [Limit("dead", "", dead.size / needed.size)] if dead.size else []


def _crossed(book: DiagnosisBook, m: Moment) -> list[Limit]:
    out = []
    for masks, ids in zip(m.crossed, (book.station_ids, book.source_ids), strict=True):
        out += [
            Limit("crossed", f"{ids[i]}/{k}") for k, wrong in masks.items() for i in np.flatnonzero(wrong)
        ]
    return out


def judge_survey(book: DiagnosisBook, c: Comparison, m: Moment, patterns: Patterns) -> list[Limit]:
    """Pipes whose friction cannot be what their surveyed diameter says, with the factor on the diameter.

    The pressures are taken as they are, without any habit: an error of the survey is there from the first
    day. One pipe of a row cannot be told from the next: the one with the least factor is named.
    """
    layout = Layout(book.n_station, book.n_source)
    rows = np.r_[layout.station("p_supply"), layout.station("p_return")]
    seen = m.raw[rows]
    known = np.isfinite(seen)
    mine = np.flatnonzero(np.array(patterns.kind) == "blockage")
    if known.sum() < 2 or mine.size == 0:
        return []
    index = {p: k for k, p in enumerate(book.pipe_ids)}
    pipe = np.array([index[patterns.place[j]] for j in mine])
    friction = np.maximum(np.abs(c.state.dp_pa[pipe]), 100.0)
    table = _alone(patterns, rows, mine)[known] / patterns.unit[mine]
    sigma = np.hypot(SURVEY_PA, SURVEY_SHARE * np.sqrt(np.square(table) @ np.square(friction)))
    weight = 1.0 / np.square(sigma)
    square = np.maximum(weight @ np.square(table), 1e-30)
    along = (weight * seen[known]) @ table
    drop = along / square
    gain = 0.5 * along * drop
    factor = (np.maximum(friction + drop, 0.05 * friction) / friction) ** -0.2
    near = gain > gain.max() - 1.5
    best = int(np.argmin(np.where(near, np.abs(np.log(factor)), np.inf)))
    if gain[best] < SURVEY_EVIDENCE:
        return []
    return [Limit("survey", patterns.place[mine[best]], float(factor[best]))]


def _alone(patterns: Patterns, rows: NDArray[np.int64], mine: NDArray[np.int64]) -> Floats:
    """Pressures that faults move at each station, their common part added again."""
    n = rows.size // 2
    tail = patterns.table.shape[0]
    common = patterns.table[tail - 2 : tail][:, mine]
    return patterns.table[rows][:, mine] + np.repeat(common, n, axis=0)


def _zone_m(
    net: CompiledNetwork, patterns: Patterns, leaks: NDArray[np.int64], alive: Bools, sigma: Floats,
    circulation: float,
) -> float:  # fmt: skip
    """Median length of pipe among which a leak of ``LEAK_SHARE`` stays uncertain after an hour."""
    length = np.array([p.length_m for p in net.network.pipes])
    told = patterns.table[:, leaks] * (LEAK_SHARE * circulation) / sigma[:, None]
    told = np.where(alive[:, None], told, 0.0)
    out = []
    for k in range(0, leaks.size, max(leaks.size // 40, 1)):
        apart = (np.square(told - told[:, [k]]) / (1.0 + np.square(UNSURE * told))).sum(axis=0)
        chance = np.exp(-0.5 * TRUST * apart)
        order = np.argsort(-chance)
        many = int(np.searchsorted(np.cumsum(chance[order]) / chance.sum(), ZONE)) + 1
        out.append(float(length[order[:many]].sum()))
    return float(np.median(out)) if out else float("nan")


def _mends(
    book: DiagnosisBook, m: Moment, whole: Moment, patterns: Patterns, per_sign: Floats, seen: Bools
) -> tuple[Mend, ...]:
    """What mending each dead point would bring, and each whole station or source."""
    groups: dict[tuple[str, int], list[tuple[int, str]]] = {}
    for no, (side, key, row) in _needed(book).items():
        now = (m.stations if side == "station" else m.sources)[key][row]
        if not np.isfinite(now):
            groups.setdefault((side, row), []).append((no, key))
    weight = np.array([1.0 / patterns.kind.count(k) for k in patterns.kind])
    out = []
    for (side, row), points in groups.items():
        tries = [(p,) for p in points] + ([tuple(points)] if len(points) > 1 else [])
        best: Mend | None = None
        for chosen in tries:
            alive = _alive_with(book, m, whole, side, row, tuple(k for _, k in chosen))
            gathered = per_sign[alive].sum(axis=0)
            more = (gathered >= patterns.rules.evidence) & ~seen
            nearer = np.minimum(gathered / patterns.rules.evidence, 1.0).sum() * 1e-3
            gain = float((more * weight).sum() / weight.sum() + 1e-6 * nearer)
            names = tuple(book.point_ids[no] for no, _ in chosen)
            if best is None or gain > best.gain + 1e-4:
                best = Mend(names, gain)
        if best is not None:
            out.append(best)
    return tuple(sorted(out, key=lambda x: -x.gain)[:MOST_MENDS])


def _alive_with(
    book: DiagnosisBook, m: Moment, whole: Moment, side: str, row: int, keys: Sequence[str]
) -> Bools:
    """Signs that would have a value if these points of one place had one."""
    tables = {"station": dict(m.stations), "source": dict(m.sources)}
    full = {"station": whole.stations, "source": whole.sources}[side]
    for key in keys:
        column = tables[side][key].copy()
        column[row] = full[key][row]
        tables[side][key] = column
    raw, _ = relate_all(book, tables["station"], tables["source"], m.sim, m.t_out_c)
    return np.isfinite(raw)
