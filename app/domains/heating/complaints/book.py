"""The book of cases: kept things of kind ``complaint``, each line of one a step of its life.

Nothing is ever written over: an undoing or a correction is one more line.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from app.domains.heating.complaints.case import Case, Step, fold_case, join_visits, last_standing
from app.domains.heating.complaints.entry import Entry, read_correction, read_step
from app.domains.heating.complaints.refusal import ComplaintRefused
from app.domains.heating.complaints.words import home_key
from app.domains.heating.visits import list_visits
from ingest.store.api import Store
from ingest.store.kept_api import Kept, KeptLine
from twin.model.county import County

FRESH_S = 2.0
"""So long an answer of the store stands in for the next."""
OVERLAP_S = 60.0
"""Lines are asked for again from a little before the newest: clocks of writers differ."""
KIND: Final = "complaint"


class ComplaintBook:
    """One per server; reads what is new and remembers the rest."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._lines: dict[int, list[KeptLine]] = {}
        self._seen: set[tuple[int, float]] = set()
        self._newest = 0.0
        self._folded: dict[int, Case] = {}
        self._visits: dict[tuple[str, str], list[Step]] = {}
        self._asked = float("-inf")

    def cases(self) -> list[Case]:
        """Every case, oldest call first, with what was measured at their homes by hand. Raises
        ``StoreUnavailable``."""
        with self._lock:
            self._refresh()
            found = [
                join_visits(c, self._visits.get((c.building, home_key(c.home)), ())) if c.home else c
                for c in self._folded.values()
            ]
        return sorted(found, key=lambda c: (c.received, c.no))

    def case(self, no: int) -> Case:
        """The case of a number.

        Raises
        ------
        ComplaintRefused : there is none
        """
        found = next((c for c in self.cases() if c.no == no), None)
        if found is None:
            raise ComplaintRefused("none", no=no)
        return found

    def numbers(self) -> set[str]:
        """The hotline's numbers of all cases, withdrawn ones too."""
        return {c.number for c in self.cases() if c.number}

    def receive(self, entry: Entry, who: str) -> int:
        """Keep a new case; its number.

        Raises
        ------
        ComplaintRefused : a case with this number of the hotline is known
        """
        taken = self.receive_all([entry], who)
        if not taken:
            raise ComplaintRefused("known", number=entry.number)
        return taken[0][0]

    def receive_all(self, entries: Sequence[Entry], who: str) -> list[tuple[int, Entry]]:
        """Keep new cases; those whose hotline's number is known are passed over. Numbers and entries of what
        was kept."""
        taken: list[tuple[int, Entry]] = []
        with self._lock:
            self._asked = float("-inf")
            known = self.numbers() if any(e.number for e in entries) else set()
            for entry in entries:
                if entry.number and entry.number in known:
                    continue
                known.add(entry.number)
                body = {"act": "received", "t": entry.t, **entry.facts()}
                taken.append((self._store.keep(KIND, entry.number, body, who, "received"), entry))
            self._asked = float("-inf")
        return taken

    def step(
        self, county: County, no: int, act: str, body: Mapping[str, object], who: str,
        also: Callable[[Case, float, dict[str, object]], int] | None = None,
    ) -> Case:  # fmt: skip
        """Write the next step of a case; the case as it stands then.

        Parameters
        ----------
        also : does what belongs to the step elsewhere, and returns the number it is kept under there

        Raises
        ------
        ComplaintRefused : names what cannot be
        """
        with self._lock:
            case = self._look(no, body)
            if act == "corrected":
                if case.status == "withdrawn":
                    raise ComplaintRefused("step_now", act=act, status=case.status)
                t, facts = time.time(), read_correction(county, body)
            else:
                t, facts = read_step(county, case, act, body, time.time())
            if also is not None and (kept := also(case, t, facts)):
                facts["visit"] = kept
            return self._write(case, {"act": act, "t": t, **facts}, who)

    def undo(self, no: int, body: Mapping[str, object], who: str, also: Callable[[Step], None]) -> Case:
        """Take the newest step back; what it was stays in the book. ``also`` takes back what belonged to it
        elsewhere.

        Raises
        ------
        ComplaintRefused : nothing is left to take back
        """
        with self._lock:
            case = self._look(no, body)
            at = last_standing(case.steps)
            if at < 0:
                raise ComplaintRefused("nothing_left")
            also(case.steps[at])
            return self._write(case, {"act": "undone", "t": time.time(), "of": case.steps[at].act}, who)

    def note(self, no: int, act: str, who: str) -> None:
        """Write down that something was looked at. Raises ``ComplaintRefused``."""
        with self._lock:
            self._write(self.case(no), {"act": act, "t": time.time()}, who)

    def _look(self, no: int, body: Mapping[str, object]) -> Case:
        """The case as it stands now. Raises ``ComplaintRefused``: it is not what was seen."""
        self._asked = float("-inf")
        case = self.case(no)
        seen = body.get("seen")
        if isinstance(seen, int) and seen != case.lines:
            raise ComplaintRefused("changed")
        return case

    def _write(self, case: Case, body: dict[str, object], who: str) -> Case:
        last = self._lines[case.no][-1]
        row = Kept(case.no, KIND, case.no / 1e6, last.t, case.status, who, last.title)
        told = KeptLine(case.no, max(time.time(), last.t), case.status, who, last.title, body)
        after = fold_case([*self._lines[case.no], told])
        self._store.mark_kept(row, after.status if after is not None else case.status, who, body)
        self._asked = float("-inf")
        return self.case(case.no)

    def _refresh(self) -> None:
        if time.monotonic() - self._asked < FRESH_S:
            return
        changed = set()
        for line in self._store.kept_log(KIND, max(self._newest - OVERLAP_S, 0.0)):
            if (line.no, line.t) in self._seen:
                continue
            self._seen.add((line.no, line.t))
            self._lines.setdefault(line.no, []).append(line)
            self._newest = max(self._newest, line.t)
            changed.add(line.no)
        for no in changed:
            self._lines[no].sort(key=lambda x: x.t)
            folded = fold_case(self._lines[no])
            if folded is not None:
                self._folded[no] = folded
        self._visits = self._read_visits()
        self._asked = time.monotonic()

    def _read_visits(self) -> dict[tuple[str, str], list[Step]]:
        """Rooms measured by hand, by home; only what can belong to a case."""
        homes = {(c.building, home_key(c.home)) for c in self._folded.values() if c.home}
        found: dict[tuple[str, str], list[Step]] = defaultdict(list)
        if not homes:
            return found
        first = min(c.received for c in self._folded.values())
        for v in list_visits(self._store, first):
            key = (v.building_id, home_key(v.home))
            if key in homes:
                facts = {"room_c": v.room_c, "home": v.home}
                step = Step("measured", v.t, v.t, v.who, facts, visit=v.no)
                found[key].append(replace(step, elsewhere=True))
        return found
