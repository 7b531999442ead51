"""Complaints: laws of cases, clocks, groups and figures; words of people; tables of a hotline."""

import io
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.heating.complaints import (
    ComplaintBook,
    ComplaintRefused,
    Rules,
    judge_complaints,
    read_clock,
    read_rules,
)
from app.domains.heating.complaints.case import ACTS, Case, fold_case
from app.domains.heating.complaints.entry import STEPS, read_entry
from app.domains.heating.complaints.groups import group_cases, trace_branches
from app.domains.heating.complaints.hotline import MAX_BYTES, read_hotline
from app.domains.heating.complaints.words import (
    find_buildings,
    hide_numbers,
    home_key,
    mask_phone,
    place_address,
    split_home,
)
from app.domains.heating.houses import walk_houses
from app.domains.heating.visits import Reading, note_visits
from ingest.store.kept_api import KeptLine
from tests.support.fake_store import FakeStore
from tests.support.tiny import make_tiny_county
from twin.dispatch.inlets import compile_inlets
from twin.model.errors import InputError

COUNTY = make_tiny_county()
BRANCHES = trace_branches(COUNTY.network)
RULES = Rules()
HOUR = 3600.0
T0 = 1_800_000_000.0
FACTS = {"room_c": 17.0, "crew": "一班", "cause": "air", "satisfied": True}


def make_case(no: int, building: str = "B01", t: float = T0, **facts: object) -> Case:
    body = {"act": "received", "t": t, "building": building, "kind": "cold", **facts}
    found = fold_case([KeptLine(no, t, "received", "li", "", body)])
    assert found is not None
    return found


steps = st.lists(
    st.tuples(st.sampled_from([*STEPS, "undone", "phone"]), st.booleans(), st.floats(0.0, 30 * HOUR)),
    max_size=12,
)


@given(steps=steps, looks=st.lists(st.floats(0.0, 400 * HOUR), min_size=2, max_size=6))
def test_whatever_is_done_to_a_case_its_clock_never_runs_backwards(
    steps: list[tuple[str, bool, float]], looks: list[float]
) -> None:
    store = FakeStore(COUNTY)
    lines = [KeptLine(1, T0, "", "", "", {"act": "received", "t": T0, "building": "B01", "kind": "cold"})]
    for k, (act, satisfied, after) in enumerate(steps, 1):
        body = {**FACTS, "act": act, "t": T0 + after, "satisfied": satisfied}
        lines.append(KeptLine(1, T0 + k, "", "", "", body))
    case = fold_case(lines)
    assert case is not None and store.kept_lines == []
    assert case.lines == len(lines) and [s.act for s in case.steps] == [x.body["act"] for x in lines]  # type: ignore[index]
    order = {"safe": 0, "near": 1, "over": 2, "done": 3}
    clocks = [read_clock(case, RULES, T0 + h) for h in sorted(looks)]
    assert [order[c.level] for c in clocks] == sorted(order[c.level] for c in clocks)
    if case.open:
        left = [c.left_s for c in clocks]
        assert left == sorted(left, reverse=True)
        assert case.received < clocks[0].due <= case.received + RULES.solve_h * HOUR
    assert math.isnan(case.solved_t) or case.status in ("solved", "closed")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b.id for b in COUNTY.buildings]), st.sampled_from(["cold", "leak", "other"]),
            st.floats(0.0, 30 * HOUR),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_every_case_stands_in_one_group_at_most_and_no_count_is_lost(
    rows: list[tuple[str, str, float]],
) -> None:
    cases = [make_case(k, b, T0 + dt, kind=kind) for k, (b, kind, dt) in enumerate(rows)]
    groups = group_cases(COUNTY, BRANCHES, cases, RULES)
    grouped = [no for g in groups for no in g.cases]
    assert len(grouped) == len(set(grouped)) and set(grouped) <= {c.no for c in cases}
    by = {c.no: c for c in cases}
    home = {b.id: b.substation_id for b in COUNTY.buildings}
    for g in groups:
        mine = sorted((by[n] for n in g.cases), key=lambda c: c.received)
        assert len(mine) >= RULES.group_least
        assert {c.kind for c in mine} == {g.kind} and {home[c.building] for c in mine} == set(g.stations)
        gaps = np.diff([c.received for c in mine])
        assert gaps.size == 0 or gaps.max() <= RULES.group_h * HOUR
        assert bool(g.node) == (len(g.stations) > 1)


