"""What the scene asks for beside its fixed parts: moments of time, sections along pipes, choices as tables.

``GET /scene/time.json`` the moments there are; ``GET /scene/moment.bin?t=`` one of them; ``GET
/scene/section.json?from=&to=&t=&key=`` a pressure or temperature profile as a figure; ``POST
/scene/choice.csv`` and ``.xlsx`` a choice as a table.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from app.domains.heating.choice import list_tables, read_choice, write_csv, write_xlsx
from app.domains.heating.moment import Moment, Moments
from app.domains.heating.profile import make_profile
from app.i18n import LANGUAGES
from app.pages.way import WAYS, draw_along, find_measured
from app.web.bodies import read_object
from app.web.context import Context
from twin.model.errors import InputError, StoreUnavailable

T = TypeVar("T")

MAGIC = b"CTMO"
MAX_BODY = 4_000_000
NO_STORE = {"Cache-Control": "no-store"}
KINDS = {"csv": "text/csv; charset=utf-8",
         "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}  # fmt: skip


def register_scene_time_routes(server: FastAPI, context: Context) -> None:
    """Add the routes; they stand behind the gate like everything else."""
    moments = Moments(context)

    @server.get("/scene/time.json", include_in_schema=False)
    async def read_times() -> Response:
        now = time.time()
        past, ahead = await _ask(lambda: moments.times(now))
        body = {"now": now, "past": np.ceil(past).tolist(), "ahead": np.ceil(ahead).tolist()}
        return JSONResponse(body, headers=NO_STORE)

    @server.get("/scene/moment.bin", include_in_schema=False)
    async def read_moment(request: Request) -> Response:
        moment = await _ask(lambda: moments.read(read_time(request.query_params.get("t", ""))))
        return Response(
            encode_moment(moment, context), headers=NO_STORE, media_type="application/octet-stream"
        )

    @server.get("/scene/section.json", include_in_schema=False)
    async def read_section(request: Request) -> Response:
        q = request.query_params
        t = read_time(q.get("t", ""))
        key, lang = q.get("key", WAYS[0]), q.get("lang", LANGUAGES[0])
        if key not in WAYS or lang not in LANGUAGES:
            raise HTTPException(422, f"key: one of {', '.join(WAYS)}; lang: one of {', '.join(LANGUAGES)}")
        light = q.get("theme") == "light"
        return JSONResponse(
            await _ask(lambda: make_section(context, moments.read(t), q.get("from", ""), q.get("to", ""), key,
                                            lang, light)),
            headers=NO_STORE,
        )  # fmt: skip

    @server.post("/scene/choice.{kind}", include_in_schema=False)
    async def write_choice(request: Request, kind: str) -> Response:
        if kind not in KINDS:
            raise HTTPException(404, "csv or xlsx")
        body = await read_object(request, MAX_BODY)

        def work() -> bytes:
            choice = read_choice(body, context.county)
            lang = body.get("lang") if body.get("lang") in LANGUAGES else LANGUAGES[0]
            moment = moments.read(read_time(str(body.get("t") or "")))
            tables = list_tables(context.county, choice, moment, str(lang))
            return write_csv(tables) if kind == "csv" else write_xlsx(tables)

        return Response(await _ask(work), media_type=KINDS[kind], headers=NO_STORE)


async def _ask(work: Callable[[], T]) -> T:
    """Do ``work`` in a thread; 422 and 503 say why not."""
    try:
        return await asyncio.to_thread(work)
    except InputError as e:
        raise HTTPException(422, str(e)) from e
    except StoreUnavailable as e:
        raise HTTPException(503, "the store is away") from e


def read_time(text: str) -> float | None:
    """Seconds since 1970 UTC; None for none. Raises ``HTTPException`` 422 for what is no time."""
    if not text:
        return None
    try:
        t = float(text)
    except ValueError:
        t = math.nan
    if not 0.0 < t < 1e11:
        raise HTTPException(422, "t: give seconds since 1970 UTC")
    return t


def encode_moment(m: Moment, context: Context) -> bytes:
    """``CTMO``, length of the text u32, JSON padded to 8 bytes, then f32 arrays: of the network (if there is
    one) as in the frame NETWORK, rooms per building, and u8 per building: measured."""
    county = context.county
    places = {s.id for s in county.network.substations} | {s.id for s in county.network.sources}
    values = {
        p.no: float(f"{m.value[p.no]:.6g}")
        for p in county.points
        if (p.place_id in places or p.key == "t_out") and np.isfinite(m.value[p.no])
    }
    s = m.state
    head = {
        "t": m.t, "kind": m.kind, "status": s.status if s else "", "values": values,
        "nodes": len(county.network.nodes) if s else 0, "pipes": len(county.network.pipes) if s else 0,
        "buildings": len(county.buildings), "state_t": s.t if s else None,
        "outdoor": [p.no for p in county.points if p.key == "t_out"][:1],
    }  # fmt: skip
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 8)
    arrays = [] if s is None else [
        s.t_supply_c, s.t_return_c, s.p_supply_pa, s.p_return_pa, s.mass_flow_kg_s, s.t_pipe_c
    ]  # fmt: skip
    numbers = b"".join(np.asarray(a, "<f4").tobytes() for a in (*arrays, m.room_c))
    return MAGIC + len(text).to_bytes(4, "little") + text + numbers + m.measured.astype("u1").tobytes()


def make_section(
    context: Context, m: Moment, start: str, end: str, key: str, lang: str, light: bool
) -> dict[str, object]:
    """A figure along the pipes and where its nodes are.

    Parameters
    ----------
    start, end : id of a source, a station or a node; ``start`` may be empty: the nearest source

    Raises
    ------
    InputError : an end is unknown, no pipes join them, or the network has no state at that moment
    """
    network = context.county.network
    at = {n.id: n.id for n in network.nodes}
    at |= {s.id: s.node_id for s in network.sources} | {s.id: s.node_id for s in network.substations}
    if end not in at or (start and start not in at):
        raise InputError("section: an end is not in the network")
    if m.state is None:
        raise InputError("section: the network has no state at that moment")
    way = make_profile(network, m.state, at[end], at[start] if start else "")
    if way.node.size < 2:
        raise InputError("section: no pipes join the two ends")
    first = start or way.source_id
    measured = find_measured(context, way, first, end, key, lang, m.value)
    figure = draw_along(way, key, measured, lang, light, keep=f"{first}{end}{key}")
    nodes = [network.nodes[int(k)] for k in way.node]
    return {
        "figure": json.loads(figure.to_json()),
        "distance_m": way.distance_m.round(2).tolist(),
        "places": [[n.lon, n.lat, n.elevation_m] for n in nodes],
        "from": first, "to": end,
    }  # fmt: skip
