"""The rehearsal room: from what is measured to alternatives, words and a plan."""

import io
import json
import math
import re
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
import pytest
from pypdf import PdfReader

from app.domains.heating.ahead import look_ahead
from app.domains.heating.contingency import STEPS, list_facts, list_steps, name_case, write_plan
from app.domains.heating.drill import (
    Row,
    advise_points,
    describe_drill,
    make_sheet,
    read_rows,
    total_points,
    write_sheet,
)
from app.domains.heating.hindsight import describe_rehearsal, look_back
from app.domains.heating.paper import Paper, find_fonts
from app.domains.heating.papers import print_plan, print_sheet
from app.domains.heating.past import read_past
from app.domains.heating.rehearse import NO_AID, Aid, Answer, Stage
from app.pages.drill import draw_sheet, filled, kept_plans, newest_sheet, tell
from app.pages.rehearsal import read_aid, read_moment
from app.pages.rehearsal_form import check_form, list_places, read_incident, take_picked
from app.pages.rehearsal_views import draw_gains, draw_table, draw_worst, pack_series
from app.web.context import Context
from app.web.rehearsal_routes import pack_frames
from ingest.settings import read_settings
from ingest.store.api import RollUpSeries
from tests.support.fake_store import FakeStore
from tests.support.tiny import make_tiny_county
from twin.forecast import WeatherPast
from twin.heat import DayFinding, DayReason
from twin.model.errors import InputError
from twin.rehearsal import INCIDENTS, Incident

COUNTY = make_tiny_county()
STAGE = Stage(COUNTY)


def measured(**change: float) -> np.ndarray:
    known = {"t_out": -5.0, "src_ts": 95.0, "src_tr": 50.0, "src_ps": 8e5, "src_pr": 3e5, "src_flow": 0.0,
             "room_t": 20.5, "wind": 2.0, "solar": 0.0} | change  # fmt: skip
    return np.array([known.get(p.key, math.nan) for p in COUNTY.points])


def nothing_stored(point_no: int, start: float, end: float) -> RollUpSeries:
    none = np.empty(0)
    return RollUpSeries(none, none.astype(np.int64), none, none, none, none)


def answer(*incidents: Incident, hours: float = 6.0, aid: Aid = NO_AID) -> Answer:
    return STAGE.rehearse(measured(), nothing_stored, time.time(), incidents, hours, aid=aid)


def test_history_is_taken_where_it_is_and_the_latest_value_where_not() -> None:
    now = 1.8e9

    def stored(point_no: int, start: float, end: float) -> RollUpSeries:
        if COUNTY.points[point_no].key != "t_out":
            return nothing_stored(point_no, start, end)
        t = np.arange(start, end, 300.0)
        x = -10.0 + 5.0 * (t - start) / (end - start)
        return RollUpSeries(t, np.ones(t.size, np.int64), x, x, x, x)

    past = read_past(COUNTY, STAGE.system(), measured(), stored, now)
    assert past.t_outdoor_c[0] < -9.0 and past.t_outdoor_c[-1] > -5.5
    assert np.all(past.t_source_c == 95.0)
    assert np.nanmax(past.t_room_c) == 20.5


def test_without_weather_there_is_no_start() -> None:
    with pytest.raises(InputError, match="outdoor"):
        read_past(COUNTY, STAGE.system(), measured(t_out=math.nan), nothing_stored, 1.8e9)


def test_the_outlook_begins_as_it_is_now_and_goes_over_to_the_forecast_or_to_what_came() -> None:
    past = read_past(COUNTY, STAGE.system(), measured(t_out=2.0), nothing_stored, 1.8e9)
    ends = 1.8e9 // 3600 * 3600 - 3600.0 * np.arange(240)[::-1]
    usual = -8.0 + 4.0 * np.sin(2 * np.pi * ends / 86_400.0)
    hours = WeatherPast(ends, usual, np.full(240, 3.0), np.zeros(240))
    ahead = look_ahead(STAGE.system(), past, hours, 48.0, 1.8e9)
    assert abs(ahead.t_outdoor_c[0] - 2.0) < 0.3
    there = np.interp(48 * 3600.0, 3600.0 * np.arange(60), -8.0 + 4.0 * np.sin(
        2 * np.pi * (1.8e9 + 3600.0 * np.arange(60)) / 86_400.0))  # fmt: skip
    assert abs(ahead.t_outdoor_c[-1] - there) < 1.0
    later = WeatherPast(1.8e9 + 3600.0 * np.arange(1, 13), np.full(12, -20.0), np.full(12, 1.0), np.zeros(12))
    came = look_ahead(STAGE.system(), past, hours, 48.0, 1.8e9, later)
    assert came.t_outdoor_c[60] == -20.0 and came.t_outdoor_c[-1] == ahead.t_outdoor_c[-1]
    still = look_ahead(STAGE.system(), past, None, 6.0)
    assert np.all(still.t_outdoor_c == 2.0)


