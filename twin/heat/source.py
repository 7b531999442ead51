"""Heat sources: capacity, ramp, minimum load, efficiency, fuel and power.

A source heats what comes back to its set-point as far as it can. What it can give in a step lies between its
last output less and plus its ramp, and never above its capacity: beyond that the supply temperature falls and
the step is flagged. Below the minimum load it fires in turns; its mean output is what is wanted, and the time
spent so is flagged.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.model.errors import InputError
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]

PUMP_EFFICIENCY = 0.70
OWN_USE = 0.004
"""Electric power for fans, fuel and flue gas over heat output (coal-fired hot-water boilers 0.3 to 0.6 %)."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceSet:
    """Sources in the order of the network's table; all arrays (n_source,).

    ``capacity_w``, ``min_w``, ``ramp_w_s`` (0 or less: no limit), ``efficiency`` heat over fuel,
    ``pump_efficiency``, ``own_use`` electric power over heat, ``makeup_c`` temperature of make-up water.
    """

    ids: tuple[str, ...]
    capacity_w: Floats
    min_w: Floats
    ramp_w_s: Floats
    efficiency: Floats
    pump_efficiency: Floats
    own_use: Floats
    makeup_c: Floats


def describe_sources(network: HeatNetwork, makeup_c: float = 15.0) -> SourceSet:
    """Sources of a network from its table.

    Raises
    ------
    InputError : capacity or efficiency is not positive
    """
    rows = network.sources
    for s in rows:
        if not (s.capacity_w > 0.0 and 0.0 < s.efficiency <= 1.1):
            raise InputError(
                f"source {s.id}: capacity {s.capacity_w:g} W must be positive, "
                f"efficiency {s.efficiency:g} between 0 and 1.1"
            )
    n = len(rows)
    return SourceSet(
        ids=tuple(s.id for s in rows),
        capacity_w=np.array([s.capacity_w for s in rows], dtype=np.float64),
        min_w=np.array([s.min_w for s in rows], dtype=np.float64),
        ramp_w_s=np.array([s.ramp_w_s if s.ramp_w_s > 0.0 else np.inf for s in rows], dtype=np.float64),
        efficiency=np.array([s.efficiency for s in rows], dtype=np.float64),
        pump_efficiency=np.full(n, PUMP_EFFICIENCY),
        own_use=np.full(n, OWN_USE),
        makeup_c=np.full(n, makeup_c),
    )


@njit(cache=True, error_model="numpy")
def fire_source(wanted_w: float, before_w: float, capacity_w: float, ramp_w_s: float, dt: float) -> float:
    """Heat a source gives in a step: as wanted, within its ramp and its capacity; never negative."""
    low = max(before_w - ramp_w_s * dt, 0.0)
    high = min(before_w + ramp_w_s * dt, capacity_w)
    given: float = min(max(wanted_w, low), high)
    return max(given, 0.0)
