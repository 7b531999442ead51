"""智慧供热: the scene, every station, and one station in detail: measured beside simulated."""

import time

import dash_ag_grid as dag
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from app.charts.lines import ACCENT, WARM, Line, draw_lines, renew_lines
from app.format import format_number
from app.i18n import translate
from app.pages.heating_desk import draw_desk, list_virtual, register_desk
from app.pages.heating_homes import draw_below, draw_trail
from app.pages.parts import grid_words, kind_name, live, panel
from app.pages.way import WAYS, draw_way
from app.scene import scene_component
from app.web.context import Context
from app.web.shell import View
from twin.model.errors import StoreUnavailable
from twin.model.network import Source, Substation
from twin.model.points import POINT_KINDS
from twin.model.quantities import find_quantity

COLUMNS = (
    ("p1_ts", "col.supply"), ("p1_tr", "col.return"), ("p1_flow", "col.flow"), ("p1_heat", "col.heat"),
    ("s2_ts", "col.second"), ("cv_pos", "col.valve"),
)  # fmt: skip
HOURS = (1, 6, 24)
PARTS = ("points", "homes")
"""What stands below the chart: the measured points of a place, or what lies below it."""


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    inside = view.building if any(b.id == view.building for b in context.county.buildings) else ""
    scene = scene_component(
        "scene", view="heating", lang=lang, theme="light" if view.light else "dark", controls=not view.kiosk
    )
    return [
        html.Div(
            [
                *draw_desk(view),
                html.Div(scene, className="ct-scene-box"),
                panel(translate("heating.stations", lang), _grid(context, lang), "ct-stations"),
                html.Section(
                    [
                        html.Div(id="station-head", className="ct-station-head"),
                        html.Div(_chart_tools(lang), className="ct-tools"),
                        dcc.Graph(
                            id="station-chart",
                            config={"displayModeBar": False, "responsive": True},
                            className="ct-graph",
                        ),
                        dcc.RadioItems(
                            id="detail-part",
                            options=[{"label": translate(f"below.{k}", lang), "value": k} for k in PARTS],
                            value="homes" if inside else "points",
                            inline=True,
                            className="ct-hours ct-parts",
                        ),
                        html.Div(id="station-points", className="ct-points"),
                    ],
                    className="ct-panel ct-detail",
                ),
            ],
            className="ct-heating",
        ),
        dcc.Store(id="heating-lang", data=[lang, view.light, view.kiosk or view.embed]),
        dcc.Store(id="heating-building", data=inside),
        dcc.Interval(id="heating-tick", interval=15_000),
    ]


def _grid(context: Context, lang: str) -> dag.AgGrid:
    rows = [
        {"id": s.id, "name": s.name if lang == "zh" else s.name_en}
        for s in context.county.network.substations
    ]
    columns: list[dict[str, object]] = [
        {
            "field": "name",
            "headerName": translate("col.name", lang),
            "pinned": "left",
            "width": 128,
            "minWidth": 118,
            "filter": True,
        }
    ]
    for key, text in COLUMNS:
        columns.append(
            {
                "colId": key,
                "headerName": translate(text, lang),
                "valueGetter": {"function": f"ctValue(params.data.id, '{key}')"},
                "cellRenderer": "CTPoint",
                "cellRendererParams": {"pointKey": key},
                "width": 92,
                "minWidth": 86,
                "type": "rightAligned",
            }
        )
    columns.append(
        {
            "colId": "z",
            "headerName": translate("col.z", lang),
            "valueGetter": {"function": "ctWorst(params.data.id)"},
            "cellRenderer": "CTWorst",
            "width": 78,
            "minWidth": 72,
            "type": "rightAligned",
        }
    )
    return dag.AgGrid(
        id="station-grid",
        rowData=rows,
        columnDefs=columns,
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
        dashGridOptions={
            "animateRows": False,
            "suppressCellFocus": False,
            "localeText": grid_words(lang, translate("app.no_data", lang)),
        },
        columnSize="responsiveSizeToFit",
        className="ag-theme-quartz-auto-dark ct-grid",
    )


def _chart_tools(lang: str) -> list[object]:
    keys = [k for k in POINT_KINDS.values() if k.simulated and not k.key.startswith("src_")]
    return [
        dcc.Dropdown(
            id="chart-key",
            options=[
                *({"label": k.zh if lang == "zh" else k.en, "value": k.key} for k in keys),
                *({"label": translate(f"profile.{key}", lang), "value": key} for key in WAYS),
            ],
            value="p1_ts",
            clearable=False,
            searchable=False,
            className="ct-pick",
        ),
        dcc.RadioItems(
            id="chart-hours",
            options=[{"label": translate("heating.hours", lang, n=h), "value": h} for h in HOURS],
            value=6,
            inline=True,
            className="ct-hours",
        ),
    ]


