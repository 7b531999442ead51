"""What people say of the twin's findings: confirmed, rejected, noted; kept for ever, and the twin's hit rate.

Each saying is a kept thing of kind ``verdict``: its title the finding's id, its state what was said, its body
the note with what the finding claimed then.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.store.api import Store
from ingest.store.finding_api import TwinFinding
from ingest.store.kept_api import Kept
from twin.model.errors import InputError

STATES = {"confirm": "confirmed", "reject": "rejected", "note": "noted"}
MUTED_H = 24.0
"""A rejected finding is not told again for so long, unless it grows."""
LONGEST_NOTE = 500
SEASON_S = 200 * 86_400.0
MONTH_S = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class HitRate:
    """Findings that people have judged: how many, and how many were true."""

    judged: int
    true: int


@dataclass(frozen=True, slots=True)
class Saying:
    """One saying about a finding: when (s since 1970), who, what (``STATES``) and the note."""

    t: float
    who: str
    state: str
    text: str


def say(store: Store, finding_id: str, verdict: str, text: str, who: str) -> int:
    """Keep what somebody says of a finding; its number.

    Raises
    ------
    InputError : no such finding, no such verdict, or a note that is too long or missing
    """
    if verdict not in STATES:
        raise InputError(f"{verdict[:40]!r}: one of {', '.join(STATES)}")
    if len(text) > LONGEST_NOTE:
        raise InputError(f"the note has {len(text)} letters; at most {LONGEST_NOTE}")
    if verdict == "note" and not text.strip():
        raise InputError("a note without words")
    found = next((f for f in store.findings(time.time() - MONTH_S, 2000) if f.id == finding_id), None)
    if found is None:
        raise InputError(f"there is no finding {finding_id[:80]!r}")
    body = {"text": text.strip(), "kind": found.kind, "place": found.place, "size": found.size,
            "probability": found.probability, "since": found.since}  # fmt: skip
    return store.keep("verdict", finding_id, body, who, STATES[verdict])


def sayings(store: Store, finding: TwinFinding) -> list[Saying]:
    """Everything said of one finding, newest first."""
    out = []
    for row in _rows(store, finding.since - 1.0):
        if row.title == finding.id:
            body = store.kept_body(row.no)
            text = str(body.get("text", "")) if isinstance(body, dict) else ""
            out.append(Saying(row.made, row.who, row.state, text))
    return out


def latest_words(store: Store, since: float) -> dict[str, str]:
    """Finding id -> confirmed or rejected, as it was said last."""
    out: dict[str, str] = {}
    for row in _rows(store, since):
        if row.state != "noted":
            out.setdefault(row.title, row.state)
    return out


def rate_hits(words: dict[str, str]) -> HitRate:
    """How many judged findings were true."""
    return HitRate(len(words), sum(state == "confirmed" for state in words.values()))


def rejected_keys(rows: Sequence[Kept], now: float) -> dict[tuple[str, str], tuple[float, str]]:
    """Findings that are not to be told now: key of the watch -> (until, finding id); rows newest first."""
    out: dict[tuple[str, str], tuple[float, str]] = {}
    seen: set[str] = set()
    for row in rows:
        if row.state == "noted" or row.title in seen:
            continue
        seen.add(row.title)
        until = row.made + MUTED_H * 3600.0
        kind, _, rest = row.title.partition(":")
        if row.state == "rejected" and until > now:
            out.setdefault((kind, rest.rpartition(":")[0]), (until, row.title))
    return out


def _rows(store: Store, since: float) -> list[Kept]:
    return store.kept("verdict", since=since, limit=2000)
