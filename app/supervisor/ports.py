"""TCP ports and whether something answers on them."""

import contextlib
import http.client
import socket


def try_listening(host: str, port: int) -> OSError | None:
    """Return None when a server could listen on ``host:port`` now, otherwise what keeps it from that."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
        except OSError as e:
            return e
    return None


def pick_port(preferred: int | None = None) -> int:
    """Return ``preferred`` when it is free on loopback, otherwise one the system finds free."""
    if preferred is not None and try_listening("127.0.0.1", preferred) is None:
        return preferred
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def accepts_connections(host: str, port: int, timeout_s: float = 0.3) -> bool:
    """Whether something listens on ``host:port``."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout_s):
        return True
    return False


def answers_http(host: str, port: int, path: str = "/healthz", timeout_s: float = 0.5) -> bool:
    """Whether a web server answers, with whatever status."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def reachable_host(host: str) -> str:
    """Address at which this machine reaches a server that listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - only compared
