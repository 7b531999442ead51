import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.store.batch import Batch, DeviceMark, make_dead_message
from ingest.store.bind import bind_numbers
from ingest.store.client import StoreClient
from ingest.store.migrate import migrate
from ingest.store.owner import StoreOwner
from tests.ingest.store_child import BASE_US, ROWS
from tests.support.system import ROOT, free_port, wait_until
from tests.support.tiny import make_tiny_county
from twin.model.errors import ConfigError, StoreUnavailable
from twin.model.readings import Quality

POINTS = make_tiny_county().points
TOKEN = "token-of-a-test"
GOOD = int(Quality.GOOD)
Row = tuple[int, int, float, int]
"""(point_no, seconds after BASE_US, value, quality)."""


def batch(*rows: Row, received_us: int = BASE_US, **more: object) -> Batch:
    no, t, value, quality = ([r[i] for r in rows] for i in range(4))
    return Batch(
        np.array(no, np.int64), BASE_US + 1_000_000 * np.array(t, np.int64),
        np.full(len(rows), received_us), np.array(value, float), np.array(quality, np.int64), **more,
    )  # fmt: skip


def stored(owner: StoreOwner) -> list[tuple[int, int]]:
    """(point_no, seconds after BASE_US) of every row."""
    rows = owner.db.execute("SELECT point_no, epoch_us(t) FROM reading ORDER BY 1, 2").fetchall()
    return [(no, (t - BASE_US) // 1_000_000) for no, t in rows]


def latest(owner: StoreOwner) -> dict[int, tuple[int, float]]:
    rows = owner.db.execute("SELECT point_no, epoch_us(t), value FROM latest").fetchall()
    return {no: ((t - BASE_US) // 1_000_000, value) for no, t, value in rows}


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[StoreOwner]:
    owner = StoreOwner(tmp_path / "store" / "county.duckdb", POINTS)
    yield owner
    owner.close()


def test_a_replayed_batch_is_stored_once(owner: StoreOwner) -> None:
    rows = batch((0, 1, 5.0, GOOD), (1, 1, 6.0, GOOD), (0, 2, 7.0, GOOD))
    assert owner.write(rows) == 3
    assert owner.write(rows) == 0
    assert stored(owner) == [(0, 1), (0, 2), (1, 1)]
    assert owner.db.execute("SELECT value FROM ingest_counter WHERE name = 'duplicates'").fetchone() == (3,)


def test_a_replay_after_a_restart_is_stored_once(tmp_path: Path) -> None:
    rows = batch((0, 1, 5.0, GOOD), (0, 9, 7.0, GOOD), (3, 4, 1.0, int(Quality.CLOCK_SUSPECT)))
    for expected in (3, 0):
        owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
        assert owner.write(rows) == expected
        owner.close()


def test_repeats_within_one_batch_are_stored_once(owner: StoreOwner) -> None:
    assert owner.write(batch((0, 1, 5.0, GOOD), (0, 1, 5.0, GOOD), (0, 1, 5.0, GOOD))) == 1


def test_late_rows_are_stored_and_never_move_latest_backwards(owner: StoreOwner) -> None:
    owner.write(batch((0, 100, 9.0, GOOD)))
    assert owner.write(batch((0, 50, 1.0, int(Quality.LATE)), (0, 50, 1.0, int(Quality.LATE)))) == 1
    assert owner.write(batch((0, 40, 1.0, int(Quality.LATE)), (0, 120, 3.0, GOOD), (0, 110, 2.0, GOOD))) == 3
    assert latest(owner) == {0: (120, 3.0)}


def test_a_suspect_clock_does_not_set_latest(owner: StoreOwner) -> None:
    owner.write(batch((0, 10, 1.0, GOOD)))
    owner.write(batch((0, 10**7, 2.0, int(Quality.CLOCK_SUSPECT))))
    owner.write(batch((0, 11, 3.0, GOOD)))
    assert latest(owner) == {0: (11, 3.0)}
    assert len(stored(owner)) == 3


def test_a_reading_whose_time_becomes_believable_is_still_stored_once(tmp_path: Path) -> None:
    suspect, believed = batch((0, 660, 2.0, int(Quality.CLOCK_SUSPECT))), batch((0, 660, 2.0, GOOD))
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    assert owner.write(suspect) == 1
    assert owner.write(believed) == 0
    owner.write(batch((0, 700, 3.0, int(Quality.CLOCK_SUSPECT))))
    owner.close()
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    assert owner.write(batch((0, 700, 3.0, GOOD))) == 0
    assert stored(owner) == [(0, 660), (0, 700)]
    assert latest(owner) == {0: (700, 3.0)}
    owner.close()


def test_a_commit_has_one_number_and_latest_tells_what_is_new(owner: StoreOwner) -> None:
    owner.write(batch((0, 1, 1.0, GOOD), (1, 1, 1.0, GOOD)))
    owner.write(batch((1, 2, 2.0, GOOD)))
    assert owner.db.execute("SELECT point_no, seq FROM latest ORDER BY 1").fetchall() == [(0, 1), (1, 2)]


EVENTS = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(0, 12), st.just(1.0), st.sampled_from([GOOD, int(Quality.LATE)])
        ),
        min_size=1, max_size=8,
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@given(batches=EVENTS)
@settings(max_examples=15, deadline=None)
def test_any_order_of_arrival_ends_in_each_reading_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Row]]
) -> None:
    owner = StoreOwner(tmp_path_factory.mktemp("order") / "x.duckdb", POINTS)
    seen: dict[int, int] = {}
    for rows in batches:
        owner.write(batch(*rows))
        now = {no: t for no, (t, _) in latest(owner).items()}
        assert all(now[no] >= t for no, t in seen.items())
        seen = now
    everything = {(no, t) for rows in batches for no, t, _, _ in rows}
    assert stored(owner) == sorted(everything)
    assert seen == {no: max(t for n, t in everything if n == no) for no, _ in everything}
    owner.close()


