"""The whole county from its parts."""

from dataclasses import dataclass

import numpy as np
from shapely.geometry import LineString, Polygon
from shapely.ops import unary_union

from ingest.demo.county import names
from ingest.demo.county.addresses import give_addresses
from ingest.demo.county.blocks import Filling, fill_compound, fill_mixed, fill_sheds
from ingest.demo.county.features import make_features
from ingest.demo.county.frame import Frame
from ingest.demo.county.heat_network import P_RETURN_PA, make_network
from ingest.demo.county.land import EAST, NORTH, SOUTH, WEST, Land, make_land
from ingest.demo.county.places import make_places
from ingest.demo.county.plan import Block, make_blocks
from ingest.demo.county.plants import fill_sites, plant_sites
from ingest.demo.county.points import make_registry
from ingest.demo.county.public import fill_public
from ingest.demo.county.quarters import fill_grown
from ingest.demo.county.stations import CP, DESIGN_OUTDOOR_C, T1_RETURN, T1_SUPPLY, make_sources
from ingest.demo.county.stock import make_stations, make_stock, name_blocks, settle
from ingest.demo.county.streets import Street, Town, make_town, outer_roads
from ingest.demo.county.trenches import lay_trenches, size_trenches
from ingest.demo.county.villages import Village, fill_village, make_villages, village_roads
from twin.model.county import County, CountyMeta, Terrain

CENTER = (105.3712, 35.4218)


def generate_county(seed: int = 7) -> County:
    """The demo county of ``seed``; the same seed gives the same county to the last digit."""
    rng = np.random.default_rng((seed, 1))
    frame, land = Frame(*CENTER), make_land(seed)
    town = make_town(land, np.random.default_rng((seed, 21)))
    blocks = make_blocks(town, land, np.random.default_rng((seed, 22)))
    chp, boiler = plant_sites(land, town)
    settled = _settle_land(land, town, [chp.area, boiler.area], blocks, rng)
    fillings = [*settled.fillings, fill_sites(chp, boiler)]
    houses, sites = settle(fillings, blocks, settled.paved, rng)
    places, community = make_places(land, frame, settled.villages, CENTER)
    name_blocks(blocks, sites)
    stock = make_stock(houses, blocks, sites, frame, land, community, rng)
    trench, ends, source, second = lay_trenches(
        list(town.streets), [s.at for s in sites], chp.gate, boiler.gate
    )
    flows = [h / (CP * (T1_SUPPLY - T1_RETURN)) for h in stock.heat_w]
    sized = size_trenches(trench, source, second, ends, flows)
    worst = max(sized.dp_supply_pa[e] for e in ends)
    sources = make_sources(
        (f"N{source + 1:04d}", f"N{second + 1:04d}"), [frame.lonlat(*chp.gate), frame.lonlat(*boiler.gate)],
        sum(stock.heat_w), worst, sized.dp_supply_pa[second], P_RETURN_PA,
    )  # fmt: skip
    head = sources[0].p_supply_pa - sources[0].p_return_pa
    left = [head - 2 * sized.dp_supply_pa[e] for e in ends]
    stations = make_stations(stock, sites, [trench.at[e] for e in ends], ends, left, frame, community)
    network = make_network(trench, sized, frame, land, sources, stations, [s.year for s in sites], rng)
    features = make_features(
        land, frame, settled.roads, blocks, fillings, settled.taken, [Polygon(h.ring) for h in houses], rng
    )
    registry = make_registry(stations, sources, stock.buildings, features, rng)
    buildings = give_addresses(stock.buildings, settled.roads, places, frame)
    code, name, name_en = names.COUNTY
    meta = CountyMeta(code, name, name_en, CENTER, DESIGN_OUTDOOR_C, demo=True, seed=seed)
    return County(
        meta, tuple(places), tuple(buildings), network, tuple(registry.devices), tuple(registry.points),
        tuple(features), _terrain(land, frame),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Settled:
    """Land that is in use: roads, villages, what fills the blocks."""

    roads: list[Street]
    villages: list[Village]
    fillings: list[Filling]
    paved: Polygon
    taken: Polygon


def _settle_land(
    land: Land, town: Town, sites: list[Polygon], blocks: list[Block], rng: np.random.Generator
) -> _Settled:
    """Roads and villages around the town, and what stands in every block and village."""
    outer = outer_roads(land, town)
    far = [s.shape.buffer(s.width_m / 2 + 4.0) for s in outer]
    river = Polygon(land.river.bank()).buffer(18.0)
    stream = LineString(land.stream).buffer(18.0)
    core = unary_union([town.ring.buffer(34.0), town.south.buffer(28.0), town.estate.buffer(28.0), *sites])
    blocked = unary_union([*far, river, stream, core, land.reservoir.buffer(30.0)])
    villages = make_villages(land, blocked, rng)
    roads = [*town.streets, *outer, *village_roads(land, villages, [*town.streets, *outer])]
    paved = unary_union([s.shape.buffer(s.width_m / 2 + 1.5) for s in roads if s.kind != "lane"])
    fillings = [_fill(b, rng) for b in blocks]
    fillings += [fill_village(v, rng) for v in villages]
    whole = unary_union([blocked, paved, *[v.area.buffer(9.0) for v in villages], *_gravel(land)])
    return _Settled(roads, villages, fillings, unary_union([paved, river]), whole)


def _gravel(land: Land) -> list[Polygon]:
    return [Polygon(bar).buffer(6.0) for bar in land.river.bars()]


def _fill(b: Block, rng: np.random.Generator) -> Filling:
    """What stands in a block, by its use."""
    if b.use == "compound":
        return fill_compound(b, rng)
    if b.use == "mixed":
        return fill_mixed(b, rng)
    if b.use in ("industry", "warehouse"):
        return fill_sheds(b, rng)
    if b.use == "old_town":
        return fill_grown(b.area.buffer(-2.0), b.no, rng, parcel_m2=400.0, keep=0.96, use="old_town",
                          floors=(1, 1, 1, 2), years=(1935, 1995))  # fmt: skip
    if b.use == "urban_village":
        return fill_grown(b.area.buffer(-3.0), b.no, rng, parcel_m2=330.0, keep=0.9, use="urban_village",
                          floors=(2, 2, 3), years=(1984, 2008))  # fmt: skip
    return fill_public(b, rng) if b.use != "open" else Filling()


def _terrain(land: Land, frame: Frame) -> Terrain:
    n_y, n_x = land.height_m.shape
    (lon0, lat0), (lon1, lat1) = frame.lonlat(WEST, SOUTH), frame.lonlat(EAST, NORTH)
    step = round((lon1 - lon0) / (n_x - 1), 10), round((lat1 - lat0) / (n_y - 1), 10)
    return Terrain(lon0, lat0, *step, land.height_m)
