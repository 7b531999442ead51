"""Flows through every block, and what they add to a county."""

import json
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from ingest.adapters import compile_directory, make_adapters
from ingest.county import load_county, save_county
from ingest.onboarding.check import check_flow
from ingest.onboarding.flow import KINDS, Block, FlowDevice, MapRow, Source, overlap
from ingest.onboarding.publish import Refused, go_to, publish, set_simulated, undo
from ingest.onboarding.rows import make_devices, make_points
from ingest.onboarding.state import RETIRED, State, merge_county, read_state
from ingest.onboarding.trace import Message, trace
from ingest.onboarding.troubles import TROUBLES, make_trouble
from tests.onboarding.flows import NOW, TOPIC, message, payload, pump_flow
from tests.support.tiny import make_tiny_county
from twin.model.errors import CountyError, InputError

COUNTY = make_tiny_county()


def codes(flow: object, state: State | None = None) -> set[str]:
    return {t.code for t in check_flow(flow, COUNTY, state or State()) if t.is_error}


def test_a_message_is_shown_at_every_block() -> None:
    blocks = trace(pump_flow(), message(), COUNTY, State())
    assert [b.kind for b in blocks] == list(KINDS)
    assert [b.state for b in blocks] == ["ok"] * 5
    source, decode, mapped, check, publish_ = blocks
    assert source.rows[0]["topic"] == TOPIC and '"55.5"' in str(source.rows[0]["text"])
    assert [(r["key"], r["number"]) for r in decode.rows] == [("temp", 55.5), ("press", 850.0)]
    assert [(r["point"], r["value"], r["unit"]) for r in mapped.rows] == [
        ("S01:P7/pump_t", 55.5, "°C"),
        ("S01:P7/pump_p", pytest.approx(0.85), "MPa"),
    ]
    assert {r["quality"] for r in check.rows} == {"good"}
    assert [r["point"] for r in publish_.rows] == ["S01:P7/pump_t", "S01:P7/pump_p"]


def test_what_a_device_of_a_known_dialect_says_is_read_by_its_adapter() -> None:
    flow = pump_flow(dialect="flat", source=None, devices=(FlowDevice("NEW1", "新站", "S01", "NEW1"),))
    body = json.dumps({"ts": NOW * 1000, "temp": 50, "press": 800}).encode()
    blocks = trace(flow, Message("heat/NEW1/data", body, NOW), COUNTY, State())
    assert [b.state for b in blocks] == ["ok"] * 5
    wrong = trace(flow, Message("v1/gateway/telemetry", body, NOW), COUNTY, State())
    assert [t.code for t in wrong[0].troubles] == ["other_topic"]


@pytest.mark.parametrize(
    ("sent", "block", "code"),
    [
        (payload(temp=155.0, press=1), "check", "out_of_range"),
        (payload(t=NOW - 600), "check", "clock_off"),
        (payload(t=NOW + 86_400), "check", "clock_lost"),
        (payload(temp=1, other=2), "map", "not_mapped"),
        (payload(temp=1, press="much"), "decode", "partly"),
        (b"{", "decode", "unreadable"),
        (b'{"d": {}}', "decode", "nothing_read"),
    ],
)
def test_what_is_wrong_with_a_message_is_said_where_it_is(sent: bytes, block: str, code: str) -> None:
    blocks = trace(pump_flow(), Message(TOPIC, sent, NOW), COUNTY, State())
    assert code in [t.code for b in blocks if b.kind == block for t in b.troubles]
    assert all(t.text("zh") and t.text("en") for b in blocks for t in b.troubles)


def test_a_stranger_beside_the_listed_device_is_named() -> None:
    blocks = trace(pump_flow(), Message("factory/P8/up", payload(), NOW), COUNTY, State())
    assert [dict(t.values)["name"] for t in blocks[2].troubles if t.code == "not_listed"] == ["P8"]


def test_a_fault_before_is_said_at_the_last_block_too() -> None:
    blocks = trace(pump_flow(devices=(FlowDevice("P7", "x", ""),)), message(), COUNTY, State())
    assert [b.state for b in blocks] == ["ok", "ok", "bad", "ok", "bad"]
    assert [t.code for t in blocks[4].troubles] == ["errors_before"]


def test_blocks_that_are_not_linked_are_not_reached() -> None:
    blocks = tuple(Block(k, 0, 0) for k in KINDS)
    flow = pump_flow(blocks=blocks, links=(("source", "decode"), ("map", "check")))
    assert [b.state for b in trace(flow, message(), COUNTY, State())][2:] == ["idle"] * 3
    assert "not_linked" in codes(flow)
    linked = msgspec.structs.replace(flow, links=tuple(pairwise(KINDS)))
    assert codes(linked) == set()


