from pathlib import Path

import numpy as np
import pytest

from ingest.tiles.catalogue import Layer, drop_layer, publish_layer, read_catalogue
from ingest.tiles.frames import CountyFrame, Projected, degrees_of, ecef_of, parse_placement
from twin.model.errors import InputError

FRAME = CountyFrame((103.62, 35.58))


def stage(county: Path, text: str) -> Path:
    folder = county / "tiles" / ".importing-a" / "out"
    folder.mkdir(parents=True)
    (folder / "tileset.json").write_text(text)
    return folder


def test_a_layer_is_swapped_in_whole_and_the_old_one_goes(tmp_path: Path) -> None:
    assert read_catalogue(tmp_path) == ()
    first = publish_layer(tmp_path, Layer("xijie", "西街", captured="2026-05-31"), stage(tmp_path, "one"))
    publish_layer(tmp_path, Layer("dongjie", "东街"), stage(tmp_path, "other"))
    second = publish_layer(tmp_path, Layer("xijie", "西街", tiles=3), stage(tmp_path, "two"))
    assert first.folder != second.folder
    assert [layer.id for layer in read_catalogue(tmp_path)] == ["dongjie", "xijie"]
    assert read_catalogue(tmp_path)[1] == second
    assert [p.name for p in (tmp_path / "tiles" / "xijie").iterdir()] == [second.folder.split("/")[1]]
    again = publish_layer(tmp_path, Layer("xijie", "西街", tiles=3), stage(tmp_path, "two"))
    assert again == second and (tmp_path / "tiles" / again.folder / "tileset.json").read_text() == "two"
    drop_layer(tmp_path, "xijie")
    assert [layer.id for layer in read_catalogue(tmp_path)] == ["dongjie"]
    with pytest.raises(InputError, match="dongjie"):
        drop_layer(tmp_path, "xijie")


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (Layer("../up", "x"), "small letters"),
        (Layer("a", "x", cim_level=8), "from 1 to 7"),
        (Layer("a", "x", captured="31.5.2026"), "2026-05-31"),
        (Layer("a", "x", kind="photo"), "one of tilt"),
    ],
)
def test_bad_layers_are_not_published(tmp_path: Path, layer: Layer, says: str) -> None:
    with pytest.raises(InputError, match=says):
        publish_layer(tmp_path, layer, stage(tmp_path, "one"))


@pytest.mark.parametrize(
    "text",
    [
        '{"format": 2, "layers": []}',
        "{",
        '{"format": 1, "layers": [{"id": "a", "title": "a", "folder": "../../etc"}]}',
        '{"format": 1, "layers": [{"id": "a", "title": "a", "tiles": "many"}]}',
    ],
)
def test_a_foreign_catalogue_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "tiles").mkdir()
    (tmp_path / "tiles" / "catalogue.json").write_text(text)
    with pytest.raises(InputError, match=r"catalogue\.json"):
        read_catalogue(tmp_path)


def test_degrees_and_earth_centred_metres_agree_with_proj() -> None:
    from pyproj import Transformer

    there = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    lon, lat, height = np.array([103.7, -70.0]), np.array([35.6, -33.0]), np.array([1800.0, -12.0])
    ours = ecef_of(lon, lat, height)
    assert np.abs(ours - np.stack(there.transform(lon, lat, height), axis=-1)).max() < 1e-6
    assert np.abs(np.stack(degrees_of(ours)) - [lon, lat, height]).max() < 1e-6


def test_a_projected_point_lands_where_proj_says() -> None:
    # CGCS2000, central meridian 105 E: 4547 is 114 E, 4544 is 105 E.
    placed = parse_placement("EPSG:4544", FRAME, (375000.0, 3938000.0, 1700.0), 2.0)
    assert isinstance(placed, Projected)
    lon, lat, height = FRAME.to_degrees(placed.place(np.array([[12.0, 34.0, 56.0]])))
    from pyproj import Transformer

    east, north = Transformer.from_crs("EPSG:4326", "EPSG:4544", always_xy=True).transform(lon[0], lat[0])
    assert (east, north) == pytest.approx((375012, 3938034), abs=1e-4)
    assert height[0] == pytest.approx(1758.0, abs=1e-4)


def test_enu_is_latitude_first_as_surveys_write_it() -> None:
    placed = parse_placement("ENU:35.58,103.62", FRAME).place(np.array([[3.0, 4.0, 5.0]]))
    assert placed[0] == pytest.approx([3, 4, 5], abs=1e-6)
    ecef = parse_placement("ECEF", FRAME, shift_m=10.0).place(FRAME.matrix[:3, 3][None])
    assert ecef[0] == pytest.approx([0, 0, 10], abs=1e-6)


@pytest.mark.parametrize("text", ["EPSG:99999", "EPSG:4326", "ENU:103.62,35.58", "西安80"])
def test_systems_that_cannot_place_a_mesh_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--crs|latitude"):
        parse_placement(text, FRAME)
