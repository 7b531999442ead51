import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli import checks
from app.cli.checks import Check, Patient, examine, read_requirements
from app.cli.main import describe_failure, main
from app.supervisor.lock import hold_data_folder
from app.supervisor.spec import ROOT
from ingest.county import save_county
from ingest.settings import read_settings
from tests.support.tiny import make_tiny_county
from twin.model.errors import ConfigError


def patient(data: Path, **env: str) -> Patient:
    full = {"CT_DATA": str(data), "PATH": os.environ["PATH"], **env}
    return Patient(read_settings(full), full)


def by_name(found: Iterator[Check]) -> dict[str, list[Check]]:
    rows: dict[str, list[Check]] = {}
    for check in found:
        rows.setdefault(check.name, []).append(check)
    return rows


def test_a_fresh_folder_is_well(data: Path) -> None:
    rows = by_name(examine(patient(data, CT_PORT=str(free_port()))))
    assert {"python", "packages", "data", "run", "port", "broker", "county", "store"} == set(rows)
    assert all(c.verdict != "bad" for row in rows.values() for c in row)


def free_port() -> int:
    from app.supervisor.ports import pick_port

    return pick_port()


def test_every_bad_line_carries_a_mend(data: Path) -> None:
    sick = patient(data, MQTT_URL=f"mqtt://127.0.0.1:{free_port()}", CT_COUNTY=str(data / "nothing"))
    bad = [c for c in examine(sick) if c.verdict == "bad"]
    assert {c.name for c in bad} == {"broker", "county"}
    assert all(c.mend for c in bad)


def test_a_package_that_is_missing_or_other_is_told(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements.txt").write_text("typer==0.0.1\nno-such-thing-here[x]==2 # why\n")
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    rows = {c.verdict: c.text for c in checks.check_packages(patient(data))}
    assert rows["bad"] == "missing: no-such-thing-here"
    assert re.fullmatch(r"other versions than tried: typer \S+ \(pinned: 0\.0\.1\)", rows["warn"])


def test_requirements_are_read_without_extras_and_comments(tmp_path: Path) -> None:
    file = tmp_path / "r.txt"
    file.write_text("# head\ndash[fastapi]==4.4.1\n-c c.txt\n\npyarrow\nx==1 ; python_version<'4'\n")
    assert read_requirements(file) == [("dash", "4.4.1"), ("pyarrow", ""), ("x", "1")]


def test_a_county_is_loaded_and_checked(data: Path) -> None:
    save_county(make_tiny_county(), data / "county")
    (found,) = checks.check_county(patient(data))
    assert found.verdict in ("ok", "warn") and "no fault" in found.text
    (data / "county" / "county.gpkg").write_bytes(b"not a geopackage")
    (broken,) = checks.check_county(patient(data))
    assert broken.verdict == "bad" and "county.gpkg" in broken.text


def test_a_running_system_is_told_with_what_is_down(data: Path) -> None:
    row = {"name": "ingest", "state": "backoff", "pid": None, "detail": "exit status 1; next try in 4 s"}
    well = {"name": "twin", "state": "up", "pid": 1, "detail": ""}
    import json

    file = data / "run" / "status.json"
    with hold_data_folder(data):
        file.write_text(json.dumps({"t": time.time(), "address": "http://x/", "processes": [row, well]}))
        (bad,) = checks.check_run(patient(data))
        assert (bad.verdict, bad.text) == ("bad", "ingest: backoff exit status 1; next try in 4 s")
        file.write_text(json.dumps({"t": time.time(), "address": "http://x/", "processes": [well]}))
        (good,) = checks.check_run(patient(data))
        assert good.verdict == "ok" and "http://x/" in good.text
        file.write_text(json.dumps({"t": time.time() - 60, "processes": [well]}))
        assert next(checks.check_run(patient(data))).verdict == "bad"
        file.write_text("{")
        assert next(checks.check_run(patient(data))).verdict == "warn"
    assert next(checks.check_run(patient(data))).text == "not running now"


def test_a_full_disk_is_bad(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    usage = type(shutil.disk_usage(data))
    monkeypatch.setattr(shutil, "disk_usage", lambda p: usage(10**12, 10**12, 10_000_000))
    assert next(checks.check_data_folder(patient(data))).verdict == "bad"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["--help"], 0),
        (["bogus"], 2),
        (["run", "--port", "99999"], 2),
        (["run", "--lang", "fr"], 78),
        (["import-county", "/nowhere.toml", "--into", "/tmp/never-made"], 1),
    ],
)
def test_exit_status_and_no_trace(words: list[str], code: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words) == code
    said = capfd.readouterr()
    assert (said.out + said.err).strip() and "Traceback" not in said.err


def test_trace_shows_where_it_failed(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--lang", "fr", "--trace"]) == 78
    assert "Traceback" in capfd.readouterr().err


def test_what_was_not_foreseen_is_still_one_sentence() -> None:
    assert describe_failure(ValueError("odd")) == "ValueError: odd (add --trace to see where)"
    assert describe_failure(ConfigError("CT_LANG is odd")) == "CT_LANG is odd"
    assert describe_failure(PermissionError(13, "Permission denied", "/x")) == "/x: Permission denied"


def test_an_old_python_gets_a_sentence() -> None:
    code = (
        "import runpy, sys\nsys.version_info = (3, 9, 2, 'final', 0)\n"
        "runpy.run_module('app', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("County Twin needs Python 3.11 or newer; this is 3.9.")
    assert "Traceback" not in done.stderr


def test_a_fault_for_a_demo_that_does_not_run_says_so(
    data: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MQTT_URL", raising=False)
    assert main(["demo", "fault", "leak", "--data", str(data)]) == 1
    assert "No demo runs" in capfd.readouterr().err


def test_make_knows_its_targets_and_the_ci_script_is_there() -> None:
    for target in ("run", "test", "bench", "clean", "demo", "doctor", "help"):
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_accounts_are_kept_with_the_data_and_passwords_come_on_standard_input(data: Path) -> None:
    def user(*words: str, said: str = "Qingshui-2026\n") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "app", "user", *words, "--data", str(data)]
        return subprocess.run(command, cwd=ROOT, input=said, capture_output=True, text=True, check=False)

    assert user("add", "li", "--role", "operator").stdout == "li may sign in as operator.\n"
    assert "operator" in user("list").stdout
    assert user("add", "wang", said="").stderr == "No password came on standard input.\n"
    assert user("passwd", "li", said="short\n").returncode == 1
    link = user("link", "/embed/overview").stdout
    assert link.startswith("http://127.0.0.1:8050/embed/overview?key=")
    assert user("link", "/heating").returncode == 1
    assert user("remove", "li").returncode == 0
    assert "no accounts" in user("list").stdout
