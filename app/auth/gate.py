"""The gate in front of every page, callback, asset and socket: an ASGI middleware that denies by default.

Without accounts it serves this machine only, and only to pages of this machine: the Host and Origin of a
request are looked at, so that a foreign page in the same browser cannot ask (DNS rebinding, cross-site).
With accounts everything but ``OPEN`` needs a session or a signed link.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

from app.auth.accounts import ROLES, Account, AccountFile, Role
from app.auth.headers import LOOPBACK, add_headers, is_same_origin, is_this_machine
from app.auth.lockout import Lockout
from app.auth.page import draw_login, safe_target
from app.auth.tokens import RENEW_S, SESSION_S, Tokens, read_secret
from ingest.settings import Settings
from twin.model.errors import ConfigError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = dict[str, str]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "ct_session"
LINK_COOKIE = "ct_link"
OPEN = ("/healthz", "/public", "/favicon.ico", "/assets/public.css")
"""Paths (and what is below them) that need no account; the last is the style of the public page."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
FORM_LIMIT = 4096
VISITOR = Account("link", "viewer", "", "", 0.0)
"""Who comes with a signed link: may look, nothing else."""


def protect(app: Any, settings: Settings) -> None:
    """Put the gate in front of a FastAPI or Starlette application.

    Raises
    ------
    ConfigError : it is to listen beyond this machine and there is no account yet
    """
    file = AccountFile(settings.data / "auth" / "accounts.json")
    if settings.host not in LOOPBACK and not file.accounts():
        raise ConfigError(
            f"To listen on {settings.host} the dashboard needs accounts first: "
            "'python -m app user add NAME --role admin', then start again."
        )
    tokens = Tokens(read_secret(settings.data / "auth" / "secret.key"))
    app.add_middleware(Gate, settings=settings, file=file, tokens=tokens)


def current_account(scope: Scope) -> Account | None:
    """Who asks; None when there are no accounts (this machine only) or the path is open to all."""
    account = scope.get("ct_account")
    return account if isinstance(account, Account) else None


def may(scope: Scope, role: Role) -> bool:
    """Whether who asks has at least this role. Without accounts whoever sits at the machine may all."""
    if scope.get("ct_without_accounts"):
        return True
    account = current_account(scope)
    return account is not None and ROLES.index(account.role) >= ROLES.index(role)


