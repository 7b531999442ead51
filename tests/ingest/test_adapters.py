import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.adapters import make_adapters
from ingest.adapters.base import MAX_PAYLOAD
from ingest.adapters.downlink import Commander, Downlink
from ingest.adapters.sparkplug_b_pb2 import Payload
from ingest.adapters.sparkplug_payload import add_order, read_value
from ingest.store.owner import StoreOwner
from ingest.worker.decode import Decoder
from ingest.worker.inbox import Message
from tests.ingest.golden import RECEIVED, Case, describe, directory, find_cases, fresh_adapter
from tests.support.tiny import make_tiny_county
from twin.model.check_table import DIALECTS
from twin.model.errors import PayloadError
from twin.model.readings import Quality

KNOWN_KEYS = (
    "ts", "P1_TS", "P1_TR", "P1_PS", "p1Ts", "values", "HRZ-002", "device", "object", "time", "rxInfo",
    "rssi", "services", "properties", "service_id", "event_time", "devices", "device_id", "params",
    "subDevices", "sys", "identity", "value", "P1Ts", "data", "body", "type", "id", "supplyTemperature",
    "observedAt", "d", "t", "temp", "list", "name", "at", "pump", "sn",
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KNOWN_KEYS) | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=12,
)
TOPICS = st.sampled_from(
    [
        "heat/RTU0001/data", "heat/x/data", "heat//data", "v1/gateway/telemetry", "v1/gateway/connect",
        "v1/gateway/", "spBv1.0/g/DDATA/e/station03", "spBv1.0/g/DBIRTH/e/station03", "spBv1.0/g/NBIRTH/e",
        "homie/5/boiler-1/secondary/supply", "homie/5/boiler-1/$state", "homie/5/", "homie/5/a/b/c/d",
        "application/1/device/24e124136b502217/event/up",
        "application/1/device/24E124136B502217/event/status",
        "$oc/devices/5e06bfee334dd4f3_hrz01/sys/properties/report", "$oc/devices/gw/sys/",
        "$oc/devices/gw/sys/gateway/sub_devices/properties/report",
        "/sys/a1B2c3/hrz01/thing/event/property/post",
        "/sys/a1B2c3/hrz01/thing/event/property/pack/post", "/sys/x", "ngsi-ld/notify", "csv/LOG7/data",
        "spBv1.0/g/NDEATH/e", "spBv1.0/g/DDEATH/e/chp", "spBv1.0/", "spBv1.0/g/DDATA/e/x/y", "other",
        "factory/P7/up", "factory/P9/up", "pumps/report", "pumps/table", "pairs/P7",
    ]
)  # fmt: skip


@pytest.mark.parametrize("case", find_cases(), ids=lambda c: c.id)
def test_golden_case(case: Case) -> None:
    expected, error = case.folder / "expected.json", case.folder / "error.txt"
    assert expected.exists() != error.exists(), "a case has either expected.json or error.txt"
    if error.exists():
        with pytest.raises(PayloadError) as refused:
            case.decode()
        assert str(refused.value) == error.read_text(encoding="utf-8").rstrip("\n")
    else:
        assert describe(case.decode()) == json.loads(expected.read_text(encoding="utf-8"))


def test_every_adapter_has_cases_of_both_kinds() -> None:
    for adapter in make_adapters():
        folders = [c.folder for c in find_cases() if c.folder.parent.name == adapter.name]
        assert any((f / "expected.json").exists() for f in folders), adapter.name
        assert any((f / "error.txt").exists() for f in folders), adapter.name


def sparkplug_payloads() -> st.SearchStrategy[bytes]:
    metric = st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["Station/p1_ts", "bdSeq", ""]) | st.text(max_size=8),
            "alias": st.integers(0, 2**64 - 1),
            "timestamp": st.integers(0, 2**64 - 1),
            "datatype": st.integers(0, 40),
            "is_null": st.booleans(),
            "double_value": st.floats(),
        },
    )

    def build(seq: int, stamp: int, metrics: list[dict[str, object]]) -> bytes:
        payload = Payload(seq=seq, timestamp=stamp)
        for m in metrics:
            payload.metrics.add(**m)
        return payload.SerializeToString()

    whole = st.builds(
        build, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.lists(metric, max_size=5)
    )
    return st.tuples(whole, st.integers(0, 60)).map(lambda x: x[0][: max(len(x[0]) - x[1], 0)])


