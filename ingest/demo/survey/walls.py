"""Pictures of walls: windows by storey and bay, balconies, plinths, shop fronts, stains, the sun on each side.

All walls of a house are painted as one strip, unrolled along its outline; a tile cuts out what it shows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.demo.survey.looks import Look, look_of
from ingest.demo.survey.world import SUN, Floats, House

Strip = NDArray[np.uint8]
F32 = NDArray[np.float32]
SKY = np.array([0.52, 0.57, 0.66], np.float32)
"""Light on a wall that the sun does not reach."""
STOREY_M = {"shed": 5.2, "public": 3.6, "shop": 3.9, "cottage": 3.2}
GLASS = np.array([58.0, 66.0, 76.0], np.float32)
SIGNS = np.array(
    [[176, 52, 46], [196, 150, 60], [48, 92, 150], [60, 122, 84], [206, 204, 198], [150, 60, 110]], np.float32
)


@dataclass(frozen=True, slots=True)
class WallMap:
    """Where each wall lies in the strip: first metre ``start`` (n,), ``length`` (n,); ``px_per_m``."""

    start: Floats
    length: Floats
    px_per_m: float


@dataclass(frozen=True, slots=True)
class _Place:
    """Per column: wall, bay, place in the bay (0..1), width of a bay (m); per row: storey, place in it, height."""

    wall: NDArray[np.int64]
    bay: NDArray[np.int64]
    u: F32
    bay_m: F32
    long: NDArray[np.bool_]
    south: F32
    storey: NDArray[np.int64]
    v: F32
    z: F32


def wall_map(h: House, px_per_m: float) -> WallMap:
    """Lengths of the walls along the outline."""
    step = np.roll(h.ring, -1, axis=0) - h.ring
    length = np.hypot(step[:, 0], step[:, 1])
    return WallMap(np.concatenate([[0.0], np.cumsum(length)[:-1]]), length, px_per_m)


def paint_strip(h: House, px_per_m: float) -> Strip:
    """Paint the walls of a house, (rows, columns, 3); the eaves are in row 0."""
    look = look_of(h)
    walls = wall_map(h, px_per_m)
    cols = max(2, round(float(walls.length.sum()) * px_per_m))
    rows = max(2, round(h.height_m * px_per_m))
    rng = np.random.default_rng((7, 72, h.row))
    at = _place(h, look, walls, cols, rows)
    light = _light(h)[at.wall]
    picture = np.empty((rows, cols, 3), np.float32)
    picture[:] = np.array(look.wall, np.float32) * (0.92 + 0.14 * rng.random())
    if look.facade == "chimney":
        picture = _chimney(picture, at)
    elif look.facade == "shed":
        picture = _shed(picture, at, rng)
    elif look.facade != "blank":
        picture = _storeys(picture, at, look, h, rng)
    return _weather(picture, at, light, rng)


def _place(h: House, look: Look, walls: WallMap, cols: int, rows: int) -> _Place:
    s = (np.arange(cols) + 0.5) / walls.px_per_m
    wall = np.clip(np.searchsorted(walls.start, s, side="right") - 1, 0, len(walls.start) - 1)
    aim = {"shed": 6.0, "public": 3.4, "shop": 4.2, "cottage": 2.9, "tower": 3.1}.get(look.facade, 3.3)
    bays = np.maximum(1, np.round(walls.length / aim))
    along = (s - walls.start[wall]) / np.maximum(walls.length[wall], 0.01)
    bay = np.minimum((along * bays[wall]).astype(int), bays[wall].astype(int) - 1)
    z = (rows - np.arange(rows) - 0.5) / walls.px_per_m
    storey_m = STOREY_M.get(look.facade, h.height_m / max(h.floors, 1))
    if look.facade in ("slab", "slab_old", "tower", "public"):
        storey_m = max((h.height_m - 1.2) / max(h.floors, 1), 2.6)
    storey = np.minimum((z / storey_m).astype(int), max(h.floors - 1, 0))
    normal = _normals(h)
    return _Place(
        wall, bay + 1000 * wall, (along * bays[wall] - bay).astype(np.float32),
        (walls.length / bays)[wall].astype(np.float32), walls.length[wall] > 2.3, -normal[wall, 1].astype(np.float32),
        storey, ((z - storey * storey_m) / storey_m).astype(np.float32), z.astype(np.float32),
    )  # fmt: skip


def _normals(h: House) -> Floats:
    step = np.roll(h.ring, -1, axis=0) - h.ring
    n = np.column_stack([step[:, 1], -step[:, 0]])
    return np.asarray(n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-9))


def _light(h: House) -> F32:
    """Light (n, 3) on each wall."""
    sun = np.clip(_normals(h) @ SUN[:2], 0.0, None)[:, None]
    return np.asarray(SKY + sun * np.array([0.62, 0.56, 0.46]), np.float32)


def _lots(rng: np.random.Generator, at: _Place, count: int = 4096) -> F32:
    """A random number per window, (rows, columns)."""
    table = rng.random(count).astype(np.float32)
    return np.asarray(table[(at.bay[None, :] * 131 + at.storey[:, None] * 17) % count])


def _lay(picture: F32, colour: F32, share: F32) -> F32:
    """Lay a colour (or one per pixel) over the picture, which is changed and returned."""
    picture *= (1.0 - share)[..., None]
    picture += colour * share[..., None]
    return picture


def _storeys(picture: F32, at: _Place, look: Look, h: House, rng: np.random.Generator) -> F32:
    lot = _lots(rng, at)
    u, v = at.u[None, :], at.v[:, None]
    half = np.minimum(0.5 * 1.55 / at.bay_m, 0.36)[None, :]
    half = np.where(look.facade == "public", np.minimum(0.5 * 2.3 / at.bay_m, 0.40)[None, :], half)
    if look.facade == "tower":
        stripe = (at.bay % 3 == 1)[None, :] & (v > -1)
        picture = _lay(picture, np.array([150.0, 120.0, 104.0], np.float32), 0.75 * stripe.astype(np.float32))
    slab = (v < 0.07).astype(np.float32) * (0.30 if look.facade in ("slab", "tower") else 0.18)
    picture = _lay(picture, np.array([232.0, 228.0, 220.0], np.float32), slab * np.ones_like(u))
    long = at.long[None, :]
    frame = (np.abs(u - 0.5) < half + 0.03) & (v > 0.27) & (v < 0.86) & long
    pane = (np.abs(u - 0.5) < half) & (v > 0.31) & (v < 0.82) & long
    balcony = np.zeros_like(pane)
    if h.use == "residence":
        balcony = ((at.bay % 2 == 0) & (at.south > 0.5) & at.long)[None, :] & (v > 0.06)
        frame, pane = frame & ~balcony, pane & ~balcony
    if look.facade == "cottage":
        low = (at.south < -0.3)[None, :] & (lot > 0.25)
        frame, pane = frame & ~low, pane & ~low
    picture = _lay(picture, np.array([226.0, 226.0, 222.0], np.float32), 0.8 * frame.astype(np.float32))
    picture = _glaze(picture, pane, lot, v)
    if balcony.any():
        glazed = balcony & (v > 0.40) & (v < 0.93) & (np.abs(u - 0.5) < 0.44)
        rail = balcony & (v <= 0.40)
        picture = _lay(
            picture,
            np.array([222.0, 218.0, 208.0], np.float32) * (0.9 + 0.1 * (h.number(6, 3) > 0)),
            0.85 * rail.astype(np.float32),
        )
        picture = _lay(
            picture,
            np.array([206.0, 208.0, 208.0], np.float32),
            0.7 * (balcony & (v > 0.36)).astype(np.float32),
        )
        picture = _glaze(picture, glazed & (np.abs(np.mod(u * 4, 1) - 0.5) < 0.42), lot, v)
    units = (
        (lot > 0.72) & (np.abs(u - 0.12) < 0.11) & (v > 0.12) & (v < 0.30) & long & (at.storey[:, None] > 0)
    )
    picture = _lay(picture, np.array([214.0, 214.0, 210.0], np.float32), 0.9 * units.astype(np.float32))
    if look.facade == "shop" or (look.facade == "public" and h.number(6, 2)):
        picture = _shop_front(picture, at, lot)
    plinth = ((at.z < 0.9)[:, None] & np.ones_like(long)).astype(np.float32)
    picture = _lay(picture, np.array([118.0, 112.0, 106.0], np.float32), 0.75 * plinth)
    top = (at.z > at.z[0] - 0.55)[:, None] & np.ones_like(long)
    return _lay(picture, np.array([216.0, 208.0, 196.0], np.float32), 0.5 * top.astype(np.float32))


def _glaze(picture: F32, pane: NDArray[np.bool_], lot: F32, v: F32) -> F32:
    """Glass: dark rooms, some curtains, some sky."""
    colour = GLASS * (0.62 + 0.75 * lot)[..., None]
    curtain = (lot * 7.0) % 1.0 > 0.66
    colour = np.where(
        curtain[..., None],
        np.array([168.0, 158.0, 142.0], np.float32) * (0.7 + 0.35 * lot)[..., None],
        colour,
    )
    sky = np.clip(0.35 * (v - 0.4), 0.0, 0.3)[..., None]
    return _lay(
        picture,
        (colour * (1.0 - sky) + np.array([150.0, 164.0, 180.0], np.float32) * sky).astype(np.float32),
        0.94 * pane.astype(np.float32),
    )


def _shop_front(picture: F32, at: _Place, lot: F32) -> F32:
    ground = (at.storey == 0)[:, None] & at.long[None, :]
    v = at.v[:, None]
    glass = ground & (v > 0.10) & (v < 0.66) & (np.abs(at.u - 0.5) < 0.44)[None, :]
    picture = _glaze(picture, glass, lot, v)
    sign = ground & (v > 0.70) & (v < 0.95)
    which = ((at.bay // 2) * 7 + at.wall * 3) % len(SIGNS)
    colour = np.broadcast_to(SIGNS[which][None], picture.shape).astype(np.float32)
    return _lay(picture, colour, 0.82 * sign.astype(np.float32))


def _shed(picture: F32, at: _Place, rng: np.random.Generator) -> F32:
    ribs = 1.0 + 0.04 * np.sin(2 * np.pi * at.u * 6.0)
    picture = picture * ribs[None, :, None].astype(np.float32)
    high = at.z[0]
    band = ((at.z > 0.62 * high) & (at.z < 0.76 * high))[:, None] & at.long[None, :]
    picture = _glaze(
        picture, band & (np.abs(np.mod(at.u * 3, 1) - 0.5) < 0.44)[None, :], _lots(rng, at), at.v[:, None]
    )
    door = ((at.bay % 5 == 2) & at.long & (np.abs(at.u - 0.5) < 0.36))[None, :] & (
        at.z < min(4.2, 0.6 * high)
    )[:, None]
    picture = _lay(picture, np.array([98.0, 108.0, 124.0], np.float32), 0.85 * door.astype(np.float32))
    low = ((at.z < 1.1)[:, None] & (at.u > -1)[None, :]).astype(np.float32)
    return _lay(picture, np.array([150.0, 128.0, 112.0], np.float32), 0.8 * low)


def _chimney(picture: F32, at: _Place) -> F32:
    high = at.z[0]
    red = ((at.z > 0.62 * high) & (np.floor((high - at.z) / 8.0) % 2 == 0))[:, None] & (at.u > -1)[None, :]
    return _lay(picture, np.array([168.0, 74.0, 62.0], np.float32), 0.85 * red.astype(np.float32))


def _weather(picture: F32, at: _Place, light: F32, rng: np.random.Generator) -> Strip:
    """Stains that run down, dirt at the foot, sun or sky, grain."""
    rows, cols, _ = picture.shape
    run = np.interp(
        np.arange(cols), np.arange(0, cols + 8, 4), rng.normal(0, 1, len(np.arange(0, cols + 8, 4)))
    )
    fall = np.clip(at.z / max(float(at.z[0]), 1.0), 0.0, 1.0)[:, None]
    tone = 1.0 + 0.035 * run[None, :] * (0.4 + 0.6 * fall)
    tone *= 1.0 - 0.22 * np.exp(-at.z / 1.6)[:, None]
    tone *= 1.0 - 0.14 * (at.v > 0.93)[:, None]
    tone += 0.03 * rng.standard_normal((rows, cols))
    out = picture * light[None] * tone[..., None]
    return np.asarray(np.clip(out, 0, 255).astype(np.uint8))
