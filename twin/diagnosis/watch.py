"""The watch: signs, habit and explanations through time; what is told, since when, and what is kept back."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from twin.compare import Comparison
from twin.diagnosis.book import DiagnosisBook
from twin.diagnosis.explain import Candidate, Explanation, explain_signs, locate
from twin.diagnosis.habit import WINDOWS_S, Habit
from twin.diagnosis.kinds import FAULTS
from twin.diagnosis.patterns import Patterns, simulate_patterns
from twin.diagnosis.plain import find_plain
from twin.diagnosis.signs import (
    Layout,
    compose,
    doubt_signs,
    mean_of_buildings,
    read_simulated,
    relate_network,
    relate_source,
    relate_station,
)
from twin.diagnosis.stillness import Stillness
from twin.heat import CompiledNetwork

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PATTERNS_S = 300.0
"""Patterns are simulated anew this often."""
AGAIN = 2
"""Moments in a row that must tell the same before it is told."""
GONE_S = 900.0
"""A finding ends when its evidence has been below a third for this long."""
DRIFT_AFTER_S, DRIFT_SHARE = 1500.0, 0.35
"""After this long, a meter whose error has grown by this share is said to drift."""
KEPT = 240
LONGEST_S = 300.0
SPOILED = 12.0
"""Floors by which a wrong meter must move a sign to be left out of placing a leak."""
SAMPLE_S = 180.0
"""Errors of moments this far apart are independent."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding.

    ``id`` stays the same while it lives; ``kind`` see ``kinds.FAULTS``; ``place`` pipe, station, source,
    point or device id (``*dialect``: a whole gateway); ``size`` in the unit of the kind (meters: SI, or a
    share of the value for flow and heat); ``probability`` among ``suspects``, which begin with the finding
    itself; ``since``, ``t`` s since 1970;
    ``evidence`` half the squared sigmas explained.
    """

    id: str
    kind: str
    place: str
    size: float
    probability: float
    since: float
    t: float
    evidence: float
    suspects: tuple[Candidate, ...]


@dataclass
class Track:
    """One finding through time; of a fault in a pipe also what differed since it began, added up."""

    since: float
    last: float
    explanation: Explanation
    chance: float = 1.0
    seen: int = 1
    told: bool = False
    sizes: list[tuple[float, float]] = field(default_factory=list)
    total: Floats | None = None
    total_s: float = 0.0


@dataclass
class Watch:
    """Everything that goes from one moment to the next; owned by the caller, changed by :func:`diagnose`.

    ``doubt`` (n_sign,): standard deviation that the simulation itself has now, in the signs' units.
    """

    layout: Layout
    habit: Habit
    still: Stillness
    tracks: dict[tuple[str, str], Track] = field(default_factory=dict)
    patterns: Patterns | None = None
    patterns_t: float = float("-inf")
    known: Bools | None = None
    doubt: Floats | None = None
    t: float | None = None


def begin_watch(book: DiagnosisBook) -> Watch:
    """A watch that has seen nothing yet."""
    layout = Layout(book.n_station, book.n_source)
    return Watch(layout, Habit(layout.floors()), Stillness(len(book.point_ids)))


def diagnose(
    net: CompiledNetwork, book: DiagnosisBook, watch: Watch, c: Comparison, value: Floats, reported_t: Floats
) -> tuple[Verdict, ...]:
    """Take one moment and tell what is wrong now.

    Parameters
    ----------
    c : the comparison of this moment
    value : (n_point,) usable measurements, SI, NaN where missing (``Snapshot.value``)
    reported_t : (n_point,) when each was measured, s since 1970; -inf for never

    Returns
    -------
    findings by falling evidence; ``watch`` has moved on to ``c.t``
    """
    dt = 60.0 if watch.t is None else c.t - watch.t
    if dt <= 0.0:
        return _tell(watch, c.t)
    watch.t = c.t
    watch.still.take(value, reported_t)
    found: dict[tuple[str, str], Explanation] = {}
    if c.state.converged:
        found = _weigh(net, book, watch, c, value, dt)
    plain = find_plain(book, watch.still, watch.habit, watch.layout, value, reported_t, c.t)
    _follow(watch, book, {**found, **plain}, c.t)
    _place_again(watch, min(dt, LONGEST_S))
    return _tell(watch, c.t)


def _weigh(
    net: CompiledNetwork, book: DiagnosisBook, watch: Watch, c: Comparison, value: Floats, dt: float
) -> dict[tuple[str, str], Explanation]:
    stations, sources = book.read_station(value), book.read_source(value)
    stations["b_ts"] = mean_of_buildings(value, book.building_supply, book.n_station)
    stations["b_tr"] = mean_of_buildings(value, book.building_return, book.n_station)
    sim = read_simulated(book, c, net.station_node, net.source_node)
    t_out = c.boundary.t_outdoor_c
    make_up, gap, circulation = relate_network(stations, sources)
    raw = np.concatenate(
        [relate_station(book, stations, sim, t_out).ravel(), relate_source(sources, sim).ravel(),
         [make_up, gap, 0.0, 0.0, 0.0]]
    )  # fmt: skip
    sign = compose(watch.layout, raw)
    flow = float(np.sum(c.boundary.flow_kg_s) / max(float(book.flow_1_kg_s.sum()), 1e-9))
    load = (18.0 - t_out) / book.load_scale_k if np.isfinite(t_out) else flow
    watch.habit.take(sign, flow, load, dt, _held(watch))
    if circulation <= 0.0:
        return {}
    watch.doubt = doubt_signs(watch.layout, book, c)
    known = np.isfinite(raw)
    if (watch.patterns is None or c.t - watch.patterns_t >= PATTERNS_S
            or watch.known is None or bool((known != watch.known).any())):  # fmt: skip
        watch.patterns = simulate_patterns(
            net, book, watch.layout, c.state, stations, sources, sim, t_out, circulation, known
        )
        watch.patterns_t, watch.known = c.t, known
    return _weigh_windows(watch, watch.patterns, np.isfinite(sign), flow, load)


def _weigh_windows(
    watch: Watch, patterns: Patterns, known: Bools, flow: float, load: float
) -> dict[tuple[str, str], Explanation]:
    """The best explanation of each finding over all windows."""
    found: dict[tuple[str, str], Explanation] = {}
    floor = watch.habit.floor
    for w in range(len(WINDOWS_S)):
        sigma = np.where(known, watch.habit.sigmas(w, flow, load), np.inf) * floor
        if watch.doubt is not None:
            sigma = np.hypot(sigma, watch.doubt)
        for e in explain_signs(patterns, watch.habit.mean[w] * floor, sigma):
            key = _key_of(e.candidates[0])
            if not _loses_water(watch, e, patterns):
                continue
            if key not in found or e.evidence > found[key].evidence:
                found[key] = e
    return found


def _loses_water(watch: Watch, e: Explanation, patterns: Patterns) -> bool:
    """A leak must be made up for: without more make-up (where it is metered) it is something else."""
    first = e.candidates[0]
    row = watch.layout.network("make_up")
    if first.kind != "leak" or watch.known is None or not watch.known[row]:
        return True
    column = patterns.column("leak", first.place)
    wanted = 0.0 if column is None else float(column[row]) * first.size
    seen = float(watch.habit.mean[:2, row].max() * watch.habit.floor[row])
    return seen > 0.5 * wanted


def _key_of(c: Candidate) -> tuple[str, str]:
    """Findings of one key are the same one: a leak stays that leak when its place is seen better."""
    if c.kind in ("leak", "blockage"):
        return c.kind, ""
    return c.kind, c.place


def _held(watch: Watch) -> Bools:
    """Signs that are being explained do not teach."""
    held = np.zeros(watch.layout.size, bool)
    for track in watch.tracks.values():
        if track.told:
            held |= track.explanation.moves
    return held


def _follow(watch: Watch, book: DiagnosisBook, found: dict[tuple[str, str], Explanation], t: float) -> None:
    tracks = watch.tracks
    for key, e in found.items():
        need = FAULTS[e.candidates[0].kind].evidence
        track = tracks.get(key)
        if track is None:
            if e.evidence >= need:
                tracks[key] = Track(t, t, e, _chance_of(e))
            continue
        if e.evidence >= need / 3.0:
            track.last, track.explanation, track.chance = t, e, _chance_of(e)
            track.seen += 1
        track.sizes = [*track.sizes[-KEPT:], (t, e.candidates[0].size)]
    for key in [k for k, track in tracks.items() if _is_gone(track, t)]:
        del tracks[key]
    for key, track in tracks.items():
        plain = key[0] in ("gateway_offline", "sensor_freeze", "stuck_valve")
        if not track.told and (plain or (track.seen >= AGAIN and track.last == t)):
            track.told = True
    _keep_back(watch, book)


def _chance_of(e: Explanation) -> float:
    """Probability of the kind, whatever its place."""
    return min(sum(c.probability for c in e.candidates if c.kind == e.candidates[0].kind), 1.0)


def _place_again(watch: Watch, dt: float) -> None:
    """Size and, in a pipe, place of every finding by all that was seen since it began."""
    patterns, habit = watch.patterns, watch.habit
    if patterns is None or watch.known is None:
        return
    for (kind, place), track in watch.tracks.items():
        track.total = habit.error * dt + (0.0 if track.total is None else track.total)
        track.total_s += dt
        mean = track.total / track.total_s * habit.floor
        noise = habit.spread[0] * min(2.0 * SAMPLE_S / track.total_s, 1.0) + np.maximum(habit.spread[2], 0.25)
        sigma = np.where(watch.known & (habit.known_s > 0.0), np.sqrt(noise), np.inf) * habit.floor
        if watch.doubt is not None:
            sigma = np.hypot(sigma, watch.doubt)
        if place:
            _size_again(track, patterns, mean, sigma)
            continue
        sigma[_spoiled(watch, kind)] = np.inf
        rows = locate(patterns, kind, mean, sigma)
        if rows:
            track.explanation = replace(track.explanation, candidates=rows)


def _size_again(track: Track, patterns: Patterns, mean: Floats, sigma: Floats) -> None:
    """The windows lag behind what has just begun; the mean since then does not."""
    first, *rivals = track.explanation.candidates
    column = patterns.column(first.kind, first.place)
    if column is None:
        return
    weight = np.where(np.isfinite(sigma), 1.0 / np.square(sigma), 0.0)
    square = float(weight @ np.square(column))
    if square > 0.0:
        size = float(weight @ (mean * column)) / square
        track.explanation = replace(track.explanation, candidates=(replace(first, size=size), *rivals))


def _spoiled(watch: Watch, kind: str) -> Bools:
    """Signs that a wrong meter moves far: they say nothing of where a leak is."""
    out = np.zeros(watch.layout.size, bool)
    for (other, place), track in watch.tracks.items():
        if other == kind or "/" not in place or watch.patterns is None:
            continue
        column = watch.patterns.column(track.explanation.candidates[0].kind, place)
        if column is not None:
            size = abs(track.explanation.candidates[0].size)
            out |= np.abs(column) * size > SPOILED * watch.habit.floor
    return out


def _is_gone(track: Track, t: float) -> bool:
    return t - track.last > (GONE_S if track.told else 120.0)


def _keep_back(watch: Watch, book: DiagnosisBook) -> None:
    """One cause is one finding: what follows from another is not told."""
    tracks = watch.tracks
    tripped = {place for kind, place in tracks if kind == "pump_trip"}
    offline = {place for kind, place in tracks if kind == "gateway_offline"}
    silent = {i for i, d in zip(book.station_ids, book.station_device, strict=True) if d in offline}
    frozen = {place for kind, place in tracks if kind == "sensor_freeze"}
    trip = any(kind == "source_trip" and tracks[(kind, place)].told for kind, place in tracks)
    for key, track in list(tracks.items()):
        kind, place = key
        station = place.split("/")[0]
        follows = (
            (station in tripped and kind != "pump_trip")
            or (station in silent and kind != "gateway_offline")
            or (kind in ("sensor_bias", "sensor_drift") and place in frozen)
            or (trip and kind in ("sensor_bias", "blockage", "fouling")
                and track.explanation.evidence < 4.0 * FAULTS[kind].evidence)
        )  # fmt: skip
        if follows:
            track.told, track.seen = False, 0


def _tell(watch: Watch, t: float) -> tuple[Verdict, ...]:
    out = []
    for key, track in watch.tracks.items():
        if not track.told:
            continue
        first = track.explanation.candidates[0]
        kind = first.kind
        if kind == "sensor_bias" and _drifts(track):
            kind = "sensor_drift"
        suspects = track.explanation.candidates[:6]
        if kind != first.kind:
            suspects = (replace(suspects[0], kind=kind), *suspects[1:])
        name = f"{key[0]}:{key[1]}:{track.since:.0f}"
        # in a pipe the suspects are its places: that it is a leak is surer than where
        chance = first.probability if key[1] else track.chance
        out.append(Verdict(name, kind, first.place, first.size, chance, track.since, t,
                           track.explanation.evidence, suspects))  # fmt: skip
    return tuple(sorted(out, key=lambda v: -v.evidence))


def _drifts(track: Track) -> bool:
    """Whether the error of a meter has kept growing since it was first seen."""
    rows = [r for r in track.sizes if r[0] >= track.since]
    if len(rows) < 8 or rows[-1][0] - rows[0][0] < DRIFT_AFTER_S:
        return False
    t = np.array([r[0] for r in rows])
    size = np.abs([r[1] for r in rows])
    half = t >= (t[0] + t[-1]) / 2
    early, late = float(np.median(size[~half])), float(np.median(size[half]))
    return late - early > DRIFT_SHARE * early


__all__ = ["Track", "Verdict", "Watch", "begin_watch", "diagnose"]