def as_payload(value: object) -> bytes:
    return json.dumps(value).encode()


CSV_CELLS = st.sampled_from(
    ["ts", "key", "value", "P1_TS", "80.5", "", "1700000000000", "1e999", '"', "累计流量"]
)
CSV_TABLES = st.lists(st.lists(CSV_CELLS, max_size=4).map(",".join), max_size=5).map(
    lambda rows: "\n".join(rows).encode()
)


@given(
    messages=st.lists(
        st.tuples(
            TOPICS, st.binary(max_size=200) | JSON_VALUES.map(as_payload) | sparkplug_payloads() | CSV_TABLES
        ),
        max_size=6,
    )
)
@settings(max_examples=300, deadline=None)
def test_any_message_is_read_or_refused_in_words(messages: list[tuple[str, bytes]]) -> None:
    adapters = make_adapters()
    for topic, payload in messages:
        for adapter in adapters:
            if adapter.matches(topic):
                try:
                    found = adapter.decode(topic, payload, RECEIVED, directory())
                except PayloadError as e:
                    assert str(e)
                else:
                    assert all(p for p in found.problems)
                    assert all(r.quality in set(Quality) for r in found.readings(directory(), RECEIVED))


@given(value=JSON_VALUES)
@settings(max_examples=200, deadline=None)
def test_a_good_value_survives_any_neighbour_that_is_json(value: object) -> None:
    try:
        payload = json.dumps({"P1_TR": value, "P1_TS": 80.0}, allow_nan=False).encode()
        json.loads(payload)
    except ValueError:
        return
    if any(0xD800 <= ord(c) < 0xE000 for c in json.loads(payload).__repr__()):
        return
    found = fresh_adapter("flat").decode("heat/RTU0001/data", payload, RECEIVED, directory())
    assert 80.0 in [r.value for r in found.readings(directory(), RECEIVED) if r.point_no == 0]


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"x" * (MAX_PAYLOAD + 1), "bytes, at most"),
        (b"[" * 200_000, "too deeply"),
        (b'{"a":' * 40_000, "too deeply"),
        (b"\xff\xfe\x00\x01", "not JSON"),
    ],
    ids=["large", "deep list", "deep object", "not text"],
)
@pytest.mark.parametrize("topic", ["heat/RTU0001/data", "v1/gateway/telemetry"])
def test_hostile_payloads_are_refused_with_the_reason(topic: str, payload: bytes, words: str) -> None:
    name = "flat" if topic.startswith("heat") else "thingsboard"
    with pytest.raises(PayloadError, match=words):
        fresh_adapter(name).decode(topic, payload, RECEIVED, directory())


def test_a_fault_inside_an_adapter_becomes_a_dead_letter_and_the_line_goes_on() -> None:
    class Broken:
        name = "broken"
        filters = ("#",)
        clockless = False

        def matches(self, topic: str) -> bool:
            return topic == "x"

        def decode(self, *_: object) -> None:
            raise ZeroDivisionError("a mistake of ours")

    decoder = Decoder((Broken(), *make_adapters()), directory())  # type: ignore[arg-type]
    good = b'{"P1_TS": 80}'
    batch, _ = decoder.decode_batch(
        [Message("x", b"1", RECEIVED, 1, 1, 1), Message("heat/RTU0001/data", good, RECEIVED, 2, 1, 1)]
    )
    assert list(batch.value) == [80.0]
    assert "ZeroDivisionError" in batch.dead[0].reason
    assert batch.counts["rejected_messages"] == 1


def test_a_partly_bad_message_is_counted_and_kept_beside_its_good_values() -> None:
    decoder = Decoder(make_adapters(), directory())
    payload = b'{"P1_TS": 80, "P1_TR": "warm", "NEW": 1}'
    batch, _ = decoder.decode_batch([Message("heat/RTU0001/data", payload, RECEIVED, 1, 1, 1)])
    assert list(batch.value) == [80.0]
    assert batch.counts == {
        "messages": 1, "rejected_messages": 0, "rejected_readings": 2, "late": 0, "unkept_messages": 0
    }  # fmt: skip
    assert "'P1_TR'" in batch.dead[0].reason and "'NEW'" in batch.dead[0].reason
    assert batch.dead[0].payload == payload


