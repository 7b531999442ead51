"""The leak search beside the store: what crews have found goes into the watch, what to do next is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domains.heating.search import LEAKS, Noted, keep_advice, read_results
from ingest.store.api import Store
from twin.diagnosis import Placed, Verdict, Watch
from twin.diagnosis.search import KIT, Advice, Check, advise, compile_trench
from twin.heat import CompiledNetwork

AGAIN_S = 300.0
"""Without new results, advice is reckoned again this often while a leak is open,"""
MOVED = 0.15
"""and kept when the zone has changed by this share or another check comes first."""


@dataclass
class LeakSearch:
    """State of one county's search: what was read, and what was advised last."""

    net: CompiledNetwork
    known: dict[int, Noted] = field(default_factory=dict)
    next_t: float = float("-inf")
    last: tuple[str, int, float, Check | None] | None = None

    def heed(self, store: Store, watch: Watch, now: float) -> None:
        """Take up what crews have noted or taken back."""
        results = tuple(n.result for n in read_results(store, now, self.known) if n.counts)
        if results != watch.checks:
            watch.checks, self.next_t = results, float("-inf")

    def keep(self, store: Store, watch: Watch, verdicts: Sequence[Verdict], now: float) -> None:
        """Keep the advice for the open leak, when it is news."""
        leak = next((v for v in verdicts if v.kind in LEAKS), None)
        if leak is None or watch.placed is None:
            self.next_t = float("-inf")
            return
        if now < self.next_t:
            return
        self.next_t = now + AGAIN_S
        placed = watch.placed
        advice = self._advise(watch, placed)
        first = advice.checks[0].check if advice.checks else None
        told = (leak.id, len(placed.results), advice.zone_m, first)
        if self.last is None or _is_news(self.last, told):
            keep_advice(store, leak.id, advice, placed.zones_m)
            self.last = told

    def _advise(self, watch: Watch, placed: Placed) -> Advice:
        if watch.trench is None:
            watch.trench = compile_trench(self.net)
        done = [r.check for r in placed.results]
        return advise(self.net, watch.trench, placed.state, placed.chance, placed.size_kg_s, KIT, done)


def _is_news(old: tuple[str, int, float, Check | None], new: tuple[str, int, float, Check | None]) -> bool:
    return old[:2] != new[:2] or old[3] != new[3] or abs(new[2] - old[2]) > MOVED * old[2]
