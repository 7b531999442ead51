"""How sources follow the weather: what they did in the last days is what they are expected to go on doing."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.ahead import Hourly
from twin.model.county import County
from twin.rehearsal import Past

Floats = NDArray[np.float64]

LEAST_H, LEAST_K = 48, 3.0
"""Hours, and kelvins between the coldest and the mildest of them, without which nothing is learnt."""
STEEPEST = 4.0


def learn_following(t_out_c: Floats, t_source_c: Floats) -> Floats:
    """Change of the supply temperature per kelvin outdoors (n_source,), 0 or less; 0 where the past does not
    tell.

    Parameters
    ----------
    t_out_c, t_source_c : (H,), (H, n_source) hourly means, NaN where nothing was measured
    """
    slopes = np.zeros(t_source_c.shape[1])
    for k, x in enumerate(t_source_c.T):
        known = np.isfinite(t_out_c) & np.isfinite(x)
        if known.sum() < LEAST_H or np.ptp(t_out_c[known]) < LEAST_K:
            continue
        out = t_out_c[known] - t_out_c[known].mean()
        slopes[k] = float(np.clip(out @ x[known] / (out @ out), -STEEPEST, 0.0))
    return slopes


def follow_weather(
    county: County, past: Past, value: Floats, hourly: Hourly, start: float, end: float
) -> Past:
    """The past with how sources followed the weather between two times; one that is fixed by hand stays.

    Parameters
    ----------
    value : (n_point,) usable values at ``end``
    """
    sources = county.network.sources
    points = [county.point_by_id.get(f"{s.id}/src_ts") for s in sources]
    out = next((p.no for p in county.points if p.key == "t_out"), -1)
    if out < 0 or any(p is None for p in points):
        return past
    numbers = np.array([out, *(p.no for p in points if p is not None)], dtype=np.int64)
    mean = hourly(numbers, start, end).mean
    if mean.shape[0] == 0:
        return past
    slopes = learn_following(mean[:, 0], mean[:, 1:])
    for k, s in enumerate(sources):
        auto = county.point_by_id.get(f"{s.id}/src_auto")
        if auto is not None and value[auto.no] == 0.0:
            slopes[k] = 0.0
    return replace(past, following=slopes)
