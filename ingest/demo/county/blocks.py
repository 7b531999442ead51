"""Residential and working blocks: rows of slabs that face south, towers, shops, sheds."""

import itertools
from dataclasses import dataclass, field

import numpy as np
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Polygon, box
from shapely.ops import unary_union

from ingest.demo.county.land import Point
from ingest.demo.county.plan import Block


@dataclass(slots=True)
class House:
    """A building before it gets ids: ``ring`` open, metres; ``block`` number, or -1 - village number."""

    ring: list[Point]
    use: str
    floors: int
    height_m: float
    year: int
    heated: bool
    block: int
    name: str = ""


@dataclass(slots=True)
class Filling:
    """What a block is filled with: houses, and plain ground (use, name, ring) beside them."""

    houses: list[House] = field(default_factory=list)
    ground: list[tuple[str, str, list[Point]]] = field(default_factory=list)
    lanes: list[list[Point]] = field(default_factory=list)


def ring_of(shape: Polygon) -> list[Point]:
    """Open ring of a polygon."""
    return [(float(x), float(y)) for x, y in shape.exterior.coords[:-1]]


class Yard:
    """A block turned so that its rows lie level; ``back`` turns shapes to their true place."""

    def __init__(self, area: Polygon, angle_deg: float) -> None:
        self.angle = angle_deg
        self.origin = area.centroid
        self.area = affinity.rotate(area, -angle_deg, origin=self.origin)

    def back(self, shape: Polygon) -> Polygon:
        """From the level frame to the true place."""
        return affinity.rotate(shape, self.angle, origin=self.origin)

    def span(self, y0: float, y1: float) -> list[tuple[float, float]]:
        """Intervals of x in which a strip from ``y0`` to ``y1`` is inside; empty when none."""
        x0, _, x1, _ = self.area.bounds
        out: list[tuple[float, float]] | None = None
        for y in (y0, (y0 + y1) / 2, y1):
            cut = self.area.intersection(LineString([(x0 - 1, y), (x1 + 1, y)]))
            parts = [g.bounds for g in getattr(cut, "geoms", [cut]) if not g.is_empty]
            level = [(p[0], p[2]) for p in parts]
            if out is None:
                out = level
            else:
                out = [
                    (max(a, c), min(b, d)) for a, b in out for c, d in level if min(b, d) - max(a, c) > 12.0
                ]
        return out or []


def slab(cx: float, cy: float, length: float, depth: float, units: int) -> Polygon:
    """A slab block; its stairs stand out on the northern side, one per unit."""
    w, d, out = length / 2, depth / 2, 1.4
    ring = [(cx - w, cy - d), (cx + w, cy - d), (cx + w, cy + d)]
    bay = length / units
    for u in range(units - 1, -1, -1):
        mid = cx - w + (u + 0.5) * bay
        ring += [
            (mid + 2.4, cy + d),
            (mid + 2.4, cy + d + out),
            (mid - 2.4, cy + d + out),
            (mid - 2.4, cy + d),
        ]
    ring.append((cx - w, cy + d))
    return Polygon(ring)


def tower(cx: float, cy: float, w: float, d: float) -> Polygon:
    """A point block: two wings and a core, notched north and south."""
    a, b, n = w / 2, d / 2, 0.16 * w
    ring = [(-a, -b), (-n, -b), (-n, -b + 2.6), (n, -b + 2.6), (n, -b), (a, -b), (a, b - 3), (n, b - 3), (n, b), (-n, b), (-n, b - 3), (-a, b - 3)]  # fmt: skip
    return Polygon([(cx + x, cy + y) for x, y in ring])


@dataclass(frozen=True, slots=True)
class _Style:
    """How a quarter is built: floors, slab depth and length, gaps."""

    floors: int
    depth: float
    unit: float
    most_units: int
    gap: float
    pitch: float
    storey: float = 2.95


