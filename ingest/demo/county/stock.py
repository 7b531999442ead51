"""The building stock: exactly the promised numbers, heat districts, station sites, the tables."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon, box
from shapely.strtree import STRtree

from ingest.demo.county import names
from ingest.demo.county.blocks import Filling, House
from ingest.demo.county.districts import make_units, share_out
from ingest.demo.county.frame import Frame
from ingest.demo.county.heat_network import OPENED
from ingest.demo.county.land import Land, Point
from ingest.demo.county.places import nearest
from ingest.demo.county.plan import Block
from ingest.demo.county.stations import CP, DESIGN_OUTDOOR_C, heat_index_w_m2, make_station
from twin.model.county import Building
from twin.model.network import Substation

Floats = NDArray[np.float64]
HEATED_AREA_M2, HOMES, HEATED, BUILDINGS, STATIONS = 3.0e6, 25_000, 620, 3_500, 28
STATION_HOUSE_M = (13.0, 9.0)
_THINNED = ("village", "urban_village")


@dataclass(slots=True)
class Site:
    """A station before it is one: where it stands, the houses it feeds, when it was connected."""

    at: Point
    block: int
    houses: tuple[int, ...]
    year: int
    name: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Stock:
    """Buildings, and those of each station with its design heat."""

    buildings: list[Building]
    by_station: list[list[Building]]
    heat_w: list[float]


def settle(
    fillings: list[Filling], blocks: list[Block], paved: Polygon, rng: np.random.Generator
) -> tuple[list[House], list[Site]]:
    """All houses that stand, with the station houses among them, and the station sites."""
    houses = _standing([h for f in fillings for h in f.houses], paved)
    houses = _right_heated(houses, blocks)
    for b, f in zip(blocks, fillings, strict=False):
        if b.use == "open":
            f.lanes.clear()
            f.ground.clear()
    sites = _sites(houses, blocks)
    for s in sites:
        w, d = STATION_HOUSE_M
        ring = [
            (float(x), float(y))
            for x, y in box(
                s.at[0] - w / 2, s.at[1] - d / 2, s.at[0] + w / 2, s.at[1] + d / 2
            ).exterior.coords[:-1]
        ]
        houses.append(House(ring, "station_house", 1, 5.2, s.year, False, s.block))
    thin = [n for n, h in enumerate(houses) if h.use in _THINNED]
    extra = len(houses) - BUILDINGS
    if extra < 0:
        raise ValueError(f"the demo county has {-extra} buildings too few")
    drop = set(rng.permutation(thin)[:extra].tolist())
    keep = [n for n in range(len(houses)) if n not in drop]
    new = {n: k for k, n in enumerate(keep)}
    for s in sites:
        s.houses = tuple(new[n] for n in s.houses)
    return [houses[n] for n in keep], sites


def _standing(houses: list[House], paved: Polygon) -> list[House]:
    """Without those that touch a road, the river or another house."""
    shapes = [Polygon(h.ring) for h in houses]
    tree = STRtree(shapes)
    gone = {int(i) for i in tree.query(paved, predicate="intersects")}
    pairs = tree.query(shapes, predicate="dwithin", distance=0.25)
    for a, b in sorted(zip(pairs[0].tolist(), pairs[1].tolist(), strict=True)):
        if b < a and b not in gone:
            gone.add(a)
    return [h for n, h in enumerate(houses) if n not in gone]


def _right_heated(houses: list[House], blocks: list[Block]) -> list[House]:
    """Exactly ``HEATED`` heated houses: the outermost quarters are not built yet, or offices join."""
    surplus = sum(h.heated for h in houses) - HEATED
    if surplus < 0:
        more = [h for h in houses if not h.heated and h.use == "shop" and h.floors >= 3]
        for h in sorted(more, key=lambda q: -Polygon(q.ring).area)[:-surplus]:
            h.heated, h.use = True, "office"
        return houses
    core = np.array([-150.0, float(np.mean([b.middle[1] for b in blocks if b.use == "square"]))])
    outer = sorted(
        (b for b in blocks if b.use == "compound"),
        key=lambda b: -float(np.hypot(b.middle[0] - core[0], 1.5 * (b.middle[1] - core[1]))),
    )
    gone: set[int] = set()
    for b in outer:
        mine = [n for n, h in enumerate(houses) if h.block == b.no and h.heated]
        if not mine or surplus == 0:
            continue
        mine.sort(key=lambda n: -houses[n].ring[0][1])
        take = mine[:surplus]
        gone |= set(take)
        surplus -= len(take)
        if len(take) == len(mine):
            b.use = "open"
            gone |= {n for n, h in enumerate(houses) if h.block == b.no}
    return [h for n, h in enumerate(houses) if n not in gone]


def _sites(houses: list[House], blocks: list[Block]) -> list[Site]:
    """One station per district, in its largest quarter, beside the street, on free ground."""
    heated = [n for n, h in enumerate(houses) if h.heated]
    shapes = [Polygon(h.ring) for h in houses]
    xy = np.array([(shapes[n].centroid.x, shapes[n].centroid.y) for n in heated])
    area = np.array([shapes[n].area * houses[n].floors for n in heated])
    area *= HEATED_AREA_M2 / area.sum()
    units = make_units([houses[n].block for n in heated], xy, area)
    river = float(np.mean([b.middle[1] for b in blocks if b.use == "square"])) - 380.0
    by_no = {b.no: b for b in blocks}
    south = [u.y < river - 260.0 + 0.13 * u.x for u in units]
    share = share_out(units, STATIONS, south)
    tree = STRtree(shapes)
    out: list[Site] = []
    taken: list[Polygon] = []
    for s in range(STATIONS):
        mine = [u for q, u in zip(share, units, strict=True) if q == s]
        own = [heated[n] for u in mine for n in u.houses]
        middle = np.average([(u.x, u.y) for u in mine], axis=0, weights=[u.area_m2 for u in mine])
        size: Counter[int] = Counter()
        for u in mine:
            size[houses[heated[u.houses[0]]].block] += round(u.area_m2)
        homes = [b for b, _ in size.most_common() if by_no[b].use == "compound"] or [
            size.most_common(1)[0][0]
        ]
        block = by_no[homes[0]]
        at = _free_spot(block, (float(middle[0]), float(middle[1])), tree, shapes, taken)
        taken.append(box(at[0] - 9, at[1] - 7, at[0] + 9, at[1] + 7))
        year = max(OPENED, int(np.median([houses[n].year for n in own])) + 1)
        out.append(Site(at, block.no, tuple(own), year))
    return sorted(out, key=lambda q: (q.at[0], q.at[1]))


def _free_spot(b: Block, middle: Point, tree: STRtree, shapes: list[Polygon], taken: list[Polygon]) -> Point:
    """Where the station house fits inside the block, nearest to the middle of its district."""
    best: tuple[float, Point] | None = None
    for inset in (9.0, 16.0, 24.0, 36.0, 55.0):
        inner = b.area.buffer(-inset)
        for part in getattr(inner, "geoms", [inner]):
            if part.is_empty:
                continue
            for d in np.arange(0.0, part.exterior.length, 7.0):
                p = part.exterior.interpolate(float(d))
                room = box(p.x - 9.0, p.y - 7.0, p.x + 9.0, p.y + 7.0)
                if not b.area.contains(room) or any(room.intersects(t) for t in taken):
                    continue
                if len(tree.query(room, predicate="intersects")):
                    continue
                away = float(np.hypot(p.x - middle[0], p.y - middle[1])) + 2.0 * inset
                if best is None or away < best[0]:
                    best = (away, (round(p.x, 1), round(p.y, 1)))
        if best is not None:
            return best[1]
    raise ValueError(f"no room for a heat station in block {b.no}")


def name_blocks(blocks: list[Block], sites: list[Site]) -> None:
    """A name for every station's quarter; further quarters are called after the nearest, by direction."""
    by_no = {b.no: b for b in blocks}
    used: Counter[str] = Counter()
    for s, (zh, en) in zip(sites, names.COMPOUNDS, strict=True):
        public = names.PUBLIC_STATIONS.get(by_no[s.block].use)
        s.name = public if public and all(o.name != public for o in sites) else (zh, en)
        if by_no[s.block].use == "compound" and not by_no[s.block].name:
            by_no[s.block].name = zh
    for b in blocks:
        if b.use != "compound" or b.name:
            continue
        near = min(sites, key=lambda s: float(np.hypot(s.at[0] - b.middle[0], s.at[1] - b.middle[1])))
        used[near.name[0]] += 1
        b.name = f"{near.name[0]}{'二三四五六七八九'[used[near.name[0]] - 1]}区"


