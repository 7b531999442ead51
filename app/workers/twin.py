"""Twin worker: every 30 s the measured boundary, one solve, simulated values beside the measured ones.

Between live runs it fills the gaps of the last 24 h on a 5-minute grid (after a pause of the worker, or
when a gateway delivered its stored data late), newest first, without ever delaying a live run.
Run as ``python -m app.workers.twin``; settings from the environment (``ingest.settings``).
"""

import logging
import signal
import sys
import threading
import time
from dataclasses import dataclass, field

import numpy as np

from ingest.county import load_county
from ingest.settings import read_settings
from ingest.store.api import LatestTable, NetworkState, SimulationResult, Store
from ingest.store.client import connect_store
from twin.compare import Comparison, PointBook, Snapshot, compare_steady, compile_points, make_snapshot
from twin.heat import CompiledNetwork, SteadyState, compile_network
from twin.model.county import County
from twin.model.errors import CountyTwinError, StoreUnavailable

log = logging.getLogger("twin")

PERIOD_S = 30.0
FIRST_AGAIN_S = 6.0
"""The first run at a start often lacks some stations: look again soon."""
CATCH_UP_S = 24 * 3600.0
GRID_S = 300.0
CATCH_UP_BUDGET_S = 6.0
"""Wall time per live cycle that may go into filling gaps."""
CATCH_UP_RECHECK_S = 120.0
"""How often the gaps are counted anew."""
EX_CONFIG = 78


@dataclass
class TwinWorker:
    """The loop's state: what is compiled once and what is carried from run to run."""

    county: County
    store: Store
    stop: threading.Event
    net: CompiledNetwork = field(init=False)
    book: PointBook = field(init=False)
    warm: SteadyState | None = None
    gaps: list[float] = field(default_factory=list)
    gaps_counted: float = 0.0

    def __post_init__(self) -> None:
        self.net = compile_network(self.county.network)
        self.book = compile_points(self.county)

    def run_live(self, now: float) -> Comparison | None:
        """One live run; None while there is nothing measured yet."""
        snapshot = self._snapshot(self.store.latest(), now)
        if not _has_boundary(self.book, snapshot):
            return None
        started = time.monotonic()
        result = compare_steady(self.net, self.county.network, self.book, snapshot, self.warm)
        self.warm = result.state if result.state.converged else None
        seconds = time.monotonic() - started
        self.store.write_simulation(_as_result(result, seconds, with_network=True))
        return result

    def fill_gaps(self, now: float, budget_s: float) -> int:
        """Simulate missing moments of the last 24 h, newest first; returns how many were done."""
        if not self.gaps and time.monotonic() - self.gaps_counted > CATCH_UP_RECHECK_S:
            self.gaps, self.gaps_counted = self._find_gaps(now), time.monotonic()
        end, done = time.monotonic() + budget_s, 0
        while self.gaps and time.monotonic() < end and not self.stop.is_set():
            t = self.gaps.pop(0)
            snapshot = self._snapshot(self.store.latest_at(t), t)
            if not _has_boundary(self.book, snapshot):
                continue
            started = time.monotonic()
            result = compare_steady(self.net, self.county.network, self.book, snapshot, self.warm)
            self.store.write_simulation(_as_result(result, time.monotonic() - started, with_network=False))
            done += 1
        return done

    def _snapshot(self, table: LatestTable, t: float) -> Snapshot:
        return make_snapshot(self.county.points, t, table.point_no, table.t, table.value, table.quality)

    def _find_gaps(self, now: float) -> list[float]:
        """Grid moments with a measured but without a simulated source temperature, newest first."""
        numbers = [int(n) for n in self.book.source["src_ts"] if n >= 0]
        if not numbers:
            return []
        start = now - CATCH_UP_S
        grid = np.arange(np.ceil(start / GRID_S), np.floor((now - 2 * GRID_S) / GRID_S) + 1) * GRID_S
        measured = self.store.history(numbers[0], start, now, max_rows=20000).t
        simulated = np.concatenate([self.store.run_times(start, now), [-np.inf]])
        missing = [
            t
            for t in grid
            if np.any((measured <= t) & (measured > t - GRID_S))
            and np.min(np.abs(simulated - t)) > GRID_S / 2
        ]
        return [float(t) for t in reversed(missing)]


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


def run_loop(worker: TwinWorker) -> None:
    """Run until stopped. The store may come and go: runs are skipped while it is away."""
    away_since: float | None = None
    first = True
    while not worker.stop.is_set():
        began = time.monotonic()
        wait = PERIOD_S
        try:
            result = worker.run_live(time.time())
            if away_since is not None:
                log.info("store is back after %.0f s", time.monotonic() - away_since)
                away_since = None
            if result is None:
                wait = 1.0
            else:
                if first or result.status.startswith("failed"):
                    log.info("run: %s, %d points", result.status, result.point_no.size)
                if first and result.status.startswith("assumed"):
                    wait = FIRST_AGAIN_S
                first = False
                budget = min(CATCH_UP_BUDGET_S, PERIOD_S - (time.monotonic() - began) - 1.0)
                if filled := worker.fill_gaps(time.time(), budget):
                    log.info("caught up %d moments, %d to go", filled, len(worker.gaps))
        except StoreUnavailable as e:
            if away_since is None:
                away_since = time.monotonic()
                log.info("waiting for the store: %s", e)
            wait = 1.0
        worker.stop.wait(max(wait - (time.monotonic() - began), 0.1))


def main() -> int:
    """Entry point of the process; returns the exit status (78: configuration is wrong)."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
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
    except CountyTwinError as e:
        log.error("%s", e)
        return EX_CONFIG
    try:
        run_loop(worker)
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
