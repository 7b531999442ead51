"""The picture from above of one tile: ground, shadows, roofs and what stands on them, crowns, grain."""

from functools import lru_cache

import numpy as np
import shapely
from PIL import Image, ImageDraw

from ingest.demo.survey.ground import (
    cast_shadows,
    paint_aprons,
    paint_cars,
    paint_patches,
    paint_streets,
    paint_water,
)
from ingest.demo.survey.looks import CROWNS, Rgb, dim, look_of
from ingest.demo.survey.noise import View
from ingest.demo.survey.roofs import fixtures_of, hip_roof, light_on
from ingest.demo.survey.texture import develop, lay_shadow
from ingest.demo.survey.things import Cars, Trees
from ingest.demo.survey.world import SHADOW, Box, Floats, House, World

MARGIN_PX = 6


def paint_ortho(box: Box, px: int, world: World, trees: Trees, cars: Cars) -> Image.Image:
    """Paint ``box`` as ``px`` x ``px`` pixels, north up."""
    m = (box[2] - box[0]) / px
    room = MARGIN_PX * m
    view = View(
        (box[0] - room, box[1] - room, box[2] + room, box[3] + room), px + 2 * MARGIN_PX, px + 2 * MARGIN_PX
    )
    image = paint_patches(view, world)
    paint_water(image, view, world)
    paint_streets(image, view, world)
    shadow = Image.new("L", (view.width, view.rows), 0)
    houses = world.near("houses", view.box)
    paint_aprons(image, view, world, houses)
    casting = world.near("shadows", view.box)
    paint_cars(image, shadow, view, cars.inside(view.box))
    cast_shadows(shadow, view, world, casting)
    here = trees.inside(view.box, 6.0)
    _tree_shadows(shadow, view, here)
    _stamp_crowns(image, view, here)
    lay_shadow(image, shadow, view, world)
    for i in houses:
        _paint_roof(image, view, world.houses[i])
    return develop(image, view, world).crop((MARGIN_PX, MARGIN_PX, MARGIN_PX + px, MARGIN_PX + px))


def _tree_shadows(shadow: Image.Image, view: View, trees: Trees) -> None:
    if view.metres_per_px > 1.3:
        return
    draw, k = ImageDraw.Draw(shadow), 1.0 / view.metres_per_px
    for (x, y), r in zip(view.pixels(trees.xy), trees.radius_m * k, strict=True):
        dx, dy = SHADOW[0] * 1.6 * r, -SHADOW[1] * 1.6 * r
        draw.ellipse((x + dx - r, y + dy - r, x + dx + r, y + dy + r), fill=150)
        draw.line((x, y, x + dx, y + dy), fill=120, width=max(1, round(0.4 * k)))


@lru_cache(maxsize=256)
def _crown(kind: int, radius_px: int, lot: int) -> Image.Image:
    """A crown from above: lit from the south-west, broken up, thin where branches are bare."""
    colour, density = CROWNS[kind]
    n = 2 * radius_px + 3
    rng = np.random.default_rng((kind, radius_px, lot))
    y, x = np.mgrid[:n, :n].astype(np.float32) - (n - 1) / 2
    angle, r = np.arctan2(y, x), np.hypot(x, y) / max(radius_px, 1)
    edge = 1.0 + 0.16 * np.sin(3 * angle + rng.uniform(0, 6)) + 0.10 * np.sin(7 * angle + rng.uniform(0, 6))
    cover = np.clip((edge - r) * max(radius_px, 2) * 0.9, 0.0, 1.0)
    twigs = rng.uniform(0.0, 1.0, (n, n))
    alpha = cover * np.clip(density + (twigs - 0.5) * 0.9 * (1.35 - density), 0.0, 1.0)
    light = 1.0 + 0.26 * (-x * 0.55 + y * 0.75) / max(radius_px, 1) + 0.24 * (twigs - 0.5)
    rgb = np.clip(np.array(colour, np.float32) * light[..., None], 0, 255)
    return Image.fromarray(np.dstack([rgb, 255 * alpha]).astype(np.uint8))


def _stamp_crowns(image: Image.Image, view: View, trees: Trees) -> None:
    if view.metres_per_px > 1.8:
        return
    k = 1.0 / view.metres_per_px
    for n, ((x, y), r, kind) in enumerate(
        zip(view.pixels(trees.xy), trees.radius_m, trees.kind, strict=True)
    ):
        crown = _crown(int(kind), max(1, round(r * k)), n % 5)
        image.paste(crown, (round(x - crown.width / 2), round(y - crown.height / 2)), crown)


