"""Bodies and doors of small JSON requests: one way to read them, to let them in and to answer."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from app.auth import current_account, may
from app.auth.accounts import Role
from twin.model.errors import InputError, StoreUnavailable


async def read_object(request: Request, most_bytes: int) -> dict[str, Any]:
    """A small JSON object; anything else, or too much of it, is an empty one, which is then refused for what
    it lacks."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def name_of(request: Request) -> str:
    """Account that asks; empty without accounts."""
    account = current_account(request.scope)
    return account.name if account is not None else ""


async def carry_out(request: Request, role: Role, work: Callable[[], Any]) -> JSONResponse:
    """Do ``work`` in a thread if the account may; 403, 422 and 503 say why not in a sentence."""
    if not may(request.scope, role):
        return JSONResponse({"ok": False, "why": f"needs the role {role}"}, status_code=403)
    try:
        result = await asyncio.to_thread(work)
    except InputError as e:
        return JSONResponse({"ok": False, "why": str(e)}, status_code=422)
    except StoreUnavailable:
        return JSONResponse({"ok": False, "why": "the store is away"}, status_code=503)
    return JSONResponse({"ok": True, "result": result}, headers={"Cache-Control": "no-store"})
