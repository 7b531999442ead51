"""Listens now and then to everything for a short while, so that devices nobody described are found.

A session of its own that leaves nothing at the broker, QoS 0, bounded in time, messages and bytes. Of topics
that no adapter and no flow reads, one message each is kept among the unreadable ones, where the page 设备接入
finds it, proposes a thing model for it, and reads it again after it was onboarded. Decision record 0104.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.onboarding.flow import match_topic
from ingest.onboarding.propose import propose
from ingest.onboarding.trace import Message
from ingest.settings import Broker
from ingest.store.batch import Batch, DeadMessage, NoticeMark
from ingest.store.owner import StoreOwner
from ingest.worker.client import BulkClient
from ingest.worker.probe import KEEPALIVE_S, set_credentials

log = logging.getLogger("ingest")

LOOK_S, FIRST_S = 20.0, 60.0
"""A look lasts so long at most; the first is so long after the start at most."""
MAX_MESSAGES, MAX_BYTES = 5000, 4_000_000
"""A look ends with so much, read or not: a busy broker is not asked for more."""
MAX_NEW, MAX_TOPICS = 50, 200
"""Topics that one look takes, and that are kept at all."""
KEEP_PAYLOAD = 16_384
NOT_OURS = ("demo/control",)
SCOUTED = "heard by the scout: nobody has described this topic, onboard it on the page 设备接入"
REFUSED = "the broker does not let ingest listen to #: allow `topic read #` for its user, or set CT_SCOUT_S=0"
NOTICE = "scout"


@dataclass
class Look:
    """What one look has heard; ``strangers``: topic -> its first payload."""

    messages: int = 0
    size: int = 0
    seconds: float = 0.0
    strangers: dict[str, bytes] = field(default_factory=dict)
    refused: str = ""


class Scout:
    """One of the writer's works; the listening has a thread of its own.

    Parameters
    ----------
    read : returns the topic filters of adapters, flows and commands, which are no strangers'
    every_s : between two looks; 0: it never looks
    """

    def __init__(
        self, broker: Broker, version: MQTTProtocolVersion, read: Callable[[], Iterable[str]],
        owner: StoreOwner, every_s: float, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._broker, self._version, self._read = broker, version, read
        self._owner, self._every_s, self._clock = owner, every_s, clock
        self._next = clock() + min(FIRST_S, every_s)
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._look = Look()
        self._kept = owner.read_topics(SCOUTED, MAX_TOPICS) if every_s else set()

    def work(self) -> None:
        """Begin a look when it is due, write down what the last one has heard."""
        if self._thread is not None:
            if not self._thread.is_alive():
                self._thread = None
                self._keep(self._look)
        elif self._every_s and self._clock() >= self._next:
            self._next = self._clock() + self._every_s
            self._look = Look()
            self._thread = threading.Thread(target=self._listen, args=(self._look,), name="scout")
            self._thread.start()

    def finish(self) -> None:
        """End a look that runs; what it heard is left."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _listen(self, look: Look) -> None:
        """One look, and of what it heard only what may be a device."""
        began = time.monotonic()
        try:
            self._hear(look)
        except OSError as e:
            log.warning("the scout cannot listen: %s", e)
        look.seconds = time.monotonic() - began
        worth = [t for t, p in look.strangers.items() if _has_values(t, p)]
        fresh = [t for t in worth if t not in self._kept][:MAX_NEW]
        again = [t for t in worth if t in self._kept]
        look.strangers = {t: look.strangers[t] for t in (*again, *fresh)}

    def _hear(self, look: Look) -> None:
        done, known = threading.Event(), _Known(tuple(self._read()))

        def take(topic: bytes, payload: bytes, _mid: int, _qos: int, retained: bool) -> None:
            if done.is_set():
                return
            look.messages += 1
            look.size += len(payload)
            name = topic.decode("utf-8", "replace")
            if not retained and name not in look.strangers and not known.has(name):
                look.strangers[name] = payload
            if look.messages >= MAX_MESSAGES or look.size >= MAX_BYTES:
                done.set()

        client = BulkClient(take, CallbackAPIVersion.VERSION2, protocol=self._version)
        set_credentials(client, self._broker)

        def on_connect(c: mqtt.Client, *_: object) -> None:
            if self._version == MQTTProtocolVersion.MQTTv5:
                c.subscribe("#", options=SubscribeOptions(qos=0, retainHandling=2))
            else:
                c.subscribe("#", 0)

        def on_subscribe(*args: object) -> None:
            codes = args[3]
            if isinstance(codes, list) and any(isinstance(x, ReasonCode) and x.is_failure for x in codes):
                look.refused = REFUSED
                done.set()

        client.on_connect, client.on_subscribe = on_connect, on_subscribe
        end = time.monotonic() + min(LOOK_S, self._every_s)
        try:
            client.connect(self._broker.host, self._broker.port, keepalive=KEEPALIVE_S)
            client.loop_start()
            while time.monotonic() < end and not self._over.is_set():
                if done.wait(0.2):
                    break
        finally:
            done.set()
            client.disconnect()
            client.loop_stop()

    def _keep(self, look: Look) -> None:
        now = round(time.time() * 1e6)
        dead = []
        for topic, payload in look.strangers.items():
            if topic not in self._kept and len(self._kept) >= MAX_TOPICS:
                continue
            self._kept.add(topic)
            key = hashlib.sha256(f"{topic}\0scout".encode()).hexdigest()[:32]  # one row a topic
            dead.append(DeadMessage(key, now, topic[:500], SCOUTED, payload[:KEEP_PAYLOAD], 1, len(payload)))
        detail = look.refused or (
            f"{look.messages} messages in {look.seconds:.0f} s, {len(look.strangers)} topics that nobody has "
            "described"
        )
        none = np.zeros(0, np.int64)
        marks = (NoticeMark(NOTICE, "broker", now, 1, detail),)
        self._owner.write(Batch(none, none, none, np.zeros(0), none, dead=tuple(dead), notices=marks))


class _Known:
    """Whether a topic passes one of the filters; what was asked is remembered for a look."""

    def __init__(self, filters: tuple[str, ...]) -> None:
        self._filters = (*filters, *NOT_OURS)
        self._asked: dict[str, bool] = {}

    def has(self, topic: str) -> bool:
        found = self._asked.get(topic)
        if found is None:
            found = self._asked[topic] = any(match_topic(f, topic) for f in self._filters)
        return found


def _has_values(topic: str, payload: bytes) -> bool:
    """Whether there are numbers in it that could be measured."""
    return bool(propose(Message(topic, payload, time.time()), {}).learnt.values)
