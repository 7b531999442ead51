"""数据质量: what comes in, how old it is, what was refused and why, and whether every process runs."""

import asyncio
import json
import math
import time

import dash_ag_grid as dag
import numpy as np
from dash import Dash, Input, Output, State, dcc, html, no_update
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.auth import may
from app.domains.heating.kpi import rms
from app.format import MISSING, format_age, format_number, local_time
from app.i18n import TEXTS, translate
from app.pages.parts import grid_words, panel
from app.web.context import Context
from app.web.shell import View
from ingest.reasons import translate_reason
from ingest.store.api import DeadLetter, IngestStats, Notice
from twin.model.errors import StoreUnavailable

HOUR_S = 3600.0
DAY_S = 86_400.0
REDO_PATH = "/api/dead-letters/redo"
PEEK = 160


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    right = {"type": "rightAligned"}
    age = {"valueFormatter": {"function": "ctAge(params.value)"}, **right}
    columns = [
        _column("name", "col.name", lang, flex=2, minWidth=155, filter=True),
        _column("kind", "data.kind", lang, minWidth=84, filter=True),
        _column("dialect", "data.dialect", lang, minWidth=92),
        _column("state", "data.state", lang, minWidth=72, filter=True),
        _column("since", "life.since", lang, minWidth=90),
        _column("why", "life.why", lang, minWidth=84),
        _column("age", "col.age", lang, minWidth=62, **age),
        _column("skew", "data.skew", lang, minWidth=84, **right),
        _column("firmware", "life.firmware", lang, minWidth=66),
        _column("certificate", "life.certificate", lang, minWidth=86, **right),
    ]
    if not (view.kiosk or view.embed):
        columns.append(
            {"field": "act", "headerName": "", "cellRenderer": "CTPost", "width": 74, "pinned": "right"}
        )
    grid = dag.AgGrid(
        id="device-grid",
        rowData=[],
        columnDefs=columns,
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True},
        dashGridOptions={
            "animateRows": False,
            "localeText": grid_words(lang, translate("app.no_data", lang)),
        },
        className="ag-theme-quartz-auto-dark ct-grid",
    )
    return [
        html.Div(
            [
                panel(
                    translate("data.counters", lang),
                    html.Div(id="counters", className="ct-counters"),
                    "ct-wide",
                ),
                panel(translate("data.devices", lang), grid, "ct-tall"),
                html.Div(
                    [
                        panel(translate("data.processes", lang), html.Div(id="processes"), "ct-fit"),
                        panel(translate("data.twin", lang), html.Div(id="twin-state"), "ct-fit"),
                        panel(translate("data.notices", lang), html.Div(id="notices", className="ct-scroll")),
                        panel(
                            translate("data.dead", lang),
                            html.Div(id="dead", className="ct-scroll"),
                            extra=_redo_button(view, lang),
                        ),
                    ],
                    className="ct-column",
                ),
            ],
            className="ct-data",
        ),
        dcc.Store(id="data-lang", data=lang),
        dcc.Interval(id="data-tick", interval=3000),
    ]


def _redo_button(view: View, lang: str) -> object:
    """To read the kept messages again once what made them unreadable is mended; a wall has no hands."""
    if view.kiosk or view.embed:
        return None
    return html.Button(translate("data.redo", lang), className="ct-button", **{"data-post": REDO_PATH})


def _column(name: str, title: str, lang: str, **more: object) -> dict[str, object]:
    return {"field": name, "headerName": translate(title, lang), "flex": 1, **more}


def register(app: Dash, context: Context) -> None:
    server: FastAPI = app.server

    @server.post(REDO_PATH)
    async def redo(request: Request) -> JSONResponse:
        """Read the kept messages again; the outcome is a notice. Operators only."""
        if not may(request.scope, "operator"):
            return JSONResponse({"ok": False}, status_code=403)
        try:
            await asyncio.to_thread(context.store.redo_dead_letters)
        except StoreUnavailable:
            return JSONResponse({"ok": False}, status_code=503)
        return JSONResponse({"ok": True})

    @app.callback(
        Output("counters", "children"),
        Output("device-grid", "rowData"),
        Output("dead", "children"),
        Output("twin-state", "children"),
        Output("notices", "children"),
        Input("data-tick", "n_intervals"),
        State("data-lang", "data"),
    )
    def refresh(_n: int | None, lang: str) -> tuple[object, ...]:
        try:
            stats = context.ask("stats", 1.0, context.store.stats)
            return (
                _counters(stats, _completeness(context), lang),
                _device_rows(context, lang),
                _dead(context.ask("dead", 2.0, context.store.dead_letters), context, lang),
                _twin(context, lang),
                _notices(context, lang),
            )
        except StoreUnavailable:
            return (
                no_update,
                no_update,
                no_update,
                html.P(translate("app.unavailable", lang), className="ct-quiet"),
                no_update,
            )

    @app.callback(
        Output("processes", "children"), Input("data-tick", "n_intervals"), State("data-lang", "data")
    )
    def refresh_processes(_n: int | None, lang: str) -> object:
        return _processes(context, lang)


