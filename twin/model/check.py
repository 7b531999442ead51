"""Checks of a county: every bad feature by layer, id and reason. Pure; no file is read.

``check_county`` looks at the whole county and never stops at the first fault. Geometry is measured on a
plane around the county's centre, which is exact to about 0.1 % inside a county.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import pairwise
from math import hypot, isfinite
from typing import Any
from zoneinfo import available_timezones

import numpy as np

from twin.model.check_network import check_network
from twin.model.check_points import check_devices, check_points
from twin.model.check_table import PARENT_KIND, RANGES, WORDS, CheckLimits
from twin.model.county import County, Place, Terrain
from twin.model.findings import Finding, make_finding
from twin.model.network import LonLat
from twin.model.plane import Plane


def list_layers(county: County) -> dict[str, Sequence[Any]]:
    """Return the tables of ``county`` by layer name, in the order of the file."""
    n = county.network
    return {
        "places": county.places,
        "buildings": county.buildings,
        "nodes": n.nodes,
        "pipes": n.pipes,
        "valves": n.valves,
        "pumps": n.pumps,
        "sources": n.sources,
        "substations": n.substations,
        "devices": county.devices,
        "points": county.points,
        "features": county.features,
    }


def check_county(county: County, limits: CheckLimits | None = None) -> tuple[Finding, ...]:
    """Return every finding of ``county``, by layer in the order of the file.

    Sources of the ranges: CJJ 34 practice for pipes and stations; the rest are bounds of what is
    physically possible, wide on purpose (a wrong unit is caught, a strange county is not).
    """
    limits = limits or CheckLimits()
    layers = list_layers(county)
    plane = Plane(county.meta.center)
    found = [*_check_meta(county), *_check_terrain(county.terrain)]
    for name, rows in layers.items():
        found += _check_ids(name, rows)
        for row in rows:
            found += _check_values(name, row)
            found += _check_place_on_earth(name, row, plane, limits)
    found += _check_places(county.places)
    found += _check_buildings(county)
    found += check_network(county.network, plane, limits)
    if not any(f.layer == "terrain" for f in found):
        found += _check_heights(county, limits)
    found += _check_substations(county, limits)
    found += check_devices(county)
    found += check_points(county)
    order = {name: i for i, name in enumerate(("county", "terrain", *layers))}
    return tuple(sorted(found, key=lambda f: order.get(f.layer, 99)))


def _check_meta(county: County) -> Iterable[Finding]:
    meta = county.meta
    rows = (
        ("adcode", meta.adcode, bool(meta.adcode.strip()), "the code of the county"),
        ("name", meta.name, bool(meta.name.strip()), "the county's name"),
        ("season_start", meta.season_start, _is_day(meta.season_start), "month-day, e.g. 11-01"),
        ("season_end", meta.season_end, _is_day(meta.season_end), "month-day, e.g. 03-31"),
        ("timezone", meta.timezone, meta.timezone in available_timezones(), "e.g. Asia/Shanghai"),
        ("center", meta.center, _is_on_earth(meta.center), "lon, lat in degrees"),
    )
    for field, value, good, expected in rows:
        if not good:
            yield make_finding("county", meta.adcode, "bad_meta", field=field, value=value, expected=expected)
    yield from _check_values("county", meta, meta.adcode)


def _is_day(text: str) -> bool:
    match = re.fullmatch(r"(\d\d)-(\d\d)", text)
    return match is not None and 1 <= int(match[1]) <= 12 and 1 <= int(match[2]) <= 31


def _is_on_earth(lonlat: LonLat) -> bool:
    lon, lat = lonlat
    return isfinite(lon) and isfinite(lat) and abs(lon) <= 180.0 and abs(lat) < 89.0


def _check_terrain(terrain: Terrain) -> Iterable[Finding]:
    height = terrain.height_m
    if height.ndim != 2 or min(height.shape) < 2:
        yield make_finding("terrain", "", "small_terrain")
        return
    for field in ("lon0", "lat0", "dlon", "dlat"):
        if not isfinite(getattr(terrain, field)):
            yield make_finding("terrain", "", "not_finite", field=field)
    for field in ("dlon", "dlat"):
        if getattr(terrain, field) <= 0:
            yield make_finding("terrain", "", "wrong_order", high=field, low="0")
    low, high, unit = RANGES["terrain", "height_m"]
    for i, j in np.argwhere(~((height >= low) & (height <= high))):
        where, value = f"{i},{j}", float(height[i, j])
        yield make_finding(
            "terrain", where, "out_of_range", field="height_m", value=value, unit=unit, low=low, high=high
        )


def _check_ids(layer: str, rows: Sequence[Any]) -> Iterable[Finding]:
    first: dict[str, int] = {}
    for no, row in enumerate(rows):
        if not row.id.strip():
            yield make_finding(layer, f"row {no}", "no_id")
        elif row.id in first:
            yield make_finding(layer, row.id, "duplicate_id", first=first[row.id], row=no)
        else:
            first[row.id] = no


def _check_values(layer: str, row: Any, row_id: str | None = None) -> Iterable[Finding]:
    row_id = row.id if row_id is None else row_id
    for name in _FIELD_NAMES.setdefault(type(row), tuple(f.name for f in fields(row))):
        value = getattr(row, name)
        if isinstance(value, str):
            yield from _check_text(layer, row_id, name, value)
        elif isinstance(value, float) and not isfinite(value):
            yield make_finding(layer, row_id, "not_finite", field=name)
        elif (layer, name) in RANGES:
            low, high, unit = RANGES[layer, name]
            if not low <= value <= high:
                yield make_finding(
                    layer, row_id, "out_of_range", field=name, value=value, unit=unit, low=low, high=high
                )
        elif isinstance(value, dict):
            yield from _check_props(layer, row_id, value)


_FIELD_NAMES: dict[type, tuple[str, ...]] = {}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def _check_text(layer: str, row_id: str, name: str, value: str) -> Iterable[Finding]:
    if _CONTROL.search(value):
        yield make_finding(layer, _CONTROL.sub("?", row_id), "bad_text", field=name)
    words = WORDS.get((layer, name))
    if words and value not in words:
        yield make_finding(layer, row_id, "unknown_word", field=name, value=value, words=", ".join(words))


def _check_props(layer: str, row_id: str, props: dict[str, Any]) -> Iterable[Finding]:
    for key, value in props.items():
        if _CONTROL.search(key) or (isinstance(value, str) and _CONTROL.search(value)):
            yield make_finding(layer, row_id, "bad_text", field=f"props.{_CONTROL.sub('?', key)}")
        elif isinstance(value, float) and not isfinite(value):
            yield make_finding(layer, row_id, "not_finite", field=f"props.{key}")


def _check_place_on_earth(layer: str, row: Any, plane: Plane, limits: CheckLimits) -> Iterable[Finding]:
    """Shape and position of one feature: finite, closed where a ring, inside the county's circle."""
    ring = getattr(row, "footprint", None) if layer == "buildings" else getattr(row, "boundary", None)
    path = ring if ring is not None else getattr(row, "path", None)
    positions = list(path or ())
    if hasattr(row, "lon"):
        positions.append((row.lon, row.lat))
    if not positions:
        if layer in ("buildings", "pipes", "features"):
            yield make_finding(layer, row.id, "no_geometry")
        return
    if not all(isfinite(c) for p in positions for c in p):
        if path:
            yield make_finding(layer, row.id, "not_finite", field="position")
        return
    if not _is_on_earth(plane.center):
        return
    far_m = max(hypot(*plane.to_xy(p)) for p in positions)
    if far_m > limits.county_km * 1000.0:
        yield make_finding(layer, row.id, "far_away", km=round(far_m / 1000.0))
    yield from _check_shape(layer, row, tuple(path or ()), ring is not None)


