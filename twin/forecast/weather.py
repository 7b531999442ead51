"""The weather ahead from the weather so far: the usual day, and how today differs from it, which fades.

Where no service delivers a forecast this is what an honest operator would expect; its error is measured on
the same past and grows with the lead. A service's forecast, where there is one, replaces it
(``join_service``).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.dispatch.outlook import Outlook
from twin.model.errors import InputError

Floats = NDArray[np.float64]

HOUR_S = 3600.0
DAYS = 10
"""Days that make the usual day."""
FADE_H = 18.0
"""In which the difference from the usual day falls to 1/e, where the past is too short to tell."""
SIGMA_C = 3.0
"""Day-to-day spread of the outdoor temperature, where the past is too short to tell."""
FIRST_SIGMA_C = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class WeatherPast:
    """Hourly means up to now: ``t`` (H,) the end of each hour (s since 1970 UTC), ``t_out_c``, ``wind_m_s``,
    ``sun_w_m2`` (H,); NaN where missing."""

    t: Floats
    t_out_c: Floats
    wind_m_s: Floats
    sun_w_m2: Floats


def expect_weather(past: WeatherPast, dt_s: Floats) -> Outlook:
    """Expect the weather of the steps ahead.

    Parameters
    ----------
    dt_s : (K,) length of each step, the first begins at the newest hour of the past

    Raises
    ------
    InputError : not one outdoor temperature is known
    """
    known = np.isfinite(past.t_out_c)
    if not known.any():
        raise InputError("forecast: no outdoor temperature is known: the weather station must report first")
    now = float(past.t[-1])
    end = now + np.cumsum(dt_s)
    middle = end - dt_s / 2.0
    usual = _usual_day(past.t, past.t_out_c)
    apart = past.t_out_c - usual[_hour(past.t - HOUR_S / 2)]
    last = float(apart[known][-1])
    fade_h, spread = _learn_fade(apart)
    lead_h = (middle - now) / HOUR_S
    kept = np.exp(-lead_h / fade_h)
    sigma = np.sqrt(FIRST_SIGMA_C**2 + spread**2 * (1.0 - kept**2))
    wind = past.wind_m_s[np.isfinite(past.wind_m_s)][-24:]
    sun = np.where(np.isfinite(past.sun_w_m2), past.sun_w_m2, 0.0)
    usual_sun = _usual_day(past.t, sun)
    return Outlook(
        end, np.asarray(dt_s, float), usual[_hour(middle)] + last * kept, sigma,
        np.full(len(end), float(wind.mean()) if wind.size else 2.0), np.maximum(usual_sun[_hour(middle)],
        0.0),
        np.ones(len(end)),
    )  # fmt: skip


def join_service(outlook: Outlook, t: Floats, t_out_c: Floats, sigma_k: float = 1.0) -> Outlook:
    """Put a weather service's hours over the outlook where they reach.

    Parameters
    ----------
    t, t_out_c : (M,) rising times (s since 1970 UTC) and outdoor temperatures of the service
    sigma_k : error of the service a day ahead; it grows with the square root of the lead

    Raises
    ------
    InputError : lengths differ, times do not rise, or a temperature is outside -60 to 55 °C
    """
    t, x = np.asarray(t, float), np.asarray(t_out_c, float)
    if (
        t.shape != x.shape
        or t.ndim != 1
        or t.size == 0
        or not np.isfinite(x).all()
        or np.any(np.diff(t) <= 0.0)
    ):
        raise InputError("forecast of the weather service: rising times with one temperature each are needed")
    if np.any((x < -60.0) | (x > 55.0)):
        raise InputError(
            "forecast of the weather service: a temperature is outside -60 to 55 °C: check its unit"
        )
    middle = outlook.t - outlook.dt_s / 2.0
    reach = (middle >= t[0] - HOUR_S) & (middle <= t[-1] + HOUR_S)
    lead_h = (middle - (outlook.t[0] - outlook.dt_s[0])) / HOUR_S
    sigma = sigma_k * np.sqrt(np.maximum(lead_h, 1.0) / 24.0)
    return replace(
        outlook,
        t_out_c=np.where(reach, np.interp(middle, t, x), outlook.t_out_c),
        sigma_k=np.where(reach, np.minimum(sigma, outlook.sigma_k), outlook.sigma_k),
    )


def _hour(t: Floats) -> NDArray[np.int64]:
    """Hour of the day (UTC; the usual day only needs some 24 hours) 0..23."""
    return np.floor(np.asarray(t) / HOUR_S).astype(np.int64) % 24


def _usual_day(t: Floats, x: Floats) -> Floats:
    """Mean by hour of the day over the last days, (24,); hours nobody saw are the mean of all."""
    recent = (t > t[-1] - DAYS * 86_400.0) & np.isfinite(x)
    hour = _hour(t[recent] - HOUR_S / 2)
    total, count = np.bincount(hour, x[recent], 24), np.bincount(hour, minlength=24)
    mean = float(x[recent].mean()) if recent.any() else 0.0
    return np.where(count > 0, total / np.maximum(count, 1), mean)


def _learn_fade(apart: Floats) -> tuple[float, float]:
    """Hours in which a difference from the usual day fades, and the spread of such differences (K)."""
    x = apart[np.isfinite(apart)]
    spread = float(np.sqrt((x @ x + 24.0 * SIGMA_C**2) / (x.size + 24.0)))
    if x.size < 72:
        return FADE_H, spread
    lag = 6
    now, later = x[:-lag], x[lag:]
    rho = float(now @ later) / max(float(now @ now), 1e-9)
    fade = -lag / np.log(min(max(rho, 0.3), 0.95))
    return float(fade), spread
