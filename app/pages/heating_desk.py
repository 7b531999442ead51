"""What a dispatcher keeps in view beside the scene: figures, balance, residuals, findings, the proposal."""

import json
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, dcc, html, no_update

from app.charts.compensation import Curve, draw_compensation
from app.charts.lines import draw_lines
from app.complaints import judge_of
from app.domains.heating.balance import CurveDot, compare_curves
from app.domains.heating.findings import Told, tell_finding
from app.domains.heating.kpi import compute_figures
from app.domains.heating.present import corrections_on
from app.domains.heating.report import UNITS, Report, make_report
from app.domains.heating.residuals import stood_in
from app.format import MISSING, format_age, format_number, format_value, local_time
from app.i18n import translate
from app.pages.dispatch import newest_body, recent, sum_up
from app.pages.load import draw_load, measured_load
from app.pages.parts import kind_name, panel
from app.web.context import Context
from app.web.dispatch_routes import PATH as DISPATCH
from app.web.shell import View
from ingest.store.finding_api import TwinFinding
from ingest.store.kept_api import Kept
from twin.dispatch.tariff import CARBON_YUAN_T
from twin.model.errors import InputError, StoreUnavailable
from twin.model.network import Substation
from twin.model.quantities import find_quantity

TILES = (
    "index_w_m2",
    "heat_j_m2",
    "power_j_m2",
    "water_kg_m2",
    "loss_rate",
    "imbalance",
    "dt_k",
    "warm_share",
    "complaints_homes",
    "solved_share",
)
"""Key figures of the strip, from left to right."""
LOWER_IS_BETTER = frozenset({"power_j_m2", "water_kg_m2", "loss_rate", "imbalance"})
DAY_S, WEEK_S = 86_400.0, 7 * 86_400.0
WORST, FINDINGS = 6, 6
WHOLE = 0.9
"""Part of a day that must be recorded for another to be compared with it."""
BAD_Z = 3.0
FLOOR_C = 55.0
"""Circuits of a design supply up to this heat floors; above it radiators."""


def draw_desk(view: View) -> list[object]:
    """The parts of the page that this module fills."""
    lang = view.lang

    def link(path: str, word: str) -> dcc.Link:
        return dcc.Link(translate(word, lang), href=view.link(path), className="ct-more")

    def chart(name: str) -> dcc.Graph:
        config = {"displayModeBar": False, "responsive": True}
        return dcc.Graph(id=f"desk-{name}", config=config, className="ct-graph")

    rows = (
        ("balance", "/report", "nav.report"), ("findings", "/diagnosis", "nav.diagnosis"),
        ("worst", "/twin", "nav.twin"), ("proposal", "/dispatch", "desk.to_dispatch"),
        ("rooms", "/rehearsal", "desk.to_rehearsal"),
    )  # fmt: skip
    side = [
        panel(translate(f"desk.{name}", lang), html.Div(id=f"desk-{name}", className="ct-scroll"),
              f"ct-desk-{name}", link(path, word))
        for name, path, word in rows
    ]  # fmt: skip
    drawn = (("curves", "balance.curves", "/balance", "nav.balance"),
             ("load", "dispatch.load", "/dispatch", "nav.dispatch"))  # fmt: skip
    charts = [
        panel(translate(title, lang), chart(name), "ct-desk-chart", link(path, word))
        for name, title, path, word in drawn
    ]
    return [
        html.Div(id="desk-tiles", className="ct-tiles"),
        html.Div(charts, className="ct-desk-charts"),
        html.Div(side, className="ct-desk-side"),
        html.Pre(id="desk-mark", hidden=True),
        dcc.Interval(id="desk-tick", interval=10_000),
        dcc.Interval(id="desk-slow", interval=60_000),
    ]


def register_desk(app: Dash, context: Context) -> None:
    """The callbacks of these parts."""
    _register_live(app, context)
    _register_slow(app, context)


def _register_live(app: Dash, context: Context) -> None:
    @app.callback(
        Output("desk-findings", "children"),
        Output("desk-worst", "children"),
        Output("desk-proposal", "children"),
        Output("desk-rooms", "children"),
        Output("desk-mark", "children"),
        Input("desk-tick", "n_intervals"),
        State("heating-lang", "data"),
    )
    def refresh(_n: int | None, words: list[object]) -> tuple[object, ...]:
        lang = str(words[0])
        try:
            found = open_findings(context)
            return (
                draw_findings(context, found, lang), draw_worst(context, lang),
                draw_proposal(context, lang, bool(words[2])), draw_plans(context, lang),
                mark_findings(context, found),
            )  # fmt: skip
        except StoreUnavailable:
            return (no_update,) * 5


