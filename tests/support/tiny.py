"""A tiny county by hand: one loop, two sources, four stations, ten buildings, every dialect.

Layout (metres east and north of the centre; the four trenches N01-N02-N03-N04 form the loop)::

    S02 - N06 - N02 ------- N03 - N07 - S03
                 |           |
    SRC1 ------ N01 ------- N04 ------ SRC2
                 |           |
                N05         N08
                 |           |
                S01         S04
"""

from math import cos, hypot, radians

import numpy as np

from tests.support.tiny_points import make_devices, make_points
from twin.model.county import Building, County, CountyMeta, Feature, Place, Terrain
from twin.model.network import (
    HeatNetwork,
    LonLat,
    Node,
    Pipe,
    Pump,
    Side,
    Source,
    Substation,
    Valve,
)

CENTER: LonLat = (103.62, 35.58)
DESIGN_OUTDOOR_C = -9.0
ROOM_C = 18.0
CP_J_KG_K = 4190.0

# id: (x m, y m, kind)
_NODES = {
    "NSRC1": (-600.0, 0.0, "source"),
    "N01": (-200.0, 0.0, "chamber"),
    "N02": (-200.0, 300.0, "chamber"),
    "N03": (200.0, 300.0, "chamber"),
    "N04": (200.0, 0.0, "chamber"),
    "NSRC2": (560.0, 0.0, "source"),
    "N05": (-200.0, -150.0, "junction"),
    "N06": (-400.0, 300.0, "junction"),
    "N07": (420.0, 300.0, "junction"),
    "N08": (200.0, -180.0, "junction"),
    "NS01": (-200.0, -260.0, "substation"),
    "NS02": (-400.0, 420.0, "substation"),
    "NS03": (420.0, 450.0, "substation"),
    "NS04": (200.0, -300.0, "substation"),
}

# trench: (from, to, inner diameter m), drawn source -> consumer
_TRENCHES = {
    "P01": ("NSRC1", "N01", 0.260),
    "P02": ("N01", "N02", 0.207),
    "P03": ("N02", "N03", 0.150),
    "P04": ("N01", "N04", 0.207),
    "P05": ("N04", "N03", 0.150),
    "P06": ("NSRC2", "N04", 0.207),
    "P07": ("N01", "N05", 0.125),
    "P08": ("N05", "NS01", 0.100),
    "P09": ("N02", "N06", 0.125),
    "P10": ("N06", "NS02", 0.100),
    "P11": ("N03", "N07", 0.125),
    "P12": ("N07", "NS03", 0.125),
    "P13": ("N04", "N08", 0.125),
    "P14": ("N08", "NS04", 0.100),
}

# building: (station or "", x m, y m, width m, depth m, floors, year, use)
_BUILDINGS = {
    "B01": ("S01", -260.0, -300.0, 60.0, 14.0, 11, 2008, "residential"),
    "B02": ("S01", -260.0, -340.0, 60.0, 14.0, 11, 2008, "residential"),
    "B03": ("S02", -470.0, 430.0, 50.0, 13.0, 18, 2015, "residential"),
    "B04": ("S02", -470.0, 470.0, 50.0, 13.0, 18, 2015, "residential"),
    "B05": ("S03", 450.0, 470.0, 70.0, 20.0, 6, 2001, "school"),
    "B06": ("S03", 450.0, 510.0, 60.0, 16.0, 12, 2012, "hospital"),
    "B07": ("S04", 230.0, -320.0, 45.0, 12.0, 6, 1996, "residential"),
    "B08": ("S04", 230.0, -350.0, 45.0, 12.0, 6, 1996, "residential"),
    "B09": ("", 0.0, 120.0, 30.0, 20.0, 2, 1988, "shop"),
    "B10": ("", 60.0, 120.0, 12.0, 9.0, 1, 1975, "village"),
}

_STATION_NAMES = {
    "S01": ("东关换热站", "Dongguan station"),
    "S02": ("河滨换热站", "Riverside station"),
    "S03": ("文昌换热站", "Wenchang station"),
    "S04": ("南门换热站", "South Gate station"),
}


def to_lonlat(x_m: float, y_m: float) -> LonLat:
    """Degrees of a place ``x_m`` east and ``y_m`` north of the centre (plane, good to 0.2 %)."""
    lon0, lat0 = CENTER
    return lon0 + x_m / (111320.0 * cos(radians(lat0))), lat0 + y_m / 110950.0


def _make_terrain() -> Terrain:
    lon0, lat0 = to_lonlat(-1000.0, -900.0)
    lon1, lat1 = to_lonlat(1000.0, 900.0)
    n_lat, n_lon = 7, 9
    y, x = np.mgrid[0:n_lat, 0:n_lon]
    return Terrain(
        lon0, lat0, (lon1 - lon0) / (n_lon - 1), (lat1 - lat0) / (n_lat - 1), 1850.0 + 3.0 * y + 0.5 * x
    )


