"""A coarse surface with a picture of its own: thinned without regard to texture seams, then painted anew.

Seams are where surveys are cut into charts; a thinning that keeps them stops at a third of the triangles.
So the surface is welded and thinned first. Then it gets a plain atlas (pieces that face the same way, seen
along that way), and every texel takes the colour of the nearest place on the fine surface. Open edges get a
short skirt, which hides the gap to a neighbour of another level.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ingest.tiles.atlas import Rect, pack_rects
from ingest.tiles.glb import Ints, Material, Part
from ingest.tiles.meshopt import simplify
from ingest.tiles.pictures import encode_picture, open_picture
from ingest.tiles.surfaces import take_triangles

Floats = NDArray[np.float64]
WELD_M = 1e-3
RIM = 2
MAX_SAMPLES = 2_000_000
SAMPLES_PER_TEXEL = 1.5
FILL = 0.8
"""Share of the picture that the charts may take before packing."""


@dataclass(frozen=True, slots=True)
class Baked:
    """The coarse surface, its skirt, how far it has moved (m), and the side of its texels (m)."""

    part: Part
    skirt: Part | None
    error_m: float
    texel_m: float


def bake_surface(parts: list[Part], keep: int, pixels: int) -> Baked | None:
    """Make one coarse surface of several fine ones.

    Parameters
    ----------
    parts : textured or coloured triangles; positions (n, 3) m
    keep : triangles to aim at
    pixels : size of the new picture

    Returns
    -------
    None where there is no surface
    """
    fine = [p for p in parts if p.triangles is not None and len(p.triangles)]
    if not fine:
        return None
    starts = np.cumsum([0, *(len(p.positions) for p in fine[:-1])])
    xyz = np.concatenate([p.positions for p in fine])
    rows = np.concatenate([_rows(p) + at for p, at in zip(fine, starts, strict=True)])
    coarse, triangles, error = _thin(xyz, rows, keep)
    if not len(triangles):
        return None
    uv, corners, sheet_size, texel = _lay_out(coarse, triangles, pixels)
    width, height = sheet_size
    at, where = _rasterise(coarse, triangles, uv, (width, height))
    points, colours = _sample(fine, max(int(len(at) * SAMPLES_PER_TEXEL), 256))
    _, near = cKDTree(points).query(at, k=1)
    sheet = np.zeros((height, width, 3), np.uint8)
    empty = np.ones((height, width), bool)
    sheet[where[:, 1], where[:, 0]] = colours[near]
    empty[where[:, 1], where[:, 0]] = False
    if empty.any():
        _, (i, j) = distance_transform_edt(empty, return_indices=True)
        sheet = sheet[i, j]
    flat = uv.reshape(-1, 2) / (width, height)
    vertices, of_corner = np.unique(np.column_stack([triangles.reshape(-1), corners.repeat(3)]), axis=0,
                                    return_inverse=True)  # fmt: skip
    first = np.zeros(len(vertices), np.int64)
    first[of_corner.reshape(-1)] = np.arange(len(flat))
    material = Material(encode_picture(Image.fromarray(sheet)))
    part = Part(coarse[vertices[:, 0]], of_corner.reshape(-1, 3), material, flat[first])
    return Baked(part, _make_skirt(part, triangles, max(error, texel)), error, texel)


def _rows(part: Part) -> NDArray[np.int64]:
    assert part.triangles is not None
    return part.triangles.astype(np.int64)


def _thin(xyz: Floats, rows: NDArray[np.int64], keep: int) -> tuple[Floats, NDArray[np.int64], float]:
    """Weld and thin; returns vertices, triangles and error (m)."""
    middle = np.round(xyz.mean(axis=0), 3)
    _, first, to = np.unique(
        np.round((xyz - middle) / WELD_M), axis=0, return_index=True, return_inverse=True
    )
    welded, rows = xyz[first], to.reshape(-1)[rows]
    rows = rows[(rows[:, 0] != rows[:, 1]) & (rows[:, 1] != rows[:, 2]) & (rows[:, 0] != rows[:, 2])]
    error = 0.0
    if len(rows) > keep:
        thin, error = simplify(welded - middle, rows, keep, lock_border=False)
        rows = thin.astype(np.int64)
    part = take_triangles(Part(welded, rows), rows) if len(rows) else Part(welded, rows)
    return np.asarray(part.positions, np.float64), _rows(part), error


def _lay_out(
    xyz: Floats, rows: NDArray[np.int64], pixels: int
) -> tuple[Floats, NDArray[np.int64], tuple[int, int], float]:
    """Charts side by side: pixels of every corner (m, 3, 2), chart of every triangle, size, texel (m)."""
    a, b, c = (xyz[rows[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    axis = np.argmax(np.abs(normals), axis=1)
    facing = axis * 2 + (normals[np.arange(len(rows)), axis] < 0.0)
    charts = _find_charts(rows, facing)
    plane = np.stack([np.where(axis == 0, 1, 0), np.where(axis == 2, 1, 2)], axis=1)
    flat = np.take_along_axis(np.stack([a, b, c], axis=1), plane[:, None, :].repeat(3, axis=1), axis=2)
    count = int(charts.max()) + 1
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, charts, flat.min(axis=1))
    np.maximum.at(high, charts, flat.max(axis=1))
    span = np.maximum(high - low, 1e-3)
    scale = float(np.sqrt(FILL * pixels / max(span.prod(axis=1).sum(), 1e-9)))
    side = int(np.ceil(np.sqrt(pixels)))
    while True:
        sizes = np.ceil(span * scale).astype(int) + 2 * RIM
        places, width, height = pack_rects([Rect(0, 0, int(w), int(h)) for w, h in sizes])
        if max(width, height) <= max(side * 1.3, 64) or scale < 1e-3:
            break
        scale *= 0.85
    start = np.array([[p.x, p.y] for p in places], float) + RIM
    uv = (flat - low[charts][:, None]) * scale + start[charts][:, None]
    return uv, charts, (width, height), 1.0 / scale


def _find_charts(rows: NDArray[np.int64], facing: NDArray[np.int64]) -> NDArray[np.int64]:
    """Triangles that share an edge and face the same way make a chart."""
    edges = np.sort(np.concatenate([rows[:, [0, 1]], rows[:, [1, 2]], rows[:, [2, 0]]]), axis=1)
    owner = np.tile(np.arange(len(rows)), 3)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    same = (edges[order[1:]] == edges[order[:-1]]).all(axis=1)
    left, right = owner[order[:-1]][same], owner[order[1:]][same]
    together = facing[left] == facing[right]
    left, right = left[together], right[together]
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(len(rows), len(rows)))
    return np.asarray(connected_components(graph.tocsr(), directed=False)[1], np.int64)


def _rasterise(
    xyz: Floats, rows: NDArray[np.int64], uv: Floats, size: tuple[int, int]
) -> tuple[Floats, NDArray[np.int64]]:
    """Places (n, 3) m of the texels that a triangle covers, and their pixels (n, 2)."""
    places, pixels = [], []
    low = np.maximum(np.floor(uv.min(axis=1) - 1.0), 0).astype(int)
    high = np.minimum(np.ceil(uv.max(axis=1) + 1.0), np.array(size) - 1).astype(int)
    corners = xyz[rows]
    for (x0, y0), (x1, y1), (p, q, r), corner in zip(low, high, uv, corners, strict=True):
        d, e = q - p, r - p
        cross = d[0] * e[1] - d[1] * e[0]
        if abs(cross) < 1e-9:
            continue
        gx, gy = np.meshgrid(np.arange(x0, x1 + 1), np.arange(y0, y1 + 1))
        fx, fy = gx.ravel() + 0.5 - p[0], gy.ravel() + 0.5 - p[1]
        s, t = (fx * e[1] - fy * e[0]) / cross, (d[0] * fy - d[1] * fx) / cross
        inside = (s > -1e-6) & (t > -1e-6) & (s + t < 1.0 + 1e-6)
        if inside.any():
            s, t = s[inside, None], t[inside, None]
            places.append(corner[0] + s * (corner[1] - corner[0]) + t * (corner[2] - corner[0]))
            pixels.append(np.column_stack([gx.ravel()[inside], gy.ravel()[inside]]))
    if not places:  # smaller than a texel: its corners' places
        middle = uv.reshape(-1, 2)
        return corners.reshape(-1, 3), np.clip(middle.astype(np.int64), 0, np.array(size) - 1)
    return np.concatenate(places), np.concatenate(pixels).astype(np.int64)


def _sample(parts: list[Part], count: int) -> tuple[Floats, NDArray[np.uint8]]:
    """Places and colours spread evenly over the fine surfaces."""
    areas = [_areas(p) for p in parts]
    total = max(sum(float(a.sum()) for a in areas), 1e-12)
    rng = np.random.default_rng(0)
    places, colours = [], []
    for part, area in zip(parts, areas, strict=True):
        assert part.triangles is not None
        wanted = np.maximum(area / total * min(count, MAX_SAMPLES), 1.0)
        number = np.floor(wanted + rng.random(len(wanted))).astype(int)
        of = np.repeat(np.arange(len(area)), number)
        s, t = rng.random((2, len(of)))
        over = s + t > 1.0
        s, t = np.where(over, 1.0 - s, s), np.where(over, 1.0 - t, t)
        weights = np.stack([1.0 - s - t, s, t], axis=1)
        corners = part.triangles[of]
        places.append(np.einsum("nk,nkd->nd", weights, part.positions[corners].astype(float)))
        colours.append(_look_up(part, corners, weights))
    return np.concatenate(places), np.concatenate(colours)


def _areas(part: Part) -> Floats:
    a, b, c = (part.positions[_rows(part)[:, i]].astype(float) for i in range(3))
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2.0)


def _look_up(part: Part, corners: Ints, weights: Floats) -> NDArray[np.uint8]:
    """Colours (n, 3) of places on a surface."""
    if part.material.picture is not None and part.uv is not None:
        unit = 65535.0 if part.uv.dtype == np.uint16 else 1.0
        uv = np.einsum("nk,nkd->nd", weights, part.uv[corners].astype(float) / unit)
        pixels = np.asarray(open_picture(part.material.picture.data, "picture", small=False).convert("RGB"))
        height, width = pixels.shape[:2]
        x = np.clip((uv[:, 0] % 1.0001 * width).astype(int), 0, width - 1)
        y = np.clip((uv[:, 1] % 1.0001 * height).astype(int), 0, height - 1)
        return np.asarray(pixels[y, x])
    if part.colours is not None:
        mixed = np.einsum("nk,nkd->nd", weights, part.colours[corners][..., :3].astype(float))
        return np.asarray(mixed.astype(np.uint8))
    flat = np.clip(np.array(part.material.colour[:3]) ** (1 / 2.2) * 255.0, 0, 255).astype(np.uint8)
    return np.tile(flat, (len(corners), 1))


def _make_skirt(part: Part, rows: NDArray[np.int64], depth_m: float) -> Part | None:
    """Return a short wall below every open edge, in the colour of the edge."""
    assert part.triangles is not None and part.uv is not None
    edges = np.concatenate([rows[:, [0, 1]], rows[:, [1, 2]], rows[:, [2, 0]]])
    mine = np.concatenate([part.triangles[:, [0, 1]], part.triangles[:, [1, 2]], part.triangles[:, [2, 0]]])
    _, to, count = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    open_edges = mine[count[to.reshape(-1)] == 1]
    if not len(open_edges) or depth_m <= 0.0:
        return None
    used, low = np.unique(open_edges.reshape(-1), return_inverse=True)
    a, b = low.reshape(-1, 2).T
    c, d = a + len(used), b + len(used)
    wall = np.concatenate([np.stack([b, a, c], axis=1), np.stack([b, c, d], axis=1)])
    top = part.positions[used]
    places = np.concatenate([top, top - (0.0, 0.0, depth_m)])
    return Part(places, wall, part.material, np.concatenate([part.uv[used]] * 2))
