"""总览: what a county head sees: vital signs, the scene, what asks for a decision, the day so far."""

import math
import time

import numpy as np
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, dcc, html, no_update

from app.charts.lines import COOL, WARM, Line, draw_lines, renew_lines
from app.domains.heating.decide import Matter, find_matters
from app.domains.heating.kpi import HeatingFigures, compute_figures, delivery_share, rank_stations, rms
from app.format import MISSING, format_number
from app.i18n import translate
from app.pages.parts import panel
from app.scene import scene_component
from app.web.context import Context
from app.web.shell import View
from twin.model.errors import StoreUnavailable
from twin.model.quantities import find_quantity

MAX_MATTERS = 8
DAY_S = 86_400.0


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    scene = scene_component(
        "scene", view="overview", lang=lang, theme="light" if view.light else "dark", controls=not view.kiosk,
        orbit=view.kiosk,
    )  # fmt: skip
    return [
        html.Div(
            [
                panel(
                    translate("overview.vitals", lang),
                    html.Div(_waiting(), id="vitals", className="ct-vitals"),
                ),
                html.Div(scene, className="ct-scene-box"),
                html.Div(
                    [
                        panel(
                            translate("overview.decide", lang),
                            html.Div(_waiting(), id="matters", className="ct-matters"),
                            "ct-decide",
                        ),
                        panel(translate("overview.stations", lang), html.Div(id="ranking"), "ct-ranking"),
                    ],
                    className="ct-side",
                ),
                panel(
                    translate("overview.day", lang),
                    dcc.Graph(
                        id="day-chart",
                        config={"displayModeBar": False, "responsive": True},
                        className="ct-graph",
                    ),
                    "ct-strip",
                ),
            ],
            className="ct-overview",
        ),
        dcc.Store(id="overview-lang", data=[lang, view.light]),
        dcc.Interval(id="overview-tick", interval=5000),
        dcc.Interval(id="day-tick", interval=30_000),
    ]


def _waiting() -> list[object]:
    return [html.Div(className="ct-skeleton") for _ in range(6)]


def register(app: Dash, context: Context) -> None:
    @app.callback(
        Output("vitals", "children"),
        Output("matters", "children"),
        Output("ranking", "children"),
        Input("overview-tick", "n_intervals"),
        State("overview-lang", "data"),
    )
    def refresh(_n: int | None, words: list[object]) -> tuple[object, object, object]:
        lang = str(words[0])
        try:
            return draw_vitals(context, lang), draw_matters(context, lang), draw_ranking(context, lang)
        except StoreUnavailable:
            return no_update, no_update, no_update

    @app.callback(
        Output("day-chart", "figure"), Input("day-tick", "n_intervals"), State("overview-lang", "data")
    )
    def refresh_day(n: int | None, words: list[object]) -> object:
        lang, light = str(words[0]), bool(words[1])
        try:
            figure = context.ask(f"day-{words}", 20.0, lambda: draw_day(context, lang, light))
        except StoreUnavailable:
            return no_update
        return renew_lines(figure) if n else figure


def draw_vitals(context: Context, lang: str) -> list[object]:
    now = compute_figures(context.county, context.values_now())
    then = compute_figures(context.county, context.values_yesterday())
    z = context.ask("simulated", 2.0, context.store.simulated_latest).z
    _, fresh, total = context.silent_devices()
    stations = translate("vital.stations", lang, n=len(context.county.network.substations))
    rooms = translate("vital.of", lang, n=now.rooms)
    delivered = delivery_share(context.county, context.values_now(), context.values_yesterday())
    points = translate("vital.of", lang, n=int(np.isfinite(z).sum()))
    network = context.ask("network", 2.0, context.store.network_state)
    if network is not None and network.status == "warming":
        points = translate("vital.warming", lang)
    rows = [
        _vital("heat", lang, now.heat_w, then.heat_w, "power"),
        _vital("index", lang, now.index_w_m2, then.index_w_m2, "heat_index", stations),
        _vital("supply", lang, now.t_supply_c, then.t_supply_c, "temperature"),
        _vital("return", lang, now.t_return_c, then.t_return_c, "temperature"),
        _vital("flow", lang, now.flow_m3_s, then.flow_m3_s, "volume_flow"),
        _vital("room", lang, now.room_c, then.room_c, "temperature", rooms),
        _share("pass", lang, now.pass_share, then.pass_share, rooms),
        _share("delivery", lang, delivered, math.nan,
               stations if math.isfinite(delivered) else translate("vital.after_a_day", lang)),
        _row("twin", lang, format_number(rms(z), 2), "σ", "", points),
        _share("online", lang, fresh / total if total else math.nan, math.nan,
               translate("vital.devices", lang, n=total)),
    ]  # fmt: skip
    return list(rows)


def _vital(key: str, lang: str, now: float, then: float, quantity: str, count: str = "") -> html.Div:
    q = find_quantity(quantity)
    change = (now - then) * q.scale
    return _row(key, lang, format_number(now * q.scale, q.decimals), q.display_unit,
                format_number(change, q.decimals, sign=True), count)  # fmt: skip


def _share(key: str, lang: str, now: float, then: float, count: str) -> html.Div:
    return _row(
        key, lang, format_number(100 * now, 1), "%", format_number(100 * (now - then), 1, sign=True), count
    )


