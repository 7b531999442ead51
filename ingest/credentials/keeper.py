"""Keeps the broker's files in step with the county: who is new gets a password, who is gone is locked out.

The folder (``$CT_DATA/credentials``) holds ``passwords`` and ``acl`` for Mosquitto, ``mosquitto.conf`` to
include, and ``new.csv`` with passwords that nobody has fetched yet. A broker that writes ``mosquitto.pid``
there is told to read them again.
"""

import contextlib
import csv
import io
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.credentials.passwords import (
    hash_password,
    make_password,
    read_password_file,
    write_password_file,
)
from ingest.credentials.rights import INGEST, Account, write_access_list

TO_HAND_OUT = "new.csv"
CONF = """\
# Include this from mosquitto.conf (include_dir, or copy it), with a listener of your own, see operations.md.
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
pid_file {folder}/mosquitto.pid
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a round has done: names that are new, names that are gone, whether the broker was told."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    changed: bool
    told: bool


class Keeper:
    """Works on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def on(self) -> bool:
        """Whether credentials are kept at all: after the first ``sync``."""
        return (self.folder / "passwords").exists()

    def sync(self, accounts: Sequence[Account], renew: Sequence[str] = ()) -> Changes:
        """Bring the files in step; ``renew``: names that get a new password."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        old = read_password_file(self._read("passwords"))
        names = [a.name for a in accounts]
        fresh = {n: make_password() for n in names if n not in old or n in renew}
        hashes = {n: hash_password(fresh[n]) if n in fresh else old[n] for n in names}
        gone = tuple(sorted(set(old) - set(names)))
        if fresh or gone:
            self._note(fresh, gone)
        access = write_access_list(accounts)
        changed = bool(fresh or gone) or access != self._read("acl")
        if changed:
            self._write("passwords", write_password_file(hashes))
            self._write("acl", access)
            self._write("mosquitto.conf", CONF.format(folder=self.folder.absolute()))
        return Changes(tuple(sorted(fresh)), gone, changed, changed and self._tell())

    def _note(self, fresh: dict[str, str], gone: Sequence[str]) -> None:
        """Passwords to hand out, in a file that only its owner reads; remove it when they are handed out."""
        rows = {r[0]: r[1] for r in csv.reader(io.StringIO(self._read(TO_HAND_OUT))) if len(r) == 2}
        rows = {n: p for n, p in rows.items() if n not in gone and n != "account"} | fresh
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([("account", "password"), *sorted(rows.items())])
        self._write(TO_HAND_OUT, out.getvalue())

    def ingest_password(self) -> str:
        """Of the account of ingest, while it still stands in ``new.csv``; empty afterwards."""
        rows = csv.reader(io.StringIO(self._read(TO_HAND_OUT)))
        return next((r[1] for r in rows if len(r) == 2 and r[0] == INGEST), "")

    def _tell(self) -> bool:
        """SIGHUP: Mosquitto reads passwords and access list again. Connected clients it then refuses stay
        connected until their next message, which the access list decides on."""
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(self._read("mosquitto.pid")), signal.SIGHUP)
            return True
        return False

    def _read(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _write(self, name: str, text: str) -> None:
        """Whole or not at all. The group may read what the broker needs, nobody else anything."""
        fresh = self.folder / f"{name}.new"
        number = os.open(
            fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if name == TO_HAND_OUT else 0o640
        )
        with os.fdopen(number, "w", encoding="utf-8") as out:
            out.write(text)
        fresh.replace(self.folder / name)
