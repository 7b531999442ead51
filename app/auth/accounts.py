"""The accounts of the dashboard, in one file of the data folder that only its owner may read."""

import contextlib
import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from twin.model.errors import InputError

Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most: sees, acts on events, manages."""

NAME = re.compile(r"[\w.@-]{2,40}")
PASSWORD_LENGTH = 10
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
"""argon2id, 19 MiB, 2 rounds. Source: OWASP Password Storage Cheat Sheet."""


@cache
def hash_of_nobody() -> str:
    """Checked for unknown names, so that an answer takes as long as for known ones."""
    return HASHER.hash(secrets.token_hex(8))


@dataclass(frozen=True, slots=True)
class Account:
    """``stamp`` changes with the password and ends the sessions that were opened before."""

    name: str
    role: Role
    hash: str
    stamp: str
    created: float


class AccountFile:
    """Reads and changes the file; a change elsewhere (the command line) is seen at the next question.

    Parameters
    ----------
    path : ``$CT_DATA/auth/accounts.json``; made at the first account
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._accounts: dict[str, Account] = {}

    def accounts(self) -> dict[str, Account]:
        """Return every account by name.

        Raises
        ------
        InputError : the file is damaged; the text names it
        """
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            self._seen, self._accounts = None, {}
            return self._accounts
        mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if mark != self._seen:
            self._accounts, self._seen = self._read(), mark
        return self._accounts

    def _read(self) -> dict[str, Account]:
        try:
            rows = json.loads(self.path.read_text(encoding="utf-8"))["accounts"]
            return {row["name"]: Account(**row) for row in rows}
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise InputError(
                f"The accounts in {self.path} cannot be read ({e}); restore it from a backup."
            ) from e

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Account]]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.path.parent / "accounts.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            accounts = dict(self.accounts())
            yield accounts
            rows = [asdict(a) for a in accounts.values()]
            fresh = self.path.with_name(self.path.name + ".new")
            write_private(fresh, json.dumps({"accounts": rows}, ensure_ascii=False, indent=1))
            fresh.replace(self.path)

    def add(self, name: str, password: str, role: Role) -> Account:
        """Add an account.

        Raises
        ------
        InputError : the name is taken or odd, the role unknown, the password too weak
        """
        if not NAME.fullmatch(name):
            raise InputError(f"{name!r} is no name for an account: 2 to 40 letters, digits, or . @ - _")
        if role not in ROLES:
            raise InputError(f"{role!r} is no role; one of: {', '.join(ROLES)}")
        check_password(password, name)
        with self._changing() as accounts:
            if name in accounts:
                raise InputError(
                    f"There is an account {name} already; 'user passwd {name}' changes its password."
                )
            accounts[name] = Account(name, role, HASHER.hash(password), secrets.token_hex(8), time.time())
        return accounts[name]

    def remove(self, name: str) -> None:
        """Remove an account; its sessions end.

        Raises
        ------
        InputError : no such account
        """
        with self._changing() as accounts:
            find_account(accounts, name)
            del accounts[name]

    def set_password(self, name: str, password: str) -> None:
        """Change a password; sessions opened with the old one end.

        Raises
        ------
        InputError : no such account, or the password is too weak
        """
        check_password(password, name)
        with self._changing() as accounts:
            old = find_account(accounts, name)
            accounts[name] = replace(old, hash=HASHER.hash(password), stamp=secrets.token_hex(8))

    def verify(self, name: str, password: str) -> Account | None:
        """Return the account when the password is right; takes as long when there is no such account."""
        account = self.accounts().get(name)
        try:
            HASHER.verify(account.hash if account else hash_of_nobody(), password)
        except (VerificationError, InvalidHashError):
            return None
        return account


def write_private(path: Path, text: str, *, only_new: bool = False) -> None:
    """Write a file that only its owner may read, down to the disk.

    Raises
    ------
    FileExistsError : ``only_new`` and it is there
    """
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if only_new else os.O_TRUNC)
    number = os.open(path, flags, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(number)


def find_account(accounts: dict[str, Account], name: str) -> Account:
    """Return an account.

    Raises
    ------
    InputError : no such account
    """
    try:
        return accounts[name]
    except KeyError:
        raise InputError(f"There is no account {name}; 'user list' shows those there are.") from None


def check_password(password: str, name: str) -> None:
    """Refuse what is guessed first.

    Raises
    ------
    InputError : too short, of one or two different characters, or it contains the name
    """
    if len(password) < PASSWORD_LENGTH:
        raise InputError(f"The password is too short: {PASSWORD_LENGTH} characters at least.")
    if len(password) > 1000:
        raise InputError("The password is too long: 1000 characters at most.")
    if len(set(password)) < 4 or name.lower() in password.lower():
        raise InputError("The password is easily guessed: more different characters, and without the name.")
