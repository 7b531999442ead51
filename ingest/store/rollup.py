"""Readings summed up by 5 minutes, hour and day, and repaired when late readings come.

Every batch writes down which spans of 5 minutes it touched, in its own transaction; from time to time the
touched ones that are over are summed up anew, and the hours and days they lie in from them. So a late
reading, a repeated run and a killed process all end in the same sums.
"""

import time

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.model.readings import Quality

Ints = NDArray[np.int64]

SPAN_US = 300_000_000
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
RUN_SPANS = 12
"""Spans summed up in one transaction; neighbours only, so that little is scanned."""
AT_ONCE_S = 0.3
"""After so long a commit is let in between; the rest is summed up the next time."""

_FROM_READINGS = """
INSERT INTO rollup_5min
SELECT point_no, make_timestamp(t_ms // 300000 * 300000000), count(*), min(value), max(value),
       avg(value), arg_max(value, t_ms)
FROM {source}
WHERE t_ms >= ? AND t_ms < ? AND quality >= ? AND value IS NOT NULL
GROUP BY ALL ORDER BY 1, 2
"""
_FROM_SMALLER = {
    "rollup_1h": ("rollup_5min", HOUR_US),
    "rollup_1d": ("rollup_1h", DAY_US),
}
_SUM = """
INSERT INTO {table}
SELECT point_no, make_timestamp((epoch_us(t) + $shift) // $width * $width - $shift), sum(n), min(low),
       max(high), sum(mean * n) / sum(n), arg_max(last, t)
FROM {source} WHERE t >= make_timestamp($start) AND t < make_timestamp($end)
GROUP BY ALL ORDER BY 1, 2
"""


class RollUp:
    """``shift_s``: offset of the county's days from UTC (28800 in China). ``source``: where the readings are,
    each once."""

    def __init__(self, db: duckdb.DuckDBPyConnection, shift_s: int, source: str = "reading") -> None:
        self._db, self._shift_us = db, shift_s * 1_000_000
        self._from_readings = _FROM_READINGS.format(source=source)
        rows = db.execute("SELECT epoch_us(t) FROM rollup_dirty").fetchall()
        self.dirty: set[int] = {int(r[0]) for r in rows}

    def touch(self, t_us: Ints, quality: Ints) -> set[int]:
        """Write down the spans that usable readings (n,) fall in; within a transaction of the caller.

        Returns the new ones; ``remember`` them once it is committed.
        """
        spans = np.unique(t_us[quality >= int(Quality.UNCERTAIN)] // SPAN_US) * SPAN_US
        new = set(spans.tolist()) - self.dirty
        if new:
            table = pa.table({"t": pa.array(np.array(sorted(new), "datetime64[us]"))})
            self._db.register("touched", table)
            self._db.execute("INSERT INTO rollup_dirty SELECT t FROM touched ON CONFLICT DO NOTHING")
            self._db.unregister("touched")
        return new

    def remember(self, new: set[int]) -> None:
        """After the commit."""
        self.dirty |= new

    def catch_up(self, now_us: int) -> int:
        """Sum up spans that are over, newest first, for a limited time; returns how many."""
        over = sorted((t for t in self.dirty if t + SPAN_US <= now_us), reverse=True)
        runs: list[list[int]] = []
        for t in over:
            if runs and runs[-1][-1] - t <= HOUR_US and runs[-1][0] - t < RUN_SPANS * SPAN_US:
                runs[-1].append(t)
            else:
                runs.append([t])
        done, until = 0, time.monotonic() + AT_ONCE_S
        for run in runs:
            self._sum_up(run)
            done += len(run)
            if time.monotonic() > until:
                break
        return done

    def _sum_up(self, spans: list[int]) -> None:
        start, end = min(spans), max(spans) + SPAN_US
        self._db.execute("BEGIN")
        try:
            self._clear("rollup_5min", start, end)
            self._db.execute(self._from_readings, [start // 1000, end // 1000, int(Quality.UNCERTAIN)])
            for table, (source, width) in _FROM_SMALLER.items():
                shift = self._shift_us if width == DAY_US else 0
                first = (start + shift) // width * width - shift
                last = -(-(end + shift) // width) * width - shift
                self._clear(table, first, last)
                self._db.execute(
                    _SUM.format(table=table, source=source),
                    {"shift": shift, "width": width, "start": first, "end": last},
                )
            self._db.execute(
                "DELETE FROM rollup_dirty WHERE t >= make_timestamp(?) AND t < make_timestamp(?)",
                [start, end],
            )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self.dirty -= {t for t in self.dirty if start <= t < end}

    def _clear(self, table: str, start: int, end: int) -> None:
        text = f"DELETE FROM {table} WHERE t >= make_timestamp(?) AND t < make_timestamp(?)"  # noqa: S608 - own names
        self._db.execute(text, [start, end])
