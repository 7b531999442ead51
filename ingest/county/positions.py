"""Bring every source into WGS 84, and say what was assumed.

A source may declare its coordinates (``crs`` in the mapping), a file may carry them, or neither. Map
services hand out GCJ-02 or BD-09 that calls itself WGS 84; such a source is found out when its features
meet those of a source that can be trusted (declared, or projected), or a control point, only after the
shift is taken off.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyproj
import shapely
from pyproj.exceptions import CRSError
from scipy.spatial import cKDTree

from ingest.county.mapping import ControlPoint
from ingest.county.offsets import Floats, bd09_to_wgs84, gcj02_to_wgs84
from ingest.county.report import Note
from ingest.county.schema import LAYERS
from ingest.county.tables import SourceTable
from twin.model.findings import Finding, make_finding
from twin.model.plane import Plane

_WGS84 = pyproj.CRS.from_epsg(4326)
_SHIFTED: dict[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    "GCJ-02": gcj02_to_wgs84,
    "BD-09": bd09_to_wgs84,
}
_ALIASES = {
    "GCJ02": "GCJ-02",
    "BD09": "BD-09",
    "WGS84": "EPSG:4326",
    "WGS-84": "EPSG:4326",
    "CGCS2000": "EPSG:4490",
}
# Names of datums that are WGS 84 within a metre.
_SAME_DATUMS = ("China 2000", "WGS", "World Geodetic System 1984")
# A shift is believed when it mends the gap by this factor and the gap was at least so many metres.
_MEND_FACTOR, _LEAST_GAP_M, _LEAST_COUNT = 3.0, 15.0, 3


def is_spatial(target: str) -> bool:
    """True when features of the layer have a position."""
    return target not in LAYERS or LAYERS[target].geometry != "none"


def bring_to_wgs84(
    sources: Sequence[SourceTable], controls: Sequence[ControlPoint], plane: Plane
) -> tuple[list[Finding], list[Note]]:
    """Change the shapes of ``sources`` in place to WGS 84 lon/lat.

    Returns
    -------
    findings, notes : what could not be placed or is doubtful, and what was assumed
    """
    findings: list[Finding] = []
    notes: list[Note] = []
    trusted: list[SourceTable] = []
    suspects: list[tuple[SourceTable, str]] = []
    for source in sources:
        if not is_spatial(source.source.target):
            continue
        name, crs, fault = _choose_crs(source)
        if fault is not None:
            findings.append(fault)
            continue
        if crs is None:
            _move(source, _SHIFTED[name])
        else:
            findings += _transform(source, crs, name)
        declared = bool(source.source.crs)
        notes.append(_say(source, "crs_declared" if declared else "crs_of_file", name))
        if declared or (crs is not None and not crs.is_geographic):
            trusted.append(source)
        else:
            suspects.append((source, name))
    for source, name in suspects:
        findings += _unmask(source, name, trusted, controls, plane)
    return findings, notes


def _choose_crs(source: SourceTable) -> tuple[str, pyproj.CRS | None, Finding | None]:
    """Return (name, CRS or None for a shifted system, fault)."""
    rule = source.source
    wanted = _ALIASES.get(rule.crs.upper().replace(" ", ""), rule.crs)
    if wanted.upper() in _SHIFTED:
        return wanted.upper(), None, None
    try:
        crs = pyproj.CRS.from_user_input(wanted) if wanted else source.crs
    except CRSError:
        why = f"crs = {rule.crs!r} is not a coordinate system; write e.g. EPSG:4544, CGCS2000 or GCJ-02"
        return wanted, None, make_finding(rule.target, "", "unreadable", why=why)
    if crs is None:
        hint = _guess_zone(source.table.shapes)
        return "", None, make_finding(rule.target, "", "no_crs", file=rule.file.name, hint=hint)
    crs = pyproj.CRS.from_user_input(crs)
    epsg = crs.to_epsg()
    return (f"EPSG:{epsg}" if epsg else crs.name), crs, None


def _guess_zone(shapes: Sequence[Any]) -> str:
    """Say which Gauss-Krüger zone eastings of seven or eight digits look like, as a hint."""
    coords = shapely.get_coordinates([s for s in shapes if s is not None])
    if not len(coords):
        return ""
    east = float(np.median(coords[:, 0]))
    if 25.0e6 <= east < 46.0e6:
        zone = int(east // 1e6)
        return f' (it looks like CGCS2000 3-degree zone {zone}: "EPSG:{4488 + zone}")'
    if 13.0e6 <= east < 24.0e6:
        zone = int(east // 1e6)
        return f' (it looks like CGCS2000 6-degree zone {zone}: "EPSG:{4478 + zone}")'
    if abs(east) <= 180.0:
        return ' (it looks like degrees: "EPSG:4326", "CGCS2000" or "GCJ-02")'
    return ""


def _transform(source: SourceTable, crs: pyproj.CRS, name: str) -> list[Finding]:
    if crs == _WGS84:
        source.table.shapes = [None if s is None else shapely.force_2d(s) for s in source.table.shapes]
        return []
    transformer = pyproj.Transformer.from_crs(crs, _WGS84, always_xy=True)
    _move(source, transformer.transform)
    datum = crs.geodetic_crs.datum.name if crs.geodetic_crs and crs.geodetic_crs.datum else ""
    if any(word in datum.replace("_", " ") for word in _SAME_DATUMS):
        return []
    metres = f"{transformer.accuracy:g}" if transformer.accuracy > 0.0 else "100"
    return [make_finding(source.source.target, "", "rough_transform", crs=name, metres=metres)]


def _move(source: SourceTable, change: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> None:
    source.table.shapes = _moved(source.table.shapes, change)


def _moved(shapes: Sequence[Any], change: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> list[Any]:
    def move(coords: Any) -> Any:
        x, y = change(coords[:, 0], coords[:, 1])
        return np.column_stack([x, y])

    array = np.empty(len(shapes), dtype=object)
    array[:] = list(shapes)
    return list(shapely.transform(array, move))


def _say(source: SourceTable, code: str, name: str) -> Note:
    values = {"file": source.source.file.name, "crs": name, "encoding": source.encoding or "-"}
    return Note(source.source.target, code, tuple(values.items()))


def _unmask(
    source: SourceTable,
    name: str,
    trusted: Sequence[SourceTable],
    controls: Sequence[ControlPoint],
    plane: Plane,
) -> list[Finding]:
    """Decide whether a source that calls itself ``name`` is shifted, and mend it if so."""
    target = source.source.target
    if all(s is None for s in source.table.shapes):
        return []
    gap = _choose_gap(source, trusted, controls, plane)
    if gap is None:
        return [make_finding(target, "", "unsure_position", file=source.source.file.name, crs=name)]
    own = gap(source.table.shapes)
    best, mended = "", own
    for shift, change in _SHIFTED.items():
        after = gap(_moved(source.table.shapes, change))
        if after < mended:
            best, mended = shift, after
    if best and own > _LEAST_GAP_M and own > _MEND_FACTOR * mended:
        _move(source, _SHIFTED[best])
        return [
            make_finding(target, "", "shifted_position", crs=best, own=round(own, 1), mended=round(mended, 1))
        ]
    return []


def _choose_gap(
    source: SourceTable, trusted: Sequence[SourceTable], controls: Sequence[ControlPoint], plane: Plane
) -> Callable[[Sequence[Any]], float] | None:
    """Return a function: metres between shapes and where they belong; None where nothing tells."""
    table, target = source.table, source.source.target
    rows = {str(table.id_at(n)): n for n in range(table.size) if table.shapes[n] is not None}
    known = [(rows[c.id], c.lonlat) for c in controls if c.layer == target and c.id in rows]
    if known:

        def measure_controls(shapes: Sequence[Any]) -> float:
            gaps = []
            for n, true in known:
                at = shapely.get_coordinates(shapely.point_on_surface(shapes[n]))[0]
                gaps.append(np.hypot(*np.subtract(plane.to_xy((at[0], at[1])), plane.to_xy(true))))
            return float(np.median(gaps))

        return measure_controls
    meets = _MEETS.get(target, ())
    others = [s for t in trusted if t.source.target in meets for s in t.table.shapes if s is not None]
    if not others or sum(s is not None for s in table.shapes) < _LEAST_COUNT:
        return None
    tree = cKDTree(_list_ends(shapely.segmentize(others, _STEP_DEG), plane))

    def measure_ends(shapes: Sequence[Any]) -> float:
        """Median distance from the points (stations, valves, ...) to the nearest pipe, or the reverse."""
        ends = _list_ends([s for s in shapes if s is not None], plane)
        if target == "pipes":
            return float(np.median(cKDTree(ends).query(tree.data)[0]))
        return float(np.median(tree.query(ends)[0]))

    return measure_ends


# Lines are measured at steps of so many degrees (about 10 m).
_STEP_DEG = 1.0e-4

# which layers' ends or points a layer's features must meet
_MEETS = {
    "pipes": ("nodes", "sources", "substations"),
    "nodes": ("pipes",),
    "sources": ("pipes", "nodes"),
    "substations": ("pipes", "nodes"),
    "valves": ("pipes",),
}


def _list_ends(shapes: Sequence[Any], plane: Plane) -> Any:
    """Vertices of all shapes on the plane, in metres, shape (n, 2)."""
    coords = shapely.get_coordinates(list(shapes))
    return (coords - np.array(plane.center)) * np.array([plane.east_m_deg, plane.north_m_deg])
