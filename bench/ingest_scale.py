"""One worker with a file, one and two workers with a lake: durable messages and readings per second.

Broker, PostgreSQL, senders and workers share this machine: where it has two cores, two workers cannot be
faster than one. Run: ``python -m bench.ingest_scale [--messages N] [--kind small|array]
[--s3 http://KEY:SECRET@host:port --bucket NAME]`` (a server that runs; without: a folder).
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import psutil

from bench.ingest import READINGS
from bench.ingest_rig import TOKEN, Load
from bench.table import Table
from ingest.county import save_county
from ingest.demo.county import generate_county
from ingest.store.client import StoreClient
from tests.support.postgres import run_postgres
from tests.support.system import ROOT, free_port, run_mosquitto, wait_until
from twin.model.errors import StoreUnavailable


class Worker:
    """One ingest process of a rig."""

    def __init__(self, folder: Path, county: Path, broker: int, more: dict[str, str]) -> None:
        port = free_port()
        env = {
            **os.environ, "CT_DATA": str(folder), "CT_COUNTY": str(county), "CT_STORE_TOKEN": TOKEN,
            "MQTT_URL": f"mqtt://127.0.0.1:{broker}", "CT_STORE_URI": f"quack:127.0.0.1:{port}", **more,
        }  # fmt: skip
        folder.mkdir(parents=True)
        with (folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ingest"], cwd=ROOT, env=env, stdout=log, stderr=log
            )
        self.client = StoreClient(f"quack:127.0.0.1:{port}", TOKEN)

    def messages(self) -> int:
        """So many messages were taken; -1: the store does not answer yet."""
        try:
            stats = self.client.stats()
        except StoreUnavailable:
            return -1
        return stats.messages if stats.broker == "connected" else -1

    def stop(self) -> float:
        """As Ctrl-C; the largest resident memory, MB."""
        peak = next(
            line for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines()
            if line.startswith("VmHWM")
        )  # fmt: skip
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
        self.client.close()
        return int(peak.split()[1]) / 1024


def spent(processes: Iterable[psutil.Process]) -> float:
    """Processor time so far, s; of one that has just ended too."""
    return sum(sum(p.cpu_times()[:2]) for p in processes)


def find_brokers() -> list[psutil.Process]:
    """The Mosquitto that this bench has started."""
    return [p for p in psutil.Process().children() if p.name() == "mosquitto"]


def find_catalogue(catalog: str | None) -> list[psutil.Process]:
    """PostgreSQL behind a libpq text, with its processes for each connection."""
    port = catalog.split("port=")[1].split()[0] if catalog else ""
    heads = [p for p in psutil.process_iter(["name", "cmdline"]) if p.info["name"] == "postgres"]
    heads = [p for p in heads if port and port in (p.info["cmdline"] or [])]
    return heads + [c for p in heads for c in p.children(recursive=True)]


def measure(
    county: Path, kind: str, count: int, workers: int, catalog: str | None, bucket: dict[str, str]
) -> tuple[float, float, dict[str, float]]:
    """(messages/s until all are committed, largest memory of a worker in MB, who took how much processor, in
    cores)."""
    tmp = Path(tempfile.mkdtemp(prefix="bench-scale-"))
    try:
        with run_mosquitto(tmp / "mosquitto") as broker:
            lake = {"CT_LAKE": catalog, "CT_LAKE_DATA": str(tmp / "files"), **bucket} if catalog else {}
            many = [
                Worker(tmp / f"w{n}", county, broker, {**lake, "CT_WORKER": f"{n}/{workers}"})
                for n in range(1, workers + 1)
            ]
            try:
                wait_until(lambda: all(w.messages() >= 0 for w in many), 60, "workers are connected")
                load = Load(county, broker, kind, count)
                who = {
                    "workers": [psutil.Process(w.process.pid) for w in many], "broker": find_brokers(),
                    "sender": [psutil.Process(load.process.pid)], "PostgreSQL": find_catalogue(catalog),
                }  # fmt: skip
                before = {name: spent(some) for name, some in who.items()}
                began = load.go()
                wait_until(
                    lambda: sum(w.messages() for w in many) >= count, 200, "all is stored", every_s=0.05
                )
                seconds = time.time() - began
                cores = {name: (spent(some) - before[name]) / seconds for name, some in who.items()}
                load.wait()
            finally:
                peak = max(w.stop() for w in many)
        return count / seconds, peak, cores
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--kind", choices=sorted(READINGS), default="small")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--s3", default="")
    parser.add_argument("--bucket", default="lake")
    told = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="bench-county-") as tmp:
        county = Path(tmp) / "county"
        save_county(generate_county(7), county)
        for name, workers, in_lake in (
            ("one worker, its own file", 1, False),
            ("one worker, a lake", 1, True),
            ("two workers, a lake", 2, True),
        ):  # fmt: skip
            folder = f"s3://{told.bucket}/{workers}-{time.time():.0f}/"
            bucket = {"CT_LAKE_S3": told.s3, "CT_LAKE_DATA": folder} if told.s3 else {}
            with run_postgres() if in_lake else nullcontext() as catalog:
                rate, peak, cores = measure(county, told.kind, told.messages, workers, catalog, bucket)
            table.add(f"{name}: durable messages", rate, "messages/s")
            table.add("  readings", rate * READINGS[told.kind], "readings/s")
            for who, share in cores.items():
                table.add(f"  taken by {who}", share, "cores")
            table.add("  processor time of the workers", 1e6 * cores["workers"] / rate, "µs a message")
            table.add("  largest memory of a worker", peak, "MB")
    table.write(told.json)


if __name__ == "__main__":
    main()
