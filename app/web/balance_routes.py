"""What a crew did at the inlet valves: ``POST /api/balance/turned`` with ``{"turned": {building: factor}}``,
the flow over what it was. Written down with the name of who said so; those buildings are left to settle."""

import math

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.domains.heating.inlets import note_turned
from app.web.bodies import carry_out, name_of, read_object
from app.web.context import Context
from twin.model.errors import InputError

PATH = "/api/balance/turned"
MAX_BODY = 131_072


def register_balance_routes(server: FastAPI, context: Context) -> None:
    """Add the route."""

    @server.post(PATH)
    async def turned(request: Request) -> JSONResponse:
        """Write turned valves down; operators may."""
        body, who = await read_object(request, MAX_BODY), name_of(request)

        def work() -> dict[str, int]:
            return {"no": note_turned(context.county, context.store, read_turns(body), who)}

        return await carry_out(request, "operator", work)


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
