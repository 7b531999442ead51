"""What an answer of the rehearsal looks like: pure functions from an answer to tables and charts."""

import json

import numpy as np
import plotly.graph_objects as go
from dash import html

from app.charts.lines import Line, draw_lines, local_stamps
from app.domains.heating.contingency import (
    CASE_HEADS,
    case_cells,
    list_facts,
    list_steps,
    name_case,
    name_place,
    tell_hours,
)
from app.domains.heating.rehearse import Alternative, Answer
from app.format import format_number, local_time
from app.i18n import translate
from app.web.rehearsal_routes import PATH
from twin.heat import HeatSystem
from twin.model.county import County

COLOURS = ("#4cc2ff", "#ffb066", "#9fd8c4", "#e6d27a", "#c9a7ff", "#ff9eb5", "#a8c7ff", "#d0d6dd")
SHOWN_BUILDINGS, MOST_BUILDINGS = 14, 300
"""Buildings of the table: so many at least, and all that get cold, up to so many."""
SHOWN_GAINS = 8


def draw_table(answer: Answer, lang: str, shown: int = 0) -> html.Table:
    """Alternatives from best to worst; a click shows one in the scene."""
    horizon = answer.alternatives[0].run.time_s[-1] / 3600.0
    rows = []
    for k, a in enumerate(answer.alternatives):
        cells = case_cells(a, horizon, lang)
        swatch = html.I(className="ct-swatch", style={"background": COLOURS[k % len(COLOURS)]})
        name: list[object] = [swatch, f"{k + 1} {cells[0]}"]
        if k == 0:
            name = [swatch, html.B(f"1 {cells[0]}"), html.Small(translate("rehearsal.best", lang))]
        look = "ct-picked" if k == shown else ""
        rows.append(
            html.Tr(
                [html.Td(name, className="ct-wrap"), *[html.Td(c) for c in cells[1:]]],
                className=look, **{"data-case": str(k)},
            )
        )  # fmt: skip
    head = html.Thead(html.Tr([html.Th(translate(f"rehearsal.{h}", lang)) for h in CASE_HEADS]))
    return html.Table([head, html.Tbody(rows)], className="ct-table ct-right ct-cases")


def empty_rooms(county: County, lang: str, light: bool) -> go.Figure:
    """The chart before anything was run."""
    hint = translate("rehearsal.hint", lang)
    figure = draw_lines([], "", county.meta.timezone, keep="none", light=light, empty=hint)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def draw_rooms(county: County, answer: Answer, lang: str, light: bool) -> go.Figure:
    """The coldest tenth of all buildings under every alternative."""
    lines = []
    for k, a in enumerate(answer.alternatives):
        colour = COLOURS[k % len(COLOURS)]
        t = answer.t + a.run.time_s[::5]
        cold = np.quantile(a.run.t_room_c[::5], 0.1, axis=1)
        lines.append(Line(t, cold, f"{k + 1} {name_case(a.run.case.name, lang)}", colour, dashed=True))
    zone = county.meta.timezone
    figure = draw_lines(lines, translate("rehearsal.axis", lang), zone, keep=f"{answer.t}", light=light)
    figure.update_layout(showlegend=False)  # the table beside it carries the colours
    for limit in (18.0, 16.0, 14.0):
        if min(float(np.nanmin(line.y)) for line in lines) < limit + 1.0:
            figure.add_hline(y=limit, line={"width": 1, "dash": "dot", "color": "#8fa3b8"})
    return figure


def draw_facts(county: County, a: Alternative, lang: str) -> html.Dl:
    """People, valves, pressures, frost of the alternative that is shown."""
    rows: list[object] = []
    for name, text in list_facts(county, a, lang):
        rows += [html.Dt(name), html.Dd(text)]
    return html.Dl(rows, className="ct-facts")


def draw_gains(county: County, answer: Answer, lang: str) -> object:
    """Which station gains most from a mobile boiler, and where those at hand are sent."""
    if not answer.gains:
        return html.P(translate("rehearsal.no_gain", lang), className="ct-quiet")
    heads = ("rank", "station", "gain", "gain_homes", "sent")
    head = html.Thead(html.Tr([html.Th(translate(f"rehearsal.{h}", lang)) for h in heads]))
    rows = [
        html.Tr(
            [
                html.Td(str(k)), html.Td(name_place(county, g.station, lang)),
                html.Td(format_number(g.home_k_h / 1000.0, 1)), html.Td(format_number(g.homes, 0)),
                html.Td(html.B(f"{g.boilers} ×") if g.boilers else ""),
            ]
        )
        for k, g in enumerate(answer.gains[:SHOWN_GAINS], 1)
    ]  # fmt: skip
    return html.Table([head, html.Tbody(rows)], className="ct-table ct-gains")


