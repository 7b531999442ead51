"""The simulator speaks so that the flow it speaks for reads every value as good."""

import json
import math
from itertools import pairwise

import msgspec
import pytest

from ingest.adapters import compile_directory, make_adapters
from ingest.onboarding.flow import Flow, FlowDevice, Source
from ingest.onboarding.propose import map_property
from ingest.onboarding.rows import rebuild
from ingest.onboarding.simulator import (
    HEARTBEAT_S,
    can_simulate,
    encode_values,
    list_simulated,
    pick_changed,
    simulate_value,
)
from ingest.onboarding.state import Kept, Simulated, State, Version, merge_county
from ingest.things import load_library
from tests.onboarding.flows import NOW, pump_flow
from tests.support.tiny import make_tiny_county
from twin.model.errors import InputError
from twin.model.readings import Quality

COUNTY = make_tiny_county()
SOURCES = {
    "flat": None,
    "thingsboard": None,
    "csv": None,
    "object": Source("x/+/up", values="d.v", time="t", device_at="2"),
    "list": Source(
        "x/report", rows="list", device_from="field", device_at="id", time="at", time_format="local"
    ),
    "pairs": Source("x/+/p", rows="r", key_field="n", value_field="v", time="t", time_format="iso"),
    "table": Source("x/t", format="csv", device_from="field", device_at="sn", time="time", time_format="s"),
}  # fmt: skip


def flow_of(model_id: str, how: str) -> Flow:
    model = load_library()[model_id]
    maps = tuple(map_property(p, p.key)[0] for p in model.properties)
    dialect = "mapped" if SOURCES[how] else how
    return Flow(
        "sim",
        "模拟",
        dialect,
        SOURCES[how],
        model_id,
        model_id,
        "",
        (FlowDevice("D1", "一", "S01", "D1"),),
        maps,
    )


def state_of(flow: Flow, *simulated: Simulated) -> State:
    kept = Kept(flow.id, (Version(1, NOW, "li", flow),), 1)
    return rebuild(State(flows=(kept,), simulated=simulated), COUNTY)


@pytest.mark.parametrize("how", SOURCES)
@pytest.mark.parametrize("model_id", load_library())
def test_what_is_simulated_is_read_as_good(model_id: str, how: str) -> None:
    flow, model = flow_of(model_id, how), load_library()[model_id]
    state = state_of(flow)
    county = merge_county(COUNTY, state)
    directory = compile_directory(county, state.sources, state.ignored)
    for t in (NOW, NOW + 40_000.0):
        values = {m.external_key: simulate_value(m, model.find(m.key), "D1", t) for m in flow.maps}
        topic, payload = encode_values(flow, "D1", values, t)
        adapter = next(a for a in make_adapters() if a.matches(topic))
        found = adapter.decode(topic, payload, t + 1, directory)
        assert found.problems == [] and adapter.name == flow.dialect
        readings = found.readings(directory, t + 1)
        assert {county.points[r.point_no].key for r in readings} == {p.key for p in model.properties}
        assert {Quality(r.quality) for r in readings} == {Quality.GOOD}
        assert all(abs(r.t - t) <= 1 for r in readings)


@pytest.mark.parametrize("model_id", load_library())
def test_values_move_and_counters_only_rise(model_id: str) -> None:
    for p in load_library()[model_id].properties:
        row = map_property(p, p.key)[0]
        values = [simulate_value(row, p, "D1", NOW + 600.0 * i) for i in range(200)]
        assert all(math.isfinite(v) for v in values)
        if p.counter:
            assert all(b >= a for a, b in pairwise(values)) and values[-1] > values[0]
        elif not p.words and p.quantity != "code" and p.normal[0] < p.normal[1]:
            assert len(set(values)) > 2, p.key


def test_a_point_without_a_model_stays_in_its_range() -> None:
    row = pump_flow().maps[0]
    assert all(25 <= simulate_value(row, None, "D1", NOW + i * 999.0) <= 75 for i in range(50))


def test_only_flows_that_are_marked_and_spoken_are_simulated() -> None:
    flow = flow_of("room_sensor", "flat")
    assert list_simulated(state_of(flow)) == []
    assert list_simulated(state_of(flow, Simulated("sim", NOW))) == [flow]
    assert list_simulated(state_of(flow, Simulated("sim", NOW, NOW + 1))) == []
    assert not can_simulate(msgspec.structs.replace(flow, dialect="sparkplug"))
    with pytest.raises(InputError, match="cannot be simulated"):
        encode_values(msgspec.structs.replace(flow, dialect="homie"), "D1", {}, NOW)


def test_a_list_message_has_the_shape_the_source_says() -> None:
    topic, payload = encode_values(flow_of("room_sensor", "list"), "D1", {"room_t": 20.5}, NOW)
    assert topic == "x/report"
    assert json.loads(payload) == {"list": [{"at": "2026-09-21 22:13:20", "id": "D1", "room_t": 20.5}]}


def test_a_value_within_its_deadband_is_sent_again_only_as_a_heartbeat() -> None:
    step, none = (
        msgspec.structs.replace(r, deadband=d) for r, d in zip(pump_flow().maps[:2], (0.5, 0.0), strict=True)
    )
    sent: dict[str, tuple[float, float]] = {}
    a, b = step.external_key, none.external_key
    assert pick_changed((step, none), {a: 50.0, b: 1.0}, sent, 0.0) == {a: 50.0, b: 1.0}
    assert pick_changed((step, none), {a: 50.4, b: 1.0}, sent, 10.0) == {b: 1.0}
    assert pick_changed((step, none), {a: 50.6, b: 1.0}, sent, 20.0) == {a: 50.6, b: 1.0}
    assert pick_changed((step, none), {a: 50.2, b: 1.0}, sent, 30.0) == {b: 1.0}
    assert pick_changed((step, none), {a: 50.2, b: 1.0}, sent, 20.0 + HEARTBEAT_S) == {a: 50.2, b: 1.0}
