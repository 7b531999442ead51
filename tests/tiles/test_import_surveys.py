import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Transformer

from ingest.tiles import work_mesh
from ingest.tiles.catalogue import read_catalogue
from ingest.tiles.frames import CountyFrame
from ingest.tiles.importer import import_tiles
from ingest.tiles.osgb import read_osgb
from ingest.tiles.pictures import mean_colour
from ingest.tiles.report import Report
from ingest.tiles.run import Wish
from ingest.tiles.tileset import read_tileset
from tests.tiles.look import County, check_photograph, look, to_enu
from tests.tiles.make import make_county, make_jpeg
from tests.tiles.survey import level, write_odm, write_osgb, write_survey
from twin.model.errors import CountyError, InputError

SAMPLES = Path(__file__).with_name("samples")
Bring = Callable[..., Report]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    return make_county(tmp_path_factory.mktemp("tiles") / "county")


@pytest.fixture
def bring(county: County) -> Bring:
    def run(source: Path, **more: Any) -> Report:
        return import_tiles(Wish(source, county[0], "a", workers=1, **more), lambda _: None)

    return run


def to_map(county: County, ecef: np.ndarray, crs: str) -> np.ndarray:
    """East, north and height on a map, by PROJ."""
    lon, lat, height = CountyFrame(county[1]).to_degrees(to_enu(county, ecef))
    east, north = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    return np.column_stack([east, north, height])


def test_a_survey_keeps_its_tree_its_place_and_its_ranges(
    county: County, bring: Bring, tmp_path: Path
) -> None:
    source = write_survey(tmp_path / "in", tmp_path / "work")
    report = bring(source, captured="2026-05-31")
    assert (report.kind, report.tiles, report.levels, report.triangles) == ("OSGB", 3, 2, 8)
    found = {
        Path(file).stem: (parts, to_map(county, ecef, "EPSG:4544")) for file, parts, ecef in look(county[0])
    }
    parts, place = found["Tile_+000_+000"]
    assert place.min(axis=0) == pytest.approx([375000, 3938000, 1701], abs=2e-3)
    assert place.max(axis=0) == pytest.approx([375020, 3938020, 1701], abs=2e-3)
    check_photograph(parts[0], (150, 110, 70))
    assert parts[0].material.picture.data == make_jpeg()  # byte for byte as it lay in the file
    # The half without a finer file is there a second time, or it would vanish when the other is refined.
    assert found["Tile_+000_+000-rest"][1].min(axis=0)[0] == pytest.approx(375010, abs=2e-3)
    assert found["Tile_+000_+000_L16_0"][1][0, 2] == pytest.approx(1701.25, abs=2e-3)
    folder = county[0] / "tiles" / read_catalogue(county[0])[0].folder
    top = read_tileset(folder / "o0.json")
    assert top.error_m == pytest.approx(16 * 2 * 10 / 400) and {c.error_m for c in top.children} == {0.0}
    # North is up in the picture: v = 0 at its upper edge.
    north = int(np.argmax(parts[0].positions[:, 1]))
    assert parts[0].uv[north, 1] == pytest.approx(0.0, abs=1e-6)


def test_a_broken_file_of_a_survey_is_named_and_its_parent_fills_the_hole(
    county: County, bring: Bring, tmp_path: Path
) -> None:
    source = write_survey(tmp_path / "in", tmp_path / "work", "ENU:35.58,103.62", "1,2,3")
    fine = source / "Data" / "Tile_+000_+000" / "Tile_+000_+000_L16_0.osgb"
    fine.write_bytes(fine.read_bytes()[:200])
    with pytest.raises(CountyError, match=r"L16_0\.osgb: .*again"):
        bring(source)
    report = bring(source, skip_broken=True)
    assert [Path(file).name for file, _ in report.refused] == [fine.name]
    ((_, _, ecef),) = look(county[0])
    assert to_enu(county, ecef).min(axis=0) == pytest.approx([1, 2, 4], abs=2e-3)
    assert to_enu(county, ecef).max(axis=0) == pytest.approx([21, 22, 4], abs=2e-3)


def test_a_survey_without_metadata_asks_for_its_place(bring: Bring, tmp_path: Path) -> None:
    source = write_survey(tmp_path / "in", tmp_path / "work")
    (source / "metadata.xml").unlink()
    with pytest.raises(InputError, match="--crs EPSG"):
        bring(source)


