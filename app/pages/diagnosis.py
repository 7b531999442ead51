"""供热诊断: what the twin finds wrong, why it thinks so, and what to check next."""

import time
from urllib.parse import urlencode

import dash_ag_grid as dag
import plotly.graph_objects as go
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from app.charts.lines import ACCENT, WARM, Line, draw_lines, renew_lines
from app.domains.heating.findings import Told, name_place, tell_finding, tell_size
from app.domains.heating.said import (
    LONGEST_NOTE,
    MUTED_H,
    SEASON_S,
    STATES,
    latest_words,
    rate_hits,
    sayings,
)
from app.domains.heating.sight import fetch_sight, learnt_hours, tell_sight
from app.domains.heating.spots import silent_stations
from app.format import MISSING, format_age, format_number, local_time
from app.i18n import TEXTS, translate
from app.pages import search
from app.pages.parts import grid_words, kind_name, panel
from app.scene import scene_component
from app.web.context import Context
from app.web.finding_routes import PATH
from app.web.shell import View
from ingest.store.finding_api import TwinFinding
from twin.diagnosis.kinds import FAULTS
from twin.model.errors import StoreUnavailable
from twin.model.quantities import find_quantity

DAY_S = 86_400.0
WEEK_S = 7 * DAY_S
BEFORE_S = 3 * 3600.0
"""The evidence chart begins so long before a finding."""


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    scene = scene_component(
        "scene", view="heating", lang=lang, theme="light" if view.light else "dark", controls=not view.kiosk
    )
    waiting = draw_lines([], "", context.county.meta.timezone, keep="none", light=view.light, empty="")
    chart = dcc.Graph(
        id="finding-chart",
        figure=waiting,
        config={"displayModeBar": False, "responsive": True},
        className="ct-graph",
    )
    return [
        html.Div(
            [
                panel(translate("diagnosis.findings", lang), _grid(lang), "ct-findings"),
                html.Div(scene, className="ct-scene-box"),
                html.Section(
                    [
                        html.Div(
                            [
                                html.Div(
                                    [
                                        html.Div(id="finding-detail", className="ct-finding-detail"),
                                        search.layout(view),
                                    ],
                                    className="ct-finding-scroll",
                                ),
                                _say_form(lang),
                            ],
                            className="ct-finding-side",
                        ),
                        chart,
                    ],
                    className="ct-panel ct-detail",
                ),
            ],
            className="ct-diagnosis",
        ),
        dcc.Store(id="diagnosis-lang", data=[lang, view.light]),
        dcc.Store(id="finding-shown"),
        dcc.Interval(id="diagnosis-tick", interval=5000),
    ]


def _say_form(lang: str) -> html.Div:
    """What people may say of the shown finding; apart from it, so that typing is not disturbed."""
    buttons = [
        html.Button(translate(f"said.{v}", lang), className="ct-button", **{"data-verdict": v})
        for v in STATES
    ]
    note = dcc.Input(
        id="finding-text", type="text", maxLength=LONGEST_NOTE, className="ct-input",
        placeholder=translate("said.text", lang),
    )  # fmt: skip
    words = {
        "data-say": PATH,
        "data-done": translate("said.done", lang),
        "data-refused": TEXTS["said.refused"][lang != "zh"],
    }
    return html.Div(
        [note, *buttons, html.Span(id="finding-said", role="status")], className="ct-finding-say", **words
    )


