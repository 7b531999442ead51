"""The client's side of documents: rows, and the search in them.

Words of a search cross as arrays of code points (only numbers are bound, decision record 0041) and are made
to text by the owner. Chinese has no spaces between words, so a word is found wherever its characters stand
together: ``contains`` over the folded text, 0.18 s over 10,000 documents of 5,000 characters each.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.store.bind import Bindable, microseconds
from ingest.store.document_api import KINDS, DeadLetter, Document, DocumentText, KeptMessage
from ingest.store.folding import fold_text

MAX_WORDS = 6
MAX_WORD = 100
_KIND_NAMES = ", ".join(f"'{k}'" for k in KINDS)
_COLUMNS = "no, epoch(t) AS t, act, who, title, note, tags, about, name, kind, media, size, sha256, said"
_TEXT = "(SELECT array_to_string(list_transform(${name}, lambda c: chr(c)), '')) AS {name}"
_NOW = """
now AS (
    SELECT * FROM document WHERE $no = 0 OR no = $no
    QUALIFY row_number() OVER (PARTITION BY no ORDER BY t DESC, rowid DESC) = 1
), first AS (SELECT no, min(t) AS added, arg_min(who, t) AS added_by FROM document GROUP BY no),
found AS (
    SELECT sha256, any_value(text) AS text, max(pages) AS pages, max(width) AS width, max(height) AS height,
           any_value(detail) AS detail
    FROM document_text WHERE sha256 IN (SELECT sha256 FROM now) GROUP BY sha256
)
"""
_STEPS = f"""
SELECT * FROM (
    SELECT {_COLUMNS}, rowid AS row_no FROM document WHERE $no = 0 OR no = $no
    ORDER BY row_no DESC LIMIT $rows
) ORDER BY row_no
"""  # noqa: S608 - our own text


def split_words(text: str) -> list[str]:
    """The words of a search, at most ``MAX_WORDS``; what stands in quotation marks is one."""
    parts = fold_text(text.replace("“", '"').replace("”", '"')).split('"')
    words = [w for i, part in enumerate(parts) for w in ([part.strip()] if i % 2 else part.split())]
    return [w[:MAX_WORD] for w in dict.fromkeys(words) if w][:MAX_WORDS]


def _codes(text: str) -> NDArray[np.int64]:
    return np.array([ord(c) for c in text], np.int64)


def _make_search(count: int) -> str:
    """The question for ``count`` words."""
    words = [f"w{i}" for i in range(count)]
    places = ", ".join(_TEXT.format(name=n) for n in ("wanted", *words))
    met = "".join(f" AND (contains(said, {w}) OR contains(text, {w}))" for w in words)
    named = " AND ".join(f"contains(lower(title), {w})" for w in words) or "false"
    shown = (
        "CASE WHEN contains(text, w0) THEN substr(text, greatest(instr(text, w0) - 24, 1), 110) ELSE '' END"
        if words
        else "''"
    )
    return f"""
WITH {_NOW}, word AS (SELECT {places}),
row AS (
    SELECT d.*, f.added, f.added_by, coalesce(x.text, '') AS text, coalesce(x.pages, 0) AS pages,
           coalesce(x.width, 0) AS width, coalesce(x.height, 0) AS height, coalesce(x.detail, '') AS detail
    FROM now d JOIN first f USING (no) LEFT JOIN found x USING (sha256)
)
SELECT {_COLUMNS}, epoch(added) AS added, added_by, pages, width, height, detail, {shown} AS snippet
FROM row, word
WHERE ($state = 2 OR (act = 'removed') = ($state = 1))
  AND (wanted = '' OR list_contains(about, wanted))
  AND ($kind = 0 OR kind = [{_KIND_NAMES}][$kind]){met}