def test_calls_from_two_stations_behind_one_place_are_one_group_and_from_one_station_another() -> None:
    one = [make_case(k, "B01", T0 + 60.0 * k) for k in range(3)]
    assert [g.stations for g in group_cases(COUNTY, BRANCHES, one, RULES)] == [("S01",)]
    every = [make_case(k, b, T0 + 60.0 * k) for k, b in enumerate(("B01", "B03", "B05", "B07"))]
    (group,) = group_cases(COUNTY, BRANCHES, every, RULES)
    assert len(group.cases) == 4 and len(group.stations) == 4 and group.node
    late = [replace(c, received=T0 + 9 * HOUR * k) for k, c in enumerate(every)]
    assert group_cases(COUNTY, BRANCHES, late, RULES) == []
    closed = [replace(c, status="closed") for c in every]
    assert group_cases(COUNTY, BRANCHES, closed, RULES) == []


def lived(
    store: FakeStore, *acts: tuple[str, dict[str, object]], ago_h: float = 60.0
) -> tuple[ComplaintBook, int]:
    book = ComplaintBook(store)
    start = time.time() - ago_h * HOUR
    body = {"building": "B01", "home": "2-301", "kind": "cold", "t": start, "text": "冷"}
    no = book.receive(read_entry(COUNTY, body, time.time()), "li")
    for k, (act, more) in enumerate(acts, 1):
        book.step(COUNTY, no, act, {"t": start + k * HOUR, **more}, "li")
    return book, no


def test_a_case_is_sent_measured_solved_opened_again_and_each_step_can_be_taken_back() -> None:
    store = FakeStore(COUNTY)
    book, no = lived(
        store, ("dispatched", {"crew": "一班"}), ("measured", {"room_c": 15.5}), ("solved", {"cause": "air"}),
        ("called", {"satisfied": False}),
    )  # fmt: skip
    case = book.case(no)
    assert case.status == "reopened" and math.isnan(case.solved_t) and case.measured_t > case.received
    assert read_clock(case, RULES, time.time()).level == "over", "the clock began with the call"
    taken: list[str] = []
    for status in ("solved", "measured", "dispatched", "received", "withdrawn"):
        assert book.undo(no, {}, "wang", lambda s: taken.append(s.act)).status == status
    assert taken == ["called", "solved", "measured", "dispatched", "received"]
    with pytest.raises(ComplaintRefused, match="nothing is left"):
        book.undo(no, {}, "wang", lambda s: None)
    assert len(ComplaintBook(store).case(no).steps) == 10, "everything that was written is still there"


def test_a_correction_changes_what_is_shown_and_keeps_what_was_said() -> None:
    store = FakeStore(COUNTY)
    book, no = lived(store)
    book.step(COUNTY, no, "corrected", {"building": "B03", "text": "改口"}, "li")
    case = book.case(no)
    assert (case.building, case.text, case.home, case.kind) == ("B03", "改口", "2-301", "cold")
    assert case.steps[0].facts["building"] == "B01"
    assert book.undo(no, {}, "li", lambda s: None).building == "B01"


