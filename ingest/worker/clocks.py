"""What the messages tell of the devices' clocks.

A message is measured before it arrives, so (device time - arrival) is the clock's offset minus the delay on
the way: the largest value of the last while comes nearest to the offset. It rises at once and falls slowly
with time, so that a burst of old messages after an outage does not look like a clock gone back.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.adapters import Directory
from twin.model.readings import Quality

FORGET_S = 1800.0
"""Time constant of the fall."""
LATE_AT_MOST_S = 150.0
"""Further back than this it takes half an hour of messages to tell a clock from a delay."""
OFF_S = 60.0
"""A clock further off than this makes readings uncertain (a third of the shortest look of the twin)."""
ABSURD_S = 86_400.0
"""An offset larger than this is taken for a broken clock and not followed."""


@dataclass
class Clocks:
    """Offset per device id, device clock minus ours, in seconds."""

    offset_s: dict[str, float] = field(default_factory=dict)
    at: dict[str, float] = field(default_factory=dict)
    since: dict[str, tuple[float, int]] = field(default_factory=dict)

    def follow(self, device_id: str, t: float, received: float) -> None:
        """Learn from one message measured at ``t`` by the device's clock."""
        seen = t - received
        if abs(seen) > ABSURD_S:
            return
        first, count = self.since.get(device_id, (received, 0))
        self.since[device_id] = (first, count + 1)
        before = self.offset_s.get(device_id)
        if before is None or seen >= before:
            self.offset_s[device_id] = seen
        else:
            past = max(received - self.at.get(device_id, received), 0.0)
            self.offset_s[device_id] = before + (seen - before) * (1.0 - math.exp(-past / FORGET_S))
        self.at[device_id] = received

    def told(self, device_id: str) -> float:
        """Offset of a device; NaN as long as it may just be that all its messages were late."""
        offset = self.offset_s.get(device_id, math.nan)
        first, count = self.since.get(device_id, (0.0, 0))
        sure = offset > -LATE_AT_MOST_S or (count >= 5 and self.at[device_id] - first >= FORGET_S)
        return offset if sure else math.nan

    def skew(self, device_id: str) -> float:
        """Offset of a device; 0 when nothing is known."""
        offset = self.told(device_id)
        return 0.0 if math.isnan(offset) else offset

    def flag(self, quality: NDArray[np.int64], point_no: NDArray[np.int64], directory: Directory) -> None:
        """Mark good readings of devices whose clock is off as uncertain, in place."""
        off = [d for d, s in self.offset_s.items() if abs(s) > OFF_S and abs(self.skew(d)) > OFF_S]
        if off and point_no.size:
            wrong = np.zeros(directory.scale.size, bool)
            for device_id in off:
                wrong[list(directory.keys.get(device_id, {}).values())] = True
            quality[wrong[point_no] & (quality == Quality.GOOD)] = int(Quality.UNCERTAIN)
