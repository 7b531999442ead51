"""优化调度: the load of the next days, the proposal beside things as they are, and one button."""

import math
import time
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, dcc, html, no_update
from numpy.typing import NDArray

from app.charts.hourly import as_curve
from app.charts.lines import ACCENT, CALM, COOL, WARM, Line, draw_lines
from app.format import MISSING, format_number, local_time
from app.i18n import translate
from app.pages.load import choose_hours, draw_load, measured_load, tell_quality
from app.pages.parts import kind_name, panel
from app.web.context import Context
from app.web.dispatch_routes import PATH
from app.web.shell import View
from ingest.store.kept_api import Kept
from twin.dispatch.tariff import CARBON_YUAN_T
from twin.model.errors import StoreUnavailable
from twin.model.quantities import find_quantity

Floats = NDArray[np.float64]
Body = dict[str, Any]

DAY_S = 86_400.0
SHOWN_S = 3 * DAY_S
GRAPH = {"displayModeBar": False, "responsive": True}


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    bare = view.kiosk or view.embed

    def chart(name: str) -> dcc.Graph:
        return dcc.Graph(id=f"dispatch-{name}", config=GRAPH, className="ct-graph")

    charts = html.Div(
        [
            panel(
                translate("dispatch.load", lang),
                html.Div([chart("load"), html.P(id="dispatch-quality", className="ct-quiet")]),
                "ct-dispatch-chart",
                choose_hours(lang),
            ),
            panel(translate("dispatch.rooms", lang), chart("rooms"), "ct-dispatch-chart"),
            panel(translate("dispatch.course", lang), chart("course"), "ct-dispatch-chart"),
        ],
        className="ct-column",
    )
    side = html.Div(
        [
            panel(translate("dispatch.proposal", lang), html.Div(id="dispatch-summary"), "ct-fit"),
            panel(
                translate("dispatch.wishes", lang),
                html.Div(id="dispatch-wishes", className="ct-scroll"),
                "ct-dispatch-wishes",
            ),
            panel(
                translate("dispatch.history", lang),
                html.Div(id="dispatch-history", className="ct-scroll"),
                "ct-dispatch-history",
            ),
        ],
        className="ct-column",
    )
    return [
        html.Div([charts, side], className="ct-dispatch"),
        dcc.Store(id="dispatch-lang", data=[lang, view.light, bare]),
        dcc.Store(id="dispatch-no"),
        dcc.Interval(id="dispatch-tick", interval=10_000),
    ]


def register(app: Dash, context: Context) -> None:
    _register_forecast(app, context)
    _register_proposal(app, context)


def _register_forecast(app: Dash, context: Context) -> None:
    @app.callback(
        Output("dispatch-load", "figure"),
        Output("dispatch-quality", "children"),
        Input("dispatch-tick", "n_intervals"),
        Input("load-hours", "value"),
        State("dispatch-lang", "data"),
    )
    def show(_n: int | None, hours: int, words: list[object]) -> tuple[object, object]:
        lang, light = str(words[0]), bool(words[1])
        try:
            body = newest_body(context, "forecast")
            heat = context.ask("dispatch-measured", 60.0, lambda: measured_load(context))
        except StoreUnavailable:
            return no_update, translate("app.unavailable", lang)
        told = tell_quality(body, lang, context.county.meta.timezone)
        return draw_load(context, body, heat, lang, light, hours), told


def _register_proposal(app: Dash, context: Context) -> None:
    @app.callback(
        Output("dispatch-rooms", "figure"),
        Output("dispatch-course", "figure"),
        Output("dispatch-summary", "children"),
        Output("dispatch-wishes", "children"),
        Output("dispatch-history", "children"),
        Output("dispatch-no", "data"),
        Input("dispatch-tick", "n_intervals"),
        State("dispatch-lang", "data"),
        State("dispatch-no", "data"),
    )
    def show(_n: int | None, words: list[object], shown: str | None) -> tuple[object, ...]:
        lang, light, bare = str(words[0]), bool(words[1]), bool(words[2])
        try:
            rows = recent(context)
            body = newest_body(context, "dispatch")
        except StoreUnavailable:
            return (no_update,) * 6
        mark = f"{rows[0].no}:{rows[0].state}" if rows else "none"
        if mark == shown:  # what somebody is editing stays
            return (no_update,) * 6
        history = draw_history(context, rows, lang)
        if not rows or body is None:
            none = html.P(translate("dispatch.none", lang), className="ct-calm")
            empty = _empty(context, lang, light)
            return empty, empty, none, none, history, mark
        return (
            draw_rooms(context, body, lang, light), draw_course(context, body, lang, light),
            draw_summary(context, rows[0], body, lang, bare), draw_wishes(context, rows[0], body, lang),
            history, mark,
        )  # fmt: skip


