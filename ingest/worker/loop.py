"""The writer's loop: collect, decode, commit, acknowledge."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import duckdb
import numpy as np

from ingest.store.batch import Batch, NoticeMark
from ingest.store.owner import StoreOwner
from ingest.worker.decode import Decoder
from ingest.worker.errands import Errands
from ingest.worker.inbox import BATCH_BYTES, Inbox, Message
from ingest.worker.redo import redo_dead_letters
from ingest.worker.sluice import Sluice
from ingest.worker.watch import BrokerWatch

log = logging.getLogger("ingest")

WINDOW_S = 0.25
MAX_MESSAGES = 8000
STATE_EVERY_S = 1.0
TIDY_EVERY_S = 300.0
ROLL_UP_EVERY_S = 10.0
RETRY_FIRST_S, RETRY_MAX_S = 0.5, 15.0
TRIES_WHOLE = 3
"""So often a batch is tried as it is; then it is halved, so that one bad row does not stop the line."""
TRIES_FULL = 7
"""The same when memory was full: half a minute, in which questions end and their memory with them."""
NO_ROOM = (duckdb.IOException, OSError)
"""Tried for ever: the disk is full or away, and the broker keeps what comes."""
OF_THE_ROWS = (
    duckdb.OutOfMemoryException, duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError,
)  # fmt: skip
"""May lie in what is written. Anything else lies in the database itself."""
WATCH_KEY = "broker/dropped"


class StoreBroken(Exception):  # noqa: N818 - it names a state
    """The database cannot go on in this process; a restart opens it again from its write-ahead file."""


class Lines(Protocol):
    """What the writer needs of the MQTT lines."""

    @property
    def state(self) -> str:
        """ "connected", or why not."""
        ...

    def acknowledge(self, messages: list[Message]) -> None:
        """These are stored."""
        ...

    def publish(self, topic: str, payload: bytes) -> None:
        """Send an answer."""
        ...


class Works(Protocol):
    """Something that has its turn in the writer's thread about once a second."""

    def work(self) -> None:
        """Do what is due; short."""
        ...


