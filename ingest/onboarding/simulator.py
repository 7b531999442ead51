"""Speaks for devices that are not delivered yet: plausible values by the flow and its thing model.

What it says goes the whole way, over the broker and through the adapter. It is marked: MQTT 5 messages carry
the user property ``simulated``, and the times are kept in ``onboarding.json``, which the pages show.
"""

import json
import logging
import math
import random
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.onboarding.flow import MAPPED, Flow, MapRow, Source
from ingest.onboarding.state import State, read_state
from ingest.settings import Broker
from ingest.things.schema import Property, ThingModel
from ingest.worker.probe import probe_broker, set_credentials
from twin.model.errors import InputError
from twin.model.quantities import VENDOR_UNITS, convert_to_si

log = logging.getLogger("dashboard")

SPEAKS = ("flat", "thingsboard", "csv", MAPPED)
"""Dialects it can speak."""
FASTEST_S, SLOWEST_S = 5.0, 10.0
"""A simulated device speaks at least and at most so often, whatever its period: somebody is watching."""
HEARTBEAT_S = 300.0
"""A value that does not move is sent so often."""
Sent = dict[str, tuple[float, float]]
DAY_S = 86_400.0
COUNTED_FROM = 1.75e9
"""When simulated counters stood at nothing (June 2025)."""


def can_simulate(flow: Flow) -> bool:
    """Whether the devices of a flow can be spoken for."""
    plain = flow.source is None or ("#" not in flow.source.filter and not flow.source.words)
    return flow.dialect in SPEAKS and plain


def simulate_value(m: MapRow, p: Property | None, seed: str, t: float) -> float:
    """A plausible number of a key at time ``t``, in the unit of the key.

    Usual values swing over the day, each device and key with its own phase, with a little noise; a counter
    rises by what is usual in an hour. Without a model the middle half of the range is usual.
    """
    rng = random.Random(f"{seed}/{m.external_key}")  # noqa: S311 - not a secret
    phase, shift = rng.random(), rng.random()
    noise = random.Random(f"{seed}/{m.external_key}/{int(t)}").gauss(0.0, 0.02)  # noqa: S311
    low, high = _usual(m, p)
    if p is not None and p.counter:
        return round((low + shift * (high - low)) * max(t - COUNTED_FROM, 0.0) / 3600.0, 3)
    if p is not None and (p.words or p.quantity in ("state", "code")):
        on = math.sin(2 * math.pi * (t / 3600.0 + phase)) > 0 if high > low else high > 0.5
        return float(high if on else low)
    share = 0.5 + 0.35 * math.sin(2 * math.pi * (t / DAY_S + phase)) + noise
    value = low + min(max(share, 0.0), 1.0) * (high - low)
    return round(value) * 1.0 if m.quantity == "count" else float(f"{value:.5g}")


def _usual(m: MapRow, p: Property | None) -> tuple[float, float]:
    if p is None:
        return m.low + 0.25 * (m.high - m.low), m.low + 0.75 * (m.high - m.low)
    scale, offset = VENDOR_UNITS[m.unit]
    if p.counter:
        offset = 0.0
    base = 0.0 if not p.counter else convert_to_si(0.0, p.unit)
    low, high = ((convert_to_si(x, p.unit) - base - offset) / scale for x in p.normal)
    return low, high


def encode_values(flow: Flow, device: str, values: Mapping[str, float], t: float) -> tuple[str, bytes]:
    """(topic, payload) as the device would send them.

    Raises
    ------
    InputError : the dialect cannot be spoken
    """
    if not can_simulate(flow):
        raise InputError(
            f"devices of the dialect {flow.dialect} cannot be simulated; only {', '.join(SPEAKS)}"
        )
    ms = round(t * 1000)
    if flow.dialect == "flat":
        return f"heat/{device}/data", json.dumps({"ts": ms, **values}).encode()
    if flow.dialect == "thingsboard":
        return "v1/gateway/telemetry", json.dumps({device: [{"ts": ms, "values": values}]}).encode()
    if flow.dialect == "csv":
        return f"csv/{device}/data", _table({"ts": str(ms)}, values)
    return _encode_mapped(flow.source or Source(""), device, values, t)


