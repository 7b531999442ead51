"""What an operator decides on what the twin has learnt.

``POST /api/learning`` with ``{"order": "on" | "off" | "reset"}``: corrections while running.
``POST /api/calibrations`` with ``{"no": number, "act": "adopt" | "withdraw"}``: versions from history.
Each decision is kept with the name of who took it; the twin follows within half a minute.
"""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.web.bodies import carry_out, name_of, read_object
from app.web.context import Context
from app.workers.assimilate import ORDERS
from app.workers.calibrations import adopt_version, withdraw_version
from twin.model.errors import InputError

LEARNING, CALIBRATIONS = "/api/learning", "/api/calibrations"
ACTS = {"adopt": adopt_version, "withdraw": withdraw_version}
MAX_BODY = 1024


def register_learning_routes(server: FastAPI, context: Context) -> None:
    """Add the routes; operators may."""

    @server.post(LEARNING)
    async def order(request: Request) -> JSONResponse:
        body, who = await read_object(request, MAX_BODY), name_of(request)

        def work() -> int:
            wanted = body.get("order")
            if wanted not in ORDERS:
                raise InputError(f"order: one of {', '.join(ORDERS)}")
            return context.store.keep("assimilation_order", "", {}, who, wanted)

        return await carry_out(request, "operator", work)

    @server.post(CALIBRATIONS)
    async def decide(request: Request) -> JSONResponse:
        body, who = await read_object(request, MAX_BODY), name_of(request)

        def work() -> int:
            no, act = body.get("no"), body.get("act")
            if act not in ACTS or not isinstance(no, int) or isinstance(no, bool):
                raise InputError('give {"no": number of a version, "act": "adopt" or "withdraw"}')
            return ACTS[act](context.store, no, who).row.no

        return await carry_out(request, "operator", work)
