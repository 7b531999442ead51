"""The county folder: exact round trip, atomic save, cache, faults named."""

import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.county import load_county, save_county, writer
from ingest.county.cache import CACHE_NAME, prepare_cache
from tests.support.system import ROOT
from tests.support.tiny import make_tiny_county
from twin.model.county import County, Terrain
from twin.model.errors import CountyError

TINY = make_tiny_county()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    save_county(TINY, folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "county"
    shutil.copytree(saved, copy)
    return copy


def read(folder: Path) -> County:
    """Load past the cache."""
    return load_county(folder, use_cache=False)


def test_round_trip_is_exact(folder: Path) -> None:
    county = read(folder)
    assert county == TINY
    assert county.network.node_index == TINY.network.node_index
    assert county.point_by_id == TINY.point_by_id


def test_round_trip_keeps_every_type(folder: Path) -> None:
    for county in (read(folder), load_county(folder), load_county(folder)):
        for mine, theirs in ((county.network.pipes, TINY.network.pipes), (county.buildings, TINY.buildings)):
            for field in mine[0].__slots__:
                assert type(getattr(mine[0], field)) is type(getattr(theirs[0], field)), field
        assert county.terrain.height_m.dtype == np.float64


texts = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12)
ids = texts.filter(lambda t: t.strip() != "")
floats = st.floats(allow_nan=False, allow_infinity=False)
degrees = st.floats(-179.0, 179.0)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=texts,
    props=st.dictionaries(texts, st.one_of(texts, floats), max_size=4),
    number=floats,
    where=st.tuples(degrees, st.floats(-88.0, 88.0)),
    height=st.lists(st.lists(floats, min_size=3, max_size=3), min_size=2, max_size=4),
    step=st.floats(1e-6, 1.0),
    seed=st.one_of(st.none(), st.integers(0, 2**31)),
    feature_id=ids,
)
def test_odd_names_and_numbers_come_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    props: dict[str, str | float],
    number: float,
    where: tuple[float, float],
    height: list[list[float]],
    step: float,
    seed: int | None,
    feature_id: str,
) -> None:
    first, *rest = TINY.features
    odd = replace(first, id=feature_id, name=name, props=props, shape="point", path=(where,))
    pipe = replace(TINY.network.pipes[0], zeta=number, pair_id=name)
    county = replace(
        TINY,
        meta=replace(TINY.meta, name=name, seed=seed, room_target_c=number, center=where),
        features=(odd, *rest),
        network=replace(TINY.network, pipes=(pipe, *TINY.network.pipes[1:])),
        terrain=Terrain(where[0], where[1], step, step / 3.0, np.array(height)),
    )
    folder = tmp_path_factory.mktemp("odd")
    save_county(county, folder, check=False)
    assert load_county(folder, check=False, use_cache=False) == county


def test_empty_tables_come_back_empty(tmp_path: Path) -> None:
    bare = replace(
        TINY, devices=(), points=(), features=(), network=replace(TINY.network, valves=(), pumps=())
    )
    save_county(bare, tmp_path)
    assert read(tmp_path) == bare


def test_points_keep_their_numbers_when_an_editor_reorders_them(folder: Path) -> None:
    edit(folder, "UPDATE points SET fid = fid + 10000 WHERE no < 5")
    assert read(folder).points == TINY.points


def test_numbers_of_numpy_are_saved_as_plain_numbers(tmp_path: Path) -> None:
    grid = [
        np.float64(v) for v in (TINY.terrain.lon0, TINY.terrain.lat0, TINY.terrain.dlon, TINY.terrain.dlat)
    ]
    county = replace(
        TINY, meta=replace(TINY.meta, seed=np.int64(1)), terrain=Terrain(*grid, TINY.terrain.height_m)
    )
    save_county(county, tmp_path)
    assert read(tmp_path) == TINY
    assert load_county(tmp_path) == TINY


# --- saving


def test_a_wrong_county_is_not_saved_and_the_old_one_stays(folder: Path) -> None:
    broken = replace(TINY, network=replace(TINY.network, sources=()))
    with pytest.raises(CountyError, match="no_source"):
        save_county(broken, folder)
    assert read(folder) == TINY


CHANGED = replace(TINY, meta=replace(TINY.meta, name="新县"), features=TINY.features[1:])


@pytest.mark.parametrize("step", ["_write_layer", "_force_to_disk", "_write_pending", "hash_file"])
def test_a_save_that_fails_leaves_the_old_county(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, step, fail)
    with pytest.raises(CountyError, match="No space left on device; free space or choose another folder"):
        save_county(CHANGED, folder)
    monkeypatch.undo()
    assert read(folder) == TINY
    assert not [p for p in folder.iterdir() if p.suffix == ".gpkg" and p.name != "county.gpkg"]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(CountyError, match="county not saved in .*; free space or choose another folder"):
        save_county(TINY, tmp_path / "file" / "county")