P7 = pump_flow().devices[0]
TEMP = pump_flow().maps[0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "Pump 7"}, "flow_id"),
        ({"name": " "}, "flow_name"),
        ({"source": None}, "no_source"),
        ({"dialect": "morse", "source": None}, "no_source"),
        ({"source": Source("#")}, "bad_filter"),
        ({"source": Source("a/b#")}, "bad_filter"),
        ({"source": Source("$SYS/x")}, "bad_filter"),
        ({"source": Source("heat/+/data")}, "filter_taken"),
        ({"source": Source("heat/#")}, "filter_taken"),
        ({"source": Source("a/+", format="xml")}, "bad_source"),
        ({"source": Source("a/+", device_at="x")}, "bad_source"),
        ({"maps": ()}, "no_maps"),
        ({"maps": (TEMP, msgspec.structs.replace(TEMP, key="x"))}, "map_twice"),
        ({"maps": (msgspec.structs.replace(TEMP, key="Temp!"),)}, "bad_key"),
        ({"maps": (msgspec.structs.replace(TEMP, unit="MPa"),)}, "bad_measure"),
        ({"maps": (msgspec.structs.replace(TEMP, low=5, high=1),)}, "bad_measure"),
        ({"maps": (msgspec.structs.replace(TEMP, key="p1_ps"),)}, "kind_differs"),
        ({"maps": (msgspec.structs.replace(TEMP, period_s=0),)}, "bad_period"),
        ({"devices": ()}, "no_devices"),
        ({"devices": (P7, P7)}, "device_twice"),
        ({"devices": (FlowDevice("P7", "x", "nowhere"),)}, "unknown_place"),
        ({"devices": (FlowDevice("P7", "x", ""),)}, "no_place"),
        ({"devices": (FlowDevice("", "x", "S01"),)}, "bad_device"),
        ({"devices": (FlowDevice("P7", "x", "S01", "a/b"),)}, "bad_part"),
        ({"devices": (P7, FlowDevice("P8", "八号泵", "S01", "P7"))}, "point_clash"),
        ({"devices": tuple(FlowDevice(f"P{i}", "x", "S01", f"P{i}") for i in range(2001))}, "too_many"),
        (
            {
                "maps": (MapRow("t", "p1_ts", "temperature", "°C", 0, 150),),
                "devices": (FlowDevice("P7", "x", "S01"),),
            },
            "point_taken",
        ),
        (
            {"dialect": "flat", "source": None, "devices": (FlowDevice("RTU0001", "x", "S01", "n"),)},
            "device_taken",
        ),
    ],
)  # fmt: skip
def test_a_faulty_flow_is_refused_with_its_reason(change: dict[str, object], code: str) -> None:
    assert code in codes(pump_flow(**change))


def test_a_good_flow_has_no_faults() -> None:
    assert check_flow(pump_flow(), COUNTY, State()) == ()


def test_every_reason_has_both_languages() -> None:
    for code in TROUBLES:
        _, zh, en = TROUBLES[code]
        assert zh and en and zh != en
        assert not make_trouble("map", code).values


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("a/+", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/+/c", "+/b/c", True),
        ("a/b", "a/c", False),
        ("a/+", "a/b/c", False),
        ("a", "a/b", False),
    ],
)
def test_filters_overlap_when_a_topic_passes_both(one: str, other: str, both: bool) -> None:
    assert overlap(one, other) is both
    assert overlap(other, one) is both


def test_published_points_are_read_from_then_on(tmp_path: Path) -> None:
    state = publish(tmp_path, COUNTY, pump_flow(), "li", revision=0)
    county = merge_county(COUNTY, read_state(tmp_path))
    assert [p.no for p in county.points] == list(range(len(COUNTY.points) + 2))
    directory = compile_directory(county, state.sources, state.ignored)
    found = make_adapters()[-1].decode(TOPIC, payload(), NOW, directory)
    readings = found.readings(directory, NOW)
    assert {county.points[r.point_no].id: r.value for r in readings} == {
        "S01:P7/pump_t": 55.5,
        "S01:P7/pump_p": 850_000.0,
    }


def test_a_station_of_its_own_is_compared_by_the_twin_and_a_part_of_one_is_not() -> None:
    rows = (
        MapRow("t", "p1_ts", "temperature", "°C", 0, 150),
        MapRow("x", "pump_t", "temperature", "°C", 0, 150),
    )
    own = make_points(pump_flow(maps=rows, devices=(FlowDevice("P7", "x", "S01"),)))
    part = make_points(pump_flow(maps=rows, devices=(FlowDevice("P7", "x", "S01", "2"),)))
    assert [p.simulated for p in (*own, *part)] == [True, False, False, False]
    assert [p.id for p in (*own, *part)] == ["S01/p1_ts", "S01/pump_t", "S01:2/p1_ts", "S01:2/pump_t"]
    (device,) = make_devices(pump_flow(devices=(FlowDevice("P7", "x", "B01", "302"),)))
    assert device.place_id == "B01", "a room's sensor belongs to its building"


