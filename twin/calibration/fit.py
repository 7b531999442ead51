"""Weighted least squares with what was believed before: Gauss and Newton, offsets of meters integrated out.

Readings ``y = f(x) + b + e``: ``x`` parameters with mean 0 and standard deviation ``prior``; ``b`` one
unknown offset per point (a meter reads wrong by the same amount all the time); ``e`` noise that is alike for
``memory`` readings on end. The offsets have a normal distribution of their own, so they need not be solved
for: the inverse covariance of a point with n readings is ``(I - w 11') / s²``, ``w = b²/(s² + n b²)``.

Source: A. Tarantola, Inverse Problem Theory (2005), section 3.4; the ratio by which stated uncertainties are
too small is that of R. T. Birge, Phys. Rev. 40 (1932) 207.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Simulate = Callable[[Floats], Floats]

FAR = 4.0
"""Readings further than so many standard deviations away count less (Huber)."""
LONGEST_STEP = 0.7
"""No logarithm of a factor moves further in one round."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """``measured`` (n, m), NaN where nothing is known or counts; per point (m,): ``noise`` standard
    deviation, ``offset`` that of its meter, both in the unit of the readings; ``memory`` readings that are
    alike."""

    measured: Floats
    noise: Floats
    offset: Floats
    memory: float


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Parameters ``x`` (n_group, k), their ``covariance`` (n_group, k, k), and per group ``strain``: how much
    larger than expected the residuals are (1: as expected). Above 1 it has widened the covariance."""

    x: Floats
    covariance: Floats
    strain: Floats

    @property
    def sigma(self) -> Floats:
        """Standard deviations (n_group, k)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))


def fit_groups(
    simulate: Simulate, readings: Readings, group: Ints, prior: Floats, step: Floats, rounds: int = 3
) -> Fit:
    """Find the parameters that explain the readings best, for groups that do not touch each other.

    Parameters
    ----------
    simulate : parameters (n_group, k) to readings (n, m)
    group : (m,) group that each column of the readings belongs to, 0 to n_group - 1
    prior, step : (k,) standard deviation of what is believed, and the step for differences
    """
    n, k = int(group.max()) + 1, prior.size
    before = np.diag(1.0 / prior**2)
    x, matrix, strain = np.zeros((n, k)), np.stack([before] * n), np.ones(n)
    for _ in range(rounds):
        base = simulate(x)
        slopes = np.stack([(simulate(x + h) - base) / h.sum() for h in np.diag(step)])
        dx = np.zeros((n, k))
        for g in range(n):
            mine = np.flatnonzero(group == g)
            data, right, strain[g] = _normal_equations(base, slopes, readings, mine)
            matrix[g] = data + before
            dx[g] = np.linalg.solve(matrix[g], right - before @ x[g])
        x = x + np.clip(dx, -LONGEST_STEP, LONGEST_STEP)
        if np.all(np.abs(dx) < 0.01 * prior):
            break
    data = matrix - before
    widened = np.linalg.inv(before + data / np.maximum(strain, 1.0)[:, None, None] ** 2)
    return Fit(x, widened, strain)


def _normal_equations(
    base: Floats, slopes: Floats, r: Readings, columns: Ints
) -> tuple[Floats, Floats, float]:
    """``J' C^-1 J``, ``J' C^-1 (y - f)``, and the root of chi² per degree of freedom, of some columns."""
    k = slopes.shape[0]
    matrix, right, chi, count = np.zeros((k, k)), np.zeros(k), 0.0, 0.0
    for j in columns:
        known = np.isfinite(r.measured[:, j]) & np.isfinite(base[:, j])
        n = int(known.sum()) / r.memory
        if n < 1.0:
            continue
        miss, slope = (r.measured[:, j] - base[:, j])[known], slopes[:, known, j]
        slope = np.where(np.isfinite(slope), slope, 0.0)
        s2, b2 = r.noise[j] ** 2, r.offset[j] ** 2
        usual = FAR * np.hypot(r.noise[j], r.offset[j])
        near = np.minimum(1.0, usual / np.maximum(np.abs(miss), 1e-300)) / r.memory
        share = b2 / (s2 + near.sum() * b2)
        mean_miss, mean_slope = near @ miss, slope @ near
        matrix += ((slope * near) @ slope.T - share * np.outer(mean_slope, mean_slope)) / s2
        right += (slope @ (near * miss) - share * mean_slope * mean_miss) / s2
        chi += float(near @ miss**2 - share * mean_miss**2) / s2
        count += n
    return matrix, right, float(np.sqrt(chi / max(count, 1.0)))
