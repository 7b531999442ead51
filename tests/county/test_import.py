"""Import from every format; positions, units, words, derived parts; all or nothing."""

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from ingest.county import load_county
from ingest.county.importer import run_import
from tests.county.gis import COLUMNS, Frames, make_frames, write_frames, write_mapping
from tests.support.tiny import make_tiny_county
from twin.model.county import County
from twin.model.plane import Plane

TINY = make_tiny_county()
PLANE = Plane(TINY.meta.center)


def measure_worst_m(county: County) -> float:
    """Largest distance in metres of any pipe vertex, station, source or corner from the nearest true one."""
    got = {p.id: p.path for p in county.network.pipes} | {b.id: b.footprint for b in county.buildings}
    true = {p.id: p.path for p in TINY.network.pipes} | {b.id: b.footprint for b in TINY.buildings}
    for mine, theirs in (
        (county.network.substations, TINY.network.substations),
        (county.network.sources, TINY.network.sources),
    ):
        got |= {s.id: ((s.lon, s.lat),) for s in mine}
        true |= {s.id: ((s.lon, s.lat),) for s in theirs}
    assert set(got) == set(true)
    worst = 0.0
    for key, path in true.items():
        a, b = (np.array([PLANE.to_xy(p) for p in line]) for line in (path, got[key]))
        gaps = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1))
        worst = max(worst, float(gaps.min(axis=0).max()), float(gaps.min(axis=1).max()))
    return worst


def codes_of(report: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for f in report.findings:
        found.setdefault(f.code, []).append(f.id)
    return found


def import_frames(folder: Path, frames: Frames, suffix: str = ".gpkg", **kwargs: Any) -> Any:
    return run_import(
        write_mapping(folder, write_frames(folder, frames, suffix), **kwargs), folder / "county"
    )


FORMATS = [
    (".gpkg", 4326), (".gpkg", 4490), (".gpkg", 4523), (".gpkg", 4544), (".gpkg", 4543),
    (".shp", 4326), (".shp", 4490), (".shp", 4544), (".shp", 4523), (".geojson", 4326), (".gpkg", 32648),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "epsg"), FORMATS)
def test_positions_are_kept_within_a_centimetre(tmp_path: Path, suffix: str, epsg: int) -> None:
    frames = {k: f.to_crs(epsg) for k, f in make_frames().items()}
    report = import_frames(tmp_path, frames, suffix)
    assert report.errors == ()
    assert report.saved
    assert measure_worst_m(load_county(tmp_path / "county")) < 0.01


def test_the_imported_network_equals_the_drawn_one(tmp_path: Path) -> None:
    report = import_frames(tmp_path, make_frames())
    county = load_county(tmp_path / "county")
    assert report.counts["pipes"] == 28
    assert report.counts["nodes"] == len(county.network.nodes) == 14
    true = {p.id: p for p in TINY.network.pipes}
    for pipe in county.network.pipes:
        assert pipe.side == true[pipe.id].side
        assert pipe.diameter_m == pytest.approx(true[pipe.id].diameter_m)
        assert pipe.length_m == pytest.approx(true[pipe.id].length_m, rel=0.01)
    pairs = {p.id: p.pair_id for p in county.network.pipes}
    assert pairs["P03-S"] == pairs["P03-R"] == "P03-S"
    assert {s.id: s.kind for s in county.network.sources} == {"SRC1": "chp", "SRC2": "boiler"}
    assert {s.id: s.capacity_w for s in county.network.sources} == {"SRC1": 6.0e6, "SRC2": 2.5e6}
    assert [s.holds_pressure for s in county.network.sources] == [True, False]


def test_a_shapefile_in_gbk_without_cpg_is_read(tmp_path: Path) -> None:
    files = write_frames(tmp_path, make_frames(), ".shp", encoding="GBK")
    for cpg in tmp_path.glob("*.cpg"):
        cpg.unlink()
    report = run_import(write_mapping(tmp_path, files), tmp_path / "county")
    assert report.saved
    assert load_county(tmp_path / "county").network.substations[0].name == "东关换热站"
    assert "GB18030" in report.text("zh")


