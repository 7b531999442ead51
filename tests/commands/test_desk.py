"""From a request to its effect: limits, two pairs of eyes, time-outs, what the device says, the audit."""

import json
from dataclasses import replace

import pytest

from ingest.adapters.sparkplug_b_pb2 import Payload
from ingest.commands.rules import WAIT_S
from ingest.demo.devices.dialects import Bundle, SparkplugEdge
from tests.commands.conftest import NOW, Office
from twin.model.errors import InputError
from twin.model.setpoints import SETPOINTS, find_limits, list_setpoints


def tell(office: Office, key: str, number: float, t: float | None = None) -> None:
    """Station S01 (flat) says a number in its own unit."""
    at = office.now if t is None else t
    office.say("heat/RTU0001/data", json.dumps({"ts": round(at * 1000), key: number}).encode())


def approve(office: Office, no: int, who: str = "wang") -> None:
    office.wish("approve", no, who)


def send_valve(office: Office) -> int:
    """S01 at 40 %, asked for 50 % and approved."""
    tell(office, "CV_SP", 40.0)
    tell(office, "CV_POS", 40.0)
    no = office.ask("S01/cv_sp", 0.5)
    approve(office, no)
    return no


def test_asked_approved_sent_and_read_back(office: Office) -> None:
    no = send_valve(office)
    topic, payload, valid_s = office.wire[0]
    assert topic == "heat/RTU0001/set"
    assert json.loads(payload) == {
        "id": no, "ts": round(NOW * 1000), "until": round((NOW + 240) * 1000), "CV_SP": 50,
    }  # fmt: skip
    assert valid_s == pytest.approx(240)
    assert office.find(no).state == "sent"
    for after, position in ((10, 44.0), (20, 49.5)):
        office.now = NOW + after
        tell(office, "CV_POS", position)
        office.desk.work()
    done = office.find(no)
    assert (done.state, done.seen, done.before) == ("done", pytest.approx(0.495), pytest.approx(0.4))
    assert (done.requested_by, done.approved_by) == ("li", "wang")
    assert office.steps(no) == [("requested", "li"), ("approved", "wang"), ("sent", ""), ("done", "")]


def test_nothing_is_sent_before_a_second_account_approves(office: Office) -> None:
    tell(office, "CV_SP", 40.0)
    no = office.ask("S01/cv_sp", 0.5)
    approve(office, no, "li")
    assert office.wire == [] and office.find(no).state == "waiting"
    assert office.steps(no)[-1] == ("approve refused", "li")
    approve(office, no, "")
    assert office.wire == []
    approve(office, no, "wang")
    assert len(office.wire) == 1


def test_whoever_asks_may_approve_where_the_county_says_so(office: Office) -> None:
    office.approval = "one"
    office.open_desk()
    no = office.ask("S01/cv_sp", 0.5)
    assert office.find(no).state == "sent" and len(office.wire) == 1


def test_switched_off_nothing_goes_out(office: Office) -> None:
    office.approval = "off"
    office.open_desk()
    no = office.ask("S01/cv_sp", 0.5)
    assert office.find(no).state == "refused" and office.wire == []


@pytest.mark.parametrize(
    ("point", "value", "words"),
    [
        ("S01/cv_sp", 1.2, "outside 5 % to 100 %"), ("S01/cv_sp", 0.01, "outside"),
        ("S01/cv_sp", 0.9, "more than 30 % at once"), ("S01/cv_sp", float("nan"), "finite"),
        ("S01/p1_ts", 80.0, "is not a set-point"), ("S01/mode", 0.5, "only whole values"),
        ("SRC1/src_ts_sp", 140.0, "outside 60.0 °C to 130.0 °C"),
    ],
)  # fmt: skip
def test_a_limit_refuses_in_words_and_is_written_down(
    office: Office, point: str, value: float, words: str
) -> None:
    tell(office, "CV_SP", 40.0)
    no = office.ask(point, value)
    assert office.find(no).state == "refused" and words in office.find(no).detail
    assert [s for s, _ in office.steps(no)] == ["requested", "refused"]
    approve(office, no)
    assert office.wire == []


