"""A field with hidden truth, played at one-minute steps for ``bench/diagnosis.py``.

The plant and its instruments are those of the demo field; what they report (noise, resolution, send on change
with a heartbeat) is all the twin gets.
"""

import argparse
import copy
import math
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.demo.devices.faults import Fault, FaultBook
from ingest.demo.devices.instruments import Instruments
from ingest.demo.devices.manners import Manners
from ingest.demo.plant import Plant
from ingest.demo.plant.truth import TruthMap
from twin.compare import (
    Comparison,
    Memory,
    PointBook,
    Snapshot,
    begin_mean,
    compare_network,
    make_snapshot,
)
from twin.diagnosis import DiagnosisBook, Verdict, Watch, begin_watch, diagnose
from twin.heat import CompiledNetwork
from twin.model.county import County

Floats = NDArray[np.float64]
STEP_S = 60.0
COARSE_S = 300.0
TICK_S = 10.0
"""Instruments are read this often; the plant stands still meanwhile."""


def make_parser(doc: str | None, seeds: Sequence[int]) -> argparse.ArgumentParser:
    """Options of a bench in which ``--days`` of a field teach the twin and ``--test-days`` judge it."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--days", type=float, default=4.0)
    parser.add_argument("--test-days", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
    parser.add_argument("--json", type=Path)
    return parser


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
        self.means = begin_mean(self.county.points)
        self.device = [p.device_id for p in self.county.points]

    def branch(self) -> "Field":
        """A copy that goes its own way."""
        county, truth = self.county, self.truth
        memo: dict[int, object] = {id(county): county, id(truth): truth}
        return copy.deepcopy(self, memo)

    def step(self, dt_s: float) -> None:
        """Go on by ``dt_s`` and take what the devices report."""
        self.faults.apply(self.t + dt_s, self.plant, self.instruments, self.manners)
        truth = self.truth.read(self.plant.step(self.t + dt_s, dt_s))
        for _ in range(round(dt_s / TICK_S)):
            self.t += TICK_S
            due = self.instruments.pick_due(self.instruments.measure(truth, self.t), self.t)
            if self.manners.forced:
                due = np.array([n for n in due if self.device[n] not in self.manners.forced], dtype=np.int64)
            self.value[due] = [self.instruments.last_shown(int(n)) for n in due]
            self.reported_t[due] = self.t
            self.means.take(self.value.copy(), self.t)

    def snapshot(self) -> Snapshot:
        """What the store would give the twin now."""
        n = np.arange(len(self.county.points))
        good = np.full(n.size, 192)
        now = make_snapshot(self.county.points, self.t, n, self.reported_t, self.value, good)
        return Snapshot(now.t, self.means.settle(now.value))


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
    spent: list[tuple[float, float]] = field(default_factory=list)
    said: tuple[Verdict, ...] = ()

    def __post_init__(self) -> None:
        self.watch = begin_watch(self.book)

    def figures(self) -> list[dict[str, object]]:
        """Processor time of a pass, and peak memory of this process."""
        passes = np.array(self.spent).reshape(-1, 2)
        whole = passes.sum(axis=1)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
        rows = [
            ("diagnosis pass, median", float(np.median(passes[:, 1])), "s", 5.0),
            ("diagnosis pass, longest", float(passes[:, 1].max()), "s", 5.0),
            ("twin every 30 s, share of a core", float(whole.mean() / 30.0), "1", 0.1),
            ("peak memory, field included", peak_mb, "MB", math.nan),
        ]
        return [{"figure": n, "value": v, "unit": u, "must": m} for n, v, u, m in rows]

    def branch(self) -> "Twin":
        """A copy that goes its own way; it writes its times in the same list."""
        shared = (self.net, self.points, self.book, self.spent, self.watch.patterns)
        return copy.deepcopy(self, {id(x): x for x in shared})

    def look(self, f: Field) -> tuple[Verdict, ...]:
        """Compare and diagnose the present moment."""
        snapshot = f.snapshot()
        began = time.process_time()
        c = compare_network(self.net, f.county.network, self.points, snapshot, self.memory)
        self.memory = c.memory
        compared = time.process_time()
        found = diagnose(self.net, self.book, self.watch, c, snapshot.value, f.reported_t)
        self.spent.append((compared - began, time.process_time() - compared))
        self.said = found
        self.peer.take(c, self.book.point_ids)
        return found


def play(f: Field, twin: Twin, hours: float, step_s: float) -> list[tuple[float, tuple[Verdict, ...]]]:
    """Let both run; findings at every step."""
    out = []
    for _ in range(round(hours * 3600.0 / step_s)):
        f.step(step_s)
        out.append((f.t, twin.look(f)))
    return out


__all__ = ["COARSE_S", "STEP_S", "Fault", "Field", "Twin", "play"]
