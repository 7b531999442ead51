"""Starts the whole system as a user would, for end-to-end tests and benches."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


PATIENCE = 4.0
"""So much longer than on a quiet machine may anything take: a limit costs time only in a test that fails."""


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_until(check: Callable[[], object], timeout_s: float, what: str, every_s: float = 0.2) -> object:
    """Poll ``check`` until it returns something true; AssertionError naming ``what`` otherwise.

    ``timeout_s``: what it may take on a quiet machine; ``PATIENCE`` times as long is waited.
    """
    end = time.monotonic() + PATIENCE * timeout_s
    while time.monotonic() < end:
        if result := check():
            return result
        time.sleep(every_s)
    raise AssertionError(f"not within {PATIENCE * timeout_s:.0f} s: {what}")


def mosquitto_path() -> str:
    """Where Debian puts it (outside a user's PATH)."""
    for folder in (*os.environ.get("PATH", "").split(":"), "/usr/sbin", "/usr/local/sbin"):
        if (path := Path(folder) / "mosquitto").exists():
            return str(path)
    raise AssertionError("mosquitto is not installed; `make test` installs it")


def wait_saved(folder: Path) -> None:
    """Until Mosquitto has written what it had acknowledged by now (its promise is a second) to ``folder``."""
    asked, file = time.time(), folder / "mosquitto.db"
    wait_until(lambda: file.exists() and file.stat().st_mtime > asked, 10, "mosquitto has saved")


@contextmanager
def run_mosquitto(folder: Path) -> Iterator[int]:
    """A real broker on a free loopback port with the project's own configuration."""
    from ingest.broker import write_mosquitto_conf

    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    conf = write_mosquitto_conf(folder, port)
    process = subprocess.Popen(
        [mosquitto_path(), "-c", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: listens(port), 10, "mosquitto listens")
        yield port
    finally:
        process.terminate()
        process.wait(60)


def listens(port: int) -> bool:
    """Whether something takes connections on a loopback port."""
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class System:
    """One running ``python -m app run``."""

    data: Path
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data.parent / f"{self.data.name}.log"

    def start(self) -> None:
        env = {k: v for k, v in os.environ.items() if not k.startswith("CT_") and k != "MQTT_URL"}
        env |= {"PYTHONUNBUFFERED": "1", "CT_DEMO_SURVEY": "0", **self.env}
        command = [
            sys.executable,
            "-m",
            "app",
            "run",
            "--data",
            str(self.data),
            "--port",
            str(self.port),
            *self.args,
        ]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip

    def answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the system ended early:\n{self.log.read_text(errors='replace')[-4000:]}")
        try:
            with urllib.request.urlopen(self.url + "/healthz", timeout=2) as r:
                return bool(r.status == 200)
        except OSError:
            return False

    def wait_ready(self, timeout_s: float = 90) -> None:
        wait_until(self.answers, timeout_s, f"{self.url} answers; log:\n{self.tail()}")

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def status(self) -> dict[str, dict[str, object]]:
        """Processes by name, from the supervisor's status file."""
        text = (self.data / "run" / "status.json").read_text()
        return {p["name"]: p for p in json.loads(text)["processes"]}

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]

    def stop(self, timeout_s: float = 30) -> int:
        """Ctrl-C; returns the exit status. Fails when a process stays behind."""
        if self.process is None:
            return 0
        family = self.family() if self.process.poll() is None else []
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(timeout_s)
        finally:
            _, alive = psutil.wait_procs(family, timeout=3)
            for p in alive:
                p.kill()
        assert not alive, f"left behind after Ctrl-C: {alive}"
        self.process = None
        return code
