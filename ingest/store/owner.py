"""The owner of the DuckDB file: migrations, the one writer, and the Quack server for everyone else."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from ingest.settings import Retention
from ingest.store.batch import Batch, DeadMessage, NoticeMark
from ingest.store.counters import CounterWatch, Fall
from ingest.store.duck import open_duckdb
from ingest.store.extras import tidy, write_rest
from ingest.store.migrate import migrate
from ingest.store.rollup import RollUp
from ingest.store.rows import insert_readings, is_late
from ingest.store.serving import Serving
from ingest.store.sorter import Sorter
from ingest.store.tables import VIEW
from ingest.store.units import UnitBook
from twin.model.county import Point
from twin.model.errors import ConfigError
from twin.model.quantities import find_quantity
from twin.model.readings import Quality

log = logging.getLogger("ingest")

LONGEST_DELAY_S = 2**31 - 1
OF_A_FULL_DISK = ("No space left", "File too large", "quota exceeded", "Could not write")
"""What the system says when there is no room, or no more for us."""


class StoreAway(Exception):  # noqa: N818 - it names a state
    """The store cannot be opened now: no room on the disk, or the lake's catalogue does not answer."""


class StoreOwner:
    """Opens the file; the only writer of readings. Not thread-safe: one thread writes.

    ``seq`` is the number of the last commit; ``last_t_us`` (n_point,) the time in ``latest`` per point;
    ``newest_us`` (n_point,) the newest stored time, suspect clocks included, which tells without a look at
    the table that a reading beyond it cannot be a repeat. ``day_shift_s``: offset of the county's days.
    """

    summed_up = "reading"
    """Where the sums come from: every reading once."""
    _serving: Serving | None = None

    def __init__(
        self, path: Path, points: Sequence[Point], day_shift_s: int = 28_800,
        retention: Retention = Retention(),  # noqa: B008 - frozen
    ) -> None:  # fmt: skip
        self.db = self._open(path)
        self._write_points(points)
        self.last_t_us = np.full(len(points), np.iinfo(np.int64).min)
        rows = self.db.execute("SELECT point_no, epoch_us(t) AS t FROM latest").fetchnumpy()
        known = rows["point_no"] < len(points)
        self.last_t_us[rows["point_no"][known]] = rows["t"][known]
        self.newest_us = self.last_t_us.copy()
        self._count_suspects(len(points))
        row = self.db.execute("SELECT coalesce(max(seq), 0) FROM latest").fetchone()
        self.seq = int(row[0]) if row else 0
        self.rollup = RollUp(self.db, day_shift_s, self.summed_up)
        self.units = UnitBook(self.db, points)
        self.sorter = Sorter(self.db, day_shift_s, retention)
        self.counters = CounterWatch(points)
        held = self.db.execute("SELECT point_no, value FROM latest WHERE value IS NOT NULL").fetchnumpy()
        self.counters.remember(np.asarray(held["point_no"], np.int64), np.ma.filled(held["value"], np.nan))

    def _open(self, path: Path) -> duckdb.DuckDBPyConnection:
        """The database, with the schema of this program.

        Raises
        ------
        ConfigError, StoreAway : see the classes
        """
        fresh = not path.exists()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            db = open_duckdb(path)
            migrate(db)
            db.execute(f"CREATE OR REPLACE VIEW reading AS {VIEW}")  # after a life in a lake it is another
            return db
        except (duckdb.Error, OSError) as e:
            said = str(e).splitlines()[0]
            if any(words in said for words in OF_A_FULL_DISK):
                if fresh:  # half a header would be a damaged store the next time
                    path.unlink(missing_ok=True)
                raise StoreAway(
                    f"the store {path} cannot be opened, the disk is full ({said}): make room"
                ) from e
            raise ConfigError(
                f"the store {path} cannot be opened: {said} "
                "-- if another process has it, stop that one; if the file is damaged, move it away and "
                "restore a backup"
            ) from e

    def _count_suspects(self, n: int) -> None:
        rows = self.db.execute(
            "SELECT point_no, 1000 * max(t_ms) AS t FROM reading WHERE quality = ? GROUP BY point_no",
            [int(Quality.CLOCK_SUSPECT)],
        ).fetchnumpy()
        known = rows["point_no"] < n
        np.maximum.at(self.newest_us, rows["point_no"][known], rows["t"][known])

    def adopt_points(self, points: Sequence[Point]) -> None:
        """Go on with more points than before; those that were known keep their numbers.

        Raises
        ------
        ConfigError : a number that has readings would mean another point; nothing is changed
        """
        self._write_points(points)
        more = max(len(points) - self.last_t_us.size, 0)
        fresh = np.full(more, np.iinfo(np.int64).min)
        self.last_t_us = np.concatenate((self.last_t_us, fresh))
        self.newest_us = np.concatenate((self.newest_us, fresh))
        self.units = UnitBook(self.db, points)
        before, self.counters = self.counters, CounterWatch(points)
        self.counters.remember(np.arange(before.last.size), before.last)

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
        self._serving = Serving(self.db, uri, token)

    def let_go(self) -> int:
        """Let go of questions that nobody waits for any more; how many."""
        return self._serving.let_go() if self._serving is not None else 0

    def relieve(self) -> None:
        """Free memory when a write has found none: end all questions, whose snapshots keep old versions, and
        write everything down."""
        with suppress(duckdb.Error):
            if self._serving is not None:
                self._serving.reopen()
            self.db.execute("CHECKPOINT")

    def write(self, batch: Batch) -> int:
        """Store one batch in one transaction; returns the readings that were new.

        After return everything is on disk. On any error nothing of the batch is, and it may be tried again.
        """
        rows, repeats = self._new_rows(batch)
        self.db.execute("BEGIN")
        try:
            stored = insert_readings(self.db, rows)
            counts = dict(batch.counts)
            counts["duplicates"] = repeats + rows.num_rows - stored
            counts["readings"] = stored
            self._write_latest(rows)
            touched = self.rollup.touch(rows["t"].to_numpy().astype(np.int64), rows["quality"].to_numpy())
            falls = self._find_falls(rows)
            write_rest(self.db, batch, counts, falls)
            self.db.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):  # a failed commit has ended the transaction; the first error counts
                self.db.execute("ROLLBACK")
            raise
        self._remember(rows)
        self.rollup.remember(touched)
        return stored

    def _new_rows(self, batch: Batch) -> tuple[pa.Table, int]:
        """Rows of the batch by point and time, the last of repeats; marks those that may be stored yet."""
        no, t = batch.point_no, batch.t_us // 1000 * 1000
        order = np.lexsort((t, no))  # stable: of repeats the last stays last
        last = np.ones(no.size, bool)
        if no.size:
            last[:-1] = (no[order][1:] != no[order][:-1]) | (t[order][1:] != t[order][:-1])
        keep = order[last]
        no, t, received, value = no[keep], t[keep], batch.received_us[keep], batch.value[keep]
        suspect = batch.quality[keep] == Quality.CLOCK_SUSPECT
        number, unit = self.units.encode(no, value)
        delay = np.clip(np.rint((received - t) / 1e6), -LONGEST_DELAY_S, LONGEST_DELAY_S)
        table = pa.table(
            {
                "point_no": pa.array(no.astype(np.int32)),
                "t": pa.array(t.astype("datetime64[us]")),
                "received": pa.array(received.astype("datetime64[us]")),
                "value": pa.array(value),
                "quality": pa.array(batch.quality[keep].astype(np.uint8)),
                "t_ms": pa.array(t // 1000),
                "delay_s": pa.array(delay.astype(np.int32)),
                "number": pa.array(number),
                "unit": pa.array(unit),
                "look": pa.array(t <= self.newest_us[no]),
                "late": pa.array(is_late(t // 1000, received // 1000)),
                "newer": pa.array((t > self.last_t_us[no]) & ~suspect),
            }
        )
        return table, int(order.size - keep.size)

    def _write_latest(self, rows: pa.Table) -> None:
        newer = rows["newer"].to_numpy()
        if not newer.any():
            return
        self.seq += 1
        no = rows["point_no"].to_numpy()[newer]
        newest = np.flatnonzero(newer)[np.concatenate((no[1:] != no[:-1], [True]))]
        self.db.register("newest", rows.take(pa.array(newest)))
        self.db.execute(
            "INSERT INTO latest SELECT point_no, t, received, value, quality, ? FROM newest "
            "ON CONFLICT (point_no) DO UPDATE SET t = excluded.t, received = excluded.received, "
            "value = excluded.value, quality = excluded.quality, seq = excluded.seq",
            [self.seq],
        )
        self.db.unregister("newest")

    def _find_falls(self, rows: pa.Table) -> list[Fall]:
        good = rows["newer"].to_numpy() & (rows["quality"].to_numpy() >= int(Quality.UNCERTAIN))
        if not good.any():
            return []
        t = rows["t"].to_numpy().astype(np.int64)
        return self.counters.find_falls(
            rows["point_no"].to_numpy()[good].astype(np.int64), t[good], rows["value"].to_numpy()[good]
        )

    def _remember(self, rows: pa.Table) -> None:
        no = rows["point_no"].to_numpy()
        t = rows["t"].to_numpy().astype(np.int64)
        newer = rows["newer"].to_numpy()
        np.maximum.at(self.newest_us, no, t)
        np.maximum.at(self.last_t_us, no[newer], t[newer])

    def read_memory(self) -> Mapping[str, str]:
        """What adapters asked to be remembered, stored with the messages it came from."""
        return dict(self.db.execute("SELECT key, value FROM adapter_memory").fetchall())

    def read_offline(self) -> dict[str, float]:
        """Devices that were declared gone, and when they were last heard (s)."""
        rows = self.db.execute("SELECT device_id, epoch(last_received) FROM device_state WHERE NOT online")
        return dict(rows.fetchall())

    def write_side(
        self, counts: Mapping[str, int], notices: Sequence[NoticeMark], memory: Mapping[str, str]
    ) -> None:
        """Counters, notices and memory that belong to no message, in one transaction."""
        none = np.zeros(0, np.int64)
        batch = Batch(
            none, none, none, np.zeros(0), none,
            counts=dict(counts), notices=tuple(notices), memory=dict(memory),
        )  # fmt: skip
        self.write(batch)

    def take_redo_requests(self) -> list[str]:
        """Hashes of dead letters that somebody wants read again (``*``: all); they leave the table."""
        rows = self.db.execute("SELECT DISTINCT hash FROM redo_request").fetchall()
        if rows:
            self.db.execute("DELETE FROM redo_request")
        return [str(r[0]) for r in rows]

    def read_topics(self, reason: str, most: int) -> set[str]:
        """Topics of the newest dead letters of one reason."""
        rows = self.db.execute(
            "SELECT topic FROM dead_letter WHERE reason = ? ORDER BY last_t DESC LIMIT ?", [reason, most]
        )
        return {str(r[0]) for r in rows.fetchall()}

    def read_letters(self, hashes: Sequence[str], at_once: int) -> Iterator[list[DeadMessage]]:
        """Dead letters by time of their first arrival (``*``: all), some at once."""
        wanted = [] if "*" in hashes else list(hashes)
        order = self.db.execute(
            "SELECT hash FROM dead_letter WHERE len(?) = 0 OR list_contains(?, hash) ORDER BY first_t, hash",
            [wanted, wanted],
        ).fetchall()
        for i in range(0, len(order), at_once):
            part = [r[0] for r in order[i : i + at_once]]
            rows = self.db.execute(
                "SELECT hash, epoch_us(first_t), topic, reason, payload, count, coalesce(size, 0) "
                "FROM dead_letter WHERE list_contains(?, hash) ORDER BY first_t, hash",
                [part],
            ).fetchall()
            yield [DeadMessage(*row) for row in rows]

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
        """Drop what is past its time (see ``extras.tidy``)."""
        tidy(self.db, round(time.time() * 1e6), self.sorter.retention.raw_days)

    def close(self) -> None:
        """Answer the questions that are asked, then checkpoint and let go of the file."""
        if self._serving is not None:
            self._serving.close()
        self.db.close()
