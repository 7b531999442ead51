"""The MQTT line: persistent sessions, QoS 1, acknowledgement by hand after the commit.

Speaks MQTT 5 where the broker does, else 3.1.1. A lost connection is taken up again with back-off by paho;
what was not acknowledged comes again and is stored once. There is one session (lane) per family of dialects:
each has its own queue at the broker and its own in-flight window, so that a flood in one keeps no other
waiting (decision record 0043).
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.settings import Broker
from ingest.worker.client import BulkClient
from ingest.worker.inbox import Inbox, Message
from ingest.worker.probe import KEEPALIVE_S, explain_refusal, set_credentials
from ingest.worker.watch import DROPPED_TOPIC, BrokerWatch

log = logging.getLogger("ingest")

SESSION_EXPIRY_S = 7 * 86_400
RECEIVE_MAXIMUM = 12_000
"""Messages of a lane that the broker may have on the way unacknowledged."""


@dataclass(frozen=True, slots=True)
class Lane:
    """``client_id`` names the session at the broker; ``foreign``: filters that it must not hold any more."""

    number: int
    client_id: str
    filters: tuple[str, ...]
    foreign: tuple[str, ...] = ()


OWN_LANES = {"heat": "flat", "v1": "gateway", "tb": "gateway", "spBv1.0": "sparkplug"}
"""First level of a topic -> lane; all others share the lane that has the plain client id."""


def make_lanes(client_id: str, filters: Sequence[str]) -> tuple[Lane, ...]:
    """Spread the filters over lanes; the first lane (the session of earlier versions) takes the rest."""
    groups: dict[str, list[str]] = {"": []}
    for f in dict.fromkeys(filters):
        groups.setdefault(OWN_LANES.get(f.split("/")[0], ""), []).append(f)
    foreign = tuple(f for name, fs in groups.items() if name for f in fs)
    lanes = [Lane(0, client_id, tuple(groups.pop("")), foreign)]
    lanes += [Lane(i, f"{client_id}-{name}", tuple(fs)) for i, (name, fs) in enumerate(groups.items(), 1)]
    return tuple(lanes)


class Line:
    """One lane's subscriber. ``state``: "connected" or since when and why not."""

    def __init__(
        self, broker: Broker, version: MQTTProtocolVersion, lane: Lane, inbox: Inbox, watch: BrokerWatch
    ) -> None:
        self._broker, self._lane, self._inbox, self._watch = broker, lane, inbox, watch
        self.epoch = 0
        self.state = "connecting"
        self._leaving = False
        self._extra: tuple[str, ...] = ()
        self._gone: tuple[str, ...] = ()
        self._asked: dict[int, tuple[str, ...]] = {}
        self._guard = threading.Lock()
        self._v5 = version == MQTTProtocolVersion.MQTTv5
        clean = None if self._v5 else False
        self._client = BulkClient(
            self._take, CallbackAPIVersion.VERSION2, client_id=lane.client_id, protocol=version,
            clean_session=clean,
        )  # fmt: skip
        set_credentials(self._client, broker)
        self._client.reconnect_delay_set(1, 10)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe

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
        with self._guard:
            mids = [m.mid for m in messages if m.qos > 0 and m.epoch == self.epoch]
            if mids:
                self._client.acknowledge(mids)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send an answer (QoS 0: it is asked again when it gets lost)."""
        self._client.publish(topic, payload, qos=0)

    def follow(self, filters: Sequence[str], gone: Sequence[str]) -> None:
        """Hold a subscription to ``filters`` besides the lane's own, and none to those that are gone."""
        with self._guard:
            added = [f for f in filters if f not in self._extra]
            left = [f for f in (*self._extra, *gone) if f not in filters]
            self._extra, self._gone = tuple(filters), tuple(left)
        if self.state == "connected":
            self._ask_for(added, left)

    def _ask_for(self, filters: Sequence[str], gone: Sequence[str]) -> None:
        if gone:
            self._client.unsubscribe(list(gone))
        if filters:
            _, number = self._client.subscribe([(f, 1) for f in filters])
            if number is not None:
                self._asked[number] = tuple(filters)

    def send(self, topic: str, payload: bytes, valid_s: float) -> bool:
        """Send a command at QoS 1; with MQTT 5 the broker drops it when it could not be delivered in time.

        False while the broker is away: paho would keep it and send it at any time later.
        """
        if self.state != "connected":
            return False
        properties = None
        if self._v5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = max(round(valid_s), 1)
        return self._client.publish(topic, payload, qos=1, properties=properties).rc == 0

    def stop(self) -> None:
        """Leave; the session stays at the broker and keeps what comes meanwhile."""
        self._leaving = True
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: mqtt.Client, _data: object, _flags: mqtt.ConnectFlags, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure:
            answer = explain_refusal(self._broker, code)
            self.state = f"refused since {_now()}: {answer.reason or code}; {answer.mend}"
            log.warning("broker: %s; %s", answer.reason or code, answer.mend)
            return
        with self._guard:
            self.epoch += 1
        self.state = "connected"
        with self._guard:
            wanted = (*self._lane.filters, *self._extra)
            gone = [f for f in (*self._lane.foreign, *self._gone) if f not in wanted]
        self._ask_for(wanted, gone)
        if self._lane.number == 0:
            client.subscribe(DROPPED_TOPIC, 0)
        version = "5" if self._v5 else "3.1.1"
        log.info("connected to %s:%d as %s, MQTT %s", self._broker.host, self._broker.port,
                 self._lane.client_id, version)  # fmt: skip

    def _on_subscribe(
        self, _client: mqtt.Client, _data: object, number: int, codes: list[ReasonCode], _props: object
    ) -> None:
        asked = self._asked.pop(number, ())
        refused = [f for f, code in zip(asked, codes, strict=False) if code.is_failure]
        if refused:
            names = ", ".join(refused)
            self.state = f"may not subscribe to {names} since {_now()}: allow it in the broker's access list"
            log.error("broker: %s", self.state)

    def _on_disconnect(self, *args: object) -> None:
        with self._guard:
            self.epoch += 1  # what came before must not be acknowledged on the next connection
        if self._leaving:
            return
        if not self.state.startswith("refused"):
            self.state = f"away since {_now()}"
            log.warning(
                "broker connection of %s lost: %s", self._lane.client_id, args[3] if len(args) > 3 else ""
            )

    def _take(self, topic: bytes, payload: bytes, mid: int, qos: int, retained: bool) -> None:
        try:
            name = topic.decode()
        except UnicodeDecodeError:
            name = "(topic is not UTF-8)"
        if name == DROPPED_TOPIC:
            self._watch.see(payload)
            return
        lane = self._lane.number
        self._inbox.put(Message(name, payload, time.time(), mid, qos, self.epoch, lane, retained))


