"""The routes of documents. To look and search is open to every account, to add to operators; to change and
remove to who added it, and to administrators."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response

from app.auth import may
from app.auth.accounts import Role
from app.documents.service import Documents
from app.web.bodies import name_of, read_object
from ingest.documents.cabinet import MAX_BYTES
from ingest.documents.intake import Words
from ingest.documents.refusal import DocumentRefused
from ingest.documents.sniff import INLINE
from ingest.store.document_api import Document
from twin.model.errors import StoreUnavailable

PATH = "/api/documents"
MAX_JSON = 30_000
AT_ONCE = 2
"""Files that are looked into at a time; further ones wait."""
HARMLESS = {
    "content-security-policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
STATUS = {"gone": 404, "lost": 404, "own": 403, "large": 413, "full": 507}


def register_documents(server: FastAPI, documents: Documents) -> None:
    """Add the routes; call before Dash's catch-all."""
    _register_reading(server, documents)
    turns = asyncio.Semaphore(AT_ONCE)

    @server.post(PATH)
    async def add(request: Request) -> JSONResponse:
        """Keep the file that is the body of the request; what is said of it stands in the address."""
        if not may(request.scope, "operator"):
            return _forbidden("operator")
        asked = request.query_params
        words = Words(
            asked.get("title", ""), asked.get("note", ""), tuple(split_list(asked.get("tags", ""))),
            tuple(a for a in asked.getlist("about") if a.strip()),
        )  # fmt: skip
        try:
            said = request.headers.get("content-length", "0")
            if said.isdigit() and int(said) > MAX_BYTES:
                raise DocumentRefused("large", max_mb=MAX_BYTES // 1_000_000)
            with documents.intake.receive() as came:
                async for part in request.stream():
                    came.write(part)
                async with turns:
                    name, who = asked.get("name", "file"), name_of(request)
                    kept = await asyncio.to_thread(documents.take, came, name, words, who)
        except DocumentRefused as e:
            return _refused(e)
        except StoreUnavailable:
            return _away()
        return JSONResponse({"ok": True, "document": kept})

    @server.post(PATH + "/{no}")
    async def change(request: Request, no: int) -> JSONResponse:
        """Say something else of a document."""
        body = await read_object(request, MAX_JSON)
        return await _carry_out(
            request,
            "operator",
            lambda: {"no": documents.change(no, _words(body), name_of(request), **_all(request))},
        )

    @server.post(PATH + "/{no}/{act}")
    async def remove(request: Request, no: int, act: str) -> JSONResponse:
        """``remove`` or ``restore``."""
        if act not in ("remove", "restore"):
            return JSONResponse({"ok": False, "code": "gone", "why": "remove or restore"}, status_code=404)
        back = act == "restore"
        return await _carry_out(
            request,
            "operator",
            lambda: {"no": documents.remove(no, name_of(request), back=back, **_all(request))},
        )


def _register_reading(server: FastAPI, documents: Documents) -> None:
    @server.get(PATH)
    async def find(request: Request) -> JSONResponse:
        q = request.query_params
        removed, lang = q.get("removed") == "1", "en" if q.get("lang") == "en" else "zh"
        rights = {
            "may": may(request.scope, "operator"),
            "all": may(request.scope, "admin"),
            "me": name_of(request),
        }

        def search() -> dict[str, Any]:
            found = documents.find(q.get("q", ""), q.get("about", ""), q.get("kind", ""), removed, lang)
            return found | rights

        return await _carry_out(request, "viewer", search)

    @server.get(PATH + "/choices")
    async def choices(request: Request) -> JSONResponse:
        return await _carry_out(
            request, "viewer", lambda: {"abouts": documents.abouts(), "kinds": documents.kinds()}
        )

    @server.get(PATH + "/{no}/steps")
    async def steps(request: Request, no: int) -> JSONResponse:
        return await _carry_out(request, "viewer", lambda: {"steps": documents.steps(no)})

    @server.get(PATH + "/{no}/{part}")
    async def serve(request: Request, no: int, part: str) -> Response:
        """``file``, its ``small`` picture, or the ``text`` found in it."""
        if not may(request.scope, "viewer"):
            return _forbidden("viewer")
        try:
            found = await asyncio.to_thread(documents.intake.find, no)
            if part == "text":
                text = await asyncio.to_thread(documents.text, found)
                return PlainTextResponse(text, headers=HARMLESS)
            return serve_file(documents, found, part)
        except DocumentRefused as e:
            return _refused(e)
        except StoreUnavailable:
            return _away()


def serve_file(documents: Documents, d: Document, part: str) -> Response:
    """The file of a document, or its small picture: pictures to be shown, everything else to be saved.

    Raises
    ------
    DocumentRefused : it is not there
    """
    path: Path = documents.cabinet.small(d.sha256) if part == "small" else documents.cabinet.path(d.sha256)
    if part not in ("file", "small") or not path.is_file():
        raise DocumentRefused("lost")
    shown = part == "small" or d.media in INLINE
    media = "image/webp" if part == "small" else d.media
    way = "inline" if shown else "attachment"
    disposition = f"{way}; filename*=UTF-8''{quote(d.name, safe='')}"
    # the same number is the same content for ever; only this browser may keep it
    headers = {**HARMLESS, "content-disposition": disposition, "cache-control": "private, max-age=86400"}
    return FileResponse(path, media_type=media, headers=headers)


def split_list(text: str) -> list[str]:
    """Words that are parted by commas of either width, or 、."""
    for mark in "，、;；":
        text = text.replace(mark, ",")
    return [w.strip() for w in text.split(",") if w.strip()]


def _words(body: dict[str, Any]) -> Words:
    def texts(name: str) -> tuple[str, ...]:
        found = body.get(name)
        return tuple(str(v)[:300] for v in found[:50]) if isinstance(found, list) else ()

    return Words(str(body.get("title", "")), str(body.get("note", "")), texts("tags"), texts("about"))


def _all(request: Request) -> dict[str, bool]:
    return {"all_of_them": may(request.scope, "admin")}


async def _carry_out(request: Request, role: Role, work: Callable[[], dict[str, Any]]) -> JSONResponse:
    if not may(request.scope, role):
        return _forbidden(role)
    try:
        result = await asyncio.to_thread(work)
    except DocumentRefused as e:
        return _refused(e)
    except StoreUnavailable:
        return _away()
    return JSONResponse({"ok": True, **result}, headers={"Cache-Control": "no-store"})


def _refused(e: DocumentRefused) -> JSONResponse:
    answer = {"ok": False, "code": e.code, "values": e.values, "why": str(e)}
    return JSONResponse(answer, status_code=STATUS.get(e.code, 422))


def _forbidden(role: Role) -> JSONResponse:
    return JSONResponse({"ok": False, "code": "forbidden", "why": f"needs the role {role}"}, status_code=403)


def _away() -> JSONResponse:
    return JSONResponse({"ok": False, "code": "away", "why": "the store is away"}, status_code=503)
