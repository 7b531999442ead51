"""The land: a river valley between loess hills cut by gullies, as one grid of heights.

The hills are what branching gullies leave standing: every gully has a bed that climbs away from the valley,
and the ground rises from the nearest bed, steeply at first and rounded on top. Ridges then lie where two
gullies are equally near, and branch as ridges of loess do.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from shapely import affinity, contains_xy
from shapely.geometry import LineString, Polygon
from shapely.ops import unary_union

from ingest.demo.county.waters import River, make_river

Floats = NDArray[np.float64]
Point = tuple[float, float]

WEST, EAST, SOUTH, NORTH = -9_600.0, 8_400.0, -5_700.0, 6_300.0
STEP_M = 75.0
BASE_M = 1702.0
FALL = 0.0013
"""Fall of the valley, m/m eastward."""
SIDE_VALLEY_X = 2_950.0
"""Where the tributary leaves the northern hills; a dam stands in its valley."""
RESERVOIR_AT = 17
"""Place of the dam along the bed, in steps of the bed."""
MAIN_STEPS = 80
"""Gullies with more steps than this reach the valley."""
_MOUTHS_NORTH = (-8700.0, -7250.0, -5900.0, -4400.0, -3050.0, -1700.0, -250.0, 1500.0, SIDE_VALLEY_X, 4250.0, 5500.0, 6800.0, 7900.0)  # fmt: skip
_MOUTHS_SOUTH = (-8900.0, -7600.0, -6200.0, -4800.0, -3500.0, -2300.0, -1000.0, 350.0, 1700.0, 3050.0, 4300.0, 5600.0, 7000.0, 8100.0)  # fmt: skip


def axis_y(x: Floats | float) -> Floats:
    """Axis of the valley floor, m north."""
    x = np.asarray(x, float)
    return 430.0 * np.sin(x / 5200.0 + 0.55) + 130.0 * np.sin(x / 2400.0 + 1.3) - 380.0


def half_width(x: Floats | float, north: bool) -> Floats:
    """Half width of the valley floor, m: a basin at the town, narrows up and down the river."""
    x = np.asarray(x, float)
    if north:
        return 820.0 + 1080.0 * np.exp(-((x / 2700.0) ** 2)) + 150.0 * np.sin(x / 1300.0 + 2.0)
    return 740.0 + 470.0 * np.exp(-(((x - 700.0) / 2300.0) ** 2)) + 110.0 * np.sin(x / 1250.0)


@dataclass(frozen=True, slots=True)
class Land:
    """Shape of the ground of one seed; all in metres."""

    seed: int
    river: River
    gullies: tuple[tuple[Point, ...], ...]
    stream: Floats = field(repr=False)
    reservoir: Polygon = field(repr=False)
    height_m: Floats = field(repr=False)

    def height(self, x: Floats | float, y: Floats | float) -> Floats:
        """Ground height, m above sea level; bilinear between the nodes of the grid."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        at = [(y - SOUTH) / STEP_M, (x - WEST) / STEP_M]
        flat = [np.ravel(a) for a in at]
        z = ndimage.map_coordinates(self.height_m, flat, order=1, mode="nearest")
        return np.asarray(z.reshape(np.shape(x)))

    def slope(self, x: Floats, y: Floats) -> Floats:
        """Steepness (m/m) at the nearest node."""
        gy, gx = np.gradient(self.height_m, STEP_M)
        at = [(y - SOUTH) / STEP_M, (x - WEST) / STEP_M]
        return np.asarray(ndimage.map_coordinates(np.hypot(gx, gy), at, order=0, mode="nearest"))


def make_land(seed: int) -> Land:
    """The land of ``seed``."""
    river = make_river(axis_y, (WEST, EAST), np.random.default_rng((seed, 11)))
    rng = np.random.default_rng((seed, 13))
    gullies = [*_gullies(rng, _MOUTHS_NORTH, 1), *_gullies(rng, _MOUTHS_SOUTH, -1)]
    gullies += _far_gullies(rng, gullies)
    x = np.arange(WEST, EAST + 1.0, STEP_M)
    y = np.arange(SOUTH, NORTH + 1.0, STEP_M)
    height = _heights(seed, river, gullies, *np.meshgrid(x, y))
    north = [g for g in gullies if len(g) > MAIN_STEPS and g[0, 1] > axis_y(g[0, 0])]
    side = min(north, key=lambda g: abs(float(g[0, 0]) - SIDE_VALLEY_X))
    stream = np.column_stack([side[:, 0] - _warp(seed, 3, side), side[:, 1] - _warp(seed, 4, side)])
    dam = RESERVOIR_AT
    lake, depth_m = _lake(stream[dam:], side[dam:, 2])
    level = float(ndimage.map_coordinates(height, _cells(stream[dam : dam + 1]), order=1)[0]) + depth_m
    inside = contains_xy(lake.buffer(40.0), *np.meshgrid(x, y))
    height = np.where(inside, np.minimum(np.maximum(height, level), level + 2.0), height)
    lines = tuple(tuple((float(p[0]), float(p[1])) for p in g) for g in gullies)
    return Land(seed, river, lines, stream[: dam + 1], lake, np.round(height, 2))


