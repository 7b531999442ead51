"""The scene's local frame: metres east, north and above the datum, and the ground mesh in it.

The renderer places float32 vertices as metre offsets from one origin (deck.gl ``METER_OFFSETS``), which
keeps centimetres where degrees in float32 would keep metres. ``to_local`` is the exact inverse of what
the renderer does with such offsets, so later layers in degrees (3D tiles) fall on the same spot.

Source: @math.gl/web-mercator, ``getDistanceScales`` and ``addMetersToLngLat``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.model.county import County
from twin.model.network import LonLat

EARTH_CIRCUMFERENCE_M = 40.03e6
"""The renderer's earth, not the geodesist's: both must agree or layers drift apart."""
TILE_SIZE = 512.0
MAX_MESH_NODES = 256
"""Nodes of the ground mesh along its longer side."""
MIN_MESH_NODES = 33

Floats = NDArray[np.float64]


def _world_xy(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Web Mercator position on a world of 512 x 512."""
    x = TILE_SIZE * (np.radians(lon) + np.pi) / (2.0 * np.pi)
    y = TILE_SIZE * (np.pi + np.log(np.tan(np.pi / 4.0 + np.radians(lat) / 2.0))) / (2.0 * np.pi)
    return x, y


@dataclass(frozen=True, slots=True)
class LocalFrame:
    """Metres around ``origin`` (lon, lat in degrees); z = 0 lies ``datum_m`` above the sea."""

    origin: LonLat
    datum_m: float

    def to_local(self, lon: Floats, lat: Floats) -> Floats:
        """Turn degrees into metres east and north.

        Parameters
        ----------
        lon, lat : (n,) WGS 84 degrees

        Returns
        -------
        (n, 2) metres in the renderer's metre-offset projection
        """
        lon0, lat0 = np.array(self.origin)[:, None]
        cos_lat = np.cos(np.radians(lat0))
        units_per_m = TILE_SIZE / EARTH_CIRCUMFERENCE_M / cos_lat
        per_degree_y = TILE_SIZE / 360.0 / cos_lat
        per_degree2 = TILE_SIZE / EARTH_CIRCUMFERENCE_M * np.radians(np.tan(np.radians(lat0)) / cos_lat)
        units_per_m2 = per_degree2 / per_degree_y * units_per_m
        x0, y0 = _world_xy(lon0, lat0)
        x, y = _world_xy(np.asarray(lon, float), np.asarray(lat, float))
        north = (y - y0) / units_per_m
        east = (x - x0) / (units_per_m + units_per_m2 * north)
        return np.stack([east, north], axis=-1)

    def path_to_local(self, path: Sequence[LonLat]) -> Floats:
        """Turn a line of (lon, lat) into (n, 2) metres."""
        degrees = np.asarray(path, float).reshape(-1, 2)
        return self.to_local(degrees[:, 0], degrees[:, 1])

    def to_degrees(self, x_m: float, y_m: float) -> LonLat:
        """Inverse of :meth:`to_local` for one place, by two Newton steps (error under a millimetre)."""
        lon, lat = self.origin
        metre_lat = 360.0 / EARTH_CIRCUMFERENCE_M
        metre_lon = metre_lat / float(np.cos(np.radians(self.origin[1])))
        for _ in range(4):
            here = self.to_local(np.array([lon]), np.array([lat]))[0]
            lon += (x_m - float(here[0])) * metre_lon
            lat += (y_m - float(here[1])) * metre_lat
        return lon, lat


