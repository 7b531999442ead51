import json
import struct
from pathlib import Path

import numpy as np
import pytest

from ingest.tiles.glb import Material, Part, Picture, pack_glb, unpack_glb, write_glb
from ingest.tiles.tileset import (
    Tile,
    Volume,
    box_around,
    parse_tile,
    read_tileset,
    transform_points,
    translation,
    write_tileset,
)
from twin.model.errors import InputError

SQUARE = np.array([[0.0, 0, 5], [10, 0, 5], [10, 20, 5], [0, 20, 6]])
TWO = np.array([[0, 1, 2], [0, 2, 3]])
UV = np.array([[0.0, 1], [1, 1], [1, 0], [0, 0]])


def test_a_written_glb_is_y_up_unlit_and_stores_equal_pictures_once() -> None:
    picture = Picture(b"\xff\xd8\xff no real picture", "image/jpeg")
    parts = [Part(SQUARE, TWO, Material(picture), UV), Part(SQUARE + 1, TWO, Material(picture), UV)]
    doc, blob = unpack_glb(write_glb(parts), "a.glb")
    assert doc["asset"]["version"] == "2.0"
    assert len(doc["images"]) == len(doc["materials"]) == len(doc["textures"]) == 1
    assert doc["materials"][0]["extensions"] == {"KHR_materials_unlit": {}}
    first = doc["accessors"][doc["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    assert first["min"] == [0, 5, -20] and first["max"] == [10, 6, 0]  # east, up, south
    view = doc["bufferViews"][doc["images"][0]["bufferView"]]
    assert bytes(blob[view["byteOffset"] :][: view["byteLength"]]) == picture.data


def test_feature_numbers_follow_ext_mesh_features() -> None:
    doc, _ = unpack_glb(write_glb([Part(SQUARE, TWO, features=np.array([7, 7, 9, 9]))]), "a.glb")
    primitive = doc["meshes"][0]["primitives"][0]
    said = primitive["extensions"]["EXT_mesh_features"]["featureIds"][0]
    assert said == {"featureCount": 2, "attribute": 0}
    assert "_FEATURE_ID_0" in primitive["attributes"]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (Part(SQUARE, np.array([[0, 1, 9]])), "vertex 9"),
        (Part(SQUARE * np.nan, TWO), "finite"),
        (Part(SQUARE, TWO, uv=UV[:2]), "uv must have the shape"),
    ],
)
def test_arrays_that_do_not_fit_are_not_written(part: Part, says: str) -> None:
    with pytest.raises(InputError, match=says):
        write_glb([part])


GOOD = pack_glb({"asset": {"version": "2.0"}}, b"1234")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GLTF" + GOOD[4:], "does not begin with"),
        (GOOD[:-4], "cut off"),
        (GOOD[:12] + struct.pack("<I", 2**31) + GOOD[16:], "says 2147483648 bytes"),
        (GOOD[:20] + b"[1]" + b" " * 37 + GOOD[60:], "JSON"),
        (struct.pack("<4sII", b"glTF", 7, 20) + GOOD[12:], "version 7"),
    ],
)
def test_broken_containers_are_named(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as said:
        unpack_glb(data, "Tile_3/a.glb")
    assert "Tile_3/a.glb" in str(said.value)


def test_json_as_deep_as_a_well_is_refused() -> None:
    deep = b"[" * 200_000
    data = struct.pack("<4sII", b"glTF", 2, 20 + len(deep)) + struct.pack("<II", len(deep), 0x4E4F534A) + deep
    with pytest.raises(InputError, match="JSON cannot be read"):
        unpack_glb(data, "a.glb")


def test_a_tree_of_500_tiles_comes_back_as_written(tmp_path: Path) -> None:
    def grow(depth: int, number: int) -> Tile:
        box = box_around(SQUARE + number)
        tile = Tile(box, float(depth), f"{number}.glb", transform=translation((number, 0.0, 0.5)))
        if depth:
            tile.children = [grow(depth - 1, 8 * number + k) for k in range(8)]
        return tile

    root = grow(3, 1)
    root.extras = {"name": "西街"}
    write_tileset(root, tmp_path / "tileset.json")
    again = read_tileset(tmp_path / "tileset.json")
    assert [t.content for t in again.walk()] == [t.content for t in root.walk()]
    assert len(list(again.walk())) == 1 + 8 + 64 + 512
    assert again.extras == root.extras and again.children[3].volume == root.children[3].volume
    assert again.children[3].transform is not None and again.children[3].transform[0, 3] == 11
    doc = json.loads((tmp_path / "tileset.json").read_bytes())
    assert doc["asset"]["version"] == "1.1" and doc["root"]["refine"] == "REPLACE"
    assert "refine" not in doc["root"]["children"][0]


def test_a_box_encloses_its_points_and_is_never_flat() -> None:
    corners = box_around(SQUARE[:3]).corners()
    assert corners.min(axis=0).tolist() == [0, 0, 4.99]
    assert corners.max(axis=0).tolist() == [10, 20, 5.01]
    assert transform_points(translation((1.0, 2, 3)), SQUARE)[0].tolist() == [1, 2, 8]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"geometricError": 1}, "boundingVolume"),
        ({"boundingVolume": {"box": [0] * 11}, "geometricError": 1}, "12 finite numbers"),
        ({"boundingVolume": {"sphere": [0, 0, 0, float("nan")]}, "geometricError": 1}, "4 finite numbers"),
        ({"boundingVolume": {"sphere": [0, 0, 0, 1]}, "geometricError": -1}, "geometricError"),
        ({"boundingVolume": {"sphere": [0, 0, 0, 1]}, "content": {"uri": 5}}, "has no uri"),
    ],
)
def test_broken_tiles_are_named(row: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_tile(row, "tileset.json")


def test_volumes_of_old_tilesets_are_read() -> None:
    tile = parse_tile(
        {"boundingVolume": {"region": [1, 0.5, 1.1, 0.6, 0, 90]}, "content": {"url": "a.b3dm"}}, "t"
    )
    assert tile.volume == Volume("region", (1, 0.5, 1.1, 0.6, 0, 90)) and tile.content == "a.b3dm"