def make_stock(
    houses: list[House], blocks: list[Block], sites: list[Site], frame: Frame, land: Land,
    community: list[tuple[str, Point]], rng: np.random.Generator,
) -> Stock:  # fmt: skip
    """Buildings with ids, areas, homes and heat, the heated ones first; and those of each station."""
    shapes = [Polygon(h.ring) for h in houses]
    gross = np.array([s.area * h.floors for s, h in zip(shapes, houses, strict=True)])
    heated = np.array([h.heated for h in houses])
    living = np.array([h.heated and h.use == "residence" for h in houses])
    net = np.where(heated, np.round(gross * HEATED_AREA_M2 / gross[heated].sum(), 1), gross)
    homes = np.where(living, np.floor(net * HOMES / net[living].sum()), 0).astype(int)
    homes[np.flatnonzero(living)[: HOMES - int(homes.sum())]] += 1
    station = {n: s for s, site in enumerate(sites) for n in site.houses}
    name_of = {b.no: b.name for b in blocks}
    out: list[Building] = []
    fed: list[list[Building]] = [[] for _ in sites]
    number: Counter[int] = Counter()
    for n in sorted(range(len(houses)), key=lambda q: (not heated[q], houses[q].block, q)):
        h = houses[n]
        number[h.block] += 1
        label = h.name or f"{names.USES[h.use]}{len(out) + 1}"
        if h.use == "residence":
            label = f"{name_of[h.block]}{number[h.block]}号楼"
        b = _building(
            len(out) + 1,
            label,
            h,
            shapes[n],
            station.get(n, -1),
            float(net[n]),
            int(homes[n]),
            frame,
            land,
            community,
            rng,
        )
        out.append(b)
        if h.heated:
            fed[station[n]].append(b)
    return Stock(out, fed, [sum(b.design_heat_w for b in f) for f in fed])


