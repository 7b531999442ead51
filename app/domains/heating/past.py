"""From the store to the start of a simulation ahead: the hours before a moment, and the moment itself."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.ahead import STEP_S
from app.domains.heating.present import Present
from ingest.store.api import RollUpSeries
from twin.heat import HeatSystem, read_curve
from twin.heat.water import density_kg_m3
from twin.model.county import County
from twin.model.errors import InputError
from twin.rehearsal import Past, Seen
from twin.rehearsal.start import LIFT_K, MOST_PUMP

Floats = NDArray[np.float64]
RolledUp = Callable[[int, float, float], RollUpSeries]

PAST_H = 12.0


def read_past(
    county: County, system: HeatSystem, value: Floats, rolled_up: RolledUp, now: float,
    present: Present | None = None,
) -> Past:  # fmt: skip
    """The last hours as the store knows them; what is not measured takes its design value.

    Parameters
    ----------
    present : what the live twin knows of the moment; None: nothing

    Raises
    ------
    InputError : no outdoor temperature or no source temperature is known
    """
    n = round(PAST_H * 3600.0 / STEP_S)
    grid = now - STEP_S * np.arange(n)[::-1]

    def series(point_id: str, fallback: float) -> Floats:
        p = county.point_by_id.get(point_id)
        last = float(value[p.no]) if p is not None else math.nan
        base = last if math.isfinite(last) else fallback
        if p is None:
            return np.full(n, base)
        s = rolled_up(p.no, grid[0] - 600.0, now)
        known = np.isfinite(s.mean)
        return np.interp(grid, s.t[known], s.mean[known]) if known.sum() > 3 else np.full(n, base)

    def latest(point_id: str, fallback: float) -> float:
        p = county.point_by_id.get(point_id)
        x = float(value[p.no]) if p is not None else math.nan
        return x if math.isfinite(x) else fallback

    weather = {p.key: p.id for p in county.points if p.key in ("t_out", "wind", "solar")}
    t_out = series(weather.get("t_out", ""), math.nan)
    sources = county.network.sources
    t_source = np.stack([series(f"{s.id}/src_ts", math.nan) for s in sources], axis=1)
    if not np.isfinite(t_out).all():
        raise InputError("no outdoor temperature is known: the weather station must report first")
    known = np.isfinite(t_source).all(axis=0)
    if not known.any():
        raise InputError("no source temperature is known: a heat source must report first")
    t_source[:, ~known] = t_source[:, known].mean(axis=1, keepdims=True)
    t_source = t_source + (0.0 if present is None else present.source_k)
    flow = [
        math.nan if s.holds_pressure
        else latest(f"{s.id}/src_flow", 0.0) * float(density_kg_m3(latest(f"{s.id}/src_tr", 50.0)))
        for s in sources
    ]  # fmt: skip
    return Past(
        STEP_S, t_out, series(weather.get("wind", ""), 2.0), series(weather.get("solar", ""), 0.0),
        t_source,
        np.array([latest(f"{s.id}/src_ps", s.p_supply_pa) for s in sources]),
        np.array([latest(f"{s.id}/src_pr", s.p_return_pa) for s in sources]),
        np.array(flow),
        _rooms(county, system, value),
        _lifts(county, value, float(t_out[-1])), _pumps(county, value), _see(county, value, present),
    )  # fmt: skip


def _stations(county: County, value: Floats, key: str) -> Floats:
    """What every station reads of a key (n_station,), NaN where nothing."""
    points = [county.point_by_id.get(f"{s.id}/{key}") for s in county.network.substations]
    return np.array([math.nan if p is None else float(value[p.no]) for p in points])


def _lifts(county: County, value: Floats, t_out_c: float) -> Floats:
    """What set-points stand above the curves of the survey (n_station,), K; 0 where it is not told."""
    curves = np.array([read_curve(s.curve, np.array([t_out_c]))[0] for s in county.network.substations])
    lift = _stations(county, value, "s2_ts_sp") - curves
    return np.where(np.abs(lift) <= LIFT_K, lift, 0.0)


def _pumps(county: County, value: Floats) -> Floats:
    """Secondary flow over full flow (n_station,); 1 where it is not measured."""
    cold, flow = (_stations(county, value, k) for k in ("s2_tr", "s2_flow"))
    full = np.array([s.secondary_flow_kg_s for s in county.network.substations])
    share = flow * density_kg_m3(np.nan_to_num(cold, nan=40.0)) / full
    return np.where(np.isfinite(share), np.clip(share, 0.0, MOST_PUMP), 1.0)


def _see(county: County, value: Floats, present: Present | None) -> Seen | None:
    """The moment itself: the live twin's water, and what the stations read."""
    if present is None or present.water is None:
        return None
    w = present.water
    back = np.nan_to_num(_stations(county, value, "p1_tr"), nan=50.0)
    flow = _stations(county, value, "p1_flow") * density_kg_m3(back)
    return Seen(
        w.t_supply_c, w.t_return_c, w.t_pipe_c, w.mass_flow_kg_s,
        _stations(county, value, "s2_ts"), _stations(county, value, "s2_tr"), flow,
    )  # fmt: skip


def _rooms(county: County, system: HeatSystem, value: Floats) -> Floats:
    """Mean of the room sensors per building of the system, NaN without one."""
    row = {b: k for k, b in enumerate(system.buildings.ids)}
    total, count = np.zeros(len(row)), np.zeros(len(row))
    for p in county.points:
        k = row.get(p.place_id.split(":", maxsplit=1)[0])
        if p.key == "room_t" and k is not None and math.isfinite(value[p.no]):
            total[k] += value[p.no]
            count[k] += 1
    with np.errstate(invalid="ignore"):
        mean: Floats = total / count
    return mean
