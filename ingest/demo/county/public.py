"""Public blocks: schools with their running tracks, hospital, government, square, market, stadium, stations."""

import numpy as np
from shapely.geometry import LineString, Polygon, box
from shapely.geometry import Point as Dot

from ingest.demo.county.blocks import Filling, House, Yard, ring_of
from ingest.demo.county.plan import Block

# x, y from the middle of the block, width, depth (m), floors, height per floor (m), use, heated
_Row = tuple[float, float, float, float, int, float, str, bool]
_PARTS: dict[str, list[_Row]] = {
    "hospital": [
        (0, 22, 96, 24, 12, 3.7, "hospital", True), (0, -12, 70, 34, 4, 4.2, "hospital", True), (-72, 20, 20, 60, 6, 3.7, "hospital", True),
        (72, 24, 18, 64, 6, 3.7, "hospital", True), (0, 74, 64, 15, 5, 3.5, "hospital", True), (60, -58, 30, 22, 3, 3.6, "hospital", True),
    ],
    "clinic": [
        (0, 20, 64, 17, 6, 3.6, "hospital", True), (-44, -26, 18, 48, 4, 3.6, "hospital", True), (40, -40, 40, 15, 4, 3.5, "hospital", True),
    ],
    "government": [
        (0, 26, 104, 21, 9, 3.7, "government", True), (-66, -22, 17, 52, 5, 3.6, "government", True), (66, -22, 17, 52, 5, 3.6, "government", True),
        (-30, 78, 62, 14, 5, 3.5, "government", True), (48, 78, 62, 14, 5, 3.5, "government", True), (0, 104, 40, 14, 2, 4.5, "government", True),
    ],
    "office": [
        (-46, 26, 62, 18, 8, 3.6, "office", True), (46, 26, 62, 18, 6, 3.6, "office", True), (-46, -36, 54, 16, 5, 3.5, "office", True),
        (46, -36, 54, 16, 5, 3.5, "office", True), (0, 72, 80, 15, 4, 3.5, "office", True),
    ],
    "hotel": [
        (-30, 10, 56, 19, 16, 3.4, "office", True), (40, 8, 60, 40, 4, 4.4, "market", True), (-20, -52, 84, 16, 6, 3.3, "office", True),
        (0, 66, 96, 14, 5, 3.2, "office", True),
    ],
    "market": [
        (-42, 16, 74, 58, 5, 4.8, "market", True), (46, 20, 78, 44, 4, 4.6, "market", True), (0, -52, 150, 26, 2, 5.0, "market", True),
        (0, 74, 130, 18, 6, 3.4, "market", True),
    ],
    "stadium": [(0, 62, 96, 54, 2, 9.0, "stadium", True), (-86, 66, 40, 30, 2, 7.0, "stadium", True)],
    "bus_station": [(0, 30, 92, 30, 2, 6.0, "bus_station", True), (-66, -34, 46, 15, 4, 3.5, "bus_station", True), (66, 54, 30, 40, 1, 6.5, "bus_station", False)],
    "water_works": [(-30, 40, 46, 22, 1, 7.0, "industry", False), (40, 40, 30, 16, 2, 3.8, "office", False)],
}  # fmt: skip


def fill_public(b: Block, rng: np.random.Generator) -> Filling:
    """One public block."""
    out = Filling()
    yard = Yard(b.area.buffer(-6.0), b.tilt_deg * 0.7)
    if b.use in ("school", "college"):
        _school(out, yard, b, rng)
    elif b.use == "square":
        _square(out, yard, b)
    elif b.use == "park":
        _park(out, yard, b)
    elif b.use == "nursery":
        out.ground.append(("orchard", "苗圃", ring_of(b.area)))
    x, y = yard.area.representative_point().x, yard.area.centroid.y
    for dx, dy, w, d, floors, storey, use, heated in _PARTS.get(b.use, []):
        shape = box(x + dx - w / 2, y + dy - d / 2, x + dx + w / 2, y + dy + d / 2)
        if yard.area.contains(shape):
            ring = ring_of(yard.back(shape))
            out.houses.append(House(ring, use, floors, storey * floors + 1.6, b.year, heated, b.no))
    if b.use == "stadium":
        _track(out, yard, (x, y - 30.0), 150.0, 84.0, b)
    if b.use == "water_works":
        for n in range(3):
            pool = Dot(x - 50 + 50 * n, y - 30).buffer(18, quad_segs=8)
            out.ground.append(("pond", "清水池", ring_of(yard.back(pool))))
    if b.use in ("hospital", "government", "office", "market", "bus_station", "hotel", "clinic"):
        out.ground.append(("civic", "", ring_of(b.area)))
    return out


