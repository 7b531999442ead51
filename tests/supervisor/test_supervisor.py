import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.supervisor.child import Backoff
from app.supervisor.log import LogStream
from app.supervisor.spec import ROOT, ChildSpec
from app.supervisor.supervisor import Supervisor
from tests.supervisor.conftest import Make

LIVE = "import time\nwhile True: time.sleep(0.05)"
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf')\n" + LIVE


class Run:
    """A supervisor in this process, with what it said; told to stop once ``when`` is true."""

    def __init__(self, data: Path, *specs: ChildSpec) -> None:
        self.out = io.StringIO()
        self.status_file = data / "run" / "status.json"
        self.log = LogStream(data / "logs" / "x.log", self.out)
        self.supervisor = Supervisor(specs, self.log, self.status_file)

    def until(self, when: Callable[["Run"], bool], timeout_s: float = 20.0) -> int:
        """Run it; SIGINT to this very process once ``when`` is true (or time is up)."""
        seen = threading.Event()

        def watch() -> None:
            end = time.monotonic() + timeout_s
            while time.monotonic() < end and not seen.is_set():
                if when(self):
                    break
                time.sleep(0.02)
            if not seen.is_set():
                os.kill(os.getpid(), signal.SIGINT)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            return self.supervisor.run()
        finally:
            seen.set()
            watcher.join()
            self.log.close()

    @property
    def said(self) -> str:
        return self.out.getvalue()

    def status(self) -> dict[str, dict[str, Any]]:
        return {p["name"]: p for p in json.loads(self.status_file.read_text())["processes"]}

    def states(self) -> dict[str, str]:
        return {n: c.state for n, c in self.supervisor.children.items()}


