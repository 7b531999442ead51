"""The ground picture: what an airborne camera and a cartographer would agree on, in a control-room tone.

Painted once per theme: height tint, relief shading, contours, land use, river, a soft darkness at the foot
of buildings, fading into the background towards the edge. No outside map is involved.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from app.scene.content import sun_direction
from app.scene.frame import Floats, GroundMesh, LocalFrame
from app.scene.palette import Palette, Rgb
from twin.model.county import County, Feature

PICTURE_PX = 2048
"""Longer side of the picture."""
EDGE_FADE = 0.10
"""Share of the picture over which it fades into the background."""
CONTOUR_STEPS_M = (2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 200.0)

Picture = NDArray[np.float32]


class _Canvas:
    """Paints flat shapes given in local metres; two samples per pixel each way against stairs."""

    def __init__(self, mesh: GroundMesh, frame: LocalFrame, width: int, height: int) -> None:
        self.mesh, self.frame, self.width, self.height = mesh, frame, width, height
        west, _, east, north = mesh.extent_m
        self.west, self.north = west, north
        self.px_per_m = 2.0 * width / (east - west)

    def _pixels(self, xy_m: Floats) -> list[tuple[float, float]]:
        px = (xy_m - np.array([self.west, self.north])) * np.array([self.px_per_m, -self.px_per_m])
        return [(float(x), float(y)) for x, y in px]

    def mask(self, features: list[Feature], buildings: list[Floats] | None = None) -> Picture:
        """Coverage 0..1 of ``features`` (polygons, and lines by their ``width_m``) per pixel."""
        image = Image.new("L", (2 * self.width, 2 * self.height), 0)
        draw = ImageDraw.Draw(image)
        for feature in features:
            pixels = self._pixels(self.frame.path_to_local(feature.path))
            if feature.shape == "polygon" and len(pixels) > 2:
                draw.polygon(pixels, fill=255)
            elif feature.shape == "line" and len(pixels) > 1:
                width_px = max(2, round(float(feature.props.get("width_m", 10.0)) * self.px_per_m))
                draw.line(pixels, fill=255, width=width_px, joint="curve")
        for ring in buildings or []:
            draw.polygon(self._pixels(ring), fill=255)
        return np.asarray(image.reduce(2), np.float32) / 255.0


def _mix(picture: Picture, colour: Rgb, share: Picture | float) -> Picture:
    weight = np.asarray(share, np.float32)
    weight = weight[..., None] if weight.ndim else weight
    return picture + (np.asarray(colour, np.float32) - picture) * weight


def _resample(height_m: Floats, width: int, rows: int) -> Picture:
    """Smooth heights at pixel centres, row 0 in the north."""
    n_y, n_x = height_m.shape
    grid_y = np.linspace(n_y - 1, 0, rows)
    grid_x = np.linspace(0, n_x - 1, width)
    spline = ndimage.spline_filter(height_m, order=3).astype(np.float32)
    half = ndimage.map_coordinates(
        spline, np.meshgrid(grid_y[::2], grid_x[::2], indexing="ij"), order=3, prefilter=False
    )
    image = Image.fromarray(half.astype(np.float32), mode=None)
    return np.asarray(image.resize((width, rows), Image.Resampling.BICUBIC))


def _tint(height_m: Picture, palette: Palette) -> Picture:
    """Height tint from the valley floor (5th percentile) to the ridges."""
    low, high = np.percentile(height_m[::8, ::8], [5.0, 99.0])
    share = np.clip((height_m - low) / max(high - low, 20.0), 0.0, 1.0)[..., None]
    stops = np.array([palette.ground_low, palette.ground_mid, palette.ground_high], np.float32)
    lower: Picture = stops[0] + (stops[1] - stops[0]) * np.clip(share * 2.0, 0.0, 1.0)
    upper: Picture = (stops[2] - stops[1]) * np.clip(share * 2.0 - 1.0, 0.0, 1.0)
    return lower + upper


def _relief(height_m: Picture, metres_per_px: float, strength: float) -> Picture:
    """Brightness factor around 1 by Lambert's law; flat ground is 1."""
    slope_y, slope_x = np.gradient(height_m, metres_per_px)
    sun = sun_direction().astype(np.float32)
    # slope_y runs south: rows grow southwards
    lambert = (-slope_x * sun[0] + slope_y * sun[1] + sun[2]) / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    factor = np.clip(lambert / sun[2], 0.25, 1.6)
    return np.asarray(1.0 + (factor - 1.0) * strength, np.float32)


