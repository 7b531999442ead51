"""The river with its meanders, gravel bars and a tributary."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from shapely.geometry import LineString, Polygon

Floats = NDArray[np.float64]
Point = tuple[float, float]

RIVER_WIDTH_M = 58.0
SOUTH_OF_AXIS_M = 280.0
TOWN_REACH_M = 2_900.0
"""Half length of the embanked reach along the town."""


@dataclass(frozen=True, slots=True)
class River:
    """Centre line (n, 2) from west to east with the local half width (n,); ``calm``: the embanked course."""

    line: Floats
    half_m: Floats
    calm: Floats
    width_m: float = RIVER_WIDTH_M
    tree: cKDTree = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", cKDTree(self.line))

    def distance(self, xy: Floats) -> Floats:
        """Distance (n,) of places (n, 2) from the centre line, m."""
        return np.asarray(self.tree.query(xy)[0])

    def y(self, x: Floats | float) -> Floats:
        """Centre line at ``x``; single valued along the town, the middle of a bend elsewhere."""
        return np.asarray(np.interp(np.asarray(x, float), self.calm[:, 0], self.calm[:, 1]))

    def bank(self) -> list[Point]:
        """Closed ring of the water at mean flow."""
        side = _normals(self.line) * self.half_m[:, None]
        ring = np.concatenate([self.line + side, (self.line - side)[::-1]])
        shape = Polygon(ring).buffer(0)
        if shape.geom_type == "MultiPolygon":
            shape = max(shape.geoms, key=lambda g: g.area)
        return [(float(x), float(y)) for x, y in shape.simplify(1.5).exterior.coords]

    def bars(self) -> list[list[Point]]:
        """Gravel bars on the inner side of the bends: rings beside the water."""
        normal = _normals(self.line)
        curve = ndimage.gaussian_filter1d(_curvature(self.line), 3)
        out: list[list[Point]] = []
        strong = np.abs(curve) > np.quantile(np.abs(curve), 0.55)
        label, count = ndimage.label(strong)
        for k in range(1, count + 1):
            run = np.flatnonzero(label == k)
            if len(run) < 6 or abs(float(self.line[run[len(run) // 2], 0])) < TOWN_REACH_M - 500:
                continue
            inner = np.sign(curve[run[len(run) // 2]])
            swell = np.sin(np.linspace(0.0, np.pi, len(run)))[:, None]
            at = self.line[run] + inner * normal[run] * (self.half_m[run, None] - 9.0)
            outer = at + inner * normal[run] * (9.0 + 46.0 * swell)
            shape = Polygon(np.concatenate([at, outer[::-1]])).buffer(0)
            if shape.geom_type == "Polygon" and shape.area > 600:
                out.append([(float(x), float(y)) for x, y in shape.exterior.coords])
        return out


def make_river(
    axis_y: Callable[[Floats], Floats], span: tuple[float, float], rng: np.random.Generator
) -> River:
    """Meanders that overhang up and down the river, an embanked gentle course along the town."""
    s = np.arange(span[0] - 400.0, span[1] + 400.0, 20.0)
    bend = 175.0 * np.exp(np.clip(ndimage.gaussian_filter1d(rng.normal(0, 2.6, len(s)), 22), -0.5, 0.5))
    phase = np.cumsum(20.0 / bend) + 1.0
    free = 1.0 / (1.0 + np.exp(-(np.abs(s) - TOWN_REACH_M) / 260.0))
    swing = free * np.clip(165.0 + 80.0 * ndimage.gaussian_filter1d(rng.normal(0, 9, len(s)), 45), 60, 205)
    base = np.asarray(axis_y(s)) - SOUTH_OF_AXIS_M + 70.0 * np.sin(s / 1250.0 + 0.4)
    x = s - free * 95.0 * np.sin(2 * phase)
    y = base + swing * np.sin(phase)
    dense = LineString(np.column_stack([x, y]))
    line = np.array([dense.interpolate(d).coords[0] for d in np.arange(0.0, dense.length, 24.0)])
    broad = 1.0 + 0.22 * ndimage.gaussian_filter1d(rng.normal(0, 4, len(line)), 12)
    half = RIVER_WIDTH_M / 2 * np.clip(broad, 0.75, 1.35)
    return River(line, half, np.column_stack([s, base]))


def _normals(line: Floats) -> Floats:
    step = np.gradient(line, axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    return np.column_stack([-step[:, 1], step[:, 0]])


def _curvature(line: Floats) -> Floats:
    step = np.gradient(line, axis=0)
    angle = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
    return np.asarray(np.gradient(angle))
