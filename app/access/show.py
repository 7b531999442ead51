"""Records of the onboarding engine as plain data for the page."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ingest.onboarding.propose import Draft
from ingest.onboarding.state import Kept, State
from ingest.onboarding.trace import Message, Outcome
from ingest.onboarding.troubles import Trouble
from ingest.reasons import translate_reason
from ingest.things import ThingModel

Data = dict[str, Any]


def show_trouble(t: Trouble, lang: str) -> Data:
    """One finding as a sentence."""
    return {"block": t.block, "code": t.code, "error": t.is_error, "text": t.text(lang)}


def show_outcomes(blocks: Sequence[Outcome], lang: str) -> list[Data]:
    """What every block made of a message."""
    return [
        {
            "kind": b.kind,
            "state": b.state,
            "rows": list(b.rows),
            "troubles": [show_trouble(t, lang) for t in b.troubles],
        }
        for b in blocks
    ]


def show_message(m: Message) -> Data:
    """A message as text; bytes that are no text as hexadecimal digits."""
    try:
        return {"topic": m.topic, "payload": m.payload.decode(), "hex": False, "t": m.received}
    except UnicodeDecodeError:
        return {"topic": m.topic, "payload": m.payload.hex(" "), "hex": True, "t": m.received}


def show_flow(kept: Kept, state: State, can_simulate: bool) -> Data:
    """A flow with its versions; the newest is what the page edits."""
    last = kept.versions[-1].flow
    shown = kept.flow or last
    numbers = {p.id: p.no for p in state.points}
    points = [f"{d.where}/{m.key}" for d in shown.devices for m in shown.maps]
    return {
        "id": kept.id,
        "live": kept.live,
        "flow": msgspec.to_builtins(shown),
        "versions": [{"number": v.number, "t": v.t, "by": v.by} for v in kept.versions],
        "points": [p for p in points if p in numbers][:200],
        "simulated": any(s.flow == kept.id and not s.until for s in state.simulated),
        "can_simulate": can_simulate,
    }


def show_model(m: ThingModel, lang: str) -> Data:
    """A model with what a list of choices needs."""
    zh = lang == "zh"
    return {
        "id": m.id,
        "name": m.name(lang),
        "properties": [
            {"key": p.key, "name": p.zh if zh else p.en, "unit": p.unit, "quantity": p.quantity}
            for p in m.properties
        ],
        "events": [{"key": e.key, "name": e.zh if zh else e.en, "level": e.level} for e in m.events],
        "services": [{"key": s.key, "name": s.zh if zh else s.en} for s in m.services],
    }


def show_draft(d: Draft, message: Message, lang: str) -> Data:
    """A proposal for a stranger."""
    return {
        "flow": msgspec.to_builtins(d.flow),
        "message": show_message(message),
        "refused": translate_reason(d.learnt.refused, lang),
        "matches": [
            {
                "id": m.model.id,
                "name": m.model.name(lang),
                "score": m.score,
                "maps": msgspec.to_builtins(m.maps),
            }
            for m in d.matches
        ],
    }
