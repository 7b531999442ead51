"""Leak search: what a crew found at chambers, kept with names, and the twin's advice in words.

Each result is a kept thing of kind ``search``: its title the finding's id, its state ``seen`` or ``undone``,
its body the check as it was done. The worker weighs what is seen and keeps its advice (``search_advice``).
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from ingest.store.api import Store
from ingest.store.kept_api import Kept
from twin.diagnosis.search import Advice, Check, Result, Trench, check_result
from twin.diagnosis.search.answers import find_place
from twin.diagnosis.search.kit import CLAMP, KINDS, LISTEN, VALVE
from twin.heat import CompiledNetwork
from twin.model.errors import InputError

SEEN, UNDONE = "seen", "undone"
LONGEST_NOTE, MOST_SECTIONS = 200, 12
SEARCH_S = 30 * 86_400.0
"""A search that takes longer begins anew."""
FIELDS = {CLAMP: ("supply_m3_h", "return_m3_h"), VALVE: ("before_m3_h", "after_m3_h")}
LEAKS = ("leak", "draw")


@dataclass(frozen=True, slots=True)
class Noted:
    """A result as it was noted: its number, the finding it is of, who noted it, whether it still counts."""

    row: Kept
    finding_id: str
    who: str
    counts: bool
    result: Result
    text: str


def note_result(
    store: Store, net: CompiledNetwork, trench: Trench, body: Mapping[str, object], who: str
) -> int:
    """Keep what a crew found; its number.

    ``body``: ``finding`` id, ``kind``, ``sections`` (pair ids), ``chamber`` (node id); ``supply_m3_h`` and
    ``return_m3_h``, ``before_m3_h`` and ``after_m3_h``, or ``heard``; ``text`` may be missing.

    Raises
    ------
    InputError : in words that name the field
    """
    finding_id, text = body.get("finding", ""), body.get("text", "")
    if not isinstance(finding_id, str) or not isinstance(text, str):
        raise InputError("finding and text: give words")
    if len(text) > LONGEST_NOTE:
        raise InputError(f"the note has {len(text)} letters; at most {LONGEST_NOTE}")
    open_ = {f.id for f in store.findings(time.time() - SEARCH_S, 2000) if f.open and f.kind in LEAKS}
    if finding_id not in open_:
        raise InputError(f"there is no open leak {finding_id[:80]!r}")
    result = read_result(body, time.time())
    find_place(net, trench, result.check)
    check = {
        "kind": result.check.kind,
        "sections": list(result.check.pair_ids),
        "chamber": result.check.node_id,
    }
    kept = {**check, "first": result.first, "second": result.second, "text": text.strip()}
    return store.keep("search", finding_id, kept, who, SEEN)


def read_result(body: Mapping[str, object], t: float) -> Result:
    """A result of a request, flows in m³/h.

    Raises
    ------
    InputError : a field is missing or cannot be
    """
    kind, chamber, sections = body.get("kind"), body.get("chamber"), body.get("sections", [])
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"kind: one of {', '.join(KINDS)}")
    if not isinstance(chamber, str) or not chamber:
        raise InputError("chamber: name the chamber")
    if not isinstance(sections, list) or len(sections) > MOST_SECTIONS or not all(
        isinstance(s, str) for s in sections
    ):  # fmt: skip
        raise InputError(f"sections: a list of at most {MOST_SECTIONS} pairs of pipes")
    check = Check(kind, tuple(sections) if kind != LISTEN else (), chamber)
    if kind == LISTEN:
        heard = body.get("heard")
        if not isinstance(heard, bool):
            raise InputError("heard: say true or false")
        return Result(check, float(heard), math.nan, t)
    first, second = (_flow(body, name) for name in FIELDS[kind])
    result = Result(check, first, second, t)
    check_result(result)
    return result


def _flow(body: Mapping[str, object], name: str) -> float:
    x = body.get(name)
    if isinstance(x, bool) or not isinstance(x, int | float) or not math.isfinite(x):
        raise InputError(f"{name}: a number is needed, m³/h")
    return float(x) / 3600.0


def undo_result(store: Store, no: object, who: str) -> int:
    """A result shall not count any more; it stays, with the name of who said so.

    Raises
    ------
    InputError : there is none of this number
    """
    rows = store.kept("search", since=time.time() - SEARCH_S, limit=1000)
    row = next((r for r in rows if r.no == no and r.state == SEEN), None)
    if row is None:
        raise InputError("undo: there is no such result")
    store.mark_kept(row, UNDONE, who)
    return row.no


def read_results(store: Store, now: float, known: dict[int, Noted] | None = None) -> list[Noted]:
    """Results of the last weeks, oldest first; ``known`` is filled with what need not be asked for again."""
    out = []
    for row in sorted(store.kept("search", since=now - SEARCH_S, limit=500), key=lambda r: r.no):
        old = known.get(row.no) if known is not None else None
        if old is None or old.row.state != row.state:
            old = _read(store, row)
            if old is None:
                continue
            if known is not None:
                known[row.no] = old
        out.append(old)
    return out


def _read(store: Store, row: Kept) -> Noted | None:
    body = store.kept_body(row.no)
    if not isinstance(body, dict):
        return None
    second = body.get("second")
    check = Check(str(body["kind"]), tuple(str(s) for s in body["sections"]), str(body["chamber"]))
    result = Result(check, float(body["first"]), math.nan if second is None else float(second), row.made)
    return Noted(row, row.title, row.who, row.state == SEEN, result, str(body.get("text", "")))


def keep_advice(store: Store, finding_id: str, advice: Advice, zones_m: Sequence[float]) -> int:
    """Keep what the twin advises for an open leak."""
    return store.keep("search_advice", finding_id, {**asdict(advice), "zones_m": list(zones_m)})


def fetch_advice(store: Store, finding_id: str) -> dict[str, object] | None:
    """The newest advice for a finding, or None."""
    row = next((r for r in store.kept("search_advice", limit=50) if r.title == finding_id), None)
    body = None if row is None else store.kept_body(row.no)
    return body if isinstance(body, dict) else None
