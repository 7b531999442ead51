"""Loss coefficient and heat capacity of the buildings of each station, from the rooms that report.

All buildings of a station are taken as one of two nodes (:mod:`twin.heat.building`), heated by what its
secondary circuit gives off. What people and sun bring, and what the heat meter reads wrong, are parameters
too: they can hardly be told from a smaller loss, and the uncertainty says so. The heat capacity shows in how
slowly rooms follow the weather; where a controller holds them steady it stays what it was believed to be.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.calibration.fit import Readings, fit_groups
from twin.calibration.records import Records
from twin.compare import PointBook
from twin.heat.building import SUN_TO_AIR, WATER_J_KG_K, WIND_REFERENCE_M_S, describe_buildings
from twin.heat.water import density_kg_m3
from twin.model.county import County

Floats = NDArray[np.float64]

LOSS_SIGMA, CAPACITY_SIGMA = 0.2, 0.4
HEAT_SHARE, PEOPLE_SHARE, SUN_SHARE = 0.04, 0.3, 0.5
NOISE_K, OFFSET_K = 0.4, 0.4
"""A mean of the rooms that report: how it scatters, and how far from the mean of all rooms it may lie."""
MEMORY_S = 4 * 3600.0
LEAD_S = 12 * 3600.0
LAW_LOSS, LAW_CAPACITY = 0.04, 0.15
"""How sure factors can be at best: two nodes stand for many rooms."""
LEAST_KNOWN = 0.8
"""A station whose heat is known for a smaller share of the time is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Rooms:
    """Per station (n_station,): survey sums of its buildings, W/K, J/K, m², W; 0 where it has none.
    History (n, n_station): ``heat_w``, ``room_c`` mean of its rooms (NaN: none reports, or too early to
    count); (n,): ``t_out_c``, ``wind_m_s``, ``sun_w_m2``, ``t`` s. ``first_room_c`` (n_station,)."""

    h_air: Floats
    h_structure: Floats
    h_inner: Floats
    c_air: Floats
    c_structure: Floats
    sun_m2: Floats
    people_w: Floats
    wind_s_m: Floats
    t: Floats
    heat_w: Floats
    room_c: Floats
    t_out_c: Floats
    wind_m_s: Floats
    sun_w_m2: Floats
    first_room_c: Floats


def prepare_rooms(county: County, book: PointBook, records: Records) -> Rooms:
    """Sums of the survey, and the history of every station."""
    n = len(county.network.substations)
    stock = describe_buildings(county.buildings, county.network)

    def add_up(x: Floats) -> Floats:
        return np.bincount(stock.station, x, n).astype(np.float64, copy=False)

    room_c = _mean_rooms(county, records)
    heat_w = np.stack([_fill(h, LEAST_KNOWN) for h in _heat(book, records).T], axis=1)
    first = np.array([_first(column) for column in room_c.T])
    room_c[records.t < records.t[0] + LEAD_S] = np.nan
    room_c[:, ~np.isfinite(heat_w).all(axis=0) | ~np.isfinite(first)] = np.nan
    outdoor = [records.column(int(no)) for no in book.outdoor]
    return Rooms(
        add_up(stock.h_air_w_k), add_up(stock.h_structure_w_k), add_up(stock.h_inner_w_k),
        add_up(stock.c_air_j_k), add_up(stock.c_structure_j_k), add_up(stock.sun_m2), add_up(stock.people_w),
        add_up(stock.h_air_w_k * stock.wind_s_m) / np.maximum(add_up(stock.h_air_w_k), 1e-9),
        records.t, np.nan_to_num(heat_w), room_c,
        _fill(np.nanmean(np.stack(outdoor), axis=0) if outdoor else np.full(len(records.t), np.nan), 0.5),
        _weather(county, records, "wind", WIND_REFERENCE_M_S), _weather(county, records, "solar", 0.0),
        np.nan_to_num(first, nan=20.0),
    )  # fmt: skip


def _heat(book: PointBook, records: Records) -> Floats:
    """Heat that the secondary circuits give off (n, n_station), W."""
    v = {
        k: np.stack([records.column(int(no)) for no in book.station[k]], axis=1)
        for k in ("s2_ts", "s2_tr", "s2_flow")
    }
    flow = v["s2_flow"] * density_kg_m3(v["s2_tr"])
    out: Floats = flow * WATER_J_KG_K * (v["s2_ts"] - v["s2_tr"])
    return out


