"""The compensation curve (气候补偿): outdoor temperature to the set-point of the secondary supply.

A curve has 8 points (any number from 2 on is taken); between them it is straight, beyond its ends it keeps
the end value. Time slots (时间段补偿) add an offset by the hour of the local day.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.model.errors import InputError

Floats = NDArray[np.float64]

CurvePoints = Sequence[tuple[float, float]]
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class TimeSlot:
    """From ``start_s`` (seconds of the local day) on, until the next slot, the set-point moves by
    ``offset_k``."""

    start_s: float
    offset_k: float


def read_curve(curve: CurvePoints, t_outdoor_c: ArrayLike) -> Floats:
    """Set-point of the secondary supply, °C, the shape of ``t_outdoor_c``.

    Raises
    ------
    InputError : fewer than two points, outdoor temperatures that do not rise, a supply that rises with them
    """
    x = np.array([p[0] for p in curve], dtype=np.float64)
    y = np.array([p[1] for p in curve], dtype=np.float64)
    if x.size < 2 or np.any(np.diff(x) <= 0.0) or np.any(np.diff(y) > 0.0) or not np.all(np.isfinite(y)):
        raise InputError(
            "compensation curve: give two points at least, outdoor temperatures rising, supply not rising"
        )
    out: Floats = np.interp(np.asarray(t_outdoor_c, dtype=np.float64), x, y)
    return out


def read_offset(slots: Sequence[TimeSlot], second_of_day: ArrayLike) -> Floats:
    """Offset in K at ``second_of_day`` (any shape, taken modulo a day); 0 without slots.

    Before the first slot of a day the last one of the day before holds.
    """
    s = np.mod(np.asarray(second_of_day, dtype=np.float64), DAY_S)
    if not slots:
        return np.zeros_like(s)
    rows = sorted(slots, key=lambda slot: slot.start_s)
    starts = np.array([r.start_s for r in rows])
    if starts[0] < 0.0 or starts[-1] >= DAY_S:
        raise InputError("time slot: start_s must lie within one day, 0 to 86,400")
    return np.array([r.offset_k for r in rows])[np.searchsorted(starts, s, side="right") - 1]


def design_curve(
    t_supply_c: float,
    t_return_c: float,
    design_outdoor_c: float,
    room_c: float = 18.0,
    exponent: float = 0.3,
    outdoor_c: Sequence[float] = (-20.0, -15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0),
    flow_ratio: float = 1.0,
) -> tuple[tuple[float, float], ...]:
    """Curve of central quality control from the design temperatures of the secondary side.

    ``t_s = t_n + dm Q**(1/(1+b)) + dd Q / (2 G)``, ``Q = (t_n - t_w) / (t_n - t_w')``, ``dm`` mean excess,
    ``dd`` drop at design, ``G`` flow over design flow, ``b`` 0.3 for radiators, 0.1 for floors.

    Source: 贺平, 孙刚, 供热工程, 4th ed., chapter 10 (quality control).
    """
    mean, drop = 0.5 * (t_supply_c + t_return_c) - room_c, t_supply_c - t_return_c
    load = np.clip((room_c - np.array(outdoor_c)) / (room_c - design_outdoor_c), 0.0, 1.0)
    supply = room_c + mean * load ** (1.0 / (1.0 + exponent)) + drop * load / (2.0 * flow_ratio)
    return tuple((float(a), float(b)) for a, b in zip(outdoor_c, supply, strict=True))
