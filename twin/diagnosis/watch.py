"""The watch: signs, habit and explanations through time; what is told, since when, and what is kept back."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from twin.compare import Comparison
from twin.diagnosis.book import DiagnosisBook
from twin.diagnosis.explain import Candidate, Explanation, explain_signs
from twin.diagnosis.habit import LEARNING_S, WINDOWS_S, Habit
from twin.diagnosis.hearing import Hearing
from twin.diagnosis.homes import Homes
from twin.diagnosis.moment import Moment, read_moment
from twin.diagnosis.patterns import Patterns, simulate_patterns
from twin.diagnosis.place import columns_of, doubt_patterns, draw_leaks, locate
from twin.diagnosis.plain import find_plain, tell_crossed
from twin.diagnosis.signs import ALIKE, COMMON, Layout, compose, doubt_signs
from twin.diagnosis.stillness import Stillness
from twin.diagnosis.tracks import TAKEN, Bouts, Key, Rejection, Track, follow, keep_back, name_kind
from twin.diagnosis.valves import Valves
from twin.heat import CompiledNetwork

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PATTERNS_S = 600.0
"""Patterns are simulated anew this often."""
FLICKER = 3
"""Signs that may come and go before that."""
LONGEST_S = 300.0
SPOILED = 12.0
"""Floors by which a wrong meter must move a sign to be left out of placing a leak."""
SAMPLE_S = 180.0
"""Errors of moments this far apart are independent."""
LACKING, LACKING_S = 0.08, 86_400.0
"""What all stations have in common is not judged while this share of them more than usual is silent; time of
getting used."""
BEFORE_S = 900.0
"""A meter that has been told as wrong for this long is not crossed when it passes the other one."""
SETTLED, LASTING = 0.3, 0.05
"""Variance that no time of looking takes away: share of the wandering of three hours, and the least, in
squares of the floor."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding.

    ``id`` stays the same while it lives; ``kind`` see ``kinds.FAULTS``; ``place`` pipe, station, source,
    room, point or device id (``*dialect``: a whole gateway); ``size`` in the unit of the kind (meters: SI, or
    a share of the value for flow and heat); ``probability`` of the kind; ``since``, ``t`` s since 1970;
    ``evidence`` half the squared sigmas explained. ``suspects`` begin with the finding itself; of a fault in
    a pipe they are the pipes that hold it with a probability of ``place.ZONE``, and their own.
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
class Watch:
    """Everything that goes from one moment to the next; owned by the caller, changed by :func:`diagnose`.

    ``doubt`` (n_sign,): standard deviation that the simulation itself has now, in the signs' units.
    ``rejected``: findings that people said are none, by key (kind, place; place "" in pipes).
    ``leaks``: signs of leaks in every pipe with the time and size they were simulated for. ``lacking``: share
    of the stations, by their design flow, that usually tell no flow or no pressure.
    """

    layout: Layout
    habit: Habit
    still: Stillness
    homes: Homes
    valves: Valves
    hearing: Hearing
    tracks: dict[Key, Track] = field(default_factory=dict)
    bouts: dict[Key, Bouts] = field(default_factory=dict)
    rejected: dict[Key, Rejection] = field(default_factory=dict)
    patterns: Patterns | None = None
    patterns_t: float = float("-inf")
    known: Bools | None = None
    doubt: Floats | None = None
    leaks: tuple[float, float, Floats] | None = None
    load: tuple[float, float] = (0.0, 0.0)
    lacking: float | None = None
    t: float | None = None


def begin_watch(book: DiagnosisBook) -> Watch:
    """A watch that has seen nothing yet."""
    layout = Layout(book.n_station, book.n_source)
    return Watch(
        layout,
        Habit(layout.floors()),
        Stillness(book.point_period_s),
        Homes(book.homes),
        Valves(book.n_station),
        Hearing(book),
    )


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
    watch.still.take(value, reported_t, c.t)
    heard = np.where(watch.hearing.take(reported_t, c.t, dt), np.nan, value)
    found: dict[Key, Explanation] = {}
    if c.state.converged:
        found = _weigh(net, book, watch, c, heard, dt)
    plain = find_plain(book, watch.still, watch.habit, watch.layout, value, reported_t, c.t, watch.valves)
    follow(watch.tracks, {**found, **plain}, watch.bouts, c.t)
    _follow_bouts(watch, book, c.t)
    keep_back(watch.tracks, book, watch.rejected, c.t)
    _place_again(net, watch, c, min(dt, LONGEST_S))
    return _tell(watch, c.t)


