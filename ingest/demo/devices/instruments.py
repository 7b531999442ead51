"""Instruments: noise, resolution, deadband, heartbeat; which points are due at a tick."""

import numpy as np
from numpy.typing import NDArray

from twin.model.county import County
from twin.model.setpoints import SETPOINTS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HEARTBEAT_S = 300.0
_NOISE = {"temperature": 0.08, "pressure": 2200.0, "volume_flow": 0.0, "level": 0.004, "humidity": 0.004,
          "speed": 0.15, "irradiance": 4.0, "electric_power": 40.0,
          "current": 0.05, "voltage": 0.002}  # fmt: skip
_RELATIVE = {"volume_flow": 0.006, "power": 0.008}
_STEP = {"temperature": 0.05, "pressure": 500.0, "volume_flow": 2.8e-6, "power": 500.0, "humidity": 0.001,
         "level": 0.001, "fraction": 0.001, "frequency": 0.05, "current": 0.05, "volume": 0.01, "energy": 1e6,
         "electric_energy": 3.6e4, "electric_power": 10.0, "voltage": 0.001, "speed": 0.05,
         "irradiance": 1.0}  # fmt: skip


class Instruments:
    """All points at once. ``bias`` (n_point,) is the hidden offset; sensor faults come on top."""

    def __init__(self, county: County, bias: Floats, seed: int) -> None:
        q = [p.quantity for p in county.points]
        self._rng = np.random.default_rng((seed, 11))
        self._noise = np.array([_NOISE.get(x, 0.0) for x in q])
        self._relative = np.array([_RELATIVE.get(x, 0.0) for x in q])
        self._resolution = np.array([_STEP.get(x, 0.0) for x in q])
        # a register holds exactly what was written
        register = np.array([p.key in SETPOINTS for p in county.points], bool)
        self._noise[register] = self._relative[register] = 0.0
        self._bias = np.where(register, 0.0, bias)
        self._period = np.array([p.period_s for p in county.points])
        self._deadband = np.array([p.deadband for p in county.points])
        self._heartbeat = np.maximum(HEARTBEAT_S, self._period)
        self._sent = np.full(len(q), np.nan)
        self._sent_t = np.full(len(q), -np.inf)
        self._due_t = np.full(len(q), -np.inf)
        self.fault_offset = np.zeros(len(q))
        self.fault_drift_per_s = np.zeros(len(q))
        self.fault_since = np.full(len(q), np.nan)
        self.frozen = np.full(len(q), np.nan)
        self.swapped: list[tuple[int, int]] = []

    def measure(self, truth: Floats, t: float) -> Floats:
        """What the instruments show of ``truth`` at ``t``: (n_point,) SI."""
        noise = self._rng.normal(0.0, 1.0, truth.size) * (self._noise + self._relative * np.abs(truth))
        with np.errstate(invalid="ignore"):
            drift = np.where(
                np.isfinite(self.fault_since), (t - self.fault_since) * self.fault_drift_per_s, 0.0
            )
            shown = self._cross(truth) + self._bias + noise + self.fault_offset + drift
            step = np.where(self._resolution > 0, self._resolution, 1.0)
            shown = np.where(self._resolution > 0, np.round(shown / step) * step, shown)
        counter_or_state = (self._noise == 0) & (self._relative == 0)
        shown = np.where(counter_or_state & np.isfinite(truth), np.maximum(shown, 0.0), shown)
        return np.where(np.isfinite(self.frozen), self.frozen, shown)

    def _cross(self, truth: Floats) -> Floats:
        """Meters whose wires are crossed show each other's value."""
        if not self.swapped:
            return truth
        out = truth.copy()
        for a, b in self.swapped:
            out[a], out[b] = truth[b], truth[a]
        return out

    def pick_due(self, shown: Floats, t: float) -> Ints:
        """Points to send now: sampled when their period is over, sent on change or at the heartbeat."""
        sampled = (t >= self._due_t) & np.isfinite(shown)
        self._due_t[sampled] = t + self._period[sampled]
        with np.errstate(invalid="ignore"):
            changed = ~(np.abs(shown - self._sent) <= self._deadband)
        due = sampled & (changed | (t - self._sent_t >= self._heartbeat - 0.5))
        self._sent[due], self._sent_t[due] = shown[due], t
        return np.flatnonzero(due)

    def last_shown(self, no: int) -> float:
        """What a point sent last; 0 before it sent anything."""
        return float(self._sent[no]) if np.isfinite(self._sent[no]) else 0.0

    def send_all_again(self, numbers: Ints) -> None:
        """Forget what was sent, so that these points go out at the next tick."""
        self._sent_t[numbers] = -np.inf
        self._due_t[numbers] = -np.inf
        self._sent[numbers] = np.nan
