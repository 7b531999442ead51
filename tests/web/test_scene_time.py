"""The scene through time: recorded and simulated moments, sections along the pipes, choices as tables."""

import io
import json
import math
import time
from dataclasses import replace

import numpy as np
import openpyxl
import pytest
from playwright.sync_api import Page

from app.domains.heating.moment import RoomBook
from app.domains.heating.past import read_past
from app.domains.heating.profile import trace_between, trace_path
from app.domains.heating.tomorrow import (
    Ahead,
    carry_on,
    describe_ahead,
    pack,
    read_ahead,
    simulate_ahead,
    unpack,
)
from tests.support.fake_store import FakeStore
from tests.web.conftest import Site
from tests.web.test_rehearsal import COUNTY, STAGE, measured, nothing_stored
from twin.dispatch.outlook import Outlook
from twin.rehearsal import settle_system


@pytest.fixture(scope="module")
def ahead() -> Ahead:
    past = read_past(COUNTY, STAGE.system(), measured(), nothing_stored, 0.0)
    now, hour = time.time(), 3600.0 * np.arange(1, 5)
    none = np.zeros(4)
    weather = Outlook(now + hour, np.full(4, 3600.0), np.full(4, -13.0), none, none + 2.0, none, none + 1.0)
    outlook = carry_on(STAGE.system(), past, weather, now, 3)
    assert outlook.t_outdoor_c[0] > -6.0 and outlook.t_outdoor_c[-1] == pytest.approx(-13.0)
    return simulate_ahead(STAGE.system(), settle_system(STAGE.system(), past), outlook, now)


def read_moment(data: bytes) -> tuple[dict, np.ndarray]:  # type: ignore[type-arg]
    assert data[:4] == b"CTMO"
    n = int.from_bytes(data[4:8], "little")
    head = json.loads(data[8 : 8 + n])
    assert (8 + n) % 8 == 0
    return head, np.frombuffer(data[8 + n : len(data) - head["buildings"]], "<f4")


def test_packed_numbers_come_back_to_a_32_thousandth() -> None:
    x = np.array([[0.0, -812.5, math.nan], [1e-3, 640.25, 9.0]])
    back = unpack(json.loads(json.dumps(pack(x))))
    assert np.nanmax(np.abs(back - x)) <= 812.5 / 32_000 and np.array_equal(np.isnan(back), np.isnan(x))


def test_the_day_ahead_is_one_simulation_kept_whole(ahead: Ahead) -> None:
    assert ahead.t.size == 4 and ahead.t[-1] - ahead.t[0] == 3 * 3600.0
    source = COUNTY.network.node_index[COUNTY.network.sources[0].node_id]
    assert ahead.network["t_supply_c"][-1, source] == pytest.approx(95.0, abs=1.0)
    assert (ahead.network["p_supply_pa"][-1] > ahead.network["p_return_pa"][-1]).mean() > 0.9
    supply = np.array([p.side.value == "supply" for p in COUNTY.network.pipes])
    t = ahead.network["t_pipe_c"][-1]
    assert np.nanmean(t[supply]) > np.nanmean(t[~supply]) + 20.0
    assert np.all(np.isfinite(ahead.room_c)) and not np.array_equal(ahead.room_c[0], ahead.room_c[-1])
    back = read_ahead(json.loads(json.dumps({k: v if isinstance(v, (float, list, dict)) else list(v)
                                             for k, v in describe_ahead(ahead).items()})))  # type: ignore[call-overload]  # fmt: skip
    assert back is not None and back.building == ahead.building
    assert back.state_at(ahead.t[2])[0].t_pipe_c == pytest.approx(ahead.network["t_pipe_c"][2], abs=0.01)
    assert read_ahead({"made": 1.0}) is None