def _height(terrain: Terrain, where: LonLat) -> float:
    return float(terrain.height_at(np.array([where[0]]), np.array([where[1]]))[0])


def _make_nodes(terrain: Terrain) -> tuple[Node, ...]:
    nodes = []
    for node_id, (x, y, kind) in _NODES.items():
        where = to_lonlat(x, y)
        nodes.append(Node(node_id, *where, _height(terrain, where) - 1.5, kind))
    return tuple(nodes)


def _make_pipes() -> tuple[Pipe, ...]:
    pipes = []
    for pair, (a, b, diameter) in _TRENCHES.items():
        (xa, ya, _), (xb, yb, _) = _NODES[a], _NODES[b]
        for side in Side:
            pipes.append(
                Pipe(
                    id=f"{pair}-{'S' if side is Side.SUPPLY else 'R'}",
                    pair_id=pair,
                    side=side,
                    from_node=a,
                    to_node=b,
                    length_m=hypot(xb - xa, yb - ya),
                    diameter_m=diameter,
                    roughness_m=0.0005,
                    u_w_m_k=0.32,
                    zeta=1.5,
                    depth_m=1.5,
                    year=2010,
                    path=(to_lonlat(xa, ya), to_lonlat(xb, yb)),
                )
            )
    return tuple(pipes)


def _ring(x: float, y: float, width: float, depth: float) -> tuple[LonLat, ...]:
    corners = ((x, y), (x + width, y), (x + width, y + depth), (x, y + depth), (x, y))
    return tuple(to_lonlat(*c) for c in corners)


