"""Buildings of the town, block by block."""

from dataclasses import dataclass

import numpy as np
from shapely import affinity
from shapely.geometry import Polygon, box

from ingest.demo.county.plan import Plan, Point


@dataclass(slots=True)
class House:
    """A building before it gets ids: ``ring`` open, metres; ``block`` (i, k) or a village number."""

    ring: list[Point]
    use: str
    floors: int
    height_m: float
    year: int
    heated: bool
    block: tuple[int, int]
    name: str = ""


def _inside(plan: Plan, i: int, k: int, margin: float) -> tuple[Polygon, float]:
    ring = plan.block_ring(i, k, margin)
    (x0, y0), (x1, y1) = ring[0], ring[1]
    return Polygon(ring), float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))


def fill_block(plan: Plan, i: int, k: int, rng: np.random.Generator) -> list[House]:
    """Buildings of one block by its use."""
    use = plan.uses[(i, k)]
    make = {"compound": _compound, "mixed": _mixed, "old_town": _old_town, "industry": _industry}.get(use)
    if make is not None:
        return make(plan, i, k, rng)
    return _public(plan, i, k, use, rng)


def _place(
    area: Polygon, angle: float, spots: list[tuple[float, float, float, float]], origin: Point
) -> list[list[Point]]:
    """Rectangles (centre x, y, width, depth in the block's own axes) that lie inside ``area``."""
    out = []
    for cx, cy, w, d in spots:
        shape = affinity.rotate(box(cx - w / 2, cy - d / 2, cx + w / 2, cy + d / 2), angle, origin=origin)
        if area.contains(shape):
            out.append([(float(x), float(y)) for x, y in shape.exterior.coords[:-1]])
    return out


def _rows(
    area: Polygon, rng: np.random.Generator, w: float, d: float, gap: float, row: float
) -> list[tuple[float, float, float, float]]:
    x0, y0, x1, y1 = area.bounds
    spots = []
    y = y0 + d / 2 + rng.uniform(0, 4)
    while y + d / 2 < y1:
        x = x0 + rng.uniform(0, 12) + w / 2
        while x + w / 2 < x1:
            width = w * rng.choice([0.72, 1.0, 1.0, 1.12])
            spots.append((x + width / 2 - w / 2, y, width, d))
            x += width + gap + rng.uniform(0, 5)
        y += row + rng.uniform(-1.5, 1.5)
    return spots


def _compound(plan: Plan, i: int, k: int, rng: np.random.Generator) -> list[House]:
    area, angle = _inside(plan, i, k, 8.0)
    year = int(rng.choice([1994, 1999, 2004, 2008, 2012, 2016, 2019, 2021]) + rng.integers(0, 3))
    floors = (
        int(rng.choice([11, 11, 15, 17]))
        if year > 2009 and rng.random() < 0.6
        else int(rng.choice([5, 6, 6, 7]))
    )
    tall = floors > 8
    w, d = (44.0, 15.5) if tall else (58.0, 12.5)
    row = 47.0 if tall else 30.0
    c = area.centroid
    rings = _place(area, angle, _rows(area, rng, w, d, 18.0 if tall else 9.0, row), (c.x, c.y))
    keep = 15 if tall else 23
    if len(rings) > keep:
        drop = set(rng.permutation(len(rings))[: len(rings) - keep].tolist())
        rings = [r for n, r in enumerate(rings) if n not in drop]
    houses = []
    for ring in rings:
        f = floors - int(rng.integers(0, 2)) * (2 if tall else 1)
        houses.append(House(ring, "residence", f, 2.95 * f + 1.2, year, True, (i, k)))
    return houses


def _mixed(plan: Plan, i: int, k: int, rng: np.random.Generator) -> list[House]:
    """Older offices, shops and small dwellings along the streets, courtyards behind."""
    area, angle = _inside(plan, i, k, 5.0)
    c = area.centroid
    rings = _place(area, angle, _rows(area, rng, 24.0, 11.0, 7.0, 23.0), (c.x, c.y))
    houses = []
    for n, ring in enumerate(rings):
        if rng.random() < 0.40:
            continue
        floors = int(rng.choice([1, 2, 2, 3, 4]))
        big = n % 17 == 0
        if big:
            floors = int(rng.choice([5, 6]))
        houses.append(
            House(
                ring,
                "office" if big else "old_town",
                floors,
                3.1 * floors + 0.8,
                int(rng.integers(1980, 2012)),
                big,
                (i, k),
            )
        )
    return houses


def _old_town(plan: Plan, i: int, k: int, rng: np.random.Generator) -> list[House]:
    """Small courtyard houses on narrow lanes."""
    area, angle = _inside(plan, i, k, 3.0)
    c = area.centroid
    rings = _place(area, angle + rng.uniform(-2, 2), _rows(area, rng, 15.5, 9.0, 4.0, 18.5), (c.x, c.y))
    houses = []
    for ring in rings:
        if rng.random() < 0.1:
            continue
        floors = int(rng.choice([1, 1, 2]))
        houses.append(
            House(ring, "old_town", floors, 3.2 * floors + 1.0, int(rng.integers(1955, 1995)), False, (i, k))
        )
    return houses


def _industry(plan: Plan, i: int, k: int, rng: np.random.Generator) -> list[House]:
    area, angle = _inside(plan, i, k, 12.0)
    c = area.centroid
    rings = _place(area, angle, _rows(area, rng, 78.0, 30.0, 22.0, 52.0), (c.x, c.y))
    return [
        House(r, "industry", 1, float(rng.uniform(8, 13)), int(rng.integers(1985, 2018)), False, (i, k))
        for r in rings
    ]


_PUBLIC = {
    "school": [(-60, 40, 72, 15, 4), (-60, -10, 72, 15, 5), (40, 62, 60, 16, 4), (62, -70, 40, 26, 2)],
    "hospital": [(0, 30, 90, 22, 12), (-40, -40, 60, 18, 6), (60, -40, 44, 18, 5), (0, 90, 60, 16, 4)],
    "government": [(0, 40, 96, 20, 9), (-70, -20, 46, 15, 5), (70, -20, 46, 15, 5), (0, 95, 60, 14, 4)],
    "market": [(-60, 20, 70, 48, 4), (50, 20, 80, 46, 5), (0, -60, 110, 26, 3), (0, 92, 110, 22, 6)],
    "stadium": [(0, 10, 90, 62, 2), (80, -70, 40, 20, 3)],
    "bus_station": [(0, 40, 84, 30, 2), (70, -40, 40, 16, 4)],
}


def _public(plan: Plan, i: int, k: int, use: str, rng: np.random.Generator) -> list[House]:
    area, angle = _inside(plan, i, k, 4.0)
    c = area.centroid
    out = []
    for x, y, w, d, floors in _PUBLIC.get(use, []):
        for ring in _place(area, angle, [(c.x + x, c.y + y, w, d)], (c.x, c.y)):
            out.append(
                House(ring, use, floors, 3.6 * floors + 1.5, int(rng.integers(1996, 2020)), True, (i, k))
            )
    return out
