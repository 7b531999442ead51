"""A vendor that floods with good messages: set aside on disk, the others served, all of it stored once."""

import itertools
import json
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from ingest.adapters import compile_directory
from ingest.store.owner import StoreOwner
from ingest.worker.inbox import Inbox, Message
from ingest.worker.senders import Senders
from ingest.worker.shelf import Shelf
from ingest.worker.sluice import CROWDED_BYTES, CROWDED_S, Sluice, allowed_share
from tests.ingest.test_delivery import running_ingest
from tests.ingest.test_worker import count_rows, sender, start_ingest, stored_rows
from tests.support.system import run_mosquitto, wait_until
from tests.support.tiny import make_tiny_county

COUNTY = make_tiny_county()
FLOODER = next(d for d in COUNTY.devices if d.external_id == "HRZ-002")
QUIET = next(d for d in COUNTY.devices if d.external_id == "ROOM-B01")
GB = 1_000_000_000


def message(i: int, name: str = "heat/a/data", size: int = 50) -> Message:
    return Message(name, b"%08d" % i + b"x" * size, 1000.0 + i, i, 1, 1, 0, i % 7 == 0)


def numbers(messages: list[Message]) -> list[int]:
    return [int(m.payload[:8]) for m in messages]


def test_what_is_set_aside_comes_back_once_in_order_through_any_end(tmp_path: Path) -> None:
    memory: dict[str, str] = {}
    seen: dict[str, list[int]] = {"a": [], "乙": []}
    count = itertools.count()
    for life in range(12):
        shelf = Shelf(tmp_path, memory, GB)
        assert life == 0 or shelf.names <= {"a", "乙"}
        for _ in range(3):
            shelf.put([(n, message(next(count), f"heat/{n}/data")) for n in ("a", "乙") for _ in range(40)])
            if life % 3 == 2:  # read and stored, but the end comes before the files are let go
                got = shelf.take(50, GB)
                memory |= shelf.places()
            else:
                got = shelf.take(30, GB)
                memory |= shelf.places()
                shelf.done()
            for m in got:
                seen[m.topic.split("/")[1]].append(int(m.payload[:8]))
            if life % 3 == 2:
                break
        if life % 4 == 3:
            for file in tmp_path.glob("*.msgs"):  # torn while it was written, never acknowledged
                with file.open("ab") as f:
                    f.write(b"\x30\0\0\0half a record")
                break
        shelf.close()
    shelf = Shelf(tmp_path, memory, GB)
    while got := shelf.take(1000, GB):
        for m in got:
            seen[m.topic.split("/")[1]].append(int(m.payload[:8]))
            assert m.received == 1000.0 + int(m.payload[:8]) and m.retained == (int(m.payload[:8]) % 7 == 0)
        memory |= shelf.places()
        shelf.done()
    assert not shelf.names and not list(tmp_path.iterdir())
    assert all(s == sorted(s) for s in seen.values())
    assert sorted(itertools.chain(*seen.values())) == list(range(next(count)))


def test_senders_take_turns_on_the_shelf_and_large_messages_pass(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, {}, GB)
    shelf.put([("a", message(i, size=1_700_000)) for i in range(3)] + [("b", message(9))])
    assert sorted(numbers(shelf.take(10, 1000))) == [0, 9]
    shelf.done()
    assert numbers(shelf.take(10, GB)) == [1, 2]
    shelf.done()
    assert not shelf.names


def test_the_shelf_holds_no_more_than_it_may(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, {}, 1000)
    assert shelf.room() == 1000
    shelf.put([("a", message(1, size=800))])
    assert 0 < shelf.room() < 200
    shelf.close()
    assert Shelf(tmp_path / "none", {}, 0).room() == 0


@pytest.mark.parametrize(
    ("topic", "payload", "name"),
    [
        ("heat/RTU0001/data", b"", "Lanke"),
        ("heat/nobody/data", b"", "heat/?"),
        ("heat/RTU0001/ack", b"", "answers"),
        ("v1/gateway/telemetry", b' {"HRZ-002" : []}', "Hengtong"),
        ("v1/gateway/disconnect", b'{"device": "ROOM-B01"}', "Wenxin"),
        ("v1/gateway/telemetry", b"rubbish", "v1/?"),
        ("v1/gateway/rpc", b'{"device": "ROOM-B01"}', "answers"),
        ("tb/HRZ-002/v1/devices/me/telemetry", b"", "Hengtong"),
        ("spBv1.0/620999/DDATA/e1/station03", b"", "spBv1.0/620999/e1"),
        ("spBv1.0/620999/NDEATH/e1", b"", "spBv1.0/620999/e1"),
    ],
)
def test_a_sender_is_known_by_topic_and_first_bytes(topic: str, payload: bytes, name: str) -> None:
    assert Senders(compile_directory(COUNTY)).name(Message(topic, payload, 0.0, 1, 1, 1)) == name


def test_a_vendor_alone_in_its_family_may_fill_the_lane_and_no_other_may() -> None:
    senders = Senders(compile_directory(COUNTY))
    assert senders.share("v1/gateway/telemetry", "Hengtong") == 0.25
    assert allowed_share(1.0) == 1.0 and allowed_share(0.9) < 1.0 and allowed_share(0.0) == pytest.approx(0.1)
    alone = replace(COUNTY, devices=tuple(d for d in COUNTY.devices if d.vendor != "Wenxin"), points=())
    assert Senders(compile_directory(alone)).share("v1/gateway/telemetry", "Hengtong") == 1.0


