"""What an operator says of a finding of the twin.

``POST /api/findings`` with ``{"finding": id, "verdict": "confirm" | "reject" | "note", "text": "..."}``.
Every saying is kept with who said it and when; a rejected finding is not told again for a day unless it
grows.
"""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.domains.heating.said import say
from app.web.bodies import carry_out, name_of, read_object
from app.web.context import Context
from twin.model.errors import InputError

PATH = "/api/findings"
MAX_BODY = 8192


def register_finding_routes(server: FastAPI, context: Context) -> None:
    """Add the route."""

    @server.post(PATH)
    async def judge(request: Request) -> JSONResponse:
        """Confirm, reject or note; operators may."""
        body = await read_object(request, MAX_BODY)
        who = name_of(request)

        def work() -> dict[str, int]:
            words = [body.get(k, "") for k in ("finding", "verdict", "text")]
            if not all(isinstance(w, str) for w in words):
                raise InputError("finding, verdict and text: give words")
            return {"no": say(context.store, words[0], words[1], words[2], who)}

        return await carry_out(request, "operator", work)