def _row(key: str, lang: str, value: str, unit: str, change: str, count: str) -> html.Div:
    tip = f"tip.{key}"
    notes = [count] if count else []
    if change and change != MISSING:
        notes.append(f"{translate('vital.yesterday', lang)} {change}")
    return html.Div(
        [
            html.Span(translate(f"vital.{key}", lang), className="ct-vital-name"),
            html.Span([html.B(value), html.Small(unit)], className="ct-vital-value"),
            html.Span(" · ".join(notes), className="ct-vital-note"),
        ],
        className="ct-vital",
        title=translate(tip, lang) if key in ("heat", "index", "pass", "delivery", "twin", "online") else "",
    )


def draw_matters(context: Context, lang: str) -> list[object]:
    silent, _, _ = context.silent_devices()
    simulated = context.ask("simulated", 2.0, context.store.simulated_latest)
    value = context.values_now()
    open_now = [f for f in context.ask("open-findings", 3.0, context.store.findings) if f.open]
    found = find_matters(context.county, value, simulated, silent, lang, open_now)
    figures: HeatingFigures = compute_figures(context.county, value)
    if figures.cold_rooms:
        found.append(Matter("mid", translate("decide.cold_rooms", lang, n=figures.cold_rooms)))
    state = context.ask("network", 2.0, context.store.network_state)
    if state is not None and state.status.startswith("failed:"):
        why = state.status.partition(":")[2]
        found.insert(0, Matter("high", translate("decide.twin", lang, why=why)))
    recent = time.time() - 600.0
    dead = [d for d in context.ask("dead", 5.0, context.store.dead_letters) if d.last_t > recent]
    if dead:
        found.append(Matter("low", translate("decide.rejected", lang, n=len(dead))))
    if not found:
        return [html.P(translate("overview.calm", lang), className="ct-calm")]
    rows: list[object] = [_matter(m, lang) for m in found[:MAX_MATTERS]]
    if len(found) > MAX_MATTERS:
        rows.append(html.P(translate("decide.more", lang, n=len(found) - MAX_MATTERS), className="ct-quiet"))
    return rows


def draw_ranking(context: Context, lang: str) -> html.Table:
    """Every station with its homes, the coldest first: where a complaint will come from."""
    simulated = context.ask("simulated", 2.0, context.store.simulated_latest)
    rows = rank_stations(context.county, context.values_now(), simulated.point_no, simulated.z)
    name = {s.id: s.name if lang == "zh" else s.name_en for s in context.county.network.substations}
    room, index = find_quantity("temperature"), find_quantity("heat_index")
    head = [
        [translate("col.name", lang)],
        [translate("col.room", lang), html.Small(room.display_unit)],
        [translate("col.index", lang), html.Small(index.display_unit)],
        [translate("col.deviation", lang), html.Small("σ")],
    ]
    body = [
        html.Tr(
            [
                html.Td(name[r.id], title=translate("vital.of", lang, n=r.rooms)),
                html.Td(format_number(r.room_c, room.decimals)),
                html.Td(format_number(r.index_w_m2 * index.scale, index.decimals)),
                html.Td(format_number(r.deviation, 1), **{"data-level": _level(r.deviation)}),
            ],
            **{"data-select": r.id},
        )
        for r in rows
    ]
    return html.Table(
        [html.Thead(html.Tr([html.Th(h) for h in head])), html.Tbody(body)], className="ct-table"
    )


def _level(z: float) -> str:
    return "bad" if abs(z) > 3.0 else "watch" if abs(z) > 2.0 else "ok"


def _matter(m: Matter, lang: str) -> html.Button:
    shape = {"high": "▲", "mid": "◆", "low": "●"}[m.level]
    return html.Button(
        [html.Span([shape, translate(f"level.{m.level}", lang)], className="ct-level"), html.Span(m.text)],
        className=f"ct-matter ct-{m.level}",
        **({"data-select": m.place_id, "data-spot": m.spot} if m.place_id or m.spot else {}),
    )


def draw_day(context: Context, lang: str, light: bool) -> go.Figure:
    end = time.time()
    q = find_quantity("power")
    lines: list[Line] = []
    for n, s in enumerate(context.county.network.sources):
        p = context.county.point_by_id.get(f"{s.id}/src_heat")
        if p is None:
            continue
        measured = context.store.history(p.no, end - DAY_S, end, 800)
        simulated = context.store.simulated_history(p.no, end - DAY_S, end, 800)
        name = s.name if lang == "zh" else s.name_en
        colour = WARM if n == 0 else "#e58f8f"
        if n and not (measured.value > 1e5).any():
            continue
        lines.append(
            Line(measured.t, measured.value * q.scale, f"{name} {translate('chart.measured', lang)}", colour)
        )
        text = f"{name} {translate('chart.simulated', lang)}"
        lines.append(Line(simulated.t, simulated.value * q.scale, text, colour, dashed=True))
    weather = next((p for p in context.county.points if p.key == "t_out"), None)
    if weather is not None:
        out = context.store.history(weather.no, end - DAY_S, end, 400)
        lines.append(Line(out.t, out.value, translate("chart.outdoor", lang), COOL, second_axis=True))
    return draw_lines(
        lines, f"{translate('chart.source_heat', lang)} ({q.display_unit})", context.county.meta.timezone,
        keep="day", second_title=f"{translate('chart.outdoor', lang)} (°C)", light=light,
        empty=translate("app.no_data", lang), span=(end - DAY_S, end),
    )  # fmt: skip