def _encode_mapped(source: Source, device: str, values: Mapping[str, float], t: float) -> tuple[str, bytes]:
    levels = source.filter.split("/")
    at = int(source.device_at) - 1 if source.device_from == "topic" else -1
    topic = "/".join(
        device if i == at else ("x" if level == "+" else level) for i, level in enumerate(levels)
    )
    head: dict[str, object] = {}
    if source.time:
        _put(head, source.time, _stamp(source, t))
    if source.device_from == "field":
        _put(head, source.device_at, device)
    if source.format == "csv":
        return topic, _table({k: str(v) for k, v in head.items()}, values)
    rows: list[dict[str, object]] = []
    if source.key_field:
        for key, value in values.items():
            row = json.loads(json.dumps(head))
            _put(row, source.key_field, key)
            _put(row, source.value_field or "value", value)
            rows.append(row)
    else:
        for key, value in values.items():
            _put(head, f"{source.values}.{key}" if source.values else key, value)
        rows.append(head)
    body: dict[str, object] = {}
    if source.rows:
        _put(body, source.rows, rows)
    else:
        body = rows[0]
    return topic, json.dumps(body, ensure_ascii=False).encode()


def _table(head: Mapping[str, str], values: Mapping[str, float]) -> bytes:
    first = ",".join([*head, *values])
    return f"{first}\n{','.join([*head.values(), *(repr(v) for v in values.values())])}\n".encode()


def _put(body: dict[str, object], path: str, value: object) -> None:
    *way, last = path.split(".")
    for name in way:
        inner = body.setdefault(name, {})
        if not isinstance(inner, dict):
            raise InputError(f"{path!r} leads through {name!r}, which holds a value")
        body = inner
    body[last] = value


def _stamp(source: Source, t: float) -> object:
    form = source.time_format
    if form == "s":
        return round(t)
    if form in ("auto", "ms"):
        return round(t * 1000)
    shift = source.utc_offset_min * 60 if form == "local" else 0
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t + shift))
    return text.replace("T", " ") if form == "local" else text + "Z"


class Simulator:
    """One thread that speaks for every flow that is marked in the county's ``onboarding.json``."""

    def __init__(self, folder: Path, broker: Broker, models: Mapping[str, ThingModel]) -> None:
        self._folder, self._broker, self._models = folder, broker, models
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._due: dict[str, float] = {}
        self._sent: dict[str, Sent] = {}

    def start(self) -> None:
        """Begin, unless it runs already."""
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End and wait for it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def _run(self) -> None:
        client: mqtt.Client | None = None
        v5 = False
        while not self._stop.wait(1.0):
            try:
                state = read_state(self._folder)
            except InputError as e:
                log.error("simulator: %s", e)
                continue
            flows = list_simulated(state)
            if not flows:
                break
            if client is None:
                version = probe_broker(self._broker).version
                if version is None:
                    continue
                v5 = version == MQTTProtocolVersion.MQTTv5
                client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=version)
                set_credentials(client, self._broker)
                client.connect_async(self._broker.host, self._broker.port)
                client.loop_start()
            for flow in flows:
                self._speak(client, v5, flow, time.time())
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _speak(self, client: mqtt.Client, v5: bool, flow: Flow, now: float) -> None:
        model = self._models.get(flow.model)
        period = min((m.period_s for m in flow.maps), default=SLOWEST_S)
        period = min(max(period, FASTEST_S), SLOWEST_S)
        properties = None
        if v5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.UserProperty = [("simulated", "1")]
        for d in flow.devices:
            name = flow.device_id(d.external_id)
            if now < self._due.get(name, 0.0):
                continue
            self._due[name] = now + period
            values = {
                m.external_key: simulate_value(m, model.find(m.key) if model else None, name, now)
                for m in flow.maps
            }
            news = pick_changed(flow.maps, values, self._sent.setdefault(name, {}), now)
            if not news:
                continue
            topic, payload = encode_values(flow, d.external_id, news, now)
            client.publish(topic, payload, qos=1, properties=properties)


def pick_changed(
    maps: Sequence[MapRow], values: Mapping[str, float], sent: Sent, now: float
) -> dict[str, float]:
    """Values to send: those that moved by more than their deadband, and each at least every ``HEARTBEAT_S``,
    as devices that send on change do. ``sent``: key -> (value, when) of before; brought up to date."""
    step = {m.external_key: m.deadband for m in maps}
    news = {}
    for key, value in values.items():
        before, at = sent.get(key, (math.inf, -math.inf))
        if abs(value - before) > step.get(key, 0.0) or not step.get(key) or now - at >= HEARTBEAT_S:
            news[key] = value
            sent[key] = (value, now)
    return news


def list_simulated(state: State) -> list[Flow]:
    """Flows that are followed, marked, and can be spoken for."""
    marked = {s.flow for s in state.simulated if not s.until}
    return [f for f in state.live if f.id in marked and can_simulate(f)]
