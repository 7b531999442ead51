"""The whole county from its parts."""

import numpy as np
from shapely.geometry import LineString, MultiPoint, Polygon, box
from shapely.geometry import Point as Dot
from shapely.ops import unary_union, voronoi_diagram
from shapely.strtree import STRtree

from ingest.demo.county import names
from ingest.demo.county.blocks import House, fill_block
from ingest.demo.county.features import Road, make_features
from ingest.demo.county.frame import Frame
from ingest.demo.county.heat_network import P_RETURN_PA, Trench, lay_trenches, make_network, size_trenches
from ingest.demo.county.land import EAST, NORTH, RIVER_WIDTH_M, SOUTH, WEST, Land
from ingest.demo.county.plan import (
    AVENUE_NAMES,
    CROSS,
    CROSS_HALF,
    CROSS_NAMES,
    STREET_HALF,
    Plan,
    Point,
)
from ingest.demo.county.points import make_registry
from ingest.demo.county.stations import (
    CP,
    DESIGN_OUTDOOR_C,
    T1_RETURN,
    T1_SUPPLY,
    heat_index_w_m2,
    make_sources,
    make_station,
)
from ingest.demo.county.villages import build_village, village_centres
from twin.model.county import Building, County, CountyMeta, Place, Terrain
from twin.model.network import Substation

CENTER = (105.3712, 35.4218)
HEATED_AREA_M2, HOMES, HEATED, BUILDINGS = 3.0e6, 25_000, 620, 3_500
CHP: Point = (-10_400.0, 0.0)
BOILER: Point = (5_150.0, 0.0)


def generate_county(seed: int = 7) -> County:
    """The demo county of ``seed``; the same seed gives the same county to the last digit."""
    rng = np.random.default_rng((seed, 1))
    frame, land = Frame(*CENTER), Land(seed)
    plan = Plan(land, seed)
    chp = (CHP[0], float(land.valley_y(CHP[0])) - 60.0)
    boiler = (BOILER[0], float(land.valley_y(BOILER[0])) + 210.0)
    centres = village_centres(plan, rng, len(names.VILLAGES))
    roads = _roads(plan, land, centres, chp, boiler)
    houses, lanes = _houses(plan, land, centres, roads, chp, boiler, rng)
    places, community_of = _places(plan, frame, centres)
    compounds = sorted({h.block for h in houses if h.use == "residence"})
    buildings, by_block = _buildings(houses, frame, land, community_of, compounds, rng)
    trench, ends, source, second = lay_trenches(plan, compounds, chp, boiler)
    heat = [sum(b.design_heat_w for b in by_block[n]) for n in range(len(compounds))]
    sized = size_trenches(trench, source, ends, [h / (CP * (T1_SUPPLY - T1_RETURN)) for h in heat])
    sources = make_sources(
        (f"N{source + 1:04d}", f"N{second + 1:04d}"), [frame.lonlat(*chp), frame.lonlat(*boiler)], sum(heat),
        max(sized.dp_supply_pa[e] for e in ends), P_RETURN_PA,
    )  # fmt: skip
    head = sources[0].p_supply_pa - sources[0].p_return_pa
    stations = [
        _station(
            n,
            trench,
            ends[n],
            by_block[n],
            heat[n],
            head - 2 * sized.dp_supply_pa[ends[n]],
            frame,
            community_of,
        )
        for n in range(len(compounds))
    ]
    network = make_network(trench, sized, frame, land, sources, stations, rng)
    features = make_features(plan, land, frame, roads, lanes, centres, rng)
    registry = make_registry(stations, sources, buildings, features, rng)
    code, name, name_en = names.COUNTY
    meta = CountyMeta(code, name, name_en, CENTER, DESIGN_OUTDOOR_C, demo=True, seed=seed)
    return County(
        meta, tuple(places), tuple(buildings), network, tuple(registry.devices), tuple(registry.points),
        tuple(features), _terrain(land, frame),
    )  # fmt: skip


def _terrain(land: Land, frame: Frame, nx: int = 176, ny: int = 88) -> Terrain:
    x, y = np.linspace(WEST, EAST, nx), np.linspace(SOUTH, NORTH, ny)
    z = np.round(land.height(x[None, :], y[:, None]), 2)
    (lon0, lat0), (lon1, lat1) = frame.lonlat(WEST, SOUTH), frame.lonlat(EAST, NORTH)
    return Terrain(lon0, lat0, round((lon1 - lon0) / (nx - 1), 10), round((lat1 - lat0) / (ny - 1), 10), z)


