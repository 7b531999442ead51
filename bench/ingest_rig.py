"""What ``bench.ingest`` measures with: a broker, an ingest process and a client of its store."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from app.supervisor.plan import LEAN
from ingest.store.api import IngestStats
from ingest.store.client import StoreClient
from ingest.store.tables import COLUMNS, DAY, METER, NEW, WEEK
from tests.support.system import ROOT, free_port, run_mosquitto, wait_until
from twin.model.errors import StoreUnavailable

TOKEN = "token-of-a-bench"  # noqa: S105 - loopback, for minutes


@dataclass
class Rig:
    """One data folder; ``start`` and ``kill`` the ingest that owns it."""

    county: Path
    folder: Path
    broker: int
    store: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    peak_mb: float = 0.0

    def __post_init__(self) -> None:
        self.uri = f"quack:127.0.0.1:{self.store}"
        self.client = StoreClient(self.uri, TOKEN)

    def start(self) -> float:
        """Start ingest as the supervisor does; seconds until it is connected."""
        env = {
            **LEAN, **os.environ, "CT_DATA": str(self.folder / "var"), "CT_COUNTY": str(self.county),
            "MQTT_URL": f"mqtt://127.0.0.1:{self.broker}", "CT_STORE_URI": f"quack:127.0.0.1:{self.store}",
            "CT_STORE_TOKEN": TOKEN,
        }  # fmt: skip
        log = (self.folder / "ingest.log").open("ab")
        began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ingest"], cwd=ROOT, env=env, stdout=log, stderr=log
        )
        log.close()
        wait_until(self.connected, 60, "ingest is connected", every_s=0.05)
        return time.monotonic() - began

    def stats(self) -> IngestStats | None:
        """Counters, or None while the store is away."""
        try:
            return self.client.stats()
        except StoreUnavailable:
            return None

    def connected(self) -> bool:
        """Whether ingest takes messages."""
        stats = self.stats()
        return stats is not None and stats.broker == "connected"

    def stored(self) -> int:
        """Readings in the table as far as is known now; 0 while the store is away."""
        stats = self.stats()
        return stats.readings if stats is not None else 0

    def waiting(self) -> int:
        """Messages that ingest has and has not stored, on disk or not; 0 while the store is away."""
        stats = self.stats()
        return stats.queue if stats is not None else 0

    def dropped(self) -> int:
        """Messages the broker said it dropped; 0 while the store is away."""
        stats = self.stats()
        return stats.broker_dropped if stats is not None else 0

    def wait_readings(self, count: int, timeout_s: float = 240.0) -> float:
        """Time of day when ``count`` readings were in the table."""

        def there() -> bool:
            stats = self.stats()
            return stats is not None and stats.readings >= count

        wait_until(there, timeout_s, f"{count} readings are stored", every_s=0.05)
        return time.time()

    def note_peak(self) -> float:
        """Largest resident memory of the process so far, MB."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        self.peak_mb = max(self.peak_mb, int(peak.split()[1]) / 1024)
        return self.peak_mb

    def kill(self) -> None:
        """As kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As Ctrl-C; the file is whole afterwards."""
        assert self.process is not None
        self.note_peak()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    @property
    def file(self) -> Path:
        """The DuckDB file."""
        return self.folder / "var" / "store" / "county.duckdb"

    def rows(self) -> tuple[int, int]:
        """(rows, different (point, time)) of a stopped store."""
        with duckdb.connect(str(self.file), read_only=True) as db:
            row = db.execute("SELECT count(*), count(DISTINCT (point_no, t_ms)) FROM reading").fetchone()
        assert row is not None
        return int(row[0]), int(row[1])

    def count_rows(self) -> int:
        """Rows of a stopped store."""
        with duckdb.connect(str(self.file), read_only=True) as db:
            row = db.execute("SELECT count(*) FROM reading").fetchone()
        assert row is not None
        return int(row[0])

    def repeats_of(self, points: int) -> int:
        """Rows more than different times, of so many points of a stopped store too large to look at whole."""
        with duckdb.connect(str(self.file), read_only=True) as db:
            row = db.execute(
                "SELECT count(*) - count(DISTINCT (point_no, t_ms)) FROM reading WHERE point_no IN "
                "(SELECT point_no FROM latest ORDER BY hash(point_no) LIMIT ?)",
                [points],
            ).fetchone()
        assert row is not None
        return int(row[0])

    def bytes_per_reading(self) -> tuple[float, float]:
        """(as it arrived, sorted by point and time): bytes on disk per reading of a stopped store."""
        sizes = []
        parts = " UNION ALL ".join(f"SELECT {COLUMNS} FROM old.{t}" for t in (NEW, DAY, WEEK, METER))  # noqa: S608
        for order in ("", "ORDER BY point_no, CASE WHEN point_no % 2 = 0 THEN t_ms ELSE -t_ms END"):
            copy = self.folder / "copy.duckdb"
            copy.unlink(missing_ok=True)
            with duckdb.connect(str(copy)) as db:
                db.execute(f"ATTACH '{self.file}' AS old (READ_ONLY)")
                db.execute(f"CREATE TABLE one AS SELECT * FROM ({parts}) LIMIT 0")  # noqa: S608 - own words
                db.execute("CHECKPOINT")
                empty = copy.stat().st_size
                db.execute(f"INSERT INTO one SELECT * FROM ({parts}) {order}")  # noqa: S608 - own words
                db.execute("CHECKPOINT")
            sizes.append(copy.stat().st_size - empty)
        rows = max(self.rows()[0], 1)
        return sizes[0] / rows, sizes[1] / rows


@contextmanager
def make_rig(county: Path) -> Iterator[Rig]:
    """A fresh broker and data folder; everything ends with the context."""
    with tempfile.TemporaryDirectory(prefix="bench-ingest-") as tmp:
        folder = Path(tmp)
        with run_mosquitto(folder / "mosquitto") as broker:
            rig = Rig(county, folder, broker)
            try:
                yield rig
            finally:
                if rig.process is not None and rig.process.poll() is None:
                    rig.kill()
                rig.client.close()


class Load:
    """A sender in its own process, ready to go."""

    def __init__(
        self, county: Path, broker: int, kind: str, count: int, rate: float = 0.0, told: bool = False
    ) -> None:
        """``rate``: messages/s, 0: as fast as it goes. ``told``: no more than ``allow`` has said."""
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "bench.ingest_load", str(county), str(broker), kind, str(count),
                str(rate), str(int(told)),
            ],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def go(self) -> float:
        """Begin; returns the time of day."""
        assert self.process.stdin is not None
        began = time.time()
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return began

    def allow(self, messages: int) -> None:
        """The sender may go on until it has sent so many."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it has sent all
            self.process.stdin.write(f"{messages}\n")
            self.process.stdin.flush()

    def wait(self) -> float:
        """Seconds it took until the broker had acknowledged all."""
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline())
        self.process.wait(30)
        return float(said["seconds"])