def _paint_roof(image: Image.Image, view: View, h: House) -> None:
    look, draw, m = look_of(h), ImageDraw.Draw(image), view.metres_per_px
    roof = dim(look.roof, 0.94 + 0.12 * h.number(9, 100) / 100.0)
    pitched = hip_roof(h)
    if len(pitched):
        for triangle, light in zip(pitched, light_on(pitched), strict=True):
            shade = dim(roof, float(light))
            draw.polygon(view.pixels(triangle[:, :2]), fill=shade, outline=shade)
    else:
        outline = view.pixels(h.ring)
        draw.polygon(outline, fill=roof)
        if m < 1.2 and look.facade != "shed":
            inner = view.pixels(h.ring + SHADOW * 0.75)
            draw.line([*inner, inner[0]], fill=dim(roof, 0.66), width=max(1, round(0.7 / m)))
            draw.line([*outline, outline[0]], fill=dim(roof, 1.22), width=max(1, round(0.5 / m)))
    if look.ribbed and m < 0.8:
        _ribs(draw, view, h, dim(roof, 0.88))
    if m < 0.8:
        if not len(pitched) and look.facade not in ("shed", "chimney", "blank"):
            _patchwork(draw, view, h, roof)
        for f in fixtures_of(h):
            _paint_fixture(draw, view, f.ring, f.colour, f.height_m, f.kind)


def _ribs(draw: ImageDraw.ImageDraw, view: View, h: House, colour: Rgb) -> None:
    """Seams of metal sheets and rows of tiles across the longer side."""
    frame = np.asarray(shapely.minimum_rotated_rectangle(h.shape).exterior.coords)
    a, b = frame[1] - frame[0], frame[2] - frame[1]
    long = a if np.hypot(*a) >= np.hypot(*b) else b
    gap = max(1.1 if h.use not in ("industry", "plant") else 2.4, 3.2 * view.metres_per_px)
    count = int(np.hypot(*long) / gap)
    if count < 2:
        return
    size = float(np.hypot(*long))
    along = long / size
    u, v = h.ring @ along, h.ring @ np.array([-along[1], along[0]])
    at = u.min() + (u.max() - u.min()) * np.arange(1, count) / count
    for line, across in zip(at.tolist(), crossings(u, v, at), strict=True):
        ends = np.array([along * line + np.array([-along[1], along[0]]) * c for c in across])
        places = view.pixels(ends)
        for p, q in zip(places[::2], places[1::2], strict=False):
            draw.line((*p, *q), fill=colour, width=1)


def crossings(u: Floats, v: Floats, at: Floats) -> list[list[float]]:
    """Where each line ``u = at`` enters and leaves the ring (``u``, ``v``), in ascending order."""
    u2, v2 = np.roll(u, -1), np.roll(v, -1)
    over = (u[None] <= at[:, None]) != (u2[None] <= at[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        where = v[None] + (at[:, None] - u[None]) / (u2 - u)[None] * (v2 - v)[None]
    return [sorted(row[mask].tolist()) for row, mask in zip(where, over, strict=True)]


def _patchwork(draw: ImageDraw.ImageDraw, view: View, h: House, roof: Rgb) -> None:
    """Mended felt: strips of another tone."""
    rng = np.random.default_rng((7, 71, h.row))
    x0, y0, x1, y1 = h.shape.bounds
    inner = h.shape.buffer(-0.8)
    for _ in range(int(1 + h.shape.area / 220.0)):
        cx, cy, w, d = rng.uniform(x0, x1), rng.uniform(y0, y1), rng.uniform(2, 9), rng.uniform(1.5, 6)
        part = inner.intersection(shapely.box(cx - w / 2, cy - d / 2, cx + w / 2, cy + d / 2))
        if part.geom_type == "Polygon" and not part.is_empty:
            draw.polygon(
                view.pixels(np.asarray(part.exterior.coords)), fill=dim(roof, float(rng.uniform(0.84, 1.14)))
            )


def _paint_fixture(
    draw: ImageDraw.ImageDraw, view: View, ring: Floats, colour: Rgb, height_m: float, kind: str
) -> None:
    draw.polygon(view.pixels(np.vstack([ring, ring[2:] + SHADOW * height_m])), fill=(70, 72, 78))
    draw.polygon(view.pixels(ring + SHADOW * height_m), fill=(74, 76, 82))
    draw.polygon(view.pixels(ring), fill=colour)
    if kind == "heater":
        draw.line(view.pixels(ring[2:]), fill=(222, 224, 226), width=max(1, round(0.5 / view.metres_per_px)))
