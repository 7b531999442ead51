"""The ground picture: what an airborne camera and a cartographer would agree on, in a control-room tone.

Painted once per theme: height tint, relief shading, contours, land use, river, a soft darkness at the foot
of buildings, fading into the background towards the edge. Two pictures: the whole county, and the town at a
finer grain. No outside map is involved.
"""

import io

import numpy as np
from PIL import Image

from app.scene.canvas import Canvas, Picture, Window, blur, make_window, mix, resample
from app.scene.content import is_water, sun_direction
from app.scene.frame import GroundMesh, LocalFrame
from app.scene.land import paint_land
from app.scene.palette import Palette
from twin.model.county import County

PICTURE_PX = 2048
"""Longer side of the picture of the whole county."""
NEAR_PX = 3072
"""Longer side of the picture of the town."""
EDGE_FADE = 0.10
"""Share of the county over which it fades into the background."""
CONTOUR_STEPS_M = (2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 200.0)


def _tint(height_m: Picture, stats: tuple[float, float], palette: Palette) -> Picture:
    """Height tint from the valley floor to the ridges."""
    low, high = stats
    share = np.clip((height_m - low) / max(high - low, 20.0), 0.0, 1.0)[..., None]
    stops = np.array([palette.ground_low, palette.ground_mid, palette.ground_high], np.float32)
    lower: Picture = stops[0] + (stops[1] - stops[0]) * np.clip(share * 2.0, 0.0, 1.0)
    upper: Picture = (stops[2] - stops[1]) * np.clip(share * 2.0 - 1.0, 0.0, 1.0)
    return lower + upper


def _relief(height_m: Picture, metres_per_px: float, strength: float) -> Picture:
    """Brightness factor around 1: Lambert's law for the sun, and less sky in hollows. Flat ground is 1."""
    slope_y, slope_x = np.gradient(height_m, metres_per_px)
    sun = sun_direction().astype(np.float32)
    # slope_y runs south: rows grow southwards
    lambert = (-slope_x * sun[0] + slope_y * sun[1] + sun[2]) / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    factor = np.clip(lambert / sun[2], 0.25, 1.38)
    hollow = np.clip((height_m - blur(height_m, 140.0 / metres_per_px)) / 60.0, -0.5, 0.5)
    return np.asarray(1.0 + (factor - 1.0) * strength + 0.30 * strength * hollow, np.float32)


def _contours(height_m: Picture, relief_m: float, metres_per_px: float) -> Picture:
    """Coverage of contour lines about one pixel wide; every fifth is stronger. Interval by relief."""
    step = next((s for s in CONTOUR_STEPS_M if relief_m / s <= 14.0), CONTOUR_STEPS_M[-1])
    slope_y, slope_x = np.gradient(height_m)
    slope = np.hypot(slope_x, slope_y) + 1e-6

    def lines(every: float) -> Picture:
        away = np.abs(height_m / every - np.round(height_m / every)) * every
        line = np.clip(1.1 - away / slope, 0.0, 1.0)
        return np.asarray(line * np.clip(every / slope / 6.0, 0.0, 1.0), np.float32)

    steep = np.clip(slope / metres_per_px / 0.08 - 0.6, 0.0, 1.0)  # on flat ground they say nothing
    return np.asarray(steep * np.maximum(0.45 * lines(step), lines(5.0 * step)), np.float32)


def _edge(window: Window, extent_m: tuple[float, float, float, float]) -> Picture:
    """1 inside, falling smoothly to 0 at the county's edge."""
    west, south, east, north = extent_m
    x, y = window.grid()

    def ramp(from_edge: Picture, size: float) -> Picture:
        t = np.clip(from_edge / (EDGE_FADE * size), 0.0, 1.0)
        return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)

    return ramp(np.minimum(x - west, east - x), east - west) * ramp(
        np.minimum(y - south, north - y), north - south
    )


def _paint_water(
    picture: Picture, canvas: Canvas, county: County, palette: Palette
) -> tuple[Picture, Picture]:
    """Beds of rivers and lakes between dark banks, deeper in the middle; the water itself is a layer that can
    be switched off. Returns the picture and the coverage of the beds."""
    water = canvas.mask([f for f in county.features if is_water(f) and canvas.sees(f)])
    px = canvas.window.metres_per_px
    bank = blur(water, max(14.0 / px, 1.2))
    picture = mix(picture, palette.shadow, 0.32 * bank * (1.0 - water))
    bed = (
        np.asarray(palette.land["gravel"], np.float32)
        * (1.0 - 0.30 * np.clip(2.0 * bank - 1.0, 0.0, 1.0))[..., None]
    )
    return mix(picture, bed, 0.85 * water), water


def paint_ground(
    county: County, frame: LocalFrame, mesh: GroundMesh, palette: Palette, window: Window | None = None
) -> bytes:
    """Paint the ground picture; north is up, it covers the window (default: the whole mesh) exactly.

    Returns
    -------
    WebP file
    """
    view = window or make_window(mesh.extent_m, PICTURE_PX)
    height = resample(mesh, view)
    low, high = np.percentile(mesh.height_m, [5.0, 99.0])
    canvas = Canvas(view, frame)
    picture = paint_land(_tint(height, (float(low), float(high)), palette), canvas, county, height, palette)
    picture *= _relief(height, view.metres_per_px, palette.shade)[..., None]
    relief_m = float(np.ptp(np.percentile(mesh.height_m, [2.0, 98.0])))
    picture = mix(picture, palette.contour, 0.13 * _contours(height, relief_m, view.metres_per_px))
    picture, water = _paint_water(picture, canvas, county, palette)
    rings = [frame.path_to_local(b.footprint) for b in county.buildings if len(b.footprint) >= 4]
    foot = blur(canvas.mask([], rings), max(5.0 / view.metres_per_px, 1.0))
    picture = mix(picture, palette.shadow, 0.50 * foot * (1.0 - water))
    edge = _edge(view, mesh.extent_m)
    picture = mix(picture, palette.background, 1.0 - edge)
    grain = np.random.default_rng(7).normal(0.0, 1.0, (view.rows, view.width, 1)).astype(np.float32)
    pixels = np.clip(picture + grain * edge[..., None], 0.0, 255.0).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", quality=84, method=2)
    return out.getvalue()
