"""A copy of the store while it is written to: one moment's state, whole or not at all."""

import logging
import os
import time
from pathlib import Path

import duckdb

from ingest.documents.cabinet import Cabinet
from ingest.store.document_book import list_named_files
from twin.model.errors import InputError

log = logging.getLogger("ingest")


def back_up(db: duckdb.DuckDBPyConnection, target: Path, cabinet: Cabinet | None = None) -> float:
    """Copy the store of ``db`` as it is now to the file ``target``; returns the seconds it took.

    ``db`` is a cursor of its own: the writer goes on meanwhile. The file appears under its name when it is
    complete and on the disk; an older one is replaced then. Files of documents that it names are in the
    folder ``documents_beside(target)`` by then; what an earlier backup brought there is not copied anew.

    Raises
    ------
    InputError : the folder is not there, or the target is the store itself
    duckdb.Error, OSError : the disk is full or fails; nothing is left behind
    """
    row = db.execute("SELECT database_name, path FROM duckdb_databases() WHERE NOT internal").fetchone()
    assert row is not None
    name, store = str(row[0]), Path(str(row[1]))
    if not target.parent.is_dir():
        raise InputError(f"{target.parent} is not a folder: make it, or name another file")
    if target.exists() and store.exists() and target.samefile(store):
        raise InputError(f"{target} is the store itself: name another file")
    staged = target.with_name(f".{target.name}.part")
    began = time.monotonic()
    try:
        staged.unlink(missing_ok=True)
        db.execute(f"ATTACH '{_quoted(str(staged))}' AS backup_target")
        try:
            db.execute(f'COPY FROM DATABASE "{_quoted(name, chr(34))}" TO backup_target')
            db.execute("CHECKPOINT backup_target")
            if cabinet is not None:
                named = list_named_files(db, time.time(), "backup_target.")
                if missing := cabinet.copy_to(documents_beside(target), named):
                    log.error("%d files of documents are not there, such as %s", len(missing), missing[0])
        finally:
            db.execute("DETACH backup_target")
        descriptor = os.open(staged, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)
        staged.with_name(staged.name + ".wal").unlink(missing_ok=True)
    return time.monotonic() - began


def documents_beside(backup: Path) -> Path:
    """The folder with the files of documents that belongs to a backup."""
    return backup.with_name(backup.name + ".documents")


def _quoted(text: str, mark: str = "'") -> str:
    """The text with its quotation marks doubled: these statements take no parameters."""
    return text.replace(mark, 2 * mark)
