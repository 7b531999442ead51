"""Listens to a topic for some seconds: what a flow would get, and whether the broker lets us."""

import queue
import time
from contextlib import suppress
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.onboarding.flow import Flow
from ingest.onboarding.trace import Message
from ingest.settings import Broker
from ingest.worker.probe import probe_broker, set_credentials
from twin.model.errors import InputError

MAX_MESSAGES = 20
MAX_KEPT = 65_536
"""Bytes of a payload that are shown."""
MAX_SECONDS = 30.0
SETTLE_S = 1.5
"""So long after the first message others are waited for."""


@dataclass(frozen=True, slots=True)
class Heard:
    """``messages``: the last ones, newest last; ``count``: how many came."""

    messages: tuple[Message, ...]
    count: int


def check_connection(broker: Broker, flow: Flow) -> None:
    """Whether the broker lets us in and, where the flow names a source, lets us listen to it.

    Raises
    ------
    InputError : it does not; the text says why and the mend
    """
    if flow.source is not None:
        listen(broker, flow.source.filter, 0.5, enough=1)
        return
    answer = probe_broker(broker)
    if answer.version is None:
        raise InputError(f"{answer.reason}; {answer.mend}")


def listen(broker: Broker, topic_filter: str, seconds: float, enough: int = MAX_MESSAGES) -> Heard:
    """Listen until ``enough`` messages came or the time is over, in a session of its own.

    Raises
    ------
    InputError : the broker is away or refuses; the text says why and the mend
    """
    answer = probe_broker(broker)
    if answer.version is None:
        raise InputError(f"{answer.reason}; {answer.mend}")
    came: queue.SimpleQueue[Message] = queue.SimpleQueue()
    refused: list[str] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=answer.version)
    set_credentials(client, broker)

    def on_connect(c: mqtt.Client, *_: object) -> None:
        c.subscribe(topic_filter, 0)

    def on_subscribe(*args: object) -> None:
        codes = args[3]
        if isinstance(codes, list) and any(code.is_failure for code in codes):
            refused.append(str(codes[0]))

    def on_message(_c: mqtt.Client, _data: object, m: mqtt.MQTTMessage) -> None:
        came.put(Message(m.topic, bytes(m.payload[:MAX_KEPT]), time.time()))

    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    kept: list[Message] = []
    try:
        client.connect(broker.host, broker.port, keepalive=30)
        client.loop_start()
        end = time.monotonic() + min(seconds, MAX_SECONDS)
        while (left := end - time.monotonic()) > 0 and len(kept) < enough and not refused:
            with suppress(queue.Empty):
                kept.append(came.get(timeout=min(left, 0.2)))
                end = min(end, time.monotonic() + SETTLE_S) if len(kept) == 1 else end
    except (OSError, ValueError) as e:
        raise InputError(f"{broker.host}:{broker.port} does not answer ({e})") from e
    finally:
        client.disconnect()
        client.loop_stop()
    if refused:
        raise InputError(f"the broker refuses the filter {topic_filter!r}: allow it in its access list")
    return Heard(tuple(kept[-MAX_MESSAGES:]), len(kept))
