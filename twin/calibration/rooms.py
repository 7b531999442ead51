"""What the buildings of each station lose, hold and gain, from the rooms that report.

All buildings of a station are taken as one of two nodes (:mod:`twin.heat.building`), heated by what its
secondary circuit gives off. Five factors are learnt together: loss, capacity, what people and sun bring, what
wind takes, and the part of the capacity that follows the air. A loss learnt alone is wrong by whatever is
wrong in the others, and predicts other days worse than the survey does. What the heat meter reads wrong and
how warm the walls were at the start are parameters beside them. Loss and gains can hardly be told apart, and
the uncertainty says so; what does not vary stays what it was believed to be.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.calibration.fit import Readings, fit_groups
from twin.calibration.records import Records
from twin.calibration.result import Kind
from twin.compare import PointBook
from twin.heat.building import (
    MOST_AIR_SHARE,
    SUN_TO_AIR,
    WATER_J_KG_K,
    WIND_REFERENCE_M_S,
    describe_buildings,
)
from twin.heat.water import density_kg_m3
from twin.model.county import County

Floats = NDArray[np.float64]

PRIOR: dict[Kind, float] = {
    "building_loss": 0.2, "building_capacity": 0.4, "building_gain": 0.15, "building_wind": 0.7,
    "building_air": 0.8,
}  # fmt: skip
"""Believed of the logarithms of the factors. Gains are believed to 15 % because a few days tell them no
better: given more room they take up what the weather of those days did, and the loss with them."""
HEAT_SHARE, WALLS_K, START_S = 0.03, 0.6, 12 * 3600.0
"""Meters of heat; walls at the start beside what the first hours' weather makes of them."""
NOISE_K, OFFSET_K = 0.3, 0.4
"""A mean of the rooms that report: how it scatters, and how far from the mean of all rooms it may lie."""
MEMORY_S, ROUNDS = 4 * 3600.0, 5
LEAD_S = 12 * 3600.0
LAW = np.array([0.04, 0.15, 0.05, 0.2, 0.3])
"""How sure the factors can be at best: two nodes stand for many rooms."""
LEAST_WIND = 0.2
"""Calm leaves at least this share of the loss to the air."""
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
    r: Rooms, factors: Floats | None = None, heat: Floats | float = 1.0, walls_k: Floats | float = 0.0
) -> Floats:
    """Room temperatures (n, n_station).

    Parameters
    ----------
    factors : (n_station, 5) on loss, capacity, gains, wind and the air's part; None: as they are
    heat : factor on the metered heat; ``walls_k`` what the walls were warmer at the start than expected
    """
    n = r.heat_w.shape[1]
    loss, capacity, gain, wind, air = np.ones((5, n)) if factors is None else factors.T
    h_air, h_structure, h_inner = loss * r.h_air, loss * r.h_structure, loss * r.h_inner
    whole = np.maximum(capacity * (r.c_air + r.c_structure), 1.0)
    share = np.clip(air * r.c_air / np.maximum(r.c_air + r.c_structure, 1.0), 0.01, MOST_AIR_SHARE)
    c_air, c_structure = np.maximum(share * whole, 1.0), np.maximum((1.0 - share) * whole, 1.0)
    out, t_out, wind_s_m = np.empty(r.heat_w.shape), r.t_out_c, wind * r.wind_s_m
    t_a = r.first_room_c.copy()
    first = float(t_out[r.t < r.t[0] + START_S].mean())
    t_m = (h_inner * t_a + h_structure * first) / np.maximum(h_inner + h_structure, 1e-9) + walls_k
    out[0] = t_a
    for i in range(1, len(r.t)):
        dt = float(r.t[i] - r.t[i - 1])
        windy = h_air * np.maximum(1.0 + wind_s_m * (r.wind_m_s[i] - WIND_REFERENCE_M_S), LEAST_WIND)
        sunny = gain * r.sun_m2 * r.sun_w_m2[i]
        # both nodes implicit: [a -h_inner; -h_inner b] [t_a; t_m] = [p; q]
        a, b = c_air / dt + h_inner + windy, c_structure / dt + h_inner + h_structure
        p = c_air / dt * t_a + windy * t_out[i] + heat * r.heat_w[i] + gain * r.people_w + SUN_TO_AIR * sunny
        q = c_structure / dt * t_m + h_structure * t_out[i] + (1.0 - SUN_TO_AIR) * sunny
        t_a = (b * p + h_inner * q) / (a * b - h_inner**2)
        t_m = (q + h_inner * t_a) / b
        out[i] = t_a
    return out


def fit_rooms(r: Rooms) -> tuple[Floats, Floats]:
    """Logarithms of the factors of ``PRIOR`` (n_station, 5), and their standard deviations."""
    n, believed = r.heat_w.shape[1], np.array(list(PRIOR.values()))
    k = believed.size
    if not (np.isfinite(r.room_c).any() and np.isfinite(r.t_out_c).all()):
        return np.zeros((n, k)), np.tile(believed, (n, 1))
    prior = np.concatenate([believed, [HEAT_SHARE, WALLS_K]])

    def simulate(x: Floats) -> Floats:
        return simulate_rooms(r, np.exp(x[:, :k]), 1.0 + x[:, k], x[:, k + 1])

    step_s = float(np.median(np.diff(r.t)))
    readings = Readings(r.room_c, np.full(n, NOISE_K), np.full(n, OFFSET_K), max(MEMORY_S / step_s, 1.0))
    fit = fit_groups(simulate, readings, np.arange(n), prior, 0.2 * prior, ROUNDS)
    return fit.x[:, :k], np.hypot(fit.sigma[:, :k], LAW)
