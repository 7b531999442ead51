"""Readings as Parquet files that hold what the store holds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from ingest.documents.cabinet import Cabinet
from ingest.store.batch import Batch
from ingest.store.export import Wish, export_readings
from ingest.store.migrate import list_migrations
from ingest.store.owner import StoreOwner
from ingest.worker.errands import FAILED, Errands
from tests.ingest.test_order import DAY_US, MIDNIGHT, POINTS, night, write
from tests.support.system import ROOT
from twin.model.errors import InputError

SHIFT_S = 28_800
DAY_0 = np.datetime64(MIDNIGHT + SHIFT_S * 1_000_000, "us").astype("datetime64[D]")


@pytest.fixture
def owner(tmp_path: Path):
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    write(owner, [(no, i / 20) for no in range(5) for i in range(60)])
    night(owner, 2.5)
    at = np.array([MIDNIGHT + 5 * DAY_US])
    owner.write(Batch(np.array([3]), at, at, np.array([np.nan]), np.array([16])))
    yield owner
    owner.close()


def test_all_readings_are_in_files_by_day_in_order_and_in_si(owner: StoreOwner, tmp_path: Path) -> None:
    parts = export_readings(owner.db.cursor(), Wish(str(tmp_path)), SHIFT_S)
    assert [p.file for p in parts] == [f"readings-{DAY_0 + d}.parquet" for d in (0, 1, 2, 5)]
    assert [p.rows for p in parts] == [100, 100, 100, 1]
    table = pq.read_table(tmp_path / parts[0].file).to_pydict()
    assert sorted(zip(table["point_id"], table["t"], strict=True)) == list(
        zip(table["point_id"], table["t"], strict=True)
    )
    stored = owner.db.execute("SELECT value FROM reading JOIN point USING (point_no) ORDER BY point_id, t_ms")
    values = [v for (v,) in stored.fetchall()]
    exported = [v for p in parts for v in pq.read_table(tmp_path / p.file)["value"].to_pylist()]
    assert sorted(exported[:-1]) == sorted(v for v in values if not np.isnan(v))
    assert len(exported) == len(values) == 301
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert [p["rows"] for p in manifest["parts"]] == [100, 100, 100, 1]


def test_days_and_points_can_be_chosen(owner: StoreOwner, tmp_path: Path) -> None:
    wish = Wish(str(tmp_path), str(DAY_0 + 1), str(DAY_0 + 1), POINTS[2].id)
    (part,) = export_readings(owner.db.cursor(), wish, SHIFT_S)
    assert part.rows == 20
    assert set(pq.read_table(tmp_path / part.file)["point_id"].to_pylist()) == {POINTS[2].id}
    for bad in (Wish(str(tmp_path), "yesterday"), Wish(str(tmp_path), points="nothing/*"), Wish("/no/such")):
        with pytest.raises(InputError):
            export_readings(owner.db.cursor(), bad, SHIFT_S)


def test_a_file_that_does_not_read_back_the_same_is_no_export(
    owner: StoreOwner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.store import export

    monkeypatch.setattr(export, "_SUM", "SELECT count(*), random()")
    with pytest.raises(InputError, match="read back"):
        export_readings(owner.db.cursor(), Wish(str(tmp_path)), SHIFT_S)
    assert sorted(p.name for p in tmp_path.iterdir() if "x.duckdb" not in p.name) == []


def test_what_is_asked_on_the_command_line_is_done_by_the_running_ingest(
    owner: StoreOwner, tmp_path: Path
) -> None:
    env = {**os.environ, "CT_DATA": str(tmp_path / "var")}
    out = tmp_path / "it's out"
    out.mkdir()

    def say(*words: str) -> int:
        command = [sys.executable, "-m", "ingest", *words]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False).returncode

    errands = Errands(tmp_path / "var" / "store", owner, Cabinet(tmp_path / "documents"))
    assert say("export", str(tmp_path / "no")) == 78
    assert say("export", str(out), "--from", "once") == 78
    assert say("export", str(out), "--points", "nothing*") == 0
    errands.start_slow()
    errands.finish()
    assert "fits" in (out / FAILED).read_text()
    assert say("export", str(out), "--from", str(DAY_0), "--to", str(DAY_0)) == 0
    errands.start_slow()
    errands.finish()
    assert sorted(p.name for p in out.iterdir()) == ["manifest.json", f"readings-{DAY_0}.parquet"]


def test_a_stopped_store_is_brought_to_another_schema_by_a_word(tmp_path: Path) -> None:
    store = tmp_path / "var" / "store" / "county.duckdb"
    env = {**os.environ, "CT_DATA": str(tmp_path / "var")}
    command = [sys.executable, "-m", "ingest", "migrate", "4"]
    assert subprocess.run(command, cwd=ROOT, env=env, check=False).returncode == 78
    StoreOwner(store, POINTS).close()
    assert subprocess.run(command, cwd=ROOT, env=env, check=False).returncode == 0
    with duckdb.connect(str(store), read_only=True) as db:
        assert db.execute("SELECT max(version) FROM schema_version").fetchone() == (4,)
    StoreOwner(store, POINTS).close()
    with duckdb.connect(str(store), read_only=True) as db:
        assert db.execute("SELECT max(version) FROM schema_version").fetchone() == (max(list_migrations()),)
