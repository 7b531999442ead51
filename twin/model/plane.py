"""A plane around the county's centre: metres east and north of it.

Source: radii of curvature of the WGS 84 ellipsoid (a = 6378137 m, f = 1/298.257223563) at the centre.
Valid: within 100 km of the centre lengths are right to about 1 % at its edge and 0.01 % near the centre.
"""

from math import cos, radians, sin, sqrt

from twin.model.network import LonLat

_A_M = 6378137.0
_E2 = 6.69437999014e-3


class Plane:
    """Local plane with its origin at ``center`` (lon, lat in degrees)."""

    __slots__ = ("center", "east_m_deg", "north_m_deg")

    def __init__(self, center: LonLat) -> None:
        self.center = center
        lat = radians(center[1])
        w = sqrt(1.0 - _E2 * sin(lat) ** 2)
        self.east_m_deg = radians(1.0) * _A_M / w * cos(lat)
        self.north_m_deg = radians(1.0) * _A_M * (1.0 - _E2) / w**3

    def to_xy(self, lonlat: LonLat) -> tuple[float, float]:
        """Return metres (east, north) of a position in degrees."""
        return (
            (lonlat[0] - self.center[0]) * self.east_m_deg,
            (lonlat[1] - self.center[1]) * self.north_m_deg,
        )