def test_a_failed_batch_leaves_nothing_behind(owner: StoreOwner) -> None:
    bad = batch((0, 1, 1.0, GOOD), devices=(DeviceMark(None, 1, 1, 1, 0.0, True),))  # type: ignore[arg-type]
    with pytest.raises(Exception, match="NOT NULL"):
        owner.write(bad)
    assert stored(owner) == [] and latest(owner) == {}
    assert owner.write(batch((0, 1, 1.0, GOOD))) == 1


def test_a_full_disk_is_told_as_such_and_heals_with_nothing_lost(owner: StoreOwner) -> None:
    rows = [
        batch(*((no, t, float(t), GOOD) for no in range(100) for t in range(n * 100, n * 100 + 100)))
        for n in range(12)
    ]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    written = 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    try:
        with pytest.raises(duckdb.Error) as full:
            for b in rows:
                owner.write(b)
                written += 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "rollback" not in str(full.value)
    assert all(owner.write(b) == 10_000 for b in rows[written:])
    assert len(stored(owner)) == 120_000


def test_the_same_bad_message_is_one_dead_letter_with_a_count(owner: StoreOwner) -> None:
    dead = make_dead_message("heat/x/data", b"{" * 100_000, "not JSON", BASE_US)
    for _ in range(3):
        owner.write(batch(dead=(dead,)))
    owner.write(batch(dead=(make_dead_message("heat/y/data", b"{" * 100_000, "not JSON", BASE_US),)))
    rows = owner.db.execute(
        "SELECT topic, count, octet_length(payload) FROM dead_letter ORDER BY topic"
    ).fetchall()
    assert rows == [("heat/x/data", 3, 65_536), ("heat/y/data", 1, 65_536)]


def test_migrations_run_once_and_a_newer_file_is_refused(owner: StoreOwner) -> None:
    version = migrate(owner.db)
    assert migrate(owner.db) == version
    count = owner.db.execute("SELECT count(*) FROM schema_version").fetchone()
    assert count == (version,)
    owner.db.execute("INSERT INTO schema_version VALUES (9999, now()::TIMESTAMP)")
    with pytest.raises(ConfigError, match="update the program"):
        migrate(owner.db)


