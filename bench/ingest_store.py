"""The store with 100 million readings: what pages ask, while 10,000 readings/s arrive; and the nightly order.

2,000 points, one reading each 30 s, as vendors send them; past days sorted, the last one as it arrived. The
same rows (the newest 5.76 million or more) go to SQLite, PostgreSQL and chdb, each with the index or order
its users would give it, and the same questions are asked in the same run, without arrivals. Run:
``python -m bench.ingest_store [--rows N] [--peer-rows N] [--folder DIR] [--only PHASE]
[--json FILE]``. A folder that is
named is kept and used again, so that the filling and the questions can be had apart. ``pip install chdb``
before: it is no requirement of the project.
"""

import argparse
import multiprocessing
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from bench.ingest import timed
from bench.store_peers import PEERS, Question
from bench.table import Table
from ingest.store.batch import Batch
from ingest.store.client import StoreClient
from ingest.store.owner import StoreOwner
from ingest.store.tables import DAY, DAY_MS
from tests.support.system import free_port
from twin.model.county import Point

POINTS, STEP_MS = 2000, 30_000
ORDER_S = 60.0
DAY_ROWS = POINTS * (DAY_MS // STEP_MS)
TOKEN = "token-of-a-bench"  # noqa: S105 - loopback, for minutes
AIMS = {"latest": "5", "day": "10", "hourly": "100"}
HOURLY = (
    "SELECT point_no, t_ms // 3600000 AS h, count(*), min(value), max(value), avg(value) FROM reading "
    "WHERE t_ms >= {start} AND t_ms < {end} GROUP BY point_no, h"
)


def make_points() -> list[Point]:
    """Temperatures in °C, pressures in MPa, flows in m³/h: as vendors send them."""
    kinds = (("temperature", "°C"), ("pressure", "MPa"), ("volume_flow", "m3/h"), ("temperature", "°C"))
    rows = ((i, *kinds[i % 4]) for i in range(POINTS))
    return [
        Point(i, f"P{i}/x", f"D{i // 8}", f"P{i}", "x", quantity, f"k{i}", unit, 30.0, 0.0, -1e9, 1e9)
        for i, quantity, unit in rows
    ]


def fill(owner: StoreOwner, rows: int, today: int) -> float:
    """Past days of ``rows`` readings straight into the sorted table; seconds."""
    began = time.monotonic()
    days = max(rows // DAY_ROWS, 1)
    for d in range(days, 0, -1):
        start = today - d * DAY_MS
        owner.db.execute(
            f"INSERT INTO {DAY} SELECT p, {start} + s * {STEP_MS} + (p * 37) % 1000, 0, "  # noqa: S608
            "round(CASE p % 4 WHEN 1 THEN 0.6 + 0.05 * sin(s / 300 + p) ELSE 50 + 10 * sin(s / 300 + p) END "
            f"+ random() / 10, CASE p % 4 WHEN 1 THEN 4 ELSE 2 END), (p % 4 IN (1, 2))::UTINYINT, 192 "
            f"FROM range({DAY_MS // STEP_MS}) a(s), range({POINTS}) b(p) "
            f"ORDER BY 1, CASE WHEN p % 2 = 0 THEN 2 ELSE -2 END * s"
        )
        for span in range(start, start + DAY_MS, 300_000):
            owner.rollup.dirty.add(span * 1000)
    return time.monotonic() - began


def write_today(owner: StoreOwner, today: int, now: int) -> None:
    """The day so far, through the door, as it arrives."""
    no = np.tile(np.arange(POINTS), 20)
    rng = np.random.default_rng(2)
    steps = (now - today) // STEP_MS
    for s in range(0, steps, 20):
        t = np.repeat(today + (s + np.arange(20)) * STEP_MS, POINTS) + (no * 37) % 1000
        value = np.round(50 + 10 * np.sin(t / 9e6 + no) + rng.normal(0, 0.1, t.size), 2)
        owner.write(
            Batch(no, 1000 * t, 1000 * t + 200_000, value * owner.units.scale[no], np.full(t.size, 192))
        )


class Arrivals:
    """10,000 readings/s in four batches a second through the writer, and what commits took; sorts beside."""

    def __init__(self, owner: StoreOwner, start_ms: int, sort: bool = False) -> None:
        self.owner, self.start_ms, self.sort = owner, start_ms, sort
        self.took: list[float] = []
        self.stalls: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Arrivals":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        no, rng, n = np.arange(2500) % POINTS, np.random.default_rng(3), 0
        began, sorted_at = time.monotonic(), 0.0
        while not self._over.is_set():
            t = self.start_ms + n * 250 + (np.arange(2500) // POINTS) * 100
            value = np.round(50 + rng.normal(0, 1, 2500), 2) * self.owner.units.scale[no]
            at = time.monotonic()
            self.owner.write(Batch(no, 1000 * t, 1000 * t + 200_000, value, np.full(2500, 192)))
            self.took.append(time.monotonic() - at)
            n += 1
            if self.sort and time.monotonic() - sorted_at > 1.0:
                sorted_at = time.monotonic()
                if not self.owner.sorter.step(1000 * (self.start_ms + DAY_MS + 2 * 3_600_000)):
                    self._over.set()
                self.stalls.append(time.monotonic() - sorted_at)
            time.sleep(max(began + n * 0.25 - time.monotonic(), 0.0))

    def wait(self, seconds: float) -> None:
        """Until the order is made, but not longer."""
        self._over.wait(seconds)


@contextmanager
def filled(folder: Path, rows: int, table: Table | None = None) -> Iterator[tuple[StoreOwner, int, int]]:
    """(owner, today's midnight, now) of a store with ``rows`` readings of past days and 8 hours of today."""
    fresh = not (folder / "county.duckdb").exists()
    owner = StoreOwner(folder / "county.duckdb", make_points(), 0)
    row = owner.db.execute("SELECT max(t_ms) FROM reading_new").fetchone()
    held = int(row[0]) if row and row[0] is not None else int(time.time() * 1000)
    today = held // DAY_MS * DAY_MS
    now = max(today + 8 * 3_600_000, held + 60_000)
    try:
        if not fresh:
            yield owner, today, now
            return
        seconds = fill(owner, rows, today)
        if table is not None:
            table.add(f"{rows // DAY_ROWS * DAY_ROWS} readings written sorted, time", seconds, "s")
        write_today(owner, today, now)
        for span in range((now - 86_400_000 * 2) // 300_000 * 300_000, now, 300_000):
            owner.rollup.dirty.add(span * 1000)
        owner.rollup.dirty = {t for t in owner.rollup.dirty if t >= 1000 * (today - 2 * DAY_MS)}
        while owner.rollup.catch_up(1000 * now):
            pass
        owner.db.execute("CHECKPOINT")
        yield owner, today, now
    finally:
        owner.close()


def own(folder: Path, rows: int, uri: str, line: Connection) -> None:
    """The owner, in a process of its own as ingest is, with readings that arrive until ``line`` says so."""
    with filled(folder, rows) as (owner, today, now):
        owner.serve(uri, TOKEN)
        with Arrivals(owner, now) as arrivals:
            time.sleep(2.0)
            line.send((today, now))
            line.recv()
        line.send(arrivals.took)


def ask_store(table: Table, folder: Path, rows: int) -> None:
    """The three questions over Quack, raw and from the kept sums, while readings arrive."""
    uri = f"quack:127.0.0.1:{free_port()}"
    spawn = multiprocessing.get_context("spawn")
    line, far = spawn.Pipe()
    owner = spawn.Process(target=own, args=(folder, rows, uri, far))
    owner.start()
    today, now = line.recv()
    client = StoreClient(uri, TOKEN)
    for name, work, aim in list_questions(client, today, now):
        work()
        p50, p95 = timed(work, 50)
        table.add(f"{name}: p50", p50, "ms", aim)
        table.add("    p95", p95, "ms", aim)
    line.send(None)
    took = line.recv()
    table.add("commit of 2,500 readings meanwhile: p50", 1000 * float(np.percentile(took, 50)), "ms")
    table.add("  longest", 1000 * max(took), "ms")
    client.close()
    owner.join(60)


def list_questions(client: StoreClient, today: int, now: int) -> list[tuple[str, Callable[[], object], str]]:
    """(name, question, aim); ``today`` and ``now`` in ms."""
    start = (today - DAY_MS) / 1000
    hourly = HOURLY.format(start=today - DAY_MS, end=today)
    return [
        ("latest of 2,000 points", client.latest, AIMS["latest"]),
        (
            "a day at 5 min of one point",
            lambda: client.rolled_up(777, start, start + 86_400, 300),
            AIMS["day"],
        ),
        ("  its readings", lambda: client.history(777, start, start + 86_400, 10_000), ""),
        (
            "  the readings of the unsorted day",
            lambda: client.history(777, today / 1000, now / 1000, 10_000),
            "",
        ),
        (
            "hourly roll-up of 2,000 points for a day",
            lambda: client.sums_of_all(start, start + 86_400),
            AIMS["hourly"],
        ),
        (
            "  the last 24 hours, the open one from readings",
            lambda: client.sums_of_all(now / 1000 - 86_400, now / 1000 + 60),
            AIMS["hourly"],
        ),
        ("  summed up from 5.76 million readings", lambda: client._ask(hourly), AIMS["hourly"]),
    ]


def order_day(table: Table, owner: StoreOwner, today: int, now: int) -> None:
    """Sort the last day, and weeks, while readings arrive, for a minute: how long the line waits."""
    with Arrivals(owner, now, sort=True) as arrivals:
        arrivals.wait(ORDER_S)
    table.add("readings put in order beside 10,000/s", owner.sorter.moved, "")
    table.add("  longest step", 1000 * max(arrivals.stalls), "ms")
    table.add("  median step", 1000 * float(np.median(arrivals.stalls)), "ms")
    table.add("  longest commit meanwhile", 1000 * max(arrivals.took), "ms")


def ask_peers(table: Table, owner: StoreOwner, folder: Path, rows: int, today: int) -> None:
    """The same questions of the newest past rows in SQLite, PostgreSQL and chdb, without arrivals."""
    days = max(rows // DAY_ROWS, 1)
    rows_of_peers = owner.db.execute(
        "SELECT point_no, t_ms, value FROM reading WHERE t_ms >= ? AND t_ms < ? ORDER BY t_ms",
        [today - days * DAY_MS, today],
    ).to_arrow_table()
    question = Question(rows_of_peers, today - DAY_MS, today, 777)
    print(f"peers: {rows_of_peers.num_rows} readings", flush=True)
    for name, make in PEERS.items():
        try:
            with make(folder / name.lower(), question) as peer:
                for what, work in peer.asked.items():
                    work()
                    p50, p95 = timed(work, 5)
                    table.add(f"{name}: {what}: p50", p50, "ms", AIMS[what])
                    table.add("    p95", p95, "ms")
        except Exception as e:  # a peer that is not installed or fails is told, the others go on
            print(f"{name}: {type(e).__name__}: {str(e).splitlines()[0] if str(e) else e!r}", flush=True)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--peer-rows", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="where there is room for some GB")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=["fill", "queries", "order", "peers"], action="append")
    told = parser.parse_args()
    phases = told.only or ["queries", "order", "peers"]
    folder = told.folder or Path(tempfile.mkdtemp(prefix="bench-store-"))
    folder.mkdir(parents=True, exist_ok=True)
    table = Table()
    try:
        with filled(folder, told.rows, table):
            pass
        table.add("file", (folder / "county.duckdb").stat().st_size / 1e6, "MB")
        if "queries" in phases:
            ask_store(table, folder, told.rows)
        with filled(folder, told.rows) as (owner, today, now):
            if "order" in phases:
                order_day(table, owner, today, now)
            if "peers" in phases:
                ask_peers(table, owner, folder, told.peer_rows, today)
    finally:
        if told.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    table.write(told.json)


if __name__ == "__main__":
    main()
