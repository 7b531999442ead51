"""Documents of the store in memory."""

from dataclasses import replace

from ingest.store.document_api import DeadLetter, Document, DocumentText, KeptMessage
from ingest.store.document_client import split_words
from ingest.store.folding import fold_text


class FakeDocuments:
    """Part of ``FakeStore``."""

    document_rows: list[Document]
    texts: dict[str, DocumentText]
    dead: list[DeadLetter]
    messages: list[KeptMessage]

    def _up(self) -> None:
        raise NotImplementedError

    def write_document(self, document: Document, text: DocumentText | None = None) -> None:
        self._up()
        self.document_rows.append(document)
        if text is not None:
            self.texts[text.sha256] = text

    def documents(
        self, words: str = "", about: str = "", kind: str = "", limit: int = 100, removed: bool = False
    ) -> list[Document]:
        self._up()
        newest = {d.no: d for d in self.document_rows}
        found = [
            self._complete(d, words)
            for d in sorted(newest.values(), key=lambda d: -d.no)
            if (d.act == "removed") == removed
            and (not about or about in d.about)
            and (not kind or d.kind == kind)
            and all(w in d.said or w in self.texts[d.sha256].text for w in split_words(words))
        ]
        return found[:limit]

    def _complete(self, d: Document, words: str) -> Document:
        first, text = next(x for x in self.document_rows if x.no == d.no), self.texts[d.sha256]
        w = next(iter(split_words(words)), "")
        at = text.text.find(w) if w else -1
        return replace(
            d, added=first.t, added_by=first.who, pages=text.pages, width=text.width, height=text.height,
            detail=text.detail, snippet=text.text[max(at - 24, 0) : at + 86] if at >= 0 else "",
        )  # fmt: skip

    def document(self, no: int) -> Document | None:
        self._up()
        mine = [d for d in self.document_rows if d.no == no]
        return self._complete(mine[-1], "") if mine else None

    def document_text(self, sha256: str) -> str:
        self._up()
        return self.texts[sha256].text if sha256 in self.texts else ""

    def document_steps(self, no: int = 0, limit: int = 200) -> list[Document]:
        self._up()
        return [d for d in self.document_rows if not no or d.no == no][-limit:]

    def find_messages(self, words: str, device: str = "", limit: int = 50) -> list[KeptMessage]:
        self._up()
        return [
            m for m in self.messages
            if (not device or device in m.devices) and (device or words.split())
            and all(w in f"{m.topic} {m.payload.decode('utf-8', 'replace')}" for w in words.split())
        ][:limit]  # fmt: skip

    def find_letters(self, words: str, limit: int = 50) -> list[DeadLetter]:
        self._up()
        wanted = words.split()
        said = {
            x.hash: fold_text(f"{x.topic} {x.reason} {x.payload.decode('utf-8', 'replace')}")
            for x in self.dead
        }
        return [x for x in self.dead if wanted and all(fold_text(w) in said[x.hash] for w in wanted)][:limit]
