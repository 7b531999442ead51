"""预演: pick an incident, see the county hours ahead, the alternatives side by side, and a plan to keep."""

import math
import time

import numpy as np
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, dcc, html, no_update

from app.charts.lines import Line, draw_lines
from app.domains.heating.contingency import (
    case_cells,
    list_steps,
    name_case,
    tell_hours,
    write_plan,
)
from app.domains.heating.rehearse import Alternative, Answer, RolledUp, Stage
from app.format import format_number, local_time
from app.i18n import translate
from app.pages.parts import panel
from app.web.context import Context
from app.web.shell import View
from ingest.store.api import RollUpSeries
from twin.model.errors import InputError, StoreUnavailable
from twin.model.network import Side
from twin.rehearsal import INCIDENTS, Incident

HORIZONS_H = (12, 24, 48)
KEPT = 8
"""Answers kept for their plans."""
COLOURS = ("#4cc2ff", "#ffb066", "#9fd8c4", "#e6d27a", "#c9a7ff")
COMMON_HOLES_MM = (30, 50, 80, 120, 200)


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    chart = dcc.Graph(
        id="rehearsal-chart", config={"displayModeBar": False, "responsive": True}, className="ct-graph"
    )
    return [
        html.Div(
            [
                panel(translate("rehearsal.incident", lang), _form(context, lang), "ct-fit"),
                html.Div(
                    [
                        panel(
                            translate("rehearsal.alternatives", lang),
                            dcc.Loading(
                                html.Div(_hint(lang), id="rehearsal-table", className="ct-scroll"), type="dot"
                            ),
                            "ct-fit",
                        ),
                        panel(translate("rehearsal.rooms", lang), chart, "ct-rehearsal-chart"),
                    ],
                    className="ct-column",
                ),
                html.Div(
                    [
                        panel(translate("plan.steps", lang), html.Div(id="rehearsal-steps"), "ct-fit"),
                        panel(
                            translate("rehearsal.first", lang),
                            html.Div(id="rehearsal-worst", className="ct-scroll"),
                        ),
                    ],
                    className="ct-column",
                ),
            ],
            className="ct-rehearsal",
        ),
        dcc.Store(id="rehearsal-lang", data=[lang, view.light]),
        dcc.Store(id="rehearsal-no"),
        dcc.Download(id="rehearsal-plan"),
    ]


def _hint(lang: str) -> html.P:
    return html.P(translate("rehearsal.hint", lang), className="ct-quiet")


def _form(context: Context, lang: str) -> html.Div:
    kinds = [{"label": translate(f"incident.{k}", lang), "value": k} for k in INCIDENTS]
    hours = [{"label": f"{h} h", "value": h} for h in HORIZONS_H]
    kind = dcc.Dropdown(
        kinds, "burst", id="rehearsal-kind", clearable=False, searchable=False, className="ct-pick"
    )
    place = dcc.Dropdown(
        _places(context, "burst", lang), None, id="rehearsal-place", className="ct-pick",
        placeholder=translate("rehearsal.pick", lang),
    )  # fmt: skip
    size = html.Span(dcc.Input(id="rehearsal-size", type="number", value=80, className="ct-input"))
    horizon = dcc.RadioItems(hours, 24, id="rehearsal-hours", inline=True, className="ct-hours")
    return html.Div(
        [
            html.Label([translate("rehearsal.kind", lang), kind]),
            html.Label([translate("rehearsal.place", lang), place]),
            html.Label([html.Span(id="rehearsal-size-name"), size]),
            html.Label([translate("rehearsal.horizon", lang), horizon]),
            html.Button(translate("rehearsal.run", lang), id="rehearsal-run", className="ct-button"),
            html.Button(translate("rehearsal.save", lang), id="rehearsal-save", className="ct-button"),
            html.P(id="rehearsal-said", className="ct-quiet"),
            html.Label(
                [
                    translate("rehearsal.kept", lang),
                    dcc.Dropdown(
                        [],
                        None,
                        id="rehearsal-kept",
                        searchable=False,
                        className="ct-pick",
                        placeholder=translate("rehearsal.kept_none", lang),
                    ),
                ]
            ),
        ],
        className="ct-form",
    )


