"""Columns and shapes to records and back: one conversion for the reader and the importer."""

import json
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np
import shapely

from ingest.county.schema import REQUIRED, Column, Layer
from twin.model.findings import Finding, make_finding
from twin.model.network import LonLat, Side

_TRUE = {"true", "t", "yes", "y", "1", "是", "有", "真"}
_FALSE = {"false", "f", "no", "n", "0", "否", "无", "假", ""}
_EXPECTED = {
    "text": "text",
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "curve": "a JSON list of pairs, e.g. [[-20, 85], [10, 40]]",
    "props": 'a flat JSON object of text and numbers, e.g. {"spaces": 120}',
}


def _to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _to_float(value: Any) -> float:
    return float(value.strip().replace(",", "")) if isinstance(value, str) else float(value)


def _to_int(value: Any) -> int:
    number = _to_float(value)
    if not number.is_integer():
        raise ValueError("not whole")
    return int(number)


def _to_bool(value: Any) -> bool:
    word = str(value).strip().lower().removesuffix(".0")
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("neither true nor false")


def _to_curve(value: Any) -> tuple[tuple[float, float], ...]:
    pairs = json.loads(value) if isinstance(value, str) else value
    return tuple((float(a), float(b)) for a, b in pairs)


def _to_props(value: Any) -> dict[str, str | float]:
    props = json.loads(value) if isinstance(value, str) else dict(value)
    if not isinstance(props, dict):
        raise TypeError("not an object")
    for item in props.values():
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            raise TypeError("neither text nor number")
    return {k: v if isinstance(v, str) else float(v) for k, v in props.items()}


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "text": _to_text,
    "float": _to_float,
    "int": _to_int,
    "bool": _to_bool,
    "curve": _to_curve,
    "props": _to_props,
}


def is_missing(value: Any) -> bool:
    """True for what a file gives for an empty cell: None, NaN, NA."""
    return value is None or (isinstance(value, float) and isnan(value)) or type(value).__name__ == "NAType"


def convert_cell(column: Column, value: Any) -> Any:
    """Return ``value`` in the type of ``column``.

    Raises
    ------
    ValueError, TypeError : it cannot be understood as one
    """
    if is_missing(value) or (value == "" and column.kind != "text"):
        if column.default is REQUIRED:
            raise LookupError(column.name)
        return dict(column.default) if column.kind == "props" else column.default
    return _CONVERTERS[column.kind](value)


