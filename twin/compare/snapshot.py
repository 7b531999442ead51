"""A snapshot: every point's usable value at one moment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.model.county import Point
from twin.model.readings import Quality

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STALE_PERIODS = 3.0
"""A value older than this many sampling periods is not used ..."""
STALE_FLOOR_S = 900.0
"""... but never younger than this: quiet points send a heartbeat only every 5 minutes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Usable values at time ``t`` (s since 1970 UTC).

    ``value``: (n_point,) SI, NaN where missing, stale or of bad quality.
    """

    t: float
    value: Floats


def make_snapshot(
    points: tuple[Point, ...], t: float, point_no: Ints, measured_t: Floats, value: Floats, quality: Ints
) -> Snapshot:
    """Spread the rows of the store over all points, leaving out what must not be used.

    Parameters
    ----------
    points : the county's points, ``Point.no`` equal to the position
    t : the moment, s since 1970 UTC; readings measured after it count as fresh
    point_no, measured_t, value, quality : (n,) one row per point, as ``Store.latest`` gives them

    Returns
    -------
    Snapshot with ``value`` (n_point,)
    """
    limit = np.maximum(np.array([p.period_s for p in points]) * STALE_PERIODS, STALE_FLOOR_S)
    known = (point_no >= 0) & (point_no < len(points))
    no, age = point_no[known], t - measured_t[known]
    usable = (age <= limit[no]) & (quality[known] >= Quality.UNCERTAIN) & np.isfinite(value[known])
    out = np.full(len(points), np.nan)
    out[no[usable]] = value[known][usable]
    return Snapshot(t=t, value=out)