def _places(context: Context, kind: str, lang: str) -> list[dict[str, str]]:
    n = context.county.network
    sort = INCIDENTS[kind][0]

    def name(x: object) -> str:
        return str(getattr(x, "name" if lang == "zh" else "name_en"))

    if sort == "pipe":
        rows = sorted(n.pipes, key=lambda p: (-p.diameter_m, p.side != Side.SUPPLY, p.id))
        return [
            {
                "label": f"{p.id} · {translate(f'fault.{p.side.value}', lang)} · DN{1000 * p.diameter_m:.0f}",
                "value": p.id,
            }
            for p in rows
        ]
    if sort == "source":
        return [{"label": name(s), "value": s.id} for s in n.sources]
    if sort == "station":
        return [{"label": name(s), "value": s.id} for s in n.substations]
    if sort == "valve":
        return [{"label": f"{v.id} · {v.pipe_id}", "value": v.id} for v in n.valves]
    return []


def register(app: Dash, context: Context) -> None:
    kept: dict[str, tuple[Incident, str, Answer]] = {}
    _register_form(app, context)
    _register_run(app, context, kept)
    _register_kept(app, context)

    @app.callback(
        Output("rehearsal-plan", "data"),
        Output("rehearsal-kept", "options", allow_duplicate=True),
        Input("rehearsal-save", "n_clicks"),
        State("rehearsal-no", "data"),
        State("rehearsal-lang", "data"),
        prevent_initial_call=True,
    )
    def save(_clicks: int | None, no: str | None, words: list[object]) -> object:
        if no not in kept:
            return no_update, no_update
        incident, place, answer = kept[no]
        lang = str(words[0])
        text = write_plan(context.county, incident, place, answer, lang)
        name = f"plan-{incident.kind}-{place or 'county'}.md"
        try:
            title = f"{translate(f'incident.{incident.kind}', lang)} {place}".strip()
            context.store.keep("rehearsal", title, describe_rehearsal(incident, answer, text, name))
            options: object = kept_options(context)
        except StoreUnavailable:
            options = no_update
        return {"content": text, "filename": name}, options


def describe_rehearsal(incident: Incident, answer: Answer, text: str, name: str) -> dict[str, object]:
    """What is kept of a rehearsal, to be held against what happens: the incident, where it started, how each
    alternative was judged, and the plan as it was exported."""
    return {
        "t": answer.t, "kind": incident.kind, "place": incident.at, "size": incident.size, "plan": text,
        "file": name,
        "alternatives": [
            {"case": a.run.case.name, "degree_hours": a.judgement.degree_hours, "lost_t": a.judgement.lost_t}
            for a in answer.alternatives
        ],
    }  # fmt: skip


def kept_options(context: Context) -> list[dict[str, str]]:
    """Plans that were kept in the last year, newest first."""
    zone = context.county.meta.timezone
    rows = context.store.kept("rehearsal", time.time() - 365 * 86_400.0, 50)
    return [
        {"label": f"{local_time(r.made, zone, '%m-%d %H:%M')} {r.title}", "value": str(r.no)} for r in rows
    ]


def _register_kept(app: Dash, context: Context) -> None:
    @app.callback(Output("rehearsal-kept", "options"), Input("rehearsal-lang", "data"))
    def offer(_words: list[object]) -> object:
        try:
            return kept_options(context)
        except StoreUnavailable:
            return no_update

    @app.callback(
        Output("rehearsal-plan", "data", allow_duplicate=True),
        Input("rehearsal-kept", "value"),
        prevent_initial_call=True,
    )
    def fetch(no: str | None) -> object:
        try:
            body = context.store.kept_body(int(no)) if no else None
        except (StoreUnavailable, ValueError):
            return no_update
        if not isinstance(body, dict):
            return no_update
        return {"content": str(body["plan"]), "filename": str(body["file"])}


