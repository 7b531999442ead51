"""Signed texts: the session in the cookie, and links that open one view without an account."""

import contextlib
import secrets
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from app.auth.accounts import Account, write_private

SESSION_S = 12 * 3600
"""A session ends this long after the last renewal; one shift."""
RENEW_S = 600
"""A session in use is renewed when it is older than this."""


def read_secret(path: Path) -> str:
    """Return the signing secret of this data folder; made at the first call, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        write_private(path, secrets.token_hex(32), only_new=True)
    return path.read_text(encoding="ascii").strip()


class Tokens:
    """Signs and checks.

    Parameters
    ----------
    secret : of the data folder; whoever has it can sign in as anyone
    """

    def __init__(self, secret: str) -> None:
        self._session = URLSafeTimedSerializer(secret, salt="session")
        self._link = URLSafeTimedSerializer(secret, salt="link")

    def sign_session(self, account: Account) -> str:
        """Return the cookie's value."""
        return self._session.dumps([account.name, account.stamp])

    def read_session(self, text: str, accounts: dict[str, Account]) -> tuple[Account, float] | None:
        """Return who it is and when it was signed, or None: forged, too old, or the account has changed."""
        try:
            said, signed = self._session.loads(text, max_age=SESSION_S, return_timestamp=True)
            name, stamp = said
        except (BadData, TypeError, ValueError):
            return None
        account = accounts.get(name) if isinstance(name, str) else None
        if account is None or not secrets.compare_digest(account.stamp, str(stamp)):
            return None
        return account, signed.timestamp()

    def sign_link(self, path: str, expires: float) -> str:
        """Return the value of ``?key=`` that opens ``path`` until ``expires`` (seconds since 1970)."""
        return str(self._link.dumps([path, int(expires)]))

    def read_link(self, text: str, now: float) -> str | None:
        """Return the path the key opens, or None: forged or expired."""
        try:
            said: Any = self._link.loads(text)
            path, expires = said
            return str(path) if now < float(expires) else None
        except (BadData, TypeError, ValueError):
            return None
