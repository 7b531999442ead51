"""Sums by 5 minutes, hour and day are those of the readings, whatever comes late and whoever dies between."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.store.batch import Batch
from ingest.store.client import StoreClient
from ingest.store.migrate import migrate
from ingest.store.owner import StoreOwner
from ingest.store.rollup import SPAN_US
from ingest.store.sums_client import join_spans
from tests.support.system import free_port
from tests.support.tiny import make_tiny_county
from twin.model.errors import InputError
from twin.model.readings import Quality

POINTS = make_tiny_county().points
BASE_US = 1_700_000_000_000_000
FAR = BASE_US + 400 * 86_400_000_000
SHIFT_US = 28_800_000_000


def write(owner: StoreOwner, rows: list[tuple[int, int, float, int]]) -> None:
    no, t, value, quality = ([r[i] for r in rows] for i in range(4))
    at = BASE_US + 1_000_000 * np.array(t, np.int64)
    owner.write(Batch(np.array(no, np.int64), at, at, np.array(value, float), np.array(quality, np.int64)))


def catch_up(owner: StoreOwner, now_us: int = FAR) -> None:
    while owner.rollup.catch_up(now_us):
        pass


def expected(owner: StoreOwner, width_us: int, shift_us: int = 0) -> dict[tuple[int, int], tuple[float, ...]]:
    rows = owner.db.execute(
        "SELECT point_no, epoch_us(t), value FROM reading WHERE quality >= 64 ORDER BY t"
    ).fetchall()
    groups: dict[tuple[int, int], list[float]] = {}
    for no, t, value in rows:
        groups.setdefault((no, (t + shift_us) // width_us * width_us - shift_us), []).append(value)
    return {k: (len(v), min(v), max(v), round(sum(v) / len(v), 9), v[-1]) for k, v in groups.items()}


def kept(owner: StoreOwner, table: str) -> dict[tuple[int, int], tuple[float, ...]]:
    rows = owner.db.execute(f"SELECT point_no, epoch_us(t), n, low, high, round(mean, 9), last FROM {table}")
    found = rows.fetchall()
    assert len({r[:2] for r in found}) == len(found), "each span once"
    return {(r[0], r[1]): tuple(r[2:]) for r in found}


def assert_right(owner: StoreOwner) -> None:
    assert kept(owner, "rollup_5min") == expected(owner, SPAN_US)
    assert kept(owner, "rollup_1h") == expected(owner, 3_600_000_000)
    assert kept(owner, "rollup_1d") == expected(owner, 86_400_000_000, SHIFT_US)


ROWS = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(0, 3 * 86_400), st.integers(-50, 50).map(float),
        st.sampled_from([int(Quality.GOOD), int(Quality.LATE), int(Quality.OUT_OF_RANGE)]),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


@given(steps=st.lists(ROWS, min_size=1, max_size=4), restart=st.booleans())
@settings(max_examples=8, deadline=None)
def test_any_order_of_arrival_ends_in_the_sums_of_the_readings(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[tuple[int, int, float, int]]], restart: bool
) -> None:
    path = tmp_path_factory.mktemp("roll") / "x.duckdb"
    owner = StoreOwner(path, POINTS)
    for i, rows in enumerate(steps):
        write(owner, rows)
        if i % 2:
            owner.rollup.catch_up(BASE_US + 86_400_000_000)
        if restart:
            owner.close()
            owner = StoreOwner(path, POINTS)
    catch_up(owner)
    assert_right(owner)
    assert owner.db.execute("SELECT count(*) FROM rollup_dirty").fetchone() == (0,)
    owner.close()


def test_a_span_is_summed_up_when_it_is_over_and_again_when_a_late_reading_comes(tmp_path: Path) -> None:
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    write(owner, [(0, 0, 10.0, 192), (0, 60, 20.0, 192)])
    start = BASE_US // SPAN_US * SPAN_US
    assert owner.rollup.catch_up(start + SPAN_US - 1) == 0
    assert owner.rollup.catch_up(start + SPAN_US) == 1
    assert kept(owner, "rollup_5min") == {(0, start): (2, 10.0, 20.0, 15.0, 20.0)}
    assert owner.rollup.catch_up(FAR) == 0, "nothing to do twice"
    write(owner, [(0, 30, 60.0, int(Quality.LATE))])
    assert owner.rollup.catch_up(FAR) == 1
    assert kept(owner, "rollup_1h")[0, start // 3_600_000_000 * 3_600_000_000] == (3, 10.0, 60.0, 30.0, 20.0)
    owner.close()


def test_a_failed_batch_touches_no_span(tmp_path: Path) -> None:
    from ingest.store.batch import DeviceMark

    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    at = np.array([BASE_US])
    bad = Batch(np.array([0]), at, at, np.array([1.0]), np.array([192]),
                devices=(DeviceMark(None, 1, 1, 1, 0.0, True),))  # type: ignore[arg-type]  # fmt: skip
    with pytest.raises(Exception, match="NOT NULL"):
        owner.write(bad)
    assert not owner.rollup.dirty
    write(owner, [(0, 0, 1.0, 192)])
    catch_up(owner)
    assert_right(owner)
    owner.close()


def test_readings_of_an_earlier_schema_are_summed_up_too(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    owner = StoreOwner(path, POINTS)
    write(owner, [(0, 0, 1.0, 192), (1, 7200, 2.0, 192), (1, 7300, 2.0, 16)])
    migrate(owner.db, 3)
    assert migrate(owner.db) >= 4
    owner.close()
    owner = StoreOwner(path, POINTS)
    assert len(owner.rollup.dirty) == 2
    catch_up(owner)
    assert_right(owner)
    owner.close()


def test_a_client_asks_for_the_sums_of_one_point(tmp_path: Path) -> None:
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    write(owner, [(0, 600 * i, float(i), 192) for i in range(12)])
    catch_up(owner)
    uri = f"quack:127.0.0.1:{free_port()}"
    owner.serve(uri, "token-of-a-test")
    client = StoreClient(uri, "token-of-a-test")
    hours = client.rolled_up(0, BASE_US / 1e6 - 7200, BASE_US / 1e6 + 10_000)
    assert hours.n.sum() == 12 and (np.diff(hours.t) == 3600).all()
    assert hours.low[0] == 0.0 and hours.high[-1] == 11.0
    with pytest.raises(InputError, match="300, 3600, 86400"):
        client.rolled_up(0, 0.0, 1.0, 60)
    client.close()
    owner.close()


def test_many_points_by_the_hour_are_one_table_with_gaps(tmp_path: Path) -> None:
    owner = StoreOwner(tmp_path / "x.duckdb", POINTS)
    write(owner, [(0, 600 * i, float(i), 192) for i in range(6)])
    write(owner, [(1, 3 * 3600 + 60 * i, 2.0, 192) for i in range(3)])
    catch_up(owner)
    uri = f"quack:127.0.0.1:{free_port()}"
    owner.serve(uri, "token-of-a-test")
    client = StoreClient(uri, "token-of-a-test")
    table = client.hourly(np.array([1, -1, 0]), BASE_US / 1e6 - 7200, BASE_US / 1e6 + 20_000)
    assert (np.diff(table.t) == 3600.0).all() and (table.t % 3600.0 == 0.0).all()
    assert np.isnan(table.mean[:, 1]).all() and table.mean[-1, 0] == 2.0 and np.isnan(table.mean[0, 0])
    assert np.nanmin(table.mean[:, 2]) >= 0.0 and np.isfinite(table.mean[0, 2])
    assert client.hourly(np.array([5]), 0.0, 10.0).t.size == 0
    client.close()
    owner.close()


@given(steps=st.lists(ROWS, min_size=2, max_size=4), until=st.integers(0, 3 * 86_400))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_of_all_are_complete_whatever_is_summed_up_yet(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[tuple[int, int, float, int]]], until: int
) -> None:
    """Some spans are summed up and touched again, some never were."""
    owner = StoreOwner(tmp_path_factory.mktemp("sums") / "x.duckdb", POINTS)
    uri = f"quack:127.0.0.1:{free_port()}"
    owner.serve(uri, "token-of-a-test")
    client = StoreClient(uri, "token-of-a-test")
    for rows in steps:
        write(owner, rows)
        catch_up(owner, BASE_US + until * 1_000_000)
    first = BASE_US // 86_400_000_000 * 86_400
    for step in (300, 3600):
        r = client.sums_of_all(first, first + 5 * 86_400, step)
        found = {
            (int(no), round(t * 1e6)): (int(n), low, high, round(mean, 9), last)
            for no, t, n, low, high, mean, last in zip(
                r.point_no, r.t, r.n, r.low, r.high, r.mean, r.last, strict=True
            )
        }
        assert found == expected(owner, step * 1_000_000)
        assert len(found) == r.t.size
    with pytest.raises(InputError):
        client.sums_of_all(0, 1, 60)
    client.close()
    owner.close()


def test_touched_spans_are_asked_for_in_few_groups() -> None:
    assert join_spans(np.zeros(0, np.int64), 10) == []
    assert join_spans(np.array([0, 10, 20, 50, 60]), 10) == [(0, 20), (50, 60)]
    many = join_spans(np.arange(20) * 1000, 10)
    assert len(many) == 6 and many[0][0] == 0 and many[-1][1] == 19_000
