"""History as arrays: every point's usable value at regular moments."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twin.compare import Snapshot
from twin.model.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LONGEST_STEP_S = 1800.0
"""After a longer pause the water in the pipes is forgotten and a new stretch begins."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """``t`` (n,) s since 1970 UTC, rising; ``value`` (n, n_point) SI, NaN where there is none."""

    t: Floats
    value: Floats

    def stretches(self) -> list[slice]:
        """Runs of records without a pause, two or more records each."""
        cuts = np.flatnonzero(np.diff(self.t) > LONGEST_STEP_S) + 1
        edges = [0, *cuts.tolist(), len(self.t)]
        return [slice(a, b) for a, b in pairwise(edges) if b - a > 1]

    def between(self, start: float, end: float) -> "Records":
        """Records from ``start`` to before ``end``."""
        keep = (self.t >= start) & (self.t < end)
        return Records(self.t[keep], self.value[keep])

    def column(self, no: int) -> Floats:
        """Values of one point (n,); NaN all through where the county has no such point (-1)."""
        return self.value[:, no] if no >= 0 else np.full(len(self.t), np.nan)


def gather_records(snapshots: Sequence[Snapshot]) -> Records:
    """Put snapshots in rising order together.

    Raises
    ------
    InputError : fewer than two, or times that do not rise
    """
    if len(snapshots) < 2:
        raise InputError("calibration needs history: fewer than two moments were given")
    t = np.array([s.t for s in snapshots])
    if np.any(np.diff(t) <= 0.0):
        raise InputError("calibration: the moments of the history must rise")
    return Records(t, np.stack([s.value for s in snapshots]))


def part_days(records: Records, test_share: float) -> tuple[Records, Records]:
    """Records to learn from, and the last days, which are kept apart.

    Raises
    ------
    InputError : the history is too short to be parted
    """
    span = float(records.t[-1] - records.t[0])
    if span < 1.5 * DAY_S:
        raise InputError(
            f"calibration needs a day and a half of history at least, there are {span / DAY_S:.1f}"
        )
    cut = records.t[-1] - max(test_share * span, 0.5 * DAY_S)
    return records.between(-np.inf, cut), records.between(cut, np.inf)
