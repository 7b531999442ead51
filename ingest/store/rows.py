"""Readings into the table, each once per point and time."""

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.store.tables import COLUMNS, DAY_MS, LATE, NEW, all_keys

COMPARED_BACK_MS, COMPARED_AHEAD_MS = 8 * DAY_MS, DAY_MS
"""Arrivals are compared with what is stored of these days about them (sessions at the broker live for seven);
anything else goes to ``reading_late`` and is compared at night."""

_SURE = f"INSERT INTO {NEW} SELECT {COLUMNS} FROM batch WHERE NOT look AND NOT late"  # noqa: S608 - own names
# Every order the tables are kept in bounds time or point by the file's statistics; the join is built on the
# batch, which is small, and never on the history.
_SEEN = f"""
CREATE OR REPLACE TEMP TABLE seen AS
SELECT DISTINCT r.point_no, r.t_ms FROM {all_keys()} r
JOIN doubt b ON b.point_no = r.point_no AND b.t_ms = r.t_ms
WHERE r.t_ms BETWEEN ? AND ? AND r.point_no BETWEEN ? AND ?
"""  # noqa: S608 - own names
_UNSEEN = f"""
INSERT INTO {NEW} SELECT {COLUMNS} FROM doubt d
ANTI JOIN seen s ON d.point_no = s.point_no AND d.t_ms = s.t_ms
"""  # noqa: S608 - own names
_LATE = f"""
INSERT INTO {LATE} SELECT {COLUMNS} FROM doubt d
ANTI JOIN {LATE} s ON d.point_no = s.point_no AND d.t_ms = s.t_ms
"""  # noqa: S608 - own names


def is_late(t_ms: NDArray[np.int64], received_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether readings (n,) are from outside the days that arrivals are compared with."""
    return (t_ms < received_ms - COMPARED_BACK_MS) | (t_ms > received_ms + COMPARED_AHEAD_MS)


def insert_readings(db: duckdb.DuckDBPyConnection, rows: pa.Table) -> int:
    """Insert ``rows`` (columns of ``reading_new``; ``look``: it may be stored already; ``late``: see
    ``is_late``); number that were new.

    Within a transaction of the caller.
    """
    if rows.num_rows == 0:
        return 0
    db.register("batch", rows)
    sure = db.execute(_SURE).fetchone()
    db.unregister("batch")
    look, late = rows["look"].to_numpy(), rows["late"].to_numpy()
    stored = int(sure[0] if sure else 0)
    if late.any():
        stored += _insert_doubtful(db, rows.filter(pa.array(late)), _LATE)
    look &= ~late
    if look.any():
        # Day by day: one old reading must not open all the days between to the search.
        day = rows["t_ms"].to_numpy() // DAY_MS
        for d in np.unique(day[look]):
            part = rows.filter(pa.array(look & (day == d)))
            stored += _insert_doubtful(db, part, _UNSEEN)
    return stored


def _insert_doubtful(db: duckdb.DuckDBPyConnection, rows: pa.Table, insert: str) -> int:
    db.register("doubt", rows)
    if insert is _UNSEEN:
        t, no = rows["t_ms"].to_numpy(), rows["point_no"].to_numpy()
        db.execute(_SEEN, [int(t.min()), int(t.max()), int(no.min()), int(no.max())])
    done = db.execute(insert).fetchone()
    db.unregister("doubt")
    return int(done[0] if done else 0)
