"""The scene in a real Chromium with software GL: what is on the screen, not what a log says."""

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from app.scene import content
from app.scene.assets import SceneAssets
from tests.scene.look import (
    DRAW,
    LISTEN,
    MIDDLE,
    SIZE,
    around,
    feed,
    frames,
    hues,
    open_scene,
    pipe_row,
    shoot,
    take_problems,
    wait_ready,
)
from twin.model.county import County
from twin.model.network import Side

NO_WEBGL = """
const real = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return /webgl/.test(kind) ? null : real.call(this, kind, ...rest);
};
"""
# Labels placed anew for the screen as it is now, all of them on it.
INSIDE = """([w, h]) => {
  CT.scene.stage.taken = null;
  CT.scene.stage.placeLabels();
  const labels = [...document.querySelectorAll('.ct-scene-label')];
  const shown = labels.filter((n) => n.style.visibility === 'visible');
  return shown.map((n) => n.getBoundingClientRect()).every((r) => r.right <= w && r.bottom <= h);
}"""


def test_supply_is_drawn_warm_and_return_cool_where_the_pipe_lies(page: Page, county: County) -> None:
    page.evaluate("answer()")
    picture = shoot(page)
    for pair in ("P02", "P05", "P07"):
        warm = hues(around(picture, *page.evaluate(MIDDLE, ["pipes.supply", pipe_row(county, f"{pair}-S")])))
        cool = hues(around(picture, *page.evaluate(MIDDLE, ["pipes.return", pipe_row(county, f"{pair}-R")])))
        assert ((warm < 40) | (warm > 350)).sum() >= 4, pair
        assert ((cool > 190) & (cool < 225)).sum() >= 4, pair


def test_places_come_out_of_the_buffers_as_they_went_in(
    page: Page, county: County, assets: SceneAssets
) -> None:
    lines = content.make_pipes(county, assets.frame, assets.mesh, Side.RETURN)
    walls = content.make_buildings(county, assets.frame, assets.mesh)
    for layer, attribute, vertices in (
        ("pipes.return", "getPath", lines.vertices),
        ("buildings", "getPolygon", walls.vertices),
    ):
        read = page.evaluate(
            "([l, a]) => Array.from(CT.scene.stage.layerSet.entryOf(l).props.data.attributes[a].value)",
            [layer, attribute],
        )
        assert np.abs(np.array(read).reshape(-1, 3) - vertices).max() <= 1 / 64 + 1e-4
    ground = page.evaluate(
        "CT.scene.stage.layerSet.entryOf('ground').props.mesh.attributes.positions.value"
        ".reduce((m, v, i) => (i % 3 === 2 ? [Math.min(m[0], v), Math.max(m[1], v)] : m), [1e9, -1e9])"
    )
    assert ground == pytest.approx([assets.mesh.height_m.min(), assets.mesh.height_m.max()], abs=0.07)


def test_a_pipe_without_an_answer_is_grey_and_the_legend_says_so(page: Page, county: County) -> None:
    row = pipe_row(county, "P07-S")
    page.evaluate("(row) => answer(row)", row)
    warm = hues(around(shoot(page), *page.evaluate(MIDDLE, ["pipes.supply", row]), 5))
    assert not ((warm < 40) | (warm > 350)).any()
    assert "无计算结果" in page.locator(".ct-scene-legend").inner_text()
    page.evaluate("answer()")
    assert "无计算结果" not in page.locator(".ct-scene-legend").inner_text()


def test_without_any_answer_the_legend_says_so(page: Page) -> None:
    assert "孪生尚无计算结果" in page.locator(".ct-scene-legend").inner_text()


def test_an_answer_for_another_county_is_not_drawn(page: Page) -> None:
    page.evaluate(
        "document.dispatchEvent(new CustomEvent('ct-network', {detail: {tPipe: new Float32Array(3)}}))"
    )
    assert "孪生尚无计算结果" in page.locator(".ct-scene-legend").inner_text()