@pytest.mark.parametrize(
    ("act", "body", "why"),
    [
        ("solved", {"cause": "magic"}, "one of"), ("dispatched", {}, "crew"),
        ("measured", {}, "measured room"), ("measured", {"room_c": 70}, "0 to 40"),
        ("measured", {"room_c": "20"}, "0 to 40"),
        ("called", {"satisfied": True}, "cannot be"), ("nonsense", {}, "act: one of"),
        ("solved", {"cause": "air", "t": "gestern"}, "is no time"),
        ("solved", {"cause": "air", "t": 4e9}, "future"),
        ("solved", {"cause": "air", "t": T0 - 1e8}, "before"),
        ("solved", {"cause": "air", "text": "长" * 501}, "at most"), ("solved", {"cause": 3}, "one of"),
        ("corrected", {}, "nothing is to be"), ("corrected", {"building": "nowhere"}, "no building"),
        ("solved", {"cause": "air", "seen": 99}, "somebody else"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_is_refused_and_leaves_no_line(
    act: str, body: dict[str, object], why: str
) -> None:
    store = FakeStore(COUNTY)
    book, no = lived(store)
    before = len(store.kept_lines)
    with pytest.raises(ComplaintRefused, match=why):
        book.step(COUNTY, no, act, body, "li")
    assert len(store.kept_lines) == before


def test_a_room_measured_by_hand_at_that_home_counts_for_the_case_and_one_elsewhere_does_not() -> None:
    store = FakeStore(COUNTY)
    book, no = lived(store, ago_h=1.0)
    value = np.full(len(COUNTY.points), 20.0)
    for building, home in (("B02", "2-301"), ("B01", "2-302"), ("B01", "2单元301室")):
        assert math.isnan(book.case(no).measured_t)
        note_visits(COUNTY, compile_inlets(COUNTY), store, value, (Reading(building, 16.0, home),), "zhao")
        book = ComplaintBook(store)
    case = book.case(no)
    assert case.status == "measured" and case.steps[-1].elsewhere and case.steps[-1].who == "zhao"


def test_figures_of_a_period_judge_only_what_can_be_judged() -> None:
    now = T0 + 200 * HOUR
    solved = {"act": "solved", "t": T0 + 40 * HOUR, "cause": "air"}
    late = {"act": "measured", "t": T0 + 30 * HOUR, "room_c": 16.0}
    called = {"act": "called", "t": T0 + 50 * HOUR, "satisfied": True}

    def case(no: int, t: float, *more: dict[str, object]) -> Case:
        body = {"act": "received", "t": t, "building": "B01", "kind": "cold"}
        lines = [KeptLine(no, t + k, "", "", "", b) for k, b in enumerate((body, *more))]
        found = fold_case(lines)
        assert found is not None
        return found

    cases = [
        case(1, T0, late, solved, called), case(2, T0), case(3, now - HOUR),
        case(4, T0, {"act": "undone", "t": T0}),
    ]  # fmt: skip
    found = judge_complaints(COUNTY, RULES, cases, T0 - 9e5, now, now)
    homes = sum(b.homes for b in COUNTY.buildings if b.heated)
    area = sum(s.area_m2 for s in COUNTY.network.substations)
    begin = T0 - (T0 + 8 * HOUR) % 86_400.0  # midnight in Asia/Shanghai: the book was not kept before
    assert found["complaints_homes"] == pytest.approx(3 / (homes / 1e4) / ((now - begin) / 86_400.0))
    assert found["complaints_m2"] == pytest.approx(3 / (area / 1e4))
    assert found["measured_share"] == 0.0 and found["solved_share"] == 0.5 and found["satisfied_share"] == 1.0
    assert all(math.isnan(x) for x in judge_complaints(COUNTY, RULES, [], T0, now, now).values())
    before = judge_complaints(COUNTY, RULES, cases, T0 - 9e5, begin - 1.0, now)
    assert all(math.isnan(x) for x in before.values())


def test_a_county_sets_its_own_limits_and_nonsense_is_refused_by_name(tmp_path: Path) -> None:
    assert read_rules(tmp_path) == (Rules(), False)
    file = tmp_path / "complaints.toml"
    file.write_text('measure_h = 12\ncrews = ["一班"]\n[heads]\nnumber = ["流水号"]\n', encoding="utf-8")
    rules, own = read_rules(tmp_path)
    assert own and rules.measure_h == 12 and rules.heads == (("number", ("流水号",)),)
    for bad in ("solve_h = -1", "near_share = 2", "group_least = 1.5", "colour = 3", "crews = 3", "heads = 1",
                "solve_h = true", "= 3"):  # fmt: skip
        file.write_text(bad, encoding="utf-8")
        with pytest.raises(InputError, match=r"complaints\.toml"):
            read_rules(tmp_path)


def test_homes_numbers_and_addresses_are_read_as_people_write_them() -> None:
    for written in ("2单元301室", "2-301", "２－３０１", " 2 单元 301 "):
        assert home_key(written) == "2-301"
    assert split_home("建设路2号 2-301") == ("建设路2号", "2-301")
    assert split_home("锦绣园3号楼2单元301室") == ("锦绣园3号楼", "2单元301室")
    assert mask_phone("13912345678") == "139****78" and mask_phone("123") == "****"
    assert hide_numbers("打 139-1234-5678，或62010119900101123X") == "打 139****78,或620****X"
    assert [f.building.id for f in find_buildings(COUNTY.buildings, "建设路2号")][:1] == ["B01"]
    assert find_buildings(COUNTY.buildings, "建设路2号 2-301")[0].home == "2-301"
    assert find_buildings(COUNTY.buildings, "没有的路") == [] == find_buildings(COUNTY.buildings, " ")
    buildings = [
        replace(COUNTY.buildings[0], id=f"X{n}", name=f"{n}号楼", address=f"新路{n}号") for n in (1, 11)
    ]
    assert [b.id for b in place_address(buildings, "某县新路11号11号楼2单元301室")[0]] == ["X11"]


HEADS = ["工单编号", "受理时间", "诉求地址", "诉求内容", "联系电话", "室内温度", "姓名"]
GOOD = ["A1", "2027-01-15 08:30", "某县建设路2号2单元301室", "家里太冷", "13912345678", 15, "张三"]


def as_excel(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_csv(*rows: list[object], code: str = "utf-8-sig") -> bytes:
    return "\r\n".join(",".join(map(str, r)) for r in rows).encode(code)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.xlsx", as_excel(["12345 工单"], HEADS, GOOD)), ("a.csv", as_csv(HEADS, GOOD)),
        ("a.csv", as_csv(HEADS, GOOD, code="gb18030")),
    ],
)  # fmt: skip
def test_a_hotline_export_is_read_by_its_heads(name: str, data: bytes) -> None:
    sheet = read_hotline(COUNTY, RULES, name, data, T0 + 1e6)
    ((_, e),) = sheet.entries
    assert (e.building, home_key(e.home), e.kind, e.channel, e.number) == (
        "B01",
        "2-301",
        "cold",
        "12345",
        "A1",
    )
    assert e.room_c == 15.0 and e.phone == "13912345678" and "张三" not in str(e)


def test_every_row_that_cannot_be_read_is_told_by_line_and_column() -> None:
    rows: list[list[object]] = [
        HEADS, GOOD, ["", *GOOD[1:]], ["A3", "gestern", *GOOD[2:]], ["A4", "", *GOOD[2:]],
        ["A5", GOOD[1], "别处9号", *GOOD[3:]], ["A1", *GOOD[1:]], ["A7", *GOOD[1:5], 99, ""],
        ["A8", *GOOD[1:5], "warm", ""], ["A9", "2099-01-01", *GOOD[2:]],
    ]  # fmt: skip
    sheet = read_hotline(COUNTY, RULES, "a.xlsx", as_excel(*rows), T0 + 1e6)
    assert len(sheet.entries) == 1
    assert [(t.line, t.column) for t in sheet.troubles] == [
        (3, "工单编号"), (4, "受理时间"), (5, "受理时间"), (6, "诉求地址"), (7, "工单编号"), (8, "室内温度"),
        (9, "室内温度"), (10, "受理时间"),
    ]  # fmt: skip
    assert all(t.why.tell("zh") and t.why.tell("en") for t in sheet.troubles)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.xlsx", b"PK\x03\x04 nonsense", "xlsx"), ("a.csv", b"\x00\x01", "xlsx"),
        ("a.csv", b"\xff\xff", "xlsx"),
        ("a.csv", b"", "columns"), ("a.xlsx", as_excel(["x"], ["y"]), "columns"), ("a.xls", b"D0", "xlsx"),
        ("a.csv", as_csv(HEADS), "no rows"), ("a.csv", b"x" * (MAX_BYTES + 1), "too large"),
    ],
)  # fmt: skip
def test_what_is_no_hotline_export_is_refused_whole(name: str, data: bytes, why: str) -> None:
    with pytest.raises(ComplaintRefused, match=why):
        read_hotline(COUNTY, RULES, name, data, T0)


