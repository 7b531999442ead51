"""Station kernels against the exchanger's array form and closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.heat import estimate_ua_w_k, solve_exchanger
from twin.heat.building import WATER_J_KG_K
from twin.heat.kernels import heat_capacity
from twin.heat.substation import exchanger_w_k, find_flow, heat_for_setpoint, solve_secondary

UA, M1_DESIGN, M2 = 2.0e5, 10.0, 22.0


def conductance(m_1, cp=4200.0, fouling=0.0):
    return exchanger_w_k(m_1, M2, UA, M1_DESIGN, 1.0, fouling, cp)


@given(st.floats(0.05, 30.0), st.floats(0.0, 2e-6))
def test_station_exchanger_is_the_exchanger_of_the_library(m_1, fouling):
    ua = estimate_ua_w_k(UA, m_1, M2, M1_DESIGN, M2, fouling)
    _, _, heat = solve_exchanger(105.0, m_1, 48.0, M2, ua)
    g = conductance(m_1, heat_capacity(0.5 * (105.0 + 76.5)), fouling)
    assert g * 57.0 == pytest.approx(float(heat), rel=5e-3)  # heat capacities are taken at other means


@given(st.floats(50.0, 115.0), st.floats(0.02, 0.98), st.floats(0.01, 12.0))
def test_found_flow_gives_the_heat_asked_for(t_hot, part, m_start):
    cold, m_max = 45.0, 12.0
    most = conductance(m_max, heat_capacity(0.5 * (t_hot + cold))) * (t_hot - cold)
    m = find_flow(part * most, t_hot, cold, m_start, m_max, M2, UA, M1_DESIGN, 1.0, 0.0)
    given_w = conductance(m, heat_capacity(0.5 * (t_hot + cold))) * (t_hot - cold)
    assert 0.0 < m < m_max
    assert given_w == pytest.approx(part * most, rel=3.1e-4)


def test_flow_stops_at_the_open_valve_and_at_no_demand():
    args = (5.0, 12.0, M2, UA, M1_DESIGN, 1.0, 0.0)
    assert find_flow(1e9, 110.0, 45.0, *args) == 12.0
    assert find_flow(-1.0, 110.0, 45.0, *args) == 0.0
    assert find_flow(1e5, 40.0, 45.0, *args) == 0.0
    assert find_flow(1e5, 110.0, 45.0, 5.0, 0.0, M2, UA, M1_DESIGN, 1.0, 0.0) == 0.0


@given(
    st.floats(1.0, 1e5), st.floats(1e3, 1e6), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(20.0, 90.0)
)
def test_secondary_step_is_bounded_and_balances(dt, w, exchanger_share, building_share, t_hot):
    c_s, c_r, mk, t_mk, t_s, t_r = 3e7, 4e7, 10.0, 10.0, 60.0, 45.0
    t_room, emit = 20.0, building_share * w
    own = emit * t_room  # buildings at a fixed 20 °C
    s1, r1, heat = solve_secondary(dt, w, c_s, c_r, mk, t_mk, t_s, t_r, emit, own, exchanger_share * w, t_hot)
    assert min(t_mk, t_room, t_hot) - 1e-9 <= min(s1, r1)
    assert max(s1, r1) <= max(t_s, t_hot) + 1e-9
    stored = c_s * (s1 - t_s) + c_r * (r1 - t_r)
    flows = dt * (heat - (emit * s1 - own) - mk * (r1 - t_mk))
    assert stored == pytest.approx(flows, rel=1e-7, abs=1e-6 * (c_s + c_r))


@given(st.floats(1.0, 1e4), st.floats(35.0, 80.0))
def test_heat_for_a_setpoint_brings_the_outlet_there(dt, setpoint):
    w, emit, own = M2 * WATER_J_KG_K, 3e4, 6e5
    args = (dt, w, 3e7, 4e7, 10.0, 10.0, 60.0, 45.0, emit, own)
    heat, t_return = heat_for_setpoint(*args, setpoint)
    t_hot = 110.0
    _, r1, given_w = solve_secondary(*args, heat / (t_hot - t_return), t_hot)
    assert r1 == pytest.approx(t_return, abs=1e-7)
    assert given_w == pytest.approx(heat, abs=1e-3 * abs(heat) + 1.0)
    assert r1 + given_w / w == pytest.approx(setpoint, abs=1e-6)


def test_a_standing_pump_gives_and_takes_nothing():
    s1, r1, heat = solve_secondary(60.0, 0.0, 3e7, 4e7, 0.0, 10.0, 60.0, 45.0, 0.0, 0.0, 0.0, 110.0)
    assert (s1, r1, heat) == pytest.approx((60.0, 45.0, 0.0))
    assert exchanger_w_k(5.0, 0.0, UA, M1_DESIGN, np.inf, 0.0, 4200.0) == 0.0
