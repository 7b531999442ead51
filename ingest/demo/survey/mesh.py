"""The surface of one tile: ground with skirts, walls, roofs, what stands on them, crowns of trees."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from ingest.demo.survey.atlas import Atlas
from ingest.demo.survey.looks import look_of
from ingest.demo.survey.roofs import fixtures_of, hip_roof, triangulate
from ingest.demo.survey.things import Trees
from ingest.demo.survey.walls import Strip
from ingest.demo.survey.world import Box, Floats, House, World

Ints = NDArray[np.int64]
ROOT_M = 0.6
"""Walls reach this far into the ground."""
JITTER_M = 0.10
TALL_PX = 4.5
"""Houses lower than this many texels are left to the picture."""
FINE_M, MIDDLE_M, COARSE_M = 0.4, 0.7, 1.3
"""Metres per pixel up to which roofs have their things, trees have bodies, roofs have pitches."""


@dataclass(slots=True)
class Surface:
    """Collects triangles. ``xyz`` metres; ``uv`` in units of the square picture (0..1), or, for walls, the
    piece and the place in it (0..1)."""

    xyz: list[Floats] = field(default_factory=list)
    uv: list[Floats] = field(default_factory=list)
    piece: list[Ints] = field(default_factory=list)
    rows: list[Ints] = field(default_factory=list)
    count: int = 0

    def add(self, xyz: Floats, uv: Floats, rows: Ints, piece: int | Ints = -1) -> None:
        """Vertices (n, 3), (n, 2), triangles (m, 3)."""
        self.xyz.append(xyz)
        self.uv.append(uv)
        self.piece.append(np.broadcast_to(np.asarray(piece), (len(xyz),)))
        self.rows.append(rows + self.count)
        self.count += len(xyz)

    def finish(self, atlas: Atlas) -> tuple[Floats, Floats, Ints, int]:
        """Positions, uv of the whole texture, triangles, height of the texture in pixels."""
        height = atlas.pack()
        xyz, uv, piece = np.concatenate(self.xyz), np.concatenate(self.uv), np.concatenate(self.piece)
        out = np.empty_like(uv)
        above = piece < 0
        inset = 0.5 / atlas.px
        out[above] = np.clip(uv[above], inset, 1.0 - inset) * np.array([1.0, atlas.px / height])
        if (~above).any():
            size = np.array([(p.shape[1], p.shape[0]) for p in atlas.pieces], float)
            spot = np.array(atlas.spots, float)
            which = piece[~above]
            inner = np.clip(uv[~above] * size[which], 0.5, size[which] - 0.5)
            out[~above] = (spot[which] + inner) / np.array([atlas.px, height])
        return xyz, out, np.concatenate(self.rows), height


@dataclass(frozen=True, slots=True)
class Site:
    """What a tile is made from: its ``box``, metres per pixel, the world, strips of walls by house."""

    box: Box
    metres_per_px: float
    world: World
    strips: dict[int, Strip]
    trees: Trees

    def uv(self, xy: Floats) -> Floats:
        """Place (n, 2) in the picture from above."""
        size = self.box[2] - self.box[0]
        return np.asarray((xy - np.array([self.box[0], self.box[3]])) * np.array([1.0 / size, -1.0 / size]))


def build_surface(site: Site, atlas: Atlas) -> Surface:
    """The whole surface of a tile."""
    out = Surface()
    _add_ground(out, site)
    for i in site.world.near("houses", site.box):
        h = site.world.houses[i]
        if h.height_m > TALL_PX * site.metres_per_px:
            _add_house(out, site, atlas, h)
    if site.metres_per_px < MIDDLE_M:
        _add_trees(out, site)
    return out


def _add_ground(out: Surface, site: Site) -> None:
    """A grid over the part of the box that the county covers, with skirts hanging from its four edges."""
    e = site.world.extent
    west, south = max(site.box[0], e[0]), max(site.box[1], e[1])
    east, north = min(site.box[2], e[2]), min(site.box[3], e[3])
    size = site.box[2] - site.box[0]
    n = int(np.clip(size / 36.0, 6, 24))
    x, y = np.linspace(west, east, n + 1), np.linspace(south, north, n + 1)
    gx, gy = np.meshgrid(x, y)
    xy = np.column_stack([gx.ravel(), gy.ravel()])
    z = site.world.ground(xy)
    i, j = np.mgrid[:n, :n]
    sw = (i * (n + 1) + j).ravel()
    rows = np.concatenate(
        [np.stack([sw, sw + 1, sw + n + 1], 1), np.stack([sw + 1, sw + n + 2, sw + n + 1], 1)]
    )
    out.add(np.column_stack([xy, z]), site.uv(xy), rows)
    drop = max(3.0, 0.012 * size)
    k = np.arange(n + 1)
    for edge in (k, (n + 1) * k[::-1], n * (n + 1) + k[::-1], (n + 1) * k + n):
        top = np.column_stack([xy[edge], z[edge]])
        low = top - np.array([0.0, 0.0, drop])
        a = np.arange(n)
        quads = np.concatenate(
            [np.stack([a, a + n + 1, a + 1], 1), np.stack([a + 1, a + n + 1, a + n + 2], 1)]
        )
        uv = site.uv(xy[edge])
        out.add(np.vstack([top, low]), np.vstack([uv, uv]), quads)


_QUAD = np.array([[0, 1, 2], [0, 2, 3]])


def clip_segment(a: Sequence[float], b: Sequence[float], box: Box) -> tuple[float, float] | None:
    """Shares (t0, t1) of the way from ``a`` to ``b`` that lie in the box; None where none does."""
    t0, t1 = 0.0, 1.0
    for axis in (0, 1):
        d, low, high = b[axis] - a[axis], box[axis], box[axis + 2]
        if abs(d) < 1e-9:
            if not low <= a[axis] <= high:
                return None
            continue
        p, q = sorted(((low - a[axis]) / d, (high - a[axis]) / d))
        t0, t1 = max(t0, p), min(t1, q)
    return (t0, t1) if t1 - t0 > 1e-6 else None


def _jitter(h: House) -> Floats:
    """Small errors (n, 3) of every corner, as dense matching leaves them."""
    return np.asarray(np.random.default_rng((7, 73, h.row)).normal(0.0, JITTER_M, (len(h.ring), 3)))


def _add_house(out: Surface, site: Site, atlas: Atlas, h: House) -> None:
    m = site.metres_per_px
    look = look_of(h)
    pitched = m < COARSE_M and look.roof_rise_m > 0.0 and len(hip_roof(h)) > 0
    eaves = h.base_m + h.height_m - (0.3 * look.roof_rise_m if pitched else 0.0)
    keep = np.arange(len(h.ring))
    if m > FINE_M:
        line = shapely.simplify(Polygon(h.ring), 1.5 * m)
        corners = np.asarray(line.exterior.coords)[:-1]
        keep = np.array([int(np.argmin(np.hypot(*(h.ring - c).T))) for c in corners])
        keep = np.sort(keep)
    if len(keep) < 3:
        return
    ring = np.column_stack([h.ring[keep], np.full(len(keep), eaves)])
    if m < MIDDLE_M and not pitched:
        ring += _jitter(h)[keep]
    _add_walls(out, site, atlas, h, ring, keep)
    if pitched:
        _add_triangles(out, site, hip_roof(h) + np.array([0.0, 0.0, eaves]))
    else:
        shape = Polygon(ring[:, :2])
        if not shape.is_valid:
            return
        tri = triangulate(shape)
        at = np.argmin(
            np.hypot(tri.reshape(-1, 1, 2)[..., 0] - ring[:, 0], tri.reshape(-1, 1, 2)[..., 1] - ring[:, 1]),
            axis=1,
        )
        _add_triangles(out, site, np.concatenate([tri, ring[at, 2].reshape(-1, 3, 1)], axis=2))
    if m < FINE_M:
        _add_fixtures(out, site, h, eaves)


def _add_walls(out: Surface, site: Site, atlas: Atlas, h: House, ring: Floats, keep: Ints) -> None:
    """One quad per wall, cut at the tile's border; its picture is cut from the strip of the house."""
    strip = site.strips.get(h.row)
    if strip is None:
        return
    cols = strip.shape[1]
    step = np.roll(h.ring, -1, axis=0) - h.ring
    start = np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
    scale = cols / start[-1]
    along = np.append(start[keep], start[-1] + start[keep[0]]).tolist()
    low = h.base_m - ROOT_M
    xyz: list[list[tuple[float, ...]]] = []
    uv: list[list[tuple[float, float]]] = []
    pieces: list[int] = []
    corners = ring.tolist()
    for k, a in enumerate(corners):
        b = corners[(k + 1) % len(corners)]
        cut = clip_segment(a, b, site.box)
        if cut is None:
            continue
        t0, t1 = cut
        c0, c1 = ((along[k] + (along[k + 1] - along[k]) * t) * scale for t in cut)
        first, last = int(c0), max(math.ceil(c1), int(c0) + 1)
        whole = last <= cols  # else it goes over the seam of the strip
        picture = strip[:, first:last] if whole else np.take(strip, np.arange(first, last) % cols, axis=1)
        pieces.append(atlas.add(picture))
        p, q = (tuple(u + (v - u) * t for u, v in zip(a, b, strict=True)) for t in (t0, t1))
        xyz.append([(*p[:2], low), (*q[:2], low), q, p])
        u0, u1 = (c0 - first) / (last - first), (c1 - first) / (last - first)
        uv.append([(u0, 1.0), (u1, 1.0), (u1, 0.0), (u0, 0.0)])
    if not pieces:
        return
    n = len(pieces)
    rows = (_QUAD[None] + 4 * np.arange(n)[:, None, None]).reshape(-1, 3)
    out.add(np.array(xyz).reshape(-1, 3), np.array(uv).reshape(-1, 2), rows, np.repeat(pieces, 4))


