"""A complaint from the call to the call back: its steps, how it stands, and its clocks.

Every line that was written stays; a step that was undone does not count any more. How a case stands is worked
out from the steps that count, so nothing can say something else than its history.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from app.domains.heating.complaints.rules import Rules
from ingest.store.kept_api import KeptLine

KINDS = ("cold", "hot", "leak", "noise", "other")
MEASURED = ("cold", "hot")
"""Kinds for which a room must be measured."""
CHANNELS = ("phone", "12345", "visit", "online", "other")
CAUSES = (
    "station", "network", "building_valve", "home_valve", "blocked", "air", "envelope", "meter", "payment",
    "user", "other",
)  # fmt: skip
ACTS = ("received", "corrected", "dispatched", "measured", "solved", "called", "undone", "phone")
FACTS = ("building", "home", "kind", "channel", "text", "room_c")
"""What a correction may change."""

Status = Literal["received", "dispatched", "measured", "solved", "closed", "reopened", "withdrawn"]
Level = Literal["safe", "near", "over", "done"]
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Step:
    """What was done at ``t`` and written down at ``noted`` (s since 1970 UTC) by ``who``. ``facts``: what
    belongs to the act, such as ``crew``, ``room_c`` (°C), ``cause``, ``text``, ``satisfied``. ``stands``: it
    has not been undone. ``visit``: number of the note among rooms measured by hand, 0 without; ``elsewhere``:
    it was written down there, not here."""

    act: str
    t: float
    noted: float
    who: str
    facts: Mapping[str, object]
    stands: bool = True
    visit: int = 0
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One complaint as it stands. ``no`` its number in the store, ``number`` that of the hotline, empty
    without; ``received`` (s since 1970 UTC); ``room_c`` as the caller says, °C, NaN: did not; ``steps`` all
    of them, oldest first; ``lines``: how many were written, so that nobody decides on what he has not seen.
    """

    no: int
    number: str
    building: str
    home: str
    kind: str
    channel: str
    text: str
    room_c: float
    received: float
    status: Status
    lines: int
    steps: tuple[Step, ...] = field(default=())

    @property
    def open(self) -> bool:
        """Whether somebody has still something to mend."""
        return self.status in ("received", "dispatched", "measured", "reopened")

    @property
    def measured_t(self) -> float:
        """When a room was measured first, NaN: not yet."""
        return min((s.t for s in self.steps if s.stands and s.act == "measured"), default=math.nan)

    @property
    def solved_t(self) -> float:
        """When it was solved for good, as far as is known; NaN: not, or it was opened again."""
        if self.status not in ("solved", "closed"):
            return math.nan
        return next((s.t for s in reversed(self.steps) if s.stands and s.act == "solved"), math.nan)


@dataclass(frozen=True, slots=True)
class Clock:
    """What is due next: ``what`` measure, solve, or nothing (``""``); ``due`` and ``left_s`` (negative: over)
    of it; ``share`` of the limit that has run."""

    what: str
    due: float
    left_s: float
    share: float
    level: Level


def read_clock(case: Case, rules: Rules, now: float) -> Clock:
    """The clock of a case: a room must be measured, then the case solved; both run from its receipt."""
    if not case.open:
        return Clock("", math.nan, math.nan, math.nan, "done")
    unmeasured = case.kind in MEASURED and math.isnan(case.measured_t)
    # a measurement that is due after the case must be solved is never due next
    what = "measure" if unmeasured and rules.measure_h <= rules.solve_h else "solve"
    limit_s = HOUR_S * (rules.measure_h if what == "measure" else rules.solve_h)
    due = case.received + limit_s
    share = max((now - case.received) / limit_s, 0.0)
    level: Level = "over" if share >= 1.0 else "near" if share >= rules.near_share else "safe"
    return Clock(what, due, due - now, share, level)


def fold_case(lines: Sequence[KeptLine], visits: Iterable[Step] = ()) -> Case | None:
    """The case of its lines, oldest first; None: they do not begin with a receipt.

    Parameters
    ----------
    visits : rooms measured at this home by hand, as steps; they count where they fell into the open case
    """
    steps = _read_steps(lines)
    if not steps or steps[0].act != "received":
        return None
    facts: dict[str, object] = {}
    for s in steps:
        if s.act == "received" or (s.act == "corrected" and s.stands):
            facts |= s.facts
    case = Case(
        no=lines[0].no, number=str(facts.get("number", "")), building=str(facts.get("building", "")),
        home=str(facts.get("home", "")), kind=str(facts.get("kind", "other")),
        channel=str(facts.get("channel", "other")), text=str(facts.get("text", "")),
        room_c=_number(facts.get("room_c")), received=steps[0].t,
        status=_judge(steps), lines=len(lines), steps=tuple(steps),
    )  # fmt: skip
    return join_visits(case, visits)


def join_visits(case: Case, visits: Iterable[Step]) -> Case:
    """The case with rooms that were measured at this home while it was open."""
    mine = {s.visit for s in case.steps if s.visit}
    end = case.solved_t
    more = [
        v for v in visits
        if v.visit not in mine and v.t >= case.received and not v.t > end and case.status != "withdrawn"
    ]  # fmt: skip
    if not more:
        return case
    steps = sorted((*case.steps, *more), key=lambda s: (s.act != "received", s.noted))
    return replace(case, steps=tuple(steps), status=_judge(steps))


def _read_steps(lines: Sequence[KeptLine]) -> list[Step]:
    steps: list[Step] = []
    for line in lines:
        body = line.body if isinstance(line.body, dict) else {}
        act = str(body.get("act", ""))
        if act not in ACTS:
            continue
        t = float(body.get("t", line.t))
        facts = {k: v for k, v in body.items() if k not in ("act", "t", "visit")}
        if act == "undone":
            _undo(steps)
        steps.append(Step(act, t, line.t, line.who, facts, visit=int(body.get("visit") or 0)))
    return steps


def last_standing(steps: Sequence[Step]) -> int:
    """Where the step stands that an undoing takes back, -1: there is none."""
    for k in range(len(steps) - 1, -1, -1):
        s = steps[k]
        if s.stands and s.act not in ("undone", "phone") and not s.elsewhere:
            return k
    return -1


def _undo(steps: list[Step]) -> None:
    k = last_standing(steps)
    if k >= 0:
        steps[k] = replace(steps[k], stands=False)


def _judge(steps: Sequence[Step]) -> Status:
    """How a case stands after its steps."""
    status: Status = "withdrawn"
    for s in steps:
        if not s.stands:
            continue
        if s.act == "received":
            status = "received"
        elif s.act == "dispatched":
            status = "dispatched"
        elif s.act == "measured" and status in ("received", "dispatched", "reopened"):
            status = "measured"
        elif s.act == "solved":
            status = "solved"
        elif s.act == "called":
            status = "closed" if s.facts.get("satisfied") is True else "reopened"
    return status if steps and steps[0].stands else "withdrawn"


def _number(x: object) -> float:
    return float(x) if isinstance(x, int | float) and not isinstance(x, bool) else math.nan
