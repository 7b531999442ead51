"""The routes of the onboarding page. To look is open to every account, everything else to operators."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from app.access.service import Access
from app.auth import current_account, may
from ingest.onboarding.excel import MAX_BYTES
from ingest.onboarding.flow import Flow
from ingest.onboarding.trace import Message
from ingest.reasons import translate_reason
from twin.model.errors import InputError, StoreUnavailable

PATH = "/api/access"
MAX_JSON = 1_500_000
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Data = dict[str, Any]
Handler = Callable[[Data, Request, str], Data]


class TooLong(InputError):  # noqa: N818 - it names a state
    """A body above what is read."""


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a request.

    Raises
    ------
    TooLong : more than ``limit`` bytes; they are not read
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLong(f"more than {limit} bytes")
        parts.append(part)
    return b"".join(parts)


def read_flow(body: Data) -> Flow:
    """The flow of a request.

    Raises
    ------
    InputError : it has another shape; the text names the place
    """
    try:
        return msgspec.convert(body.get("flow"), Flow)
    except msgspec.ValidationError as e:
        raise InputError(f"the flow cannot be read: {e}") from e


def read_message(body: Data) -> Message | None:
    """The message of a request; None when there is none."""
    said = body.get("message")
    if not isinstance(said, dict) or not str(said.get("topic", "")).strip():
        return None
    text = str(said.get("payload", ""))
    try:
        payload = bytes.fromhex(text) if said.get("hex") else text.encode()
    except ValueError as e:
        raise InputError("the message is not written in hexadecimal digits") from e
    t = said.get("t")
    received = float(t) if isinstance(t, (int, float)) and 0 < t < 4.2e9 else time.time()
    return Message(str(said["topic"]).strip(), payload, received)


def read_language(request: Request) -> str:
    """Language of the answer."""
    return "en" if request.query_params.get("lang") == "en" else "zh"


def refuse(e: InputError, lang: str) -> JSONResponse:
    """What is wrong with the input, as a sentence in the language of the page."""
    return JSONResponse({"ok": False, "error": translate_reason(str(e), lang)[:2000]}, status_code=422)


async def answer(work: Callable[[], Data | list[Data]], lang: str) -> JSONResponse:
    """Do the work in a thread; what is wrong with the input is a sentence with status 422."""
    try:
        return JSONResponse(await asyncio.to_thread(work))
    except InputError as e:
        return refuse(e, lang)
    except StoreUnavailable:
        return JSONResponse({"ok": False, "error": "", "away": True}, status_code=503)


def register_access(server: FastAPI, access: Access) -> None:
    """Add the routes; call before Dash's catch-all."""
    _register_reading(server, access)
    for name, handler in make_handlers(access).items():
        server.post(f"{PATH}/{name}")(_make_route(handler))

    @server.post(PATH + "/table")
    async def read_table(request: Request) -> Response:
        """An Excel table of devices; the flow comes before it, on a line of its own."""
        if not may(request.scope, "operator"):
            return JSONResponse({"ok": False}, status_code=403)
        try:
            body = await read_body(request, MAX_JSON + MAX_BYTES)
            head, _, sheet = body.partition(b"\n")
            flow = read_flow(_as_object(head))
        except InputError as e:
            return refuse(e, read_language(request))
        lang = read_language(request)
        return await answer(lambda: access.read_table(flow, sheet, lang), lang)

    @server.post(PATH + "/template")
    async def template(request: Request) -> Response:
        if not may(request.scope, "operator"):
            return JSONResponse({"ok": False}, status_code=403)
        try:
            flow = read_flow(_as_object(await read_body(request, MAX_JSON)))
        except InputError as e:
            return refuse(e, read_language(request))
        made = await asyncio.to_thread(access.template, flow, read_language(request))
        return Response(made, media_type=SHEET_TYPE)


def _register_reading(server: FastAPI, access: Access) -> None:
    @server.get(PATH + "/state")
    async def state(request: Request) -> Response:
        allowed = may(request.scope, "operator")
        lang = read_language(request)
        return await answer(lambda: {**access.overview(lang), "may": allowed}, lang)

    @server.get(PATH + "/moving")
    async def moving(request: Request) -> Response:
        lang = read_language(request)
        return await answer(lambda: access.moving(lang), lang)

    @server.get(PATH + "/taken")
    async def taken(request: Request) -> Response:
        return await answer(lambda: {"taken": access.taken()}, read_language(request))


def make_handlers(access: Access) -> dict[str, Handler]:
    """What an operator can ask for, by the last word of the address."""

    def find_maker(request: Request) -> str:
        account = current_account(request.scope)
        return account.name if account else "local"

    def propose(body: Data, _request: Request, lang: str) -> Data:
        letter = body.get("hash")
        message = letter if isinstance(letter, str) else read_message(body)
        if not message:
            raise InputError("a topic and a message are needed")
        return access.propose(message, lang)

    def number(body: Data, name: str) -> int:
        value = body.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise InputError(f"{name} must be a whole number")
        return value

    def row(body: Data, _request: Request, _lang: str) -> Data:
        raw = body.get("number")
        value = float(raw) if isinstance(raw, (int, float)) else None
        return access.row_for(
            str(body.get("model")), str(body.get("key")), str(body.get("external_key")), value
        )

    return {
        "trace": lambda b, _r, lang: {"blocks": access.trace(read_flow(b), read_message(b), lang)},
        "propose": propose,
        "row": row,
        "listen": lambda b, _r, _lang: access.listen(
            str(b.get("filter", "")), min(max(float(number(b, "seconds")), 1.0), 20.0)
        ),
        "publish": lambda b, r, lang: access.publish(
            read_flow(b), find_maker(r), number(b, "revision"), lang
        ),
        "undo": lambda b, _r, lang: access.go_to(str(b.get("id")), None, lang),
        "version": lambda b, _r, lang: access.go_to(str(b.get("id")), number(b, "number"), lang),
        "reread": lambda b, _r, _lang: {"count": access.reread(str(b.get("id")))},
        "simulate": lambda b, _r, _lang: access.simulate(str(b.get("id")), b.get("on") is True),
    }


def _make_route(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def route(request: Request) -> Response:
        if not may(request.scope, "operator"):
            return JSONResponse({"ok": False}, status_code=403)
        try:
            body = _as_object(await read_body(request, MAX_JSON))
        except InputError as e:
            return refuse(e, read_language(request))
        lang = read_language(request)
        return await answer(lambda: handler(body, request, lang), lang)

    return route


def _as_object(text: bytes) -> Data:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise InputError(f"not JSON: {e}") from e
    if not isinstance(body, dict):
        raise InputError("a JSON object is needed")
    return body