@dataclass
class Writer:
    """Runs in the main thread until ``stop`` is set, then drains what is queued."""

    owner: StoreOwner
    decoder: Decoder
    inbox: Inbox
    line: Lines
    stop: threading.Event
    watch: BrokerWatch = field(default_factory=BrokerWatch)
    errands: Errands | None = None
    desks: Sequence["Works"] = ()
    sluice: Sluice | None = None
    clock: Callable[[], float] = time.monotonic
    _marks: list[tuple[float, int, int]] = field(default_factory=list)
    _trouble: str = ""
    _state_at: float = float("-inf")
    _tidy_at: float = float("-inf")
    _rolled_at: float = float("-inf")

    def run(self) -> None:
        """Loop; returns when stopped and drained."""
        while not self.stop.is_set():
            self.step(WINDOW_S)
        for _ in range(20):
            if not self.step(0.02):
                break

    def step(self, window_s: float) -> int:
        """One batch; returns the number of messages that came."""
        if self.sluice is not None and self.sluice.shelf.waiting:
            window_s = 0.0
        catch = self.inbox.sift(window_s, MAX_MESSAGES, self.sluice)
        kept: list[Message] = []
        if catch.aside and not self._set_aside(catch.aside):
            return 0
        if self.sluice is not None and not self.stop.is_set():
            room = BATCH_BYTES - sum([len(m.payload) for m in catch.now])
            kept = self.sluice.shelf.take(MAX_MESSAGES - len(catch.now), room)
        if catch.every or kept:
            self._take(catch.now + kept, catch.every)
        self._say_state()
        return len(catch.every)

    def _set_aside(self, aside: Sequence[tuple[str, Message]]) -> bool:
        """Write to the shelf; False: told to stop before it could be done (nothing is acknowledged)."""
        wait = RETRY_FIRST_S
        while self.sluice is not None:
            try:
                self.sluice.shelf.put(aside)
                self._trouble = ""
                return True
            except OSError as e:
                self._trouble = f"store cannot write: {e.strerror or e} -- is the disk full?"
            log.error("%s; nothing is acknowledged, trying again in %.1f s", self._trouble, wait)
            self._say_state()
            if self.stop.wait(wait):
                break
            wait = min(2 * wait, RETRY_MAX_S)
        return False

    def _take(self, messages: list[Message], came: list[Message]) -> None:
        batch, replies = self.decoder.decode_batch(messages)
        if self.sluice is not None:
            batch.memory.update(self.sluice.shelf.places())
        stored = self._store(batch)
        if stored is None:
            return
        if self.sluice is not None:
            self.sluice.shelf.done()
        self.line.acknowledge(came)
        for topic, payload in replies:
            self.line.publish(topic, payload)
        self._marks.append((self.clock(), len(messages), stored))

    def _store(self, batch: Batch, patience: int = TRIES_WHOLE) -> int | None:
        """Readings stored; None when told to stop before it could be done (nothing is acknowledged).

        Raises
        ------
        StoreBroken : the database cannot go on; a new process can
        """
        wait, tries = RETRY_FIRST_S, 0
        while True:
            try:
                stored = self.owner.write(batch)
                self._trouble = ""
                return stored
            except (duckdb.Error, OSError) as e:
                error, tries = e, tries + 1
            said = str(error).splitlines()[0]
            no_room = isinstance(error, NO_ROOM)
            self._trouble = "store cannot write: " + (f"{said} -- is the disk full?" if no_room else said)
            full = isinstance(error, duckdb.OutOfMemoryException)
            if full:
                self.owner.relieve()
            if tries >= (max(patience, TRIES_FULL) if full and patience > 1 else patience) and not no_room:
                if isinstance(error, OF_THE_ROWS):
                    return self._store_halves(batch, said)
                raise StoreBroken(self._trouble) from error
            log.error("%s; nothing is acknowledged, trying again in %.1f s", self._trouble, wait)
            self._say_state()
            if self.stop.wait(wait):
                return None
            wait = min(2 * wait, RETRY_MAX_S)

    def _store_halves(self, batch: Batch, reason: str) -> int | None:
        halves = batch.halves()
        if halves is None:
            log.error("the store refuses one row for ever (%s): it is left out", reason)
            none = np.zeros(0, np.int64)
            mark = NoticeMark("unstorable", "store", round(time.time() * 1e6), 1, reason[:500])
            left = replace(
                batch, point_no=none, t_us=none, received_us=none, value=np.zeros(0), quality=none, dead=(),
                counts={**batch.counts, "unstorable": 1}, notices=(*batch.notices, mark),
            )  # fmt: skip
            return self.owner.write(left)
        done = [self._store(half, patience=1) for half in halves]
        return None if None in done else sum(n or 0 for n in done)

    def _say_state(self) -> None:
        now = self.clock()
        if now - self._state_at < STATE_EVERY_S:
            return
        self._state_at = now
        self._marks = [m for m in self._marks if m[0] > now - 10.0]
        try:
            self.owner.write_state(
                len(self.inbox) + (self.sluice.shelf.waiting if self.sluice is not None else 0),
                self._trouble or self.line.state,
                sum(m[1] for m in self._marks) / 10.0,
                sum(m[2] for m in self._marks) / 10.0,
            )
            if not self._trouble:
                self._keep_house(now)
        except (duckdb.Error, OSError) as e:
            log.error("cannot write the state of ingest: %s", str(e).splitlines()[0])

    def _keep_house(self, now: float) -> None:
        """What need not happen with every batch."""
        dropped = self.watch.take()
        if dropped:
            log.error("the broker has dropped %d messages: a subscriber's queue there was full", dropped)
            mark = NoticeMark("broker_dropped", "broker", round(time.time() * 1e6), dropped)
            self.owner.write_side({"broker_dropped": dropped}, (mark,), {WATCH_KEY: str(self.watch.seen)})
        gone = self.owner.let_go()
        if gone:
            mark = NoticeMark("questions_let_go", "store", round(time.time() * 1e6), gone)
            self.owner.write_side({}, (mark,), {})
        for desk in self.desks:
            desk.work()
        wanted = self.owner.take_redo_requests()
        if self.errands is not None:
            self.errands.start_slow()
            if self.errands.take_redo():
                wanted.append("*")
        if wanted:
            redo_dead_letters(self.owner, self.decoder, wanted)
        if now - self._rolled_at > ROLL_UP_EVERY_S:
            self._rolled_at = now
            self.owner.rollup.catch_up(round(time.time() * 1e6))
        if now - self._tidy_at > TIDY_EVERY_S:
            self._tidy_at = now
            if self.watch.seen is not None:
                self.owner.write_side({}, (), {WATCH_KEY: str(self.watch.seen)})
            self.owner.tidy()
