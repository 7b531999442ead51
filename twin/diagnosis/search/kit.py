"""What a crew can do at a chamber, how far it can be trusted and how long it takes."""

import math
from dataclasses import dataclass

from twin.model.errors import InputError

CLAMP, VALVE, LISTEN = "clamp", "valve", "listen"
KINDS = (CLAMP, VALVE, LISTEN)
MOST_M3_S = 20.0
"""No district heating pipe carries more."""


@dataclass(frozen=True, slots=True)
class Kit:
    """Instruments of the crew; all errors are one standard deviation.

    ``flow_share``, ``flow_least_m_s``: clamp-on ultrasonic flow meter (手持超声波流量计): error as a share
    of the reading, and the velocity it is at least. Makers state 1 % of the reading above some 0.5 m/s on a
    pipe whose wall is known; as a standard deviation that is on the safe side. Engineering defaults.
    ``unlike``: share by which the friction of the two pipes of a trench differs from their survey without
    the other doing so: in loops, supply and return then divide differently without any leak.
    ``size_share``: to which the size of the leak is known from the make-up.
    ``make_up_m3_s``: to which the make-up meter tells a change within some minutes.
    ``hear``, ``hear_m``, ``deaf_m``, ``imagine``: listening (听漏) hears a leak with this probability up to
    ``hear_m`` of trench away, at ``deaf_m`` no more; noise is taken for a leak with ``imagine``.
    ``wrong``: share of results that say nothing (wrong pipe, air under the sensor, a slip of the pen).
    Minutes of the crew for each check, ``more_min`` for the valves of every further section, and ``way_min``
    to another chamber. ``most_cut``: at most so many stations go without water for a valve test, behind at
    most ``most_shut`` sections.
    """

    flow_share: float = 0.01
    flow_least_m_s: float = 0.005
    unlike: float = 0.1
    size_share: float = 0.1
    make_up_m3_s: float = 3e-4
    hear: float = 0.85
    hear_m: float = 50.0
    deaf_m: float = 150.0
    imagine: float = 0.05
    wrong: float = 0.05
    clamp_min: float = 25.0
    valve_min: float = 45.0
    listen_min: float = 8.0
    way_min: float = 12.0
    more_min: float = 12.0
    most_cut: int = 4
    most_shut: int = 5

    def shut_min(self, sections: int) -> float:
        """Minutes for a valve test with the valves of so many sections."""
        return self.valve_min + self.more_min * (sections - 1)

    def minutes(self, check: "Check") -> float:
        """Minutes for one check, without the way there."""
        if check.kind == VALVE:
            return self.shut_min(len(check.pair_ids))
        return self.clamp_min if check.kind == CLAMP else self.listen_min


KIT = Kit()


@dataclass(frozen=True, slots=True)
class Check:
    """Something to do: ``kind`` of ``KINDS``; ``pair_ids`` the trench section whose two pipes are measured,
    or those that are shut together (none for listening); ``node_id`` the chamber where it is done, of a
    valve test the first one."""

    kind: str
    pair_ids: tuple[str, ...]
    node_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a check gave at ``t`` (s since 1970), as read.

    ``first``, ``second``: clamp: volume flows of supply and return pipe, m³/s, not negative; valve: make-up
    before and while it was shut, m³/s; listen: 1 heard or 0 not, and NaN.
    """

    check: Check
    first: float
    second: float
    t: float


def check_result(result: Result) -> None:
    """Refuse what cannot be a result.

    Raises
    ------
    InputError : in words that name the field
    """
    kind = result.check.kind
    if kind not in KINDS:
        raise InputError(f"kind: {kind[:40]!r} is no check: one of {', '.join(KINDS)}")
    if kind == LISTEN:
        if result.first not in (0.0, 1.0):
            raise InputError("heard: say true or false")
        return
    names = ("supply", "return") if kind == CLAMP else ("before", "after")
    for name, x in zip(names, (result.first, result.second), strict=True):
        if not math.isfinite(x) or not 0.0 <= x <= MOST_M3_S:
            raise InputError(f"{name}: a flow of 0 to {3600 * MOST_M3_S:.0f} m³/h is needed")
