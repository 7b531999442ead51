"""What people read: missing is never zero, minus is a minus, an age says its unit."""

import math

import pytest

from app.format import MINUS, MISSING, format_age, format_number, format_value, local_time


@pytest.mark.parametrize(
    ("x", "decimals", "text"),
    [
        (0.0, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (-0.06, 1, f"{MINUS}0.1"),
        (1234567.891, 2, "1,234,567.89"),
        (-1500.0, 0, f"{MINUS}1,500"),
        (math.nan, 1, MISSING),
        (math.inf, 1, MISSING),
        (-math.inf, 0, MISSING),
    ],
)
def test_a_number_is_grouped_with_a_true_minus_and_missing_is_no_zero(
    x: float, decimals: int, text: str
) -> None:
    assert format_number(x, decimals) == text


def test_a_change_carries_its_sign_also_when_it_is_up() -> None:
    assert format_number(0.42, 1, sign=True) == "+0.4"
    assert format_number(-0.42, 1, sign=True) == f"{MINUS}0.4"
    assert format_number(math.nan, 1, sign=True) == MISSING


@pytest.mark.parametrize(
    ("quantity", "si", "text"),
    [
        ("pressure", 703_000.0, "0.703 MPa"),
        ("volume_flow", 0.01, "36.0 m³/h"),
        ("power", 41.48e6, "41.48 MW"),
        ("fraction", 0.23, "23 %"),
        ("state", 1.0, "1"),
        ("temperature", math.nan, f"{MISSING} °C"),
    ],
)
def test_a_value_is_shown_in_its_display_unit(quantity: str, si: float, text: str) -> None:
    assert format_value(quantity, si) == text


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (-3.0, "0 s", "0 s"),
        (99.4, "99 s", "99 s"),
        (100.0, "2 min", "2 min"),
        (5999.0, "100 min", "100 min"),
        (6000.0, "2 h", "2 h"),
        (172_800.0, "2 天", "2 d"),
        (math.inf, MISSING, MISSING),
    ],
)
def test_an_age_uses_the_largest_fitting_unit(seconds: float, zh: str, en: str) -> None:
    assert (format_age(seconds, "zh"), format_age(seconds, "en")) == (zh, en)


def test_times_are_those_of_the_county() -> None:
    assert local_time(0.0, "Asia/Shanghai") == "08:00:00"
    assert local_time(0.0, "Asia/Urumqi", "%H:%M") == "06:00"
    assert local_time(math.nan, "Asia/Shanghai") == MISSING