def _register_slow(app: Dash, context: Context) -> None:
    @app.callback(
        Output("desk-tiles", "children"),
        Output("desk-balance", "children"),
        Output("desk-curves", "figure"),
        Output("desk-load", "figure"),
        Input("desk-slow", "n_intervals"),
        State("heating-lang", "data"),
    )
    def refresh(_n: int | None, words: list[object]) -> tuple[object, ...]:
        lang, light = str(words[0]), bool(words[1])
        try:
            value = context.values_now()
            t_out = compute_figures(context.county, value).t_out_c
            dots = compare_curves(context.county, value, t_out)
            curves = draw_dots(context, dots, t_out, lang, light)
            body = newest_body(context, "forecast")
            heat = context.ask("dispatch-measured", 60.0, lambda: measured_load(context))
            now, before, week = read_days(context)
        except StoreUnavailable:
            zone = context.county.meta.timezone
            away = draw_lines(
                [], "", zone, keep="away", light=light, empty=translate("app.unavailable", lang)
            )
            return no_update, no_update, away, away
        tiles = draw_tiles(now, before, week, lang)
        return tiles, draw_balance(context, now, lang), curves, draw_load(context, body, heat, lang, light)


def draw_dots(
    context: Context, dots: tuple[CurveDot, ...], t_out_c: float, lang: str, light: bool
) -> go.Figure:
    """Curves and stations over the outdoor temperature."""
    network = context.county.network
    names = {s.id: s.name if lang == "zh" else s.name_en for s in network.substations}
    words = [translate(f"desk.{k}", lang) for k in ("out_axis", "supply_axis", "curve", "near", "off")]
    rows = [(names[d.station_id], d.measured_c, d.wanted_c) for d in dots]
    curves = name_curves(network.substations, lang)
    none = translate("app.no_data", lang)
    return draw_compensation(curves, rows, t_out_c, words, light=light, empty=none)


def name_curves(stations: Sequence[Substation], lang: str) -> dict[Curve, str]:
    """Every different curve, with what it heats by design and how many stations follow it."""
    followers: dict[Curve, list[Substation]] = {}
    for s in stations:
        if s.curve:
            followers.setdefault(s.curve, []).append(s)

    def name(mine: list[Substation]) -> str:
        design = {(s.t_secondary_supply_c, s.t_secondary_return_c) for s in mine}
        warm, cold = max(design)
        kind = "floor" if warm <= FLOOR_C else "radiator"
        of = f"{warm:g}/{cold:g} °C" if len(design) == 1 else ""
        return translate("desk.curve_of", lang, kind=translate(f"desk.{kind}", lang), of=of, n=str(len(mine)))

    return {curve: name(mine) for curve, mine in followers.items()}


def read_days(context: Context) -> tuple[Report | None, Report | None, Report | None]:
    """The last 24 hours, those before, and the same a week ago; None where nothing is stored."""
    end = math.floor((time.time() - 180.0) / 3600.0) * 3600.0

    def ask(shift: float) -> Report | None:
        try:
            first, last = end - DAY_S - shift, end - shift
            report = make_report(context.county, context.store, first, last, complaints=judge_of(context))
        except InputError:
            return None
        whole = report.end - report.start >= WHOLE * DAY_S
        return report if whole or shift == 0.0 else None  # some hours of a day are no day to compare with

    found: tuple[Report | None, Report | None, Report | None] = context.ask(
        f"desk-days-{end:.0f}", 600.0, lambda: (ask(0.0), ask(DAY_S), ask(WEEK_S))
    )
    return found


