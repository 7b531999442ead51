"""Cases and groups as the page draws them: plain data, names in the language of who looks."""

import math
from typing import Any

from app.domains.heating.complaints.case import MEASURED, Case, Step, last_standing, read_clock
from app.domains.heating.complaints.groups import Group
from app.domains.heating.complaints.rules import Rules
from app.format import local_time
from twin.model.county import County

Data = dict[str, Any]


class Names:
    """Names of buildings and stations in a language."""

    def __init__(self, county: County, lang: str) -> None:
        self.zone = county.meta.timezone
        self._buildings = {b.id: b for b in county.buildings}
        self._stations = {s.id: s.name if lang == "zh" else s.name_en for s in county.network.substations}

    def building(self, i: str) -> str:
        """A building, by its address where it has no name."""
        b = self._buildings.get(i)
        return i if b is None else b.name or b.address or b.id

    def address(self, i: str) -> str:
        """Postal address, empty where it is not known or stands for the name already."""
        b = self._buildings.get(i)
        return b.address if b is not None and b.name else ""

    def station_of(self, building: str) -> str:
        """Id of the station of a building, empty without."""
        b = self._buildings.get(building)
        return "" if b is None else b.substation_id

    def station(self, i: str) -> str:
        """A station, empty for none."""
        return self._stations.get(i, "")


def name_case(case: Case, zone: str) -> str:
    """The number of the hotline, else month, day and time of the call."""
    return case.number or local_time(case.received, zone, "%m%d-%H%M%S")


def show_case(case: Case, rules: Rules, names: Names, now: float, *, whole: bool, phone: str = "") -> Data:
    """One case; without ``whole`` neither room nor words of the caller."""
    clock = read_clock(case, rules, now)
    station = names.station_of(case.building)
    at = last_standing(case.steps)
    return {
        "no": case.no, "name": name_case(case, names.zone), "building": case.building,
        "place": names.building(case.building), "address": names.address(case.building),
        "station": station, "station_name": names.station(station),
        "home": case.home if whole else "", "kind": case.kind, "channel": case.channel,
        "text": case.text if whole else "", "room_c": _plain(case.room_c), "received": case.received,
        "status": case.status, "lines": case.lines, "needs": case.kind in MEASURED,
        "measured_t": _plain(case.measured_t), "measured_c": _measured(case),
        "clock": {"what": clock.what, "due": _plain(clock.due), "level": clock.level,
                  "share": _plain(clock.share)},
        "phone": phone, "undo": case.steps[at].act if at >= 0 else "",
        "steps": [_show_step(s, whole) for s in case.steps],
    }  # fmt: skip


def _show_step(s: Step, whole: bool) -> Data:
    facts = dict(s.facts)
    if not whole:
        for private in ("text", "home", "number"):
            facts.pop(private, None)
    return {
        "act": s.act, "t": s.t, "who": s.who, "stands": s.stands, "elsewhere": s.elsewhere,
        "noted": bool(s.visit), "facts": facts,
    }  # fmt: skip


def show_group(group: Group, cases: list[Case], rules: Rules, names: Names, now: float) -> Data:
    """One group: its cases, where they come from, and the most urgent clock of them."""
    mine = [c for c in cases if c.no in set(group.cases)]
    urgent = min((read_clock(c, rules, now) for c in mine), key=lambda k: k.due)
    return {
        "kind": group.kind, "cases": list(group.cases), "node": group.node,
        "stations": [{"id": s, "name": names.station(s)} for s in group.stations],
        "first": mine[0].received, "last": mine[-1].received,
        "clock": {"what": urgent.what, "due": urgent.due, "level": urgent.level, "share": urgent.share},
    }  # fmt: skip


def _measured(case: Case) -> float | None:
    """The last measured room of a case."""
    rooms = [s.facts.get("room_c") for s in case.steps if s.stands and s.act == "measured"]
    return float(rooms[-1]) if rooms and isinstance(rooms[-1], int | float) else None


def _plain(x: float) -> float | None:
    return x if math.isfinite(x) else None