def _cells(xy: Floats) -> list[Floats]:
    """Row and column of places in the grid."""
    return [(xy[:, 1] - SOUTH) / STEP_M, (xy[:, 0] - WEST) / STEP_M]


def _warp(seed: int, salt: int, bed: Floats) -> Floats:
    return 55.0 * noise(seed, salt, bed[:, 0], bed[:, 1], 520.0)


def _lake(line: Floats, bed_m: Floats, deep_m: float = 24.0) -> tuple[Polygon, float]:
    """Water behind a dam at the first place of ``line``: as wide as the gully at that height."""
    depth = np.clip(bed_m[0] + deep_m - bed_m, 0.0, deep_m)
    wide = 115.0 * (-np.log(1.0 - depth / 62.0)) ** (1 / 1.35)
    parts = [
        LineString(line[i : i + 2]).buffer(max(wide[i], 4.0)) for i in range(len(line) - 1) if depth[i] > 0
    ]
    dam = LineString(line[:2])
    behind = affinity.translate(dam.buffer(400.0, cap_style="flat"), *(line[0] - line[1]) * 7.9)
    water = unary_union(parts).difference(behind).simplify(3.0)
    if water.geom_type == "MultiPolygon":
        water = max(water.geoms, key=lambda g: g.area)
    return Polygon(water.exterior), deep_m


def noise(seed: int, salt: int, x: Floats, y: Floats, scale_m: float) -> Floats:
    """Smooth noise of the plane in -1..1 with features of about ``scale_m``."""
    lattice = np.random.default_rng((seed, salt)).uniform(-1.0, 1.0, (64, 64))
    at = [np.asarray(y) / scale_m, np.asarray(x) / scale_m]
    return np.asarray(ndimage.map_coordinates(lattice, at, order=3, mode="grid-wrap"))


def _gullies(rng: np.random.Generator, mouths: tuple[float, ...], side: int) -> list[Floats]:
    """Beds (n, 3: x, y, rise above the valley floor): mains off the valley, two orders of branches."""
    out = []
    for mouth in mouths:
        x0 = mouth + rng.uniform(-160, 160)
        y0 = float(axis_y(x0) + side * (half_width(x0, side > 0) + 10.0))
        long = side > 0 and mouth == SIDE_VALLEY_X
        heading = side * np.pi / 2 + rng.normal(0.0, 0.22)
        main = _bed(rng, (x0, y0, 4.0), heading, rng.uniform(4800, 5800), 0.012 if long else 0.02, 0.13)
        out.append(main)
        firsts = _branches(rng, main, 1)
        out += firsts
        for first in firsts:
            out += _branches(rng, first, 2)
    return out


def _far_gullies(rng: np.random.Generator, near: list[Floats]) -> list[Floats]:
    """Gullies of the far hills, where none of the valley's own reaches."""
    out: list[Floats] = []
    tree = cKDTree(np.concatenate(near)[:, :2])
    for y in np.arange(SOUTH + 200.0, NORTH, 640.0):
        for x in np.arange(WEST + 200.0, EAST, 760.0):
            x0, y0 = x + rng.uniform(-260, 260), y + rng.uniform(-220, 220)
            side = 1 if y0 > axis_y(x0) else -1
            beyond = side * (y0 - float(axis_y(x0))) - float(half_width(x0, side > 0))
            if beyond < 700.0 or tree.query((x0, y0))[0] < 430.0:
                continue
            heading = side * np.pi / 2 + rng.normal(0.0, 0.6)
            bed = _bed(rng, (x0, y0, 22.0 + 0.036 * beyond), heading, rng.uniform(800, 1700), 0.045, 0.17)
            out += [bed, *_branches(rng, bed, 1)]
            for first in out[-3:]:
                out += _branches(rng, first, 2)
    return out