def _counters(stats: IngestStats, complete: float, lang: str) -> list[object]:
    broker = (
        translate("data.connected", lang)
        if stats.broker == "connected"
        else translate_reason(stats.broker, lang)
    )
    rows = [
        ("data.complete", format_number(100 * complete, 1), "%"),
        ("data.rate", format_number(stats.readings_per_s, 1), "/s"),
        ("data.messages", format_number(stats.messages, 0), ""),
        ("data.readings", format_number(stats.readings, 0), ""),
        ("data.late", format_number(stats.late, 0), ""),
        ("data.duplicates", format_number(stats.duplicates, 0), ""),
        ("data.rejected", format_number(stats.rejected_messages, 0), ""),
        ("data.rejected_readings", format_number(stats.rejected_readings, 0), ""),
        ("data.broker_dropped", format_number(stats.broker_dropped, 0), ""),
        ("data.queue", format_number(stats.queue, 0), ""),
        ("data.broker", broker, ""),
    ]
    return [
        html.Div([html.Span(translate(k, lang)), html.B([v, html.Small(u)])], className="ct-counter")
        for k, v, u in rows
    ]


def _completeness(context: Context) -> float:
    """Points heard in the last hour among those that should say something each hour."""
    end = time.time()
    no, _ = context.ask("counts", 30.0, lambda: context.store.point_counts(end - HOUR_S, end))
    expected = {p.no for p in context.county.points if p.period_s <= HOUR_S / 2}
    return len(expected & {int(n) for n in no}) / len(expected) if expected else math.nan


def _device_rows(context: Context, lang: str) -> list[dict[str, object]]:
    states = {s.device_id: s for s in context.ask("devices", 5.0, context.store.device_states)}
    lives = {x.device_id: x for x in context.ask("lives", 5.0, context.store.device_lives)}
    now, zone = time.time(), context.county.meta.timezone
    rows: list[dict[str, object]] = []
    for d in context.county.devices:
        s, life = states.get(d.id), lives.get(d.id)
        kind = f"kind.{d.kind}"
        days = math.nan if life is None else (life.certificate_ends - now) / DAY_S
        rows.append(
            {
                "id": d.id,
                "name": d.name,
                "kind": translate(kind, lang) if kind in TEXTS else d.kind,
                "dialect": d.dialect,
                "state": translate(f"life.{life.state if life is not None else 'registered'}", lang),
                "since": MISSING if life is None else local_time(life.since, zone, "%m-%d %H:%M"),
                "why": "" if life is None else translate_reason(life.why, lang),
                "age": None if s is None else round(now - s.last_received, 1),
                "skew": MISSING if s is None or not math.isfinite(s.skew_s) else format_number(s.skew_s, 1),
                "firmware": "" if life is None else life.firmware,
                "certificate": None if math.isnan(days) else math.floor(days),
                **_retiring(d.id, life is not None and life.state == "retired", lang),
            }
        )
    return rows


def _retiring(device_id: str, retired: bool, lang: str) -> dict[str, str]:
    """The button that takes a device out of service, or back."""
    act = "reinstate" if retired else "retire"
    asks = "" if retired else translate("life.asks", lang, id=device_id)
    return {
        "act": f"/api/devices/{device_id}/{act}", "act_name": translate(f"life.{act}", lang), "act_asks": asks
    }  # fmt: skip


def _dead(letters: list[DeadLetter], context: Context, lang: str) -> object:
    if not letters:
        return html.P(translate("data.dead_none", lang), className="ct-calm")
    keys = ("data.last", "data.topic", "data.reason", "data.count", "data.payload")
    head = html.Tr([html.Th(translate(k, lang)) for k in keys])
    zone = context.county.meta.timezone
    rows = [
        html.Tr(
            [
                html.Td(local_time(d.last_t, zone)),
                html.Td(d.topic),
                html.Td(translate_reason(d.reason, lang)),
                html.Td(format_number(d.count, 0)),
                html.Td(html.Code(peek(d.payload))),
            ]
        )
        for d in letters[:60]
    ]
    return html.Table([html.Thead(head), html.Tbody(rows)], className="ct-table")


