"""The door of the store: what other processes may ask, as one protocol and its result tables.

All times are float seconds since 1970-01-01 UTC; values are SI (°C for temperatures). Results are numpy
arrays in columns. Every call raises ``StoreUnavailable`` when the owner does not answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.store.command_api import CommandDoor
from ingest.store.document_api import DeadLetter as DeadLetter  # noqa: PLC0414 - part of this door
from ingest.store.document_api import DocumentDoor
from ingest.store.finding_api import FindingDoor
from ingest.store.hour_api import HourDoor
from ingest.store.kept_api import KeptDoor
from ingest.store.sums_api import SumDoor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class LatestTable:
    """Last known reading per point, ordered by ``point_no``; ``seq`` is the commit number of the newest row.

    ``t`` measuring time, ``received`` time of the commit, ``value`` SI, ``quality`` see ``Quality``;
    ``row_seq`` the commit number of each row.
    """

    seq: int
    point_no: Ints
    t: Floats
    received: Floats
    value: Floats
    quality: Ints
    row_seq: Ints


@dataclass(frozen=True, slots=True)
class Series:
    """One point over time, rising ``t``."""

    t: Floats
    value: Floats
    quality: Ints


@dataclass(frozen=True, slots=True)
class RollUpSeries:
    """One point summed up by spans of 300, 3600 or 86400 s: ``t`` start of each span, ``n`` usable readings.

    Days are the county's own.
    """

    t: Floats
    n: Ints
    low: Floats
    high: Floats
    mean: Floats
    last: Floats


@dataclass(frozen=True, slots=True)
class SimulatedTable:
    """Newest simulated value per point: ``residual`` is measured minus simulated, ``z`` in sigmas."""

    run_no: int
    t: float
    point_no: Ints
    value: Floats
    sigma: Floats
    residual: Floats
    z: Floats


@dataclass(frozen=True, slots=True)
class NetworkState:
    """Newest simulated state of the network, in the order of the county's tables.

    ``t_supply_c``, ``t_return_c``, ``p_supply_pa``, ``p_return_pa``: (n_node,);
    ``mass_flow_kg_s``, ``t_pipe_c``: (n_pipe,) signed from_node -> to_node, mean water temperature.
    NaN where the engine has no answer (isolated part). ``status``: "ok", ``REPLAYED`` (a moment of the past
    that was walked later; never the newest state) or the sentence why not.
    """

    run_no: int
    t: float
    status: str
    t_supply_c: Floats
    t_return_c: Floats
    p_supply_pa: Floats
    p_return_pa: Floats
    mass_flow_kg_s: Floats
    t_pipe_c: Floats


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What the twin worker writes after a run; point arrays share one order."""

    t: float
    status: str
    iterations: int
    seconds: float
    point_no: Ints
    value: Floats
    sigma: Floats
    measured: Floats
    network: NetworkState | None


