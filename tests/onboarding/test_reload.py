"""A running ingest takes what is published, without a restart."""

import json
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from ingest.adapters import compile_directory, make_adapters
from ingest.county import load_county, save_county
from ingest.onboarding.publish import publish, undo
from ingest.onboarding.state import State
from ingest.store.client import StoreClient
from ingest.store.owner import StoreOwner
from ingest.worker.decode import Decoder
from ingest.worker.inbox import Message
from ingest.worker.reload import Reloader
from tests.ingest.test_worker import TOKEN, is_connected, sender, start_ingest
from tests.onboarding.flows import TOPIC, pump_flow
from tests.support.system import free_port, run_mosquitto, wait_until
from tests.support.tiny import make_tiny_county
from twin.model.county import County
from twin.model.errors import StoreUnavailable


def say(field: mqtt.Client, topic: str, temp: float, t: float) -> None:
    body = json.dumps({"t": round(t * 1000), "d": {"temp": temp}})
    field.publish(topic, body, qos=1).wait_for_publish(120)


def values(client: StoreClient, no: int) -> list[float]:
    try:
        now = time.time()
        return [float(v) for v in client.history(no, now - 3600, now + 60).value]
    except StoreUnavailable:
        return []


def revision(client: StoreClient) -> str:
    return next((n.detail for n in client.notices() if n.kind == "county_reloaded"), "")


def test_a_second_worker_follows_the_devices_and_subscribes_to_nothing(tmp_path: Path) -> None:
    county = make_tiny_county()
    owner = StoreOwner(tmp_path / "store" / "county.duckdb", county.points)
    told: list[County] = []
    try:
        decoder = Decoder(make_adapters(), compile_directory(county))
        reloader = Reloader(tmp_path, county, State(), owner, decoder, None, (told.append,))
        publish(tmp_path, county, pump_flow(ignore=("press",)), "li")
        reloader.work()
        now = time.time()
        body = json.dumps({"t": round(now * 1000), "d": {"temp": 51.5}}).encode()
        batch, _ = decoder.decode_batch([Message(TOPIC, body, now, 0, 0, 0)])
        assert owner.write(batch) == 1 and batch.dead == ()
        assert (
            told[0].points[-1].id == "S01:P7/pump_p"
            and told[0].points[int(batch.point_no[0])].key == "pump_t"
        )
    finally:
        owner.close()


@pytest.mark.skipif(sys.platform != "linux", reason="starts Mosquitto")
def test_a_published_flow_is_followed_without_a_restart_and_forgotten_when_taken_back(tmp_path: Path) -> None:
    data, store = tmp_path / "var", free_port()
    data.mkdir()
    save_county(make_tiny_county(), data / "county")
    base = load_county(data / "county", onboarded=False)
    no = len(base.points)
    client = StoreClient(f"quack:127.0.0.1:{store}", TOKEN)
    with run_mosquitto(tmp_path / "broker") as broker:
        process: subprocess.Popen[bytes] = start_ingest(data, broker, store)
        field = sender(broker)
        try:
            wait_until(lambda: is_connected(client), 45, "ingest is connected")
            pid = process.pid
            flow = pump_flow(ignore=("press",))
            publish(data / "county", base, flow, "li")
            wait_until(lambda: revision(client) == "1", 20, "ingest follows revision 1")
            t = time.time()
            say(field, TOPIC, 51.5, t)
            wait_until(lambda: values(client, no) == [51.5], 20, "the first message after it is stored")
            assert client.dead_letters() == []
            assert any(d.device_id == "pump-p7.P7" for d in client.device_states())

            # a second stranger is kept as unreadable, published, and read again
            field.publish("heat/NEW9/data", json.dumps({"ts": round(t * 1000), "temp": 44.0}), qos=1)
            wait_until(client.dead_letters, 20, "the stranger is a dead letter")
            device = pump_flow().devices[0]
            second = pump_flow(
                id="new9", dialect="flat", source=None, maps=flow.maps[:1],
                devices=(type(device)("NEW9", "新设备", "S02", "NEW9"),),
            )  # fmt: skip
            publish(data / "county", base, second, "li")
            wait_until(lambda: revision(client) == "2", 20, "ingest follows revision 2")
            client.redo_dead_letters()
            wait_until(lambda: values(client, no + 2) == [44.0], 20, "what was said before is stored too")
            assert client.dead_letters() == []

            undo(data / "county", base, "pump-p7")
            wait_until(lambda: revision(client) == "3", 20, "ingest follows revision 3")
            say(field, TOPIC, 60.0, t + 1)
            field.publish("heat/NEW9/data", json.dumps({"ts": round(t * 1000) + 5, "temp": 45.0}), qos=1)
            wait_until(lambda: values(client, no + 2) == [44.0, 45.0], 20, "the other flow goes on")
            assert values(client, no) == [51.5], "what was taken back is read no more"
            assert client.dead_letters() == [], "nor listened to"

            (data / "county" / "onboarding.json").write_text("{")
            wait_until(
                lambda: any(n.kind == "county_refused" for n in client.notices()), 20, "a bad file is told"
            )
            field.publish("heat/NEW9/data", json.dumps({"ts": round(t * 1000) + 9, "temp": 46.0}), qos=1)
            wait_until(lambda: values(client, no + 2)[-1:] == [46.0], 20, "and changes nothing")
            assert process.poll() is None and process.pid == pid
        finally:
            process.kill()
            process.wait()
            field.disconnect()
            field.loop_stop()
            client.close()
