"""One private database of a client, and work that is done with it in a thread of its own."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import duckdb

from twin.model.errors import StoreUnavailable

T = TypeVar("T")


@dataclass
class Link:
    """A private database and whether the store is attached to it; two threads may not attach at once."""

    db: duckdb.DuckDBPyConnection
    lock: threading.Lock = field(default_factory=threading.Lock)
    attached: bool = False


Work = Callable[[duckdb.DuckDBPyConnection, Link], T]


def run_work(
    work: Work[T], link: Link, answers: "queue.SimpleQueue[tuple[T | None, duckdb.Error | None]]"
) -> None:
    """Do ``work`` with a cursor of its own; its answer or fault goes to ``answers``."""
    try:
        with link.db.cursor() as cursor:
            answers.put((work(cursor, link), None))
    except duckdb.Error as e:
        answers.put((None, e))


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
