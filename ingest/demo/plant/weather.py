"""Weather as a pure function of time and seed, so that a restart or a backfill sees the same sky."""

from dataclasses import dataclass

import numpy as np

DAY_S = 86_400.0
YEAR_S = 365.25 * DAY_S
MODES = ("normal", "cold", "mild", "cold-wave")
_SHIFT_K = {"normal": 0.0, "cold": -6.0, "mild": 6.0, "cold-wave": 0.0}


@dataclass(frozen=True, slots=True)
class Sky:
    """Weather at one moment: outdoor °C, wind m/s, sun W/m² on the horizontal, relative humidity 0..1."""

    t_out_c: float
    wind_m_s: float
    solar_w_m2: float
    humidity: float


@dataclass(frozen=True, slots=True)
class Weather:
    """A county's weather: ``design_c`` its design outdoor temperature, ``utc_offset_h`` of its solar time.

    ``wave_start`` (s since 1970 UTC): a cold wave of ``wave_k`` kelvin comes within 24 h and stays two days.
    """

    seed: int
    design_c: float
    mode: str = "normal"
    wave_start: float | None = None
    wave_k: float = 10.0
    utc_offset_h: float = 7.0

    def at(self, t: float) -> Sky:
        """The sky at ``t`` (s since 1970 UTC)."""
        hour = (t / 3600.0 + self.utc_offset_h) % 24.0
        day = (t / DAY_S) % 365.25
        winter = np.cos(2 * np.pi * (day - 15.0) / 365.25)  # 1 in mid January
        mean = 11.0 + (self.design_c + 4.5 - 11.0) * winter if winter > 0 else 11.0 - 11.0 * winter
        synoptic = 3.2 * self._noise(t / (3.1 * DAY_S), 1) + 1.2 * self._noise(t / (0.6 * DAY_S), 2)
        cloud = 0.5 + 0.5 * self._noise(t / (1.4 * DAY_S), 3)
        swing = 5.5 * (1.2 - 0.7 * cloud) * np.cos(2 * np.pi * (hour - 15.0) / 24.0)
        t_out = mean + synoptic + swing + _SHIFT_K[self.mode] + self._wave(t)
        sun = max(0.0, np.sin(np.pi * (hour - 7.2) / 9.8)) if 7.2 < hour < 17.0 else 0.0
        solar = 620.0 * sun * (1.0 - 0.75 * cloud)
        wind = max(0.1, 2.0 + 1.6 * self._noise(t / (0.25 * DAY_S), 4) + 0.5 * self._noise(t / 900.0, 5))
        humidity = float(np.clip(0.55 + 0.25 * (cloud - 0.5) - 0.012 * swing, 0.12, 0.98))
        return Sky(float(t_out), float(wind), float(solar), humidity)

    def _wave(self, t: float) -> float:
        if self.wave_start is None or t < self.wave_start:
            return 0.0
        hours = (t - self.wave_start) / 3600.0
        falling, rising = np.clip(hours / 24.0, 0, 1), np.clip((hours - 72.0) / 24.0, 0, 1)
        return float(-self.wave_k * (falling - rising))

    def _noise(self, x: float, salt: int) -> float:
        """Smooth value noise in about -1..1 with period one in ``x``."""
        i = int(np.floor(x))
        a, b = (self._knot(i + k, salt) for k in (0, 1))
        f = x - i
        f = f * f * (3 - 2 * f)
        return a * (1 - f) + b * f

    def _knot(self, i: int, salt: int) -> float:
        return float(np.random.default_rng((self.seed, salt, i & 0x7FFFFFFF)).uniform(-1, 1))
