"""What a batch brings beside readings: counters, dead letters, devices, notices; and what goes in time."""

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa

from ingest.store.batch import Batch, DeadMessage, DeviceMark, HeardMessage, NoticeMark
from ingest.store.counters import Fall
from ingest.store.kept_api import KINDS

KEEP_NETWORK_STATE_S, KEEP_THINNED_S, THINNED_S = 3600, 26 * 3600, 600
"""Network states: all of an hour, then one in ten minutes for a day and a little."""
KEEP_AHEAD_S, KEEP_LEARNT_S = 6 * 3600, 8 * 86_400
"""What was simulated ahead is made anew every hour, what the twin learns is kept every half hour."""
KEEP_NOTICES_DAYS = 30
MAX_NOTICES = 2000
MAX_DEAD_LETTERS = 20_000
"""Of one first level of a topic: a flood in one dialect does not push out the letters of the others."""
MAX_DEAD_BYTES = 256_000_000
KEEP_MESSAGES_DAYS = 8
MAX_MESSAGE_BYTES = 64_000_000
"""Of what devices really said: as long as what comes late is taken."""
COUNTERS = (
    "messages", "readings", "rejected_messages", "rejected_readings", "duplicates", "late", "unkept_messages",
    "broker_dropped", "unstorable", "set_aside",
)  # fmt: skip


def write_rest(
    db: duckdb.DuckDBPyConnection, batch: Batch, counts: Mapping[str, int], falls: Sequence[Fall]
) -> None:
    """Write everything of a batch but its readings, within a transaction of the caller."""
    _write_counts(db, counts)
    if batch.redone:
        db.execute("DELETE FROM dead_letter WHERE list_contains(?, hash)", [list(batch.redone)])
    _write_dead(db, batch.dead)
    _write_messages(db, batch.messages)
    if batch.memory:
        rows = pa.table({"key": list(batch.memory), "value": list(batch.memory.values())})
        _put(db, rows, "INSERT INTO adapter_memory SELECT * FROM put "
             "ON CONFLICT (key) DO UPDATE SET value = excluded.value")  # fmt: skip
    _write_devices(db, batch.devices)
    _write_falls(db, falls)
    marks = [NoticeMark(f"counter_{f.kind}", str(f.point_no), f.t_us) for f in falls]
    write_notices(db, (*batch.notices, *marks))


def _put(db: duckdb.DuckDBPyConnection, rows: pa.Table, statement: str) -> None:
    db.register("put", rows)
    db.execute(statement)
    db.unregister("put")


def _times(us: Sequence[int]) -> pa.Array:
    return pa.array(np.array(us, "datetime64[us]"))


def _write_counts(db: duckdb.DuckDBPyConnection, counts: Mapping[str, int]) -> None:
    some = {name: counts[name] for name in COUNTERS if counts.get(name)}
    if some:
        rows = pa.table({"name": list(some), "value": pa.array(list(some.values()), pa.int64())})
        _put(db, rows, "INSERT INTO ingest_counter SELECT * FROM put "
             "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value")  # fmt: skip


def _write_dead(db: duckdb.DuckDBPyConnection, dead: Sequence[DeadMessage]) -> None:
    if not dead:
        return
    by_hash: dict[str, DeadMessage] = {}
    count: dict[str, int] = {}
    for d in dead:
        by_hash[d.hash] = d
        count[d.hash] = count.get(d.hash, 0) + d.count
    rows = list(by_hash.values())
    table = pa.table(
        {
            "hash": list(by_hash),
            "t": _times([d.t_us for d in rows]),
            "count": pa.array(list(count.values()), pa.int64()),
            "topic": [d.topic for d in rows],
            "reason": [d.reason for d in rows],
            "payload": pa.array([d.payload for d in rows], pa.binary()),
            "size": pa.array([d.size for d in rows], pa.int64()),
        }
    )
    _put(db, table, "INSERT INTO dead_letter SELECT hash, t, t, count, topic, reason, payload, size FROM put "
         "ON CONFLICT (hash) DO UPDATE SET last_t = excluded.last_t, count = count + excluded.count, "
         "reason = excluded.reason")  # fmt: skip


def _write_messages(db: duckdb.DuckDBPyConnection, messages: Sequence[HeardMessage]) -> None:
    if messages:
        table = pa.table(
            {
                "devices": pa.array([m.devices for m in messages], pa.list_(pa.string())),
                "t": _times([m.t_us for m in messages]),
                "topic": [m.topic for m in messages],
                "payload": pa.array([m.payload for m in messages], pa.binary()),
                "size": pa.array([m.size for m in messages], pa.int64()),
            }
        )
        _put(db, table, "INSERT INTO message SELECT * FROM put")


