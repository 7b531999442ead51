"""平衡与补偿: every station beside its compensation curve, and the valves to set."""

import math
import time
from collections.abc import Callable
from typing import TypeVar

import plotly.graph_objects as go
from dash import Dash, Input, Output, State, dcc, html, no_update

from app.charts.lines import ACCENT, WARM, dress, say_empty
from app.domains.heating.balance import (
    CurveDot,
    balance_now,
    compare_curves,
    say_act,
    write_work_list,
)
from app.domains.heating.inlets import Turned, read_inlets, read_turned
from app.domains.heating.kpi import compute_figures
from app.domains.heating.visits import read_visits
from app.format import MISSING, format_number, local_time
from app.i18n import translate
from app.pages.parts import panel
from app.pages.visits import draw_visits, note_button, tell_visits
from app.web.balance_routes import PATH
from app.web.context import Context
from app.web.shell import View
from twin.dispatch.balance import GOOD, BalanceRow
from twin.dispatch.inlets import InletBook, InletRow, compile_inlets
from twin.heat import CompiledNetwork, compile_network
from twin.model.errors import EngineError, InputError, StoreUnavailable

Row = TypeVar("Row", BalanceRow, InletRow)
INLETS = 80
"""Rows of the work list that a page shows; the file has them all."""
NEAR_K = 2.0
"""A station this near its curve follows it."""


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    chart = dcc.Graph(
        id="curve-chart", config={"displayModeBar": False, "responsive": True}, className="ct-graph"
    )
    save = html.Button(translate("balance.save", lang), id="balance-save", className="ct-button")
    left = html.Div(
        [
            panel(
                translate("balance.curves", lang),
                html.Div([chart, html.P(id="curve-note", className="ct-quiet")]),
                "ct-dispatch-chart",
            ),
            panel(
                translate("balance.visits", lang),
                html.Div([html.Div(id="visit-list", className="ct-scroll"), tell_visits(view)]),
                "ct-balance-list",
            ),
        ],
        className="ct-column ct-balance-half",
    )
    lists = html.Div(
        [
            panel(
                translate("balance.list", lang),
                html.Div([html.Div(id="balance-list", className="ct-scroll"), html.P(save)]),
                "ct-balance-list",
            ),
            panel(
                translate("balance.inlets", lang),
                html.Div(
                    [
                        html.Div(id="inlet-list", className="ct-scroll"),
                        note_button(view, "turned", "turned", {"data-balance": PATH}, "inlet-said"),
                    ]
                ),
                "ct-balance-list",
            ),
        ],
        className="ct-column ct-balance-half",
    )
    return [
        html.Div([left, lists], className="ct-dispatch"),
        dcc.Store(id="balance-lang", data=[lang, view.light]),
        dcc.Interval(id="balance-tick", interval=30_000),
        dcc.Interval(id="inlet-tick", interval=600_000),
        dcc.Download(id="balance-file"),
    ]


