"""What operators may ask of devices, as HTTP: the page 指令 uses it, and so may other programs.

``GET /api/commands``; ``POST /api/commands`` with ``{"point": id, "value": number, "reason": text}`` (in the
display unit of its quantity); ``POST /api/commands/{no}/{approve|reject|withdraw|undo}``;
``POST /api/devices/{id}/{retire|reinstate}``. What a device is really told, ingest decides.
"""

import math
from dataclasses import asdict

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.web.bodies import carry_out, name_of, read_object
from app.web.context import Context
from ingest.store.command_api import Command, Verdict
from twin.model.errors import InputError
from twin.model.quantities import find_quantity

PATH = "/api/commands"
MAX_BODY = 4096
VERDICTS: dict[str, Verdict] = {"approve": "approve", "reject": "reject", "withdraw": "withdraw"}
UNDOABLE = ("done", "differs", "timed_out")


def register_command_routes(server: FastAPI, context: Context) -> None:
    """Add the routes."""

    @server.get(PATH)
    async def list_commands(request: Request) -> JSONResponse:
        """The newest commands; everyone who may see the pages."""
        return await carry_out(
            request, "viewer", lambda: [_as_json(c) for c in context.store.commands(limit=200)]
        )

    @server.post(PATH)
    async def ask(request: Request) -> JSONResponse:
        """Ask for a set-point."""
        body = await read_object(request, MAX_BODY)
        return await carry_out(request, "operator", lambda: {"no": _ask(context, body, name_of(request))})

    @server.post(PATH + "/{no}/{verdict}")
    async def decide(request: Request, no: int, verdict: str) -> JSONResponse:
        """Approve, reject, withdraw, or ask for the value of before."""
        return await carry_out(request, "operator", lambda: _decide(context, no, verdict, name_of(request)))

    @server.post("/api/devices/{device_id}/{act}")
    async def retire(request: Request, device_id: str, act: str) -> JSONResponse:
        """Take a device out of service, or into it again; who manages may."""
        return await carry_out(request, "admin", lambda: _retire(context, device_id, act, name_of(request)))


def _ask(context: Context, body: dict[str, object], who: str) -> int:
    point = context.county.point_by_id.get(str(body.get("point", "")))
    value, reason = body.get("value"), str(body.get("reason", "")).strip()
    if point is None:
        raise InputError("point: the id of a set-point is needed")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError("value: a number is needed")
    if not reason:
        raise InputError("reason: a few words are needed")
    return context.store.request_command(
        point.no, float(value) / find_quantity(point.quantity).scale, who, reason[:500]
    )


def _decide(context: Context, no: int, verdict: str, who: str) -> int:
    if verdict in VERDICTS:
        context.store.decide_command(no, VERDICTS[verdict], who)
        return no
    if verdict != "undo":
        raise InputError(f"{verdict}: one of approve, reject, withdraw, undo")
    found = next((c for c in context.store.commands(since=no / 1e6 - 60.0, limit=5000) if c.no == no), None)
    if found is None or not can_undo(found):
        raise InputError("only a command that was sent and whose value of before is known can be undone")
    return context.store.request_command(
        found.point_no, found.before, who, f"undo {no}: {found.reason}"[:500], origin=f"undo {no}"
    )


def can_undo(command: Command) -> bool:
    """Whether there is a value to go back to."""
    changed = not math.isclose(command.before, command.value, abs_tol=1e-9)
    return command.state in UNDOABLE and math.isfinite(command.before) and changed


def _retire(context: Context, device_id: str, act: str, who: str) -> str:
    if device_id not in {d.id for d in context.county.devices}:
        raise InputError(f"there is no device {device_id[:80]!r}")
    if act not in ("retire", "reinstate"):
        raise InputError(f"{act[:40]!r}: one of retire, reinstate")
    context.store.retire_device(device_id, who, "", back=act == "reinstate")
    return device_id


def _as_json(command: Command) -> dict[str, object]:
    row = asdict(command)
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
