"""What an operator does with a proposal of the dispatcher: approve (as it is or edited), reject, take back.

``POST /api/dispatch/{no}/approve`` with ``{"rows": [{"point": id, "value": number}]}`` (display units; only
what is wanted), ``.../reject``, ``.../undo``. An approved row becomes a command like any other: limits,
read-back, second approval where the county demands it, audit.
"""

import math
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.i18n import translate
from app.web.bodies import carry_out, name_of, read_object
from app.web.context import Context
from ingest.store.kept_api import Kept
from twin.model.errors import InputError
from twin.model.quantities import find_quantity
from twin.model.setpoints import find_limits

PATH = "/api/dispatch"
MAX_BODY = 65_536
RECENT_S = 7 * 86_400.0
LATE_S = 3 * 3600.0
"""A proposal older than this is of another weather: it can no longer be approved."""


def register_dispatch_routes(server: FastAPI, context: Context) -> None:
    """Add the routes."""

    @server.post(PATH + "/{no}/{verdict}")
    async def decide(request: Request, no: int, verdict: str) -> JSONResponse:
        """Approve, reject or take back a proposal; operators may."""
        body = await read_object(request, MAX_BODY) if verdict == "approve" else {}
        who = name_of(request)

        def work() -> dict[str, list[int]]:
            rows = read_rows(body) if verdict == "approve" else []
            return {"commands": decide_proposal(context, no, verdict, rows, who)}

        return await carry_out(request, "operator", work)


def read_rows(body: object) -> list[tuple[str, float]]:
    """Points and values (display units) of a request.

    Raises
    ------
    InputError : it is not a list of rows with a point and a finite number each, or names a point twice
    """
    rows = body.get("rows") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows:
        raise InputError('rows: give a list of {"point": id, "value": number}')
    out: list[tuple[str, float]] = []
    for i, row in enumerate(rows):
        point, value = (row.get("point"), row.get("value")) if isinstance(row, dict) else (None, None)
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not isinstance(point, str) or not number or not isinstance(value, int | float):
            raise InputError(f"row {i + 1}: a point and a number are needed")
        out.append((point, float(value)))
    if len({p for p, _ in out}) < len(out):
        raise InputError("rows: every point once")
    return out


def decide_proposal(
    context: Context, no: int, verdict: str, rows: list[tuple[str, float]], who: str
) -> list[int]:
    """Carry a decision out; numbers of the commands that were asked for.

    Raises
    ------
    InputError : there is no such proposal, it has been decided on, is too old, or a row is not of it
    """
    steps: dict[str, Callable[[Kept, dict[str, Any]], list[int]]] = {
        "approve": lambda row, body: _approve(context, row, body, rows, who),
        "reject": lambda row, body: _reject(context, row, who),
        "undo": lambda row, body: _undo(context, row, body, who),
    }
    if verdict not in steps:
        raise InputError(f"{verdict[:40]!r}: one of approve, reject, undo")
    kept = context.store.kept("dispatch", since=no / 1e6 - 1.0, limit=2000)
    row = next((r for r in kept if r.no == no), None)
    body = context.store.kept_body(no)
    if row is None or not isinstance(body, dict):
        raise InputError(f"there is no proposal {no}")
    return steps[verdict](row, body)


def _approve(
    context: Context, row: Kept, body: dict[str, Any], rows: list[tuple[str, float]], who: str
) -> list[int]:
    if row.state != "made":
        raise InputError("this proposal has been decided on")
    newest = context.store.kept("dispatch", since=row.made - 1.0, limit=2000)
    if newest[0].made - row.made > LATE_S:
        raise InputError("this proposal is of another weather: use the newest")
    wished = {w["point"] for w in body["wishes"]}
    checked = [_check(context, wished, point_id, value) for point_id, value in rows]
    reason = translate("dispatch.reason", context.settings.lang, no=str(row.no))
    done = []
    for point_no, value in checked:
        command = context.store.request_command(point_no, value, who, reason, origin=f"dispatch {row.no}")
        context.store.decide_command(command, "approve", who, reason)
        done.append(command)
    points = context.county.points
    body["approved"] = [
        {"point": points[n].id, "value": v, "command": c}
        for (n, v), c in zip(checked, done, strict=True)
    ]  # fmt: skip
    context.store.mark_kept(row, "approved", who, body)
    return done


def _check(context: Context, wished: set[str], point_id: str, value: float) -> tuple[int, float]:
    """Number of the point and value in SI. Raises ``InputError`` with the limits in words."""
    point = context.county.point_by_id.get(point_id)
    limits = find_limits(context.county, point) if point is not None else None
    if point is None or limits is None or point_id not in wished:
        raise InputError(f"{point_id[:80]}: not a set-point of this proposal")
    q = find_quantity(point.quantity)
    si = value / q.scale
    if not limits.low - 1e-9 <= si <= limits.high + 1e-9:
        low, high = limits.low * q.scale, limits.high * q.scale
        raise InputError(f"{point_id}: {value:g} is outside {low:g} to {high:g} {q.display_unit}")
    return point.no, si


def _reject(context: Context, row: Kept, who: str) -> list[int]:
    if row.state != "made":
        raise InputError("this proposal has been decided on")
    context.store.mark_kept(row, "rejected", who)
    return []


def _undo(context: Context, row: Kept, body: dict[str, Any], who: str) -> list[int]:
    """Ask for the values of before, of every row that was approved."""
    if row.state != "approved":
        raise InputError("only an approved proposal can be taken back")
    before = {w["point"]: w["before"] for w in body["wishes"]}
    done = []
    for a in body["approved"]:
        value = before.get(a["point"])
        if value is None:
            continue
        point = context.county.point_by_id[a["point"]]
        reason = translate("dispatch.reason_undo", context.settings.lang, no=str(row.no))
        command = context.store.request_command(
            point.no, float(value), who, reason, origin=f"undo {a['command']}"
        )
        context.store.decide_command(command, "approve", who, reason)
        done.append(command)
    context.store.mark_kept(row, "withdrawn", who)
    return done
