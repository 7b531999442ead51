"""Puts the readings of days that are over in order of point and time, a slice at a time.

A slice is one short transaction in the writer's own thread: the line goes on between two of them, a kill
leaves every reading in exactly one table, and what is left over is found again by looking at the tables.
Decision record 0121.
"""

import logging
import time
from collections import deque
from dataclasses import dataclass, field, replace

import duckdb

from ingest.settings import Retention
from ingest.store.counters import COUNTED
from ingest.store.tables import COLUMNS, DAY, DAY_MS, LATE, METER, NEW, WEEK, all_keys

log = logging.getLogger("ingest")

SLICE_ROWS = 100_000
GRACE_MS = 3_600_000
"""A run begins so long after midnight."""
WEEK_MS = 7 * DAY_MS
SETTLED_MS = 8 * DAY_MS
"""A week is put together so long after its end: nothing that is compared on arrival can come any more."""

# Every second point backwards: where one ends and the next begins, the time does not jump, and packs small.
_ORDER = "ORDER BY (t_ms + $shift) // $span, point_no, CASE WHEN point_no % 2 = 0 THEN t_ms ELSE -t_ms END"
_RANGE = "t_ms >= $start AND t_ms < $end AND point_no BETWEEN $first AND $last"
_METERS = "(SELECT point_no FROM point WHERE list_contains($counted, quantity))"


@dataclass(frozen=True, slots=True)
class Slice:
    """Readings of ``table`` in [start, end) ms of the points first..last; ``act``: day, week, late, expire.

    ``arrived``: only what arrived before this time (ms).
    """

    act: str
    table: str
    start: int
    end: int
    first: int = -1
    last: int = 2**31 - 1
    arrived: int = 2**62


@dataclass
class Sorter:
    """``shift_s``: offset of the county's days from UTC. One run a night; the first right after the start."""

    db: duckdb.DuckDBPyConnection
    shift_s: int
    retention: Retention = field(default_factory=Retention)
    moved: int = 0
    longest_s: float = 0.0
    _slices: deque[Slice] = field(default_factory=deque)
    _stages: deque[str] = field(default_factory=deque)
    _next_ms: int = 0

    def step(self, now_us: int) -> bool:
        """Do one slice if a run is on or due; False: nothing to do before the next night."""
        now = now_us // 1000
        if not self._slices and not self._stages:
            if now < self._next_ms:
                return False
            self._stages.extend(("late", "day", "week", "expire"))
            self.moved, self.longest_s = 0, 0.0
        began = time.monotonic()
        if self._slices:
            self._do(self._slices[0])
            self._slices.popleft()
        else:
            self._slices.extend(self._plan(self._stages[0], now))
            self._stages.popleft()
        self.longest_s = max(self.longest_s, time.monotonic() - began)
        if not self._slices and not self._stages:
            self._next_ms = self._midnight(now - GRACE_MS) + DAY_MS + GRACE_MS
            if self.moved:
                log.info("%d readings put in order, longest step %.2f s", self.moved, self.longest_s)
        return True

    def _midnight(self, t_ms: int) -> int:
        return self._floor(t_ms, DAY_MS)

    def _floor(self, t_ms: int, span: int) -> int:
        shift = self.shift_s * 1000
        return (t_ms + shift) // span * span - shift

    def _plan(self, stage: str, now: int) -> list[Slice]:
        if stage == "late":
            return self._cut("late", LATE, DAY_MS, 2**62)
        if stage == "day":
            return self._cut("day", NEW, DAY_MS, self._midnight(now - GRACE_MS))
        if stage == "week":
            return self._cut("week", DAY, WEEK_MS, self._floor(now - SETTLED_MS, WEEK_MS))
        raw = self._floor(now - self.retention.raw_days * DAY_MS, WEEK_MS)
        meter = self._floor(now - self.retention.meter_days * DAY_MS, WEEK_MS)
        return [
            replace(s, arrived=before)
            for table, span, before in ((WEEK, WEEK_MS, raw), (DAY, DAY_MS, raw), (METER, WEEK_MS, meter))
            for s in self._cut("expire", table, span, before)
        ]

    def _cut(self, act: str, table: str, span: int, before: int) -> list[Slice]:
        """Slices of ``table`` before a time: some small spans together, a large one point by point."""
        spans = self.db.execute(
            f"SELECT (t_ms + $shift) // $span, count(*) FROM {table} WHERE t_ms < $before "  # noqa: S608
            "GROUP BY ALL ORDER BY 1",
            {"shift": self.shift_s * 1000, "span": span, "before": before},
        ).fetchall()
        slices: list[Slice] = []
        held = 0
        for number, rows in spans:
            start = int(number) * span - self.shift_s * 1000
            if rows > SLICE_ROWS:
                slices += self._cut_points(act, table, start, start + span)
                held = SLICE_ROWS
            elif slices and held + rows <= SLICE_ROWS:
                held += rows
                slices[-1] = Slice(act, table, slices[-1].start, start + span)
            else:
                held = rows
                slices.append(Slice(act, table, start, start + span))
        return slices

    def _cut_points(self, act: str, table: str, start: int, end: int) -> list[Slice]:
        counts = self.db.execute(
            f"SELECT point_no, count(*) FROM {table} WHERE t_ms >= ? AND t_ms < ? "  # noqa: S608
            "GROUP BY 1 ORDER BY 1",
            [start, end],
        ).fetchall()
        slices: list[Slice] = []
        first, held = int(counts[0][0]), 0
        for no, rows in counts:
            if held and held + rows > SLICE_ROWS:
                slices.append(Slice(act, table, start, end, first, int(no) - 1))
                first, held = int(no), 0
            held += rows
        slices.append(Slice(act, table, start, end, first, int(counts[-1][0])))
        return slices

    def _do(self, s: Slice) -> None:
        place: dict[str, object] = {"start": s.start, "end": s.end, "first": s.first, "last": s.last}
        shift = self.shift_s * 1000
        take = f"SELECT {COLUMNS} FROM {s.table} r WHERE {_RANGE}"  # noqa: S608 - own names
        self.db.execute("BEGIN")
        try:
            if s.act == "day":
                self.db.execute(
                    f"INSERT INTO {DAY} {take} {_ORDER}", {**place, "shift": shift, "span": DAY_MS}
                )
            elif s.act == "week":
                order = {**place, "shift": shift, "span": WEEK_MS, "counted": list(COUNTED)}
                self.db.execute(f"INSERT INTO {WEEK} {take} AND point_no NOT IN {_METERS} {_ORDER}", order)
                self.db.execute(f"INSERT INTO {METER} {take} AND point_no IN {_METERS} {_ORDER}", order)
            elif s.act == "late":
                stored = f"SELECT point_no, t_ms FROM {all_keys(NEW, DAY, WEEK, METER)} k WHERE {_RANGE}"  # noqa: S608
                self.db.execute(
                    f"INSERT INTO {DAY} {take} AND NOT EXISTS (SELECT 1 FROM ({stored}) k "  # noqa: S608
                    f"WHERE k.point_no = r.point_no AND k.t_ms = r.t_ms) {_ORDER}",
                    {**place, "shift": shift, "span": DAY_MS},
                )
            # What came with an absurd old time is as old as its arrival.
            gone = self.db.execute(
                f"DELETE FROM {s.table} WHERE {_RANGE} AND t_ms + 1000 * delay_s::BIGINT < $arrived",  # noqa: S608
                {**place, "arrived": s.arrived},
            ).fetchone()
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.moved += int(gone[0]) if gone else 0
