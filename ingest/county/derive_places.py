"""Fill what a survey leaves out of places, terrain and heights."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import shapely
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
from scipy.spatial import QhullError

from ingest.county.mapping import ImportOptions
from ingest.county.report import Note, make_note
from ingest.county.tables import ImportTable
from twin.model.county import CountyMeta, Terrain
from twin.model.findings import Finding, make_finding
from twin.model.plane import Plane

Tables = dict[str, ImportTable]

_TRENCH_M = 1.5
_MARGIN_M = 500.0
_LARGEST_GRID = 400


def derive_places(tables: Tables, meta: CountyMeta) -> list[Note]:
    """Complete the tree of places (one county, a township and a community) and name them, in place."""
    places, added = tables["places"], 0
    kinds = [str(k) for k in places.column("kind")]
    root = meta.adcode
    if "county" in kinds:
        root = places.id_at(kinds.index("county"))
    else:
        _add_place(places, meta, root, "county", meta.name, None)
        added += 1
    needs = tables["buildings"].size or tables["substations"].size
    if needs and "community" not in kinds:
        town = places.id_at(kinds.index("township")) if "township" in kinds else f"{root}-T"
        if "township" not in kinds:
            _add_place(places, meta, town, "township", f"{meta.name}城区", root)
            added += 1
        _add_place(places, meta, f"{root}-C", "community", "未分区", town)
        added += 1
    for field, at in (("lon", 0), ("lat", 1)):
        places.fill(field, partial(_label_at, places, at))
    places.fill("parent_id", lambda n: root if places.column("kind")[n] == "township" else None)
    notes = [make_note("places", "places_made", count=added)] if added else []
    return notes + _assign_communities(tables)


def _add_place(
    places: ImportTable, meta: CountyMeta, place_id: str, kind: str, name: str, parent: str | None
) -> None:
    row = {"id": place_id, "kind": kind, "name": name, "name_en": None, "parent_id": parent}
    if kind == "county":
        row["name_en"] = meta.name_en
    for column in (*row, "lon", "lat"):
        places.column(column)
    for column, cells in places.cells.items():
        position = {"lon": meta.center[0], "lat": meta.center[1]}
        cells.append(row.get(column, position.get(column)))
    places.shapes.append(None)
    places.size += 1


def _label_at(places: ImportTable, axis: int, row: int) -> float | None:
    shape = places.shapes[row]
    if shape is None or shape.is_empty:
        return None
    return float(shapely.get_coordinates(shapely.point_on_surface(shape))[0, axis])


def _assign_communities(tables: Tables) -> list[Note]:
    """Give buildings and substations without a community the one around them, else the nearest label."""
    places = tables["places"]
    rows = [n for n in range(places.size) if places.column("kind")[n] == "community"]
    notes: list[Note] = []
    if not rows:
        return notes
    labels = np.array([[_or_nan(places, "lon", n), _or_nan(places, "lat", n)] for n in rows])

    def find(table: ImportTable, row: int) -> str | None:
        shape = table.shapes[row]
        if shape is None or shape.is_empty:
            return None
        at = shapely.point_on_surface(shape)
        for n in rows:
            around = places.shapes[n]
            if around is not None and shapely.contains(around, at):
                return places.id_at(n)
        gaps = np.hypot(*(labels - shapely.get_coordinates(at)[0]).T)
        return places.id_at(rows[int(np.nanargmin(gaps))]) if np.isfinite(gaps).any() else None

    for target in ("buildings", "substations"):
        table = tables[target]
        count = table.fill("community_id", partial(find, table))
        if count:
            notes.append(make_note(target, "derived", column="community_id", count=count, how="nearest"))
    return notes


def _or_nan(table: ImportTable, column: str, row: int) -> float:
    try:
        return float(table.column(column)[row])
    except (TypeError, ValueError):
        return float("nan")


def make_terrain(
    tables: Tables, heights: ImportTable | None, options: ImportOptions, plane: Plane
) -> tuple[Terrain, list[Finding], list[Note]]:
    """Grid the given heights over everything drawn; flat at the mean node elevation where there are none."""
    box = _find_box(tables, plane)
    step = max(options.terrain_step_m, max(box[2] - box[0], box[3] - box[1]) / _LARGEST_GRID)
    x = np.arange(box[0], box[2] + step, step)
    y = np.arange(box[1], box[3] + step, step)
    lon0 = plane.center[0] + float(x[0]) / plane.east_m_deg
    lat0 = plane.center[1] + float(y[0]) / plane.north_m_deg
    grid = (lon0, lat0, step / plane.east_m_deg, step / plane.north_m_deg)
    if heights is None or not heights.size:
        known = [
            v
            for n in range(tables["nodes"].size)
            if np.isfinite(v := _or_nan(tables["nodes"], "elevation_m", n))
        ]
        flat = np.full((len(y), len(x)), float(np.mean(known)) + _TRENCH_M if known else 0.0)
        found = [] if known or not tables["nodes"].size else [make_finding("terrain", "", "no_heights")]
        return (
            Terrain(*grid, flat),
            found,
            [make_note("terrain", "terrain_flat", height=round(flat[0, 0], 1))],
        )
    xy, z, findings = _list_heights(heights, plane)
    if findings:
        return Terrain(*grid, np.zeros((len(y), len(x)))), findings, []
    surface = _interpolate(xy, z, *np.meshgrid(x, y))
    return (
        Terrain(*grid, surface),
        [],
        [make_note("terrain", "terrain_made", count=len(z), step=round(step, 1))],
    )


def _find_box(tables: Tables, plane: Plane) -> tuple[float, float, float, float]:
    shapes = [s for name in ("buildings", "nodes", "pipes") for s in tables[name].shapes if s is not None]
    coords = shapely.get_coordinates(shapes) if shapes else np.empty((0, 2))
    xy = (coords - np.array(plane.center)) * np.array([plane.east_m_deg, plane.north_m_deg])
    xy = xy[np.isfinite(xy).all(axis=1) & (np.abs(xy) < 3.0e5).all(axis=1)]
    if not len(xy):
        xy = np.zeros((1, 2))
    (x0, y0), (x1, y1) = xy.min(axis=0) - _MARGIN_M, xy.max(axis=0) + _MARGIN_M
    return float(x0), float(y0), float(x1), float(y1)


def _list_heights(heights: ImportTable, plane: Plane) -> tuple[Any, Any, list[Finding]]:
    xy, z, findings = [], [], []
    for n, shape in enumerate(heights.shapes):
        height = _or_nan(heights, "height_m", n)
        if shape is None or shape.is_empty:
            findings.append(make_finding("terrain", heights.id_at(n), "no_geometry"))
        elif not np.isfinite(height):
            findings.append(make_finding("terrain", heights.id_at(n), "not_finite", field="height_m"))
        else:
            for lonlat in shapely.get_coordinates(shape).tolist():
                xy.append(plane.to_xy((lonlat[0], lonlat[1])))
                z.append(height)
    return np.array(xy), np.array(z), findings


def _interpolate(xy: Any, z: Any, gx: Any, gy: Any) -> Any:
    nearest = NearestNDInterpolator(xy, z)(gx, gy)
    if len(z) < 4:
        return nearest
    try:
        linear = LinearNDInterpolator(xy, z)(gx, gy)
    except QhullError:
        return nearest
    return np.where(np.isfinite(linear), linear, nearest)


def derive_heights(tables: Tables, terrain: Terrain) -> list[Note]:
    """Give nodes and buildings without a height the ground's, in place."""
    notes = []
    for target, column, below in (("nodes", "elevation_m", _TRENCH_M), ("buildings", "ground_m", 0.0)):
        table = tables[target]
        count = table.fill(column, partial(_height_under, terrain, table, below))
        if count:
            notes.append(make_note(target, "derived", column=column, count=count, how="terrain"))
    return notes


def _height_under(terrain: Terrain, table: ImportTable, below_m: float, row: int) -> float | None:
    shape = table.shapes[row]
    if shape is None or shape.is_empty:
        return None
    at: Sequence[float] = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
    if not np.isfinite(at).all():
        return None
    return float(terrain.height_at(np.array([at[0]]), np.array([at[1]]))[0]) - below_m