def recent(context: Context) -> list[Kept]:
    """Proposals of the last days, newest first."""
    since = math.floor((time.time() - SHOWN_S) / 3600.0) * 3600.0
    found: list[Kept] = context.ask("dispatch-list", 2.0, lambda: context.store.kept("dispatch", since, 72))
    return found


def newest_body(context: Context, kind: str) -> Body | None:
    """The newest kept forecast or proposal, or None."""
    since = time.time() - SHOWN_S

    def ask() -> Body | None:
        rows = context.store.kept("forecast" if kind == "forecast" else "dispatch", since, 1)
        body = context.store.kept_body(rows[0].no) if rows else None
        return body if isinstance(body, dict) else None

    found: Body | None = context.ask(f"dispatch-{kind}", 2.0, ask)
    return found


def _array(x: object) -> Floats:
    """A kept list back to numbers; null is NaN."""
    return np.array(x, dtype=np.float64)


def _middle(body: Body, ends: str) -> Floats:
    return _array(body[ends]) - _array(body["dt_s"]) / 2.0


def _empty(context: Context, lang: str, light: bool) -> go.Figure:
    zone = context.county.meta.timezone
    return draw_lines([], "", zone, keep="none", light=light, empty=translate("app.no_data", lang))


def draw_rooms(context: Context, body: Body, lang: str, light: bool) -> go.Figure:
    """Mean and coldest rooms with and without the proposal."""
    middle, lines = _middle(body, "ends"), []
    for key, name, colour in (
        ("before", "mean_before", COOL), ("after", "mean_after", ACCENT),
        ("before", "cold_before", WARM), ("after", "cold_after", CALM),
    ):  # fmt: skip
        values = body[key]["coldest_c" if name.startswith("cold") else "room_c"]
        x, y = as_curve(middle, _array(values))
        lines.append(Line(x, y, translate(f"dispatch.{name}", lang), colour, dashed=key == "before"))
    figure = draw_lines(
        lines, translate("dispatch.rooms_axis", lang), context.county.meta.timezone, keep="rooms", light=light
    )
    figure.add_hline(y=body["room_low_c"], line={"width": 1, "dash": "dot", "color": "#8fa3b8"})
    return figure


def draw_course(context: Context, body: Body, lang: str, light: bool) -> go.Figure:
    """Supply temperature and head of the coming hours."""
    middle = _middle(body, "ends")
    x, supply = as_curve(middle, _array(body["supply_c"]))
    _, head = as_curve(middle, _array(body["head_pa"]) / 1e6)
    figure = draw_lines(
        [
            Line(x, supply, translate("dispatch.supply", lang), WARM),
            Line(x, head, translate("dispatch.head", lang), COOL, second_axis=True),
        ],
        translate("dispatch.supply_axis", lang), context.county.meta.timezone, keep="course", light=light,
        second_title=translate("dispatch.head_axis", lang),
    )  # fmt: skip
    figure.update_layout(yaxis2={"tickformat": ".2f"})
    return figure


def sum_up(context: Context, course: Body, dt_s: Floats) -> tuple[float, float, float, float, float]:
    """Heat, peak boilers' heat and pump power in MWh, cost in 10,000 yuan, cold in K h per home."""
    hours = dt_s / 3600.0
    source = _array(course["source_w"]) / 1e6
    peak = [i for i, s in enumerate(context.county.network.sources) if s.kind != "chp"]
    heat = float((hours[:, None] * source).sum())
    boiler = float((hours[:, None] * source[:, peak]).sum())
    power = float((hours * _array(course["electric_w"]) / 1e6).sum())
    return heat, boiler, power, float(course["cost_yuan"]) / 1e4, float(course["cold_k_h"])


def draw_summary(context: Context, row: Kept, body: Body, lang: str, bare: bool) -> html.Div:
    """Before and after side by side, and the buttons."""
    dt_s = _array(body["dt_s"])
    before, after = (sum_up(context, body[k], dt_s) for k in ("before", "after"))
    carbon = body.get("objective") == "carbon"
    names = ("heat", "boiler", "power", "carbon" if carbon else "cost", "cold")
    rows = []
    for name, a, b in zip(names, before, after, strict=True):
        scale = 1e4 / CARBON_YUAN_T if name == "carbon" else 1.0
        share = f"{format_number(100.0 * (b / a - 1.0), 1, sign=True)} %" if a > 0.05 else MISSING
        label = translate(f"dispatch.{name}", lang, low=f"{body['room_low_c']:g}")
        digits = 2 if name in ("cost", "cold") else 1
        cells = [label, format_number(scale * a, digits), format_number(scale * b, digits), share]
        rows.append(html.Tr([html.Td(c) for c in cells]))
    heads = ("what", "before", "after", "change")
    head = html.Thead(html.Tr([html.Th(translate(f"dispatch.{h}", lang)) for h in heads]))
    said = translate(
        "dispatch.of", lang, t=local_time(row.made, context.county.meta.timezone, "%m-%d %H:%M"),
        state=translate(f"dispatch.state.{row.state}", lang), s=format_number(body["seconds"], 1),
    )  # fmt: skip
    notes = [] if body["own_tariff"] else [translate("dispatch.default_tariff", lang)]
    notes += [translate("dispatch.harsh", lang)] if body["harsh"] else []
    notes += [] if body["reached"] else [translate("dispatch.not_reached", lang)]
    return html.Div(
        [
            html.P(said, className="ct-quiet"),
            html.Table([head, html.Tbody(rows)], className="ct-table ct-right"),
            *(html.P(n, className="ct-quiet") for n in notes),
            html.P([] if bare else _buttons(row, lang), className="ct-tools"),
            html.P(id="dispatch-said", role="status"),
        ]
    )


