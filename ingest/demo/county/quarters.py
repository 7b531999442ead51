"""Grown quarters: the old town, villages inside the town and in the county. Land is halved again and again,
the first cuts stay open as lanes, and a gentle warp bends the lanes; every parcel gets its courtyard."""

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Polygon, box

from ingest.demo.county.blocks import Filling, House, ring_of
from ingest.demo.county.land import noise

Floats = NDArray[np.float64]
LANE_GAPS_M = (6.5, 4.5, 3.6, 2.6)


def fill_grown(
    area: Polygon, number: int, rng: np.random.Generator, *, parcel_m2: float, keep: float, use: str,
    floors: tuple[int, ...], years: tuple[int, int],
) -> Filling:  # fmt: skip
    """Courtyard houses on winding lanes all over ``area``."""
    out = Filling()
    parcels: list[Polygon] = []
    cuts: list[LineString] = []
    _split(area, 0, parcel_m2, rng, parcels, cuts)
    salt = int(rng.integers(1 << 30))
    shapes = [s for parcel in parcels if rng.random() < keep for s in _courtyard(parcel, rng)]
    lanes = [cut.segmentize(15.0) for cut in cuts]
    bent = _bend([*shapes, *lanes], salt, area.exterior)
    for house in bent[: len(shapes)]:
        if house.is_valid and house.area > 42.0:
            f = int(rng.choice(floors))
            year = int(rng.integers(*years))
            out.houses.append(House(ring_of(house), use, f, 3.1 * f + 1.1, year, False, number))
    out.lanes += [[(float(x), float(y)) for x, y in lane.coords] for lane in bent[len(shapes) :]]
    return out


def _bend(shapes: list[Polygon | LineString], salt: int, edge: LineString) -> list[Polygon | LineString]:
    """Move all corners by one smooth field that dies out at the edge of the quarter."""

    def move(xy: Floats) -> Floats:
        calm = np.clip(np.asarray(shapely.distance(shapely.points(xy), edge)) / 35.0, 0.0, 1.0)
        shift = [12.0 * calm * noise(salt, k, xy[:, 0], xy[:, 1], 85.0) for k in (1, 2)]
        return np.asarray(xy + np.column_stack(shift))

    return list(shapely.transform(shapes, move)) if shapes else []


def _split(
    area: Polygon,
    depth: int,
    aim_m2: float,
    rng: np.random.Generator,
    out: list[Polygon],
    cuts: list[LineString],
) -> None:
    """Halve ``area`` across its long side until the parts are parcels."""
    if area.area < aim_m2 * rng.uniform(0.9, 1.7):
        out.append(area)
        return
    frame = area.minimum_rotated_rectangle
    if frame.geom_type != "Polygon":
        return
    (x0, y0), (x1, y1), (x2, y2), *_ = frame.exterior.coords
    a, b = np.array([x1 - x0, y1 - y0]), np.array([x2 - x1, y2 - y1])
    long, short = (a, b) if np.hypot(*a) >= np.hypot(*b) else (b, a)
    size = float(np.hypot(*long))
    along = long / size
    turn = np.radians(rng.normal(0.0, 3.5 if depth < 5 else 1.5))
    across = np.array(
        [
            -along[1] * np.cos(turn) - along[0] * np.sin(turn),
            along[0] * np.cos(turn) - along[1] * np.sin(turn),
        ]
    )
    middle = np.array(frame.centroid.coords[0]) + along * size * rng.uniform(-0.09, 0.09)
    gap = LANE_GAPS_M[depth] if depth < len(LANE_GAPS_M) and area.area > 3.2 * aim_m2 else 0.7
    far = 2.0 * float(np.hypot(*long) + np.hypot(*short))
    for sign in (-1.0, 1.0):
        near = middle + along * sign * gap / 2
        half = Polygon(
            [
                near - across * far,
                near + across * far,
                near + across * far + along * sign * far,
                near - across * far + along * sign * far,
            ]
        )
        part = area.intersection(half)
        for piece in part.geoms if isinstance(part, MultiPolygon) else [part]:
            if piece.geom_type == "Polygon" and piece.area > 60.0:
                _split(piece, depth + 1, aim_m2, rng, out, cuts)
    if gap > 2.0:
        line = LineString([middle - across * far, middle + across * far]).intersection(area)
        if line.geom_type == "LineString" and line.length > 20.0:
            cuts.append(line)


def _courtyard(parcel: Polygon, rng: np.random.Generator) -> list[Polygon]:
    """Main house along the north, wings down one or two sides, all inside the parcel."""
    frame = parcel.minimum_rotated_rectangle
    if frame.geom_type != "Polygon":
        return []
    c = list(frame.exterior.coords)
    angle = float(np.degrees(np.arctan2(c[1][1] - c[0][1], c[1][0] - c[0][0])))
    angle = (angle + 45.0) % 90.0 - 45.0
    level = affinity.rotate(frame, -angle, origin=frame.centroid)
    x0, y0, x1, y1 = level.bounds
    x0, y0, x1, y1 = x0 + 0.6, y0 + 0.6, x1 - 0.6, y1 - 0.6
    deep = min(float(rng.uniform(6.0, 7.6)), y1 - y0)
    shape: Polygon = box(x0, y1 - deep, x1, y1)
    if y1 - y0 > 11.0 and x1 - x0 > 12.0:
        form = rng.random()
        wing = float(rng.uniform(4.2, 5.2))
        low = y0 + (y1 - y0) * float(rng.uniform(0.0, 0.25))
        if form < 0.72:
            shape = shape.union(box(x0, low, x0 + wing, y1))
        if form > 0.42:
            shape = shape.union(box(x1 - wing, low, x1, y1))
    turned = affinity.rotate(shape, angle, origin=frame.centroid)
    inside = turned.intersection(parcel.buffer(-0.5))
    return [inside] if inside.geom_type == "Polygon" and inside.area > 42.0 else []
