"""The public page: three things on a phone, only sums and means, no scripts but its own few lines."""

import math
import time
from html import escape

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from app.domains.heating.kpi import compute_figures
from app.format import format_number, local_time
from app.i18n import translate
from app.web.context import Context
from twin.model.errors import StoreUnavailable

WATCH_SHARE = 0.95


def register(server: FastAPI, context: Context) -> None:
    """``/public`` and ``/public/data``: open to everyone, aggregated only."""

    @server.get("/public")
    def show(lang: str = "zh") -> HTMLResponse:
        return HTMLResponse(draw_public(context, "en" if lang == "en" else "zh"))

    @server.get("/public/data")
    def data() -> JSONResponse:
        try:
            return JSONResponse(read_public(context), headers={"Cache-Control": "no-store"})
        except StoreUnavailable:
            return JSONResponse({"available": False}, status_code=503)


def read_public(context: Context) -> dict[str, object]:
    """What anyone may know: county means and counts."""
    f = context.ask("public", 30.0, lambda: compute_figures(context.county, context.values_now()))

    def plain(x: float, digits: int) -> float | None:
        return round(x, digits) if math.isfinite(x) else None

    return {
        "available": True,
        "t": time.time(),
        "outdoor_c": plain(f.t_out_c, 1),
        "room_c": plain(f.room_c, 1),
        "pass_share": plain(f.pass_share, 3),
        "rooms": f.rooms,
        "supply_c": plain(f.t_supply_c, 1),
    }


def draw_public(context: Context, lang: str) -> str:
    """The page, drawn on the server; it loads itself anew every minute."""
    meta = context.county.meta
    name = meta.name if lang == "zh" else meta.name_en
    try:
        d = read_public(context)
    except StoreUnavailable:
        d = {"available": False}
    share = d.get("pass_share")
    state = "no" if not d["available"] or d.get("supply_c") is None else "ok"
    if state == "ok" and isinstance(share, float) and share < WATCH_SHARE:
        state = "watch"
    rooms = translate("public.rooms", lang, n=d.get("rooms", 0))
    percent = None if share is None else 100 * float(str(share))
    cards = [
        _card(translate("public.room", lang), d.get("room_c"), "°C", 1, rooms),
        _card(translate("public.pass", lang), percent, "%", 1, rooms),
        _card(translate("app.weather", lang), d.get("outdoor_c"), "°C", 1, ""),
        _card(translate("public.supply", lang), d.get("supply_c"), "°C", 1, ""),
    ]
    badge = f'<span class="demo">{escape(translate("app.demo", lang))}</span>' if meta.demo else ""
    as_of = f"{translate('public.asof', lang)} {local_time(time.time(), meta.timezone, '%m-%d %H:%M')}"
    other = "en" if lang == "zh" else "zh"
    return f"""<!doctype html><html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="60">
<title>{escape(name)}</title><link rel="stylesheet" href="/assets/public.css"></head>
<body class="public"><header><strong>{escape(name)}</strong>{badge}
<a href="?lang={other}">{escape(translate("app.other_language", lang))}</a></header>
<main><h1>{escape(translate("public.title", lang))}</h1>
<p class="state {state}">{escape(translate(f"public.{state}", lang))}</p>
<div class="cards">{"".join(cards)}</div><p class="asof">{escape(as_of)}</p></main></body></html>"""


def _card(title: str, value: object, unit: str, digits: int, note: str) -> str:
    shown = format_number(float(str(value)), digits) if value is not None else "--"
    text = f"<h2>{escape(title)}</h2><p><b>{shown}</b> {escape(unit)}</p><small>{escape(note)}</small>"
    return f"<section>{text}</section>"
