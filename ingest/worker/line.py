"""The MQTT line: persistent session, QoS 1, acknowledgement by hand after the commit.

Speaks MQTT 5 where the broker does, else 3.1.1. A lost connection is taken up again with back-off by paho;
what was not acknowledged comes again and is stored once.
"""

import logging
import threading
import time
from collections.abc import Sequence

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.settings import Broker
from ingest.worker.inbox import Inbox, Message

log = logging.getLogger("ingest")

SESSION_EXPIRY_S = 7 * 86_400
RECEIVE_MAXIMUM = 2000
KEEPALIVE_S = 30


def probe_protocol(broker: Broker, timeout_s: float = 4.0) -> MQTTProtocolVersion | None:
    """MQTT 5 or 3.1.1, whichever the broker accepts; None when it does not answer at all."""
    for version in (MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311):
        accepted = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=version)
        _set_credentials(client, broker)

        def on_connect(*args: object, done: threading.Event = accepted) -> None:
            if not getattr(args[3], "is_failure", True):
                done.set()

        client.on_connect = on_connect
        try:
            client.connect(broker.host, broker.port, keepalive=KEEPALIVE_S)
        except OSError:
            return None
        client.loop_start()
        ok = accepted.wait(timeout_s)
        client.disconnect()
        client.loop_stop()
        if ok:
            return version
    return None


def _set_credentials(client: mqtt.Client, broker: Broker) -> None:
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls:
        client.tls_set()


class Line:
    """One subscriber. ``state``: "connected" or since when and why not."""

    def __init__(
        self,
        broker: Broker,
        version: MQTTProtocolVersion,
        client_id: str,
        filters: Sequence[str],
        inbox: Inbox,
    ) -> None:
        self._broker, self._filters, self._inbox = broker, tuple(filters), inbox
        self.epoch = 0
        self.state = "connecting"
        self._v5 = version == MQTTProtocolVersion.MQTTv5
        clean = None if self._v5 else False
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version, clean_session=clean,
            manual_ack=True,
        )  # fmt: skip
        _set_credentials(self._client, broker)
        self._client.reconnect_delay_set(1, 10)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect in the background and stay connected."""
        properties = None
        if self._v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(
            self._broker.host, self._broker.port, keepalive=KEEPALIVE_S,
            clean_start=False if self._v5 else mqtt.MQTT_CLEAN_START_FIRST_ONLY, properties=properties,
        )  # fmt: skip
        self._client.loop_start()

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker that these are stored. Those of an older connection come again by themselves."""
        for m in messages:
            if m.qos > 0 and m.epoch == self.epoch:
                self._client.ack(m.mid, m.qos)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send an answer (QoS 0: it is asked again when it gets lost)."""
        self._client.publish(topic, payload, qos=0)

    def stop(self) -> None:
        """Leave; the session stays at the broker and keeps what comes meanwhile."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: mqtt.Client, _data: object, _flags: mqtt.ConnectFlags, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure:
            self.state = f"refused since {_now()}: {code}"
            log.warning("broker %s:%d refuses: %s", self._broker.host, self._broker.port, code)
            return
        self.epoch += 1
        self.state = "connected"
        client.subscribe([(f, 1) for f in self._filters])
        log.info(
            "connected to %s:%d, MQTT %s", self._broker.host, self._broker.port, "5" if self._v5 else "3.1.1"
        )

    def _on_disconnect(self, *args: object) -> None:
        self.state = f"away since {_now()}"
        log.warning("broker connection lost: %s", args[3] if len(args) > 3 else "")

    def _on_message(self, _client: mqtt.Client, _data: object, m: mqtt.MQTTMessage) -> None:
        try:
            topic = m.topic
        except UnicodeDecodeError:
            topic = "(topic is not UTF-8)"
        self._inbox.put(Message(topic, bytes(m.payload), time.time(), m.mid, m.qos, self.epoch))


def _now() -> str:
    return time.strftime("%H:%M:%S")