def _buttons(row: Kept, lang: str) -> list[object]:
    acts = {"made": (("approve", "sent"), ("reject", "rejected")), "approved": (("undo", "taken_back"),)}
    return [
        html.Button(
            translate(f"dispatch.{act}", lang), className="ct-button",
            **{"data-dispatch": act, "data-no": str(row.no), "data-done": translate(f"dispatch.{done}", lang),
               "data-refused": translate("dispatch.refused", lang, why="{why}"), "data-path": PATH},
        )
        for act, done in acts.get(row.state, ())
    ]  # fmt: skip


def draw_wishes(context: Context, row: Kept, body: Body, lang: str) -> html.Table:
    """Every set-point: ticked, editable, with what it is now. Sources first."""
    network = context.county.network
    sources = {s.id: s.name if lang == "zh" else s.name_en for s in network.sources}
    names = sources | {s.id: s.name if lang == "zh" else s.name_en for s in network.substations}
    wishes = sorted(body["wishes"], key=lambda w: w["point"].split("/")[0] not in sources)
    heads = ("take", "point", "now", "new", "unit")
    cells = [html.Th(translate(f"dispatch.{h}", lang)) for h in heads]
    open_ = row.state == "made"
    groups: dict[str, list[Body]] = {}
    for w in wishes:
        groups.setdefault(w["point"].split("/")[0], []).append(w)
    bodies = [
        html.Tbody(
            [_wish_head(context, names.get(place, place), mine)]
            + [_wish(context, w, names, open_, lang) for w in mine],
            className="ct-open" if place in sources else "",
        )
        for place, mine in groups.items()
    ]
    return html.Table([html.Thead(html.Tr(cells)), *bodies], className="ct-table ct-wishes")


def _wish_head(context: Context, name: str, wishes: list[Body]) -> html.Tr:
    """A place in one line, which on a phone opens its rows: what changes, shortly."""
    said = []
    for w in wishes:
        q = find_quantity(context.county.point_by_id[w["point"]].quantity)
        then = MISSING if w["before"] is None else format_number(w["before"] * q.scale, q.decimals)
        said.append(f"{then} → {format_number(w['value'] * q.scale, q.decimals)} {q.display_unit}")
    cells = [html.B(name), html.Small(" · ".join(said))]
    return html.Tr(html.Td(cells, colSpan=5), className="ct-wish-place")


def _wish(context: Context, w: Body, names: dict[str, str], editable: bool, lang: str) -> html.Tr:
    place, key = w["point"].split("/")
    q = find_quantity(context.county.point_by_id[w["point"]].quantity)
    value = round(w["value"] * q.scale, q.decimals)
    now = MISSING if w["before"] is None else format_number(w["before"] * q.scale, q.decimals)
    tick = dcc.Checklist([{"label": "", "value": "x"}], ["x"]) if editable else ""
    shown = (
        dcc.Input(type="number", value=value, step="any", className="ct-input") if editable else f"{value:g}"
    )
    return html.Tr(
        [
            html.Td(tick),
            html.Td(f"{names.get(place, place)} · {kind_name(key, lang)}", className="ct-wrap"),
            html.Td(now),
            html.Td(html.Span(shown)),
            html.Td(q.display_unit),
        ],
        **{"data-wish": w["point"]},
    )


def draw_history(context: Context, rows: list[Kept], lang: str) -> object:
    """What was proposed lately and what became of it."""
    if not rows:
        return html.P(translate("dispatch.none", lang), className="ct-calm")
    zone = context.county.meta.timezone
    head = html.Tr([html.Th(translate(f"dispatch.{h}", lang)) for h in ("time", "state", "who")])
    body = [
        html.Tr(
            [
                html.Td(local_time(r.made, zone, "%m-%d %H:%M")),
                html.Td(translate(f"dispatch.state.{r.state}", lang)),
                html.Td(r.who or (MISSING if r.state == "made" else translate("command.here", lang))),
            ]
        )
        for r in rows
    ]
    return html.Table([html.Thead(head), html.Tbody(body)], className="ct-table")
