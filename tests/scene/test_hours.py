"""Hour, weather, colours of buildings, arrows of flow, boundaries and filters, in a real Chromium."""

from collections.abc import Callable

import numpy as np
from playwright.sync_api import Page

from app.scene.palette import DARK
from tests.scene.test_browser import base, browser, frames, open_page, shoot  # noqa: F401 - fixtures
from twin.model.county import County

INNER = slice(110, 600), slice(330, 1180)
SEE = """([x, y, zoom, pitch]) => {
  const stage = CT.scene.stage, origin = stage.spec.scene.origin;
  const [longitude, latitude] = CT.sceneKit.toLonLat(stage.deckModule, origin, x, y);
  stage.moved = true;
  stage.see({ ...stage.view, longitude, latitude, zoom, pitch, bearing: 0, transitionDuration: 0 });
}"""


def picture(page: Page, script: str) -> np.ndarray:
    page.evaluate(script)
    frames(page, 4)
    return shoot(page)[INNER].astype(float)


def test_the_hour_the_snow_and_what_colours_the_buildings_are_in_the_picture(
    open_page: Callable[..., Page],  # noqa: F811
    county: County,
) -> None:
    page = open_page(reduced_motion="reduce")
    page.wait_for_function("CT.scene.stage.places && CT.scene.stage.hours")
    page.add_style_tag(content=".ct-scene-labels, .ct-scene-names, .ct-scene-chrome { display: none }")
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
    assert 50 < (np.abs(arrows - still).max(axis=2) > 25).sum() < 0.05 * still[..., 0].size
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
    open_page: Callable[..., Page],  # noqa: F811
    county: County,
) -> None:
    page = open_page(reduced_motion="reduce")
    page.wait_for_function("CT.scene.stage.places && CT.scene.stage.hours")
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
    open_page: Callable[..., Page],  # noqa: F811
    county: County,
) -> None:
    page = open_page(reduced_motion="reduce")
    page.wait_for_function("CT.scene.stage.places && CT.scene.stage.hours")
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
