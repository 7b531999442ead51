"""孪生比对: how far the twin is from the meters, what it has learnt, and the versions made from history."""

import json
import math
import time
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from app.domains.heating.kpi import rms
from app.domains.heating.residuals import (
    BAD_Z,
    LearntBody,
    count_bad,
    read_learnt,
    score_places,
    worst_points,
)
from app.format import MISSING, format_number, format_value, local_time
from app.i18n import translate
from app.pages.heating_desk import list_virtual
from app.pages.parts import kind_name, panel
from app.web.context import Context
from app.web.learning_routes import CALIBRATIONS, LEARNING
from app.web.shell import View
from app.workers.calibrations import ADOPTED, find_version
from ingest.store.kept_api import Kept
from twin.model.errors import InputError, StoreUnavailable

WORST, VERSIONS, SHOWN = 24, 8, 60
SEASON_S = 300 * 86_400.0


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    bare = view.kiosk or view.embed
    columns = (
        (("score", "twin-score"), ("stations", "twin-stations")),
        (("residuals", "twin-worst"), ("before_after", "twin-scores")),
        (("learnt", "twin-learnt"), ("versions", "twin-versions")),
    )
    acts = [] if bare else [html.P([*_switches(lang), html.Span(id="twin-said", role="status")])]
    return [
        html.Div(
            [
                html.Div(
                    [
                        panel(
                            translate(f"twin.{title}", lang),
                            html.Div([*(acts if name == "twin-learnt" else []), html.Div(id=name)],
                                     className="ct-scroll"),
                            f"ct-{name}",
                        )
                        for title, name in column
                    ],
                    className="ct-column",
                )
                for column in columns
            ],
            className="ct-twin",
        ),
        dcc.Store(id="twin-view", data=[lang, bare]),
        dcc.Interval(id="twin-tick", interval=10_000),
        dcc.Interval(id="twin-slow", interval=60_000),
    ]  # fmt: skip


def _button(lang: str, word: str, path: str, body: dict[str, object], ask: str = "") -> html.Button:
    words = {
        "data-tell": path, "data-body": json.dumps(body), "data-said": "twin-said",
        "data-done": translate("twin.done", lang),
        "data-refused": translate("twin.refused_order", lang, why="{why}"),
    }  # fmt: skip
    if ask:
        words["data-ask"] = translate(ask, lang)
    return html.Button(translate(word, lang), className="ct-button", **words)


def _switches(lang: str) -> list[html.Button]:
    return [
        _button(lang, "twin.on", LEARNING, {"order": "on"}),
        _button(lang, "twin.switch_off", LEARNING, {"order": "off"}),
        _button(lang, "twin.reset", LEARNING, {"order": "reset"}, "twin.ask_reset"),
    ]


def register(app: Dash, context: Context) -> None:
    @app.callback(
        Output("twin-score", "children"),
        Output("twin-stations", "children"),
        Output("twin-worst", "children"),
        Input("twin-tick", "n_intervals"),
        State("twin-view", "data"),
    )
    def compare(_n: int | None, words: list[object]) -> tuple[object, object, object]:
        lang = str(words[0])
        try:
            return draw_score(context, lang), draw_places(context, lang), draw_points(context, lang)
        except StoreUnavailable:
            return html.P(translate("app.unavailable", lang)), no_update, no_update

    @app.callback(
        Output("twin-scores", "children"),
        Output("twin-learnt", "children"),
        Output("twin-versions", "children"),
        Input("twin-slow", "n_intervals"),
        State("twin-view", "data"),
    )
    def learnt(_n: int | None, words: list[object]) -> tuple[object, object, object]:
        lang, bare = str(words[0]), bool(words[1])
        try:
            body = context.ask("learnt", 30.0, lambda: read_learnt(context.store))
            return (
                draw_before_after(body, lang), draw_learnt(context, body, lang),
                draw_versions(context, lang, bare),
            )  # fmt: skip
        except StoreUnavailable:
            return no_update, html.P(translate("app.unavailable", lang)), no_update


def _table(heads: list[str], rows: list[Any], lang: str, right: bool = True) -> html.Table:
    head = html.Thead(html.Tr([html.Th(translate(f"twin.{h}", lang)) for h in heads]))
    return html.Table([head, html.Tbody(rows)], className=f"ct-table {'ct-right' if right else ''}".strip())