def _school(out: Filling, yard: Yard, b: Block, rng: np.random.Generator) -> None:
    """Teaching wings in the north, track and pitch in the south."""
    x0, y0, x1, y1 = yard.area.bounds
    cx = (x0 + x1) / 2
    out.ground.append(("campus", "校园", ring_of(b.area)))
    wide, deep = x1 - x0, y1 - y0
    length = min(168.0, wide - 34.0, 172.0)
    across = min(86.0, 0.46 * deep)
    if not _track(out, yard, (cx, y0 + across / 2 + 10.0), length, across, b):
        _track(out, yard, (cx, y0 + across / 2 + 18.0), 0.74 * length, 0.8 * across, b)
    y = y0 + across + 42.0
    row = 0
    while y + 12.0 < y1:
        for a, c in yard.span(y - 8.0, y + 9.0):
            room = c - a - 12.0
            n = 2 if room > 110 else 1
            w = min((room - (n - 1) * 16.0) / n, 68.0)
            for k in range(n if w > 26 else 0):
                mid = a + 6.0 + w / 2 + k * (w + 16.0)
                shape = box(mid - w / 2, y - 7.2, mid + w / 2, y + 7.2)
                if k == 0 and row == 0 and n == 2:
                    shape = shape.union(box(mid - w / 2, y, mid - w / 2 + 13.0, min(y + 34.0, y1 - 6)))
                if yard.area.contains(shape) and shape.geom_type == "Polygon":
                    floors = 4 + int(rng.integers(0, 2)) + (1 if b.use == "college" else 0)
                    out.houses.append(
                        House(
                            ring_of(yard.back(shape)),
                            "school",
                            floors,
                            3.7 * floors + 1.6,
                            b.year,
                            True,
                            b.no,
                        )
                    )
        y += 46.0 if row == 0 else 32.0
        row += 1
    gym = box(x1 - 52.0, y0 + across + 22.0, x1 - 12.0, y0 + across + 48.0)
    if yard.area.contains(gym) and all(Polygon(h.ring).distance(yard.back(gym)) > 5 for h in out.houses):
        out.houses.append(House(ring_of(yard.back(gym)), "school", 1, 11.0, b.year + 4, False, b.no))


def _track(out: Filling, yard: Yard, at: tuple[float, float], length: float, across: float, b: Block) -> bool:
    """Running track with its pitch; False when it does not fit."""
    straight = max(length - across, 20.0)
    spine = LineString([(at[0] - straight / 2, at[1]), (at[0] + straight / 2, at[1])])
    oval = spine.buffer(across / 2, quad_segs=10)
    if not yard.area.contains(oval) or across < 40:
        return False
    out.ground.append(("track", "田径场", ring_of(yard.back(oval))))
    out.ground.append(("pitch", "足球场", ring_of(yard.back(spine.buffer(across / 2 - 9.0, quad_segs=10)))))
    return True


def _square(out: Filling, yard: Yard, b: Block) -> None:
    """The people's square: paved, lawns in its corners, a stage in the north."""
    out.ground.append(("square", "人民广场", ring_of(b.area)))
    x0, y0, x1, y1 = yard.area.bounds
    for fx in (0.12, 0.62):
        for fy in (0.14, 0.58):
            w, d = 0.26 * (x1 - x0), 0.26 * (y1 - y0)
            lawn = box(
                x0 + fx * (x1 - x0), y0 + fy * (y1 - y0), x0 + fx * (x1 - x0) + w, y0 + fy * (y1 - y0) + d
            )
            if yard.area.contains(lawn):
                out.ground.append(("park", "绿地", ring_of(yard.back(lawn))))


def _park(out: Filling, yard: Yard, b: Block) -> None:
    """A park with a pond and a winding path."""
    out.ground.append(("park", "公园", ring_of(b.area)))
    c = yard.area.centroid
    x0, y0, x1, y1 = yard.area.bounds
    turn = np.linspace(0, 2 * np.pi, 40)[:-1]
    r = 0.17 * min(x1 - x0, y1 - y0) * (1.0 + 0.28 * np.sin(2 * turn + b.no) + 0.14 * np.sin(3 * turn))
    pond = Polygon(np.column_stack([c.x + 1.5 * r * np.cos(turn), c.y + r * np.sin(turn)]))
    if yard.area.contains(pond):
        out.ground.append(("pond", "湖", ring_of(yard.back(pond))))
    walk = pond.buffer(14.0, quad_segs=3).exterior
    out.lanes.append([(float(x), float(y)) for x, y in yard.back(Polygon(walk)).exterior.coords])