def test_limits_are_checked_again_when_it_is_approved(office: Office) -> None:
    tell(office, "CV_SP", 40.0)
    no = office.ask("S01/cv_sp", 0.5)
    office.now += 60
    tell(office, "CV_SP", 10.0)
    approve(office, no)
    assert office.find(no).state == "refused" and "at once" in office.find(no).detail and office.wire == []


def test_a_real_plant_is_written_by_named_accounts_only(office: Office) -> None:
    office.county = replace(office.county, meta=replace(office.county.meta, demo=False))
    office.open_desk()
    assert office.find(office.ask("S01/cv_sp", 0.5, who="")).state == "refused"
    assert office.find(office.ask("S01/cv_sp", 0.5, who="li")).state == "waiting"


def test_a_demo_county_without_accounts_may_be_tried_by_whoever_sits_there(office: Office) -> None:
    no = office.ask("S01/cv_sp", 0.5, who="")
    approve(office, no, "")
    assert office.find(no).state == "sent"


def test_a_dead_device_times_out(office: Office) -> None:
    no = send_valve(office)
    office.now = NOW + 239
    office.desk.work()
    assert office.find(no).state == "sent"
    office.now = NOW + 241
    office.desk.work()
    assert office.find(no).state == "timed_out" and office.find(no).detail.startswith("silent: ")
    assert office.steps(no)[-1] == ("timed_out", "")


def test_while_the_broker_is_away_nothing_is_kept_for_later(office: Office) -> None:
    office.broker_there = False
    no = send_valve(office)
    assert office.find(no).state == "refused" and office.find(no).detail.startswith("broker: ")
    office.broker_there = True
    office.now += 5
    office.desk.work()
    assert office.wire == []


def test_a_stuck_valve_is_told_as_a_difference(office: Office) -> None:
    no = send_valve(office)
    office.say("heat/RTU0001/ack", json.dumps({"id": no, "ok": True}).encode())
    office.now = NOW + 100
    tell(office, "CV_POS", 40.0)
    office.now = NOW + 241
    office.desk.work()
    assert office.find(no).state == "differs" and office.find(no).seen == pytest.approx(0.4)


def test_the_device_says_no_with_its_reason(office: Office) -> None:
    no = send_valve(office)
    office.now += 1
    office.say("heat/RTU0001/ack", json.dumps({"id": no, "ok": False, "error": "in local mode"}).encode())
    office.desk.work()
    assert (office.find(no).state, office.find(no).detail) == ("refused", "in local mode")
    assert office.steps(no)[-2:] == [("answered", "D-S01"), ("refused", "")]


def test_an_answer_of_another_device_or_number_changes_nothing(office: Office) -> None:
    no = send_valve(office)
    office.say("heat/RTU0004/ack", json.dumps({"id": no, "ok": False}).encode())
    office.say("heat/RTU0001/ack", json.dumps({"id": no + 1, "ok": False}).encode())
    office.desk.work()
    assert office.find(no).state == "sent"


def test_what_was_measured_before_the_sending_proves_nothing(office: Office) -> None:
    """The position stands at the wanted value already, from before: only a new reading or a yes counts."""
    tell(office, "CV_SP", 40.0)
    tell(office, "CV_POS", 50.0, t=NOW - 5)
    no = office.ask("S01/cv_sp", 0.5)
    approve(office, no)
    office.now += 30
    tell(office, "CV_POS", 50.0, t=NOW - 5)
    office.desk.work()
    assert office.find(no).state == "sent"
    office.say("heat/RTU0001/ack", json.dumps({"id": no, "ok": True}).encode())
    office.desk.work()
    assert office.find(no).state == "done"