def _weigh(
    net: CompiledNetwork, book: DiagnosisBook, watch: Watch, c: Comparison, value: Floats, dt: float
) -> dict[Key, Explanation]:
    m = read_moment(net, book, c, value, _known_wrong(watch, c.t))
    raw = m.raw.copy()
    if _lacks_more(watch, book, c, m, dt):
        for key in (*COMMON, ALIKE):
            raw[watch.layout.station(key)] = np.nan
    sign = compose(watch.layout, raw)
    flow = float(np.sum(c.boundary.flow_kg_s) / max(float(book.flow_1_kg_s.sum()), 1e-9))
    load = (18.0 - m.t_out_c) / book.load_scale_k if np.isfinite(m.t_out_c) else flow
    watch.load = flow, load
    watch.habit.take(sign, flow, load, dt, _held(watch))
    rows = watch.layout.station("curve")
    off_k = watch.habit.error[rows] * watch.habit.floor[rows]
    watch.valves.take(m.stations["cv_pos"], off_k, _troubled(watch, book), dt)
    lift = m.stations["s2_ts"] - m.stations["s2_tr"]
    watch.homes.take(value, m.stations["s2_flow"], lift, flow, load, dt)
    found = watch.homes.find(book.station_ids, watch.layout.size, c.t, flow, load)
    found.update(tell_crossed(book, m.crossed, watch.layout.size))
    if m.circulation <= 0.0:
        return found
    watch.doubt = doubt_signs(watch.layout, book, c)
    known = np.isfinite(sign)
    other = watch.known is None or int((known != watch.known).sum()) > FLICKER
    if watch.patterns is None or other or c.t - watch.patterns_t >= PATTERNS_S:
        watch.patterns = simulate_patterns(
            net, book, watch.layout, c.state, m.stations, m.sources, m.sim, m.t_out_c, m.circulation, known
        )
        watch.patterns_t, watch.known = c.t, known
    return {**found, **_weigh_windows(watch, watch.patterns, np.isfinite(sign), flow, load)}


def _lacks_more(watch: Watch, book: DiagnosisBook, c: Comparison, m: Moment, dt: float) -> bool:
    """Whether more stations than usual tell no flow or no pressure: then the flows that stand in, and means
    over other stations, move all pressures. What has been missing for long is in the habit.
    """
    guessed = {p.split("/")[0] for p in c.boundary.assumed if p.endswith("/p1_flow")}
    silent = ~np.isfinite(m.stations["p1_ps"] + m.stations["p1_pr"])
    design = np.maximum(book.flow_1_kg_s, 1e-9)
    lacks = silent | np.array([i in guessed for i in book.station_ids], bool)
    share = float(design[lacks].sum() / design.sum())
    old = share if watch.lacking is None else watch.lacking
    watch.lacking = min(old + (1.0 - float(np.exp(-dt / LACKING_S))) * (share - old), share)
    return share - watch.lacking > LACKING


def _troubled(watch: Watch, book: DiagnosisBook) -> Bools:
    """(n_station,) stations with a finding that moves their water or what their meters tell of it."""
    told = {
        key for key, track in watch.tracks.items() if track.told and key[0] not in ("stuck_valve", *TAKEN)
    }
    if any(kind == "source_trip" for kind, _ in told):
        return np.ones(book.n_station, bool)
    places = {place.split("/")[0] for _, place in told}
    return np.array([i in places for i in book.station_ids], bool)


def _known_wrong(watch: Watch, t: float) -> frozenset[str]:
    """Meters that have been told as wrong for a while."""
    return frozenset(
        place for (kind, place), track in watch.tracks.items()
        if kind == "sensor_bias" and track.told and t - track.since > BEFORE_S
    )  # fmt: skip


def _weigh_windows(
    watch: Watch, patterns: Patterns, known: Bools, flow: float, load: float
) -> dict[Key, Explanation]:
    """The best explanation of each finding over all windows."""
    found: dict[Key, Explanation] = {}
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


def _key_of(c: Candidate) -> Key:
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


def _follow_bouts(watch: Watch, book: DiagnosisBook, t: float) -> None:
    """Whether what is lost is lost all the time."""
    short = watch.habit.mean[0]
    for key, track in watch.tracks.items():
        if key[0] in TAKEN and track.told and key not in watch.bouts:
            watch.bouts[key] = Bouts(0.0, True, [track.since])
    for key, bouts in list(watch.bouts.items()):
        row = watch.layout.network("make_up")
        if key[1]:
            row = watch.layout.station("make_up_2").start + book.station_ids.index(key[1])
        bouts.take(float(short[row]), t)
        if not bouts.rises and key not in watch.tracks:
            del watch.bouts[key]


