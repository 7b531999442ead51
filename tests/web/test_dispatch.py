"""The dispatch page: from kept proposals to words, curves and commands."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from app.domains.heating.balance import balance_now, compare_curves
from app.domains.heating.inlets import note_turned, read_inlets, read_turned
from app.domains.heating.tariff import read_tariff
from app.domains.heating.visits import Reading, note_visits, place_visits, read_visits
from app.pages.dispatch import draw_load, draw_summary, draw_wishes, sum_up, tell_quality
from app.pages.heating_desk import draw_proposal
from app.web.balance_routes import read_readings, read_turns
from app.web.context import Context
from app.web.dispatch_routes import decide_proposal, read_rows
from app.workers.plan import describe_forecast, describe_proposal
from ingest.settings import Settings, read_settings
from tests.dispatch.test_dispatch import COUNTY, DESK, HOURS, NOW, PROPOSAL
from tests.support.fake_store import FakeStore
from tests.web.conftest import Site
from twin.dispatch import Tariff
from twin.dispatch.inlets import InletRow, compile_inlets
from twin.forecast import LoadPast, WeatherPast, expect_weather, forecast_load
from twin.model.errors import InputError


@pytest.fixture
def context(tmp_path: Path) -> Context:
    settings = read_settings({"CT_DATA": str(tmp_path), "CT_COUNTY": str(tmp_path / "county")})
    assert isinstance(settings, Settings)
    return Context(settings, COUNTY, FakeStore(COUNTY))


def keep_proposal(context: Context) -> int:
    body = describe_proposal(DESK, PROPOSAL, Tariff(), own=False) | {"seconds": 1.0}
    return context.store.keep("dispatch", "", body)


def test_approved_rows_become_commands_in_si_and_the_proposal_remembers_them(context: Context) -> None:
    no = keep_proposal(context)
    commands = decide_proposal(
        context, no, "approve", [("S01/s2_ts_sp", 51.5), ("SRC1/src_dp_sp", 0.4)], "li"
    )
    store = context.store
    assert isinstance(store, FakeStore)
    number = COUNTY.point_by_id["SRC1/src_dp_sp"].no
    assert [(a[0], a[1], a[2]) for a in store.asked] == [
        (COUNTY.point_by_id["S01/s2_ts_sp"].no, 51.5, "li"), (number, pytest.approx(4e5), "li"),
    ]  # fmt: skip
    assert [d[1] for d in store.decided] == ["approve", "approve"]
    row = store.kept("dispatch")[0]
    body = store.kept_body(no)
    assert row.state == "approved" and row.who == "li" and isinstance(body, dict)
    assert [a["command"] for a in body["approved"]] == commands
    with pytest.raises(InputError, match="decided"):
        decide_proposal(context, no, "reject", [], "li")


@pytest.mark.parametrize(
    ("point", "value", "why"),
    [
        ("S01/s2_ts_sp", 99.0, "outside 25 to 75"),
        ("S01/p1_ts", 50.0, "not a set-point"),
        ("nobody", 1.0, "not a"),
    ],
)
def test_a_row_outside_its_limits_stops_the_whole_decision(
    context: Context, point: str, value: float, why: str
) -> None:
    no = keep_proposal(context)
    with pytest.raises(InputError, match=why):
        decide_proposal(context, no, "approve", [("S02/s2_ts_sp", 50.0), (point, value)], "li")
    assert context.store.asked == [] and context.store.kept("dispatch")[0].state == "made"  # type: ignore[attr-defined]


def test_what_was_sent_can_be_taken_back_where_the_value_before_is_known(context: Context) -> None:
    body = describe_proposal(DESK, PROPOSAL, Tariff(), own=False) | {"seconds": 1.0}
    body["wishes"][0]["before"] = 47.0  # type: ignore[index]
    first = body["wishes"][0]["point"]  # type: ignore[index]
    no = context.store.keep("dispatch", "", body)
    decide_proposal(context, no, "approve", [(first, 50.0), ("SRC1/src_dp_sp", 0.4)], "li")
    assert len(decide_proposal(context, no, "undo", [], "li")) == 1
    assert context.store.asked[-1][1] == 47.0  # type: ignore[attr-defined]
    assert context.store.kept("dispatch")[0].state == "withdrawn"


FORGED = ([], [1], [{"point": "a", "value": True}], [{"point": "a", "value": 1}] * 2)


@pytest.mark.parametrize("body", [None, {}, *({"rows": rows} for rows in FORGED)])
def test_a_forged_request_is_refused_in_words(body: object) -> None:
    with pytest.raises(InputError):
        read_rows(body)


def test_an_operator_unticks_edits_and_sends_a_proposal(site: Site, page: Page) -> None:
    body = describe_proposal(DESK, PROPOSAL, Tariff(), own=False) | {"seconds": 1.0}
    no = site.store.keep("dispatch", "", body)
    assert site.ask(f"/api/dispatch/{no}/approve", "POST", "{").status == 422
    assert site.ask(f"/api/dispatch/{no + 5}/reject", "POST", "{}").status == 422
    page.goto(f"{site.url}/dispatch")
    row = page.locator('tr[data-wish="S01/s2_ts_sp"]')
    row.locator("input[type=number]").fill("51.5")
    page.locator('tr[data-wish="S02/s2_ts_sp"] input[type=checkbox]').uncheck()
    page.locator('button[data-dispatch="approve"]').click()
    page.wait_for_function("document.getElementById('dispatch-said')?.textContent.includes('已下达')")
    asked = {a[0]: a[1] for a in site.store.asked}
    assert asked[COUNTY.point_by_id["S01/s2_ts_sp"].no] == 51.5
    assert COUNTY.point_by_id["S02/s2_ts_sp"].no not in asked and len(asked) > 3
    page.locator('button[data-dispatch="undo"]').wait_for(timeout=20_000)
    assert page.locator("#dispatch-rooms .main-svg").count() > 0


def test_the_page_tells_money_rooms_and_every_set_point(context: Context) -> None:
    no = keep_proposal(context)
    row, body = context.store.kept("dispatch")[0], context.store.kept_body(no)
    assert isinstance(body, dict)
    heat, boiler, power, cost, _ = sum_up(context, body["after"], np.array(body["dt_s"]))
    assert heat > boiler >= 0.0 and power > 0.0 and cost > 0.0
    text = str(draw_summary(context, row, body, "zh", False))
    assert "下达所选" in text and "工程默认值" in text
    assert "下达所选" not in str(draw_summary(context, row, body, "zh", True)), (
        "the wall shows, it does not act"
    )
    table = str(draw_wishes(context, row, body, "zh"))
    assert all(w["point"] in table for w in body["wishes"])


def test_the_desk_approves_the_whole_proposal_with_one_button(context: Context) -> None:
    keep_proposal(context)
    *_, last = draw_proposal(context, "zh", bare=False)
    button = last.children[0]
    words = button.to_plotly_json()["props"]
    sent = {r["point"]: r["value"] for r in json.loads(words["data-body"])["rows"]}
    row = context.store.kept("dispatch", limit=1)[0]
    body = context.store.kept_body(row.no)
    assert isinstance(body, dict) and set(sent) == {w["point"] for w in body["wishes"]} and sent
    assert words["data-tell"] == f"/api/dispatch/{row.no}/approve" and str(len(sent)) in words["data-ask"]
    assert len(draw_proposal(context, "zh")) == len(draw_proposal(context, "zh", bare=False)) - 1
    body["objective"] = "carbon"
    context.store.mark_kept(row, "made", "", body)
    fresh = Context(context.settings, context.county, context.store)
    assert any("二氧化碳" in str(x) for x in draw_proposal(fresh, "zh"))


def test_the_forecast_is_drawn_with_its_band_and_tells_how_good_it_was(context: Context) -> None:
    past = WeatherPast(HOURS.t, HOURS.t_out_c, HOURS.wind_m_s, HOURS.sun_w_m2)
    heat = np.nansum(HOURS.source["src_heat"], axis=1)
    design = float(DESK.houses.design_w.sum())
    outlook = expect_weather(past, np.full(24, 3600.0))
    f = forecast_load(LoadPast(past, heat, design, COUNTY.meta.design_outdoor_c), outlook)
    no = context.store.keep("forecast", "", describe_forecast(f, outlook))
    body = context.store.kept_body(no)
    assert isinstance(body, dict)
    figure = draw_load(context, body, (HOURS.t[-24:] - 1800.0, heat[-24:]), "zh", False)
    assert {"实测", "预测", "90 % 区间", "昨日同时刻", "室外温度"} <= {t.name for t in figure.data}
    assert "照搬昨日" in tell_quality(body, "zh")
    assert np.isfinite(NOW).sum() == 0 and time.time() > 0


@pytest.mark.parametrize(
    ("text", "why"), [("a = [", "tariff.toml"), ("speed = 3", "unknown speed"), ("lowest_hz = 3", "20 to 50")]
)
def test_a_wrong_tariff_names_the_file_and_the_mend(tmp_path: Path, text: str, why: str) -> None:
    assert read_tariff(tmp_path) == (Tariff(), False)
    (tmp_path / "tariff.toml").write_text("boiler_yuan_gj = 99.5\nel_peak_hours = [9, 10]\n")
    assert read_tariff(tmp_path)[0].boiler_yuan_gj == 99.5
    (tmp_path / "tariff.toml").write_text(text)
    with pytest.raises(InputError, match=why):
        read_tariff(tmp_path)


WARM = InletRow("B01", "S01", 23.4, 0.5, 2.4, 0.72, 1.5, 2, True, False)


def test_a_turned_valve_is_noted_and_its_building_left_to_settle(
    site: Site, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    cool = replace(
        WARM, building_id="B02", beside_k=0.1, turn=1.0, act=False, rooms=0, flow_kg_s=np.nan, blind=True
    )
    monkeypatch.setattr("app.domains.heating.inlets.balance_inlets", lambda *a: (WARM, cool))
    book = compile_inlets(COUNTY)
    assert read_inlets(COUNTY, book, site.store, time.time())[0].act
    page.goto(f"{site.url}/balance")
    row = page.locator("#inlet-list tr[data-building='B01']")
    row.locator("input[type=checkbox]").check(timeout=60_000)
    assert "5.4 → 3.9" in row.inner_text() and "-28" in row.inner_text()
    page.locator("button[data-balance]").click()
    page.wait_for_function("document.getElementById('inlet-said').textContent.includes('1')")
    kept = site.store.kept("balance")[0]
    assert site.store.kept_body(kept.no) == {"turned": {"B01": 0.72}}
    assert read_turned(site.store, time.time())["B01"].turn == 0.72
    assert not read_inlets(COUNTY, book, site.store, time.time())[0].act
    site.store.put(next(p.id for p in COUNTY.points if p.key == "room_t"), 21.0)
    blind = page.locator("#visit-list tr[data-building='B02']")
    blind.locator("input[type=number]").fill("18.4")
    blind.locator("input[type=text]").fill("2-301")
    page.locator("button[data-visits]").click()
    page.wait_for_function("document.getElementById('visits-said').textContent.includes('1')")
    (visit,) = read_visits(site.store, time.time())
    assert (visit.building_id, visit.home, visit.room_c) == ("B02", "2-301", 18.4)


def test_a_room_measured_by_hand_counts_until_its_valve_is_turned(context: Context) -> None:
    store, book, now = context.store, compile_inlets(COUNTY), time.time()
    value = np.full(len(COUNTY.points), np.nan)
    rows = (Reading("B02", 18.5, "2-301"), Reading("B02", 19.5))
    with pytest.raises(InputError, match="no room reports"):
        note_visits(COUNTY, book, store, value, rows, "li")
    value[book.room] = 21.0
    note_visits(COUNTY, book, store, value, rows, "li")
    seen = read_visits(store, now)
    assert [(v.building_id, v.home, v.beside_k) for v in seen] == [("B02", "2-301", -2.5), ("B02", "", -1.5)]
    placed = place_visits(book, seen)
    assert [book.buildings[i].id for i in placed.row] == ["B02", "B02"]
    note_turned(COUNTY, store, {"B02": 1.4}, "li")
    assert read_visits(store, now) == ()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "give"), ({"visits": [3]}, "needs its building"), ({"visits": []}, "1 to"),
        ({"visits": [{"building": "B02", "room_c": "20"}]}, "number"),
        ({"visits": [{"building": "B02", "room_c": 55}]}, "0 to 40"),
        ({"visits": [{"building": "nowhere", "room_c": 20}]}, "not a heated building"),
    ],
)  # fmt: skip
def test_a_room_that_cannot_be_is_not_kept(context: Context, body: object, why: str) -> None:
    value = np.full(len(COUNTY.points), 20.0)
    with pytest.raises(InputError, match=why):
        note_visits(COUNTY, compile_inlets(COUNTY), context.store, value, read_readings(body), "li")
    assert context.store.kept("balance") == []


@pytest.mark.parametrize("body", [{}, {"turned": {"B01": "x"}}, {"turned": {"B01": float("nan")}}])
def test_a_note_without_buildings_or_numbers_is_refused(body: object) -> None:
    with pytest.raises(InputError, match="turned"):
        read_turns(body)


@pytest.mark.parametrize("rows", [{}, {"nowhere": 0.8}, {"B01": 0.0}])
def test_a_note_that_cannot_be_is_not_kept(context: Context, rows: dict[str, float]) -> None:
    with pytest.raises(InputError, match="turned"):
        note_turned(COUNTY, context.store, rows, "li")
    assert context.store.kept("balance") == []


def test_the_balance_page_lists_valves_and_curves_and_says_when_it_cannot(site: Site, page: Page) -> None:
    for s in COUNTY.network.substations:
        site.store.put(f"{s.id}/p1_flow", s.design_flow_kg_s / 1000.0 * (0.4 if s.id == "S01" else 0.8))
    for source in COUNTY.network.sources:
        site.store.put(f"{source.id}/src_ps", 8e5)
        site.store.put(f"{source.id}/src_pr", 3.5e5)
    page.goto(f"{site.url}/balance")
    page.locator("#balance-list tr td").first.wait_for(timeout=60_000)
    text = page.locator("#balance-list").inner_text()
    assert "平衡" in text and COUNTY.network.substations[0].name in text
    dots = "document.querySelectorAll('#curve-chart .points path').length"
    page.wait_for_function(f"{dots} === {len(COUNTY.network.substations)}")
    with page.expect_download() as download:
        page.locator("#balance-save").click()
    assert re.fullmatch(r"balance-\d{8}-\d{4}\.xlsx", download.value.suggested_filename)
    with pytest.raises(InputError, match="must be measured"):
        balance_now(COUNTY, DESK.system.net, np.full(len(COUNTY.points), np.nan))
    assert compare_curves(COUNTY, np.full(len(COUNTY.points), np.nan), -5.0) == ()
