"""用户诉求: a call taken in seconds, its clocks, and what the twin knows of the house beside it.

List and forms are drawn by ``assets/complaints.js`` from ``/api/complaints``; what stands beside a case is
drawn here and tells nothing of who called.
"""

import json
import math
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, dcc, html, no_update
from numpy.typing import NDArray

from app.charts.hourly import as_curve
from app.charts.lines import ACCENT, COOL, WARM, Line, draw_lines
from app.complaints.service import book_of, branches_of
from app.domains.heating.complaints.case import CAUSES, CHANNELS, KINDS
from app.domains.heating.findings import tell_finding
from app.domains.heating.houses import HouseCourse, walk_houses
from app.domains.heating.present import read_present
from app.domains.heating.visits import Visit, list_visits
from app.format import format_number, format_value, local_time
from app.i18n import COMPLAINT_TEXTS, translate
from app.pages.heating_desk import open_findings
from app.pages.parts import panel
from app.web.context import Context
from app.web.shell import View
from app.workers.calibrations import apply_adopted, find_adopted
from twin.heat import read_curve
from twin.model.county import Building, County
from twin.model.errors import CountyTwinError, InputError, StoreUnavailable
from twin.model.network import Substation

Floats = NDArray[np.float64]

HOURS = 24
NEAR_K = 2.0
"""A station this near its curve follows it."""
MOST_FINDINGS, AT_REST = 6, 8
VISITS_S = 7 * 86_400.0


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    words = {
        name.removeprefix("complaint."): translate(name, lang)
        for name in COMPLAINT_TEXTS
        if name.startswith("complaint.") and not name.startswith("complaint.why.")
    }
    names = ("complaints_homes", "complaints_m2", "measured_share", "solved_share", "satisfied_share")
    for name in names:
        words[f"fig_{name}"] = translate(f"report.{name}", lang)
        words[f"how_{name}"] = translate(f"report.how.{name}", lang)
    told = {
        "data-words": json.dumps(words, ensure_ascii=False), "data-lang": lang,
        "data-zone": context.county.meta.timezone, "data-bare": "1" if view.kiosk or view.embed else "",
        "data-kinds": json.dumps(KINDS), "data-channels": json.dumps(CHANNELS),
        "data-causes": json.dumps(CAUSES),
    }  # fmt: skip
    chart = dcc.Graph(
        id="complaint-chart", config={"displayModeBar": False, "responsive": True}, className="ct-graph"
    )
    facts = html.Div(id="complaint-facts", className="ct-scroll")
    beside = html.Div([facts, chart], className="ct-case-beside")
    return [
        html.Div(
            [
                html.Div(id="complaints-root", className="ct-complaints", **told),
                panel(translate("complaint.beside", lang), beside, "ct-case-twin"),
            ],
            className="ct-complaints-page",
        ),
        dcc.Store(id="complaint-building", data=""),
        dcc.Store(id="complaint-lang", data=[lang, view.light]),
        dcc.Interval(id="complaint-tick", interval=60_000),
    ]  # fmt: skip


def register(app: Dash, context: Context) -> None:
    @app.callback(
        Output("complaint-facts", "children"),
        Output("complaint-chart", "figure"),
        Input("complaint-building", "data"),
        Input("complaint-tick", "n_intervals"),
        State("complaint-lang", "data"),
    )
    def show(building: str | None, _n: int | None, words: list[object]) -> tuple[object, object]:
        lang, light = str(words[0]), bool(words[1])
        zone = context.county.meta.timezone
        found = next((b for b in context.county.buildings if b.id == building), None)
        if found is None:
            try:
                return tell_rest(context, lang), _draw_none(zone, light)
            except StoreUnavailable:
                return html.P(translate("app.unavailable", lang), className="ct-quiet"), no_update
        try:
            beside = look_beside(context, found)
        except StoreUnavailable:
            return html.P(translate("app.unavailable", lang), className="ct-quiet"), no_update
        return tell_beside(context, beside, lang), draw_beside(beside, zone, lang, light)


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """What the twin knows of a building: ``course`` of its station, None: nothing was measured; ``measured``
    (H,) mean of its sensors by the hours of the course, ``sensors`` fresh now and their mean ``room_c``."""

    building: Building
    station: Substation | None
    course: HouseCourse | None
    measured: Floats
    room_c: float
    sensors: int
    visits: tuple[Visit, ...]


