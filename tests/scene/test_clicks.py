"""What lies under the pointer: markers, buildings and pipes under clicks; where things lie on the screen."""

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.scene.look import LISTEN, MIDDLE, ROOF, SIZE, frames, pipe_row
from twin.model.county import County

PHONE = {"width": 390, "height": 640}


def test_markers_lie_where_degrees_put_them(page: Page) -> None:
    away = page.evaluate(
        """() => CT.scene.spec.scene.places.map((p) => {
          const [x, y] = CT.scene.project(p.top);
          const z = CT.scene.spec.scene.origin[2] + p.top[2];
          const [u, v] = CT.scene.deck.getViewports()[0].project([...p.lonlat, z]);
          return Math.hypot(x - u, y - v);
        })"""
    )
    assert max(away) < 0.5


def test_a_pick_finds_the_station_and_the_pipe_under_the_pixel(page: Page, county: County) -> None:
    for station in county.network.substations:
        found = page.evaluate(
            "(id) => { const p = CT.scene.spec.scene.places.find((p) => p.id === id);"
            " const [x, y] = CT.scene.project(p.top); return CT.scene.pick(x, y); }",
            station.id,
        )
        assert (found["kind"], found["id"]) == ("station", station.id)
    x, y = page.evaluate(MIDDLE, ["pipes.supply", pipe_row(county, "P02-S")])
    found = page.evaluate("([x, y]) => CT.scene.pick(x, y)", [x, y])
    assert found["kind"] == "pipe" and found["id"].startswith("P02-")


def test_a_click_on_a_marker_tells_the_page(page: Page) -> None:
    page.evaluate(LISTEN, "ct-select")
    x, y = page.evaluate("CT.scene.project(CT.scene.spec.scene.places.find((p) => p.id === 'S03').top)")
    page.mouse.click(x, y)
    page.wait_for_function("window.heard")
    assert page.evaluate("[heard.kind, heard.id]") == ["station", "S03"]
    assert "is-selected" in (page.locator("[data-place=S03]").get_attribute("class") or "")


def test_a_click_on_a_building_selects_its_station(page: Page, county: County) -> None:
    page.evaluate(LISTEN, "ct-select")
    assert county.buildings[6].substation_id == "S04"
    page.mouse.click(*page.evaluate(ROOF, 6))
    page.wait_for_function("window.heard")
    assert page.evaluate("heard.id") == "S04"


@pytest.mark.parametrize("side", ["supply", "return"])
def test_a_click_on_a_pipe_tells_the_page_which(page: Page, county: County, side: str) -> None:
    pipe = f"P02-{side[0].upper()}"
    page.evaluate(LISTEN, "ct-pick")
    # both pipes of a trench lie in one line; each is drawn beside it, to its own side
    x, y = page.evaluate(MIDDLE, [f"pipes.{side}", pipe_row(county, pipe)])
    hits = page.evaluate(
        "([x, y]) => [...Array(49)].map((_, i) => [x + 2 * (i % 7) - 6, y + 2 * Math.floor(i / 7) - 6])"
        ".filter(([x, y]) => { const i = CT.scene.deck.pickObject({ x, y, radius: 0 });"
        " return i && i.layer.id.startsWith('pipes.'); })"
        ".map(([x, y]) => [x, y, CT.scene.pick(x, y).id])",
        [x, y],
    )
    mine = [h for h in hits if h[2] == pipe]
    assert mine, hits
    page.mouse.click(mine[len(mine) // 2][0], mine[len(mine) // 2][1])
    page.wait_for_function("window.heard")
    assert page.evaluate("[heard.kind, heard.id, heard.scene]") == ["pipe", pipe, "box"]


def test_a_selection_from_the_page_flies_there(page: Page) -> None:
    page.evaluate("document.dispatchEvent(new CustomEvent('ct-select', {detail: {id: 'S02'}}))")
    page.wait_for_function("document.querySelector('[data-place=S02].is-selected')")
    frames(page, 6)
    x, y = page.evaluate("CT.scene.project(CT.scene.spec.scene.places.find((p) => p.id === 'S02').ground)")
    assert abs(x - SIZE["width"] / 2) < 20
    assert abs(y - SIZE["height"] / 2) < 60


def test_a_spot_from_the_page_is_flown_to_and_lit(page: Page, county: County) -> None:
    show = "(spot) => document.dispatchEvent(new CustomEvent('ct-spot', { detail: spot }))"
    middle = SIZE["width"] / 2, SIZE["height"] / 2

    def off(x: float, y: float) -> float:
        return float(np.hypot(x - middle[0], y - middle[1]))

    page.evaluate(show, {"kind": "building", "ids": [county.buildings[6].id]})
    page.wait_for_function("CT.scene.stage.state.building === 6")
    frames(page, 6)
    assert off(*page.evaluate(ROOF, 6)) < 90
    page.evaluate(show, {"kind": "pipes", "ids": ["P02-S"]})
    frames(page, 6)
    assert page.evaluate("CT.scene.stage.state.building") is None, "the building before is dark again"
    assert off(*page.evaluate(MIDDLE, ["pipes.supply", pipe_row(county, "P02-S")])) < 90
    places = [s.id for s in county.network.substations]
    page.evaluate(show, {"kind": "places", "ids": places})
    frames(page, 6)
    for x, y in page.evaluate(
        "(ids) => CT.scene.spec.scene.places.filter((p) => ids.includes(p.id))"
        ".map((p) => CT.scene.project(p.ground))", places,
    ):  # fmt: skip
        assert 0 < x < SIZE["width"] and 0 < y < SIZE["height"], "all of them are in the picture"


def test_on_a_phone_the_search_is_a_button_that_opens(page: Page) -> None:
    box, button = page.locator(".ct-scene-search-input"), page.locator(".ct-scene-search-open")
    assert box.is_visible() and not button.is_visible()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    try:
        assert button.is_visible() and not box.is_visible()
        button.click()
        assert box.is_visible() and not button.is_visible()
        wide = box.bounding_box()
        assert wide and wide["width"] > PHONE["width"] / 2 and wide["height"] >= 44
        page.keyboard.type("S02")
        page.evaluate(LISTEN, "ct-select")
        page.locator(".ct-scene-search-row").first.click()
        page.wait_for_function("window.heard")
        assert page.evaluate("heard.id") == "S02"
        assert button.is_visible() and not box.is_visible()
    finally:
        page.set_viewport_size(SIZE)  # type: ignore[arg-type]
        page.evaluate("document.querySelector('.ct-scene-search-input').value = ''")


def test_without_a_graphics_card_the_picture_is_coarse_only_while_it_moves(page: Page) -> None:
    width = "document.querySelector('#box canvas').width"
    page.wait_for_function("!CT.scene.stage.hasty")
    full = page.evaluate(width)
    context = "document.querySelector('#box canvas').getContext('webgl2')"
    assert page.evaluate(f"{context}.getContextAttributes().antialias === false")
    moving = page.evaluate(
        "(() => { const stage = CT.scene.stage, before = stage.pixelRatio();"
        " stage.see({ ...stage.view, bearing: 3, transitionDuration: 0 });"
        " return [stage.hasty, stage.deck.props.useDevicePixels / before]; })()"
    )
    assert moving == [True, 0.5]
    page.wait_for_function(f"!CT.scene.stage.hasty && {width} === {full}")
