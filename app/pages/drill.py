"""预案与演练: kept plans held against what happened, and the score sheet of a drill."""

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from app.charts.lines import ACCENT, CALM, WARM, Line, draw_lines
from app.domains.heating.contingency import name_case, name_place
from app.domains.heating.drill import (
    HEADS,
    Row,
    advise_points,
    describe_drill,
    make_sheet,
    read_rows,
    sheet_cells,
    total_points,
    write_sheet,
)
from app.domains.heating.hindsight import Hindsight, look_back
from app.domains.heating.papers import print_plan, print_sheet
from app.format import MISSING, format_number, local_time
from app.i18n import translate
from app.pages.parts import panel
from app.web.context import Context
from app.web.shell import View
from twin.model.errors import InputError, StoreUnavailable

Body = dict[str, Any]
YEAR_S = 365 * 86_400.0
MOST = 60


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    chart = dcc.Graph(
        id="drill-chart", config={"displayModeBar": False, "responsive": True}, className="ct-graph"
    )
    pick = dcc.Dropdown(
        [], None, id="drill-pick", clearable=False, className="ct-pick",
        placeholder=translate("drill.pick", lang),
    )  # fmt: skip
    buttons = [
        html.Button(translate(f"drill.{k}", lang), id=f"drill-{k}", className="ct-button")
        for k in ("save", "excel", "pdf")
    ]
    plan = html.Button(translate("drill.plan_pdf", lang), id="drill-plan", className="ct-button")
    return [
        html.Div(
            [
                html.Div(
                    [
                        panel(translate("drill.kept", lang), html.Div([pick, html.P(plan)]), "ct-fit"),
                        panel(translate("drill.plan", lang),
                              html.Div(dcc.Markdown(id="drill-text"), className="ct-scroll ct-plan")),
                    ],
                    className="ct-column",
                ),
                html.Div(
                    [
                        panel(translate("drill.compared", lang),
                              html.Div([chart, html.P(id="drill-said", className="ct-quiet")]),
                              "ct-drill-chart"),
                        panel(translate("drill.stations", lang),
                              html.Div(id="drill-stations", className="ct-scroll"),
                              "ct-fit ct-drill-stations"),
                    ],
                    className="ct-column",
                ),
                panel(
                    translate("drill.sheet", lang),
                    html.Div(
                        [
                            html.Div(id="drill-sheet", className="ct-scroll"),
                            html.Div([_field("leader", lang), _field("note", lang)], className="ct-form"),
                            html.Div([html.Strong(id="drill-total"), *buttons], className="ct-acts"),
                            html.P(id="drill-done", className="ct-quiet", role="status"),
                        ],
                        className="ct-drill-sheet",
                    ),
                ),
            ],
            className="ct-drill",
        ),
        dcc.Store(id="drill-lang", data=[lang, view.light]),
        dcc.Download(id="drill-file"),
    ]  # fmt: skip


def _field(name: str, lang: str) -> html.Label:
    field = dcc.Input(id=f"drill-{name}", type="text", maxLength=300, className="ct-input")
    return html.Label([translate(f"drill.{name}", lang), html.Span(field)])


def register(app: Dash, context: Context) -> None:
    _register_pick(app, context)
    _register_sheet(app, context)
    _register_files(app, context)


def kept_plans(context: Context) -> list[dict[str, str]]:
    """Plans of the last year, newest first."""
    zone = context.county.meta.timezone
    rows = context.store.kept("rehearsal", time.time() - YEAR_S, MOST)
    return [
        {"label": f"{local_time(r.made, zone, '%m-%d %H:%M')} {r.title}", "value": str(r.no)} for r in rows
    ]


def read_plan(context: Context, no: str | None) -> Body | None:
    """The body of a kept plan, None: there is none."""
    body = context.store.kept_body(int(no)) if no and no.isdigit() else None
    return body if isinstance(body, dict) else None


def _register_pick(app: Dash, context: Context) -> None:
    @app.callback(Output("drill-pick", "options"), Output("drill-pick", "value"), Input("drill-lang", "data"))
    def offer(_words: list[object]) -> tuple[object, object]:
        try:
            options = kept_plans(context)
        except StoreUnavailable:
            return no_update, no_update
        return options, options[0]["value"] if options else None

    @app.callback(
        Output("drill-text", "children"),
        Output("drill-chart", "figure"),
        Output("drill-said", "children"),
        Output("drill-stations", "children"),
        Output("drill-sheet", "children"),
        Input("drill-pick", "value"),
        State("drill-lang", "data"),
    )
    def show(no: str | None, words: list[object]) -> tuple[object, ...]:
        lang, light = str(words[0]), bool(words[1])
        try:
            body = read_plan(context, no)
            if body is None:
                none = translate("drill.none", lang)
                return none, _empty(context, none, light), "", "", html.P(none, className="ct-quiet")
            sheet = draw_sheet(newest_sheet(context, no or "", body, lang), lang)
            figure, said, table = compare(context, body, lang, light)
        except StoreUnavailable:
            return (no_update,) * 5
        return str(body["plan"]), figure, said, table, sheet


