"""Means of lively meters between two moments: noise that would hide a leak averages out."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.model.county import Point

Floats = NDArray[np.float64]

LIVELY_S = 10.0
"""Points that are sampled at least this often are averaged ..."""
AVERAGED = frozenset({"pressure", "volume_flow"})
"""... if they are of these quantities."""


@dataclass
class HeldMean:
    """Mean of what each point showed, weighted with how long it stood; only ``chosen`` (n_point,) points."""

    chosen: NDArray[np.bool_]
    total: Floats = field(init=False)
    weight_s: Floats = field(init=False)
    value: Floats = field(init=False)
    t: float = float("-inf")

    def __post_init__(self) -> None:
        self.value = np.full(self.chosen.size, np.nan)
        self._forget()

    def _forget(self) -> None:
        self.total, self.weight_s = np.zeros(self.chosen.size), np.zeros(self.chosen.size)

    def take(self, value: Floats, t: float) -> None:
        """What the points (n_point,) show at ``t``, s since 1970; NaN where missing."""
        stood = t - self.t
        if 0.0 < stood <= 120.0:
            known = np.isfinite(self.value)
            self.total[known] += stood * self.value[known]
            self.weight_s[known] += stood
        self.value, self.t = value, max(t, self.t)

    def settle(self, value: Floats) -> Floats:
        """``value`` (n_point,) with the means since the last call in place of chosen points that have one."""
        enough = self.chosen & (self.weight_s > 0.0) & np.isfinite(value)
        out = value.copy()
        out[enough] = self.total[enough] / self.weight_s[enough]
        self._forget()
        return out


def begin_mean(points: tuple[Point, ...]) -> HeldMean:
    """Means of the lively pressure and flow meters of a county."""
    return HeldMean(np.array([p.period_s <= LIVELY_S and p.quantity in AVERAGED for p in points], bool))
