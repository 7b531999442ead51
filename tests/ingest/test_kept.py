"""Kept things over the real store."""

import duckdb
import numpy as np
import pytest

from ingest.store.api import REPLAYED, NetworkState, SimulationResult
from ingest.store.client import StoreClient
from ingest.store.extras import tidy
from ingest.store.kept_api import KINDS
from tests.ingest import test_store
from twin.model.errors import InputError

served = test_store.served


def test_a_kept_thing_is_decided_on_and_its_body_stays(served) -> None:  # type: ignore[no-untyped-def]
    client: StoreClient = served[0]
    first = client.keep("dispatch", "早高峰", {"heat_w": np.array([1.5, np.nan]), "n": np.int64(3)})
    second = client.keep("dispatch", "夜间", [1, 2], who="zhang")
    client.keep("forecast", "", {})
    rows = client.kept("dispatch")
    assert [(r.no, r.state, r.who, r.title) for r in rows] == [
        (second, "made", "zhang", "夜间"), (first, "made", "", "早高峰"),
    ]  # fmt: skip
    client.mark_kept(rows[1], "approved", "li")
    assert [(r.state, r.who) for r in client.kept("dispatch")] == [("made", "zhang"), ("approved", "li")]
    assert client.kept_body(first) == {"heat_w": [1.5, None], "n": 3}
    client.mark_kept(rows[0], "edited", "li", {"new": True})
    assert client.kept_body(second) == {"new": True}
    assert [r.no for r in client.kept("dispatch", since=rows[0].made)] == [second]
    assert client.kept_body(1) is None
    told = [(x.no, x.state, x.who, x.body) for x in client.kept_log("dispatch")]
    assert told == [
        (first, "made", "", {"heat_w": [1.5, None], "n": 3}), (second, "made", "zhang", [1, 2]),
        (first, "approved", "li", None), (second, "edited", "li", {"new": True}),
    ]  # fmt: skip
    last = client.kept_log("dispatch")[-1].t
    assert [x.state for x in client.kept_log("dispatch", since=last)] == ["edited"]


def test_what_json_cannot_say_is_refused(served) -> None:  # type: ignore[no-untyped-def]
    client: StoreClient = served[0]
    with pytest.raises(InputError, match="not JSON"):
        client.keep("dispatch", "", {"x": object()})
    with pytest.raises(InputError, match="no kind"):
        client.keep("nonsense", "", {})  # type: ignore[arg-type]


def test_network_states_of_a_day_are_found_by_time_and_replayed_ones_are_never_the_newest(served) -> None:  # type: ignore[no-untyped-def]
    client: StoreClient = served[0]
    one = np.ones(2)
    now = 1_800_000_000.0
    for t, status in ((now, "ok"), (now - 7200.0, REPLAYED), (now - 3600.0, REPLAYED)):
        state = NetworkState(0, t, status, one, one, one, one, one, one * (now - t))
        client.write_simulation(
            SimulationResult(t, "ok", 1, 0.1, np.array([0]), one[:1], one[:1], one[:1], state)
        )
    newest = client.network_state()
    assert newest is not None and (newest.t, newest.status) == (now, "ok")
    found = client.network_state_at(now - 1.0)
    assert found is not None and found.t == now - 3600.0 and found.t_pipe_c[0] == 3600.0
    assert client.network_times(now - 8000.0, now).tolist() == [now - 7200.0, now - 3600.0, now]
    assert client.network_state_at(now - 9000.0) is None
    assert client.simulated_latest().t == now


def test_states_thin_out_after_an_hour_and_go_after_a_day_and_the_course_ahead_goes_sooner() -> None:
    db = duckdb.connect()
    db.execute("CREATE TABLE network_state (run_no BIGINT, t TIMESTAMP)")
    db.execute("CREATE TABLE kept (kind INTEGER, t TIMESTAMP)")
    db.execute("CREATE TABLE message (t TIMESTAMP, size BIGINT)")
    for name, column in (("dead_letter", "hash"), ("rollup_5min", "point_no"), ("ingest_notice", "kind")):
        db.execute(f"CREATE TABLE {name} ({column} VARCHAR, t TIMESTAMP, last_t TIMESTAMP, topic VARCHAR, "
                   "payload BLOB, subject VARCHAR)")  # fmt: skip
    now = 1_800_000_000
    for k in range(28 * 12):
        db.execute(
            "INSERT INTO network_state VALUES (?, make_timestamp(?))", [k, (now - 300 * k) * 1_000_000]
        )
    for kind in range(len(KINDS)):
        db.execute("INSERT INTO kept VALUES (?, make_timestamp(?))", [kind, (now - 86_400) * 1_000_000])
    tidy(db, now * 1_000_000, 730)
    ages = [(now - r[0]) / 60 for r in db.execute("SELECT epoch(t) FROM network_state ORDER BY t").fetchall()]
    young = [a for a in ages if a < 60]
    assert len(young) == 12 and max(ages) <= 26 * 60
    assert 148 <= len(ages) - len(young) <= 152, "one in ten minutes of 25 hours"
    left = [KINDS[r[0]] for r in db.execute("SELECT kind FROM kept ORDER BY 1").fetchall()]
    assert left == [k for k in KINDS if k != "ahead"]
