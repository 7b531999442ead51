"""Brings the schema up to date, or back to an earlier one.

``migrations/NNNN_name.sql`` leads to schema NNNN, ``NNNN_name.down.sql`` from it back to the one before.
"""

from importlib import resources
from importlib.resources.abc import Traversable

import duckdb

from twin.model.errors import ConfigError


def list_migrations() -> dict[int, tuple[Traversable, Traversable | None]]:
    """Schema number -> (way up, way down; None for the first)."""
    files = {f.name: f for f in (resources.files("ingest.store") / "migrations").iterdir()}
    ups = sorted(name for name in files if name.endswith(".sql") and not name.endswith(".down.sql"))
    return {int(name[:4]): (files[name], files.get(name[:-4] + ".down.sql")) for name in ups}


def migrate(db: duckdb.DuckDBPyConnection, to: int | None = None) -> int:
    """Bring the schema to version ``to`` (None: the newest); returns it. Each step is one transaction.

    Raises
    ------
    ConfigError : the file was written by a newer version of this project, or there is no such schema
    """
    db.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL, applied TIMESTAMP NOT NULL)"
    )
    row = db.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    have = int(row[0]) if row else 0
    steps = list_migrations()
    newest = max(steps)
    if have > newest:
        raise ConfigError(
            f"the store has schema {have}, this program knows {newest}: update the program or give an "
            "older data folder with --data"
        )
    target = newest if to is None else to
    if target not in steps:
        raise ConfigError(f"there is no schema {target}: give a number from {min(steps)} to {newest}")
    for number, (up, _) in steps.items():
        if have < number <= target:
            _step(db, up, "INSERT INTO schema_version VALUES (?, now()::TIMESTAMP)", number)
    for number, (_, down) in reversed(steps.items()):
        if target < number <= have:
            assert down is not None, f"schema {number} has no way back"
            _step(db, down, "DELETE FROM schema_version WHERE version = ?", number)
    return target


def _step(db: duckdb.DuckDBPyConnection, file: Traversable, mark: str, number: int) -> None:
    db.execute("BEGIN")
    try:
        db.execute(file.read_text(encoding="utf-8"))
        db.execute(mark, [number])
        db.execute("COMMIT")
    except duckdb.Error:
        db.execute("ROLLBACK")
        raise