def _quiet(word: str, lang: str, **values: str) -> html.P:
    return html.P(translate(word, lang, **values), className="ct-quiet")


def name_of(context: Context, place: str, lang: str) -> str:
    """A station or source by name, anything else by its id."""
    network = context.county.network
    names = {s.id: (s.name, s.name_en) for s in network.substations}
    names |= {s.id: (s.name, s.name_en) for s in network.sources}
    return names.get(place, (place, place))[lang != "zh"]


def draw_score(context: Context, lang: str) -> list[object]:
    """The county in one line, and what stands in for meters that failed."""
    table = context.ask("simulated", 2.0, context.store.simulated_latest)
    bad, count = count_bad(table)
    if not count:
        return [_quiet("diagnosis.no_run", lang)]
    at = local_time(table.t, context.county.meta.timezone)
    z = format_number(rms(table.z), 2)
    out: list[object] = [html.P(translate("twin.county", lang, z=z, n=str(count), bad=str(bad), at=at))]
    ids = sorted(list_virtual(context))
    if ids:
        names = ", ".join(ids[:6])
        if len(ids) > 6:
            names = translate("twin.assumed_more", lang, names=names, n=str(len(ids)))
        out.append(html.P(translate("twin.assumed", lang, names=names), **{"data-level": "watch"}))
    return out


def _evidence(view_lang: str, place: str) -> str:
    return f"/heating?sel={place}" + ("" if view_lang == "zh" else f"&lang={view_lang}")


def draw_places(context: Context, lang: str) -> html.Table:
    """Every station and source with its score."""
    table = context.ask("simulated", 2.0, context.store.simulated_latest)
    rows = [
        html.Tr(
            [
                html.Td(dcc.Link(name_of(context, s.place_id, lang), href=_evidence(lang, s.place_id))),
                html.Td(format_number(s.rms, 2)),
                html.Td(kind_name(s.worst, lang)),
                html.Td(_sigmas(s.worst_z)),
            ]
        )
        for s in score_places(context.county, table)
    ]
    return _table(["station", "rms", "worst", "sigmas"], rows, lang)


def _sigmas(z: float) -> html.Span:
    level = {"data-level": "bad"} if abs(z) > BAD_Z else {}
    return html.Span(format_number(z, 1, sign=True), **level)


def draw_points(context: Context, lang: str) -> html.Table:
    """The points that are furthest off; each leads to its evidence."""
    table = context.ask("simulated", 2.0, context.store.simulated_latest)
    rows = []
    for s in worst_points(context.county, table, WORST):
        p = s.point
        name = f"{name_of(context, p.place_id, lang)} {kind_name(p.key, lang)}"
        cells = (
            dcc.Link(name, href=_evidence(lang, p.place_id)), format_value(p.quantity, s.measured),
            format_value(p.quantity, s.simulated), _sigmas(s.z),
        )  # fmt: skip
        rows.append(html.Tr([html.Td(c) for c in cells]))
    return _table(["point", "measured", "simulated", "sigmas"], rows, lang)


def _residual(key: str, x: float) -> str:
    """A residual in display units; flow and heat as a share."""
    if key.endswith(("_flow", "_heat")):
        return f"{format_number(100.0 * x, 1)} %"
    if key.endswith(("_ps", "_pr")):
        return f"{format_number(x / 1e3, 1)} kPa"
    return f"{format_number(x, 2)} K"


def draw_before_after(body: LearntBody | None, lang: str) -> object:
    """Residuals by kind of point with and without what was learnt."""
    if body is None or not body.scores:
        return _quiet("twin.none_yet", lang)
    rows = [
        html.Tr([html.Td(kind_name(s["key"], lang)), html.Td(_residual(s["key"], s["before"])),
                 html.Td(_residual(s["key"], s["after"]))])
        for s in body.scores
    ]  # fmt: skip
    return _table(["point", "before", "after"], rows, lang)


