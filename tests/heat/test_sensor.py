"""Sensor in its fitting: follows flowing water, cools to the room when it stands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.heat.sensor import find_held, read_sensor, show_held
from twin.model.errors import InputError


def test_a_standing_fitting_cools_to_the_room_with_its_time_constant():
    t = np.arange(0.0, 20_000.0, 100.0)
    shown = read_sensor(t, np.full(t.size, 80.0), np.zeros(t.size), t_room_c=20.0, tau_s=6500.0)
    assert shown == pytest.approx(20.0 + 60.0 * np.exp(-t / 6500.0), abs=1e-9)


def test_flowing_water_is_shown_but_for_what_the_fitting_loses():
    t = np.arange(0.0, 3600.0, 10.0)
    shown = read_sensor(t, np.full(t.size, 80.0), np.full(t.size, 0.02), fitting_kg=1.0, tau_s=6500.0)
    a, b = 0.02, 1.0 / 6500.0
    assert shown[-1] == pytest.approx((a * 80.0 + b * 20.0) / (a + b), abs=1e-6)
    fast = read_sensor(t, np.full(t.size, 80.0), np.full(t.size, -2.0))
    assert fast[-1] == pytest.approx(80.0, abs=0.01)


@given(st.lists(st.tuples(st.floats(0.0, 120.0), st.floats(0.0, 5.0)), min_size=2, max_size=30))
def test_a_sensor_stays_between_its_water_and_its_room(rows):
    water, flow = (np.array(x) for x in zip(*rows, strict=True))
    shown = read_sensor(60.0 * np.arange(len(rows)), water, flow)
    assert shown.min() >= min(20.0, water.min()) - 1e-9
    assert shown.max() <= max(20.0, water.max()) + 1e-9


def test_mistakes_get_a_sentence():
    with pytest.raises(InputError, match="t_s must rise"):
        read_sensor(np.array([0.0, 0.0]), np.ones(2), np.ones(2))
    with pytest.raises(InputError, match="must be positive"):
        read_sensor(np.array([0.0, 1.0]), np.ones(2), np.ones(2), tau_s=0.0)


def test_logger_repeats_its_last_reading_where_no_telegram_came():
    temperature, flow = np.array([60.0, 60.0, 60.0, 55.0, 55.0]), np.array([0.1, 0.1, 0.2, 0.2, 0.2])
    held = find_held(temperature, flow)
    assert held.tolist() == [False, True, False, False, True]
    assert show_held(np.arange(5.0), held).tolist() == [0.0, 0.0, 2.0, 3.0, 3.0]


def test_channels_of_different_length_are_refused():
    with pytest.raises(InputError, match="same length"):
        find_held(np.zeros(3), np.zeros(4))
