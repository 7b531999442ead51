"""The client of the store: fixed questions over Quack, from any thread, through outages.

Every call opens with what it has; when the owner is away it raises ``StoreUnavailable`` and works again as
soon as the owner is back.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.settings import Settings
from ingest.store import questions as q
from ingest.store.api import (
    REPLAYED,
    CounterEvent,
    DeadLetter,
    DeviceState,
    IngestStats,
    LatestTable,
    NetworkState,
    Notice,
    RollUpSeries,
    Series,
    SimulatedTable,
    SimulationResult,
)
from ingest.store.bind import ASKED_S, Bindable, bind_numbers, microseconds
from ingest.store.command_client import CommandCalls
from ingest.store.counters import add_up
from ingest.store.document_client import DocumentCalls, as_letter
from ingest.store.finding_client import FindingCalls
from ingest.store.hour_client import HourCalls
from ingest.store.kept_client import KeptCalls
from ingest.store.link import Link, Work
from ingest.store.sums_client import SumCalls
from twin.model.errors import InputError, StoreUnavailable
from twin.model.readings import Quality

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = dict[str, NDArray[np.generic]]

T = TypeVar("T")

TIMEOUT_S: float = ASKED_S


def connect_store(settings: Settings) -> "StoreClient":
    """The store of these settings. Does not connect yet: the first call does."""
    return StoreClient(settings.store_uri, settings.store_token)


class StoreClient(CommandCalls, FindingCalls, KeptCalls, DocumentCalls, HourCalls, SumCalls):
    """Implements ``ingest.store.api.Store``. One local DuckDB; a line of it for each question at a time."""

    def __init__(self, uri: str, token: str) -> None:
        self._uri, self._token = uri, token
        self._lock = threading.Lock()
        self._link: Link | None = None

    def _database(self) -> Link:
        with self._lock:
            if self._link is None:
                self._link = Link(self._uri, self._token, TIMEOUT_S)
            return self._link

    def _within_time(self, work: Work[T]) -> T:
        """Do ``work``, for at most ``TIMEOUT_S``; once more after a fault."""
        for attempt in (1, 2):
            link = self._database()
            try:
                return link.run(work, TIMEOUT_S)
            except TimeoutError:
                self._forget(link)
                raise StoreUnavailable(f"the store at {self._uri} gave no answer in {TIMEOUT_S} s") from None
            except (duckdb.Error, StoreUnavailable) as e:
                self._forget(link)
                if attempt == 2:
                    raise StoreUnavailable(f"the store at {self._uri}: {str(e).splitlines()[0]}") from e
        raise AssertionError

    def _forget(self, link: Link | None) -> None:
        """Drop the local database: a restarted owner does not know our old connection."""
        with self._lock:
            if self._link is link:
                self._link = None
        if link is not None:
            link.close()

    def _ask(self, sql: str, values: Mapping[str, Bindable] | None = None) -> Columns:
        text = bind_numbers(sql, values or {})

        def ask(cursor: duckdb.DuckDBPyConnection, store: str) -> Columns:
            found = cursor.execute(f"FROM {store}.query(?)", [text])
            return {k: np.ma.asarray(v) for k, v in found.fetchnumpy().items()}

        return self._within_time(ask)

    def latest(self, since_seq: int = 0) -> LatestTable:
        """See ``Store.latest``."""
        found = self._ask(q.LATEST, {"seq": since_seq})
        order = np.argsort(_ints(found["point_no"]))
        rows = {k: v[order] for k, v in found.items()}
        return _as_latest(
            {**rows, "t": _seconds(rows["t"]), "received": _seconds(rows["received"])}, since_seq
        )

    def latest_at(self, t: float, point_no: Ints | None = None) -> LatestTable:
        """See ``Store.latest_at``."""
        values: dict[str, Bindable] = {"t": microseconds(t), "usable": int(Quality.UNCERTAIN)}
        if point_no is None:
            return _as_latest(self._ask(q.LATEST_AT, values), 0)
        values["points"] = np.asarray(point_no, np.int64)
        return _as_latest(self._ask(q.LATEST_AT_POINTS, values), 0)

    def history(self, point_no: int, start: float, end: float, max_rows: int = 2000) -> Series:
        """See ``Store.history``."""
        values: dict[str, Bindable] = {
            "point": int(point_no),
            "start": microseconds(start),
            "end": microseconds(end),
            "usable": int(Quality.UNCERTAIN),
            "bucket": _bucket_us(start, end, max_rows),
            "rows": int(max_rows),
        }
        found = self._ask(q.HISTORY, values)
        t = _seconds(found["t"])
        order = np.argsort(t, kind="stable")
        return _as_series({**{k: v[order] for k, v in found.items()}, "t": t[order]})

    def rolled_up(self, point_no: int, start: float, end: float, step_s: int = 3600) -> RollUpSeries:
        """See ``Store.rolled_up``."""
        if step_s not in q.ROLLED_UP:
            raise InputError(f"sums are kept by {', '.join(map(str, q.ROLLED_UP))} s, not {step_s}")
        r = self._ask(
            q.ROLLED_UP[step_s],
            {"point": int(point_no), "start": microseconds(start), "end": microseconds(end)},
        )
        t = _seconds(r["t"])
        order = np.argsort(t)
        low, high, mean, last = (_floats(r[k])[order] for k in ("low", "high", "mean", "last"))
        return RollUpSeries(t[order], _ints(r["n"])[order], low, high, mean, last)

    def simulated_history(self, point_no: int, start: float, end: float, max_rows: int = 2000) -> Series:
        """See ``Store.simulated_history``."""
        values: dict[str, Bindable] = {
            "point": int(point_no),
            "start": microseconds(start),
            "end": microseconds(end),
            "bucket": _bucket_us(start, end, 2 * max_rows),
            "rows": int(max_rows),
        }
        return _as_series(self._ask(q.SIMULATED_HISTORY, values))

    def simulated_latest(self) -> SimulatedTable:
        """See ``Store.simulated_latest``."""
        rows = self._ask(q.SIMULATED_LATEST)
        value, measured, sigma = (_floats(rows[k]) for k in ("value", "measured", "sigma"))
        some = len(value) > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (measured - value) / sigma
        return SimulatedTable(
            run_no=int(rows["run_no"][0]) if some else 0,
            t=float(rows["t"][0]) if some else float("nan"),
            point_no=_ints(rows["point_no"]),
            value=value,
            sigma=sigma,
            residual=measured - value,
            z=z,
        )

    def network_state(self) -> NetworkState | None:
        """See ``Store.network_state``."""
        return _read_network(self._ask(q.NETWORK_STATE))

    def network_state_at(self, t: float) -> NetworkState | None:
        """See ``Store.network_state_at``."""
        return _read_network(self._ask(q.NETWORK_STATE_AT, {"at": microseconds(t)}))

    def network_times(self, start: float, end: float) -> Floats:
        """See ``Store.network_times``."""
        values = {"start": microseconds(start), "end": microseconds(end)}
        return _floats(self._ask(q.NETWORK_TIMES, values)["t"])

    def write_simulation(self, result: SimulationResult) -> int:
        """See ``Store.write_simulation``. Each table takes one statement; the run row comes last."""
        run_no = self._next_run_no()
        if result.network is not None:
            self._append("network_state", _network_row(run_no, result.network))
        self._append("twin_run", _run_row(run_no, result))
        return run_no

    def _next_run_no(self) -> int:
        return round(time.time() * 1000)

    def _append(self, table: str, row: pa.Table) -> None:
        """Append one row to ``table`` (a name of this module, never from outside)."""

        def append(cursor: duckdb.DuckDBPyConnection, store: str) -> None:
            cursor.register("new_row", row)
            cursor.execute(f"INSERT INTO {store}.{table} SELECT * FROM new_row")  # noqa: S608 - own constant
            cursor.unregister("new_row")

        self._within_time(append)

    def run_times(self, start: float, end: float) -> Floats:
        """See ``Store.run_times``."""
        return _floats(self._ask(q.RUN_TIMES, {"start": microseconds(start), "end": microseconds(end)})["t"])

    def last_simulated(self) -> float | None:
        """See ``Store.last_simulated``."""
        t = _floats(self._ask(q.LAST_RUN)["t"])
        return float(t[0]) if t.size and np.isfinite(t[0]) else None

    def stats(self) -> IngestStats:
        """See ``Store.stats``."""
        counts = self._ask(q.COUNTERS)
        c = {str(n): int(v) for n, v in zip(counts["name"], counts["value"], strict=True)}
        s = self._ask(q.STATE)
        known = len(s["t"]) > 0
        return IngestStats(
            t=float(s["t"][0]) if known else float("nan"),
            messages=c.get("messages", 0),
            readings=c.get("readings", 0),
            rejected_messages=c.get("rejected_messages", 0),
            rejected_readings=c.get("rejected_readings", 0),
            duplicates=c.get("duplicates", 0),
            late=c.get("late", 0),
            queue=int(s["queue"][0]) if known else 0,
            broker=str(s["broker"][0]) if known else "unknown",
            messages_per_s=float(s["messages_per_s"][0]) if known else 0.0,
            readings_per_s=float(s["readings_per_s"][0]) if known else 0.0,
            broker_dropped=c.get("broker_dropped", 0),
            unkept_messages=c.get("unkept_messages", 0),
            set_aside=c.get("set_aside", 0),
        )

    def dead_letters(self, limit: int = 200) -> list[DeadLetter]:
        """See ``Store.dead_letters``."""
        r = self._ask(q.DEAD_LETTERS, {"rows": int(limit)})
        return [as_letter({k: v[i] for k, v in r.items()}) for i in range(len(r["hash"]))]

    def redo_dead_letters(self, hashes: Sequence[str] | None = None) -> None:
        """See ``Store.redo_dead_letters``."""
        wanted = ["*"] if hashes is None else list(hashes)
        at = np.full(len(wanted), microseconds(time.time()))
        table = pa.table({"t": pa.array(at.astype("datetime64[us]")), "hash": pa.array(wanted, pa.string())})
        self._append("redo_request", table)

    def notices(self, since: float = 0.0) -> list[Notice]:
        """See ``Store.notices``."""
        r = self._ask(q.NOTICES, {"since": microseconds(since)})
        return [
            Notice(
                str(r["kind"][i]), str(r["subject"][i]), float(r["first_t"][i]), float(r["last_t"][i]),
                int(r["count"][i]), str(r["detail"][i]),
            )
            for i in range(len(r["kind"]))
        ]  # fmt: skip

    def counter_events(self, start: float, end: float) -> list[CounterEvent]:
        """See ``Store.counter_events``."""
        r = self._ask(q.COUNTER_EVENTS, {"start": microseconds(start), "end": microseconds(end)})
        return [
            CounterEvent(
                int(r["point_no"][i]), float(r["t"][i]), str(r["kind"][i]), float(r["before"][i]),
                float(r["after"][i]), float(r["span"][i]),
            )
            for i in range(len(r["t"]))
        ]  # fmt: skip

    def consumption(self, point_no: int, start: float, end: float) -> float:
        """See ``Store.consumption``."""
        r = self._ask(
            q.COUNTED,
            {"point": int(point_no), "start": microseconds(start), "end": microseconds(end),
             "usable": int(Quality.UNCERTAIN)},
        )  # fmt: skip
        return add_up(_floats(r["value"]), _floats(r["span"]))

    def device_states(self) -> list[DeviceState]:
        """See ``Store.device_states``."""
        r = self._ask(q.DEVICES)
        return [
            DeviceState(
                device_id=str(r["device_id"][i]), last_t=float(r["last_t"][i]),
                last_received=float(r["last_received"][i]), messages=int(r["messages"][i]),
                skew_s=float(r["skew_s"][i]), online=bool(r["online"][i]),
            )
            for i in range(len(r["device_id"]))
        ]  # fmt: skip

    def point_counts(self, start: float, end: float) -> tuple[Ints, Ints]:
        """See ``Store.point_counts``."""
        r = self._ask(q.POINT_COUNTS, {"start": microseconds(start), "end": microseconds(end)})
        return _ints(r["point_no"]), _ints(r["n"])

    def close(self) -> None:
        """Let go of the connection."""
        self._forget(self._link)


def _bucket_us(start: float, end: float, max_rows: int) -> int:
    """Width of a bucket that keeps its lowest and highest value, for at most ``max_rows`` rows."""
    return max(microseconds(end - start) * 2 // max(max_rows, 2), 1)


def _floats(x: NDArray[np.generic]) -> Floats:
    return np.ma.filled(np.ma.asarray(x).astype(float), np.nan)


def _seconds(x: NDArray[np.generic]) -> Floats:
    """Times of the store (microseconds since 1970 UTC) in seconds."""
    return np.ma.getdata(x).astype("datetime64[us]").astype(np.int64) / 1e6


def _ints(x: NDArray[np.generic]) -> Ints:
    return np.asarray(np.ma.filled(np.ma.asarray(x), 0), dtype=np.int64)


def _as_latest(r: Columns, since: int) -> LatestTable:
    seq = _ints(r["seq"])
    return LatestTable(
        seq=max(int(seq.max()) if seq.size else 0, since),
        point_no=_ints(r["point_no"]),
        t=_floats(r["t"]),
        received=_floats(r["received"]),
        value=_floats(r["value"]),
        quality=_ints(r["quality"]),
        row_seq=seq,
    )


def _as_series(r: Columns) -> Series:
    return Series(t=_floats(r["t"]), value=_floats(r["value"]), quality=_ints(r["quality"]))


def _timestamp(t: float) -> pa.Array:
    return pa.array(np.array([microseconds(t)], "datetime64[us]"))


def _list(x: NDArray[np.generic], kind: pa.DataType) -> pa.Array:
    return pa.array([np.asarray(x)], pa.list_(kind))


def _run_row(run_no: int, r: SimulationResult) -> pa.Table:
    return pa.table(
        {
            "run_no": pa.array([run_no], pa.int64()),
            "t": _timestamp(r.t),
            "status": [r.status],
            "iterations": pa.array([r.iterations], pa.int32()),
            "seconds": [float(r.seconds)],
            "live": [r.network is not None and r.network.status != REPLAYED],
            "point_no": _list(r.point_no.astype(np.int32), pa.int32()),
            "value": _list(r.value, pa.float64()),
            "sigma": _list(r.sigma, pa.float64()),
            "measured": _list(r.measured, pa.float64()),
        }
    )


def _read_network(rows: Columns) -> NetworkState | None:
    if len(rows["run_no"]) == 0:
        return None
    arrays = {k: _floats(rows[k][0]) for k in q.NETWORK_ARRAYS}
    return NetworkState(
        run_no=int(rows["run_no"][0]), t=float(rows["t"][0]), status=str(rows["status"][0]), **arrays
    )


def _network_row(run_no: int, n: NetworkState) -> pa.Table:
    columns: dict[str, pa.Array | list[str]] = {
        "run_no": pa.array([run_no], pa.int64()),
        "t": _timestamp(n.t),
        "status": [n.status],
    }
    for key in q.NETWORK_ARRAYS:
        columns[key] = _list(getattr(n, key).astype(np.float32), pa.float32())
    return pa.table(columns)