def _style(year: int, rng: np.random.Generator) -> _Style:
    """By the custom of the years; the gap to the next row is what the winter sun asks for."""
    if year < 1996:
        f = int(rng.choice([5, 6, 6, 6]))
        return _Style(f, 11.6, 14.5, 4, 8.0, 12.0 + 2.9 * f, 2.8)
    if year < 2008:
        f = int(rng.choice([6, 6, 6, 7]))
        return _Style(f, 12.8, 16.0, 4, 9.0, 13.5 + 3.0 * f, 2.85)
    if year < 2014:
        f = int(rng.choice([6, 6, 7, 11]))
        return _Style(f, 13.2, 18.5, 3 if f > 8 else 4, 12.0, 15.0 + 2.75 * f)
    f = int(rng.choice([11, 11, 17, 18]))
    return _Style(f, 14.5, 21.0, 2, 17.0, 18.0 + (2.7 if f < 15 else 2.15) * f)


def fill_compound(b: Block, rng: np.random.Generator) -> Filling:
    """A residential quarter: rows of slabs, a lane through the middle, a green heart, shops at the street."""
    out = Filling()
    style = _style(b.year, rng)
    turn = b.tilt_deg * (0.9 if b.year < 2005 else 0.45) + rng.normal(0.0, 1.0)
    shops = _shops(b, rng) if b.year < 2012 else []
    inner = b.area.buffer(-9.0)
    if shops:
        inner = inner.difference(unary_union([s.buffer(7.0) for s in shops]))
    inner = _largest(inner)
    for s in shops:
        floors = int(rng.choice([1, 2, 2]))
        out.houses.append(House(ring_of(s), "shop", floors, 3.9 * floors + 0.6, b.year, False, b.no))
    if inner is None:
        return out
    yard = Yard(inner, float(turn))
    rows = _rows(yard, style, rng)
    heart = len(rows) // 2 if len(rows) >= 4 else -1
    for r, (y, x0, x1) in enumerate(rows):
        for n, (cx, length, units) in enumerate(_along(x0, x1, style)):
            count = max(1, len(_along(x0, x1, style)))
            if r == heart and 0 < n < count - 1:
                continue
            f = style.floors - (1 if rng.random() < 0.25 else 0)
            tall = f >= 15
            shape = tower(cx, y, min(length, 34.0), 21.0) if tall else slab(cx, y, length, style.depth, units)
            year = b.year + int(rng.integers(0, 3))
            out.houses.append(
                House(ring_of(yard.back(shape)), "residence", f, style.storey * f + 1.4, year, True, b.no)
            )
    _green_heart(out, yard, rows, heart, style)
    return out


