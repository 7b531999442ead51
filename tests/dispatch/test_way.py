"""How the network carries the water: scaled to what is measured, and what its sources can send."""

from dataclasses import replace

import numpy as np
import pytest

from tests.dispatch.test_dispatch import COUNTY, DESK, HOURS, NOW, outlook
from twin.dispatch import Tariff, propose
from twin.dispatch import way as way_module
from twin.dispatch.belief import valve_pa_s2_kg2
from twin.dispatch.heatplan import SourceLimits
from twin.dispatch.propose import worth_of_comfort
from twin.dispatch.records import Hours
from twin.dispatch.way import Way, find_holding, find_reach, learn_way
from twin.model.errors import EngineError

NET = DESK.system.net
HELD = find_holding(COUNTY.network)
N = len(COUNTY.network.substations)


def measured(factor: float) -> Hours:
    """The hours of a field that loses ``factor`` times what the engine says on the way."""
    plain, whole = learn_way(NET, HOURS, HELD), HOURS.source_flow_kg_s()
    simulated = np.stack([way_module._solve(NET, plain.usual, float(m), 0.0, HELD) for m in whole.sum(1)])
    head = np.full(len(HOURS.t), 4e5)
    station = dict(HOURS.station)
    station["p1_ps"] = 5e5 + head[:, None] - factor * simulated
    station["p1_pr"] = np.full_like(station["p1_ps"], 5e5)
    source = dict(HOURS.source)
    source["src_ps"], source["src_pr"] = np.full_like(source["src_ps"], 9e5), np.full_like(
        source["src_ps"], 5e5
    )  # fmt: skip
    return replace(HOURS, station=station, source=source)


def test_the_way_is_scaled_to_what_is_measured() -> None:
    whole = float(HOURS.source_flow_kg_s()[-1].sum())
    one, more = (learn_way(NET, measured(f), HELD).lost_pa(whole, 0.0) for f in (1.0, 1.5))
    assert np.all(one > 0.0)
    # far stations, whose loss meters can tell, follow; near ones stay with the survey and the others
    assert np.all(np.abs(more / one - 1.5) < 0.12)


def test_pressure_lost_grows_with_the_square_and_falls_where_another_source_helps() -> None:
    way = learn_way(NET, HOURS, HELD)
    assert np.allclose(way.lost_pa(40.0, 0.0), 4.0 * way.lost_pa(20.0, 0.0))
    if len(COUNTY.network.sources) > 1:
        assert way.lost_pa(20.0, 0.4).max() < way.lost_pa(20.0, 0.0).max()
        between = way.lost_pa(20.0, 0.15)
        low, high = way.lost_pa(20.0, 0.1), way.lost_pa(20.0, 0.2)
        assert np.all(between <= np.maximum(low, high) + 1e-9)
        assert np.all(between >= np.minimum(low, high) - 1e-9)


def test_a_split_below_what_the_engine_could_solve_takes_the_nearest() -> None:
    way = replace(two_ways(), share=np.array([0.1, 0.2, 0.4]))
    assert np.array_equal(way.lost_pa(10.0, 0.0), way.lost_pa(10.0, 0.1))
    assert np.array_equal(way.lost_pa(10.0, 0.9), way.lost_pa(10.0, 0.4))


def test_a_network_without_a_state_is_refused_not_taken_for_one_without_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(way_module, "_solve", lambda *a: np.full(N, np.nan))
    with pytest.raises(EngineError, match="no state at the measured flows"):
        learn_way(NET, HOURS, HELD)


def two_ways() -> Way:
    share = np.array([0.0, 0.2, 0.4])
    drop = np.array([[300.0, 400.0], [200.0, 250.0], [120.0, 130.0]])
    return Way(share, drop, np.array([0.5, 0.5]), 0.0, 7.0)


def test_what_a_source_can_send_is_bounded_by_head_pipes_and_capacity() -> None:
    design, need = np.ones(2), np.full(2, 400.0)
    most = np.array([1e9, 1e9])
    lines = find_reach(two_ways(), design, need, 4e5, 50.0, most, 0)
    alone = np.sqrt(4e5 / (0.25 * 400.0 + 400.0)) * 4190.0 * 50.0
    assert lines[0][0] == pytest.approx(alone)
    higher = find_reach(two_ways(), design, need, 8e5, 50.0, most, 0)
    assert higher[0][0] == pytest.approx(np.sqrt(2.0) * alone)
    slopes = [b for _, b in lines]
    assert slopes == sorted(slopes, reverse=True), "a concave line: every corner can be reached"
    small = find_reach(two_ways(), design, need, 4e5, 50.0, np.array([1e6, 1e9]), 0)
    assert all(a + b * 0.0 <= 1e6 + 1.0 for a, b in small)


def test_what_cannot_reach_all_takes_the_hottest_water_not_the_cheapest() -> None:
    weak = replace(
        DESK, county=replace(COUNTY, network=replace(
            COUNTY.network, sources=tuple(replace(s, p_supply_pa=s.p_return_pa + 9e4)
                                          for s in COUNTY.network.sources)))
    )  # fmt: skip
    p = propose(weak, HOURS, outlook(out=-20.0), NOW, Tariff())
    assert not p.drive.reached.any()
    assert p.drive.supply_c[-1] >= max(s.t_supply_design_c for s in COUNTY.network.sources) - 4.0


def test_comfort_is_worth_what_the_last_joule_costs() -> None:
    caps = SourceLimits(np.array([10e6, 10e6]), np.zeros(2), np.array([100.0, 300.0]), 0, ((8e6, 0.0),))
    dt = np.full(2, 3600.0)
    assert worth_of_comfort(np.array([5e6, 5e6]), dt, caps) == 1.0
    assert worth_of_comfort(np.array([5e6, 9e6]), dt, caps) == 2.0
    assert worth_of_comfort(np.array([9e6, 30e6]), dt, caps) == 3.0


def test_an_open_valve_takes_what_its_kv_says() -> None:
    # 10 m³/h at 1 bar
    kg_s = 10.0 / 3.6 * np.sqrt(1000.0 * 975.0) / 1000.0
    assert valve_pa_s2_kg2(np.array([10.0]), np.array([1.0]))[0] * kg_s**2 == pytest.approx(1e5, rel=1e-6)
