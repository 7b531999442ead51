"""The store past one machine: several workers, one lake, each reading once after the merge."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingest.county import save_county
from ingest.settings import S3, Lake, Retention, read_settings
from ingest.store.client import StoreClient
from ingest.store.lake import LakeOwner, compact, merge_arrived
from ingest.store.owner import StoreAway, StoreOwner
from ingest.worker.line import make_lanes
from ingest.worker.share import share_lanes
from tests.ingest.test_order import DAY_US, MIDNIGHT, POINTS, content, count, write
from tests.ingest.test_worker import TOKEN, is_connected, sender
from tests.support.postgres import run_postgres
from tests.support.system import ROOT, free_port, run_mosquitto, wait_until
from tests.support.tiny import make_tiny_county
from twin.model.errors import ConfigError

SHIFT_S = 28_800


@pytest.fixture(scope="module")
def catalog() -> Iterator[str]:
    with run_postgres() as where:
        yield where


@pytest.fixture
def pair(catalog: str, tmp_path: Path) -> Iterator[tuple[LakeOwner, LakeOwner]]:
    """Two workers of a fresh lake."""
    fresh = f"lake_{time.time_ns()}"
    with duckdb.connect() as db:
        from ingest.store.duck import load_extensions

        load_extensions(db, ("postgres_scanner",))
        db.execute(f"ATTACH '{catalog}' AS pg (TYPE postgres)")
        db.execute(f"CALL postgres_execute('pg', 'CREATE DATABASE {fresh}', use_transaction => false)")
    where = catalog.replace("dbname=postgres", f"dbname={fresh}")
    lakes = [Lake(where, str(tmp_path / "files"), n, 2) for n in (1, 2)]
    owners = tuple(LakeOwner(tmp_path / f"{lake.number}.duckdb", POINTS, lake) for lake in lakes)
    yield owners  # type: ignore[misc]
    for owner in owners:
        owner.close()


def test_every_worker_sees_what_all_have_written(pair: tuple[LakeOwner, LakeOwner]) -> None:
    one, two = pair
    write(one, [(no, 0.1) for no in range(700)][: len(POINTS)])
    write(two, [(no, 0.2) for no in range(3)])
    assert content(one) == content(two)
    assert count(one, "reading") == min(700, len(POINTS)) + 3
    values = one.db.execute("SELECT value FROM reading WHERE point_no = 2 ORDER BY t_ms").fetchall()
    assert values == [(2.1,), (2.2,)], "in SI to the last bit, whatever the vendor's unit"


def test_the_first_worker_takes_over_latest_devices_and_sums_of_the_others(
    pair: tuple[LakeOwner, LakeOwner],
) -> None:
    one, two = pair
    write(one, [(0, 0.10), (1, 0.10)])
    write(two, [(0, 0.11), (5, 0.10)])
    assert one.follow() == 2 and one.follow() == 0
    newest = dict(one.db.execute("SELECT point_no, epoch_us(t) FROM latest").fetchall())
    assert newest == {no: MIDNIGHT + round(d * DAY_US) for no, d in ((0, 0.11), (1, 0.10), (5, 0.10))}
    heard = {d for (d,) in one.db.execute("SELECT device_id FROM device_state").fetchall()}
    assert heard == {POINTS[0].device_id, POINTS[5].device_id}
    while one.rollup.catch_up(MIDNIGHT + DAY_US):
        pass
    assert one.db.execute("SELECT sum(n) FROM rollup_1h").fetchone() == (4,)


def test_repeats_of_a_killed_worker_count_once_in_the_sums_and_go_at_the_merge(
    pair: tuple[LakeOwner, LakeOwner],
) -> None:
    one, two = pair
    for owner in (one, two, two):
        write(owner, [(no, i / 100) for no in range(4) for i in range(150)], received=0.9)
    before = sorted(set(content(one)))
    assert count(one, "reading") == 3 * len(before)
    one.follow()
    while one.rollup.catch_up(MIDNIGHT + 3 * DAY_US):
        pass
    assert one.db.execute("SELECT sum(n) FROM rollup_1d").fetchone() == (600,)
    cursor, day = one.db.cursor(), DAY_US // 1000
    assert merge_arrived(cursor, SHIFT_S, MIDNIGHT // 1000) == (0, 0), "its day is not over"
    assert merge_arrived(cursor, SHIFT_S, MIDNIGHT // 1000 + day) == (600, 1200)
    assert merge_arrived(cursor, SHIFT_S, MIDNIGHT // 1000 + day) == (0, 0), "once is enough"
    compact(cursor, Retention(), MIDNIGHT // 1000)
    assert content(two) == before
    assert one.follow() == 0, "what was merged is not new"
    write(two, [(9, 0.5), (0, 0.0)], received=1.2)
    assert merge_arrived(cursor, SHIFT_S, MIDNIGHT // 1000 + 2 * day) == (1, 1), "late ones the next night"
    order = one.db.execute("SELECT point_no, t_ms FROM lake.reading LIMIT 600").fetchall()
    assert order == sorted(order, key=lambda r: ((r[1] * 1000 - MIDNIGHT) // DAY_US, *r))


def test_workers_write_while_a_day_is_merged(pair: tuple[LakeOwner, LakeOwner]) -> None:
    one, two = pair
    write(one, [(no, i / 300) for no in range(4) for i in range(250)], received=0.9)
    write(one, [(no, i / 300) for no in range(4) for i in range(250)], received=0.91)
    over, written = threading.Event(), [0]

    def go_on() -> None:
        while not over.is_set():
            write(two, [(no, 1.1 + written[0] / 1e5) for no in range(50)])
            written[0] += 1

    thread = threading.Thread(target=go_on)
    thread.start()
    wait_until(lambda: written[0] > 3, 30, "the other writes")
    assert merge_arrived(one.db.cursor(), SHIFT_S, MIDNIGHT // 1000 + 86_400_000) == (1000, 1000)
    had = written[0]
    wait_until(lambda: written[0] > had + 3, 30, "the other goes on")
    over.set()
    thread.join()
    rows = content(one)
    assert len(rows) == len({r[:2] for r in rows}) == 1000 + 50 * written[0]


def test_readings_from_before_the_move_stay_in_sight_and_after_a_move_back_too(
    pair: tuple[LakeOwner, LakeOwner], tmp_path: Path
) -> None:
    one, _ = pair
    path = tmp_path / "old.duckdb"
    old = StoreOwner(path, POINTS)
    write(old, [(0, 0.1)])
    old.close()
    moved = LakeOwner(path, POINTS, one.lake)
    write(moved, [(0, 0.2)])
    assert [r[3] for r in content(moved)] == [0.1, 0.2]
    moved.close()
    back = StoreOwner(path, POINTS)
    assert [r[3] for r in content(back)] == [0.1]
    back.close()


def test_a_lake_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    nowhere = Lake(
        f"host=127.0.0.1 port={free_port()} dbname=x user=y connect_timeout=2", str(tmp_path / "f")
    )
    with pytest.raises(StoreAway, match="CT_LAKE names a PostgreSQL database"):
        LakeOwner(tmp_path / "x.duckdb", POINTS, nowhere)


def test_settings_of_a_lake_are_checked() -> None:
    good = {"CT_LAKE": "dbname=x", "CT_LAKE_DATA": "/f", "CT_WORKER": "2/3"}
    assert read_settings(good).lake == Lake("dbname=x", "/f", 2, 3)
    assert read_settings({}).lake is None
    bucket = {**good, "CT_LAKE_DATA": "s3://b/x", "CT_LAKE_S3": "http://k%2F1:s@127.0.0.1:9000/cn"}
    lake = read_settings(bucket).lake
    assert lake is not None and lake.s3 == S3("127.0.0.1:9000", "k/1", "s", "cn", False)
    for bad in ({"CT_WORKER": "1/2"}, {**bucket, "CT_LAKE_S3": ""}, {**bucket, "CT_LAKE_S3": "http://h:1"},
                {**good, "CT_WORKER": "4/3"}, {**good, "CT_LAKE_DATA": ""},
                {"CT_KEEP_METER_DAYS": "100"}):  # fmt: skip
        with pytest.raises(ConfigError, match="CT_"):
            read_settings(bad)


def test_lanes_are_shared_but_for_what_needs_its_order() -> None:
    lanes = make_lanes("c", ("heat/+/data", "heat/+/ack", "v1/gateway/+", "spBv1.0/#", "homie/#"))
    first, second = share_lanes(lanes, 1, 2), share_lanes(lanes, 2, 2)
    assert [f for lane in first for f in lane.filters] == [
        "homie/#", "$share/county-twin/heat/+/data", "$share/county-twin/heat/+/ack", "heat/+/ack",
        "$share/county-twin/v1/gateway/+", "v1/gateway/rpc", "spBv1.0/#",
    ]  # fmt: skip
    assert [f for lane in second for f in lane.filters] == [
        "$share/county-twin/heat/+/data", "$share/county-twin/heat/+/ack", "$share/county-twin/v1/gateway/+",
    ]  # fmt: skip
    assert not {lane.client_id for lane in first} & {lane.client_id for lane in second}
    assert [lane.number for lane in second] == list(range(len(second)))
    assert "heat/+/data" in first[1].foreign, "the session of a single worker held it alone"
    assert "heat/+/ack" not in first[1].foreign, "answers to commands reach the worker that decides"
    assert "heat/+/ack" in second[0].foreign


def test_two_workers_one_of_them_killed_end_in_exactly_the_rows_sent(catalog: str, tmp_path: Path) -> None:
    save_county(make_tiny_county(), tmp_path / "county")
    stores = [free_port(), free_port()]
    clients = [StoreClient(f"quack:127.0.0.1:{s}", TOKEN) for s in stores]
    messages, keys = 1200, ("P1_TS", "P1_TR", "S2_TS")

    def start(n: int, broker: int) -> subprocess.Popen[bytes]:
        env = {
            **os.environ, "CT_DATA": str(tmp_path / f"w{n}"), "CT_COUNTY": str(tmp_path / "county"),
            "MQTT_URL": f"mqtt://127.0.0.1:{broker}", "CT_STORE_URI": f"quack:127.0.0.1:{stores[n]}",
            "CT_STORE_TOKEN": TOKEN, "CT_LAKE": catalog, "CT_LAKE_DATA": str(tmp_path / "files"),
            "CT_WORKER": f"{n + 1}/2",
        }  # fmt: skip
        return subprocess.Popen([sys.executable, "-m", "ingest"], cwd=ROOT, env=env)

    with run_mosquitto(tmp_path / "broker") as broker:
        workers = [start(n, broker) for n in (0, 1)]
        field = sender(broker)
        try:
            wait_until(lambda: all(is_connected(c) for c in clients), 60, "both workers are connected")
            base = round(time.time() * 1000) - 100_000
            for i in range(messages):
                values = {"ts": base + 10 * i, **dict.fromkeys(keys, 50.0)}
                sent = field.publish("heat/RTU0001/data", json.dumps(values), qos=1)
                if i % 50 == 0:
                    sent.wait_for_publish(120)
                if i == messages // 2:
                    workers[1].kill()
                    workers[1].wait()
                    workers[1] = start(1, broker)
            sent.wait_for_publish(120)

            def all_there() -> bool:
                return sum(clients[0].point_counts(0, time.time() + 60)[1]) >= messages * len(keys)

            wait_until(lambda: is_connected(clients[1]), 60, "the killed one is back")
            wait_until(all_there, 60, "all rows are in the lake")
            wait_until(lambda: clients[0].latest().t.max() * 1000 >= base + 10 * (messages - 1) - 1, 20,
                       "the first worker follows")  # fmt: skip
            shares = [c.stats().messages for c in clients]
            for w in workers:
                w.send_signal(signal.SIGTERM)
            assert [w.wait(120) for w in workers] == [0, 0]
        finally:
            for w in workers:
                w.kill()
                w.wait()
            field.disconnect()
            field.loop_stop()
            for c in clients:
                c.close()
    assert min(shares) > messages // 10, "both had their share"
    owner = LakeOwner(tmp_path / "x.duckdb", POINTS, Lake(catalog, str(tmp_path / "files")))
    for day in (1, 2):  # both tables, should it have become midnight
        merge_arrived(owner.db.cursor(), SHIFT_S, round(time.time() * 1000) + day * 86_400_000)
    rows = owner.db.execute("SELECT count(*), count(DISTINCT (point_no, t_ms)) FROM reading").fetchone()
    owner.close()
    assert rows == (messages * len(keys),) * 2
