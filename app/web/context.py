"""What every page needs: settings, county, store; and the cached questions to the store."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.onboarding.state import RETIRED
from ingest.settings import Settings
from ingest.store.api import LatestTable, Store
from twin.compare import make_snapshot
from twin.model.county import County

Floats = NDArray[np.float64]


@dataclass
class Context:
    """One per server. ``ask`` shares an answer among screens for ``keep_s`` seconds."""

    settings: Settings
    county: County
    store: Store
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict)
    # reentrant: a question may be made of others
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def ask(self, name: str, keep_s: float, call: Callable[[], Any]) -> Any:
        """The answer of ``call``, at most ``keep_s`` old. Raises ``StoreUnavailable`` as the call does."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None and time.monotonic() - kept[0] < keep_s:
                return kept[1]
            answer = call()
            self._kept[name] = (time.monotonic(), answer)
            return answer

    def values_now(self) -> Floats:
        """(n_point,) usable values now, NaN where missing or stale."""
        return self.values_of(self.ask("latest", 2.0, self.store.latest), time.time())

    def values_yesterday(self) -> Floats:
        """(n_point,) usable values at this hour yesterday."""
        then = time.time() - 86_400.0
        return self.values_of(self.ask("yesterday", 120.0, lambda: self.store.latest_at(then)), then)

    def values_of(self, table: LatestTable, t: float) -> Floats:
        """(n_point,) usable values of a table at its time ``t``."""
        return make_snapshot(self.county.points, t, table.point_no, table.t, table.value, table.quality).value

    def silent_devices(self) -> tuple[dict[str, float], int, int]:
        """(device id -> seconds overdue without data, devices fresh, devices in all)."""
        states = {s.device_id: s for s in self.ask("devices", 5.0, self.store.device_states)}
        limit: dict[str, float] = {}
        for p in self.county.points:
            limit[p.device_id] = min(limit.get(p.device_id, 1e9), p.period_s)
        now, silent = time.time(), {}
        devices = [d for d in self.county.devices if d.kind != RETIRED]
        for d in devices:
            s = states.get(d.id)
            age = now - s.last_received if s is not None else float("inf")
            if age > max(3 * limit.get(d.id, 300.0), 900.0) or (s is not None and not s.online):
                silent[d.id] = age
        total = len(devices)
        return silent, total - len(silent), total
