"""Paints what lies on the ground: fields with their rows, yards, streets with lanes, water, cars, shadows."""

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from ingest.demo.survey.looks import BANK, BUILT, CARS, GROUND, PAVING, ROADS, SNOW, WATER, WILD, Rgb
from ingest.demo.survey.noise import Picture, View, smooth
from ingest.demo.survey.things import Cars
from ingest.demo.survey.world import SHADOW, SUN, TOWN_USES, Floats, Patch, Street, World, pick

WOOD, TERRACE, GLASS, ORCHARD, YARD = 30, 31, 32, 33, 34
_CODES = {"wood": WOOD, "terrace": TERRACE, "greenhouse": GLASS, "orchard": ORCHARD}
_YARDS = ("residential", "campus", "civic", "old_town", "industrial", "vacant")
SHADE = np.array([0.40, 0.455, 0.56], np.float32)
"""What is left of the light in a shadow: the blue of the sky."""


def dim(colour: Rgb, factor: float) -> Rgb:
    """The colour times a factor, kept in range."""
    r, g, b = (int(min(max(c * factor, 0.0), 255.0)) for c in colour)
    return r, g, b


def _tone(patch: Patch) -> Rgb:
    colours = GROUND.get(patch.use, (BUILT,))
    return dim(colours[pick(patch.id, 1, len(colours))], 0.93 + 0.14 * pick(patch.id, 2, 100) / 100.0)


def _angle(xy: Floats) -> int:
    """Direction of the longest side in steps of 7.5 degrees, 0..23."""
    step = np.diff(xy, axis=0)
    long = step[int(np.argmax(np.hypot(step[:, 0], step[:, 1])))]
    return round(float(np.degrees(np.arctan2(long[1], long[0]))) / 7.5) % 24


def paint_patches(view: View, world: World) -> Picture:
    """Land use with its textures, over wild ground; (rows, width, 3)."""
    image = Image.new("RGB", (view.width, view.rows), WILD)
    codes = Image.new("L", (view.width, view.rows), 0)
    draw, mark = ImageDraw.Draw(image), ImageDraw.Draw(codes)
    for i in world.near("patches", view.box):
        p = world.patches[i]
        outline = view.pixels(p.xy)
        draw.polygon(outline, fill=_tone(p))
        code = 1 + _angle(p.xy) if p.use == "field" else _CODES.get(p.use, YARD if p.use in _YARDS else 0)
        mark.polygon(outline, fill=code)
        if p.use in ("pitch", "square"):
            draw.line(
                [*outline, outline[0]], fill=(224, 226, 220) if p.use == "pitch" else (150, 144, 134), width=1
            )
        if p.use == "carpark":
            _bays(draw, view, p)
    return _weave(np.asarray(image, np.float32), np.asarray(codes), view, world)


def _bays(draw: ImageDraw.ImageDraw, view: View, p: Patch) -> None:
    if view.metres_per_px > 0.4:
        return
    (x0, y0), (x1, y1) = p.xy.min(axis=0), p.xy.max(axis=0)
    for y in np.arange(y0 + 1.0, y1 - 5.0, 8.6):
        for x in np.arange(x0 + 0.65, x1, 2.7):
            draw.line(view.pixels(np.array([[x, y], [x, y + 5.0]])), fill=(196, 196, 192), width=1)


def _weave(picture: Picture, code: Picture, view: View, world: World) -> Picture:
    """Rows of crops, crowns of woods, steps of terraces, plastic tunnels; patchiness everywhere."""
    m, seed = view.metres_per_px, world.seed
    broad, middle, fine = (smooth(view, seed, salt, cell) for salt, cell in ((1, 46.0), (2, 9.0), (3, 2.3)))
    x, y = view.grid()
    tone = 1.0 + 0.055 * broad + 0.05 * middle + 0.05 * fine
    field = (code > 0) & (code <= 24)
    if field.any():
        angle = np.radians((np.arange(25, dtype=np.float32) - 1.0) * 7.5)
        across = -x * np.sin(angle)[code % 25] + y * np.cos(angle)[code % 25]
        wide = max(2.4, 2.6 * m)
        rows = np.sin(across * np.float32(2 * np.pi / wide)) + 0.8 * np.sin(
            across * np.float32(2 * np.pi / (7.3 * wide))
        )
        tone += field * (0.045 * rows + 0.04 * broad)
    if (code == WOOD).any():
        crowns = smooth(view, seed, 4, max(4.5, 2.0 * m))
        tone += (code == WOOD) * (0.30 * crowns + 0.12 * middle)
    if (code == TERRACE).any():
        tone += (code == TERRACE) * _steps(view, world)
    if (code == ORCHARD).any():
        gap = max(4.6, 3.0 * m)
        dots = np.cos(x * np.float32(2 * np.pi / gap)) * np.cos(y * np.float32(2 * np.pi / gap))
        tone -= (code == ORCHARD) * np.clip(1.3 * dots + 0.3 * middle, 0.0, 1.0) * 0.30
    out: Picture = picture * tone[..., None]
    if (code == GLASS).any():
        wave = np.sin(y * np.float32(2 * np.pi / 11.0))
        share = (code == GLASS) * np.clip(0.55 + 1.6 * wave, 0.0, 0.92)
        shine = (
            np.array([200.0, 206.0, 210.0], np.float32)
            * (0.94 + 0.08 * np.clip(wave, 0, 1) + 0.05 * middle)[..., None]
        )
        out += (shine - out) * share[..., None]
    if (code == YARD).any():
        lawn = np.clip((middle + 0.6 * fine + 0.3 * broad - 0.35) * 2.2, 0.0, 0.62) * (code == YARD)
        out += (np.array([122.0, 116.0, 84.0], np.float32) * tone[..., None] - out) * lawn[..., None]
    return out


