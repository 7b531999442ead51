"""Key figures of heating; pure functions of a snapshot (formulas of CJJ/T 241 and common practice)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.model.county import County

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROOM_LIMIT_C = 18.0


@dataclass(frozen=True, slots=True)
class HeatingFigures:
    """One moment; NaN where nothing fresh was measured. Counts stand beside every share.

    ``heat_w`` from the sources, ``index_w_m2`` station heat by heated area, ``t_supply_c`` and ``t_return_c``
    flow-weighted over running sources, ``flow_m3_s`` circulation, ``room_c`` mean, ``pass_share`` rooms at
    18 °C or more of ``rooms``.
    """

    heat_w: float
    index_w_m2: float
    t_supply_c: float
    t_return_c: float
    flow_m3_s: float
    room_c: float
    pass_share: float
    rooms: int
    cold_rooms: int
    t_out_c: float


PLANT_KEYS = ("src_", "p1_")
"""Kinds of points that add up over sources and stations; a second meter in a part of one counts nothing."""


def _plants(county: County) -> set[str]:
    network = county.network
    return {s.id for s in network.sources} | {s.id for s in network.substations}


def compute_figures(county: County, value: Floats) -> HeatingFigures:
    """Figures from ``value`` (n_point,) SI, NaN where missing or stale."""
    by_key: dict[str, list[int]] = {}
    plants = _plants(county)
    for p in county.points:
        if p.place_id in plants or not p.key.startswith(PLANT_KEYS):
            by_key.setdefault(p.key, []).append(p.no)

    def of(key: str) -> Floats:
        return value[by_key.get(key, [])]

    def total(x: Floats) -> float:
        return float(np.nansum(x)) if np.isfinite(x).any() else math.nan

    heat, station_heat = of("src_heat"), of("p1_heat")
    flow = of("src_flow")
    weight = np.where(np.isfinite(flow) & (flow > 1e-6), flow, 0.0)
    area = sum(s.area_m2 for s in county.network.substations)
    complete = station_heat.size > 0 and np.isfinite(station_heat).mean() > 0.9
    station_total = (
        total(station_heat) / max(float(np.isfinite(station_heat).mean()), 1e-9) if complete else math.nan
    )
    rooms = of("room_t")
    rooms = rooms[np.isfinite(rooms)]
    source_total = total(heat)
    out = of("t_out")
    return HeatingFigures(
        heat_w=source_total,
        index_w_m2=station_total / area if area > 0 else math.nan,
        t_supply_c=_weighted(of("src_ts"), weight),
        t_return_c=_weighted(of("src_tr"), weight),
        flow_m3_s=total(flow),
        room_c=float(rooms.mean()) if rooms.size else math.nan,
        pass_share=float((rooms >= ROOM_LIMIT_C).mean()) if rooms.size else math.nan,
        rooms=int(rooms.size),
        cold_rooms=int((rooms < ROOM_LIMIT_C).sum()),
        t_out_c=float(np.nanmedian(out)) if np.isfinite(out).any() else math.nan,
    )


def delivery_share(county: County, now: Floats, before: Floats) -> float:
    """Heat that reached the stations by heat that left the sources, from the counters of both moments.

    An instant tells nothing here: what leaves the source needs hours to the last station. NaN while the
    counters do not reach back.
    """

    plants = _plants(county)

    def used(key: str) -> float:
        rows = [p.no for p in county.points if p.key == key and p.place_id in plants]
        return float(np.sum(now[rows] - before[rows])) if rows else math.nan

    source, station = used("src_energy"), used("p1_energy")
    return station / source if source > 0 and station >= 0 else math.nan


@dataclass(frozen=True, slots=True)
class StationFigures:
    """One heat station: mean of its fresh ``rooms``, heat by heated area, its largest deviation in sigmas.

    NaN where nothing is known.
    """

    id: str
    room_c: float
    rooms: int
    index_w_m2: float
    deviation: float


def rank_stations(county: County, value: Floats, simulated_no: Ints, z: Floats) -> list[StationFigures]:
    """Every heat station, the coldest homes first; those without room sensors last.

    Parameters
    ----------
    value : (n_point,) SI, NaN where missing or stale
    simulated_no, z : (m,) numbers of simulated points and their deviations in sigmas
    """
    station_of = {b.id: b.substation_id for b in county.buildings}
    home_of = {d.id: station_of.get(d.place_id, d.place_id) for d in county.devices}
    rooms: dict[str, list[float]] = {}
    for p in county.points:
        if p.key == "room_t" and np.isfinite(value[p.no]):
            rooms.setdefault(home_of[p.device_id], []).append(float(value[p.no]))
    worst: dict[str, float] = {}
    for no, x in zip(simulated_no, z, strict=True):
        place = county.points[int(no)].place_id
        if np.isfinite(x) and abs(x) > abs(worst.get(place, 0.0)):
            worst[place] = float(x)
    rows = []
    for s in county.network.substations:
        heat = county.point_by_id.get(f"{s.id}/p1_heat")
        index = float(value[heat.no]) / s.area_m2 if heat is not None and s.area_m2 > 0 else math.nan
        mine = rooms.get(s.id, [])
        mean = float(np.mean(mine)) if mine else math.nan
        rows.append(StationFigures(s.id, mean, len(mine), index, worst.get(s.id, math.nan)))
    return sorted(rows, key=lambda r: (not math.isfinite(r.room_c), r.room_c))


def _weighted(x: Floats, weight: Floats) -> float:
    ok = np.isfinite(x) & (weight > 0)
    return float(np.average(x[ok], weights=weight[ok])) if ok.any() else math.nan


def rms(z: Floats) -> float:
    """Root mean square of deviations in sigmas; NaN without any."""
    z = z[np.isfinite(z)]
    return float(np.sqrt(np.mean(z**2))) if z.size else math.nan
