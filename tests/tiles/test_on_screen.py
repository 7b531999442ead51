"""An imported mesh in the scene of a real Chromium: its own colours, on the spot where it lies."""

import colorsys
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser

from ingest.county import load_county
from ingest.tiles.catalogue import Layer, publish_layer
from ingest.tiles.frames import CountyFrame
from ingest.tiles.glb import Part, write_glb
from ingest.tiles.importer import import_tiles
from ingest.tiles.run import Wish
from ingest.tiles.tileset import Tile, box_around, translation, write_tileset
from tests.scene.look import SEE, frames, open_scene, shoot
from tests.scene.page import make_page, serve
from tests.scene.test_photo import QUIET
from tests.tiles.make import make_county
from tests.tiles.survey import write_odm


def hue_of(picture: np.ndarray) -> float:
    red, green, blue = picture.reshape(-1, 3).mean(axis=0) / 255.0
    return colorsys.rgb_to_hsv(red, green, blue)[0]


def publish_colours(folder: Path, lon: float, lat: float, ground: float, kind: str, at: tuple[float, float],
                    colour: tuple[int, int, int], points: bool) -> None:  # fmt: skip
    """40 m x 40 m in the colour of its vertices, without a picture: a mesh, or a cloud of points."""
    east, north = np.meshgrid(np.arange(-20.0, 21.0), np.arange(-20.0, 21.0))
    place = np.column_stack([east.ravel(), north.ravel(), np.zeros(east.size)])
    corner = (np.arange(40)[:, None] * 41 + np.arange(40)).ravel()
    cells = np.concatenate([corner[:, None] + [0, 1, 41], corner[:, None] + [1, 42, 41]])
    part = Part(place, None if points else cells, colours=np.tile(np.uint8([*colour, 255]), (len(place), 1)))
    staged = folder / f"staged-{kind}"
    staged.mkdir()
    (staged / "a.glb").write_bytes(write_glb([part]))
    leaf = Tile(box_around(place), 0.0, "a.glb", transform=translation((*at, ground + 46.0)))
    root = Tile(box_around(place + np.array([*at, ground + 46.0])), 50.0, children=[leaf],
                transform=CountyFrame((lon, lat)).matrix)  # fmt: skip
    write_tileset(root, staged / "tileset.json")
    extent = (lon - 0.001, lat - 0.001, lon + 0.001, lat + 0.001)
    publish_layer(folder, Layer(kind, kind, kind=kind, tiles=1, extent_deg=extent), staged)


def test_an_imported_mesh_is_drawn_in_its_own_colours_where_it_lies(browser: Browser, tmp_path: Path) -> None:
    folder, (lon, lat) = make_county(tmp_path / "county")
    county = load_county(folder, check=False)
    ground = float(county.terrain.height_at(np.array([lon]), np.array([lat]))[0])
    # West brown, east green, 200 m x 200 m from the county's centre, 40 m above the ground.
    import_tiles(
        Wish(write_odm(tmp_path / "odm", side=40), folder, "a", crs=f"ENU:{lat},{lon}", workers=1,
             origin_m=(-100.0, -100.0, ground - 1660.0)),
        lambda _: None,
    )  # fmt: skip
    publish_colours(folder, lon, lat, ground, "model", (0.0, 60.0), (40, 60, 220), False)
    publish_colours(folder, lon, lat, ground, "points", (0.0, -60.0), (220, 30, 200), True)
    with serve(make_page(county, folder=folder)) as base:
        page = open_scene(browser, f"{base}/?view=heating", viewport={"width": 640, "height": 480})
        try:
            page.evaluate(SEE, [0, 0, 17.0, 0])
            page.wait_for_function(f"{QUIET} && CT.scene.tiles().layers === 3")
            frames(page, 4)
            picture = shoot(page).astype(float)
            report = page.evaluate("CT.scene.tiles()")
        finally:
            page.context.close()
    assert report["drawn"] >= 3 and report["failures"] == []
    for row, colour in ((115, (40, 60, 220)), (365, (220, 30, 200))):
        seen = picture[row - 8 : row + 8, 312:328].reshape(-1, 3)
        assert abs(hue_of(seen) - colorsys.rgb_to_hsv(*colour)[0]) < 0.03, "vertices keep their own colours"
    west, east = picture[150:200, 250:290], picture[150:200, 350:390]
    assert abs(hue_of(west) - colorsys.rgb_to_hsv(170, 90, 40)[0]) < 0.04
    assert abs(hue_of(east) - colorsys.rgb_to_hsv(60, 130, 50)[0]) < 0.06
