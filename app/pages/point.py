"""测点曲线: the measured values of any point, over any of some spans; simulated times are marked."""

import time
from urllib.parse import urlencode

import numpy as np
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, ctx, dcc, html

from app.access import current_points
from app.charts.lines import ACCENT, WATCH, Line, draw_lines, local_stamps, renew_lines
from app.format import MISSING, format_age, format_number
from app.i18n import translate
from app.pages.parts import kind_name, panel
from app.web.context import Context
from app.web.shell import View
from ingest.onboarding.state import State as Onboarded
from ingest.onboarding.state import read_state
from twin.model.county import Point
from twin.model.errors import InputError, StoreUnavailable
from twin.model.quantities import find_quantity

HOURS = (1, 6, 24, 168)
EVERY_MS = 3000


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    points = current_points(context)
    picked = view.point if view.point in points else None
    names = name_points(context)
    options = [{"label": f"{p.id} · {name_point(p, names, lang)}", "value": p.id} for p in points.values()]
    hours = [{"label": translate("point.hour", lang, n=h), "value": h} for h in HOURS]
    tools = html.Div(
        [
            dcc.Dropdown(
                id="point-pick", options=options, value=picked, clearable=False,
                placeholder=translate("point.choose", lang), className="ct-point-pick",
            ),
            dcc.RadioItems(id="point-hours", options=hours, value=1, inline=True, className="ct-hours"),
        ],
        className="ct-tools",
    )  # fmt: skip
    return [
        panel(
            translate("point.title", lang),
            html.Div(
                [
                    tools,
                    html.Div(id="point-head", className="ct-point-head"),
                    dcc.Graph(
                        id="point-chart",
                        className="ct-graph",
                        responsive=True,
                        config={"displaylogo": False, "displayModeBar": False},
                    ),
                ],
                className="ct-point",
            ),
            "ct-point-panel",
        ),
        dcc.Store(id="point-view", data={"lang": lang, "light": view.light}),
        dcc.Interval(id="point-tick", interval=EVERY_MS),
    ]


def register(app: Dash, context: Context) -> None:
    @app.callback(
        Output("point-chart", "figure"),
        Output("point-head", "children"),
        Input("point-pick", "value"),
        Input("point-hours", "value"),
        Input("point-tick", "n_intervals"),
        State("point-view", "data"),
    )
    def refresh(
        point_id: str | None, hours: int, _n: int | None, view: dict[str, object]
    ) -> tuple[object, object]:
        lang, light = str(view.get("lang", "zh")), bool(view.get("light"))
        point = current_points(context).get(point_id or "")
        try:
            figure, head = draw_point(context, point, hours if hours in HOURS else 1, lang, light)
        except StoreUnavailable:
            return go.Figure(), html.P(translate("app.unavailable", lang), className="ct-quiet")
        if ctx.triggered_id != "point-tick":
            return figure, head
        patch = renew_lines(figure)
        patch["layout"]["shapes"] = figure.to_plotly_json()["layout"].get("shapes", [])
        return patch, head


def name_points(context: Context) -> dict[str, str]:
    """Names that the flows give their points, by point id."""
    try:
        state = read_state(context.settings.county)
    except InputError:
        return {}
    return {f"{d.where}/{m.key}": m.name for f in state.live for d in f.devices for m in f.maps if m.name}


def name_point(point: Point, names: dict[str, str], lang: str) -> str:
    """Its kind's name, or what its flow calls it."""
    known = kind_name(point.key, lang)
    return names.get(point.id, known) if known == point.key else known


def draw_point(
    context: Context, point: Point | None, hours: int, lang: str, light: bool
) -> tuple[go.Figure, list[object]]:
    """The chart of a point and the line above it."""
    zone = context.county.meta.timezone
    if point is None:
        figure = draw_lines([], "", zone, keep="none", light=light, empty=translate("point.unknown", lang))
        return figure, []
    q = find_quantity(point.quantity)
    end = time.time()
    start = end - 3600.0 * hours
    rows = context.ask(
        f"point {point.no} {hours}", 1.0, lambda: context.store.history(point.no, start, end + 60)
    )
    name = name_point(point, name_points(context), lang)
    title = f"{q.zh if lang == 'zh' else q.en} ({q.display_unit})" if q.display_unit else name
    figure = draw_lines(
        [Line(rows.t, rows.value * q.scale, name, ACCENT)], title, zone, keep=f"{point.id} {hours}",
        light=light, empty=translate("point.none", lang), span=(start, end),
    )  # fmt: skip
    if rows.t.size and rows.t.size < 200:
        figure.data[0].update(mode="lines+markers", marker={"size": 5})
    marked = _mark_simulated(figure, context, point, (start, end), lang)
    last = _format_last(float(rows.value[-1]) * q.scale, q.decimals) if rows.t.size else MISSING
    age = format_age(end - float(rows.t[-1]), lang) if rows.t.size else MISSING
    device = next((d for d in context.county.devices if d.id == point.device_id), None)
    facts = [
        ("point.last", f"{last} {q.display_unit} · {age}"),
        ("point.device", device.name or device.id if device else point.device_id),
        ("point.place", point.place_id),
        (
            "point.range",
            f"{format_number(point.low * q.scale, q.decimals)} … "
            f"{format_number(point.high * q.scale, q.decimals)} {q.display_unit}",
        ),
    ]
    head: list[object] = [html.Strong(name)]
    if marked:
        head.append(html.Span(translate("point.simulated", lang), className="ct-simulated"))
    head += [html.Span([html.Small(translate(key, lang)), text]) for key, text in facts]
    head.append(_link_documents(point, lang))
    return figure, head


def _link_documents(point: Point, lang: str) -> html.A:
    """Photos and papers of the device that sends a point."""
    words = {"about": f"device:{point.device_id}"} | ({"lang": lang} if lang != "zh" else {})
    return html.A(translate("nav.documents", lang), href=f"/documents?{urlencode(words)}")


def _format_last(value: float, decimals: int) -> str:
    """A small value with one digit more than usual: 2.5 % of gas is neither 2 nor 3."""
    return format_number(value, decimals if abs(value) >= 10 else max(decimals, 1))


def _mark_simulated(
    figure: go.Figure, context: Context, point: Point, span: tuple[float, float], lang: str
) -> bool:
    """Shade the times in which the values were simulated; whether they are now."""
    try:
        state: Onboarded = read_state(context.settings.county)
    except InputError:
        return False
    now = False
    zone = context.county.meta.timezone
    for s in state.simulated:
        if not point.device_id.startswith(f"{s.flow}.") or (s.until and s.until < span[0]):
            continue
        now = now or not s.until
        ends = np.array([max(s.since, span[0]), min(s.until or span[1], span[1])])
        x0, x1 = (str(x) for x in local_stamps(ends, zone))
        figure.add_vrect(
            x0=x0, x1=x1, fillcolor=WATCH, opacity=0.1, line_width=0,
            annotation_text=translate("point.simulated", lang), annotation_position="top right",
        )  # fmt: skip
    return now
