"""What the complaints desk can ask and do; plain data in and out, no HTTP here."""

import math
import time
from collections.abc import Mapping
from typing import Any

from app.complaints.show import Names, name_case, show_case, show_group
from app.domains.heating.complaints import (
    Case,
    ComplaintBook,
    ComplaintRefused,
    Rules,
    Step,
    judge_complaints,
    read_clock,
    read_rules,
)
from app.domains.heating.complaints.entry import read_entry
from app.domains.heating.complaints.figures import Judge, know_nothing
from app.domains.heating.complaints.groups import Branches, group_cases, trace_branches
from app.domains.heating.complaints.hotline import read_hotline
from app.domains.heating.complaints.phones import PhoneFile
from app.domains.heating.complaints.words import find_buildings
from app.domains.heating.visits import Reading, note_visits, undo_visit
from app.web.context import Context
from twin.dispatch.inlets import compile_inlets
from twin.model.errors import InputError

Data = dict[str, Any]

FOREVER_S = 1e12
DAY_S = 86_400.0
SHOWN_DONE, DONE_S = 60, 7 * DAY_S
"""Solved and closed cases that the list still shows."""
MOST_TROUBLES = 200


def book_of(context: Context) -> ComplaintBook:
    """The one book of this server."""
    found: ComplaintBook = context.ask("complaint-book", FOREVER_S, lambda: ComplaintBook(context.store))
    return found


def judge_of(context: Context) -> Judge:
    """What reports ask for the figures of complaints; nothing is known where the rules cannot be read."""

    def judge(start: float, end: float) -> dict[str, float]:
        try:
            rules = read_rules(context.settings.county)[0]
        except InputError:
            return know_nothing(start, end)
        return judge_complaints(context.county, rules, book_of(context).cases(), start, end, time.time())

    return judge


def branches_of(context: Context) -> Branches:
    """The ways of the water, worked out once in a while."""
    found: Branches = context.ask("branches", 3600.0, lambda: trace_branches(context.county.network))
    return found


