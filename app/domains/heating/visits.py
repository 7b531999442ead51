"""Rooms measured by hand (入户测温): where nothing is installed, a crew knocks and notes what it reads."""

from dataclasses import dataclass

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
    """One room: ``home`` as the crew calls it, ``beside_k`` above its circuit's reporting rooms then."""

    t: float
    who: str
    building_id: str
    home: str
    room_c: float
    beside_k: float


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
        body = store.kept_body(row.no)
        if not isinstance(body, dict):
            continue
        if isinstance(body.get("turned"), dict):
            turned |= {str(b) for b in body["turned"]}
        for v in body.get("visits") or ():
            if v["building"] not in turned:
                out.append(
                    Visit(
                        row.made, row.who, str(v["building"]), str(v["home"]), float(v["room_c"]),
                        float(v["beside_k"]),
                    )
                )  # fmt: skip
    return tuple(out)


def place_visits(book: InletBook, visits: tuple[Visit, ...]) -> Visits:
    """As the engine takes them; a building that is no longer in the county is passed over."""
    at = {b.id: i for i, b in enumerate(book.buildings)}
    rows = [(at[v.building_id], v.beside_k) for v in visits if v.building_id in at]
    return Visits(np.array([r[0] for r in rows], dtype=np.int64), np.array([r[1] for r in rows], dtype=float))
