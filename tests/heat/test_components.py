"""Pumps, valves and substations that follow the pressures: each against its own law, and honest where it
cannot."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.heat.test_steady import NET, make_boundary
from twin.heat import PumpDrive, Reason, StationControl, compile_network, describe_source_pumps, solve_steady
from twin.heat.water import density_kg_m3, enthalpy_j_kg
from twin.model.errors import EngineError, InputError
from twin.model.network import Valve

NAN = np.nan
N = len(NET.station_node)
FREE_SOURCES = {"source_flow_kg_s": np.array([NAN, 0.0])}
PUMPED = {
    "source_flow_kg_s": np.array([NAN, 0.0]),
    "p_supply_pa": np.array([NAN, NAN]),
    "p_return_pa": np.array([3e5, NAN]),
}
PUMP = PumpDrive("CP1", 6e5, 2e8, source_id="SRC1")


def find(state, reason):
    return next((f for f in state.findings if f.reason is reason), None)


def make_control(by_heat=False, opening=NAN, kv=None):
    kv = None if kv is None else np.full(N, float(kv)) if np.isscalar(kv) else kv
    return StationControl(np.full(N, by_heat), np.full(N, opening), kv)


def test_a_circulation_pump_lifts_the_supply_along_its_curve():
    s = solve_steady(NET, make_boundary(pumps=(PUMP,), **PUMPED))
    assert s.converged
    at = NET.source_node[0]
    q = s.source_flow_kg_s[0] / density_kg_m3(s.t_return_c[at])
    assert s.p_return_pa[at] == pytest.approx(3e5)
    assert s.p_supply_pa[at] - s.p_return_pa[at] == pytest.approx(6e5 - 2e8 * q * q, rel=1e-6)
    assert s.pump_rise_pa[0] == pytest.approx(6e5 - 2e8 * q * q, rel=1e-9)
    assert s.pump_flow_kg_s[0] == pytest.approx(s.flow_kg_s.sum(), rel=1e-9)
    assert s.make_up_kg_s[0] == pytest.approx(0.0, abs=1e-9)


@given(st.floats(0.3, 1.4))
def test_affinity_laws_hold_in_a_network_of_open_valves(speed):
    # without height and with fully rough pipes all flows would scale with the speed; here with the valves
    pumps = (replace(PUMP, speed=speed),)
    s = solve_steady(NET, make_boundary(pumps=pumps, control=make_control(opening=0.5, kv=20.0), **PUMPED))
    q = s.pump_flow_kg_s[0] / density_kg_m3(s.t_return_c[NET.source_node[0]])
    assert s.converged
    assert s.pump_rise_pa[0] == pytest.approx(speed**2 * 6e5 - 2e8 * q * q, rel=1e-9)
    full = solve_steady(
        NET, make_boundary(pumps=(PUMP,), control=make_control(opening=0.5, kv=20.0), **PUMPED)
    )
    assert s.pump_flow_kg_s[0] == pytest.approx(speed * full.pump_flow_kg_s[0], rel=0.02)


def test_a_pump_equals_the_pressures_it_makes():
    s = solve_steady(NET, make_boundary(pumps=(PUMP,), **PUMPED))
    at = NET.source_node[0]
    same = solve_steady(NET, make_boundary(p_supply_pa=np.array([s.p_supply_pa[at], NAN]), **FREE_SOURCES))
    assert np.allclose(same.mass_flow_kg_s, s.mass_flow_kg_s, atol=1e-5)
    assert np.allclose(same.p_supply_pa, s.p_supply_pa, atol=1.0)


def test_two_pumped_sources_share_the_load_and_one_holds_the_pressure():
    second = PumpDrive("CP2", 6.2e5, 4e8, source_id="SRC2")
    b = make_boundary(pumps=(PUMP, second), **PUMPED | {"source_flow_kg_s": np.full(2, NAN)})
    s = solve_steady(NET, b)
    assert s.converged
    assert np.all(s.source_flow_kg_s > 1.0)
    assert s.source_flow_kg_s.sum() == pytest.approx(s.flow_kg_s.sum(), rel=1e-9)
    assert np.allclose(s.make_up_kg_s, 0.0, atol=1e-8)
    assert not s.findings


def test_a_weak_pump_beside_a_strong_one_is_named_and_its_check_valve_holds():
    weak = PumpDrive("CP2", 5e4, 4e8, source_id="SRC2")
    b = make_boundary(pumps=(PUMP, weak), **PUMPED | {"source_flow_kg_s": np.full(2, NAN)})
    s = solve_steady(NET, b)
    assert s.converged
    assert abs(s.pump_flow_kg_s[1]) < 1e-2
    assert find(s, Reason.PUMP_OUTSIDE_CURVE).ids == ("CP2",)


def test_a_pump_asked_for_more_than_its_curve_is_named():
    s = solve_steady(NET, make_boundary(pumps=(replace(PUMP, c_pa_s2_m6=1e10),), **PUMPED))
    assert find(s, Reason.PUMP_OUTSIDE_CURVE).ids == ("CP1",)
    assert find(s, Reason.NO_DIFFERENTIAL_PRESSURE) is not None


@pytest.mark.parametrize("backwards", [False, True])
def test_a_booster_adds_its_rise_to_the_pipe(backwards):
    side = "R" if backwards else "S"
    booster = PumpDrive("BP", 1.2e5, 1e7, 0.9, pipe_id=f"P09-{side}", backwards=backwards)
    plain = solve_steady(NET, make_boundary(**FREE_SOURCES))
    s = solve_steady(NET, make_boundary(pumps=(booster,), **FREE_SOURCES))
    station = NET.network.node_index["NS02"]
    gain = (s.p_supply_pa - s.p_return_pa - plain.p_supply_pa + plain.p_return_pa)[station]
    assert s.pump_flow_kg_s[0] == pytest.approx(s.flow_kg_s[1], rel=1e-9)
    assert gain == pytest.approx(s.pump_rise_pa[0], rel=1e-6)
    assert s.pump_rise_pa[0] == pytest.approx(0.81 * 1.2e5, rel=0.01)


def test_a_standing_booster_is_passed_by():
    standing = PumpDrive("BP", 1.2e5, 1e7, 0.0, pipe_id="P09-S")
    s = solve_steady(NET, make_boundary(pumps=(standing,), **FREE_SOURCES))
    assert np.allclose(s.p_supply_pa, solve_steady(NET, make_boundary(**FREE_SOURCES)).p_supply_pa, atol=0.1)
    assert s.pump_rise_pa.tolist() == [0.0]


def test_a_pump_trip_stops_the_water_and_says_so():
    s = solve_steady(
        NET, make_boundary(pumps=(replace(PUMP, speed=0.0),), control=make_control(kv=20.0), **PUMPED)
    )
    assert s.converged or find(s, Reason.NOT_CONVERGED)
    assert np.nan_to_num(s.flow_kg_s).max() < 1e-6
    assert s.findings


def test_valves_with_an_opening_follow_their_kv():
    kv, opening = np.array([20.0, 15.0, 30.0, 8.0]), np.array([0.3, 1.0, 0.5, 0.0])
    s = solve_steady(
        NET, make_boundary(control=StationControl(np.zeros(N, bool), opening, kv), **FREE_SOURCES)
    )
    dp = (s.p_supply_pa - s.p_return_pa)[NET.station_node]
    rho = density_kg_m3(s.t_return_c[NET.station_node])
    volume_m3_h = s.flow_kg_s / rho * 3600.0
    assert s.converged
    assert np.allclose(volume_m3_h, kv * opening * np.sqrt(dp / 1e5 * 1000.0 / rho), rtol=1e-5)
    assert s.flow_kg_s[3] == 0.0
    assert s.residual_kg_s < 1e-9


def test_a_control_valve_in_a_pipe_drops_what_its_kv_says():
    valve = Valve("CV9", "P09-S", "control", 40.0, 0.5, 0.0, 0.0)
    net = compile_network(replace(NET.network, valves=(*NET.network.valves, valve)))
    with_it, without = (solve_steady(n, make_boundary(**FREE_SOURCES)) for n in (net, NET))
    at = NET.pipe_index["P09-S"]
    rho = density_kg_m3(with_it.t_pipe_c[at])
    expected = 1e5 * (with_it.mass_flow_kg_s[at] / rho * 3600.0 / 20.0) ** 2 * rho / 1000.0
    assert with_it.dp_pa[at] - without.dp_pa[at] == pytest.approx(expected, rel=1e-6)


def test_heat_demand_sets_the_flow_and_is_met():
    heat = np.array([6e5, 7e5, 5e5, 2e5])
    s = solve_steady(NET, make_boundary(heat_w=heat, control=make_control(by_heat=True), **FREE_SOURCES))
    assert s.converged
    assert np.allclose(s.heat_w, heat, rtol=1e-5)
    assert not s.unmet_heat_w.any() or s.unmet_heat_w.max() < 1.0
    t = s.t_supply_c[NET.station_node]
    assert np.allclose(s.flow_kg_s * (enthalpy_j_kg(t) - enthalpy_j_kg(50.0)), heat, rtol=1e-5)


def test_a_valve_that_saturates_passes_what_the_pressure_allows_and_the_rest_is_named():
    heat = np.array([6e5, 7e5, 5e5, 2e5])
    kv = np.array([20.0, 3.0, 20.0, 20.0])
    control = StationControl(np.ones(N, bool), np.full(N, NAN), kv)
    s = solve_steady(NET, make_boundary(heat_w=heat, control=control, **FREE_SOURCES))
    found = find(s, Reason.VALVE_SATURATED)
    dp = (s.p_supply_pa - s.p_return_pa)[NET.station_node][1]
    rho = density_kg_m3(s.t_return_c[NET.station_node][1])
    assert s.converged
    assert found.ids == ("S02",)
    assert found.value == pytest.approx(7e5 - s.heat_w[1], rel=1e-6)
    assert s.unmet_heat_w[1] > 1e5
    assert s.flow_kg_s[1] == pytest.approx(3.0 / 3600.0 * np.sqrt(dp / 1e5 * 1000.0 * rho), rel=1e-5)
    assert np.allclose(s.heat_w[[0, 2, 3]], heat[[0, 2, 3]], rtol=1e-5)


def test_flows_that_are_given_saturate_too():
    wish = 4.0 * NET.station_design_kg_s
    s = solve_steady(NET, make_boundary(flow_kg_s=wish, control=make_control(kv=10.0), **FREE_SOURCES))
    assert s.converged
    assert np.all(s.flow_kg_s < wish)
    assert find(s, Reason.VALVE_SATURATED).ids == ("S01", "S02", "S03", "S04")
    assert find(s, Reason.NO_DIFFERENTIAL_PRESSURE) is None


def test_supply_that_is_too_cold_opens_the_valve_and_the_heat_is_missing():
    s = solve_steady(
        NET,
        make_boundary(
            t_source_c=np.full(2, 50.0),
            heat_w=np.full(N, 4e5),
            control=make_control(True, kv=10.0),
            **FREE_SOURCES,
        ),
    )
    assert s.converged
    assert find(s, Reason.VALVE_SATURATED).ids == ("S01", "S02", "S03", "S04")
    assert np.all(s.unmet_heat_w >= 4e5)


def test_more_pressure_in_the_return_than_in_the_supply_lets_nothing_through():
    b = make_boundary(p_supply_pa=np.array([3e5, NAN]), p_return_pa=np.array([5e5, NAN]), **FREE_SOURCES)
    s = solve_steady(NET, replace(b, control=make_control(opening=0.7, kv=20.0)))
    assert s.converged
    assert np.all(s.flow_kg_s == 0.0)
    assert find(s, Reason.NO_DIFFERENTIAL_PRESSURE).ids == ("S01", "S02", "S03", "S04")


def test_a_station_without_return_is_not_fed():
    closed = np.zeros(NET.n_pipe, bool)
    closed[NET.pipe_index["P10-R"]] = True
    for control in (None, make_control(kv=30.0)):
        s = solve_steady(NET, make_boundary(closed_pipe=closed, control=control, **FREE_SOURCES))
        assert s.converged
        assert s.flow_kg_s[1] == 0.0
        assert s.source_flow_kg_s.sum() == pytest.approx(s.flow_kg_s.sum(), rel=1e-9)
        assert s.make_up_kg_s.sum() == pytest.approx(0.0, abs=1e-9)
        assert "S02" in find(s, Reason.ISOLATED).ids


def test_pressure_below_the_air_is_never_silent():
    s = solve_steady(NET, make_boundary(p_return_pa=np.array([-2e4, NAN]), **FREE_SOURCES))
    named = (*find(s, Reason.PRESSURE_BELOW_AIR).ids, *find(s, Reason.PRESSURE_BELOW_VAPOUR).ids)
    low = [f"{n.id}/return" for n, p in zip(NET.network.nodes, s.p_return_pa, strict=True) if p < 0.0]
    assert set(low) == set(named)


def test_the_pump_table_gives_the_pumps_of_sources():
    pumps = describe_source_pumps(NET.network, 0.8)
    assert pumps
    assert {p.source_id for p in pumps} <= {"SRC1", "SRC2"}
    assert pumps[0].speed == pytest.approx(0.8 * NET.network.pumps[0].speed)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"pumps": (PUMP,)}, InputError, "SRC1: it has a pump"),
        ({"pumps": (replace(PUMP, source_id="X"),)}, InputError, "source 'X' is not"),
        ({"pumps": (PumpDrive("CP9", 1e5, 1.0),)}, InputError, "CP9: give either"),
        ({"pumps": (PumpDrive("B", 1e5, 1.0, pipe_id="X"),)}, InputError, "pipe 'X' is not"),
        ({"pumps": (PumpDrive("B", NAN, 1.0, pipe_id="P09-S"),)}, InputError, "dp0_pa is nan"),
        ({"pumps": (PUMP,), **PUMPED, "p_return_pa": np.full(2, NAN)}, EngineError, "no source is given"),
        ({"control": make_control(True)}, InputError, "S01: a flow by heat needs heat_w"),
        ({"control": make_control(opening=1.5)}, InputError, "S01: opening 1.5"),
        ({"control": make_control(opening=0.5, kv=0.0)}, InputError, "S01: kv_m3_h is 0"),
    ],
)
def test_mistakes_get_a_sentence(changes, error, text):
    with pytest.raises(error, match=text):
        solve_steady(NET, make_boundary(**changes))