def _grid(lang: str) -> html.Div:
    right = {"type": "rightAligned"}
    columns = [
        _column("state", "diagnosis.state", lang, minWidth=84, maxWidth=110, filter=True),
        _column("kind", "diagnosis.kind", lang, flex=1.5, minWidth=160, filter=True),
        _column("place", "diagnosis.place", lang, flex=2, minWidth=190, filter=True),
        _column("size", "diagnosis.size", lang, minWidth=96, **right),
        _column("chance", "diagnosis.chance", lang, minWidth=84, **right),
        _column("said", "said.title", lang, minWidth=92),
        _column("since", "diagnosis.since", lang, minWidth=120, **right),
        _column("lasted", "diagnosis.lasted", lang, minWidth=84, **right),
    ]
    grid = dag.AgGrid(
        id="finding-grid",
        rowData=[],
        columnDefs=columns,
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True},
        dashGridOptions={
            "animateRows": False,
            "localeText": grid_words(lang, translate("diagnosis.calm", lang)),
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
        },
        className="ag-theme-quartz-auto-dark ct-grid",
    )
    sight = html.Details(
        [html.Summary(translate("sight.title", lang)), html.Ul(id="finding-sight")], className="ct-sight"
    )
    return html.Div([grid, html.P(id="finding-note", className="ct-quiet"), sight], className="ct-grid-note")


def _column(name: str, title: str, lang: str, **more: object) -> dict[str, object]:
    return {"field": name, "headerName": translate(title, lang), "flex": 1, **more}