def _roads(plan: Plan, land: Land, centres: list[Point], chp: Point, boiler: Point) -> list[Road]:
    """(name, line, width m, class)."""
    out: list[Road] = []
    for k, name in enumerate(AVENUE_NAMES):
        out.append((name, plan.avenue(k), 2 * STREET_HALF[k] - 4.0, "main" if k in (1, 2) else "secondary"))
    for i, name in enumerate(CROSS_NAMES[:CROSS]):
        out.append((name, plan.street(i), 2 * CROSS_HALF - 4.0, "secondary"))
    for i in (4, 10, 16):
        x, y = plan.corner(i, 0)
        south = float(land.river_y(x)) - 330.0
        out.append(
            (f"{CROSS_NAMES[i]}大桥", [(x, y), (x + 6.0, float(land.river_y(x))), (x, south)], 16.0, "main")
        )
    xs = np.linspace(WEST + 150, plan.corner(0, 2)[0], 26)
    west = [(float(x), float(land.valley_y(x)) + 205.0) for x in xs[:-1]] + [plan.corner(0, 2)]
    xs = np.linspace(plan.corner(CROSS - 1, 2)[0], EAST - 150, 18)
    east = [plan.corner(CROSS - 1, 2)] + [(float(x), float(land.valley_y(x)) + 420.0) for x in xs[1:]]
    south_x = np.linspace(-3600.0, 3700.0, 16)
    out.append(("310国道", west, 18.0, "county"))
    out.append(("310国道", east, 18.0, "county"))
    out.append(("南滨河路", [(float(x), float(land.river_y(x)) - 330.0) for x in south_x], 12.0, "secondary"))
    for n, (x, y) in enumerate(centres):
        on = min(
            (*west, *east, *[(float(q), float(land.river_y(q)) - 330.0) for q in south_x]),
            key=lambda p: abs(p[0] - x) + 0.2 * abs(p[1] - y),
        )
        out.append(
            (
                f"{names.VILLAGES[n][0][:-1]}路",
                [on, ((on[0] + x) / 2 + 25.0, (on[1] + y) / 2), (x, y)],
                7.0,
                "village",
            )
        )
    return out


def _houses(
    plan: Plan,
    land: Land,
    centres: list[Point],
    roads: list[Road],
    chp: Point,
    boiler: Point,
    rng: np.random.Generator,
) -> tuple[list[House], list[list[Point]]]:
    """Every building; overlapping ones are left out, surplus old houses thinned."""
    river = LineString([(float(x), float(land.river_y(x))) for x in np.linspace(WEST, EAST, 500)])
    blocked = unary_union(
        [river.buffer(RIVER_WIDTH_M / 2 + 12)] + [LineString(r[1]).buffer(r[2] / 2 + 3) for r in roads]
    )
    houses = _plant_houses(chp, boiler)
    for i, k in plan.uses:
        houses += fill_block(plan, i, k, rng)
    lanes = []
    town = box(plan.corner(0, 0)[0] - 250, -2600, plan.corner(CROSS - 1, 0)[0] + 400, 2600)
    for n, centre in enumerate(centres):
        more, lane = build_village(n, centre, rng, blocked)
        houses += [
            h
            for h in more
            if abs(centre[1] - float(land.valley_y(centre[0]))) > 700 or not town.contains(Polygon(h.ring))
        ]
        lanes.append(lane)
    shapes = [Polygon(h.ring) for h in houses]
    tree = STRtree(shapes)
    gone: set[int] = set()
    free = [not blocked.intersects(s) for s in shapes]
    for a, s in enumerate(shapes):
        if not free[a]:
            gone.add(a)
            continue
        if any(b < a and b not in gone and shapes[b].distance(s) < 0.8 for b in tree.query(s.buffer(0.8))):
            gone.add(a)
    houses = [h for n, h in enumerate(houses) if n not in gone]
    return _trim(houses, rng), lanes


def _trim(houses: list[House], rng: np.random.Generator) -> list[House]:
    """Exactly the wanted number of heated and of all buildings."""
    heated = [n for n, h in enumerate(houses) if h.heated]
    homes = [n for n in heated if houses[n].use == "residence"]
    surplus = len(heated) - HEATED
    drop = set(rng.permutation(homes)[:surplus].tolist()) if surplus > 0 else set()
    if surplus < 0:
        for n in [n for n, h in enumerate(houses) if h.use == "old_town" and h.floors >= 3][:-surplus]:
            houses[n].heated, houses[n].use = True, "office"
    rest = [n for n, h in enumerate(houses) if not h.heated and h.use in ("old_town", "village")]
    extra = len(houses) - len(drop) - BUILDINGS
    if extra > 0:
        drop |= set(rng.permutation(rest)[:extra].tolist())
    return [h for n, h in enumerate(houses) if n not in drop]


