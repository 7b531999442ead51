"""Meters that have failed: left out of what drives the simulation, and what stands in for them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.compare.snapshot import Snapshot

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StandIn:
    """``doubted`` (n_point,): meters that are not to be believed; ``virtual`` (n_point,): what the rest of
    the network said a moment ago that each should read, SI, NaN where it has no answer."""

    doubted: NDArray[np.bool_]
    virtual: Floats


def leave_out(snapshot: Snapshot, stand_in: StandIn | None) -> Snapshot:
    """The snapshot as if the doubted meters were silent."""
    if stand_in is None or not stand_in.doubted.any():
        return snapshot
    return Snapshot(snapshot.t, np.where(stand_in.doubted, np.nan, snapshot.value))