def _contours(height_m: Picture) -> Picture:
    """Coverage of contour lines about one pixel wide; every fifth is stronger. Interval by relief."""
    relief = float(np.ptp(np.percentile(height_m[::8, ::8], [2.0, 98.0])))
    step = next((s for s in CONTOUR_STEPS_M if relief / s <= 18.0), CONTOUR_STEPS_M[-1])
    slope_y, slope_x = np.gradient(height_m)
    slope = np.hypot(slope_x, slope_y) + 1e-6

    def lines(every: float) -> Picture:
        away = np.abs(height_m / every - np.round(height_m / every)) * every
        line = np.clip(1.1 - away / slope, 0.0, 1.0)
        return np.asarray(line * np.clip(every / slope / 6.0, 0.0, 1.0), np.float32)

    return np.asarray(np.maximum(0.55 * lines(step), lines(5.0 * step)), np.float32)


def _edge(width: int, rows: int) -> Picture:
    """1 inside, falling smoothly to 0 at the picture's edge."""

    def ramp(n: int) -> Picture:
        from_edge = np.minimum(np.arange(n), np.arange(n)[::-1]).astype(np.float32) / (EDGE_FADE * n)
        t = np.clip(from_edge, 0.0, 1.0)
        return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)

    return ramp(rows)[:, None] * ramp(width)[None, :]


def _is_water(feature: Feature) -> bool:
    return feature.layer == "river" or feature.props.get("use") in ("water", "reservoir", "pond")


def _paint_land_use(picture: Picture, canvas: _Canvas, county: County, palette: Palette) -> Picture:
    colours = {
        "park": palette.park,
        "forest": palette.park,
        "wood": palette.park,
        "field": palette.field,
        "farmland": palette.field,
        "orchard": palette.field,
        "greenhouse": palette.paved,
        "industrial": palette.paved,
        "square": palette.paved,
    }
    land = [f for f in county.features if f.layer in ("landuse", "square", "carpark") and not _is_water(f)]
    groups: dict[Rgb, list[Feature]] = {}
    for feature in land:
        use = str(feature.props.get("use", feature.layer))
        groups.setdefault(
            colours.get(use, palette.built if feature.layer == "landuse" else palette.paved), []
        )
        groups[colours.get(use, palette.built if feature.layer == "landuse" else palette.paved)].append(
            feature
        )
    for colour, features in groups.items():
        picture = _mix(picture, colour, 0.75 * canvas.mask(features))
    return picture


def paint_ground(county: County, frame: LocalFrame, mesh: GroundMesh, palette: Palette) -> bytes:
    """Paint the ground picture; north is up, it covers the mesh exactly.

    Returns
    -------
    WebP file, longer side ``PICTURE_PX``
    """
    west, south, east, north = mesh.extent_m
    scale = PICTURE_PX / max(east - west, north - south)
    width, rows = max(2, round((east - west) * scale)), max(2, round((north - south) * scale))
    height = _resample(mesh.height_m, width, rows)
    canvas = _Canvas(mesh, frame, width, rows)

    picture = _paint_land_use(_tint(height, palette), canvas, county, palette)
    picture *= _relief(height, 1.0 / scale, palette.shade)[..., None]
    water = canvas.mask([f for f in county.features if _is_water(f)])
    bank = np.asarray(
        Image.fromarray((water * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(3)), np.float32
    )
    picture = _mix(picture, palette.contour, 0.22 * _contours(height) * (1.0 - water))
    picture = _mix(picture, palette.shadow, 0.35 * (bank / 255.0) * (1.0 - water))
    picture = _mix(picture, palette.water, water)

    rings = [frame.path_to_local(b.footprint) for b in county.buildings if len(b.footprint) >= 4]
    foot = Image.fromarray((canvas.mask([], rings) * 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(2.5)
    )
    picture = _mix(picture, palette.shadow, 0.45 * np.asarray(foot, np.float32) / 255.0)

    edge = _edge(width, rows)
    picture = _mix(picture, palette.background, 1.0 - edge)
    grain = np.random.default_rng(7).normal(0.0, 1.1, (rows, width, 1)).astype(np.float32) * edge[..., None]
    pixels = np.clip(picture + grain, 0.0, 255.0).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", quality=84, method=2)
    return out.getvalue()
