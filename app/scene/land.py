"""Land use in the ground picture: colours with the small differences real parcels have, furrows, terraces,
greenhouses, crowns of trees."""

import zlib

import numpy as np

from app.scene.canvas import Canvas, Picture, blur, mix
from app.scene.content import is_water, place_trees
from app.scene.frame import Floats
from app.scene.palette import Palette, Rgb
from twin.model.county import County, Feature

FURROW_M = 11.0
BED_M = 12.0
TERRACE_STEP_M = 4.5
CROWN_M = 3.3
NEAR_M_PER_PX = 4.0
"""Finer pictures than this show single furrows and crowns."""
_LAYERS = ("landuse", "square", "carpark")
_SAME = {"forest": "wood", "farmland": "field", "carpark": "paved", "square": "paved", "sports": "pitch"}


def use_of(feature: Feature) -> str:
    """Key of the palette's land colours."""
    use = str(feature.props.get("use", feature.layer))
    return _SAME.get(use, use)


def _pick(feature: Feature, count: int) -> int:
    """A number that is the feature's own for ever."""
    return zlib.crc32(feature.id.encode()) % count


def _shade(colour: Rgb, feature: Feature, spread: float) -> Rgb:
    """The colour a little lighter or darker, greener or browner, by parcel."""
    light = 1.0 + spread * (_pick(feature, 101) / 50.0 - 1.0)
    warm = 0.5 * spread * (_pick(feature, 37) / 18.0 - 1.0)
    r, g, b = (float(c) * light for c in colour)
    return (
        int(min(max(r * (1.0 + warm), 0), 255)),
        int(min(max(g, 0), 255)),
        int(min(max(b * (1.0 - warm), 0), 255)),
    )


def paint_land(
    picture: Picture, canvas: Canvas, county: County, height_m: Picture, palette: Palette
) -> Picture:
    """Lay land use over the tinted ground."""
    land = [
        f for f in county.features
        if f.layer in _LAYERS and f.shape == "polygon" and not is_water(f) and canvas.sees(f)
    ]  # fmt: skip
    spread = {"field": 0.16, "orchard": 0.12, "terrace": 0.05, "wood": 0.07, "greenhouse": 0.05}
    colours = palette.land
    painted = [
        (f, _shade(colours.get(use_of(f), colours["built"]), f, spread.get(use_of(f), 0.03))) for f in land
    ]
    layer = canvas.colours(painted)
    picture = mix(picture, layer[..., :3], 0.88 * layer[..., 3])
    del layer
    fields = [f for f in land if use_of(f) == "field"]
    picture = _furrows(picture, canvas, fields)
    picture = _terraces(picture, canvas, [f for f in land if use_of(f) == "terrace"], height_m)
    picture = _mottle(picture, canvas, [f for f in land if use_of(f) == "wood"])
    if canvas.window.metres_per_px < NEAR_M_PER_PX:
        picture = _greenhouses(picture, canvas, [f for f in land if use_of(f) == "greenhouse"], palette)
    return _trees(picture, canvas, county, land, palette)


def _furrows(picture: Picture, canvas: Canvas, fields: list[Feature]) -> Picture:
    """Strips of light and dark along each field, as strips of wheat and maize lie."""
    if not fields:
        return picture
    code = canvas.codes([(f, 1 + _angle(canvas, f)) for f in fields])
    angle = np.radians((np.arange(25, dtype=np.float32) - 1.0) * 7.5)
    x, y = canvas.window.grid()
    across = -x * np.sin(angle)[code] + y * np.cos(angle)[code]
    wide = max(FURROW_M, 3.2 * canvas.window.metres_per_px)
    wave = np.sin(across * (2 * np.pi / wide)) + 0.6 * np.sin(across * (2 * np.pi / (4.7 * wide)))
    tone = np.asarray(1.0 + 0.045 * wave * (code > 0), np.float32)
    return picture * tone[..., None]


def _angle(canvas: Canvas, field: Feature) -> int:
    """Direction of a field's longest side in steps of 7.5 degrees, 0..23."""
    ring = np.array(canvas.outline(field))
    step = np.diff(ring, axis=0)
    long = step[int(np.argmax(np.hypot(step[:, 0], step[:, 1])))]
    return round(float(np.degrees(np.arctan2(-long[1], long[0]))) / 7.5) % 24