def test_a_burst_that_the_make_up_cannot_feed_stops_the_network() -> None:
    pipe = next(p.id for p in COUNTY.network.pipes if p.side == "supply")
    found = answer(Incident("burst", pipe, 0.2))
    undone = next(a for a in found.alternatives if not a.run.case.measures)
    assert undone.run.case.name == "collapse" and undone.lasts_h == 1.0
    small = answer(Incident("burst", pipe, 0.005))
    assert next(a for a in small.alternatives if not a.run.case.measures).run.case.name == "nothing"


def test_alternatives_come_best_first() -> None:
    found = answer(Incident("source_trip", COUNTY.network.sources[0].id, 0.2), hours=12.0)
    scores = [a.judgement.degree_hours for a in found.alternatives]
    assert scores == sorted(scores) and len(scores) > 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_incident_has_a_plan_with_words(lang: str) -> None:
    assert set(STEPS) == set(INCIDENTS)
    station = COUNTY.network.substations[0].id
    found = answer(Incident("pump_trip", station), aid=Aid(1, 1e6, 1.0), hours=12.0)
    best = found.alternatives[0]
    for kind in INCIDENTS:
        steps = list_steps(COUNTY, [Incident(kind)], best, lang)
        assert len(steps) >= 4 and all(all(cells) for cells in steps)
    plan = write_plan(COUNTY, found, lang)
    assert plan.count("\n1. ") == 1 and "|---|" in plan
    assert all(text for _, text in list_facts(COUNTY, best, lang))
    missed = DayFinding(DayReason.NOT_CONVERGED, (), 2.0, float("nan"))
    unsure = replace(best, run=replace(best.run, findings=(missed,)))
    assert any(text.startswith(("2 次", "2 hydraulic")) for _, text in list_facts(COUNTY, unsure, lang)), (
        "a step without a solution is told"
    )
    assert draw_table(found, lang) is not None and draw_gains(COUNTY, found, lang) is not None
    table = draw_worst(COUNTY, STAGE.system(), found.nothing, lang).children[0]
    assert len(table.children[1].children) > 0
    assert " + " in name_case("isolate_0.5+mobile", lang)
    assert print_plan(COUNTY, plan, lang).startswith(b"%PDF")


def test_the_advised_steps_are_of_all_incidents_in_the_order_of_time() -> None:
    pipe = next(p.id for p in COUNTY.network.pipes if p.side == "supply")
    found = answer(Incident("burst", pipe, 0.005), Incident("cold_wave", "", 8.0, 2.0))
    steps = list_steps(COUNTY, found.incidents, found.alternatives[0], "en")
    minutes = [int(s[0].split()[0]) for s in steps]
    assert minutes == sorted(minutes) and any("valves" in s[2] for s in steps)
    assert any("heat up early" in s[2] for s in steps)
    assert {a.run.case.name.split("+")[0] for a in found.alternatives} >= {"nothing", "isolate_0.5"}


def test_a_wrong_form_is_answered_in_words() -> None:
    assert check_form("burst", None, 80.0, "zh") and check_form("burst", "P1", None, "zh")
    assert "200" not in check_form("burst", "P1", 80.0, "zh") == ""
    assert "500" in check_form("burst", "P1", 9000.0, "en")
    assert check_form("pump_trip", "S1", None, "en") == ""
    assert check_form("pump_trip", "S1", None, "en", -1.0) and check_form(
        "pump_trip", "S1", None, "en", 0.0, 0.0
    )
    for wrong in (
        (-1.0, 1.0, 1.0),
        (4.0, 0.0, 1.0),
        (50.0, 2.0, 1.0),
        (math.nan, 1.0, 1.0),
        (1.0, 1.0, 99.0),
    ):
        with pytest.raises(InputError, match="50 MW"):
            read_aid(*wrong, "en")
    assert read_aid(None, None, None, "en").count == 0 and read_aid(3.0, 2.0, 1.0, "en").power_w == 2e6