def _add_triangles(out: Surface, site: Site, tri: Floats) -> None:
    """Triangles (n, 3, 3) seen from above, cut at the tile's border, shared corners stored once."""
    west, south, east, north = site.box
    low, high = tri[..., :2].min(axis=1), tri[..., :2].max(axis=1)
    gone = (high[:, 0] <= west) | (low[:, 0] >= east) | (high[:, 1] <= south) | (low[:, 1] >= north)
    whole = (low[:, 0] >= west) & (high[:, 0] <= east) & (low[:, 1] >= south) & (high[:, 1] <= north)
    parts = [tri[whole]]
    for t in tri[~whole & ~gone]:
        piece = _clip(t, site.box)
        if len(piece) >= 3:
            fan = np.stack([np.stack([piece[0], piece[i], piece[i + 1]]) for i in range(1, len(piece) - 1)])
            parts.append(fan)
    kept = np.concatenate(parts)
    if not len(kept):
        return
    corners, rows = np.unique(kept.reshape(-1, 3).round(3), axis=0, return_inverse=True)
    out.add(corners, site.uv(corners[:, :2]), rows.reshape(-1, 3))


def _clip(polygon: Floats, box: Box) -> Floats:
    """Part (k, 3) of a polygon inside the box (Sutherland and Hodgman)."""
    for axis, sign, bound in ((0, 1.0, box[0]), (1, 1.0, box[1]), (0, -1.0, box[2]), (1, -1.0, box[3])):
        if not len(polygon):
            return polygon
        inside = sign * (polygon[:, axis] - bound)
        kept = []
        for i in range(len(polygon)):
            j = (i + 1) % len(polygon)
            if inside[i] >= 0:
                kept.append(polygon[i])
            if (inside[i] >= 0) != (inside[j] >= 0):
                t = inside[i] / (inside[i] - inside[j])
                kept.append(polygon[i] + (polygon[j] - polygon[i]) * t)
        polygon = np.array(kept).reshape(-1, 3)
    return polygon