@pytest.mark.parametrize("mode", ["pressure", "flow"])
def test_pressure_and_flow_colour_the_pipes_too(page: Page, county: County, mode: str) -> None:
    page.evaluate("answer()")
    before = page.evaluate("Array.from(CT.scene.stage.layerSet.entryOf('pipes.supply').colours)")
    page.evaluate("(m) => CT.scene.stage.setMode(m)", mode)
    after = page.evaluate("Array.from(CT.scene.stage.layerSet.entryOf('pipes.supply').colours)")
    assert after != before
    values = page.evaluate("Array.from(CT.scene.stage.painter.values)")
    expected = {"pressure": [0.8, 0.3], "flow": None}[mode]
    if expected:
        sides = [p.side for p in county.network.pipes]
        assert values == pytest.approx([expected[s is Side.RETURN] for s in sides], abs=1e-4)
    else:
        n = len(values)
        first = [county.network.node_index[p.from_node] for p in county.network.pipes]
        assert len(first) == n
        assert values == pytest.approx([3.6 * (300 * (1 - i / n) + 5) for i in range(n)], rel=1e-5)


def test_a_layer_switched_off_leaves_the_picture(page: Page) -> None:
    page.locator("button[aria-label='图层']").click()
    full = shoot(page)
    assert len(np.unique(full.astype(np.uint8).reshape(-1, 3), axis=0)) > 500
    try:
        for name, least in (("buildings", 800), ("water", 250)):
            page.locator(f"input[name={name}]").uncheck()
            changed = np.abs(shoot(page) - full).max(axis=2) > 12
            page.locator(f"input[name={name}]").check()
            assert changed[:, :640].sum() > least, name
            back = np.abs(shoot(page) - full).max(axis=2) > 12
            assert back[:, :640].sum() < 20, name
    finally:
        page.locator("button[aria-label='图层']").click()


def test_every_layer_has_an_opacity_that_reaches_the_picture(page: Page) -> None:
    names = page.evaluate("[...document.querySelectorAll('.ct-scene-fade')].map((e) => e.dataset.layer)")
    assert set(names) >= {
        "supply", "return", "buildings", "stations", "sources", "roads", "water", "trees", "borders",
        "nodes", "valves", "sensors",
    }  # fmt: skip
    page.evaluate("for (const n of ['nodes', 'borders']) CT.scene.stage.show(n, true)")
    shown = """() => Object.fromEntries(CT.scene.deck.layerManager.getLayers()
        .filter((l) => !l.parent).map((l) => [l.id, l.props.opacity]))"""
    page.evaluate(
        "for (const e of document.querySelectorAll('.ct-scene-fade')) {"
        " e.value = '0.4'; e.dispatchEvent(new Event('input')); }"
    )
    frames(page, 2)
    told = page.evaluate(shown)
    for layer in ("pipes.supply", "buildings", "roads", "water", "spots.nodes", "borders"):
        assert told[layer] == pytest.approx(0.4), layer
    alpha = page.evaluate(
        "(() => { const l = CT.scene.deck.layerManager.getLayers().find((l) => l.id === 'markers');"
        " return l.props.data.map((p) => l.props.getFillColor(p)[3]); })()"
    )
    assert alpha and set(alpha) == {0.4 * 255}
    page.evaluate(
        "for (const e of document.querySelectorAll('.ct-scene-fade')) {"
        " e.value = '1'; e.dispatchEvent(new Event('input')); }"
        "for (const n of ['nodes', 'borders']) CT.scene.stage.show(n, false)"
    )


def test_updates_keep_the_camera_and_the_context(page: Page) -> None:
    contexts = page.evaluate("CT.scene.stats.contexts")
    page.evaluate("window.made = document.querySelector('#box canvas')")
    page.locator("button[aria-label='放大']").click()
    frames(page, 6)
    before = page.evaluate("({...CT.scene.camera})")
    for _ in range(3):
        page.evaluate("answer(); feed()")
        frames(page, 3)
    page.evaluate("CT.scene.setSelection(null)")
    after = page.evaluate("({...CT.scene.camera})")
    for key in ("longitude", "latitude", "zoom", "pitch", "bearing"):
        assert after[key] == before[key]
    assert page.evaluate("window.made === document.querySelector('#box canvas')")
    assert page.evaluate("CT.scene.stats.contexts") == contexts == 1


