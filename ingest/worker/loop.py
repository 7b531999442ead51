"""The writer's loop: collect, decode, commit, acknowledge."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb

from ingest.store.owner import StoreOwner
from ingest.worker.decode import Decoder
from ingest.worker.inbox import Inbox, Message
from ingest.worker.line import Line

log = logging.getLogger("ingest")

WINDOW_S = 0.25
MAX_MESSAGES = 4000
STATE_EVERY_S = 1.0
TIDY_EVERY_S = 300.0
RETRY_FIRST_S, RETRY_MAX_S = 0.5, 15.0


@dataclass
class Writer:
    """Runs in the main thread until ``stop`` is set, then drains what is queued."""

    owner: StoreOwner
    decoder: Decoder
    inbox: Inbox
    line: Line
    stop: threading.Event
    clock: Callable[[], float] = time.monotonic
    _marks: list[tuple[float, int, int]] = field(default_factory=list)
    _state_at: float = float("-inf")
    _tidy_at: float = float("-inf")

    def run(self) -> None:
        """Loop; returns when stopped and drained."""
        while not self.stop.is_set():
            self.step(WINDOW_S)
        for _ in range(20):
            if not self.step(0.02):
                break

    def step(self, window_s: float) -> int:
        """One batch; returns the number of messages."""
        messages = self.inbox.collect(window_s, MAX_MESSAGES)
        if messages:
            self._store(messages)
        self._say_state()
        return len(messages)

    def _store(self, messages: list[Message]) -> None:
        batch, replies = self.decoder.decode_batch(messages)
        wait = RETRY_FIRST_S
        while True:
            try:
                stored = self.owner.write(batch)
                break
            except (duckdb.Error, OSError) as e:
                log.error(
                    "cannot store (%s); nothing is acknowledged, trying again in %.0f s -- is the disk full?",
                    str(e).splitlines()[0], wait,
                )  # fmt: skip
                self.line.state = "connected, but the store cannot write"
                if self.stop.wait(wait):
                    return
                wait = min(2 * wait, RETRY_MAX_S)
        self.line.acknowledge(messages)
        for topic, payload in replies:
            self.line.publish(topic, payload)
        self._marks.append((self.clock(), len(messages), stored))

    def _say_state(self) -> None:
        now = self.clock()
        if now - self._state_at < STATE_EVERY_S:
            return
        self._state_at = now
        self._marks = [m for m in self._marks if m[0] > now - 10.0]
        try:
            self.owner.write_state(
                len(self.inbox),
                self.line.state,
                sum(m[1] for m in self._marks) / 10.0,
                sum(m[2] for m in self._marks) / 10.0,
            )
            if now - self._tidy_at > TIDY_EVERY_S:
                self._tidy_at = now
                self.owner.tidy()
        except duckdb.Error as e:
            log.error("cannot write the state of ingest: %s", str(e).splitlines()[0])
