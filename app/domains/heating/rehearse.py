"""From the store to a rehearsal and back to words: the moment, the outlook, the alternatives ranked."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.ahead import PAST_S, Hourly, look_ahead, read_weather
from app.domains.heating.following import follow_weather
from app.domains.heating.past import RolledUp, read_past
from app.domains.heating.present import Present, plain_present
from twin.heat import HeatSystem, compile_network, compile_system
from twin.model.county import Building, County
from twin.rehearsal import (
    Case,
    Gain,
    Incident,
    Judgement,
    Measure,
    Rehearsal,
    Spare,
    find_spare,
    judge_run,
    list_options,
    rank_mobile,
    rank_shedding,
    rehearse,
    settle_system,
)
from twin.rehearsal.options import DECIDE_AFTER_H

Floats = NDArray[np.float64]

TANK_H = 1.0
"""How long a make-up tank bridges what the make-up cannot give; an engineering default."""
MAKE_UP_SHARE = 0.04
"""Make-up that a closed network must be able to give in an accident, of the circulation (CJJ/T 34)."""


@dataclass(frozen=True, slots=True, eq=False)
class Alternative:
    """One course with its judgement. ``sustainable``: the make-up can replace what is lost; ``lasts_h``:
    hours after which the network stops for want of water (inf: it does not)."""

    run: Rehearsal
    judgement: Judgement
    sustainable: bool
    lasts_h: float = math.inf


@dataclass(frozen=True, slots=True)
class Aid:
    """Mobile boilers at hand: how many, of what heat each, and hours until they stand where they are sent."""

    count: int = 0
    power_w: float = 1.4e6
    after_h: float = 3.0


NO_AID = Aid()


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Alternatives from best to worst, where they started (``t``, ``present``), what happens, which station
    gains most from a mobile boiler, which can do with less heat, and how long it took."""

    t: float
    incidents: tuple[Incident, ...]
    alternatives: tuple[Alternative, ...]
    gains: tuple[Gain, ...]
    spare: tuple[Spare, ...]
    aid: Aid
    seconds: float
    present: Present

    @property
    def nothing(self) -> Alternative:
        """The alternative without any measure."""
        return next(a for a in self.alternatives if not a.run.case.measures)


def compile_county(county: County) -> HeatSystem:
    """The whole of a county, ready to be simulated."""
    return compile_system(compile_network(county.network), [b for b in county.buildings if b.heated])


class Stage:
    """A county's compiled system; one rehearsal at a time."""

    def __init__(self, county: County) -> None:
        self.county = county
        self._lock = threading.Lock()
        self._system: HeatSystem | None = None

    def system(self) -> HeatSystem:
        """The system, compiled at first use."""
        if self._system is None:
            self._system = compile_county(self.county)
        return self._system

    def rehearse(
        self, value: Floats, rolled_up: RolledUp, now: float, incidents: tuple[Incident, ...], hours: float,
        hourly: Hourly | None = None, aid: Aid = NO_AID, until: float | None = None,
        present: Present | None = None,
    ) -> Answer:  # fmt: skip
        """Run incidents and what could be done about them.

        Parameters
        ----------
        value : (n_point,) usable values at ``now``, SI
        rolled_up : sums of a point by 5 minutes between two times
        hourly : means of points by the hour, for the outlook; None: the weather stays
        until : the present, where ``now`` is a stored moment: the weather that came until then is known
        present : what the live twin knew at ``now``; None: nothing

        Raises
        ------
        InputError : an incident is not possible, or too little is measured to start from
        """
        with self._lock:
            began = time.monotonic()
            known = present or plain_present(self.county)
            system = self.system() if not known.corrected else compile_county(known.county)
            past = read_past(self.county, system, value, rolled_up, now, known)
            if hourly:
                past = follow_weather(self.county, past, value, hourly, now - PAST_S, now)
            state = settle_system(system, past)
            weather = read_weather(self.county, hourly, now - PAST_S, now) if hourly else None
            later = hourly and until is not None and until - now > 3600.0
            came = read_weather(self.county, hourly, now, until or now) if hourly and later else None
            outlook = look_ahead(system, past, weather, hours, now, came)
            buildings = {b.id: b for b in self.county.buildings}

            def judge(run: Rehearsal) -> Alternative:
                return _judge(system, buildings, run)

            def play(case: Case) -> Alternative:
                return judge(rehearse(system, state, outlook, case))

            nothing = _play_nothing(play, judge, incidents, _limit_make_up(system))
            boilers, gains = _place_boilers(system, buildings, nothing.run, aid, incidents)
            spare = find_spare(system, buildings, nothing.run)
            cases = list_options(self.county.network, incidents, boilers, spare)
            found = [nothing, *(play(c) for c in cases if c.measures)]
        found.sort(key=_rank)
        at = min((x.after_h for x in incidents), default=0.0) + DECIDE_AFTER_H
        less = rank_shedding(system, buildings, nothing.run, at)
        took = time.monotonic() - began
        return Answer(now, incidents, tuple(found), gains, less, aid, took, known)


