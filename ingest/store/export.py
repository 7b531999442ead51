"""Readings as Parquet files, one per day of the county, each read back before it counts.

Columns: ``point_id``, ``t`` (UTC), ``value`` (in ``unit``, SI), ``unit``, ``quality``, ``received`` (UTC, to
the second); sorted by point and time. ``manifest.json`` comes last and tells files, rows and sums.
"""

import fnmatch
import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import numpy as np

from ingest.store.bind import bind_numbers
from ingest.store.tables import DAY_MS
from twin.model.errors import InputError

MANIFEST = "manifest.json"
_FOUND = """
SELECT coalesce(p.point_id, '#' || r.point_no) AS point_id, r.t, r.value, coalesce(p.si_unit, '') AS unit,
       r.quality, r.received
FROM reading r LEFT JOIN point p USING (point_no)
WHERE r.t_ms >= $start AND r.t_ms < $end AND ($all OR list_contains($points, r.point_no))
"""
_SUM = "SELECT count(*), coalesce(bit_xor(hash(point_id, epoch_ms(t), value, unit, quality, received)), 0)"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to export: days of the county from ``first`` to ``last`` (YYYY-MM-DD, both inclusive; empty: all)
    of the points whose id fits ``points`` (``*`` and ``?`` stand for anything); ``documents`` too or not."""

    folder: str
    first: str = ""
    last: str = ""
    points: str = "*"
    documents: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an export."""

    file: str
    rows: int
    sha256: str


def parse_day(text: str, shift_s: int) -> int:
    """Begin of a day of the county in ms since 1970 UTC.

    Raises
    ------
    InputError : not a day
    """
    try:
        return int(np.datetime64(text, "D").astype(np.int64)) * DAY_MS - shift_s * 1000
    except ValueError as e:
        raise InputError(f"{text!r} is not a day: write it as 2026-01-31") from e


def export_readings(db: duckdb.DuckDBPyConnection, wish: Wish, shift_s: int) -> list[Part]:
    """Write the files of ``wish``; ``db`` is a cursor of its own and sees each day as it is at one moment.

    Raises
    ------
    InputError : the folder is not there, a day is no day, no point fits, or a file did not read back the same
    duckdb.Error, OSError : the disk is full or fails
    """
    folder = Path(wish.folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: make it, or name another one")
    no = _find_points(db, wish.points)
    row = db.execute("SELECT min(t_ms), max(t_ms) FROM reading").fetchone()
    held = (int(row[0]), int(row[1])) if row and row[0] is not None else (0, -1)
    start = parse_day(wish.first, shift_s) if wish.first else held[0]
    end = parse_day(wish.last, shift_s) + DAY_MS if wish.last else held[1] + 1
    parts = []
    for day in _days(db, max(start, held[0]), min(end, held[1] + 1), shift_s):
        name = f"readings-{np.datetime64(day + shift_s * 1000, 'ms').astype('datetime64[D]')}.parquet"
        found = bind_numbers(
            _FOUND,
            {"start": max(day, start), "end": min(day + DAY_MS, end), "all": int(wish.points == "*"),
             "points": no},
        )  # fmt: skip
        parts.append(_write(db, folder / name, found))
    manifest = {**asdict(wish), "made": time.time(), "parts": [asdict(p) for p in parts]}
    staged = folder / f".{MANIFEST}"
    staged.write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    staged.replace(folder / MANIFEST)
    return parts


def _find_points(db: duckdb.DuckDBPyConnection, pattern: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    rows = db.execute("SELECT point_no, point_id FROM point ORDER BY 1").fetchall()
    fit = [no for no, name in rows if fnmatch.fnmatchcase(str(name), pattern)]
    if not fit:
        raise InputError(
            f"no point of the county fits {pattern!r}: ids look like {rows[0][1] if rows else '-'}"
        )
    return np.array(fit, np.int64)


def _days(db: duckdb.DuckDBPyConnection, start: int, end: int, shift_s: int) -> list[int]:
    """Begins (ms) of the days that hold readings of the time."""
    rows = db.execute(
        "SELECT DISTINCT (t_ms + $shift) // $day FROM reading WHERE t_ms >= $start AND t_ms < $end "
        "ORDER BY 1",
        {"shift": shift_s * 1000, "day": DAY_MS, "start": start, "end": end},
    ).fetchall()
    return [int(r[0]) * DAY_MS - shift_s * 1000 for r in rows]


def _write(db: duckdb.DuckDBPyConnection, target: Path, found: str) -> Part:
    staged = target.with_name(f".{target.name}.part")
    quoted = str(staged).replace("'", "''")
    try:
        db.execute("BEGIN")  # the sum and the file are of one moment
        try:
            wanted = db.execute(f"{_SUM} FROM ({found})").fetchone()
            db.execute(
                f"COPY ({found} ORDER BY point_id, t) TO '{quoted}' (FORMAT parquet, COMPRESSION zstd)"
            )
        finally:
            db.execute("ROLLBACK")
        written = db.execute(f"{_SUM} FROM read_parquet('{quoted}')").fetchone()
        if written != wanted or wanted is None:
            raise InputError(f"{target} does not read back as it was written: is the disk sound?")
        with staged.open("rb") as f:
            digest = hashlib.file_digest(f, "sha256").hexdigest()
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)
    return Part(target.name, int(wanted[0]), digest)