def _check_shape(layer: str, row: Any, path: tuple[LonLat, ...], is_ring: bool) -> Iterable[Finding]:
    if not path:
        return
    shape = "polygon" if is_ring else getattr(row, "shape", "line")
    if shape == "polygon":
        if len(set(path)) < 3:
            yield make_finding(layer, row.id, "bad_shape", why="a ring needs three corners or more")
        elif path[0] != path[-1]:
            yield make_finding(layer, row.id, "ring_open")
    elif shape == "line" and len(path) < 2:
        yield make_finding(layer, row.id, "bad_shape", why="a line needs two positions or more")
    elif shape == "point" and len(path) != 1:
        yield make_finding(layer, row.id, "bad_shape", why="a point has one position")


def _check_places(places: Sequence[Place]) -> Iterable[Finding]:
    by_id = {p.id: p for p in places}
    roots = sum(p.kind == "county" for p in places)
    if roots != 1:
        yield make_finding("places", "", "no_root", count=roots)
    for place in places:
        expected = PARENT_KIND.get(place.kind)
        parent = by_id.get(place.parent_id)
        if expected is None:
            if place.kind == "county" and place.parent_id:
                yield make_finding("places", place.id, "unknown_parent", parent=place.parent_id)
        elif parent is None:
            yield make_finding("places", place.id, "unknown_parent", parent=place.parent_id or "-")
        elif parent.kind != expected:
            yield make_finding(
                "places", place.id, "wrong_parent", kind=place.kind, expected=expected, found=parent.kind
            )
        seen, up = {place.id}, parent
        while up is not None and up.id not in seen:
            seen.add(up.id)
            up = by_id.get(up.parent_id)
        if up is not None:
            yield make_finding("places", place.id, "place_cycle")