def _mean_rooms(county: County, records: Records) -> Floats:
    """Mean of the rooms of every station that report (n, n_station), NaN where none does."""
    row = {s.id: i for i, s in enumerate(county.network.substations)}
    station_of = {b.id: row.get(b.substation_id, -1) for b in county.buildings if b.heated}
    points = [
        (station_of.get(p.place_id.partition(":")[0], -1), p.no)  # a home is ``building:number``
        for p in county.points
        if p.key == "room_t"
    ]
    out = np.full((len(records.t), len(row)), np.nan)
    for s in sorted({s for s, _ in points if s >= 0}):
        x = records.value[:, [no for at, no in points if at == s]]
        known = np.isfinite(x)
        count = known.sum(axis=1)
        enough = count >= 0.5 * max(int(known.any(axis=0).sum()), 1)
        mean = np.where(known, x, 0.0).sum(axis=1) / np.maximum(count, 1)
        out[:, s] = np.where(enough & (count > 0), mean, np.nan)
    return out


def _weather(county: County, records: Records, key: str, usual: float) -> Floats:
    columns = [records.column(p.no) for p in county.points if p.key == key]
    known = [_fill(x, 0.5) for x in columns if np.isfinite(x).mean() > 0.5]
    return np.mean(known, axis=0) if known else np.full(len(records.t), usual)


def _fill(x: Floats, least_known: float) -> Floats:
    """Straight lines over gaps; all NaN where too little is known."""
    known = np.isfinite(x)
    if known.mean() < least_known:
        return np.full(x.size, np.nan)
    at = np.arange(x.size)
    return np.interp(at, at[known], x[known])


def _first(x: Floats) -> float:
    known = x[np.isfinite(x)]
    return float(known[:6].mean()) if known.size else float("nan")


def simulate_rooms(
    r: Rooms, loss: Floats, capacity: Floats, heat: Floats, people: Floats, sun: Floats
) -> Floats:
    """Room temperatures (n, n_station) with factors (n_station,) on survey values and on the heat."""
    h_air, h_structure, h_inner = loss * r.h_air, loss * r.h_structure, loss * r.h_inner
    c_air, c_structure = np.maximum(capacity * r.c_air, 1.0), np.maximum(capacity * r.c_structure, 1.0)
    out, t_out = np.empty(r.heat_w.shape), r.t_out_c
    t_a = r.first_room_c.copy()
    t_m = (h_inner * t_a + h_structure * t_out[0]) / np.maximum(h_inner + h_structure, 1e-9)
    out[0] = t_a
    for i in range(1, len(r.t)):
        dt = float(r.t[i] - r.t[i - 1])
        windy = h_air * (1.0 + r.wind_s_m * (r.wind_m_s[i] - WIND_REFERENCE_M_S))
        sunny = sun * r.sun_m2 * r.sun_w_m2[i]
        # both nodes implicit: [a -h_inner; -h_inner b] [t_a; t_m] = [p; q]
        a, b = c_air / dt + h_inner + windy, c_structure / dt + h_inner + h_structure
        p = (
            c_air / dt * t_a
            + windy * t_out[i]
            + heat * r.heat_w[i]
            + people * r.people_w
            + SUN_TO_AIR * sunny
        )
        q = c_structure / dt * t_m + h_structure * t_out[i] + (1.0 - SUN_TO_AIR) * sunny
        t_a = (b * p + h_inner * q) / (a * b - h_inner**2)
        t_m = (q + h_inner * t_a) / b
        out[i] = t_a
    return out


def fit_rooms(r: Rooms) -> tuple[Floats, Floats]:
    """Logarithms of the factors on loss coefficient and capacity (n_station, 2), and their standard
    deviations."""
    n = r.heat_w.shape[1]
    if not (np.isfinite(r.room_c).any() and np.isfinite(r.t_out_c).all()):
        prior = np.array([LOSS_SIGMA, CAPACITY_SIGMA])
        return np.zeros((n, 2)), np.tile(prior, (n, 1))
    prior = np.array([LOSS_SIGMA, CAPACITY_SIGMA, HEAT_SHARE, PEOPLE_SHARE, SUN_SHARE])

    def simulate(x: Floats) -> Floats:
        return simulate_rooms(
            r, np.exp(x[:, 0]), np.exp(x[:, 1]), 1.0 + x[:, 2], 1.0 + x[:, 3], 1.0 + x[:, 4]
        )

    step_s = float(np.median(np.diff(r.t)))
    readings = Readings(r.room_c, np.full(n, NOISE_K), np.full(n, OFFSET_K), max(MEMORY_S / step_s, 1.0))
    fit = fit_groups(simulate, readings, np.arange(n), prior, 0.2 * prior)
    return fit.x[:, :2], np.hypot(fit.sigma[:, :2], [LAW_LOSS, LAW_CAPACITY])
