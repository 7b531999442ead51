"""The scene in a real Chromium with software GL: what is on the screen, not what a log says."""

import colorsys
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright

from tests.scene.page import CHROMIUM_ARGS, make_page, serve
from twin.model.county import County

SIZE = {"width": 1280, "height": 720}
NO_WEBGL = """
const real = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return /webgl/.test(kind) ? null : real.call(this, kind, ...rest);
};
"""
# Middle vertex of the pipe in table row `row`, on the screen.
MIDDLE = """([layer, row]) => {
  const l = CT.scene.deck.layerManager.getLayers().find((l) => l.id === layer);
  const entry = l.props.data, k = CT.scene.rows(layer).indexOf(row);
  const s = entry.startIndices, v = Math.floor((s[k] + s[k + 1] - 1) / 2);
  return CT.scene.project(Array.from(entry.attributes.getPath.value.slice(3 * v, 3 * v + 3)));
}"""


@pytest.fixture(scope="module")
def base(county: County) -> Iterator[str]:
    with serve(make_page(county)) as base:
        yield base


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
    yield browser
    browser.close()


@pytest.fixture
def open_page(browser: Browser, base: str) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_it(script: str = "", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": SIZE, **options})
        contexts.append(context)
        page = context.new_page()
        page.problems = []  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.problems.append(str(error)))  # type: ignore[attr-defined]
        page.on(
            "console",
            lambda m: page.problems.append(m.text) if m.type == "error" else None,  # type: ignore[attr-defined]
        )
        if script:
            page.add_init_script(script)
        page.goto(base)
        wait_ready(page)
        return page

    yield open_it
    for context in contexts:
        problems = [p for page in context.pages for p in page.problems]  # type: ignore[attr-defined]
        context.close()
        assert not problems, problems


def wait_ready(page: Page) -> None:
    page.wait_for_function("CT.scene.ready", timeout=60_000)
    page.evaluate(
        "async () => { window.sceneTables = await CT.sceneKit.loadTables(CT.scene.spec.scene.tables); }"
    )


def frames(page: Page, count: int = 3) -> None:
    page.evaluate(
        "(n) => new Promise((done) => { const f = () => (n-- ? requestAnimationFrame(f) : done()); f(); })",
        count,
    )


def shoot(page: Page) -> np.ndarray:
    frames(page)
    with Image.open(io.BytesIO(page.screenshot())) as image:
        return np.asarray(image.convert("RGB"), float)


def around(picture: np.ndarray, x: float, y: float, reach: int = 5) -> np.ndarray:
    row, column = round(y), round(x)
    return picture[row - reach : row + reach + 1, column - reach : column + reach + 1].reshape(-1, 3)


def hues(pixels: np.ndarray, least_saturation: float = 0.45, least_value: float = 0.45) -> np.ndarray:
    hsv = np.array([colorsys.rgb_to_hsv(*(p / 255.0)) for p in pixels])
    return hsv[(hsv[:, 1] > least_saturation) & (hsv[:, 2] > least_value), 0] * 360.0


def pipe_row(county: County, pipe_id: str) -> int:
    return [p.id for p in county.network.pipes].index(pipe_id)


@pytest.mark.parametrize("pair", ["P02", "P05", "P07"])
def test_supply_is_drawn_warm_and_return_cool_where_the_pipe_lies(
    open_page: Callable[..., Page], county: County, pair: str
) -> None:
    page = open_page()
    page.evaluate("answer()")
    picture = shoot(page)
    supply = page.evaluate(MIDDLE, ["pipes.supply", pipe_row(county, f"{pair}-S")])
    warm = hues(around(picture, *supply))
    back = page.evaluate(MIDDLE, ["pipes.return", pipe_row(county, f"{pair}-R")])
    cool = hues(around(picture, *back))
    assert ((warm < 40) | (warm > 350)).sum() >= 4
    assert ((cool > 190) & (cool < 225)).sum() >= 4