@pytest.mark.parametrize("keep_cpg", [True, False])
def test_a_shapefile_in_utf8_is_read(tmp_path: Path, keep_cpg: bool) -> None:
    files = write_frames(tmp_path, make_frames(), ".shp", encoding="UTF-8")
    for cpg in () if keep_cpg else tmp_path.glob("*.cpg"):
        cpg.unlink()
    assert run_import(write_mapping(tmp_path, files), tmp_path / "county").saved
    assert load_county(tmp_path / "county").network.substations[0].name == "东关换热站"


def write_csv(folder: Path, encoding: str, separator: str = ",") -> Path:
    """Pipes and buildings as WKT, stations and sources as lon/lat."""
    files, keys = {}, {}
    for name, frame in make_frames().items():
        table = pd.DataFrame(frame.drop(columns="geometry"))
        if name in ("pipes", "buildings"):
            table["图形"] = shapely.to_wkt(frame.geometry.array, rounding_precision=12)
            keys[name] = 'wkt = "图形"\ncrs = "CGCS2000"'
        else:
            table["经度"], table["纬度"] = frame.geometry.x, frame.geometry.y
            keys[name] = 'x = "经度"\ny = "纬度"\ncrs = "WGS84"'
        table.to_csv(folder / f"{name}.csv", index=False, encoding=encoding, sep=separator)
        files[name] = f"{name}.csv"
    return write_mapping(folder, files, keys=keys)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_with_and_without_bom_in_every_encoding(tmp_path: Path, encoding: str, separator: str) -> None:
    report = run_import(write_csv(tmp_path, encoding, separator), tmp_path / "county")
    assert report.errors == ()
    assert measure_worst_m(load_county(tmp_path / "county")) < 0.01


def test_eastings_and_northings_of_a_csv(tmp_path: Path) -> None:
    mapping = write_csv(tmp_path, "utf-8")
    frame = make_frames()["substations"].to_crs(4544)
    table = pd.DataFrame(
        {"编号": frame["编号"], "名称": frame["名称"], "X": frame.geometry.y, "Y": frame.geometry.x}
    )
    table.to_csv(tmp_path / "substations.csv", index=False)
    head, columns = mapping.read_text(encoding="utf-8").split("[layers.substations]")
    columns = columns.replace(
        'x = "经度"\ny = "纬度"\ncrs = "WGS84"', 'x = "Y"\ny = "X"\ncrs = "EPSG:4544"', 1
    )
    mapping.write_text(f"{head}[layers.substations]{columns}", encoding="utf-8")
    assert run_import(mapping, tmp_path / "county").saved
    assert measure_worst_m(load_county(tmp_path / "county")) < 0.01


# --- derived parts


def test_missing_return_pipes_are_mirrored_and_said(tmp_path: Path) -> None:
    frames = make_frames()
    frames["pipes"] = frames["pipes"][frames["pipes"]["类型"] == "供水"]
    report = import_frames(tmp_path, frames)
    assert report.saved
    pipes = load_county(tmp_path / "county").network.pipes
    assert [p.side.value for p in pipes].count("return") == 14
    assert {p.pair_id for p in pipes if p.side == "return"} == {p.id for p in pipes if p.side == "supply"}
    assert "没有回水管，已按供水管生成 14 根回水管" in report.text("zh")
    assert "14 were drawn" in report.text("en")


def test_mirroring_can_be_forbidden(tmp_path: Path) -> None:
    frames = make_frames()
    frames["pipes"] = frames["pipes"][frames["pipes"]["类型"] == "供水"]
    report = import_frames(tmp_path, frames, extra="\n[options]\nmirror_return = false\n")
    assert not report.saved
    assert len(codes_of(report)["pair_incomplete"]) == 14