class Gate:
    """The middleware; see the module."""

    def __init__(self, app: ASGIApp, settings: Settings, file: AccountFile, tokens: Tokens) -> None:
        self.app = app
        self.settings = settings
        self.file = file
        self.tokens = tokens
        self.lockout = Lockout()
        self.hashing = asyncio.Semaphore(2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, send it to the sign-in page, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        send = add_headers(send, scope["path"], self.settings.frame_ancestors)
        accounts = self.file.accounts()
        with_accounts = bool(accounts) or self.settings.host not in LOOPBACK
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if changes and not is_same_origin(headers):
            await refuse(scope, receive, send, 403, "this request comes from another site")
        elif not with_accounts:
            if is_this_machine(headers.get("host", "")):
                scope["ct_without_accounts"] = True
                await self.app(scope, receive, send)
            else:
                await refuse(scope, receive, send, 403, "open it at 127.0.0.1, or make accounts first")
        elif scope["path"] in ("/login", "/logout") and scope["type"] == "http":
            await self._serve_login(scope, receive, send, headers)
        elif is_open(scope["path"]):
            held = read_cookies(headers.get("cookie", "")).get(COOKIE, "")
            if known := self.tokens.read_session(held, accounts):
                scope["ct_account"] = known[0]
            await self.app(scope, receive, send)
        else:
            await self._serve_known(scope, receive, send, headers, accounts)

    async def _serve_known(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[str, str],
        accounts: dict[str, Account],
    ) -> None:
        cookies = read_cookies(headers.get("cookie", ""))
        known = self.tokens.read_session(cookies.get(COOKIE, ""), accounts)
        cookie = ""
        if known is not None:
            scope["ct_account"] = known[0]
            if time.time() - known[1] > RENEW_S:
                cookie = self._session_cookie(known[0], scope)
        else:
            key = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("key", "")
            fresh = self.tokens.read_link(key, time.time()) == scope["path"] if key else False
            held = self.tokens.read_link(cookies.get(LINK_COOKIE, ""), time.time())
            if not (fresh or (held is not None and allows(held, scope))):
                await self._ask_to_sign_in(scope, receive, send, headers)
                return
            scope["ct_account"] = VISITOR
            cookie = link_cookie(key, scope) if fresh else ""
        await self.app(scope, receive, set_cookie(send, cookie) if cookie else send)

    async def _ask_to_sign_in(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]
    ) -> None:
        page = (
            scope["type"] == "http" and scope["method"] == "GET" and "text/html" in headers.get("accept", "")
        )
        if not page:
            await refuse(scope, receive, send, 401, "sign in first")
            return
        target = scope["path"] + (f"?{q}" if (q := scope["query_string"].decode("latin-1")) else "")
        await answer(send, 303, "", {"location": f"/login?next={quote(target, safe='')}"})

    async def _serve_login(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        lang = query.get("lang", self.settings.lang)
        lang = lang if lang in ("zh", "en") else "zh"
        if scope["path"] == "/logout":
            gone = f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
            await answer(send, 303, "", {"location": "/login", "set-cookie": gone})
        elif scope["method"] != "POST":
            await answer(send, 200, draw_login(lang, safe_target(query.get("next", "/"))))
        else:
            await self._sign_in(scope, receive, send, lang)

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send, lang: str) -> None:
        form = await read_form(receive)
        if form is None:
            await answer(send, 413, "too long")
            return
        name, target = form.get("name", ""), safe_target(form.get("next", "/"))
        address = (scope.get("client") or ("?", 0))[0]
        keys = (f"name {name}", f"address {address}")
        if wait := self.lockout.wait_s(*keys):
            await answer(send, 429, draw_login(lang, target, "locked", int(wait // 60) + 1))
            return
        async with self.hashing:
            account = await asyncio.to_thread(self.file.verify, name, form.get("password", ""))
        if account is None:
            self.lockout.note_failure(*keys)
            await answer(send, 401, draw_login(lang, target, "wrong"))
            return
        self.lockout.note_success(*keys)
        cookie = self._session_cookie(account, scope)
        await answer(send, 303, "", {"location": target, "set-cookie": cookie})

    def _session_cookie(self, account: Account, scope: Scope) -> str:
        secure = "; Secure" if scope["scheme"] in ("https", "wss") else ""
        value = self.tokens.sign_session(account)
        return f"{COOKIE}={value}; Path=/; Max-Age={SESSION_S}; HttpOnly; SameSite=Lax{secure}"


def is_open(path: str) -> bool:
    """Whether a path needs no account."""
    return any(path == p or path.startswith(p + "/") for p in OPEN)


def allows(path: str, scope: Scope) -> bool:
    """Whether the holder of a link to ``path`` may ask this: that page, and what pages are made of."""
    asked = str(scope["path"])
    made_of = ("/_dash", "/assets/", "/scene/", "/ws/", "/api/meta", "/_reload")
    return asked == path or asked.startswith(made_of)


def link_cookie(key: str, scope: Scope) -> str:
    """Return the cookie that keeps a signed link for the requests of its page, also within a frame."""
    https = scope["scheme"] in ("https", "wss")
    site = "SameSite=None; Secure; Partitioned" if https else "SameSite=Lax"
    return f"{LINK_COOKIE}={key}; Path=/; HttpOnly; {site}"


def read_cookies(text: str) -> dict[str, str]:
    """Return name and value of each cookie of a request."""
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {name: value for name, _, value in pairs}


async def read_form(receive: Receive) -> dict[str, str] | None:
    """Return the fields of a small form, or None when it is too long."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > FORM_LIMIT:
            return None
        if not message.get("more_body"):
            return {k: v[0] for k, v in parse_qs(body.decode("utf-8", "replace")).items()}


async def answer(send: Send, status: int, text: str, headers: dict[str, str] | None = None) -> None:
    """Send a short answer that nobody keeps."""
    body = text.encode()
    said = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store", **(headers or {})}
    raw = [(k.encode(), v.encode("latin-1")) for k, v in said.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    """Refuse a request with a sentence, a socket with a closing code (before it is accepted: HTTP 403)."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4000 + status, "reason": why})
        return
    await answer(send, status, why, {"content-type": "text/plain; charset=utf-8"})


def set_cookie(send: Send, cookie: str) -> Send:
    """Return ``send`` that adds a cookie to the answer."""

    async def send_with_cookie(message: MutableMapping[str, Any]) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            message["headers"] = [*message.get("headers", []), (b"set-cookie", cookie.encode("latin-1"))]
        await send(message)

    return send_with_cookie


def make_link(base: str, path: str, tokens: Tokens, expires: float) -> str:
    """Return the address that opens ``path`` without an account until ``expires``."""
    root = urlsplit(base)
    return f"{root.scheme}://{root.netloc}{path}?{urlencode({'key': tokens.sign_link(path, expires)})}"
