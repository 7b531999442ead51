"""Faults that show without a model: silent devices, frozen meters, valves that do not move."""

import numpy as np
from numpy.typing import NDArray

from twin.diagnosis.book import DiagnosisBook
from twin.diagnosis.explain import Candidate, Explanation
from twin.diagnosis.habit import Habit
from twin.diagnosis.kinds import FAULTS
from twin.diagnosis.signs import Layout
from twin.diagnosis.stillness import Stillness, find_silent
from twin.diagnosis.valves import Valves

Floats = NDArray[np.float64]

SATURATED = (0.03, 0.97)
"""A valve at its end may stand still."""
APART = 0.03
"""Set-point and feedback of a valve that moves differ by less."""
OFF_CURVE_K = 0.6
"""A valve at work would not leave the secondary supply this far from its habit."""


def find_plain(
    book: DiagnosisBook, still: Stillness, habit: Habit, layout: Layout, value: Floats, reported_t: Floats,
    t: float, valves: Valves,
) -> dict[tuple[str, str], Explanation]:  # fmt: skip
    """Findings that need no simulation, by key (kind, place)."""
    out: dict[tuple[str, str], Explanation] = {}
    nothing = np.zeros(layout.size, bool)
    silent, _ = find_silent(book.devices, book.point_period_s, reported_t, t, still.listening)
    for name in silent:
        c = Candidate("gateway_offline", name, float("nan"), 1.0)
        out[("gateway_offline", name)] = Explanation((c,), 1000.0, nothing)
    surprise, idle = still.surprise(), valves.idle()
    of_valves = {int(no) for key in ("cv_pos", "cv_sp") for no in book.station[key]}
    for no in book.watched[surprise[book.watched] >= FAULTS["sensor_freeze"].evidence]:
        if int(no) in of_valves or still.value[no] == 0.0:  # a pump that stands has no flow
            continue
        out[("sensor_freeze", book.point_ids[no])] = _freeze(book, int(no), float(surprise[no]), nothing)
    for i in np.flatnonzero(book.station["cv_pos"] >= 0):
        found = _judge_valve(book, still, surprise, int(i), habit, layout, float(idle[i]))
        if found is not None:
            first = found.candidates[0]
            out[(first.kind, first.place)] = found
    return out


def tell_crossed(
    book: DiagnosisBook, crossed: tuple[dict[str, NDArray[np.bool_]], dict[str, NDArray[np.bool_]]], size: int
) -> dict[tuple[str, str], Explanation]:
    """Findings of meters that show each other's value; ``size`` of the vector of signs."""
    out: dict[tuple[str, str], Explanation] = {}
    for masks, ids in zip(crossed, (book.station_ids, book.source_ids), strict=True):
        for supply, wrong in masks.items():
            for i in np.flatnonzero(wrong):
                place = f"{ids[i]}/{supply}"
                rows = (
                    Candidate("sensor_swap", place, float("nan"), 0.95),
                    Candidate("sensor_bias", place, float("nan"), 0.03),
                    Candidate("sensor_bias", f"{ids[i]}/{supply[:-1]}r", float("nan"), 0.02),
                )
                out[("sensor_swap", place)] = Explanation(rows, 200.0, np.zeros(size, bool))
    return out


def _freeze(book: DiagnosisBook, no: int, evidence: float, nothing: NDArray[np.bool_]) -> Explanation:
    c = Candidate("sensor_freeze", book.point_ids[no], float("nan"), 1.0)
    return Explanation((c,), evidence, nothing)


def _judge_valve(
    book: DiagnosisBook, still: Stillness, surprise: Floats, i: int, habit: Habit, layout: Layout, idle: float
) -> Explanation | None:
    """A feedback that stands: stuck when the secondary water leaves its curve and nothing is done about it,
    now or at any time of this stand; a frozen feedback when the command moves and the water follows."""
    pos, sp = int(book.station["cv_pos"][i]), int(book.station["cv_sp"][i])
    opening = float(still.value[pos])
    stands = surprise[pos] >= FAULTS["stuck_valve"].evidence
    if not (stands or idle >= 1.0) or not SATURATED[0] < opening < SATURATED[1]:
        return None
    row = layout.station("curve").start + i
    off = abs(float(habit.mean[1][row])) * float(habit.floor[row])
    moves = sp >= 0 and abs(float(still.value[sp]) - opening) > APART
    if off < OFF_CURVE_K and idle < 1.0 and not moves:
        return None  # nothing to do for it
    worst = max(off / OFF_CURVE_K, idle)
    stuck = min(0.5 + 0.25 * worst, 0.95) if worst >= 1.0 else 0.2
    rows = [
        Candidate("stuck_valve", book.station_ids[i], opening, stuck),
        Candidate("sensor_freeze", book.point_ids[pos], float("nan"), 1.0 - stuck),
    ]
    rows.sort(key=lambda c: -c.probability)
    evidence = max(float(surprise[pos]), FAULTS["stuck_valve"].evidence * idle)
    return Explanation(tuple(rows), evidence, np.zeros(layout.size, bool))