@dataclass(frozen=True, slots=True)
class GroundMesh:
    """The ground as drawn: a regular grid in local metres, two triangles per cell.

    ``height_m``: (n_y, n_x) above the datum, row 0 is the southern edge. Everything that lies on the
    ground takes its height from here and not from the finer terrain, or it would sink into the picture.
    """

    x0_m: float
    y0_m: float
    dx_m: float
    dy_m: float
    height_m: Floats

    @property
    def extent_m(self) -> tuple[float, float, float, float]:
        """West, south, east, north in local metres."""
        n_y, n_x = self.height_m.shape
        return (
            self.x0_m,
            self.y0_m,
            self.x0_m + (n_x - 1) * self.dx_m,
            self.y0_m + (n_y - 1) * self.dy_m,
        )

    def cells_of(self, extent_m: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
        """Columns and rows (j0, i0, j1, i1) of the least box of whole cells around ``extent_m``, clamped."""
        west, south, east, north = extent_m
        n_y, n_x = self.height_m.shape
        j0, j1 = np.floor((west - self.x0_m) / self.dx_m), np.ceil((east - self.x0_m) / self.dx_m)
        i0, i1 = np.floor((south - self.y0_m) / self.dy_m), np.ceil((north - self.y0_m) / self.dy_m)
        return (
            int(np.clip(j0, 0, n_x - 2)), int(np.clip(i0, 0, n_y - 2)),
            int(np.clip(j1, 1, n_x - 1)), int(np.clip(i1, 1, n_y - 1)),
        )  # fmt: skip

    def extent_of(self, cells: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
        """West, south, east, north of a box of cells, local metres."""
        j0, i0, j1, i1 = cells
        return (
            self.x0_m + j0 * self.dx_m, self.y0_m + i0 * self.dy_m,
            self.x0_m + j1 * self.dx_m, self.y0_m + i1 * self.dy_m,
        )  # fmt: skip

    def height_at(self, xy_m: Floats) -> Floats:
        """Height of the drawn surface, metres above the datum, at (n, 2) local metres; clamped to the edge.

        Each cell is split along its north-west to south-east diagonal, as the drawn mesh is.
        """
        n_y, n_x = self.height_m.shape
        u = np.clip((xy_m[:, 0] - self.x0_m) / self.dx_m, 0.0, n_x - 1.000001)
        v = np.clip((xy_m[:, 1] - self.y0_m) / self.dy_m, 0.0, n_y - 1.000001)
        j, i = u.astype(int), v.astype(int)
        fu, fv = u - j, v - i
        z = self.height_m
        sw, se, nw, ne = z[i, j], z[i, j + 1], z[i + 1, j], z[i + 1, j + 1]
        south_west = sw + fu * (se - sw) + fv * (nw - sw)
        north_east = ne + (1.0 - fu) * (nw - ne) + (1.0 - fv) * (se - ne)
        surface: Floats = np.where(fu + fv <= 1.0, south_west, north_east)
        return surface

    def drape(self, xy_m: Floats, lift_m: float) -> Floats:
        """Lay a line on the surface: vertices are added at least every half cell.

        Parameters
        ----------
        xy_m : (n, 2) line in local metres
        lift_m : height above the surface in metres

        Returns
        -------
        (m, 3), m >= n
        """
        dense = densify(xy_m, 0.5 * min(self.dx_m, self.dy_m))
        return np.column_stack([dense, self.height_at(dense) + lift_m])


def densify(xy_m: Floats, step_m: float) -> Floats:
    """Add vertices so that no piece of the line (n, 2) is longer than ``step_m``; ends are kept."""
    if len(xy_m) < 2:
        return xy_m
    pieces = np.maximum(1, np.ceil(np.hypot(*np.diff(xy_m, axis=0).T) / step_m).astype(int))
    parts = [
        a + (b - a) * (np.arange(n) / n)[:, None] for a, b, n in zip(xy_m[:-1], xy_m[1:], pieces, strict=True)
    ]
    return np.vstack([*parts, xy_m[-1:]])


def make_frame(county: County) -> LocalFrame:
    """Return the frame of ``county``: origin at its centre, datum at the median ground of its network."""
    nodes = county.network.nodes
    if nodes:
        lon, lat = np.array([n.lon for n in nodes]), np.array([n.lat for n in nodes])
    else:
        lon, lat = np.array([county.meta.center[0]]), np.array([county.meta.center[1]])
    return LocalFrame(county.meta.center, float(np.median(county.terrain.height_at(lon, lat))))


def make_mesh(county: County, frame: LocalFrame) -> GroundMesh:
    """Resample the terrain to the ground mesh, at most ``MAX_MESH_NODES`` along the longer side."""
    terrain = county.terrain
    n_lat, n_lon = terrain.height_m.shape
    lon_w, lon_e = terrain.lon0, terrain.lon0 + terrain.dlon * (n_lon - 1)
    lat_s, lat_n = terrain.lat0, terrain.lat0 + terrain.dlat * (n_lat - 1)
    corners = frame.path_to_local([(lon_w, lat_s), (lon_e, lat_s), (lon_w, lat_n), (lon_e, lat_n)])
    # The grid of degrees is a slight trapezium in metres: take the rectangle inside it.
    west, east = float(corners[[0, 2], 0].max()), float(corners[[1, 3], 0].min())
    south, north = float(corners[:2, 1].min()), float(corners[2:, 1].max())
    nodes = min(MAX_MESH_NODES, max(MIN_MESH_NODES, n_lat, n_lon))
    step = max(east - west, north - south) / (nodes - 1)
    n_x, n_y = max(2, round((east - west) / step) + 1), max(2, round((north - south) / step) + 1)
    x, y = np.linspace(west, east, n_x), np.linspace(south, north, n_y)
    # Inverse of the projection, row by row: y depends on latitude alone, and x is linear in longitude.
    fine_lat = np.linspace(lat_s, lat_n, 257)
    row_lat = np.interp(y, frame.to_local(np.full(257, lon_w), fine_lat)[:, 1], fine_lat)
    row_west = frame.to_local(np.full(n_y, lon_w), row_lat)[:, :1]
    row_east = frame.to_local(np.full(n_y, lon_e), row_lat)[:, :1]
    node_lon = lon_w + (x - row_west) / (row_east - row_west) * (lon_e - lon_w)
    node_lat = np.broadcast_to(row_lat[:, None], node_lon.shape)
    height = terrain.height_at(node_lon, node_lat) - frame.datum_m
    return GroundMesh(west, south, (east - west) / (n_x - 1), (north - south) / (n_y - 1), height)