def look_beside(context: Context, building: Building) -> Beside:
    """Ask for everything beside a building. Raises ``StoreUnavailable``."""
    station = next((s for s in context.county.network.substations if s.id == building.substation_id), None)
    course = course_of(context, station) if station is not None and building.heated else None
    points = [
        p for p in context.county.points
        if p.key == "room_t" and p.place_id.split(":", maxsplit=1)[0] == building.id
    ]  # fmt: skip
    value = context.values_now()[[p.no for p in points]] if points else np.empty(0)
    fresh = value[np.isfinite(value)]
    measured = np.empty(0)
    if points and course is not None and course.t.size:
        numbers = np.array([p.no for p in points], dtype=np.int64)
        table = context.store.hourly(numbers, course.t[0] - 3600.0, course.t[-1])
        measured = np.full(course.t.size, np.nan)
        for k, t in enumerate(course.t):
            row = table.mean[table.t == t]
            if row.size and np.isfinite(row).any():
                measured[k] = float(np.nanmean(row))
    visits = context.ask(
        "visits-lately", 10.0, lambda: list_visits(context.store, math.floor(time.time() - VISITS_S))
    )
    mine = tuple(v for v in visits if v.building_id == building.id)
    mean = float(fresh.mean()) if fresh.size else math.nan
    return Beside(building, station, course, measured, mean, int(fresh.size), mine)


def course_of(context: Context, station: Substation) -> HouseCourse | None:
    """The last day of a station's houses with what the twin has learnt of them, at most five minutes old;
    None where the survey of a building cannot be. Raises ``StoreUnavailable``."""

    def walk() -> HouseCourse | None:
        try:
            return walk_houses(learnt_of(context), context.store, station, time.time(), HOURS)
        except InputError:
            return None

    name = f"houses-{station.id}"
    found: HouseCourse | None = context.ask(name, 300.0, walk)
    if found is None or not found.building:  # too little was known then: look again soon
        found = context.ask(f"{name}-again", 15.0, walk)
    return found


def learnt_of(context: Context) -> County:
    """The county with the calibration and the corrections in force. Raises ``StoreUnavailable``."""

    def read() -> County:
        try:
            no = find_adopted(context.store)
            return read_present(
                context.store, apply_adopted(context.store, context.county, no), no, time.time()
            ).county
        except StoreUnavailable:
            raise
        except CountyTwinError:  # nothing learnt is of use: the survey is
            return context.county

    found: County = context.ask("learnt-county", 600.0, read)
    return found


def tell_rest(context: Context, lang: str) -> html.Div:
    """While nothing is chosen: stations with most cases of a week, and the coldest buildings now. Raises
    ``StoreUnavailable``."""
    county, since = context.county, time.time() - VISITS_S
    home = {b.id: b for b in county.buildings}
    names = {s.id: s.name if lang == "zh" else s.name_en for s in county.network.substations}
    cases = [c for c in book_of(context).cases() if c.received > since and c.status != "withdrawn"]
    counts = Counter(home[c.building].substation_id for c in cases if c.building in home)
    rooms: dict[str, list[float]] = {}
    value = context.values_now()
    for p in county.points:
        if p.key == "room_t" and np.isfinite(value[p.no]):
            rooms.setdefault(p.place_id.split(":", maxsplit=1)[0], []).append(float(value[p.no]))
    coldest = sorted((float(np.mean(x)), i) for i, x in rooms.items() if i in home)[:AT_REST]
    busy = [(names.get(s, s), str(n)) for s, n in counts.most_common(AT_REST) if s]
    cold = [(home[i].name or home[i].address or i, f"{format_number(x, 1)} °C") for x, i in coldest]
    parts: list[object] = [html.P(translate("complaint.pick", lang), className="ct-quiet ct-at-rest")]
    for title, rows in (("rest_stations", busy), ("rest_cold", cold)):
        if rows:
            parts.append(html.H3(translate(f"complaint.{title}", lang)))
            parts += [html.Div([html.Span(a), html.Small(b)], className="ct-line") for a, b in rows]
    return html.Div(parts)


def tell_beside(context: Context, b: Beside, lang: str) -> html.Div:
    """What an operator can tell the caller, and where to look further."""
    zone = context.county.meta.timezone
    name = html.H3(b.building.name or b.building.address or b.building.id)
    if b.station is None or not b.building.heated:
        return html.Div([name, html.P(translate("complaint.no_station", lang), className="ct-quiet")])
    course = b.course
    known = course is not None and course.t.size > 0 and bool(course.building)
    simulated = float(course.of(b.building.id)[-1]) if known and course is not None else math.nan
    rooms: list[object] = [translate("complaint.sim_now", lang, v=format_value("temperature", simulated))]
    if b.sensors:
        told = format_value("temperature", b.room_c)
        rooms.append(translate("complaint.meas_now", lang, v=told, n=str(b.sensors)))
    else:
        rooms.append(translate("complaint.meas_none", lang))
    for v in b.visits[-2:]:
        at = local_time(v.t, zone, "%m-%d %H:%M")
        rooms.append(translate("complaint.hand_now", lang, v=f"{format_number(v.room_c, 1)} °C", t=at))
    lines: list[object] = [
        name,
        html.P([html.Small(translate("complaint.room_now", lang)), html.B(" · ".join(map(str, rooms)))]),
        html.P(_tell_supply(context, b, lang)),
    ]
    if not known:
        lines.append(html.P(translate("complaint.no_course", lang), className="ct-quiet"))
    others = [
        c for c in book_of(context).cases()
        if c.open and c.building != b.building.id and _station(context, c.building) == b.station.id
    ]  # fmt: skip
    if others:
        lines.append(html.P(translate("complaint.neighbours", lang, n=str(len(others)))))
    return html.Div(
        [*lines, html.H3(translate("complaint.findings", lang)), *_tell_findings(context, b, lang)]
    )