class _Lists:
    """Both work lists; what they need of the county is compiled when first asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._net: CompiledNetwork | None = None
        self._places: InletBook | None = None

    def stations(self) -> tuple[BalanceRow, ...]:
        """Valves of the stations. Raises as :func:`balance_now` does."""
        c = self._context
        net = self._net = self._net or compile_network(c.county.network)
        rows: tuple[BalanceRow, ...] = c.ask(
            "balance", 20.0, lambda: balance_now(c.county, net, c.values_now())
        )
        return rows

    def inlets(self) -> tuple[InletRow, ...]:
        """Inlet valves of the buildings. Raises as :func:`read_inlets` does."""
        c = self._context
        places = self._places = self._places or compile_inlets(c.county)
        rows: tuple[InletRow, ...] = c.ask(
            "inlets", 60.0, lambda: read_inlets(c.county, places, c.store, time.time())
        )
        return rows


def register(app: Dash, context: Context) -> None:
    lists = _Lists(context)
    _register_file(app, context, lists)

    @app.callback(
        Output("curve-chart", "figure"),
        Output("curve-note", "children"),
        Output("balance-list", "children"),
        Input("balance-tick", "n_intervals"),
        State("balance-lang", "data"),
    )
    def show(_n: int | None, words: list[object]) -> tuple[object, object, object]:
        lang, light = str(words[0]), bool(words[1])
        try:
            value = context.values_now()
            t_out = compute_figures(context.county, value).t_out_c
            dots = compare_curves(context.county, value, t_out)
            table = draw_list(context, lists.stations(), lang)
        except StoreUnavailable:
            return no_update, translate("app.unavailable", lang), no_update
        except (InputError, EngineError):
            table = html.P(translate("balance.none", lang), className="ct-calm")
        return draw_curves(context, dots, lang, light), tell_curves(dots, t_out, lang), table

    @app.callback(
        Output("inlet-list", "children"),
        Output("visit-list", "children"),
        Input("inlet-tick", "n_intervals"),
        State("balance-lang", "data"),
    )
    def show_inlets(_n: int | None, words: list[object]) -> tuple[object, object]:
        lang, now = str(words[0]), time.time()
        try:
            rows, turned = lists.inlets(), read_turned(context.store, now)
            visits = draw_visits(context, rows, read_visits(context.store, now), lang)
            return draw_inlets(context, rows, turned, lang), visits
        except StoreUnavailable:
            return no_update, no_update
        except InputError:
            none = html.P(translate("balance.no_rooms", lang), className="ct-calm")
            return none, none


def _register_file(app: Dash, context: Context, lists: _Lists) -> None:
    @app.callback(
        Output("balance-file", "data"),
        Input("balance-save", "n_clicks"),
        State("balance-lang", "data"),
        prevent_initial_call=True,
    )
    def save(_clicks: int | None, words: list[object]) -> object:
        try:
            zone, stations, inlets = context.county.meta.timezone, lists.stations, lists.inlets
            book = write_work_list(context.county, _or_none(stations), _or_none(inlets), str(words[0]))
        except StoreUnavailable:
            return no_update
        return dcc.send_bytes(
            lambda out: out.write(book), f"balance-{local_time(time.time(), zone, '%Y%m%d-%H%M')}.xlsx"
        )


def _or_none(call: Callable[[], tuple[Row, ...]]) -> tuple[Row, ...]:
    """The rows, or none where too little is measured for them."""
    try:
        return call()
    except (InputError, EngineError):
        return ()


def draw_inlets(
    context: Context, rows: tuple[InletRow, ...], turned: dict[str, Turned], lang: str
) -> html.Div:
    """The work list inside the circuits: what helps most homes most first."""
    stations = {s.id: s.name if lang == "zh" else s.name_en for s in context.county.network.substations}
    names = {b.id: b.name or b.id for b in context.county.buildings}
    zone = context.county.meta.timezone
    heads = ["take", "building", "turn", "beside", "room", "flow", "station"]
    if turned:
        heads.insert(1, "when")
    head = html.Thead(html.Tr([html.Th(translate(f"balance.{h}", lang)) for h in heads]))
    shown = [r for r in rows if r.act][:INLETS] + [r for r in rows if r.building_id in turned]
    body = []
    for r in shown:
        done = turned.get(r.building_id)
        tick = dcc.Checklist([{"label": "", "value": "x"}], []) if done is None else ""
        flow = (
            f"{format_number(3.6 * r.flow_kg_s, 1)} → {format_number(3.6 * r.flow_kg_s * r.turn, 1)}"
            if math.isfinite(r.flow_kg_s)
            else MISSING
        )
        when = "" if done is None else f"{local_time(done.t, zone, '%m-%d %H:%M')} {done.who}"
        cells: list[object] = [
            tick, names[r.building_id], f"{100.0 * (r.turn - 1.0):+.0f}",
            f"{r.beside_k:+.1f} ± {r.sigma_k:.1f}", format_number(r.room_c, 1), flow, stations[r.station_id],
        ]  # fmt: skip
        if turned:
            cells.insert(1, when)
        marks = {"data-building": r.building_id, "data-turn": f"{r.turn:.3f}"}
        body.append(html.Tr([html.Td(c) for c in cells], **marks))
    known = sum(r.rooms > 0 for r in rows)
    said = translate(
        "balance.inlets_said", lang, n=str(sum(r.act for r in rows)), all=str(len(rows)), known=str(known)
    )
    return html.Div(
        [
            html.P(said, className="ct-quiet"),
            html.Table([head, html.Tbody(body)], className="ct-table ct-inlets"),
        ]
    )


def draw_curves(context: Context, dots: tuple[CurveDot, ...], lang: str, light: bool) -> go.Figure:
    """Wanted against measured, a dot per station, with the line on which they should lie."""
    names = {s.id: s.name if lang == "zh" else s.name_en for s in context.county.network.substations}
    figure = go.Figure()
    if dots:
        low = min(min(d.wanted_c, d.measured_c) for d in dots) - 3.0
        high = max(max(d.wanted_c, d.measured_c) for d in dots) + 3.0
        for shift, dash in ((0.0, "solid"), (NEAR_K, "dot"), (-NEAR_K, "dot")):
            figure.add_scatter(
                x=[low, high], y=[low + shift, high + shift], mode="lines", hoverinfo="skip",
                line={"color": ACCENT, "width": 1.5 if dash == "solid" else 1, "dash": dash},
                name=translate("balance.curve" if dash == "solid" else "balance.near", lang),
                showlegend=shift >= 0.0,
            )  # fmt: skip
        figure.add_scatter(
            x=[d.wanted_c for d in dots], y=[d.measured_c for d in dots], mode="markers",
            marker={"color": WARM, "size": 9}, name=translate("balance.stations", lang),
            text=[names[d.station_id] for d in dots],
            hovertemplate="%{text}<br>%{x:.1f} → %{y:.1f} °C<extra></extra>",
        )  # fmt: skip
    axis = dress(figure, translate("balance.measured_axis", lang), keep="curves", light=light)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(**axis, title={"text": translate("balance.wanted_axis", lang), "font": {"size": 12}})
    if not dots:
        say_empty(figure, translate("app.no_data", lang), light)
    return figure


def tell_curves(dots: tuple[CurveDot, ...], t_out_c: float, lang: str) -> str:
    """How many follow their curve, and by how much the others miss it."""
    if not dots:
        return ""
    off = [abs(d.measured_c - d.wanted_c) for d in dots]
    return translate(
        "balance.tell", lang, out=format_number(t_out_c, 1), n=str(sum(x <= NEAR_K for x in off)),
        all=str(len(off)), mean=format_number(sum(off) / len(off), 1),
    )  # fmt: skip


def draw_list(context: Context, rows: tuple[BalanceRow, ...], lang: str) -> html.Div:
    """The work list: worst first."""
    names = {s.id: s.name if lang == "zh" else s.name_en for s in context.county.network.substations}
    heads = ("station", "ratio", "opening", "wanted_opening", "wanted_flow", "act")
    head = html.Thead(html.Tr([html.Th(translate(f"balance.{h}", lang)) for h in heads]))
    known = [r for r in rows if math.isfinite(r.ratio)]
    good = sum(GOOD[0] <= r.ratio <= GOOD[1] for r in known)

    def percent(x: float) -> str:
        return format_number(100.0 * x, 0) if math.isfinite(x) else MISSING

    body = [
        html.Tr(
            [
                html.Td(names[r.station_id]), html.Td(format_number(r.ratio, 2)), html.Td(percent(r.opening)),
                html.Td(percent(r.wanted_opening)), html.Td(format_number(3.6 * r.wanted_kg_s, 1)),
                html.Td(
                    html.Span(
                        say_act(r, lang) or translate("balance.fine", lang),
                        **{"data-level": "watch" if r.act or r.spare_pa < 0.0 else ""},
                    ),
                    className="ct-wrap",
                ),
            ]
        )
        for r in rows
    ]  # fmt: skip
    said = translate("balance.said", lang, n=str(good), all=str(len(known)))
    return html.Div(
        [
            html.P(said, className="ct-quiet"),
            html.Table([head, html.Tbody(body)], className="ct-table ct-right"),
        ]
    )
