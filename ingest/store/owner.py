"""The owner of the DuckDB file: migrations, the one writer, and the Quack server for everyone else."""

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from ingest.store.batch import Batch, DeviceMark
from ingest.store.duck import open_duckdb
from twin.model.county import Point
from twin.model.errors import ConfigError
from twin.model.quantities import find_quantity
from twin.model.readings import Quality

log = logging.getLogger("ingest")

KEEP_RAW_DAYS = 730
KEEP_NETWORK_STATE_S = 3600
MAX_DEAD_LETTERS = 5000
COUNTERS = ("messages", "readings", "rejected_messages", "rejected_readings", "duplicates", "late")


def migrate(db: duckdb.DuckDBPyConnection) -> int:
    """Bring the schema up to date; returns its version. Each migration runs in one transaction.

    Raises
    ------
    ConfigError : the file was written by a newer version of this project
    """
    db.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL, applied TIMESTAMP NOT NULL)"
    )
    row = db.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    have = int(row[0]) if row else 0
    files = sorted(
        (f for f in (resources.files("ingest.store") / "migrations").iterdir() if f.name.endswith(".sql")),
        key=lambda f: f.name,
    )
    newest = int(files[-1].name[:4])
    if have > newest:
        raise ConfigError(
            f"the store has schema {have}, this program knows {newest}: update the program or give an "
            "older data folder with --data"
        )
    for file in files:
        number = int(file.name[:4])
        if number <= have:
            continue
        db.execute("BEGIN")
        db.execute(file.read_text(encoding="utf-8"))
        db.execute("INSERT INTO schema_version VALUES (?, now()::TIMESTAMP)", [number])
        db.execute("COMMIT")
        have = number
    return have