def test_an_update_sends_the_changed_colours_and_nothing_else(page: Page) -> None:
    page.evaluate("answer()")
    frames(page, 4)
    page.evaluate(
        """() => {
        window.uploads = [];
        const gl = WebGL2RenderingContext.prototype;
        window.real = { data: gl.bufferData, sub: gl.bufferSubData };
        gl.bufferData = function (t, d, ...r) {
          uploads.push((d && d.byteLength) || +d); return real.data.call(this, t, d, ...r); };
        gl.bufferSubData = function (t, o, d, ...r) {
          uploads.push(d.byteLength); return real.sub.call(this, t, o, d, ...r); };
        }"""
    )
    try:
        colours = page.evaluate(
            "['supply', 'return'].map((s) => CT.scene.stage.layerSet.tints[s].bytes.length)"
        )

        def sent(script: str) -> list[int]:
            # at once: a frame that is drawn in between writes its own small tables
            at_once: list[int] = page.evaluate(
                f"(() => {{ uploads.length = 0; {script}; return uploads.slice(); }})()"
            )
            frames(page, 2)
            return at_once

        assert sent("answer()") == [], "nothing changed"
        one = sent("answer(3)")
        assert len(one) == 1 and 0 < one[0] < min(colours), "one pipe has lost its answer"
        assert max(sent("CT.scene.stage.setMode('flow')")) <= max(colours)
    finally:
        page.evaluate(
            "WebGL2RenderingContext.prototype.bufferData = real.data;"
            "WebGL2RenderingContext.prototype.bufferSubData = real.sub; 0"
        )


def test_live_values_stand_on_the_labels(page: Page, county: County) -> None:
    label = page.locator("[data-place=S01] .ct-scene-label-value")
    assert label.inner_text() == "--"
    no = county.point_by_id["S01/p1_ts"].no
    page.evaluate(
        "(no) => { liveTable.set(no, {value: 91.26, t: Date.now() / 1000});"
        " document.dispatchEvent(new CustomEvent('ct-live', {detail: {}})); }",
        no,
    )
    page.wait_for_function("document.querySelector('[data-place=S01]').textContent.includes('91.3 °C')")
    page.evaluate("(no) => { liveTable.set(no, {value: 91.26, t: Date.now() / 1000 - 3600}); }", no)
    page.evaluate("document.dispatchEvent(new CustomEvent('ct-live', {detail: {}}))")
    page.wait_for_function("document.querySelector('[data-place=S01].is-stale')")


