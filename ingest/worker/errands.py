"""What an operator asks of the running ingest: a file in the store's folder is the request.

``redo`` (empty): read the dead letters again. ``backup`` (holds a path): copy the store there. It waits
for the next start when ingest is down.
"""

import logging
import threading
from pathlib import Path

import duckdb

from ingest.store.backup import back_up
from ingest.store.owner import StoreOwner
from twin.model.errors import InputError

log = logging.getLogger("ingest")


class Errands:
    """Takes requests from ``folder``; a backup runs in a thread of its own while the writer goes on."""

    def __init__(self, folder: Path, owner: StoreOwner) -> None:
        self._folder, self._owner = folder, owner
        self._thread: threading.Thread | None = None

    def take_redo(self) -> bool:
        """Whether somebody wants the dead letters read again; the request is taken away."""
        return self._take("redo") is not None

    def start_backup(self) -> None:
        """Begin a backup that was asked for, unless one runs."""
        if self._thread is not None and self._thread.is_alive():
            return
        wanted = self._take("backup")
        if wanted:
            self._thread = threading.Thread(target=self._back_up, args=(Path(wanted.strip()),), name="backup")
            self._thread.start()

    def finish(self) -> None:
        """Wait for a running backup."""
        if self._thread is not None:
            self._thread.join()

    def _take(self, name: str) -> str | None:
        file = self._folder / name
        try:
            text = file.read_text(encoding="utf-8")
            file.unlink()
        except (OSError, UnicodeDecodeError):
            return None
        return text

    def _back_up(self, target: Path) -> None:
        outcome = target.with_name(target.name + ".failed")
        try:
            outcome.unlink(missing_ok=True)
            with self._owner.db.cursor() as cursor:
                seconds = back_up(cursor, target)
            log.info("backup written to %s in %.1f s", target, seconds)
        except (InputError, duckdb.Error, OSError) as e:
            said = str(e).splitlines()[0]
            log.error("no backup: %s", said)
            try:
                outcome.write_text(said, encoding="utf-8")
            except OSError:
                log.error("nor could %s be written", outcome)
