"""Smooth noise of the plane, the same for every tile that looks at the same spot."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ingest.demo.survey.world import Box, Floats

Picture = NDArray[np.float32]
LATTICE = 256


@lru_cache(maxsize=16)
def _lattice(seed: int, salt: int) -> Picture:
    return np.random.default_rng((seed, salt)).uniform(-1.0, 1.0, (LATTICE, LATTICE)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class View:
    """What one picture covers: ``box`` metres, ``width`` x ``rows`` pixels; row 0 in the north."""

    box: Box
    width: int
    rows: int

    @property
    def metres_per_px(self) -> float:
        """Size of a pixel on the ground."""
        return (self.box[2] - self.box[0]) / self.width

    def pixels(self, xy: Floats) -> list[tuple[float, float]]:
        """(n, 2) metres to pixel places."""
        west, _, east, north = self.box
        k = self.width / (east - west)
        return [((x - west) * k, (north - y) * k) for x, y in xy.tolist()]

    def near(self, xy: Floats, room_m: float) -> NDArray[np.bool_]:
        """Which of the places (n, 2) lie in the box or ``room_m`` beside it."""
        low, high = np.array(self.box[:2]) - room_m, np.array(self.box[2:]) + room_m
        return np.asarray(((xy >= low) & (xy <= high)).all(axis=1))

    def grid(self) -> tuple[Picture, Picture]:
        """x of each column (1, width), y of each row (rows, 1)."""
        m = self.metres_per_px
        x = self.box[0] + (np.arange(self.width, dtype=np.float32) + 0.5) * m
        y = self.box[3] - (np.arange(self.rows, dtype=np.float32) + 0.5) * m
        return x[None, :], y[:, None]


def smooth(view: View, seed: int, salt: int, cell_m: float) -> Picture:
    """Noise in -1..1 with features of about ``cell_m``; repeats after 256 cells."""
    lattice = _lattice(seed, salt)
    west, south, east, north = view.box
    j0, j1 = int(np.floor(west / cell_m)) - 3, int(np.ceil(east / cell_m)) + 3
    i0, i1 = int(np.floor(-north / cell_m)) - 3, int(np.ceil(-south / cell_m)) + 3
    part = lattice[np.arange(i0, i1) % LATTICE][:, np.arange(j0, j1) % LATTICE]
    box = (west / cell_m - j0, -north / cell_m - i0, east / cell_m - j0, -south / cell_m - i0)
    image = Image.fromarray(np.ascontiguousarray(part))
    return np.asarray(image.resize((view.width, view.rows), Image.Resampling.BICUBIC, box=box))


def grain(view: View, seed: int) -> Picture:
    """Noise of single pixels, -1..1, fixed to the ground."""
    lattice = _lattice(seed, 99)
    m = view.metres_per_px
    j = np.arange(view.width) + round(view.box[0] / m)
    i = np.arange(view.rows) + round(-view.box[3] / m)
    across = j + (j // LATTICE) * 91
    out = np.empty((view.rows, view.width), np.float32)
    for block in np.unique(i // LATTICE):
        here = i // LATTICE == block
        out[here] = lattice[i[here] % LATTICE][:, (across + block * 37) % LATTICE]
    return out