def test_aliases_outlive_a_restart_and_a_new_birth_is_asked_for(tmp_path: Path) -> None:
    folder = next(c.folder for c in find_cases() if c.id == "sparkplug/data-by-alias")
    case = Case(folder)
    births = [
        Message(
            (folder / f"before{i}.topic.txt").read_text().strip(),
            (folder / f"before{i}.bin").read_bytes(), RECEIVED, i, 1, 1,
        )
        for i in range(2)
    ]  # fmt: skip
    owner = StoreOwner(tmp_path / "x.duckdb", make_tiny_county().points)
    owner.write(Decoder(make_adapters(), directory()).decode_batch(births)[0])
    owner.close()
    owner = StoreOwner(tmp_path / "x.duckdb", make_tiny_county().points)
    decoder = Decoder(make_adapters(owner.read_memory()), directory())
    owner.close()
    batch, replies = decoder.decode_batch([Message(case.topic, case.payload, RECEIVED, 3, 1, 1)])
    assert [round(v, 6) for v in batch.value] == [81.0]
    assert batch.dead == ()
    assert [topic for topic, _ in replies] == ["spBv1.0/620999/NCMD/e1"]


def test_the_county_may_name_every_adapter_and_no_other() -> None:
    assert set(DIALECTS) == {a.name for a in make_adapters()}


def test_every_adapter_and_its_topics_stand_in_the_document() -> None:
    text = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text(encoding="utf-8")
    for adapter in make_adapters():
        assert f"| `{adapter.name}` |" in text
        for topic in adapter.filters:
            assert topic.split("/")[0] + "/" in text


def order(dialect: str, key: str, number: float) -> Downlink:
    device = next(d for (name, _), d in directory().devices.items() if name == dialect)
    return Downlink(device, key, number, 4711, RECEIVED, RECEIVED + 60)


def test_a_homie_switch_is_set_in_words_once_its_device_has_described_itself() -> None:
    adapter = fresh_adapter("homie")
    assert isinstance(adapter, Commander)
    down = order("homie", "pump/running", 1.0)
    assert adapter.encode_set(down)[1] == b"1"
    described = {"nodes": {"pump": {"properties": {"running": {"datatype": "boolean"}, "x": 7}}, "y": None}}
    adapter.decode("homie/5/boiler-1/$description", as_payload(described), RECEIVED, directory())
    assert adapter.encode_set(down) == ("homie/5/boiler-1/pump/running/set", b"true")
    assert adapter.encode_set(order("homie", "secondary/supply", 45.0))[1] == b"45"


def test_a_huawei_sub_device_is_written_through_its_gateway_and_answers_through_it() -> None:
    own, down = "5e06bfee334dd4f3_hrz01", order("huawei", "Station/p1Ts", 45.0)
    adapter = fresh_adapter("huawei")
    assert isinstance(adapter, Commander)
    assert adapter.encode_set(down)[0] == f"$oc/devices/{own}/sys/properties/set/request_id=4711"
    row = {"device_id": own, "services": [{"service_id": "Station", "properties": {"p1Ts": 81.5}}]}
    topic = "$oc/devices/gw/sys/gateway/sub_devices/properties/report"
    found = adapter.decode(topic, as_payload({"devices": [row]}), RECEIVED, directory())
    again = next(a for a in make_adapters(found.memory) if a.name == "huawei")  # as after a restart
    assert isinstance(again, Commander)
    topic, payload = again.encode_set(down)
    assert topic == "$oc/devices/gw/sys/properties/set/request_id=4711"
    assert json.loads(payload)["object_device_id"] == own
    answer = topic.replace("set/", "set/response/")
    said = again.decode(answer, b'{"result_code": 0}', RECEIVED, directory()).answers
    assert [(a.device_id, a.no, a.ok) for a in said] == [("X-huawei", 4711, True)]


@pytest.mark.parametrize("datatype", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
def test_a_sparkplug_order_says_its_number_in_the_datatype_of_the_birth(datatype: int) -> None:
    for number in (
        (0.0, 1.0) if datatype == 11 else (0.0, 45.0, -45.0 if datatype in (1, 2, 3, 4, 9, 10) else 99.0)
    ):
        command = Payload()
        add_order(command, "x", None, datatype, number)
        metric = Payload.FromString(command.SerializeToString()).metrics[0]
        assert (metric.name, metric.datatype, read_value(metric, 0)) == ("x", datatype, number)