def _empty(context: Context, text: str, light: bool) -> go.Figure:
    figure = draw_lines([], "", context.county.meta.timezone, keep="none", light=light, empty=text)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def newest_sheet(context: Context, no: str, body: Body, lang: str) -> list[Row]:
    """The sheet that was kept last for a plan, else an empty one."""
    for kept in context.store.kept("drill", float(body["t"]) - 86_400.0, 200):
        found = context.store.kept_body(kept.no)
        if isinstance(found, dict) and str(found.get("rehearsal")) == no:
            return read_rows(found)
    return make_sheet(body, lang)


def compare(context: Context, body: Body, lang: str, light: bool) -> tuple[go.Figure, str, object]:
    """Chart, sentence and table of what came against what was expected."""
    try:
        seen = look_back(context.county, context.store, body, time.time())
    except InputError:
        text = translate("drill.too_early" if "stations" in body else "drill.too_old", lang)
        return _empty(context, text, light), "", html.P(text, className="ct-quiet")
    return (
        draw_hindsight(context, body, seen, lang, light),
        tell(body, seen, lang),
        draw_stations(context, body, seen, lang),
    )


def draw_hindsight(context: Context, body: Body, seen: Hindsight, lang: str, light: bool) -> go.Figure:
    """Measured rooms solid, every alternative dashed, outdoors on the second axis."""
    lines = [Line(seen.t, seen.room_c, translate("drill.measured", lang), ACCENT)]
    colours = (WARM, CALM, "#e6d27a", "#c9a7ff", "#ff9eb5", "#a8c7ff", "#d0d6dd", "#ffffff")
    for a, y, colour in zip(body["alternatives"], seen.expected_c, colours, strict=False):
        lines.append(Line(seen.t, y, name_case(a["case"], lang), colour, dashed=True))
    figure = draw_lines(
        lines, translate("rehearsal.axis", lang), context.county.meta.timezone, keep=str(body["t"]),
        light=light, empty=translate("app.no_data", lang),
    )  # fmt: skip
    if len(seen.t) < 3:
        figure.update_traces(mode="markers")
    return figure


def tell(body: Body, seen: Hindsight, lang: str) -> str:
    """Which alternative came nearest and how the weather differed."""
    if seen.nearest < 0:
        return translate("drill.no_rooms", lang)
    apart = seen.t_out_c - seen.expected_out_c
    weather = float(np.nanmean(apart)) if np.isfinite(apart).any() else math.nan
    return translate(
        "drill.tell", lang, case=name_case(body["alternatives"][seen.nearest]["case"], lang),
        error=format_number(float(seen.error_k[seen.nearest]), 2), hours=len(seen.t),
        weather=format_number(weather, 1, sign=True),
    )  # fmt: skip


def draw_stations(context: Context, body: Body, seen: Hindsight, lang: str) -> html.Table:
    """Measured less expected per station at the last hour, greatest first."""
    order = sorted(
        (k for k in range(len(seen.station_k)) if math.isfinite(seen.station_k[k])),
        key=lambda k: -abs(seen.station_k[k]),
    )
    rows = [
        html.Tr([html.Td(name_place(context.county, body["stations"][k], lang)),
                 html.Td(f"{format_number(float(seen.station_k[k]), 1, sign=True)} K")])
        for k in order[:10]
    ]  # fmt: skip
    head = html.Thead(html.Tr([html.Th(translate(f"drill.{h}", lang)) for h in ("station", "apart")]))
    return html.Table([head, html.Tbody(rows)], className="ct-table ct-right")


def draw_sheet(rows: list[Row], lang: str) -> html.Table:
    """The sheet with fields for times, names and points."""
    body = []
    for k, r in enumerate(rows):
        fixed = sheet_cells(r)
        minutes = None if not math.isfinite(r.actual_min) else r.actual_min
        points = None if not math.isfinite(r.points) else r.points
        body.append(
            html.Tr(
                [
                    html.Td(r.what, className="ct-wrap"), html.Td(r.who), html.Td(fixed[2]),
                    html.Td(_cell("min", k, "number", minutes)),
                    html.Td(_cell("person", k, "text", r.person)),
                    html.Td(str(r.most)), html.Td(_cell("points", k, "number", points)),
                ]
            )
        )  # fmt: skip
    head = html.Thead(html.Tr([html.Th(translate(f"drill.{h}", lang)) for h in HEADS]))
    return html.Table([head, html.Tbody(body)], className="ct-table ct-sheet")


def _cell(name: str, k: int, kind: str, value: object) -> html.Span:
    field = dcc.Input(id={"type": f"drill-{name}", "index": k}, type=kind, value=value, className="ct-input")
    return html.Span(field)