def test_given_nodes_are_used_and_a_loose_end_is_named(tmp_path: Path) -> None:
    frames = make_frames()
    nodes = TINY.network.nodes
    shapes = [shapely.Point(n.lon, n.lat) for n in nodes if n.id != "N07"]
    heights = [n.elevation_m for n in nodes if n.id != "N07"]
    ids = [n.id for n in nodes if n.id != "N07"]
    frame = geopandas.GeoDataFrame({"id": ids, "elevation_m": heights}, geometry=shapes, crs=4326)
    frame.to_file(tmp_path / "nodes.gpkg")
    extra = '\n[layers.nodes]\nfile = "nodes.gpkg"\n'
    report = import_frames(tmp_path, frames, extra=extra)
    assert sorted(codes_of(report)["no_node_near"]) == ["P11-R", "P11-S", "P12-R", "P12-S"]
    assert not (tmp_path / "county").exists()


def test_ends_that_almost_meet_are_joined_within_the_tolerance(tmp_path: Path) -> None:
    frames = make_frames()
    line = frames["pipes"].geometry.iloc[0]
    (x0, y0), (x1, y1) = line.coords
    frames["pipes"].loc[0, "geometry"] = shapely.LineString([(x0, y0), (x1 + 0.8 / PLANE.east_m_deg, y1)])
    loose = import_frames(tmp_path, frames)
    assert set(codes_of(loose)) >= {"island"}
    joined = import_frames(tmp_path, frames, extra="\n[options]\nsnap_m = 1.0\n")
    assert joined.saved
    assert len(load_county(tmp_path / "county").network.nodes) == 14


def test_a_station_far_from_every_node_is_named(tmp_path: Path) -> None:
    frames = make_frames()
    frames["substations"].loc[1, "geometry"] = shapely.Point(103.64, 35.6)
    assert codes_of(import_frames(tmp_path, frames))["no_node_near"] == ["S02"]


def test_nominal_sizes_become_inner_diameters(tmp_path: Path) -> None:
    frames = make_frames()
    frames["pipes"]["管径"] = "DN250"
    mapping = write_mapping(tmp_path, write_frames(tmp_path, frames, ".gpkg"))
    mapping.write_text(
        mapping.read_text(encoding="utf-8").replace('unit = "mm"', 'unit = "DN"'), encoding="utf-8"
    )
    assert run_import(mapping, tmp_path / "county").saved
    assert {p.diameter_m for p in load_county(tmp_path / "county").network.pipes} == {0.261}


def test_terrain_is_interpolated_and_heights_taken_from_it(tmp_path: Path) -> None:
    lon, lat = (a.ravel() for a in np.meshgrid(np.linspace(103.59, 103.65, 13), np.linspace(35.56, 35.6, 13)))
    table = pd.DataFrame({"lon": lon, "lat": lat, "height_m": 1800.0 + (lat - 35.58) * 1.0e4})
    table.to_csv(tmp_path / "heights.csv", index=False)
    extra = '\n[layers.terrain]\nfile = "heights.csv"\nx = "lon"\ny = "lat"\ncrs = "WGS84"\n'
    report = import_frames(tmp_path, make_frames(), extra=extra)
    assert set(codes_of(report)) == {"unsure_position"}
    county = load_county(tmp_path / "county")
    for node in county.network.nodes:
        assert node.elevation_m == pytest.approx(1798.5 + (node.lat - 35.58) * 1.0e4, abs=0.5)


def test_without_heights_the_flat_ground_is_a_warning(tmp_path: Path) -> None:
    assert "no_heights" in codes_of(import_frames(tmp_path, make_frames()))