def _register_form(app: Dash, context: Context) -> None:
    @app.callback(
        Output("rehearsal-place", "options"),
        Output("rehearsal-place", "value"),
        Output("rehearsal-place", "disabled"),
        Output("rehearsal-size-name", "children"),
        Output("rehearsal-size", "value"),
        Output("rehearsal-size", "disabled"),
        Input("rehearsal-kind", "value"),
        State("rehearsal-lang", "data"),
    )
    def choose(kind: str, words: list[object]) -> tuple[object, ...]:
        lang = str(words[0])
        places = _places(context, kind, lang)
        usual, most = INCIDENTS[kind][3], INCIDENTS[kind][2]
        label = translate(f"size.{kind}", lang) if most > 0 else translate("size.none", lang)
        return (places, places[0]["value"] if places else None, not places, label,
                usual * _scale(kind) if most > 0 else None, most == 0)  # fmt: skip


def _register_run(app: Dash, context: Context, kept: dict[str, tuple[Incident, str, Answer]]) -> None:
    stage = Stage(context.county)

    @app.callback(
        Output("rehearsal-table", "children"),
        Output("rehearsal-chart", "figure"),
        Output("rehearsal-steps", "children"),
        Output("rehearsal-worst", "children"),
        Output("rehearsal-said", "children"),
        Output("rehearsal-no", "data"),
        Input("rehearsal-run", "n_clicks"),
        State("rehearsal-kind", "value"),
        State("rehearsal-place", "value"),
        State("rehearsal-size", "value"),
        State("rehearsal-hours", "value"),
        State("rehearsal-lang", "data"),
    )
    def run(
        clicks: int | None, kind: str, place: str | None, size: float | None, hours: int, words: list[object]
    ) -> tuple[object, ...]:
        lang, light = str(words[0]), bool(words[1])
        if not clicks:
            empty = draw_lines([], "", context.county.meta.timezone, keep="none", light=light,
                               empty=translate("rehearsal.hint", lang))  # fmt: skip
            return no_update, empty, _hint(lang), _hint(lang), no_update, no_update
        wrong = check_form(kind, place, size, lang)
        if wrong:
            return (*[no_update] * 4, wrong, no_update)
        incident = Incident(kind, place or "", 0.0 if size is None else float(size) / _scale(kind))
        try:
            answer = stage.rehearse(context.values_now(), _ask(context), time.time(), incident, float(hours))
        except InputError:
            return (*[no_update] * 4, translate("rehearsal.no_start", lang), no_update)
        except StoreUnavailable:
            return (*[no_update] * 4, translate("app.unavailable", lang), no_update)
        no = f"{answer.t:.3f}"
        kept[no] = (incident, place or "", answer)
        while len(kept) > KEPT:
            kept.pop(next(iter(kept)))
        return (
            draw_table(answer, lang), draw_rooms(context, answer, lang, light),
            draw_steps(incident, answer.alternatives[0], lang), draw_worst(context, stage, answer, lang),
            translate("rehearsal.took", lang, s=format_number(answer.seconds, 1)), no,
        )  # fmt: skip


def _ask(context: Context) -> RolledUp:
    def rolled_up(point_no: int, start: float, end: float) -> RollUpSeries:
        return context.store.rolled_up(point_no, start, end, 300)

    return rolled_up


def _scale(kind: str) -> float:
    """From SI to the unit of the form: holes in mm, shares in per cent."""
    return {"burst": 1000.0, "source_trip": 100.0, "fuel_shortage": 100.0}.get(kind, 1.0)


def check_form(kind: str, place: str | None, size: float | None, lang: str) -> str:
    """What is wrong with the form, in words; empty when nothing is."""
    sort, least, most, _ = INCIDENTS[kind]
    if sort in ("pipe", "source", "station", "valve") and not place:
        return translate("rehearsal.need_place", lang)
    if most > 0.0:
        low, high = least * _scale(kind), most * _scale(kind)
        if size is None or not math.isfinite(size) or not low <= size <= high:
            return translate("rehearsal.need_size", lang, low=f"{low:g}", high=f"{high:g}")
    return ""


