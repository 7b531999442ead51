"""Hour, weather, colours of buildings, arrows of flow, boundaries and filters, in a real Chromium."""

import numpy as np
import shapely
from playwright.sync_api import Page

from app.scene.palette import DARK
from tests.scene.look import SEE, frames, shoot
from twin.model.county import County

INNER = slice(90, 510), slice(120, 840)


def picture(page: Page, script: str) -> np.ndarray:
    page.evaluate(script)
    frames(page, 4)
    return shoot(page)[INNER].astype(float)


def test_the_hour_the_snow_and_what_colours_the_buildings_are_in_the_picture(
    page: Page,
    county: County,
) -> None:
    bare = (
        "window.bare = Object.assign(document.createElement('style'),"
        " { textContent: '.ct-scene-labels, .ct-scene-names, .ct-scene-chrome { display: none }' });"
        "document.head.append(bare)"
    )
    page.evaluate(bare)
    try:
        look_at_hours(page, county)
    finally:
        page.evaluate("bare.remove()")


def look_at_hours(page: Page, county: County) -> None:
    heights = [b.height_m if b.heated else 0.0 for b in county.buildings]
    tall = heights.index(max(heights))
    x, y = page.evaluate(
        """(r) => { const e = CT.scene.stage.layerSet.entryOf("buildings");
        const v = e.props.data.attributes.getPolygon.value;
        const s = 3 * e.props.data.startIndices[e.row.indexOf(r)]; return [v[s], v[s + 1]]; }""",
        tall,
    )
    page.evaluate(SEE, [x, y, 17.6, 55])
    day = picture(page, "answer()")
    snow = picture(page, "CT.scene.stage.hours.set({ hour: 'day', snow: true })")
    assert snow.mean() > day.mean() + 25, "snow whitens ground and roofs"
    night = picture(page, "CT.scene.stage.hours.set({ hour: 'night', snow: false })")
    assert night.mean() < 0.75 * day.mean()
    warm = (night[..., 0] > 140) & (night[..., 0] > night[..., 2] + 50)
    by_day = (day[..., 0] > 140) & (day[..., 0] > day[..., 2] + 50)
    assert (warm & ~by_day).sum() > 60, "windows and street lights"
    plain = picture(page, "CT.scene.stage.hours.set({ hour: 'plain' })")
    assert np.abs(plain - day).mean() < 1.0
    assert picture(page, "CT.scene.stage.show('arrows', false)").std() > 0
    still = picture(page, "document.querySelector('canvas').dataset.x = 1")
    arrows = picture(page, "CT.scene.stage.show('arrows', true)")
    assert 40 < (np.abs(arrows - still).max(axis=2) > 25).sum() < 0.05 * still[..., 0].size
    page.evaluate("CT.scene.stage.shades.setMode('use')")
    painted = page.evaluate(
        """() => { const e = CT.scene.stage.layerSet.entryOf('buildings'), d = e.props.data;
        const first = (k) => 4 * d.startIndices[k], v = d.attributes.getFillColor.value;
        return [...e.row.keys()].map((k) => [e.row[k], [...v.slice(first(k), first(k) + 3)]]); }"""
    )
    assert all(tuple(c) == DARK.uses.get(county.buildings[r].use, DARK.uses["other"]) for r, c in painted)
    aged = picture(page, "CT.scene.stage.shades.setMode('age')")
    assert np.abs(aged - plain).max() > 12
    back = picture(page, "CT.scene.stage.shades.setMode('plain')")
    assert np.abs(back - plain).mean() < 1.0


def test_other_pages_mark_pipes_colour_buildings_and_hear_of_a_clicked_pipe(
    page: Page,
    county: County,
) -> None:
    pipe = county.network.pipes[0].id
    page.evaluate(
        f"document.dispatchEvent(new CustomEvent('ct-mark', {{ detail: {{ pipes: ['{pipe}'] }} }}))"
    )
    drawn = """CT.scene.deck.props.layers.filter((l) => l && l.id === 'marks.pipes')
        .map((l) => l.props.data.length)"""
    assert page.evaluate(drawn) == [1]
    page.evaluate("document.dispatchEvent(new CustomEvent('ct-mark', { detail: null }))")
    assert page.evaluate(drawn) == []
    n = len(county.buildings)
    page.evaluate(
        f"""document.dispatchEvent(new CustomEvent('ct-buildings', {{ detail: {{
          values: new Float32Array({n}).fill(12), low: 10, high: 20, unit: '°C', title: 'x' }} }}))"""
    )
    assert page.evaluate("CT.scene.stage.shades.on")
    assert "x" in page.inner_text(".ct-scene-legend-shade")
    page.evaluate("document.dispatchEvent(new CustomEvent('ct-buildings', { detail: null }))")
    assert not page.evaluate("CT.scene.stage.shades.on")


