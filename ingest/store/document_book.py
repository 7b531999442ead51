"""The owner's side of documents: which files are named by a row, and all of them as plain files."""

import json
import shutil
from pathlib import Path

import duckdb

from ingest.documents.cabinet import Cabinet
from twin.model.errors import InputError

KEEP_REMOVED_S = 30 * 86_400.0
"""A removed document can be had back for so long; then its file goes. Its rows stay."""
_NAMED = """
SELECT DISTINCT sha256 FROM (
    SELECT sha256, act, t FROM {schema}document
    QUALIFY row_number() OVER (PARTITION BY no ORDER BY t DESC, rowid DESC) = 1
) WHERE act <> 'removed' OR t >= make_timestamp(?) ORDER BY 1
"""


def list_named_files(db: duckdb.DuckDBPyConnection, now: float, schema: str = "") -> list[str]:
    """SHA-256 of every file that a document names, or one that was removed a short time ago.

    ``schema``: of an attached copy, such as ``backup_target.``.
    """
    since = round((now - KEEP_REMOVED_S) * 1e6)
    return [str(r[0]) for r in db.execute(_NAMED.format(schema=schema), [since]).fetchall()]


_NOW = """
SELECT no, epoch(t) AS t, act, who, title, note, tags, about, name, kind, size, sha256 FROM document
QUALIFY row_number() OVER (PARTITION BY no ORDER BY t DESC, rowid DESC) = 1 ORDER BY no
"""


def export_documents(db: duckdb.DuckDBPyConnection, cabinet: Cabinet, folder: Path) -> int:
    """Write the documents that are not removed to ``folder/documents`` under readable names, and what is said
    of each to ``folder/documents.json``, which comes last; returns how many.

    Raises
    ------
    InputError : ``folder`` is not there
    OSError : the disk is full or fails
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: make it, or name another one")
    target = folder / "documents"
    target.mkdir(exist_ok=True)
    found = db.execute(_NOW)
    names = [d[0] for d in found.description or ()]
    rows = [dict(zip(names, r, strict=True)) for r in found.fetchall()]
    kept = [r for r in rows if r["act"] != "removed"]
    for r in kept:
        source = cabinet.path(r["sha256"])
        r["file"] = f"documents/{r['no']}-{r['name']}" if source.exists() else None
        if r["file"] is not None:
            shutil.copyfile(source, folder / r["file"])
    staged = folder / ".documents.json"
    staged.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    staged.replace(folder / "documents.json")
    return len(kept)
