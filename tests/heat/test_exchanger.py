"""Plate exchanger against closed forms and limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.heat import estimate_ua_w_k, solve_exchanger
from twin.heat.water import heat_capacity_j_kg_k


def test_heat_is_conductance_times_log_mean_difference():
    hot_out, cold_out, heat = solve_exchanger(110.0, 20.0, 50.0, 40.0, 4.0e5)
    d1, d2 = 110.0 - cold_out, hot_out - 50.0
    assert heat == pytest.approx(4.0e5 * (d1 - d2) / np.log(d1 / d2), rel=2e-3)


def test_equal_streams_keep_one_difference_along_the_plates():
    cp = float(heat_capacity_j_kg_k(70.0))
    hot_out, cold_out, heat = solve_exchanger(80.0, 10.0, 60.0, 10.0, cp * 10.0 * 3.0)
    assert heat == pytest.approx(0.75 * cp * 10.0 * 20.0, rel=1e-3)
    assert 80.0 - cold_out == pytest.approx(hot_out - 60.0, rel=0.01)


@given(
    st.floats(20.0, 130.0),
    st.floats(0.0, 300.0),
    st.floats(5.0, 90.0),
    st.floats(0.0, 300.0),
    st.floats(0.0, 1e8),
)
def test_outlets_stay_between_the_inlets_and_heat_balances(t_hot, m_hot, t_cold, m_cold, ua):
    hot_out, cold_out, heat = solve_exchanger(t_hot, m_hot, t_cold, m_cold, ua)
    low, high = min(t_hot, t_cold) - 1e-6, max(t_hot, t_cold) + 1e-6
    assert low <= hot_out <= high
    assert low <= cold_out <= high
    if m_hot > 0.0 and m_cold > 0.0:
        assert heat * (t_hot - t_cold) >= 0.0
    else:
        assert heat == 0.0


def test_a_side_that_stands_still_takes_the_other_sides_temperature():
    hot_out, cold_out, heat = solve_exchanger([110.0, 110.0], [10.0, 0.0], [50.0, 50.0], [0.0, 10.0], 1e5)
    assert hot_out.tolist() == [110.0, 50.0]
    assert cold_out.tolist() == [110.0, 50.0]
    assert heat.tolist() == [0.0, 0.0]


def test_missing_input_gives_missing_output():
    hot_out, cold_out, heat = solve_exchanger(110.0, np.nan, 50.0, 10.0, 1e5)
    assert np.isnan(heat)
    assert np.isnan(hot_out)
    assert np.isnan(cold_out)


def test_conductance_is_the_design_value_at_design_and_falls_with_flow_and_dirt():
    design = estimate_ua_w_k(1e5, 10.0, 20.0, 10.0, 20.0)
    assert design == pytest.approx(1e5)
    assert estimate_ua_w_k(1e5, 5.0, 10.0, 10.0, 20.0) == pytest.approx(1e5 * 0.5**0.7)
    assert estimate_ua_w_k(1e5, 10.0, 20.0, 10.0, 20.0, 1e-5) == pytest.approx(5e4)
    assert estimate_ua_w_k(1e5, 0.0, 20.0, 10.0, 20.0) == 0.0