class Lines:
    """All lanes as one."""

    def __init__(
        self, broker: Broker, version: MQTTProtocolVersion, lanes: Sequence[Lane], inbox: Inbox,
        watch: BrokerWatch,
    ) -> None:  # fmt: skip
        self._lines = tuple(Line(broker, version, lane, inbox, watch) for lane in lanes)
        self._inbox = inbox

    @property
    def state(self) -> str:
        """Of the first lane that is not connected, else "connected"."""
        return next((line.state for line in self._lines if line.state != "connected"), "connected")

    def start(self) -> None:
        """Connect all in the background."""
        for line in self._lines:
            line.start()

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """See ``Line.acknowledge``."""
        for number, line in enumerate(self._lines):
            mine = [m for m in messages if m.lane == number]
            if mine:
                line.acknowledge(mine)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send an answer."""
        self._lines[0].publish(topic, payload)

    def follow(self, filters: Sequence[str], gone: Sequence[str]) -> None:
        """Subscribe to these in the first lane besides the fixed filters, see ``Line.follow``."""
        self._lines[0].follow(filters, gone)

    def send(self, topic: str, payload: bytes, valid_s: float) -> bool:
        """Send a command, see ``Line.send``."""
        return self._lines[0].send(topic, payload, valid_s)

    def stop(self) -> None:
        """Leave; also when network threads wait for room in the inbox."""
        self._inbox.close()
        for line in self._lines:
            line.stop()


def _now() -> str:
    return time.strftime("%H:%M:%S")