def _steps(view: View, world: World) -> Picture:
    """Banks and fields of terraced slopes."""
    height = relief(view, world)
    slope_y, slope_x = np.gradient(height)
    rise = np.hypot(slope_x, slope_y) + 1e-4
    step = 4.0 * max(1.0, view.metres_per_px / 1.6)
    level = height / step
    away = np.abs(level - np.round(level)) * step / rise
    bank = np.clip(1.3 - away, 0.0, 1.0) * np.clip(step / rise / 3.0, 0.0, 1.0)
    lot = np.modf(np.sin(np.floor(level + 0.5) * 12.9898) * 43758.5453)[0]
    return np.asarray(0.10 * lot - 0.26 * bank, np.float32)


def relief(view: View, world: World) -> Picture:
    """Smooth heights at the pixels, m above the sea."""
    t, plane = world.county.terrain, world.plane
    low, high = plane.to_degrees(np.array([[view.box[0], view.box[1]], [view.box[2], view.box[3]]]))
    size = max(8, min(96, round(view.width * view.metres_per_px / 24.0)))
    lon, lat = np.linspace(low[0], high[0], size), np.linspace(high[1], low[1], size)
    j, i = (lon - t.lon0) / t.dlon, (lat - t.lat0) / t.dlat
    heights = ndimage.map_coordinates(t.height_m, np.meshgrid(i, j, indexing="ij"), order=3, mode="nearest")
    image = Image.fromarray(heights.astype(np.float32))
    return np.asarray(image.resize((view.width, view.rows), Image.Resampling.BICUBIC))


def shade_relief(picture: Picture, view: View, world: World) -> Picture:
    """Light and shade of the slopes."""
    height = relief(view, world)
    slope_y, slope_x = np.gradient(height, view.metres_per_px)
    lambert = (-slope_x * SUN[0] + slope_y * SUN[1] + SUN[2]) / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    light = 1.0 + 0.8 * (np.clip(lambert / SUN[2], 0.28, 1.4) - 1.0)
    out: Picture = picture * light[..., None].astype(np.float32)
    north = np.clip((0.80 - light) * 3.2, 0.0, 1.0)
    if north.max() > 0.05:
        patchy = np.clip(
            2.2 * (smooth(view, world.seed, 5, 60.0) + 0.6 * smooth(view, world.seed, 6, 13.0)) - 0.35,
            0.0,
            0.8,
        )
        out += (np.array(SNOW, np.float32) * 0.86 - out) * (north * patchy).astype(np.float32)[..., None]
    return out


def paint_water(image: Image.Image, view: View, world: World) -> None:
    """Rivers and ponds with a pale bank."""
    draw = ImageDraw.Draw(image)
    m = view.metres_per_px
    rows = [world.waters[i] for i in world.near("waters", view.box, 30.0)]
    for edge, colour in ((7.0, BANK), (3.0, dim(BANK, 0.72)), (0.0, WATER)):
        for p in rows:
            outline = view.pixels(p.xy)
            if p.area_m2 > 0:
                if edge:
                    draw.line([*outline, outline[0]], fill=colour, width=max(1, round(2 * edge / m)))
                else:
                    draw.polygon(outline, fill=dim(colour, 0.86) if p.use == "reservoir" else colour)
            else:
                draw.line(outline, fill=colour, width=max(1, round((7.0 + edge) / m)), joint="curve")