def convert_columns(
    layer: Layer, table: Mapping[str, Sequence[Any]], size: int
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Return one dict of typed values per row and the findings of cells that are missing or mistyped.

    A column that is absent from ``table`` takes its default; an absent required one is one finding.
    """
    rows: list[dict[str, Any]] = [{} for _ in range(size)]
    findings = []
    ids = list_ids(table, size)
    for column in layer.columns:
        if column.name not in table:
            if column.default is REQUIRED:
                findings.append(make_finding(layer.name, "", "missing_column", column=column.name))
                continue
            cells: Sequence[Any] = [None] * size
        else:
            cells = table[column.name]
        for row, cell, row_id in zip(rows, cells, ids, strict=True):
            try:
                row[column.name] = convert_cell(column, cell)
            except LookupError:
                findings.append(make_finding(layer.name, row_id, "not_finite", field=column.name))
            except (ValueError, TypeError):
                expected = _EXPECTED[column.kind]
                findings.append(
                    make_finding(
                        layer.name,
                        row_id,
                        "wrong_type",
                        column=column.name,
                        value=repr(cell),
                        expected=expected,
                    )
                )
    return rows, findings


def list_ids(table: Mapping[str, Sequence[Any]], size: int) -> list[str]:
    """Return the ids of a table as text; ``row N`` (from 1) where there is none."""
    ids = table.get("id", [None] * size)
    return [f"row {n}" if is_missing(v) or v == "" else _to_text(v) for n, v in enumerate(ids, 1)]


def read_shape(layer: Layer, shape: Any) -> dict[str, Any]:
    """Return the fields that ``shape`` (a shapely geometry or None) fills.

    Raises
    ------
    ValueError : no geometry (empty text) or one of the wrong kind (the reason)
    """
    if layer.geometry == "none":
        return {}
    if shape is None or shape.is_empty:
        if layer.ring_optional:
            return {layer.ring_field: ()}
        raise ValueError("")
    if len(getattr(shape, "geoms", ())) == 1:
        shape = shape.geoms[0]
    kind = shape.geom_type
    wanted = {"point": "Point", "line": "LineString", "ring": "Polygon"}.get(layer.geometry)
    if wanted and kind != wanted:
        raise ValueError(f"it is a {kind}, the layer holds {wanted}s")
    if layer.geometry == "point":
        return {"lon": shape.x, "lat": shape.y}
    path = list_positions(shape)
    if layer.geometry == "line":
        return {"path": path}
    if layer.geometry == "ring":
        return {layer.ring_field: path}
    shapes = {"Point": "point", "LineString": "line", "Polygon": "polygon"}
    if kind not in shapes:
        raise ValueError(f"it is a {kind}; give a Point, LineString or Polygon")
    return {"shape": shapes[kind], "path": path}


def list_positions(shape: Any) -> tuple[LonLat, ...]:
    """Return the vertices of a point, a line or the outer ring of a polygon, without heights."""
    outline = shape.exterior if shape.geom_type == "Polygon" else shape
    return tuple((x, y) for x, y in shapely.get_coordinates(outline).tolist())


def make_records(
    layer: Layer, table: Mapping[str, Sequence[Any]], shapes: Sequence[Any] | None, size: int
) -> tuple[tuple[Any, ...], list[Finding]]:
    """Build the records of ``layer`` from columns and shapely shapes, both of length ``size``.

    Rows with a finding give no record: use the records only when there are no findings.
    """
    rows, findings = convert_columns(layer, table, size)
    ids = list_ids(table, size)
    records = []
    for n, row in enumerate(rows):
        try:
            row.update(read_shape(layer, shapes[n] if shapes is not None else None))
        except ValueError as e:
            code = "bad_shape" if str(e) else "no_geometry"
            findings.append(make_finding(layer.name, ids[n], code, **({"why": e} if str(e) else {})))
            continue
        if "side" in row:
            if row["side"] not in tuple(Side):
                words = ", ".join(s.value for s in Side)
                findings.append(
                    make_finding(
                        layer.name, ids[n], "unknown_word", field="side", value=row["side"], words=words
                    )
                )
                continue
            row["side"] = Side(row["side"])
        if not findings:
            records.append(layer.record(**row))
    return tuple(records), findings


def make_table(layer: Layer, records: Sequence[Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the columns of ``records`` as arrays in the file's types (JSON text for curve and props)."""
    table: dict[str, np.ndarray[Any, Any]] = {}
    for column in layer.columns:
        values = [getattr(r, column.name) for r in records]
        if column.kind in ("curve", "props"):
            values = [json.dumps(v, ensure_ascii=False) for v in values]
        elif column.kind == "text":
            values = [str(v) for v in values]
        dtype = {"float": np.float64, "int": np.int64, "bool": np.bool_}.get(column.kind, object)
        table[column.name] = np.array(values, dtype=dtype)
    return table


def make_shapes(layer: Layer, records: Sequence[Any]) -> list[Any]:
    """Return one shapely geometry per record (None where an optional ring is empty).

    Raises
    ------
    ValueError : too few positions for the shape; the text names the record
    """
    shapes = []
    for r in records:
        try:
            shapes.append(_make_shape(layer, r))
        except (ValueError, shapely.errors.GEOSException) as e:
            raise ValueError(f"{layer.name}, {r.id}: {e}") from e
    return shapes


def _make_shape(layer: Layer, record: Any) -> Any:
    if layer.geometry == "point":
        return shapely.Point(record.lon, record.lat)
    if layer.geometry == "line":
        return shapely.LineString(record.path)
    if layer.geometry == "ring":
        ring = getattr(record, layer.ring_field)
        return shapely.Polygon(ring) if ring or not layer.ring_optional else None
    makers = {"point": lambda p: shapely.Point(p[0]), "line": shapely.LineString, "polygon": shapely.Polygon}
    return makers[record.shape](record.path)
