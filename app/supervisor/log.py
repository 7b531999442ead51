"""One readable stream of what all processes say: to the terminal and to a rotating file."""

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

FILE_LIMIT_BYTES = 10_000_000
FILES_KEPT = 5
NAME_WIDTH = 9


class LogStream:
    """Writes ``HH:MM:SS name  text`` lines (local time); the file also carries the date.

    A terminal or a disk that cannot take more never stops the system: the line is dropped there.
    """

    def __init__(
        self, file: Path, terminal: IO[str] | None = None, wall: Callable[[], float] = time.time
    ) -> None:
        self.file = file
        self._terminal = sys.stdout if terminal is None else terminal
        self._wall = wall
        self._out: IO[str] | None = None
        self._size = 0

    def say(self, name: str, text: str) -> None:
        """Write one line (a text of several lines becomes several)."""
        now = time.localtime(self._wall())
        for line in text.splitlines() or [""]:
            body = f"{name:<{NAME_WIDTH}} {line}"
            self._to_terminal(f"{time.strftime('%H:%M:%S', now)} {body}\n")
            self._to_file(f"{time.strftime('%Y-%m-%d %H:%M:%S', now)} {body}\n")

    def _to_terminal(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            try:
                self._terminal.write(line)
            except UnicodeEncodeError:
                self._terminal.write(line.encode("ascii", "backslashreplace").decode())
            self._terminal.flush()

    def _to_file(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._out is None or self._size > FILE_LIMIT_BYTES:
                self._open()
            assert self._out is not None
            self._out.write(line)
            self._out.flush()
            self._size += len(line.encode())

    def _open(self) -> None:
        if self._out is not None:
            self._out.close()
            self._out = None
        self.file.parent.mkdir(parents=True, exist_ok=True)
        if self.file.exists() and self.file.stat().st_size > FILE_LIMIT_BYTES:
            for i in range(FILES_KEPT - 1, 0, -1):
                older = self.file.with_name(f"{self.file.name}.{i}")
                if older.exists():
                    older.replace(self.file.with_name(f"{self.file.name}.{i + 1}"))
            self.file.replace(self.file.with_name(f"{self.file.name}.1"))
        self._out = self.file.open("a", encoding="utf-8")
        self._size = self.file.stat().st_size

    def close(self) -> None:
        """Close the file."""
        if self._out is not None:
            with contextlib.suppress(OSError):
                self._out.close()
            self._out = None
