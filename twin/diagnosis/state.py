"""What goes from one moment of the watch to the next, and what it tells."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.diagnosis.book import DiagnosisBook
from twin.diagnosis.explain import Candidate
from twin.diagnosis.habit import Habit
from twin.diagnosis.hearing import Hearing
from twin.diagnosis.homes import Homes
from twin.diagnosis.patterns import Patterns
from twin.diagnosis.search import Answers, Result, Trench
from twin.diagnosis.signs import Layout
from twin.diagnosis.stillness import Stillness
from twin.diagnosis.tracks import Bouts, Key, Rejection, Track
from twin.diagnosis.valves import Valves
from twin.heat import SteadyState

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Where a leak may be: probability of every pipe (n_pipe,) and how big it would be there, kg/s;
    ``results`` of the crew that count in it; ``zones_m`` the metres that hold it with ``place.ZONE`` before
    and after each of them; ``state`` of the network it was reckoned on."""

    chance: Floats
    size_kg_s: Floats
    results: tuple[Result, ...]
    zones_m: tuple[float, ...]
    state: SteadyState


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding.

    ``id`` stays the same while it lives; ``kind`` see ``kinds.FAULTS``; ``place`` pipe, station, source,
    room, point or device id (``*dialect``: a whole gateway); ``size`` in the unit of the kind (meters: SI, or
    a share of the value for flow and heat); ``probability`` of the kind; ``since``, ``t`` s since 1970;
    ``evidence`` half the squared sigmas explained. ``suspects`` begin with the finding itself; of a fault in
    a pipe they are the pipes that hold it with a probability of ``place.ZONE``, and their own.
    """

    id: str
    kind: str
    place: str
    size: float
    probability: float
    since: float
    t: float
    evidence: float
    suspects: tuple[Candidate, ...]


@dataclass
class Watch:
    """Everything that goes from one moment to the next; owned by the caller, changed by :func:`diagnose`.

    ``doubt`` (n_sign,): standard deviation that the simulation itself has now, in the signs' units.
    ``rejected``: findings that people said are none, by key (kind, place; place "" in pipes).
    ``load``: flow and load that habits go with, and the split among sources. ``leaks``: signs of leaks in
    every pipe with the time and size they were simulated for. ``lacking``: share of the stations, by their
    design flow, that usually tell no flow or no pressure. ``checks``: what the crew found at chambers, to be
    set by the caller; ``placed``: where the leak is by all that; ``trench`` and ``answers`` (when, of which
    results) are kept from look to look.
    """

    layout: Layout
    habit: Habit
    still: Stillness
    homes: Homes
    valves: Valves
    hearing: Hearing
    tracks: dict[Key, Track] = field(default_factory=dict)
    bouts: dict[Key, Bouts] = field(default_factory=dict)
    rejected: dict[Key, Rejection] = field(default_factory=dict)
    patterns: Patterns | None = None
    patterns_t: float = float("-inf")
    known: Bools | None = None
    doubt: Floats | None = None
    leaks: tuple[float, float, Floats] | None = None
    load: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lacking: float | None = None
    checks: tuple[Result, ...] = ()
    placed: Placed | None = None
    trench: Trench | None = None
    answers: tuple[float, tuple[Result, ...], Answers] | None = None
    t: float | None = None


def begin_watch(book: DiagnosisBook) -> Watch:
    """A watch that has seen nothing yet."""
    layout = Layout(book.n_station, book.n_source)
    return Watch(
        layout,
        Habit(layout.floors(), layout.pressures()),
        Stillness(book.point_period_s),
        Homes(book.homes),
        Valves(book.n_station),
        Hearing(book),
    )
