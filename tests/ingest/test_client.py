"""Our way of receiving is held to paho's own, and to a real broker."""

import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.worker.client import BulkClient, split_publish
from tests.ingest.test_worker import run_embedded
from tests.support.system import run_mosquitto, wait_until


def varint(n: int) -> bytes:
    out = b""
    while True:
        n, digit = divmod(n, 128)
        out += bytes([digit | (0x80 if n else 0)])
        if not n:
            return out


@given(
    topic=st.binary(max_size=40), payload=st.binary(max_size=300), mid=st.integers(1, 65535),
    qos=st.sampled_from([0, 1]), properties=st.none() | st.binary(max_size=200),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_a_packet_is_taken_apart_as_it_was_put_together(
    topic: bytes, payload: bytes, mid: int, qos: int, properties: bytes | None
) -> None:
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if qos else b"")
    if properties is not None:
        body += varint(len(properties)) + properties
    found = split_publish(0x30 | qos << 1, body + payload, properties is not None)
    assert found == (topic, payload, mid if qos else 0, qos)


@given(header=st.integers(0x30, 0x3F), body=st.binary(max_size=60), v5=st.booleans())
@settings(max_examples=300, deadline=None)
def test_no_packet_breaks_it(header: int, body: bytes, v5: bool) -> None:
    found = split_publish(header, body, v5)
    assert found is None or found[3] in (0, 1)


@pytest.mark.parametrize("kind", ["mosquitto 5", "mosquitto 3.1.1", "embedded"])
def test_messages_of_every_size_come_whole_and_in_order_and_are_acknowledged(
    tmp_path: Path, kind: str
) -> None:
    v5 = kind == "mosquitto 5"
    version = mqtt.MQTTv5 if v5 else mqtt.MQTTv311
    got: list[tuple[str, bytes]] = []
    mids: list[int] = []
    lock = threading.Lock()

    def take(topic: bytes, payload: bytes, mid: int, qos: int, retained: bool) -> None:
        with lock:
            got.append((topic.decode(), payload))
            mids.extend([mid] if qos else [])

    def round_trip(client: BulkClient, topic: str) -> None:
        """The broker has taken everything that was sent to it before."""
        answered = threading.Event()
        client.on_subscribe = lambda *_: answered.set()
        client.subscribe(topic, 1)
        assert answered.wait(120)

    def receiver() -> BulkClient:
        kept = {} if v5 else {"clean_session": False}
        client = BulkClient(take, CallbackAPIVersion.VERSION2, client_id="bulk", protocol=version, **kept)
        client.on_connect = lambda c, *_: c.subscribe("heat/#", 1)
        properties = Properties(PacketTypes.CONNECT) if v5 else None
        if properties is not None:
            properties.SessionExpiryInterval = 60
        client.connect("127.0.0.1", port, **({"clean_start": False, "properties": properties} if v5 else {}))
        client.loop_start()
        wait_until(client.is_connected, 10, "connected")
        round_trip(client, "heat/#")
        return client

    sizes = [0, 1, 100, 127, 128, 5000, 65_535, 65_536, 70_000, 262_144, 1_000_000, *([17] * 3000)]
    with (run_embedded if kind == "embedded" else run_mosquitto)(tmp_path / "m") as port:
        client = receiver()
        field = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=version)
        field.connect("127.0.0.1", port)
        field.loop_start()
        extra = Properties(PacketTypes.PUBLISH)
        extra.UserProperty = ("vendor", "陇中自控")
        sent = [(f"heat/站{i}/data", bytes([i % 251]) * size) for i, size in enumerate(sizes)]
        for topic, payload in sent:
            info = field.publish(topic, payload, qos=1, **({"properties": extra} if v5 else {}))
        info.wait_for_publish(120)
        wait_until(lambda: len(got) >= len(sent), 60, "all came")
        assert got == sent
        with lock:
            client.acknowledge(mids)
        round_trip(client, "nothing/#")
        client.disconnect()
        client.loop_stop()
        got.clear()
        again = receiver()
        field.publish("heat/last/data", b"last", qos=1)
        wait_until(lambda: ("heat/last/data", b"last") in got, 10, "what is new has come")
        assert got == [("heat/last/data", b"last")], "what was acknowledged does not come again"
        again.disconnect()
        again.loop_stop()
        field.disconnect()
        field.loop_stop()