def test_rooms_without_a_sensor_follow_those_of_their_station(ahead: Ahead) -> None:
    rooms = [p for p in COUNTY.points if p.key == "room_t"]
    value = np.full(len(COUNTY.points), np.nan)
    value[rooms[0].no] = 16.0
    room, known = RoomBook(COUNTY).read(value, ahead)
    row = {b.id: k for k, b in enumerate(COUNTY.buildings)}[rooms[0].place_id.split(":")[0]]
    assert room[row] == 16.0 and known.sum() == 1
    same = [k for k, b in enumerate(COUNTY.buildings)
            if b.heated and b.substation_id == COUNTY.buildings[row].substation_id and k != row]  # fmt: skip
    expected = dict(zip(ahead.building, ahead.room_c[0], strict=True))
    for k in same:
        apart = expected[COUNTY.buildings[k].id] - expected[COUNTY.buildings[row].id]
        assert room[k] == pytest.approx(16.0 + apart)
    assert np.isnan(room[[k for k, b in enumerate(COUNTY.buildings) if not b.heated]]).all()


def test_a_section_runs_between_any_two_nodes() -> None:
    network = COUNTY.network
    source, node, distance = trace_path(network, network.substations[-1].node_id)
    begin = next(s for s in network.sources if s.id == source).node_id
    there, far = trace_between(network, begin, network.substations[-1].node_id)
    assert np.array_equal(there, node) and far == pytest.approx(distance)
    back, far_back = trace_between(network, network.substations[-1].node_id, begin)
    assert np.array_equal(back, node[::-1]) and far_back[-1] == pytest.approx(distance[-1])
    assert trace_between(network, begin, "nowhere")[0].size == 0


def test_moments_sections_and_choices_are_served(site: Site, store: FakeStore, ahead: Ahead) -> None:
    now = time.time()
    state = store.states[-1]
    store.states = [replace(state, t=now - 7200.0, status="replayed", t_pipe_c=state.t_pipe_c - 20.0), state]
    store.keep("ahead", "", describe_ahead(ahead))
    times = json.loads(site.ask("/scene/time.json").text)
    assert times["past"][0] == pytest.approx(now - 7200.0, abs=1.0) and len(times["ahead"]) == 3
    pipes = len(COUNTY.network.pipes)
    kinds = {}
    for t in ("", times["past"][0] + 60, times["ahead"][1]):
        head, numbers = read_moment(site.fetch(f"/scene/moment.bin?t={t}"))
        at = 4 * head["nodes"] + pipes
        kinds[head["kind"]] = float(numbers[at])
        assert numbers.size == 4 * head["nodes"] + 2 * pipes + head["buildings"]
    assert kinds["now"] == 80.0 and kinds["past"] == 60.0
    assert kinds["ahead"] == pytest.approx(ahead.network["t_pipe_c"][2, 0], abs=0.1)
    assert read_moment(site.fetch(f"/scene/moment.bin?t={now - 80_000:.0f}"))[0]["nodes"] == 0
    assert site.ask("/scene/moment.bin?t=soon").status == 422
    end = COUNTY.network.substations[-1]
    told = json.loads(site.ask(f"/scene/section.json?to={end.id}&key=heads&t={times['ahead'][0]}").text)
    assert told["from"] and told["distance_m"][0] == 0.0 and len(told["places"]) == len(told["distance_m"])
    assert len(told["figure"]["data"]) >= 3
    assert site.ask("/scene/section.json?to=nobody").status == 422
    heated = [k for k, b in enumerate(COUNTY.buildings) if b.heated]
    body = json.dumps({"buildings": heated[:2], "stations": [end.id], "pipes": [0], "lang": "en"}).encode()
    book = openpyxl.load_workbook(io.BytesIO(site.ask_bytes("/scene/choice.xlsx", body)))
    assert book.sheetnames == ["Buildings", "Heat stations", "Pipes"]
    assert book["Buildings"]["A2"].value == COUNTY.buildings[heated[0]].id and book["Buildings"].max_row == 3
    text = site.ask_bytes("/scene/choice.csv", body).decode("utf-8-sig")
    assert COUNTY.network.pipes[0].id in text and "Room temperature" in text
    assert site.ask("/scene/choice.csv", "POST", json.dumps({"buildings": [-1]})).status == 422


STAGE_IS_READY = (
    "window.CT?.scene?.ready === true && CT.scene.stage.time && CT.scene.stage.time.times.past.length > 0"
)
FIRST = "CT.scene.stage.painter.values && CT.scene.stage.painter.values[0]"