def _plant_houses(chp: Point, boiler: Point) -> list[House]:
    def at(p: Point, dx: float, dy: float, w: float, d: float) -> list[Point]:
        x, y = p[0] + dx, p[1] + dy
        return [
            (x - w / 2, y - d / 2),
            (x + w / 2, y - d / 2),
            (x + w / 2, y + d / 2),
            (x - w / 2, y + d / 2),
        ]

    def disk(p: Point, dx: float, dy: float, r: float) -> list[Point]:
        turn = np.linspace(0, 2 * np.pi, 17)[:-1]
        return [(p[0] + dx + r * float(np.cos(a)), p[1] + dy + r * float(np.sin(a))) for a in turn]

    def one(ring: list[Point], use: str, h: float, year: int, name: str) -> House:
        return House(ring, use, 1, h, year, False, (-2, 0), name)

    return [
        one(at(chp, -20, 70, 120, 46), "plant", 38, 2013, "热电厂主厂房"),
        one(at(chp, -20, 128, 96, 34), "plant", 52, 2013, "热电厂锅炉间"),
        one(disk(chp, 95, 120, 5.5), "chimney", 150, 2013, "热电厂烟囱"),
        one(disk(chp, -150, 100, 33), "cooling_tower", 88, 2013, "热电厂冷却塔"),
        one(disk(chp, -240, 100, 33), "cooling_tower", 88, 2014, "热电厂二号冷却塔"),
        one(at(boiler, 10, 62, 62, 30), "plant", 19, 2018, "调峰锅炉房"),
        one(disk(boiler, 62, 62, 2.6), "chimney", 60, 2018, "调峰锅炉房烟囱"),
    ]


