"""What the cases of a period say of the service (formulas: docs/reports.md)."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from app.domains.heating.complaints.case import HOUR_S, MEASURED, Case
from app.domains.heating.complaints.rules import Rules
from twin.model.county import County

COMPLAINT_FIGURES = (
    "complaints_homes", "complaints_m2", "measured_share", "solved_share", "satisfied_share",
)  # fmt: skip
Judge = Callable[[float, float], dict[str, float]]
"""Figures of a period from its two ends, s since 1970 UTC."""
DAY_S = 86_400.0


def know_nothing(_start: float, _end: float) -> dict[str, float]:
    """Where no desk is asked: nothing is known."""
    return dict.fromkeys(COMPLAINT_FIGURES, math.nan)


def judge_complaints(
    county: County, rules: Rules, cases: Sequence[Case], start: float, end: float, now: float
) -> dict[str, float]:
    """Figures of a period; NaN where they are not known.

    ``complaints_homes`` cases per 10,000 homes and day, ``complaints_m2`` cases per 10,000 m²;
    ``measured_share`` of the cases that need a measurement, ``solved_share`` of all: within their limits
    (cases whose clock still runs are not judged); ``satisfied_share`` of those called back. Withdrawn cases
    count nowhere. Before the day of the first case nobody kept a book: nothing is known of it.
    """
    counted = [c for c in cases if c.status != "withdrawn"]
    out = know_nothing(start, end)
    if not counted:
        return out
    start = max(start, begin_of_book(county, counted))
    if start >= end:
        return out
    mine = [c for c in counted if start <= c.received < end]
    homes = sum(b.homes for b in county.buildings if b.heated)
    area = sum(s.area_m2 for s in county.network.substations)
    if homes > 0:
        out["complaints_homes"] = len(mine) / (homes / 1e4) / ((end - start) / DAY_S)
    if area > 0.0:
        out["complaints_m2"] = len(mine) / (area / 1e4)
    measured = [(c.received, c.measured_t) for c in mine if c.kind in MEASURED]
    out["measured_share"] = _share_in_time(measured, rules.measure_h, now)
    out["solved_share"] = _share_in_time([(c.received, c.solved_t) for c in mine], rules.solve_h, now)
    said = [s for c in mine for s in c.steps if s.stands and s.act == "called"]
    if said:
        out["satisfied_share"] = sum(s.facts.get("satisfied") is True for s in said) / len(said)
    return out


def begin_of_book(county: County, cases: Sequence[Case]) -> float:
    """Midnight of the county before the first case, s since 1970 UTC."""
    zone = ZoneInfo(county.meta.timezone)
    first = datetime.fromtimestamp(min(c.received for c in cases), zone)
    return datetime.combine(first.date(), time.min, zone).timestamp()


def _share_in_time(pairs: Sequence[tuple[float, float]], limit_h: float, now: float) -> float:
    """Share done within the limit, of those done or whose limit is over; NaN without any."""
    limit_s = limit_h * HOUR_S
    judged = [(t, done) for t, done in pairs if math.isfinite(done) or now - t > limit_s]
    if not judged:
        return math.nan
    return sum(math.isfinite(done) and done - t <= limit_s for t, done in judged) / len(judged)
