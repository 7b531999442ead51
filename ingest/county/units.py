"""Units that a mapping may name for a column, and the inner diameters of nominal sizes."""

import re
from typing import Any

# unit in the file: (unit of our column, factor)
IMPORT_UNITS: dict[str, tuple[str, float]] = {
    "mm": ("m", 1e-3),
    "cm": ("m", 1e-2),
    "m": ("m", 1.0),
    "km": ("m", 1e3),
    "m2": ("m²", 1.0),
    "万m2": ("m²", 1e4),
    "ha": ("m²", 1e4),
    "W": ("W", 1.0),
    "kW": ("W", 1e3),
    "MW": ("W", 1e6),
    "GJ/h": ("W", 1e9 / 3600.0),
    "Pa": ("Pa", 1.0),
    "kPa": ("Pa", 1e3),
    "MPa": ("Pa", 1e6),
    "bar": ("Pa", 1e5),
    "kg/s": ("kg/s", 1.0),
    "t/h": ("kg/s", 1.0 / 3.6),
    "m3/h": ("m³/h", 1.0),
    "°C": ("°C", 1.0),
    "s": ("s", 1.0),
    "min": ("s", 60.0),
    "%": ("", 1e-2),
    "W/K": ("W/K", 1.0),
    "kW/K": ("W/K", 1e3),
    "W/(m·K)": ("W/(m·K)", 1.0),
}

# Nominal size: (outer diameter, wall) in mm of the steel pipe usual in Chinese district heating.
NOMINAL_MM: dict[int, tuple[float, float]] = {
    25: (32.0, 3.0),
    32: (38.0, 3.0),
    40: (45.0, 3.0),
    50: (57.0, 3.5),
    65: (76.0, 4.0),
    80: (89.0, 4.0),
    100: (108.0, 4.0),
    125: (133.0, 4.5),
    150: (159.0, 4.5),
    200: (219.0, 6.0),
    250: (273.0, 6.0),
    300: (325.0, 7.0),
    350: (377.0, 7.0),
    400: (426.0, 7.0),
    450: (478.0, 7.0),
    500: (529.0, 8.0),
    600: (630.0, 9.0),
    700: (720.0, 10.0),
    800: (820.0, 10.0),
    900: (920.0, 12.0),
    1000: (1020.0, 13.0),
    1200: (1220.0, 14.0),
    1400: (1420.0, 16.0),
}

# Units that are not a factor: read by ``parse_diameter``.
DIAMETER_UNITS = ("DN", "DxS")


def parse_diameter(cell: Any, unit: str) -> float:
    """Return the inner diameter in metres of ``DN300`` / ``300`` (unit DN) or ``D325x7`` (unit DxS).

    Raises
    ------
    ValueError : not such a size
    """
    text = str(cell).strip().upper().removesuffix(".0")
    if unit == "DN":
        match = re.fullmatch(r"(?:DN\s*)?(\d+)", text)
        if match is None or int(match[1]) not in NOMINAL_MM:
            raise ValueError(f"{cell!r} is not a nominal size")
        outer, wall = NOMINAL_MM[int(match[1])]
    else:
        match = re.fullmatch(r"[DΦØ]?\s*(\d+(?:\.\d+)?)\s*[X×*]\s*(\d+(?:\.\d+)?)", text)
        if match is None:
            raise ValueError(f"{cell!r} is not outer diameter x wall")
        outer, wall = float(match[1]), float(match[2])
    if outer <= 2.0 * wall:
        raise ValueError(f"{cell!r}: the wall leaves no inside")
    return (outer - 2.0 * wall) / 1000.0