class StoreOwner:
    """Opens the file; the only writer of readings. Not thread-safe: one thread writes.

    ``seq`` is the number of the last commit; ``last_t_us`` (n_point,) the time in ``latest`` per point;
    ``newest_us`` (n_point,) the newest stored time, suspect clocks included, which tells without a look at
    the table that a reading beyond it cannot be a repeat.
    """

    def __init__(self, path: Path, points: Sequence[Point]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.db = open_duckdb(path)
            migrate(self.db)
        except duckdb.Error as e:
            raise ConfigError(
                f"the store {path} cannot be opened: {str(e).splitlines()[0]} "
                "-- if another process has it, stop that one; if the disk is full, make room; if the file is "
                "damaged, move it away and restore a backup"
            ) from e
        self._write_points(points)
        self.last_t_us = np.full(len(points), np.iinfo(np.int64).min)
        rows = self.db.execute("SELECT point_no, epoch_us(t) AS t FROM latest").fetchnumpy()
        known = rows["point_no"] < len(points)
        self.last_t_us[rows["point_no"][known]] = rows["t"][known]
        self.newest_us = self.last_t_us.copy()
        rows = self.db.execute(
            "SELECT point_no, epoch_us(max(t)) AS t FROM reading WHERE quality = ? GROUP BY point_no",
            [int(Quality.CLOCK_SUSPECT)],
        ).fetchnumpy()
        known = rows["point_no"] < len(points)
        np.maximum.at(self.newest_us, rows["point_no"][known], rows["t"][known])
        row = self.db.execute("SELECT coalesce(max(seq), 0) FROM latest").fetchone()
        self.seq = int(row[0]) if row else 0

    def _write_points(self, points: Sequence[Point]) -> None:
        table = pa.table(
            {
                "point_no": pa.array([p.no for p in points], pa.int32()),
                "point_id": [p.id for p in points],
                "device_id": [p.device_id for p in points],
                "place_id": [p.place_id for p in points],
                "key": [p.key for p in points],
                "quantity": [p.quantity for p in points],
                "si_unit": [find_quantity(p.quantity).si_unit for p in points],
            }
        )
        self.db.execute("BEGIN")
        self._refuse_renumbered(table)
        self.db.execute("DELETE FROM point")
        self.db.register("new_point", table)
        self.db.execute("INSERT INTO point SELECT * FROM new_point")
        self.db.unregister("new_point")
        self.db.execute("COMMIT")

    def _refuse_renumbered(self, table: pa.Table) -> None:
        """A point number means the same point for ever; another county needs another data folder."""
        self.db.register("new_point", table)
        row = self.db.execute(
            "SELECT count(*), min(n.point_id) FROM point o JOIN new_point n USING (point_no) "
            "WHERE o.point_id <> n.point_id AND EXISTS (SELECT 1 FROM latest l WHERE l.point_no = o.point_no)"
        ).fetchone()
        self.db.unregister("new_point")
        if row and row[0]:
            self.db.execute("ROLLBACK")
            raise ConfigError(
                f"the store holds readings under other point numbers than the county ({row[0]} points, "
                f"such as {row[1]}): keep the numbers of the points, or use another data folder (--data)"
            )

    def serve(self, uri: str, token: str) -> None:
        """Let other processes ask over Quack at ``uri`` (loopback), with ``token``."""
        try:
            self.db.execute("CALL quack_serve(?, token = ?)", [uri, token])
        except duckdb.Error as e:
            raise ConfigError(f"the store cannot listen at {uri}: {str(e).splitlines()[0]}") from e

    def write(self, batch: Batch) -> int:
        """Store one batch in one transaction; returns the readings that were new.

        After return everything is on disk. On any error nothing of the batch is, and it may be tried again.
        """
        readings, repeats = self._new_rows(batch)
        self.db.execute("BEGIN")
        try:
            stored = self._insert_readings(readings)
            counts = dict(batch.counts)
            counts["duplicates"] = repeats + readings.num_rows - stored
            counts["readings"] = stored
            self._write_latest(readings)
            self._write_rest(batch, counts)
            self.db.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):  # a failed commit has ended the transaction; the first error counts
                self.db.execute("ROLLBACK")
            raise
        self._remember(readings)
        return stored

    def _new_rows(self, batch: Batch) -> tuple[pa.Table, int]:
        """Rows of the batch, the last one kept of repeats within it; marks those that may be in the table."""
        no, t = batch.point_no, batch.t_us
        order = np.lexsort((np.arange(no.size), t, no))
        last = np.ones(no.size, bool)
        if no.size:
            last[:-1] = (no[order][1:] != no[order][:-1]) | (t[order][1:] != t[order][:-1])
        keep = np.sort(order[last])
        suspect = batch.quality[keep] == Quality.CLOCK_SUSPECT
        table = pa.table(
            {
                "point_no": pa.array(no[keep].astype(np.int32)),
                "t": pa.array(t[keep].astype("datetime64[us]")),
                "received": pa.array(batch.received_us[keep].astype("datetime64[us]")),
                "value": pa.array(batch.value[keep]),
                "quality": pa.array(batch.quality[keep].astype(np.uint8)),
                "look": pa.array(t[keep] <= self.newest_us[no[keep]]),
                "newer": pa.array((t[keep] > self.last_t_us[no[keep]]) & ~suspect),
            }
        )
        return table, int(no.size - keep.size)

    def _insert_readings(self, rows: pa.Table) -> int:
        if rows.num_rows == 0:
            return 0
        self.db.register("batch", rows)
        sure = self.db.execute(
            "INSERT INTO reading SELECT point_no, t, received, value, quality FROM batch WHERE NOT look"
        ).fetchone()
        doubtful = self.db.execute(
            "INSERT INTO reading SELECT b.point_no, b.t, b.received, b.value, b.quality FROM batch b "
            "ANTI JOIN (SELECT point_no, t FROM reading "
            "  WHERE t BETWEEN (SELECT min(t) FROM batch WHERE look) "
            "  AND (SELECT max(t) FROM batch WHERE look)) r "
            "ON b.point_no = r.point_no AND b.t = r.t WHERE b.look"
        ).fetchone()
        return int(sure[0] if sure else 0) + int(doubtful[0] if doubtful else 0)

    def _write_latest(self, rows: pa.Table) -> None:
        if rows.num_rows == 0:
            return
        self.seq += 1
        self.db.execute(
            "INSERT INTO latest SELECT point_no, t, received, value, quality, ? FROM batch "
            "WHERE newer "
            "QUALIFY row_number() OVER (PARTITION BY point_no ORDER BY t DESC) = 1 "
            "ON CONFLICT (point_no) DO UPDATE SET t = excluded.t, received = excluded.received, "
            "value = excluded.value, quality = excluded.quality, seq = excluded.seq",
            [self.seq],
        )
        self.db.unregister("batch")

    def _remember(self, rows: pa.Table) -> None:
        no = rows["point_no"].to_numpy()
        t = rows["t"].to_numpy().astype(np.int64)
        newer = rows["newer"].to_numpy()
        np.maximum.at(self.newest_us, no, t)
        np.maximum.at(self.last_t_us, no[newer], t[newer])

    def _write_rest(self, batch: Batch, counts: dict[str, int]) -> None:
        for name in COUNTERS:
            if counts.get(name):
                self.db.execute(
                    "INSERT INTO ingest_counter VALUES (?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                    [name, counts[name]],
                )
        for dead in batch.dead:
            self.db.execute(
                "INSERT INTO dead_letter VALUES (?, make_timestamp(?), make_timestamp(?), 1, ?, ?, ?) "
                "ON CONFLICT (hash) DO UPDATE SET last_t = excluded.last_t, count = count + 1, "
                "reason = excluded.reason",
                [dead.hash, dead.t_us, dead.t_us, dead.topic, dead.reason, dead.payload],
            )
        for key, value in batch.memory.items():
            self.db.execute(
                "INSERT INTO adapter_memory VALUES (?, ?) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [key, value],
            )
        self._write_devices(batch.devices)

    def read_memory(self) -> Mapping[str, str]:
        """What adapters asked to be remembered, stored with the messages it came from."""
        return dict(self.db.execute("SELECT key, value FROM adapter_memory").fetchall())

    def _write_devices(self, marks: Sequence[DeviceMark]) -> None:
        if not marks:
            return
        table = pa.table(
            {
                "device_id": [m.device_id for m in marks],
                "last_t": pa.array(np.array([m.t_us for m in marks], "datetime64[us]")),
                "last_received": pa.array(np.array([m.received_us for m in marks], "datetime64[us]")),
                "messages": pa.array([m.messages for m in marks], pa.int64()),
                "skew_s": pa.array([m.skew_s for m in marks], pa.float64()),
                "online": [m.online for m in marks],
            }
        )
        self.db.register("mark", table)
        self.db.execute(
            "INSERT INTO device_state SELECT * FROM mark ON CONFLICT (device_id) DO UPDATE SET "
            "last_t = greatest(last_t, excluded.last_t), last_received = excluded.last_received, "
            "messages = messages + excluded.messages, skew_s = excluded.skew_s, online = excluded.online"
        )
        self.db.unregister("mark")

    def write_state(self, queue: int, broker: str, messages_per_s: float, readings_per_s: float) -> None:
        """Say how the writer is; one row, replaced."""
        self.db.execute("BEGIN")
        self.db.execute("DELETE FROM ingest_state")
        self.db.execute(
            "INSERT INTO ingest_state VALUES (make_timestamp(?), ?, ?, ?, ?)",
            [round(time.time() * 1e6), queue, broker, messages_per_s, readings_per_s],
        )
        self.db.execute("COMMIT")

    def tidy(self) -> None:
        """Drop what is past its time: network states, surplus dead letters, raw readings after two years."""
        now = round(time.time() * 1e6)
        self.db.execute(
            "DELETE FROM network_state WHERE t < make_timestamp(?)", [now - KEEP_NETWORK_STATE_S * 1_000_000]
        )
        self.db.execute(
            "DELETE FROM dead_letter WHERE hash NOT IN "
            "(SELECT hash FROM dead_letter ORDER BY last_t DESC LIMIT ?)",
            [MAX_DEAD_LETTERS],
        )
        old = now - KEEP_RAW_DAYS * 86_400_000_000
        self.db.execute("DELETE FROM reading WHERE t < make_timestamp(?) AND quality <> ?",
                        [old, int(Quality.CLOCK_SUSPECT)])  # fmt: skip

    def close(self) -> None:
        """Checkpoint and let go of the file."""
        self.db.close()