def _places(plan: Plan, frame: Frame, centres: list[Point]) -> tuple[list[Place], list[tuple[str, Point]]]:
    """County, 8 townships, 40 communities; boundaries are Voronoi cells clipped to the county."""
    whole = box(WEST + 60, SOUTH + 60, EAST - 60, NORTH - 60)
    town: list[Point] = []
    for n in range(len(names.TOWN_COMMUNITIES)):
        i, k = 1 + (n * 5) % 19 + (n // 8), n % 3
        ring = plan.block_ring(min(i, CROSS - 2), k)
        town.append((sum(p[0] for p in ring) / 4 + n % 4, sum(p[1] for p in ring) / 4 + n % 3))
    spots = town + centres
    cells = [c.intersection(whole) for c in voronoi_diagram(MultiPoint(spots), envelope=whole).geoms]
    order = [next(c for c in cells if c.covers(Dot(p))) for p in spots]
    county_id = names.COUNTY[0]
    group = [0] * len(town) + [_township(p) for p in centres]
    places = [Place(county_id, "county", names.COUNTY[1], names.COUNTY[2], "", *CENTER, _ring(whole, frame))]
    for t, (zh, en) in enumerate(names.TOWNSHIPS):
        shape = unary_union([order[j] for j in range(len(spots)) if group[j] == t])
        shape = max(shape.geoms, key=lambda g: g.area) if shape.geom_type == "MultiPolygon" else shape
        c = shape.representative_point()
        places.append(
            Place(
                f"T{t + 1:02d}", "township", zh, en, county_id, *frame.lonlat(c.x, c.y), _ring(shape, frame)
            )
        )
    labels = [*names.TOWN_COMMUNITIES, *names.VILLAGES]
    community: list[tuple[str, Point]] = []
    for j, (p, (zh, en)) in enumerate(zip(spots, labels, strict=True)):
        cid = f"C{j + 1:03d}"
        places.append(
            Place(cid, "community", zh, en, f"T{group[j] + 1:02d}", *frame.lonlat(*p), _ring(order[j], frame))
        )
        community.append((cid, p))
    return places, community


def _township(p: Point) -> int:
    """Townships outside the seat by place along the valley."""
    if p[0] < -9_500:
        return 5
    if p[0] < -7_300:
        return 2
    if p[0] < -4_000:
        return 3 if p[1] > 0 else 7
    if p[0] < 4_000:
        return 1
    if p[0] < 6_600:
        return 4
    return 6


def _ring(shape: Polygon, frame: Frame) -> tuple[tuple[float, float], ...]:
    return frame.path([(float(x), float(y)) for x, y in shape.exterior.coords])


def _nearest(p: Point, community: list[tuple[str, Point]]) -> str:
    return min(community, key=lambda c: (c[1][0] - p[0]) ** 2 + (c[1][1] - p[1]) ** 2)[0]


def _buildings(
    houses: list[House], frame: Frame, land: Land, community: list[tuple[str, Point]],
    compounds: list[tuple[int, int]], rng: np.random.Generator,
) -> tuple[list[Building], list[list[Building]]]:  # fmt: skip
    """Buildings with ids, areas, homes and heat; and the heated ones by station."""
    shapes = [Polygon(h.ring) for h in houses]
    gross = np.array([s.area * h.floors for s, h in zip(shapes, houses, strict=True)])
    heated = np.array([h.heated for h in houses])
    living = np.array([h.heated and h.use == "residence" for h in houses])
    net = np.round(gross * HEATED_AREA_M2 / gross[heated].sum(), 1)
    homes = np.where(living, np.floor(net * HOMES / net[living].sum()), 0).astype(int)
    short = HOMES - int(homes.sum())
    homes[np.flatnonzero(living)[:short]] += 1
    middle = [
        (sum(p[0] for p in h.ring) / len(h.ring), sum(p[1] for p in h.ring) / len(h.ring)) for h in houses
    ]
    mids = [
        np.mean([middle[n] for n, h in enumerate(houses) if h.block == b and h.use == "residence"], axis=0)
        for b in compounds
    ]
    load = np.zeros(len(compounds))
    out: list[Building] = []
    by_block: list[list[Building]] = [[] for _ in compounds]
    number: dict[tuple[int, int], int] = {}
    for n in sorted(range(len(houses)), key=lambda q: (not heated[q], q)):
        h, p = houses[n], middle[n]
        s = compounds.index(h.block) if h.block in compounds else -1
        if heated[n] and s < 0:
            far = [np.hypot(m[0] - p[0], m[1] - p[1]) + 0.012 * load[q] for q, m in enumerate(mids)]
            s = int(np.argmin(far))
        number[h.block] = number.get(h.block, 0) + 1
        b = _building(len(out) + 1, h, shapes[n], p, s, float(net[n] if heated[n] else gross[n]), int(homes[n]),
                      number[h.block], frame, land, community, rng)  # fmt: skip
        out.append(b)
        if b.heated:
            load[s] += b.area_m2
            by_block[s].append(b)
    return out, by_block


def _building(
    no: int, h: House, shape: Polygon, p: Point, s: int, area: float, homes: int, number: int, frame: Frame,
    land: Land, community: list[tuple[str, Point]], rng: np.random.Generator,
) -> Building:  # fmt: skip
    cid = _nearest(p, community)
    name = h.name or (
        f"{names.COMPOUNDS[s % 28][0]}{number}号楼" if h.use == "residence" else f"{names.USES[h.use]}{no}"
    )
    ring = list(shape.exterior.coords)
    ground = round(float(land.height(np.array(p[0]), np.array(p[1]))), 2)
    heat = round(area * heat_index_w_m2(h.year, h.use, rng), 0) if h.heated else 0.0
    ua = round(heat / (18.0 - DESIGN_OUTDOOR_C), 1)
    flow = round(heat / (CP * 24.0), 4)
    return Building(
        f"B{no:04d}", name, cid, h.use, frame.path([(float(x), float(y)) for x, y in ring]), ground, round(h.height_m, 1),
        h.floors, h.year, h.heated, round(area, 1), homes, f"S{s + 1:02d}" if h.heated else "", heat, ua,
        round(ua * 3600.0 * float(rng.uniform(62, 112)), -5) if h.heated else 0.0,
        round(float(rng.uniform(60, 340)), 1) if h.heated else 0.0, flow,
    )  # fmt: skip


def _station(
    n: int, trench: Trench, end: int, fed: list[Building], heat_w: float, available_pa: float, frame: Frame,
    community: list[tuple[str, Point]],
) -> Substation:  # fmt: skip
    lon, lat = frame.lonlat(*trench.at[end])
    zh, en = names.COMPOUNDS[n % 28]
    newest = np.median([b.year for b in fed])
    return make_station(
        n + 1, zh, en, f"N{end + 1:04d}", _nearest(trench.at[end], community), lon, lat, sum(b.area_m2 for b in fed),
        heat_w, available_pa, max(b.height_m for b in fed), bool(newest >= 2017),
    )  # fmt: skip