class Complaints:
    """One per server."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.book = book_of(context)
        self._phones = PhoneFile(context.settings.data)
        self._tidied = float("-inf")

    def rules(self) -> tuple[Rules, bool]:
        """Limits in force, and whether they are the county's own. Raises ``InputError``."""
        found: tuple[Rules, bool] = self._context.ask(
            "complaint-rules", 10.0, lambda: read_rules(self._context.settings.county)
        )
        return found

    def look(self, lang: str, *, whole: bool) -> Data:
        """Groups and cases, what is due first on top.

        Parameters
        ----------
        whole : rooms, what was said and masked telephone numbers too; else only what a house tells
        """
        now, county = time.time(), self._context.county
        rules, own = self.rules()
        cases = self.book.cases()
        self._tidy(cases, rules, now)
        names = Names(county, lang)
        phones = self._phones.masked() if whole else {}
        groups = group_cases(county, branches_of(self._context), cases, rules)
        shown = [c for c in cases if c.open] + _lately(cases, now)
        judge = judge_complaints(county, rules, cases, now - 7 * DAY_S, now, now)
        clocks = [read_clock(c, rules, now) for c in cases if c.open]
        return {
            "now": now,
            "may": whole,
            "limits": {"measure_h": rules.measure_h, "solve_h": rules.solve_h, "own": own},
            "crews": list(rules.crews) or _crews(cases),
            "count": {
                "open": len(clocks),
                "over": sum(c.level == "over" for c in clocks),
                "near": sum(c.level == "near" for c in clocks),
                "today": sum(c.received > now - DAY_S and c.status != "withdrawn" for c in cases),
                "all": len(cases),
            },
            "figures": {k: None if math.isnan(x) else x for k, x in judge.items()},
            "groups": [show_group(g, cases, rules, names, now) for g in groups],
            "cases": [
                show_case(c, rules, names, now, whole=whole, phone=phones.get(c.no, "")) for c in shown
            ],
        }

    def buildings(self, words: str, lang: str) -> Data:
        """Buildings that fit what an operator types, the closest first."""
        names = Names(self._context.county, lang)
        found = find_buildings(self._context.county.buildings, words[:120])
        return {
            "buildings": [
                {
                    "id": f.building.id, "name": names.building(f.building.id),
                    "address": f.building.address, "station": names.station(f.building.substation_id),
                    "heated": f.building.heated, "homes": f.building.homes, "home": f.home,
                }
                for f in found
            ]
        }  # fmt: skip

    def receive(self, body: Mapping[str, object], who: str) -> Data:
        """Keep a new case. Raises ``ComplaintRefused``."""
        entry = read_entry(self._context.county, body, time.time())
        no = self.book.receive(entry, who)
        if entry.phone:
            self._phones.keep(no, entry.phone)
        return {"no": no}

    def step(self, no: int, act: str, body: Mapping[str, object], who: str, lang: str) -> Data:
        """The next step of a case, or the undoing of the last. Raises ``ComplaintRefused``."""
        said = ""
        if act == "undone":
            case = self.book.undo(no, body, who, lambda s: self._take_back(s, who))
        elif act == "measured":
            told: list[str] = []
            case = self.book.step(
                self._context.county, no, act, body, who,
                lambda c, t, facts: self._note_room(c, t, facts, who, told),
            )  # fmt: skip
            said = told[0] if told else ""
        else:
            case = self.book.step(self._context.county, no, act, body, who)
        return {"status": case.status, "said": said}

    def read_phone(self, no: int, who: str) -> Data:
        """The telephone number of a case for who calls back; that it was read is written down."""
        phone = self._phones.read(no)
        if not phone:
            raise ComplaintRefused("no_phone")
        self.book.note(no, "phone", who)
        return {"phone": phone}

    def import_table(self, name: str, data: bytes, who: str, lang: str) -> Data:
        """Take the cases of a hotline's export; what is known already is passed over, what cannot be read is
        told by line. Raises ``ComplaintRefused``."""
        sheet = read_hotline(self._context.county, self.rules()[0], name, data, time.time())
        taken = self.book.receive_all([e for _, e in sheet.entries], who)
        for no, entry in taken:
            if entry.phone:
                self._phones.keep(no, entry.phone)
        return {
            "taken": len(taken),
            "known": len(sheet.entries) - len(taken),
            "heads": sheet.heads,
            "refused": len(sheet.troubles),
            "troubles": [
                {"line": t.line, "column": t.column, "number": t.number, "why": t.why.tell(lang)}
                for t in sheet.troubles[:MOST_TROUBLES]
            ],
        }

    def name(self, no: int) -> str:
        """What a case is called. Raises ``ComplaintRefused``."""
        return name_case(self.book.case(no), self._context.county.meta.timezone)

    def _note_room(self, case: Case, t: float, facts: Mapping[str, object], who: str, told: list[str]) -> int:
        """The measured room as a room of 入户测温, which dispatch and balance use; 0 and a reason where it
        cannot be one (no heated building, or nothing reports beside which it could be set)."""
        county, store = self._context.county, self._context.store
        home = str(facts.get("home", "") or case.home)
        room = facts["room_c"]
        assert isinstance(room, float)
        value = self._context.values_of(store.latest_at(t), t)
        try:
            reading = Reading(case.building, room, home)
            return note_visits(county, compile_inlets(county), store, value, (reading,), who)
        except InputError as e:
            told.append(str(e))
            return 0

    def _take_back(self, step: Step, who: str) -> None:
        if step.visit:
            undo_visit(self._context.store, step.visit, who)

    def _tidy(self, cases: list[Case], rules: Rules, now: float) -> None:
        """Forget telephone numbers of cases that were closed long ago, once an hour."""
        if time.monotonic() - self._tidied < 3600.0:
            return
        self._tidied = time.monotonic()
        old = now - rules.phone_days * DAY_S
        gone = {c.no for c in cases if c.status in ("closed", "withdrawn") and c.steps[-1].noted < old}
        self._phones.forget(gone)


def _lately(cases: list[Case], now: float) -> list[Case]:
    """Cases that wait for a call back, and those closed in the last days, the newest first."""
    waiting = [c for c in cases if c.status == "solved"]
    closed = [c for c in cases if c.status == "closed" and c.steps[-1].noted > now - DONE_S]
    return waiting + sorted(closed, key=lambda c: -c.steps[-1].noted)[:SHOWN_DONE]


def _crews(cases: list[Case]) -> list[str]:
    """Crews that were sent lately, the last first."""
    sent = [str(s.facts["crew"]) for c in cases[-200:] for s in c.steps if s.act == "dispatched" and s.stands]
    return list(dict.fromkeys(reversed(sent)))[:8]
