"""One private database of a client, and work that is done with it in a thread of its own."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import duckdb

from twin.model.errors import StoreUnavailable

T = TypeVar("T")


@dataclass
class Link:
    """A private database that the store is attached to once for each question that is asked at a time.

    A question over a standing attachment takes a third of the time that one over a connection of its own
    takes; but an attachment answers one question after the other, so each has one to itself meanwhile. One
    whose question failed is not used again.
    """

    db: duckdb.DuckDBPyConnection
    uri: str
    token: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free: list[str] = field(default_factory=list)
    _made: int = 0

    @contextmanager
    def attached(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[str]:
        """The name of an attachment for one question.

        Raises
        ------
        StoreUnavailable, duckdb.Error : see ``check_plain``; the store does not answer
        """
        with self._lock:  # two threads may not change the private catalogue at once
            if self._free:
                name = self._free.pop()
            else:
                uri, token = check_plain(self.uri), check_plain(self.token)
                if not self._made:
                    cursor.execute(f"CREATE TEMPORARY SECRET (TYPE quack, TOKEN '{token}')")
                self._made += 1
                name = f"store{self._made}"
                cursor.execute(f"ATTACH '{uri}' AS {name}")
        yield name
        with self._lock:
            self._free.append(name)


Fault = duckdb.Error | StoreUnavailable
Work = Callable[[duckdb.DuckDBPyConnection, Link], T]


def run_work(work: Work[T], link: Link, answers: "queue.SimpleQueue[tuple[T | None, Fault | None]]") -> None:
    """Do ``work`` with a cursor of its own; its answer or fault goes to ``answers``.

    Whoever takes the answer waits for the end of the thread: one that is still letting go of the database
    when the process ends would abort it.
    """
    answer: T | None = None
    fault: Fault | None = None
    try:
        with link.db.cursor() as cursor:
            answer = work(cursor, link)
    except (duckdb.Error, StoreUnavailable) as e:
        fault = e
    answers.put((answer, fault))


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
