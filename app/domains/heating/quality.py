"""Key figures of comfort and control from the hourly means of a period (formulas: docs/reports.md)."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twin.heat import read_curve
from twin.model.county import County

Floats = NDArray[np.float64]
Means = Mapping[str, Floats]

HOT_C, BASE_C = 24.0, 18.0


def judge_quality(county: County, means: Means) -> dict[str, float]:
    """Figures of a period; NaN where nothing was measured.

    ``overheat`` share of room-hours above 24 °C; ``room_std_k`` spread of the rooms' means; ``hdd_k_d``
    heating degree-days under 18 °C; ``curve_k`` mean distance of stations from their curves; ``approach_k``
    primary return less secondary return; ``branch_std_k`` spread of the buildings' return temperatures about
    the mean of their station.

    Parameters
    ----------
    means : (H,) hourly means by point id, and ``t``, the end of each hour
    """
    rooms = [x[np.isfinite(x)] for i, x in means.items() if i.endswith("/room_t")]
    rooms = [x for x in rooms if x.size]
    every = np.concatenate(rooms) if rooms else np.empty(0)
    return {
        "overheat": float((every > HOT_C).mean()) if every.size else math.nan,
        "room_std_k": float(np.std([x.mean() for x in rooms])) if len(rooms) > 1 else math.nan,
        "hdd_k_d": count_degree_days(_outdoors(means)),
        "curve_k": _curve_error(county, means),
        "approach_k": _approach(county, means),
        "branch_std_k": _branch_spread(county, means),
    }


def count_degree_days(t_out_c: Floats) -> float:
    """Sum of what the mean of each day (24 hours from the first on) lies under 18 °C, K d; hours without a
    reading count like the others of their day."""
    if not np.isfinite(t_out_c).any():
        return math.nan
    days = [t_out_c[k : k + 24] for k in range(0, t_out_c.size, 24)]
    lack = [max(0.0, BASE_C - float(np.nanmean(d))) * d.size / 24.0 for d in days if np.isfinite(d).any()]
    return float(sum(lack))


def _outdoors(means: Means) -> Floats:
    found = [x for i, x in means.items() if i.endswith("/t_out")]
    return found[0] if found else np.empty(0)


def _mean(x: list[Floats]) -> float:
    every = np.concatenate(x) if x else np.empty(0)
    return float(np.nanmean(every)) if np.isfinite(every).any() else math.nan


def _curve_error(county: County, means: Means) -> float:
    """Mean of |secondary supply - curve| over stations and hours, K."""
    out = _outdoors(means)
    off = [
        np.abs(means[f"{s.id}/s2_ts"] - read_curve(s.curve, out))
        for s in county.network.substations
        if f"{s.id}/s2_ts" in means and s.curve and out.size
    ]
    return _mean(off)


def _approach(county: County, means: Means) -> float:
    pairs = [(means.get(f"{s.id}/p1_tr"), means.get(f"{s.id}/s2_tr")) for s in county.network.substations]
    return _mean([a - b for a, b in pairs if a is not None and b is not None])


def _branch_spread(county: County, means: Means) -> float:
    """Standard deviation of buildings' mean return temperatures about the mean of their station, K."""
    home = {b.id: b.substation_id for b in county.buildings}
    by_station: dict[str, list[float]] = {}
    for i, x in means.items():
        building, _, key = i.partition("/")
        if key == "b_tr" and building in home and np.isfinite(x).any():
            by_station.setdefault(home[building], []).append(float(np.nanmean(x)))
    off = [np.array(v) - np.mean(v) for v in by_station.values() if len(v) > 1]
    return float(np.sqrt(np.mean(np.square(np.concatenate(off))))) if off else math.nan
