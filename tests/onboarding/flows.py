"""Flows that tests share: a pump house of a maker that nobody knows."""

import json

import msgspec

from ingest.onboarding.flow import Flow, FlowDevice, MapRow, Source
from ingest.onboarding.trace import Message

NOW = 1_790_000_000.0
TOPIC = "factory/P7/up"


def pump_flow(**change: object) -> Flow:
    flow = Flow(
        "pump-p7",
        "七号泵房",
        source=Source("factory/+/up", values="d", time="t", text_numbers=True),
        devices=(FlowDevice("P7", "七号泵", "S01", "P7"),),
        maps=(
            MapRow("temp", "pump_t", "temperature", "°C", 0, 100, 60, 0.1, "泵温"),
            MapRow("press", "pump_p", "pressure", "kPa", 0, 1600, 60, 0, "泵压"),
        ),
    )
    return msgspec.structs.replace(flow, **change)


def payload(t: float = NOW, **values: object) -> bytes:
    return json.dumps({"t": round(t * 1000), "d": values or {"temp": "55.5", "press": 850}}).encode()


def message(t: float = NOW, **values: object) -> Message:
    return Message(TOPIC, payload(t, **values), NOW)