def test_on_every_screen_the_first_view_holds_every_place_and_labels_do_not_overlap(page: Page) -> None:
    page.evaluate("feed()")
    try:
        for width, height in ((1920, 1080), (700, 500), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_function(
                "([w, h]) => { const v = CT.scene.deck.getViewports()[0];"
                " return v.width === w && v.height === h; }",
                arg=[width, height],
            )
            frames(page, 4)
            page.evaluate(DRAW)  # labels are placed after each picture
            spots = np.array(
                page.evaluate("CT.scene.spec.scene.places.map((p) => CT.scene.project(p.ground))")
            )
            low, high = spots[:, :2].min(axis=0), spots[:, :2].max(axis=0)
            assert (low > 0).all() and (high < (width, height)).all()
            assert ((high - low) / (width, height)).max() > 0.55
            page.wait_for_function("document.querySelector('.ct-scene-labels').textContent.includes('°C')")
            page.wait_for_function(INSIDE, arg=[width, height])
            boxes = page.evaluate(
                "[...document.querySelectorAll('.ct-scene-label')]"
                ".filter((n) => n.style.visibility === 'visible').map((n) => {"
                " const r = n.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; })"
            )
            assert len(boxes) >= 3
            for i, a in enumerate(boxes):
                assert a[0] >= 0 and a[1] >= 0 and a[2] <= width and a[3] <= height
                for b in boxes[i + 1 :]:
                    assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    finally:
        page.set_viewport_size(SIZE)  # type: ignore[arg-type]


def test_nothing_is_asked_of_another_host(page: Page, base: str) -> None:
    asked = page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    assert asked
    assert [a for a in asked if not a.startswith((base, "data:", "blob:"))] == []


def test_leaving_the_page_frees_the_gpu_and_coming_back_is_served_from_memory(own_page: Page) -> None:
    page = own_page
    page.evaluate("document.querySelector('#box').remove()")
    page.wait_for_function("!document.querySelector('canvas')")
    assert page.evaluate("CT.scene.deck") is None
    page.evaluate(
        "performance.clearResourceTimings();"
        "document.querySelector('#stage').innerHTML ="
        ' \'<div id="again" class="ct-scene" data-scene="heating"></div>\''
    )
    wait_ready(page)
    asked = page.evaluate("performance.getEntriesByType('resource').map((e) => new URL(e.name).pathname)")
    assert set(asked) <= {"/scene/spec.json", "/scene/tiles/catalogue.json"}
    # a lost context comes back with the same view
    page.locator("button[aria-label='放大']").click()
    frames(page, 6)
    zoom, contexts = page.evaluate("[CT.scene.camera.zoom, CT.scene.stats.contexts]")
    page.evaluate(
        "document.querySelector('#again canvas').getContext('webgl2')"
        ".getExtension('WEBGL_lose_context').loseContext()"
    )
    page.wait_for_function("!CT.scene.ready")
    wait_ready(page)
    assert page.evaluate("CT.scene.stats.contexts") == contexts + 1
    assert page.evaluate("CT.scene.camera.zoom") == pytest.approx(zoom)


def test_beside_an_amd_loader_on_a_wall_without_a_graphics_card(browser: Browser, base: str) -> None:
    page = open_scene(
        browser, base, viewport={"width": 3840, "height": 2160},
        script="window.define = () => { throw new Error('not for you'); }; window.define.amd = {};",
    )  # fmt: skip
    try:
        assert page.evaluate("Boolean(window.deck && CT.scene.ready)")
        pixels = page.evaluate(
            "(() => { const c = document.querySelector('#box canvas'); return c.width * c.height; })()"
        )
        assert pixels <= 1920 * 1200 * 1.02, "the picture is capped"
        assert take_problems(page) == []
    finally:
        page.context.close()


def test_without_webgl_a_sentence_and_a_flat_map(browser: Browser, base: str) -> None:
    page = open_scene(browser, base, script=NO_WEBGL)
    try:
        assert "WebGL" in page.locator(".ct-scene-note").inner_text()
        page.evaluate("answer()")
        feed(page)
        found = hues(shoot(page)[150:, :700].reshape(-1, 3)[::3])
        assert ((found < 40) | (found > 350)).sum() > 40
        assert ((found > 190) & (found < 225)).sum() > 40
        page.evaluate(LISTEN, "ct-select")
        page.locator("[data-place=S01]").click()
        assert page.evaluate("heard.id") == "S01"
        assert take_problems(page) == []
    finally:
        page.context.close()


def test_language_and_theme_follow_the_page(own_page: Page) -> None:
    page = own_page
    dark = shoot(page).mean()
    page.evaluate("document.dispatchEvent(new CustomEvent('ct-theme', {detail: {theme: 'light'}}))")
    page.wait_for_function("document.querySelector('#box').dataset.scenePainted === 'light'")
    wait_ready(page)
    assert shoot(page).mean() > dark + 80
    page.evaluate("document.dispatchEvent(new CustomEvent('ct-lang', {detail: {lang: 'en'}}))")
    page.wait_for_function("document.querySelector('.ct-scene-legend').textContent.includes('Temperature')")
    text = page.locator("[data-place=S01]").inner_text()
    assert text.startswith("Dongguan") and "station" not in text  # the marker says that it is one