def register(app: Dash, context: Context) -> None:
    search.register(app, context)

    @app.callback(
        Output("finding-grid", "rowData"),
        Output("finding-note", "children"),
        Output("finding-sight", "children"),
        Input("diagnosis-tick", "n_intervals"),
        State("diagnosis-lang", "data"),
    )
    def refresh(_n: int | None, words: list[object]) -> tuple[object, object, object]:
        lang = str(words[0])
        try:
            return draw_rows(context, lang), draw_note(context, lang), draw_sight(context, lang)
        except StoreUnavailable:
            return no_update, translate("app.unavailable", lang), no_update

    # what is chosen in the table is shown in the scene, without a way over the server
    app.clientside_callback(
        ClientsideFunction("ct", "showFinding"),
        Input("finding-grid", "selectedRows"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("finding-detail", "children"),
        Output("finding-chart", "figure"),
        Output("finding-shown", "data"),
        Input("finding-grid", "selectedRows"),
        Input("diagnosis-tick", "n_intervals"),
        State("diagnosis-lang", "data"),
        State("finding-shown", "data"),
    )
    def show_finding(
        rows: list[dict[str, object]] | None, _n: int | None, words: list[object], shown: str | None
    ) -> tuple[object, object, object]:
        lang, light = str(words[0]), bool(words[1])
        try:
            found = _pick(context, str(rows[0]["id"]) if rows else "")
            figure = draw_evidence(context, found, lang, light)
        except StoreUnavailable:
            return no_update, no_update, no_update
        # only a chart that is there can be patched: on a slow machine the tick may come before it
        now = found.id if found is not None else "none"
        tick = ctx.triggered_id == "diagnosis-tick" and shown == now
        return draw_detail(context, found, lang), renew_lines(figure) if tick else figure, now


def _all(context: Context) -> list[TwinFinding]:
    def ask() -> list[TwinFinding]:
        return context.store.findings(time.time() - WEEK_S)

    rows: list[TwinFinding] = context.ask("findings", 3.0, ask)
    return rows


def _words(context: Context) -> dict[str, str]:
    """What people said of findings: id -> confirmed or rejected."""
    words: dict[str, str] = context.ask(
        "finding-words", 3.0, lambda: latest_words(context.store, time.time() - SEASON_S)
    )
    return words


def _pick(context: Context, finding_id: str) -> TwinFinding | None:
    """The chosen finding, else the first open one."""
    rows = _all(context)
    chosen = next((f for f in rows if f.id == finding_id), None)
    return chosen or next((f for f in rows if f.open), None)


def draw_rows(context: Context, lang: str) -> list[dict[str, object]]:
    """Rows of the table: open findings first, then those of the week that have ended."""
    zone, now = context.county.meta.timezone, time.time()
    out: list[dict[str, object]] = []
    words = _words(context)
    for f in _all(context):
        said = words.get(f.id, "")
        told = tell_finding(context.county, f, lang)
        out.append(
            {
                "id": f.id,
                "place_id": told.place_id,
                "spot": str(told.spot),
                "state": translate("diagnosis.open" if f.open else "diagnosis.ended", lang),
                "kind": told.kind,
                "place": told.place,
                "size": told.size,
                "chance": f"{format_number(100 * f.probability, 0)} %",
                "said": translate(f"said.{said}", lang) if said else "",
                "since": local_time(f.since, zone, "%m-%d %H:%M"),
                "lasted": format_age((now if f.open else f.t) - f.since, lang),
            }
        )
    return out


def draw_sight(context: Context, lang: str) -> list[html.Li]:
    """What the twin cannot know, line by line."""
    body = context.ask("sight", 30.0, lambda: fetch_sight(context.store))
    told = tell_sight(context.county, body, lang) if body else [translate("sight.none", lang)]
    return [html.Li(text) for text in told]


def draw_note(context: Context, lang: str) -> str:
    """How the twin is: what it compares, or why it does not."""
    state = context.ask("network", 2.0, context.store.network_state)
    if state is None:
        return translate("diagnosis.no_run", lang)
    if state.status == "warming":
        return translate("diagnosis.warming", lang)
    if state.status.startswith("failed"):
        return translate("diagnosis.failed", lang, why=state.status.partition(":")[2][:120])
    at = local_time(state.t, context.county.meta.timezone)
    return f"{_looked(context, at, lang)} · {_hits(context, lang)}"


def _hits(context: Context, lang: str) -> str:
    """The twin's own hit rate, by what people found."""
    hits = rate_hits(_words(context))
    if not hits.judged:
        return translate("said.no_rate", lang)
    share = format_number(100 * hits.true / hits.judged, 0)
    return translate("said.rate", lang, n=str(hits.judged), k=str(hits.true), p=share)


def _looked(context: Context, at: str, lang: str) -> str:
    if not _all(context):
        return translate("diagnosis.none", lang, at=at)
    return translate("diagnosis.looked", lang, at=at, n=sum(f.open for f in _all(context)))


def draw_detail(context: Context, f: TwinFinding | None, lang: str) -> list[object]:
    """Words about one finding, and its rivals."""
    if f is None:
        return [
            html.H2(translate("diagnosis.detail", lang)),
            html.P(_calm(context, lang)),
            html.H3(translate("sight.title", lang)),
            html.Ul(draw_sight(context, lang)),
        ]
    told = tell_finding(context.county, f, lang)
    title = " · ".join(x for x in (told.kind, told.place, told.size) if x)
    rows = [
        html.Tr(
            [
                html.Td(translate(f"fault.{s.kind}", lang)),
                html.Td(name_place(context.county, s.kind, s.place, lang)),
                html.Td(tell_size(context.county, s.kind, s.place, s.size, lang) or MISSING),
                html.Td(f"{format_number(100 * s.probability, 0)} %"),
            ]
        )
        for s in f.suspects[:5]
    ]
    zone, pipes = _zone(context, f, lang)
    head = [translate(f"diagnosis.{k}", lang) for k in ("suspect", "place", "size", "chance")]
    table = html.Table(
        [html.Thead(html.Tr([html.Th(h) for h in head])), html.Tbody(rows)], className="ct-table"
    )
    return [
        html.H2(
            title,
            **{
                "data-finding": f.id,
                "data-pipes": " ".join(pipes),
                "data-stations": " ".join(silent_stations(context.county, f)),
            },
        ),
        html.P([html.B(translate("diagnosis.effect", lang)), told.effect]),
        html.P([html.B(translate("diagnosis.check", lang)), told.check]),
        *([html.P(zone)] if zone else []),
        *_way_inside(context, told, lang),
        table,
        *_sayings(context, f, lang),
    ]


def _calm(context: Context, lang: str) -> str:
    """Nothing is found: because nothing is wrong, or because the twin is too young to tell."""
    young = learnt_hours(context.ask("sight", 30.0, lambda: fetch_sight(context.store)))
    if young is None:
        return translate("diagnosis.calm", lang)
    return translate("diagnosis.young", lang, h=format_number(young[0], 1), of=format_number(young[1], 1))


def _way_inside(context: Context, told: Told, lang: str) -> list[html.P]:
    """From a finding in a building to its rooms."""
    building = next((b for b in context.county.buildings if b.id == told.spot.building), None)
    if building is None or not told.place_id:
        return []
    words = {"sel": told.place_id, "building": building.id} | ({"lang": lang} if lang != "zh" else {})
    text = translate("diagnosis.inside", lang, building=building.name or building.id)
    return [html.P(dcc.Link(text, href=f"/heating?{urlencode(words)}"))]


def _zone(context: Context, f: TwinFinding, lang: str) -> tuple[str, list[str]]:
    """In words and by id, the pipes that together hold a fault of the network."""
    if FAULTS[f.kind].place != "pipe":
        return "", []
    rows = {s.place: s.probability for s in f.suspects if FAULTS[s.kind].place == "pipe"}
    length = sum(p.length_m for p in context.county.network.pipes if p.id in rows)
    if not length:
        return "", []
    share = format_number(100 * min(sum(rows.values()), 1.0), 0)
    text = translate("fault.zone", lang, n=str(len(rows)), m=format_number(length, 0), p=share)
    return text, list(rows)


def _sayings(context: Context, f: TwinFinding, lang: str) -> list[html.P]:
    """Everything people said of it, newest first."""
    zone = context.county.meta.timezone
    out = []
    for s in sayings(context.store, f)[:6]:
        who = s.who or translate("said.nobody", lang)
        what = translate(f"said.{s.state}", lang)
        at = local_time(s.t, zone, "%m-%d %H:%M")
        out.append(
            html.P(translate("said.line", lang, at=at, who=who, what=what, text=s.text), className="ct-quiet")
        )
    if f.id in _words(context) and _words(context)[f.id] == "rejected":
        out.append(html.P(translate("said.muted", lang, h=format_number(MUTED_H, 0)), className="ct-quiet"))
    return out


def draw_evidence(context: Context, f: TwinFinding | None, lang: str, light: bool) -> go.Figure:
    """What shows the finding: measured solid, simulated dashed, from three hours before it."""
    zone = context.county.meta.timezone
    if f is None:
        return draw_lines([], "", zone, keep="none", light=light, empty=_calm(context, lang))
    points = [context.county.point_by_id[p] for p in tell_finding(context.county, f, lang).points]
    start = f.since - BEFORE_S
    end = time.time() if f.open else min(f.t + BEFORE_S, time.time())
    lines, titles = [], []
    colours = ((ACCENT, WARM), ("#9fd8c4", "#e6d27a"))
    for i, p in enumerate(points):
        q = find_quantity(p.quantity)
        measured = context.store.history(p.no, start, end, 900)
        name = kind_name(p.key, lang)
        if sum(o.key == p.key for o in points) > 1:  # the same of two places
            name = name_place(context.county, "sensor_bias", p.id, lang)
        second = i > 0 and p.quantity != points[0].quantity
        lines.append(Line(measured.t, measured.value * q.scale, name, colours[i][0], second_axis=second))
        titles.append(f"{name} ({q.display_unit})")
        if p.simulated:
            s = context.store.simulated_history(p.no, start, end, 900)
            label = f"{name} {translate('chart.simulated', lang)}"
            lines.append(Line(s.t, s.value * q.scale, label, colours[i][1], dashed=True, second_axis=second))
    apart = len(points) > 1 and points[0].quantity != points[1].quantity
    figure = draw_lines(
        lines, titles[0] if titles else "", zone, keep=f.id, second_title=titles[1] if apart else "",
        light=light, span=(start, end), empty=translate("app.no_data", lang),
    )  # fmt: skip
    return figure
