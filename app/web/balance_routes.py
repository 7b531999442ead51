"""What a crew did and found, written down with the name of who said so.

``POST /api/balance/turned`` with ``{"turned": {building: factor}}``: inlet valves, the flow over what it was;
those buildings are left to settle. ``POST /api/balance/visits`` with ``{"visits": [{"building", "room_c",
"home"}]}``: rooms measured by hand, °C, just now.
"""

import math

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.domains.heating.inlets import note_turned
from app.domains.heating.visits import Reading, note_visits
from app.web.bodies import carry_out, name_of, read_object
from app.web.context import Context
from twin.dispatch.inlets import compile_inlets
from twin.model.errors import InputError

PATH = "/api/balance/turned"
VISITS_PATH = "/api/balance/visits"
MAX_BODY = 131_072


def register_balance_routes(server: FastAPI, context: Context) -> None:
    """Add the routes."""

    @server.post(PATH)
    async def turned(request: Request) -> JSONResponse:
        """Write turned valves down; operators may."""
        body, who = await read_object(request, MAX_BODY), name_of(request)

        def work() -> dict[str, int]:
            return {"no": note_turned(context.county, context.store, read_turns(body), who)}

        return await carry_out(request, "operator", work)

    @server.post(VISITS_PATH)
    async def visits(request: Request) -> JSONResponse:
        """Write measured rooms down; operators may."""
        body, who = await read_object(request, MAX_BODY), name_of(request)

        def work() -> dict[str, int]:
            c, rows = context, read_readings(body)
            value = c.values_now()
            return {"no": note_visits(c.county, compile_inlets(c.county), c.store, value, rows, who)}

        return await carry_out(request, "operator", work)


def read_readings(body: object) -> tuple[Reading, ...]:
    """Measured rooms of a request.

    Raises
    ------
    InputError : it is not a list of objects with a building and a finite number
    """
    rows = body.get("visits") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise InputError('visits: give {"visits": [{"building": id, "room_c": 20.5, "home": "2-301"}]}')
    out: list[Reading] = []
    for r in rows:
        if not isinstance(r, dict) or not isinstance(r.get("building"), str):
            raise InputError("visits: every room needs its building")
        room, home = r.get("room_c"), r.get("home", "")
        if isinstance(room, bool) or not isinstance(room, int | float) or not math.isfinite(room):
            raise InputError(f"visits: {r['building'][:40]}: room_c must be a number, °C")
        if not isinstance(home, str):
            raise InputError(f"visits: {r['building'][:40]}: home must be text")
        out.append(Reading(r["building"], float(room), home.strip()))
    return tuple(out)


def read_turns(body: object) -> dict[str, float]:
    """Factors by building of a request.

    Raises
    ------
    InputError : it is not an object of finite numbers by building
    """
    turned = body.get("turned") if isinstance(body, dict) else None
    if not isinstance(turned, dict):
        raise InputError('turned: give {"turned": {building: flow over what it was}}')
    out: dict[str, float] = {}
    for building, turn in turned.items():
        if isinstance(turn, bool) or not isinstance(turn, int | float) or not math.isfinite(turn):
            raise InputError(f"turned: {str(building)[:40]}: a number is needed")
        out[str(building)] = float(turn)
    return out
