"""The bad manners of real gateways: skewed clocks, short outages with late delivery, repeated messages."""

from dataclasses import dataclass, field

import numpy as np

from ingest.demo.devices.dialects import Bundle
from twin.model.county import County

OUTAGE_PER_HOUR = 0.04
OUTAGE_S = (20.0, 240.0)
REPEAT_SHARE = 0.004
SKEWED_SHARE = 0.08
MAX_STORED = 2000


@dataclass
class Manners:
    """Per device: clock skew (s), end of the present outage, what is stored meanwhile."""

    skew_s: dict[str, float]
    rng: np.random.Generator
    out_until: dict[str, float] = field(default_factory=dict)
    forced: set[str] = field(default_factory=set)
    stored: dict[str, list[Bundle]] = field(default_factory=dict)

    def pass_on(self, bundle: Bundle, now: float) -> list[Bundle]:
        """What goes out for this bundle now: nothing in an outage, late ones after it, sometimes twice."""
        device_id = bundle.device.id
        said = Bundle(bundle.device, bundle.t + self.skew_s.get(device_id, 0.0), bundle.values)
        if self.is_out(device_id, now):
            kept = self.stored.setdefault(device_id, [])
            kept.append(said)
            del kept[:-MAX_STORED]
            return []
        out = [*self.stored.pop(device_id, []), said]
        if self.rng.random() < REPEAT_SHARE:
            out.append(said)
        return out

    def is_out(self, device_id: str, now: float) -> bool:
        """Whether a device has no connection."""
        return device_id in self.forced or now < self.out_until.get(device_id, 0.0)

    def drop_out(self, now: float, dt_s: float) -> None:
        """Let some devices fall silent for a while."""
        for device_id in self.skew_s:
            if (
                now >= self.out_until.get(device_id, 0.0)
                and self.rng.random() < OUTAGE_PER_HOUR * dt_s / 3600.0
            ):
                self.out_until[device_id] = now + float(self.rng.uniform(*OUTAGE_S))


def draw_manners(county: County, seed: int) -> Manners:
    """Draw each device's clock; a few are seconds to two minutes off."""
    rng = np.random.default_rng((seed, 23))
    skew = {}
    for d in county.devices:
        off = rng.random() < SKEWED_SHARE
        skew[d.id] = float(rng.uniform(-120, 90)) if off else float(rng.normal(0.0, 0.15))
    return Manners(skew, rng)
