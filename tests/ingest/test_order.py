"""Readings of past days are put in order beside the line; whatever happens, each stays there once."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.settings import Retention
from ingest.store.batch import Batch
from ingest.store.owner import StoreOwner
from ingest.store.tables import DAY, LATE, METER, NEW, WEEK
from ingest.worker.housekeeper import BUSY, Housekeeper
from ingest.worker.inbox import Inbox, Message
from tests.support.tiny import make_tiny_county

POINTS = make_tiny_county().points
DAY_US = 86_400_000_000
MIDNIGHT = (1_700_000_000_000_000 + 28_800_000_000) // (7 * DAY_US) * 7 * DAY_US - 28_800_000_000
"""Of the county, and the first of a week."""
METERS = [p.no for p in POINTS if p.quantity in ("volume", "energy", "electric_energy")]
Key = tuple[int, int]


def write(owner: StoreOwner, rows: list[tuple[int, float]], received: float | None = None) -> None:
    """(point, days after MIDNIGHT); value tells both; arrived ``received`` days after, else at once."""
    no = np.array([r[0] for r in rows], np.int64)
    t = np.array([MIDNIGHT + round(r[1] * DAY_US) for r in rows], np.int64)
    came = t + 1_000_000 if received is None else np.full(no.size, MIDNIGHT + round(received * DAY_US))
    owner.write(Batch(no, t, came, no + (t - MIDNIGHT) / DAY_US, np.full(no.size, 192)))


def night(owner: StoreOwner, day: float) -> None:
    while owner.sorter.step(MIDNIGHT + round(day * DAY_US)):
        pass


def content(owner: StoreOwner) -> list[tuple[object, ...]]:
    sql = "SELECT point_no, t_ms, epoch_us(received), value, quality FROM reading ORDER BY ALL"
    return owner.db.execute(sql).fetchall()


def count(owner: StoreOwner, table: str) -> int:
    row = owner.db.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def owner(tmp_path: Path):
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    yield owner
    owner.close()


def test_past_days_are_sorted_and_the_current_one_stays_as_it_arrives(owner: StoreOwner) -> None:
    rng = np.random.default_rng(1)
    write(
        owner,
        [(int(no), float(d)) for no, d in zip(rng.integers(0, 20, 500), rng.random(500) * 3, strict=True)],
    )
    before = content(owner)
    night(owner, 2.5)
    assert content(owner) == before
    today = owner.db.execute(f"SELECT min(t_ms), count(*) FROM {NEW}").fetchone()
    assert today is not None and today[0] >= (MIDNIGHT + 2 * DAY_US) // 1000 and today[1] > 100
    rows = owner.db.execute(f"SELECT point_no, t_ms FROM {DAY}").fetchall()
    days = [(t * 1000 - MIDNIGHT) // DAY_US for _, t in rows]
    assert days == sorted(days)
    keys = [(d, no, t if no % 2 == 0 else -t) for d, (no, t) in zip(days, rows, strict=True)]
    assert keys == sorted(keys)


def test_a_day_is_left_alone_until_an_hour_after_midnight(owner: StoreOwner) -> None:
    write(owner, [(0, 0.5), (1, 0.6)])
    night(owner, 1.0 + 0.5 / 24)
    assert count(owner, NEW) == 2
    night(owner, 1.0 + 1.5 / 24)
    assert count(owner, NEW) == 0 and count(owner, DAY) == 2


def test_a_settled_week_is_put_together_with_meters_apart(owner: StoreOwner) -> None:
    rows = [(no, d + 0.25) for no in (0, 1, METERS[0]) for d in range(9)]
    write(owner, rows)
    before = content(owner)
    night(owner, 14.9)
    assert count(owner, WEEK) == 0, "late readings of the week may come yet"
    night(owner, 16.0)
    assert (count(owner, WEEK), count(owner, METER), count(owner, DAY), count(owner, NEW)) == (14, 7, 6, 0)
    assert content(owner) == before


@pytest.mark.parametrize("ordered", [False, True])
def test_late_readings_and_repeats_are_stored_once_before_and_after_the_night(
    owner: StoreOwner, ordered: bool
) -> None:
    write(owner, [(0, 3.5)])
    write(owner, [(0, 0.1), (1, 0.2)], received=3.6)
    if ordered:
        night(owner, 4.5)
    write(owner, [(0, 0.1), (1, 0.2), (1, 1.2), (0, 3.5)], received=4.6)
    assert count(owner, "reading") == 4
    night(owner, 5.5)
    assert [(r[0], r[1]) for r in content(owner)] == [
        (no, (MIDNIGHT + round(d * DAY_US)) // 1000) for no, d in ((0, 0.1), (0, 3.5), (1, 0.2), (1, 1.2))
    ]


def test_what_is_older_than_arrivals_are_compared_with_is_merged_at_night(owner: StoreOwner) -> None:
    write(owner, [(0, 0.5), (1, 0.5)])
    night(owner, 17.0)
    write(owner, [(0, 0.5), (2, 0.5), (2, 0.5), (3, -4000.0), (3, 900.0)], received=20.0)
    write(owner, [(2, 0.5)], received=20.1)
    assert count(owner, LATE) == 4
    night(owner, 21.0)
    assert count(owner, LATE) == 0
    rows = content(owner)
    assert len(rows) == len({r[:2] for r in rows}) == 5


def test_a_big_day_is_cut_into_slices_and_a_failed_one_changes_nothing(
    owner: StoreOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.store import sorter

    monkeypatch.setattr(sorter, "SLICE_ROWS", 100)
    for no in range(12):
        write(owner, [(no, i / 70) for i in range(60)])
    before = content(owner)
    owner.sorter.step(MIDNIGHT + 2 * DAY_US)
    owner.sorter.step(MIDNIGHT + 2 * DAY_US)
    assert len(owner.sorter._slices) > 5
    owner.db.execute("ALTER TABLE reading_day RENAME TO away")
    with pytest.raises(Exception, match="reading_day"):
        owner.sorter.step(MIDNIGHT + 2 * DAY_US)
    owner.db.execute("ALTER TABLE away RENAME TO reading_day")
    assert content(owner) == before
    night(owner, 2.0)
    assert count(owner, NEW) == 0 and content(owner) == before


def test_readings_go_after_their_time_and_meters_stay_longer(tmp_path: Path) -> None:
    keep = Retention(raw_days=30, meter_days=60)
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS, retention=keep)
    write(owner, [(no, d + 0.5) for no in (0, METERS[0]) for d in range(50)])
    write(owner, [(1, -3000.0)], received=49.0)
    night(owner, 56.1)
    kept = [(r[0], (int(r[1]) * 1000 - MIDNIGHT) // DAY_US) for r in content(owner)]  # type: ignore[call-overload]
    assert min(d for no, d in kept if no == 0) == 21, "whole weeks go, 26 days would be the bound"
    assert sum(no == METERS[0] for no, _ in kept) == 50
    assert sum(no == 1 for no, _ in kept) == 1, "an absurd time is as old as its arrival"
    night(owner, 56.1 + 60)
    assert {no for no, _, *_ in content(owner)} == {METERS[0]} or not content(owner)
    owner.close()


EVENTS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), min_size=1, max_size=6),
        st.integers(0, 3), st.booleans(), st.booleans(),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@given(events=EVENTS)
@settings(max_examples=15, deadline=None)
def test_any_order_of_arrivals_nights_and_restarts_keeps_each_reading_once(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[tuple[list[Key], int, bool, bool]],
) -> None:
    path = tmp_path_factory.mktemp("order") / "x.duckdb"
    owner = StoreOwner(path, POINTS)
    sent: set[Key] = set()
    now = 8.0
    for rows, days, sorted_, restart in events:
        now += days
        write(owner, [(no, now - q / 6) for no, q in rows], received=now)
        sent |= {(no, round(now * 24 - q * 4)) for no, q in rows}
        if sorted_:
            night(owner, now)
        if restart:
            owner.close()
            owner = StoreOwner(path, POINTS)
        found = owner.db.execute("SELECT point_no, t_ms FROM reading").fetchall()
        assert len(found) == len(set(found))
    hours = {(no, round((t * 1000 - MIDNIGHT) / 3_600_000_000)) for no, t in found}
    owner.close()
    assert hours == sent


def test_the_order_is_made_in_the_writers_thread_only_while_nothing_piles_up(owner: StoreOwner) -> None:
    write(owner, [(0, 0.5)])
    inbox = Inbox()
    house = Housekeeper(owner.sorter, inbox, lambda: MIDNIGHT / 1e6 + 2 * 86_400)
    for i in range(BUSY):
        inbox.put(Message("x", b"", time.time(), i, 1, 1))
    house.work()
    assert count(owner, NEW) == 1 and not owner.sorter._stages
    inbox.collect(0.0, 10_000)
    for _ in range(8):
        house.work()
    assert count(owner, DAY) == 1


def test_questions_are_answered_alike_before_and_after_the_night(owner: StoreOwner) -> None:
    from ingest.store.client import StoreClient
    from tests.support.system import free_port

    write(owner, [(no, i / 100) for no in range(4) for i in range(300)])
    uri = f"quack:127.0.0.1:{free_port()}"
    owner.serve(uri, "token-of-a-test")
    client = StoreClient(uri, "token-of-a-test")
    start = MIDNIGHT / 1e6

    def ask() -> list[object]:
        h = client.history(2, start + 3600, start + 200_000, 10_000)
        at = client.latest_at(start + 86_400)
        counts = client.point_counts(start + 1, start + 150_000)
        return [x.tolist() for x in (h.t, h.value, at.point_no, at.t, at.value, *counts)]

    before = ask()
    assert len(before[0]) > 200  # type: ignore[arg-type]
    night(owner, 17.5)
    assert count(owner, NEW) == 0
    assert ask() == before
    client.close()


def test_values_come_back_to_the_last_bit_in_whatever_unit_they_were_sent(tmp_path: Path) -> None:
    from dataclasses import replace

    rng = np.random.default_rng(2)
    n = len(POINTS)
    for points in (POINTS, [replace(p, unit="") for p in POINTS]):  # the units are mended meanwhile
        owner = StoreOwner(tmp_path / "x.duckdb", points)
        scale, shift = owner.units.scale, owner.units.shift
        start = MIDNIGHT + (0 if points is POINTS else DAY_US)
        values = [np.round(rng.uniform(-500, 500, n), d) * scale + shift for d in (0, 1, 2, 3, 5)]
        values += [rng.uniform(-1, 1, n) * 10.0**e for e in (-9, 0, 9, 280)]
        values += [np.full(n, x) for x in (0.0, np.nan, 1e308, 5e-324)]
        for i, v in enumerate(values):
            at = np.full(n, start + i * 1_000_000)
            owner.write(Batch(np.arange(n), at, at, v, np.full(n, 192)))
        rows = owner.db.execute(
            "SELECT value FROM reading WHERE t_ms >= ? ORDER BY t_ms, point_no", [start // 1000]
        ).fetchnumpy()["value"]
        assert np.array_equal(np.ma.filled(rows, np.nan), np.concatenate(values), equal_nan=True)
        as_sent = owner.db.execute(
            "SELECT DISTINCT point_no FROM reading_new WHERE unit <> 0 AND t_ms BETWEEN ? AND ?",
            [start // 1000, start // 1000 + 4000],
        ).fetchall()
        assert len(as_sent) == np.count_nonzero((scale != 1) | (shift != 0))
        owner.close()


def test_a_thread_that_reads_while_slices_move_sees_every_reading_once(owner: StoreOwner) -> None:
    write(owner, [(no, i / 500) for no in range(20) for i in range(400)])
    seen: set[tuple[int, int]] = set()
    over = threading.Event()

    def look() -> None:
        with owner.db.cursor() as cursor:
            while not over.is_set():
                row = cursor.execute(
                    "SELECT count(*), count(DISTINCT (point_no, t_ms)) FROM reading"
                ).fetchone()
                assert row is not None
                seen.add((int(row[0]), int(row[1])))

    thread = threading.Thread(target=look)
    thread.start()
    night(owner, 17.0)
    over.set()
    thread.join()
    assert seen == {(8000, 8000)}
