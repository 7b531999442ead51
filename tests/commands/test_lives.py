"""The life of a device: registered, online, silent by will or silence, faulty, retired; and back."""

import json

import pytest

from ingest.store.command_book import Life
from ingest.worker.lives import Lives, Sign, judge_life
from tests.commands.conftest import NOW, Office


def lives_of(office: Office) -> Lives:
    return Lives(office.county, office.book, lambda: office.now, office.decoder.facts)


def state(office: Office, device: str = "D-S01") -> tuple[str, float, str]:
    life = office.book.lives()[device]
    return life.state, life.since, life.why


def tell(office: Office, **values: float) -> None:
    body = {"ts": round(office.now * 1000), **values}
    office.say("heat/RTU0001/data", json.dumps(body).encode())


@pytest.mark.parametrize(
    ("sign", "state"),
    [
        (Sign(float("inf"), 900.0), "registered"), (Sign(3.0, 900.0), "online"),
        (Sign(901.0, 900.0), "silent"), (Sign(3.0, 900.0, gone=True), "silent"),
        (Sign(3.0, 900.0, fault=11.0), "faulty"), (Sign(3.0, 900.0, fault=0.0), "online"),
        (Sign(3.0, 900.0, bad=0.5), "faulty"), (Sign(901.0, 900.0, fault=11.0), "silent"),
    ],
)  # fmt: skip
def test_a_state_follows_from_what_is_known(sign: Sign, state: str) -> None:
    assert judge_life(sign)[0] == state


def test_silence_and_a_last_will_both_count_and_both_heal(office: Office) -> None:
    lives = lives_of(office)
    lives.work()
    assert state(office)[0] == "registered"
    office.now += 10
    tell(office, P1_TS=80.0)
    lives.work()
    assert state(office) == ("online", NOW + 10, "")
    office.now += 901
    lives.work()
    assert state(office) == ("silent", NOW + 911, "silence")
    office.now += 10
    tell(office, P1_TS=80.0)
    lives.work()
    assert state(office)[0] == "online"
    office.now += 10
    office.say("heat/RTU0001/state", b'{"online": false}')
    lives.work()
    assert state(office) == ("silent", NOW + 931, "last will")
    office.now += 10
    tell(office, P1_TS=80.0)
    lives.work()
    assert state(office)[0] == "online"
    events = office.owner.db.execute(
        "SELECT state FROM device_event WHERE device_id = 'D-S01' ORDER BY t, rowid"
    ).fetchall()
    assert [e[0] for e in events] == ["registered", "online", "silent", "online", "silent", "online"]


def test_a_fault_code_or_nonsense_makes_it_faulty_until_it_is_over(office: Office) -> None:
    lives = lives_of(office)
    tell(office, P1_TS=80.0, FAULT=11.0)
    lives.work()
    assert state(office)[::2] == ("faulty", "fault code 11")
    office.now += 10
    tell(office, P1_TS=80.0, FAULT=0.0)
    lives.work()
    assert state(office)[0] == "online"
    office.now += 10
    tell(office, P1_TS=900.0, FAULT=0.0)
    lives.work()
    assert state(office)[::2] == ("faulty", "readings out of range")


def test_since_stays_while_only_the_reason_changes(office: Office) -> None:
    lives = lives_of(office)
    tell(office, FAULT=11.0)
    lives.work()
    office.now += 10
    tell(office, FAULT=12.0)
    lives.work()
    assert state(office) == ("faulty", NOW, "fault code 12")


def test_a_retired_device_stays_retired_until_it_is_reinstated(office: Office) -> None:
    lives = lives_of(office)
    tell(office, P1_TS=80.0)
    office.owner.db.execute(
        "INSERT INTO wish VALUES (make_timestamp(?), 'retire', 0, 'wang', -1, 0, 'D-S01', 'exchanged')",
        [round(office.now * 1e6)],
    )
    office.desk.work()  # leaves what is not its own
    lives.work()
    assert state(office)[::2] == ("retired", "wang: exchanged")
    office.now += 60
    tell(office, P1_TS=80.0)
    lives.work()
    assert state(office)[0] == "retired"
    assert lives_of(office)._known["D-S01"] == Life("retired", NOW, "wang: exchanged")
    office.owner.db.execute(
        "INSERT INTO wish VALUES (make_timestamp(?), 'reinstate', 0, 'wang', -1, 0, 'D-S01', '')",
        [round(office.now * 1e6)],
    )
    lives.work()
    assert state(office)[0] == "online"


def test_firmware_is_what_the_device_says(office: Office) -> None:
    lives = lives_of(office)
    office.say("heat/RTU0001/state", b'{"online": true, "firmware": "2.4.1"}')
    office.say("v1/gateway/attributes", b'{"HRZ-002": {"fw_version": "7"}}')
    lives.work()
    rows = office.owner.db.execute("SELECT device_id, key, value FROM device_fact ORDER BY 1").fetchall()
    assert rows == [("D-S01", "firmware", "2.4.1"), ("D-S02", "firmware", "7")]
    assert lives.facts == {}