_BLOCK = np.array([[4, 5, 6], [4, 6, 7], *[r for k in range(4) for r in ((k, (k + 1) % 4, 4 + (k + 1) % 4), (k, 4 + (k + 1) % 4, 4 + k))]])  # fmt: skip


def _add_fixtures(out: Surface, site: Site, h: House, eaves: float) -> None:
    """Stair heads and boxes as blocks, water heaters as tilted panels; coloured by the picture from above."""
    west, south, east, north = site.box
    for f in fixtures_of(h):
        x, y = f.ring.mean(axis=0)
        if not (west <= x < east and south <= y < north):
            continue
        uv = site.uv(f.ring)
        middle = uv.mean(axis=0)
        inner = middle + (uv - middle) * 0.7
        if f.kind == "heater":
            z = eaves + np.array([0.25, 0.25, f.height_m, f.height_m])
            out.add(np.column_stack([f.ring, z]), inner, np.array([[0, 1, 2], [0, 2, 3]]))
            continue
        top = np.column_stack([f.ring, np.full(4, eaves + f.height_m)])
        foot = np.column_stack([f.ring, np.full(4, eaves)])
        out.add(np.vstack([foot, top]), np.vstack([middle + (uv - middle) * 0.92, inner]), _BLOCK)


def _add_trees(out: Surface, site: Site) -> None:
    """Crowns as lumps, draped with the picture as dense matching drapes them; from afar without undersides."""
    trees = site.trees.inside(site.box)
    if not len(trees.xy):
        return
    fine = site.metres_per_px < FINE_M
    n, sides = len(trees.xy), 5 if fine else 4
    angle = np.arange(sides) * 2 * np.pi / sides
    lot = np.random.default_rng((7, 74, n)).uniform(0.8, 1.2, (n, sides, 1))
    middle = trees.xy[:, None]
    belt = (
        middle + np.stack([np.cos(angle), np.sin(angle)], axis=1)[None] * trees.radius_m[:, None, None] * lot
    )
    base = site.world.ground(trees.xy)[:, None]
    tall = 1.9 * trees.radius_m[:, None] + 1.2
    rings = [np.concatenate([belt, np.broadcast_to((base + 0.55 * tall)[..., None], (n, sides, 1))], axis=2)]
    rings.append(np.concatenate([middle, (base + tall)[..., None]], axis=2))
    k = np.arange(sides)
    faces = [np.stack([k, (k + 1) % sides, np.full(sides, sides)], 1)]
    if fine:
        rings.append(np.concatenate([middle + 0.1, (base + 0.22 * tall)[..., None]], axis=2))
        faces.append(np.stack([(k + 1) % sides, k, np.full(sides, sides + 1)], 1))
    xyz = np.concatenate(rings, axis=1)
    inner = middle + (xyz[..., :2] - middle) * 0.72
    rows = np.concatenate(faces)[None] + xyz.shape[1] * np.arange(n)[:, None, None]
    out.add(xyz.reshape(-1, 3), site.uv(inner.reshape(-1, 2)), rows.reshape(-1, 3))