def _branches(rng: np.random.Generator, parent: Floats, order: int) -> list[Floats]:
    """Side gullies, left and right in turn, leaving upstream at 40 to 70 degrees."""
    out = []
    every = 7 if order == 1 else 6
    turn = 1 if rng.random() < 0.5 else -1
    for n in range(int(rng.integers(3, 6)), len(parent) - 3, every):
        n_at = min(n + int(rng.integers(-2, 3)), len(parent) - 2)
        step = parent[n_at + 1] - parent[n_at]
        heading = float(np.arctan2(step[1], step[0])) + turn * np.radians(rng.uniform(42, 72))
        length = rng.uniform(700, 1500) if order == 1 else rng.uniform(220, 520)
        start = (float(parent[n_at][0]), float(parent[n_at][1]), float(parent[n_at][2]))
        out.append(_bed(rng, start, heading, length, 0.075 if order == 1 else 0.17, 0.17))
        turn = -turn
    return out


def _bed(
    rng: np.random.Generator, start: tuple[float, float, float], heading: float, length: float,
    grade: float, wander: float,
) -> Floats:  # fmt: skip
    step = 50.0
    n = max(3, int(length / step))
    turns = np.cumsum(rng.normal(0.0, wander, n) - 0.0)
    turns = ndimage.gaussian_filter1d(turns, 1.5) * 0.8
    angle = heading + turns
    climb = step * grade * (1.0 + 1.6 * (np.arange(n) / n) ** 2)
    x = start[0] + np.concatenate([[0.0], np.cumsum(step * np.cos(angle))])
    y = start[1] + np.concatenate([[0.0], np.cumsum(step * np.sin(angle))])
    z = start[2] + np.concatenate([[0.0], np.cumsum(climb)])
    return np.column_stack([x, y, z])


def _heights(seed: int, river: River, gullies: list[Floats], x: Floats, y: Floats) -> Floats:
    floor = BASE_M - FALL * x
    across = y - axis_y(x)
    half = np.where(across > 0, half_width(x, True), half_width(x, False))
    spurs = 130.0 * noise(seed, 7, x, y, 650.0) + 60.0 * noise(seed, 8, x, y, 260.0)
    beyond = np.abs(across) - half - 90.0 + spurs
    # terraces of the valley floor: river bed, flood plain, the town's terrace, a gentle rise to the hills
    away = river.distance(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    away = np.maximum(away - river.width_m / 2, 0.0)
    ground = floor - 3.6 + 2.6 * _smooth(away / 50.0) + 4.0 * _smooth((away - 90.0) / 170.0)
    ground = ground + 0.0085 * np.clip(away - 250.0, 0.0, 1700.0)
    hills = _hills(seed, gullies, x, y)
    # the foot of the hills: what rises from the edge of the valley itself
    edge = 92.0 * (1.0 - np.exp(-np.maximum(beyond, 0.0) / 130.0)) + 0.10 * np.maximum(beyond, 0.0)
    rise = np.where(beyond > 0, np.minimum(hills, edge), 0.0)
    rise = ndimage.gaussian_filter(rise, 0.6)
    rough = 0.9 * noise(seed, 5, x, y, 420.0) + 5.0 * _smooth(rise / 60.0) * noise(seed, 6, x, y, 240.0)
    return np.asarray(ground + rise + rough * _smooth(away / 120.0), float)


def _hills(seed: int, gullies: list[Floats], x: Floats, y: Floats) -> Floats:
    """Height above the valley floor that the gullies leave."""
    beds = np.concatenate(gullies)
    tree = cKDTree(beds[:, :2])
    wx = x + 55.0 * noise(seed, 3, x, y, 520.0)
    wy = y + 55.0 * noise(seed, 4, x, y, 520.0)
    far, row = tree.query(np.column_stack([wx.ravel(), wy.ravel()]), k=30, distance_upper_bound=4000.0)
    row = np.minimum(row, len(beds) - 1)
    wall = 62.0 * (1.0 - np.exp(-((far / 115.0) ** 1.35))) + 0.16 * np.minimum(far, 900.0)
    wall = np.where(np.isfinite(far), wall, 400.0)
    return np.asarray((beds[row, 2] + wall).min(axis=1).reshape(x.shape))


def _smooth(t: Floats) -> Floats:
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), dtype=float)
