"""The shape of roofs: triangles of flat and of hipped ones, with the light that falls on each."""

from functools import lru_cache

import numpy as np
import shapely
from shapely.geometry import Polygon

from ingest.demo.survey.looks import look_of
from ingest.demo.survey.things import Fixture, furnish_roof
from ingest.demo.survey.world import SUN, Floats, House


@lru_cache(maxsize=4096)
def fixtures_of(h: House) -> tuple[Fixture, ...]:
    """What stands on the roof, made once."""
    return tuple(furnish_roof(h))


def triangulate(shape: Polygon) -> Floats:
    """Triangles (n, 3, 2) of a polygon, counter-clockwise."""
    parts = shapely.get_parts(shapely.constrained_delaunay_triangles(shape))
    if not len(parts):
        return np.zeros((0, 3, 2))
    tri = np.stack([np.asarray(p.exterior.coords)[:3] for p in parts])
    e1, e2 = tri[:, 1] - tri[:, 0], tri[:, 2] - tri[:, 0]
    turned = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0] < 0
    tri[turned] = tri[turned][:, ::-1]
    return np.asarray(tri)


@lru_cache(maxsize=8192)
def hip_roof(h: House) -> Floats:
    """Triangles (n, 3, 3) of a pitched roof, z above the eaves; empty where the shape does not allow one."""
    rise = look_of(h).roof_rise_m
    if rise <= 0.0:
        return np.zeros((0, 3, 3))
    half = 2.0 * h.shape.area / h.shape.length
    for share in (0.86, 0.7, 0.5, 0.3):
        inner = h.shape.buffer(-share * half / 1.15, join_style="mitre")
        ridges = [p for p in shapely.get_parts(inner) if p.geom_type == "Polygon" and p.area > 0.05]
        if ridges:
            break
    else:
        return np.zeros((0, 3, 3))
    top = shapely.multipolygons(ridges)
    low = triangulate(h.shape.difference(top))
    crown = np.concatenate([triangulate(r) for r in ridges])
    edge = np.concatenate([np.asarray(r.exterior.coords) for r in ridges])
    xy = np.concatenate([low, crown])
    flat = xy.reshape(-1, 2)
    near = (
        np.hypot(flat[:, None, 0] - edge[None, :, 0], flat[:, None, 1] - edge[None, :, 1]).min(axis=1) < 1e-6
    )
    z = np.where(near, rise, 0.0).reshape(len(xy), 3)
    return np.concatenate([xy, z[..., None]], axis=2)


def light_on(tri: Floats) -> Floats:
    """Brightness (n,) of triangles (n, 3, 3): 1 on level ground."""
    n = np.cross(tri[:, 1] - tri[:, 0], tri[:, 2] - tri[:, 0])
    n /= np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-9)
    return np.asarray(0.42 + 0.58 * np.clip(n @ SUN, 0.0, None) / SUN[2])
