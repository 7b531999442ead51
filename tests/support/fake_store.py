"""An in-memory store for tests of screens; fulfils ``ingest.store.api.Store``."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ingest.store.api import (
    CounterEvent,
    DeadLetter,
    DeviceState,
    IngestStats,
    LatestTable,
    NetworkState,
    Notice,
    RollUpSeries,
    Series,
    SimulatedTable,
    SimulationResult,
)
from ingest.store.command_api import Command, CommandStep, DeviceLife
from ingest.store.document_api import KeptMessage
from ingest.store.finding_api import TwinFinding
from ingest.store.hour_api import HourTable, Ints
from ingest.store.hour_client import sort_hours
from ingest.store.kept_api import Kept, KeptKind, KeptLine
from ingest.store.kept_client import find_kind, write_body
from ingest.store.sums_api import RollUpTable
from tests.support.fake_documents import FakeDocuments
from twin.model.county import County
from twin.model.errors import StoreUnavailable
from twin.model.readings import Quality


class FakeStore(FakeDocuments):
    """Holds what a test puts in; ``down`` makes every call fail as an absent owner does."""

    def __init__(self, county: County) -> None:
        self.county = county
        self.rows: dict[int, tuple[float, float, int, int]] = {}
        self.past: dict[int, list[tuple[float, float]]] = {}
        self.seq = 0
        self.down = False
        self.result: SimulationResult | None = None
        self.run_no = 0
        self.states: list[NetworkState] = []
        self.dead: list[DeadLetter] = []
        self.messages: list[KeptMessage] = []
        self.document_rows, self.texts = [], {}
        self.noticed: list[Notice] = []
        self.found: dict[str, TwinFinding] = {}
        self.redo_wanted: list[list[str] | None] = []
        self.asked: list[tuple[int, float, str, str, str]] = []
        self.decided: list[tuple[int, str, str]] = []
        self.command_rows: list[Command] = []
        self.steps: list[CommandStep] = []
        self.retired: list[tuple[str, str, bool]] = []
        self.lives: list[DeviceLife] = []
        self.kept_rows: dict[int, tuple[Kept, str]] = {}
        self.kept_lines: list[tuple[str, KeptLine]] = []

    def put(self, point_id: str, value: float, t: float | None = None, quality: int = Quality.GOOD) -> None:
        self.seq += 1
        at = time.time() if t is None else t
        no = self.county.point_by_id[point_id].no
        self.rows[no] = (at, value, quality, self.seq)
        self.past.setdefault(no, []).append((at, value))

    def _up(self) -> None:
        if self.down:
            raise StoreUnavailable("the store is away")

    def redo_dead_letters(self, hashes: list[str] | None = None) -> None:
        self._up()
        self.redo_wanted.append(hashes)

    def request_command(
        self, point_no: int, value: float, who: str, reason: str, origin: str = "page"
    ) -> int:
        self._up()
        self.asked.append((point_no, value, who, reason, origin))
        return len(self.asked)

    def decide_command(self, no: int, verdict: str, who: str, reason: str = "") -> None:
        self._up()
        self.decided.append((no, verdict, who))

    def commands(self, since: float = 0.0, limit: int = 200) -> list[Command]:
        self._up()
        return self.command_rows

    def command_steps(self, no: int = 0, limit: int = 1000) -> list[CommandStep]:
        self._up()
        return self.steps

    def retire_device(self, device_id: str, who: str, reason: str, *, back: bool = False) -> None:
        self._up()
        self.retired.append((device_id, who, back))

    def device_lives(self) -> list[DeviceLife]:
        self._up()
        return self.lives

    def rolled_up(self, point_no: int, start: float, end: float, step_s: int = 3600) -> RollUpSeries:
        rows = self.history(point_no, start, end)
        spans = np.unique(rows.t // step_s)
        groups = [rows.value[rows.t // step_s == s] for s in spans]
        columns = [
            np.array([f(g) for g in groups], float) for f in (np.min, np.max, np.mean, lambda g: g[-1])
        ]
        return RollUpSeries(spans * step_s, np.array([g.size for g in groups], np.int64), *columns)

    def notices(self, since: float = 0.0) -> list[Notice]:
        self._up()
        return [n for n in self.noticed if n.last_t >= since]

    def counter_events(self, start: float, end: float) -> list[CounterEvent]:
        self._up()
        return []

    def consumption(self, point_no: int, start: float, end: float) -> float:
        rows = self.history(point_no, start, end)
        return float(rows.value[-1] - rows.value[0]) if rows.value.size else float("nan")

    def latest(self, since_seq: int = 0) -> LatestTable:
        self._up()
        rows = sorted((no, *r) for no, r in self.rows.items() if r[3] > since_seq)
        a = np.array(rows, dtype=float).reshape(-1, 5)
        return LatestTable(
            seq=max(self.seq, since_seq), point_no=a[:, 0].astype(np.int64), t=a[:, 1], received=a[:, 1],
            value=a[:, 2], quality=a[:, 3].astype(np.int64), row_seq=a[:, 4].astype(np.int64),
        )  # fmt: skip

    def latest_at(self, t: float, point_no: np.ndarray | None = None) -> LatestTable:
        return self.latest()

    def history(self, point_no: int, start: float, end: float, max_rows: int = 2000) -> Series:
        self._up()
        rows = np.array([r for r in self.past.get(point_no, []) if start <= r[0] <= end]).reshape(-1, 2)
        return Series(rows[:, 0], rows[:, 1], np.full(len(rows), Quality.GOOD))

    def simulated_history(self, point_no: int, start: float, end: float, max_rows: int = 2000) -> Series:
        s = self.history(point_no, start, end, max_rows)
        return Series(s.t, s.value + 0.5, s.quality)

    def simulated_latest(self) -> SimulatedTable:
        self._up()
        r = self.result
        if r is None:
            none = np.empty(0)
            return SimulatedTable(0, float("nan"), np.empty(0, np.int64), none, none, none, none)
        residual = r.measured - r.value
        return SimulatedTable(self.run_no, r.t, r.point_no, r.value, r.sigma, residual, residual / r.sigma)

    def network_state(self) -> NetworkState | None:
        self._up()
        return self.result.network if self.result else None

    def network_state_at(self, t: float) -> NetworkState | None:
        self._up()
        return next((s for s in reversed(self.states) if s.t <= t), None)

    def network_times(self, start: float, end: float) -> np.ndarray:
        self._up()
        return np.array([s.t for s in self.states if start <= s.t <= end])

    def write_simulation(self, result: SimulationResult) -> int:
        self._up()
        self.result, self.run_no = result, self.run_no + 1
        if result.network is not None:
            self.states = sorted([*self.states, result.network], key=lambda s: s.t)
        return self.run_no

    def run_times(self, start: float, end: float) -> np.ndarray:
        self._up()
        return np.array([self.result.t] if self.result and start <= self.result.t <= end else [])

    def last_simulated(self) -> float | None:
        self._up()
        return self.result.t if self.result else None

    def stats(self) -> IngestStats:
        self._up()
        return IngestStats(time.time(), 100, 1000, len(self.dead), 0, 0, 0, 0, "connected", 10.0, 100.0)

    def dead_letters(self, limit: int = 200) -> list[DeadLetter]:
        self._up()
        return self.dead[:limit]

    def device_states(self) -> list[DeviceState]:
        self._up()
        now = time.time()
        return [DeviceState(d.id, now - 3, now - 3, 10, 0.2, True) for d in self.county.devices]

    def point_counts(self, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
        self._up()
        no = np.array(sorted(self.past), dtype=np.int64)
        return no, np.array([len(self.past[int(n)]) for n in no], dtype=np.int64)

    def close(self) -> None:
        return

    def write_findings(self, rows: Sequence[TwinFinding]) -> None:
        self._up()
        self.found.update({f.id: f for f in rows})

    def findings(self, since: float = 0.0, limit: int = 200) -> list[TwinFinding]:
        self._up()
        rows = [f for f in self.found.values() if f.t >= since]
        return sorted(rows, key=lambda f: (not f.open, -f.since))[:limit]

    def keep(self, kind: KeptKind, title: str, body: object, who: str = "", state: str = "made") -> int:
        self._up()
        find_kind(kind)
        now = time.time()
        no = max(round(now * 1e6), max(self.kept_rows, default=0) + 1)
        self.kept_rows[no] = (Kept(no, kind, no / 1e6, now, state, who, title), write_body(body))
        self.kept_lines.append(
            (kind, KeptLine(no, no / 1e6, state, who, title, json.loads(write_body(body))))
        )
        return no

    def mark_kept(self, row: Kept, state: str, who: str, body: object = None) -> None:
        self._up()
        old, text = self.kept_rows[row.no]
        new = replace(old, changed=time.time(), state=state, who=who)
        self.kept_rows[row.no] = (new, text if body is None else write_body(body))
        told = None if body is None else json.loads(write_body(body))
        self.kept_lines.append((old.kind, KeptLine(row.no, new.changed, state, who, old.title, told)))

    def kept_log(self, kind: KeptKind, since: float = 0.0, limit: int = 100_000) -> list[KeptLine]:
        self._up()
        return [line for k, line in self.kept_lines if k == kind and line.t >= since][:limit]

    def kept(self, kind: KeptKind, since: float = 0.0, limit: int = 100) -> list[Kept]:
        self._up()
        rows = [r for r, _ in self.kept_rows.values() if r.kind == kind and r.made >= since]
        return sorted(rows, key=lambda r: -r.no)[:limit]

    def kept_body(self, no: int) -> object | None:
        self._up()
        found: object = json.loads(self.kept_rows[no][1]) if no in self.kept_rows else None
        return found

    def hourly(self, point_no: Ints, start: float, end: float) -> HourTable:
        self._up()
        rows: dict[tuple[int, int], list[float]] = {}
        for no in np.unique(point_no).tolist():
            for t, v in self.past.get(no, []):
                if start <= t <= end:
                    rows.setdefault((no, int(t // 3600.0)), []).append(v)
        numbers = np.array([no for no, _ in rows], np.int64)
        hours = np.array([3600.0 * h for _, h in rows])
        return sort_hours(np.asarray(point_no), numbers, hours, np.array([np.mean(v) for v in rows.values()]))

    def sums_of_all(self, start: float, end: float, step_s: int = 3600) -> RollUpTable:
        self._up()
        spans: dict[tuple[int, float], list[tuple[float, float]]] = {}
        for no, rows in self.past.items():
            for t, value in rows:
                if start <= t // step_s * step_s < end:
                    spans.setdefault((no, t // step_s * step_s), []).append((t, value))
        keys = sorted(spans)
        values = [np.array([v for _, v in spans[k]]) for k in keys]
        return RollUpTable(
            np.array([k[0] for k in keys], int), np.array([k[1] for k in keys], float),
            np.array([v.size for v in values], int), *(
                np.array([f(v) for v in values], float) for f in (np.min, np.max, np.mean, lambda v: v[-1])
            ),
        )  # fmt: skip
