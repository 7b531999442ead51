"""Telephone numbers of callers: a file of their own beside the store, so that no list, export or backup of
the store holds one, and so that they can be forgotten."""

import json
import os
import threading
from pathlib import Path

from app.domains.heating.complaints.words import mask_phone

FILE = "phones.json"


class PhoneFile:
    """``folder`` of the data; the file is readable by its owner only. One writer: the dashboard."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "complaints" / FILE
        self._lock = threading.Lock()

    def keep(self, no: int, phone: str) -> None:
        """Keep the number of a case. Raises ``OSError``: the disk is full."""
        with self._lock:
            self._write(self._read() | {str(no): phone})

    def masked(self) -> dict[int, str]:
        """Case -> its number as it may be shown."""
        with self._lock:
            return {int(no): mask_phone(p) for no, p in self._read().items()}

    def read(self, no: int) -> str:
        """The whole number of a case, empty without."""
        with self._lock:
            return self._read().get(str(no), "")

    def forget(self, numbers: set[int]) -> None:
        """Let go of the numbers of cases. Raises ``OSError``."""
        with self._lock:
            found = self._read()
            kept = {no: p for no, p in found.items() if int(no) not in numbers}
            if len(kept) < len(found):
                self._write(kept)

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {str(k): str(v) for k, v in found.items() if str(k).isdigit()}

    def _write(self, found: dict[str, str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged = self._path.with_suffix(".new")
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(json.dumps(found))
            f.flush()
            os.fsync(f.fileno())
        staged.replace(self._path)
