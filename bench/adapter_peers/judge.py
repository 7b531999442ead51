"""What a peer says it did, and what the store says of it."""

import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.adapter_peers.field import ORDER_PERCENT, Peer, to_si
from ingest.store.client import StoreClient
from ingest.store.command_api import OPEN, Command
from twin.model.county import County, Point
from twin.model.readings import Quality

PATIENCE_S = 20.0
NEAR = 1e-6
"""Relative; numbers of 32 bits are good to 6e-8."""


@dataclass
class Result:
    """One line of the table."""

    peer: Peer
    rows: int = 0
    expected: int = 0
    differs: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    version: str = ""

    def line(self) -> str:
        """As Markdown."""
        p = self.peer
        return (
            f"| {p.dialect} | {p.package} {self.version} | {p.licence} | {p.exchanged} | "
            f"{self.rows} of {self.expected} | {'; '.join(self.differs) or '-'} |"
        )

    def as_json(self) -> dict[str, object]:
        """The same for programs, with what the peer said on the way."""
        p = self.peer
        return {
            "adapter": p.dialect, "peer": p.package, "version": self.version, "licence": p.licence,
            "script": p.script, "exchanged": p.exchanged, "rows": self.rows, "expected": self.expected,
            "told": self.told, "differs": self.differs,
        }  # fmt: skip


class _Ear:
    """Lines of a peer, as they come."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: queue.Queue[dict[str, object]] = queue.Queue()
        self.sent: list[tuple[str, float, float | None]] = []
        self.orders: list[float] = []
        self.told: list[str] = []
        self.firmware = ""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                self.lines.put(json.loads(line))

    def take(self) -> None:
        """Whatever has been said by now."""
        while not self.lines.empty():
            said = self.lines.get()
            for key, value, t in said.get("sent", ()):  # type: ignore[attr-defined]
                self.sent.append((key, float(value), None if t is None else t / 1000))
            if "order" in said:
                self.orders.append(float(said["order"]))  # type: ignore[arg-type]
            if "told" in said:
                self.told.append(str(said["told"]))
            self.firmware = str(said.get("firmware", self.firmware))

    def wait(self, check: Callable[[], object]) -> bool:
        """Whether ``check`` came true in time; False also when the peer has ended."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self.take()
            if check():
                return True
            if self.process.poll() is not None and self.lines.empty():
                return False
            time.sleep(0.1)
        return False


def judge(
    peer: Peer, process: "subprocess.Popen[str]", log: Path, county: County, store: StoreClient
) -> Result:
    """Follow one peer to its end and compare."""
    found, ear = Result(peer), _Ear(process)
    device = f"X-{peer.script.partition('.')[0]}"
    points = {p.external_key: p for p in county.points if p.device_id == device}
    before = {d.hash: d.count for d in store.dead_letters()}
    began = time.time() - 10
    if not ear.wait(lambda: ear.sent):
        found.differs.append(f"it sent nothing: {_last_words(log)}")
        return found
    _wait_rows(ear, points, store, began)
    for key, value in (("cv_sp", ORDER_PERCENT / 100), *((("mode", 1.0),) if peer.switch else ())):
        if peer.written:
            _command(found, ear, store, county.point_by_id[f"{device}/{key}"].no, value)
    _wait_rows(ear, points, store, began)
    _compare_rows(found, ear, points, store, began)
    if ear.firmware:

        def told() -> bool:
            return (device, ear.firmware) in {(d.device_id, d.firmware) for d in store.device_lives()}

        if not ear.wait(told):
            found.differs.append(f"firmware {ear.firmware!r} is not told")
    _end(found, ear, peer, device, store)
    found.told = ear.told
    for d in store.dead_letters():
        if before.get(d.hash) != d.count and peer.name.partition(":")[0][:8] in d.topic + d.reason:
            found.differs.append(f"{d.topic}: {d.reason}")
    return found


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "and has no log"


def _command(found: Result, ear: _Ear, store: StoreClient, point_no: int, value: float) -> None:
    """A set-point is asked for, obeyed and read back."""
    before = len(ear.sent)
    no = store.request_command(point_no, value, "", "tried by the bench")

    def ended() -> Command | None:
        return next((c for c in store.commands() if c.no == no and c.state not in OPEN), None)

    ear.wait(ended)
    ear.wait(lambda: len(ear.sent) > before)
    command = next((c for c in store.commands() if c.no == no), None)
    state = command.state if command is not None else "lost"
    if state != "done":
        detail = command.detail if command is not None else ""
        found.differs.append(f"set-point {point_no}: {state} {detail} (the peer heard {ear.orders})")
    elif command is not None and command.answered is not None:
        ear.told.append(f"answered {'yes' if command.answered else 'no'}, read back")
    else:
        ear.told.append("read back")


def _wait_rows(ear: _Ear, points: dict[str, Point], store: StoreClient, since: float) -> None:
    """Until as many readings are there as were sent; what is missing is told by the comparison."""

    def count() -> int:
        return sum(store.history(p.no, since, time.time() + 60).t.size for p in points.values())

    end = time.monotonic() + 6.0
    while time.monotonic() < end and count() < len(set(ear.sent)):
        ear.take()
        time.sleep(0.1)


def _compare_rows(
    found: Result, ear: _Ear, points: dict[str, Point], store: StoreClient, since: float
) -> None:
    """Each value that was sent is there once, at its time; and nothing else is."""
    wanted = dict.fromkeys(ear.sent)
    for key, point in points.items():
        series = store.history(point.no, since, time.time() + 60)
        rows = list(zip(series.t.tolist(), series.value.tolist(), series.quality.tolist(), strict=True))
        for _, value, t in (w for w in wanted if w[0] == key):
            found.expected += 1
            si = to_si(point.unit, value)
            row = next((r for r in rows if _is_it(r, si, t)), None)
            if row is None:
                found.differs.append(f"{key} {value:g}: not there, only {[r[1] for r in rows][:4]}")
                continue
            rows.remove(row)
            found.rows += 1
            if row[2] != Quality.GOOD:
                found.differs.append(f"{key} {value:g}: quality {row[2]}")
        found.differs += [f"{key}: {r[1]:g} was not sent" for r in rows]
    found.differs += [f"{w[0]}: no such point" for w in wanted if w[0] not in points]


def _is_it(row: tuple[float, float, int], value: float, t: float | None) -> bool:
    near = abs(row[1] - value) <= NEAR * max(abs(value), 1e-9)
    return near and (abs(row[0] - t) < 0.0006 if t is not None else abs(row[0] - time.time()) < 3600)


def _end(found: Result, ear: _Ear, peer: Peer, device: str, store: StoreClient) -> None:
    """The peer goes; where its protocol says so, ingest knows it."""
    states = {s.device_id: s for s in store.device_states()}
    if device not in states or not states[device].online:
        found.differs.append("not told to be online")
    assert ear.process.stdin is not None
    ear.process.stdin.write("end\n")
    ear.process.stdin.flush()

    def gone() -> bool:
        return any(s.device_id == device and not s.online for s in store.device_states())

    if not peer.end:
        with suppress(subprocess.TimeoutExpired):
            ear.process.wait(10)
        return
    end = time.monotonic() + 10.0
    while time.monotonic() < end and not gone():
        time.sleep(0.1)
    if not gone():
        found.differs.append("its end is not told")