@dataclass(frozen=True, slots=True)
class DeviceState:
    """When a device was last heard; ``skew_s`` is its clock minus ours; offline after a last will."""

    device_id: str
    last_t: float
    last_received: float
    messages: int
    skew_s: float
    online: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should know of the way in, added up by ``kind`` and ``subject``.

    Kinds: ``broker_dropped`` (the broker threw away messages of a full queue), ``dead_letter_flood``
    (subject: sender; so many bad messages that only a part is kept), ``counter_rollover``, ``counter_reset``,
    ``counter_back`` (subject: point number), ``dead_letters_redone``, ``unstorable``, ``county_reloaded``
    (detail: the revision of what was onboarded that is followed), ``county_refused``, ``vendor_set_aside``
    (subject: sender; what it sends beyond its share waits on disk), ``shelf_full`` (no room for that, so the
    others of its lane wait too), ``scout`` (a look for devices that nobody described),
    ``questions_let_go``.
    """

    kind: str
    subject: str
    first_t: float
    last_t: float
    count: int
    detail: str


@dataclass(frozen=True, slots=True)
class CounterEvent:
    """A counter that fell from ``before`` to ``after`` (SI): ``rollover`` (after a full turn of ``span``),
    ``reset`` (exchanged, began again) or ``back`` (fell a little, which none should)."""

    point_no: int
    t: float
    kind: str
    before: float
    after: float
    span: float


@dataclass(frozen=True, slots=True)
class IngestStats:
    """Counters since the store was created, and the state of the writer now.

    ``broker_dropped``: messages the broker threw away (of all its subscribers, where it says so);
    ``unkept_messages``: bad messages of a flood that were counted but not kept as dead letters;
    ``set_aside``: messages that waited on disk because their sender had sent more than its share.
    """

    t: float
    messages: int
    readings: int
    rejected_messages: int
    rejected_readings: int
    duplicates: int
    late: int
    queue: int
    broker: str
    messages_per_s: float
    readings_per_s: float
    broker_dropped: int = 0
    unkept_messages: int = 0
    set_aside: int = 0


class Store(CommandDoor, FindingDoor, KeptDoor, DocumentDoor, HourDoor, SumDoor, Protocol):
    """What ``ingest.store.client.StoreClient`` offers (opened by ``ingest.store.client.connect_store``)."""

    def latest(self, since_seq: int = 0) -> LatestTable:
        """Rows committed after ``since_seq`` (0: all)."""
        ...

    def latest_at(self, t: float, point_no: Ints | None = None) -> LatestTable:
        """Last reading of each point at or before ``t`` (2 h back at most; rejected qualities left out)."""
        ...

    def history(self, point_no: int, start: float, end: float, max_rows: int = 2000) -> Series:
        """Readings of one point; above ``max_rows`` thinned by time bucket (min and max kept)."""
        ...

    def rolled_up(self, point_no: int, start: float, end: float, step_s: int = 3600) -> RollUpSeries:
        """Sums of one point by ``step_s`` (300, 3600 or 86400) whose spans begin in the time, rising ``t``.

        Spans appear some seconds after they are over; late readings repair them as soon.
        """
        ...

    def simulated_history(self, point_no: int, start: float, end: float, max_rows: int = 2000) -> Series:
        """Simulated values of one point (``quality`` is all GOOD)."""
        ...

    def simulated_latest(self) -> SimulatedTable:
        """Newest simulated value of every simulated point."""
        ...

    def network_state(self) -> NetworkState | None:
        """Newest network state, or None before the first run."""
        ...

    def network_state_at(self, t: float) -> NetworkState | None:
        """Newest network state at or before ``t``, replayed ones too; None where none is kept.

        All of the last hour are kept, of the day before one in ten minutes.
        """
        ...

    def network_times(self, start: float, end: float) -> Floats:
        """Times of the kept network states between two times, rising."""
        ...

    def write_simulation(self, result: SimulationResult) -> int:
        """Keep a run, return its number. Values, residuals and network state in one transaction."""
        ...

    def run_times(self, start: float, end: float) -> Floats:
        """Times of the twin's runs between two times, rising."""
        ...

    def last_simulated(self) -> float | None:
        """Time of the newest run, or None."""
        ...

    def stats(self) -> IngestStats:
        """Counters of ingest."""
        ...

    def dead_letters(self, limit: int = 200) -> list[DeadLetter]:
        """Newest first."""
        ...

    def redo_dead_letters(self, hashes: Sequence[str] | None = None) -> None:
        """Ask ingest to read these dead letters again (None: all), within about a second.

        Letters that are now read whole leave the list; the outcome is a notice ``dead_letters_redone``.
        """
        ...

    def notices(self, since: float = 0.0) -> list[Notice]:
        """What happened at or after ``since``, newest first."""
        ...

    def counter_events(self, start: float, end: float) -> list[CounterEvent]:
        """Counters that fell between two times, by time."""
        ...

    def consumption(self, point_no: int, start: float, end: float) -> float:
        """What a counter counted between two times (SI), over roll-overs and resets; NaN: nothing known."""
        ...

    def device_states(self) -> list[DeviceState]:
        """Every device that was ever heard, by id."""
        ...

    def point_counts(self, start: float, end: float) -> tuple[Ints, Ints]:
        """``(point_no, number of readings)`` between two times, for completeness."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
