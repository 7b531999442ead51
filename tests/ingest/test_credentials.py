"""An account per device at a real Mosquitto, default deny, TLS, in step with the county; certificates."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from ingest.county import save_county
from ingest.credentials.certificates import ask_broker
from ingest.credentials.keeper import Keeper
from ingest.credentials.rights import INGEST, Account, list_accounts, read_gateways, write_access_list
from ingest.credentials.steward import Steward
from ingest.onboarding.flow import Source
from ingest.settings import parse_mqtt_url
from ingest.store.client import StoreClient
from ingest.store.command_book import Life
from ingest.worker.probe import probe_broker
from tests.commands.conftest import Office, office
from tests.ingest.test_worker import TOKEN, is_connected, stored_rows
from tests.support.certificates import Authority
from tests.support.system import ROOT, free_port, listens, mosquitto_path, wait_until
from tests.support.tiny import make_tiny_county
from twin.model.errors import ConfigError

__all__ = ["office"]
COUNTY = make_tiny_county()
GATEWAY = Account("huare", ("v1/gateway/telemetry",), ("v1/gateway/rpc",))


@dataclass
class Broker:
    """Mosquitto with the files of a keeper, on a TLS listener."""

    keeper: Keeper
    port: int
    certificates: Path
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"mqtts://{INGEST}:{self.passwords[INGEST]}@127.0.0.1:{self.port}"

    def sync(self, *retired: str) -> None:
        self.keeper.sync(list_accounts(COUNTY, {}, [GATEWAY], retired)[0])
        with (self.keeper.folder / "new.csv").open() as f:
            self.passwords |= dict(csv.reader(f))

    def connect(self, name: str, password: str | None = None) -> "Client":
        return Client(self, name, self.passwords.get(name, "") if password is None else password)


class Client:
    """A device: ``code`` of its connection, what it has received."""

    def __init__(self, broker: Broker, name: str, password: str) -> None:
        self.codes: list[str] = []
        self.got: list[tuple[str, bytes]] = []
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.mqtt.username_pw_set(name, password)
        self.mqtt.tls_set(ca_certs=str(broker.certificates / "ca.pem"))
        self.mqtt.on_connect = lambda _c, _d, _f, code, _p: self.codes.append(str(code))
        self.mqtt.on_message = lambda _c, _d, m: self.got.append((m.topic, m.payload))
        self.mqtt.connect("127.0.0.1", broker.port)
        self.mqtt.loop_start()
        wait_until(lambda: self.codes, 10, "the broker has answered", every_s=0.02)

    def hear(self, *topics: str) -> None:
        """Subscribe; when the broker has answered, everything it sent before has come too."""
        answered = threading.Event()
        self.mqtt.on_subscribe = lambda *_: answered.set()
        self.mqtt.subscribe([(t, 1) for t in topics])
        assert answered.wait(120)

    def say(self, topic: str, payload: bytes = b"{}") -> str:
        """What the broker acknowledges a message with."""
        sent = self.mqtt.publish(topic, payload, qos=1)
        sent.wait_for_publish(120)
        return "sent" if sent.is_published() else "lost"

    def close(self) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


@contextmanager
def run_secured(folder: Path, days: float = 20) -> Iterator[Broker]:
    port, certificates = free_port(), folder / "tls"
    Authority().write(certificates, "broker", days)
    broker = Broker(Keeper(folder / "credentials"), port, certificates)
    broker.sync()
    conf = folder / "mosquitto.conf"
    files = (("cafile", "ca.pem"), ("certfile", "broker.pem"), ("keyfile", "broker.key"))
    tls = "".join(f"{word} {certificates}/{name}\n" for word, name in files)
    user = "user root\n" if os.geteuid() == 0 else ""
    kept = (broker.keeper.folder / "mosquitto.conf").read_text()
    conf.write_text(f"listener {port} 127.0.0.1\n{tls}{kept}{user}")
    process = subprocess.Popen([mosquitto_path(), "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        pid = broker.keeper.folder / "mosquitto.pid"
        wait_until(lambda: pid.exists() and pid.read_text().strip(), 10, "mosquitto runs")
        wait_until(lambda: listens(port), 10, "mosquitto listens")  # its pid is written before
        yield broker
    finally:
        process.terminate()
        process.wait(120)


def test_a_device_may_say_its_own_and_hear_its_own_and_nothing_else(tmp_path: Path) -> None:
    with run_secured(tmp_path) as broker:
        ingest, one, other = (broker.connect(n) for n in (INGEST, "RTU0001", "RTU0004"))
        nobody, wrong = broker.connect("RTU9999", "x"), broker.connect("RTU0001", "wrong")
        try:
            assert [c.codes[0] for c in (ingest, one, nobody, wrong)] == [
                "Success", "Success", "Not authorized", "Not authorized",
            ]  # fmt: skip
            ingest.hear("heat/+/data", "#")
            one.hear("heat/RTU0001/set", "heat/RTU0004/set", "heat/+/data", "#")
            other.hear("heat/#")
            one.say("heat/RTU0001/data", b"mine")
            one.say("heat/RTU0004/data", b"not mine")
            one.say("heat/RTU0004/set", b"nor this")
            one.say("spBv1.0/620999/NBIRTH/e", b"nor this")
            ingest.say("heat/RTU0001/set", b"to one")
            ingest.say("heat/RTU0001/data", b"ingest says nothing for devices")
            ingest.say("heat/RTU0004/set", b"to the other")
            wait_until(lambda: one.got and other.got and ingest.got, 10, "everything has come")
            for c in (ingest, one, other):
                c.hear("nothing/more")
            assert set(ingest.got) == {  # some twice: it listens by two filters; its own orders as well
                ("heat/RTU0001/data", b"mine"), ("heat/RTU0001/set", b"to one"),
                ("heat/RTU0004/set", b"to the other"),
            }  # fmt: skip
            assert set(one.got) == {("heat/RTU0001/set", b"to one")}
            assert set(other.got) == {("heat/RTU0004/set", b"to the other")}
        finally:
            for c in (ingest, one, other, nobody, wrong):
                c.close()


def test_who_is_retired_is_locked_out_and_others_keep_their_passwords(tmp_path: Path) -> None:
    with run_secured(tmp_path) as broker:
        before = (broker.keeper.folder / "passwords").read_text().splitlines()
        broker.sync("D-S01")
        after = (broker.keeper.folder / "passwords").read_text().splitlines()
        assert {line for line in before if line not in after} == {
            b for b in before if b.startswith("RTU0001:")
        }

        def code(name: str) -> str:
            client = broker.connect(name)
            client.close()
            return client.codes[0]

        wait_until(lambda: code("RTU0001") == "Not authorized", 10, "the broker has read its files again")
        assert code("RTU0004") == "Success"


def test_ingest_takes_over_tls_with_its_account_what_devices_may_say(tmp_path: Path) -> None:
    data, store = tmp_path / "var", free_port()
    data.mkdir()
    save_county(COUNTY, data / "county")
    with run_secured(tmp_path) as broker:
        env = {
            **os.environ, "CT_DATA": str(data), "MQTT_URL": broker.url, "CT_STORE_TOKEN": TOKEN,
            "CT_STORE_URI": f"quack:127.0.0.1:{store}", "SSL_CERT_FILE": str(broker.certificates / "ca.pem"),
        }  # fmt: skip
        client = StoreClient(f"quack:127.0.0.1:{store}", TOKEN)
        process = subprocess.Popen([sys.executable, "-m", "ingest"], cwd=ROOT, env=env)
        device = broker.connect("RTU0001")
        try:
            wait_until(lambda: is_connected(client), 45, "ingest is connected over TLS")
            device.hear("heat/RTU0001/set")
            device.say("heat/RTU0004/data", json.dumps({"P1_TS": 99.0}).encode())
            device.say("heat/RTU0001/data", json.dumps({"P1_TS": 80.0, "CV_SP": 40.0}).encode())
            wait_until(lambda: stored_rows(client) == 2, 20, "what it may say is stored")
            no = client.request_command(COUNTY.point_by_id["S01/cv_sp"].no, 0.5, "li", "trial")
            wait_until(lambda: any(c.no == no for c in client.commands()), 10, "the command waits")
            client.decide_command(no, "approve", "wang")
            wait_until(lambda: device.got, 10, "the command has come")
            assert json.loads(device.got[0][1])["CV_SP"] == 50
            assert stored_rows(client) == 2
        finally:
            device.close()
            process.send_signal(signal.SIGTERM)
            process.wait(120)
            client.close()


def test_the_end_of_a_brokers_certificate_is_seen_and_an_old_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days, refused in ((20.0, ""), (-1.0, "expired")):
        with run_secured(tmp_path / str(days), days) as broker:
            monkeypatch.setenv("SSL_CERT_FILE", str(broker.certificates / "ca.pem"))
            url = parse_mqtt_url(broker.url)
            answer = probe_broker(url)
            if refused:
                assert answer.version is None and refused in answer.reason and "SSL_CERT_FILE" in answer.mend
            else:
                assert answer.version is not None
                assert ask_broker(url) == pytest.approx(time.time() + days * 86_400, abs=3600)
                monkeypatch.delenv("SSL_CERT_FILE")
                stranger = probe_broker(url)
                assert stranger.version is None and "not accepted" in stranger.reason


def test_certificates_of_devices_are_facts_and_accounts_follow_the_county(
    office: Office, tmp_path: Path
) -> None:
    folder = tmp_path / "credentials"
    Authority().write(folder / "certificates", "RTU0001", 12)
    (folder / "certificates" / "broken.pem").write_text("no certificate")
    steward = Steward(folder, office.county, office.book, dict, [], lambda: office.now)
    steward.work()
    row = office.owner.db.execute("SELECT device_id, key, value FROM device_fact").fetchall()
    assert row[0][:2] == ("D-S01", "certificate_ends")
    assert float(row[0][2]) == pytest.approx(time.time() + 12 * 86_400, abs=60)
    assert not (folder / "passwords").exists(), "nothing before the first sync by hand"
    keeper = Keeper(folder)
    keeper.sync(list_accounts(office.county, {})[0])
    office.book.write_lives({"D-S01": Life("retired", office.now, "wang")})
    office.now += 11
    steward.work()
    assert "RTU0001:" not in (folder / "passwords").read_text()
    smaller = replace(office.county, devices=office.county.devices[:1])
    steward.follow(smaller)
    steward.work()
    assert [line.split(":")[0] for line in (folder / "passwords").read_text().splitlines()] == [INGEST]


def test_accounts_by_dialect() -> None:
    accounts, without = list_accounts(COUNTY, {}, [GATEWAY])
    by_name = {a.name: a for a in accounts}
    assert by_name["RTU0001"].read == ("heat/RTU0001/set",)
    assert by_name["HRZ-002"].write[0] == "tb/HRZ-002/v1/devices/me/telemetry"
    assert "station03" not in by_name and any("D-S03" in line for line in without)
    assert "v1/gateway/telemetry" in by_name[INGEST].read
    assert not any(t.endswith("/data") for t in by_name[INGEST].write)
    text = write_access_list([Account("a", ("x", "y"), ("y", "z"))])
    assert text.splitlines()[2:] == ["user a", "topic readwrite y", "topic write x", "topic read z"]


def test_an_onboarded_device_gets_its_own_level_of_the_flows_topic() -> None:
    device = replace(COUNTY.devices[0], id="gas.G7", dialect="mapped", external_id="gas/G7")
    county = replace(COUNTY, devices=(device,))
    source = Source(filter="gas/+/up", device_from="topic", device_at="2")
    accounts, _ = list_accounts(county, {"gas": source})
    assert accounts[-1] == Account("gas/G7", ("gas/G7/up",), ())
    assert list_accounts(county, {"gas": Source(filter="gas/up", device_from="field", device_at="id")})[1]


def test_gateways_of_the_county_file() -> None:
    rows = [
        {"name": "huare", "kind": "thingsboard"}, {"name": "nord", "kind": "sparkplug", "edge": "EDGE01"},
        {"name": "log", "write": ["csv/+/data"]},
    ]  # fmt: skip
    spark = read_gateways({"account": rows}, "620999", "county.toml")[1]
    assert "spBv1.0/620999/DDATA/EDGE01/+" in spark.write and "spBv1.0/620999/NCMD/EDGE01" in spark.read
    for bad in ({"kind": "thingsboard"}, {"name": "x", "kind": "bacnet"}, {"name": "x", "write": "csv/#"}):
        with pytest.raises(ConfigError, match="account 1"):
            read_gateways({"account": [bad]}, "620999", "county.toml")
    with pytest.raises(ConfigError, match="RTU0001"):
        list_accounts(COUNTY, {}, [Account("RTU0001", (), ())])


def test_the_command_line_makes_renews_and_lists(tmp_path: Path) -> None:
    save_county(COUNTY, tmp_path / "county")
    env = {**os.environ, "CT_DATA": str(tmp_path)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ingest.credentials", *words]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert "hand the passwords" in run("sync").stdout
    folder = tmp_path / "credentials"
    before = (folder / "passwords").read_text()
    assert "0 new" in run("sync").stdout and (folder / "passwords").read_text() == before
    assert "1 new" in run("renew", "RTU0001").stdout and (folder / "passwords").read_text() != before
    assert "RTU0001 writes heat/RTU0001/data" in run("list").stdout
    assert run("renew", "nobody").returncode == run("explode").returncode == 78
    assert oct((folder / "new.csv").stat().st_mode)[-3:] == "600"
