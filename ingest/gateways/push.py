"""Takes readings over HTTP from those who push them, and publishes each request before it says yes.

``POST /json/{device}`` (flat JSON), ``POST /csv/{device}`` (CSV), ``POST /ngsi-ld`` (notifications of a
context broker), with ``Authorization: Bearer TOKEN``. 204 means: the broker has it. Anything else means: send
it again, but for 4xx first mend what the answer says. ThingsBoard's HTTP device API is spoken too: ``POST
/api/v1/{TOKEN}/telemetry`` and ``/attributes``, whose token says which device it is (200, as there).
"""

import hmac
import logging
import re
import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from ingest.adapters.base import MAX_PAYLOAD
from ingest.gateways.config import Sender

log = logging.getLogger("gateway")
Deliver = Callable[[str, bytes], bool]
"""Publish (topic, payload); True once the broker has acknowledged it."""
READ_TIMEOUT_S = 15.0
_TOPICS = {"json": "heat/{}/data", "csv": "csv/{}/data"}


class Refused(Exception):  # noqa: N818 - it names an outcome
    """A request that is not taken: status and the sentence."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


def find_topic(path: str) -> tuple[str, str]:
    """(topic, device) of a request's path; the device is empty for notifications.

    Raises
    ------
    Refused : no such path, or a device that cannot stand in a topic
    """
    parts = [unquote(p) for p in urlsplit(path).path.strip("/").split("/")]
    if parts == ["ngsi-ld"]:
        return "ngsi-ld/push", ""
    if len(parts) != 2 or parts[0] not in _TOPICS:
        raise Refused(HTTPStatus.NOT_FOUND, "post to /json/{device}, /csv/{device} or /ngsi-ld")
    device = parts[1]
    if not device or len(device) > 200 or any(c in "/+#" or not c.isprintable() for c in device):
        raise Refused(HTTPStatus.NOT_FOUND, "the device's name must not hold / + # or control characters")
    return _TOPICS[parts[0]].format(device), device


def find_own(path: str, senders: tuple[Sender, ...]) -> str | None:
    """Topic of ThingsBoard's HTTP device API; None: another path.

    Raises
    ------
    Refused : a token that belongs to nobody, or to somebody who speaks for more than one device
    """
    parts = urlsplit(path).path.strip("/").split("/")
    if parts[:2] != ["api", "v1"]:
        return None
    if len(parts) != 4 or parts[3] not in ("telemetry", "attributes"):
        raise Refused(HTTPStatus.NOT_FOUND, "post to /api/v1/{token}/telemetry or /attributes")
    devices = find_sender(f"Bearer {unquote(parts[2])}", senders).devices
    if len(devices) != 1 or devices[0] in ("*", "ngsi-ld") or any(c in "/+#" for c in devices[0]):
        raise Refused(HTTPStatus.FORBIDDEN, "this token is not of one device")
    return f"tb/{devices[0]}/v1/devices/me/{parts[3]}"


def find_sender(header: str | None, senders: tuple[Sender, ...]) -> Sender:
    """Who holds the token of an ``Authorization`` header. Raises ``Refused``: nobody."""
    kind, _, token = (header or "").partition(" ")
    found = [s for s in senders if hmac.compare_digest(s.token.encode(), token.strip().encode())]
    if kind.lower() != "bearer" or not found:
        raise Refused(HTTPStatus.UNAUTHORIZED, "Authorization: Bearer TOKEN of the gateway's file is needed")
    return found[0]


class Handler(BaseHTTPRequestHandler):
    """One request; ``senders`` and ``deliver`` are those of its server."""

    senders: tuple[Sender, ...]
    deliver: Deliver
    server_version = "county-twin"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = READ_TIMEOUT_S

    def do_POST(self) -> None:
        """Take a message, or say why not."""
        try:
            self._say(self._take(), "")
        except Refused as e:
            self.close_connection = True  # what is left of the body is not read
            self._say(e.status, str(e))
        except (TimeoutError, ConnectionError):
            self.close_connection = True

    def _take(self) -> HTTPStatus:
        own = find_own(self.path, self.senders)
        if own is not None:
            self._deliver(own)
            return HTTPStatus.OK
        sender = find_sender(self.headers.get("Authorization"), self.senders)
        topic, device = find_topic(self.path)
        if "*" not in sender.devices and (device or "ngsi-ld") not in sender.devices:
            raise Refused(HTTPStatus.FORBIDDEN, f"{sender.name} may not speak for {device or 'ngsi-ld'!r}")
        self._deliver(topic)
        return HTTPStatus.NO_CONTENT

    def _deliver(self, topic: str) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "Content-Length is needed")
        if not 0 < int(length) <= MAX_PAYLOAD:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{length} bytes; 1 to {MAX_PAYLOAD} are taken"
            )
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Refused(HTTPStatus.BAD_REQUEST, "the body is shorter than it says")
        if not type(self).deliver(topic, body):
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the broker is away: send it again later")

    def _say(self, status: HTTPStatus, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.send_header("Retry-After", "10")
        if body or status == HTTPStatus.OK:
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Only what was refused, without its token."""
        if args and str(args[1:2])[2:3] in ("4", "5"):
            said = f"{self.address_string()}: {format % args}"
            log.info("%s", re.sub(r"(/api/v1/)[^/ ]+", r"\1...", said))  # a token is no word for a log


def make_server(
    address: tuple[str, int], senders: tuple[Sender, ...], deliver: Deliver
) -> ThreadingHTTPServer:
    """A server that is bound and not yet serving."""
    own = type("OwnHandler", (Handler,), {"senders": senders, "deliver": staticmethod(deliver)})
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    kind = type("PushServer", (ThreadingHTTPServer,), {"address_family": family, "daemon_threads": True})
    server: ThreadingHTTPServer = kind(address, own)
    return server
