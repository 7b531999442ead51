"""What the twin learns while it runs, beside the store: kept over a restart, switched off by people.

The corrected simulation is walked beside the plain one. Diagnosis reads the plain one only, so nothing that
is learnt here can hide a fault from it; what it finds holds the learning back.
"""

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import numpy as np

from ingest.store.api import Store
from ingest.store.finding_api import TwinFinding
from twin.assimilation import (
    Doubt,
    Learner,
    as_body,
    begin_learner,
    correct,
    doubted_points,
    hold_readings,
    learn,
    list_learnt,
    list_refused,
    read_learner,
    score_keys,
)
from twin.compare import Comparison, Memory, PointBook, Snapshot, StandIn, compare_network
from twin.heat import CompiledNetwork
from twin.model.county import County
from twin.model.errors import InputError

log = logging.getLogger("twin")

KEEP_S, FIRST_KEEP_S = 1800.0, 600.0
"""How often what was learnt is kept, and how soon after a start."""
HEED_S = 15.0
ORDERS = ("on", "off", "reset")
"""What people may order; ``reset``: forget everything, and go on learning."""


@dataclass
class Assimilation:
    """The corrected walk of one county. ``calibration``: version in force, to which corrections belong."""

    county: County
    net: CompiledNetwork
    book: PointBook
    calibration: int = 0
    learner: Learner = field(init=False)
    memory: Memory | None = None
    active: bool = True
    resumed: bool = False
    ordered: int = 0
    heeded: float = float("-inf")
    next_keep: float = float("-inf")
    virtual: np.ndarray = field(init=False)
    home: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.learner = begin_learner(self.county.network, self.book)
        self.virtual = np.full(len(self.county.points), np.nan)
        self.home = {b.id: b.substation_id for b in self.county.buildings if b.substation_id}
        self.home |= {d.id: self.home.get(d.place_id, d.place_id) for d in self.county.devices}

    def resume(self, store: Store, now: float) -> None:
        """Take up what was kept before a restart, once."""
        if self.resumed:
            return
        self.next_keep = now + FIRST_KEEP_S
        for row in store.kept("assimilation", limit=1):
            body = store.kept_body(row.no)
            try:
                if isinstance(body, dict) and body.get("calibration") == self.calibration:
                    self.learner = read_learner(body, self.county.network, self.book)
                    log.info("took up what was learnt until %d s ago", now - self.learner.t)
            except InputError as e:
                log.info("%s", e)
        self.resumed = True

    def heed(self, store: Store, now: float) -> None:
        """Take up what people have ordered; looked for once in a while."""
        if now - self.heeded < HEED_S:
            return
        self.heeded = now
        rows = sorted(store.kept("assimilation_order", limit=20), key=lambda r: r.no)
        for row in rows:
            if row.no > self.ordered and row.state == "reset" and row.made > self.learner.t:
                self.learner = begin_learner(self.county.network, self.book)
                self.next_keep = now
                log.info("what was learnt is forgotten, as %s ordered", row.who or "somebody")
        switches = [r for r in rows if r.state in ("on", "off")]
        active = not switches or switches[-1].state == "on"
        if active != self.active:
            log.info(
                "corrections are switched %s, as %s ordered", "on" if active else "off", switches[-1].who
            )
            self.active, self.memory = active, None
        self.ordered = rows[-1].no if rows else self.ordered

    def walk(
        self, snapshot: Snapshot, plain: Comparison, memory: Memory | None, findings: Iterable[TwinFinding]
    ) -> Comparison:
        """The moment with corrections, meters in doubt left out; the plain one while switched off.

        Parameters
        ----------
        memory : of the corrected walk the moment before, or of the plain one when it begins
        """
        if not self.active or not plain.state.converged:
            return plain
        names = doubted_points(_doubts(findings))
        doubted = np.array([p.id in names for p in self.county.points], bool)
        c = compare_network(
            self.net, self.county.network, self.book, snapshot, memory,
            correct(self.learner, len(self.county.points)), StandIn(doubted, self.virtual),
        )  # fmt: skip
        if not c.state.converged:
            return plain
        self.virtual = np.full(len(self.county.points), np.nan)
        self.virtual[c.point_no] = c.value
        return c

    def teach(self, c: Comparison, plain: Comparison, findings: Iterable[TwinFinding]) -> None:
        """Let a live moment teach."""
        if self.active and c is not plain:
            held = hold_readings(self.learner.layout, _doubts(findings), self.home)
            learn(self.learner, self.net, self.county.network, self.book, c, plain, held)

    def keep(self, store: Store, now: float, at_once: bool = False) -> None:
        """Keep what was learnt, now and then."""
        if not self.resumed or (now < self.next_keep and not at_once):
            return
        self.next_keep = now + KEEP_S
        body = as_body(self.learner) | {
            "calibration": self.calibration,
            "told": {
                "learnt": [asdict(x) for x in list_learnt(self.learner)],
                "scores": [asdict(x) for x in score_keys(self.learner)],
                "refused": list(list_refused(self.learner)),
            },
        }
        store.keep("assimilation", "", body)


def _doubts(findings: Iterable[TwinFinding]) -> list[Doubt]:
    return [Doubt(f.kind, f.place) for f in findings if f.open]
