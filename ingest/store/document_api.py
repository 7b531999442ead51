"""The door for documents and photos: what other processes may keep, find and see."""

from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["photo", "drawing", "paper", "table", "text"]
KINDS: tuple[Kind, ...] = ("photo", "drawing", "paper", "table", "text")
Act = Literal["added", "changed", "removed", "restored"]


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it stands. Times in s since 1970 UTC; ``no``: its number, which never changes.

    ``t``, ``act``, ``who``: the newest change; ``added``, ``added_by``: the first. ``about``: what it belongs
    to, such as ``device:D-S07`` or ``place:S07``. ``sha256`` names its file, ``media`` how it is served;
    ``said``: what is said of it, in the form it is searched in (``fold_text``).
    ``pages``, ``width``, ``height``: 0 where there are none; ``detail``: why its text is not searched.
    ``snippet``: the text about the place where the search was met; empty: elsewhere, or nothing was asked.
    """

    no: int
    t: float
    act: str
    who: str
    title: str
    note: str
    tags: tuple[str, ...]
    about: tuple[str, ...]
    name: str
    kind: str
    media: str
    size: int
    sha256: str
    said: str
    added: float = 0.0
    added_by: str = ""
    pages: int = 0
    width: int = 0
    height: int = 0
    detail: str = ""
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class DocumentText:
    """What was found in a file; ``text`` in the form it is searched in (``fold_text``)."""

    sha256: str
    text: str
    pages: int = 0
    width: int = 0
    height: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as it came: ``t`` of arrival; ``devices``: heard in it; ``size``: of the whole, in bytes."""

    t: float
    devices: tuple[str, ...]
    topic: str
    payload: bytes
    size: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be read, kept once per payload hash with a count."""

    hash: str
    first_t: float
    last_t: float
    count: int
    topic: str
    reason: str
    payload: bytes


class DocumentDoor(Protocol):
    """Part of ``ingest.store.api.Store``. Every call raises ``StoreUnavailable`` as the others do."""

    def write_document(self, document: Document, text: DocumentText | None = None) -> None:
        """Keep a document as it stands now (``t``, ``act``, ``who`` of this change); with the text of its
        file when the file is new. The rows of before stay: they are its history."""
        ...

    def documents(
        self, words: str = "", about: str = "", kind: str = "", limit: int = 100, removed: bool = False
    ) -> list[Document]:
        """Documents that hold every word of ``words`` (in what is said of them or in their text), belong to
        ``about`` and are of a ``kind``; those named so first, then the newest. ``removed``: only removed
        ones, else none of them."""
        ...

    def document(self, no: int) -> Document | None:
        """One document, removed or not."""
        ...

    def document_text(self, sha256: str) -> str:
        """What was found in a file, in the form it is searched in; empty: nothing, or no such file."""
        ...

    def document_steps(self, no: int = 0, limit: int = 200) -> list[Document]:
        """The history of one document (0: of all, the newest rows), by time."""
        ...

    def find_letters(self, words: str, limit: int = 50) -> list[DeadLetter]:
        """Unreadable messages whose topic, reason or payload hold every word, newest first."""
        ...

    def find_messages(self, words: str, device: str = "", limit: int = 50) -> list[KeptMessage]:
        """What devices said, a message of each an hour, in which every word stands, newest first.

        ``device``: only messages in which this device (its id) is heard; without words all of them.
        """
        ...