def test_a_crowded_lane_gives_the_others_first_and_keeps_each_senders_order(tmp_path: Path) -> None:
    owner, now = StoreOwner(tmp_path / "x.duckdb", COUNTY.points), [0.0]
    directory = compile_directory(COUNTY)
    sluice = Sluice(Shelf(tmp_path / "shelf", {}, GB), lambda: directory, owner, lambda: now[0])
    inbox = Inbox(1)
    flood = b'{"HRZ-002": "' + b"x" * 2500 + b'"}'
    for i in range(2 * CROWDED_BYTES // len(flood)):
        inbox.put(Message("v1/gateway/telemetry", flood, float(i), i % 60_000, 1, 1))
    inbox.put(Message("v1/gateway/telemetry", b'{"ROOM-B01": 1}', 0.0, 7, 1, 1))
    first = inbox.sift(0.0, 8000, sluice)
    assert first.aside == [], "a burst is nobody's flood"
    now[0] += 2 * CROWDED_S
    second = inbox.sift(0.0, 8000, sluice)
    assert [m.payload for m in second.now] == [b'{"ROOM-B01": 1}']
    assert {name for name, _ in second.aside} == {"Hengtong"}
    assert [m.received for _, m in second.aside] == sorted(m.received for _, m in second.aside)
    assert len(inbox) == 0 and inbox.waiting_bytes == 0 and second.every[-1].payload == b'{"ROOM-B01": 1}'
    sluice.shelf.put(second.aside)
    inbox.put(Message("v1/gateway/telemetry", flood, 99.0, 8, 1, 1))
    assert [n for n, _ in inbox.sift(0.0, 8000, sluice).aside] == ["Hengtong"], "its order stays"
    sluice.work()
    while sluice.shelf.take(8000, GB):
        sluice.shelf.done()
    sluice.work()
    told = owner.db.execute("SELECT kind, subject, count, detail FROM ingest_notice").fetchall()
    owner.close()
    assert told == [("vendor_set_aside", "Hengtong", len(second.aside) + 1, "all of it is stored")]


def test_a_flood_of_good_arrays_keeps_no_vendor_of_its_family_waiting_and_is_stored_once(
    tmp_path: Path,
) -> None:
    keys = [p.external_key for p in COUNTY.points if p.device_id == FLOODER.id][:20]
    own = next(p for p in COUNTY.points if p.device_id == QUIET.id)
    count, rows = 8000, 5
    with run_mosquitto(tmp_path / "mosquitto") as broker:
        leave_session(broker, "county-twin-ingest-620999-gateway", "v1/gateway/+")
        flood(broker, keys, count, rows)
        field = sender(broker)
        said = {QUIET.external_id: [{"ts": round(time.time() * 1000), "values": {own.external_key: 20.0}}]}
        field.publish("v1/gateway/telemetry", json.dumps(said), qos=1).wait_for_publish(120)
        field.disconnect()
        field.loop_stop()
        serve_flood(tmp_path, broker, own.no, count * rows * len(keys) + 1)


def serve_flood(tmp_path: Path, broker: int, quiet: int, whole: int) -> None:
    """The last of what waits is seen before all; the process is killed then, and all is stored once."""
    with running_ingest(tmp_path, broker) as site:

        def visible() -> bool:
            return stored_rows(site.client) >= 0 and quiet in site.client.latest().point_no

        wait_until(visible, 60, "the quiet vendor's reading is stored", every_s=0.02)
        before = site.client.stats()
        site.process.kill()
        site.process.wait()
        assert before.readings < whole, "it came last and did not wait for the flood"
        assert list((site.data / "store" / "shelf").glob("*.msgs"))
        site.process = start_ingest(site.data, broker, site.store)
        wait_until(lambda: stored_rows(site.client) >= whole, 60, "all is stored")
        told = [n for n in site.client.notices() if n.kind == "vendor_set_aside"]
        assert [n.subject for n in told] == ["Hengtong"]
        wait_until(lambda: not list((site.data / "store" / "shelf").glob("*.msgs")), 30, "nothing waits")
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(120) == 0
    assert count_rows(site.data) == (whole, whole)
    print(f"{before.readings} of {whole} readings were stored when the quiet vendor's was seen")


def leave_session(port: int, name: str, topic: str) -> None:
    """A session that waits for ingest, as one that ran before has left it."""
    client, subscribed = (
        mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, clean_session=False),
        threading.Event(),
    )
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.subscribe(topic, 1)
    client.loop_start()
    assert subscribed.wait(120)
    client.disconnect()
    client.loop_stop()


def flood(port: int, keys: list[str], count: int, rows: int) -> None:
    """Arrays of 100 readings of one device, as fast as the broker takes them."""
    from bench.ingest_load import send

    base = round(time.time() * 1000) - count * rows
    values = "{" + ",".join(f'"{k}":50' for k in keys) + "}"

    def body(i: int) -> bytes:
        times = range(base + i * rows, base + (i + 1) * rows)
        said = ",".join(f'{{"ts":{t},"values":{values}}}' for t in times)
        return f'{{"{FLOODER.external_id}":[{said}]}}'.encode()

    send(port, (("v1/gateway/telemetry", body(i)) for i in range(count)), count, 0.0)