def test_what_is_picked_in_the_scene_is_the_place_of_the_form() -> None:
    pipe = COUNTY.network.pipes[0].id
    assert take_picked(COUNTY, "cold_wave", "pipe", pipe) == ("burst", pipe)
    assert take_picked(COUNTY, "fuel_shortage", "source", "SRC1") == ("fuel_shortage", "SRC1")
    assert take_picked(COUNTY, "burst", "station", "S01") == ("pump_trip", "S01")
    assert take_picked(COUNTY, "burst", "building", "B1") == ("burst", "")
    for v in COUNTY.network.valves[:1]:
        assert take_picked(COUNTY, "valve_shut", "pipe", v.pipe_id) == ("valve_shut", v.id)
    assert list_places(COUNTY, "power_cut", "en")[0]["value"] == "" and not list_places(
        COUNTY, "cold_wave", "en"
    )
    row = {"kind": "burst", "place": pipe, "size": 80.0, "after": None, "lasts": 2.0}
    assert read_incident(row) == Incident("burst", pipe, 0.08, 0.0, 2.0)


def held(tmp_path: Path) -> tuple[FakeStore, Context]:
    store = FakeStore(COUNTY)
    return store, Context(read_settings({"CT_DATA": str(tmp_path)}), COUNTY, store)


def test_a_stored_moment_must_lie_in_what_is_stored(tmp_path: Path) -> None:
    store, context = held(tmp_path)
    weather = next(p.id for p in COUNTY.points if p.key == "t_out")
    now = time.time()
    for k in range(48):
        store.put(weather, -3.0, t=now - 3600.0 * k)
    assert read_moment(context, "", "en") is None and read_moment(context, None, "en") is None
    zone = ZoneInfo(COUNTY.meta.timezone)
    text = f"{datetime.fromtimestamp(now - 6 * 3600.0, zone):%Y-%m-%d %H:%M}"
    assert abs((read_moment(context, text, "en") or 0.0) - (now - 6 * 3600.0)) < 61.0
    for wrong, says in (
        ("yesterday", "like 2026"),
        ("2020-01-01 00:00", "between"),
        ("2199-01-01 00:00", "between"),
    ):
        with pytest.raises(InputError, match=says):
            read_moment(context, wrong, "en")


def kept_plan(store: FakeStore, hours: float = 6.0, ago_h: float = 0.0) -> tuple[Answer, int]:
    incident = Incident("source_trip", COUNTY.network.sources[0].id, 0.2)
    found = replace(answer(incident, hours=hours), t=time.time() - 3600.0 * ago_h)
    text = write_plan(COUNTY, found, "zh")
    body = describe_rehearsal(COUNTY, STAGE.system(), found, text, "plan-x.md")
    return found, store.keep("rehearsal", "停热", body)


def test_an_exported_plan_is_kept_with_how_every_alternative_was_judged(tmp_path: Path) -> None:
    store, context = held(tmp_path)
    found, no = kept_plan(store)
    body = store.kept_body(no)
    assert isinstance(body, dict) and body["place"] == COUNTY.network.sources[0].id
    assert (
        len(body["alternatives"]) == len(found.alternatives) and len(body["alternatives"][0]["room_c"]) == 6
    )
    (option,) = kept_plans(context)
    assert option["value"] == str(no) and "停热" in option["label"]


