"""The demo county: the same for ever, the promised size, a place where nothing overlaps and heat can flow."""

from collections import Counter

import numpy as np
import pytest
from shapely.geometry import LineString, Polygon
from shapely.strtree import STRtree

from ingest.demo.county import generate_county
from ingest.demo.county.frame import Frame
from twin.heat import SteadyBoundary, SteadyState, compile_network, solve_steady
from twin.model.check import check_county
from twin.model.county import County, Feature


@pytest.fixture(scope="module")
def county() -> County:
    return generate_county(7)


def metres(county: County, path: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
    m, n = Frame(*county.meta.center)._radii()
    lon0, lat0 = county.meta.center
    return [(np.radians(lon - lon0) * n, np.radians(lat - lat0) * m) for lon, lat in path]


def solve(county: County, load: float, boiler_share: float = 0.0) -> SteadyState:
    network = county.network
    total = sum(s.design_flow_kg_s for s in network.substations)
    boundary = SteadyBoundary(
        t_source_c=np.array([105.0, 105.0]),
        p_supply_pa=np.array([s.p_supply_pa for s in network.sources]),
        p_return_pa=np.array([s.p_return_pa for s in network.sources]),
        source_flow_kg_s=np.array([np.nan, boiler_share * total]),
        flow_kg_s=load * np.array([s.design_flow_kg_s for s in network.substations]),
        t_return_c=np.full(len(network.substations), 50.0),
    )
    return solve_steady(compile_network(network), boundary)


def test_the_same_seed_makes_the_same_county_and_another_seed_another(county: County) -> None:
    assert generate_county(7) == county
    assert generate_county(8).buildings != county.buildings


def test_it_has_the_promised_size(county: County) -> None:
    heated = [b for b in county.buildings if b.heated]
    kinds = Counter(p.kind for p in county.places)
    assert (len(county.buildings), len(heated)) == (3500, 620)
    assert sum(b.area_m2 for b in heated) == pytest.approx(3.0e6, rel=0.01)
    assert sum(b.homes for b in county.buildings) == 25_000
    assert (kinds["township"], kinds["community"]) == (8, 40)
    assert len(county.network.substations) == 28
    assert sum(p.key == "room_t" for p in county.points) == 750
    trench_km = sum(p.length_m for p in county.network.pipes) / 2000
    assert 54 <= trench_km <= 66
    assert {s.kind for s in county.network.sources} == {"chp", "boiler"}


def test_it_passes_every_check(county: County) -> None:
    assert [f.line("en") for f in check_county(county)] == []


def test_stations_feed_eight_to_sixteen_hectares_and_every_heated_building_has_one(county: County) -> None:
    area = {s.id: s.area_m2 for s in county.network.substations}
    assert all(80_000 <= a <= 160_000 for a in area.values())
    fed = Counter[str]()
    for b in county.buildings:
        if b.heated:
            fed[b.substation_id] += b.area_m2
    for s, a in area.items():
        assert fed[s] == pytest.approx(a, rel=1e-6)


def test_names_are_unique_where_people_use_them(county: County) -> None:
    for names in ([s.name for s in county.network.substations], [p.name for p in county.places]):
        assert len(set(names)) == len(names)


def test_no_building_stands_on_another_a_road_or_the_river(county: County) -> None:
    shapes = [Polygon(metres(county, b.footprint)) for b in county.buildings]
    tree = STRtree(shapes)
    overlaps = [
        (county.buildings[a].id, county.buildings[b].id)
        for a, s in enumerate(shapes)
        for b in tree.query(s)
        if b > a and s.intersection(shapes[b]).area > 0.5
    ]
    assert overlaps == []

    def hit(f: Feature) -> list[str]:
        line = metres(county, f.path)
        area = (
            Polygon(line) if f.shape == "polygon" else LineString(line).buffer(float(f.props["width_m"]) / 2)
        )
        return [county.buildings[i].id for i in tree.query(area) if shapes[i].intersection(area).area > 0.5]

    for f in county.features:
        if f.layer == "river" and f.shape == "polygon":
            assert hit(f) == [], f.name
        if f.layer == "road" and f.props["class"] != "lane":
            assert hit(f) == [], f.name


def test_the_network_has_loops_and_reaches_every_station(county: County) -> None:
    network = county.network
    supply = [p for p in network.pipes if p.side == "supply"]
    loops = len(supply) - len(network.nodes) + 1
    assert 20 <= loops <= 100
    assert len(network.valves) >= 40


@pytest.mark.parametrize("load", [1.0, 0.4])
def test_design_pressures_are_sane_everywhere(county: County, load: float) -> None:
    state = solve(county, load)
    assert state.converged
    at = [county.network.node_index[s.node_id] for s in county.network.substations]
    dp = (state.p_supply_pa - state.p_return_pa)[at]
    assert dp.min() >= 0.1e6
    assert min(state.p_supply_pa.min(), state.p_return_pa.min()) >= 0.15e6
    assert max(state.p_supply_pa.max(), state.p_return_pa.max()) <= 1.5e6


@pytest.mark.parametrize("boiler_share", [0.0, 0.2])
def test_the_pumps_of_the_sources_can_do_what_the_design_asks(county: County, boiler_share: float) -> None:
    state = solve(county, 1.0, boiler_share)
    pumps = {p.place_id: p for p in county.network.pumps}
    for i, s in enumerate(county.network.sources):
        at = county.network.node_index[s.node_id]
        flow = state.source_flow_kg_s[i] / 970.0
        if flow > 1e-3:
            rise = pumps[s.id].dp0_pa - pumps[s.id].c_pa_s2_m6 * flow**2
            assert rise >= state.p_supply_pa[at] - state.p_return_pa[at], s.name


def test_supply_reaches_every_station_hot_at_design(county: County) -> None:
    state = solve(county, 1.0)
    at = [county.network.node_index[s.node_id] for s in county.network.substations]
    assert state.t_supply_c[at].min() > 99.0


def test_devices_speak_three_dialects_and_every_point_is_legal(county: County) -> None:
    stations = Counter(d.dialect for d in county.devices if d.kind == "station_plc")
    assert set(stations) == {"flat", "thingsboard", "sparkplug"} and min(stations.values()) >= 6
    assert [p.no for p in county.points] == list(range(len(county.points)))
    assert len({(d.dialect, d.external_id) for d in county.devices}) == len(county.devices)
