"""A field with hidden truth, played at one-minute steps for ``bench/diagnosis.py``.

The plant and its instruments are those of the demo field; what they report (noise, resolution, send on change
with a heartbeat) is all the twin gets.
"""

import copy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.demo.devices.faults import Fault, FaultBook
from ingest.demo.devices.instruments import Instruments
from ingest.demo.devices.manners import Manners
from ingest.demo.plant import Plant
from ingest.demo.plant.truth import TruthMap
from twin.compare import Comparison, Memory, PointBook, Snapshot, compare_network, make_snapshot
from twin.diagnosis import DiagnosisBook, Verdict, Watch, begin_watch, diagnose
from twin.heat import CompiledNetwork
from twin.model.county import County

Floats = NDArray[np.float64]
STEP_S = 60.0
COARSE_S = 300.0


@dataclass
class Field:
    """Plant, instruments and what has been reported so far."""

    county: County
    seed: int
    mode: str
    start: float
    truth_file: Path
    t: float = field(init=False)

    def __post_init__(self) -> None:
        self.plant = Plant(self.county, self.seed, self.mode)
        self.plant.settle(self.start)
        self.t = self.start
        self.instruments = Instruments(self.county, self.plant.hidden.sensor_bias, self.seed)
        self.faults = FaultBook(self.truth_file)
        self.manners = Manners({}, np.random.default_rng(self.seed))
        self.truth = TruthMap(self.county, self.seed)
        n = len(self.county.points)
        self.value, self.reported_t = np.full(n, np.nan), np.full(n, -np.inf)
        self.device = [p.device_id for p in self.county.points]

    def branch(self) -> "Field":
        """A copy that goes its own way."""
        county, truth = self.county, self.truth
        memo: dict[int, object] = {id(county): county, id(truth): truth}
        return copy.deepcopy(self, memo)

    def step(self, dt_s: float) -> None:
        """Go on by ``dt_s`` and take what the devices report."""
        self.t += dt_s
        self.faults.apply(self.t, self.plant, self.instruments, self.manners)
        reading = self.plant.step(self.t, dt_s)
        due = self.instruments.pick_due(self.instruments.measure(self.truth.read(reading), self.t), self.t)
        if self.manners.forced:
            due = np.array([n for n in due if self.device[n] not in self.manners.forced], dtype=np.int64)
        self.value[due] = [self.instruments.last_shown(int(n)) for n in due]
        self.reported_t[due] = self.t

    def snapshot(self) -> Snapshot:
        """What the store would give the twin now."""
        n = np.arange(len(self.county.points))
        good = np.full(n.size, 192)
        return make_snapshot(self.county.points, self.t, n, self.reported_t, self.value, good)


@dataclass
class Thresholds:
    """The peer: points that have been beyond three sigmas for ten minutes."""

    since: dict[str, float] = field(default_factory=dict)
    t: float = 0.0

    def take(self, c: Comparison, ids: tuple[str, ...]) -> None:
        """One comparison."""
        z = np.abs(c.measured - c.value) / c.sigma
        beyond = {ids[int(n)] for n in c.point_no[np.nan_to_num(z) > 3.0]}
        self.since = {p: self.since.get(p, c.t) for p in beyond}
        self.t = c.t

    def alarms(self) -> set[str]:
        """Points in alarm now."""
        return {p for p, t in self.since.items() if self.t - t >= 600.0}


@dataclass
class Twin:
    """The twin beside a field: comparison, watch, and the thresholds it is measured against."""

    net: CompiledNetwork
    points: PointBook
    book: DiagnosisBook
    watch: Watch = field(init=False)
    peer: Thresholds = field(default_factory=Thresholds)
    memory: Memory | None = None

    def __post_init__(self) -> None:
        self.watch = begin_watch(self.book)

    def branch(self) -> "Twin":
        """A copy that goes its own way."""
        shared = (self.net, self.points, self.book)
        return copy.deepcopy(self, {id(x): x for x in shared})

    def look(self, f: Field) -> tuple[Verdict, ...]:
        """Compare and diagnose the present moment."""
        snapshot = f.snapshot()
        c = compare_network(self.net, f.county.network, self.points, snapshot, self.memory)
        self.memory = c.memory
        self.peer.take(c, self.book.point_ids)
        return diagnose(self.net, self.book, self.watch, c, snapshot.value, f.reported_t)


def play(f: Field, twin: Twin, hours: float, step_s: float) -> list[tuple[float, tuple[Verdict, ...]]]:
    """Let both run; findings at every step."""
    out = []
    for _ in range(round(hours * 3600.0 / step_s)):
        f.step(step_s)
        out.append((f.t, twin.look(f)))
    return out


__all__ = ["COARSE_S", "STEP_S", "Fault", "Field", "Twin", "play"]
