"""GCJ-02 and BD-09, the shifted coordinates of Chinese map services, to WGS 84 and back.

Source: the published transformation known as "eviltransform" (Krasovsky 1940 ellipsoid, sums of sines)
and Baidu's own shift on top of it. The inverse is a fixed-point iteration, exact to far below a
millimetre: the shift changes by less than 1 % over its own length, so each round wins two digits.
All arrays are degrees, any one shape; lon first. Outside China the shift is not defined and none is made.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_A_M = 6378245.0
_E2 = 0.00669342162296594323
_BD_RAD = np.pi * 3000.0 / 180.0
_ROUNDS = 12


def _wave(x: Floats, *terms: tuple[float, float]) -> Floats:
    """Sum of ``amplitude * sin(x * factor * pi)``, times 2/3."""
    total: Floats = sum((a * np.sin(x * f * np.pi) for a, f in terms), np.zeros_like(x)) * (2.0 / 3.0)
    return total


def _shift_m(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Shift (east, north) in metres of the reference sphere at (lon - 105, lat - 35)."""
    root = np.sqrt(np.abs(x))
    shared = _wave(x, (20.0, 6.0), (20.0, 2.0))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east = east + shared + _wave(x, (20.0, 1.0), (40.0, 1.0 / 3.0), (150.0, 1.0 / 12.0), (300.0, 1.0 / 30.0))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north = (
        north + shared + _wave(y, (20.0, 1.0), (40.0, 1.0 / 3.0), (160.0, 1.0 / 12.0), (320.0, 1.0 / 30.0))
    )
    return east, north


def is_in_china(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    """True inside the box in which the shift is defined."""
    inside: NDArray[np.bool_] = (lon > 72.004) & (lon < 137.8347) & (lat > 0.8293) & (lat < 55.8271)
    return inside


def wgs84_to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return GCJ-02 degrees of WGS 84 degrees."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    east, north = _shift_m(lon - 105.0, lat - 35.0)
    phi = np.radians(lat)
    w2 = 1.0 - _E2 * np.sin(phi) ** 2
    dlat = np.degrees(north * w2 * np.sqrt(w2) / (_A_M * (1.0 - _E2)))
    dlon = np.degrees(east * np.sqrt(w2) / (_A_M * np.cos(phi)))
    inside = is_in_china(lon, lat)
    return np.where(inside, lon + dlon, lon), np.where(inside, lat + dlat, lat)


def gcj02_to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return BD-09 degrees of GCJ-02 degrees."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    r = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_RAD)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_RAD)
    return r * np.cos(angle) + 0.0065, r * np.sin(angle) + 0.006


def _invert(
    forward: Callable[[Floats, Floats], tuple[Floats, Floats]], lon: Floats, lat: Floats
) -> tuple[Floats, Floats]:
    """Return (x, y) with ``forward(x, y) == (lon, lat)``."""
    target_lon, target_lat = np.asarray(lon, float), np.asarray(lat, float)
    x, y = target_lon.copy(), target_lat.copy()
    for _ in range(_ROUNDS):
        fx, fy = forward(x, y)
        x, y = x + (target_lon - fx), y + (target_lat - fy)
    return x, y


def gcj02_to_wgs84(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return WGS 84 degrees of GCJ-02 degrees; the inverse of :func:`wgs84_to_gcj02`."""
    return _invert(wgs84_to_gcj02, lon, lat)


def bd09_to_wgs84(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return WGS 84 degrees of BD-09 degrees."""
    return gcj02_to_wgs84(*_invert(gcj02_to_bd09, lon, lat))