def _check_buildings(county: County) -> Iterable[Finding]:
    communities = {p.id for p in county.places if p.kind == "community"}
    stations = {s.id for s in county.network.substations}
    for b in county.buildings:
        if b.community_id not in communities:
            yield make_finding("buildings", b.id, "unknown_place", field="community_id", ref=b.community_id)
        if b.heated and not b.substation_id:
            yield make_finding("buildings", b.id, "heated_without_substation")
        if b.substation_id and b.substation_id not in stations:
            yield make_finding("buildings", b.id, "unknown_substation", ref=b.substation_id)


def _check_heights(county: County, limits: CheckLimits) -> Iterable[Finding]:
    nodes = [n for n in county.network.nodes if isfinite(n.lon) and isfinite(n.lat)]
    if not nodes:
        return
    lon, lat = np.array([n.lon for n in nodes]), np.array([n.lat for n in nodes])
    for node, ground in zip(nodes, county.terrain.height_at(lon, lat), strict=True):
        if abs(node.elevation_m - ground) > limits.height_m:
            yield make_finding(
                "nodes", node.id, "height_differs", given=node.elevation_m, ground=round(float(ground), 1)
            )


def _check_substations(county: County, limits: CheckLimits) -> Iterable[Finding]:
    communities = {p.id for p in county.places if p.kind == "community"}
    area: dict[str, float] = {}
    for b in county.buildings:
        if b.heated:
            area[b.substation_id] = area.get(b.substation_id, 0.0) + b.area_m2
    for s in county.network.substations:
        if s.community_id not in communities:
            yield make_finding("substations", s.id, "unknown_place", field="community_id", ref=s.community_id)
        if not s.t_secondary_supply_c > s.t_secondary_return_c:
            yield make_finding(
                "substations", s.id, "wrong_order", high="t_secondary_supply_c", low="t_secondary_return_c"
            )
        if not _is_curve(s.curve):
            yield make_finding("substations", s.id, "bad_curve")
        total = area.get(s.id, 0.0)
        if total == 0.0:
            yield make_finding("substations", s.id, "no_buildings")
        elif abs(total - s.area_m2) > limits.area_ratio * max(total, s.area_m2):
            yield make_finding("substations", s.id, "area_differs", given=s.area_m2, sum=total)


def _is_curve(curve: tuple[tuple[float, float], ...]) -> bool:
    if len(curve) < 2 or not all(isfinite(v) for pair in curve for v in pair):
        return False
    return all(a[0] < b[0] and a[1] >= b[1] for a, b in pairwise(curve))


__all__ = ["CheckLimits", "check_county", "list_layers"]
