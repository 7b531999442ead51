"""One child process: start, watch, read its output, back off, stop."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from app.supervisor.spec import EX_CONFIG, ROOT, ChildSpec

State = Literal["waiting", "starting", "up", "backoff", "done", "stopped", "failed"]

PR_SET_PDEATHSIG = 1
LINE_LIMIT = 8192
READ_SIZE = 65536
PROBE_S = 0.25


@dataclass(slots=True)
class Backoff:
    """Wait before the next start: doubles from ``first_s`` to ``limit_s``, forgets after ``stable_s``."""

    first_s: float = 0.5
    limit_s: float = 30.0
    stable_s: float = 60.0
    failures: int = 0

    def next_delay_s(self, lived_s: float) -> float:
        """Seconds to wait now that the process has ended after ``lived_s``."""
        if lived_s >= self.stable_s:
            self.failures = 0
        delay = min(self.first_s * 2.0 ** min(self.failures, 16), self.limit_s)
        self.failures += 1
        return delay


def describe_exit(code: int) -> str:
    """Return "exit status 3" or "killed by SIGKILL"."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _tie_to_parent(parent: int, orphan_signal: int) -> Callable[[], None] | None:
    """Return what a new child does before it becomes its program: die with the supervisor (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, orphan_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie


@dataclass(slots=True)
class Child:
    """A spec and the life of its process. Times come from ``clock`` (monotonic) except ``since`` (wall)."""

    spec: ChildSpec
    clock: Callable[[], float] = time.monotonic
    backoff: Backoff = field(default_factory=Backoff)
    state: State = "waiting"
    detail: str = ""
    since: float = field(default_factory=time.time)
    restarts: int = 0
    started: float = 0.0
    wait_from: float | None = None
    next_probe: float = 0.0
    retry_at: float = 0.0
    process: subprocess.Popen[bytes] | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=5))
    output_ended: bool = False
    _rest: bytes = b""

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self.process.pid if self.process is not None else None

    @property
    def ready(self) -> bool:
        """Whether those who wait for it may start."""
        return self.state in ("up", "done")

    def set_state(self, state: State, detail: str = "") -> None:
        """Change state, with the moment."""
        if state != self.state:
            self.since = time.time()
        self.state, self.detail = state, detail

    def start(self) -> None:
        """Start the process; a program that is not there counts as a failure to back off from."""
        self.last_lines.clear()
        self.output_ended = False
        self.started = self.clock()
        try:
            self.process = subprocess.Popen(  # noqa: S603 - commands are the plan's own
                self.spec.command,
                cwd=ROOT,
                env=dict(self.spec.env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_tie_to_parent(os.getpid(), self.spec.orphan_signal),  # noqa: PLW1509 - no threads here
            )
        except OSError as e:
            self.process = None
            self._plan_retry(f"cannot start {self.spec.command[0]}: {e.strerror}")
            return
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.set_state("starting")

    def read_lines(self) -> list[str]:
        """Whole lines written since the last call (both streams); never blocks."""
        if self.process is None or self.process.stdout is None:
            return []
        fd = self.process.stdout.fileno()
        while True:
            try:
                data = os.read(fd, READ_SIZE)
            except BlockingIOError:
                break
            if not data:
                self.output_ended = True
                break
            self._rest += data
            if len(data) < READ_SIZE:
                break
        *whole, self._rest = self._rest.split(b"\n")
        if len(self._rest) > LINE_LIMIT or (self.output_ended and self._rest):
            whole.append(self._rest)
            self._rest = b""
        lines = [line for raw in whole if (line := raw.decode("utf-8", "replace").rstrip())]
        self.last_lines.extend(lines)
        return lines

    def came_up(self) -> bool:
        """Look whether a starting process answers by now; True once, when it does."""
        now = self.clock()
        if self.state != "starting" or self.spec.once or now < self.next_probe:
            return False
        self.next_probe = now + PROBE_S
        probe = self.spec.probe
        if not (probe() if probe is not None else now - self.started >= self.spec.settle_s):
            return False
        self.set_state("up")
        return True

    def has_ended(self) -> bool:
        """Whether the process has ended and is not yet taken note of; nothing is reaped here."""
        if self.process is None:
            return False
        if self.process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def take_end(self, stopping: bool) -> str:
        """Note the end of the process, end what it left of its group; returns how it ended."""
        assert self.process is not None
        self.kill_group(signal.SIGKILL)
        code = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        said = describe_exit(code)
        if stopping:
            self.set_state("stopped", said)
        elif self.spec.once and code == 0:
            self.set_state("done")
        elif self.spec.once and not self.spec.vital:
            self.set_state("stopped", self.last_lines[-1] if self.last_lines else said)
        elif self.spec.once or code == EX_CONFIG:
            self.set_state("failed", self.last_lines[-1] if self.last_lines else said)
        else:
            self._plan_retry(said)
        return said

    def _plan_retry(self, why: str) -> None:
        delay = self.backoff.next_delay_s(self.clock() - self.started)
        self.retry_at = self.clock() + delay
        self.restarts += 1
        self.set_state("backoff", f"{why}; next try in {delay:g} s")

    def kill_group(self, number: signal.Signals) -> None:
        """Signal the process and all it started."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def terminate(self) -> None:
        """Ask it, and only it, to end; it stops what it started itself."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
