"""Compensation curve: values of the quality-control formula, ends, time slots."""

import numpy as np
import pytest

from twin.heat.curve import TimeSlot, design_curve, read_curve, read_offset
from twin.model.errors import InputError


def test_design_curve_gives_the_tabulated_check_values_for_lanzhou():
    curve = design_curve(75.0, 50.0, -9.0, outdoor_c=(-9.0, -5.0, 0.0, 5.0))
    assert [round(v, 1) for _, v in curve] == [75.0, 68.0, 58.9, 49.4]


def test_design_curve_gives_the_tabulated_check_values_for_a_floor():
    curve = design_curve(45.0, 35.0, -9.0, exponent=0.1, outdoor_c=(0.0, 5.0))
    assert curve[0][1] == pytest.approx(36.6, abs=0.06)


def test_curve_is_straight_between_points_and_flat_beyond_them():
    curve = ((-10.0, 70.0), (0.0, 60.0), (10.0, 40.0))
    assert read_curve(curve, [-30.0, -5.0, 5.0, 30.0]).tolist() == [70.0, 65.0, 50.0, 40.0]


def test_slots_hold_until_the_next_and_over_midnight():
    slots = (TimeSlot(6 * 3600.0, 2.0), TimeSlot(22 * 3600.0, -3.0))
    hours = np.array([0.0, 5.9, 6.0, 21.9, 22.0, 30.0])
    assert read_offset(slots, 3600.0 * hours).tolist() == [-3.0, -3.0, 2.0, 2.0, -3.0, 2.0]
    assert read_offset((), [0.0]).tolist() == [0.0]


def test_a_curve_that_rises_with_the_outdoor_temperature_is_refused():
    with pytest.raises(InputError, match="compensation curve"):
        read_curve(((0.0, 50.0), (10.0, 60.0)), 5.0)
    with pytest.raises(InputError, match="time slot"):
        read_offset((TimeSlot(90_000.0, 1.0),), 0.0)