def test_a_kept_plan_is_held_against_the_readings_after_its_moment(tmp_path: Path) -> None:
    store, _ = held(tmp_path)
    found, no = kept_plan(store, ago_h=6.0)
    body = store.kept_body(no)
    assert isinstance(body, dict)
    with pytest.raises(InputError, match="over"):
        look_back(COUNTY, store, body, time.time())
    wanted = next(k for k, a in enumerate(found.alternatives) if not a.run.case.measures)
    expected = np.array(body["alternatives"][wanted]["room_c"])
    home = {b.id: body["stations"].index(b.substation_id) for b in COUNTY.buildings if b.heated}
    for p in COUNTY.points:
        if p.key == "room_t":
            s = home[p.place_id.split(":", maxsplit=1)[0]]
            for t in np.arange(found.t, found.t + 6 * 3600.0, 300.0):
                room = np.interp((t - found.t) / 3600.0, np.arange(1.0, 7.0), expected[:, s])
                store.put(p.id, float(room), t=float(t))
    seen = look_back(COUNTY, store, body, time.time())
    assert seen.nearest == wanted and seen.error_k[wanted] < 0.1
    assert seen.error_k[wanted] == np.nanmin(seen.error_k) and tell(body, seen, "zh")
    with pytest.raises(InputError, match="without its course"):
        look_back(COUNTY, store, {"t": found.t, "alternatives": [{"case": "nothing"}]}, time.time())


def test_a_score_sheet_gives_points_by_time_and_is_kept(tmp_path: Path) -> None:
    store, context = held(tmp_path)
    _, no = kept_plan(store)
    body = store.kept_body(no)
    assert isinstance(body, dict)
    rows = make_sheet(body, "zh")
    assert sum(r.most for r in rows) == 100 and rows[0].planned_min == 0.0
    timed = Row("isolate", "x", "y", 20, 30.0, 30.0)
    assert advise_points(timed) == 20.0
    assert advise_points(replace(timed, actual_min=60.0)) == 10.0
    assert advise_points(replace(timed, actual_min=300.0)) == 0.0
    assert math.isnan(advise_points(replace(timed, actual_min=math.nan)))
    n = len(rows)
    scored = filled(context, str(no), "zh", [5.0] * n, ["王工"] * n, [1.0] * (n - 1) + [999.0])
    assert total_points(scored) == n - 1 + rows[-1].most, "no row gives more than it has"
    store.keep("drill", "x", describe_drill(no, scored, "好", "李"))
    again = newest_sheet(context, str(no), body, "zh")
    assert again == scored and read_rows({"rows": []}) == [] and draw_sheet(again, "zh") is not None
    book = openpyxl.load_workbook(io.BytesIO(write_sheet("t", scored, "好", "李", "zh")))
    assert book.active["E4"].value == "王工" and book.active["G4"].value == 1.0
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(
        print_sheet(COUNTY, "停热", scored, "好", "李", "zh"))).pages)  # fmt: skip
    assert "王工" in re.sub("[\x00 ]", "", text)


def test_the_hours_go_to_the_scene_in_the_order_of_the_countys_tables() -> None:
    found = answer(Incident("pump_trip", COUNTY.network.substations[0].id))
    run, ids = found.alternatives[0].run, STAGE.system().buildings.ids
    body = pack_frames(COUNTY, ids, run.frames)
    n, nodes, pipes, buildings = np.frombuffer(body, "<u4", 4)
    network = COUNTY.network
    assert (nodes, pipes, buildings) == (len(network.nodes), len(network.pipes), len(COUNTY.buildings))
    values = np.frombuffer(body, "<f4", offset=16)
    assert values.size == n * (1 + 4 * nodes + 2 * pipes + buildings)
    np.testing.assert_allclose(values[:n], run.frames.hour, rtol=1e-6)
    last = values[n:].reshape(n, -1)[-1]
    np.testing.assert_allclose(last[:nodes], run.frames.t_supply_c[-1], rtol=1e-5)
    row = [b.id for b in COUNTY.buildings].index(ids[0])
    assert last[4 * nodes + 2 * pipes + row] == pytest.approx(run.frames.t_room_c[-1][0], rel=1e-5)
    told = json.loads(pack_series(COUNTY, STAGE.system(), found, "k", 0, "zh"))
    assert len(told["stamps"]) == n and len(told["cases"]) == len(found.alternatives)


def test_a_machine_without_chinese_fonts_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.domains.heating.paper.FONT_PLACES", (("/nowhere/{}.ttc", 0),))
    find_fonts.cache_clear()
    with pytest.raises(InputError, match="fonts-noto-cjk"):
        Paper("a", "b", "c", "d")
    find_fonts.cache_clear()