def test_devices_and_points_of_a_table_take_the_rest_from_the_point_kinds(tmp_path: Path) -> None:
    pd.DataFrame(
        [("D1", "S01", "flat", "RTU1")], columns=["id", "place_id", "dialect", "external_id"]
    ).to_csv(tmp_path / "devices.csv", index=False)
    pd.DataFrame(
        [("D1", "p1_ts", "°C"), ("D1", "p1_flow", "m3/h")], columns=["device_id", "key", "unit"]
    ).to_csv(tmp_path / "points.csv", index=False)
    extra = '\n[layers.devices]\nfile = "devices.csv"\n\n[layers.points]\nfile = "points.csv"\n'
    assert import_frames(tmp_path, make_frames(), extra=extra).saved
    points = load_county(tmp_path / "county").points
    assert [(p.no, p.id, p.quantity, p.simulated) for p in points] == [
        (0, "S01/p1_ts", "temperature", True),
        (1, "S01/p1_flow", "volume_flow", True),
    ]


def test_several_files_feed_one_layer(tmp_path: Path) -> None:
    frames = make_frames()
    pipes = frames.pop("pipes")
    for word, name in (("供水", "supply"), ("回水", "return")):
        pipes[pipes["类型"] == word].to_file(tmp_path / f"{name}.gpkg")
    table = "".join(
        f'\n[[layers.pipes]]\nfile = "{n}.gpkg"\n[layers.pipes.columns]{COLUMNS["pipes"]}'
        for n in ("supply", "return")
    )
    report = import_frames(tmp_path, frames, extra=table)
    assert report.saved
    assert report.counts["pipes"] == 28


# --- faults


def test_nothing_is_written_with_one_error_and_the_old_county_stays(tmp_path: Path) -> None:
    assert import_frames(tmp_path, make_frames()).saved
    before = {p.name: p.read_bytes() for p in (tmp_path / "county").iterdir()}
    frames = make_frames()
    frames["pipes"].loc[3, "管径"] = "260000"
    report = import_frames(tmp_path, frames)
    assert not report.saved
    assert codes_of(report)["out_of_range"] == ["P02-R"]
    assert {p.name: p.read_bytes() for p in (tmp_path / "county").iterdir()} == before
    assert "未写入任何数据" in report.text("zh")


def test_warnings_can_be_forbidden(tmp_path: Path) -> None:
    mapping = write_mapping(tmp_path, write_frames(tmp_path, make_frames(), ".gpkg"))
    report = run_import(mapping, tmp_path / "county", allow_warnings=False)
    assert report.errors == ()
    assert not report.saved
    assert not (tmp_path / "county").exists()
    assert "warnings are not allowed" in report.text("en")


def test_every_bad_feature_is_reported_by_layer_id_and_reason(tmp_path: Path) -> None:
    frames = make_frames()
    pipes = frames["pipes"]
    pipes.loc[1, "编号"] = "P01-S"
    pipes.loc[2, "管径"] = "9"
    start = pipes.geometry.iloc[4].coords[0]
    pipes.loc[4, "geometry"] = shapely.LineString([start, start])
    frames["buildings"].loc[0, "换热站"] = "S99"
    report = import_frames(tmp_path, frames)
    lines = [f.line() for f in report.errors]
    assert any(line.startswith("pipes, P01-S: id used twice") for line in lines)
    assert "pipes, P02-S: diameter_m = 0.009 m, must lie in 0.01 to 2 [out_of_range]" in lines
    assert "pipes, P03-S: has no length [zero_length]" in lines
    assert "buildings, B01: names the unknown substation S99 [unknown_substation]" in lines


def test_a_missing_source_column_names_what_the_file_has(tmp_path: Path) -> None:
    frames = make_frames()
    frames["pipes"] = frames["pipes"].rename(columns={"管径": "直径"})
    report = import_frames(tmp_path, frames)
    assert [f.code for f in report.errors] == ["missing_source_column"]
    assert "the file pipes.gpkg has no column 管径; it has: 编号, 类型, 直径" in report.text("en")


