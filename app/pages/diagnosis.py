"""供热诊断: what the twin finds wrong, why it thinks so, and what to check next."""

import time

import dash_ag_grid as dag
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from app.charts.lines import ACCENT, WARM, Line, draw_lines, renew_lines
from app.domains.heating.findings import name_place, tell_finding, tell_size
from app.format import MISSING, format_age, format_number, local_time
from app.i18n import translate
from app.pages.parts import kind_name, panel
from app.scene import scene_component
from app.web.context import Context
from app.web.shell import View
from ingest.store.finding_api import TwinFinding
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
    chart = dcc.Graph(
        id="finding-chart", config={"displayModeBar": False, "responsive": True}, className="ct-graph"
    )
    return [
        html.Div(
            [
                panel(translate("diagnosis.findings", lang), _grid(lang), "ct-findings"),
                html.Div(scene, className="ct-scene-box"),
                html.Section(
                    [html.Div(id="finding-detail", className="ct-finding-detail"), chart],
                    className="ct-panel ct-detail",
                ),
            ],
            className="ct-diagnosis",
        ),
        dcc.Store(id="diagnosis-lang", data=[lang, view.light]),
        dcc.Interval(id="diagnosis-tick", interval=5000),
    ]


def _grid(lang: str) -> html.Div:
    right = {"type": "rightAligned"}
    columns = [
        _column("state", "diagnosis.state", lang, minWidth=84, maxWidth=110, filter=True),
        _column("kind", "diagnosis.kind", lang, minWidth=120, filter=True),
        _column("place", "diagnosis.place", lang, flex=2, minWidth=190, filter=True),
        _column("size", "diagnosis.size", lang, minWidth=96, **right),
        _column("chance", "diagnosis.chance", lang, minWidth=84, **right),
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
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
        },
        className="ag-theme-quartz-auto-dark ct-grid",
    )
    return html.Div([grid, html.P(id="finding-note", className="ct-quiet")], className="ct-grid-note")


def _column(name: str, title: str, lang: str, **more: object) -> dict[str, object]:
    return {"field": name, "headerName": translate(title, lang), "flex": 1, **more}


def register(app: Dash, context: Context) -> None:
    @app.callback(
        Output("finding-grid", "rowData"),
        Output("finding-note", "children"),
        Input("diagnosis-tick", "n_intervals"),
        State("diagnosis-lang", "data"),
    )
    def refresh(_n: int | None, words: list[object]) -> tuple[object, object]:
        lang = str(words[0])
        try:
            return draw_rows(context, lang), draw_note(context, lang)
        except StoreUnavailable:
            return no_update, translate("app.unavailable", lang)

    @app.callback(
        Output("selection", "data", allow_duplicate=True),
        Input("finding-grid", "selectedRows"),
        prevent_initial_call=True,
    )
    def show_place(rows: list[dict[str, object]] | None) -> object:
        return rows[0]["place_id"] if rows and rows[0].get("place_id") else no_update

    @app.callback(
        Output("finding-detail", "children"),
        Output("finding-chart", "figure"),
        Input("finding-grid", "selectedRows"),
        Input("diagnosis-tick", "n_intervals"),
        State("diagnosis-lang", "data"),
    )
    def show_finding(
        rows: list[dict[str, object]] | None, _n: int | None, words: list[object]
    ) -> tuple[object, object]:
        lang, light = str(words[0]), bool(words[1])
        try:
            found = _pick(context, str(rows[0]["id"]) if rows else "")
            figure = draw_evidence(context, found, lang, light)
        except StoreUnavailable:
            return no_update, no_update
        tick = ctx.triggered_id == "diagnosis-tick" and bool(_n)
        return draw_detail(context, found, lang), renew_lines(figure) if tick else figure


def _all(context: Context) -> list[TwinFinding]:
    def ask() -> list[TwinFinding]:
        return context.store.findings(time.time() - WEEK_S)

    rows: list[TwinFinding] = context.ask("findings", 3.0, ask)
    return rows


def _pick(context: Context, finding_id: str) -> TwinFinding | None:
    """The chosen finding, else the first open one."""
    rows = _all(context)
    chosen = next((f for f in rows if f.id == finding_id), None)
    return chosen or next((f for f in rows if f.open), None)


def draw_rows(context: Context, lang: str) -> list[dict[str, object]]:
    """Rows of the table: open findings first, then those of the week that have ended."""
    zone, now = context.county.meta.timezone, time.time()
    out: list[dict[str, object]] = []
    for f in _all(context):
        told = tell_finding(context.county, f, lang)
        out.append(
            {
                "id": f.id,
                "place_id": told.place_id,
                "state": translate("diagnosis.open" if f.open else "diagnosis.ended", lang),
                "kind": told.kind,
                "place": told.place,
                "size": told.size,
                "chance": f"{format_number(100 * f.probability, 0)} %",
                "since": local_time(f.since, zone, "%m-%d %H:%M"),
                "lasted": format_age((now if f.open else f.t) - f.since, lang),
            }
        )
    return out


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
    if not _all(context):
        return translate("diagnosis.none", lang, at=at)
    return translate("diagnosis.looked", lang, at=at, n=sum(f.open for f in _all(context)))


def draw_detail(context: Context, f: TwinFinding | None, lang: str) -> list[object]:
    """Words about one finding, and its rivals."""
    if f is None:
        return [html.H2(translate("diagnosis.detail", lang)), html.P(translate("diagnosis.calm", lang))]
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
    head = [translate(f"diagnosis.{k}", lang) for k in ("suspect", "place", "size", "chance")]
    table = html.Table(
        [html.Thead(html.Tr([html.Th(h) for h in head])), html.Tbody(rows)], className="ct-table"
    )
    return [
        html.H2(title),
        html.P([html.B(translate("diagnosis.effect", lang)), told.effect]),
        html.P([html.B(translate("diagnosis.check", lang)), told.check]),
        table,
    ]


def draw_evidence(context: Context, f: TwinFinding | None, lang: str, light: bool) -> go.Figure:
    """What shows the finding: measured solid, simulated dashed, from three hours before it."""
    zone = context.county.meta.timezone
    if f is None:
        return draw_lines([], "", zone, keep="none", light=light, empty=translate("diagnosis.calm", lang))
    points = [context.county.point_by_id[p] for p in tell_finding(context.county, f, lang).points]
    start = f.since - BEFORE_S
    end = time.time() if f.open else min(f.t + BEFORE_S, time.time())
    lines, titles = [], []
    colours = ((ACCENT, WARM), ("#9fd8c4", "#e6d27a"))
    for i, p in enumerate(points):
        q = find_quantity(p.quantity)
        measured = context.store.history(p.no, start, end, 900)
        name = kind_name(p.key, lang)
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