KILLED = """
import os, sys
from pathlib import Path
from ingest.county import save_county, load_county
from dataclasses import replace
from tests.support.tiny import make_tiny_county
tiny = make_tiny_county()
county = replace(tiny, meta=replace(tiny.meta, name="新县"), features=tiny.features[1:])
left, plain = int(sys.argv[2]), Path.replace
def cut(self, target):
    global left
    if left == 0:
        os._exit(9)
    left -= 1
    return plain(self, target)
Path.replace = cut
save_county(county, sys.argv[1])
"""


@pytest.mark.parametrize(("renames", "expected"), [(0, TINY), (1, TINY), (2, CHANGED), (3, CHANGED)])
def test_a_save_cut_off_at_any_rename_leaves_one_whole_county(
    folder: Path, renames: int, expected: County
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(renames)], cwd=Path(__file__).parents[2], check=False
    )
    assert done.returncode == (9 if renames < 3 else 0)
    assert read(folder) == expected
    save_county(TINY, folder)
    assert read(folder) == TINY


def test_other_files_in_the_folder_are_left_alone(folder: Path) -> None:
    note = folder / "notes.txt"
    note.write_text("mine", encoding="utf-8")
    save_county(CHANGED, folder)
    assert note.read_text(encoding="utf-8") == "mine"
    assert read(folder) == CHANGED


def test_a_geopackage_open_elsewhere_is_not_replaced(folder: Path) -> None:
    (folder / "county.gpkg-wal").write_bytes(b"x" * 32)
    with pytest.raises(CountyError, match="open in another program"):
        save_county(CHANGED, folder)


# --- cache


def test_the_cache_needs_no_gis_library(folder: Path) -> None:
    load_county(folder)
    code = (
        "import sys; from ingest.county import load_county; load_county(sys.argv[1]);"
        "sys.exit(any(m in sys.modules for m in ('pandas', 'pyogrio', 'shapely', 'pyproj')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=Path(__file__).parents[2], check=False
    )
    assert done.returncode == 0


@pytest.mark.parametrize("where", [0, 25, 60, 90, 200, -1])
def test_a_damaged_cache_is_read_anew(folder: Path, where: int) -> None:
    load_county(folder)
    cache = folder / CACHE_NAME
    block = bytearray(cache.read_bytes())
    block[where] ^= 0xFF
    cache.write_bytes(bytes(block))
    assert load_county(folder) == TINY
    assert cache.read_bytes() != bytes(block)


@pytest.mark.parametrize("size", [0, 10, 60, 100, 1000])
def test_a_truncated_cache_is_read_anew(folder: Path, size: int) -> None:
    load_county(folder)
    cache = folder / CACHE_NAME
    cache.write_bytes(cache.read_bytes()[:size])
    assert load_county(folder) == TINY


def test_an_edit_of_either_file_is_seen_past_the_cache(folder: Path) -> None:
    load_county(folder)
    toml = folder / "county.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("清河县", "新县"), encoding="utf-8")
    assert load_county(folder).meta.name == "新县"
    edit(folder, "UPDATE devices SET name = '改' WHERE id = 'D-S01'")
    assert load_county(folder).devices[0].name == "改"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_read_without_cache(folder: Path) -> None:
    folder.chmod(0o500)
    try:
        assert load_county(folder) == TINY
    finally:
        folder.chmod(0o700)


# --- faults of the files


def edit(folder: Path, *statements: str) -> None:
    """Edit the GeoPackage without GIS functions (its triggers need them, so they go first)."""
    with sqlite3.connect(folder / "county.gpkg") as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            db.execute(statement)
    db.close()


def fault_of(folder: Path) -> CountyError:
    with pytest.raises(CountyError) as caught:
        load_county(folder)
    return caught.value


def test_a_missing_folder_and_missing_files_are_sentences(folder: Path) -> None:
    assert "does not exist; make a county with import-county" in str(fault_of(folder / "none"))
    (folder / "county.toml").unlink()
    assert "county.toml does not exist" in str(fault_of(folder))
    (folder / "county.gpkg").unlink()
    assert "county.gpkg does not exist" in str(fault_of(folder))


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0" + b"\0" * 200])
def test_a_file_that_is_no_geopackage_is_named(folder: Path, content: bytes) -> None:
    (folder / "county.gpkg").write_bytes(content)
    assert "not a GeoPackage" in str(fault_of(folder))


def test_a_truncated_geopackage_is_a_county_error(folder: Path) -> None:
    gpkg = folder / "county.gpkg"
    gpkg.write_bytes(gpkg.read_bytes()[:20000])
    fault_of(folder)


