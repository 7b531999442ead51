"""下一步查漏: what a crew does next for an open leak, and what it has found (a panel of 供热诊断)."""

import json
import time
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from app.domains.heating.search import LEAKS, LONGEST_NOTE, Noted, fetch_advice, read_results
from app.domains.heating.search_words import tell_check, tell_result, tell_zones
from app.format import local_time
from app.i18n import TEXTS, translate
from app.web.context import Context
from app.web.search_routes import PATH
from app.web.shell import View
from ingest.store.finding_api import TwinFinding
from twin.diagnosis.search import KINDS
from twin.model.errors import StoreUnavailable

SHOWN = 12
"""Results that are listed."""


def layout(view: View) -> html.Details:
    """The panel, shut while there is no leak; the form stands apart from what changes, so that typing is not
    disturbed."""
    shown = [] if view.kiosk or view.embed else [_form(view.lang)]
    return html.Details(
        [
            html.Summary(translate("search.title", view.lang)),
            html.Div(id="search-advice"),
            *shown,
            dcc.Store(id="search-shown"),
        ],
        id="search-panel", className="ct-search", open=True, hidden=True,
    )  # fmt: skip


def _form(lang: str) -> html.Div:
    def field(name: str, kinds: str, **more: Any) -> dcc.Input:
        words = translate(f"search.{name}", lang)
        box = dcc.Input(id=f"search-{name}", className="ct-input", **more)
        return html.Label([html.Span(words), box], **{"data-for": kinds})

    kinds = html.Div(
        [
            html.Button(translate(f"search.{k}", lang), className="ct-button", **{"data-check-kind": k})
            for k in KINDS
        ],
        className="ct-search-kinds", role="group", **{"aria-label": translate("search.kind", lang)},
    )  # fmt: skip
    heard = [
        html.Button(translate(f"search.{w}", lang), className="ct-button", **{"data-search-heard": v})
        for w, v in (("heard", "true"), ("silent", "false"))
    ]
    words = {
        "data-search": PATH,
        "data-done": translate("search.done", lang),
        "data-refused": TEXTS["said.refused"][lang != "zh"],
    }
    return html.Div(
        [
            kinds,
            field("chamber_id", "clamp valve listen", type="text", maxLength=40),
            field("sections", "clamp valve", type="text", maxLength=200),
            *(field(n, "clamp", type="number", min=0, step="any") for n in ("supply_m3_h", "return_m3_h")),
            *(field(n, "valve", type="number", min=0, step="any") for n in ("before_m3_h", "after_m3_h")),
            field("text", "clamp valve listen", type="text", maxLength=LONGEST_NOTE),
            html.Span(heard, **{"data-for": "listen"}),
            html.Button(
                translate("search.send", lang), className="ct-button",
                **{"data-search-send": "1", "data-for": "clamp valve"},
            ),
            html.Span(id="search-said", role="status"),
        ],
        id="search-form", className="ct-search-form", **words,
    )  # fmt: skip


def register(app: Dash, context: Context) -> None:
    @app.callback(
        Output("search-advice", "children"),
        Output("search-panel", "hidden"),
        Output("search-shown", "data"),
        Input("finding-shown", "data"),
        Input("diagnosis-tick", "n_intervals"),
        State("diagnosis-lang", "data"),
        State("search-shown", "data"),
    )
    def show(shown: str | None, _n: int | None, words: list[object], old: str | None) -> tuple[object, ...]:
        lang = str(words[0])
        try:
            leak = _leak(context, shown)
            advice = None if leak is None else fetch_advice(context.store, leak.id)
            noted = [] if leak is None else _noted(context, leak)
        except StoreUnavailable:
            return no_update, no_update, no_update
        now = json.dumps([leak and leak.id, advice, [(n.row.no, n.row.state) for n in noted]], default=str)
        if now == old:
            return no_update, no_update, no_update
        taken = [html.P(translate("search.draw", lang))] if leak is not None and leak.kind == "draw" else []
        return [*taken, *draw_advice(context, advice, noted, lang)], leak is None, now


def _leak(context: Context, finding_id: str | None) -> TwinFinding | None:
    """The finding, if it is a leak that is open."""
    rows: list[TwinFinding] = context.ask(
        "findings", 3.0, lambda: context.store.findings(time.time() - 7 * 86_400.0)
    )
    return next((f for f in rows if f.id == finding_id and f.open and f.kind in LEAKS), None)


def _noted(context: Context, leak: TwinFinding) -> list[Noted]:
    """Results since a little before it was found, newest first; those taken back too."""
    rows: list[Noted] = context.ask("search", 2.0, lambda: read_results(context.store, time.time()))
    return [n for n in reversed(rows) if n.result.t >= leak.since - 3600.0]


def draw_advice(
    context: Context, advice: dict[str, Any] | None, noted: list[Noted], lang: str
) -> list[object]:
    """The zone as it has shrunk, the next checks, and what has been found."""
    if advice is None:
        return [html.P(translate("search.waiting", lang), className="ct-quiet")]
    out: list[object] = [html.P(tell_zones(advice["zones_m"], advice["near"], lang))]
    rows = [_row(context, c, lang) for c in advice["checks"]]
    out.append(html.Ol(rows) if rows else html.P(translate("search.enough", lang)))
    if noted:
        out.append(html.H3(translate("search.results", lang)))
        out.append(html.Ul([_result(context, n, lang) for n in noted[:SHOWN]]))
    return out


def _row(context: Context, check: dict[str, Any], lang: str) -> html.Li:
    do, expect, worth = tell_check(context.county, check, lang)
    use = {
        "kind": check["check"]["kind"], "sections": list(check["check"]["pair_ids"]),
        "chamber": check["check"]["node_id"],
    }  # fmt: skip
    pairs = set(use["sections"])
    pipes = {p.id for p in context.county.network.pipes if p.pair_id in pairs}
    valves = [v.id for v in context.county.network.valves if v.pipe_id in pipes]
    button = html.Button(
        translate("search.use", lang), className="ct-button",
        **{"data-search-use": json.dumps(use), "data-valves": " ".join(valves)},
    )  # fmt: skip
    return html.Li(_line([html.B(do), html.Span(expect), html.Small(worth)], button))


def _line(words: list[object], button: html.Button) -> html.Div:
    """Words with their button beside them."""
    return html.Div([html.Div(words), button], className="ct-search-line")


def _result(context: Context, noted: Noted, lang: str) -> html.Li:
    at = local_time(noted.result.t, context.county.meta.timezone, "%m-%d %H:%M")
    line = tell_result(noted, at, lang)
    if not noted.counts:
        return html.Li(html.S(line), className="ct-quiet")
    undo = html.Button(
        translate("search.undo", lang), className="ct-button", **{"data-search-undo": str(noted.row.no)}
    )
    return html.Li(_line([line], undo))
