"""The weather that a rehearsal walks into: the forecast of the moment, or what really came after it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ingest.store.hour_api import HourTable
from twin.forecast import WeatherPast, expect_weather
from twin.heat import HeatSystem
from twin.model.county import County
from twin.model.errors import InputError
from twin.rehearsal import Outlook, Past
from twin.rehearsal.start import drive_sources, hold_boundary

Floats = NDArray[np.float64]
Hourly = Callable[[NDArray[np.int64], float, float], HourTable]

STEP_S = 60.0
HOUR_S = 3600.0
PAST_S = 10 * 86_400.0
NEAR_S = 3 * HOUR_S
"""In which the difference between what is measured now and the usual course of the hour fades."""
KEYS = ("t_out", "wind", "solar")


def read_weather(county: County, hourly: Hourly, start: float, end: float) -> WeatherPast | None:
    """Hourly weather between two times; None where no hour of outdoor temperature is stored."""
    numbers = [next((p.no for p in county.points if p.key == k), -1) for k in KEYS]
    if numbers[0] < 0:
        return None
    table = hourly(np.array([n for n in numbers if n >= 0], dtype=np.int64), start, end)
    if table.t.size == 0:
        return None
    none, columns, at = np.full(table.t.size, np.nan), [], 0
    for n in numbers:
        columns.append(table.mean[:, at] if n >= 0 else none)
        at += n >= 0
    return WeatherPast(table.t, *columns) if np.isfinite(columns[0]).any() else None


def look_ahead(
    system: HeatSystem, past: Past, weather: WeatherPast | None, hours: float, now: float = 0.0,
    came: WeatherPast | None = None,
) -> Outlook:  # fmt: skip
    """The outlook of ``hours`` from ``now`` on; sources as ``drive_sources`` has them.

    Parameters
    ----------
    weather : hours up to ``now``; None: the weather stays as it is
    came : hours after ``now`` as they were measured, where the moment is past; they replace the forecast
    """
    n = round(hours * HOUR_S / STEP_S)
    ahead: Floats = STEP_S * np.arange(1.0, n + 1.0)
    t_out = np.full(n, float(past.t_outdoor_c[-1]))
    wind, sun = np.full(n, float(past.wind_m_s[-60:].mean())), np.zeros(n)
    if weather is not None:
        try:
            lead = max(now - float(weather.t[-1]), 0.0)
            expected = expect_weather(weather, np.full(int((hours * HOUR_S + lead) // HOUR_S) + 2, HOUR_S))
        except InputError:
            expected = None
        if expected is not None:
            middle = expected.t - HOUR_S / 2.0
            course = np.interp(np.append(now, now + ahead), middle, expected.t_out_c)
            t_out = course[1:] + (past.t_outdoor_c[-1] - course[0]) * np.exp(-ahead / NEAR_S)
            sun = np.interp(now + ahead, middle, expected.sun_w_m2)
            wind = np.interp(now + ahead, middle, expected.wind_m_s)
    if came is not None:
        pairs = ((t_out, came.t_out_c), (wind, came.wind_m_s), (sun, came.sun_w_m2))
        t_out, wind, sun = (_replace(x, now + ahead, came.t, y) for x, y in pairs)
    return Outlook(
        STEP_S, t_out, np.maximum(wind, 0.0), np.maximum(sun, 0.0), drive_sources(system, past, t_out),
        hold_boundary(system, past), past.lift_k, past.pump_share,
    )  # fmt: skip


def _replace(x: Floats, at: Floats, ends: Floats, mean: Floats) -> Floats:
    """``mean`` of hours where they reach, else ``x``."""
    known = np.isfinite(mean)
    if known.sum() < 2:
        return x
    t = ends[known] - HOUR_S / 2.0
    return np.where(at <= t[-1], np.interp(at, t, mean[known]), x)
