"""MQTT for the devices: one connection for the JSON gateways, one for the Sparkplug edge node."""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.settings import Broker

log = logging.getLogger("devices")

MAX_WAITING = 20_000


@dataclass
class Voice:
    """One publisher. Messages wait (bounded, oldest dropped by paho) while the broker is away."""

    client: mqtt.Client
    up: threading.Event
    inbox: "queue.Queue[tuple[str, bytes]]"

    def say(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1."""
        self.client.publish(topic, payload, qos=1)

    def close(self) -> None:
        """Leave in order."""
        self.up.clear()
        self.client.disconnect()
        self.client.loop_stop()


def open_voice(
    broker: Broker,
    version: MQTTProtocolVersion,
    client_id: str,
    listen: tuple[str, ...],
    will: tuple[str, bytes] | None = None,
    on_up: Callable[[], None] | None = None,
) -> Voice:
    """Connect in the background; ``listen``: topics whose messages land in ``inbox``."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version)
    client.max_queued_messages_set(MAX_WAITING)
    client.reconnect_delay_set(1, 8)
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls:
        client.tls_set()
    if will is not None:
        client.will_set(will[0], will[1], qos=1)
    voice = Voice(client, threading.Event(), queue.Queue(1000))

    def on_connect(_c: mqtt.Client, _d: object, _f: object, code: ReasonCode, _p: object) -> None:
        if code.is_failure:
            log.warning("broker refuses: %s", code)
            return
        for topic in listen:
            client.subscribe(topic, 1)
        voice.up.set()
        if on_up:
            on_up()

    def on_disconnect(*_args: object) -> None:
        if voice.up.is_set():
            log.warning("broker away; messages wait")
        voice.up.clear()

    def on_message(_c: mqtt.Client, _d: object, m: mqtt.MQTTMessage) -> None:
        if not voice.inbox.full():
            voice.inbox.put((m.topic, bytes(m.payload)))

    client.on_connect, client.on_disconnect, client.on_message = on_connect, on_disconnect, on_message
    client.connect_async(broker.host, broker.port, keepalive=30)
    client.loop_start()
    return voice
