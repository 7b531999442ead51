"""Where things lie: degrees, earth-centred metres, projected metres, and the county's east/north/up.

The county's frame is the tangent plane of WGS 84 at the county's centre, height 0: x east, y north,
z up, metres. Its matrix into earth-centred metres (ECEF) is the transform of every layer's root tile.

CGCS2000 and WGS 84 are taken as the same (they agree within a metre). Heights pass through unchanged:
a height above sea level and one above the ellipsoid differ by the geoid (-60 to +10 m in China), which
no file here says; ``height_shift_m`` mends it, and the report compares with the county's terrain.

Source: NIMA TR8350.2, WGS 84; Bowring 1976 for the way back from ECEF.
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from ingest.tiles.tileset import transform_points
from twin.model.errors import InputError
from twin.model.network import LonLat

Floats = NDArray[np.float64]
A_M = 6378137.0
E2 = 6.69437999014e-3
B_M = A_M * (1.0 - E2) ** 0.5
NEAR_EARTH_M = 6.2e6
_ENU = re.compile(r"ENU:\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)(?:\s*,\s*(-?[\d.]+))?\s*$", re.IGNORECASE)


def ecef_of(lon: Floats, lat: Floats, height_m: Floats) -> Floats:
    """Turn WGS 84 degrees and metres (n,) into earth-centred metres (n, 3)."""
    lam, phi = np.radians(lon), np.radians(lat)
    n = A_M / np.sqrt(1.0 - E2 * np.sin(phi) ** 2)
    r = (n + height_m) * np.cos(phi)
    return np.stack([r * np.cos(lam), r * np.sin(lam), (n * (1.0 - E2) + height_m) * np.sin(phi)], axis=-1)


def degrees_of(ecef: Floats) -> tuple[Floats, Floats, Floats]:
    """Turn earth-centred metres (n, 3) into longitude, latitude (degrees) and height (m), each (n,)."""
    x, y, z = ecef.T
    p = np.hypot(x, y)
    beta = np.arctan2(z * A_M, p * B_M)
    for _ in range(2):  # the second step leaves less than a micrometre near the ground
        phi = np.arctan2(
            z + E2 * A_M**2 / B_M * np.sin(beta) ** 3, p - E2 * A_M * np.cos(beta) ** 3
        )  # fmt: skip
        beta = np.arctan2(B_M * np.sin(phi), A_M * np.cos(phi))
    n = A_M / np.sqrt(1.0 - E2 * np.sin(phi) ** 2)
    height = p * np.cos(phi) + z * np.sin(phi) - A_M**2 / n
    return np.degrees(np.arctan2(y, x)), np.degrees(phi), height


def enu_matrix(lon: float, lat: float, height_m: float = 0.0) -> Floats:
    """Return the matrix from east/north/up at a place into earth-centred metres."""
    lam, phi = np.radians(lon), np.radians(lat)
    sl, cl, sp, cp = np.sin(lam), np.cos(lam), np.sin(phi), np.cos(phi)
    matrix = np.eye(4)
    matrix[:3, 0] = -sl, cl, 0.0
    matrix[:3, 1] = -sp * cl, -sp * sl, cp
    matrix[:3, 2] = cp * cl, cp * sl, sp
    matrix[:3, 3] = ecef_of(np.array([lon]), np.array([lat]), np.array([height_m]))[0]
    return matrix


@dataclass(frozen=True, slots=True)
class CountyFrame:
    """East/north/up of the county: the tangent plane at ``origin`` (lon, lat), height 0."""

    origin: LonLat

    @property
    def matrix(self) -> Floats:
        """Into earth-centred metres."""
        return enu_matrix(*self.origin)

    def from_ecef(self, ecef: Floats) -> Floats:
        """Return (n, 3) metres east, north, up."""
        m = self.matrix
        return np.asarray((ecef - m[:3, 3]) @ m[:3, :3])

    def from_degrees(self, lon: Floats, lat: Floats, height_m: Floats) -> Floats:
        """Return (n, 3) metres east, north, up."""
        return self.from_ecef(ecef_of(lon, lat, height_m))

    def to_degrees(self, enu: Floats) -> tuple[Floats, Floats, Floats]:
        """Return longitude, latitude (degrees) and height (m) of (n, 3) metres east, north, up."""
        return degrees_of(transform_points(self.matrix, enu))


class Placement(Protocol):
    """How a source's coordinates become the county's."""

    def place(self, xyz: NDArray[Any]) -> Floats:
        """Return (n, 3) metres east, north, up of the county."""


@dataclass(frozen=True, slots=True)
class Rigid:
    """A turn and a shift: earth-centred metres, or east/north/up of another place."""

    matrix: Floats

    def place(self, xyz: NDArray[Any]) -> Floats:
        """Return (n, 3) metres east, north, up of the county."""
        return transform_points(self.matrix, xyz)


@dataclass(frozen=True, slots=True)
class Projected:
    """Metres of a map projection after ``origin_m`` (east, north, height) is added; heights as they are."""

    frame: CountyFrame
    crs: str
    origin_m: tuple[float, float, float]
    shift_m: float = 0.0

    def place(self, xyz: NDArray[Any]) -> Floats:
        """Return (n, 3) metres east, north, up of the county.

        Raises
        ------
        InputError : positions outside the area of the projection
        """
        points = xyz.astype(np.float64) + self.origin_m
        lon, lat = _transformer(self.crs).transform(points[:, 0], points[:, 1])
        if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
            raise InputError(f"positions lie outside the area of {self.crs}; check --crs and --origin")
        return self.frame.from_degrees(lon, lat, points[:, 2] + self.shift_m)


_TRANSFORMERS: dict[str, Transformer] = {}


def _transformer(crs: str) -> Transformer:
    if crs not in _TRANSFORMERS:
        _TRANSFORMERS[crs] = Transformer.from_crs(parse_crs(crs), "EPSG:4326", always_xy=True)
    return _TRANSFORMERS[crs]


def parse_crs(text: str) -> CRS:
    """Read a projected system: an EPSG code, WKT or a PROJ text; its heights are left aside.

    Raises
    ------
    InputError : not known, or not in metres
    """
    try:
        crs = CRS.from_user_input(text.strip())
    except CRSError as e:
        raise InputError(
            f"the coordinate system {text.strip()[:80]!r} is not known: give one such as EPSG:4547, "
            "ENU:34.22,108.96 (latitude, longitude) or ECEF with --crs"
        ) from e
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    if crs.is_geocentric or not crs.is_projected:
        raise InputError(f"{crs.name} is not in metres of a map; give the projected system with --crs")
    return crs


def parse_placement(
    text: str,
    frame: CountyFrame,
    origin_m: tuple[float, float, float] = (0.0, 0.0, 0.0),
    shift_m: float = 0.0,
) -> Placement:
    """Read what ``--crs`` or a ``metadata.xml`` says.

    Parameters
    ----------
    text : ``EPSG:4547``, WKT, PROJ text, ``ENU:latitude,longitude[,height]`` or ``ECEF``
    origin_m : added to every position first (``SRSOrigin``, ``--origin``)
    shift_m : added to every height

    Raises
    ------
    InputError : not known, or a place that is not on the earth
    """
    back = np.linalg.inv(frame.matrix)
    moved = np.eye(4)
    moved[:3, 3] = origin_m
    if text.strip().upper() == "ECEF":
        up = np.eye(4)
        up[2, 3] = shift_m
        return Rigid(up @ back @ moved)
    if enu := _ENU.match(text.strip()):
        lat, lon, height = (float(v) if v else 0.0 for v in enu.groups())
        if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
            raise InputError(f"{text}: latitude comes first, then longitude")
        return Rigid(back @ enu_matrix(lon, lat, height + shift_m) @ moved)
    parse_crs(text)
    return Projected(frame, text.strip(), origin_m, shift_m)


def is_earth_centred(root: Floats) -> bool:
    """Whether a root transform (4, 4) puts its tile at the earth's surface."""
    return bool(np.linalg.norm(root[:3, 3]) > NEAR_EARTH_M)
