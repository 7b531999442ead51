"""Slows down those who guess passwords: after some failures a name or an address must wait."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

TRACKED = 10_000
"""Names and addresses remembered at most; the oldest are forgotten first."""


@dataclass(slots=True)
class Lockout:
    """``limit`` failures within ``window_s`` lock a key for ``lock_s``; a success forgets them."""

    limit: int = 5
    window_s: float = 900.0
    lock_s: float = 900.0
    clock: Callable[[], float] = time.monotonic
    _failures: dict[str, list[float]] = field(default_factory=dict)
    _locked: dict[str, float] = field(default_factory=dict)

    def wait_s(self, *keys: str) -> float:
        """Seconds until these keys may try again; 0 when they may now."""
        now = self.clock()
        return max(0.0, *(self._locked.get(k, now) - now for k in keys))

    def note_failure(self, *keys: str) -> None:
        """Count one failure for each key."""
        now = self.clock()
        for key in keys:
            recent = [t for t in self._failures.pop(key, []) if now - t < self.window_s]
            self._failures[key] = [*recent, now]
            if len(self._failures[key]) >= self.limit:
                self._locked[key] = now + self.lock_s
                del self._failures[key]
        for table in (self._failures, self._locked):
            while len(table) > TRACKED:
                del table[next(iter(table))]

    def note_success(self, *keys: str) -> None:
        """Forget what these keys did wrong."""
        for key in keys:
            self._failures.pop(key, None)
            self._locked.pop(key, None)
