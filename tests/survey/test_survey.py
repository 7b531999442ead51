import io
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from PIL import Image

from ingest.demo.survey import build, pyramid
from ingest.demo.survey.atlas import Atlas
from ingest.demo.survey.build import build_survey
from ingest.demo.survey.listing import has_survey
from ingest.demo.survey.mesh import Site, build_surface, clip_segment
from ingest.demo.survey.noise import View
from ingest.demo.survey.ortho import crossings
from ingest.demo.survey.roofs import hip_roof
from ingest.demo.survey.texture import relief
from ingest.demo.survey.things import Trees
from ingest.demo.survey.walls import paint_strip
from ingest.demo.survey.world import World, make_world
from ingest.tiles.catalogue import read_catalogue
from ingest.tiles.frames import CountyFrame
from ingest.tiles.gltf import read_gltf
from ingest.tiles.tileset import Tile, read_tileset, transform_points
from tests.support.tiny import make_tiny_county
from twin.model.county import County

NO_TREES = Trees(np.zeros((0, 2)), np.zeros(0), np.zeros(0, int))


@pytest.fixture(scope="module")
def county() -> County:
    return make_tiny_county()


@pytest.fixture(scope="module")
def world(county: County) -> World:
    return make_world(county)


@pytest.fixture(scope="module")
def folder(county: County, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    small = pytest.MonkeyPatch()
    with small.context() as m:
        m.setattr(pyramid, "LEAF_PX", 192)
        m.setattr(pyramid, "TILE_PX", 160)
        build_survey(county, folder, workers=2)
    return folder


@pytest.fixture(scope="module")
def root(folder: Path) -> Tile:
    (layer,) = read_catalogue(folder)
    return read_tileset(folder / "tiles" / layer.folder / layer.tileset)


def content(folder: Path, tile: Tile) -> tuple[np.ndarray, np.ndarray, Image.Image]:
    (layer,) = read_catalogue(folder)
    data = (folder / "tiles" / layer.folder / tile.content).read_bytes()
    found = read_gltf(data, tile.content)
    (part,) = found.parts
    assert part.uv is not None and part.material.picture is not None
    return part.positions + found.centre, part.uv, Image.open(io.BytesIO(part.material.picture.data))


def places(tile: Tile, above: np.ndarray) -> list[tuple[Tile, np.ndarray]]:
    matrix = above if tile.transform is None else above @ tile.transform
    return [(tile, matrix), *(p for child in tile.children for p in places(child, matrix))]


def test_the_layer_is_in_the_catalogue_and_its_numbers_are_those_of_the_files(
    folder: Path, root: Tile
) -> None:
    (layer,) = read_catalogue(folder)
    files = list((folder / "tiles" / layer.folder).rglob("*.glb"))
    assert layer.id == "survey" and layer.generated and layer.cim_level == 3
    assert layer.tiles == len(files) == len(list(root.walk())) > 8
    assert layer.bytes == sum(f.stat().st_size for f in files)
    assert has_survey(folder)
    assert not list((folder / "tiles").glob(".making*"))


def test_every_tile_lies_on_the_ground_of_the_county_inside_its_own_volume(
    folder: Path, root: Tile, county: County
) -> None:
    frame = CountyFrame(county.meta.center)
    for tile, matrix in places(root, np.eye(4)):
        xyz, uv, picture = content(folder, tile)
        assert uv.min() >= 0.0 and uv.max() <= 1.0
        assert picture.width <= 192 and picture.height < 4 * picture.width
        half = np.array(tile.volume.numbers)[[3, 7, 11]]
        assert (np.abs(xyz - np.array(tile.volume.numbers[:3])) <= half + 0.01).all()
        lon, lat, height = frame.to_degrees(frame.from_ecef(transform_points(matrix, xyz)))
        over = height - county.terrain.height_at(lon, lat)
        assert -60.0 < over.min() < 0.5 and over.max() < 160.0


def test_children_cover_what_their_parent_covers_and_are_finer(root: Tile) -> None:
    for tile, matrix in places(root, np.eye(4)):
        if not tile.children:
            assert tile.error_m == 0.0
            continue
        assert tile.refine == "REPLACE" and all(c.error_m < tile.error_m for c in tile.children)
        boxes = []
        for child in tile.children:
            assert child.transform is not None
            centre, half = child.transform[:2, 3], np.array(child.volume.numbers)[[3, 7]]
            boxes.append(shapely.box(*(centre - half), *(centre + half)))
        half = np.array(tile.volume.numbers)[[3, 7]]
        whole = shapely.box(*(-half), *half).buffer(-0.5)
        assert shapely.union_all(boxes).buffer(0.5).contains(whole), matrix[:3, 3]


def test_the_pictures_are_photographs_not_plain_colours(folder: Path, root: Tile) -> None:
    for tile in root.walk():
        pixels = np.asarray(content(folder, tile)[2], float)
        assert pixels.std(axis=(0, 1)).min() > 3.0
        assert 40 < pixels.mean() < 200


def test_one_process_makes_the_same_as_two(
    county: County, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyramid, "LEAF_PX", 192)
    monkeypatch.setattr(pyramid, "TILE_PX", 160)
    build_survey(county, tmp_path, workers=1)
    assert read_catalogue(tmp_path)[0].folder == read_catalogue(folder)[0].folder


def test_a_making_that_fails_leaves_nothing_behind(
    county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(build, "make_subtree", fail)
    with pytest.raises(OSError, match="disk full"):
        build_survey(county, tmp_path)
    assert not has_survey(tmp_path)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("text", ["", "{", '{"layers": 3}', '{"layers": [{"id": "survey"}]}'])
def test_a_broken_catalogue_counts_as_no_photography(tmp_path: Path, text: str) -> None:
    (tmp_path / "tiles").mkdir()
    (tmp_path / "tiles" / "catalogue.json").write_text(text)
    assert not has_survey(tmp_path)


def test_the_catalogue_without_its_files_counts_as_no_photography(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tiles").mkdir()
    text = (folder / "tiles" / "catalogue.json").read_text()
    (tmp_path / "tiles" / "catalogue.json").write_text(json.dumps(json.loads(text)))
    assert not has_survey(tmp_path)


def test_houses_stand_at_their_true_height_and_every_wall_has_its_picture(world: World) -> None:
    house = max(world.houses, key=lambda h: h.height_m)
    x, y = house.ring.mean(axis=0)
    box = (x - 80.0, y - 80.0, x + 80.0, y + 80.0)
    strips = {h.row: paint_strip(h, 4.0) for h in world.houses}
    atlas = Atlas(640)
    xyz, uv, rows, height = build_surface(Site(box, 0.25, world, strips, NO_TREES), atlas).finish(atlas)
    near = np.hypot(*(xyz[:, :2] - house.ring.mean(axis=0)).T) < 40.0
    assert xyz[near, 2].max() == pytest.approx(house.base_m + house.height_m, abs=3.5)
    assert len(atlas.pieces) >= len(house.ring) and height > 640
    assert rows.max() < len(xyz) and uv.max() <= 1.0
    assert np.isfinite(xyz).all()


def test_a_house_on_the_border_is_shared_by_two_tiles_without_gap_or_overlap(world: World) -> None:
    house = max(world.houses, key=lambda h: h.height_m)
    x, y = house.ring.mean(axis=0)
    strips = {h.row: paint_strip(h, 2.0) for h in world.houses}
    area = 0.0
    for box in ((x - 90.0, y - 90.0, x, y + 90.0), (x, y - 90.0, x + 90.0, y + 90.0)):
        surface = build_surface(Site(box, 0.5, world, strips, NO_TREES), Atlas(400))
        xyz, rows = np.concatenate(surface.xyz), np.concatenate(surface.rows)
        tri = xyz[rows]
        roof = (tri[..., 2] > house.base_m + 0.8 * house.height_m).all(axis=1)
        middle = tri[..., :2].mean(axis=1)
        roof &= shapely.contains_xy(house.shape.buffer(0.5), middle[:, 0], middle[:, 1])
        e1, e2 = tri[roof][:, 1] - tri[roof][:, 0], tri[roof][:, 2] - tri[roof][:, 0]
        area += float(np.abs(e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]).sum() / 2.0)
        assert (tri[roof][..., 0] >= box[0] - 0.5).all() and (tri[roof][..., 0] <= box[2] + 0.5).all()
    assert area == pytest.approx(house.shape.area, rel=0.06)


def test_a_pitched_roof_covers_its_house_and_rises_inside(world: World) -> None:
    pitched = [h for h in world.houses if len(hip_roof(h))]
    for h in pitched:
        roof = hip_roof(h)
        e1, e2 = roof[:, 1, :2] - roof[:, 0, :2], roof[:, 2, :2] - roof[:, 0, :2]
        covered = float(np.abs(e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]).sum() / 2.0)
        assert covered == pytest.approx(h.shape.area, rel=0.02)
        assert roof[..., 2].min() == 0.0 and roof[..., 2].max() > 1.0


def test_a_wall_is_cut_where_it_leaves_the_tile() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    assert clip_segment(np.array([-5.0, 5.0]), np.array([5.0, 5.0]), box) == (0.5, 1.0)
    assert clip_segment(np.array([2.0, 2.0]), np.array([8.0, 8.0]), box) == (0.0, 1.0)
    assert clip_segment(np.array([-5.0, 11.0]), np.array([15.0, 11.0]), box) is None


def test_walls_show_windows_and_the_side_in_the_sun_is_brighter(world: World) -> None:
    house = max(world.houses, key=lambda h: h.shape.area * (h.use == "residence"))
    strip = paint_strip(house, 4.0).astype(float)
    step = np.roll(house.ring, -1, axis=0) - house.ring
    length = np.hypot(step[:, 0], step[:, 1])
    start = np.concatenate([[0.0], np.cumsum(length)[:-1]])
    normal_y = -step[:, 0] / length
    light = [strip[4:-8, int(s * 4) : int((s + n) * 4)].mean() for s, n in zip(start, length, strict=True)]
    south, north = light[int(np.argmin(normal_y))], light[int(np.argmax(normal_y))]
    assert south > 1.2 * north
    assert strip.std() > 25.0


def test_the_seams_of_a_roof_end_at_its_outline() -> None:
    # a roof with a notch: the line through it enters and leaves twice
    u = np.array([0.0, 10.0, 10.0, 6.0, 6.0, 4.0, 4.0, 0.0])
    v = np.array([0.0, 0.0, 8.0, 8.0, 3.0, 3.0, 8.0, 8.0])
    whole, low, beyond = crossings(u, v, np.array([2.0, 5.0, 12.0]))
    assert whole == pytest.approx([0.0, 8.0])
    assert low == pytest.approx([0.0, 3.0])
    assert beyond == []


def test_light_and_snow_meet_at_the_border_of_two_tiles(world: World) -> None:
    x, y = world.houses[0].ring.mean(axis=0)
    left = View((x - 320.0, y - 160.0, x, y + 160.0), 320, 320)
    right = View((x, y - 160.0, x + 320.0, y + 160.0), 320, 320)
    a, b = relief(left, world), relief(right, world)
    assert np.abs(2 * a[:, -1] - a[:, -2] - b[:, 0]).max() < 0.2
