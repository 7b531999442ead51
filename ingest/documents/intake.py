"""From an upload to a row: received, sniffed, looked into, kept, written down."""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ingest.documents.cabinet import Cabinet, Incoming
from ingest.documents.inspect import inspect
from ingest.documents.refusal import DocumentRefused
from ingest.documents.sniff import sniff
from ingest.store.document_api import Act, Document, DocumentDoor
from ingest.store.folding import fold_text

MAX_TITLE, MAX_NOTE, MAX_TAGS, MAX_TAG, MAX_ABOUT, MAX_NAME = 120, 2000, 12, 30, 20, 120
ABOUTS = ("device", "place", "point", "command", "finding", "incident")


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody says of a document; see ``check_words`` for the limits. ``called``: names of what it is
    about, so that it is found by them too."""

    title: str
    note: str = ""
    tags: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    called: tuple[str, ...] = ()


def check_words(words: Words) -> Words:
    """The words as they are kept: without surplus blanks, each tag once.

    Raises
    ------
    DocumentRefused : too long, too many, or about nothing that there is
    """
    title, note = " ".join(_plain(words.title).split()), _plain(words.note).strip()
    tags = tuple(dict.fromkeys(" ".join(_plain(t).split()) for t in words.tags if t.strip()))
    about = tuple(dict.fromkeys(a.strip() for a in words.about if a.strip()))
    if not 0 < len(title) <= MAX_TITLE:
        raise DocumentRefused("title", max=MAX_TITLE)
    if len(note) > MAX_NOTE:
        raise DocumentRefused("long", field="note", max=MAX_NOTE)
    if len(tags) > MAX_TAGS or any(len(t) > MAX_TAG for t in tags):
        raise DocumentRefused("tags", max=MAX_TAGS, letters=MAX_TAG)
    if len(about) > MAX_ABOUT:
        raise DocumentRefused("long", field="about", max=MAX_ABOUT)
    for a in about:
        group, _, rest = a.partition(":")
        if group not in ABOUTS or not rest or len(rest) > 200 or not _plain(rest) == rest:
            raise DocumentRefused("about", about=a[:80])
    return Words(title, note, tags, about, words.called)


def say(words: Words, name: str) -> str:
    """What is said of a document, in the form it is searched in."""
    parts = (words.title, words.note, name, *words.tags, *words.about, *words.called)
    return fold_text(" ".join(parts))


def plain_name(name: str) -> str:
    """The last part of a file's name, as it is shown and offered for download; never part of a path here."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in _plain(last) if c not in '<>:"|?*').strip(". ")
    if len(kept) <= MAX_NAME:
        return kept or "file"
    stem, _, ending = kept.rpartition(".")
    return f"{stem[: MAX_NAME - 12]}.{ending[:10]}"


def _plain(text: str) -> str:
    """Without characters that are no text (controls, direction marks)."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")


class Intake:
    """Takes documents in, changes what is said of them, removes them. ``clock``: s since 1970 UTC."""

    def __init__(self, cabinet: Cabinet, store: DocumentDoor) -> None:
        self.cabinet, self._store = cabinet, store
        self._last_no = 0

    def receive(self) -> AbstractContextManager[Incoming]:
        """A file that is being received; see ``Cabinet.receive``."""
        return self.cabinet.receive()

    def take(self, came: Incoming, name: str, words: Words, who: str) -> Document:
        """Keep what was received. The file is on the disk before the row is written.

        Raises
        ------
        DocumentRefused : nothing is kept then
        StoreUnavailable : the file is kept without a row; sent again it is the same file, else it goes
        """
        name = plain_name(name)
        words = check_words(replace(words, title=words.title.strip() or name.rpartition(".")[0] or name))
        sha256 = came.close()
        found = sniff(came.path, name)
        text = inspect(came.path, found, sha256, name)
        self.cabinet.keep(came, sha256)
        now = time.time()
        no = self._last_no = max(round(now * 1e6), self._last_no + 1)
        document = Document(
            no, now, "added", who, words.title, words.note, words.tags, words.about, name, found.kind,
            found.media, came.size, sha256, say(words, name), now, who, text.pages, text.width, text.height,
            text.detail,
        )  # fmt: skip
        self._store.write_document(document, text)
        return document

    def change(self, no: int, words: Words, who: str) -> Document:
        """Say something else of a document; its history stays.

        Raises
        ------
        DocumentRefused, StoreUnavailable : see ``take``
        """
        words, found = check_words(words), self.find(no)
        said = say(words, found.name)
        changed = replace(
            found, title=words.title, note=words.note, tags=words.tags, about=words.about, said=said
        )
        return self._write(changed, "changed", who)

    def remove(self, no: int, who: str, *, back: bool = False) -> Document:
        """Take a document out of sight (``back``: into sight again). Its file stays for a month."""
        found = self.find(no)
        if back and not self.cabinet.path(found.sha256).exists():
            raise DocumentRefused("lost")
        return self._write(found, "restored" if back else "removed", who)

    def find(self, no: int) -> Document:
        """A document.

        Raises
        ------
        DocumentRefused : there is none of this number
        """
        found = self._store.document(no)
        if found is None:
            raise DocumentRefused("gone")
        return found

    def _write(self, document: Document, act: Act, who: str) -> Document:
        # never before the row it follows, whatever the clock says
        changed = replace(document, t=max(time.time(), document.t + 1e-6), act=act, who=who)
        self._store.write_document(changed)
        return changed