ORDER BY ({named}) DESC, added DESC, no DESC LIMIT $rows
"""  # noqa: S608 - our own text


class DocumentCalls:
    """What ``StoreClient`` offers of documents; see ``DocumentDoor``."""

    def _ask(self, sql: str, values: Mapping[str, Bindable] | None = None) -> dict[str, NDArray[np.generic]]:
        raise NotImplementedError

    def _append(self, table: str, row: pa.Table) -> None:
        raise NotImplementedError

    def write_document(self, document: Document, text: DocumentText | None = None) -> None:
        """See ``DocumentDoor.write_document``. The text comes first: a row without it would find nothing."""
        if text is not None:
            self._append("document_text", _as_text_row(text))
        self._append("document", _as_row(document))

    def documents(
        self, words: str = "", about: str = "", kind: str = "", limit: int = 100, removed: bool = False
    ) -> list[Document]:
        """See ``DocumentDoor.documents``."""
        return self._search(split_words(words), about, kind, limit, int(removed), 0)

    def document(self, no: int) -> Document | None:
        """See ``DocumentDoor.document``."""
        return next(iter(self._search([], "", "", 1, 2, no)), None)

    def _search(
        self, words: list[str], about: str, kind: str, limit: int, state: int, no: int
    ) -> list[Document]:
        values: dict[str, Bindable] = {
            "no": int(no), "rows": int(limit), "state": state, "wanted": _codes(about[:300]),
            "kind": 1 + list(KINDS).index(kind) if kind in KINDS else 0,
            **{f"w{i}": _codes(w) for i, w in enumerate(words)},
        }  # fmt: skip
        r = self._ask(_make_search(len(words)), values)
        return [_as_document({k: v[i] for k, v in r.items()}) for i in range(len(r["no"]))]

    def document_text(self, sha256: str) -> str:
        """See ``DocumentDoor.document_text``."""
        sql = f"SELECT text FROM document_text, (SELECT {_TEXT.format(name='wanted')}) WHERE sha256 = wanted"  # noqa: S608
        r = self._ask(sql + " LIMIT 1", {"wanted": _codes(sha256[:64])})
        return str(r["text"][0]) if len(r["text"]) else ""

    def document_steps(self, no: int = 0, limit: int = 200) -> list[Document]:
        """See ``DocumentDoor.document_steps``."""
        r = self._ask(_STEPS, {"no": int(no), "rows": int(limit)})
        return [_as_document({k: v[i] for k, v in r.items()}) for i in range(len(r["no"]))]

    def find_messages(self, words: str, device: str = "", limit: int = 50) -> list[KeptMessage]:
        """See ``DocumentDoor.find_messages``."""
        wanted = [w[:MAX_WORD] for w in words.split()][:MAX_WORDS]
        if not wanted and not device:
            return []
        names = [f"w{i}" for i in range(len(wanted))]
        places = ", ".join(_TEXT.format(name=n) for n in ("device", *names))
        met = "".join(
            f" AND (contains(topic, {w}) OR list_contains(devices, {w}) "
            f"OR contains(payload::VARCHAR, encode({w})::VARCHAR))"
            for w in names
        )
        r = self._ask(
            f"SELECT epoch(t) AS t, devices, topic, payload, size FROM message, (SELECT {places}) "  # noqa: S608
            f"WHERE (device = '' OR list_contains(devices, device)){met} ORDER BY t DESC LIMIT $rows",
            {
                "rows": int(limit), "device": _codes(device[:300]),
                **{n: _codes(w) for n, w in zip(names, wanted, strict=True)},
            },
        )  # fmt: skip
        return [
            KeptMessage(float(t), _texts(devices), str(topic), bytes(payload), int(size))
            for t, devices, topic, payload, size in zip(*r.values(), strict=True)
        ]

    def find_letters(self, words: str, limit: int = 50) -> list[DeadLetter]:
        """See ``DocumentDoor.find_letters``. Payloads are compared as bytes, written as the owner does."""
        wanted = [w[:MAX_WORD] for w in words.split()][:MAX_WORDS]
        if not wanted:
            return []
        names = [f"w{i}" for i in range(len(wanted))]
        places = ", ".join(_TEXT.format(name=n) for n in names)
        met = " AND ".join(
            f"(contains(topic, {w}) OR contains(reason, {w}) "
            f"OR contains(payload::VARCHAR, encode({w})::VARCHAR))"
            for w in names
        )
        r = self._ask(
            "SELECT hash, epoch(first_t) AS first_t, epoch(last_t) AS last_t, count, topic, reason, payload "  # noqa: S608
            f"FROM dead_letter, (SELECT {places}) WHERE {met} ORDER BY last_t DESC LIMIT $rows",
            {"rows": int(limit), **{n: _codes(w) for n, w in zip(names, wanted, strict=True)}},
        )
        return [as_letter({k: v[i] for k, v in r.items()}) for i in range(len(r["hash"]))]


def as_letter(row: Mapping[str, Any]) -> DeadLetter:
    """An unreadable message from its row."""
    return DeadLetter(
        str(row["hash"]), float(row["first_t"]), float(row["last_t"]), int(row["count"]), str(row["topic"]),
        str(row["reason"]), bytes(row["payload"]),
    )  # fmt: skip


def _as_document(row: Mapping[str, Any]) -> Document:
    first = {
        k: row[k] for k in ("added", "added_by", "pages", "width", "height", "detail", "snippet") if k in row
    }
    counts = {k: int(first[k]) for k in ("pages", "width", "height") if k in first}
    words = {k: str(first[k]) for k in ("added_by", "detail", "snippet") if k in first}
    return Document(
        int(row["no"]), float(row["t"]), str(row["act"]), str(row["who"]), str(row["title"]),
        str(row["note"]), _texts(row["tags"]), _texts(row["about"]), str(row["name"]), str(row["kind"]),
        str(row["media"]), int(row["size"]), str(row["sha256"]), str(row["said"]),
        added=float(first.get("added", row["t"])), **counts, **words,  # type: ignore[arg-type]
    )  # fmt: skip


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in np.ma.filled(np.ma.asarray(values), ""))


def _as_row(d: Document) -> pa.Table:
    texts = pa.list_(pa.string())
    return pa.table(
        {
            "no": pa.array([d.no], pa.int64()),
            "t": pa.array(np.array([microseconds(d.t)], "datetime64[us]")),
            "act": [d.act],
            "who": [d.who[:80]],
            "title": [d.title],
            "note": [d.note],
            "tags": pa.array([list(d.tags)], texts),
            "about": pa.array([list(d.about)], texts),
            "name": [d.name],
            "kind": [d.kind],
            "media": [d.media],
            "size": pa.array([d.size], pa.int64()),
            "sha256": [d.sha256],
            "said": [d.said],
        }
    )


def _as_text_row(x: DocumentText) -> pa.Table:
    return pa.table(
        {
            "sha256": [x.sha256],
            "text": [x.text],
            "pages": pa.array([x.pages], pa.int32()),
            "width": pa.array([x.width], pa.int32()),
            "height": pa.array([x.height], pa.int32()),
            "detail": [x.detail],
        }
    )
