from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from app.scene.assets import SceneAssets, build_assets
from tests.scene.look import DRAW, RESET, SIZE, frames, open_scene, take_problems, wait_tools
from tests.scene.page import make_page, serve
from tests.support.tiny import make_tiny_county
from twin.model.county import County


@pytest.fixture(scope="package")
def county() -> County:
    return make_tiny_county()


@pytest.fixture(scope="package")
def assets(county: County) -> SceneAssets:
    return build_assets(county)


@pytest.fixture(scope="package")
def base(county: County) -> Iterator[str]:
    with serve(make_page(county)) as base:
        yield base


@pytest.fixture(scope="package")
def kept_page(browser: Browser, base: str) -> Iterator[Page]:
    page = open_scene(browser, base)
    wait_tools(page)
    yield page
    page.context.close()


@pytest.fixture
def page(kept_page: Page) -> Iterator[Page]:
    """One page for all tests that leave it as it was, or that ``RESET`` brings back."""
    kept_page.set_viewport_size(SIZE)  # type: ignore[arg-type]
    kept_page.mouse.move(1, 1)
    frames(kept_page, 2)
    kept_page.evaluate(RESET)
    kept_page.evaluate(DRAW)
    frames(kept_page, 2)
    yield kept_page
    problems = take_problems(kept_page)
    assert not problems, problems


@pytest.fixture
def own_page(browser: Browser, base: str) -> Iterator[Page]:
    """A page that a test may spoil."""
    page = open_scene(browser, base)
    yield page
    problems = take_problems(page)
    page.context.close()
    assert not problems, problems