def _terraces(picture: Picture, canvas: Canvas, terraces: list[Feature], height_m: Picture) -> Picture:
    """Steps along the contour: a dark bank at each, fields of two tones between them."""
    if not terraces:
        return picture
    mask = blur(canvas.mask(terraces), 1.5)
    slope_y, slope_x = np.gradient(height_m)
    rise = np.hypot(slope_x, slope_y) + 1e-4
    step = TERRACE_STEP_M * max(1.0, canvas.window.metres_per_px / 5.0)
    level = height_m / step
    away = np.abs(level - np.round(level)) * step / rise  # pixels to the next bank
    bank = np.clip(1.15 - away, 0.0, 1.0) * np.clip(step / rise / 3.0, 0.0, 1.0)
    tone = (np.modf(np.sin(np.floor(level + 0.5) * 12.9898) * 43758.5453)[0]).astype(np.float32)
    picture = picture * (1.0 + 0.10 * tone * mask)[..., None]
    shade: Picture = np.asarray(1.0 - 0.20 * bank * mask, np.float32)
    return picture * shade[..., None]


def _mottle(picture: Picture, canvas: Canvas, woods: list[Feature]) -> Picture:
    """Crowns of a wood seen from afar."""
    if not woods:
        return picture
    mask = blur(canvas.mask(woods), 1.2)
    rng = np.random.default_rng(5)
    crowns = blur(rng.normal(0.0, 1.0, mask.shape).astype(np.float32), 1.0)
    return picture * (1.0 + 0.55 * np.clip(crowns, -0.5, 0.5) * mask)[..., None]


def _greenhouses(picture: Picture, canvas: Canvas, houses: list[Feature], palette: Palette) -> Picture:
    """Plastic tunnels that lie east to west, with a path between."""
    if not houses:
        return picture
    mask = canvas.mask(houses)
    _, y = canvas.window.grid()
    wave = np.sin(y * (2 * np.pi / BED_M))
    stripe = np.clip(0.5 + 1.4 * wave, 0.0, 1.0)
    return mix(picture, palette.land["plastic"], np.asarray(0.8 * stripe * mask, np.float32))


def _trees(
    picture: Picture, canvas: Canvas, county: County, land: list[Feature], palette: Palette
) -> Picture:
    """Rows of trees along streets and banks; scattered ones in parks and yards."""
    spots = [
        place_trees(canvas.frame.path_to_local(f.path), f) for f in county.features if f.layer == "tree_row"
    ]
    if canvas.window.metres_per_px < NEAR_M_PER_PX:
        spots += [
            scatter_trees(canvas.frame.path_to_local(f.path), f) for f in land if use_of(f) in TREES_PER_HA
        ]
    spots = [s for s in spots if len(s)]
    if not spots:
        return picture
    xy = np.concatenate(spots)
    free = 1.0 - canvas.mask(
        [f for f in land if use_of(f) in ("pitch", "track")] + [f for f in county.features if is_water(f)]
    )
    if canvas.window.metres_per_px >= NEAR_M_PER_PX:
        return mix(picture, palette.land["crown"], 0.45 * free * canvas.dots(xy[::2], 5.0))
    shade = canvas.dots(xy + np.array([2.2, 2.6]), CROWN_M)
    picture = mix(picture, palette.shadow, 0.30 * free * shade)
    return mix(picture, palette.land["crown"], 0.80 * free * canvas.dots(xy, CROWN_M))


TREES_PER_HA = {"park": 60.0, "orchard": 110.0, "residential": 16.0, "campus": 18.0, "civic": 12.0}


def scatter_trees(ring: Floats, area: Feature) -> Floats:
    """Places (n, 2) of scattered trees inside a ring; in an orchard they stand in a grid."""
    from shapely import contains_xy
    from shapely.geometry import Polygon

    shape = Polygon(ring)
    (x0, y0), (x1, y1) = ring.min(axis=0), ring.max(axis=0)
    per_ha = TREES_PER_HA[use_of(area)]
    rng = np.random.default_rng(_pick(area, 1 << 20))
    if use_of(area) == "orchard":
        gap = 100.0 / np.sqrt(per_ha)
        x, y = np.meshgrid(np.arange(x0, x1, gap), np.arange(y0, y1, gap))
        spots = np.column_stack([x.ravel(), y.ravel()])
    else:
        n = int((x1 - x0) * (y1 - y0) / 1e4 * per_ha)
        spots = np.column_stack([rng.uniform(x0, x1, n), rng.uniform(y0, y1, n)])
    if not len(spots) or not shape.is_valid:
        return np.zeros((0, 2))
    return np.asarray(spots[contains_xy(shape, spots[:, 0], spots[:, 1])])
