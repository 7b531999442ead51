"""Both brokers are held to the same: what was not acknowledged comes again, what came meanwhile is kept."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from app.supervisor.ports import accepts_connections, pick_port
from app.supervisor.spec import ROOT
from ingest.broker import write_mosquitto_conf
from ingest.broker.__main__ import make_config
from ingest.settings import parse_mqtt_url
from tests.support.system import mosquitto_path
from twin.model.errors import ConfigError


def wait_for(check: Callable[[], bool], timeout_s: float = 120.0) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(params=["embedded", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, mqtt.MQTTProtocolVersion]]:
    port = pick_port()
    env = {**os.environ, "MQTT_URL": f"mqtt://127.0.0.1:{port}"}
    if request.param == "mosquitto":
        command, version = [mosquitto_path(), "-c", str(write_mosquitto_conf(tmp_path, port))], mqtt.MQTTv5
    else:
        command, version = [sys.executable, "-m", "ingest.broker"], mqtt.MQTTv311
    process = subprocess.Popen(command, cwd=ROOT, env=env)
    try:
        assert wait_for(lambda: accepts_connections("127.0.0.1", port))
        yield port, version
    finally:
        process.terminate()
        assert process.wait(120) == 0


class Receiver:
    """A client with a kept session that acknowledges only when told to."""

    def __init__(self, port: int, version: mqtt.MQTTProtocolVersion) -> None:
        self.topics: list[str] = []
        self.unacknowledged: list[tuple[int, int]] = []
        self.session_present = False
        self.ready = threading.Event()
        kept = {} if version == mqtt.MQTTv5 else {"clean_session": False}
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, "receiver", protocol=version, manual_ack=True, **kept
        )
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *a: self.ready.set()
        self.client.on_message = self._on_message
        if version == mqtt.MQTTv5:
            expiry = Properties(PacketTypes.CONNECT)
            expiry.SessionExpiryInterval = 3600
            self.client.connect("127.0.0.1", port, clean_start=False, properties=expiry)
        else:
            self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _on_connect(self, client: mqtt.Client, data: object, flags: mqtt.ConnectFlags, *rest: object) -> None:
        self.session_present = flags.session_present
        client.subscribe("heat/#", 1)

    def _on_message(self, client: mqtt.Client, data: object, message: mqtt.MQTTMessage) -> None:
        self.unacknowledged.append((message.mid, message.qos))
        self.topics.append(message.topic)  # last: who sees the topic may acknowledge the message

    def acknowledge(self) -> None:
        while self.unacknowledged:
            self.client.ack(*self.unacknowledged.pop(0))

    def die(self) -> None:
        """As after kill -9: the connection ends without a word."""
        self.client.loop_stop()
        sock = self.client.socket()
        assert sock is not None
        sock.close()

    def close(self) -> None:
        """With a word; what was acknowledged before has come to the broker, for it answers in order."""
        self.client.publish("fence", b"", qos=1).wait_for_publish(120)
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def sender(broker: tuple[int, mqtt.MQTTProtocolVersion]) -> Iterator[mqtt.Client]:
    port, version = broker
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "sender", protocol=version)
    client.connect("127.0.0.1", port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def send(client: mqtt.Client, name: str, count: int) -> set[str]:
    topics = [f"heat/{name}{i}/data" for i in range(count)]
    for sent in [client.publish(t, b"{}", qos=1) for t in topics]:
        sent.wait_for_publish(120)
        assert sent.is_published()
    return set(topics)


def test_nothing_unacknowledged_is_lost_when_the_receiver_dies(
    broker: tuple[int, mqtt.MQTTProtocolVersion], sender: mqtt.Client
) -> None:
    first = Receiver(*broker)
    assert first.ready.wait(120) and not first.session_present
    done = send(sender, "done", 30)
    assert wait_for(lambda: set(first.topics) == done)
    first.acknowledge()
    unacknowledged = send(sender, "open", 40)
    assert wait_for(lambda: set(first.topics) == done | unacknowledged)
    first.die()
    meanwhile = send(sender, "late", 50)
    second = Receiver(*broker)

    def came_back() -> bool:
        second.acknowledge()
        return set(second.topics) >= unacknowledged | meanwhile

    assert wait_for(came_back), sorted(unacknowledged | meanwhile - set(second.topics))
    assert second.session_present
    assert not done & set(second.topics)
    second.close()


def test_an_acknowledgement_may_come_late(
    broker: tuple[int, mqtt.MQTTProtocolVersion], sender: mqtt.Client
) -> None:
    slow = Receiver(*broker)
    assert slow.ready.wait(120)
    sent = send(sender, "slow", 5)
    assert wait_for(lambda: set(slow.topics) == sent)
    time.sleep(5.5)  # longer than the broker waits before it sends again
    slow.acknowledge()
    more = send(sender, "more", 5)
    assert wait_for(lambda: set(slow.topics) == sent | more)
    slow.acknowledge()
    slow.close()
    again = Receiver(*broker)
    assert again.ready.wait(120)
    time.sleep(0.5)
    assert again.topics == []
    again.close()


def test_a_message_of_a_megabyte_passes(
    broker: tuple[int, mqtt.MQTTProtocolVersion], sender: mqtt.Client
) -> None:
    receiver = Receiver(*broker)
    assert receiver.ready.wait(120)
    sender.publish("heat/big/data", b"x" * 1_000_000, qos=1).wait_for_publish(120)
    assert wait_for(lambda: receiver.topics == ["heat/big/data"])
    receiver.close()


def test_mosquitto_listens_on_loopback_only_and_keeps_its_memory_in_its_folder(tmp_path: Path) -> None:
    text = write_mosquitto_conf(tmp_path, 1999).read_text()
    assert "listener 1999 127.0.0.1\n" in text
    assert f"persistence_location {tmp_path}/\n" in text


@pytest.mark.parametrize("url", ["mqtt://broker.county:1883", "mqtts://127.0.0.1", "mqtt://u:p@127.0.0.1"])
def test_the_embedded_broker_refuses_what_it_cannot_give(url: str) -> None:
    with pytest.raises(ConfigError, match="this machine only"):
        make_config(parse_mqtt_url(url))


def test_importing_the_package_stays_cheap() -> None:
    code = "import sys, ingest.broker; print('amqtt' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
