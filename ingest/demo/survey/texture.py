"""What the pixels of the ground get over their plain colours: rows of crops, crowns, terraces, light of the slopes, snow.

All of it goes through the picture in bands of rows that stay in the processor's cache.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

from ingest.demo.survey.looks import SNOW, dim
from ingest.demo.survey.noise import Picture, View, grain, smooth
from ingest.demo.survey.world import SUN, World

WOOD, TERRACE, GLASS, ORCHARD, YARD = 30, 31, 32, 33, 34
"""Codes of land; 1 to 24 are fields, by the direction of their rows in steps of 7.5 degrees."""
SHADE = np.array([0.40, 0.455, 0.56], np.float32)
"""What is left of the light in a shadow: the blue of the sky."""
WHITE = np.array(SNOW, np.float32)
BAND_ROWS = 32
Codes = NDArray[np.uint8]
Pixels = NDArray[np.uint8]
_ANGLE = np.radians((np.arange(36, dtype=np.float32) - 1.0) * 7.5)
_SIN, _COS = np.sin(_ANGLE), np.cos(_ANGLE)


def bands(rows: int) -> Iterator[slice]:
    """Bands of rows."""
    return (slice(i, min(i + BAND_ROWS, rows)) for i in range(0, rows, BAND_ROWS))


def weave_ground(image: Image.Image, codes: Image.Image, view: View, world: World) -> Image.Image:
    """Texture, light and old snow over the plain colours of ``image``; ``codes`` says what grows where."""
    picture, code, seed = np.asarray(image), np.asarray(codes), world.seed
    broad, middle, fine = (smooth(view, seed, salt, cell) for salt, cell in ((1, 46.0), (2, 9.0), (3, 2.3)))
    light, shady = _slopes(view, world)
    snow = None
    if float(shady.max()) > 0.05:
        patchy = smooth(view, seed, 5, 60.0) + 0.6 * smooth(view, seed, 6, 13.0)
        snow = shady * np.clip(2.2 * patchy - 0.35, 0.0, 0.8)
    steps = _steps(view, world) if (code == TERRACE).any() else None
    crowns = smooth(view, seed, 4, max(4.5, 2.0 * view.metres_per_px)) if (code == WOOD).any() else None
    x, y = view.grid()
    out = np.empty_like(picture)
    for at in bands(view.rows):
        c = code[at]
        tone = 0.055 * broad[at]
        tone += 0.05 * middle[at]
        tone += 0.05 * fine[at]
        tone += 1.0
        _grow(tone, c, x, y[at], broad[at], middle[at], view.metres_per_px)
        if crowns is not None:
            tone += (c == WOOD) * (0.30 * crowns[at] + 0.12 * middle[at])
        if steps is not None:
            tone += (c == TERRACE) * steps[at]
        covers = _cover(tone, c, y[at], broad[at], middle[at], fine[at])
        lit = light[at] if snow is None else light[at] * (1.0 - snow[at])
        for weight in (tone, *(share for _, share in covers)):
            np.multiply(weight, lit, out=weight)
        if snow is not None:
            covers.append((0.86 * WHITE, snow[at]))
        band = picture[at] * tone[..., None]
        for colour, share in covers:
            band += colour * share[..., None]
        np.clip(band, 0.0, 255.0, out=band)
        out[at] = band
    return Image.fromarray(out)


def _grow(
    tone: Picture, code: Codes, x: Picture, y: Picture, broad: Picture, middle: Picture, m: float
) -> None:
    """Rows of crops, trees of orchards; changes ``tone``."""
    field = (code > 0) & (code <= 24)
    if field.any():
        across = _COS[code] * y - _SIN[code] * x
        wide = max(2.4, 2.6 * m)
        rows = np.sin(across * np.float32(2 * np.pi / wide))
        rows += np.float32(0.8) * np.sin(across * np.float32(2 * np.pi / (7.3 * wide)))
        tone += field * (np.float32(0.045) * rows + np.float32(0.04) * broad)
    if (code == ORCHARD).any():
        gap = max(4.6, 3.0 * m)
        dots = np.cos(x * np.float32(2 * np.pi / gap)) * np.cos(y * np.float32(2 * np.pi / gap))
        tone -= (code == ORCHARD) * np.clip(1.3 * dots + 0.3 * middle, 0.0, 1.0) * np.float32(0.30)


def _cover(
    tone: Picture, code: Codes, y: Picture, broad: Picture, middle: Picture, fine: Picture
) -> list[tuple[Picture, Picture]]:
    """Plastic over greenhouses, lawn in yards: colours with the share of each; ``tone`` keeps what is left."""
    covers = []
    glass = code == GLASS
    if glass.any():
        wave = np.sin(y * np.float32(2 * np.pi / 11.0))
        share = glass * np.clip(0.55 + 1.6 * wave, 0.0, 0.92)
        bright = 0.94 + 0.08 * np.clip(wave, 0, 1) + 0.05 * middle
        covers.append((np.array([200.0, 206.0, 210.0], np.float32), share * bright))
        tone *= 1.0 - share
    yard = code == YARD
    if yard.any():
        lawn = np.clip((middle + 0.6 * fine + 0.3 * broad - 0.35) * 2.2, 0.0, 0.62)
        lawn *= yard
        covers.append((np.array([122.0, 116.0, 84.0], np.float32), tone * lawn))
        tone *= 1.0 - lawn
    return covers


def _steps(view: View, world: World) -> Picture:
    """Banks and fields of terraced slopes."""
    height = relief(view, world)
    slope_y, slope_x = np.gradient(height)
    rise = np.hypot(slope_x, slope_y) + np.float32(1e-4)
    step = np.float32(4.0 * max(1.0, view.metres_per_px / 1.6))
    level = height / step
    away = np.abs(level - np.round(level)) * step / rise
    bank = np.clip(1.3 - away, 0.0, 1.0) * np.clip(step / rise / 3.0, 0.0, 1.0)
    lot = np.modf(np.sin(np.floor(level + 0.5) * np.float32(12.9898)) * np.float32(43758.5453))[0]
    return np.asarray(0.10 * lot - 0.26 * bank, np.float32)


ROOM = 3
"""Cells of the coarse grid of heights beyond each edge, so that neighbours agree along their border."""


def _coarse(view: View, world: World) -> tuple[Picture, float]:
    """Heights (n + 2 ROOM, n + 2 ROOM) on a coarse grid over the view and some room, and its cells, m."""
    t, size_m = world.county.terrain, view.box[2] - view.box[0]
    n = max(8, min(96, round(size_m / 24.0)))
    at = (np.arange(-ROOM, n + ROOM) + 0.5) * (size_m / n)
    places = world.plane.to_degrees(np.column_stack([view.box[0] + at, view.box[3] - at]))
    j, i = (places[:, 0] - t.lon0) / t.dlon, (places[:, 1] - t.lat0) / t.dlat
    heights = ndimage.map_coordinates(t.height_m, np.meshgrid(i, j, indexing="ij"), order=3, mode="nearest")
    return heights.astype(np.float32), size_m / n


def _spread(values: Picture, view: View) -> Picture:
    """Values of the coarse grid at the pixels."""
    n = values.shape[0] - ROOM
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    size = (view.width, view.rows)
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=(ROOM, ROOM, n, n)))


def relief(view: View, world: World) -> Picture:
    """Smooth heights at the pixels, m above the sea."""
    return _spread(_coarse(view, world)[0], view)


def _slopes(view: View, world: World) -> tuple[Picture, Picture]:
    """Light of the slopes at the pixels (1 on level ground), and how much they turn away from the sun, 0 to 1."""
    height, cell_m = _coarse(view, world)
    slope_y, slope_x = np.gradient(height, cell_m)
    lambert = (-slope_x * SUN[0] + slope_y * SUN[1] + SUN[2]) / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    light = 1.0 + 0.8 * (np.clip(lambert / SUN[2], 0.28, 1.4) - 1.0)
    north = np.clip((0.80 - light) * 3.2, 0.0, 1.0)
    if float(north.max()) <= 0.05:
        return _spread(light, view), np.zeros((1, 1), np.float32)
    return _spread(light, view), np.clip(_spread(north, view), 0.0, 1.0)


_DARKENED = [round(v * float(share)) for share in SHADE for v in range(256)]


def lay_shadow(image: Image.Image, shadow: Image.Image, view: View, world: World) -> None:
    """Darken what lies in shadow; a little snow has stayed there."""
    soft = shadow.filter(ImageFilter.BoxBlur(max(0.3 / view.metres_per_px, 0.4)))
    dark = np.asarray(soft)
    if not dark.any():
        return
    patchy = smooth(view, world.seed, 7, 17.0) + 0.5 * smooth(view, world.seed, 8, 4.0)
    snow = np.zeros_like(dark)
    for at in bands(view.rows):
        if dark[at].max() > 92:  # less keeps none
            lain = np.clip(2.5 * patchy[at] - 1.25, 0.0, 0.75)
            lain *= np.clip(dark[at] * np.float32(1.4 / 255.0) - 0.5, 0.0, 1.0)
            snow[at] = lain * 255.0
    image.paste(dim(SNOW, 0.9), mask=Image.fromarray(snow))
    image.paste(image.point(_DARKENED), mask=soft)


def develop(image: Image.Image, view: View, world: World) -> Image.Image:
    """The camera: a little blur, grain, haze."""
    picture = np.asarray(image.filter(ImageFilter.BoxBlur(0.45)))
    noise = grain(view, world.seed)
    out = np.empty_like(picture)
    for at in bands(view.rows):
        band = picture[at] * (0.965 + 0.0154 * noise[at])[..., None]
        band += 5.0  # at most 255
        out[at] = band
    return Image.fromarray(out)
