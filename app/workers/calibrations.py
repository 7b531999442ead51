"""Versions of the calibration: made from history in the store, adopted, taken back.

A version is kept whole (kind ``calibration``). The one adopted last is in force; taking it back puts the one
adopted before it in force again, or the survey. Nothing is ever overwritten. The twin worker makes a version
every week and follows what is adopted. By hand, with the worker's environment:
``python -m app.workers.calibrations make|list|adopt|withdraw``.
"""

import argparse
import getpass
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.county import load_county
from ingest.settings import read_settings
from ingest.store.api import Store
from ingest.store.client import connect_store
from ingest.store.kept_api import Kept
from twin.calibration import (
    Calibration,
    Records,
    apply_calibration,
    calibrate,
    gather_records,
    read_calibration,
)
from twin.compare import make_snapshot
from twin.model.county import County
from twin.model.errors import CountyTwinError, InputError

STEP_S = 600.0
DAY_S = 86_400.0
NIGHTLY_DAYS, EVERY_S = 7.0, 7 * DAY_S
EX_CONFIG = 78
ADOPTED, WITHDRAWN = "adopted", "withdrawn"


@dataclass(frozen=True, slots=True)
class Version:
    """One version in the store: ``row`` with its number, time, state and who decided, and what it says."""

    row: Kept
    calibration: Calibration


def fetch_records(store: Store, county: County, end: float, days: float) -> Records:
    """History every ten minutes, with what was too old or of bad quality left out.

    Raises
    ------
    InputError : there is none
    """
    snapshots = []
    for t in np.arange(np.ceil((end - days * DAY_S) / STEP_S), np.floor(end / STEP_S) + 1) * STEP_S:
        table = store.latest_at(float(t))
        if table.point_no.size:
            s = make_snapshot(county.points, float(t), table.point_no, table.t, table.value, table.quality)
            if np.isfinite(s.value).any():
                snapshots.append(s)
    return gather_records(snapshots)


def make_version(store: Store, county: County, end: float, days: float, who: str = "") -> Version:
    """Calibrate from history and keep the result; nothing is adopted by that.

    Raises
    ------
    InputError : too little history
    """
    made = calibrate(county, fetch_records(store, county, end, days))
    learnt = sum(f.learnt for f in made.factors)
    title = f"{learnt} of {len(made.factors)} factors from {days:g} days"
    no = store.keep("calibration", title, made.as_body(), who)
    return find_version(store, no)


def list_versions(store: Store) -> list[Kept]:
    """All versions, newest first."""
    return store.kept("calibration")


def find_version(store: Store, no: int) -> Version:
    """One version. Raises ``InputError``: there is none of this number."""
    row = next((r for r in list_versions(store) if r.no == no), None)
    body = store.kept_body(no) if row is not None else None
    if row is None or not isinstance(body, dict):
        raise InputError(
            f"there is no calibration {no}: 'python -m app.workers.calibrations list' names them"
        )
    return Version(row, read_calibration(body))


def adopt_version(store: Store, no: int, who: str) -> Version:
    """Put a version in force. Raises ``InputError``: there is none of this number."""
    version = find_version(store, no)
    store.mark_kept(version.row, ADOPTED, who)
    return version


def withdraw_version(store: Store, no: int, who: str) -> Version:
    """Take a version back. Raises ``InputError``: it was not adopted."""
    version = find_version(store, no)
    if version.row.state != ADOPTED:
        raise InputError(
            f"calibration {no} is {version.row.state}, not {ADOPTED}: there is nothing to take back"
        )
    store.mark_kept(version.row, WITHDRAWN, who)
    return version


def find_adopted(store: Store) -> int:
    """Number of the version in force, 0: the survey."""
    adopted = [r for r in list_versions(store) if r.state == ADOPTED]
    return max(adopted, key=lambda r: r.changed).no if adopted else 0


def apply_adopted(store: Store, county: County, no: int) -> County:
    """Return the county with the version in force; pipes and stations it does not know stay as surveyed."""
    return county if no == 0 else apply_calibration(county, find_version(store, no).calibration)


def start_nightly(worker_env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Make a version in a process of its own, so that the live runs go on meanwhile."""
    command = [sys.executable, "-m", "app.workers.calibrations", "make", "--days", f"{NIGHTLY_DAYS:g}"]
    return subprocess.Popen(command, env=dict(worker_env))  # noqa: S603 - our own module


def is_due(store: Store, now: float) -> bool:
    """Whether the newest version is a week old, or there is none."""
    newest = store.kept("calibration", limit=1)
    return not newest or now - newest[0].made > EVERY_S


def main(argv: Sequence[str]) -> int:
    """Make, list, adopt or take back versions; settings from the environment (``CT_STORE_TOKEN`` too)."""
    parser = argparse.ArgumentParser(prog="python -m app.workers.calibrations", description=main.__doc__)
    doing = parser.add_subparsers(dest="what", required=True)
    doing.add_parser("make").add_argument("--days", type=float, default=NIGHTLY_DAYS)
    doing.add_parser("list")
    for what in ("adopt", "withdraw"):
        doing.add_parser(what).add_argument("no", type=int)
    args = parser.parse_args(argv)
    try:
        settings = read_settings()
        store = connect_store(settings)
    except CountyTwinError as e:
        print(e, file=sys.stderr)
        return EX_CONFIG
    try:
        if args.what == "make":
            county = load_county(settings.county)
            version = make_version(store, county, time.time(), args.days, "nightly")
            print(f"calibration {version.row.no}: {version.row.title}")
            print(*version.calibration.unknown, sep="\n")
        elif args.what == "list":
            for row in list_versions(store):
                made = time.strftime("%F %R", time.gmtime(row.made))
                print(f"{row.no} {made} {row.state} {row.who} {row.title}")
        else:
            act = adopt_version if args.what == "adopt" else withdraw_version
            print(f"calibration {act(store, args.no, getpass.getuser()).row.no}: {args.what}")
    except CountyTwinError as e:
        print(e, file=sys.stderr)
        return 1
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
