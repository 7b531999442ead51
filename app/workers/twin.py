"""Twin worker: every 30 s the measured boundary, one step of the network, simulated beside measured values.

The network is simulated through time: what left the source hours ago is still on its way. So at the start,
and when a gateway delivers stored data late, the past is replayed on a 5-minute grid (missing moments are
kept), in small helpings between the live runs; when the replay reaches the present, the live runs go on
from it. Run as ``python -m app.workers.twin``; settings from the environment (``ingest.settings``).
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from app.workers.assimilate import Assimilation
from app.workers.calibrations import apply_adopted, find_adopted, is_due, start_nightly
from app.workers.inspect import Inspector
from app.workers.plan import Planner
from app.workers.replay import CATCH_UP_S, GRID_S, Replay, plan_gap, plan_warm_up
from ingest.county import load_county
from ingest.settings import read_settings
from ingest.store.api import REPLAYED, LatestTable, NetworkState, SimulationResult, Store
from ingest.store.client import connect_store
from twin.compare import (
    Comparison,
    HeldMean,
    Memory,
    PointBook,
    Snapshot,
    begin_mean,
    compare_network,
    compile_points,
    make_snapshot,
)
from twin.diagnosis import compile_book
from twin.heat import CompiledNetwork, compile_network
from twin.heat.memory import keep_freed_memory
from twin.model.county import County
from twin.model.errors import CountyTwinError, StoreUnavailable
from twin.model.network import HeatNetwork

log = logging.getLogger("twin")

PERIOD_S = 30.0
LOOK_S = 10.0
"""How often lively meters are read between two runs."""
FIRST_AGAIN_S = 6.0
"""The first run at a start often lacks some stations: look again soon."""
HELPING_S = 6.0
"""Wall time per live run that may go into the replay."""
KEEP_STATE_S = 600.0
"""Of the replayed past a network state is kept so often, for the scene's time line."""
LOOK_AGAIN_S = 40.0
"""How often gaps are looked for."""
FIRST_CALIBRATION_S, CALIBRATE_AGAIN_S = 3600.0, 6 * 3600.0
"""How often a calibration is asked for; it is made when the newest is a week old."""
SETTLE_S = 3.0
"""At a start the past may still be arriving: it is walked when nothing was added for this long."""
EX_CONFIG = 78

Floats = NDArray[np.float64]


