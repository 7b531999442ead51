"""The store past one machine: readings in a DuckLake that several ingest workers write to.

The catalogue is a PostgreSQL database, the readings are Parquet files in a folder or bucket that all workers
reach. Everything else (latest values, sums, devices, dead letters) stays in each worker's own file; the first
worker, which the other processes ask, follows what its peers write. Decision record 0122.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from ingest.settings import S3, Lake, Retention
from ingest.store.batch import Batch, DeviceMark
from ingest.store.counters import COUNTED
from ingest.store.duck import load_extensions
from ingest.store.extras import write_rest
from ingest.store.owner import StoreAway, StoreOwner
from ingest.store.tables import DAY_MS, VIEW
from twin.model.county import Point

log = logging.getLogger("ingest")

COLUMNS = "point_no, t_ms, delay_s, number, scale, shift, quality"
ARRIVED = ("lake.arrived_0", "lake.arrived_1")
"""Of even and of odd days. The lake lets nobody delete from a table that others insert into: what arrived on
a day is merged when the workers write to the other table."""
INLINE_ROWS = 500
"""A smaller batch goes into the catalogue itself; files of a few rows would be many."""
KEEP_SNAPSHOTS_DAYS = 8
FOLLOWED = "lake/snapshot"
_TABLE = """
CREATE TABLE IF NOT EXISTS {name} (
    point_no INTEGER NOT NULL, t_ms BIGINT NOT NULL, delay_s INTEGER NOT NULL, number DOUBLE,
    scale DOUBLE NOT NULL, shift DOUBLE NOT NULL, quality UTINYINT NOT NULL{more}
)
"""
_ALL = " UNION ALL ".join(f"SELECT {COLUMNS} FROM {t}" for t in ("lake.reading", *ARRIVED))  # noqa: S608
_VIEW = f"""
CREATE OR REPLACE VIEW reading AS
SELECT point_no, t_ms, make_timestamp_ms(t_ms) AS t,
       make_timestamp_ms(t_ms + 1000 * delay_s::BIGINT) AS received, number * scale + shift AS value, quality