def test_backoff_doubles_to_its_limit_and_forgets_after_a_stable_minute() -> None:
    backoff = Backoff(first_s=1.0, limit_s=5.0, stable_s=60.0)
    assert [backoff.next_delay_s(0.1) for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert backoff.next_delay_s(61.0) == 1.0
    assert backoff.next_delay_s(59.0) == 2.0


def test_output_of_both_streams_is_one_readable_log(data: Path, fake: Make) -> None:
    code = (
        "import sys; print('to out 供热'); print('to err', file=sys.stderr); sys.stdout.write('unfinished'); "
    )
    run = Run(data, fake("talker", code + "sys.stdout.flush(); " + "import time; time.sleep(0.2)"))
    assert run.until(lambda r: "unfinished" in r.said) == 0
    lines = [line for line in run.said.splitlines() if " talker " in line]
    assert any(line.endswith("to out 供热") for line in lines)
    assert any(line.endswith("to err") for line in lines)
    assert all(line[2] == ":" and line[5] == ":" for line in lines)
    assert "to out 供热" in (data / "logs" / "x.log").read_text(encoding="utf-8")


def test_what_dies_is_started_again_with_another_pid(data: Path, fake: Make) -> None:
    run = Run(data, fake("ingest", LIVE))
    first: list[int] = []

    def killed_and_up_again(r: Run) -> bool:
        child = r.supervisor.children["ingest"]
        if child.state != "up" or child.pid is None:
            return False
        if not first:
            first.append(child.pid)
            os.kill(child.pid, signal.SIGKILL)
            return False
        return child.pid != first[0]

    assert run.until(killed_and_up_again) == 0
    assert run.supervisor.children["ingest"].restarts == 1
    assert "ingest ended (killed by SIGKILL); next try in 0.5 s" in run.said
    assert run.status()["ingest"]["restarts"] == 1


def test_a_child_that_cannot_run_as_configured_ends_the_run_with_its_sentence(data: Path, fake: Make) -> None:
    code = "import sys; print('CT_LANG is fr; give zh or en', file=sys.stderr); sys.exit(78)"
    run = Run(data, fake("other", LIVE), fake("dashboard", code))
    assert run.until(lambda r: False) == 78
    assert run.supervisor.children["dashboard"].restarts == 0
    assert "dashboard cannot run: CT_LANG is fr; give zh or en" in run.said
    assert run.states() == {"other": "stopped", "dashboard": "failed"}


def test_needs_are_waited_for_and_a_job_done_counts(data: Path, fake: Make) -> None:
    job = fake("county", "import time; time.sleep(0.3); print('made')", once=True)
    run = Run(data, job, fake("ingest", "print('begun')\n" + LIVE, needs=("county",)))
    assert run.until(lambda r: r.states()["ingest"] == "up") == 0
    assert run.said.index("made") < run.said.index("begun")
    assert run.supervisor.children["county"].restarts == 0


def test_a_job_that_fails_ends_the_run(data: Path, fake: Make) -> None:
    job = fake("county", "import sys; print('no room on the disk'); sys.exit(1)", once=True)
    run = Run(data, job, fake("ingest", LIVE, needs=("county",)))
    assert run.until(lambda r: False) == 78
    assert "county cannot run: no room on the disk" in run.said
    assert run.states()["ingest"] == "stopped"


def test_a_job_that_is_not_vital_may_fail_and_the_run_goes_on(data: Path, fake: Make) -> None:
    job = fake("survey", "import sys; print('no room on the disk'); sys.exit(1)", once=True, vital=False)
    run = Run(data, job, fake("ingest", LIVE, after=("survey",), after_s=0.3))
    assert run.until(lambda r: r.states()["ingest"] == "up" and r.states()["survey"] == "stopped") == 0
    assert run.supervisor.children["survey"].restarts == 0


def test_what_comes_after_another_waits_for_it_but_not_for_ever(data: Path, fake: Make) -> None:
    never_up = fake("broker", LIVE, probe=lambda: False)
    run = Run(data, never_up, fake("devices", LIVE, after=("broker",), after_s=0.4))
    begun = time.monotonic()
    assert run.until(lambda r: r.states()["devices"] == "up") == 0
    assert time.monotonic() - begun >= 0.4
    assert run.states()["broker"] == "stopped"


def test_children_are_stopped_in_order_and_a_deaf_one_is_killed(data: Path, fake: Make) -> None:
    polite = (
        "import signal, sys, time\ndef end(*a):\n print('ends'); time.sleep(0.2); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('ready')\n" + LIVE
    )
    run = Run(
        data,
        fake("broker", polite, stop_rank=3),
        fake("ingest", STUBBORN, stop_rank=2, grace_s=0.3),
        fake("devices", polite, stop_rank=0),
    )
    assert run.until(lambda r: r.said.count("ready") == 2 and "deaf" in r.said) == 0
    ends = [line.split()[1] for line in run.said.splitlines() if line.endswith(" ends")]
    assert ends == ["devices", "broker"]
    assert run.supervisor.children["ingest"].detail == "killed by SIGKILL"
    assert {p["state"] for p in run.status().values()} == {"stopped"}


def test_what_a_child_had_started_itself_ends_with_it(data: Path, fake: Make) -> None:
    code = "import subprocess\np = subprocess.Popen(['sleep', '60'])\nprint('grandchild', p.pid)\n" + LIVE
    run = Run(data, fake("broker", code))
    assert run.until(lambda r: "grandchild" in r.said) == 0
    pid = int(run.said.split("grandchild ")[1].split()[0])
    assert is_gone(pid)


def test_a_program_that_is_not_there_is_tried_again_and_said(data: Path) -> None:
    run = Run(data, ChildSpec("broker", ("/nowhere/mosquitto",), {}))
    assert run.until(lambda r: r.supervisor.children["broker"].restarts >= 2) == 0
    assert "broker: cannot start /nowhere/mosquitto: No such file or directory" in run.said


def test_the_status_file_says_who_is_up_since_when(data: Path, fake: Make) -> None:
    run = Run(data, fake("twin", LIVE))
    before = time.time()

    def is_up(r: Run) -> bool:
        return r.status_file.exists() and r.status()["twin"]["state"] == "up"

    seen: list[dict[str, Any]] = []
    assert run.until(lambda r: is_up(r) and not seen.append(r.status()["twin"])) == 0  # type: ignore[func-returns-value]
    twin = seen[0]
    assert set(twin) == {"name", "state", "pid", "birth", "since", "restarts", "detail"}
    assert before <= twin["since"] <= time.time() and twin["pid"] > 0


def test_an_unreadable_terminal_never_stops_the_system(data: Path) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    log = LogStream(data / "logs" / "x.log", Closed())
    log.say("run", "still alive")
    log.close()
    assert "still alive" in (data / "logs" / "x.log").read_text()


def test_the_log_file_is_rotated(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.supervisor.log.FILE_LIMIT_BYTES", 400)
    log = LogStream(data / "logs" / "x.log", io.StringIO())
    for i in range(60):
        log.say("ingest", f"line {i}")
    log.close()
    names = sorted(p.name for p in (data / "logs").iterdir())
    assert names == ["x.log", *(f"x.log.{i}" for i in range(1, 6))]
    assert all(p.stat().st_size < 600 for p in (data / "logs").iterdir())


OUTER = """
import sys, os
from pathlib import Path
from app.supervisor.log import LogStream
from app.supervisor.spec import ChildSpec
from app.supervisor.supervisor import Supervisor
data = Path(sys.argv[1])
deaf = (sys.executable, "-c", {code!r})
specs = [ChildSpec(n, deaf, dict(os.environ), settle_s=0.1) for n in ("a", "b")]
Supervisor(specs, LogStream(data / "x.log"), data / "status.json").run()
"""


def is_gone(pid: int, timeout_s: float = 5.0) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's promise is Linux's")
def test_no_child_outlives_a_killed_supervisor_even_a_deaf_one(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", OUTER.format(code=STUBBORN), str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    try:
        pids = wait_for_pids(tmp_path / "status.json", 2)
        process.kill()
        process.wait(10)
        assert all(is_gone(pid) for pid in pids)
    finally:
        process.kill()
        process.wait(10)


def wait_for_pids(status_file: Path, count: int) -> list[int]:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if status_file.exists():
            said = json.loads(status_file.read_text())["processes"]
            pids = [p["pid"] for p in said if p["state"] == "up"]
            if len(pids) == count:
                return pids
        time.sleep(0.05)
    raise AssertionError("the children did not come up")
