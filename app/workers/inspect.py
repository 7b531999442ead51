"""What the twin finds wrong, carried from moment to moment and kept in the store when it changes."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from app.domains.heating.said import MUTED_H, rejected_keys
from app.workers.search import LeakSearch
from ingest.store.api import LatestTable, Store
from ingest.store.finding_api import FoundSuspect, TwinFinding
from twin.compare import Comparison, Snapshot
from twin.diagnosis import (
    LEARNING_S,
    DiagnosisBook,
    Rejection,
    Verdict,
    Watch,
    begin_watch,
    diagnose,
    hourly_sigma,
    judge_sight,
)
from twin.heat import CompiledNetwork

log = logging.getLogger("twin")

KEPT_AGAIN_S = 300.0
"""An open finding is written again this often even if it stays as it is."""
HEED_S = 15.0
"""How often it is looked what people say."""
SIGHT_S = 1800.0
"""How often it is judged what can be seen,"""
YOUNG_SIGHT_S = 600.0
"""and while habits are still being learnt."""
MOVED = 0.1
"""Change of size or probability that is worth a row."""


@dataclass
class Inspector:
    """The watch of one county beside the store. ``open``: findings as they were last written."""

    net: CompiledNetwork
    book: DiagnosisBook
    watch: Watch = field(init=False)
    search: LeakSearch = field(init=False)
    open: dict[str, TwinFinding] = field(default_factory=dict)
    resumed: bool = False
    heeded: float = float("-inf")
    next_sight: float = float("-inf")
    kept_sight: float = float("-inf")
    codes: tuple[tuple[str, str], ...] | None = None

    def __post_init__(self) -> None:
        self.watch = begin_watch(self.book)
        self.search = LeakSearch(self.net)

    def take(self, c: Comparison, snapshot: Snapshot, table: LatestTable) -> tuple[Verdict, ...]:
        """Look at one moment; moments before the newest seen are passed over."""
        reported = np.full(snapshot.value.size, -np.inf)
        known = (table.point_no >= 0) & (table.point_no < reported.size)
        reported[table.point_no[known]] = table.t[known]
        return diagnose(self.net, self.book, self.watch, c, snapshot.value, reported)

    def heed(self, store: Store, now: float) -> None:
        """Take up what people have rejected and what crews have found; looked for once in a while."""
        if now - self.heeded < HEED_S:
            return
        self.heeded = now
        self.search.heed(store, self.watch, now)
        rows = rejected_keys(store.kept("verdict", since=now - MUTED_H * 3600.0, limit=500), now)
        for key, (until, name) in rows.items():
            old = self.watch.rejected.get(key)
            if old is None or old.until != until:
                size = abs(self.open[name].size) if name in self.open else 0.0
                self.watch.rejected[key] = Rejection(until, size if np.isfinite(size) else np.inf)
        for key in [k for k in self.watch.rejected if k not in rows]:
            del self.watch.rejected[key]

    def survey(self, store: Store, c: Comparison, snapshot: Snapshot, now: float) -> None:
        """Keep what cannot be known, when that has changed and once a day."""
        if now < self.next_sight or not c.state.converged:
            return
        learnt_s = self.watch.habit.learnt_s()
        self.next_sight = now + (SIGHT_S if learnt_s >= LEARNING_S else YOUNG_SIGHT_S)
        sight = judge_sight(self.net, self.book, c, snapshot.value, hourly_sigma(self.watch))
        age = ("learnt", f"{min(learnt_s, LEARNING_S) // YOUNG_SIGHT_S:.0f}")
        codes = (age, *((x.code, x.place) for x in sight.limits))
        if codes != self.codes or now - self.kept_sight > 86_400.0:
            body = asdict(sight) | {"learnt_s": learnt_s, "learning_s": LEARNING_S}
            store.keep("sight", f"{len(sight.limits)} limits", body)
            self.codes, self.kept_sight = codes, now

    def keep(self, store: Store, verdicts: Sequence[Verdict], t: float) -> None:
        """Write what began, changed or ended since the last time."""
        if not self.resumed:
            # what a run before this one left open is ended unless it is found again under the same id
            self.open = {f.id: f for f in store.findings(t - 7 * 86400.0) if f.open}
            self.resumed = True
        self.search.keep(store, self.watch, verdicts, t)
        now = {v.id: _as_finding(v) for v in verdicts}
        rows = [f for i, f in now.items() if _is_news(self.open.get(i), f)]
        ended = [_end(f, t) for i, f in self.open.items() if i not in now]
        for f in (*rows, *ended):
            if not f.open or f.id not in self.open:
                log.info("finding %s: %s at %s", "begins" if f.open else "ends", f.kind, f.place)
        store.write_findings([*rows, *ended])
        written = {f.id: f for f in rows}
        self.open = {i: written.get(i, self.open.get(i, f)) for i, f in now.items()}


def _as_finding(v: Verdict) -> TwinFinding:
    suspects = tuple(FoundSuspect(s.kind, s.place, s.size, s.probability) for s in v.suspects)
    return TwinFinding(
        v.id, v.t, True, v.kind, v.place, v.size, v.probability, v.since, v.evidence, suspects
    )  # fmt: skip


def _end(f: TwinFinding, t: float) -> TwinFinding:
    return TwinFinding(
        f.id, max(t, f.t + 1e-3), False, f.kind, f.place, f.size, f.probability, f.since, f.evidence,
        f.suspects,
    )  # fmt: skip


def _is_news(old: TwinFinding | None, new: TwinFinding) -> bool:
    if old is None or (old.kind, old.place) != (new.kind, new.place) or new.t - old.t >= KEPT_AGAIN_S:
        return True
    if abs(new.probability - old.probability) > MOVED:
        return True
    if not (np.isfinite(old.size) and np.isfinite(new.size)):
        return False
    return abs(new.size - old.size) > MOVED * max(abs(old.size), 1e-9) and new.t - old.t >= 60.0