def test_one_open_command_per_point(office: Office) -> None:
    first = office.ask("S01/cv_sp", 0.5)
    office.now += 1
    second = office.ask("S01/cv_sp", 0.6)
    assert office.find(second).state == "refused" and "not finished" in office.find(second).detail
    office.wish("withdraw", first, "zhao")
    assert office.find(first).state == "waiting"
    office.wish("withdraw", first, "li")
    assert office.find(first).state == "withdrawn"
    office.now += 1
    assert office.find(office.ask("S01/cv_sp", 0.6)).state == "waiting"


def test_rejected_and_forgotten_requests_end(office: Office) -> None:
    first = office.ask("S01/cv_sp", 0.5)
    office.wish("reject", first, "wang", text="not today")
    assert (office.find(first).state, office.find(first).detail) == ("rejected", "not today")
    approve(office, first)
    office.now += 1
    second = office.ask("S01/cv_sp", 0.5)
    office.now += WAIT_S + 1
    office.desk.work()
    assert office.find(second).state == "expired" and office.wire == []


def test_a_restart_of_ingest_sends_nothing_twice_and_still_watches(office: Office) -> None:
    no = send_valve(office)
    office.open_desk()
    office.now += 20
    office.desk.work()
    assert len(office.wire) == 1
    tell(office, "CV_POS", 50.0)
    office.desk.work()
    assert office.find(no).state == "done"


def test_thingsboard_gateways_are_called_by_rpc(office: Office) -> None:
    no = office.ask("S02/s2_ts_sp", 50.0)
    approve(office, no)
    topic, payload, _ = office.wire[0]
    assert topic == "v1/gateway/rpc"
    assert json.loads(payload) == {
        "device": "HRZ-002", "data": {"id": no, "method": "set", "params": {"s2TsSp": 50}},
    }  # fmt: skip
    office.say("v1/gateway/rpc", payload)  # our own request comes back on the same topic
    answer = {"device": "HRZ-002", "id": no, "data": {"success": True}}
    office.say("v1/gateway/rpc", json.dumps(answer).encode())
    office.now += 5
    office.desk.work()
    assert office.find(no).answered is True and office.find(no).state == "sent"
    row = {"ts": round(office.now * 1000), "values": {"s2TsSp": 50.1}}
    office.say("v1/gateway/telemetry", json.dumps({"HRZ-002": [row]}).encode())
    office.desk.work()
    assert office.find(no).state == "done"


def test_sparkplug_devices_are_written_by_dcmd_once_they_were_born(office: Office) -> None:
    first = office.ask("SRC1/src_ts_sp", 100.0)
    approve(office, first)
    assert office.find(first).state == "refused" and "announced" in office.find(first).detail
    edge = SparkplugEdge("620999", office.county.points)
    office.say(*edge.birth(office.now))
    device = next(d for d in office.county.devices if d.id == "D-SRC1")
    office.say(*edge.device(Bundle(device, office.now, {office.no("SRC1/src_ts_sp"): 98.0})))
    office.now += 1
    no = office.ask("SRC1/src_ts_sp", 100.0)
    approve(office, no)
    topic, payload, _ = office.wire[0]
    assert topic == "spBv1.0/620999/DCMD/EDGE01/chp"
    metric = Payload.FromString(payload).metrics[0]
    assert (metric.name, metric.alias) == ("", office.no("SRC1/src_ts_sp"))  # by alias, as it was born
    assert metric.double_value == pytest.approx(373.15)


def test_every_setpoint_has_its_feedback_and_room_between_its_limits(office: Office) -> None:
    assert {p.key for p, _ in list_setpoints(office.county)} == set(SETPOINTS)
    for point, limits in list_setpoints(office.county):
        assert limits.feedback is not None and limits.low < limits.high, point.id
        assert limits.feedback.place_id == point.place_id
    with pytest.raises(InputError):
        office.desk.rules.find_point(10_000)
    narrowed = replace(office.county.point_by_id["S01/cv_sp"], high=0.6)
    limits = find_limits(office.county, narrowed)
    assert limits is not None and limits.high == 0.6
