"""Delivery under trouble: the broker ends, one vendor floods, the disk is full or slow."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt
import pytest

from ingest.broker import write_mosquitto_conf
from ingest.county import save_county
from ingest.store.api import Notice
from ingest.store.batch import Batch
from ingest.store.client import StoreClient
from ingest.store.owner import StoreOwner
from ingest.worker.line import make_lanes
from tests.ingest.golden import county, find_cases
from tests.ingest.test_worker import (
    TOKEN,
    count_rows,
    is_connected,
    run_embedded,
    sender,
    start_ingest,
    stored_rows,
)
from tests.support.system import ROOT, free_port, mosquitto_path, run_mosquitto, wait_saved, wait_until
from tests.support.tiny import make_tiny_county
from twin.model.county import County

POINTS = make_tiny_county().points


@dataclass
class Site:
    """A data folder with the tiny county, a running ingest and a client of its store."""

    data: Path
    broker: int
    store: int
    client: StoreClient
    process: subprocess.Popen[bytes]


@contextmanager
def running_ingest(tmp_path: Path, broker: int, model: County | None = None) -> Iterator[Site]:
    data, store = tmp_path / "var", free_port()
    data.mkdir()
    save_county(model or make_tiny_county(), data / "county")
    client = StoreClient(f"quack:127.0.0.1:{store}", TOKEN)
    site = Site(data, broker, store, client, start_ingest(data, broker, store))
    try:
        yield site
    finally:
        site.process.kill()
        site.process.wait()
        client.close()


def reading(t_ms: int) -> bytes:
    return json.dumps({"ts": t_ms, "P1_TS": 50.0, "P1_TR": 40.0}).encode()


def test_a_broker_killed_and_restarted_under_ingest_costs_no_acknowledged_message(tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "mosquitto"
    folder.mkdir()
    conf = write_mosquitto_conf(folder, port)

    def start_broker() -> subprocess.Popen[bytes]:
        return subprocess.Popen([mosquitto_path(), "-c", str(conf)], stderr=subprocess.DEVNULL)

    broker = start_broker()
    try:
        with running_ingest(tmp_path, port) as site:
            wait_until(lambda: is_connected(site.client), 45, "ingest is connected")
            base, sent = round(time.time() * 1000) - 100_000, 0
            for _ in range(2):
                field = sender(port)
                for _ in range(200):
                    field.publish("heat/RTU0001/data", reading(base + sent), qos=1).wait_for_publish(120)
                    sent += 1
                field.disconnect()
                field.loop_stop()
                wait_saved(folder)
                broker.kill()
                broker.wait()
                broker = start_broker()
                wait_until(lambda: is_connected(site.client), 45, "ingest is connected again")
            wait_until(lambda: stored_rows(site.client) >= 2 * sent, 60, "all rows are stored")
            site.process.send_signal(signal.SIGTERM)
            assert site.process.wait(120) == 0
            assert count_rows(site.data) == (2 * sent, 2 * sent)
    finally:
        broker.kill()
        broker.wait()


def test_a_flooding_vendor_keeps_nobody_waiting_and_a_burst_is_stored_whole(tmp_path: Path) -> None:
    with run_mosquitto(tmp_path / "mosquitto") as broker, running_ingest(tmp_path, broker) as site:
        wait_until(lambda: is_connected(site.client), 45, "ingest is connected")
        command = [sys.executable, "-m", "tests.ingest.flood", str(broker), "heat/nobody/data", "60000"]
        flood = subprocess.Popen(command, cwd=ROOT)
        quiet = sender(broker)
        key = next(p.external_key for p in POINTS if p.device_id == TB.id)
        no = next(p.no for p in POINTS if p.device_id == TB.id)
        delays = []
        wait_until(lambda: site.client.stats().rejected_messages > 1000, 60, "the flood has come")
        for i in range(5):
            t = round(time.time() * 1000) + i
            body = {TB.external_id: [{"ts": t, "values": {key: 40.0 + i}}]}
            began = time.monotonic()
            quiet.publish("v1/gateway/telemetry", json.dumps(body), qos=1)

            def arrived(want: float = t / 1000) -> bool:
                rows = site.client.latest()
                return bool(((rows.point_no == no) & (abs(rows.t - want) < 0.001)).any())

            wait_until(arrived, 30, "a quiet vendor's reading is stored", every_s=0.05)
            delays.append(time.monotonic() - began)
        flood.wait(120)
        print(f"behind a flood of bad messages: {max(delays):.2f} s at most")
        wait_until(lambda: site.client.stats().rejected_messages >= 60_000, 60, "the flood is counted whole")
        stats = site.client.stats()
        kinds = {(n.kind, n.subject) for n in site.client.notices()}
        first = t - 60_000
        for k in range(3000):  # what it says in an hour, at once
            body = {TB.external_id: [{"ts": first + k, "values": {key: 45.0}}]}
            quiet.publish("v1/gateway/telemetry", json.dumps(body), qos=1)

        def burst() -> int:
            span = (first / 1000 - 0.0005, first / 1000 + 3.0)
            return site.client.history(no, *span, max_rows=10_000).t.size

        wait_until(lambda: burst() >= 3000, 60, "the burst is stored")
        assert burst() == 3000
        quiet.disconnect()
        quiet.loop_stop()
    assert ("dead_letter_flood", "heat/nobody/data") in kinds
    assert stats.unkept_messages > 40_000


TB = next(d for d in make_tiny_county().devices if d.dialect == "thingsboard")


def test_dead_letters_are_read_again_when_the_county_knows_the_device(tmp_path: Path) -> None:
    with run_mosquitto(tmp_path / "mosquitto") as broker, running_ingest(tmp_path, broker) as site:
        wait_until(lambda: is_connected(site.client), 45, "ingest is connected")
        field = sender(broker)
        t = round(time.time() * 1000) - 5000
        for i in range(30):
            field.publish("heat/RTU9999/data", reading(t + i), qos=1)
        field.publish("heat/RTU9999/data", b"{rubbish", qos=1).wait_for_publish(120)
        wait_until(lambda: len(site.client.dead_letters()) == 31, 45, "dead letters")
        field.disconnect()
        field.loop_stop()
        site.client.redo_dead_letters()
        wait_until(lambda: redone(site.client.notices()), 45, "read again in vain")
        assert len(site.client.dead_letters()) == 31
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(120) == 0
        mend_county(site.data / "county")
        site.process = start_ingest(site.data, broker, site.store)
        wait_until(lambda: is_connected(site.client), 45, "ingest is connected")
        env = {**os.environ, "CT_DATA": str(site.data)}
        subprocess.run([sys.executable, "-m", "ingest", "redo"], cwd=ROOT, env=env, check=True)
        wait_until(lambda: len(site.client.dead_letters()) == 1, 45, "read again")
        assert stored_rows(site.client) == 60
        said = "30 mended, 1 still bad"
        wait_until(lambda: said in redone(site.client.notices())[0].detail, 30, "the outcome is told")


def redone(notices: list[Notice]) -> list[Notice]:
    return [n for n in notices if n.kind == "dead_letters_redone"]


def mend_county(folder: Path) -> None:
    """The device of the letters gets the name it sends."""
    from dataclasses import replace

    county = make_tiny_county()
    devices = tuple(
        replace(d, external_id="RTU9999") if d.external_id == "RTU0001" else d for d in county.devices
    )
    save_county(replace(county, devices=devices), folder)


def test_a_counter_that_rolls_over_is_told_and_counted_on(tmp_path: Path) -> None:
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    point = next(p for p in POINTS if p.quantity == "energy" and p.unit == "GJ")

    def write(values: list[float], start: int) -> None:
        n = len(values)
        t = np.arange(start, start + n) * 1_000_000
        owner.write(Batch(np.full(n, point.no), t, t, np.array(values) * 1e9, np.full(n, 192)))

    write([999_990.0, 999_999.0], 1)
    owner.close()
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    write([4.0, 9.0, 0.0, 2.0], 3)
    events = owner.db.execute("SELECT kind, span FROM counter_event ORDER BY t").fetchall()
    uri = f"quack:127.0.0.1:{free_port()}"
    owner.serve(uri, TOKEN)
    client = StoreClient(uri, TOKEN)
    used = client.consumption(point.no, 0.0, 100.0)
    kinds = [e.kind for e in client.counter_events(0.0, 100.0)]
    client.close()
    owner.close()
    assert events == [("rollover", 1e15), ("reset", 0.0)] and kinds == ["rollover", "reset"]
    assert used == pytest.approx((9 + 5 + 5 + 0 + 2) * 1e9)


def test_each_family_of_dialects_has_its_session_and_the_old_one_lets_go() -> None:
    lanes = make_lanes("ct", ["heat/+/data", "v1/gateway/+", "spBv1.0/#", "homie/#", "heat/+/more"])
    assert [(x.client_id, x.filters) for x in lanes] == [
        ("ct", ("homie/#",)),
        ("ct-flat", ("heat/+/data", "heat/+/more")),
        ("ct-gateway", ("v1/gateway/+",)),
        ("ct-sparkplug", ("spBv1.0/#",)),
    ]
    assert set(lanes[0].foreign) == {"heat/+/data", "heat/+/more", "v1/gateway/+", "spBv1.0/#"}


SLOW = (mqtt.CallbackAPIVersion.VERSION2, "slow")


def test_messages_the_broker_drops_are_told(tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "mosquitto"
    folder.mkdir()
    conf = write_mosquitto_conf(folder, port)
    text = conf.read_text().replace("max_queued_messages 500000", "max_queued_messages 100")
    conf.write_text(text + "sys_interval 1\n")
    broker = subprocess.Popen([mosquitto_path(), "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        with running_ingest(tmp_path, port) as site:
            wait_until(lambda: is_connected(site.client), 45, "ingest is connected")
            away, subscribed = mqtt.Client(*SLOW, clean_session=False), threading.Event()
            away.on_subscribe = lambda *_: subscribed.set()
            away.connect("127.0.0.1", port)
            away.subscribe("other/#", 1)
            away.loop_start()
            assert subscribed.wait(120)
            away.disconnect()
            away.loop_stop()
            field = sender(port)

            def told() -> bool:  # they count from the first that is heard of the broker on, so more come
                for _ in range(200):
                    last = field.publish("other/x", b"more", qos=1)
                last.wait_for_publish(120)
                return site.client.stats().broker_dropped >= 100

            wait_until(told, 45, "drops are seen")
            field.disconnect()
            field.loop_stop()
            assert any(n.kind == "broker_dropped" and n.count >= 100 for n in site.client.notices())
    finally:
        broker.kill()
        broker.wait()


GOOD_CASES = (
    "homie/number",
    "chirpstack/uplink",
    "huawei/report",
    "aliyun/post-with-ack",
    "ngsi-ld/normalized",
    "csv/wide",
)


@pytest.mark.parametrize("run_broker", [run_mosquitto, run_embedded], ids=["mosquitto", "embedded"])
def test_every_vendor_comes_through_a_real_broker(
    tmp_path: Path, run_broker: Callable[[Path], AbstractContextManager[int]]
) -> None:
    v5 = run_broker is run_mosquitto
    with run_broker(tmp_path / "broker") as broker, running_ingest(tmp_path, broker, county()) as site:
        wait_until(lambda: is_connected(site.client), 45, "ingest is connected")
        field = sender(broker, mqtt.MQTTv5 if v5 else mqtt.MQTTv311)
        answers: list[bytes] = []
        field.on_message = lambda _c, _d, m: answers.append(m.payload)
        field.subscribe("/sys/a1B2c3/hrz01/thing/event/property/post_reply", 1)
        cases = [c for c in find_cases() if c.id in GOOD_CASES]
        assert len(cases) == len(GOOD_CASES)
        if not v5:  # amqtt takes no topics that begin with $
            cases = [c for c in cases if not c.topic.startswith("$")]
        for c in cases:
            field.publish(c.topic, c.payload, qos=1).wait_for_publish(120)
        expected = sum(len(c.decode().point_no) for c in cases)
        wait_until(lambda: stored_rows(site.client) >= expected, 20, f"{expected} readings are stored")
        wait_until(lambda: answers, 30, "who asked for it was answered")
        assert site.client.dead_letters() == []
        field.publish("homie/5/boiler-1/secondary/supply", b"60", qos=1, retain=True).wait_for_publish(120)
        wait_until(lambda: stored_rows(site.client) >= expected + 1, 45, "a live value that is also retained")
        field.disconnect()
        field.loop_stop()


def test_the_session_of_an_earlier_version_is_emptied_and_left(tmp_path: Path) -> None:
    with run_mosquitto(tmp_path / "mosquitto") as broker:
        old = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, "county-twin-ingest-620999", protocol=mqtt.MQTTv311,
            clean_session=False,
        )  # fmt: skip
        subscribed = threading.Event()
        old.on_subscribe = lambda *_: subscribed.set()
        old.connect("127.0.0.1", broker)
        old.subscribe([("heat/+/data", 1), ("v1/gateway/+", 1)])
        old.loop_start()
        assert subscribed.wait(120)
        old.disconnect()
        old.loop_stop()
        field, t = sender(broker), round(time.time() * 1000)
        for i in range(50):
            field.publish("heat/RTU0001/data", reading(t + i), qos=1).wait_for_publish(120)
        with running_ingest(tmp_path, broker) as site:
            wait_until(
                lambda: stored_rows(site.client) == 100, 60, "what waited in the old session is stored"
            )
            for i in range(50, 100):
                field.publish("heat/RTU0001/data", reading(t + i), qos=1).wait_for_publish(120)
            wait_until(lambda: stored_rows(site.client) == 200, 45, "new messages are stored")
            field.publish("heat/RTU0001/data", reading(t + 100), qos=1).wait_for_publish(120)
            wait_until(lambda: stored_rows(site.client) >= 202, 45, "what came last is stored")
            assert site.client.stats().duplicates == 0, "they come through one lane only"
        field.disconnect()
        field.loop_stop()