def test_undo_retires_and_the_numbers_are_kept_for_ever(tmp_path: Path) -> None:
    first = publish(tmp_path, COUNTY, pump_flow(), "li")
    n = len(COUNTY.points)
    more = pump_flow(maps=(*pump_flow().maps, MapRow("hz", "pump_hz", "frequency", "Hz", 0, 50)))
    second = publish(tmp_path, COUNTY, more, "li", revision=first.revision)
    assert {p.id: p.no for p in second.points}["S01:P7/pump_hz"] == n + 2
    back = undo(tmp_path, COUNTY, "pump-p7")
    assert back.find("pump-p7").live == 1
    hz = next(p for p in back.points if p.key == "pump_hz")
    assert hz.no == n + 2 and hz.external_key.startswith("~")
    gone = undo(tmp_path, COUNTY, "pump-p7")
    assert gone.live == () and {d.kind for d in gone.devices} == {RETIRED}
    with pytest.raises(Exception, match="unknown device"):
        county = merge_county(COUNTY, gone)
        directory = compile_directory(county, {"pump-p7": pump_flow().source}, {})
        make_adapters()[-1].decode(TOPIC, payload(), NOW, directory)
    other = pump_flow(id="other", devices=(FlowDevice("P7", "x", "S01", "P8"),))
    again = publish(tmp_path, COUNTY, other, "li")
    assert min(p.no for p in again.points if p.id.startswith("S01:P8/")) == n + 3
    revived = go_to(tmp_path, COUNTY, "other", 0)
    revived = go_to(tmp_path, COUNTY, "pump-p7", 2)
    assert {p.id: p.no for p in revived.points if p.device_id == "pump-p7.P7"} == {
        "S01:P7/pump_t": n, "S01:P7/pump_p": n + 1, "S01:P7/pump_hz": n + 2
    }  # fmt: skip
    assert [v.number for v in revived.find("pump-p7").versions] == [1, 2]


def test_two_flows_may_not_share_what_is_on_the_wire(tmp_path: Path) -> None:
    state = publish(tmp_path, COUNTY, pump_flow(), "li")
    assert "filter_taken" in codes(pump_flow(id="second"), state)
    elsewhere = pump_flow(id="second", source=Source("mill/+/up"))
    assert "point_taken" in codes(elsewhere, state)


def test_of_two_who_publish_at_once_one_is_told(tmp_path: Path) -> None:
    publish(tmp_path, COUNTY, pump_flow(), "li", revision=0)
    with pytest.raises(Refused) as refused:
        publish(tmp_path, COUNTY, pump_flow(name="另一个"), "wang", revision=0)
    assert [t.code for t in refused.value.troubles] == ["conflict"]
    assert read_state(tmp_path).find("pump-p7").flow.name == "七号泵房"


def test_a_refused_flow_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        publish(tmp_path, COUNTY, pump_flow(maps=()), "li")
    assert not (tmp_path / "onboarding.json").exists()


def test_the_county_folder_knows_what_was_onboarded(tmp_path: Path) -> None:
    save_county(COUNTY, tmp_path)
    publish(tmp_path, load_county(tmp_path, onboarded=False), pump_flow(), "li")
    assert load_county(tmp_path).points[-1].id == "S01:P7/pump_p"
    assert load_county(tmp_path, onboarded=False).points == load_county(tmp_path).points[:-2]


def test_a_damaged_file_is_named_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "onboarding.json").write_text('{"format": 1, "flows": 3}')
    with pytest.raises(CountyError, match=r"onboarding.json: .*flows.*restore it from a backup"):
        read_state(tmp_path)


def test_a_number_that_stands_twice_is_named_with_the_mend(tmp_path: Path) -> None:
    state = publish(tmp_path, COUNTY, pump_flow(), "li")
    points = tuple(msgspec.structs.replace(state, points=()).points)
    assert points == ()
    clash = msgspec.structs.replace(state, points=(state.points[0], state.points[0]))
    with pytest.raises(CountyError, match=r"point number \d+ .* give a new row of county.gpkg the number"):
        merge_county(COUNTY, clash)


def test_simulated_times_are_written_down(tmp_path: Path) -> None:
    publish(tmp_path, COUNTY, pump_flow(), "li")
    clock = iter([10.0, 20.0, 30.0])
    set_simulated(tmp_path, "pump-p7", True, lambda: next(clock))
    state = set_simulated(tmp_path, "pump-p7", False, lambda: next(clock))
    assert [(s.since, s.until) for s in state.simulated] == [(10.0, 20.0)]
    with pytest.raises(InputError, match="no flow"):
        set_simulated(tmp_path, "nobody", True)