def draw_tiles(now: Report | None, before: Report | None, week: Report | None, lang: str) -> list[html.Div]:
    """Key figures of 24 hours with unit, change from yesterday and last week, formula in the hint."""
    tiles = []
    for key in TILES:
        unit, factor, digits = UNITS[key]
        x = now.figures[key] * factor if now is not None else math.nan
        notes = []
        for name, other in (("yesterday", before), ("week", week)):
            then = other.figures[key] * factor if other is not None else math.nan
            change = format_number(x - then, digits, sign=True)
            notes.append(f"{translate(f'desk.{name}', lang)} {change}")
        hint = f"{translate(f'report.how.{key}', lang)} · {translate('desk.period', lang)}"
        value = [html.B(format_number(x, digits) if math.isfinite(x) else MISSING), html.Small(unit)]
        tiles.append(
            html.Div(
                [
                    html.Span(translate(f"report.{key}", lang), className="ct-tile-name"),
                    html.Span(value, className="ct-tile-value"),
                    html.Span(" · ".join(notes), className="ct-tile-note"),
                ],
                className="ct-tile",
                title=hint,
            )
        )
    return tiles


def draw_balance(context: Context, now: Report | None, lang: str) -> list[object]:
    """Source, network and stations of the last 24 hours as one bar, and the power of every source now."""
    value, known = context.values_now(), context.county.point_by_id
    rows: list[object] = []
    for s in context.county.network.sources:
        p = known.get(f"{s.id}/src_heat")
        power = float(value[p.no]) if p is not None else math.nan
        words = [html.Span(s.name if lang == "zh" else s.name_en), html.B(format_value("power", power))]
        rows.append(html.Button(words, className="ct-line", **{"data-select": s.id}))
    source = now.figures["heat_j"] if now is not None else math.nan
    station = now.figures["station_j"] if now is not None else math.nan
    if not (math.isfinite(source) and math.isfinite(station) and source > 0.0):
        return [*rows, html.P(translate("desk.no_balance", lang), className="ct-quiet")]
    share = 100.0 * station / source
    lost = (source - station) / 1e9
    bar = html.Div(
        [html.Span(style={"width": f"{min(max(share, 0.0), 100.0):.1f}%"}, className="ct-bar-in")],
        className="ct-bar", title=translate("report.how.delivery", lang),
    )  # fmt: skip
    said = translate(
        "desk.balance_of", lang, source=format_number(source / 1e9, 0),
        station=format_number(station / 1e9, 0),
        share=format_number(share, 1), lost=format_number(lost, 0), rest=format_number(100.0 - share, 1),
    )  # fmt: skip
    return [*rows, bar, html.P(said, className="ct-quiet")]


def open_findings(context: Context) -> list[TwinFinding]:
    """Open findings, the surest first."""
    found = [f for f in context.ask("open-findings", 3.0, context.store.findings) if f.open]
    return sorted(found, key=lambda f: -f.probability)


def list_virtual(context: Context) -> frozenset[str]:
    """Points for which the simulated value stands in. Raises ``StoreUnavailable``."""
    state = context.ask("network", 2.0, context.store.network_state)
    active = context.ask("corrections-on", 5.0, lambda: corrections_on(context.store))
    return stood_in(state.status if state is not None else "", open_findings(context), active)


def draw_findings(context: Context, found: list[TwinFinding], lang: str) -> list[object]:
    """One line per finding; a click shows its place."""
    if not found:
        return [html.P(translate("desk.calm", lang), className="ct-calm")]
    rows: list[object] = []
    for f in found[:FINDINGS]:
        told = tell_finding(context.county, f, lang)
        text = " · ".join(x for x in (told.kind, told.place, told.size) if x)
        since = format_age(time.time() - f.since, lang)
        cells = [html.Span(text), html.Small(f"{format_number(100 * f.probability, 0)} % · {since}")]
        rows.append(html.Button(cells, className="ct-line", **point_at(told)))
    return rows


def point_at(told: Told) -> dict[str, str]:
    """Attributes that let a click show a finding: its station, its spot in the scene, the rooms inside."""
    inside = {"data-building": told.spot.building} if told.spot.building and told.place_id else {}
    return {"data-select": told.place_id, "data-spot": str(told.spot), **inside}


def mark_findings(context: Context, found: list[TwinFinding]) -> str:
    """Places of open findings for the scene, as JSON."""
    pipes = {p.id for p in context.county.network.pipes}
    stations = {s.id for s in context.county.network.substations}
    places = [f.place for f in found]
    return json.dumps(
        {"pipes": [p for p in places if p in pipes], "stations": [p for p in places if p in stations]}
    )


