"""The habit of every sign: what it usually is at this load, and how much it wanders.

A survey is never exact: rough pipes, meters with an offset, exchangers that were dirty before. So a sign is
judged against its own past: a constant, a part with the square of the flow (friction), a part with the
outdoor temperature and, for pressures, a part with what other sources than the one that holds them feed in,
learned by recursive least squares that forgets in days. What differs from the habit is averaged over a short,
a middle and a long window, each with its own learned spread.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WINDOWS_S = (180.0, 1200.0, 10800.0)
LEAST_SPREAD = (1.0, 1.0, 0.2)
"""Least variance of each window's mean, in squares of the floor: noise averages out, what is wrong all the
time does not."""
FORGET_S = 3 * 86400.0
SPREAD_S = 16 * 3600.0
"""Times of forgetting: of the habit, and of its spread."""
SETTLE_S = 1800.0
"""Weight of the first guess of the spread."""
LEARNING_S = 5 * 3600.0
"""A sign says nothing before it was known for this long."""
NOISE, STEP_S = 4.0, 300.0
"""Variance of what is seen in so much time, in squares of the floor, for the weight of new values."""
PRIOR_STD = (1e3, 60.0, 30.0, 300.0)
"""Standard deviation of the four parts before anything was seen, in floors."""
CLIP, SELDOM = 3.0, 0.25
"""Values and means beyond this many sigmas hardly teach."""
LONGEST_STEP_S = 600.0
"""A pause counts as this long."""


@dataclass
class Habit:
    """Learned state of ``n`` signs; all values in units of ``floor`` (n,).

    ``part`` (n, 4) constant, flow, weather, split; ``trust`` (n, 4, 4) their covariance; ``mean``
    (n_window, n) what differs now, averaged; ``spread`` (n_window, n) its usual square; ``known_s`` (n,) time
    seen; ``error`` (n,) what the last moment differed, 0 where it was missing. ``splits`` (n,) signs that
    have a part with the split among the sources; none when not given.
    """

    floor: Floats
    splits: Bools | None = None
    part: Floats = field(init=False)
    trust: Floats = field(init=False)
    mean: Floats = field(init=False)
    spread: Floats = field(init=False)
    known_s: Floats = field(init=False)
    error: Floats = field(init=False)
    centre: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        n, w = self.floor.size, len(WINDOWS_S)
        self.part = np.zeros((n, len(PRIOR_STD)))
        self.trust = np.tile(np.diag(np.square(PRIOR_STD)), (n, 1, 1))
        self.trust[~self.splits if self.splits is not None else slice(None), 3, 3] = 0.0
        self.mean, self.spread = np.zeros((w, n)), np.full((w, n), 9.0)
        self.known_s, self.error = np.zeros(n), np.zeros(n)

    def take(
        self, sign: Floats, flow: float, load: float, dt_s: float, held: Bools, split: float = 0.0
    ) -> None:
        """One moment: average what differs, then learn from it where nothing is being explained.

        Parameters
        ----------
        sign : (n,) NaN where missing
        flow : circulation over design, 1; ``load``: share of the design difference to outdoor air, 1
        held : (n,) signs that must not learn now
        split : share of the circulation that other sources feed in than the one that holds the pressure
        """
        if self.centre is None:
            self.centre = (flow, load)
        x = self._state(flow, load, split)
        y = sign / self.floor
        known = np.isfinite(y)
        dt = min(dt_s, LONGEST_STEP_S)
        error = np.where(known, y - self.part @ x, 0.0)
        first = known & (self.known_s == 0.0)
        self.error = np.clip(np.where(first, 0.0, error), -1e3, 1e3)
        self._average(self.error, known, held, dt)
        self._learn(x, error, known & ~held, dt, first)
        self.known_s += np.where(known, dt, 0.0)

    def _average(self, error: Floats, known: Bools, held: Bools, dt: float) -> None:
        for w, window in enumerate(WINDOWS_S):
            a = np.where(known, 1.0 - np.exp(-dt / window), 0.0)
            self.mean[w] += a * (error - self.mean[w])
            # the spread is that of the averaged value, so slow wandering counts in the long window
            young = dt / (self.known_s + SETTLE_S)
            a = np.where(known & ~held, np.maximum(1.0 - np.exp(-dt / SPREAD_S), young), 0.0)
            most = CLIP**2 * np.maximum(self.spread[w], LEAST_SPREAD[w])
            square = np.minimum(self.mean[w] ** 2, most)
            a *= np.where(self.mean[w] ** 2 > most, SELDOM, 1.0)  # a fault is not usual
            self.spread[w] += a * (square - self.spread[w])

    def _learn(self, x: Floats, error: Floats, who: Bools, dt: float, first: Bools) -> None:
        gain_of = self.trust @ x
        scale = np.sqrt(np.maximum(self.spread[0], 1.0))
        excess = np.abs(error) / (CLIP * scale)
        for w in range(1, len(WINDOWS_S)):  # what has differed for long is rather a fault than a habit
            usual = np.sqrt(np.maximum(self.spread[w], LEAST_SPREAD[w]))
            excess = np.maximum(excess, np.abs(self.mean[w]) / (CLIP * usual))
        doubt = np.where(first, 1.0, np.maximum(excess, 1.0) ** 2)
        at_least = NOISE * np.maximum(self.spread[0], 1.0) * doubt * max(STEP_S / dt, 1.0)
        gain = gain_of / (gain_of @ x + at_least)[:, None]
        gain[~who] = 0.0
        self.part += gain * error[:, None]
        self.trust -= gain[:, :, None] * gain_of[:, None, :]
        # forgetting must not run away in directions that nothing excites
        diagonal = np.maximum(np.einsum("nii->ni", self.trust), 1e-12)
        grow = np.sqrt(np.clip(np.square(PRIOR_STD) / diagonal, 1.0, np.exp(dt / FORGET_S)))
        grow[~who] = 1.0
        self.trust *= grow[:, :, None] * grow[:, None, :]

    def _state(self, flow: float, load: float, split: float) -> Floats:
        """What the four parts go with. Where another source feeds in, less friction is on the way from the
        one that holds the pressure; until that has been seen it is not known how much."""
        centre = self.centre or (flow, load)
        square = flow * abs(flow)
        return np.array([1.0, square - centre[0] ** 2, load - centre[1], square * split])

    def sigmas(self, window: int, flow: float, load: float, split: float = 0.0) -> Floats:
        """Standard deviation of a window's mean in units of ``floor``; infinite for signs not yet known."""
        x = self._state(flow, load, split)
        unsure = np.einsum("i,nij,j->n", x, self.trust, x)
        out = np.sqrt(np.maximum(self.spread[window], LEAST_SPREAD[window]) + unsure)
        return np.where(self.known_s < LEARNING_S, np.inf, out)

    def learnt_s(self) -> float:
        """For how long the signs that are heard have been known (their median), s."""
        heard = self.known_s[self.known_s > 0.0]
        return float(np.median(heard)) if heard.size else 0.0
