"""Looking at a scene in a browser: wait for it, draw frames, take a picture, read its colours."""

import colorsys
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, Route

from twin.model.county import County

SIZE = {"width": 960, "height": 600}
SEE = """([x, y, zoom, pitch]) => {
  const stage = CT.scene.stage, origin = stage.spec.scene.origin;
  const [longitude, latitude] = CT.sceneKit.toLonLat(stage.deckModule, origin, x, y);
  stage.moved = true;
  stage.see({ ...stage.view, longitude, latitude, zoom, pitch, bearing: 0,
    position: [0, 0, origin[2]], transitionDuration: 0 });
}"""
DRAW = """() => {
  const { deck } = CT.scene;
  if (!deck || !deck.layerManager) return;
  deck.layerManager.updateLayers();
  deck.redraw('look');
}"""
RESET = """() => {
  const stage = CT.scene.stage, kit = CT.sceneKit;
  kit.lastNetwork = CT.network = CT.selection = null;
  liveTable.clear();
  delete window.heard;
  document.dispatchEvent(new CustomEvent('ct-mark', { detail: null }));
  document.dispatchEvent(new CustomEvent('ct-buildings', { detail: null }));
  stage.setSelection(null);
  for (const key of ['building', 'hovered']) stage.highlight(key, null);
  stage.panel.close();
  stage.chrome.hideCard();
  stage.hours.set({ hour: 'plain', snow: false });
  stage.shades.setMode('plain');
  if (stage.rowFilter || stage.places.here !== 0) stage.places.go(0);
  Object.assign(stage.state, { opacity: {}, under: false, mode: 'temperature',
    visible: { nodes: false, valves: false, sensors: false, borders: false } });
  stage.painter.domains = {};
  stage.painter.readLive();
  stage.colour();
  stage.moved = false;
  stage.onResize();
  stage.draw();
}"""
# Middle vertex of the pipe in table row `row`, on the screen.
MIDDLE = """([layer, row]) => {
  const l = CT.scene.deck.layerManager.getLayers().find((l) => l.id === layer);
  const entry = l.props.data, k = CT.scene.rows(layer).indexOf(row);
  const s = entry.startIndices, v = Math.floor((s[k] + s[k + 1] - 1) / 2);
  return CT.scene.project(Array.from(entry.attributes.getPath.value.slice(3 * v, 3 * v + 3)));
}"""
ROOF = """(row) => {
  const { data } = CT.scene.stage.layerSet.entryOf('buildings').props;
  const { startIndices: s, attributes: a } = data, k = CT.scene.rows('buildings').indexOf(row);
  const p = [0, 1, 2, 3].map((i) => a.getPolygon.value.slice(3 * (s[k] + i), 3 * (s[k] + i) + 3));
  const mid = [0, 1, 2].map((c) => p.reduce((t, q) => t + q[c], 0) / 4);
  mid[2] += a.getElevation.value[s[k]];
  return CT.scene.project(mid);
}"""
LISTEN = "(name) => document.addEventListener(name, (e) => { window.heard = e.detail; }, { once: true })"


def open_scene(
    browser: Browser, address: str, *, script: str = "", route: Callable[[Route], None] | None = None,
    **options: Any,
) -> Page:  # fmt: skip
    """A page of its own with the scene at ``address``, ready; what goes wrong in it is kept in ``problems``.
    ``route`` answers for the tiles."""
    context = browser.new_context(**{"viewport": SIZE, "reduced_motion": "reduce", **options})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.problems = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.problems.append(str(error)))  # type: ignore[attr-defined]
    page.on(
        "console",
        lambda m: page.problems.append(m.text) if m.type == "error" else None,  # type: ignore[attr-defined]
    )
    if route is not None:
        page.route("**/*.glb", route)
    if script:
        page.add_init_script(script)
    page.goto(address)
    wait_ready(page)
    return page


def take_problems(page: Page) -> list[str]:
    """What went wrong since the last time; a tile a test has spoilt is no problem of the scene."""
    found, page.problems = page.problems, []  # type: ignore[attr-defined]
    return found


def wait_ready(page: Page) -> None:
    """The first whole picture stands, the tables are there."""
    page.wait_for_function("CT.scene.ready", timeout=60_000)
    page.evaluate(
        "async () => { window.sceneTables = await CT.sceneKit.loadTables(CT.scene.spec.scene.tables); }"
    )


def wait_tools(page: Page) -> None:
    """The tools are there too."""
    page.wait_for_function("CT.scene.stage.places && CT.scene.stage.hours")


def frames(page: Page, count: int = 3) -> None:
    """Let the browser draw so many frames."""
    page.evaluate(
        "(n) => new Promise((done) => { const f = () => (n-- ? requestAnimationFrame(f) : done()); f(); })",
        count,
    )


def feed(page: Page) -> None:
    """Live values for all places, and wait until they stand on the labels."""
    page.evaluate("feed()")
    page.wait_for_function("document.querySelector('.ct-scene-labels').textContent.includes('°C')")
    frames(page)


def shoot(page: Page) -> np.ndarray:
    """The page as (rows, columns, 3), 0..255, after all that was asked for is drawn and nothing moves."""
    page.wait_for_function("!CT.scene.stage || !CT.scene.stage.hasty")
    page.evaluate(DRAW)
    frames(page)
    with Image.open(io.BytesIO(page.screenshot())) as image:
        return np.asarray(image.convert("RGB"), float)


def around(picture: np.ndarray, x: float, y: float, reach: int = 5) -> np.ndarray:
    """Pixels (n, 3) near a place."""
    row, column = round(y), round(x)
    return picture[row - reach : row + reach + 1, column - reach : column + reach + 1].reshape(-1, 3)


def hues(pixels: np.ndarray, least_saturation: float = 0.45, least_value: float = 0.45) -> np.ndarray:
    """Hues in degrees of the strong colours among pixels (n, 3)."""
    hsv = np.array([colorsys.rgb_to_hsv(*(p / 255.0)) for p in pixels])
    return hsv[(hsv[:, 1] > least_saturation) & (hsv[:, 2] > least_value), 0] * 360.0


def pipe_row(county: County, pipe_id: str) -> int:
    """Where the pipe stands in the county's table."""
    return [p.id for p in county.network.pipes].index(pipe_id)
