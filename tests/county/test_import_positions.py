"""Coordinates in disguise: GCJ-02 and BD-09 declared, found out, or left alone and said."""

from pathlib import Path
from typing import Any

import geopandas
import pytest

from ingest.county import load_county
from ingest.county.importer import run_import
from ingest.county.offsets import gcj02_to_bd09, wgs84_to_gcj02
from tests.county.gis import Frames, make_frames, shift_frame, write_frames, write_mapping
from tests.county.test_import import codes_of, import_frames, measure_worst_m


def to_bd09(lon: Any, lat: Any) -> Any:
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


SHIFTS = {"GCJ-02": wgs84_to_gcj02, "BD-09": to_bd09}


def shift_layers(frames: Frames, name: str, *layers: str) -> Frames:
    return {k: shift_frame(f, SHIFTS[name]) if k in layers else f for k, f in frames.items()}


@pytest.mark.parametrize("name", SHIFTS)
def test_declared_shifts_are_taken_off(tmp_path: Path, name: str) -> None:
    frames = shift_layers(make_frames(), name, *make_frames())
    report = import_frames(tmp_path, frames, keys=dict.fromkeys(frames, f'crs = "{name}"'))
    assert report.saved
    assert measure_worst_m(load_county(tmp_path / "county")) < 0.01
    assert f"coordinates {name} as the mapping says" in report.text("en")


@pytest.mark.parametrize("name", SHIFTS)
@pytest.mark.parametrize("layer", ["substations", "pipes"])
def test_a_shifted_layer_is_found_out_by_what_it_must_meet(tmp_path: Path, name: str, layer: str) -> None:
    frames = shift_layers(make_frames(), name, layer)
    keys = {k: 'crs = "WGS84"' for k in frames if k not in (layer, "sources")} | {"sources": 'crs = "WGS84"'}
    report = import_frames(tmp_path, frames, keys=keys)
    assert codes_of(report)["shifted_position"] == [""]
    assert report.saved
    assert measure_worst_m(load_county(tmp_path / "county")) < 0.5
    text = report.text("zh")
    assert f"坐标判定为 {name}" in text


def test_a_projected_layer_is_trusted_without_being_declared(tmp_path: Path) -> None:
    frames = shift_layers(make_frames(), "GCJ-02", "substations")
    for layer in ("pipes", "sources", "buildings"):
        frames[layer] = frames[layer].to_crs(4544)
    report = import_frames(tmp_path, frames)
    assert "shifted_position" in codes_of(report)
    assert measure_worst_m(load_county(tmp_path / "county")) < 0.5


def test_a_control_point_finds_out_a_layer_that_meets_nothing(tmp_path: Path) -> None:
    frames = shift_layers(make_frames(), "GCJ-02", "buildings")
    at = make_frames()["buildings"].geometry.iloc[2].point_on_surface()
    extra = f'\n[[control]]\nlayer = "buildings"\nid = "B03"\nlon = {at.x}\nlat = {at.y}\n'
    keys = {k: 'crs = "WGS84"' for k in frames if k != "buildings"}
    report = import_frames(tmp_path, frames, extra=extra, keys=keys)
    assert [f.layer for f in report.findings if f.code == "shifted_position"] == ["buildings"]
    assert measure_worst_m(load_county(tmp_path / "county")) < 0.5


def test_true_positions_are_left_alone(tmp_path: Path) -> None:
    frames = make_frames()
    keys = {k: 'crs = "WGS84"' for k in frames if k != "substations"}
    report = import_frames(tmp_path, frames, keys=keys)
    assert not {"shifted_position", "unsure_position"} & set(codes_of(report))
    assert measure_worst_m(load_county(tmp_path / "county")) < 0.01


def test_a_declared_system_is_never_second_guessed(tmp_path: Path) -> None:
    frames = shift_layers(make_frames(), "GCJ-02", "substations")
    report = import_frames(tmp_path, frames, keys=dict.fromkeys(frames, 'crs = "WGS84"'))
    assert "shifted_position" not in codes_of(report)
    assert set(codes_of(report)["no_node_near"]) == {"S01", "S02", "S03", "S04"}


def test_where_nothing_tells_the_assumption_is_a_warning(tmp_path: Path) -> None:
    report = import_frames(tmp_path, make_frames())
    assert len(codes_of(report)["unsure_position"]) == 4
    assert "write crs" in report.text("en")


@pytest.mark.parametrize(("epsg", "says"), [(4523, "EPSG:4523"), (4544, ""), (4326, "degrees")])
def test_a_file_without_crs_is_refused_with_a_hint(tmp_path: Path, epsg: int, says: str) -> None:
    frames = make_frames()
    frames["pipes"] = frames["pipes"].to_crs(epsg)
    files = write_frames(tmp_path, frames, ".shp", encoding="UTF-8")
    for prj in tmp_path.glob("pipes.prj"):
        prj.unlink()
    report = run_import(write_mapping(tmp_path, files), tmp_path / "county")
    assert [f.code for f in report.errors] == ["no_crs"]
    assert says in report.errors[0].reason("en")


def test_an_unknown_crs_in_the_mapping_is_named(tmp_path: Path) -> None:
    report = import_frames(tmp_path, make_frames(), keys={"pipes": 'crs = "EPSG:nix"'})
    assert "crs = 'EPSG:nix' is not a coordinate system" in report.text("en")


def test_swapped_lon_and_lat_are_far_away(tmp_path: Path) -> None:
    frames = make_frames()
    frames["buildings"] = shift_frame(frames["buildings"], lambda lon, lat: (lat, lon))
    report = import_frames(tmp_path, frames)
    assert not report.saved
    assert codes_of(report)["far_away"][:2] == ["B01", "B02"]
    assert "check the CRS and the order of lon and lat" in report.text("en")


def test_an_old_datum_is_a_warning(tmp_path: Path) -> None:
    frames = make_frames()
    xian = {
        k: geopandas.GeoDataFrame(f.drop(columns="geometry"), geometry=f.geometry.to_crs(4610))
        for k, f in frames.items()
    }
    report = import_frames(tmp_path, xian)
    assert len(codes_of(report)["rough_transform"]) == 4
