"""A window of the ground as pixels: coverage masks and coloured shapes, given in local metres."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from app.scene.frame import Floats, GroundMesh, LocalFrame
from app.scene.palette import Rgb
from twin.model.county import Feature

Picture = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """Part of the ground that one picture covers, local metres; its size in pixels. Row 0 is in the north."""

    west: float
    south: float
    east: float
    north: float
    width: int
    rows: int

    @property
    def metres_per_px(self) -> float:
        """Size of one pixel on the ground."""
        return (self.east - self.west) / self.width

    def grid(self) -> tuple[Picture, Picture]:
        """x of each column (1, width) and y of each row (rows, 1), metres."""
        step = self.metres_per_px
        x = self.west + (np.arange(self.width, dtype=np.float32) + 0.5) * step
        y = self.north - (np.arange(self.rows, dtype=np.float32) + 0.5) * step
        return x[None, :], y[:, None]


def make_window(extent_m: tuple[float, float, float, float], longer_px: int) -> Window:
    """A window of ``extent_m`` (west, south, east, north) whose longer side has ``longer_px`` pixels."""
    west, south, east, north = extent_m
    scale = longer_px / max(east - west, north - south)
    return Window(*extent_m, max(2, round((east - west) * scale)), max(2, round((north - south) * scale)))


class Canvas:
    """Paints shapes of a window; two samples per pixel each way against stairs."""

    def __init__(self, window: Window, frame: LocalFrame) -> None:
        self.window, self.frame = window, frame
        self.px_per_m = 2.0 / window.metres_per_px
        self._rings: dict[str, list[tuple[float, float]]] = {}

    def pixels(self, xy_m: Floats) -> list[tuple[float, float]]:
        """Places (n, 2) in samples of the double-sized picture."""
        px = (xy_m - np.array([self.window.west, self.window.north])) * np.array(
            [self.px_per_m, -self.px_per_m]
        )
        return [(float(x), float(y)) for x, y in px]

    def outline(self, feature: Feature) -> list[tuple[float, float]]:
        """A feature's vertices in samples; kept, because several passes ask."""
        if feature.id not in self._rings:
            self._rings[feature.id] = self.pixels(self.frame.path_to_local(feature.path))
        return self._rings[feature.id]

    def sees(self, feature: Feature) -> bool:
        """Whether the feature's box meets the window."""
        xy = np.array(self.outline(feature))
        (x0, y0), (x1, y1) = xy.min(axis=0), xy.max(axis=0)
        return bool(x1 > -8 and y1 > -8 and x0 < 2 * self.window.width + 8 and y0 < 2 * self.window.rows + 8)

    def _draw(self, draw: ImageDraw.ImageDraw, feature: Feature, fill: int | tuple[int, ...]) -> None:
        pixels = self.outline(feature)
        if feature.shape == "polygon" and len(pixels) > 2:
            draw.polygon(pixels, fill=fill)
        elif feature.shape == "line" and len(pixels) > 1:
            wide = max(2, round(float(feature.props.get("width_m", 10.0)) * self.px_per_m))
            draw.line(pixels, fill=fill, width=wide, joint="curve")

    def mask(self, features: Iterable[Feature], rings: Iterable[Floats] = ()) -> Picture:
        """Coverage 0..1 per pixel of features (polygons, and lines by their ``width_m``) and rings."""
        image = Image.new("L", (2 * self.window.width, 2 * self.window.rows), 0)
        draw = ImageDraw.Draw(image)
        for feature in features:
            self._draw(draw, feature, 255)
        for ring in rings:
            draw.polygon(self.pixels(ring), fill=255)
        return np.asarray(image.reduce(2), np.float32) / 255.0

    def colours(self, painted: Iterable[tuple[Feature, Rgb]]) -> Picture:
        """Colour (rows, width, 3) and coverage (last channel, 0..1) of features, later ones on top."""
        image = Image.new("RGBA", (2 * self.window.width, 2 * self.window.rows), (0, 0, 0, 0))
        draw = ImageDraw.Draw(image)
        for feature, colour in painted:
            self._draw(draw, feature, (*colour, 255))
        premultiplied = image.convert("RGBa").reduce(2)
        out = np.asarray(premultiplied, np.float32).copy()
        out[..., :3] /= np.maximum(out[..., 3:], 1.0) / 255.0
        out[..., 3] /= 255.0
        return out

    def codes(self, coded: Iterable[tuple[Feature, int]]) -> NDArray[np.uint8]:
        """One small number per pixel, 0 where nothing lies."""
        image = Image.new("L", (self.window.width, self.window.rows), 0)
        draw = ImageDraw.Draw(image)
        for feature, code in coded:
            pixels = [(x / 2, y / 2) for x, y in self.outline(feature)]
            if feature.shape == "polygon" and len(pixels) > 2:
                draw.polygon(pixels, fill=code)
        return np.asarray(image)

    def dots(self, xy_m: Floats, radius_m: float) -> Picture:
        """Coverage of round dots (crowns of trees)."""
        image = Image.new("L", (2 * self.window.width, 2 * self.window.rows), 0)
        draw = ImageDraw.Draw(image)
        r = max(radius_m * self.px_per_m, 1.0)
        for x, y in self.pixels(xy_m):
            draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
        return np.asarray(image.reduce(2), np.float32) / 255.0


def mix(picture: Picture, colour: Rgb | Picture, share: Picture | float) -> Picture:
    """Lay ``colour`` over the picture with ``share`` 0..1 (per pixel or everywhere)."""
    weight = np.asarray(share, np.float32)
    weight = weight[..., None] if weight.ndim == 2 else weight
    return picture + (np.asarray(colour, np.float32) - picture) * weight


def blur(values: Picture, px: float) -> Picture:
    """Gaussian blur of a (rows, width) picture; a wide one at a coarser grain, which nobody can tell."""
    step = max(1, int(px // 3))
    small = ndimage.gaussian_filter(values[::step, ::step], px / step)
    if step == 1:
        return np.asarray(small, np.float32)
    rows, width = values.shape
    image = Image.fromarray(small.astype(np.float32), mode=None)
    return np.asarray(image.resize((width, rows), Image.Resampling.BICUBIC))


def resample(mesh: GroundMesh, window: Window) -> Picture:
    """Smooth heights of the ground at the window's pixels, m above the datum."""
    x, y = window.grid()
    half_x, half_y = x[0, ::2], y[::2, 0]
    spline = ndimage.spline_filter(mesh.height_m, order=3).astype(np.float32)
    at = np.meshgrid((half_y - mesh.y0_m) / mesh.dy_m, (half_x - mesh.x0_m) / mesh.dx_m, indexing="ij")
    half = ndimage.map_coordinates(spline, at, order=3, prefilter=False, mode="nearest")
    image = Image.fromarray(half.astype(np.float32), mode=None)
    return np.asarray(image.resize((window.width, window.rows), Image.Resampling.BICUBIC))