FROM ({_ALL}) UNION ALL {VIEW}
"""  # noqa: S608 - own names; readings from before the move stay where they are
_CHANGED = " UNION ALL ".join(
    f"SELECT {COLUMNS} FROM ducklake_table_insertions('lake', 'main', '{t.removeprefix('lake.')}', "  # noqa: S608
    "$first::BIGINT, $last::BIGINT) WHERE worker <> $mine"
    for t in ARRIVED
)


class LakeOwner(StoreOwner):
    """One of ``lake.workers`` writers. A batch is first in the lake, then in the worker's own file.

    Killed between the two, or before the acknowledgement, its messages come again: repeats are in the lake
    until ``merge_arrived`` has removed them.
    """

    summed_up = "(SELECT DISTINCT point_no, t_ms, value, quality FROM reading)"

    def __init__(
        self, path: Path, points: Sequence[Point], lake: Lake, day_shift_s: int = 28_800,
        retention: Retention = Retention(),  # noqa: B008 - frozen
    ) -> None:  # fmt: skip
        self.lake = lake
        super().__init__(path, points, day_shift_s, retention)
        self.device_of = [p.device_id for p in points]
        seen = self.read_memory().get(FOLLOWED)
        self._seen = int(seen) if seen else self._snapshot()

    def adopt_points(self, points: Sequence[Point]) -> None:
        """See ``StoreOwner.adopt_points``."""
        super().adopt_points(points)
        self.device_of = [p.device_id for p in points]

    def _count_suspects(self, n: int) -> None:
        """Nothing is compared on arrival."""

    def _open(self, path: Path) -> duckdb.DuckDBPyConnection:
        db = super()._open(path)
        load_extensions(db, ("postgres_scanner", "ducklake"))
        where, data = (x.replace("'", "''") for x in (self.lake.catalog, self.lake.data))
        try:
            if self.lake.s3 is not None:
                _open_bucket(db, self.lake.s3)
            db.execute(
                f"ATTACH 'ducklake:postgres:{where}' AS lake (DATA_PATH '{data}', "
                f"DATA_INLINING_ROW_LIMIT {INLINE_ROWS})"
            )
            for name, more in (("lake.reading", ""), *((t, ", worker INTEGER NOT NULL") for t in ARRIVED)):
                with suppress(duckdb.TransactionException):  # another worker makes it at the same moment
                    db.execute(_TABLE.format(name=name, more=more))
        except duckdb.Error as e:
            db.close()
            raise StoreAway(
                f"the lake cannot be opened: {str(e).splitlines()[0]} -- CT_LAKE names a PostgreSQL database "
                "(host=... dbname=... user=...), CT_LAKE_DATA a folder that every worker reaches"
            ) from e
        db.execute(_VIEW)
        return db

    def write(self, batch: Batch) -> int:
        """As ``StoreOwner.write``; whether a reading is there already is asked at the merge only."""
        rows, repeats = self._new_rows(batch)
        if rows.num_rows:
            self._append(rows)
        self.db.execute("BEGIN")
        try:
            self._write_latest(rows)
            touched = self.rollup.touch(rows["t"].to_numpy().astype(np.int64), rows["quality"].to_numpy())
            counts = {**batch.counts, "duplicates": repeats, "readings": rows.num_rows}
            write_rest(self.db, batch, counts, self._find_falls(rows))
            self.db.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                self.db.execute("ROLLBACK")
            raise
        self._remember(rows)
        self.rollup.remember(touched)
        return int(rows.num_rows)

    def _append(self, rows: pa.Table) -> None:
        received_ms = int(rows["received"].to_numpy().astype(np.int64).max()) // 1000
        table = ARRIVED[_day_number(received_ms, self.sorter.shift_s) % 2]
        self.db.register("batch", rows)
        try:
            self.db.execute(
                f"INSERT INTO {table} SELECT b.point_no, t_ms, delay_s, number, scale, shift, quality, ? "  # noqa: S608
                "FROM batch b JOIN point_unit u ON u.point_no = b.point_no AND u.unit = b.unit",
                [self.lake.number],
            )
        finally:
            self.db.unregister("batch")

    def _snapshot(self) -> int:
        row = self.db.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def follow(self) -> int:
        """Take over what the others wrote since the last call: latest values, devices, spans to sum up.

        Returns the readings. Only the first worker is asked by others, so only it needs to.
        """
        last = self._snapshot()
        if last <= self._seen:
            return 0
        found = self.db.execute(
            _CHANGED, {"first": self._seen + 1, "last": last, "mine": self.lake.number}
        ).to_arrow_table()
        rows, marks = self._as_rows(found)
        self.db.execute("BEGIN")
        try:
            self._write_latest(rows)
            touched = self.rollup.touch(rows["t"].to_numpy().astype(np.int64), rows["quality"].to_numpy())
            none = np.zeros(0, np.int64)
            beside = Batch(none, none, none, np.zeros(0), none, devices=marks, memory={FOLLOWED: str(last)})
            write_rest(self.db, beside, {"readings": rows.num_rows}, self._find_falls(rows))
            self.db.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                self.db.execute("ROLLBACK")
            raise
        self._remember(rows)
        self.rollup.remember(touched)
        self._seen = last
        return int(rows.num_rows)

    def close(self) -> None:
        """Let go of the catalogue, then of the file."""
        with suppress(duckdb.Error):
            self.db.execute("DETACH lake")
        super().close()

    def _as_rows(self, found: pa.Table) -> tuple[pa.Table, tuple[DeviceMark, ...]]:
        no, t_ms = found["point_no"].to_numpy().astype(np.int64), found["t_ms"].to_numpy()
        mine = no < len(self.device_of)
        number, scale, shift = (found[k].to_numpy() for k in ("number", "scale", "shift"))
        received = t_ms + 1000 * found["delay_s"].to_numpy().astype(np.int64)
        batch = Batch(
            no[mine], 1000 * t_ms[mine], 1000 * received[mine], (number * scale + shift)[mine],
            found["quality"].to_numpy().astype(np.int64)[mine],
        )  # fmt: skip
        rows, _ = self._new_rows(batch)
        heard: dict[str, list[int]] = {}
        for point, t, came in zip(batch.point_no.tolist(), batch.t_us.tolist(), batch.received_us.tolist(),
                                  strict=True):  # fmt: skip
            mark = heard.setdefault(self.device_of[point], [t, came, t - came])
            mark[0], mark[1], mark[2] = max(mark[0], t), max(mark[1], came), max(mark[2], t - came)
        return rows, tuple(
            DeviceMark(name, t, came, 0, ahead / 1e6, True) for name, (t, came, ahead) in heard.items()
        )


def _open_bucket(db: duckdb.DuckDBPyConnection, s3: S3) -> None:
    """Let ``db`` reach the server of a bucket; by path, because own servers rarely have names per bucket."""
    key, secret, region, endpoint = (
        x.replace("'", "''") for x in (s3.key, s3.secret, s3.region, s3.endpoint)
    )
    db.execute(
        f"CREATE OR REPLACE TEMPORARY SECRET lake_s3 (TYPE s3, KEY_ID '{key}', SECRET '{secret}', "
        f"REGION '{region}', ENDPOINT '{endpoint}', URL_STYLE 'path', USE_SSL {str(s3.tls).lower()})"
    )


def _day_number(t_ms: int, shift_s: int) -> int:
    return (t_ms + 1000 * shift_s) // DAY_MS


def merge_arrived(db: duckdb.DuckDBPyConnection, shift_s: int, now_ms: int) -> tuple[int, int]:
    """Put what arrived until the last midnight in order of day, point and time, each reading once.

    ``db``: a cursor of its own; workers go on writing meanwhile. Call it when the day is some time old.
    Returns (readings, repeats removed); in one transaction.
    """
    table = ARRIVED[(_day_number(now_ms, shift_s) + 1) % 2]
    days = db.execute(
        f"SELECT DISTINCT (t_ms + $shift) // $day FROM {table} ORDER BY 1",  # noqa: S608 - own name
        {"shift": shift_s * 1000, "day": DAY_MS},
    ).fetchall()
    kept = 0
    db.execute("BEGIN")
    try:
        for (day,) in days:
            start = int(day) * DAY_MS - shift_s * 1000
            done = db.execute(
                f"INSERT INTO lake.reading SELECT DISTINCT ON (point_no, t_ms) {COLUMNS} FROM {table} a "  # noqa: S608
                "WHERE t_ms >= $start AND t_ms < $end AND NOT EXISTS (SELECT 1 FROM lake.reading r "
                "WHERE r.t_ms >= $start AND r.t_ms < $end AND r.point_no = a.point_no AND r.t_ms = a.t_ms) "
                "ORDER BY point_no, t_ms, t_ms + 1000 * delay_s::BIGINT",
                {"start": start, "end": start + DAY_MS},
            ).fetchone()
            kept += int(done[0]) if done else 0
        gone = db.execute(f"DELETE FROM {table}").fetchone()  # noqa: S608 - own name
        db.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.Error):
            db.execute("ROLLBACK")
        raise
    return kept, (int(gone[0]) if gone else 0) - kept


def compact(db: duckdb.DuckDBPyConnection, retention: Retention, now_ms: int) -> None:
    """Join small files, drop readings past their time and files that nothing names any more."""
    for sign, days in (("NOT IN", retention.raw_days), ("IN", retention.meter_days)):
        db.execute(
            "DELETE FROM lake.reading WHERE t_ms < ? AND t_ms + 1000 * delay_s::BIGINT < ? "  # noqa: S608
            f"AND point_no {sign} "
            "(SELECT point_no FROM point WHERE list_contains(?, quantity))",
            [now_ms - days * DAY_MS, now_ms - days * DAY_MS, list(COUNTED)],
        )
    db.execute("CALL ducklake_merge_adjacent_files('lake', 'reading')")
    db.execute(
        f"CALL ducklake_expire_snapshots('lake', older_than => now() - INTERVAL {KEEP_SNAPSHOTS_DAYS} DAY)"
    )
    db.execute("CALL ducklake_cleanup_old_files('lake', older_than => now() - INTERVAL 1 DAY)")