def draw_table(answer: Answer, lang: str) -> html.Table:
    """Alternatives from best to worst."""
    heads = ("case", "below_16", "below_14", "first_16", "lost", "score")
    horizon = answer.alternatives[0].run.time_s[-1] / 3600.0
    rows = []
    for k, a in enumerate(answer.alternatives):
        cells = case_cells(a, horizon, lang)
        name = [html.B(cells[0]), html.Small(translate("rehearsal.best", lang))] if k == 0 else [cells[0]]
        rows.append(html.Tr([html.Td(name), *[html.Td(c) for c in cells[1:]]]))
    head = html.Thead(html.Tr([html.Th(translate(f"rehearsal.{h}", lang)) for h in heads]))
    return html.Table([head, html.Tbody(rows)], className="ct-table ct-right")


def draw_rooms(context: Context, answer: Answer, lang: str, light: bool) -> go.Figure:
    """The coldest tenth of all buildings under every alternative."""
    lines = []
    for colour, a in zip(COLOURS, answer.alternatives, strict=False):
        t = answer.t + a.run.time_s[::5]
        cold = np.quantile(a.run.t_room_c[::5], 0.1, axis=1)
        lines.append(Line(t, cold, name_case(a.run.case.name, lang), colour, dashed=True))
    figure = draw_lines(
        lines,
        translate("rehearsal.axis", lang),
        context.county.meta.timezone,
        keep=f"{answer.t}",
        light=light,
    )
    for limit in (18.0, 16.0, 14.0):
        if min(float(np.nanmin(line.y)) for line in lines) < limit + 1.0:
            figure.add_hline(y=limit, line={"width": 1, "dash": "dot", "color": "#8fa3b8"})
    return figure


def draw_steps(incident: Incident, best: Alternative, lang: str) -> html.Ol:
    """The plan of the best alternative."""
    rows = [
        html.Li([html.B(after), html.Span(role, className="ct-quiet"), html.Span(what)])
        for after, role, what in list_steps(incident, best, lang)
    ]
    return html.Ol(rows, className="ct-steps")


def draw_worst(context: Context, stage: Stage, answer: Answer, lang: str) -> html.Table:
    """Buildings that get cold first if nothing is done, hospitals and schools on top."""
    nothing = next(a for a in answer.alternatives if not a.run.case.measures)
    ids = stage.system().buildings.ids
    buildings = {b.id: b for b in context.county.buildings}
    stations = {s.id: s for s in context.county.network.substations}
    horizon = float(nothing.run.time_s[-1] / 3600.0)
    hours, lowest = nothing.judgement.hours_until, nothing.judgement.lowest_c
    first = set(nothing.judgement.first)
    order = sorted(range(len(ids)), key=lambda k: (ids[k] not in first, hours[0, k], lowest[k]))[:14]
    rows = []
    for k in order:
        b = buildings[ids[k]]
        s = stations[b.substation_id]
        rows.append(
            html.Tr(
                [
                    html.Td(b.name or b.id),
                    html.Td(s.name if lang == "zh" else s.name_en),
                    html.Td(format_number(b.homes, 0)),
                    html.Td(tell_hours(float(hours[0, k]), horizon, lang)),
                    html.Td(tell_hours(float(hours[1, k]), horizon, lang)),
                    html.Td(f"{format_number(float(lowest[k]), 1)} °C"),
                ]
            )
        )  # fmt: skip
    heads = ("building", "station", "homes", "to_16", "to_14", "lowest")
    head = html.Thead(html.Tr([html.Th(translate(f"rehearsal.{h}", lang)) for h in heads]))
    return html.Table([head, html.Tbody(rows)], className="ct-table ct-right")
