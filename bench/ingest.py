"""Ingest in figures: durable messages and readings per second, delay, drain, recovery, disk, memory, queries.

Each phase has a fresh Mosquitto (the shipped configuration) and a fresh store; the county is the demo county
(3,510 points). The peer of the message rate is a bare paho subscriber that acknowledges and counts, measured
in turn with ingest in the same run. Run: ``python -m bench.ingest [--json FILE] [--quick] [--only PHASE]``.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt

from bench.ingest_fair import bench_fair
from bench.ingest_load import STEP, count_bare
from bench.ingest_rig import TOKEN, Load, Rig, make_rig
from bench.table import Row, Table, row
from ingest.county import load_county, save_county
from ingest.demo.county import generate_county
from ingest.store.batch import Batch
from ingest.store.client import StoreClient
from ingest.store.owner import StoreOwner
from tests.support.system import wait_until
from twin.model.errors import StoreUnavailable

WAITING = 10_000
"""Arrays that may wait in the run of ten minutes: a million readings."""
READINGS = {"small": 3, "array": 100}
AHEAD = 100_000
"""Messages that may wait while ingest is killed; the broker of this project keeps 500,000."""
TOPICS = {"small": "heat/+/data", "array": "v1/gateway/+"}


def measure_bare(county: Path, kind: str, count: int) -> float:
    """Messages per second a bare subscriber counts."""
    with make_rig(county) as rig:
        ready, out = multiprocessing.Event(), multiprocessing.Value("d", 0.0)
        args = (rig.broker, TOPICS[kind], count, ready, out)
        subscriber = multiprocessing.Process(target=count_bare, args=args)
        subscriber.start()
        ready.wait(20)
        load = Load(county, rig.broker, kind, count)
        began = load.go()
        load.wait()
        subscriber.join(200)
        return count / (out.value - began)


def measure_durable(county: Path, kind: str, count: int) -> tuple[float, float, float, Rig]:
    """(messages/s until all are committed, peak MB, sender's messages/s) and the stopped rig's figures."""
    with make_rig(county) as rig:
        rig.start()
        load = Load(county, rig.broker, kind, count)
        began = load.go()
        rate = count / load.wait()
        wanted = count * READINGS[kind]
        seconds = rig.wait_readings(wanted) - began
        rig.stop()
        assert rig.rows() == (wanted, wanted), "each reading exactly once"
        rig.disk = rig.bytes_per_reading()  # type: ignore[attr-defined]
        return count / seconds, rig.peak_mb, rate, rig


def bench_messages(county: Path, scale: float) -> list[Row]:
    """Small messages (three readings) against the bare subscriber, in turn."""
    count = int(100_000 * scale)
    bare, ours, peaks = [], [], []
    for _ in range(3 if scale >= 1 else 1):
        bare.append(measure_bare(county, "small", count))
        rate, peak, _, _ = measure_durable(county, "small", count)
        ours.append(rate)
        peaks.append(peak)
    ratio = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
    return [
        row("bare paho subscriber, QoS 1", statistics.median(bare), "messages/s"),
        row("durable messages (3 readings each)", statistics.median(ours), "messages/s"),
        row("  of the bare subscriber, same run", 100 * ratio, "%", "80"),
        row("  peak memory of ingest", max(peaks), "MB", "400"),
    ]


def bench_arrays(county: Path, scale: float) -> list[Row]:
    """Gateway arrays of 100 readings."""
    rate, peak, sender, rig = measure_durable(county, "array", int(20_000 * scale))
    arrived, in_order = rig.disk  # type: ignore[attr-defined]
    return [
        row("durable readings in arrays of 100", 100 * rate, "readings/s", "500000"),
        row("  the sender alone", 100 * sender, "readings/s"),
        row("  peak memory of ingest", peak, "MB", "400"),
        row("on disk per reading, as it arrived", arrived, "bytes", "4.5"),
        row("on disk per reading, sorted by point and time", in_order, "bytes", "2.5"),
    ]


def bench_backlog(county: Path, scale: float) -> list[Row]:
    """A full session: ingest was away and takes what waits at the broker."""
    count = int(60_000 * scale)
    with make_rig(county) as rig:
        rig.start()
        rig.stop()
        load = Load(county, rig.broker, "small", count)
        load.go()
        load.wait()
        began = time.time()
        connected = rig.start()
        seconds = rig.wait_readings(count * 3) - began
        rig.stop()
        rows, different = rig.rows()
    return [
        row(f"{count} messages waiting at the broker: start to all stored", seconds, "s"),
        row("  of that, start to connected", connected, "s"),
        row("  readings lost", count * 3 - different, ""),
        row("  readings twice", rows - different, ""),
    ]


def bench_delay(county: Path, scale: float) -> list[Row]:
    """From publish to visible in the store, beside 1,000 messages/s of others."""
    table = load_county(county)
    device = next(d for d in table.devices if d.dialect == "thingsboard" and d.kind == "station_plc")
    points = [p for p in table.points if p.device_id == device.id]
    mine = np.array([p.no for p in points])
    seconds = 30 * scale
    with make_rig(county) as rig:
        rig.start()
        load = Load(county, rig.broker, "small", int(1000 * seconds), 1000.0)
        seen: dict[int, float] = {}
        over = threading.Event()

        def watch() -> None:
            seq = 0
            while not over.is_set():
                latest = rig.client.latest(seq)
                at, seq = time.time(), latest.seq
                for t in latest.t[np.isin(latest.point_no, mine)]:
                    seen.setdefault(round(float(t) * 1000), at)
                time.sleep(0.005)

        watcher = threading.Thread(target=watch)
        watcher.start()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.connect("127.0.0.1", rig.broker)
        client.loop_start()
        load.go()
        sent: dict[int, float] = {}
        end = time.monotonic() + seconds - 1
        while time.monotonic() < end:
            t = round(time.time() * 1000)
            key = points[len(sent) % len(points)].external_key
            body = {device.external_id: [{"ts": t, "values": {key: 60.0}}]}
            sent[t] = time.time()
            client.publish("v1/gateway/telemetry", json.dumps(body), qos=1)
            time.sleep(0.11 + 0.013 * (t % 7))
        load.wait()
        time.sleep(1.5)
        over.set()
        watcher.join()
        client.disconnect()
        client.loop_stop()
        rig.stop()
    delays = sorted(seen[t] - at for t, at in sent.items() if t in seen)
    p50, p95, p99 = np.percentile(delays, [50, 95, 99])
    return [
        row("publish to visible, beside 1,000 messages/s: p50", p50, "s"),
        row("  p95", p95, "s"),
        row("  p99", p99, "s"),
        row("  probes not seen", len(sent) - len(delays), f"of {len(sent)}"),
    ]


def fill(county: Path, file: Path, rows: int) -> tuple[int, float]:
    """A store with ``rows`` readings of the county up to now, as they would have come; (point_no, end)."""
    table = load_county(county)
    owner = StoreOwner(file, table.points)
    n, rng = len(table.points), np.random.default_rng(1)
    steps = rows // n
    end = float(int(time.time()))
    for first in range(0, steps, 100):
        count = min(100, steps - first)
        t = np.repeat(end - (steps - first - np.arange(count)) * 30.0, n)
        no = np.tile(np.arange(n), count)
        t_us = np.rint(t * 1e6).astype(np.int64) + no
        value = np.round(50 + 10 * np.sin(t / 7000 + no) + rng.normal(0, 0.1, t.size), 2)
        owner.write(Batch(no, t_us, t_us + 200_000, value, np.full(t.size, 192)))
    owner.close()
    return int(table.points[n // 2].no), end


def timed(work: Callable[[], object], times: int) -> tuple[float, float]:
    """(p50, p95) in ms of calls that succeed."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - began))
    return float(np.percentile(took, 50)), float(np.percentile(took, 95))


def bench_queries(county: Path, scale: float) -> list[Row]:
    """What pages ask, over Quack, while 1,000 messages/s arrive."""
    rows = int(10_000_000 * scale)
    with make_rig(county) as rig:
        no, end = fill(county, rig.file, rows)
        rig.start()
        load = Load(county, rig.broker, "small", 60_000, 1000.0)
        load.go()
        client = rig.client
        day = 86_400.0
        asked: list[tuple[str, Callable[[], object], int]] = [
            ("latest of all points", client.latest, 60),
            ("what is new in latest", lambda: client.latest(10**9), 60),
            ("history of one point, 6 h", lambda: client.history(no, end - day / 4, end), 40),
            ("history of one point, 24 h", lambda: client.history(no, end - day, end), 40),
            ("latest at a past time", lambda: client.latest_at(end - 3600), 15),
            ("readings per point, 1 h", lambda: client.point_counts(end - 3600, end), 15),
        ]
        out = [row("readings in the store for the queries", rows, "")]
        for name, work, times in asked:
            try:
                p50, p95 = timed(work, max(int(times * min(scale, 1)), 5))
            except StoreUnavailable as e:
                print(f"{name}: {e}")
                continue
            out += [row(f"{name}: p50", p50, "ms"), row("  p95", p95, "ms")]
        load.process.kill()
        rig.stop()
    return out


def bench_clients(county: Path, scale: float) -> list[Row]:
    """From commit to eight clients that ask over Quack what is new, beside 1,000 messages/s."""
    seconds, clients = 30 * scale, 8
    with make_rig(county) as rig:
        rig.start()
        load = Load(county, rig.broker, "small", int(1000 * seconds), 1000.0)
        delays: list[float] = []
        over = threading.Event()

        def watch() -> None:
            client = StoreClient(rig.uri, TOKEN)
            seq = client.latest().seq
            while not over.is_set():
                latest = client.latest(seq)
                at, seq = time.time(), latest.seq
                if latest.received.size:
                    delays.append(at - float(latest.received.max()))
                time.sleep(0.25)
            client.close()

        load.go()
        time.sleep(2.0)
        watchers = [threading.Thread(target=watch) for _ in range(clients)]
        for w in watchers:
            w.start()
        time.sleep(seconds - 4)
        over.set()
        for w in watchers:
            w.join()
        load.wait()
        rig.stop()
    p50, p95, p99 = np.percentile(delays, [50, 95, 99])
    return [
        row("arrival to each of 8 clients that ask every 0.25 s: p50", p50, "s"),
        row("  p95", p95, "s"),
        row("  p99", p99, "s", "0.5"),
    ]


def bench_kills(county: Path, scale: float) -> list[Row]:
    """Killed at random moments while up to 2,000 messages/s arrive; every reading must be there once.

    Each kill has its share of the messages, and no more than ``AHEAD`` wait at the broker, however long a
    start takes: what is tried is ingest, not the size of a queue.
    """
    kills, chance = max(int(25 * scale), 3), np.random.default_rng(11)
    count = 2000 * 4 * kills
    with make_rig(county) as rig:
        rig.start()
        load = Load(county, rig.broker, "small", count, 2000.0, True)
        load.go()
        back: list[float] = []
        for k in range(1, kills + 1):
            load.allow(min(count * k // kills, rig.stored() // 3 + AHEAD))
            time.sleep(float(chance.uniform(0.05, 1.5)))
            rig.kill()
            back.append(rig.start())
        before, quiet = 0, time.monotonic()
        while (stored := rig.stored()) < 3 * count and time.monotonic() < quiet + 60:
            load.allow(stored // 3 + AHEAD)
            if stored > before:
                before, quiet = stored, time.monotonic()
            time.sleep(0.2)
        load.wait()
        dropped = rig.dropped()
        rig.stop()
        rows, different = rig.rows()
    return [
        row(f"kill -9 at {kills} random moments, {count} messages: readings lost", 3 * count - different, ""),
        row("  readings twice", rows - different, ""),
        row("  messages the broker dropped", dropped, ""),
        row("  start to connected after a kill, median", statistics.median(back), "s"),
        row("  longest", max(back), "s"),
    ]


def bench_sustained(county: Path, scale: float) -> list[Row]:
    """Arrays of 100 readings for ten minutes, never more than ``WAITING`` ahead of what is stored."""
    until, count = time.monotonic() + 600 * scale, int(10_000_000 * scale)
    with make_rig(county) as rig:
        rig.start()
        load = Load(county, rig.broker, "array", count, 0.0, True)
        began = load.go()
        allowed, marks = 0, [(began, 0)]
        while time.monotonic() < until:
            stored = rig.stored()
            if time.time() - marks[-1][0] >= 60 * scale:
                marks.append((time.time(), stored))
            allowed = max(allowed, (stored // READINGS["array"] + WAITING) // STEP * STEP)
            load.allow(allowed)
            time.sleep(0.1)
        wanted = allowed * READINGS["array"]
        wait_until(lambda: rig.stored() >= wanted, 120, "what was sent is stored")
        seconds, dropped = time.time() - began, rig.dropped()
        load.process.kill()
        rig.stop()
        rows, repeats = rig.count_rows(), rig.repeats_of(7)
        size = rig.file.stat().st_size / rows
    slices = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(marks)]
    return [
        row(
            f"readings/s in arrays of 100, held for {seconds / 60:.1f} minutes", rows / seconds, "", "1000000"
        ),
        row("  in the slowest tenth of that time", min(slices), "1/s"),
        row("  readings in all", rows, ""),
        row("  lost", wanted - rows, ""),
        row("  twice, of seven points", repeats, ""),
        row("  messages the broker dropped", dropped, ""),
        row("  peak memory of ingest", rig.peak_mb, "MB", "400"),
        row("  file per reading, as it arrived, sums included", size, "bytes", "4.5"),
    ]


PHASES: dict[str, Callable[[Path, float], list[Row]]] = {
    "messages": bench_messages,
    "arrays": bench_arrays,
    "backlog": bench_backlog,
    "delay": bench_delay,
    "clients": bench_clients,
    "queries": bench_queries,
    "fair": bench_fair,
    "kills": bench_kills,
    "sustained": bench_sustained,
}


def main() -> None:
    """Print the table; with ``--json`` write the same rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="a fifth of the load")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the load (4: 100 kills)")
    parser.add_argument("--only", choices=sorted(PHASES), action="append")
    args = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="bench-county-") as tmp:
        save_county(generate_county(7), Path(tmp) / "county")
        for name in args.only or PHASES:
            for r in PHASES[name](Path(tmp) / "county", 0.2 if args.quick else args.scale):
                table.keep(r)
    table.write(args.json)


if __name__ == "__main__":
    main()