def test_houses_follow_the_water_that_was_measured_and_not_the_rooms() -> None:
    store, now, station = FakeStore(COUNTY), time.time(), COUNTY.network.substations[0]
    out = next(p.id for p in COUNTY.points if p.key == "t_out")
    assert walk_houses(COUNTY, store, station, now, 24).building == ()

    def warm(water: float) -> float:
        store = FakeStore(COUNTY)
        for h in range(121):
            store.put(out, -4.5, t=now - HOUR * h)
            store.put(f"{station.id}/s2_ts", water, t=now - HOUR * h)
        course = walk_houses(COUNTY, store, station, now, 24)
        assert course.t.size <= 24 and course.known == course.t.size and math.isnan(course.of("none")[0])
        return float(course.of("B01")[-1])

    wanted = float(np.interp(-4.5, *np.array(station.curve).T))
    assert 16.0 < warm(wanted) < 24.0, "on its curve a house is about as warm as it should be"
    assert warm(wanted - 15.0) < warm(wanted) - 3.0


def test_every_act_and_reason_has_words() -> None:
    from app.i18n import TEXTS

    for key in (
        *(f"complaint.act_{a}" for a in ACTS),
        *(f"complaint.do_{a}" for a in ("undone", "corrected")),
    ):
        assert key in TEXTS