def test_a_pipe_without_an_answer_is_grey_and_the_legend_says_so(
    open_page: Callable[..., Page], county: County
) -> None:
    page = open_page()
    row = pipe_row(county, "P07-S")
    page.evaluate("(row) => answer(row)", row)
    picture = shoot(page)
    pixels = around(picture, *page.evaluate(MIDDLE, ["pipes.supply", row]), 5)
    warm = hues(pixels)
    assert not ((warm < 40) | (warm > 350)).any()
    assert "无计算结果" in page.locator(".ct-scene-legend").inner_text()


def test_without_any_answer_the_legend_says_so(open_page: Callable[..., Page]) -> None:
    page = open_page()
    assert "孪生尚无计算结果" in page.locator(".ct-scene-legend").inner_text()


def test_an_answer_for_another_county_is_not_drawn(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.evaluate(
        "document.dispatchEvent(new CustomEvent('ct-network', {detail: {tPipe: new Float32Array(3)}}))"
    )
    assert "孪生尚无计算结果" in page.locator(".ct-scene-legend").inner_text()


def test_ground_and_buildings_are_in_the_picture(open_page: Callable[..., Page]) -> None:
    page = open_page()
    full = shoot(page)
    assert len(np.unique(full.astype(np.uint8).reshape(-1, 3), axis=0)) > 500
    page.locator("button[aria-label='图层']").click()
    page.locator("input[name=buildings]").uncheck()
    changed = np.abs(shoot(page) - full).max(axis=2) > 12
    assert changed[:, :1000].sum() > 1500


def test_markers_lie_where_degrees_put_them(open_page: Callable[..., Page]) -> None:
    page = open_page()
    away = page.evaluate(
        """() => CT.scene.spec.scene.places.map((p) => {
          const [x, y] = CT.scene.project(p.top);
          const z = CT.scene.spec.scene.origin[2] + p.top[2];
          const [u, v] = CT.scene.deck.getViewports()[0].project([...p.lonlat, z]);
          return Math.hypot(x - u, y - v);
        })"""
    )
    assert max(away) < 0.5


def test_a_pick_finds_the_station_under_the_pixel(open_page: Callable[..., Page], county: County) -> None:
    page = open_page()
    for station in county.network.substations:
        found = page.evaluate(
            "(id) => { const p = CT.scene.spec.scene.places.find((p) => p.id === id);"
            " const [x, y] = CT.scene.project(p.top); return CT.scene.pick(x, y); }",
            station.id,
        )
        assert (found["kind"], found["id"]) == ("station", station.id)


def test_a_pick_finds_the_pipe_under_the_pixel(open_page: Callable[..., Page], county: County) -> None:
    page = open_page()
    row = pipe_row(county, "P02-S")
    x, y = page.evaluate(MIDDLE, ["pipes.supply", row])
    found = page.evaluate("([x, y]) => CT.scene.pick(x, y)", [x, y])
    assert found["kind"] == "pipe"
    assert found["id"].startswith("P02-")


def test_a_click_on_a_marker_tells_the_page(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.evaluate("document.addEventListener('ct-select', (e) => { window.heard = e.detail; })")
    x, y = page.evaluate("CT.scene.project(CT.scene.spec.scene.places.find((p) => p.id === 'S03').top)")
    page.mouse.click(x, y)
    page.wait_for_function("window.heard", timeout=30_000)
    assert page.evaluate("[heard.kind, heard.id]") == ["station", "S03"]
    assert "is-selected" in (page.locator("[data-place=S03]").get_attribute("class") or "")


def test_a_click_on_a_building_selects_its_station(open_page: Callable[..., Page], county: County) -> None:
    page = open_page()
    page.evaluate("document.addEventListener('ct-select', (e) => { window.heard = e.detail; })")
    x, y = page.evaluate(
        """() => {
          const l = CT.scene.deck.layerManager.getLayers().find((l) => l.id === 'buildings');
          const { startIndices: s, attributes: a } = l.props.data, k = CT.scene.rows('buildings').indexOf(6);
          const p = [0, 1, 2, 3].map((i) => a.getPolygon.value.slice(3 * (s[k] + i), 3 * (s[k] + i) + 3));
          const mid = [0, 1, 2].map((c) => p.reduce((t, q) => t + q[c], 0) / 4);
          mid[2] += a.getElevation.value[s[k]];
          return CT.scene.project(mid);
        }"""
    )
    assert county.buildings[6].substation_id == "S04"
    page.mouse.click(x, y)
    page.wait_for_function("window.heard", timeout=30_000)
    assert page.evaluate("heard.id") == "S04"


def test_a_selection_from_the_page_flies_there(open_page: Callable[..., Page]) -> None:
    page = open_page(reduced_motion="reduce")
    page.evaluate("document.dispatchEvent(new CustomEvent('ct-select', {detail: {id: 'S02'}}))")
    page.wait_for_function("document.querySelector('[data-place=S02].is-selected')")
    frames(page, 6)
    x, y = page.evaluate("CT.scene.project(CT.scene.spec.scene.places.find((p) => p.id === 'S02').ground)")
    assert abs(x - SIZE["width"] / 2) < 20
    assert abs(y - SIZE["height"] / 2) < 60


def test_updates_keep_the_camera_and_the_context(open_page: Callable[..., Page]) -> None:
    page = open_page(reduced_motion="reduce")
    page.evaluate("window.made = document.querySelector('#box canvas')")
    page.locator("button[aria-label='放大']").click()
    frames(page, 6)
    before = page.evaluate("({...CT.scene.camera})")
    for _ in range(3):
        page.evaluate("answer(); feed()")
        frames(page, 4)
    page.evaluate("CT.scene.setSelection(null)")
    after = page.evaluate("({...CT.scene.camera})")
    for key in ("longitude", "latitude", "zoom", "pitch", "bearing"):
        assert after[key] == before[key]
    assert page.evaluate("window.made === document.querySelector('#box canvas')")
    assert page.evaluate("CT.scene.stats.contexts") == 1


def test_an_update_uploads_colours_and_no_geometry(open_page: Callable[..., Page]) -> None:
    page = open_page(
        """
        window.uploads = [];
        const P = WebGL2RenderingContext.prototype, data = P.bufferData, sub = P.bufferSubData;
        P.bufferData = function (t, d, ...r) {
          uploads.push((d && d.byteLength) || +d); return data.call(this, t, d, ...r); };
        P.bufferSubData = function (t, o, d, ...r) {
          uploads.push(d.byteLength); return sub.call(this, t, o, d, ...r); };
        """
    )
    page.evaluate("answer()")
    frames(page, 4)
    page.evaluate("uploads.length = 0; answer(3)")
    frames(page, 4)
    colour_bytes = page.evaluate(
        "CT.scene.deck.layerManager.getLayers().filter((l) => /^pipes/.test(l.id))"
        ".map((l) => 4 * l.props.data.startIndices.at(-1))"
    )
    big = [n for n in page.evaluate("uploads") if n >= min(colour_bytes)]
    assert sum(big) <= sum(colour_bytes) * 1.5


def test_live_values_stand_on_the_labels(open_page: Callable[..., Page], county: County) -> None:
    page = open_page()
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


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (390, 844)])
def test_labels_do_not_overlap(open_page: Callable[..., Page], size: tuple[int, int]) -> None:
    page = open_page(viewport={"width": size[0], "height": size[1]})
    page.evaluate("feed()")
    page.wait_for_timeout(400)
    frames(page, 4)
    boxes = page.evaluate(
        "[...document.querySelectorAll('.ct-scene-label')].filter((n) => n.style.visibility === 'visible')"
        ".map((n) => { const r = n.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; })"
    )
    assert len(boxes) >= 3
    for i, a in enumerate(boxes):
        assert a[0] >= 0 and a[1] >= 0 and a[2] <= size[0] and a[3] <= size[1]
        for b in boxes[i + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_the_first_view_holds_every_place(open_page: Callable[..., Page]) -> None:
    for width, height in ((1920, 1080), (390, 844), (700, 500)):
        page = open_page(viewport={"width": width, "height": height})
        spots = page.evaluate("CT.scene.spec.scene.places.map((p) => CT.scene.project(p.ground))")
        xs, ys = [s[0] for s in spots], [s[1] for s in spots]
        assert min(xs) > 0 and max(xs) < width and min(ys) > 0 and max(ys) < height
        assert max((max(xs) - min(xs)) / width, (max(ys) - min(ys)) / height) > 0.55


def test_nothing_is_asked_of_another_host(open_page: Callable[..., Page], base: str) -> None:
    page = open_page()
    asked = page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    assert asked
    assert [a for a in asked if not a.startswith((base, "data:", "blob:"))] == []


def test_the_renderer_also_loads_beside_an_amd_loader(open_page: Callable[..., Page]) -> None:
    page = open_page("window.define = () => { throw new Error('not for you'); }; window.define.amd = {};")
    assert page.evaluate("Boolean(window.deck && CT.scene.ready)")


def test_leaving_the_page_frees_the_gpu_and_coming_back_is_served_from_memory(
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    page.evaluate(
        "window.first = document.querySelector('#box canvas'); document.querySelector('#box').remove()"
    )
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


def test_a_lost_context_comes_back_with_the_same_view(open_page: Callable[..., Page]) -> None:
    page = open_page(reduced_motion="reduce")
    page.locator("button[aria-label='放大']").click()
    frames(page, 6)
    zoom = page.evaluate("CT.scene.camera.zoom")
    page.evaluate(
        "document.querySelector('#box canvas').getContext('webgl2')"
        ".getExtension('WEBGL_lose_context').loseContext()"
    )
    page.wait_for_function("!CT.scene.ready")
    wait_ready(page)
    assert page.evaluate("CT.scene.stats.contexts") == 2
    assert page.evaluate("CT.scene.camera.zoom") == pytest.approx(zoom)


def test_without_webgl_a_sentence_and_a_flat_map(open_page: Callable[..., Page]) -> None:
    page = open_page(NO_WEBGL)
    assert "WebGL" in page.locator(".ct-scene-note").inner_text()
    page.evaluate("answer(); feed()")
    page.wait_for_timeout(400)
    found = hues(shoot(page)[150:, :1000].reshape(-1, 3)[::3])
    assert ((found < 40) | (found > 350)).sum() > 50
    assert ((found > 190) & (found < 225)).sum() > 50
    page.evaluate("document.addEventListener('ct-select', (e) => { window.heard = e.detail; })")
    page.locator("[data-place=S01]").click()
    assert page.evaluate("heard.id") == "S01"


def test_language_and_theme_follow_the_page(open_page: Callable[..., Page]) -> None:
    page = open_page()
    dark = shoot(page).mean()
    page.evaluate("document.dispatchEvent(new CustomEvent('ct-theme', {detail: {theme: 'light'}}))")
    page.wait_for_function("document.querySelector('#box').dataset.scenePainted === 'light'")
    wait_ready(page)
    assert shoot(page).mean() > dark + 80
    page.evaluate("document.dispatchEvent(new CustomEvent('ct-lang', {detail: {lang: 'en'}}))")
    page.wait_for_function("document.querySelector('.ct-scene-legend').textContent.includes('Temperature')")
    text = page.locator("[data-place=S01]").inner_text()
    assert text.startswith("Dongguan") and "station" not in text  # the marker says that it is one


def test_the_pixel_ratio_is_capped_on_a_wall_without_a_graphics_card(open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 3840, "height": 2160})
    pixels = page.evaluate(
        "(() => { const c = document.querySelector('#box canvas'); return c.width * c.height; })()"
    )
    assert pixels <= 1920 * 1200 * 1.02
