"""The buildings of every circuit as their rooms report, and which inlet valves a crew has turned lately."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.visits import place_visits, read_visits
from ingest.store.api import Store
from twin.dispatch.inlets import InletBook, InletRow, balance_inlets
from twin.model.county import County
from twin.model.errors import InputError

Floats = NDArray[np.float64]

DAY_S = 86_400.0
WAIT_S = 4 * DAY_S
"""Rooms answer to a valve within days: a building is left alone so long after it was turned."""
LEAST_TURN, MOST_TURN = 0.2, 5.0
MOST_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Turned:
    """A valve that was turned: when, by whom, its flow over what it was."""

    t: float
    who: str
    turn: float


def read_inlets(county: County, book: InletBook, store: Store, now: float) -> tuple[InletRow, ...]:
    """The work list from the last day's readings and rooms measured by hand; what was turned lately settles.

    Raises
    ------
    InputError : no room, no inlet or no outdoor temperature was measured
    """
    no = {k: _numbers(county, k) for k in ("s2_ts", "t_out")}
    wanted = np.unique(np.concatenate([book.numbers, no["s2_ts"][no["s2_ts"] >= 0], no["t_out"]]))
    table = store.hourly(wanted, now - DAY_S, now)
    mean = np.full(len(county.points), np.nan)
    known = np.isfinite(table.mean).any(0) if table.t.size else np.zeros(wanted.size, bool)
    mean[wanted[known]] = np.nanmean(table.mean[:, known], axis=0) if known.any() else 0.0
    out = mean[no["t_out"]]
    out = out[np.isfinite(out)]
    if out.size == 0:
        raise InputError("balance: the outdoor temperature of the last day is not known")
    at = no["s2_ts"]
    water = np.where(at >= 0, mean[at], np.nan)
    visits = place_visits(book, read_visits(store, now))
    rows = balance_inlets(county, book, mean, float(np.median(out)), water, visits)
    lately = read_turned(store, now)
    return tuple(replace(r, act=r.act and r.building_id not in lately) for r in rows)


def _numbers(county: County, key: str) -> NDArray[np.int64]:
    if key == "t_out":
        return np.array([p.no for p in county.points if p.key == key], dtype=np.int64)
    found = (county.point_by_id.get(f"{s.id}/{key}") for s in county.network.substations)
    return np.array([-1 if p is None else p.no for p in found], dtype=np.int64)


def read_turned(store: Store, now: float) -> dict[str, Turned]:
    """Newest turn of every building whose rooms still answer to it."""
    out: dict[str, Turned] = {}
    for row in reversed(store.kept("balance", since=now - WAIT_S, limit=500)):
        body = store.kept_body(row.no)
        turned = body.get("turned") if isinstance(body, dict) else None
        for building, turn in (turned if isinstance(turned, dict) else {}).items():
            out[str(building)] = Turned(row.made, row.who, float(turn))
    return out


def note_turned(county: County, store: Store, rows: dict[str, float], who: str) -> int:
    """Write down what a crew did; number of the note.

    Raises
    ------
    InputError : nothing, too much, an unknown building, or a turn that cannot be
    """
    if not 0 < len(rows) <= MOST_ROWS:
        raise InputError(f"turned: name 1 to {MOST_ROWS} buildings")
    heated = {b.id for b in county.buildings if b.heated}
    for building, turn in rows.items():
        if building not in heated:
            raise InputError(f"turned: {building[:40]!r} is not a heated building of this county")
        if not LEAST_TURN <= turn <= MOST_TURN:
            raise InputError(f"turned: {building}: flow over what it was must be {LEAST_TURN} to {MOST_TURN}")
    return store.keep("balance", "", {"turned": rows}, who, state="done")
