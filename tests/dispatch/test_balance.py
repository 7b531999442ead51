"""The balance against the engine itself: set the valves as the list says, and the ratios are one."""

import numpy as np
import pytest

from tests.support.tiny import make_tiny_county
from twin.dispatch.balance import balance_stations
from twin.heat import SteadyBoundary, compile_network, solve_steady
from twin.model.errors import InputError

NET = compile_network(make_tiny_county().network)
ROWS = NET.network.substations
N = len(ROWS)
PLATE = 3e4 / np.array([s.design_flow_kg_s for s in ROWS]) ** 2


def boundary(flow: np.ndarray) -> SteadyBoundary:  # type: ignore[type-arg]
    sources = NET.network.sources
    return SteadyBoundary(
        t_source_c=np.array([95.0 for _ in sources]),
        p_supply_pa=np.array([s.p_supply_pa for s in sources]),
        p_return_pa=np.array([s.p_return_pa for s in sources]),
        source_flow_kg_s=np.where([s.holds_pressure for s in sources], np.nan, 0.0),
        flow_kg_s=flow, t_return_c=np.full(N, 50.0),
    )  # fmt: skip


def test_valves_set_as_the_list_says_give_every_station_its_share() -> None:
    rng = np.random.default_rng(3)
    flow = NET.station_design_kg_s * rng.uniform(0.4, 1.1, N)
    rows = {r.station_id: r for r in balance_stations(NET, boundary(flow), np.full(N, 0.5), PLATE)}
    ordered = [rows[s.id] for s in ROWS]
    wanted = np.array([r.wanted_kg_s for r in ordered])
    assert wanted.sum() == pytest.approx(flow.sum())
    # the engine, with the pressure that the list promises at each valve and plate
    state = solve_steady(NET, boundary(wanted))
    at = NET.station_node
    dp = state.p_supply_pa[at] - state.p_return_pa[at]
    for i, r in enumerate(ordered):
        if r.spare_pa < 0.0 or r.wanted_opening in (0.05, 1.0):
            continue
        kg = ROWS[i].kv_m3_h / 3600.0 * np.sqrt(1000.0 * 975.0 / 1e5) * r.wanted_opening
        passes = np.sqrt(dp[i] / (1.0 / kg**2 + PLATE[i]))
        assert passes == pytest.approx(r.wanted_kg_s, rel=1e-3)


def test_a_starved_and_a_greedy_station_stand_first_and_are_to_be_acted_on() -> None:
    flow = NET.station_design_kg_s * 0.6
    flow[0], flow[1] = flow[0] * 0.5, flow[1] * 1.7
    rows = balance_stations(NET, boundary(flow), np.full(N, 0.5), PLATE)
    assert {rows[0].station_id, rows[1].station_id} == {ROWS[0].id, ROWS[1].id}
    assert rows[0].act and rows[1].act
    assert all(0.05 <= r.wanted_opening <= 1.0 for r in rows)


def test_nothing_to_balance_is_said() -> None:
    with pytest.raises(InputError, match="no water flows"):
        balance_stations(NET, boundary(np.zeros(N)), np.full(N, 0.5), PLATE)
    with pytest.raises(InputError, match="one flow, opening and drop"):
        balance_stations(NET, boundary(NET.station_design_kg_s), np.full(N + 1, 0.5), PLATE)