def test_an_unmapped_word_and_a_word_for_a_number_are_named(tmp_path: Path) -> None:
    frames = make_frames()
    frames["pipes"].loc[0, "类型"] = "中水"
    frames["pipes"].loc[1, "管径"] = "粗"
    found = codes_of(import_frames(tmp_path, frames))
    assert found["unmapped_value"] == ["P01-S"]
    assert found["wrong_type"] == ["P01-R"]


def test_a_missing_file_and_a_file_of_garbage_are_named(tmp_path: Path) -> None:
    files = write_frames(tmp_path, make_frames(), ".gpkg")
    (tmp_path / "pipes.gpkg").unlink()
    (tmp_path / "sources.gpkg").write_bytes(b"garbage" * 100)
    report = run_import(write_mapping(tmp_path, files), tmp_path / "county")
    found = [(f.layer, f.code) for f in report.errors]
    assert ("pipes", "unreadable") in found
    assert ("sources", "unreadable") in found
    assert "pipes.gpkg: the file does not exist" in report.text("en")


def test_an_empty_layer_is_a_warning_and_no_pipes_are_an_error(tmp_path: Path) -> None:
    frames = make_frames()
    frames["buildings"] = frames["buildings"].iloc[:0]
    report = import_frames(tmp_path, frames)
    assert codes_of(report)["empty_layer"] == [""]


def test_broken_geometry_is_named(tmp_path: Path) -> None:
    frames = make_frames()
    a, b, c, d, _ = frames["buildings"].geometry.iloc[0].exterior.coords
    frames["buildings"].loc[0, "geometry"] = shapely.Polygon([a, c, b, d, a])
    frames["buildings"].loc[1, "geometry"] = None
    found = codes_of(import_frames(tmp_path, frames))
    assert found["bad_shape"] == ["B01"]
    assert found["no_geometry"] == ["B02"]


def test_parts_and_holes_are_left_out_with_a_warning(tmp_path: Path) -> None:
    frames = make_frames()
    first, second = frames["buildings"].geometry.iloc[0], frames["buildings"].geometry.iloc[4]
    hole = shapely.affinity.scale(second, 0.3, 0.3)
    frames["buildings"].loc[4, "geometry"] = second.difference(hole)
    small = shapely.affinity.translate(shapely.affinity.scale(first, 0.2, 0.2), 0.001)
    frames["buildings"].loc[0, "geometry"] = shapely.MultiPolygon([small, first])
    report = import_frames(tmp_path, frames)
    assert codes_of(report)["parts_dropped"] == ["B01"]
    assert codes_of(report)["holes_dropped"] == ["B05"]
    assert report.saved
    assert measure_worst_m(load_county(tmp_path / "county")) < 0.01


def test_a_broken_line_in_geojson_is_named(tmp_path: Path) -> None:
    files = write_frames(tmp_path, make_frames(), ".geojson")
    text = (tmp_path / "pipes.geojson").read_text(encoding="utf-8")
    start = text.index('"coordinates": [ [')
    end = text.index("] ] }", start)
    (tmp_path / "pipes.geojson").write_text(
        text[:start] + '"coordinates": [' + text[end + 2 :], encoding="utf-8"
    )
    report = run_import(write_mapping(tmp_path, files), tmp_path / "county")
    assert codes_of(report)["no_geometry"] == ["P01-S"]


def test_a_missing_required_column_is_named(tmp_path: Path) -> None:
    mapping = write_mapping(tmp_path, write_frames(tmp_path, make_frames(), ".gpkg"))
    text = mapping.read_text(encoding="utf-8").replace('diameter_m = { column = "管径", unit = "mm" }', "")
    mapping.write_text(text, encoding="utf-8")
    report = run_import(mapping, tmp_path / "county")
    assert [f.line() for f in report.errors] == [
        "pipes, -: the column diameter_m is missing [missing_column]"
    ]
    assert "islands, ends and pairs are checked once this is mended" in report.text("en")
