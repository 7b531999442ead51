"""The load forecast as a chart and in words: shared by 优化调度 and the dispatcher's desk."""

import time
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import dcc
from numpy.typing import NDArray

from app.charts.hourly import add_band, as_curve
from app.charts.lines import ACCENT, CALM, COOL, QUIET, WARM, Line, draw_lines, local_stamps
from app.format import format_value, local_time
from app.i18n import translate
from app.web.context import Context

Floats = NDArray[np.float64]
Body = dict[str, Any]

DAY_S, HOUR_S = 86_400.0, 3600.0
HOURS, USUAL_H = (24, 48, 72), 48
"""Hours ahead that may be chosen, and those shown at first."""


def choose_hours(lang: str) -> dcc.RadioItems:
    """Which hours ahead the chart shows."""
    options = [{"label": translate("dispatch.ahead", lang, n=h), "value": h} for h in HOURS]
    return dcc.RadioItems(options, USUAL_H, id="load-hours", inline=True, className="ct-hours ct-load-hours")


def measured_load(context: Context) -> tuple[Floats, Floats]:
    """Hourly heat of all sources of the last day, W, at the middle of each hour; NaN where none was heard."""
    ids = [f"{s.id}/src_heat" for s in context.county.network.sources]
    numbers = np.array([p.no for p in context.county.points if p.id in ids], dtype=np.int64)
    if numbers.size == 0:
        return np.empty(0), np.empty(0)
    table = context.store.hourly(numbers, time.time() - DAY_S, time.time())
    heard = np.isfinite(table.mean).any(axis=1)
    return table.t - 1800.0, np.where(heard, np.nansum(table.mean, axis=1), np.nan)


def cut_forecast(body: Body, hours: int) -> tuple[Floats, dict[str, Floats]]:
    """Middles of the steps of a kept forecast that end within so many hours, and its columns there."""
    ends, dt_s = (np.array(body[k], dtype=np.float64) for k in ("t", "dt_s"))
    kept = ends <= ends[0] - dt_s[0] + hours * HOUR_S + 1.0
    names = ("load_w", "persistence_w", "low_w", "high_w", "t_out_c")
    return (ends - dt_s / 2.0)[kept], {k: np.array(body[k], dtype=np.float64)[kept] for k in names}


def draw_load(
    context: Context, body: Body | None, measured: tuple[Floats, Floats], lang: str, light: bool,
    hours: int = USUAL_H,
) -> go.Figure:  # fmt: skip
    """Measured load, forecast of ``hours`` with its band, yesterday's load and the outdoor temperature; a
    line where a weather service's hours end."""
    zone = context.county.meta.timezone
    t, heat = as_curve(*measured)
    lines = [Line(t, heat / 1e6, translate("dispatch.measured", lang), CALM)] if t.size else []
    middle, columns = cut_forecast(body, hours) if body is not None else (np.empty(0), {})
    if columns:
        for key, colour in (("load_w", ACCENT), ("persistence_w", COOL)):
            x, y = as_curve(middle, columns[key] / 1e6)
            name = "dispatch.forecast" if key == "load_w" else "dispatch.persistence"
            lines.append(Line(x, y, translate(name, lang), colour, dashed=key != "load_w"))
        x, y = as_curve(middle, columns["t_out_c"])
        lines.append(Line(x, y, translate("dispatch.out", lang), WARM, dashed=True, second_axis=True))
    figure = draw_lines(
        lines, translate("dispatch.load_axis", lang), zone, keep=f"load{hours}", light=light,
        second_title=translate("dispatch.out_axis", lang), empty=translate("dispatch.no_forecast", lang),
    )  # fmt: skip
    if columns:
        x, low = as_curve(middle, columns["low_w"] / 1e6)
        _, high = as_curve(middle, columns["high_w"] / 1e6)
        add_band(figure, local_stamps(x, zone), low, high, translate("dispatch.band", lang))
    end = body.get("weather_end") if body is not None else None
    if isinstance(end, int | float) and middle.size and middle[0] < end < middle[-1]:
        at = str(local_stamps(np.array([end]), zone)[0])
        figure.add_vline(x=at, line={"width": 1, "dash": "dot", "color": QUIET})
        figure.add_annotation(
            x=at, y=1.0, yref="paper", yanchor="top", xanchor="left", showarrow=False,
            text=translate("dispatch.weather_end", lang), font={"size": 12, "color": QUIET},
        )  # fmt: skip
    return figure


def tell_quality(body: Body | None, lang: str, zone: str = "Asia/Shanghai") -> str:
    """How good the forecast was lately by day ahead, and whose weather it goes by."""
    if body is None:
        return ""
    leads = [x for x in body.get("leads") or () if x["error_w"] is not None]
    if leads:
        told = translate(
            "dispatch.quality", lang, hours=str(body["hours"]),
            leads="；".join(_tell_lead(x, lang) for x in leads),
        )  # fmt: skip
    else:
        told = translate("dispatch.quality_new", lang, hours=str(body["hours"]))
    stop = "。" if lang == "zh" else ". "
    return f"{told}{stop}{tell_weather(body, lang, zone)}"


def tell_weather(body: Body, lang: str, zone: str) -> str:
    """Whose weather a kept forecast goes by, and how far."""
    if body.get("weather_why"):
        return translate("dispatch.weather_bad", lang, why=body["weather_why"])
    if body.get("weather") != "service":
        return translate("dispatch.weather_habit", lang)
    at = local_time(float(body["weather_end"]), zone, "%m-%d %H:%M")
    return translate("dispatch.weather_service", lang, t=at)


def _tell_lead(lead: Body, lang: str) -> str:
    b = int(lead["until_h"])
    return translate(
        "dispatch.quality_lead", lang, a=str(b - 24), b=str(b),
        error=format_value("power", lead["error_w"]),
        rival=format_value("power", lead["persistence_error_w"]),
    )  # fmt: skip
