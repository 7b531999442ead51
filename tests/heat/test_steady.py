"""The steady state of the tiny county: balances, findings, honest blanks."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.tiny import make_tiny_county
from twin.heat import Leak, Reason, SteadyBoundary, compile_network, solve_steady
from twin.heat.water import enthalpy_j_kg
from twin.model.errors import EngineError, InputError

NET = compile_network(make_tiny_county().network)
NAN = np.nan


def make_boundary(**changes):
    base = SteadyBoundary(
        t_source_c=np.array([110.0, 105.0]),
        p_supply_pa=np.array([8e5, NAN]),
        p_return_pa=np.array([3e5, NAN]),
        source_flow_kg_s=np.array([NAN, 3.0]),
        flow_kg_s=0.8 * NET.station_design_kg_s,
        t_return_c=np.full(len(NET.station_node), 50.0),
    )
    return replace(base, **changes)


def test_mass_and_energy_balance():
    s = solve_steady(NET, make_boundary())
    assert s.converged
    assert not s.findings
    assert s.residual_kg_s < 1e-9
    assert s.source_flow_kg_s.sum() == pytest.approx(s.flow_kg_s.sum(), rel=1e-12)
    lost = s.source_heat_w.sum() - s.heat_w.sum() - s.heat_loss_w.sum()
    assert abs(lost) < 1e-6 * s.source_heat_w.sum()


def test_temperatures_stay_within_the_boundary():
    s = solve_steady(NET, make_boundary())
    assert s.t_supply_c.max() <= 110.0 + 1e-9
    assert s.t_supply_c.min() > 95.0
    assert s.t_return_c.max() <= 50.0 + 1e-9


def test_warm_start_gives_the_same_answer_with_fewer_steps():
    cold = solve_steady(NET, make_boundary())
    warm = solve_steady(NET, make_boundary(), cold)
    assert warm.iterations < cold.iterations
    assert np.allclose(warm.p_supply_pa, cold.p_supply_pa, atol=0.1)
    assert np.allclose(warm.t_supply_c, cold.t_supply_c, atol=1e-5)


def test_unknown_flow_takes_the_load_of_the_others_and_is_named():
    flow = 0.8 * NET.station_design_kg_s
    flow[1] = NAN
    s = solve_steady(NET, make_boundary(flow_kg_s=flow))
    assert s.flow_kg_s[1] == pytest.approx(0.8 * NET.station_design_kg_s[1])
    assert [(f.reason, f.ids) for f in s.findings] == [(Reason.FLOW_ASSUMED, ("S02",))]


def test_shut_branch_is_named_and_has_no_numbers():
    s = solve_steady(NET, make_boundary(valve_opening=np.array([1.0, 1.0, 0.0, 0.0])))
    at = [n.id for n in NET.network.nodes].index("NS02")
    assert s.converged
    assert np.isnan(s.p_supply_pa[at])
    assert np.isnan(s.t_supply_c[at])
    assert s.flow_kg_s[1] == 0.0
    assert s.source_flow_kg_s.sum() == pytest.approx(s.flow_kg_s.sum(), rel=1e-9)
    assert any(f.reason is Reason.ISOLATED and f.ids == ("S02",) for f in s.findings)


def test_heat_demand_sets_the_return_temperature():
    heat = np.array([6e5, 7e5, 7e5, 2.5e5])
    s = solve_steady(NET, make_boundary(t_return_c=np.full(4, NAN), heat_w=heat))
    assert np.allclose(s.heat_w, heat)
    t_in = s.t_supply_c[NET.station_node]
    assert np.allclose(s.flow_kg_s * (enthalpy_j_kg(t_in) - enthalpy_j_kg(s.t_station_return_c)), heat)


def test_more_heat_than_the_water_carries_is_flagged():
    s = solve_steady(NET, make_boundary(t_return_c=np.full(4, NAN), heat_w=np.array([9e6, 7e5, 7e5, 2.5e5])))
    assert any(f.reason is Reason.TEMPERATURE_UNREACHABLE and f.ids == ("S01",) for f in s.findings)
    assert s.heat_w[0] < 9e6


def test_leak_is_made_up_by_the_source_that_holds_the_pressure():
    s = solve_steady(NET, make_boundary(leaks=(Leak("N03", emitter=0.003),)))
    make_up = s.source_flow_kg_s.sum() - s.source_return_flow_kg_s.sum()
    at = NET.network.node_index["N03"]
    assert s.leak_kg_s == pytest.approx(0.003 * np.sqrt(s.p_supply_pa[at]), rel=1e-6)
    assert make_up == pytest.approx(s.leak_kg_s, rel=1e-9)


def test_no_flow_at_all_is_solved():
    s = solve_steady(NET, make_boundary(flow_kg_s=np.zeros(4), source_flow_kg_s=np.array([NAN, 0.0])))
    assert s.converged
    assert np.abs(s.mass_flow_kg_s).max() < 1e-3
    assert s.heat_w.tolist() == [0.0] * 4


def test_mistakes_get_a_sentence():
    with pytest.raises(InputError, match="flow_kg_s: shape"):
        solve_steady(NET, make_boundary(flow_kg_s=np.ones(3)))
    with pytest.raises(InputError, match="S02: flow_kg_s -1 is negative"):
        solve_steady(NET, make_boundary(flow_kg_s=np.array([1.0, -1.0, 1.0, 1.0])))
    with pytest.raises(EngineError, match="no source is given by its pressures"):
        solve_steady(NET, make_boundary(p_supply_pa=np.array([NAN, NAN])))
    with pytest.raises(InputError, match="leak: node 'X'"):
        solve_steady(NET, make_boundary(leaks=(Leak("X"),)))