def _place_again(net: CompiledNetwork, watch: Watch, c: Comparison, dt: float) -> None:
    """Size and, in a pipe, place of every finding by all that was seen since it began."""
    patterns, habit = watch.patterns, watch.habit
    if patterns is None or watch.known is None:
        return
    for (kind, place), track in watch.tracks.items():
        bouts = watch.bouts.get((kind, place))
        if track.before is None:
            track.before = habit.mean[-1].copy()
        if track.total is None or bouts is None or bouts.on:  # while no water runs there is nothing to learn
            track.total = habit.error * dt + (0.0 if track.total is None else track.total)
            track.total_s += dt
        usual, unsure = _wandering(habit)
        mean = (track.total / track.total_s - usual * track.before) * habit.floor
        noise = habit.spread[0] * min(2.0 * SAMPLE_S / track.total_s, 1.0) + unsure
        sigma = np.where(watch.known & (habit.known_s > 0.0), np.sqrt(noise), np.inf) * habit.floor
        if watch.doubt is not None:
            sigma = np.hypot(sigma, watch.doubt)
        if place:
            _size_again(track, patterns, mean, sigma)
            continue
        sigma[_spoiled(watch, kind)] = np.inf
        rows = locate(kind, *_columns(net, watch, c, kind, track), mean, sigma, doubt_patterns(watch.layout))
        if rows:
            track.explanation = replace(track.explanation, candidates=rows)


def _wandering(habit: Habit) -> tuple[Floats, Floats]:
    """How much of what differed in the hours before still differs, as a share, and the variance that no time
    of looking takes away, in squares of the floor: what is left of the longest mean without its noise."""
    spread = np.maximum(habit.spread[-1], 1e-6)
    noise = habit.spread[0] * WINDOWS_S[0] / WINDOWS_S[-1]
    share = np.clip(1.0 - noise / spread, 0.0, 1.0)
    return share, np.maximum(SETTLED * share * spread, LASTING)


def hourly_sigma(watch: Watch) -> Floats:
    """(n_sign,) spread of the mean of an hour as learned; NaN where nothing has been learned yet."""
    habit = watch.habit
    noise = habit.spread[0] * 2.0 * SAMPLE_S / 3600.0 + _wandering(habit)[1]
    return np.where(habit.known_s >= LEARNING_S, np.sqrt(noise) * habit.floor, np.nan)


def _columns(
    net: CompiledNetwork, watch: Watch, c: Comparison, kind: str, track: Track
) -> tuple[Floats, Floats, tuple[str, ...]]:
    """What a fault of this kind does in every pipe; a leak at its size, simulated anew now and then."""
    assert watch.patterns is not None and watch.known is not None
    table, unit, places = columns_of(watch.patterns, kind)
    if kind != "leak" or not track.told:
        return table, unit, places
    size = max(track.explanation.candidates[0].size, 0.1)
    old = watch.leaks
    if old is None or c.t - old[0] >= PATTERNS_S or abs(size - old[1]) > 0.2 * old[1]:
        circulation = float(np.nansum(c.state.source_flow_kg_s))
        exact = draw_leaks(net, watch.layout, c.state, max(circulation, 1.0), size)
        exact[~watch.known] = np.nan
        watch.leaks = c.t, size, np.nan_to_num(compose(watch.layout, exact))
    assert watch.leaks is not None
    return watch.leaks[2], np.full(len(places), watch.leaks[1]), places


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


def _tell(watch: Watch, t: float) -> tuple[Verdict, ...]:
    out = []
    for key, track in watch.tracks.items():
        if not track.told:
            continue
        rows = name_kind(key, track, watch.bouts.get(key))
        first = rows[0]
        # in a pipe the suspects are its places: that it is a leak is surer than where
        chance = first.probability if key[1] else track.chance
        if not key[1] and first.kind in TAKEN.values():
            chance = watch.bouts[key].chance()
        name = f"{key[0]}:{key[1]}:{track.since:.0f}"
        suspects = rows[:6] if key[1] else rows
        out.append(Verdict(name, first.kind, first.place, first.size, chance, track.since, t,
                           track.explanation.evidence, suspects))  # fmt: skip
    return tuple(sorted(out, key=lambda v: -v.evidence))


__all__ = ["Track", "Verdict", "Watch", "begin_watch", "diagnose", "hourly_sigma"]