@pytest.fixture
def heating(page: Page, site: Site, store: FakeStore, ahead: Ahead) -> Page:
    state = store.states[-1]
    store.states = [
        replace(state, t=time.time() - 7200.0, status="replayed", t_pipe_c=state.t_pipe_c - 20.0),
        state,
    ]
    store.keep("ahead", "", describe_ahead(ahead))
    page.set_default_timeout(60_000)
    page.set_viewport_size({"width": 1000, "height": 640})
    page.goto(site.url + "/heating?sel=S01")
    page.wait_for_function(STAGE_IS_READY)
    return page


def test_the_time_line_replays_and_foretells_by_keyboard_and_its_link_shows_the_same(
    heating: Page, ahead: Ahead
) -> None:
    page = heating
    page.wait_for_function(f"{FIRST} === 80")
    slider = page.locator(".ct-scene-time-slider")
    slider.press("ArrowLeft")
    page.wait_for_function(f"CT.scene.stage.time.kind === 'past' && {FIRST} === 60")
    assert "2.0 小时前" in page.inner_text(".ct-scene-time-text")
    page.evaluate(
        """() => { const n = {...CT.network, tPipe: CT.network.tPipe.map(() => 11), t: Date.now() / 1000};
        document.dispatchEvent(new CustomEvent('ct-network', { detail: n })); }"""
    )
    assert page.evaluate(FIRST) == 60, "a live answer waits while another time is shown"
    page.wait_for_function("location.hash.includes('time=')")
    link = page.url
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    page.wait_for_function(
        "CT.scene.stage.time.kind === 'ahead' && CT.scene.stage.time.shown?.kind === 'ahead'"
    )
    assert page.evaluate(FIRST) == pytest.approx(ahead.network["t_pipe_c"][1, 0], abs=0.1)
    assert page.inner_text(".ct-scene-time-badge") == "模拟预测"
    page.click(".ct-scene-time-back")
    page.wait_for_function(f"CT.scene.stage.time.kind === 'now' && {FIRST} === 11")
    page.wait_for_function("!location.hash.includes('time=')")
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_function(f"{STAGE_IS_READY} && CT.scene.stage.time.kind === 'past' && {FIRST} === 60")


def test_a_section_and_a_choice_are_drawn_marked_and_exported(heating: Page) -> None:
    page = heating
    page.evaluate("CT.scene.stage.useTool('section')")  # the chosen station is its end
    page.wait_for_function("document.querySelectorAll('.ct-scene-chart .js-line').length >= 5")
    spot = page.evaluate(
        """() => { const s = CT.scene.stage.section, d = s.told[0].distance_m, far = d[d.length - 1];
        document.querySelector('.ct-scene-chart').emit('plotly_hover', { points: [{ x: far / 2000 }] });
        const near = Math.min(...s.path.map((p) => Math.hypot(p[0] - s.spot[0], p[1] - s.spot[1])));
        const drawn = CT.scene.deck.props.layers.some((l) => l && l.id === 'section.spots');
        return { near, far, drawn }; }"""
    )
    assert spot["drawn"] and spot["near"] <= spot["far"] / 2
    page.click(".ct-scene-panel-close")
    assert not page.evaluate("CT.scene.stage.section.on")
    page.evaluate("CT.scene.stage.useTool('box')")
    box = page.locator(".ct-scene-sheet").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5)
    page.mouse.up()
    page.wait_for_selector(".ct-scene-facts")
    rows = page.evaluate("CT.scene.stage.choice.rows")
    sums = page.evaluate("CT.scene.stage.choice.sums()")
    heated = [COUNTY.buildings[r] for r in rows["buildings"] if COUNTY.buildings[r].heated]
    assert heated and len(rows["stations"]) == len(COUNTY.network.substations) and rows["pipes"]
    assert sums["area"] == pytest.approx(sum(b.area_m2 for b in heated), abs=len(heated))
    assert sums["load_kw"] == pytest.approx(sum(b.design_heat_w for b in heated) / 1e3, abs=1.0)
    assert sums["worst_c"] == pytest.approx(20.5, abs=3.0)
    with page.expect_download() as download:
        page.click(".ct-scene-panel button[name=csv]")
    assert heated[0].id in download.value.path().read_text("utf-8-sig")
