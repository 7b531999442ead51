import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import paho.mqtt.client as mqtt
import pytest

from ingest.broker import write_mosquitto_conf
from ingest.county import save_county
from ingest.store.client import StoreClient
from tests.support.system import (
    ROOT,
    free_port,
    listens,
    mosquitto_path,
    run_mosquitto,
    wait_saved,
    wait_until,
)
from tests.support.tiny import make_tiny_county
from twin.model.errors import StoreUnavailable

TOKEN = "token-of-a-test"
MESSAGES, KEYS = 1500, ("P1_TS", "P1_TR", "S2_TS")


def start_ingest(data: Path, broker: int, store: int) -> subprocess.Popen[bytes]:
    env = {
        **os.environ, "CT_DATA": str(data), "MQTT_URL": f"mqtt://127.0.0.1:{broker}",
        "CT_STORE_URI": f"quack:127.0.0.1:{store}", "CT_STORE_TOKEN": TOKEN,
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-m", "ingest"], cwd=ROOT, env=env)


def sender(port: int, version: mqtt.MQTTProtocolVersion = mqtt.MQTTv5) -> mqtt.Client:
    wait_until(lambda: listens(port), 20, "the broker listens")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=version)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


def is_connected(client: StoreClient) -> bool:
    try:
        return client.stats().broker == "connected"
    except StoreUnavailable:
        return False


def stored_rows(client: StoreClient) -> int:
    try:
        return client.stats().readings
    except StoreUnavailable:
        return -1


def count_rows(data: Path) -> tuple[int, int]:
    """(rows, different (point_no, t)) in the file of a stopped ingest."""
    with duckdb.connect(str(data / "store" / "county.duckdb"), read_only=True) as db:
        row = db.execute("SELECT count(*), count(DISTINCT (point_no, t)) FROM reading").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


@contextmanager
def run_embedded(_folder: Path) -> Iterator[int]:
    """The embedded broker of this project on a free port."""
    port = free_port()
    env = {**os.environ, "MQTT_URL": f"mqtt://127.0.0.1:{port}"}
    process = subprocess.Popen([sys.executable, "-m", "ingest.broker"], cwd=ROOT, env=env)

    def listens() -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(listens, 45, "the embedded broker listens")
        yield port
    finally:
        process.terminate()
        process.wait(120)


@pytest.mark.parametrize("run_broker", [run_mosquitto, run_embedded], ids=["mosquitto", "embedded"])
def test_kill_9_among_garbage_ends_in_exactly_the_rows_sent(
    tmp_path: Path, run_broker: Callable[[Path], AbstractContextManager[int]]
) -> None:
    data, store = tmp_path / "var", free_port()
    data.mkdir()
    save_county(make_tiny_county(), data / "county")
    client = StoreClient(f"quack:127.0.0.1:{store}", TOKEN)
    with run_broker(tmp_path / "broker") as broker:
        process = start_ingest(data, broker, store)
        field = sender(broker, mqtt.MQTTv5 if run_broker is run_mosquitto else mqtt.MQTTv311)
        try:
            wait_until(lambda: is_connected(client), 45, "ingest is connected")
            base = round(time.time() * 1000) - 100_000
            for i in range(MESSAGES):
                values = {"ts": base + 10 * i, **dict.fromkeys(KEYS, 50.0)}
                sent = field.publish("heat/RTU0001/data", json.dumps(values), qos=1)
                if i % 50 == 0:
                    field.publish("heat/RTU0001/data", b"{garbage %d" % i, qos=1)
                    sent.wait_for_publish(120)
                if i in (500, 1000):
                    process.kill()
                    process.wait()
                    process = start_ingest(data, broker, store)
            sent.wait_for_publish(120)
            rows = MESSAGES * len(KEYS)
            wait_until(lambda: stored_rows(client) >= rows, 40, f"{rows} rows are stored")
            assert len(client.dead_letters()) == MESSAGES // 50
            process.send_signal(signal.SIGTERM)
            assert process.wait(120) == 0
        finally:
            process.kill()
            process.wait()
            field.disconnect()
            field.loop_stop()
            client.close()
    assert count_rows(data) == (rows, rows)


def test_a_killed_mosquitto_keeps_what_waits_for_ingest(tmp_path: Path) -> None:
    port = free_port()
    conf = write_mosquitto_conf(tmp_path, port)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([mosquitto_path(), "-c", str(conf)], stderr=subprocess.DEVNULL)

    def subscriber(got: list[bytes]) -> mqtt.Client:
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, "keeper", protocol=mqtt.MQTTv311, clean_session=False
        )
        client.on_message = lambda _c, _d, m: got.append(m.payload)
        client.on_connect = lambda c, *_: c.subscribe("heat/#", 1)
        client.connect("127.0.0.1", port)
        client.loop_start()
        return client

    def up() -> bool:
        try:
            sender(port).loop_stop()
        except OSError:
            return False
        return True

    broker = start()
    try:
        wait_until(up, 10, "mosquitto answers")
        early, subscribed = subscriber([]), threading.Event()
        early.on_subscribe = lambda *_: subscribed.set()
        early.subscribe("heat/#", 1)
        assert subscribed.wait(120)
        early.disconnect()
        early.loop_stop()
        field = sender(port)
        for i in range(500):
            field.publish("heat/x/data", b"%d" % i, qos=1).wait_for_publish(120)
        field.disconnect()
        field.loop_stop()
        wait_saved(tmp_path)
        broker.kill()
        broker.wait()
        broker = start()
        wait_until(up, 10, "mosquitto answers again")
        got: list[bytes] = []
        late = subscriber(got)
        wait_until(lambda: len(got) >= 500, 10, "500 messages came back")
        late.disconnect()
        late.loop_stop()
        assert got == [b"%d" % i for i in range(500)]
    finally:
        broker.kill()
        broker.wait()
