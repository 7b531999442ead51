"""The weather ahead as a service tells it: a table that a program of the county lays down, if it has one.

``$CT_DATA/weather/forecast.csv``: column ``time`` (local, ``2026-11-22 07:00``, or with its own offset),
column ``t_out_c``; times rising. Nothing is asked of other machines; whatever fetches a forecast writes this
file (under another name, then renamed).
"""

import csv
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twin.model.errors import InputError

Floats = NDArray[np.float64]

FILE = Path("weather") / "forecast.csv"
COLUMNS = ("time", "t_out_c")
MOST_ROWS, MOST_BYTES = 2000, 500_000
OLD_S = 36 * 3600.0
"""A table written longer ago tells nothing of tomorrow that habit does not."""


@dataclass(frozen=True, slots=True, eq=False)
class ToldWeather:
    """``t`` (M,) rising times (s since 1970 UTC), ``t_out_c`` (M,)."""

    t: Floats
    t_out_c: Floats


def read_weather_file(data: Path, zone: str, now: float) -> ToldWeather | None:
    """The weather a service tells, None: there is no file, it is old, or it ends before ``now``.

    Raises
    ------
    InputError : it cannot be read; names the line and what is needed
    """
    path = data / FILE
    try:
        if not path.is_file() or now - path.stat().st_mtime > OLD_S:
            return None
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path}: larger than {MOST_BYTES} bytes: give at most {MOST_ROWS} hours")
        with path.open(encoding="utf-8-sig", newline="") as f:
            rows = list(csv.DictReader(f))
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise InputError(f"{path}: {e}") from None
    if not rows or any(c not in rows[0] for c in COLUMNS):
        raise InputError(f"{path}: give the columns {', '.join(COLUMNS)} and a row for each hour")
    if len(rows) > MOST_ROWS:
        raise InputError(f"{path}: {len(rows)} rows: give at most {MOST_ROWS}")
    pairs = [_read_row(path, k, row, zone) for k, row in enumerate(rows, 2)]
    t, t_out_c = np.array(pairs, dtype=np.float64).T
    if np.any(np.diff(t) <= 0.0):
        raise InputError(f"{path}: line {int(np.argmax(np.diff(t) <= 0.0)) + 3}: times must rise")
    return ToldWeather(t, t_out_c) if t[-1] > now else None


def _read_row(path: Path, line: int, row: dict[str, str], zone: str) -> tuple[float, float]:
    try:
        at = datetime.fromisoformat((row["time"] or "").strip())
        x = float(row["t_out_c"])
        if not math.isfinite(x):
            raise ValueError("not finite")
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).timestamp(), x
    except (ValueError, TypeError, OverflowError):
        raise InputError(f"{path}: line {line}: give a time like 2026-11-22 07:00 and a number, °C") from None
