"""An imported mesh in the scene of a real Chromium: its own colours, on the spot where it lies."""

import colorsys
from pathlib import Path

import numpy as np
from playwright.sync_api import Playwright

from ingest.county import load_county
from ingest.tiles.importer import import_tiles
from ingest.tiles.run import Wish
from tests.scene.page import CHROMIUM_ARGS, make_page, serve
from tests.scene.test_browser import frames, shoot, wait_ready
from tests.scene.test_photo import LOOK, QUIET
from tests.tiles.make import make_county
from tests.tiles.survey import write_odm


def hue_of(picture: np.ndarray) -> float:
    red, green, blue = picture.reshape(-1, 3).mean(axis=0) / 255.0
    return colorsys.rgb_to_hsv(red, green, blue)[0]


def test_an_imported_mesh_is_drawn_in_its_own_colours_where_it_lies(
    playwright: Playwright, tmp_path: Path
) -> None:
    folder, (lon, lat) = make_county(tmp_path / "county")
    county = load_county(folder, check=False)
    ground = float(county.terrain.height_at(np.array([lon]), np.array([lat]))[0])
    # West brown, east green, 200 m x 200 m from the county's centre, 40 m above the ground.
    import_tiles(
        Wish(write_odm(tmp_path / "odm", side=40), folder, "a", crs=f"ENU:{lat},{lon}", workers=1,
             origin_m=(-100.0, -100.0, ground - 1660.0)),
        lambda _: None,
    )  # fmt: skip
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
    try:
        with serve(make_page(county, folder=folder)) as base:
            page = browser.new_page(viewport={"width": 640, "height": 480}, reduced_motion="reduce")
            page.set_default_timeout(60_000)
            page.goto(f"{base}/?view=heating")
            wait_ready(page)
            page.evaluate(LOOK, [0, 0, 17.0, 0])
            page.wait_for_function(QUIET)
            frames(page, 4)
            picture = shoot(page).astype(float)
            report = page.evaluate("CT.scene.tiles()")
    finally:
        browser.close()
    assert report["drawn"] >= 1 and report["failures"] == []
    west, east = picture[150:200, 250:290], picture[150:200, 350:390]
    assert abs(hue_of(west) - colorsys.rgb_to_hsv(170, 90, 40)[0]) < 0.04
    assert abs(hue_of(east) - colorsys.rgb_to_hsv(60, 130, 50)[0]) < 0.06
