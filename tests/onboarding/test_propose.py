"""Which thing model a stranger looks like, and how its messages could be read."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.onboarding.check import check_flow
from ingest.onboarding.flow import Source
from ingest.onboarding.propose import Draft, propose
from ingest.onboarding.state import State
from ingest.onboarding.trace import Message, trace
from ingest.things import load_library
from tests.onboarding.flows import NOW
from tests.support.tiny import make_tiny_county

MS = round(NOW * 1000)
COUNTY = make_tiny_county()


def draft(topic: str, body: object) -> Draft:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return propose(Message(topic, raw, NOW), load_library())


STRANGERS = {
    "heat_station_plc": (
        "heat/NEW77/data",
        {"ts": MS, "t1g": 88, "t1h": 44, "p1g": 0.85, "flow1": 77},
    ),
    "heat_meter": (
        "meters/HM-204/up",
        {"ts": MS, "energy": 123456, "power": 31.2, "supply_temp": 51, "return_temp": 40},
    ),
    "room_sensor": (
        "lora/room/0a17",
        {"time": MS, "data": {"temperature": 21.3, "humidity": 40, "battery": 3.55}},
    ),
    "weather_station": (
        "bureau/wx/1",
        {"t": MS, "temp": -3, "humidity": 45, "ws": 2.2, "wd": 270, "pressure": 851},
    ),
    "river_gauge": (
        "hydro/QH-3/report",
        {"time": "2026-09-21 22:13:20", "z": "1.22", "q": "2.4"},
    ),
    "rain_gauge": (
        "city/rain",
        b"time,sn,rain5,hour_rain\n2026-09-21T22:13:20+08:00,R1,0.2,1.4\n",
    ),
    "parking_gate": (
        "parking/report",
        {"list": [{"id": "G1", "in": 9, "out": 8, "free": 22, "ts": MS // 1000}]},
    ),
    "geomagnetic_bay": (
        "v1/gateway/telemetry",
        {"BAY-1": [{"ts": MS, "values": {"occupied": True, "battery": 3.5}}]},
    ),
    "traffic_counter": (
        "road/L3/up",
        {"ts": MS, "flow": 420, "speed": 38, "occupancy": 12},
    ),
    "light_cabinet": (
        "lamp/CAB12/up",
        {"ts": MS, "ua": 221, "ub": 220, "uc": 222, "ia": 12, "kwh": 5512, "relay": 1},
    ),
    "camera": (
        "video/34020000001320000001/state",
        {"ts": MS, "online": 1, "fps": 25, "bitrate": 4.1},
    ),
    "manhole": (
        "lifeline/MH0007/up",
        {"ts": MS, "tilt": 1.2, "cover": 0, "rssi": -88},
    ),
    "gas_detector": (
        "gas/GD-42/up",
        {"ts": MS, "ch4": "1.2", "co": 3, "temp": 12.5},
    ),
}  # fmt: skip


@pytest.mark.parametrize("model", STRANGERS)
def test_a_stranger_is_recognised_and_its_message_is_read(model: str) -> None:
    found = draft(*STRANGERS[model])
    assert found.matches[0].model.id == model
    assert found.matches[0].score > 0.5
    keys = {v.key for v in found.learnt.values}
    assert {m.external_key for m in found.flow.maps} == keys, "every key found its property"
    assert found.learnt.problems == ()
    assert abs(found.learnt.values[0].t - NOW) < 1


@pytest.mark.parametrize("model", STRANGERS)
def test_only_the_place_is_left_to_say(model: str) -> None:
    topic, body = STRANGERS[model]
    flow = draft(topic, body).flow
    alone = load_library()[model].alone
    assert all(bool(d.part) != alone for d in flow.devices), "one at a place has the place's own points"
    devices = tuple(msgspec.structs.replace(d, place_id="S01", part="new") for d in flow.devices)
    flow = msgspec.structs.replace(flow, devices=devices)
    assert check_flow(flow, COUNTY, State()) == ()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert {b.state for b in trace(flow, Message(topic, raw, NOW), COUNTY, State())} == {"ok"}


def test_a_value_out_of_range_proposes_the_unit_it_is_in() -> None:
    maps = draft("heat/NEW77/data", {"ts": MS, "t1g": 88, "t1h": 44, "p1g": 850}).flow.maps
    row = next(m for m in maps if m.key == "p1_ps")
    assert (row.unit, row.low, row.high) == ("kPa", 0.0, 2500.0)


def test_the_reading_of_an_unknown_message_is_guessed() -> None:
    source = draft(*STRANGERS["room_sensor"]).flow.source
    assert source == Source("lora/room/+", values="data", device_at="3", time="time")


def test_a_message_without_likeness_gets_no_model() -> None:
    found = draft("mill/M1/up", {"ts": MS, "foo": 1, "bar": 2})
    assert found.matches == () and found.flow.maps == ()
    assert {v.key for v in found.learnt.values} == {"foo", "bar"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["a", "a/b1/c", "heat/x/data", "/x/1", "v1/gateway/telemetry", "csv/x/data", "x//"]),
    st.binary(max_size=60) | JSON.map(lambda x: json.dumps(x).encode()),
)
def test_any_message_has_a_draft_and_a_trace(topic: str, body: bytes) -> None:
    message = Message(topic, body, NOW)
    flow = propose(message, load_library()).flow
    assert len(trace(flow, message, COUNTY, State())) == 5
