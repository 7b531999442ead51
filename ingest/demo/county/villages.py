"""Villages: where they lie, their shape along a lane, the road that leads there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from shapely.geometry import LineString, Polygon
from shapely.geometry import Point as Dot

from ingest.demo.county import names
from ingest.demo.county.blocks import Filling
from ingest.demo.county.land import EAST, MAIN_STEPS, NORTH, SOUTH, STEP_M, WEST, Land, axis_y, half_width
from ingest.demo.county.quarters import fill_grown
from ingest.demo.county.streets import Point, Street, make_street, south_road_y

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Village:
    """One village: ``kind`` as in ``names.VILLAGES``."""

    number: int
    name: str
    township: int
    kind: str
    centre: Point
    area: Polygon


def make_villages(land: Land, blocked: Polygon, rng: np.random.Generator) -> list[Village]:
    """All villages of ``names.VILLAGES``, kept off ``blocked`` ground."""
    out: list[Village] = []
    calm = _calm_hills(land)
    for n, (zh, _, township, kind, x) in enumerate(names.VILLAGES):
        at = _place(land, kind, x, calm, rng)
        for _ in range(14):
            spot = Dot(at)
            if not blocked.intersects(spot.buffer(130.0)) and all(spot.distance(v.area) > 240.0 for v in out):
                break
            at = _place(land, kind, x + rng.uniform(-450, 450), calm, rng)
        area = _outline(land, at, kind, rng).difference(blocked.buffer(14.0))
        if area.geom_type == "MultiPolygon":
            area = max(area.geoms, key=lambda g: g.area)
        out.append(Village(n, zh, township, kind, at, area))
    return out


def _calm_hills(land: Land) -> Floats:
    """How steep the surroundings of each node are; infinite in the valley and at the edge of the county."""
    gy, gx = np.gradient(land.height_m, STEP_M)
    steep = ndimage.uniform_filter(np.hypot(gx, gy), 5)
    n_y, n_x = steep.shape
    x, y = np.meshgrid(WEST + STEP_M * np.arange(n_x), SOUTH + STEP_M * np.arange(n_y))
    across = y - axis_y(x)
    half = np.where(across > 0, half_width(x, True), half_width(x, False))
    off = (np.abs(across) < half + 500.0) | (np.abs(across) > half + 2100.0)
    near_edge = (y < SOUTH + 800) | (y > NORTH - 800)
    return np.asarray(np.where(off | near_edge, np.inf, steep))


def _place(land: Land, kind: str, x: float, calm: Floats, rng: np.random.Generator) -> Point:
    if kind == "north":
        return x, float(axis_y(x) + rng.uniform(0.36, 0.80) * float(half_width(x, True)))
    if kind == "south":
        return x, float(south_road_y(np.array([x]))[0] + rng.uniform(40, 70))
    if kind == "gully":
        mouths = [g for g in land.gullies if len(g) > MAIN_STEPS]
        bed = min(mouths, key=lambda g: abs(g[0][0] - x))
        p = bed[int(rng.integers(9, 13))]
        return p[0] + 70.0, p[1]
    if kind == "north_edge":
        return x, float(axis_y(x) + float(half_width(x, True)) - rng.uniform(190, 240))
    cols = np.arange(calm.shape[1]) * STEP_M + WEST
    pick = np.where((np.abs(cols - x) < 700.0)[None, :], calm, np.inf)
    rows = np.arange(calm.shape[0]) * STEP_M + SOUTH
    mid = float(axis_y(x))
    pick = np.where((rows > mid)[:, None] == (kind == "hill"), pick, np.inf)
    best = np.argsort(pick, axis=None)[int(rng.integers(0, 6))]
    i, j = np.unravel_index(best, pick.shape)
    return float(cols[j]), float(rows[i])


def _outline(land: Land, at: Point, kind: str, rng: np.random.Generator) -> Polygon:
    """A lumpy strip along the contour (in the hills) or along the valley."""
    x, y = at
    if kind in ("north", "south", "north_edge"):
        heading = float(np.arctan2(axis_y(x + 100) - axis_y(x - 100), 200.0)) + rng.normal(0, 0.12)
        if kind == "north" and rng.random() < 0.4:
            heading += 1.4
    else:
        dx = float(land.height(x + 90, y) - land.height(x - 90, y))
        dy = float(land.height(x, y + 90) - land.height(x, y - 90))
        heading = float(np.arctan2(dx, -dy))
    long = rng.uniform(150, 235) if "hill" not in kind else rng.uniform(110, 170)
    wide = rng.uniform(62, 92) if kind != "south" else rng.uniform(46, 62)
    t = np.linspace(-1.0, 1.0, 9)
    bend = rng.uniform(-45, 45) * (1 - t * t) + rng.uniform(-16, 16) * np.sin(3 * t)
    px = x + long * t * np.cos(heading) - bend * np.sin(heading)
    py = y + long * t * np.sin(heading) + bend * np.cos(heading)
    parts = [
        Dot(a, b).buffer(wide * rng.uniform(0.62, 1.12), quad_segs=3) for a, b in zip(px, py, strict=True)
    ]
    body = LineString(np.column_stack([px, py])).buffer(0.6 * wide, quad_segs=3)
    for p in parts:
        body = body.union(p)
    return Polygon(body.exterior).simplify(6.0)


def fill_village(v: Village, rng: np.random.Generator) -> Filling:
    """Courtyards and lanes of one village."""
    hill = "hill" in v.kind
    return fill_grown(
        v.area, -1 - v.number, rng, parcel_m2=430.0 if hill else 360.0, keep=0.62 if hill else 0.78,
        use="village", floors=(1, 1, 1, 2), years=(1978, 2020),
    )  # fmt: skip


def village_roads(land: Land, villages: list[Village], roads: list[Street]) -> list[Street]:
    """From each village to the next road; in the hills along the gully and up the slope."""
    out = []
    main = [s.shape for s in roads if s.kind in ("county", "secondary", "main")]
    for v in villages:
        start = Dot(v.centre)
        way = [v.centre]
        if v.kind == "gully" or "hill" in v.kind:
            bed = min(
                (g for g in land.gullies if len(g) > MAIN_STEPS), key=lambda g: LineString(g).distance(start)
            )
            line = LineString(bed)
            foot = line.project(start)
            steps = np.arange(min(foot, line.length), 0.0, -55.0)
            way += [(p.x + 16.0, p.y) for p in (line.interpolate(float(s)) for s in steps)]
        last = Dot(way[-1])
        road = min(main, key=lambda m: m.distance(last))
        on = road.interpolate(road.project(last))
        mid = ((last.x + on.x) / 2 + 0.08 * (on.y - last.y), (last.y + on.y) / 2 - 0.08 * (on.x - last.x))
        line_out = _smooth([*way, mid, (on.x, on.y)])
        out.append(make_street(f"{v.name.removesuffix('村')}路", "village", line_out))
    return out


def _smooth(line: list[Point]) -> list[Point]:
    """Corners cut twice (Chaikin)."""
    p = np.array(line)
    for _ in range(2):
        if len(p) < 3:
            break
        a, b = 0.75 * p[:-1] + 0.25 * p[1:], 0.25 * p[:-1] + 0.75 * p[1:]
        p = np.concatenate([p[:1], np.stack([a, b], axis=1).reshape(-1, 2)[1:-1], p[-1:]])
    keep = LineString(p).simplify(1.5)
    return [(float(x), float(y)) for x, y in keep.coords if WEST < x < EAST]
