"""One private database of a client, and the threads that ask over it."""

import queue
import threading
import weakref
from collections.abc import Callable
from typing import TypeVar, cast

import duckdb

from ingest.store.duck import open_duckdb
from twin.model.errors import StoreUnavailable

T = TypeVar("T")
Fault = duckdb.Error | StoreUnavailable
Work = Callable[[duckdb.DuckDBPyConnection, str], T]
"""What is done with a cursor and the name under which the store is attached to it."""
LAST_WORD_S = 2.0
"""A process that ends waits so long for a line to let go: one that still answers then would abort it."""


class Line:
    """A thread with a cursor and an attachment of its own; does one piece of work after the other.

    A question over a standing attachment takes a third of the time that one over a connection of its own
    takes, but an attachment answers one question after the other. A thread, because a frozen owner (stopped,
    swapping) holds a call for ever and obeys no time-out.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, attach: str, name: str, turn: threading.Lock) -> None:
        self.jobs: queue.SimpleQueue[tuple[Work[object], queue.SimpleQueue[object]] | None]
        self.jobs = queue.SimpleQueue()
        args = (db.cursor(), attach, name, turn, self.jobs)
        self.thread = threading.Thread(target=_serve, args=args, daemon=True, name="store line")
        self.thread.start()


def _serve(
    cursor: duckdb.DuckDBPyConnection, attach: str, name: str, turn: threading.Lock,
    jobs: "queue.SimpleQueue[tuple[Work[object], queue.SimpleQueue[object]] | None]",
) -> None:  # fmt: skip
    attached = False
    with cursor:
        while (job := jobs.get()) is not None:
            work, answers = job
            answer: object = None
            fault: Fault | None = None
            try:
                if not attached:
                    with turn:  # two threads may not change the private catalogue at once
                        cursor.execute(attach)
                    attached = True
                answer = work(cursor, name)
            except (duckdb.Error, StoreUnavailable) as e:
                fault = e
            answers.put((answer, fault))
            del job, work, answers, answer, fault


class Link:
    """A private database and its lines, as many as there were questions at a time."""

    def __init__(self, uri: str, token: str, timeout_s: float) -> None:
        self._attach = f"ATTACH '{check_plain(uri)}' AS "
        self._db = open_duckdb()
        self._db.execute("SET threads = 1")
        self._db.execute(f"SET http_timeout = {max(round(timeout_s), 1)}")
        self._db.execute("SET http_retries = 0")
        self._db.execute(f"CREATE TEMPORARY SECRET (TYPE quack, TOKEN '{check_plain(token)}')")
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._free: list[Line] = []
        self._made = 0
        self._over = weakref.finalize(self, _end, self._free)

    def run(self, work: Work[T], timeout_s: float) -> T:
        """Do ``work`` on a line of its own.

        Raises
        ------
        TimeoutError : no answer in time; the line is left behind
        duckdb.Error, StoreUnavailable : what the work raised; the line is not used again
        """
        line = self._take()
        answers: queue.SimpleQueue[object] = queue.SimpleQueue()
        line.jobs.put((work, answers))
        try:
            answer, fault = cast("tuple[T, Fault | None]", answers.get(timeout=timeout_s))
        except queue.Empty:
            line.jobs.put(None)
            raise TimeoutError from None
        if fault is not None:
            line.jobs.put(None)
            line.thread.join(LAST_WORD_S)
            raise fault
        with self._lock:
            self._free.append(line)
        if not self._over.alive:
            _end(self._free)
        return answer

    def _take(self) -> Line:
        with self._lock:
            if self._free:
                return self._free.pop()
            self._made += 1
            name = f"store{self._made}"
            return Line(self._db, self._attach + name, name, self._turn)

    def close(self) -> None:
        """Let the lines go that nobody asks on; the others go when they have answered."""
        self._over()


def _end(free: list[Line]) -> None:
    gone = []
    while free:
        gone.append(free.pop())
        gone[-1].jobs.put(None)
    for line in gone:
        if line.thread is not threading.current_thread():
            line.thread.join(LAST_WORD_S)


def check_plain(text: str) -> str:
    """A setting that stands in a statement which takes no parameters: letters, digits and ``.:_-`` only.

    Raises
    ------
    StoreUnavailable : it holds others
    """
    if not text or not all(c.isalnum() or c in ".:_-" for c in text):
        raise StoreUnavailable(
            "CT_STORE_URI or CT_STORE_TOKEN holds characters other than letters, digits, . : _ -"
        )
    return text