def _building(
    no: int, name: str, h: House, shape: Polygon, s: int, area: float, homes: int, frame: Frame, land: Land,
    community: list[tuple[str, Point]], rng: np.random.Generator,
) -> Building:  # fmt: skip
    p = (float(shape.centroid.x), float(shape.centroid.y))
    ring = [(float(x), float(y)) for x, y in shape.exterior.coords]
    ground = round(float(land.height(p[0], p[1])), 2)
    heat = round(area * heat_index_w_m2(h.year, h.use, rng), 0) if h.heated else 0.0
    ua = round(heat / (18.0 - DESIGN_OUTDOOR_C), 1)
    return Building(
        f"B{no:04d}", name, nearest(p, community), h.use, frame.path(ring), ground, round(h.height_m, 1), h.floors,
        h.year, h.heated, round(area, 1), homes, f"S{s + 1:02d}" if h.heated else "", heat, ua,
        round(ua * 3600.0 * float(rng.uniform(62, 112)), -5) if h.heated else 0.0,
        round(float(rng.uniform(60, 340)), 1) if h.heated else 0.0, round(heat / (CP * 24.0), 4),
    )  # fmt: skip


def make_stations(
    stock: Stock, sites: list[Site], at: list[Point], ends: list[int], available_pa: list[float], frame: Frame,
    community: list[tuple[str, Point]],
) -> list[Substation]:  # fmt: skip
    """The stations with design values from the buildings they feed."""
    out = []
    for n, site in enumerate(sites):
        fed = stock.by_station[n]
        newest = float(np.median([b.year for b in fed]))
        out.append(
            make_station(
                n + 1, *site.name, f"N{ends[n] + 1:04d}", nearest(at[n], community), *frame.lonlat(*at[n]),
                sum(b.area_m2 for b in fed), stock.heat_w[n], available_pa[n], max(b.height_m for b in fed),
                newest >= 2016,
            )
        )  # fmt: skip
    return out
