"""The hub: one task asks the store what is new and hands it to every screen.

It goes on through outages of the store: screens then get status frames that say since when, and a full
snapshot when the store is back.
"""

import asyncio
import dataclasses
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from app.live.frames import Frame, Kind, make_network, make_readings, make_simulated, make_status
from ingest.store.api import IngestStats, LatestTable, Store
from twin.model.errors import StoreUnavailable

T = TypeVar("T")

POLL_S = 0.4
STATUS_S = 1.0
SIMULATED_S = 2.0
ALARM_S, ALARMED_S = 20.0, 3600.0
"""Whether something was lost on the way in is asked so often, and marked for so long on every page."""
ALARMS = ("broker_dropped", "unstorable", "shelf_full", "county_refused")
QUEUE_FRAMES = 32


class Screen:
    """One connected screen: a short queue; when it overflows the screen starts again from a snapshot."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_FRAMES)
        self.behind = False

    def offer(self, data: bytes) -> None:
        """Queue a frame; a screen that does not keep up is marked."""
        try:
            self.queue.put_nowait(data)
        except asyncio.QueueFull:
            self.behind = True


class LiveHub:
    """Polls ``store`` and fans out. ``status_file`` is the supervisor's; it may be missing."""

    def __init__(
        self, store: Store, status_file: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._status_file, self._clock = store, status_file, clock
        self._screens: set[Screen] = set()
        self._number = 0
        self._rows: dict[int, tuple[float, float, float, int]] = {}
        self._seq = 0
        self._frames: dict[Kind, Frame] = {}
        self._run_no = -1
        self._run_status = ""
        self._stats: IngestStats | None = None
        self._alarm: dict[str, object] | None = None
        self._alarm_at = -math.inf
        self.store_up = False
        self.store_since = clock()
        self._task: asyncio.Task[None] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="live")

    def start(self) -> None:
        """Start polling in the running event loop; does nothing when it already runs."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop polling."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._pool.shutdown(wait=False)

    def join(self) -> Screen:
        """A new screen, with everything known so far in its queue."""
        screen = Screen()
        self._greet(screen)
        self._screens.add(screen)
        return screen

    def leave(self, screen: Screen) -> None:
        """Forget a screen."""
        self._screens.discard(screen)

    def status(self) -> dict[str, object]:
        """What the status frame and ``/healthz`` say."""
        stats = dataclasses.asdict(self._stats) if self._stats else None
        if stats:
            stats = {
                k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in stats.items()
            }
        newest = max((r[0] for r in self._rows.values()), default=None)
        return {
            "store": {"up": self.store_up, "since": self.store_since},
            "stats": stats,
            "alarm": self._alarm,
            "newest": newest,
            "run": {"no": self._run_no, "status": self._run_status},
            "processes": self._processes(),
        }

    def _processes(self) -> list[dict[str, object]]:
        if self._status_file is None:
            return []
        try:
            found = json.loads(self._status_file.read_text(encoding="utf-8")).get("processes", [])
        except (OSError, ValueError, AttributeError):
            return []
        return found if isinstance(found, list) else []

    def _greet(self, screen: Screen) -> None:
        now = self._clock()
        self._frames[Kind.STATUS] = make_status(self.status())
        known = [make_readings(self._table(), Kind.SNAPSHOT)]
        known += [self._frames[k] for k in (Kind.SIMULATED, Kind.NETWORK, Kind.STATUS) if k in self._frames]
        for frame in known:
            screen.offer(frame.encode(self._number, now))

    def _send(self, frame: Frame) -> None:
        self._number += 1
        data = frame.encode(self._number, self._clock())
        for screen in self._screens:
            if screen.behind and screen.queue.empty():
                screen.behind = False
                self._greet(screen)
            elif not screen.behind:
                screen.offer(data)

    def _table(self) -> LatestTable:
        no = np.array(sorted(self._rows), dtype=np.int64)
        rows = np.array([self._rows[int(n)] for n in no], dtype=float).reshape(-1, 4)
        return LatestTable(
            seq=self._seq, point_no=no, t=rows[:, 0], received=rows[:, 1], value=rows[:, 2],
            quality=rows[:, 3].astype(np.int64), row_seq=np.zeros(no.size, np.int64),
        )  # fmt: skip

    async def _run(self) -> None:
        status_at = simulated_at = -math.inf
        while True:
            now = time.monotonic()
            try:
                await self._poll_readings()
                if now - simulated_at >= SIMULATED_S:
                    simulated_at = now
                    await self._poll_twin()
                self._set_store(True)
            except StoreUnavailable:
                self._set_store(False)
            if now - status_at >= STATUS_S:
                status_at = now
                self._send(make_status(self.status()))
            await asyncio.sleep(max(POLL_S - (time.monotonic() - now), 0.05))

    async def _ask(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    async def _poll_readings(self) -> None:
        whole = not self.store_up  # after an outage the store may be another one: ask for everything
        table = await self._ask(lambda: self._store.latest(0 if whole else self._seq))
        if whole:
            self._rows.clear()
        self._seq = table.seq
        for no, t, received, value, quality in zip(
            table.point_no, table.t, table.received, table.value, table.quality, strict=True
        ):
            self._rows[int(no)] = (float(t), float(received), float(value), int(quality))
        if table.point_no.size:
            self._send(make_readings(table, Kind.SNAPSHOT if whole else Kind.DELTA))

    async def _poll_twin(self) -> None:
        self._stats = await self._ask(self._store.stats)
        await self._poll_alarm()
        simulated = await self._ask(self._store.simulated_latest)
        if simulated.run_no == self._run_no:
            return
        self._run_no = simulated.run_no
        self._frames[Kind.SIMULATED] = make_simulated(simulated)
        self._send(self._frames[Kind.SIMULATED])
        state = await self._ask(self._store.network_state)
        if state is not None:
            self._run_status = state.status
            self._frames[Kind.NETWORK] = make_network(state)
            self._send(self._frames[Kind.NETWORK])

    def _set_store(self, up: bool) -> None:
        if up != self.store_up:
            self.store_up, self.store_since = up, self._clock()
            self._send(make_status(self.status()))

    async def _poll_alarm(self) -> None:
        """The newest notice of something lost or held up on the way in."""
        if time.monotonic() - self._alarm_at < ALARM_S:
            return
        self._alarm_at, since = time.monotonic(), self._clock() - ALARMED_S
        found = [n for n in await self._ask(lambda: self._store.notices(since)) if n.kind in ALARMS]
        newest = max(found, key=lambda n: n.last_t, default=None)
        self._alarm = None if newest is None else {"kind": newest.kind, "t": newest.last_t}
