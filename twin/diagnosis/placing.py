"""Size and place of what has been found, from everything seen since it began and what a crew has measured."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.compare import Comparison
from twin.diagnosis.habit import LEARNING_S, WINDOWS_S, Habit
from twin.diagnosis.patterns import Patterns
from twin.diagnosis.place import (
    columns_of,
    doubt_patterns,
    draw_leaks,
    name_zone,
    score_places,
)
from twin.diagnosis.search import (
    KIT,
    Answers,
    Result,
    answer_checks,
    compile_trench,
    measure_zone,
    spread_chance,
    weigh_results,
)
from twin.diagnosis.signs import compose
from twin.diagnosis.state import Placed, Watch
from twin.diagnosis.tracks import Track
from twin.heat import CompiledNetwork

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PATTERNS_S = 600.0
"""Patterns are simulated anew this often."""
SPOILED = 12.0
"""Floors by which a wrong meter must move a sign to be left out of placing a leak."""
SAMPLE_S = 180.0
"""Errors of moments this far apart are independent."""
SETTLED, LASTING = 0.3, 0.05
"""Variance that no time of looking takes away: share of the wandering of three hours, and the least, in
squares of the floor."""
BEGAN_S = 3600.0
"""A result so long before a leak was seen may still be of it: a twin that was started anew sees it later."""


def place_again(net: CompiledNetwork, watch: Watch, c: Comparison, dt: float) -> None:
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
        table, unit, places = _columns(net, watch, c, kind, track)
        score, size = score_places(table, unit, mean, sigma, doubt_patterns(watch.layout))
        if not np.isfinite(score).any():
            continue
        chance = spread_chance(score)
        if kind == "leak" and track.told:
            watch.placed = _ask_crew(net, watch, c, track.since, score, size)
            chance = watch.placed.chance
        track.explanation = replace(track.explanation, candidates=name_zone(kind, places, size, chance))
    if not any(key[0] == "leak" and track.told for key, track in watch.tracks.items()):
        watch.placed = watch.answers = None


def _ask_crew(
    net: CompiledNetwork, watch: Watch, c: Comparison, since: float, score: Floats, size_kg_s: Floats
) -> Placed:
    """Weigh what the crew has found at chambers since the leak began."""
    size = np.maximum(size_kg_s, 0.0)
    results = tuple(r for r in watch.checks if r.t >= since - BEGAN_S)
    steps = [score]
    if results:
        told = weigh_results(_answer(net, watch, c, results), results, size, KIT)
        steps += list(score + np.cumsum(told, axis=0))
    zones = tuple(measure_zone(net.length_m, spread_chance(s)) for s in steps)
    return Placed(spread_chance(steps[-1]), size, results, zones, c.state)


def _answer(net: CompiledNetwork, watch: Watch, c: Comparison, results: tuple[Result, ...]) -> Answers:
    """What these checks would show for every pipe, simulated anew now and then."""
    if watch.trench is None:
        watch.trench = compile_trench(net)
    old = watch.answers
    if old is None or old[1] != results or c.t - old[0] >= PATTERNS_S:
        asked = answer_checks(net, watch.trench, c.state, [r.check for r in results], KIT)
        watch.answers = c.t, results, asked
    assert watch.answers is not None
    return watch.answers[2]


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
