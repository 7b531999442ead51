"""Heat load of the hours ahead: a regression on weather and hour, shy towards the design, with an honest
band.

    q = q_d (18 - T~) / (18 - T_d) at first, then what the past says more:

features are the present and the slow outdoor temperature (exponential means over 6, 24 and 72 h), wind times
temperature difference, sun, and two harmonics of the day. Bayesian linear regression with the design as prior
mean, so that one day of history is enough to begin and weeks make it good. What differed last fades. The band
is that of the regression, of the weather's error and of how well the same forecast would have done at earlier
moments of the same past (split conformal); persistence (the same hour of the day before) is judged beside it.

Sources: Bacher et al., Short-term heat load forecasting for single family houses, Energy and Buildings 65
(2013); Vovk et al., Algorithmic Learning in a Random World (2005) for the band.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.dispatch.outlook import Outlook
from twin.forecast.weather import HOUR_S, WeatherPast, expect_weather
from twin.model.errors import InputError

Floats = NDArray[np.float64]

ROOM_C = 18.0
SLOW_H = (6.0, 24.0, 72.0)
FEWEST_HOURS = 6
NOISE = 0.03
"""Scatter of the hourly load about any model, over design."""
PRIOR_SIGMA = 0.5
"""How far each coefficient may lie from the design's, in units of design load per usual range."""
RESIDUAL_FADE_H = 10.0
COVERAGE = 0.9
NORMAL_90 = 1.645
EVERY_H = 5
"""Moments of the past at which the forecast is tried again."""
LEAD_DAYS = 3
"""Days ahead that are judged apart: what errs little tomorrow may err much the day after."""
FEWEST_TRIALS = 48
"""Hours tried again without which a day ahead is not judged by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadPast:
    """Hourly mean heat up to now beside the weather: ``weather``; ``load_w`` (H,) NaN where missing;
    ``design_w`` at ``design_c`` outdoors."""

    weather: WeatherPast
    load_w: Floats
    design_w: float
    design_c: float


@dataclass(frozen=True, slots=True)
class LeadError:
    """What the same forecast got wrong in a day ahead: hours up to ``until_h`` and after the day before.
    ``error_w``, ``persistence_error_w`` mean absolute errors, ``covered`` share inside the band as it was
    before it was widened, ``trials`` hours tried; NaN and 0 while the past is too short."""

    until_h: int
    error_w: float
    persistence_error_w: float
    covered: float
    trials: int


@dataclass(frozen=True, slots=True, eq=False)
class LoadForecast:
    """``t`` (K,) end of each step; ``load_w`` with ``low_w``, ``high_w`` (90 % of the cases);
    ``persistence_w``: the same hour a day before.

    Tried at earlier moments of the same past: ``error_w``, ``persistence_error_w`` mean absolute errors
    over a day, ``covered`` share inside the band as it was before it was widened, ``trials``. NaN and 0
    while the past
    is too short. ``hours`` of history behind it; ``leads`` the same by day ahead, up to three.
    """

    t: Floats
    load_w: Floats
    low_w: Floats
    high_w: Floats
    persistence_w: Floats
    error_w: float
    persistence_error_w: float
    covered: float
    trials: int
    hours: int
    leads: tuple[LeadError, ...] = ()


def forecast_load(past: LoadPast, outlook: Outlook) -> LoadForecast:
    """Forecast the load for the steps of an outlook.

    Raises
    ------
    InputError : fewer than ``FEWEST_HOURS`` hours are known
    """
    known = int((np.isfinite(past.load_w) & np.isfinite(past.weather.t_out_c)).sum())
    if known < FEWEST_HOURS:
        raise InputError(
            f"forecast: {known} hours of heat and outdoor temperature are known, {FEWEST_HOURS} are needed"
        )
    mean, sigma = _predict(past, outlook)
    ahead_s = outlook.t - outlook.dt_s / 2.0 - past.weather.t[-1]
    day = np.clip(ahead_s // 86_400.0, 0, LEAD_DAYS - 1).astype(np.int64)
    trials = _try_again(past, int(day.max()) + 1)
    wide = _widen(trials)[day]
    leads = tuple(_judge(trials, k) for k in range(int(day.max()) + 1))
    first = leads[0]
    return LoadForecast(
        outlook.t, mean, np.maximum(mean - wide * sigma, 0.0), mean + wide * sigma,
        _day_before(past, outlook), first.error_w, first.persistence_error_w, first.covered, first.trials,
        known, leads,
    )  # fmt: skip


def _features(
    t: Floats, out_c: Floats, wind: Floats, sun: Floats, start: Floats, since: float
) -> tuple[Floats, Floats]:
    """Rows of features, and the slow temperatures at the end, going on from ``start`` (3,).

    What nobody knows of the days before ``since`` fades like the slow temperatures do: three more columns.

    Each is scaled to about 1 over its usual range.
    """
    drop = (ROOM_C - out_c) / 30.0
    slow, now = np.empty((len(t), len(SLOW_H))), start.copy()
    dt = np.diff(t, prepend=t[0] - HOUR_S) / HOUR_S
    for k in range(len(t)):
        now = now + (1.0 - np.exp(-dt[k] / np.array(SLOW_H))) * (drop[k] - now)
        slow[k] = now
    day = 2.0 * np.pi * ((t - HOUR_S / 2) / 86_400.0)
    rows = np.column_stack(
        [np.ones(len(t)), drop, slow, drop * (wind - 2.0) / 5.0, sun / 600.0,
         np.cos(day), np.sin(day), np.cos(2 * day), np.sin(2 * day),
         np.exp(-(t - since)[:, None] / HOUR_S / np.array(SLOW_H))]
    )  # fmt: skip
    return rows, now


def _clean(past: LoadPast) -> tuple[Floats, Floats, Floats, Floats]:
    """Weather without gaps: the last known value stands in."""
    w = past.weather

    def hold(x: Floats, default: float) -> Floats:
        known = np.isfinite(x)
        if not known.any():
            return np.full(x.size, default)
        return np.interp(w.t, w.t[known], x[known])

    return w.t, hold(w.t_out_c, 0.0), hold(w.wind_m_s, 2.0), hold(w.sun_w_m2, 0.0)


def _predict(past: LoadPast, outlook: Outlook) -> tuple[Floats, Floats]:
    """Mean and sigma of the load, W, (K,) each."""
    t, out, wind, sun = _clean(past)
    start = np.full(len(SLOW_H), (ROOM_C - out[:24].mean()) / 30.0)
    rows, slow = _features(t, out, wind, sun, start, float(t[0]))
    y = past.load_w / past.design_w
    known = np.isfinite(y)
    steep = 30.0 / (ROOM_C - past.design_c)  # design load per unit of drop
    prior = np.zeros(rows.shape[1])
    prior[1], prior[2], prior[3], prior[4] = 0.25 * steep, 0.25 * steep, 0.25 * steep, 0.25 * steep
    a, b = rows[known], y[known] - rows[known] @ prior
    precision = a.T @ a / NOISE**2 + np.eye(prior.size) / PRIOR_SIGMA**2
    cov = np.linalg.inv(precision)
    weights = prior + cov @ (a.T @ b) / NOISE**2
    left = y[known] - a @ weights
    scatter = max(float(np.sqrt(np.mean(left**2))), 0.2 * NOISE)
    o = outlook
    ahead, _ = _features(o.t, o.t_out_c, o.wind_m_s, o.sun_w_m2, slow, float(t[0]))
    lead_h = (outlook.t - outlook.dt_s / 2.0 - past.weather.t[-1]) / HOUR_S
    mean = ahead @ weights + float(left[-3:].mean()) * np.exp(-lead_h / RESIDUAL_FADE_H)
    per_k = float(weights[1:5].sum()) / 30.0
    weather = per_k * outlook.sigma_k * np.sqrt(1.0 - np.exp(-np.maximum(lead_h, 0.5) / 12.0))
    sigma = np.sqrt(scatter**2 + np.einsum("ki,ij,kj->k", ahead, cov, ahead) + weather**2)
    return np.maximum(mean, 0.0) * past.design_w, sigma * past.design_w


def _day_before(past: LoadPast, outlook: Outlook) -> Floats:
    """The load of the same hour of the last day that is known, W (K,)."""
    known = np.isfinite(past.load_w)
    t, y = past.weather.t[known], past.load_w[known]
    now = float(past.weather.t[-1])
    middle = outlook.t - outlook.dt_s / 2.0
    days = np.ceil((middle - now + 1e-6) / 86_400.0)
    before: Floats = np.interp(middle - 86_400.0 * days, t - HOUR_S / 2, y)
    return before


def _cut(past: LoadPast, end: int) -> LoadPast:
    w = past.weather
    short = WeatherPast(w.t[:end], w.t_out_c[:end], w.wind_m_s[:end], w.sun_w_m2[:end])
    return LoadPast(short, past.load_w[:end], past.design_w, past.design_c)


@dataclass(frozen=True, slots=True, eq=False)
class _Trials:
    """Hours forecast again at earlier moments, (n,): day ``ahead`` from 0, absolute ``error`` and that of
    persistence (``rival``), error over sigma (``ratio``)."""

    ahead: NDArray[np.int64]
    error: Floats
    rival: Floats
    ratio: Floats


def _try_again(past: LoadPast, days: int) -> _Trials:
    """The forecast of so many days at earlier moments of the same past, as far as the truth is known."""
    rows: list[Floats] = []
    n, day = past.load_w.size, 24
    for end in range(n - day, 2 * day - 1, -EVERY_H):
        if end < n - (7 + days) * day:
            break
        early = _cut(past, end)
        if np.isfinite(early.load_w).sum() < FEWEST_HOURS or not np.isfinite(early.weather.t_out_c).any():
            continue
        truth = past.load_w[end : end + days * day]
        outlook = expect_weather(early.weather, np.full(truth.size, HOUR_S))
        mean, sigma = _predict(early, outlook)
        known = np.isfinite(truth)
        error = np.abs(mean - truth)
        columns = (
            np.arange(truth.size) // day,
            error,
            np.abs(_day_before(early, outlook) - truth),
            error / sigma,
        )
        rows.append(np.stack(columns)[:, known])
    ahead, errors, rivals, ratios = np.concatenate(rows, axis=1) if rows else np.empty((4, 0))
    return _Trials(ahead.astype(np.int64), errors, rivals, ratios)


def _judge(trials: _Trials, day: int) -> LeadError:
    """What was got wrong in a day ahead."""
    mine = trials.ahead == day
    if not mine.any():
        return LeadError(24 * (day + 1), np.nan, np.nan, np.nan, 0)
    return LeadError(
        24 * (day + 1), float(trials.error[mine].mean()), float(trials.rival[mine].mean()),
        float((trials.ratio[mine] <= NORMAL_90).mean()), int(mine.sum()),
    )  # fmt: skip


def _widen(trials: _Trials) -> Floats:
    """Sigmas that hold 90 % of what was seen, by day ahead (LEAD_DAYS,): never less than the normal law's by
    more than a third, and never less than the day before's."""
    out = np.empty(LEAD_DAYS)
    before = 0.0
    for day in range(LEAD_DAYS):
        ratios = trials.ratio[trials.ahead == day]
        if ratios.size < FEWEST_TRIALS:
            found = max(NORMAL_90 * 1.2, before)
        else:
            found = max(float(np.quantile(ratios, COVERAGE)), NORMAL_90 / 1.5)
        out[day] = before = max(found, before)
    return out
