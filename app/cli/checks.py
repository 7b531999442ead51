"""The checks of ``doctor``: each looks at one thing and says ok, warn or bad, with the mend."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from app.supervisor.broker import choose_broker
from app.supervisor.launch import DISK_NEEDED_BYTES, check_dashboard_port
from app.supervisor.lock import is_held
from app.supervisor.spec import ROOT
from ingest.settings import Broker, Settings, parse_mqtt_url
from twin.model.errors import ConfigError, CountyError, CountyTwinError

Verdict = Literal["ok", "warn", "bad"]
DISK_COMFORT_BYTES = 5_000_000_000
STATUS_OLD_S = 10.0
CERTIFICATE_DAYS = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; ``mend`` is empty when there is nothing to do."""

    name: str
    verdict: Verdict
    text: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at."""

    settings: Settings
    env: Mapping[str, str]

    @property
    def running(self) -> bool:
        """Whether a supervisor holds the data folder now."""
        return is_held(self.settings.data)


def check_python(patient: Patient) -> Iterator[Check]:
    """Version of Python."""
    said = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= (3, 15):
        yield Check("python", "warn", f"Python {said} is newer than what was tried", "use 3.11 to 3.14")
    else:
        yield Check("python", "ok", f"Python {said} at {sys.executable}")


def read_requirements(file: Path) -> list[tuple[str, str]]:
    """Return ``(package, pinned version or "")`` of a requirements file; extras and comments dropped."""
    rows = []
    for raw in file.read_text(encoding="utf-8").splitlines():
        line = raw.split("#")[0].split(";")[0].strip()
        if line and not line.startswith("-"):
            name, _, pin = line.partition("==")
            rows.append((name.split("[")[0].strip(), pin.strip()))
    return rows


def check_packages(patient: Patient) -> Iterator[Check]:
    """Whether what requirements.txt pins is what is installed."""
    missing, other = [], []
    for name, pin in read_requirements(ROOT / "requirements.txt"):
        try:
            here = version(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        if pin and here != pin:
            other.append(f"{name} {here} (pinned: {pin})")
    mend = "pip install -r requirements.txt (make run does it)"
    if missing:
        yield Check("packages", "bad", f"missing: {', '.join(missing)}", mend)
    if other:
        yield Check("packages", "warn", f"other versions than tried: {', '.join(other)}", mend)
    if not missing and not other:
        yield Check("packages", "ok", "everything in requirements.txt is installed as pinned")


def check_data_folder(patient: Patient) -> Iterator[Check]:
    """Write permission and room."""
    data = patient.settings.data
    there = next(p for p in (data, *data.parents) if p.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield Check(
            "data", "bad", f"{there} cannot be written", "give a folder of yours with --data or CT_DATA"
        )
        return
    free = shutil.disk_usage(there).free
    said = f"{data}: {free / 1e9:.1f} GB free"
    if free < DISK_NEEDED_BYTES:
        yield Check("data", "bad", said, "make room, or give a folder on another disk with --data")
    elif free < DISK_COMFORT_BYTES:
        yield Check("data", "warn", said, "a heating season of a county needs some tens of GB")
    else:
        yield Check("data", "ok", said)


def check_run(patient: Patient) -> Iterator[Check]:
    """Whether it runs now, and how its processes are."""
    settings = patient.settings
    if not patient.running:
        yield Check("run", "ok", "not running now")
        return
    try:
        said = json.loads(settings.status_file.read_text(encoding="utf-8"))
        processes, age = list(said["processes"]), time.time() - float(said["t"])
    except (OSError, ValueError, KeyError, TypeError):
        mend = "wait a moment and look again; then restart it"
        yield Check("run", "warn", "running, but its status file cannot be read", mend)
        return
    if age > STATUS_OLD_S:
        mend = "is the disk full, or the machine very busy? Otherwise restart it"
        yield Check("run", "bad", f"running, but its status is {age:.0f} s old", mend)
    for p in processes:
        if p["state"] in ("starting", "backoff"):
            log = settings.data / "logs" / "county-twin.log"
            text = f"{p['name']}: {p['state']} {p['detail']}".rstrip()
            yield Check(
                "run", "warn" if p["state"] == "starting" else "bad", text, f"its own words are in {log}"
            )
    if all(p["state"] in ("up", "stopped") for p in processes):
        yield Check("run", "ok", f"running at {said.get('address', '?')}: all processes are up")


def check_port(patient: Patient) -> Iterator[Check]:
    """Whether the dashboard could listen."""
    settings = patient.settings
    if patient.running:
        return
    try:
        check_dashboard_port(settings)
    except ConfigError as e:
        yield Check("port", "bad", str(e))
    else:
        yield Check("port", "ok", f"{settings.host}:{settings.port} is free for the dashboard")


def _judge_certificate(broker: Broker) -> Check:
    from ingest.credentials.certificates import ask_broker  # only here: the supervisor stays light

    try:
        days = (ask_broker(broker) - time.time()) / 86_400.0
    except (OSError, ValueError) as e:
        return Check("broker", "warn", f"its certificate cannot be read: {e}")
    if days < CERTIFICATE_DAYS:
        return Check("broker", "warn", f"its certificate ends in {days:.0f} days", "renew it")
    return Check("broker", "ok", f"its certificate is good for {days:.0f} days")


def check_broker(patient: Patient) -> Iterator[Check]:
    """Which broker a run uses, and whether one that is not ours answers."""
    try:
        choice = choose_broker(patient.env.get("CT_BROKER", "auto"), patient.env, None)
    except ConfigError as e:
        yield Check("broker", "bad", str(e))
        return
    if choice.kind == "external":
        parts = parse_mqtt_url(choice.url)
        from ingest.worker.probe import probe_broker  # only here: the supervisor stays light

        answer = probe_broker(parts)
        if answer.version is None:
            yield Check("broker", "bad", f"MQTT_URL: {answer.reason}", answer.mend)
        else:
            spoken = "5" if answer.version == 5 else "3.1.1"
            yield Check("broker", "ok", f"MQTT_URL: {parts.host}:{parts.port} lets us in, MQTT {spoken}")
            if parts.tls:
                yield _judge_certificate(parts)
    elif choice.kind == "embedded":
        mend = "for more than a trial: apt-get install mosquitto"
        yield Check("broker", "ok", f"the embedded broker, MQTT 3.1.1 only; {mend}")
    else:
        yield Check("broker", "ok", f"mosquitto at {choice.command[0]}, on loopback")


def check_county(patient: Patient) -> Iterator[Check]:
    """Whether the county's files load and hold together."""
    folder = patient.settings.county
    if not (folder / "county.toml").exists():
        if "CT_COUNTY" in patient.env:
            mend = f"python -m app import-county MAPPING --into {folder}"
            yield Check("county", "bad", f"no county.toml in {folder}", mend)
        else:
            yield Check("county", "ok", "none yet: the demo county is made at the first start")
        return
    from ingest.county import load_county
    from twin.model.check import check_county as find_faults

    try:
        county = load_county(folder)
    except CountyError as e:
        yield Check("county", "bad", f"{folder}: {e}", "mend the files named, or import the county again")
        return
    faults = find_faults(county)
    for finding in faults:
        yield Check("county", "warn", finding.line("zh"))
    if not faults:
        n = len(county.points)
        yield Check("county", "ok", f"{county.meta.name} in {folder}: {n} points, no fault found")


def check_store(patient: Patient) -> Iterator[Check]:
    """Whether the store's file can be opened by its owner."""
    file = patient.settings.store_file
    if not file.exists():
        yield Check("store", "ok", f"none yet: {file} is made at the first start")
    elif not os.access(file, os.R_OK | os.W_OK):
        mend = f"chown it to the user that runs County Twin: {file}"
        yield Check("store", "bad", f"{file} cannot be read and written", mend)
    else:
        yield Check("store", "ok", f"{file}: {file.stat().st_size / 1e6:.1f} MB")


CHECKS: tuple[Callable[[Patient], Iterator[Check]], ...] = (
    check_python,
    check_packages,
    check_data_folder,
    check_run,
    check_port,
    check_broker,
    check_county,
    check_store,
)


def examine(patient: Patient) -> Iterator[Check]:
    """Run every check; one that fails itself becomes a line too."""
    for check in CHECKS:
        try:
            yield from check(patient)
        except (CountyTwinError, OSError) as e:
            yield Check(check.__name__.removeprefix("check_"), "bad", str(e))
