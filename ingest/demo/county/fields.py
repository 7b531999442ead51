"""Ground outside the town: fields along the valley, orchards, greenhouses, terraces and woods on the hills."""

from collections.abc import Callable

import numpy as np
from shapely import voronoi_polygons
from shapely.geometry import LineString, MultiPoint, MultiPolygon, Polygon, box
from shapely.ops import unary_union
from shapely.prepared import prep

from ingest.demo.county.land import EAST, NORTH, SOUTH, WEST, Land, axis_y, half_width, noise
from ingest.demo.county.streets import Point

Ground = Callable[[str, str, Polygon], None]
"""Takes use, name and shape."""
FIELD_M2 = 20_000.0
GREENHOUSES = ((3250.0, 4150.0), (-6300.0, -5750.0), (-3900.0, -3300.0))
"""Where along the valley (m) greenhouses stand together."""


def lay_fields(land: Land, taken: Polygon, add: Ground, rng: np.random.Generator) -> None:
    """The valley floor outside ``taken``, halved into parcels that follow the river."""
    floor = _floor()
    cuts = np.arange(WEST, EAST + 1.0, 600.0) + rng.uniform(-60, 60, 31)
    lean = rng.uniform(-220, 220, len(cuts))
    for k in range(len(cuts) - 1):
        a, b, c, d = (
            cuts[k] - lean[k],
            cuts[k + 1] - lean[k + 1],
            cuts[k + 1] + lean[k + 1],
            cuts[k] + lean[k],
        )
        strip = Polygon([(a, SOUTH), (b, SOUTH), (c, NORTH), (d, NORTH)])
        part = floor.intersection(strip).difference(taken)
        for piece in part.geoms if isinstance(part, MultiPolygon) else [part]:
            if piece.geom_type == "Polygon" and piece.area > 1500.0:
                _halve(piece, add, rng)


def _floor() -> Polygon:
    x = np.linspace(WEST, EAST, 160)
    top = np.column_stack([x, axis_y(x) + half_width(x, True) - 15.0])
    bottom = np.column_stack([x, axis_y(x) - half_width(x, False) + 45.0])
    return Polygon(np.concatenate([bottom, top[::-1]]))


def _halve(area: Polygon, add: Ground, rng: np.random.Generator) -> None:
    if area.area < FIELD_M2 * rng.uniform(0.55, 1.9):
        shape = area.buffer(-2.2, join_style="mitre").simplify(1.5)
        shape = max(shape.geoms, key=lambda g: g.area) if isinstance(shape, MultiPolygon) else shape
        if shape.geom_type == "Polygon" and shape.area > 700.0:
            use, name = _crop(shape, rng)
            add(use, name, Polygon(shape.exterior))
        return
    frame = area.minimum_rotated_rectangle
    (x0, y0), (x1, y1), (x2, y2), *_ = frame.exterior.coords
    a, b = np.array([x1 - x0, y1 - y0]), np.array([x2 - x1, y2 - y1])
    long = a if np.hypot(*a) * rng.uniform(0.62, 1.6) >= np.hypot(*b) else b
    size = float(np.hypot(*long))
    along = long / size
    turn = rng.normal(0.0, 0.10)
    across = np.array([-along[1] + turn * along[0], along[0] + turn * along[1]])
    middle = np.array(frame.centroid.coords[0]) + along * size * rng.uniform(-0.14, 0.14)
    far = 3000.0
    for sign in (-1.0, 1.0):
        p, q = middle - across * far, middle + across * far
        half = Polygon([p, q, q + sign * along * far, p + sign * along * far])
        part = area.intersection(half)
        for piece in part.geoms if isinstance(part, MultiPolygon) else [part]:
            if piece.geom_type == "Polygon" and piece.area > 1200.0:
                _halve(piece, add, rng)


def _crop(shape: Polygon, rng: np.random.Generator) -> tuple[str, str]:
    x, y = shape.centroid.x, shape.centroid.y
    north = y > float(axis_y(x))
    if north and any(a < x < b for a, b in GREENHOUSES) and rng.random() < 0.8:
        return "greenhouse", "日光温室"
    near_hills = float(half_width(x, north)) - abs(y - float(axis_y(x))) < 330.0
    if rng.random() < (0.42 if near_hills else 0.10):
        return "orchard", "果园"
    return "field", "农田"


def lay_slopes(land: Land, taken: Polygon, add: Ground, rng: np.random.Generator) -> None:
    """Hills: terraces where the slope is gentle, woods on steep northern faces, the rest left bare."""
    floor = prep(_floor().buffer(25.0))
    busy = prep(taken)
    spots: list[Point] = []
    for y in np.arange(SOUTH + 150.0, NORTH - 100.0, 300.0):
        for x in np.arange(WEST + 150.0, EAST - 100.0, 330.0):
            spots.append((float(x + rng.uniform(-130, 130)), float(y + rng.uniform(-120, 120))))
    whole = box(WEST + 60, SOUTH + 60, EAST - 60, NORTH - 60)
    xy = np.array(spots)
    steep = land.slope(xy[:, 0], xy[:, 1])
    north_face = land.height(xy[:, 0], xy[:, 1] - 60.0) > land.height(xy[:, 0], xy[:, 1] + 60.0)
    fertile = noise(land.seed, 31, xy[:, 0], xy[:, 1], 1300.0)
    terrace = (steep < 0.27) & (fertile > -0.25)
    wood = ~terrace & north_face & (steep > 0.22) & (fertile < 0.35)
    cells = np.array(voronoi_polygons(MultiPoint(spots), extend_to=whole, ordered=True).geoms)
    clear = ~np.array([floor.intersects(c) or busy.intersects(c) for c in cells])
    for use, name, pick in (("terrace", "梯田", terrace), ("wood", "林地", wood)):
        merged = unary_union(cells[pick & clear]).intersection(whole)
        soft = merged.buffer(-62.0, quad_segs=4).buffer(96.0, quad_segs=4).buffer(-46.0, quad_segs=4)
        for part in getattr(soft, "geoms", [soft]):
            if part.area > 12_000.0:
                add(use, name, Polygon(part.exterior).simplify(5.0))


def tree_rows(streets: list[tuple[str, float, list[Point]]], river: list[list[Point]]) -> list[list[Point]]:
    """Lines of trees along both sides of wide streets and along the river."""
    out: list[list[Point]] = []
    for kind, width, line in streets:
        if kind not in ("main", "secondary", "county"):
            continue
        for side in (-1, 1):
            row = LineString(line).offset_curve(side * (width / 2 + 3.5))
            for part in getattr(row, "geoms", [row]):
                if part.length > 40.0:
                    out.append([(float(x), float(y)) for x, y in part.simplify(1.0).coords])
    return [*out, *river]
