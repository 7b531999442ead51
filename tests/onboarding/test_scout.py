"""Devices nobody described are heard, proposed and read from then on; also past the access list we write."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from ingest.county import load_county, save_county
from ingest.credentials.rights import COMMANDS, Account, list_accounts
from ingest.onboarding.propose import propose
from ingest.onboarding.publish import publish
from ingest.onboarding.trace import Message
from ingest.settings import Broker
from ingest.store.client import StoreClient
from ingest.store.owner import StoreOwner
from ingest.things import load_library
from ingest.worker import scout
from ingest.worker.scout import SCOUTED, Scout
from tests.ingest.test_credentials import COUNTY, GATEWAY, run_secured
from tests.ingest.test_worker import TOKEN, is_connected, sender, stored_rows
from tests.support.system import ROOT, free_port, run_mosquitto, wait_until


def test_a_stranger_on_a_topic_nobody_listens_to_is_heard_proposed_and_read(tmp_path: Path) -> None:
    data, store = tmp_path / "var", free_port()
    data.mkdir()
    save_county(COUNTY, data / "county")
    client = StoreClient(f"quack:127.0.0.1:{store}", TOKEN)
    with run_secured(tmp_path) as broker:
        mill = Account("mill", ("mill/+/up",), ())  # of another house: ingest knows nothing of it
        broker.keeper.sync([*list_accounts(COUNTY, {}, [GATEWAY])[0], mill])
        with (broker.keeper.folder / "new.csv").open() as f:
            broker.passwords |= dict(csv.reader(f))
        env = {
            **os.environ, "CT_DATA": str(data), "MQTT_URL": broker.url, "CT_STORE_TOKEN": TOKEN,
            "CT_STORE_URI": f"quack:127.0.0.1:{store}", "CT_SCOUT_S": "1",
            "SSL_CERT_FILE": str(broker.certificates / "ca.pem"),
        }  # fmt: skip
        process = subprocess.Popen([sys.executable, "-m", "ingest"], cwd=ROOT, env=env)
        device = broker.connect("mill")
        try:
            wait_until(lambda: is_connected(client), 45, "ingest is connected over TLS")

            def heard() -> bool:
                body = {"ts": round(time.time() * 1000), "t1g": 88.5, "t1h": 44.0}
                device.say("mill/ST77/up", json.dumps(body).encode())
                return bool(client.dead_letters())

            wait_until(heard, 45, "the scout has heard it")
            letter = client.dead_letters()[0]
            assert (letter.topic, letter.reason) == ("mill/ST77/up", SCOUTED)
            draft = propose(
                Message(letter.topic, letter.payload, letter.last_t), load_library(data / "county")
            )
            assert draft.matches[0].model.id == "heat_station_plc" and draft.matches[0].score > 0.5
            placed = {"place_id": "S01", "part": "ST77"}
            devices = tuple(msgspec.structs.replace(d, **placed) for d in draft.flow.devices)
            flow = msgspec.structs.replace(draft.flow, devices=devices)
            base = load_county(data / "county", onboarded=False)
            publish(data / "county", base, flow, "li")
            taken = lambda: any(n.kind == "county_reloaded" and n.detail == "1" for n in client.notices())  # noqa: E731
            wait_until(taken, 20, "it is followed")
            client.redo_dead_letters([letter.hash])
            wait_until(lambda: stored_rows(client) >= 2, 20, "what was said before is read")
            assert client.dead_letters() == []
        finally:
            device.close()
            process.send_signal(signal.SIGTERM)
            process.wait(120)
            client.close()


def test_a_look_is_bounded_and_passes_over_what_is_read_written_old_or_no_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scout, "MAX_NEW", 3)
    monkeypatch.setattr(scout, "MAX_TOPICS", 5)
    monkeypatch.setattr(scout, "FIRST_S", 0.0)
    owner = StoreOwner(tmp_path / "x.duckdb", COUNTY.points)
    reading = json.dumps({"temp": 20.5})
    with run_mosquitto(tmp_path / "broker") as port:
        field = sender(port)
        field.publish("old/1/up", reading, qos=1, retain=True).wait_for_publish(120)

        def look(every_s: float, topics: list[str]) -> list[str]:
            """The topics kept after one look; what is said is said all the time."""
            one = Scout(
                Broker("127.0.0.1", port, None, None, False), MQTTProtocolVersion.MQTTv5,
                lambda: ("heat/+/data", *COMMANDS), owner, every_s,
            )  # fmt: skip
            before, end = told(owner), time.monotonic() + 60
            while told(owner) == before and time.monotonic() < end:
                one.work()
                for topic in topics:
                    field.publish(topic, "hello" if topic == "chat" else reading, qos=0)
                time.sleep(0.02)
                if not every_s:
                    break
            one.finish()
            return kept(owner)

        fixed = ["heat/A/data", "heat/A/set", "demo/control", "chat"]
        assert look(0, ["x/1/up"]) == []
        assert look(1, [*fixed, "x/1/up"]) == ["x/1/up"]
        assert len(look(1, [*fixed, *(f"y/{i}/up" for i in range(9))])) == 4
        assert len(look(1, [*fixed, *(f"z/{i}/up" for i in range(9))])) == 5
        field.publish("old/1/up", b"", qos=1, retain=True).wait_for_publish(120)
        field.disconnect()
        field.loop_stop()
    rows = owner.db.execute("SELECT count(*), count(DISTINCT topic), min(size) FROM dead_letter").fetchone()
    owner.close()
    assert rows == (5, 5, len(reading))


def told(owner: StoreOwner) -> int:
    row = owner.db.execute(
        "SELECT coalesce(sum(count), 0) FROM ingest_notice WHERE kind = 'scout'"
    ).fetchone()
    return int(row[0]) if row else 0


def kept(owner: StoreOwner) -> list[str]:
    return [r[0] for r in owner.db.execute("SELECT topic FROM dead_letter ORDER BY topic").fetchall()]


def test_a_broker_that_forbids_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scout, "FIRST_S", 0.0)
    owner = StoreOwner(tmp_path / "x.duckdb", COUNTY.points)

    class Refusing(mqtt.Client):
        """Stands for a broker whose access list refuses the subscription."""

        def __init__(self, *_args: object, **_options: object) -> None:
            super().__init__(mqtt.CallbackAPIVersion.VERSION2)

        def connect(self, *_args: object, **_options: object) -> mqtt.MQTTErrorCode:
            from paho.mqtt.packettypes import PacketTypes
            from paho.mqtt.reasoncodes import ReasonCode

            refused = [ReasonCode(PacketTypes.SUBACK, identifier=0x87)]
            self.on_subscribe(self, None, 1, refused, None)  # type: ignore[misc, arg-type]
            return mqtt.MQTTErrorCode.MQTT_ERR_SUCCESS

        def loop_start(self) -> mqtt.MQTTErrorCode:
            return mqtt.MQTTErrorCode.MQTT_ERR_SUCCESS

        def disconnect(self, *_args: object) -> mqtt.MQTTErrorCode:
            return mqtt.MQTTErrorCode.MQTT_ERR_SUCCESS

    monkeypatch.setattr(scout, "BulkClient", Refusing)
    one = Scout(Broker("nowhere", 1, None, None, False), MQTTProtocolVersion.MQTTv5, tuple, owner, 60)
    one.work()
    one.finish()
    one.work()
    said = owner.db.execute("SELECT detail FROM ingest_notice WHERE kind = 'scout'").fetchone()
    owner.close()
    assert said == (scout.REFUSED,)
