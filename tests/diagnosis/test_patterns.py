from dataclasses import replace

import numpy as np
import pytest

from tests.support.tiny import make_tiny_county
from twin.diagnosis.patterns import respond
from twin.diagnosis.signs import Layout, compose
from twin.heat import Leak, SteadyBoundary, compile_network, solve_steady


def _boundary(network) -> SteadyBoundary:
    sources, stations = network.sources, network.substations
    holds = np.array([s.holds_pressure for s in sources])
    return SteadyBoundary(
        t_source_c=np.array([s.t_supply_design_c for s in sources]),
        p_supply_pa=np.array([s.p_supply_pa for s in sources]),
        p_return_pa=np.array([s.p_return_pa for s in sources]),
        source_flow_kg_s=np.where(holds, np.nan, 0.0),
        flow_kg_s=np.array([0.7 * s.design_flow_kg_s for s in stations]),
        t_return_c=np.full(len(stations), 50.0),
    )


@pytest.mark.parametrize("side", ["supply", "return"])
def test_the_response_is_what_the_engine_gives_for_a_small_leak(side: str) -> None:
    county = make_tiny_county()
    net = compile_network(county.network)
    boundary = _boundary(county.network)
    before = solve_steady(net, boundary)
    at = np.concatenate([net.station_node, net.n_node + net.station_node])
    x = respond(net, before, at)
    station = county.network.substations[-1]
    point = county.network.node_index[station.node_id] + (net.n_node if side == "return" else 0)
    lost = 0.01
    leak = Leak(node_id=station.node_id, side=side, flow_kg_s=lost)
    after = solve_steady(net, replace(boundary, leaks=(leak,)))
    p = lambda s: np.concatenate([s.p_supply_pa, s.p_return_pa])[at]  # noqa: E731
    moved = (p(after) - p(before)) / lost
    assert np.abs(moved).max() > 1.0
    # the engine's friction is not a pure square: a few per cent
    np.testing.assert_allclose(-x[point], moved, rtol=0.12, atol=0.05 * np.abs(moved).max())


def test_the_response_is_symmetric_and_zero_at_the_source() -> None:
    county = make_tiny_county()
    net = compile_network(county.network)
    state = solve_steady(net, _boundary(county.network))
    x = respond(net, state, np.arange(net.n_point))
    np.testing.assert_allclose(x, x.T, rtol=1e-6, atol=1e-9)
    hold = net.source_node[net.source_holds]
    assert np.all(x[hold] == 0.0)


def test_signs_are_told_as_their_mean_and_the_rest_without_missing_ones() -> None:
    layout = Layout(3, 1)
    raw = np.full(layout.size, np.nan)
    raw[layout.station("p_supply")] = [100.0, np.nan, 300.0]
    out = compose(layout, raw)
    assert out[layout.network("common_p_supply")] == 200.0
    assert out[layout.station("p_supply")][0] == -100.0
    assert np.isnan(out[layout.station("p_supply")][1])
