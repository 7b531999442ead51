"""The twin worker against a store in memory: live runs, gaps, outages."""

import threading
import time

import numpy as np
import pytest

from app.workers.twin import TwinWorker, run_loop
from ingest.store.api import REPLAYED
from tests.support.fake_store import FakeStore
from tests.support.tiny import make_tiny_county
from twin.model.errors import StoreUnavailable


class PastStore(FakeStore):
    """Remembers every run, and answers ``latest_at`` with whatever is known."""

    def __init__(self) -> None:
        super().__init__(make_tiny_county())
        self.runs: list[float] = []
        self.live: list[bool] = []

    def write_simulation(self, result):  # type: ignore[no-untyped-def]
        self.runs.append(result.t)
        self.live.append(result.network is not None and result.network.status != REPLAYED)
        return super().write_simulation(result)

    def run_times(self, start: float, end: float) -> np.ndarray:
        self._up()
        return np.sort([t for t in self.runs if start <= t <= end])

    def latest_at(self, t, point_no=None):  # type: ignore[no-untyped-def]
        table = self.latest()
        table.t[:] = t
        return table


def fill(store: FakeStore, t: float) -> None:
    network = store.county.network
    for s in network.sources:
        for key, value in (
            ("src_ts", 92.0),
            ("src_tr", 45.0),
            ("src_ps", s.p_supply_pa),
            ("src_pr", s.p_return_pa),
        ):
            store.put(f"{s.id}/{key}", value, t)
        store.put(f"{s.id}/src_flow", 0.0, t)
    for s in network.substations:
        held = {
            "p1_flow": s.design_flow_kg_s / 1500,
            "p1_tr": 44.0,
            "p1_ts": 88.0,
            "s2_tr": 37.0,
            "s2_flow": s.secondary_flow_kg_s / 990,
            "s2_ts": 45.0,
        }
        for key, value in held.items():
            store.put(f"{s.id}/{key}", value, t)


@pytest.fixture
def store() -> PastStore:
    return PastStore()


def make_worker(store: PastStore, warmed_up: bool = True) -> TwinWorker:
    return TwinWorker(store.county, store, threading.Event(), warmed_up=warmed_up)


def walk(worker: TwinWorker, now: float, looks: int = 4) -> int:
    done = 0
    for _ in range(looks):
        worker.looked_at = float("-inf")
        done += worker.catch_up(now, budget_s=30.0)
    return done


def test_nothing_is_simulated_before_something_is_measured(store: PastStore) -> None:
    assert make_worker(store).run_live(time.time()) is None
    assert store.runs == []


def test_a_live_run_is_kept_with_the_state_of_the_network(store: PastStore) -> None:
    now = time.time()
    fill(store, now)
    done = make_worker(store).run_live(now)
    assert done is not None and done.status == "ok"
    assert store.result is not None and store.result.network is not None
    t_supply = store.result.network.t_supply_c
    assert t_supply.shape == (len(store.county.network.nodes),)
    standing = store.county.network.node_index[store.county.network.sources[1].node_id]
    fed = np.delete(t_supply, standing)  # the peak boiler stands: its branch is as cold as the ground
    assert 80 < np.nanmin(fed) < np.nanmax(fed) <= 92.0 + 1e-9


def test_before_the_past_is_walked_the_network_is_drawn_and_nothing_compared(store: PastStore) -> None:
    now = float(np.floor(time.time() / 300) * 300)
    for back in range(3600, -1, -300):
        fill(store, now - back)
    worker = make_worker(store, warmed_up=False)
    worker.run_live(now)
    assert store.result is not None and store.result.network is not None
    assert (store.result.network.status, store.result.point_no.size) == ("warming", 0)
    assert np.isfinite(store.result.network.t_supply_c).any()
    walk(worker, now)
    worker.run_live(now)
    assert store.result.network.status == "ok" and store.result.point_no.size > 20


def test_the_past_is_replayed_in_order_and_its_gaps_kept_once(store: PastStore) -> None:
    now = float(np.floor(time.time() / 300) * 300)
    for back in range(3600, -1, -300):
        fill(store, now - back)
    worker = make_worker(store, warmed_up=False)
    worker.run_live(now)
    assert worker.catch_up(now, budget_s=30.0) == 0 and worker.replay is None  # it may still be arriving
    assert walk(worker, now) == 11  # every 5 min of the hour, but the newest, which are the live runs' own
    filled = [t for t, live in zip(store.runs, store.live, strict=True) if not live]
    assert filled == sorted(filled)
    drawn = [s.t for s in store.states if s.status == REPLAYED]
    assert drawn == [t for t in filled if t % 600 == 0.0], "of every second one the network is kept"
    assert worker.warmed_up and worker.memory is not None
    assert worker.memory.t == filled[-1]
    assert walk(worker, now) == 0


def test_without_a_past_the_live_runs_begin_from_a_guess(store: PastStore) -> None:
    now = time.time()
    fill(store, now)
    worker = make_worker(store, warmed_up=False)
    walk(worker, now)
    worker.run_live(now)
    assert store.result is not None and store.result.point_no.size > 20


def test_an_old_gap_is_filled_without_touching_the_water_of_now(store: PastStore) -> None:
    now = float(np.floor(time.time() / 300) * 300)
    hours = range(20 * 3600, -1, -300)
    for back in hours:
        fill(store, now - back)
    store.runs = [now - back for back in hours if not 12 * 3600 <= back < 13 * 3600]
    store.live = [True] * len(store.runs)
    worker = make_worker(store)
    worker.run_live(now)
    water = worker.memory
    assert walk(worker, now) == 12
    assert worker.memory is water


def test_hot_water_arrives_when_it_has_travelled_not_before(store: PastStore) -> None:
    now = time.time()
    fill(store, now)
    worker = make_worker(store)
    for i in range(20):
        worker.run_live(now + 30.0 * i)
    p = store.county.point_by_id["S03/p1_ts"].no

    def simulated() -> float:
        assert store.result is not None
        return float(store.result.value[store.result.point_no == p][0])

    before = simulated()
    later = now + 600.0
    fill(store, later)
    store.put("SRC1/src_ts", 102.0, later)
    worker.run_live(later)
    assert simulated() == pytest.approx(before, abs=0.2)
    for i in range(1, 200):
        fill(store, later + 60.0 * i)
        store.put("SRC1/src_ts", 102.0, later + 60.0 * i)
        worker.run_live(later + 60.0 * i)
    assert simulated() > before + 5.0


def test_an_outage_of_the_store_is_waited_out(store: PastStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, time.time())
    worker = make_worker(store)
    store.down = True
    thread = threading.Thread(target=run_loop, args=(worker,))
    thread.start()
    time.sleep(0.3)
    assert store.runs == []
    store.down = False
    end = time.monotonic() + 20
    while not store.runs and time.monotonic() < end:
        time.sleep(0.05)
    worker.stop.set()
    thread.join(20)
    assert store.runs and not thread.is_alive()


def test_the_fake_store_fails_as_the_real_one(store: PastStore) -> None:
    store.down = True
    with pytest.raises(StoreUnavailable):
        store.latest()