def test_the_way_down_from_the_county_frames_filters_and_comes_back(
    page: Page,
    county: County,
) -> None:
    borders = page.evaluate(
        "CT.scene.stage.places.borders.map((b) => [b.id, b.kind, b.ring.length, b.parent])"
    )
    assert [b[0] for b in borders] == [p.id for p in county.places]
    k = next(k for k, b in enumerate(borders) if b[1] == "community")
    page.evaluate(f"CT.scene.stage.places.go({k}); CT.scene.stage.places.filter(true)")
    mine = [r for r, b in enumerate(county.buildings) if b.community_id == county.places[k].id]
    left = page.evaluate("[...CT.scene.stage.layerSet.entryOf('buildings').row]")
    assert set(left) <= set(mine) and len(left) < len(county.buildings)
    assert len(page.query_selector_all(".ct-scene-crumb")) == len(
        page.evaluate(f"CT.scene.stage.places.way({k})")
    )
    page.evaluate("CT.scene.stage.places.go(CT.scene.stage.places.way(CT.scene.stage.places.here)[0])")
    assert len(page.evaluate("[...CT.scene.stage.layerSet.entryOf('buildings').row]")) >= len(left)
    assert page.evaluate("CT.scene.stage.rowFilter") is None


def test_search_takes_names_addresses_and_parts_of_them(page: Page, county: County) -> None:
    row = 5
    building = county.buildings[row]
    ring = building.footprint[:-1]
    lon, lat = (sum(p[k] for p in ring) / len(ring) for k in (0, 1))
    box, rows = ".ct-scene-search-input", ".ct-scene-search-row"
    words = "".join(c for c in building.address if not c.isdigit()).rstrip("号")
    number = "".join(c for c in building.address if c.isdigit())
    wide = number.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for text in (building.address, f"{words[:2]} {number}", f"{words}{wide}", building.id):
        page.fill(box, "")
        page.evaluate("CT.scene.stage.highlight('building', null)")
        page.fill(box, text)
        page.press(box, "Enter")
        page.wait_for_function(f"CT.scene.stage.state.building === {row}")
        frames(page, 2)
        camera = page.evaluate("({...CT.scene.camera})")
        assert abs(camera["longitude"] - lon) < 3e-4 and abs(camera["latitude"] - lat) < 3e-4, text
    page.fill(box, words)
    page.wait_for_function(f"document.querySelectorAll('{rows}').length > 1")
    assert all(words in text for text in page.locator(rows).all_inner_texts())
    page.fill(box, "不存在的地方")
    page.wait_for_selector(".ct-scene-search-none")
    assert "不存在的地方" in page.inner_text(".ct-scene-search-none")
    page.fill(box, "")


def test_a_polygon_drawn_on_the_screen_chooses_what_lies_in_it(page: Page) -> None:
    inside = """(ring) => {
      const stage = CT.scene.stage;
      const spots = CT.sceneKit.buildingSpots(stage.layerSet.entryOf('buildings'));
      return spots.map((b) => [b.row, ...stage.project(b.at.slice()).slice(0, 2)]);
    }"""
    spots = page.evaluate(inside)
    corner = [(300, 150), (760, 170), (640, 470), (360, 430)]
    polygon = shapely.Polygon(corner)
    expected = {row for row, x, y in spots if polygon.contains(shapely.Point(x, y))}
    assert 0 < len(expected) < len(spots)
    page.evaluate("CT.scene.stage.useTool('polygon')")
    for x, y in corner:
        page.mouse.click(x, y)
    assert page.evaluate("CT.scene.stage.choice.kind") == "polygon"
    page.mouse.click(*corner[-1])  # once more on the last corner: done
    page.wait_for_function("CT.scene.stage.choice.rows")
    assert set(page.evaluate("CT.scene.stage.choice.rows.buildings")) == expected
    assert page.is_visible(".ct-scene-panel")
    page.evaluate("CT.scene.stage.useTool('polygon')")
    page.mouse.click(400, 300)
    page.keyboard.press("Escape")
    assert page.evaluate("CT.scene.stage.choice.kind") is None


def test_a_wall_begins_to_turn_by_itself_and_stops_for_a_hand_or_a_choice(page: Page) -> None:
    turning = "CT.scene.stage.link.moving === 'orbit'"
    page.evaluate("CT.scene.stage.link.idle(60)")
    try:
        page.wait_for_function(turning)
        first = page.evaluate("CT.scene.camera.bearing")
        page.wait_for_function("(b) => Math.abs(CT.scene.camera.bearing - b) > 0.2", arg=first)
        page.evaluate("CT.scene.stage.link.after = 60000; CT.scene.setSelection('S02')")
        assert not page.evaluate(turning)
        page.evaluate("CT.scene.stage.link.idle(60)")
        page.wait_for_function(turning)
        page.evaluate("CT.scene.stage.link.after = 60000")
        page.mouse.move(480, 300)
        page.mouse.down()
        page.mouse.move(520, 320, steps=4)
        page.mouse.up()
        page.wait_for_function(f"!({turning})")
    finally:
        page.evaluate("CT.scene.stage.link.close()")
