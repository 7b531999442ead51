"""Brings the schema up to date."""

from importlib import resources

import duckdb

from twin.model.errors import ConfigError


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
