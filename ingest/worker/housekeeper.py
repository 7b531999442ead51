"""Puts the store in order beside the line: one short step a second, and none while messages pile up."""

import logging
import threading
import time
from collections.abc import Callable

import duckdb

from ingest.documents.cabinet import Cabinet
from ingest.store.document_book import list_named_files
from ingest.store.lake import LakeOwner, compact, merge_arrived
from ingest.store.sorter import GRACE_MS, Sorter
from ingest.store.tables import DAY_MS
from ingest.worker.inbox import Inbox

log = logging.getLogger("ingest")

BUSY = 4000
"""Messages that wait: the line goes first."""


class Housekeeper:
    """One of the writer's desks."""

    def __init__(self, sorter: Sorter, inbox: Inbox, clock: Callable[[], float] = time.time) -> None:
        self._sorter, self._inbox, self._clock = sorter, inbox, clock

    def work(self) -> None:
        """One step of the nightly order."""
        if len(self._inbox) < BUSY:
            self._sorter.step(round(self._clock() * 1e6))


class DocumentKeeper:
    """A desk of the worker that is asked by others: removes files that no document names, once a day."""

    def __init__(
        self, db: duckdb.DuckDBPyConnection, cabinet: Cabinet, clock: Callable[[], float] = time.time
    ) -> None:
        self._db, self._cabinet, self._clock = db, cabinet, clock
        self._next = 0.0

    def work(self) -> None:
        """Sweep, when a day has passed since the last time; the first time at the start."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + DAY_MS / 1000
        try:
            gone = self._cabinet.sweep(list_named_files(self._db, now), now)
        except OSError as e:
            log.error("files of documents could not be looked through: %s", e)
            return
        if gone:
            log.info("%d files that no document names are removed", gone)


class LakeKeeper:
    """A desk of the first worker of a lake: follows the others, and merges the days that are over at night.

    The merge has a thread and a cursor of its own: the lake lets it write beside the line.
    """

    def __init__(self, owner: LakeOwner, clock: Callable[[], float] = time.time) -> None:
        self._owner, self._clock = owner, clock
        self._thread: threading.Thread | None = None
        self._next_ms = 0

    def work(self) -> None:
        """Take over what the others wrote; begin the night's merge when it is due."""
        self._owner.follow()
        now = round(self._clock() * 1000)
        if now < self._next_ms or (self._thread is not None and self._thread.is_alive()):
            return
        shift = self._owner.sorter.shift_s * 1000
        midnight = (now - GRACE_MS + shift) // DAY_MS * DAY_MS - shift
        self._next_ms = midnight + DAY_MS + GRACE_MS
        self._thread = threading.Thread(target=self._merge, args=(now,), name="merge")
        self._thread.start()

    def _merge(self, now_ms: int) -> None:
        try:
            with self._owner.db.cursor() as cursor:
                kept, gone = merge_arrived(cursor, self._owner.sorter.shift_s, now_ms - GRACE_MS)
                compact(cursor, self._owner.sorter.retention, now_ms)
            if kept:
                log.info("%d readings of the lake merged, %d repeats removed", kept, gone)
        except duckdb.Error as e:
            log.error("the lake was not merged, tonight again: %s", str(e).splitlines()[0])

    def finish(self) -> None:
        """Wait for a merge that runs."""
        if self._thread is not None:
            self._thread.join()
