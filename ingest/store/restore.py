"""A backup in the place of the store, with what was there put aside."""

import os
import shutil
from pathlib import Path

import duckdb

from ingest.documents.cabinet import Cabinet
from ingest.store.backup import documents_beside
from twin.model.errors import ConfigError

ASIDE = ".before-restore"


def restore(backup: Path, store: Path, documents: Path | None = None) -> list[Path]:
    """Put a copy of ``backup`` in the place of the stopped ``store``; returns the files put aside.

    The write-ahead files go with the store they belong to. There may be several: a process that was killed
    during a checkpoint leaves ``.wal.checkpoint`` behind, which would be replayed into the restored file.
    Files of documents are copied to the folder ``documents`` first; what is there stays.

    Raises
    ------
    ConfigError : the backup is none, or the store is in use; nothing is changed
    OSError : the disk is full or fails; the store is as it was
    """
    try:
        with duckdb.connect(str(backup), read_only=True) as db:
            db.execute("SELECT max(version) FROM schema_version").fetchone()
    except duckdb.Error as e:
        raise ConfigError(f"{backup} is no backup of a store: {str(e).splitlines()[0]}") from e
    if _in_use(store):
        raise ConfigError(f"{store} is in use: stop ingest first")
    store.parent.mkdir(parents=True, exist_ok=True)
    if documents is not None:
        kept = Cabinet(documents_beside(backup))
        kept.copy_to(documents, kept.list_files())
    staged = store.with_name(f".{store.name}.restore")
    try:
        shutil.copyfile(backup, staged)
        descriptor = os.open(staged, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        aside = []
        for file in sorted(store.parent.glob(store.name + "*")):
            if ASIDE not in file.name:
                aside.append(file.replace(file.with_name(file.name + ASIDE)))
        staged.replace(store)
    finally:
        staged.unlink(missing_ok=True)
    return aside


def _in_use(store: Path) -> bool:
    if not store.exists():
        return False
    try:
        duckdb.connect(str(store), read_only=True).close()
    except duckdb.IOException as e:
        return "lock" in str(e)
    except duckdb.Error:
        return False  # damaged, which is why it is restored
    return False
