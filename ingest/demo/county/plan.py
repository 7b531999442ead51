"""What stands in each block: quarters by age, public buildings where a town has them, parks, the estate."""

from dataclasses import dataclass, field

import numpy as np
from shapely.geometry import Point as Dot
from shapely.geometry import Polygon
from shapely.ops import polygonize, unary_union

from ingest.demo.county.land import Land, Point
from ingest.demo.county.streets import Town

MIN_BLOCK_M2 = 9_000.0

# use, (x, metres north of the river), least and most area of the block in ha; one block each
_WANTED = (
    ("government", (150.0, 640.0), 4.0, 12.0), ("square", (170.0, 330.0), 3.0, 10.0), ("market", (-130.0, 1000.0), 3.0, 9.0),
    ("hospital", (930.0, 620.0), 4.0, 12.0), ("school", (-980.0, 900.0), 5.0, 12.0), ("school", (620.0, 1130.0), 5.0, 12.0),
    ("school", (1750.0, 700.0), 5.0, 12.0), ("school", (-1620.0, 520.0), 5.0, 12.0), ("school", (950.0, -420.0), 5.0, 12.0),
    ("school", (-600.0, 1180.0), 4.5, 12.0), ("college", (300.0, 1350.0), 6.0, 14.0), ("stadium", (1250.0, -230.0), 5.0, 14.0),
    ("bus_station", (1900.0, 480.0), 4.0, 12.0), ("park", (-1180.0, 180.0), 3.0, 12.0), ("park", (1150.0, 230.0), 3.0, 12.0),
    ("park", (-30.0, -200.0), 2.5, 12.0), ("park", (500.0, 880.0), 3.0, 10.0), ("park", (1500.0, 180.0), 3.0, 12.0), ("college", (1450.0, 1150.0), 6.0, 14.0), ("clinic", (-1400.0, 1000.0), 3.0, 9.0),
    ("office", (390.0, -430.0), 3.0, 9.0), ("office", (700.0, 380.0), 3.0, 9.0), ("market", (1350.0, 560.0), 3.0, 9.0),
    ("hotel", (480.0, 300.0), 3.0, 9.0), ("water_works", (-1980.0, 250.0), 3.0, 12.0),
)  # fmt: skip


@dataclass(slots=True)
class Block:
    """One block: ``area`` without its streets, ``use``, ``year`` when it was built, ``name``."""

    no: int
    area: Polygon
    use: str = "open"
    year: int = 2000
    name: str = ""
    tilt_deg: float = 0.0
    extra: dict[str, float] = field(default_factory=dict)

    @property
    def middle(self) -> Point:
        """A place inside."""
        p = self.area.centroid
        return float(p.x), float(p.y)


def make_blocks(town: Town, land: Land, rng: np.random.Generator) -> list[Block]:
    """Blocks of the town from west to east, with their uses."""
    lines = unary_union([s.shape for s in town.streets])
    paved = unary_union([s.shape.buffer(s.width_m / 2 + 4.0, cap_style="flat") for s in town.streets])
    water = Polygon(land.river.bank()).buffer(30.0)
    blocks: list[Block] = []
    found = sorted(polygonize(lines), key=lambda b: (round(b.centroid.x), round(b.centroid.y)))
    for shape in found:
        area = shape.difference(paved)
        area = max(area.geoms, key=lambda g: g.area) if area.geom_type == "MultiPolygon" else area
        if area.intersects(water) or area.area < MIN_BLOCK_M2:
            continue
        area = area.simplify(2.0)
        x = float(area.centroid.x)
        rise = float(land.river.y(x + 200.0) - land.river.y(x - 200.0)) / 400.0
        blocks.append(Block(len(blocks), area, tilt_deg=float(np.degrees(np.arctan(rise)))))
    _assign(blocks, town, land, rng)
    return blocks


def _north(land: Land, b: Block) -> float:
    x, y = b.middle
    return y - float(land.river.y(x))


def _assign(blocks: list[Block], town: Town, land: Land, rng: np.random.Generator) -> None:
    for b in blocks:
        if town.estate.contains(Dot(b.middle)):
            b.use, b.year = "industry", int(rng.integers(1988, 2018))
        elif town.old.contains(Dot(b.middle)):
            b.use, b.year = "old_town", 1960
    for use, (x, v), low, high in _WANTED:
        y = float(land.river.y(x)) + v
        free = [b for b in blocks if b.use == "open" and low * 1e4 <= b.area.area <= high * 1e4]
        best = min(free, key=lambda b: (b.middle[0] - x) ** 2 + (b.middle[1] - y) ** 2)
        best.use, best.year = use, int(rng.integers(1996, 2019))
    for b in blocks:
        if b.use == "open":
            _open_block(b, town, land, rng)


def _open_block(b: Block, town: Town, land: Land, rng: np.random.Generator) -> None:
    """Quarters by place: old flats about the centre, newer ones outward, towers in the east and the south."""
    x, v = b.middle[0], _north(land, b)
    from_centre = float(np.hypot((x + 150.0) / 1.35, v - 560.0))
    if town.south.contains(Dot(b.middle)):
        b.use, b.year = "compound", int(rng.integers(2012, 2022))
        return
    edge = town.ring.exterior.distance(Dot(b.middle))
    if v > 300.0 and edge < 190.0 and x < 900.0:
        b.use = str(rng.choice(["urban_village", "open", "warehouse", "compound"], p=[0.22, 0.2, 0.18, 0.4]))
    elif x > 1000.0 and v > 650.0 and rng.random() < 0.55:
        b.use = str(rng.choice(["warehouse", "urban_village", "nursery", "open"], p=[0.35, 0.25, 0.25, 0.15]))
    elif from_centre < 620.0 and rng.random() < 0.30:
        b.use = "mixed"
    elif rng.random() < 0.05 and from_centre > 800.0:
        b.use = "urban_village"
    else:
        b.use = "compound"
    if b.use == "compound":
        base = 1989.0 + 0.0155 * from_centre + (6.0 if x > 600 else 0.0)
        b.year = int(np.clip(base + rng.normal(0.0, 5.0), 1984, 2021))
    elif b.use == "urban_village":
        b.year = int(rng.integers(1985, 2005))