def test_a_real_leaf_is_given_coarser_levels_in_its_own_colours(
    county: County, bring: Bring, tmp_path: Path
) -> None:
    (tmp_path / "a.osgb").write_bytes((SAMPLES / "Tile_5_L21_002240t1.osgb").read_bytes())
    report = bring(tmp_path, crs="ENU:35.58,103.62,1400")
    assert report.levels == 3 and report.tiles == 3
    by_file = {file: (parts, to_enu(county, ecef)) for file, parts, ecef in look(county[0])}
    parts, enu = by_file["o/" + tmp_path.name + "/a.glb"]
    assert sum(len(p.triangles) for p in parts) == 77
    assert enu.min(axis=0) == pytest.approx([-68.62, 359.96, 1761.10], abs=0.02)
    leaf, _ = mean_colour(parts[0].material.picture)
    assert np.ptp(leaf) > 5 or leaf.mean() < 240
    coarse, enu_coarse = by_file["p/0/0.glb"]
    assert len(coarse[0].triangles) < 77
    assert np.abs(enu_coarse.mean(axis=0) - enu.mean(axis=0)).max() < 3.0


def test_colours_survive_the_levels(county: County, bring: Bring, tmp_path: Path) -> None:
    picture = tmp_path / "work.jpg"
    picture.write_bytes(make_jpeg(170, 60, 40))
    for i in range(5):
        box = (10.0 * i, 0.0, 10.0 * i + 10.0, 10.0, float(i))
        write_osgb(tmp_path / f"{i}.osgb", [level("x", box, "gone.osgb", 200, picture.name)], picture)
    report = bring(tmp_path, crs="ENU:35.58,103.62")
    assert report.levels >= 3
    for _, parts, _ in look(county[0]):
        check_photograph(parts[0], (170, 60, 40), within=16)


def test_an_opendronemap_folder_is_cut_and_lies_where_it_says(
    county: County, bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_mesh.split_columns, "__defaults__", (100,))
    report = bring(write_odm(tmp_path / "odm"))
    contents = look(county[0])
    leaves = [
        (parts, to_map(county, ecef, "EPSG:32648")) for file, parts, ecef in contents if file.startswith("m/")
    ]
    assert len(leaves) == 4 and sum(len(p.triangles) for parts, _ in leaves for p in parts) == 288
    everything = np.concatenate([place for _, place in leaves])
    assert everything.min(axis=0) == pytest.approx([375000, 3938000, 1700], abs=5e-3)
    assert everything.max(axis=0) == pytest.approx([375060, 3938060, 1706], abs=5e-3)
    for parts, place in leaves:
        west = place[:, 0].mean() < 375030
        for part in parts:
            check_photograph(part, (170, 90, 40) if west else (60, 130, 50), within=16)
    assert report.levels == 3 and report.tiles == 6
    coarsest = next(parts for file, parts, _ in contents if file.startswith("p/1/"))
    red, green = coarsest[0].uv[np.argsort(coarsest[0].positions[:, 0])[[0, -1]]]
    assert not np.allclose(red, green)


def test_a_mesh_with_a_missing_picture_or_face_is_named(bring: Bring, tmp_path: Path) -> None:
    source = write_odm(tmp_path / "odm", side=2)
    base = source / "odm_texturing"
    (base / "east.jpg").rename(base / "kept.jpg")
    with pytest.raises(InputError, match=r"east\.jpg: is not there"):
        bring(source)
    (base / "kept.jpg").rename(base / "east.jpg")
    obj = base / "odm_textured_model_geo.obj"
    obj.write_text(obj.read_text() + "f 1/1 2/2 999/1\n")
    with pytest.raises(InputError, match="names vertex 999"):
        bring(source)
    obj.write_text(obj.read_text().replace("f 1/1 2/2 999/1", "f 1/1 x"))
    with pytest.raises(InputError, match=r"line \d+: 'f 1/1 x' is not understood"):
        bring(source)


def test_a_lone_mesh_asks_for_its_place(bring: Bring, tmp_path: Path) -> None:
    source = write_odm(tmp_path / "odm", side=2)
    (source / "odm_georeferencing" / "coords.txt").unlink()
    with pytest.raises(InputError, match="--crs EPSG:32649"):
        bring(source)


def test_a_scene_that_names_an_address_is_not_followed(tmp_path: Path) -> None:
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    far = f"http://127.0.0.1:{server.server_port}/x.jpg"
    scene = tmp_path / "a.osg"
    scene.write_text(f"Group {{\n num_children 1\n{level('x', (0, 0, 1, 1, 0), '', 0, far)}}}\n")
    try:
        with pytest.raises(InputError, match="a picture cannot be read"):
            read_osgb(scene, "a.osg")
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


def test_a_leaf_with_a_damaged_picture_is_not_drawn_white(tmp_path: Path) -> None:
    data = bytearray((SAMPLES / "Tile_5_L21_002240t1.osgb").read_bytes())
    start = data.find(b"\xff\xd8\xff")
    data[start : start + 700] = bytes(700)
    (tmp_path / "a.osgb").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.osgb: a picture cannot be read"):
        read_osgb(tmp_path / "a.osgb", "a.osgb")
