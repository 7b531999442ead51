"""What a request says of a case, checked: a new one, and each step of its life."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.domains.heating.complaints.case import CAUSES, CHANNELS, KINDS, Case, Status, Step
from app.domains.heating.complaints.refusal import ComplaintRefused
from app.domains.heating.complaints.words import hide_numbers
from app.domains.heating.visits import LEAST_C, MOST_C, MOST_NAME
from twin.model.county import County

Body = Mapping[str, object]

MOST_TEXT, MOST_CREW, MOST_NUMBER = 500, 40, 60
OLDEST_S = 30 * 86_400.0
"""A call is written down at most so long after it came; an import may be as old as a season."""
AHEAD_S = 60.0
STEPS: dict[str, tuple[Status, ...]] = {
    "dispatched": ("received", "dispatched", "measured", "reopened"),
    "measured": ("received", "dispatched", "measured", "reopened"),
    "solved": ("received", "dispatched", "measured", "reopened"),
    "called": ("solved", "closed"),
}
"""How a case must stand for each step."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A new case, ready to be kept. ``t``: when the call came; ``phone``: kept apart; ``number``: the
    hotline's, empty without."""

    building: str
    home: str
    kind: str
    channel: str
    text: str
    t: float
    room_c: float = math.nan
    phone: str = ""
    number: str = ""

    def facts(self) -> dict[str, object]:
        """What is kept of it; the telephone number is not."""
        kept: dict[str, object] = {
            "building": self.building, "home": self.home, "kind": self.kind, "channel": self.channel,
            "text": self.text, "room_c": self.room_c,
        }  # fmt: skip
        return kept | ({"number": self.number} if self.number else {})


def read_entry(county: County, body: Body, now: float, *, oldest_s: float = OLDEST_S) -> Entry:
    """A new case of a request: ``building`` id, ``kind``; ``home``, ``channel``, ``text``, ``room_c``,
    ``phone``, ``number`` and ``t`` (local time as text, or s since 1970 UTC) may be missing.

    Raises
    ------
    ComplaintRefused : names the field
    """
    phone = _text(body, "phone", 30)
    if phone and sum(c.isdigit() for c in phone) < 7:
        raise ComplaintRefused("phone")
    return Entry(
        building=read_building(county, body),
        home=_text(body, "home", MOST_NAME),
        kind=_one_of(body, "kind", KINDS),
        channel=_one_of(body, "channel", CHANNELS, "phone"),
        text=hide_numbers(_text(body, "text", MOST_TEXT)),
        t=read_time(body, county.meta.timezone, now, now - oldest_s),
        room_c=read_room(body),
        phone=phone,
        number=_text(body, "number", MOST_NUMBER),
    )


def read_correction(county: County, body: Body) -> dict[str, object]:
    """What is to be changed of a case, at least one fact.

    Raises
    ------
    ComplaintRefused : names the field
    """
    facts: dict[str, object] = {}
    if "building" in body:
        facts["building"] = read_building(county, body)
    if "home" in body:
        facts["home"] = _text(body, "home", MOST_NAME)
    if "kind" in body:
        facts["kind"] = _one_of(body, "kind", KINDS)
    if "channel" in body:
        facts["channel"] = _one_of(body, "channel", CHANNELS)
    if "text" in body:
        facts["text"] = hide_numbers(_text(body, "text", MOST_TEXT))
    if "room_c" in body:
        facts["room_c"] = read_room(body)
    if not facts:
        raise ComplaintRefused("nothing")
    return facts


def read_step(
    county: County, case: Case, act: str, body: Body, now: float
) -> tuple[float, dict[str, object]]:
    """When a step was done, and its facts.

    Raises
    ------
    ComplaintRefused : the case does not stand so, a field is missing, or the time cannot be
    """
    if act not in STEPS:
        raise ComplaintRefused("act", acts=", ".join((*STEPS, "corrected", "undone")))
    if case.status not in STEPS[act]:
        raise ComplaintRefused("step_now", act=act, status=case.status)
    t = read_time(body, county.meta.timezone, now, newest_done(case.steps))
    text = hide_numbers(_text(body, "text", MOST_TEXT))
    facts: dict[str, object] = {"text": text} if text else {}
    if act == "dispatched":
        facts["crew"] = _text(body, "crew", MOST_CREW)
        if not facts["crew"]:
            raise ComplaintRefused("crew")
    elif act == "measured":
        facts["room_c"] = read_room(body)
        if math.isnan(read_room(body)):
            raise ComplaintRefused("room_missing")
        if "home" in body:
            facts["home"] = _text(body, "home", MOST_NAME)
    elif act == "solved":
        facts["cause"] = _one_of(body, "cause", CAUSES)
    else:
        satisfied = body.get("satisfied")
        if not isinstance(satisfied, bool):
            raise ComplaintRefused("satisfied")
        if case.status == "closed" and satisfied:
            raise ComplaintRefused("closed_already")
        facts["satisfied"] = satisfied
    return t, facts


def newest_done(steps: Sequence[Step]) -> float:
    """When the last step that counts was done; a correction is no step in time."""
    return max((s.t for s in steps if s.stands and s.act in (*STEPS, "received")), default=0.0)


def read_building(county: County, body: Body) -> str:
    """Id of a building of the county."""
    building = body.get("building")
    if not isinstance(building, str) or not any(b.id == building for b in county.buildings):
        raise ComplaintRefused("building", building=str(building or "")[:60])
    return building


def read_room(body: Body) -> float:
    """Room temperature, °C, NaN without."""
    x = body.get("room_c")
    if x is None or x == "":
        return math.nan
    if isinstance(x, bool) or not isinstance(x, int | float) or not LEAST_C <= x <= MOST_C:
        raise ComplaintRefused("room", low=f"{LEAST_C:g}", high=f"{MOST_C:g}")
    return float(x)


def read_time(body: Body, zone: str, now: float, first: float) -> float:
    """When something was done, s since 1970 UTC: a number, local time as ``2026-11-22 07:30``, or now where
    nothing is said; not before ``first``.

    Raises
    ------
    ComplaintRefused : it is no time, in the future, or before ``first``
    """
    given = body.get("t")
    if given is None or given == "":
        return max(now, first)
    t = _seconds(given, zone)
    if t > now + AHEAD_S:
        raise ComplaintRefused("time_ahead")
    if t < first - AHEAD_S:
        at = datetime.fromtimestamp(first, ZoneInfo(zone))
        raise ComplaintRefused("time_before", first=f"{at:%Y-%m-%d %H:%M}")
    return max(min(t, now), first)


def _seconds(given: object, zone: str) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given):
        return float(given)
    try:
        at = datetime.fromisoformat(str(given).strip().replace("/", "-"))
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).timestamp()
    except (ValueError, OverflowError):
        raise ComplaintRefused("time", given=str(given)[:40]) from None


def _text(body: Body, name: str, most: int) -> str:
    x = body.get(name)
    if x is None:
        return ""
    if not isinstance(x, str):
        raise ComplaintRefused("text", field=name)
    text = " ".join("".join(c if c.isprintable() else " " for c in x).split())
    if len(text) > most:
        raise ComplaintRefused("long", field=name, n=len(text), most=most)
    return text


def _one_of(body: Body, name: str, among: Sequence[str], otherwise: str = "") -> str:
    x = body.get(name)
    if (x is None or x == "") and otherwise:
        return otherwise
    if not isinstance(x, str) or x not in among:
        raise ComplaintRefused("choice", field=name, choices=", ".join(among))
    return x
