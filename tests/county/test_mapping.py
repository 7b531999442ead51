"""A wrong mapping file is refused with every fault named; units and sizes."""

from pathlib import Path

import pytest

from ingest.county.importer import run_import
from ingest.county.mapping import read_mapping
from ingest.county.units import NOMINAL_MM, parse_diameter
from tests.county.gis import HEAD
from twin.model.errors import CountyError

GOOD = HEAD + '\n[layers.pipes]\nfile = "pipes.shp"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_files_are_found_beside_the_mapping(tmp_path: Path) -> None:
    (source,) = read_mapping(write(tmp_path, GOOD)).sources
    assert source.file == tmp_path / "pipes.shp"


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ("\n[layer.pipes]\nfile = 'x'\n", "layer: is not known; use county, options, layers, control"),
        ("\n[layers.tubes]\nfile = 'x'\n", "layers.tubes: is not a layer; use places, buildings"),
        ("files = 'x'\n", "layers.pipes.files: is not known"),
        ("x = 'lon'\n", "layers.pipes: x and y go together"),
        ("[layers.pipes.columns]\ndn = 'DN'\n", "layers.pipes: dn is not a column of pipes"),
        ("[layers.pipes.columns]\nid = 3\n", "layers.pipes.columns.id: give a column name"),
        (
            "[layers.pipes.columns]\ndiameter_m = { column = 'D', unit = 'kW' }\n",
            "layers.pipes.columns.diameter_m: the unit kW does not become m; use ['mm', 'cm', 'm', 'km']",
        ),
        (
            "[layers.pipes.columns]\nlength_m = { column = 'D', unit = 'DN' }\n",
            "layers.pipes.columns.length_m: the unit DN is for diameter_m only",
        ),
        (
            "[layers.pipes.columns]\nside = { column = 'S', values = 3 }\n",
            "columns.side.values: give a table",
        ),
        ("[layers.pipes.columns]\nside = { column = 'S', map = 3 }\n", "columns.side.map: is not known"),
        ("\n[layers.valves]\nlayer = 'v'\n", "layers.valves: name the source"),
        ("\n[options]\nsnap = 2\n", "options.snap: is not known; use attach_m"),
        ("\n[options]\nsnap_m = -2\n", "options.snap_m: is -2; give a number above 0"),
        ("\n[[control]]\nlayer = 'pipes'\n", "control 1: give layer, id, lon and lat"),
    ],
)
def test_every_fault_is_a_line_with_its_mend(tmp_path: Path, extra: str, says: str) -> None:
    with pytest.raises(CountyError) as caught:
        read_mapping(write(tmp_path, GOOD + extra))
    assert any(says in line for line in caught.value.findings), caught.value.findings


def test_a_mapping_without_layers_or_county_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CountyError, match="no layer is mapped"):
        read_mapping(write(tmp_path, HEAD))
    with pytest.raises(CountyError, match="the table \\[county\\] is missing"):
        read_mapping(write(tmp_path, "x = 1"))


def test_a_mapping_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CountyError, match="cannot be read"):
        run_import(tmp_path / "none.toml", tmp_path / "county")
    (tmp_path / "mapping.toml").write_bytes("名".encode("gbk"))
    with pytest.raises(CountyError, match="is not UTF-8"):
        run_import(tmp_path / "mapping.toml", tmp_path / "county")


@pytest.mark.parametrize(
    ("cell", "unit", "inner_m"),
    [("DN300", "DN", 0.311), (300.0, "DN", 0.311), ("dn 100", "DN", 0.100), ("D325x7", "DxS", 0.311),
     ("108×4", "DxS", 0.100), ("φ219*6.0", "DxS", 0.207)],
)  # fmt: skip
def test_sizes_become_inner_diameters(cell: object, unit: str, inner_m: float) -> None:
    assert parse_diameter(cell, unit) == pytest.approx(inner_m)


@pytest.mark.parametrize(
    ("cell", "unit"), [("DN301", "DN"), ("large", "DN"), ("300", "DxS"), ("D20x10", "DxS")]
)
def test_what_is_no_size_is_refused(cell: object, unit: str) -> None:
    with pytest.raises(ValueError, match="20|large|30"):
        parse_diameter(cell, unit)


def test_nominal_sizes_grow_and_stay_near_their_number() -> None:
    inner = [outer - 2.0 * wall for outer, wall in NOMINAL_MM.values()]
    assert inner == sorted(inner)
    assert all(abs(i - dn) <= 0.06 * dn for dn, i in zip(NOMINAL_MM, inner, strict=True))