def test_a_missing_layer_is_named(folder: Path) -> None:
    edit(folder, "DELETE FROM gpkg_contents WHERE table_name = 'pumps'", "DROP TABLE pumps")
    assert fault_of(folder).findings == ("pumps, -: the layer is missing [missing_layer]",)


def test_a_missing_column_is_named(folder: Path) -> None:
    edit(folder, "ALTER TABLE devices RENAME COLUMN dialect TO accent")
    assert fault_of(folder).findings == ("devices, -: the column dialect is missing [missing_column]",)


def test_a_missing_column_with_a_default_takes_it(folder: Path) -> None:
    edit(folder, "ALTER TABLE devices RENAME COLUMN vendor TO maker")
    assert {d.vendor for d in load_county(folder).devices} == {""}


def test_a_column_of_the_wrong_type_is_named(folder: Path) -> None:
    edit(
        folder,
        "ALTER TABLE pumps DROP COLUMN speed",
        "ALTER TABLE pumps ADD COLUMN speed TEXT DEFAULT 'fast'",
    )
    assert fault_of(folder).findings == (
        "pumps, -: column speed holds object; it must be float [wrong_type]",
    )


def test_empty_cells_of_required_columns_are_named(folder: Path) -> None:
    edit(folder, "UPDATE pumps SET dp0_pa = NULL WHERE id = 'SRC1-P1'")
    assert fault_of(folder).findings == (
        "pumps, SRC1-P1: dp0_pa is empty or not a finite number [not_finite]",
    )


def test_json_that_is_none_is_named(folder: Path) -> None:
    edit(folder, "UPDATE features SET props = '[1, 2' WHERE id = 'R1'")
    assert fault_of(folder).findings[0].startswith("features, R1: column props holds")


def test_a_wrong_side_is_named(folder: Path) -> None:
    edit(folder, "UPDATE pipes SET side = 'left' WHERE id = 'P01-S'")
    assert "pipes, P01-S: side is left; one of: supply, return [unknown_word]" in fault_of(folder).findings


def test_wrong_features_are_refused_by_layer_and_id(folder: Path) -> None:
    edit(folder, "UPDATE pipes SET diameter_m = 300 WHERE id = 'P02-S'")
    assert fault_of(folder).findings == (
        "pipes, P02-S: diameter_m = 300 m, must lie in 0.01 to 2 [out_of_range]",
    )


def test_a_terrain_with_a_gap_is_refused(folder: Path) -> None:
    edit(folder, "DELETE FROM terrain WHERE row = 2 AND col = 3")
    assert "has gaps" in str(fault_of(folder))


def test_another_crs_is_refused(folder: Path, tmp_path: Path) -> None:
    import pyogrio

    frame = pyogrio.read_dataframe(folder / "county.gpkg", layer="valves").to_crs(4544)
    pyogrio.write_dataframe(frame, folder / "county.gpkg", layer="valves")
    assert "EPSG:4544, not EPSG:4326; bring it in with import-county" in str(fault_of(folder))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("format = 1", "format = 9", "this version reads format = 1"),
        ("[county]", "[county", "is not TOML"),
        ("[county]", "[place]", "the table \\[county\\] is missing"),
        ('adcode = "620999"', "adcode = 620999", "county, adcode: is 620999; give text"),
        ("demo = true", "demo = 1", "county, demo: is 1; give bool"),
        ('adcode = "620999"', "", "county, adcode: is missing"),
        ("seed = 1", "sed = 1", "county, sed: is not known"),
        ("center = [103.62, 35.58]", "center = 103.62", "give \\[lon, lat\\] in degrees"),
        ("[terrain]", "[ground]", "the table \\[terrain\\] needs the numbers lon0"),
    ],
)
def test_a_wrong_toml_names_key_and_mend(folder: Path, old: str, new: str, says: str) -> None:
    toml = folder / "county.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CountyError, match=says):
        load_county(folder)


def test_a_toml_in_another_encoding_is_named(folder: Path) -> None:
    toml = folder / "county.toml"
    toml.write_bytes(toml.read_text(encoding="utf-8").encode("gbk"))
    assert "is not UTF-8" in str(fault_of(folder))


def test_a_cache_is_made_beside_so_that_reading_it_needs_no_gdal(tmp_path: Path) -> None:
    save_county(make_tiny_county(), tmp_path / "c")
    prepare_cache(tmp_path / "nothing")
    prepare_cache(tmp_path / "c")
    code = "import sys; from pathlib import Path; from ingest.county import load_county; "
    code += "load_county(Path(sys.argv[1])); sys.exit('pyogrio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "c")], cwd=ROOT, check=False)
    assert done.returncode == 0