def draw_worst(context: Context, lang: str) -> list[object]:
    """Measured beside simulated where they are furthest apart; a click shows the evidence."""
    table = context.ask("simulated", 2.0, context.store.simulated_latest)
    order = np.argsort(-np.abs(np.nan_to_num(table.z)))[:WORST]
    names = {s.id: s.name if lang == "zh" else s.name_en for s in context.county.network.substations}
    names |= {s.id: s.name if lang == "zh" else s.name_en for s in context.county.network.sources}
    rows: list[object] = []
    for k in order:
        z = float(table.z[k])
        if not math.isfinite(z) or z == 0.0:
            continue
        p = context.county.points[int(table.point_no[k])]
        measured = format_value(p.quantity, float(table.value[k] + table.residual[k]))
        text = f"{names.get(p.place_id, p.place_id)} {kind_name(p.key, lang)}"
        apart = f"{measured} / {format_value(p.quantity, float(table.value[k]))}"
        level = {"data-level": "bad"} if abs(z) > BAD_Z else {}
        rows.append(
            html.Button(
                [html.Span(text), html.Small(apart), html.B(f"{format_number(z, 1, sign=True)} σ", **level)],
                className="ct-line", **{"data-select": p.place_id, "data-key": p.key},
            )
        )  # fmt: skip
    return rows or [html.P(translate("app.no_data", lang), className="ct-quiet")]


def draw_proposal(context: Context, lang: str, bare: bool = True) -> list[object]:
    """Before and after of the newest proposal; one button approves it whole (none where ``bare``)."""
    rows, body = recent(context), newest_body(context, "dispatch")
    if not rows or body is None:
        return [html.P(translate("dispatch.none", lang), className="ct-calm")]
    dt_s = np.array(body["dt_s"], dtype=np.float64)
    before, after = (sum_up(context, body[k], dt_s) for k in ("before", "after"))
    zone = context.county.meta.timezone
    said = translate(
        "dispatch.of", lang, t=local_time(rows[0].made, zone, "%m-%d %H:%M"),
        state=translate(f"dispatch.state.{rows[0].state}", lang), s=format_number(body["seconds"], 1),
    )  # fmt: skip
    out: list[object] = [html.P(said, className="ct-quiet")]
    cost, scale = ("carbon", 1e4 / CARBON_YUAN_T) if body.get("objective") == "carbon" else ("cost", 1.0)
    for name, k, factor in (("heat", 0, 1.0), ("power", 2, 1.0), (cost, 3, scale)):
        label = translate(f"dispatch.{name}", lang, low=f"{body['room_low_c']:g}")
        change = 100.0 * (after[k] / before[k] - 1.0) if before[k] > 0.05 else math.nan
        text = f"{format_number(factor * before[k], 1)} → {format_number(factor * after[k], 1)}"
        cells = [html.Span(label), html.Small(text), html.B(f"{format_number(change, 1, sign=True)} %")]
        out.append(html.Div(cells, className="ct-line"))
    return out if bare or rows[0].state != "made" else [*out, _approve_whole(context, rows[0], body, lang)]


def _approve_whole(context: Context, row: Kept, body: dict[str, Any], lang: str) -> html.P:
    """The button that sends every set-point of a proposal, once it is confirmed."""
    wishes = []
    for w in body["wishes"]:
        q = find_quantity(context.county.point_by_id[w["point"]].quantity)
        wishes.append({"point": w["point"], "value": round(w["value"] * q.scale, q.decimals)})
    words = {
        "data-tell": f"{DISPATCH}/{row.no}/approve", "data-body": json.dumps({"rows": wishes}),
        "data-said": "desk-said", "data-done": translate("dispatch.sent", lang),
        "data-refused": translate("dispatch.refused", lang, why="{why}"),
        "data-ask": translate("desk.ask_all", lang, n=str(len(wishes))),
    }  # fmt: skip
    button = html.Button(translate("desk.approve_all", lang), className="ct-button", **words)
    return html.P([button, html.Span(id="desk-said", role="status")], className="ct-tools")


def draw_plans(context: Context, lang: str) -> list[object]:
    """The plans that were kept last."""
    since = math.floor(time.time() / DAY_S - 60.0) * DAY_S
    rows = context.ask("desk-plans", 5.0, lambda: context.store.kept("rehearsal", since, 3))
    if not rows:
        return [html.P(translate("desk.no_plans", lang), className="ct-quiet")]
    zone = context.county.meta.timezone
    return [
        html.Div(
            [
                html.Span(r.title.partition(": ")[2] or r.title),
                html.Small(local_time(r.made, zone, "%m-%d %H:%M")),
            ],
            className="ct-line",
        )
        for r in rows
    ]
