"""A kept rehearsal held against what happened: what is kept of it, and the readings after its moment."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.contingency import plan_steps, tell_start
from app.domains.heating.rehearse import Alternative, Answer
from ingest.store.api import Store
from twin.heat import HeatSystem
from twin.model.county import County
from twin.model.errors import InputError

Floats = NDArray[np.float64]
Body = dict[str, Any]

HOUR_S = 3600.0


def describe_rehearsal(county: County, system: HeatSystem, answer: Answer, text: str, name: str) -> Body:
    """What is kept: what happens, where it started, the plan as exported, and by the hour what every
    alternative expects where sensors are."""
    weight = _weigh_sensors(county, system)
    first = answer.incidents[0]
    steps = [list(s) for s in plan_steps(county, answer.incidents, answer.alternatives[0], "zh")]
    words = [list(s) for s in plan_steps(county, answer.incidents, answer.alternatives[0], "en")]
    return {
        "t": answer.t, "kind": first.kind, "place": first.at, "size": first.size, "plan": text, "file": name,
        "incidents": [
            {**asdict(x), "hours": x.hours if np.isfinite(x.hours) else None} for x in answer.incidents
        ],
        "start": [tell_start(county, answer, "zh"), tell_start(county, answer, "en")],
        "steps": steps, "steps_en": words, "stations": list(system.stations.ids),
        "alternatives": [_describe(system, a, weight) for a in answer.alternatives],
    }  # fmt: skip


def _describe(system: HeatSystem, a: Alternative, weight: Floats) -> Body:
    per_hour = max(1, round(HOUR_S / float(a.run.time_s[0])))
    n, last = len(system.stations.ids), slice(per_hour - 1, None, per_hour)
    rooms = np.stack([np.bincount(system.buildings.station, weight * r, n) for r in a.run.t_room_c[last]])
    total = np.bincount(system.buildings.station, weight, n)
    return {
        "case": a.run.case.name, "degree_hours": a.judgement.degree_hours, "lost_t": a.judgement.lost_t,
        "homes_16": float(a.judgement.homes_below[0]),
        "room_c": np.round(rooms / np.maximum(total, 1e-9), 2).tolist(),
        "source_w": np.round(a.run.source_heat_w.sum(axis=1)[last], -3).tolist(),
        "t_out_c": np.round(a.run.t_out_c[last], 2).tolist(),
    }  # fmt: skip


def _weigh_sensors(county: County, system: HeatSystem) -> Floats:
    """Room sensors per building; a station without any counts its buildings alike."""
    row = {b: k for k, b in enumerate(system.buildings.ids)}
    count = np.zeros(len(row))
    for p in county.points:
        k = row.get(p.place_id.split(":", maxsplit=1)[0]) if p.key == "room_t" else None
        if k is not None:
            count[k] += 1.0
    none = np.bincount(system.buildings.station, count, len(system.stations.ids)) == 0.0
    return np.where(none[system.buildings.station], 1.0, count)


@dataclass(frozen=True, slots=True, eq=False)
class Hindsight:
    """What came: ``t`` (H,) middle of the hours after the start; ``room_c`` mean of all stations with
    sensors, ``t_out_c``, ``source_w`` (H,) as measured; ``expected_c`` (n_alternative, H) and ``expected_w``
    by the alternatives of the kept rehearsal; ``expected_out_c`` (H,); ``error_k`` (n_alternative,) root mean
    square over stations and hours, NaN without a measured room; ``station_k`` (n_station,) measured less
    expected at the last hour, of the alternative that came nearest (``nearest``, -1: cannot be told)."""

    t: Floats
    room_c: Floats
    t_out_c: Floats
    source_w: Floats
    expected_c: Floats
    expected_w: Floats
    expected_out_c: Floats
    error_k: Floats
    station_k: Floats
    nearest: int


def look_back(county: County, store: Store, body: Body, now: float) -> Hindsight:
    """Hold a kept rehearsal against the readings after its moment.

    Raises
    ------
    InputError : it was kept by an older version without its course, or no hour after it is over
    StoreUnavailable : the owner does not answer
    """
    alternatives = body.get("alternatives") or []
    if not alternatives or "room_c" not in alternatives[0]:
        raise InputError("this plan was kept without its course, so it cannot be compared")
    start, n = float(body["t"]), len(alternatives[0]["room_c"])
    rooms = {s: [] for s in body["stations"]}  # type: dict[str, list[int]]
    home = {b.id: b.substation_id for b in county.buildings}
    for p in county.points:
        if p.key == "room_t":
            station = home.get(p.place_id.split(":", maxsplit=1)[0], "")
            if station in rooms:
                rooms[station].append(p.no)
    heat = [p.no for p in county.points if p.id in {f"{s.id}/src_heat" for s in county.network.sources}]
    out = [p.no for p in county.points if p.key == "t_out"][:1]
    every = [n for numbers in rooms.values() for n in numbers] + heat + out
    table = store.hourly(np.array(every, dtype=np.int64), start, min(now, start + HOUR_S * (n + 1)))
    middle = table.t - HOUR_S / 2.0
    inside = (middle > start) & (middle <= start + HOUR_S * n)
    if not inside.any():
        raise InputError("no hour after this rehearsal is over yet")
    column = {no: k for k, no in enumerate(every)}
    mean = table.mean[inside]
    by_station = np.stack([_mean(mean[:, [column[i] for i in ids]]) for ids in rooms.values()], axis=1)
    lead_h = (middle[inside] - start) / HOUR_S
    expected = np.stack([_at(a["room_c"], lead_h) for a in alternatives])
    known = np.isfinite(by_station)
    error = np.array([_rms((by_station - e)[known]) for e in expected])
    nearest = int(np.nanargmin(error)) if np.isfinite(error).any() else -1
    return Hindsight(
        middle[inside], _mean(by_station), _mean(mean[:, [column[i] for i in out]]),
        _sum(mean[:, [column[i] for i in heat]]),
        np.stack([_mean(np.where(known, e, np.nan)) for e in expected]),
        np.stack([_at(a["source_w"], lead_h) for a in alternatives]),
        _at(alternatives[0]["t_out_c"], lead_h), error,
        (by_station - expected[max(nearest, 0)])[-1], nearest,
    )  # fmt: skip


def _at(rows: Sequence[object], lead_h: Floats) -> Floats:
    """Hourly values (row k stands at hour k + 1) at other hours; (H,) or (H, n)."""
    x = np.array(rows, dtype=np.float64)
    hours = np.arange(1.0, len(x) + 1.0)
    if x.ndim == 1:
        return np.interp(lead_h, hours, x)
    return np.stack([np.interp(lead_h, hours, c) for c in x.T], axis=1)


def _mean(x: Floats) -> Floats:
    """Mean of what is known in every row."""
    known = np.isfinite(x)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(known, x, 0.0).sum(axis=1) / known.sum(axis=1)
    return mean


def _sum(x: Floats) -> Floats:
    return np.where(np.isfinite(x).any(axis=1), np.nansum(x, axis=1), np.nan)


def _rms(x: Floats) -> float:
    return float(np.sqrt(np.mean(x**2))) if x.size else float("nan")