def paint_streets(image: Image.Image, view: View, world: World) -> None:
    """Pavements, asphalt, lanes."""
    draw = ImageDraw.Draw(image)
    m = view.metres_per_px
    rows = [(s, view.pixels(s.xy)) for s in (world.streets[i] for i in world.near("streets", view.box, 8.0))]

    def stroke(line: list[tuple[float, float]], colour: Rgb, width_m: float) -> None:
        draw.line(line, fill=colour, width=max(1, round(width_m / m)), joint="curve")

    for s, line in rows:
        if s.kind in ("main", "secondary", "local"):
            stroke(line, PAVING, s.width_m + (7.0 if s.kind != "local" else 4.0))
        elif s.kind in ("county", "expressway", "rail", "village"):
            stroke(line, dim(BANK, 0.92), s.width_m + 3.0)
    for s, line in rows:
        if s.kind in ("main", "secondary") and m < 0.6:
            stroke(line, (196, 192, 184), s.width_m + 0.9)
    for s, line in rows:
        stroke(
            line, dim(ROADS.get(s.kind, ROADS["local"]), 0.96 + 0.08 * pick(s.id, 4, 10) / 10.0), s.width_m
        )
    if m < 0.6:
        for s, line in rows:
            _mark_lanes(draw, view, s, line)


def _mark_lanes(draw: ImageDraw.ImageDraw, view: View, s: Street, line: list[tuple[float, float]]) -> None:
    """Centre lines, dashes between lanes, rails."""
    if s.kind in ("main", "expressway", "county", "secondary"):
        draw.line(line, fill=(198, 178, 110) if s.kind != "expressway" else (206, 206, 200), width=1)
    offsets = {"main": (-0.25, 0.25), "secondary": (-0.25, 0.25), "expressway": (-0.24, 0.24)}.get(s.kind, ())
    step = np.diff(s.xy, axis=0)
    for a, d in zip(s.xy[:-1], step, strict=True):
        length = float(np.hypot(*d))
        if length < 6.0:
            continue
        side = np.array([-d[1], d[0]]) / length
        for off in offsets:
            for t in np.arange(2.0, length - 4.0, 10.0):
                p = a + d * (t / length) + side * off * s.width_m
                draw.line(view.pixels(np.array([p, p + d * (4.0 / length)])), fill=(206, 206, 202), width=1)
        if s.kind == "rail":
            for off in (-2.6, -1.2, 1.2, 2.6):
                draw.line(view.pixels(np.array([a, a + d]) + side * off), fill=(84, 78, 76), width=1)


def paint_aprons(image: Image.Image, view: View, world: World, rows: Iterable[int]) -> None:
    """The paved strip around houses of the town, with the kerb of the lawn beside it."""
    if view.metres_per_px > 1.0:
        return
    draw, m = ImageDraw.Draw(image), view.metres_per_px
    for edge_m, colour in ((2.5, (128, 122, 110)), (2.1, (176, 171, 162))):
        for i in rows:
            h = world.houses[i]
            if h.use in TOWN_USES:
                line = view.pixels(np.vstack([h.ring, h.ring[:2]]))
                draw.line(line, fill=colour, width=max(1, round(2 * edge_m / m)), joint="curve")


def paint_cars(image: Image.Image, shadow: Image.Image, view: View, cars: Cars) -> None:
    """Cars with a windscreen and their shadow."""
    if view.metres_per_px > 0.75:
        return
    draw, dark = ImageDraw.Draw(image), ImageDraw.Draw(shadow)
    for (x, y), turn, colour, length in zip(cars.xy, cars.heading, cars.colour, cars.length_m, strict=True):
        along, side = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        at = np.array([x, y])

        def box(
            u0: float, u1: float, w: float, at: Floats = at, along: Floats = along, side: Floats = side
        ) -> Floats:
            return np.array([at + along * u0 - side * w, at + along * u1 - side * w, at + along * u1 + side * w, at + along * u0 + side * w])  # fmt: skip

        body = box(-length / 2, length / 2, 0.9)
        dark.polygon(view.pixels(body + SHADOW * 1.3), fill=200)
        draw.polygon(view.pixels(body), fill=CARS[int(colour)])
        if view.metres_per_px < 0.45:
            draw.polygon(view.pixels(box(0.12 * length, 0.26 * length, 0.72)), fill=(44, 50, 58))
            draw.polygon(view.pixels(box(-0.40 * length, -0.30 * length, 0.7)), fill=(52, 58, 66))


def cast_shadows(shadow: Image.Image, view: View, world: World, rows: Iterable[int]) -> None:
    """Shadows of houses on level ground."""
    draw = ImageDraw.Draw(shadow)
    for i in rows:
        h = world.houses[i]
        away = SHADOW * h.height_m
        for a, b in zip(h.ring, np.roll(h.ring, -1, axis=0), strict=True):
            draw.polygon(view.pixels(np.array([a, b, b + away, a + away])), fill=255)
        draw.polygon(view.pixels(h.ring + away), fill=255)
