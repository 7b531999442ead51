"""What is learnt of the county while it runs, as it enters a comparison."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.compare.boundary import MeasuredBoundary

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """Corrections of the simulation and of what its points show; zero or one where nothing was learnt.

    ``source_k`` (n_source,): what the outlet is warmer than its meter says; ``u_factor``,
    ``roughness_factor`` (n_pipe,), ``ua_factor`` (n_station,): factors on heat loss, roughness and
    exchangers; ``valve_opening`` (n_valve,) in force of the built one. Per point (n_point,): ``offset`` SI
    and ``share`` of the value, what it shows over the simulated value; ``spread``: what measured less
    simulated was seen to scatter by, SI (flow and heat: a share), NaN where not known yet. It makes a point
    surer, by the factor ``surer`` at most.
    """

    source_k: Floats
    u_factor: Floats
    roughness_factor: Floats
    ua_factor: Floats
    valve_opening: Floats
    offset: Floats
    share: Floats
    spread: Floats
    surer: float


def correct_boundary(b: MeasuredBoundary, correction: Correction | None) -> MeasuredBoundary:
    """The boundary with what the sources' thermometers are believed to read wrong."""
    if correction is None:
        return b
    return replace(b, t_source_c=b.t_source_c + correction.source_k)
