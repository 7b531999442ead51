"""Readings into the table, each once per point and time."""

import duckdb
import numpy as np
import pyarrow as pa

REPEATS_WITHIN_US = 8 * 86_400 * 1_000_000
"""A repeat comes at most so long after the first: sessions at the broker live for seven days."""

_SURE = "INSERT INTO reading SELECT point_no, t, received, value, quality FROM batch WHERE NOT look"
# The readings are filtered by their order of arrival and by time, both of which the file's statistics bound;
# the join is built on the batch, which is small, and never on the history.
_SEEN = """
CREATE OR REPLACE TEMP TABLE seen AS
SELECT DISTINCT r.point_no, r.t FROM reading r JOIN doubt b ON b.point_no = r.point_no AND b.t = r.t
WHERE r.received >= make_timestamp(?) AND r.t BETWEEN make_timestamp(?) AND make_timestamp(?)
"""
_UNSEEN = """
INSERT INTO reading SELECT d.point_no, d.t, d.received, d.value, d.quality FROM doubt d
ANTI JOIN seen s ON d.point_no = s.point_no AND d.t = s.t
"""


def insert_readings(db: duckdb.DuckDBPyConnection, rows: pa.Table) -> int:
    """Insert ``rows`` (columns of ``reading``, ``look``: it may be stored already); number that were new.

    Within a transaction of the caller.
    """
    if rows.num_rows == 0:
        return 0
    db.register("batch", rows)
    sure = db.execute(_SURE).fetchone()
    db.unregister("batch")
    look = rows["look"].to_numpy()
    stored = int(sure[0] if sure else 0)
    if look.any():
        # Apart by what the clock says: one absurd time must not open the whole history to the search.
        suspect = rows["quality"].to_numpy() == 32
        for part in (look & ~suspect, look & suspect):
            if part.any():
                stored += _insert_doubtful(db, rows.filter(pa.array(part)))
    return stored


def _insert_doubtful(db: duckdb.DuckDBPyConnection, rows: pa.Table) -> int:
    t = rows["t"].to_numpy().astype(np.int64)
    received = int(rows["received"].to_numpy().astype(np.int64).min())
    db.register("doubt", rows)
    db.execute(_SEEN, [received - REPEATS_WITHIN_US, int(t.min()), int(t.max())])
    done = db.execute(_UNSEEN).fetchone()
    db.unregister("doubt")
    return int(done[0] if done else 0)
