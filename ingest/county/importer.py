"""Import a county from the files of a GIS department, all or nothing, with a report."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import shapely

from ingest.county.derive_heat import derive_heat
from ingest.county.derive_network import derive_network
from ingest.county.derive_places import derive_heights, derive_places, make_terrain
from ingest.county.mapping import ImportMapping, read_mapping
from ingest.county.positions import bring_to_wgs84
from ingest.county.records import make_records
from ingest.county.report import ImportReport, Note, make_note
from ingest.county.schema import LAYERS, REQUIRED, TERRAIN_LAYER, Column
from ingest.county.tables import ImportTable, SourceTable, join_tables, read_source
from ingest.county.writer import save_county
from twin.model.check import check_county
from twin.model.county import County
from twin.model.findings import Finding, make_finding, split_findings
from twin.model.network import HeatNetwork
from twin.model.plane import Plane

_NETWORK = ("nodes", "pipes", "valves", "pumps", "sources", "substations")

# With one of these the rest would only be consequences.
_FILE_FAULTS = ("unreadable", "missing_source_column", "no_crs")


def run_import(mapping_file: Path | str, into: Path | str, *, allow_warnings: bool = True) -> ImportReport:
    """Read the files that ``mapping_file`` names, complete and check them, and save the county.

    With one error nothing is written and what was in ``into`` stays as it was.

    Parameters
    ----------
    allow_warnings : save although there are warnings

    Raises
    ------
    CountyError : the mapping file itself is wrong, or ``into`` cannot be replaced
    """
    mapping, into = read_mapping(mapping_file), Path(into)
    plane = Plane(mapping.meta.center)
    sources, findings = _read_sources(mapping)
    found, notes = bring_to_wgs84(sources, mapping.controls, plane)
    findings += found
    tables = _join(sources)
    counts = {name: table.size for name, table in tables.items()}
    for table in tables.values():
        findings += _mend_shapes(table)
        notes += _number_rows(table)
    county = None
    if not any(f.code in _FILE_FAULTS for f in findings):
        county, found, said = _build(tables, mapping, plane)
        findings += _drop_echoes(findings, found)
        notes += said
        counts |= {name: tables[name].size for name in LAYERS}
    report = ImportReport(into, counts, tuple(notes), tuple(findings), checked=county is not None)
    if county is None or report.errors or (report.warnings and not allow_warnings):
        return report
    save_county(county, into)
    return replace(report, saved=True)


def _drop_echoes(before: Sequence[Finding], after: Sequence[Finding]) -> list[Finding]:
    """Leave out what only repeats that a cell could not be understood."""
    told = {(f.layer, f.id) for f in before if f.code in ("unmapped_value", "wrong_type")}
    echoes = ("wrong_type", "not_finite", "unknown_word")
    return [f for f in after if f.code not in echoes or (f.layer, f.id) not in told]


def _read_sources(mapping: ImportMapping) -> tuple[list[SourceTable], list[Finding]]:
    sources, findings = [], []
    for rule in mapping.sources:
        source, found = read_source(rule)
        findings += found
        if source is not None:
            sources.append(source)
    return sources, findings


def _join(sources: Sequence[SourceTable]) -> dict[str, ImportTable]:
    return {
        name: join_tables(name, [s.table for s in sources if s.source.target == name])
        for name in (*LAYERS, TERRAIN_LAYER)
    }


def _mend_shapes(table: ImportTable) -> list[Finding]:
    """Unwrap multi-part shapes and refuse broken ones, in place."""
    findings: list[Finding] = []
    if table.target == TERRAIN_LAYER or LAYERS[table.target].geometry == "none":
        return findings
    for n, shape in enumerate(table.shapes):
        if shape is None or shape.is_empty:
            continue
        row_id = table.id_at(n)
        if table.target == "places" and shape.geom_type == "Point":
            table.column("lon")[n], table.column("lat")[n], table.shapes[n] = shape.x, shape.y, None
            continue
        merged = shapely.line_merge(shape) if shape.geom_type == "MultiLineString" else shape
        parts = list(getattr(merged, "geoms", [merged]))
        if len(parts) > 1:
            findings.append(make_finding(table.target, row_id, "parts_dropped", parts=len(parts)))
        best = max(parts, key=lambda p: (p.area, p.length))
        if best.geom_type == "Polygon" and len(best.interiors):
            findings.append(make_finding(table.target, row_id, "holes_dropped", holes=len(best.interiors)))
            best = shapely.Polygon(best.exterior)
        if not best.is_valid and best.geom_type == "Polygon":
            why = shapely.is_valid_reason(best)
            findings.append(make_finding(table.target, row_id, "bad_shape", why=why))
        table.shapes[n] = best
    return findings


def _number_rows(table: ImportTable) -> list[Note]:
    """Give features without an id one made of the layer's letters and the row."""
    if table.target in (TERRAIN_LAYER, "points"):
        return []
    letter = table.target[:2].upper()
    count = table.fill("id", lambda n: f"{letter}{n + 1:05d}")
    return [make_note(table.target, "numbered", count=count)] if count else []


def _build(
    tables: dict[str, ImportTable], mapping: ImportMapping, plane: Plane
) -> tuple[County | None, list[Finding], list[Note]]:
    """Complete the tables, make the records and check the county."""
    meta, options = mapping.meta, mapping.options
    findings, notes = derive_network(tables, options, plane)
    terrain, found, said = make_terrain(tables, tables.get(TERRAIN_LAYER), options, plane)
    findings += found
    notes += said
    notes += derive_heights(tables, terrain)
    notes += derive_places(tables, meta)
    notes += derive_heat(tables, meta, options, plane)
    records: dict[str, Any] = {}
    for name, layer in LAYERS.items():
        table = tables[name]
        notes += _say_defaults(table)
        rows = {c.name: table.column(c.name) for c in layer.columns if not _is_absent(table, c)}
        records[name], found = make_records(layer, rows, table.shapes, table.size)
        findings += found
    if split_findings(findings)[0]:
        return None, findings, notes
    network = HeatNetwork(**{n: records.pop(n) for n in _NETWORK})
    county = County(meta=meta, network=network, terrain=terrain, **records)
    findings += check_county(county)
    return county, findings, notes


def _is_absent(table: ImportTable, column: Column) -> bool:
    """True for a required column of which not one cell is known: one finding, not one per row."""
    return (
        column.default is REQUIRED
        and table.size > 0
        and not any(v is not None for v in table.column(column.name))
    )


def _say_defaults(table: ImportTable) -> list[Note]:
    """Name the columns that will take their default, where that is more than an empty text."""
    notes = []
    for column in LAYERS[table.target].columns:
        if column.default in (REQUIRED, "", {}):
            continue
        count = sum(v is None for v in table.column(column.name))
        if count:
            value = str(column.default)
            notes.append(make_note(table.target, "defaulted", column=column.name, count=count, value=value))
    return notes
