"""The way of the water from the source: found in the network, drawn with heads that engineers can check."""

import dataclasses
import itertools

import numpy as np
import pytest

from app.domains.heating.profile import PA_PER_M_WATER, make_profile, trace_path
from app.pages.way import draw_way
from app.web.context import Context
from ingest.settings import read_settings
from ingest.store.api import NetworkState, SimulationResult
from tests.support.fake_store import FakeStore
from tests.support.tiny import make_tiny_county
from twin.model.county import County
from twin.model.network import Side


@pytest.fixture(scope="module")
def county() -> County:
    return make_tiny_county()


def make_state(county: County) -> NetworkState:
    n, m = len(county.network.nodes), len(county.network.pipes)
    k = np.arange(n)
    return NetworkState(
        1, 0.0, "ok", 90.0 - k, 45.0 + k, 9e5 - 1e4 * k, 3e5 + 1e4 * k, np.ones(m), np.ones(m)
    )


def test_the_way_is_made_of_joined_supply_pipes_and_is_the_shortest(county: County) -> None:
    network = county.network
    pairs = {
        frozenset((network.node_index[p.from_node], network.node_index[p.to_node])): p.length_m
        for p in network.pipes
        if p.side is Side.SUPPLY
    }
    for station in network.substations:
        source, node, distance = trace_path(network, station.node_id)
        begin = next(s for s in network.sources if s.id == source)
        assert begin.holds_pressure
        assert (network.nodes[node[0]].id, network.nodes[node[-1]].id) == (begin.node_id, station.node_id)
        steps = [pairs[frozenset((int(a), int(b)))] for a, b in itertools.pairwise(node)]
        assert np.diff(distance) == pytest.approx(steps)
        assert distance[0] == 0.0 and len(set(node)) == len(node)


def test_a_place_that_no_pipe_reaches_has_no_way(county: County) -> None:
    cut = dataclasses.replace(
        county.network, pipes=tuple(p for p in county.network.pipes if p.side is Side.RETURN)
    )
    source, node, distance = trace_path(cut, county.network.substations[0].node_id)
    assert (source, node.size, distance.size) == ("", 0, 0)
    assert trace_path(county.network, "nowhere")[1].size == 0


def test_a_head_is_the_ground_and_the_column_of_water_above_it(county: County) -> None:
    state = make_state(county)
    way = make_profile(county.network, state, county.network.substations[0].node_id)
    ground = np.array([county.network.nodes[i].elevation_m for i in way.node])
    assert way.supply_head_m == pytest.approx(ground + state.p_supply_pa[way.node] / 9806.65)
    assert (way.supply_head_m > way.return_head_m).all()
    assert way.t_supply_c == pytest.approx(90.0 - way.node)


def test_meters_at_both_ends_are_drawn_at_their_distance(county: County) -> None:
    store = FakeStore(county)
    context = Context(read_settings({}), county, store)
    empty = draw_way(context, "S01", "heads", "zh", False)
    assert empty.layout.annotations[0].text == "暂无数据"
    state = make_state(county)
    none = np.empty(0)
    store.write_simulation(SimulationResult(0.0, "ok", 1, 0.1, np.empty(0, int), none, none, none, state))
    source = trace_path(county.network, next(s.node_id for s in county.network.substations))[0]
    store.put(f"{source}/src_ps", 8.0e5)
    store.put("S01/p1_ps", 7.0e5)
    store.put("S01/p1_ts", 81.0)
    context = Context(read_settings({}), county, store)
    heads = draw_way(context, "S01", "heads", "en", False)
    measured = next(d for d in heads.data if d.name == "supply, measured")
    way = make_profile(county.network, state, next(s.node_id for s in county.network.substations))
    assert measured.x == pytest.approx([0.0, way.distance_m[-1] / 1000.0])
    assert measured.y == pytest.approx(
        [way.ground_m[0] + 8.0e5 / PA_PER_M_WATER, way.ground_m[-1] + 7.0e5 / PA_PER_M_WATER]
    )
    temperatures = draw_way(context, "S01", "temperatures", "en", True)
    measured = next(d for d in temperatures.data if d.name == "supply, measured")
    assert list(measured.y) == [81.0]