def _notices(context: Context, lang: str) -> object:
    """What happened on the way in during the last day, newest first."""
    start = math.floor((time.time() - DAY_S) / HOUR_S) * HOUR_S
    found = context.ask("notices", 5.0, lambda: context.store.notices(start))
    if not found:
        return html.P(translate("data.notices_none", lang), className="ct-calm")
    zone = context.county.meta.timezone
    keys = ("data.last", "data.event", "data.subject", "data.count", "data.detail")
    rows = [
        html.Tr(
            [
                html.Td(local_time(n.last_t, zone)),
                html.Td(translate(f"notice.{n.kind}", lang) if f"notice.{n.kind}" in TEXTS else n.kind),
                html.Td(_subject(n, context, lang)),
                html.Td(format_number(n.count, 0)),
                html.Td(html.Code(_detail(n, lang))),
            ]
        )
        for n in found[:60]
    ]
    head = html.Tr([html.Th(translate(k, lang)) for k in keys])
    return html.Table([html.Thead(head), html.Tbody(rows)], className="ct-table")


def _subject(notice: Notice, context: Context, lang: str) -> str:
    """A point by its id, onboarding by the name of its page; everything else as it is."""
    points = context.county.points
    if notice.kind == "shelf_full":
        return ""
    if notice.subject == "onboarding":
        return translate("nav.access", lang)
    if notice.kind.startswith("counter_") and notice.subject.isdigit() and int(notice.subject) < len(points):
        return points[int(notice.subject)].id
    return notice.subject


def _detail(notice: Notice, lang: str) -> str:
    """A reason in the language of the page, or which version of the onboarding counts now."""
    if notice.kind == "county_reloaded" and notice.detail.isdigit():
        return translate("data.revision", lang, n=notice.detail)
    return translate_reason(notice.detail, lang)


def peek(payload: bytes) -> str:
    """The first characters of a payload; bytes that are no text as hex."""
    try:
        text = payload[: 4 * PEEK].decode("utf-8", "strict" if len(payload) <= 4 * PEEK else "ignore")
    except UnicodeDecodeError:
        text = payload[:48].hex(" ")
    text = "".join(c if c.isprintable() else "·" for c in text)
    return text[:PEEK] + ("…" if len(text) > PEEK or len(payload) > 4 * PEEK else "")


def _twin(context: Context, lang: str) -> list[object]:
    state = context.ask("network", 2.0, context.store.network_state)
    if state is None:
        return [html.P(translate("scene.no_network", lang), className="ct-quiet")]
    code, _, rest = state.status.partition(":")
    if code == "assumed":
        ids = rest.split(",")
        shown = ", ".join(ids[:6]) + (" …" if len(ids) > 6 else "")
        text = translate("data.twin_assumed", lang, n=len(ids), ids=shown)
    elif code == "warming":
        text = translate("data.twin_warming", lang)
    elif code == "failed":
        text = translate("data.twin_failed", lang, why=rest)
    else:
        text = translate("data.twin_ok", lang)
    age = format_age(time.time() - state.t, lang)
    z = context.ask("simulated", 2.0, context.store.simulated_latest).z
    z = z[np.isfinite(z)]
    if z.size:
        text += " · " + translate("data.twin_points", lang, n=z.size, z=format_number(rms(z), 2))
    return [html.P(text), html.P(f"{translate('col.age', lang)} {age}", className="ct-quiet")]


def _processes(context: Context, lang: str) -> object:
    try:
        found = json.loads(context.settings.status_file.read_text(encoding="utf-8"))["processes"]
    except (OSError, ValueError, KeyError):
        return html.P(translate("app.no_data", lang), className="ct-quiet")
    keys = ("col.name", "data.state", "data.restarts", "data.since")
    rows = []
    for p in found:
        name, state = f"process.{p.get('name')}", f"state.{p.get('state')}"
        if p.get("name") == "county" and p.get("state") == "stopped":
            state = "state.done"  # makes the county once, at the first start
        age = format_age(time.time() - float(p.get("since") or time.time()), lang)
        rows.append(
            html.Tr(
                [
                    html.Td(translate(name, lang) if name in TEXTS else str(p.get("name"))),
                    html.Td(translate(state, lang) if state in TEXTS else str(p.get("state"))),
                    html.Td(str(p.get("restarts", 0))),
                    html.Td(age),
                ]
            )
        )
    head = html.Tr([html.Th(translate(k, lang)) for k in keys])
    return html.Table([html.Thead(head), html.Tbody(rows)], className="ct-table")
