"""The hidden truth of the demo field: what the survey does not say and the twin does not know."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from twin.model.county import County

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HiddenTruth:
    """Factors on survey values.

    Per pipe pair, expanded to pipes (n_pipe,): ``roughness``, ``u``. Per substation: ``exchanger_ua``
    (fouling), ``valve_kv``. Per heated building: ``building_ua`` (draught and insulation), ``building_gain``.
    ``pump`` on the source's pressure rise. ``sensor_bias``: (n_point,) SI, small.
    """

    roughness: Floats
    u: Floats
    exchanger_ua: Floats
    valve_kv: Floats
    building_ua: Floats
    building_gain: Floats
    pump: float
    sensor_bias: Floats

    def as_json(self) -> dict[str, object]:
        """Plain lists, for ``hidden.json``."""
        return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in asdict(self).items()}


_BIAS = {"temperature": 0.15, "pressure": 1500.0}


def draw_hidden(county: County, seed: int) -> HiddenTruth:
    """Draw the truth; the same seed gives the same truth for the same county."""
    rng = np.random.default_rng((seed, 77))
    network = county.network
    age = np.array([max(2026 - p.year, 0) for p in network.pipes], dtype=float)
    group: dict[int, tuple[float, float]] = {}
    for p in network.pipes:
        group.setdefault(p.year // 5, (rng.uniform(0.7, 1.8), rng.uniform(0.85, 1.25)))
    roughness = np.array([group[p.year // 5][0] for p in network.pipes]) * (1 + 0.02 * age)
    u = np.array([group[p.year // 5][1] for p in network.pipes]) * (1 + 0.012 * age)
    n_sub = len(network.substations)
    heated = sum(b.heated for b in county.buildings)
    scale = np.array([_BIAS.get(p.quantity, 0.0) for p in county.points])
    return HiddenTruth(
        roughness=roughness,
        u=u,
        exchanger_ua=rng.uniform(0.82, 1.04, n_sub),
        valve_kv=rng.uniform(0.92, 1.08, n_sub),
        building_ua=np.clip(rng.normal(0.93, 0.10, heated), 0.7, 1.3),
        building_gain=np.clip(rng.normal(1.0, 0.2, heated), 0.4, 1.6),
        pump=float(rng.uniform(0.97, 1.0)),
        sensor_bias=rng.normal(0.0, 1.0, len(county.points)) * scale,
    )
