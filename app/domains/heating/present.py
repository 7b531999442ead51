"""The present state as the live twin has it: what it has learnt, and the water it has under way."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ingest.store.api import NetworkState, Store
from twin.assimilation import apply_correction, correct, read_learner
from twin.compare import compile_points
from twin.model.county import County
from twin.model.errors import InputError

Floats = NDArray[np.float64]
Why = Literal["", "off", "none", "other"]

HOUR_S, DAY_S = 3600.0, 86_400.0
LEARNT_AGE_S = DAY_S
"""Corrections fade within five days: a day old they still tell more than none."""
WATER_AGE_S = 900.0
SHOWN = 500


@dataclass(frozen=True, slots=True, eq=False)
class Present:
    """What is known beyond readings.

    ``county``: with the corrections in force; ``source_k`` (n_source,): what outlets are warmer than their
    meters say; ``learnt_t``: when the corrections were kept, s since 1970, NaN: none are used, and ``why``:
    switched ``off``, ``none`` kept then, or learnt for an ``other`` calibration; ``water``: the simulated
    network of the moment, None: not kept.
    """

    county: County
    source_k: Floats
    learnt_t: float = math.nan
    why: Why = "none"
    water: NetworkState | None = None

    @property
    def corrected(self) -> bool:
        """Whether corrections are in force."""
        return math.isfinite(self.learnt_t)


def plain_present(county: County) -> Present:
    """Nothing but the county's tables."""
    return Present(county, np.zeros(len(county.network.sources)))


def corrections_on(store: Store, t: float = math.inf) -> bool:
    """Whether people have left the corrections switched on at ``t``. Raises ``StoreUnavailable``."""
    switches = [
        r for r in store.kept("assimilation_order", limit=SHOWN) if r.state in ("on", "off") and r.made <= t
    ]
    return not switches or switches[0].state == "on"


def read_present(
    store: Store, county: County, calibration: int, now: float, moment: float | None = None
) -> Present:
    """What was known at ``now``, or at a stored ``moment`` before it.

    Parameters
    ----------
    county : with the calibration in force, which has the number ``calibration``

    Raises
    ------
    StoreUnavailable : the owner does not answer
    """
    t = now if moment is None else moment
    found = _read_water(store, t, moment is None)
    plain = replace(plain_present(county), water=found)
    if not corrections_on(store) or not corrections_on(store, t):
        return replace(plain, why="off")
    rows = store.kept("assimilation", t - LEARNT_AGE_S, SHOWN)
    row = next((r for r in rows if r.made <= t), None)
    body = store.kept_body(row.no) if row is not None else None
    if row is None or not isinstance(body, dict):
        return plain
    if body.get("calibration") != calibration:
        return replace(plain, why="other")
    try:
        learner = read_learner(body, county.network, compile_points(county))
    except InputError:  # of another county, or another version: as good as none
        return plain
    c = correct(learner, len(county.points))
    network = apply_correction(county.network, c)
    return Present(replace(county, network=network), c.source_k, row.made, "", found)


def _read_water(store: Store, t: float, newest: bool) -> NetworkState | None:
    """The simulated network at a moment, None: none that is near and of use."""
    state = store.network_state() if newest else store.network_state_at(t)
    usable = state is not None and not state.status.startswith(("warming", "failed"))
    return state if state is not None and usable and abs(t - state.t) <= WATER_AGE_S else None
