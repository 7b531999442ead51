"""What a crew found on the way to a leak.

``POST /api/findings/search`` with ``{"finding": id, "kind": "clamp" | "valve" | "listen", "sections": [pair],
"chamber": node, ...}`` and ``supply_m3_h``, ``return_m3_h`` or ``before_m3_h``, ``after_m3_h`` or ``heard``
(see ``app.domains.heating.search``); ``{"undo": number}`` takes one back. Everything stays with its name.
"""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.domains.heating.search import note_result, undo_result
from app.web.bodies import carry_out, name_of, read_object
from app.web.context import Context
from twin.diagnosis.search import Trench, compile_trench
from twin.heat import CompiledNetwork, compile_network

PATH = "/api/findings/search"
MAX_BODY = 8192


def register_search_routes(server: FastAPI, context: Context) -> None:
    """Add the route."""

    @server.post(PATH)
    async def found(request: Request) -> JSONResponse:
        """Note a result or take one back; operators may."""
        body = await read_object(request, MAX_BODY)
        who = name_of(request)

        def work() -> dict[str, int]:
            if "undo" in body:
                return {"no": undo_result(context.store, body["undo"], who)}
            net, trench = context.ask("trench", 3600.0, lambda: compile_both(context))
            return {"no": note_result(context.store, net, trench, body, who)}

        return await carry_out(request, "operator", work)


def compile_both(context: Context) -> tuple[CompiledNetwork, Trench]:
    """The network and where one can get at it."""
    net = compile_network(context.county.network)
    return net, compile_trench(net)
