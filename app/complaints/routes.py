"""The routes of the complaints desk.

``GET /api/complaints`` the list (every account; rooms, words and masked numbers for operators only),
``GET /api/complaints/buildings?q=`` and everything that writes (``POST``) for operators. Nothing of it is
open to who comes with a signed link.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.auth import may
from app.auth.accounts import Role
from app.auth.gate import VISITOR, current_account
from app.complaints.service import Complaints
from app.domains.heating.complaints import ComplaintRefused
from app.domains.heating.complaints.hotline import MAX_BYTES
from app.web.bodies import name_of, read_object
from twin.model.errors import InputError, StoreUnavailable

PATH = "/api/complaints"
MAX_BODY = 8192


def register_complaints(server: FastAPI, desk: Complaints) -> None:
    """Add the routes; call before Dash's catch-all."""

    @server.get(PATH)
    async def find(request: Request) -> JSONResponse:
        """The list."""
        whole = may(request.scope, "operator")
        return await _carry_out(request, "viewer", lambda lang: desk.look(lang, whole=whole))

    @server.get(PATH + "/buildings")
    async def buildings(request: Request) -> JSONResponse:
        """Buildings by what is typed."""
        words = request.query_params.get("q", "")
        return await _carry_out(request, "operator", lambda lang: desk.buildings(words, lang))

    @server.post(PATH)
    async def receive(request: Request) -> JSONResponse:
        """Take a call."""
        body, who = await read_object(request, MAX_BODY), name_of(request)
        return await _carry_out(request, "operator", lambda _lang: desk.receive(body, who))

    @server.post(PATH + "/import")
    async def take_table(request: Request) -> JSONResponse:
        """Take a hotline's export, which is the body; ``name`` of the file in the address."""
        if not may(request.scope, "operator"):
            return _forbidden("operator")
        data = b""
        async for part in request.stream():
            data += part
            if len(data) > MAX_BYTES:
                break
        name, who = request.query_params.get("name", "")[:200], name_of(request)
        return await _carry_out(request, "operator", lambda lang: desk.import_table(name, data, who, lang))

    @server.post(PATH + "/{no}/phone")
    async def phone(request: Request, no: int) -> JSONResponse:
        """The number to call back; who asked is written down."""
        who = name_of(request)
        return await _carry_out(request, "operator", lambda _lang: desk.read_phone(no, who))

    @server.post(PATH + "/{no}")
    async def step(request: Request, no: int) -> JSONResponse:
        """The next step of a case: ``act`` and what belongs to it."""
        body, who = await read_object(request, MAX_BODY), name_of(request)
        act = str(body.get("act", ""))
        return await _carry_out(request, "operator", lambda lang: desk.step(no, act, body, who, lang))


async def _carry_out(request: Request, role: Role, work: Callable[[str], dict[str, Any]]) -> JSONResponse:
    """Do ``work`` in a thread if the account may; what is refused is told in the language of who asks."""
    if not may(request.scope, role) or current_account(request.scope) is VISITOR:
        return _forbidden(role)
    lang = "en" if request.query_params.get("lang") == "en" else "zh"
    try:
        result = await asyncio.to_thread(work, lang)
    except ComplaintRefused as e:
        return _answer({"ok": False, "code": e.code, "why": e.tell(lang)}, 404 if e.code == "none" else 422)
    except InputError as e:
        return _answer({"ok": False, "code": "input", "why": str(e)}, 422)
    except StoreUnavailable:
        return _answer({"ok": False, "code": "away", "why": "the store is away"}, 503)
    return _answer({"ok": True, **result}, 200)


def _answer(body: dict[str, Any], status: int) -> JSONResponse:
    return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store"})


def _forbidden(role: Role) -> JSONResponse:
    return _answer({"ok": False, "code": "forbidden", "why": f"needs the role {role}"}, 403)