def register(app: Dash, context: Context) -> None:
    network = context.county.network
    places: dict[str, Substation | Source] = {s.id: s for s in network.substations}
    places |= {s.id: s for s in network.sources}
    home = {b.id: b.substation_id for b in context.county.buildings}

    register_desk(app, context)

    @app.callback(
        Output("station-head", "children"),
        Output("station-points", "children"),
        Input("selection", "data"),
        Input("heating-lang", "data"),
        Input("detail-part", "value"),
        Input("heating-building", "data"),
    )
    def show_station(
        selection: str | None, words: list[object], part: str, building: str | None
    ) -> tuple[object, object]:
        lang = str(words[0])
        place = places.get(selection or "")
        inside = building if building and place is not None and home.get(building) == place.id else ""
        trail = draw_trail(context, place.id if place else "", inside, lang)
        head = (
            _head(place, context, lang)
            if place is not None
            else [html.H2(translate("heating.detail", lang)), html.P(translate("heating.pick", lang))]
        )
        if part == "homes" or place is None:
            try:
                return [trail, *head], draw_below(context, place.id if place else "", inside, lang)
            except StoreUnavailable:
                return [trail, *head], html.P(translate("app.unavailable", lang), className="ct-quiet")
        return [trail, *head], _points(place.id, context, lang)

    @app.callback(
        Output("station-chart", "figure"),
        Input("selection", "data"),
        Input("chart-key", "value"),
        Input("chart-hours", "value"),
        Input("heating-tick", "n_intervals"),
        State("heating-lang", "data"),
    )
    def draw_chart(
        selection: str | None, key: str, hours: int, _n: int | None, words: list[object]
    ) -> object:
        try:
            lang, light = str(words[0]), bool(words[1])
            if key in WAYS:
                figure = draw_way(context, selection or "", key, lang, light)
            else:
                figure = draw_point(context, selection or "", key, float(hours), lang, light)
        except StoreUnavailable:
            return no_update
        return renew_lines(figure) if ctx.triggered_id == "heating-tick" else figure


def _head(place: Substation | Source, context: Context, lang: str) -> list[object]:
    facts: list[str] = []
    if isinstance(place, Substation):
        facts.append(translate("heating.area", lang, v=format_number(place.area_m2 / 1e4, 1)))
        facts.append(translate("heating.design", lang, v=format_number(place.design_heat_w / 1e6, 1)))
        community = next((p for p in context.county.places if p.id == place.community_id), None)
        if community is not None:
            facts.append(community.name if lang == "zh" else community.name_en)
    return [html.H2(place.name if lang == "zh" else place.name_en), html.P(" · ".join(facts))]


def _points(place_id: str, context: Context, lang: str) -> html.Table:
    head = html.Tr(
        [
            html.Th(translate(k, lang))
            for k in ("col.name", "col.value", "col.sim", "col.dev", "col.z", "col.age")
        ]
    )
    rows, virtual = [], _virtual(context)
    for p in context.county.points:
        if p.place_id != place_id:
            continue
        name: list[object] = [kind_name(p.key, lang)]
        if p.id in virtual:
            mark = translate("heating.virtual", lang)
            name += [
                " ",
                html.Span(mark, title=translate("heating.virtual_why", lang), **{"data-level": "watch"}),
            ]
        cells = [html.Td(name), html.Td(live(p.id))]
        if p.simulated:
            cells += [
                html.Td(live(p.id, "sim")),
                html.Td(live(p.id, "residual", unit=False)),
                html.Td(live(p.id, "z")),
            ]
        else:
            cells += [html.Td(), html.Td(), html.Td()]
        rows.append(html.Tr([*cells, html.Td(live(p.id, "age"))]))
    return html.Table([html.Thead(head), html.Tbody(rows)], className="ct-table")


def _virtual(context: Context) -> frozenset[str]:
    """Points for which the simulated value stands in; none while the store is away."""
    try:
        return list_virtual(context)
    except StoreUnavailable:
        return frozenset()


def draw_point(context: Context, place: str, key: str, hours: float, lang: str, light: bool) -> go.Figure:
    """Measured solid, simulated dashed; a source shows the same quantity of its own, and stands for the
    county where no ``place`` is chosen."""
    known = context.county.point_by_id
    source = context.county.network.sources[0]
    name = "" if place else (source.name if lang == "zh" else source.name_en) + " "
    at = place or source.id
    point = known.get(f"{at}/{key}") or known.get(f"{at}/{key.replace('p1_', 'src_')}")
    end = time.time()
    start = end - 3600.0 * hours
    lines: list[Line] = []
    q = find_quantity(POINT_KINDS[key].quantity)
    if point is not None:
        measured = context.store.history(point.no, start, end, 1200)
        simulated = context.store.simulated_history(point.no, start, end, 1200)
        lines = [
            Line(measured.t, measured.value * q.scale, name + translate("chart.measured", lang), ACCENT),
            Line(
                simulated.t, simulated.value * q.scale, name + translate("chart.simulated", lang), WARM,
                dashed=True,
            ),
        ]  # fmt: skip
    return draw_lines(
        lines, f"{kind_name(key, lang)} ({q.display_unit})", context.county.meta.timezone,
        keep=f"{place}{key}{hours}", light=light, span=(start, end),
        empty=translate("app.no_data" if place else "heating.pick", lang),
    )  # fmt: skip
