"""The land: a valley from west to east, a meandering river, terraces, hills with side valleys."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WEST, EAST, SOUTH, NORTH = -12_500.0, 9_500.0, -5_200.0, 5_600.0
RIVER_WIDTH_M = 52.0
BASE_M = 1702.0
FALL = 0.0012


@dataclass(frozen=True, slots=True)
class Land:
    """Shape of the ground by seed; all in metres."""

    seed: int

    def valley_y(self, x: Floats | float) -> Floats:
        """Axis of the valley floor."""
        x = np.asarray(x, float)
        return 620.0 * np.sin(x / 5600.0 + 0.4) + 180.0 * np.sin(x / 2300.0 + 1.1)

    def river_y(self, x: Floats | float) -> Floats:
        """Centre line of the river, south of the axis, meandering."""
        x = np.asarray(x, float)
        bend = 95.0 * np.sin(x / 640.0 + 0.7) + 70.0 * np.sin(x / 1130.0 + 2.0)
        calm = 1.0 - 0.65 * np.exp(-((x / 3600.0) ** 2))  # embanked along the town
        return self.valley_y(x) - 620.0 + bend * calm

    def height(self, x: Floats, y: Floats) -> Floats:
        """Ground height, m above sea level."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        river = np.abs(y - self.river_y(x))
        floor = BASE_M - FALL * x
        bank = 3.5 * _smooth((river - 22.0) / 40.0) + 5.0 * _smooth((river - 180.0) / 260.0)
        across = y - self.valley_y(x)
        half = np.where(across > 0, 1750.0, 1250.0) + 260.0 * self._noise(x / 1900.0, 3)
        rise = _smooth((np.abs(across) - half) / 2300.0)
        ridge = 0.62 + 0.38 * np.sin(x / 760.0 + 1.4 * self._noise(x / 2600.0 + y / 4100.0, 5))
        hills = rise * (300.0 + 90.0 * self._noise(x / 3100.0, 7)) * (0.55 + 0.45 * ridge)
        step = 6.0 * rise * np.sin(hills / 9.0)  # terraced slopes
        return floor + bank + hills + step + 1.2 * self._noise(x / 700.0 + y / 900.0, 9)

    def _noise(self, x: Floats, salt: int) -> Floats:
        """Smooth noise of one variable in -1..1."""
        x = np.asarray(x, float)
        knots = np.random.default_rng((self.seed, salt)).uniform(-1, 1, 512)
        i = np.floor(x).astype(int)
        f = x - i
        f = f * f * (3 - 2 * f)
        return np.asarray(knots[i % 512] * (1 - f) + knots[(i + 1) % 512] * f, dtype=float)


def _smooth(x: Floats) -> Floats:
    t = np.clip(x, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), dtype=float)
