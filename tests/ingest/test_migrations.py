"""The schema goes up from every released one and back again, with what it holds."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from ingest.store.batch import Batch
from ingest.store.duck import open_duckdb
from ingest.store.migrate import list_migrations, migrate
from ingest.store.owner import StoreOwner
from tests.support.tiny import make_tiny_county
from twin.model.errors import ConfigError

POINTS = make_tiny_county().points
SCHEMAS = sorted(list_migrations())
T = "TIMESTAMP '2026-01-05 01:02:03'"
READINGS = [(no, s, no + s / 7, 192 if s % 5 else 160) for no in (0, 1, 5) for s in range(40)]
SAMPLES = {
    1: [
        f"INSERT INTO latest SELECT DISTINCT ON (point_no) point_no, {T} + to_seconds(39), {T}, 1.5, 192, 7 "
        "FROM (VALUES (0), (1), (5)) v(point_no)",
        f"INSERT INTO dead_letter (hash, first_t, last_t, count, topic, reason, payload) "
        f"VALUES ('ab', {T}, {T}, 3, 'heat/x', 'why', '{{'::BLOB)",
        "INSERT INTO ingest_counter VALUES ('messages', 12)",
        f"INSERT INTO device_state VALUES ('D', {T}, {T}, 4, 0.5, true)",
        f"INSERT INTO twin_run VALUES (1, {T}, 'ok', 3, 0.2, true, [0], [1.0], [0.1], [1.1])",
    ]
}
KEPT = ("latest", "ingest_counter", "device_state", "twin_run")


def fill(db: duckdb.DuckDBPyConnection, schema: int) -> None:
    for statement in SAMPLES[1]:
        db.execute(statement)
    for no, s, value, quality in READINGS:
        if schema < 5:
            db.execute(
                f"INSERT INTO reading VALUES (?, {T} + to_seconds(?), {T} + to_seconds(?), ?, ?)",
                [no, s, s + 2, value, quality],
            )
        else:
            db.execute(
                f"INSERT INTO reading_new VALUES (?, epoch_ms({T} + to_seconds(?)), 2, ?, 0, ?)",
                [no, s, value, quality],
            )
    if schema >= 5:
        db.execute("INSERT INTO point_unit SELECT DISTINCT point_no, 0, 1.0, 0.0 FROM reading_new")


def columns(db: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return db.execute(
        "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND NOT internal ORDER BY table_name, column_index"
    ).fetchall()


def content(db: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[object, ...]]]:
    found = {t: db.execute(f"SELECT * FROM {t} ORDER BY ALL").fetchall() for t in KEPT}
    found["reading"] = db.execute(
        "SELECT point_no, t, received, value, quality FROM reading ORDER BY 1, 2"
    ).fetchall()
    found["dead_letter"] = db.execute("SELECT hash, count, topic, payload FROM dead_letter").fetchall()
    return found


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_released_schema_comes_up_to_date_and_goes_back_with_what_it_holds(
    tmp_path: Path, schema: int
) -> None:
    with open_duckdb(tmp_path / "x.duckdb") as db:
        assert migrate(db, schema) == schema
        fill(db, schema)
        before, shape = content(db), columns(db)
        assert len(before["reading"]) == len(READINGS)
        assert migrate(db) == SCHEMAS[-1]
        assert content(db) == before
        assert migrate(db, schema) == schema
        assert columns(db) == shape
        assert content(db) == before
        assert db.execute("SELECT max(version) FROM schema_version").fetchone() == (schema,)


def test_an_old_store_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    with open_duckdb(path) as db:
        migrate(db, 1)
        fill(db, 1)
    owner = StoreOwner(path, POINTS)
    row = owner.db.execute(f"SELECT epoch_us({T})").fetchone()
    assert row is not None
    no, seconds = np.array([0, 0, 1]), np.array([0, 100, 39])
    t = int(row[0]) + seconds * 1_000_000
    assert owner.write(Batch(no, t, t, np.ones(3), np.full(3, 192))) == 1, "the others were there"
    while owner.sorter.step(int(row[0]) + 20 * 86_400_000_000):
        pass
    assert owner.db.execute("SELECT count(*) FROM reading").fetchone() == (len(READINGS) + 1,)
    assert owner.db.execute("SELECT count(*) FROM reading_new").fetchone() == (0,)
    owner.close()


def test_readings_within_one_millisecond_become_the_first_that_arrived(tmp_path: Path) -> None:
    with open_duckdb(tmp_path / "x.duckdb") as db:
        migrate(db, 4)
        rows = [[100, 5, 2.0], [900, 4, 1.0], [1000, 9, 3.0], [1500, 3, 4.0], [-1, 1, 5.0]]
        insert = f"INSERT INTO reading VALUES (0, {T} + to_microseconds(?), {T} + to_seconds(?), ?, 192)"
        for us_received_value in rows:
            db.execute(insert, us_received_value)
        migrate(db)
        found = db.execute("SELECT value, epoch_us(t) % 1000 FROM reading ORDER BY t").fetchall()
    assert found == [(5.0, 0), (1.0, 0), (3.0, 0)]


def test_a_schema_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with open_duckdb(tmp_path / "x.duckdb") as db, pytest.raises(ConfigError, match="from 1 to"):
        migrate(db, 999)


def test_a_step_that_fails_leaves_the_schema_as_it_was(tmp_path: Path) -> None:
    with open_duckdb(tmp_path / "x.duckdb") as db:
        migrate(db, 4)
        fill(db, 4)
        before = columns(db)
        db.execute("CREATE TABLE reading_late (x INTEGER)")
        with pytest.raises(duckdb.Error):
            migrate(db)
        db.execute("DROP TABLE reading_late")
        assert columns(db) == before
        assert migrate(db) == SCHEMAS[-1]
