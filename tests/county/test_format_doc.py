"""docs/county-format.md says what the code does: tables, units, codes, and an example that works."""

import re
from pathlib import Path

from ingest.county.importer import run_import
from ingest.county.mapping import ImportOptions
from ingest.county.schema import LAYERS, REQUIRED, TERRAIN_COLUMNS, Column
from ingest.county.units import DIAMETER_UNITS, IMPORT_UNITS, NOMINAL_MM
from tests.county.gis import make_frames
from twin.model.check_table import RANGES, WORDS
from twin.model.findings import CODES

DOC = Path(__file__).parents[2] / "docs" / "county-format.md"

_GEOMETRY = {
    "point": "Point",
    "line": "LineString",
    "ring": "Polygon",
    "any": "Point, LineString or Polygon",
    "none": "none",
}


def render_columns(layer: str, columns: tuple[Column, ...]) -> str:
    """Return the table of a layer's columns as it must stand in the document."""
    lines = [
        "| column | type | unit | range | default | left out of an import | meaning |",
        "|---|---|---|---|---|---|---|",
    ]
    for c in columns:
        low_high = RANGES.get((layer, c.name))
        span = f"{low_high[0]:g} … {low_high[1]:g}" if low_high else ", ".join(WORDS.get((layer, c.name), ()))
        default = "**required**" if c.default is REQUIRED else f"`{c.default!r}`"
        lines.append(f"| `{c.name}` | {c.kind} | {c.unit} | {span} | {default} | {c.derived} | {c.text} |")
    return "\n".join(lines)


def render_layer(name: str) -> str:
    layer = LAYERS[name]
    optional = " (may be empty)" if layer.ring_optional else ""
    head = f"### `{name}` {layer.zh}\n\nGeometry: {_GEOMETRY[layer.geometry]}{optional}.\n\n"
    return head + render_columns(name, layer.columns)


def render_codes() -> str:
    lines = ["| code | kind | 原因 | reason |", "|---|---|---|---|"]
    lines += [f"| `{k}` | {'error' if c.error else 'warning'} | {c.zh} | {c.en} |" for k, c in CODES.items()]
    return "\n".join(lines)


def read_doc() -> str:
    return DOC.read_text(encoding="utf-8")


def test_every_layer_and_column_stands_in_the_document_as_it_is() -> None:
    doc = read_doc()
    for name in LAYERS:
        assert render_layer(name) in doc, f"write this into {DOC.name}:\n{render_layer(name)}"
    assert render_columns("terrain", TERRAIN_COLUMNS) in doc


def test_every_finding_code_stands_in_the_document() -> None:
    assert render_codes() in read_doc()


def test_every_unit_option_and_nominal_size_stands_in_the_document() -> None:
    doc = read_doc()
    for unit in (*IMPORT_UNITS, *DIAMETER_UNITS):
        assert f"`{unit}`" in doc
    for option in ImportOptions.__dataclass_fields__.values():
        assert re.search(rf"`{option.name}` \| {str(option.default).lower()}", doc), option.name
    for dn, (outer, wall) in NOMINAL_MM.items():
        assert f"DN{dn} {outer:g}×{wall:g}" in doc


def test_the_example_of_the_document_imports(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml example\n(.*?)```", read_doc(), re.DOTALL)
    frames = make_frames()
    frames["pipes"].to_crs(4544).to_file(tmp_path / "管网.shp", encoding="GBK")
    frames["substations"].to_file(tmp_path / "heating.gpkg", layer="换热站")
    frames["sources"].to_file(tmp_path / "heating.gpkg", layer="热源", mode="a")
    frames["buildings"].to_file(tmp_path / "buildings.geojson")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(example, encoding="utf-8")
    report = run_import(mapping, tmp_path / "county")
    assert report.saved, report.text("en")
