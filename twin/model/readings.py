"""Readings: what an adapter makes of a message, what the store keeps."""

from dataclasses import dataclass
from enum import IntEnum


class Quality(IntEnum):
    """Quality of one reading (after OPC: good is high). Anything below ``UNCERTAIN`` feeds no KPI."""

    BAD = 0
    OUT_OF_RANGE = 16
    CLOCK_SUSPECT = 32
    UNCERTAIN = 64
    LATE = 160
    GOOD = 192


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one point.

    Parameters
    ----------
    point_no : row number of the point in the county's point table
    t : measuring time, seconds since 1970-01-01 UTC
    value : in the SI unit of the point's quantity (°C for temperatures); NaN means missing
    quality : see :class:`Quality`
    """

    point_no: int
    t: float
    value: float
    quality: int = Quality.GOOD
