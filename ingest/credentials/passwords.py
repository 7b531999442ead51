"""Mosquitto's password file: one line per account, PBKDF2 hashes, passwords of our own making."""

import base64
import hashlib
import secrets

ROUNDS = 1000
"""The passwords are 144 random bits: nothing is gained by many rounds, and each connection pays for them."""


def make_password() -> str:
    """24 letters and digits, - and _."""
    return secrets.token_urlsafe(18)


def hash_password(password: str) -> str:
    """``$7$rounds$salt$hash`` (PBKDF2 with SHA-512), as ``mosquitto_passwd`` writes it."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, 64)
    return "$".join(("", "7", str(ROUNDS), *(base64.b64encode(x).decode() for x in (salt, digest))))


def read_password_file(text: str) -> dict[str, str]:
    """Name -> hash."""
    pairs = (line.rpartition(":") for line in text.splitlines() if line.strip())
    return {name: kept for name, _, kept in pairs if name}


def write_password_file(hashes: dict[str, str]) -> str:
    """The file's text."""
    return "".join(f"{name}:{kept}\n" for name, kept in sorted(hashes.items()))
