"""What the page of documents can ask and do; plain data in and out, no HTTP here."""

from dataclasses import asdict, replace
from typing import Any

from app.pages.parts import kind_name
from app.web.context import Context
from ingest.documents.cabinet import Cabinet, Incoming
from ingest.documents.intake import Intake, Words
from ingest.documents.refusal import DocumentRefused
from ingest.documents.sniff import INLINE, KNOWN_ENDINGS
from ingest.reasons import translate_reason
from ingest.store.api import DeadLetter
from ingest.store.document_api import Document
from twin.model.county import County

Data = dict[str, Any]
LIMIT = 200
LETTERS, SAID = 30, 12
PEEK = 160


class Documents:
    """One per server."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.cabinet = Cabinet(context.settings.documents)
        self.intake = Intake(self.cabinet, context.store)

    def find(self, words: str, about: str, kind: str, removed: bool, lang: str = "zh") -> Data:
        """Documents that were looked for, and messages in which all the words stand, or of the device."""
        found = self._context.store.documents(words[:300], about, kind, LIMIT, removed)
        letters = (
            self._context.store.find_letters(words[:300], LETTERS) if words.strip() and not about else []
        )
        device = about.removeprefix("device:") if about.startswith("device:") else ""
        said = []
        if device or (words.strip() and not about):
            said = self._context.store.find_messages(words[:300], device, SAID)
        names = name_abouts(self._context.county)
        return {
            "documents": [self.show(d, names) for d in found],
            "messages": [show_letter(x, lang) for x in letters],
            "said": [{"t": m.t, "topic": m.topic, "payload": _show_payload(m.payload)} for m in said],
            "more": len(found) == LIMIT,
        }

    def show(self, d: Document, names: dict[str, str]) -> Data:
        """A document as the page draws it."""
        row = asdict(d)
        del row["said"], row["sha256"]
        row["about"] = [{"id": a, "name": names.get(a, a.partition(":")[2])} for a in d.about]
        row["small"] = d.media in INLINE
        row["inline"] = d.media in INLINE
        return row

    def text(self, d: Document) -> str:
        """What was found in a document's file."""
        return self._context.store.document_text(d.sha256)

    def steps(self, no: int) -> list[Data]:
        """The history of a document."""
        return [
            {"t": s.t, "act": s.act, "who": s.who, "title": s.title, "tags": s.tags, "about": s.about}
            for s in self._context.store.document_steps(no)
        ]

    def abouts(self) -> list[Data]:
        """Everything a document can belong to that the county knows, for a list of choices."""
        return [{"id": i, "name": n} for i, n in name_abouts(self._context.county).items()]

    def kinds(self) -> list[str]:
        """Endings of the files that are taken."""
        return sorted(f".{e}" for e in KNOWN_ENDINGS)

    def take(self, came: Incoming, name: str, words: Words, who: str) -> Data:
        """Keep what was received.

        Raises
        ------
        DocumentRefused : it is not taken, and why
        """
        kept = self.intake.take(came, name, self._check(words), who)
        return self.show(kept, name_abouts(self._context.county))

    def change(self, no: int, words: Words, who: str, *, all_of_them: bool) -> int:
        """Say something else of a document.

        Raises
        ------
        DocumentRefused : not one's own, or the words are not taken
        """
        self._own(no, who, all_of_them)
        return self.intake.change(no, self._check(words), who).no

    def remove(self, no: int, who: str, *, all_of_them: bool, back: bool) -> int:
        """Take a document out of sight, or back into it; raises as ``change`` does."""
        self._own(no, who, all_of_them)
        return self.intake.remove(no, who, back=back).no

    def _own(self, no: int, who: str, all_of_them: bool) -> None:
        if not all_of_them and self.intake.find(no).added_by != who:
            raise DocumentRefused("own")

    def _check(self, words: Words) -> Words:
        """Words about what there is, with its names."""
        names = name_abouts(self._context.county)
        for a in words.about:
            group, _, rest = a.partition(":")
            free = group in ("finding", "incident") or (group == "command" and rest.isdigit())
            if a.strip() and a not in names and not free:
                raise DocumentRefused("about", about=a[:80])
        return replace(words, called=tuple(names[a] for a in words.about if a in names))


def name_abouts(county: County) -> dict[str, str]:
    """What a document can belong to -> its name: places, devices, points."""
    n = county.network
    tables: tuple[Any, ...] = (n.sources, n.substations, county.places, county.buildings, county.features)
    named = {f"place:{row.id}": row.name or row.id for table in tables for row in table}
    named |= {f"device:{d.id}": d.name or d.id for d in county.devices}
    where = {i.partition(":")[2]: name for i, name in named.items() if i.startswith("place:")}
    for p in county.points:
        named[f"point:{p.id}"] = f"{where.get(p.place_id, p.place_id)} {kind_name(p.key, 'zh')}"
    return named


def show_letter(x: DeadLetter, lang: str) -> Data:
    """An unreadable message, its beginning as text."""
    return {
        "t": x.last_t,
        "topic": x.topic,
        "reason": translate_reason(x.reason, lang),
        "count": x.count,
        "payload": _show_payload(x.payload),
    }


def _show_payload(payload: bytes) -> str:
    return "".join(c if c.isprintable() else "·" for c in payload[:600].decode("utf-8", "replace"))[:PEEK]
