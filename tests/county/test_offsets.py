"""GCJ-02 and BD-09 against published values, and their inverses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.county.offsets import bd09_to_wgs84, gcj02_to_bd09, gcj02_to_wgs84, wgs84_to_gcj02

# Published example of the widely used coordtransform library, Beijing.
BEIJING = (np.array([116.404]), np.array([39.915]))


def test_gcj02_equals_the_published_example() -> None:
    lon, lat = wgs84_to_gcj02(*BEIJING)
    assert lon[0] == pytest.approx(116.41024449916938, abs=1e-10)
    assert lat[0] == pytest.approx(39.91640428150164, abs=1e-10)


def test_bd09_equals_the_published_example() -> None:
    lon, lat = gcj02_to_bd09(*BEIJING)
    assert lon[0] == pytest.approx(116.41036949371029, abs=1e-10)
    assert lat[0] == pytest.approx(39.92133699351021, abs=1e-10)


@given(st.floats(73.0, 136.0), st.floats(2.0, 54.0))
def test_the_inverses_are_exact_to_less_than_a_millimetre(lon: float, lat: float) -> None:
    here = np.array([lon]), np.array([lat])
    gcj = wgs84_to_gcj02(*here)
    for back in (gcj02_to_wgs84(*gcj), bd09_to_wgs84(*gcj02_to_bd09(*gcj))):
        assert abs(back[0][0] - lon) < 1e-9
        assert abs(back[1][0] - lat) < 1e-9


def test_the_shift_is_hundreds_of_metres_in_china_and_nothing_outside() -> None:
    lon, _ = wgs84_to_gcj02(np.array([103.62, 2.35]), np.array([35.58, 48.85]))
    assert 100.0 < (lon[0] - 103.62) * 90500.0 < 900.0
    assert lon[1] == 2.35
