"""A backup while the store is written to, and its restore."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ingest.store.backup import back_up
from ingest.store.batch import Batch
from ingest.store.owner import StoreOwner
from ingest.store.restore import restore
from tests.ingest.test_delivery import reading, running_ingest
from tests.ingest.test_worker import is_connected, sender, start_ingest, stored_rows
from tests.support.system import ROOT, run_mosquitto, wait_until
from tests.support.tiny import make_tiny_county
from twin.model.errors import ConfigError, InputError

POINTS = make_tiny_county().points


def batch(number: int) -> Batch:
    n = 50
    at = np.full(n, 1_700_000_000_000_000 + number * 1_000_000)
    return Batch(np.arange(n), at, at, np.full(n, float(number)), np.full(n, 192))


def test_a_copy_made_while_writing_is_one_moments_state(tmp_path: Path) -> None:
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    for i in range(50):
        owner.write(batch(i))
    target, done = tmp_path / "copy.duckdb", threading.Event()

    def copy() -> None:
        with owner.db.cursor() as cursor:
            back_up(cursor, target)
        done.set()

    thread = threading.Thread(target=copy)
    thread.start()
    number = 50
    while not done.is_set():
        owner.write(batch(number))
        number += 1
    thread.join()
    owner.write(batch(number))
    owner.close()
    with duckdb.connect(str(target), read_only=True) as db:
        rows = db.execute("SELECT count(*), count(DISTINCT t), max(value) FROM reading").fetchone()
        latest = db.execute("SELECT min(value), max(value) FROM latest").fetchone()
    assert rows is not None and latest is not None
    assert rows[0] == 50 * rows[1] and rows[1] >= 50
    assert latest == (rows[2], rows[2]), "latest and readings are of the same moment"
    again = StoreOwner(target, POINTS)
    assert again.write(batch(number)) == 50 and again.write(batch(0)) == 0
    again.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.duckdb", "x.duckdb"]


def test_the_store_itself_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    for target in (tmp_path / "x.duckdb", tmp_path / "no" / "x.duckdb"):
        with pytest.raises(InputError):
            back_up(owner.db.cursor(), target)
    owner.close()


def test_a_restore_leaves_nothing_of_the_old_store_to_be_replayed(tmp_path: Path) -> None:
    store, target = tmp_path / "x.duckdb", tmp_path / "copy.duckdb"
    owner = StoreOwner(store, POINTS)
    owner.write(batch(0))
    back_up(owner.db.cursor(), target)
    check = "import sys; from pathlib import Path; from ingest.store.restore import restore; "
    check += "restore(Path(sys.argv[1]), Path(sys.argv[2]))"
    done = subprocess.run(
        [sys.executable, "-c", check, str(target), str(store)], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "stop ingest first" in done.stderr
    owner.write(batch(1))
    owner.close()
    for ending in (".wal", ".wal.checkpoint"):
        store.with_name(store.name + ending).write_bytes(b"of another file")
    with pytest.raises(ConfigError, match="no backup"):
        restore(tmp_path / "x.duckdb.wal", store)
    assert len(restore(target, store)) == 3
    owner = StoreOwner(store, POINTS)
    assert owner.db.execute("SELECT count(*) FROM reading").fetchone() == (50,)
    assert owner.write(batch(1)) == 50
    owner.close()


def test_a_restored_backup_takes_what_waits_at_the_broker(tmp_path: Path) -> None:
    with run_mosquitto(tmp_path / "mosquitto") as broker, running_ingest(tmp_path, broker) as site:
        wait_until(lambda: is_connected(site.client), 45, "ingest is connected")
        field = sender(broker)
        for i in range(100):
            field.publish("heat/RTU0001/data", reading(1_700_000_000_000 + i), qos=1)
        wait_until(lambda: stored_rows(site.client) == 200, 45, "200 readings are stored")
        target = tmp_path / "it's a copy.duckdb"
        env = {**os.environ, "CT_DATA": str(site.data)}
        ask = [sys.executable, "-m", "ingest", "backup"]
        refused = subprocess.run([*ask, str(tmp_path / "no" / "x")], cwd=ROOT, env=env, check=False)
        assert refused.returncode == 78
        subprocess.run([*ask, str(target)], cwd=ROOT, env=env, check=True)
        wait_until(target.exists, 45, "the backup is there")
        site.process.kill()
        site.process.wait()
        for i in range(100, 150):
            field.publish("heat/RTU0001/data", reading(1_700_000_000_000 + i), qos=1).wait_for_publish(120)
        subprocess.run([*ask[:-1], "restore", str(target)], cwd=ROOT, env=env, check=True)
        site.process = start_ingest(site.data, broker, site.store)
        wait_until(lambda: stored_rows(site.client) == 300, 60, "what waited is stored on top")
        field.disconnect()
        field.loop_stop()
