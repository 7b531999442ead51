"""Delivery when the store is in trouble: a full or slow disk, a row it refuses, a broken database."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from ingest.adapters import make_adapters
from ingest.county import save_county
from ingest.store.batch import Batch
from ingest.store.owner import StoreOwner
from ingest.worker.decode import Decoder
from ingest.worker.inbox import Inbox, Message
from ingest.worker.loop import StoreBroken, Writer
from tests.ingest.golden import directory
from tests.ingest.test_delivery import reading
from tests.support.system import ROOT, free_port
from tests.support.tiny import make_tiny_county

POINTS = make_tiny_county().points


class SlowOwner(StoreOwner):
    """A disk that takes its time, and is full at first."""

    full_for = 3

    def write(self, batch: Batch) -> int:
        if self.full_for:
            self.full_for -= 1
            raise OSError(28, "No space left on device")
        time.sleep(0.05)
        return super().write(batch)


class Acks:
    """Stands for the MQTT lines."""

    state = "connected"

    def __init__(self) -> None:
        self.mids: list[int] = []

    def acknowledge(self, messages: list[Message]) -> None:
        self.mids += [m.mid for m in messages]

    def publish(self, topic: str, payload: bytes) -> None: ...


def test_a_full_then_slow_disk_holds_the_senders_back_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.worker import loop

    monkeypatch.setattr(loop, "RETRY_FIRST_S", 0.05)
    owner = SlowOwner(tmp_path / "x.duckdb", POINTS)
    inbox, acks, stop = Inbox(size=500), Acks(), threading.Event()
    writer = Writer(owner, Decoder(make_adapters(), directory()), inbox, acks, stop)
    now, longest = time.time(), [0]

    def send() -> None:
        for i in range(4000):
            body = reading(round(now * 1000) - 5000 + i)
            inbox.put(Message("heat/RTU0001/data", body, now, i, 1, 1))
            longest[0] = max(longest[0], len(inbox))
        stop.set()

    thread = threading.Thread(target=send)
    thread.start()
    writer.run()
    thread.join()
    rows = owner.db.execute("SELECT count(*), count(DISTINCT (point_no, t)) FROM reading").fetchone()
    owner.close()
    assert longest[0] <= 500
    assert acks.mids == list(range(4000)), "acknowledged in order, each once, after its commit"
    assert rows == (8000, 8000)


class PoisonedOwner(StoreOwner):
    """Refuses any batch with the value 66.6, as a fault of the store would."""

    def write(self, batch: Batch) -> int:
        if (batch.value == 66.6).any():
            raise duckdb.OutOfMemoryException("as if")
        return super().write(batch)


def test_one_row_the_store_refuses_does_not_stop_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.worker import loop

    monkeypatch.setattr(loop, "RETRY_FIRST_S", 0.001)
    owner = PoisonedOwner(tmp_path / "x.duckdb", POINTS)
    inbox, acks = Inbox(), Acks()
    writer = Writer(owner, Decoder(make_adapters(), directory()), inbox, acks, threading.Event())
    now = time.time()
    for i in range(40):
        body = json.dumps({"ts": round(now * 1000) + i, "P1_TS": 66.6 if i == 13 else 50.0}).encode()
        inbox.put(Message("heat/RTU0001/data", body, now, i, 1, 1))
    writer.step(0.0)
    rows = owner.db.execute("SELECT count(*) FROM reading").fetchone()
    counts = dict(owner.db.execute("SELECT name, value FROM ingest_counter").fetchall())
    notice = owner.db.execute("SELECT kind, count FROM ingest_notice").fetchone()
    owner.close()
    assert rows == (39,) and len(acks.mids) == 40
    assert counts["messages"] == 40 and counts["unstorable"] == 1 and notice == ("unstorable", 1)


class BrokenOwner(StoreOwner):
    """A database that has invalidated itself."""

    def write(self, batch: Batch) -> int:
        raise duckdb.FatalException("database has been invalidated")


def test_a_broken_database_ends_the_process_and_drops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.worker import loop

    monkeypatch.setattr(loop, "RETRY_FIRST_S", 0.001)
    owner = BrokenOwner(tmp_path / "x.duckdb", POINTS)
    inbox, acks = Inbox(), Acks()
    writer = Writer(owner, Decoder(make_adapters(), directory()), inbox, acks, threading.Event())
    inbox.put(Message("heat/RTU0001/data", reading(round(time.time() * 1000)), time.time(), 1, 1, 1))
    with pytest.raises(StoreBroken, match="invalidated"):
        writer.step(0.0)
    owner.close()
    assert acks.mids == []


def test_a_disk_that_is_full_at_the_start_is_told_and_waited_for(tmp_path: Path) -> None:
    save_county(make_tiny_county(), tmp_path / "county")
    env = {
        **os.environ, "CT_DATA": str(tmp_path), "CT_STORE_TOKEN": "token-of-a-test", "PYTHONUNBUFFERED": "1",
        "CT_STORE_URI": f"quack:127.0.0.1:{free_port()}", "MQTT_URL": f"mqtt://127.0.0.1:{free_port()}",
    }  # fmt: skip
    process = subprocess.Popen(
        ["bash", "-c", 'ulimit -S -f 5; exec "$0" -m ingest', sys.executable],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = next(line for line in process.stdout if "the disk is full" in line)
        assert "goes on by itself" in said
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert any("store open at" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
