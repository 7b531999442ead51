"""The loop that keeps the processes of one data folder running."""

import contextlib
import os
import selectors
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from app.supervisor.child import Child
from app.supervisor.log import LogStream
from app.supervisor.spec import EX_CONFIG, ChildSpec
from app.supervisor.status import write_status

ME = "run"
TICK_S = 0.1
STATUS_S = 1.0
SAME_REQUEST_S = 1.0
DISK_CHECK_S = 30.0
DISK_LOW_BYTES = 500_000_000
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Supervisor:
    """Starts children as their needs come up, restarts those that die, stops them in order.

    Single-threaded: the kernel ends the children of a supervisor that is killed, which it does per thread.
    """

    specs: Sequence[ChildSpec]
    log: LogStream
    status_file: Path
    extra: dict[str, Any] = field(default_factory=dict)
    announce: tuple[str, str] | None = None
    """Name of a child and what to say when it first is up."""
    children: dict[str, Child] = field(init=False)
    stop_requests: int = field(default=0, init=False)
    _selector: selectors.BaseSelector = field(init=False)
    _watched: dict[int, Child] = field(default_factory=dict, init=False)
    _next_status: float = field(default=0.0, init=False)
    _next_disk_check: float = field(default=0.0, init=False)
    _started: float = field(default=0.0, init=False)
    _status_failed: bool = field(default=False, init=False)
    _last_signal: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self.children = {s.name: Child(s) for s in self.specs}

    def run(self) -> int:
        """Run until a signal asks to stop (returns 0) or a child cannot run as configured (returns 78)."""
        self._started = time.monotonic()
        self._selector = selectors.DefaultSelector()
        with self._selector, self._signals():
            try:
                while not self.stop_requests and not self._failed():
                    self._start_due()
                    self._turn()
            finally:
                failed = self._failed()
                self._stop_all()
        if failed is not None:
            self.log.say(ME, f"{failed.spec.name} cannot run: {failed.detail}")
            self.log.say(ME, "everything is stopped; mend that and start again (python -m app doctor helps)")
            return EX_CONFIG
        self.log.say(ME, "stopped; the data are kept")
        return 0

    def _failed(self) -> Child | None:
        return next((c for c in self.children.values() if c.state == "failed"), None)

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self.children.values():
            again = child.state == "backoff" and now >= child.retry_at
            first = child.state == "waiting" and self._may_start(child, now)
            if again or first:
                self._start(child)

    def _may_start(self, child: Child, now: float) -> bool:
        if not all(self.children[n].ready for n in child.spec.needs if n in self.children):
            return False
        if child.wait_from is None:
            child.wait_from = now
        waited = now - child.wait_from >= child.spec.after_s
        return waited or all(self.children[n].ready for n in child.spec.after if n in self.children)

    def _start(self, child: Child) -> None:
        child.start()
        if child.process is None:
            self.log.say(ME, f"{child.spec.name}: {child.detail}")
            return
        assert child.process.stdout is not None
        fd = child.process.stdout.fileno()
        self._selector.register(fd, selectors.EVENT_READ)
        self._watched[fd] = child

    def _turn(self) -> None:
        """Wait a moment for output, pass it on, look after the children, write the status."""
        for key, _ in self._selector.select(TICK_S):
            if key.fd in self._watched:
                self._pass_on(self._watched[key.fd])
            else:
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, 64)
        for child in self.children.values():
            if child.has_ended():
                self._note_end(child)
            elif child.came_up():
                self._say_up(child)
        self._write_status()
        self._check_disk()

    def _pass_on(self, child: Child) -> None:
        for line in child.read_lines():
            self.log.say(child.spec.name, line)
        # at the end of its output the pipe stays readable for ever: stop looking at it
        if child.output_ended:
            self._forget(child)

    def _forget(self, child: Child) -> None:
        for fd in [fd for fd, c in self._watched.items() if c is child]:
            self._selector.unregister(fd)
            del self._watched[fd]

    def _note_end(self, child: Child) -> None:
        self._pass_on(child)
        self._forget(child)
        stopping = self.stop_requests > 0 or self._failed() is not None
        said = child.take_end(stopping)
        if child.state == "backoff":
            self.log.say(ME, f"{child.spec.name} ended ({said}); {child.detail.split('; ')[-1]}")

    def _say_up(self, child: Child) -> None:
        self.log.say(ME, f"{child.spec.name} is up")
        if self.announce is not None and child.spec.name == self.announce[0]:
            took = time.monotonic() - self._started
            self.log.say(ME, f"{self.announce[1]}  ({took:.1f} s after the start; Ctrl-C ends it)")
            self.announce = None

    def _write_status(self, always: bool = False) -> None:
        now = time.monotonic()
        if now < self._next_status and not always:
            return
        self._next_status = now + STATUS_S
        try:
            write_status(self.status_file, self.children.values(), self.extra)
            self._status_failed = False
        except OSError as e:
            if not self._status_failed:
                self.log.say(ME, f"the status file {self.status_file} cannot be written: {e.strerror}")
            self._status_failed = True

    def _check_disk(self) -> None:
        now = time.monotonic()
        if now < self._next_disk_check:
            return
        self._next_disk_check = now + DISK_CHECK_S
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self.status_file.parent).free
            if free < DISK_LOW_BYTES:
                self.log.say(ME, f"disk nearly full: {free / 1e6:.0f} MB left for the data; make room there")

    def _stop_all(self) -> None:
        """Stop rank by rank: TERM, and KILL for what is left after its grace. A further signal kills all."""
        running = [c for c in self.children.values() if c.process is not None]
        if running:
            self.log.say(ME, "stopping: " + ", ".join(c.spec.name for c in _in_stop_order(running)))
        for child in self.children.values():
            if child.process is None and child.state in ("waiting", "backoff"):
                child.set_state("stopped")
        asked = self.stop_requests
        for rank in sorted({c.spec.stop_rank for c in running}):
            self._stop_rank([c for c in running if c.spec.stop_rank == rank and c.process], asked)
        self._write_status(always=True)

    def _stop_rank(self, group: list[Child], asked: int) -> None:
        begun = time.monotonic()
        for child in group:
            child.terminate()
        while any(c.process is not None for c in group):
            late = time.monotonic() - begun
            for child in group:
                if late > child.spec.grace_s or self.stop_requests > max(asked, 1):
                    child.kill_group(signal.SIGKILL)
            self._turn_stopping(group)

    def _turn_stopping(self, group: list[Child]) -> None:
        self._turn()
        for child in group:
            if child.process is None and child.state not in ("stopped", "failed", "done"):
                child.set_state("stopped", child.detail)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        read_end, write_end = os.pipe()
        for fd in (read_end, write_end):
            os.set_blocking(fd, False)
        self._selector.register(read_end, selectors.EVENT_READ)
        before = {s: signal.signal(s, self._on_signal) for s in STOP_SIGNALS}
        wakeup = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(read_end)
            os.close(write_end)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Count requests to stop; the same one that arrives over two ways (terminal, make) counts once."""
        now = time.monotonic()
        if now - self._last_signal > SAME_REQUEST_S:
            self.stop_requests += 1
        self._last_signal = now


def _in_stop_order(children: Sequence[Child]) -> list[Child]:
    return sorted(children, key=lambda c: c.spec.stop_rank)
