"""Rooms measured by hand (入户测温): where nothing is installed, a crew knocks and notes what it reads."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.store.api import Store
from twin.dispatch.inlets import InletBook, Visits, middle_of_circuits
from twin.model.county import County
from twin.model.errors import InputError

Floats = NDArray[np.float64]

KEPT_S = 30 * 86_400.0
"""A room measured longer ago tells of another winter's valves and windows."""
LEAST_C, MOST_C = 0.0, 40.0
MOST_ROWS, MOST_NAME = 500, 40


@dataclass(frozen=True, slots=True)
class Visit:
    """One room: ``home`` as the crew calls it, ``beside_k`` above its circuit's reporting rooms then; ``no``
    of the note it stands in."""

    t: float
    who: str
    building_id: str
    home: str
    room_c: float
    beside_k: float
    no: int = 0


UNDONE = "undone"
"""State of a note that was taken back: it stays, and counts no more."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a crew says: ``home`` may be empty."""

    building_id: str
    room_c: float
    home: str = ""


def note_visits(
    county: County, book: InletBook, store: Store, value: Floats, rows: tuple[Reading, ...], who: str
) -> int:
    """Write down rooms that were measured now; ``value`` (n_point,) what is measured now. Number of the note.

    Raises
    ------
    InputError : nothing, too much, an unknown building, a temperature that cannot be, or no room reports
    """
    if not 0 < len(rows) <= MOST_ROWS:
        raise InputError(f"visits: give 1 to {MOST_ROWS} rooms")
    at = {b.id: i for i, b in enumerate(book.buildings)}
    for r in rows:
        if r.building_id not in at:
            raise InputError(f"visits: {r.building_id[:40]!r} is not a heated building of this county")
        if not LEAST_C <= r.room_c <= MOST_C:
            raise InputError(f"visits: {r.building_id}: a room has {LEAST_C:.0f} to {MOST_C:.0f} °C")
        if len(r.home) > MOST_NAME:
            raise InputError(f"visits: {r.building_id}: name the home in at most {MOST_NAME} characters")
    middle = middle_of_circuits(book, value, len(county.network.substations))
    body = [
        {"building": r.building_id, "home": r.home, "room_c": r.room_c,
         "beside_k": round(float(r.room_c - middle[book.station[at[r.building_id]]]), 3)}
        for r in rows
    ]  # fmt: skip
    return store.keep("balance", "", {"visits": body}, who, state="done")


def read_visits(store: Store, now: float) -> tuple[Visit, ...]:
    """Rooms measured since their building's valve was turned last, newest first."""
    out: list[Visit] = []
    turned: set[str] = set()
    for row in store.kept("balance", since=now - KEPT_S, limit=2000):
        body = store.kept_body(row.no) if row.state != UNDONE else None
        if not isinstance(body, dict):
            continue
        if isinstance(body.get("turned"), dict):
            turned |= {str(b) for b in body["turned"]}
        out += [v for v in _visits(row.no, row.made, row.who, body) if v.building_id not in turned]
    return tuple(out)


def list_visits(store: Store, since: float) -> tuple[Visit, ...]:
    """Every room measured at or after ``since`` that was not taken back, oldest first; whatever was turned
    later."""
    lines = store.kept_log("balance", since)
    undone = {line.no for line in lines if line.state == UNDONE}
    return tuple(
        v
        for line in lines
        if line.no not in undone and isinstance(line.body, dict)
        for v in _visits(line.no, line.t, line.who, line.body)
    )


def undo_visit(store: Store, no: int, who: str) -> None:
    """A note of rooms shall not count any more; one that is not there is passed over."""
    row = next((r for r in store.kept("balance", since=no / 1e6 - 1.0, limit=2000) if r.no == no), None)
    if row is not None and row.state != UNDONE:
        store.mark_kept(row, UNDONE, who)


def _visits(no: int, t: float, who: str, body: dict[str, Any]) -> list[Visit]:
    """The rooms of a note."""
    return [
        Visit(t, who, str(v["building"]), str(v["home"]), float(v["room_c"]), float(v["beside_k"]), no)
        for v in body.get("visits") or ()
    ]


def place_visits(book: InletBook, visits: tuple[Visit, ...]) -> Visits:
    """As the engine takes them; a building that is no longer in the county is passed over."""
    at = {b.id: i for i, b in enumerate(book.buildings)}
    rows = [(at[v.building_id], v.beside_k) for v in visits if v.building_id in at]
    return Visits(np.array([r[0] for r in rows], dtype=np.int64), np.array([r[1] for r in rows], dtype=float))