def draw_learnt(context: Context, body: LearntBody | None, lang: str) -> list[object]:
    """Corrections in force: what is unusual first, then what the data have told most about."""
    if body is None:
        return [_quiet("twin.none_yet", lang)]
    if not body.active:
        return [html.P(translate("twin.off", lang), **{"data-level": "watch"})]
    known = [x for x in body.learnt if x["learnt"] or x["unusual"]]
    known.sort(key=lambda x: (not x["unusual"], x["kind"] == "offset", -abs(_size(x))))
    at = local_time(body.t, context.county.meta.timezone, "%m-%d %H:%M")
    odd = sum(x["unusual"] for x in known)
    out: list[object] = [_quiet("twin.learnt_said", lang, n=str(len(known)), odd=str(odd), at=at)]
    if body.refused:
        names = translate("twin.refused", lang, names=", ".join(body.refused[:8]))
        out.append(html.P(names, **{"data-level": "watch"}))
    rows = []
    for x in known[:SHOWN]:
        odd_mark = html.Span(translate("twin.unusual", lang), **{"data-level": "watch"})
        cells = [
            [translate(f"twin.kind.{x['kind']}", lang), " ", odd_mark if x["unusual"] else ""],
            _place(context, x, lang), _figure(context, x, x["value"]),
            f"{_figure(context, x, x['low'])} … {_figure(context, x, x['high'])}",
        ]  # fmt: skip
        rows.append(html.Tr([html.Td(c) for c in cells]))
    return [*out, _table(["kind", "place", "value", "range"], rows, lang)]


def _size(x: dict[str, Any]) -> float:
    """How far a correction is from none, in widths of its interval."""
    none = 0.0 if x["kind"] in ("offset", "source_k") else 1.0
    return float((x["value"] - none) / max(x["high"] - x["low"], 1e-9))


def _place(context: Context, x: dict[str, Any], lang: str) -> str:
    place, _, key = str(x["place"]).partition("/")
    if x["kind"] == "valve_loss":
        return translate("twin.valves", lang)
    if x["kind"] == "offset":
        return f"{name_of(context, place, lang)} {kind_name(key, lang)}"
    return str(x["place"]) if x["kind"] in ("heat_loss", "roughness") else name_of(context, place, lang)


def _figure(context: Context, x: dict[str, Any], value: float) -> str:
    if x["kind"] == "offset":
        key = str(x["place"]).partition("/")[2]
        if key.endswith(("_flow", "_heat")):
            return f"{format_number(100.0 * value, 1, sign=True)} %"
        if key.endswith(("_ps", "_pr")):
            return f"{format_number(value / 1e3, 1, sign=True)} kPa"
        return f"{format_number(value, 2, sign=True)} K"
    if x["kind"] == "source_k":
        return f"{format_number(value, 2, sign=True)} K"
    return f"× {format_number(value, 2)}"


def draw_versions(context: Context, lang: str, bare: bool) -> object:
    """Versions with their worth on other days; one click adopts or takes back."""
    since = math.floor((time.time() - SEASON_S) / 86_400.0) * 86_400.0
    kept = context.ask("calibrations", 5.0, lambda: context.store.kept("calibration", since, VERSIONS))
    rows = [_version(context, row, lang, bare) for row in kept]
    if not rows:
        return _quiet("twin.no_versions", lang)
    return _table(["version", "state", "factors", "other_days"], rows, lang, right=False)


def _version(context: Context, row: Kept, lang: str, bare: bool) -> html.Tr:
    zone = context.county.meta.timezone
    try:
        made = context.ask(
            f"calibration-{row.no}", 3600.0, lambda: find_version(context.store, row.no)
        ).calibration
    except InputError:
        return html.Tr([html.Td(local_time(row.made, zone, "%m-%d %H:%M")), html.Td(MISSING, colSpan=3)])
    learnt = sum(f.learnt for f in made.factors)
    scores = [
        html.Div(f"{kind_name(s.key, lang)} {_residual(s.key, s.before)} → {_residual(s.key, s.after)}")
        for s in made.scores
    ]
    act = ("twin.withdraw", "withdraw") if row.state == ADOPTED else ("twin.adopt", "adopt")
    button = [] if bare else [_button(lang, act[0], CALIBRATIONS, {"no": row.no, "act": act[1]})]
    state = " ".join(x for x in (translate(f"twin.state.{row.state}", lang), row.who) if x)
    return html.Tr(
        [
            html.Td([local_time(row.made, zone, "%m-%d %H:%M"), html.Div(button)]), html.Td(state),
            html.Td(translate("twin.of", lang, n=str(learnt), all=str(len(made.factors)))), html.Td(scores),
        ]
    )  # fmt: skip
