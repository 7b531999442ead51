"""What an operator asks of the running ingest: a file in the store's folder is the request.

``redo`` (empty): read the dead letters again. ``backup`` (holds a path): copy the store there. ``export``
(holds JSON, see ``ingest.store.export.Wish``): write readings as Parquet. It waits for the next start when
ingest is down.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from ingest.documents.cabinet import Cabinet
from ingest.store.backup import back_up
from ingest.store.document_book import export_documents
from ingest.store.export import Wish, export_readings
from ingest.store.owner import StoreOwner
from twin.model.errors import InputError

log = logging.getLogger("ingest")

FAILED = "export.failed"


class Errands:
    """Takes requests from ``folder``; slow ones run in a thread of their own while the writer goes on."""

    def __init__(self, folder: Path, owner: StoreOwner, cabinet: Cabinet) -> None:
        self._folder, self._owner, self.cabinet = folder, owner, cabinet
        self._thread: threading.Thread | None = None

    def take_redo(self) -> bool:
        """Whether somebody wants the dead letters read again; the request is taken away."""
        return self._take("redo") is not None

    def start_slow(self) -> None:
        """Begin a backup or an export that was asked for, unless one runs."""
        if self._thread is not None and self._thread.is_alive():
            return
        for name, work in (("backup", self._back_up), ("export", self._export)):
            wanted = self._take(name)
            if wanted:
                self._thread = threading.Thread(target=work, args=(wanted.strip(),), name=name)
                self._thread.start()
                return

    def finish(self) -> None:
        """Wait for slow work that runs."""
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

    def _back_up(self, said: str) -> None:
        target = Path(said)

        def work(cursor: duckdb.DuckDBPyConnection) -> str:
            return f"backup written to {target} in {back_up(cursor, target, self.cabinet):.1f} s"

        self._run("backup", work, target.with_name(target.name + ".failed"))

    def _export(self, said: str) -> None:
        try:
            wish = Wish(**json.loads(said))
        except (ValueError, TypeError) as e:
            log.error("no export: the request cannot be read (%s)", e)
            return

        def work(cursor: duckdb.DuckDBPyConnection) -> str:
            began = time.monotonic()
            if wish.documents:
                export_documents(cursor, self.cabinet, Path(wish.folder))
            parts = export_readings(cursor, wish, self._owner.sorter.shift_s)  # its manifest comes last
            rows = sum(p.rows for p in parts)
            return f"{rows} readings exported to {wish.folder} in {time.monotonic() - began:.1f} s"

        self._run("export", work, Path(wish.folder) / FAILED)

    def _run(self, name: str, work: Callable[[duckdb.DuckDBPyConnection], str], outcome: Path) -> None:
        """Do slow work with a cursor of its own; why it failed stands in ``outcome``."""
        try:
            outcome.unlink(missing_ok=True)
            with self._owner.db.cursor() as cursor:
                log.info("%s", work(cursor))
        except (InputError, duckdb.Error, OSError) as e:
            said = str(e).splitlines()[0]
            log.error("no %s: %s", name, said)
            try:
                outcome.write_text(said, encoding="utf-8")
            except OSError:
                log.error("nor could %s be written", outcome)