def _station(context: Context, building: str) -> str:
    found = next((b for b in context.county.buildings if b.id == building), None)
    return found.substation_id if found is not None else ""


def _tell_supply(context: Context, b: Beside, lang: str) -> list[object]:
    """The station's supply beside its curve, with a way to its page."""
    assert b.station is not None
    point = context.county.point_by_id.get(f"{b.station.id}/s2_ts")
    water = float(context.values_now()[point.no]) if point is not None else math.nan
    out = next((p.no for p in context.county.points if p.key == "t_out"), -1)
    t_out = float(context.values_now()[out]) if out >= 0 else math.nan
    known = math.isfinite(t_out) and bool(b.station.curve)
    wanted = float(read_curve(b.station.curve, np.array([t_out]))[0]) if known else math.nan
    apart = water - wanted
    word = "supply_low" if apart < -NEAR_K else "supply_high" if apart > NEAR_K else "supply_ok"
    name = b.station.name if lang == "zh" else b.station.name_en
    told = translate(
        "complaint.supply_now", lang, station=name, v=format_value("temperature", water),
        wanted=format_value("temperature", wanted),
        apart=translate(f"complaint.{word}", lang) if math.isfinite(apart) else "--",
    )  # fmt: skip
    level = {"data-level": "watch"} if word == "supply_low" and math.isfinite(apart) else {}
    link = dcc.Link(told, href=f"/heating?sel={b.station.id}" + ("&lang=en" if lang == "en" else ""))
    return [html.Span(link, **level)]


def _tell_findings(context: Context, b: Beside, lang: str) -> list[object]:
    """Open findings of the building, its station, the pipes upstream and the sources."""
    assert b.station is not None
    pipes = set(branches_of(context).pipes.get(b.station.id, ()))
    sources = {s.id for s in context.county.network.sources}
    here = {b.building.id, b.station.id} | pipes | sources
    county = context.county

    def concerns(place: str) -> bool:
        point = county.point_by_id.get(place)
        at = point.place_id if point is not None else place
        return at in here or at.split(":", maxsplit=1)[0] == b.building.id

    found = [
        f for f in open_findings(context)
        if concerns(f.place) or any(concerns(s.place) and s.probability >= 0.2 for s in f.suspects)
    ]  # fmt: skip
    if not found:
        return [html.P(translate("complaint.findings_none", lang), className="ct-calm")]
    rows: list[object] = []
    for f in found[:MOST_FINDINGS]:
        told = tell_finding(county, f, lang)
        text = " · ".join(x for x in (told.kind, told.place, told.size) if x)
        share = f"{format_number(100.0 * f.probability, 0)} %"
        href = "/diagnosis" + ("?lang=en" if lang == "en" else "")
        rows.append(dcc.Link([html.Span(text), html.Small(share)], href=href, className="ct-line"))
    return rows


def _draw_none(zone: str, light: bool, empty: str = "") -> go.Figure:
    """A chart of nothing: no axes, a sentence at most."""
    figure = draw_lines([], "", zone, keep="none", light=light, empty=empty)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def draw_beside(b: Beside, zone: str, lang: str, light: bool) -> go.Figure:
    """Rooms of the building simulated and measured, and the station's supply beside its curve."""
    course = b.course
    if course is None or not course.t.size:
        empty = translate("complaint.no_course", lang)
        return _draw_none(zone, light, empty)
    t = course.t - 1800.0

    def name(key: str) -> str:
        return translate(f"complaint.{key}", lang)

    lines = [Line(*as_curve(t, course.of(b.building.id)), name("line_sim"), WARM, dashed=True)]
    if b.measured.size and np.isfinite(b.measured).any():
        lines.append(Line(*as_curve(t, b.measured), name("line_meas"), WARM))
    lines += [
        Line(*as_curve(t, course.water_c), name("line_water"), ACCENT, second_axis=True),
        Line(*as_curve(t, course.wanted_c), name("line_wanted"), COOL, dashed=True, second_axis=True),
    ]
    figure = draw_lines(
        lines, name("room_axis"), zone, keep=b.building.id, light=light, second_title=name("supply_axis"),
        empty=name("no_course"),
    )  # fmt: skip
    figure.update_layout(legend={"font": {"size": 11}})
    return figure