def _play_nothing(
    play: Callable[[Case], Alternative], again: Callable[[Rehearsal], Alternative],
    incidents: tuple[Incident, ...], limit_kg_s: float,
) -> Alternative:  # fmt: skip
    """Nothing is done: if the make-up cannot replace what is lost, the network loses its pressure and stops;
    from then on only what the make-up gives runs out."""
    a = play(Case("nothing", incidents))
    if a.sustainable:
        return a
    after = min(x.after_h for x in incidents if x.kind == "burst") + TANK_H
    stops = play(Case("collapse", (*incidents, Incident("power_cut", "", 0.0, after))))
    run, f = stops.run, stops.run.frames
    late, gone = run.time_s > 3600.0 * after, f.hour > after + 1e-6
    lost = np.where(late, np.minimum(run.lost_kg_s, limit_kg_s), run.lost_kg_s)
    no_pressure = [np.where(gone[:, None], np.nan, p) for p in (f.p_supply_pa, f.p_return_pa)]
    still = np.where(gone[:, None], 0.0, f.mass_flow_kg_s)
    f = replace(f, p_supply_pa=no_pressure[0], p_return_pa=no_pressure[1], mass_flow_kg_s=still)
    run = replace(run, lost_kg_s=lost, frames=f)
    return replace(again(run), sustainable=False, lasts_h=TANK_H)


def _place_boilers(
    system: HeatSystem, buildings: dict[str, Building], nothing: Rehearsal, aid: Aid,
    incidents: tuple[Incident, ...],
) -> tuple[tuple[Measure, ...], tuple[Gain, ...]]:  # fmt: skip
    """Mobile boilers where they relieve most, as measures, and the ranking of the stations."""
    after = min((x.after_h for x in incidents), default=0.0) + aid.after_h
    gains = rank_mobile(system, buildings, nothing, aid.power_w, aid.count, after)
    sent = tuple(
        Measure("mobile_boiler", g.station, aid.power_w * g.boilers, after) for g in gains if g.boilers
    )
    return sent, gains


def _rank(a: Alternative) -> tuple[bool, float, float]:
    """What the water does not last for comes last; then cold, then water."""
    return (not a.sustainable and not a.run.case.name.startswith("collapse"), a.judgement.degree_hours,
            a.judgement.lost_t)  # fmt: skip


def _limit_make_up(system: HeatSystem) -> float:
    """What a make-up can give, kg/s."""
    return MAKE_UP_SHARE * float(system.net.station_design_kg_s.sum())


def _judge(system: HeatSystem, buildings: dict[str, Building], run: Rehearsal) -> Alternative:
    limit = _limit_make_up(system)
    longest_h = float((run.lost_kg_s > limit).sum() * run.time_s[0] / 3600.0)
    return Alternative(run, judge_run(system, buildings, run), longest_h < 1.0)
