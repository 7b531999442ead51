"""The folder of files, each named by the SHA-256 of its content; written whole or not at all.

``<folder>/ab/abcd...`` is a file, ``.webp`` beside it its small picture, ``.part-*`` one that is being
received. A file comes before the row that names it: killed between the two it is named by nobody, and goes
away after a day. Nothing of a name that somebody sent ever becomes part of a path.
"""

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ingest.documents.refusal import DocumentRefused

MAX_BYTES = 64_000_000
FREE_BYTES = 500_000_000
"""So much must stay free on the disk: readings matter more than pictures."""
ORPHAN_S = 86_400.0
_NAME = re.compile(r"[0-9a-f]{64}")


class Incoming:
    """A file that is being received: write to it, then ``Cabinet.keep`` it."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self._file = path, file
        self.size = 0
        self._digest = hashlib.sha256()

    def write(self, part: bytes) -> None:
        """The next bytes.

        Raises
        ------
        DocumentRefused : the file is too large
        """
        self.size += len(part)
        if self.size > MAX_BYTES:
            raise DocumentRefused("large", max_mb=MAX_BYTES // 1_000_000)
        self._digest.update(part)
        self._file.write(part)

    def close(self) -> str:
        """Everything is on the disk; returns the SHA-256 of the content."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._digest.hexdigest()


class Cabinet:
    """``folder`` is made when the first file comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Where a file lies, or would.

        Raises
        ------
        ValueError : not the name of a file
        """
        if not _NAME.fullmatch(sha256):
            raise ValueError(f"{sha256[:80]!r} is no SHA-256")
        return self.folder / sha256[:2] / sha256

    def small(self, sha256: str) -> Path:
        """Where its small picture lies, or would."""
        file = self.path(sha256)
        return file.with_name(file.name + ".webp")

    @contextmanager
    def receive(self) -> Iterator[Incoming]:
        """A file that is being received; gone afterwards unless it was kept.

        Raises
        ------
        DocumentRefused : the disk is nearly full
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < FREE_BYTES + MAX_BYTES:
            raise DocumentRefused("full", free_mb=(FREE_BYTES + MAX_BYTES) // 1_000_000)
        path = self.folder / f".part-{secrets.token_hex(8)}"
        with path.open("xb") as file:
            try:
                yield Incoming(path, file)
            finally:
                for left in (path, small_of(path)):
                    left.unlink(missing_ok=True)

    def keep(self, came: Incoming, sha256: str) -> None:
        """Give a closed file its name, and its small picture too. The same content lies there once."""
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True)
        if small_of(came.path).exists():
            small_of(came.path).replace(self.small(sha256))
        came.path.replace(target)
        _sync(target.parent)
        _sync(self.folder)

    def list_files(self) -> Iterator[str]:
        """The SHA-256 of every file there is."""
        for file in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            if _NAME.fullmatch(file.name):
                yield file.name

    def sweep(self, named: Iterable[str], now: float | None = None) -> int:
        """Remove files that no row names and that are a day old, and what was never received whole."""
        now, known, gone = time.time() if now is None else now, set(named), 0
        loose = [f for f in self.folder.glob(".part-*") if f.is_file()]
        loose += [self.path(name) for name in self.list_files() if name not in known]
        for file in loose:
            with suppress(FileNotFoundError):
                if now - file.stat().st_mtime > ORPHAN_S:
                    small_of(file).unlink(missing_ok=True)
                    file.unlink()
                    gone += 1
        return gone

    def copy_to(self, target: Path, named: Iterable[str]) -> list[str]:
        """Copy files and their small pictures to another cabinet, what is there already left as it is;
        returns those that are not here."""
        other, missing = Cabinet(target), []
        for name in named:
            if not _copy(self.path(name), other.path(name)):
                missing.append(name)
            _copy(self.small(name), other.small(name))
        return missing


def small_of(file: Path) -> Path:
    """The small picture beside a file."""
    return file.with_name(file.name + ".webp")


def _copy(source: Path, target: Path) -> bool:
    """Whether ``target`` is there now, whole."""
    if target.exists():
        return True
    if not source.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, staged)
        with staged.open("rb") as f:
            os.fsync(f.fileno())
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)
    _sync(target.parent)
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