def _make_buildings(terrain: Terrain) -> tuple[Building, ...]:
    buildings: list[Building] = []
    for no, (building_id, (station, x, y, width, depth, floors, year, use)) in enumerate(
        _BUILDINGS.items(), 1
    ):
        area = width * depth * floors
        heat = area * (58.0 if year < 2005 else 45.0) if station else 0.0
        ua = heat / (ROOM_C - DESIGN_OUTDOOR_C)
        buildings.append(
            Building(
                id=building_id,
                name=f"{no}号楼",
                community_id="C01" if x < 0 else "C02",
                use=use,
                footprint=_ring(x, y, width, depth),
                ground_m=_height(terrain, to_lonlat(x, y)),
                height_m=3.0 * floors,
                floors=floors,
                year=year,
                heated=bool(station),
                area_m2=area,
                homes=int(area // 100) if use == "residential" else 0,
                substation_id=station,
                design_heat_w=heat,
                ua_w_k=ua,
                capacity_j_k=ua * 80.0 * 3600.0,
                circuit_length_m=2.0 * (40.0 + 15.0 * no) if station else 0.0,
                circuit_flow_kg_s=heat / (CP_J_KG_K * 25.0),
                address=f"建设路{2 * len(buildings) + 2}号",
            )
        )
    return tuple(buildings)


def _supply_curve() -> tuple[tuple[float, float], ...]:
    curve = []
    for outdoor in (-20.0, -15.0, -9.0, -5.0, 0.0, 5.0, 10.0, 15.0):
        load = (ROOM_C - outdoor) / (ROOM_C - DESIGN_OUTDOOR_C)
        curve.append((outdoor, round(ROOM_C + 44.5 * load ** (1 / 1.3) + 12.5 * load, 1)))
    return tuple(curve)


def _make_substations(buildings: tuple[Building, ...]) -> tuple[Substation, ...]:
    stations = []
    for station_id, (name, name_en) in _STATION_NAMES.items():
        mine = [b for b in buildings if b.substation_id == station_id]
        heat = sum(b.design_heat_w for b in mine)
        x, y, _ = _NODES[f"N{station_id}"]
        lon, lat = to_lonlat(x, y)
        flow = heat / (CP_J_KG_K * 50.0)
        stations.append(
            Substation(
                id=station_id,
                name=name,
                name_en=name_en,
                node_id=f"N{station_id}",
                community_id="C01" if x < 0 else "C02",
                lon=lon,
                lat=lat,
                area_m2=sum(b.area_m2 for b in mine),
                design_heat_w=heat,
                design_flow_kg_s=flow,
                secondary_flow_kg_s=heat / (CP_J_KG_K * 25.0),
                hx_ua_w_k=heat / 19.96,
                kv_m3_h=1.5 * flow * 3.6,
                t_secondary_supply_c=75.0,
                t_secondary_return_c=50.0,
                p_secondary_return_pa=3.5e5,
                curve=_supply_curve(),
            )
        )
    return tuple(stations)


def _make_sources() -> tuple[Source, ...]:
    design = (110.0, 60.0, 8.0e5, 3.0e5)  # supply and return °C, supply and return Pa
    chp, boiler = to_lonlat(*_NODES["NSRC1"][:2]), to_lonlat(*_NODES["NSRC2"][:2])
    return (
        Source("SRC1", "城西热电厂", "West CHP", "chp", "NSRC1", *chp, 6.0e6, 1.0e6, 1.0e4, 0.86, *design),
        Source(
            "SRC2", "城东调峰锅炉房", "East peak boiler", "boiler", "NSRC2", *boiler,
            2.5e6, 0.5e6, 5.0e3, 0.91, *design, False,
        ),
    )  # fmt: skip


def _make_pumps(stations: tuple[Substation, ...]) -> tuple[Pump, ...]:
    pumps = [
        Pump("SRC1-P1", "SRC1", "circulation", 6.2e5, 2.0e8, 0.9, 3.0e4),
        Pump("SRC2-P1", "SRC2", "circulation", 6.2e5, 6.0e8, 0.9, 1.5e4),
    ]
    for s in stations:
        q = s.secondary_flow_kg_s / 980.0
        pumps.append(Pump(f"{s.id}-CP1", s.id, "circulation", 2.2e5, 7.0e4 / q**2, 0.9, 1.5e5 * q / 0.6))
    return tuple(pumps)


def _make_valves() -> tuple[Valve, ...]:
    mid_loop, branch = to_lonlat(-200.0, 150.0), to_lonlat(-300.0, 300.0)
    return (
        Valve("V01", "P02-S", "section", 900.0, 1.0, *mid_loop),
        Valve("V02", "P02-R", "section", 900.0, 1.0, *mid_loop),
        Valve("V03", "P09-S", "section", 300.0, 1.0, *branch),
        Valve("V04", "P09-R", "section", 300.0, 1.0, *branch),
    )


def _make_features() -> tuple[Feature, ...]:
    def line(*xy: tuple[float, float]) -> tuple[LonLat, ...]:
        return tuple(to_lonlat(*c) for c in xy)

    return (
        Feature("R1", "road", "人民路", "line", line((-700, 20), (0, 22), (700, 15)), {"width_m": 18.0}),
        Feature("R2", "road", "解放路", "line", line((-180, -500), (-182, 600)), {"width_m": 12.0}),
        Feature("RV1", "river", "清水河", "line", line((-900, 700), (0, 640), (900, 720)), {"width_m": 40.0}),
        Feature("L1", "landuse", "人民公园", "polygon", _ring(-120, 60, 80, 60), {"use": "park"}),
        Feature("CP1", "carpark", "南门停车场", "polygon", _ring(60, -200, 60, 40), {"spaces": 120.0}),
        Feature("RG1", "river_gauge", "清水河水位站", "point", line((0, 640)), {}),
        Feature("CAM1", "camera", "人民路口", "point", line((-182, 21)), {"azimuth_deg": 90.0}),
        Feature("WX1", "weather_station", "县气象站", "point", line((0, -500)), {}),
    )


def _make_places() -> tuple[Place, ...]:
    county, west, east = to_lonlat(0, 0), to_lonlat(-300, 0), to_lonlat(300, 0)
    edge = tuple(
        to_lonlat(x, y) for x, y in ((-900, -800), (900, -800), (900, 800), (-900, 800), (-900, -800))
    )
    return (
        Place("620999", "county", "清河县", "Qinghe County", "", *county, edge),
        Place("T01", "township", "城关镇", "Chengguan Town", "620999", *county),
        Place("C01", "community", "西关社区", "Xiguan community", "T01", *west),
        Place("C02", "community", "东关社区", "Dongguan community", "T01", *east),
    )


def make_tiny_county() -> County:
    """Return the tiny county; the same every time."""
    terrain = _make_terrain()
    buildings = _make_buildings(terrain)
    stations = _make_substations(buildings)
    devices, keys = make_devices()
    network = HeatNetwork(
        nodes=_make_nodes(terrain),
        pipes=_make_pipes(),
        valves=_make_valves(),
        pumps=_make_pumps(stations),
        sources=_make_sources(),
        substations=stations,
    )
    return County(
        meta=CountyMeta(
            "620999", "清河县", "Qinghe County", CENTER, DESIGN_OUTDOOR_C, ROOM_C, demo=True, seed=1
        ),
        places=_make_places(),
        buildings=buildings,
        network=network,
        devices=devices,
        points=make_points(devices, keys),
        features=_make_features(),
        terrain=terrain,
    )