@dataclass
class TwinWorker:
    """The loop's state: what is compiled once and what is carried from run to run."""

    county: County
    store: Store
    stop: threading.Event
    net: CompiledNetwork = field(init=False)
    book: PointBook = field(init=False)
    network: HeatNetwork = field(init=False)
    inspector: Inspector = field(init=False)
    learning: Assimilation = field(init=False)
    means: HeldMean = field(init=False)
    next_calibration: float = field(default_factory=lambda: time.time() + FIRST_CALIBRATION_S)
    memory: Memory | None = None
    replay: Replay | None = None
    warmed_up: bool = False
    looked_at: float = float("-inf")
    known: int = -1
    calibration: int = 0
    calibrating: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self._compile(self.county)

    def _compile(self, county: County) -> None:
        self.network = county.network
        self.net = compile_network(county.network)
        self.book = compile_points(county)
        self.inspector = Inspector(self.net, compile_book(county))
        self.learning = Assimilation(county, self.net, self.book, self.calibration)
        self.means = begin_mean(county.points)

    def follow_calibration(self) -> bool:
        """Take up the calibration in force; True when it has changed. The past is then walked anew."""
        no = find_adopted(self.store)
        if no == self.calibration:
            return False
        self.calibration, self.memory, self.replay = no, None, None
        self._compile(apply_adopted(self.store, self.county, no))
        self.warmed_up, self.known, self.looked_at = False, -1, float("-inf")
        log.info("calibration %s", no or "none: values of the survey")
        return True

    def calibrate_when_due(self, now: float) -> None:
        """Once a week a version is made beside the live runs."""
        busy = self.calibrating is not None and self.calibrating.poll() is None
        if self.warmed_up and not busy and now >= self.next_calibration:
            self.next_calibration = now + CALIBRATE_AGAIN_S
            if is_due(self.store, now):
                self.calibrating = start_nightly(os.environ)

    def run_live(self, now: float) -> Comparison | None:
        """One live run; None while there is nothing measured yet.

        Until the past has been walked the water in the pipes is a guess: the state of the network is kept
        (status "warming"), but no value is put beside a measured one.
        """
        table = self.store.latest()
        snapshot = self._snapshot(table, now)
        if not _has_boundary(self.book, snapshot):
            return None
        self.means.take(snapshot.value, now)
        snapshot = replace(snapshot, value=self.means.settle(snapshot.value))
        self.learning.resume(self.store, now)
        self.learning.heed(self.store, now)
        began, findings = time.monotonic(), tuple(self.inspector.open.values())
        plain = compare_network(self.net, self.network, self.book, snapshot, self.memory)
        result = self.learning.walk(snapshot, plain, self.learning.memory or self.memory, findings)
        self.memory, self.learning.memory = plain.memory, result.memory
        kept = _as_result(result, time.monotonic() - began, with_network=True)
        self.store.write_simulation(kept if self.warmed_up else _without_points(kept))
        if self.warmed_up:  # before, the watch learns from the past that is being walked
            self.inspector.heed(self.store, now)
            self.inspector.survey(self.store, plain, snapshot, now)
            self.inspector.keep(self.store, self.inspector.take(plain, snapshot, table), now)
            self.learning.teach(result, plain, tuple(self.inspector.open.values()))
            self.learning.keep(self.store, now)
        return result

    def rest(self, seconds: float) -> None:
        """Wait for the next run; lively meters are looked at meanwhile, so that their noise averages out."""
        end = time.monotonic() + seconds
        while not self.stop.wait(min(max(end - time.monotonic(), 0.0), LOOK_S)):
            if end - time.monotonic() < 0.5 * LOOK_S:
                self.stop.wait(max(end - time.monotonic(), 0.0))
                return
            now = time.time()
            self.means.take(self._snapshot(self.store.latest(), now).value, now)

    def catch_up(self, now: float, budget_s: float) -> int:
        """Replay for at most ``budget_s`` of wall time; returns the moments that were kept."""
        pause = LOOK_AGAIN_S if self.warmed_up else SETTLE_S
        if self.replay is None and time.monotonic() - self.looked_at >= pause:
            self.looked_at = time.monotonic()
            self.replay = self._plan_replay(now)
        end, kept = time.monotonic() + budget_s, 0
        while self.replay is not None and time.monotonic() < end and not self.stop.is_set():
            if not self.replay.moments:
                self._hand_over(now)
                break
            kept += self._replay_one(self.replay)
        return kept

    def _replay_one(self, replay: Replay) -> int:
        t = replay.moments.pop(0)
        table = self.store.latest_at(t)
        snapshot = self._snapshot(table, t)
        if not _has_boundary(self.book, snapshot):
            return 0
        began = time.monotonic()
        plain = compare_network(self.net, self.network, self.book, snapshot, replay.memory)
        result = self.learning.walk(snapshot, plain, replay.corrected or replay.memory, ())
        replay.memory, replay.corrected = plain.memory, result.memory
        if not self.warmed_up:
            self.inspector.take(plain, snapshot, table)
        if t not in replay.missing:
            return 0
        kept = _as_result(result, time.monotonic() - began, with_network=t % KEEP_STATE_S == 0.0)
        if kept.network is not None:
            kept = replace(kept, network=replace(kept.network, status=REPLAYED))
        self.store.write_simulation(kept)
        return 1

    def _hand_over(self, now: float) -> None:
        """The replay has reached its end: walk the rest, then the live runs go on from its water."""
        replay, self.replay = self.replay, None
        if replay is None or replay.memory is None or not replay.hands_over:
            return
        if now - replay.memory.t > 2 * GRID_S:  # it took long: the newest moments are still to be walked
            more = [float(t) for t in np.arange(replay.memory.t + GRID_S, now, GRID_S)]
            self.replay = Replay(more, set(), True, replay.memory, replay.corrected)
            return
        self.memory, self.learning.memory, self.warmed_up = replay.memory, replay.corrected, True
        log.info("the replay has reached the present; live runs go on from it")

    def _snapshot(self, table: LatestTable, t: float) -> Snapshot:
        return make_snapshot(self.county.points, t, table.point_no, table.t, table.value, table.quality)

    def _plan_replay(self, now: float) -> Replay | None:
        """What is to be walked now; at a start only when the past has stopped arriving."""
        known, missing = self._find_gaps(now)
        if self.warmed_up:
            replay = plan_gap(known, missing, now)
        elif len(known) != self.known:
            self.known = len(known)
            return None
        else:
            replay = plan_warm_up(known, missing, now)
            self.warmed_up = replay is None  # no past: the guess is all there is
        if replay is not None:
            log.info("replaying %d moments, %d of them missing", len(replay.moments), len(replay.missing))
        return replay

    def _find_gaps(self, now: float) -> tuple[list[float], list[float]]:
        """Grid moments with a measured source temperature, and those of them without a run; rising."""
        numbers = [int(n) for n in self.book.source["src_ts"] if n >= 0]
        if not numbers:
            return [], []
        start = now - CATCH_UP_S
        grid = np.arange(np.ceil(start / GRID_S), np.floor((now - 2 * GRID_S) / GRID_S) + 1) * GRID_S
        measured = self.store.history(numbers[0], start, now, max_rows=20_000).t
        simulated = np.concatenate([self.store.run_times(start, now), [-np.inf]])
        known = [float(t) for t in grid if np.any((measured <= t) & (measured > t - GRID_S))]
        missing = [t for t in known if np.min(np.abs(simulated - t)) > GRID_S / 2]
        return known, missing


