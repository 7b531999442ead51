"""What is learnt in the twin worker: kept over a restart, switched off, reset, held by findings."""

import time

import numpy as np

from app.workers.assimilate import FIRST_KEEP_S
from app.workers.twin import TwinWorker
from ingest.store.finding_api import TwinFinding
from tests.compare.test_worker import PastStore, fill, make_worker
from twin.diagnosis import Verdict


def walk(worker: TwinWorker, store: PastStore, now: float, minutes: float) -> None:
    for back in np.arange(0.0, 60.0 * minutes + 1.0, 300.0):
        fill(store, now + back)
        worker.run_live(now + back)


def offsets(worker: TwinWorker) -> np.ndarray:
    return worker.learning.learner.belief.own.copy()


def test_it_learns_keeps_goes_on_after_a_restart_and_obeys() -> None:
    store, now = PastStore(), time.time()
    worker = make_worker(store)
    walk(worker, store, now, 150.0)
    learnt = offsets(worker)
    assert np.abs(learnt).max() > 0.0
    (row,) = store.kept("assimilation", limit=1)
    body = store.kept_body(row.no)
    assert isinstance(body, dict) and body["told"]["learnt"] and body["told"]["scores"]
    after = make_worker(store)
    fill(store, now + 9300.0)
    after.run_live(now + 9300.0)
    assert np.abs(offsets(after)).max() > 0.0, "taken up again"
    end = now + 9300.0
    for order, moves in (("off", False), ("on", True)):
        store.keep("assimilation_order", "", {}, "li", order)
        before = offsets(after)
        walk(after, store, end + 60.0, 20.0)
        end += 1260.0
        assert bool(np.abs(offsets(after) - before).max() > 0.0) == moves
        assert store.result is not None and after.learning.active == moves
    after.learning.learner.t = 0.0  # the clock of these runs is ahead of the store's
    store.keep("assimilation_order", "", {}, "li", "reset")
    after.learning.heeded = float("-inf")
    after.learning.heed(store, end)
    assert np.abs(offsets(after)).max() == 0.0


def test_a_finding_holds_it_and_a_meter_in_doubt_is_stood_in() -> None:
    store, now = PastStore(), time.time()
    worker = make_worker(store)
    walk(worker, store, now, 75.0)
    worker.inspector.take = lambda *_: (  # type: ignore[method-assign]
        Verdict("x", "sensor_bias", "S02/p1_flow", 0.3, 0.9, now, now, 50.0, ()),
    )
    walk(worker, store, now + 4800.0, 5.0)
    before = offsets(worker)
    walk(worker, store, now + 5400.0, 60.0)
    moved = np.abs(offsets(worker) - before).max(axis=1)
    assert moved[1] < 0.1 * moved[[0, 2, 3]].max()
    assert store.result is not None and store.result.status == "assumed:S02/p1_flow"
    assert all(isinstance(f, TwinFinding) for f in worker.inspector.open.values())


def test_nothing_is_kept_before_there_is_something_to_keep() -> None:
    store, now = PastStore(), time.time()
    worker = make_worker(store)
    fill(store, now)
    worker.run_live(now)
    assert store.kept("assimilation") == [] and worker.learning.next_keep == now + FIRST_KEEP_S