SHEET = (
    State({"type": "drill-min", "index": ALL}, "value"),
    State({"type": "drill-person", "index": ALL}, "value"),
    State({"type": "drill-points", "index": ALL}, "value"),
    State("drill-leader", "value"),
    State("drill-note", "value"),
    State("drill-pick", "value"),
    State("drill-lang", "data"),
)
"""All that stands on the sheet, in the order in which what is done with it takes it."""


def _register_sheet(app: Dash, context: Context) -> None:
    @app.callback(
        Output("drill-total", "children"),
        Output({"type": "drill-points", "index": ALL}, "placeholder"),
        Input({"type": "drill-points", "index": ALL}, "value"),
        Input({"type": "drill-min", "index": ALL}, "value"),
        State("drill-pick", "value"),
        State("drill-lang", "data"),
    )
    def add_up(points: list[object], minutes: list[object], no: str | None, words: list[object]) -> object:
        lang = str(words[0])
        try:
            rows = filled(context, no, lang, minutes, [""] * len(minutes), points)
        except StoreUnavailable:
            return no_update, [no_update] * len(points)
        total = translate("drill.total_of", lang, n=format_number(total_points(rows), 1))
        advice = [format_number(advise_points(r), 1).replace(MISSING, "") for r in rows]
        return total, (advice + [""] * len(points))[: len(points)]

    @app.callback(
        Output("drill-done", "children"),
        Input("drill-save", "n_clicks"),
        *SHEET,
        prevent_initial_call=True,
    )
    def save(
        _clicks: int | None, minutes: list[object], people: list[object], points: list[object],
        leader: str | None, note: str | None, no: str | None, words: list[object],
    ) -> object:  # fmt: skip
        lang = str(words[0])
        try:
            rows = filled(context, no, lang, minutes, people, points)
            if not rows or no is None:
                return translate("drill.none", lang)
            body = describe_drill(int(no), rows, note or "", leader or "")
            context.store.keep("drill", translate("drill.sheet", lang), body, who=leader or "")
        except StoreUnavailable:
            return translate("app.unavailable", lang)
        return translate("drill.is_kept", lang, n=format_number(total_points(rows), 1))


def filled(
    context: Context, no: str | None, lang: str, minutes: list[object], people: list[object],
    points: list[object],
) -> list[Row]:  # fmt: skip
    """The sheet of a plan with what stands in its fields."""
    body = read_plan(context, no)
    rows = make_sheet(body, lang) if body is not None else []

    def number(x: object) -> float:
        return float(x) if isinstance(x, int | float) and math.isfinite(x) and x >= 0 else math.nan

    return [
        replace(r, actual_min=number(m), person=str(p or ""), points=min(number(x), float(r.most)))
        for r, m, p, x in zip(rows, minutes, people, points, strict=False)
    ]


def _register_files(app: Dash, context: Context) -> None:
    @app.callback(
        Output("drill-file", "data"),
        Output("drill-done", "children", allow_duplicate=True),
        Input("drill-excel", "n_clicks"),
        Input("drill-pdf", "n_clicks"),
        Input("drill-plan", "n_clicks"),
        *SHEET,
        prevent_initial_call=True,
    )
    def file(
        _excel: int | None, _pdf: int | None, _plan: int | None, minutes: list[object], people: list[object],
        points: list[object], leader: str | None, note: str | None, no: str | None, words: list[object],
    ) -> tuple[object, object]:  # fmt: skip
        lang, wanted = str(words[0]), str(ctx.triggered_id)
        try:
            body = read_plan(context, no)
            if body is None:
                return no_update, translate("drill.none", lang)
            name, content = write_file(
                context, wanted, body, filled(context, no, lang, minutes, people, points), note or "",
                leader or "", lang,
            )  # fmt: skip
        except StoreUnavailable:
            return no_update, translate("app.unavailable", lang)
        except InputError as e:
            return no_update, str(e)
        return dcc.send_bytes(lambda out: out.write(content), name), no_update


def write_file(
    context: Context, wanted: str, body: Body, rows: list[Row], note: str, leader: str, lang: str
) -> tuple[str, bytes]:
    """Name and bytes of the sheet as Excel or PDF, or of the plan as PDF.

    Raises
    ------
    InputError : this machine has no font with Chinese
    """
    stem = str(body["file"]).removesuffix(".md")
    subject = str(body["plan"]).splitlines()[0].removeprefix("# ")
    if wanted == "drill-excel":
        title = f"{translate('drill.sheet', lang)} · {subject}"
        return f"score-{stem}.xlsx", write_sheet(title, rows, note, leader, lang)
    if wanted == "drill-pdf":
        return f"score-{stem}.pdf", print_sheet(context.county, subject, rows, note, leader, lang)
    return f"{stem}.pdf", print_plan(context.county, str(body["plan"]), lang)