def _write_devices(db: duckdb.DuckDBPyConnection, marks: Sequence[DeviceMark]) -> None:
    if not marks:
        return
    table = pa.table(
        {
            "device_id": [m.device_id for m in marks],
            "last_t": _times([m.t_us for m in marks]),
            "last_received": _times([m.received_us for m in marks]),
            "messages": pa.array([m.messages for m in marks], pa.int64()),
            "skew_s": pa.array([m.skew_s for m in marks], pa.float64()),
            "online": [m.online for m in marks],
        }
    )
    _put(db, table, "INSERT INTO device_state SELECT * FROM put ON CONFLICT (device_id) DO UPDATE SET "
         "last_t = greatest(last_t, excluded.last_t), last_received = excluded.last_received, "
         "messages = messages + excluded.messages, skew_s = excluded.skew_s, "
         "online = excluded.online")  # fmt: skip


def _write_falls(db: duckdb.DuckDBPyConnection, falls: Sequence[Fall]) -> None:
    if falls:
        table = pa.table(
            {
                "point_no": pa.array([f.point_no for f in falls], pa.int32()),
                "t": _times([f.t_us for f in falls]),
                "kind": [f.kind for f in falls],
                "before": [f.before for f in falls],
                "after": [f.after for f in falls],
                "span": [f.span for f in falls],
            }
        )
        _put(db, table, "INSERT INTO counter_event SELECT * FROM put")


def write_notices(db: duckdb.DuckDBPyConnection, notices: Sequence[NoticeMark]) -> None:
    """Add up notices by kind and subject."""
    if not notices:
        return
    summed: dict[tuple[str, str], list[NoticeMark]] = {}
    for n in notices:
        summed.setdefault((n.kind, n.subject), []).append(n)
    table = pa.table(
        {
            "kind": [k for k, _ in summed],
            "subject": [s for _, s in summed],
            "first_t": _times([min(n.t_us for n in ns) for ns in summed.values()]),
            "last_t": _times([max(n.t_us for n in ns) for ns in summed.values()]),
            "count": pa.array([sum(n.count for n in ns) for ns in summed.values()], pa.int64()),
            "detail": [ns[-1].detail for ns in summed.values()],
        }
    )
    _put(db, table, "INSERT INTO ingest_notice SELECT * FROM put ON CONFLICT (kind, subject) DO UPDATE SET "
         "last_t = greatest(last_t, excluded.last_t), count = count + excluded.count, "
         "detail = excluded.detail")  # fmt: skip


def tidy(db: duckdb.DuckDBPyConnection, now_us: int, raw_days: int) -> None:
    """Thin network states after an hour and drop them after a day; drop old courses ahead and corrections,
    sums of 5 minutes with their readings, old notices, surplus dead letters and messages. Readings are the
    sorter's."""
    day = 86_400_000_000
    db.execute(
        "DELETE FROM network_state WHERE t < make_timestamp($old) OR (t < make_timestamp($hour) "
        "AND run_no NOT IN (SELECT arg_min(run_no, t) FROM network_state GROUP BY epoch_us(t) // $step))",
        {"old": now_us - KEEP_THINNED_S * 1_000_000, "hour": now_us - KEEP_NETWORK_STATE_S * 1_000_000,
         "step": THINNED_S * 1_000_000},
    )  # fmt: skip
    for kind, age_s in (("ahead", KEEP_AHEAD_S), ("assimilation", KEEP_LEARNT_S)):
        db.execute(
            "DELETE FROM kept WHERE kind = ? AND t < make_timestamp(?)",
            [KINDS.index(kind), now_us - age_s * 1_000_000],
        )
    db.execute(
        "DELETE FROM dead_letter WHERE hash IN (SELECT hash FROM dead_letter "
        "QUALIFY row_number() OVER (PARTITION BY split_part(topic, '/', 1) ORDER BY last_t DESC) > ? "
        "OR sum(octet_length(payload)) OVER (ORDER BY last_t DESC) > ?)",
        [MAX_DEAD_LETTERS, MAX_DEAD_BYTES],
    )
    db.execute(
        "DELETE FROM message WHERE t < make_timestamp($old) OR t <= (SELECT max(t) FROM (SELECT t, "
        "sum(least(size, 16384)) OVER (ORDER BY t DESC) AS bytes FROM message) WHERE bytes > $most)",
        {"old": now_us - KEEP_MESSAGES_DAYS * day, "most": MAX_MESSAGE_BYTES},
    )
    db.execute(
        "DELETE FROM ingest_notice WHERE last_t < make_timestamp(?) OR (kind, subject) NOT IN "
        "(SELECT (kind, subject) FROM ingest_notice ORDER BY last_t DESC LIMIT ?)",
        [now_us - KEEP_NOTICES_DAYS * day, MAX_NOTICES],
    )
    db.execute("DELETE FROM rollup_5min WHERE t < make_timestamp(?)", [now_us - raw_days * day])
