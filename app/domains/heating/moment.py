"""One moment of the county for the scene: now, a recorded one of the last day, or a simulated one ahead."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.tomorrow import Ahead, read_ahead
from app.web.context import Context
from ingest.store.api import NetworkState
from twin.model.county import County

Floats = NDArray[np.float64]
Kind = Literal["now", "past", "ahead"]

SPAN_S = 86_400.0
STATE_AGE_S = 900.0
"""A recorded moment takes the network state that is at most so much older."""
NOW_S = 45.0
STEP_S = 600.0
KEPT = 48
"""Moments kept in memory: what one hand moves over, and several screens share."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """``t`` s since 1970 UTC. ``state``: the network, None where none is kept. ``value`` (n_point,) SI, NaN
    where nothing usable is known; of a moment ahead all but the outdoor temperature. ``room_c`` (n_building,)
    of the county's buildings: measured, or estimated where ``measured`` (n_building,) is False."""

    t: float
    kind: Kind
    state: NetworkState | None
    value: Floats
    room_c: Floats
    measured: NDArray[np.bool_]


class Moments:
    """Reads moments, each once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[float, float], Moment] = OrderedDict()
        self._rooms = RoomBook(context.county)

    def ahead(self) -> Ahead | None:
        """The newest simulated day, or None before the first; a minute old at most."""
        return self._context.ask("ahead", 60.0, self._read_ahead)  # type: ignore[no-any-return]

    def _read_ahead(self) -> Ahead | None:
        rows = self._context.store.kept("ahead", limit=1)
        return read_ahead(self._context.store.kept_body(rows[0].no)) if rows else None

    def times(self, now: float) -> tuple[Floats, Floats]:
        """Recorded moments of the last day, ten minutes apart, and simulated ones of the next; rising."""
        past = self._context.ask(
            "network_times", 60.0, lambda: self._context.store.network_times(now - SPAN_S, now)
        )
        _, first = np.unique(past // STEP_S, return_index=True)
        ahead = self.ahead()
        later = ahead.t[(ahead.t > now + NOW_S) & (ahead.t <= now + SPAN_S)] if ahead else np.empty(0)
        return past[first], later

    def read(self, t: float | None) -> Moment:
        """The moment ``t``; None or a time about now: the present.

        Raises
        ------
        StoreUnavailable : the store is away
        """
        now = time.time()
        if t is None or abs(t - now) <= NOW_S:
            state = self._context.ask("network", 2.0, self._context.store.network_state)
            return self._join(now, "now", state, self._context.values_now())
        ahead = self.ahead()
        key = (round(t), ahead.made if ahead is not None and t > now else 0.0)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = self._read_past(t) if t < now else self._read_later(t, ahead)
        with self._lock:
            self._known[key] = found
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return found

    def _read_past(self, t: float) -> Moment:
        store = self._context.store
        state = store.network_state_at(t)
        if state is not None and t - state.t > STATE_AGE_S:
            state = None
        return self._join(t, "past", state, self._context.values_of(store.latest_at(t), t))

    def _read_later(self, t: float, ahead: Ahead | None) -> Moment:
        county = self._context.county
        value = np.full(len(county.points), np.nan)
        room, none = np.full(len(county.buildings), np.nan), np.zeros(len(county.buildings), np.bool_)
        if ahead is None or t > ahead.t[-1] + STATE_AGE_S:
            return Moment(t, "ahead", None, value, room, none)
        state, simulated = ahead.state_at(t)
        row = {b.id: k for k, b in enumerate(county.buildings)}
        room[[row[b] for b in ahead.building if b in row]] = simulated[
            [k for k, b in enumerate(ahead.building) if b in row]
        ]
        for p in county.points:
            if p.key == "t_out":
                value[p.no] = float(np.interp(t, ahead.t, ahead.t_out_c))
        return Moment(float(state.t), "ahead", state, value, room, none)

    def _join(self, t: float, kind: Kind, state: NetworkState | None, value: Floats) -> Moment:
        room, measured = self._rooms.read(value, self.ahead())
        return Moment(t, kind, state, value, room, measured)


class RoomBook:
    """Which room sensors hang in which building, and what to believe of buildings without one."""

    def __init__(self, county: County) -> None:
        self._row = {b.id: k for k, b in enumerate(county.buildings)}
        rooms = [
            (p.no, self._row.get(p.place_id.split(":")[0], -1)) for p in county.points if p.key == "room_t"
        ]
        self._no = np.array([no for no, row in rooms if row >= 0], np.int64)
        self._of = np.array([row for _, row in rooms if row >= 0], np.int64)
        stations = {s.id: k for k, s in enumerate(county.network.substations)}
        self._station = np.array([stations.get(b.substation_id, -1) for b in county.buildings], np.int64)
        self._heated = np.array([b.heated for b in county.buildings], np.bool_)

    def read(self, value: Floats, ahead: Ahead | None) -> tuple[Floats, NDArray[np.bool_]]:
        """Room temperature (n_building,) and whether it is measured.

        A building without a sensor takes the mean of the measured ones of its station, moved by how far the
        twin expects it to lie from them; without any it takes what the twin expects.
        """
        n = self._station.size
        x = value[self._no] if self._no.size else np.empty(0)
        known = np.isfinite(x)
        count = np.bincount(self._of[known], minlength=n)
        with np.errstate(invalid="ignore"):
            room: Floats = np.bincount(self._of[known], x[known], n) / count
        measured = count > 0
        twin = np.full(n, np.nan)
        if ahead is not None:
            for k, b in enumerate(ahead.building):
                if b in self._row:
                    twin[self._row[b]] = ahead.room_c[0, k]
        for s in np.unique(self._station[self._station >= 0]):
            mine = self._station == s
            seen, open_ = mine & measured, mine & ~measured & self._heated
            if not seen.any():
                room[open_] = twin[open_]
                continue
            apart = twin[open_] - float(np.mean(twin[seen]))
            room[open_] = float(room[seen].mean()) + np.where(np.isfinite(apart), apart, 0.0)
        return room, measured
