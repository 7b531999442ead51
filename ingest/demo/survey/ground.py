"""Paints what lies on the ground: fields with their rows, yards, streets with lanes, water, cars, shadows."""

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw

from ingest.demo.survey.looks import BANK, BUILT, CARS, GROUND, PAVING, ROADS, WATER, WILD, Rgb, dim
from ingest.demo.survey.noise import View
from ingest.demo.survey.texture import GLASS, ORCHARD, TERRACE, WOOD, YARD, weave_ground
from ingest.demo.survey.things import Cars
from ingest.demo.survey.world import SHADOW, TOWN_USES, Floats, Patch, Street, World, pick

_CODES = {"wood": WOOD, "terrace": TERRACE, "greenhouse": GLASS, "orchard": ORCHARD}
_YARDS = ("residential", "campus", "civic", "old_town", "industrial", "vacant")


def _tone(patch: Patch) -> Rgb:
    colours = GROUND.get(patch.use, (BUILT,))
    return dim(colours[pick(patch.id, 1, len(colours))], 0.93 + 0.14 * pick(patch.id, 2, 100) / 100.0)


def _angle(xy: Floats) -> int:
    """Direction of the longest side in steps of 7.5 degrees, 0..23."""
    step = np.diff(xy, axis=0)
    long = step[int(np.argmax(np.hypot(step[:, 0], step[:, 1])))]
    return round(float(np.degrees(np.arctan2(long[1], long[0]))) / 7.5) % 24


def paint_patches(view: View, world: World) -> Image.Image:
    """Land use with its textures and the light of its slopes, over wild ground."""
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
    return weave_ground(image, codes, view, world)


def _bays(draw: ImageDraw.ImageDraw, view: View, p: Patch) -> None:
    if view.metres_per_px > 0.4:
        return
    (x0, y0), (x1, y1) = p.xy.min(axis=0), p.xy.max(axis=0)
    for y in np.arange(y0 + 1.0, y1 - 5.0, 8.6):
        for x in np.arange(x0 + 0.65, x1, 2.7):
            draw.line(view.pixels(np.array([[x, y], [x, y + 5.0]])), fill=(196, 196, 192), width=1)


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


_LANES = {"main": (-0.25, 0.25), "secondary": (-0.25, 0.25), "expressway": (-0.24, 0.24)}
_RAILS_M = (-2.6, -1.2, 1.2, 2.6)


def _mark_lanes(draw: ImageDraw.ImageDraw, view: View, s: Street, line: list[tuple[float, float]]) -> None:
    """Centre lines, dashes between lanes, rails."""
    if s.kind in ("main", "expressway", "county", "secondary"):
        draw.line(line, fill=(198, 178, 110) if s.kind != "expressway" else (206, 206, 200), width=1)
    step = np.diff(s.xy, axis=0)
    length = np.hypot(step[:, 0], step[:, 1])
    for a, d, size in zip(s.xy[:-1], step, length.tolist(), strict=True):
        if size < 6.0:
            continue
        side = np.array([-d[1], d[0]]) / size
        if s.kind == "rail":
            for off in _RAILS_M:
                draw.line(view.pixels(np.array([a, a + d]) + side * off), fill=(84, 78, 76), width=1)
        for off in _LANES.get(s.kind, ()):
            from_m = np.arange(2.0, size - 4.0, 10.0)
            starts = a + side * (off * s.width_m) + d * (from_m / size)[:, None]
            starts = starts[view.near(starts, 5.0)]
            ends = view.pixels(starts + d * (4.0 / size))
            for p, q in zip(view.pixels(starts), ends, strict=True):
                draw.line((*p, *q), fill=(206, 206, 202), width=1)


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
