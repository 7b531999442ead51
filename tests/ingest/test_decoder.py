"""What the decoder remembers between messages: clocks, who is online, floods of bad messages."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.adapters import make_adapters
from ingest.adapters.base import LARGEST
from ingest.adapters.sparkplug_b_pb2 import Payload
from ingest.store.batch import Batch
from ingest.store.counters import add_up, find_turn
from ingest.worker.clocks import Clocks
from ingest.worker.decode import Decoder
from ingest.worker.inbox import Inbox, Message
from ingest.worker.quota import LIMITS, DeadLetterQuota
from ingest.worker.watch import BrokerWatch
from tests.ingest.golden import RECEIVED, directory
from tests.support.tiny import make_tiny_county
from twin.model.quantities import VENDOR_UNITS
from twin.model.readings import Quality

FLAT = next(d for d in make_tiny_county().devices if d.dialect == "flat")
TB = next(d for d in make_tiny_county().devices if d.dialect == "thingsboard")
SPARK = [d for d in make_tiny_county().devices if d.dialect == "sparkplug"]


def decoder() -> Decoder:
    return Decoder(make_adapters(), directory())


def message(topic: str, body: object, received: float = RECEIVED) -> Message:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(topic, payload, received, 1, 1, 1)


def flat(t: float, received: float = RECEIVED, value: float = 80.0) -> Message:
    return message("heat/RTU0001/data", {"ts": round(t * 1000), "P1_TS": value}, received)


def online(batch: Batch, device_id: str) -> bool:
    return next(m.online for m in batch.devices if m.device_id == device_id)


def test_a_number_that_would_become_infinite_in_si_is_refused_with_its_reason() -> None:
    assert max(scale for scale, _ in VENDOR_UNITS.values()) * LARGEST < float("inf")
    point = next(p for p in make_tiny_county().points if p.unit in ("GJ", "MWh"))
    device = next(d for d in make_tiny_county().devices if d.id == point.device_id)
    body = {"ts": round(RECEIVED * 1000), point.external_key: 1e307}
    if device.dialect == "flat":
        m = message(f"heat/{device.external_id}/data", body)
    else:
        m = message("v1/gateway/telemetry", {device.external_id: [{"ts": body.pop("ts"), "values": body}]})
    batch, _ = decoder().decode_batch([m])
    assert batch.point_no.size == 0
    assert "too large to be a measured value" in batch.dead[0].reason


@given(st.lists(st.floats() | st.integers(-(10**400), 10**400), max_size=4))
@settings(max_examples=200, deadline=None)
def test_nothing_but_finite_numbers_comes_out(numbers: list[float]) -> None:
    from ingest.adapters import Decoded

    found = Decoded()
    for x in numbers:
        found.add_values(directory(), FLAT, RECEIVED, RECEIVED, {"P1_TS": x})
    value = directory().convert(np.array(found.point_no, np.int64), np.array(found.number, float))
    assert np.isfinite(value).all()
    assert len(found.point_no) + len(found.problems) == len(numbers)


def test_data_heals_a_device_that_was_declared_gone() -> None:
    d = decoder()
    name, key = (
        TB.external_id,
        next(p.external_key for p in make_tiny_county().points if p.device_id == TB.id),
    )

    def row(t: float) -> dict[str, object]:
        return {name: [{"ts": round(t * 1000), "values": {key: 1.0}}]}

    batch, _ = d.decode_batch([message("v1/gateway/disconnect", {"device": name})])
    assert not online(batch, TB.id)
    batch, _ = d.decode_batch([message("v1/gateway/telemetry", row(RECEIVED - 30), RECEIVED + 5)])
    assert not online(batch, TB.id), "what was measured before the end says nothing of now"
    batch, _ = d.decode_batch([message("v1/gateway/telemetry", row(RECEIVED + 9), RECEIVED + 10)])
    assert online(batch, TB.id)


def test_a_device_gone_before_a_restart_is_healed_after_it() -> None:
    d = Decoder(make_adapters(), directory(), offline_since={FLAT.id: RECEIVED - 60})
    batch, _ = d.decode_batch([flat(RECEIVED - 90)])
    assert not online(batch, FLAT.id)
    batch, _ = d.decode_batch([flat(RECEIVED)])
    assert online(batch, FLAT.id)


def sparkplug(verb: str, device: str = "", bd_seq: int | None = None, **fields: int) -> Message:
    p = Payload(timestamp=round(RECEIVED * 1000), **fields)
    if bd_seq is not None:
        p.metrics.add(name="bdSeq", datatype=8, long_value=bd_seq)
    if device and verb != "DDEATH":
        p.metrics.add(name="Station/p1_ts", datatype=10, double_value=80.0)
    topic = f"spBv1.0/620999/{verb}/e1" + (f"/{device}" if device else "")
    return message(topic, p.SerializeToString())


def test_the_will_of_an_earlier_connection_takes_nobody_offline() -> None:
    d = decoder()
    name, device_id = SPARK[0].external_id, SPARK[0].id
    births = [sparkplug("NBIRTH", bd_seq=4, seq=0), sparkplug("DBIRTH", name, seq=1)]
    batch, _ = d.decode_batch(births)
    assert online(batch, device_id)
    d.decode_batch([sparkplug("NBIRTH", bd_seq=5, seq=0), sparkplug("DBIRTH", name, seq=1)])
    batch, _ = d.decode_batch([sparkplug("NDEATH", bd_seq=4)])
    assert batch.devices == () and device_id not in d.offline_since
    batch, _ = d.decode_batch([sparkplug("NDEATH", bd_seq=5)])
    assert not online(batch, device_id)


def test_the_number_of_the_connection_outlives_a_restart() -> None:
    first = decoder()
    name = SPARK[0].external_id
    batch, _ = first.decode_batch([sparkplug("NBIRTH", bd_seq=9, seq=0), sparkplug("DBIRTH", name, seq=1)])
    d = Decoder(make_adapters(batch.memory), directory())
    d.decode_batch([sparkplug("NDEATH", bd_seq=8)])
    assert not d.offline_since
    d.decode_batch([sparkplug("NDEATH", bd_seq=9)])
    assert SPARK[0].id in d.offline_since


def test_memory_of_the_earlier_schema_is_still_read() -> None:
    old = {"sparkplug/620999/e1": json.dumps({SPARK[0].external_id: [[7, "Station/p1_ts"]]})}
    d = Decoder(make_adapters(old), directory())
    p = Payload(timestamp=round(RECEIVED * 1000), seq=3)
    p.metrics.add(alias=7, datatype=10, double_value=81.0)
    batch, replies = d.decode_batch(
        [message(f"spBv1.0/620999/DDATA/e1/{SPARK[0].external_id}", p.SerializeToString())]
    )
    assert batch.point_no.size == 1 and batch.dead == () and len(replies) == 1


def test_a_gap_seen_at_a_death_asks_for_a_birth_too() -> None:
    d = decoder()
    name = SPARK[0].external_id
    d.decode_batch([sparkplug("NBIRTH", bd_seq=0, seq=0), sparkplug("DBIRTH", name, seq=1)])
    _, replies = d.decode_batch([sparkplug("DDEATH", name, seq=5)])
    assert [topic for topic, _ in replies] == ["spBv1.0/620999/NCMD/e1"]


def test_values_of_the_edge_node_itself_are_named_and_not_dropped_silently() -> None:
    p = Payload(timestamp=round(RECEIVED * 1000), seq=1)
    p.metrics.add(name="Cabinet/temperature", datatype=10, double_value=31.0)
    p.metrics.add(name="Node Control/Rebirth", datatype=11, boolean_value=False)
    batch, _ = decoder().decode_batch([message("spBv1.0/620999/NDATA/e1", p.SerializeToString())])
    assert "1 values of edge node 'e1' itself, such as 'Cabinet/temperature'" in batch.dead[0].reason


def test_values_of_an_edge_node_that_is_a_device_are_read() -> None:
    p = Payload(timestamp=round(RECEIVED * 1000), seq=0)
    p.metrics.add(name="bdSeq", datatype=8, long_value=0)
    p.metrics.add(name="Station/p1_ts", datatype=10, double_value=81.0)
    edge = SPARK[0].external_id
    batch, _ = decoder().decode_batch([message(f"spBv1.0/620999/NBIRTH/{edge}", p.SerializeToString())])
    assert batch.value.size == 1 and batch.dead == () and online(batch, SPARK[0].id)


def test_a_flood_is_kept_in_part_and_counted_whole_and_others_keep_theirs() -> None:
    d = decoder()
    flood = [message("heat/noisy/data", b"{%d" % i) for i in range(20_000)]
    other = [message("v1/gateway/telemetry", b"[%d" % i) for i in range(20)]
    batch, _ = d.decode_batch([*flood, *other])
    kept = [x for x in batch.dead if x.topic == "heat/noisy/data"]
    assert 0 < len(kept) <= LIMITS[0][0]
    assert sum(x.topic == "v1/gateway/telemetry" for x in batch.dead) == 20
    assert batch.counts["rejected_messages"] == 20_020
    assert batch.counts["unkept_messages"] == 20_000 - len(kept)
    notice = batch.notices[0]
    assert (notice.kind, notice.subject, notice.count) == (
        "dead_letter_flood", "heat/noisy/data", 20_000 - len(kept),
    )  # fmt: skip


def test_invented_senders_do_not_fill_the_memory() -> None:
    quota = DeadLetterQuota()
    for i in range(30_000):
        quota.add(f"x{i}/y", b"%d" % i, "bad", RECEIVED + i / 1000)
    dead, notices, dropped = quota.take(RECEIVED)
    assert len(quota.buckets) <= 2000 and len(quota.known) <= 20_000
    assert len(dead) < 6000 and len(dead) + dropped == 30_000 and len(notices) <= 20


def test_large_bad_payloads_cost_more() -> None:
    quota = DeadLetterQuota()
    for i in range(3000):
        quota.add("heat/x/data", b"%5d" % i + b"x" * 200_000, "too large", RECEIVED)
    dead, _, _ = quota.take(RECEIVED)
    assert sum(len(x.payload) for x in dead) < 6_000_000


def test_the_same_bad_message_costs_nothing_again() -> None:
    quota = DeadLetterQuota()
    for _ in range(50_000):
        quota.add("heat/x/data", b"{", "bad", RECEIVED)
    dead, notices, dropped = quota.take(RECEIVED)
    assert [x.count for x in dead] == [50_000] and dropped == 0 and notices == ()


def test_a_clock_off_is_measured_and_its_readings_marked() -> None:
    d = decoder()
    for i in range(5):
        batch, _ = d.decode_batch([flat(RECEIVED + i - 100, RECEIVED + i)])
    assert batch.devices[0].skew_s == pytest.approx(-100, abs=1)
    assert list(batch.quality) == [Quality.UNCERTAIN]
    batch, _ = d.decode_batch([flat(RECEIVED + 400, RECEIVED + 10)])
    assert batch.devices[0].skew_s == pytest.approx(390, abs=1), "ahead by minutes is measured too"


def test_late_messages_after_an_outage_do_not_look_like_a_clock_gone_back() -> None:
    clocks = Clocks()
    clocks.follow("d", RECEIVED, RECEIVED + 0.2)
    for i in range(2000):
        clocks.follow("d", RECEIVED - 7200 + i, RECEIVED + 20 + i / 1000)
    assert abs(clocks.skew("d")) < 120
    clocks.follow("d", RECEIVED + 30, RECEIVED + 30.2)
    assert clocks.skew("d") == pytest.approx(-0.2, abs=0.01)


def test_a_first_message_from_long_ago_tells_nothing_of_the_clock_but_half_an_hour_of_them_does() -> None:
    clocks = Clocks()
    clocks.follow("d", RECEIVED - 3600, RECEIVED)
    assert np.isnan(clocks.told("d")) and clocks.skew("d") == 0.0
    for i in range(1, 32):
        clocks.follow("d", RECEIVED - 3600 + 60 * i, RECEIVED + 60 * i)
    assert clocks.told("d") == pytest.approx(-3600)


def test_a_clock_set_back_is_learnt_in_time() -> None:
    clocks = Clocks()
    clocks.follow("d", RECEIVED + 300, RECEIVED)
    for i in range(300):
        clocks.follow("d", RECEIVED + 60 * i, RECEIVED + 60 * i)
    assert clocks.skew("d") < 1.0


@pytest.mark.parametrize(
    ("before", "after", "scale", "turn"),
    [
        (999_999.8, 0.3, 1e9, 1e6 * 1e9),
        (99_990.0, 25.0, 3.6e6, 1e5 * 3.6e6),
        (4_294_967_290.0, 12.0, 1.0, 2.0**32),
        (523_410.0, 0.0, 1e9, 0.0),
        (999_999.0, 600_000.0, 1.0, 0.0),
        (0.0, -1.0, 1.0, 0.0),
    ],
)
def test_a_full_turn_is_told_from_a_set_back(before: float, after: float, scale: float, turn: float) -> None:
    assert find_turn(before * scale, after * scale, scale) == pytest.approx(turn)


def test_consumption_goes_on_over_turns_resets_and_glitches() -> None:
    value = np.array([999_990.0, 999_998.0, 5.0, 10.0, 0.0, 7.0, 6.9, 7.5])
    span = np.array([0, 0, 1e6, 0, 0, 0, 0, 0.0])
    assert add_up(value, span) == pytest.approx(8 + 7 + 5 + 0 + 7 + 0.5)
    assert np.isnan(add_up(np.zeros(0), np.zeros(0)))


def test_drops_at_the_broker_are_counted_over_its_restart_and_ours() -> None:
    watch = BrokerWatch()
    watch.see(b"100")
    assert watch.take() == 0, "what was dropped before we ever looked is not ours to tell"
    watch.see(b"130")
    assert watch.take() == 30
    watch.see(b"7")
    watch.see(b"nonsense")
    assert watch.take() == 7
    after = BrokerWatch(watch.seen)
    after.see(b"9")
    assert after.take() == 2


def test_a_flood_in_one_lane_leaves_the_others_their_turn() -> None:
    inbox = Inbox(lanes=3, size=5000)
    for i in range(5000):
        inbox.put(Message("heat/x/data", b"", 0.0, i, 1, 1, lane=0))
    inbox.put(Message("v1/gateway/telemetry", b"", 0.0, 1, 1, 1, lane=1))
    first = inbox.collect(0.0, 900)
    assert len(first) == 900 and sum(m.lane == 1 for m in first) == 1


def test_the_inbox_is_bounded_in_bytes_and_lets_go_when_closed() -> None:
    import threading

    inbox = Inbox(size=1000, max_bytes=10_000)
    taken: list[bool] = []

    def fill() -> None:
        for i in range(100):
            taken.append(inbox.put(Message("t", b"x" * 1000, 0.0, i, 1, 1)))

    thread = threading.Thread(target=fill)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive() and len(inbox) == 10
    assert len(inbox.collect(0.0, 5)) == 5
    inbox.close()
    thread.join(2.0)
    assert not thread.is_alive() and inbox.waiting_bytes <= 10_000
    assert False in taken


def test_a_message_of_each_device_an_hour_is_kept_as_it_came() -> None:
    one, keys = (
        decoder(),
        {d.id: p.external_key for p in make_tiny_county().points for d in [TB] if p.device_id == d.id},
    )
    both = message(
        "v1/gateway/telemetry", {TB.external_id: [{"ts": round(RECEIVED * 1000), "values": {keys[TB.id]: 1}}]}
    )

    def kept(*messages: Message) -> list[tuple[tuple[str, ...], str]]:
        return [(m.devices, m.topic) for m in one.decode_batch(messages)[0].messages]

    assert kept(flat(RECEIVED), flat(RECEIVED + 1), both, message("heat/RTU0001/data", b"{")) == [
        ((FLAT.id,), "heat/RTU0001/data"), ((TB.id,), "v1/gateway/telemetry"),
    ]  # fmt: skip
    assert kept(flat(RECEIVED + 3599, RECEIVED + 3599), both) == []
    large = message(
        "heat/RTU0001/data", {"ts": round(RECEIVED * 1000), "P1_TS": 80, "x": "y" * 20_000}, RECEIVED + 3600
    )
    (found,) = one.decode_batch([large])[0].messages
    assert (found.devices, len(found.payload), found.size) == ((FLAT.id,), 16_384, len(large.payload))
