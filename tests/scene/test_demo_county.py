"""The demo county in a real Chromium: what a county head sees first, looked at pixel by pixel."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from app.scene.assets import SceneAssets, build_assets
from app.scene.palette import DARK
from ingest.demo.county import generate_county
from tests.scene.look import feed, frames, hues, open_scene, shoot, wait_ready
from tests.scene.page import make_page, serve
from twin.model.county import County

DESK: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def county() -> County:
    return generate_county(7)


@pytest.fixture(scope="module")
def assets(county: County) -> SceneAssets:
    return build_assets(county)


@pytest.fixture(scope="module")
def base(county: County) -> Iterator[str]:
    with serve(make_page(county)) as base:
        yield base


@pytest.fixture(scope="module")
def desk(browser: Browser, base: str) -> Iterator[Page]:
    """One page for all looks; each test leaves it as it is here."""
    page = open_scene(browser, f"{base}/?view=heating", viewport=DESK)
    page.evaluate("answer()")
    feed(page)
    page.wait_for_function(
        "CT.scene.deck.layerManager.getLayers().some((l) => l.id === 'ground.near')", timeout=60_000
    )
    frames(page, 4)
    yield page
    page.context.close()


@pytest.fixture
def phone(desk: Page) -> Iterator[Page]:
    resize(desk, PHONE)
    yield desk
    resize(desk, DESK)


def resize(page: Page, size: ViewportSize) -> None:
    page.set_viewport_size(size)
    page.wait_for_function(
        "(s) => { const v = CT.scene.deck.getViewports()[0];"
        " return v.width === s.width && v.height === s.height; }",
        arg=size,
    )
    frames(page, 4)


def test_the_town_gets_a_finer_ground_than_the_hills(assets: SceneAssets) -> None:
    assert assets.near is not None
    west, south, east, north = assets.mesh.extent_of(assets.near)
    for place in assets.places:
        x, y, _ = place["ground"]
        assert west < x < east and south < y < north
    share = (
        (east - west)
        * (north - south)
        / np.prod(np.array(assets.mesh.extent_m[2:]) - assets.mesh.extent_m[:2])
    )
    assert share < 0.3


def test_pipes_buildings_and_ground_are_on_the_screen(desk: Page) -> None:
    picture = shoot(desk)[60:520, 60:1180]
    found = hues(picture.reshape(-1, 3)[::5], 0.35, 0.35)
    assert ((found < 40) | (found > 350)).sum() > 200, "supply pipes"
    assert ((found > 190) & (found < 225)).sum() > 200, "return pipes"
    grey = np.ptp(picture, axis=2) < 40
    assert ((picture.mean(axis=2) > 120) & grey).mean() > 0.01, "sunlit walls and roofs"
    assert len(np.unique(picture.astype(np.uint8).reshape(-1, 3), axis=0)) > 20_000


def test_hills_are_shaded_on_both_sides_of_the_valley(desk: Page) -> None:
    picture = shoot(desk).mean(axis=2)
    for rows in (slice(5, 60), slice(560, 700)):
        part = picture[rows, 330:950]
        assert part.std() > 6.0
        assert abs(part.mean() - np.mean(DARK.background)) > 10.0


@pytest.mark.parametrize("screen", ["desk", "phone"])
def test_the_first_view_frames_the_whole_network(screen: str, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(screen)
    size = page.viewport_size
    assert size is not None
    xy = np.array(page.evaluate("CT.scene.spec.scene.focus.hull.map((p) => CT.scene.project(p))"))
    assert xy.min() > 0 and xy[:, 0].max() < size["width"] and xy[:, 1].max() < size["height"]
    assert (np.ptp(xy, axis=0) / (size["width"], size["height"])).max() > 0.6


@pytest.mark.parametrize(("screen", "labels", "names"), [("desk", 8, 3), ("phone", 3, 0)])
def test_names_and_labels_never_cover_each_other(
    screen: str, labels: int, names: int, request: pytest.FixtureRequest
) -> None:
    page: Page = request.getfixturevalue(screen)
    boxes = page.evaluate(
        "[...document.querySelectorAll('.ct-scene-label, .ct-scene-name')]"
        ".filter((n) => n.style.visibility === 'visible')"
        ".map((n) => { const r = n.getBoundingClientRect();"
        " return [r.left, r.top, r.right, r.bottom, n.textContent]; })"
    )
    assert sum("°C" in b[4] for b in boxes) >= labels
    assert sum("°C" not in b[4] for b in boxes) >= names
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a[4], b[4])


def test_the_overview_shows_the_town_low_in_its_valley(desk: Page) -> None:
    # the page is not put back: what follows looks from here
    desk.evaluate("const s = CT.scene.stage; s.host.dataset.scene = 'overview'; s.change({})")
    wait_ready(desk)
    xy = np.array(desk.evaluate("CT.scene.spec.scene.focus.hull.map((p) => CT.scene.project(p))"))
    pitch = desk.evaluate("CT.scene.camera.pitch")
    assert xy[:, 0].min() > 0 and xy[:, 0].max() < 1280 and xy[:, 1].max() < 720
    assert xy[:, 1].min() > 0.22 * 720
    assert pitch > 55


def test_trees_stand_along_the_streets_near_by_only(desk: Page) -> None:
    shown = "CT.scene.deck.layerManager.getLayers().find((l) => l.id === 'trees').props.visible"
    assert desk.evaluate(shown) is False
    far = desk.evaluate("({...CT.scene.camera})")
    desk.evaluate("CT.scene.setSelection('S14')")
    frames(desk, 8)
    assert desk.evaluate("CT.scene.camera.zoom") > far["zoom"] + 1
    assert desk.evaluate(shown) is True
    desk.evaluate("CT.scene.setSelection(null)")
