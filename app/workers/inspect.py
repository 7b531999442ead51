"""What the twin finds wrong, carried from moment to moment and kept in the store when it changes."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ingest.store.api import LatestTable, Store
from ingest.store.finding_api import FoundSuspect, TwinFinding
from twin.compare import Comparison, Snapshot
from twin.diagnosis import DiagnosisBook, Verdict, Watch, begin_watch, diagnose
from twin.heat import CompiledNetwork

log = logging.getLogger("twin")

KEPT_AGAIN_S = 300.0
"""An open finding is written again this often even if it stays as it is."""
MOVED = 0.1
"""Change of size or probability that is worth a row."""


@dataclass
class Inspector:
    """The watch of one county beside the store. ``open``: findings as they were last written."""

    net: CompiledNetwork
    book: DiagnosisBook
    watch: Watch = field(init=False)
    open: dict[str, TwinFinding] = field(default_factory=dict)
    resumed: bool = False

    def __post_init__(self) -> None:
        self.watch = begin_watch(self.book)

    def take(self, c: Comparison, snapshot: Snapshot, table: LatestTable) -> tuple[Verdict, ...]:
        """Look at one moment; moments before the newest seen are passed over."""
        reported = np.full(snapshot.value.size, -np.inf)
        known = (table.point_no >= 0) & (table.point_no < reported.size)
        reported[table.point_no[known]] = table.t[known]
        return diagnose(self.net, self.book, self.watch, c, snapshot.value, reported)

    def keep(self, store: Store, verdicts: Sequence[Verdict], t: float) -> None:
        """Write what began, changed or ended since the last time."""
        if not self.resumed:
            # what a run before this one left open is ended unless it is found again under the same id
            self.open = {f.id: f for f in store.findings(t - 7 * 86400.0) if f.open}
            self.resumed = True
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
