"""Read the source files of an import: any vector file or CSV becomes one table per layer of ours."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely

from ingest.county.mapping import ColumnMap, SourceMap
from ingest.county.records import convert_cell, is_missing
from ingest.county.schema import LAYERS, TERRAIN_LAYER, Column
from ingest.county.units import DIAMETER_UNITS, IMPORT_UNITS, parse_diameter
from twin.model.findings import Finding, make_finding

_TERRAIN_COLUMNS = (Column("height_m", "float", "m", ""),)


@dataclass(slots=True)
class ImportTable:
    """Rows of one layer on their way in: raw cells (None = missing) and shapes, all of length ``size``."""

    target: str
    size: int
    cells: dict[str, list[Any]] = field(default_factory=dict)
    shapes: list[Any] = field(default_factory=list)

    def column(self, name: str) -> list[Any]:
        """Return the cells of a column; an absent one is added as all missing."""
        return self.cells.setdefault(name, [None] * self.size)

    def fill(self, name: str, make: Callable[[int], Any]) -> int:
        """Fill the missing cells of a column by ``make(row)``; return how many it gave a value."""
        cells, count = self.column(name), 0
        for n, cell in enumerate(cells):
            if cell is None:
                cells[n] = make(n)
                count += cells[n] is not None
        return count

    def id_at(self, row: int) -> str:
        """Return the id of a row, or ``row N`` (from 1)."""
        cell = self.cells.get("id", [None] * self.size)[row]
        return f"row {row + 1}" if cell is None else str(cell)


@dataclass(slots=True)
class SourceTable:
    """One source file read: our columns, shapes still in the file's coordinates, the file's CRS."""

    source: SourceMap
    table: ImportTable
    crs: Any = None
    encoding: str = ""


def read_source(source: SourceMap) -> tuple[SourceTable | None, list[Finding]]:
    """Read one source and pick its mapped columns. Faults of the file are findings, not exceptions."""
    try:
        frame, encoding = _read_frame(source)
    except (OSError, ValueError, LookupError, pyogrio.errors.DataSourceError) as e:
        why = f"{source.file.name}: {' '.join(str(e).split())}"
        return None, [make_finding(source.target, "", "unreadable", why=why)]
    shapes = list(frame.geometry.array) if isinstance(frame, geopandas.GeoDataFrame) else [None] * len(frame)
    table = ImportTable(source.target, len(frame), shapes=shapes)
    findings = _pick_columns(source, frame, table)
    if not table.size:
        findings.append(make_finding(source.target, "", "empty_layer"))
    crs = frame.crs if isinstance(frame, geopandas.GeoDataFrame) else None
    return SourceTable(source, table, crs, encoding), findings


def _read_frame(source: SourceMap) -> tuple[pd.DataFrame, str]:
    path = source.file
    if not path.exists():
        raise OSError("the file does not exist")
    if path.suffix.lower() in (".csv", ".txt"):
        return _read_csv(source)
    encoding = source.encoding
    if path.suffix.lower() in (".shp", ".dbf") and not encoding:
        encoding = detect_dbf_encoding(path.with_suffix(".dbf"))
    options: dict[str, Any] = {"layer": source.layer} if source.layer else {}
    if encoding:
        options["encoding"] = encoding
    frame = pyogrio.read_dataframe(path, on_invalid="ignore", **options)
    return frame, encoding


def detect_dbf_encoding(path: Path) -> str:
    """Return ``UTF-8`` or ``GB18030`` for a .dbf: what its .cpg says, else what its bytes can be.

    A cell that is cut in the middle of a character at its end does not count.
    """
    cpg = path.with_suffix(".cpg")
    if cpg.exists():
        named = cpg.read_text(encoding="ascii", errors="ignore").strip()
        return "GB18030" if named.upper() in ("GBK", "936", "CP936", "GB2312", "GB18030") else named
    if not path.exists():
        return ""
    block = path.read_bytes()
    for encoding in ("utf-8", "gb18030"):
        try:
            for cell in _list_dbf_cells(block):
                _decode_cut(cell, encoding)
        except UnicodeDecodeError:
            continue
        return encoding.upper()
    return "GB18030"


def _list_dbf_cells(block: bytes) -> list[bytes]:
    """Return the field names and the cells of character fields of a dBASE III file."""
    count, head, width = (int.from_bytes(block[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12)))
    descriptors = [block[i : i + 32] for i in range(32, head - 1, 32)]
    cells, offset = [d[:11].split(b"\0")[0] for d in descriptors], 1
    for d in descriptors:
        if d[11:12] == b"C":
            cells += [
                block[head + n * width + offset : head + n * width + offset + d[16]].rstrip(b" \0")
                for n in range(count)
            ]
        offset += d[16]
    return cells


def _decode_cut(cell: bytes, encoding: str) -> str:
    for cut in range(4):
        try:
            return cell[: len(cell) - cut].decode(encoding)
        except UnicodeDecodeError as e:
            if e.start < len(cell) - 4:
                raise
    return cell.decode(encoding)


def _read_csv(source: SourceMap) -> tuple[pd.DataFrame, str]:
    block = source.file.read_bytes()
    text, encoding = _decode_text(block, source.encoding)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4096], delimiters=",;\t")
        separator = dialect.delimiter
    except csv.Error:
        separator = ","
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, sep=separator)
    frame.columns = [str(c).strip() for c in frame.columns]
    if source.wkt:
        cells = _need_column(frame, source.wkt)
        return geopandas.GeoDataFrame(frame, geometry=shapely.from_wkt(cells, on_invalid="ignore")), encoding
    if source.x:
        x, y = (pd.to_numeric(_need_column(frame, c), errors="coerce") for c in (source.x, source.y))
        points = shapely.points(x.to_numpy(float), y.to_numpy(float))
        points[(x.isna() | y.isna()).to_numpy()] = None
        return geopandas.GeoDataFrame(frame, geometry=points), encoding
    return frame, encoding


def _need_column(frame: pd.DataFrame, name: str) -> Any:
    if name not in frame.columns:
        raise LookupError(f"it has no column {name}; it has: {', '.join(frame.columns)}")
    return frame[name]


def _decode_text(block: bytes, encoding: str) -> tuple[str, str]:
    for name in [encoding] if encoding else ["utf-8-sig", "gb18030"]:
        try:
            return block.decode(name), name.upper()
        except UnicodeDecodeError as e:
            fault = e
    raise ValueError(f"its text is not {fault.encoding} (byte {fault.start}); write encoding in the mapping")


def _pick_columns(source: SourceMap, frame: pd.DataFrame, table: ImportTable) -> list[Finding]:
    """Fill ``table`` with our columns; a column of our own name needs no mapping."""
    findings: list[Finding] = []
    ours = _TERRAIN_COLUMNS if source.target == TERRAIN_LAYER else LAYERS[source.target].columns
    for column in ours:
        rule = source.columns.get(column.name)
        if rule is None and column.name in source.constants:
            table.cells[column.name] = [source.constants[column.name]] * table.size
            continue
        if rule is None and column.name in frame.columns:
            rule = ColumnMap(column.name)
        if rule is None:
            continue
        if rule.column not in frame.columns:
            has = ", ".join(str(c) for c in frame.columns if c != "geometry")
            findings.append(
                make_finding(
                    source.target,
                    "",
                    "missing_source_column",
                    file=source.file.name,
                    column=rule.column,
                    has=has,
                )
            )
            continue
        table.cells[column.name] = [_clean_cell(v) for v in frame[rule.column].tolist()]
    for name, rule in source.columns.items():
        if name in table.cells:
            findings += _apply_rule(table, name, rule)
    for column in ours:
        if column.kind == "text" and column.name in table.cells:
            cells = table.cells[column.name]
            table.cells[column.name] = [None if c is None else convert_cell(column, c) for c in cells]
    return findings


def _clean_cell(value: Any) -> Any:
    if is_missing(value) or value is pd.NaT:
        return None
    if isinstance(value, str):
        return value.strip() or None
    return value.item() if isinstance(value, np.generic) else value


def _apply_rule(table: ImportTable, name: str, rule: ColumnMap) -> list[Finding]:
    """Change words by the value table and numbers by the unit, in place."""
    findings, cells = [], table.cells[name]
    for n, cell in enumerate(cells):
        if cell is None:
            continue
        if rule.values:
            word = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
            if word not in rule.values:
                findings.append(
                    make_finding(
                        table.target, table.id_at(n), "unmapped_value", column=rule.column, value=word
                    )
                )
                continue
            cells[n] = rule.values[word]
        elif rule.unit:
            try:
                cells[n] = _scale_cell(cell, rule.unit)
            except ValueError:
                expected = "a nominal size or outer x wall" if rule.unit in DIAMETER_UNITS else "a number"
                findings.append(
                    make_finding(
                        table.target,
                        table.id_at(n),
                        "wrong_type",
                        column=rule.column,
                        value=repr(cell),
                        expected=expected,
                    )
                )
    return findings


def _scale_cell(cell: Any, unit: str) -> float:
    if unit in DIAMETER_UNITS:
        return parse_diameter(cell, unit)
    return float(str(cell).replace(",", "")) * IMPORT_UNITS[unit][1]


def join_tables(target: str, tables: list[ImportTable]) -> ImportTable:
    """Put the rows of several sources of one layer into one table."""
    joined = ImportTable(target, sum(t.size for t in tables))
    for name in dict.fromkeys(n for t in tables for n in t.cells):
        joined.cells[name] = [v for t in tables for v in t.cells.get(name, [None] * t.size)]
    joined.shapes = [s for t in tables for s in t.shapes]
    return joined
