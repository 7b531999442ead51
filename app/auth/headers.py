"""Which hosts and origins a request may come from, and the headers every answer carries."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors "
)
"""Everything from this server. Dash writes its configuration and callbacks as inline scripts."""


def is_this_machine(host: str) -> bool:
    """Whether a ``Host`` header names this machine by a loopback name, with whatever port."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False


def is_same_origin(headers: dict[str, str]) -> bool:
    """Whether a request that changes something, or opens a socket, comes from a page of this server.

    Browsers send ``Origin`` with these; a client without it is no browser and carries no one's cookies.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    return origin != "null" and urlsplit(origin).netloc == headers.get("host", "")


def add_headers(send: Send, path: str, frame_ancestors: str) -> Send:
    """Return ``send`` that adds the security headers; only ``/embed`` may stand in foreign frames."""
    ancestors = frame_ancestors if path == "/embed" or path.startswith("/embed/") else "'self'"
    extra = [
        (b"content-security-policy", (POLICY + ancestors).encode("latin-1")),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
    ]

    async def send_with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message.get("headers", [])}
            message["headers"] = [*message.get("headers", []), *(h for h in extra if h[0] not in there)]
        await send(message)

    return send_with_headers
