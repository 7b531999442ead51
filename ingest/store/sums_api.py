"""The door for sums: readings summed up by spans, of one point or of all."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RollUpTable:
    """All points summed up by spans, by point and time: ``t`` start of each span (s since 1970 UTC), ``n``
    usable readings in it; values in SI."""

    point_no: Ints
    t: Floats
    n: Ints
    low: Floats
    high: Floats
    mean: Floats
    last: Floats


class SumDoor(Protocol):
    """Part of ``ingest.store.api.Store``."""

    def sums_of_all(self, start: float, end: float, step_s: int = 3600) -> RollUpTable:
        """Every point by spans of ``step_s`` (300, 3600 or 86400) that begin in [start, end).

        Complete to the last committed reading: kept sums answer for every span that is summed up, readings
        for spans that were touched since (86400: kept sums only, days are the county's own).

        Raises
        ------
        InputError : no such step
        """
        ...