def _has_boundary(book: PointBook, snapshot: Snapshot) -> bool:
    """At least one source temperature and half of the station flows are known."""
    t_source = book.read_source(snapshot.value, "src_ts")
    flow = book.read_station(snapshot.value, "p1_flow")
    return bool(np.isfinite(t_source).any() and np.isfinite(flow).sum() * 2 >= flow.size)


def _as_result(c: Comparison, seconds: float, with_network: bool) -> SimulationResult:
    s = c.state
    network = None
    if with_network:
        network = NetworkState(
            run_no=0,
            t=c.t,
            status=c.status,
            t_supply_c=s.t_supply_c,
            t_return_c=s.t_return_c,
            p_supply_pa=s.p_supply_pa,
            p_return_pa=s.p_return_pa,
            mass_flow_kg_s=s.mass_flow_kg_s,
            t_pipe_c=s.t_pipe_c,
        )
    return SimulationResult(
        t=c.t,
        status=c.status,
        iterations=s.iterations,
        seconds=seconds,
        point_no=c.point_no,
        value=c.value,
        sigma=c.sigma,
        measured=c.measured,
        network=network,
    )


def _without_points(result: SimulationResult) -> SimulationResult:
    """While the past is being walked: the network for the scene, nothing to compare."""
    none = np.empty(0)
    status = result.status if result.status.startswith("failed") else "warming"
    return replace(
        result, status=status, point_no=np.empty(0, np.int64), value=none, sigma=none, measured=none,
        network=replace(result.network, status=status) if result.network else None,
    )  # fmt: skip


def run_loop(worker: TwinWorker) -> None:
    """Run until stopped. The store may come and go: runs are skipped while it is away."""
    away_since: float | None = None
    first = True
    while not worker.stop.is_set():
        began = time.monotonic()
        wait = PERIOD_S
        try:
            worker.follow_calibration()
            result = worker.run_live(time.time())
            if away_since is not None:
                log.info("store is back after %.0f s", time.monotonic() - away_since)
                away_since = None
            if result is None:
                wait = 1.0
            else:
                if first or result.status.startswith("failed"):
                    log.info("run: %s, %d points", result.status[:160], result.point_no.size)
                if first and result.status.startswith("assumed"):
                    wait = FIRST_AGAIN_S
                first = False
                warm = worker.warmed_up
                kept = worker.catch_up(time.time(), HELPING_S)
                worker.calibrate_when_due(time.time())
                if kept:
                    log.info("caught up %d moments", kept)
                if not warm:  # the first values to compare are wanted at once
                    wait = 0.0 if worker.warmed_up else SETTLE_S + 0.1
                elif worker.replay is not None:
                    wait = min(wait, 10.0)  # live runs come more often while the past is walked
        except StoreUnavailable as e:
            if away_since is None:
                away_since = time.monotonic()
                log.info("waiting for the store: %s", e)
            wait = 1.0
        pause = max(wait - (time.monotonic() - began), 0.1)
        try:
            worker.rest(pause)
        except StoreUnavailable:
            worker.stop.wait(min(pause, LOOK_S))  # the next run says so


def main() -> int:
    """Entry point of the process; returns the exit status (78: configuration is wrong)."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    keep_freed_memory()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = read_settings()
        county = load_county(settings.county)
        if not county.network.substations:
            log.info("%s has no heat network: nothing to simulate", county.meta.name)
            stop.wait()
            return 0
        store = connect_store(settings)
        worker = TwinWorker(county, store, stop)
        planner = Planner(county, connect_store(settings), settings.county, stop, data=settings.data)
    except CountyTwinError as e:
        print(e, file=sys.stderr)
        return EX_CONFIG
    planning = threading.Thread(target=planner.loop, name="planner", daemon=True)
    planning.start()
    try:
        run_loop(worker)
    finally:
        planning.join(timeout=5.0)
        planner.store.close()
        if worker.calibrating is not None and worker.calibrating.poll() is None:
            worker.calibrating.terminate()
        store.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