def test_a_damaged_file_is_a_sentence_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(ConfigError, match="restore a backup"):
        StoreOwner(path, POINTS)


def test_only_numbers_travel_in_a_question() -> None:
    assert bind_numbers("a = $a AND b IN $b", {"a": 1.5, "b": np.array([1, 2])}) == (
        "a = 1.5 AND b IN [1,2]::INTEGER[]"
    )
    for bad in ("1; DROP TABLE reading", float("nan"), float("inf"), True, None, np.array([0.5])):
        with pytest.raises(TypeError):
            bind_numbers("a = $a", {"a": bad})  # type: ignore[dict-item]


def start_child(*args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ingest.store_child", *args],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_kill_9_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    chance = random.Random(5)
    committed = 0
    for _ in range(6):
        child = start_child("write", str(path))
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.4))
        child.kill()
        said = [first, *child.stdout.readlines()]
        child.wait()
        child.stdout.close()
        committed = max(committed, *(int(line) for line in said if line.endswith("\n") and line.strip()))
    owner = StoreOwner(path, POINTS)
    per_batch = owner.db.execute(
        "SELECT value::BIGINT AS n, count(*) FROM reading GROUP BY n ORDER BY n"
    ).fetchall()
    owner.close()
    # The batch after the last one said may have been committed too, and is then whole.
    assert [n for n, _ in per_batch] == list(range(1, len(per_batch) + 1))
    assert committed <= len(per_batch) <= committed + 1
    assert {count for _, count in per_batch} == {ROWS}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[StoreClient, list[subprocess.Popen[str]], list[str]]]:
    uri = f"quack:127.0.0.1:{free_port()}"
    args = ["serve", str(tmp_path / "x.duckdb"), uri, TOKEN]
    child = start_child(*args)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    client, children = StoreClient(uri, TOKEN), [child]
    yield client, children, args
    client.close()
    for c in children:
        if c.poll() is None:
            c.send_signal(signal.SIGCONT)
            c.kill()
        c.wait()
        assert c.stdout is not None
        c.stdout.close()


def test_a_client_works_again_after_the_owner_was_killed_and_restarted(
    served: tuple[StoreClient, list[subprocess.Popen[str]], list[str]],
) -> None:
    client, children, args = served
    assert client.latest().point_no.size == ROWS
    os.kill(children[0].pid, signal.SIGKILL)
    children[0].wait()
    with pytest.raises(StoreUnavailable, match="the store at quack:"):
        client.latest()
    children.append(start_child(*args))

    def back() -> bool:
        try:
            return client.latest().point_no.size == ROWS
        except StoreUnavailable:
            return False

    wait_until(back, 20, "the client reaches the new owner")


def test_another_token_is_refused(
    served: tuple[StoreClient, list[subprocess.Popen[str]], list[str]],
) -> None:
    _, _, args = served
    stranger = StoreClient(args[2], "another-token-000")
    with pytest.raises(StoreUnavailable):
        stranger.latest()


SCHEMA_DOC = ROOT / "docs" / "store-schema.md"


def test_the_schema_document_is_the_schema(owner: StoreOwner) -> None:
    """Every table and column with its type stands in docs/store-schema.md, and nothing else does."""
    tables: dict[str, list[str]] = {}
    for table, column, kind in owner.db.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'main' "
        "AND NOT internal ORDER BY table_name, column_index"
    ).fetchall():
        tables.setdefault(table, []).append(f"{column} {kind}")
    documented: dict[str, list[str]] = {}
    for section in re.split(r"^### ", SCHEMA_DOC.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name = section.split("`")[1]
        documented[name] = [f"{c} {t}" for c, t in re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", section, re.M)]
    assert documented == tables


def test_a_frozen_owner_is_an_outage_and_not_a_hang(
    served: tuple[StoreClient, list[subprocess.Popen[str]], list[str]],
) -> None:
    client, children, _ = served
    assert client.latest().point_no.size == ROWS
    os.kill(children[0].pid, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        client.latest()
    print(f"a frozen owner is told after {time.monotonic() - started:.1f} s")
    os.kill(children[0].pid, signal.SIGCONT)
    assert client.latest().point_no.size == ROWS