def draw_spare(county: County, answer: Answer, lang: str) -> object:
    """Which station can do with how much less heat while its coldest house stays at the limit."""
    if not answer.spare:
        return html.P(translate("rehearsal.no_spare", lang), className="ct-quiet")
    heads = ("rank", "station", "spare_mw", "spare_room", "gain_homes")
    head = html.Thead(html.Tr([html.Th(translate(f"rehearsal.{h}", lang)) for h in heads]))
    rows = []
    for k, s in enumerate(answer.spare[:SHOWN_GAINS], 1):
        mark = [" ", html.Span(translate("rehearsal.spare_first", lang), **{"data-level": "watch"})]
        cells: list[object] = [
            str(k), [name_place(county, s.station, lang), *(mark if s.first else [])],
            format_number(s.power_w / 1e6, 2), format_number(s.room_c, 1), format_number(s.homes, 0),
        ]  # fmt: skip
        rows.append(html.Tr([html.Td(c) for c in cells]))
    return html.Table([head, html.Tbody(rows)], className="ct-table ct-gains")


def draw_steps(county: County, answer: Answer, a: Alternative, lang: str) -> html.Ol:
    """The plan of the alternative that is shown."""
    rows = [
        html.Li([html.B(after), html.Span(role, className="ct-quiet"), html.Span(what)])
        for after, role, what in list_steps(county, answer.incidents, a, lang)
    ]
    return html.Ol(rows, className="ct-steps")


def draw_worst(county: County, system: HeatSystem, a: Alternative, lang: str) -> html.Div:
    """Every building that gets cold and when, hospitals and schools on top; the others counted."""
    ids = system.buildings.ids
    buildings = {b.id: b for b in county.buildings}
    horizon = float(a.run.time_s[-1] / 3600.0)
    j = a.judgement
    hours, lowest, first = j.hours_until, j.lowest_c, set(j.first)
    order = sorted(range(len(ids)), key=lambda k: (ids[k] not in first, hours[0, k], lowest[k]))
    cold = int(np.isfinite(hours[0]).sum())
    shown = order[: min(max(SHOWN_BUILDINGS, cold + len(first)), MOST_BUILDINGS)]
    rows = []
    for k in shown:
        b = buildings[ids[k]]
        times = [tell_hours(float(h), horizon, lang) for h in (*hours[:, k], j.frost.building_h[k])]
        cells = [b.name or b.id, name_place(county, b.substation_id, lang), format_number(b.homes, 0), *times,
                 f"{format_number(float(lowest[k]), 1)} °C"]  # fmt: skip
        rows.append(html.Tr([html.Td(c) for c in cells]))
    heads = ("building", "station", "homes", "to_16", "to_14", "to_5", "freezes", "lowest")
    head = html.Thead(html.Tr([html.Th(translate(f"rehearsal.{h}", lang)) for h in heads]))
    rest = sorted(set(order) - set(shown), key=lambda k: lowest[k])
    said = []
    if rest:
        least = format_number(float(lowest[rest[0]]), 1)
        words = translate("rehearsal.rest", lang, n=str(len(rest)), t=least)
        said = [html.P(words, className="ct-quiet")]
    return html.Div([html.Table([head, html.Tbody(rows)], className="ct-table ct-right"), *said])


def pack_series(county: County, system: HeatSystem, answer: Answer, key: str, shown: int, lang: str) -> str:
    """What the timeline tells, as JSON: per frame the clock and what has come to pass under each case."""
    by_id = {b.id: float(b.homes) for b in county.buildings}
    homes = np.array([by_id[i] for i in system.buildings.ids])
    zone = county.meta.timezone
    chosen = answer.alternatives[shown].run
    t = answer.t + 3600.0 * chosen.frames.hour
    cases = [_case_series(a, homes, chosen.frames.hour) for a in answer.alternatives]
    sections = chosen.sections
    pipes = {p for s in sections for p in s.pipes} | {x.at for x in answer.incidents if x.kind == "burst"}
    words = {
        "now": translate("rehearsal.now", lang),
        "rooms": translate("rehearsal.axis", lang),
        "badge": translate("rehearsal.badge", lang, t="{t}"),
    }
    return json.dumps(
        {
            "path": PATH, "key": key, "shown": shown,
            "hours": [round(float(h), 2) for h in chosen.frames.hour],
            "stamps": [local_time(float(x), zone, "%m-%d %H:%M") for x in t],
            "axis": [str(x) for x in local_stamps(t, zone)], "cases": cases, "words": words,
            "mark": {"pipes": sorted(pipes), "valves": sorted({v for s in sections for v in s.valves}),
                     "stations": sorted({x for s in sections for x in s.stations})},
        }
    )  # fmt: skip


def _case_series(a: Alternative, homes: np.ndarray, hour: np.ndarray) -> dict[str, list[float]]:
    step = float(a.run.time_s[0])
    at = np.clip(np.round(3600.0 * hour / step).astype(int) - 1, 0, len(a.run.time_s) - 1)
    rooms, lost = a.run.t_room_c[at], np.cumsum(a.run.lost_kg_s) * step / 1000.0
    return {
        "below18": [round(float(x)) for x in (rooms < 18.0) @ homes],
        "below16": [round(float(x)) for x in (rooms < 16.0) @ homes],
        "cold": [round(float(x), 2) for x in np.quantile(rooms, 0.1, axis=1)],
        "lost": [round(float(x)) for x in lost[at]],
    }
