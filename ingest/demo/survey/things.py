"""Small things that fill the picture: trees, cars, what stands on roofs. Placed once, by lot, for all tiles."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.strtree import STRtree

from ingest.demo.survey.looks import CARS, CROWNS, look_of
from ingest.demo.survey.world import Box, Floats, House, World, pick

PER_HA = {"park": 75.0, "residential": 26.0, "campus": 20.0, "civic": 16.0, "old_town": 5.0, "vacant": 7.0}
LANE_SIDE = {"main": 0.27, "secondary": 0.25, "local": 0.22, "county": 0.22, "expressway": 0.28}
CAR_GAP_M = {"main": 26.0, "secondary": 34.0, "local": 44.0, "county": 90.0, "expressway": 120.0}
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trees:
    """``xy`` (n, 2), ``radius_m`` (n,), ``kind`` (n,) row of ``CROWNS``."""

    xy: Floats
    radius_m: Floats
    kind: Ints

    def inside(self, box: Box, room_m: float = 0.0) -> "Trees":
        """Those whose stem stands in the box."""
        x, y = self.xy[:, 0], self.xy[:, 1]
        keep = (x >= box[0] - room_m) & (x < box[2] + room_m) & (y >= box[1] - room_m) & (y < box[3] + room_m)
        return Trees(self.xy[keep], self.radius_m[keep], self.kind[keep])


@dataclass(frozen=True, slots=True)
class Cars:
    """``xy`` (n, 2), ``heading`` (n,) radians, ``colour`` (n,) row of the palette, ``length_m`` (n,)."""

    xy: Floats
    heading: Floats
    colour: Ints
    length_m: Floats

    def inside(self, box: Box, room_m: float = 4.0) -> "Cars":
        """Those in the box."""
        x, y = self.xy[:, 0], self.xy[:, 1]
        keep = (x > box[0] - room_m) & (x < box[2] + room_m) & (y > box[1] - room_m) & (y < box[3] + room_m)
        return Cars(self.xy[keep], self.heading[keep], self.colour[keep], self.length_m[keep])


def _along(line: Floats, at_m: Floats) -> tuple[Floats, Floats]:
    """Places (n, 2) and headings (n,) at distances along a line."""
    step = np.diff(line, axis=0)
    length = np.hypot(step[:, 0], step[:, 1])
    s = np.concatenate([[0.0], np.cumsum(length)])
    i = np.clip(np.searchsorted(s, at_m, side="right") - 1, 0, len(step) - 1)
    share = (at_m - s[i]) / np.maximum(length[i], 1e-9)
    return line[i] + step[i] * share[:, None], np.arctan2(step[i, 1], step[i, 0])


def _length(line: Floats) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def plant_trees(world: World) -> Trees:
    """Rows along streets and banks, and trees in parks, yards and between cottages; none inside a house."""
    xy, size, kind = [], [], []
    for n, (line, spacing) in enumerate(world.tree_rows):
        at = np.arange(spacing / 2, _length(line), spacing)
        spots, _ = _along(line, at)
        rng = np.random.default_rng((world.seed, 50, n))
        xy.append(spots + rng.normal(0, 0.5, spots.shape))
        size.append(rng.uniform(1.9, 3.4, len(at)))
        kind.append(np.full(len(at), (0, 1, 3)[n % 3]))
    for p in world.patches:
        if p.use not in PER_HA:
            continue
        rng = np.random.default_rng((world.seed, 51, pick(p.id, 7, 1 << 30)))
        low, high = p.xy.min(axis=0), p.xy.max(axis=0)
        count = int(np.prod(high - low) / 1e4 * PER_HA[p.use])
        spots = rng.uniform(low, high, (count, 2))
        shape = Polygon(p.xy).buffer(0)
        keep = shapely.contains_xy(shape, spots[:, 0], spots[:, 1]) if count else np.zeros(0, bool)
        spots = spots[keep]
        xy.append(spots)
        size.append(rng.uniform(1.3, 3.1, len(spots)))
        kind.append(rng.choice(len(CROWNS), len(spots), p=[0.28, 0.2, 0.24, 0.12, 0.16]))
    for h in world.houses:
        if h.use != "village" or h.number(8, 3):
            continue
        rng = np.random.default_rng((world.seed, 52, h.row))
        spots = h.ring.mean(axis=0) + rng.normal(0, 11.0, (2, 2))
        xy.append(spots)
        size.append(rng.uniform(1.8, 3.6, 2))
        kind.append(rng.choice(2, 2))
    if not xy:
        return Trees(np.zeros((0, 2)), np.zeros(0), np.zeros(0, int))
    all_xy = np.concatenate(xy)
    free = _clear_of(world, all_xy)
    order = np.argsort(all_xy[free, 1])[::-1]
    return Trees(
        all_xy[free][order], np.concatenate(size)[free][order], np.concatenate(kind)[free][order].astype(int)
    )


def _clear_of(world: World, xy: Floats) -> NDArray[np.bool_]:
    """Whether each place is off houses and asphalt."""
    free = np.ones(len(xy), bool)
    dots = shapely.points(xy)
    shapes = [h.shape.buffer(1.6, quad_segs=1) for h in world.houses]
    shapes += [shapely.LineString(s.xy).buffer(s.width_m / 2 + 0.4, quad_segs=1) for s in world.streets]
    shapes += [
        Polygon(p.xy).buffer(0) for p in world.patches if p.use in ("pitch", "track", "carpark", "square")
    ]
    if shapes:
        free[STRtree(shapes).query(dots, predicate="intersects")[0]] = False
    return free


def park_cars(world: World) -> Cars:
    """Cars on the lanes of streets, beside the lanes of quarters, and in rows on car parks."""
    xy, heading = [], []
    for s in world.streets:
        rng = np.random.default_rng((world.seed, 60, pick(s.id, 9, 1 << 30)))
        length = _length(s.xy)
        if s.kind in CAR_GAP_M:
            for side in (-1.0, 1.0):
                at = np.sort(rng.uniform(0, length, int(length / CAR_GAP_M[s.kind])))
                spots, turn = _along(s.xy, at)
                off = side * LANE_SIDE[s.kind] * s.width_m * rng.choice([0.55, 1.0], len(at))
                xy.append(spots + np.column_stack([-np.sin(turn), np.cos(turn)]) * off[:, None])
                heading.append(turn)
        if s.kind in ("lane", "local"):
            at = np.arange(4.0, length - 4.0, 5.6)
            at = at[rng.random(len(at)) < (0.52 if s.kind == "lane" else 0.35)]
            spots, turn = _along(s.xy, at)
            off = (s.width_m / 2 + (1.2 if s.kind == "lane" else -1.3)) * rng.choice([-1.0, 1.0], len(at))
            xy.append(spots + np.column_stack([-np.sin(turn), np.cos(turn)]) * off[:, None])
            heading.append(turn)
    for p in world.patches:
        if p.use == "carpark":
            spots, turn = _rows(p.xy, np.random.default_rng((world.seed, 61, pick(p.id, 9, 1 << 30))))
            xy.append(spots)
            heading.append(turn)
    if not xy:
        return Cars(np.zeros((0, 2)), np.zeros(0), np.zeros(0, int), np.zeros(0))
    all_xy = np.concatenate(xy)
    rng = np.random.default_rng((world.seed, 62))
    free = np.ones(len(all_xy), bool)
    if world.houses:
        free[
            STRtree([h.shape.buffer(1.2) for h in world.houses]).query(
                shapely.points(all_xy), predicate="intersects"
            )[0]
        ] = False
    colour, size = rng.integers(0, len(CARS), len(all_xy)), rng.uniform(4.2, 4.9, len(all_xy))
    return Cars(all_xy[free], np.concatenate(heading)[free], colour[free], size[free])


def _rows(ring: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    (x0, y0), (x1, y1) = ring.min(axis=0), ring.max(axis=0)
    x, y = np.meshgrid(np.arange(x0 + 2.0, x1 - 1.5, 2.7), np.arange(y0 + 3.5, y1 - 2.0, 8.6))
    spots = np.column_stack([x.ravel(), y.ravel()])
    spots = spots[rng.random(len(spots)) < 0.62]
    return spots, np.full(len(spots), np.pi / 2)


@dataclass(frozen=True, slots=True)
class Fixture:
    """Something on a roof: ``ring`` (4, 2) metres, ``height_m``, ``colour``, ``kind`` (head, heater, box)."""

    ring: Floats
    height_m: float
    colour: tuple[int, int, int]
    kind: str


def furnish_roof(h: House) -> list[Fixture]:
    """Stair heads, rows of solar water heaters, vents and boxes on a flat roof; nothing on a pitched one."""
    look = look_of(h)
    if look.roof_rise_m > 0 or look.facade in ("chimney", "blank") or h.shape.area < 60.0:
        return []
    frame = shapely.minimum_rotated_rectangle(h.shape)
    if frame.geom_type != "Polygon":
        return []
    c = np.asarray(frame.exterior.coords)
    a, b = c[1] - c[0], c[2] - c[1]
    long, short = (a, b) if np.hypot(*a) >= np.hypot(*b) else (b, a)
    size, deep = float(np.hypot(*long)), float(np.hypot(*short))
    along, across = long / size, short / deep
    if across[1] < 0:
        across = -across
    middle = np.asarray(frame.centroid.coords[0])
    rng = np.random.default_rng((7, 70, h.row))
    inner = h.shape.buffer(-0.7)
    out: list[Fixture] = []

    def put(
        u: float, v: float, w: float, d: float, height: float, colour: tuple[int, int, int], kind: str
    ) -> None:
        m = middle + along * u + across * v
        ring = np.array(
            [m + along * i * w / 2 + across * j * d / 2 for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        )
        if shapely.contains_xy(inner, ring[:, 0], ring[:, 1]).all():
            out.append(Fixture(ring, height, colour, kind))

    if h.use == "residence" and h.floors >= 4:
        units = max(1, round(size / 15.0))
        for k in range(units):
            put((k + 0.5) / units * size - size / 2, 0.16 * deep, 3.2, 4.4, 2.5, (172, 166, 156), "head")
    if look.heaters:
        share = 0.35 + 0.5 * rng.random()
        for v in np.arange(-deep / 2 + 2.2, 0.05 * deep, 3.1):
            for u in np.arange(-size / 2 + 1.6, size / 2 - 1.4, 2.5):
                if rng.random() < share:
                    put(u, v, 1.9, 1.5, 1.1, (46, 54, 74), "heater")
    for _ in range(int(rng.integers(1, 4) + h.shape.area / 260.0)):
        u, v = rng.uniform(-0.46, 0.46) * size, rng.uniform(-0.42, 0.42) * deep
        w, d = rng.uniform(0.9, 2.6, 2)
        tone = int(rng.integers(120, 205))
        put(u, v, w, d, float(rng.uniform(0.5, 1.4)), (tone, tone, tone - 4), "box")
    return out
