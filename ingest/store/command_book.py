"""The owner's side: wishes, commands with their audit, and where devices stand. One thread writes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.store.command_api import OPEN, Command


@dataclass(frozen=True, slots=True)
class Wish:
    """One row of the inbox; see the table ``wish``."""

    t: float
    act: str
    no: int
    who: str
    point_no: int
    value: float
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the audit to be written; ``t`` s since 1970 UTC."""

    no: int
    t: float
    step: str
    who: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest reading of a point: ``t`` measured, ``received``; s since 1970 UTC."""

    t: float
    received: float
    value: float
    quality: int


@dataclass(frozen=True, slots=True)
class Life:
    """One row of ``device_life``."""

    state: str
    since: float
    why: str


class CommandBook:
    """Reads and writes the tables of commands and lives through the owner's connection."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db

    def wishes(self) -> list[Wish]:
        """Everything in the inbox, by time; ``forget`` takes it out."""
        rows = self._db.execute(
            "SELECT epoch(t), act, no, who, point_no, value, subject, reason FROM wish ORDER BY t, no"
        ).fetchall()
        return [Wish(*row) for row in rows]

    def write(self, changed: Sequence[Command], steps: Sequence[Step], done: Sequence[Wish]) -> None:
        """Commands as they stand now, their audit, and the wishes that led to it, in one transaction."""
        self._db.execute("BEGIN")
        try:
            for c in changed:
                self._db.execute(
                    "INSERT OR REPLACE INTO command VALUES (?, make_timestamp(?), ?, ?, ?, ?, ?, "
                    "make_timestamp(?), ?, ?, ?, ?, make_timestamp(?), make_timestamp(?), ?, ?, ?)",
                    [
                        c.no, _us(c.t), c.point_no, c.device_id, c.value, _null(c.before), c.state,
                        _us(c.changed), c.requested_by, c.approved_by, c.origin, c.reason, _us(c.sent),
                        _us(c.until), c.answered, _null(c.seen), c.detail,
                    ],
                )  # fmt: skip
            for s in steps:
                self._db.execute(
                    "INSERT INTO command_step VALUES (?, make_timestamp(?), ?, ?, ?)",
                    [s.no, _us(s.t), s.step, s.who, s.detail],
                )
            for w in done:
                self._db.execute("DELETE FROM wish WHERE act = ? AND no = ? AND subject = ? AND who = ?",
                                 [w.act, w.no, w.subject, w.who])  # fmt: skip
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def open_commands(self) -> list[Command]:
        """Those that wait for a person or for a device, by number."""
        marks = ", ".join("?" for _ in OPEN)
        return self._read(f"state IN ({marks})", list(OPEN))

    def find(self, no: int) -> Command | None:
        """One command."""
        return next(iter(self._read("no = ?", [no])), None)

    def _read(self, where: str, values: list[object]) -> list[Command]:
        rows = self._db.execute(
            "SELECT no, epoch(t), point_no, device_id, value, before, state, epoch(changed), requested_by, "  # noqa: S608 - our own text
            "approved_by, origin, reason, epoch(sent), epoch(until), answered, seen, detail "
            f"FROM command WHERE {where} ORDER BY no",
            values,
        ).fetchall()
        return [_command(row) for row in rows]

    def newest(self, point_no: int) -> Seen | None:
        """The newest reading of a point; None when there is none."""
        row = self._db.execute(
            "SELECT epoch(t), epoch(received), value, quality FROM latest WHERE point_no = ?", [point_no]
        ).fetchone()
        return None if row is None or row[2] is None else Seen(*row)

    def newest_all(self, size: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """(value, quality) of all points (size,), NaN and 0 where nothing was ever heard."""
        value, quality = np.full(size, np.nan), np.zeros(size, np.int64)
        r = self._db.execute("SELECT point_no, value, quality FROM latest").fetchnumpy()
        no = np.asarray(r["point_no"], np.int64)
        known = no < size
        value[no[known]] = np.ma.filled(np.ma.asarray(r["value"]), np.nan)[known]
        quality[no[known]] = np.asarray(r["quality"], np.int64)[known]
        return value, quality

    def heard(self) -> dict[str, tuple[float, bool]]:
        """Device id -> (last heard, s since 1970 UTC; not declared gone)."""
        rows = self._db.execute("SELECT device_id, epoch(last_received), online FROM device_state").fetchall()
        return {str(d): (float(t), bool(online)) for d, t, online in rows}

    def lives(self) -> dict[str, Life]:
        """Device id -> where it stands."""
        rows = self._db.execute("SELECT device_id, state, epoch(since), why FROM device_life").fetchall()
        return {str(d): Life(str(s), float(t), str(why)) for d, s, t, why in rows}

    def write_lives(self, lives: Mapping[str, Life], done: Sequence[Wish] = ()) -> None:
        """Devices that have changed; each change is an event too. In one transaction."""
        self._db.execute("BEGIN")
        try:
            if lives:
                rows = pa.table(
                    {
                        "device_id": list(lives),
                        "state": [x.state for x in lives.values()],
                        "since": pa.array(np.array([_us(x.since) for x in lives.values()], "datetime64[us]")),
                        "why": [x.why for x in lives.values()],
                    }
                )
                self._db.register("life", rows)
                self._db.execute("INSERT OR REPLACE INTO device_life SELECT * FROM life")
                self._db.execute("INSERT INTO device_event SELECT since, device_id, state, why FROM life")
                self._db.unregister("life")
            for w in done:
                self._db.execute("DELETE FROM wish WHERE act = ? AND subject = ?", [w.act, w.subject])
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def write_facts(self, facts: Mapping[str, Mapping[str, str]], t: float) -> None:
        """What devices say of themselves: device id -> key -> text."""
        for device_id, said in facts.items():
            for key, value in said.items():
                self._db.execute(
                    "INSERT OR REPLACE INTO device_fact VALUES (?, ?, ?, make_timestamp(?))",
                    [device_id, key, value, _us(t)],
                )


def _command(row: Sequence[Any]) -> Command:
    """A row in the order of the record; a number not known is NaN."""
    no, t, point_no, device_id, value, before, state, changed, asked, approved, origin, reason, *rest = row
    sent, until, answered, seen, detail = rest
    return Command(
        no, t, point_no, device_id, value, _nan(before), state, changed, asked, approved, origin, reason,
        _nan(sent), _nan(until), answered, _nan(seen), detail,
    )  # fmt: skip


def _nan(x: float | None) -> float:
    return math.nan if x is None else x


def _us(t: float) -> int | None:
    """Microseconds for ``make_timestamp``; None for a time not known."""
    return None if math.isnan(t) else round(t * 1e6)


def _null(x: float) -> float | None:
    return None if math.isnan(x) else x
