"""SQLite, PostgreSQL and chdb with the same readings, for ``bench.ingest_store``.

Each has what its users would give it: SQLite a table without row ids ordered by point and time, PostgreSQL an
index over both beside a BRIN over time, chdb a MergeTree ordered by both. ``latest`` is a table with a key in
each, as here.
"""

import csv
import io
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.postgres import find_programs, run_postgres

STEP_MS = 300_000
DAY = (
    "SELECT t_ms / 300000 AS b, count(*), min(value), max(value), avg(value) FROM reading "
    "WHERE point_no = {point} AND t_ms >= {start} AND t_ms < {end} GROUP BY b ORDER BY b"
)
HOURLY = (
    "SELECT point_no, t_ms / 3600000 AS h, count(*), min(value), max(value), avg(value) FROM reading "
    "WHERE t_ms >= {start} AND t_ms < {end} GROUP BY point_no, h"
)


@dataclass(frozen=True, slots=True)
class Question:
    """``table``: point_no, t_ms, value; the day asked for, and the point."""

    table: pa.Table
    start: int
    end: int
    point: int


@dataclass(frozen=True, slots=True)
class Peer:
    """What can be asked: latest, day, hourly."""

    asked: dict[str, Callable[[], Any]]


def _questions(q: Question, run: Callable[[str], Any]) -> dict[str, Callable[[], Any]]:
    place = {"start": q.start, "end": q.end, "point": q.point}
    day, hourly = (text.format(**place) for text in (DAY, HOURLY))
    return {
        "latest": lambda: run("SELECT point_no, t_ms, value FROM latest"),
        "day": lambda: run(day),
        "hourly": lambda: run(hourly),
    }


def _rows(table: pa.Table) -> Iterator[tuple[int, int, float]]:
    for batch in table.to_batches(100_000):
        yield from zip(*(c.to_pylist() for c in batch.columns), strict=True)


@contextmanager
def in_sqlite(folder: Path, q: Question) -> Iterator[Peer]:
    """A file, in this process."""
    db = sqlite3.connect(folder.with_suffix(".sqlite"))
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(
        "CREATE TABLE reading (point_no INTEGER, t_ms INTEGER, value REAL, PRIMARY KEY (point_no, t_ms)) "
        "WITHOUT ROWID"
    )
    in_order = q.table.sort_by([("point_no", "ascending"), ("t_ms", "ascending")])
    db.executemany("INSERT INTO reading VALUES (?, ?, ?)", _rows(in_order))
    db.execute("CREATE TABLE latest (point_no INTEGER PRIMARY KEY, t_ms INTEGER, value REAL)")
    db.execute("INSERT INTO latest SELECT point_no, max(t_ms), value FROM reading GROUP BY point_no")
    db.commit()
    db.execute("ANALYZE")
    try:
        yield Peer(_questions(q, lambda sql: db.execute(sql).fetchall()))
    finally:
        db.close()


@contextmanager
def in_postgres(folder: Path, q: Question) -> Iterator[Peer]:
    """Debian's, in a folder of its own, asked through one psql that stays connected."""
    with run_postgres() as where:
        psql = [str(find_programs() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", where]

        def run(sql: str, text: str | None = None) -> str:
            done = subprocess.run(
                [*psql, "-At", "-c", sql], input=text, capture_output=True, text=True, check=True
            )
            return done.stdout

        run("CREATE TABLE reading (point_no integer, t_ms bigint, value double precision)")
        for batch in q.table.to_batches(1_000_000):
            out = io.StringIO()
            csv.writer(out).writerows(zip(*(c.to_pylist() for c in batch.columns), strict=True))
            run("COPY reading FROM STDIN (FORMAT csv)", out.getvalue())
        run("CREATE INDEX ON reading (point_no, t_ms) INCLUDE (value)")
        run("CREATE INDEX ON reading USING brin (t_ms)")
        run("CREATE TABLE latest (point_no integer PRIMARY KEY, t_ms bigint, value double precision)")
        run("INSERT INTO latest SELECT DISTINCT ON (point_no) * FROM reading ORDER BY point_no, t_ms DESC")
        run("VACUUM ANALYZE")
        stay = subprocess.Popen([*psql, "-At"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def ask(sql: str) -> int:
            assert stay.stdin is not None and stay.stdout is not None
            stay.stdin.write(f"{sql};\n\\echo END\n")
            stay.stdin.flush()
            return sum(1 for _ in iter(stay.stdout.readline, "END\n"))

        try:
            yield Peer(_questions(q, ask))
        finally:
            stay.kill()
            stay.wait()


@contextmanager
def in_chdb(folder: Path, q: Question) -> Iterator[Peer]:
    """ClickHouse in this process."""
    from chdb import session  # type: ignore[import-not-found]

    made = session.Session(str(folder))
    file = folder.with_suffix(".parquet")
    pq.write_table(q.table, file)
    for sql in (
        "CREATE DATABASE IF NOT EXISTS b ENGINE = Atomic",
        "USE b",
        "CREATE TABLE reading (point_no Int32, t_ms Int64, value Float64) ENGINE = MergeTree "
        "ORDER BY (point_no, t_ms)",
        f"INSERT INTO reading SELECT * FROM file('{file}', Parquet)",  # noqa: S608 - own file
        "OPTIMIZE TABLE reading FINAL",
        "CREATE TABLE latest (point_no Int32, t_ms Int64, value Float64) ENGINE = MergeTree "
        "ORDER BY point_no",
        "INSERT INTO latest SELECT point_no, max(t_ms), argMax(value, t_ms) FROM reading GROUP BY point_no",
    ):
        made.query(sql)
    try:
        yield Peer(_questions(q, lambda sql: made.query(_whole(sql), "Arrow")))
    finally:
        made.close()


def _whole(sql: str) -> str:
    """Division of integers is a fraction there."""
    for width in ("300000", "3600000"):
        sql = sql.replace(f"t_ms / {width}", f"intDiv(t_ms, {width})")
    return sql


PEERS: dict[str, Callable[[Path, Question], AbstractContextManager[Peer]]] = {
    "SQLite": in_sqlite,
    "PostgreSQL": in_postgres,
    "chdb": in_chdb,
}