def _rows(yard: Yard, style: _Style, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """(y, x0, x1) of each row, from the south; the rest of the depth is shared out between the rows."""
    _, y0, _, y1 = yard.area.bounds
    room = y1 - y0 - style.depth - 2.0
    n = max(1, int(room / style.pitch) + 1)
    pitch = min(room / max(n - 1, 1), 1.18 * style.pitch)
    out = []
    for r in range(n):
        y = y0 + style.depth / 2 + r * pitch + float(rng.uniform(-0.8, 0.8))
        for a, b in yard.span(y - style.depth / 2 - 0.5, y + style.depth / 2 + 1.6):
            if b - a > 26.0:
                out.append((y, a + 1.0, b - 1.0))
    return out


def _along(x0: float, x1: float, style: _Style) -> list[tuple[float, float, int]]:
    """(middle, length, units) of the slabs of one row: they fill it evenly."""
    room = x1 - x0
    longest = style.unit * style.most_units
    n = max(1, int(np.ceil((room + style.gap) / (longest + style.gap))))
    length = (room - (n - 1) * style.gap) / n
    if style.floors >= 15:
        n = max(1, int((room + style.gap) / (34.0 + style.gap)))
        length = 34.0 if n > 1 else min(34.0, room)
    units = max(1, round(length / style.unit))
    step = (room - length) / max(n - 1, 1)
    first = x0 + length / 2 if n > 1 else (x0 + x1) / 2
    return [(first + i * step, length, units) for i in range(n)] if length > 18 else []


def _green_heart(
    out: Filling, yard: Yard, rows: list[tuple[float, float, float]], heart: int, style: _Style
) -> None:
    """The garden of the quarter and the lanes between the rows."""
    for y, x0, x1 in rows:
        lane = LineString([(x0, y + style.depth / 2 + 4.5), (x1, y + style.depth / 2 + 4.5)]).intersection(
            yard.area
        )
        if lane.geom_type == "LineString" and lane.length > 30:
            turned = affinity.rotate(lane, yard.angle, origin=yard.origin)
            out.lanes.append([(float(x), float(y)) for x, y in turned.coords])
    if heart >= 0:
        y, x0, x1 = rows[heart]
        third = (x1 - x0) / 3
        green = box(x0 + 0.8 * third, y - 12.0, x1 - 0.8 * third, y + 12.0).intersection(yard.area)
        if green.geom_type == "Polygon" and green.area > 300:
            out.ground.append(("park", "小区花园", ring_of(yard.back(green))))


def _largest(shape: Polygon | MultiPolygon) -> Polygon | None:
    if shape.is_empty:
        return None
    parts = list(getattr(shape, "geoms", [shape]))
    best = max(parts, key=lambda g: g.area)
    return best if best.area > 1500 else None


def _shops(b: Block, rng: np.random.Generator) -> list[Polygon]:
    """Two-storey shops along one or two sides of the block."""
    ring = np.array(b.area.exterior.coords)
    sides = [(float(np.hypot(*(q - p))), p, q) for p, q in itertools.pairwise(ring)]
    long = sorted((s for s in sides if s[0] > 90.0), key=lambda s: -s[0])
    out: list[Polygon] = []
    for length, p, q in long[: int(rng.integers(0, 2)) + 1]:
        along = (q - p) / length
        left = np.array([-along[1], along[0]])
        if not b.area.contains(Polygon([p, q, q + 0.1 * left]).centroid):
            left = -left
        at = 14.0
        while at + 45.0 < length:
            w = rng.uniform(34, 62)
            corners = [p + along * at + left * 2.0, p + along * (at + w) + left * 2.0]
            shape = Polygon([*corners, corners[1] + left * 10.5, corners[0] + left * 10.5])
            if b.area.contains(shape) and all(shape.distance(o) > 2.0 for o in out):
                out.append(shape)
            at += w + rng.uniform(8, 30)
    return out


def fill_mixed(b: Block, rng: np.random.Generator) -> Filling:
    """The old centre of commerce: shops, offices and flats of all heights, yards behind."""
    out = Filling()
    yard = Yard(b.area.buffer(-4.0), b.tilt_deg + float(rng.normal(0, 1)))
    y0, y1 = yard.area.bounds[1], yard.area.bounds[3]
    y = y0 + 9.0
    while y + 10.0 < y1:
        deep = float(rng.uniform(11, 16))
        for a, c in yard.span(y - deep / 2, y + deep / 2):
            x = a + 2.0
            while x + 16.0 < c:
                w = float(min(rng.uniform(16, 46), c - x - 1.0))
                if rng.random() < 0.80:
                    big = rng.random() < 0.12
                    f = int(rng.choice([7, 9, 12])) if big else int(rng.choice([2, 2, 3, 4]))
                    ring = ring_of(yard.back(box(x, y - deep / 2, x + w, y + deep / 2)))
                    use = "office" if big else "shop"
                    out.houses.append(
                        House(ring, use, f, 3.3 * f + 1.0, int(rng.integers(1986, 2012)), big, b.no)
                    )
                x += w + float(rng.uniform(4, 9))
        y += deep + float(rng.uniform(11, 19))
    return out


def fill_sheds(b: Block, rng: np.random.Generator) -> Filling:
    """Works and stores: long sheds, an office at the gate, a paved yard."""
    out = Filling()
    yard = Yard(b.area.buffer(-10.0), b.tilt_deg + float(rng.choice([0.0, 0.0, 90.0])))
    y0, y1 = yard.area.bounds[1], yard.area.bounds[3]
    y = y0 + 18.0
    while y + 16.0 < y1:
        deep = float(rng.uniform(20, 34))
        for a, c in yard.span(y - deep / 2, y + deep / 2):
            x = a + float(rng.uniform(2, 20))
            while x + 40.0 < c:
                w = float(min(rng.uniform(48, 110), c - x - 2.0))
                if rng.random() < 0.82:
                    ring = ring_of(yard.back(box(x, y - deep / 2, x + w, y + deep / 2)))
                    out.houses.append(
                        House(
                            ring,
                            "industry",
                            1,
                            float(rng.uniform(7, 13)),
                            b.year + int(rng.integers(0, 8)),
                            False,
                            b.no,
                        )
                    )
                x += w + float(rng.uniform(12, 30))
        y += deep + float(rng.uniform(16, 30))
    out.ground.append(("industrial", "厂区", ring_of(b.area)))
    return out
