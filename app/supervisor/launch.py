"""From settings to a running system: the checks before the start, then the loop."""

import errno
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace

from app.supervisor.broker import choose_broker
from app.supervisor.lock import hold_data_folder, kill_leftovers
from app.supervisor.log import LogStream
from app.supervisor.plan import RunOptions, make_plan
from app.supervisor.ports import pick_port, try_listening
from app.supervisor.supervisor import ME, Supervisor
from ingest.settings import Settings, read_settings
from twin.model.errors import ConfigError

DISK_NEEDED_BYTES = 300_000_000
LEFTOVER_WAIT_S = 3.0


def run_system(env: Mapping[str, str], options: RunOptions) -> int:
    """Run the whole system until it is told to stop; returns the exit status.

    Raises
    ------
    ConfigError : it cannot start as configured; the text says what to mend
    """
    settings = read_settings(env)
    with hold_data_folder(settings.data):
        log = LogStream(settings.data / "logs" / "county-twin.log")
        try:
            if left := kill_leftovers(settings.status_file):
                log.say(ME, f"ended what a killed run had left behind: {', '.join(left)}")
            check_dashboard_port(settings, LEFTOVER_WAIT_S if left else 0.0)
            check_disk(settings)
            return _run_held(settings, env, options, log)
        finally:
            log.close()


def _run_held(settings: Settings, env: Mapping[str, str], options: RunOptions, log: LogStream) -> int:
    if "CT_STORE_URI" not in env:
        settings = replace(settings, store_uri=f"quack:127.0.0.1:{pick_port()}")
    broker = choose_broker(env.get("CT_BROKER", "auto"), env, settings.data / "broker")
    token = settings.store_token or secrets.token_urlsafe(32)
    plan = make_plan(settings, options, env, broker, token)
    address = describe_address(settings)
    log.say(ME, f"data in {settings.data}, county in {settings.county}, {broker.name}")
    supervisor = Supervisor(
        plan, log, settings.status_file,
        extra={
            "address": address,
            "broker": broker.name,
            "mqtt_url": broker.url if broker.command else "",
            "store": settings.store_uri,
        },
        announce=("dashboard", f"open {address}"),
    )  # fmt: skip
    return supervisor.run()


def describe_address(settings: Settings) -> str:
    """Return the address to open on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - compared
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"http://{host}:{settings.port}/"


def check_dashboard_port(settings: Settings, wait_s: float = 0.0) -> None:
    """Make sure the dashboard can listen.

    Raises
    ------
    ConfigError : the port is taken, or the address is not of this machine
    """
    end = time.monotonic() + wait_s
    while (error := try_listening(settings.host, settings.port)) is not None:
        if time.monotonic() < end:
            time.sleep(0.1)
            continue
        where = f"Port {settings.port} on {settings.host}"
        if error.errno == errno.EADDRINUSE:
            other = _next_free(settings.host, settings.port)
            raise ConfigError(
                f"{where} is taken by another program; give a free one: --port {other}, or CT_PORT={other}."
            )
        if error.errno == errno.EACCES:
            raise ConfigError(f"{where} is for the system's own services; give one above 1023 with --port.")
        raise ConfigError(
            f"The dashboard cannot listen on {settings.host} ({error.strerror or error}); "
            "give an address of this machine with --host or CT_HOST."
        )


def _next_free(host: str, port: int) -> int:
    near = range(port + 1, min(port + 100, 65536))
    return next((p for p in near if try_listening(host, p) is None), 0) or pick_port()


def check_disk(settings: Settings) -> None:
    """Make sure the data folder has room.

    Raises
    ------
    ConfigError : nearly full
    """
    free = shutil.disk_usage(settings.data).free
    if free < DISK_NEEDED_BYTES:
        raise ConfigError(
            f"Only {free / 1e6:.0f} MB are free for the data folder {settings.data}; make room "
            f"({DISK_NEEDED_BYTES / 1e6:.0f} MB at least), or give a folder on another disk with --data."
        )
