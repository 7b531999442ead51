"""The door for many points by the hour: what engines that look at days ask for."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class HourTable:
    """``t`` (H,) end of each hour, rising without gaps; ``mean`` (H, n) of the points as they were asked for,
    SI, NaN where nothing usable came."""

    t: Floats
    mean: Floats


class HourDoor(Protocol):
    """What a store offers of hours."""

    def hourly(self, point_no: Ints, start: float, end: float) -> HourTable:
        """Means of every complete hour that begins between two times; no row without any reading at all
        before the first or after the last hour with one."""
        ...
