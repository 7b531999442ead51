"""The watch: signs, habit and explanations through time; what is told, since when, and what is kept back."""

import numpy as np
from numpy.typing import NDArray

from twin.compare import Comparison
from twin.diagnosis.book import DiagnosisBook
from twin.diagnosis.explain import Candidate, Explanation, explain_signs
from twin.diagnosis.habit import WINDOWS_S
from twin.diagnosis.moment import Moment, read_moment
from twin.diagnosis.patterns import Patterns, simulate_patterns
from twin.diagnosis.placing import PATTERNS_S, place_again
from twin.diagnosis.plain import find_plain, tell_crossed
from twin.diagnosis.signs import ALIKE, COMMON, compose, doubt_signs
from twin.diagnosis.state import Verdict, Watch, begin_watch
from twin.diagnosis.tracks import TAKEN, Bouts, Key, Track, follow, keep_back, name_kind
from twin.heat import CompiledNetwork

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FLICKER = 3
"""Signs that may come and go before that."""
LONGEST_S = 300.0
LACKING, LACKING_S = 0.08, 86_400.0
"""What all stations have in common is not judged while this share of them more than usual is silent; time of
getting used."""
BEFORE_S = 900.0
"""A meter that has been told as wrong for this long is not crossed when it passes the other one."""


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
    place_again(net, watch, c, min(dt, LONGEST_S))
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
    watch.load = flow, load, _split(net, m)
    watch.habit.take(sign, flow, load, dt, _held(watch), watch.load[2])
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
    return {**found, **_weigh_windows(watch, watch.patterns, np.isfinite(sign))}


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


def _split(net: CompiledNetwork, m: Moment) -> float:
    """Share of the circulation that sources feed in that do not hold the pressure."""
    flow = np.maximum(np.nan_to_num(m.sources["src_flow"]), 0.0)
    return float(flow[~net.source_holds].sum() / flow.sum()) if flow.sum() > 0.0 else 0.0


def _weigh_windows(watch: Watch, patterns: Patterns, known: Bools) -> dict[Key, Explanation]:
    """The best explanation of each finding over all windows."""
    found: dict[Key, Explanation] = {}
    floor = watch.habit.floor
    for w in range(len(WINDOWS_S)):
        sigma = np.where(known, watch.habit.sigmas(w, *watch.load), np.inf) * floor
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


__all__ = ["Track", "Verdict", "Watch", "begin_watch", "diagnose"]
