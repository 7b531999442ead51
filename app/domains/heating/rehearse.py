"""From the store to a rehearsal and back to words: the moment, the outlook, the alternatives ranked."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.ahead import PAST_S, STEP_S, Hourly, look_ahead, read_weather
from ingest.store.api import RollUpSeries
from twin.heat import HeatSystem, compile_network, compile_system
from twin.heat.water import density_kg_m3
from twin.model.county import Building, County
from twin.model.errors import InputError
from twin.rehearsal import (
    Case,
    Gain,
    Incident,
    Judgement,
    Measure,
    Past,
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
RolledUp = Callable[[int, float, float], RollUpSeries]

PAST_H = 12.0
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
    """Alternatives from best to worst, where they started (``t``), what happens, which station gains most
    from a mobile boiler, which can do with less heat, and how long it took."""

    t: float
    incidents: tuple[Incident, ...]
    alternatives: tuple[Alternative, ...]
    gains: tuple[Gain, ...]
    spare: tuple[Spare, ...]
    aid: Aid
    seconds: float

    @property
    def nothing(self) -> Alternative:
        """The alternative without any measure."""
        return next(a for a in self.alternatives if not a.run.case.measures)


class Stage:
    """A county's compiled system; one rehearsal at a time."""

    def __init__(self, county: County) -> None:
        self._county = county
        self._lock = threading.Lock()
        self._system: HeatSystem | None = None

    def system(self) -> HeatSystem:
        """The system, compiled at first use."""
        if self._system is None:
            heated = [b for b in self._county.buildings if b.heated]
            self._system = compile_system(compile_network(self._county.network), heated)
        return self._system

    def rehearse(
        self, value: Floats, rolled_up: RolledUp, now: float, incidents: tuple[Incident, ...], hours: float,
        hourly: Hourly | None = None, aid: Aid = NO_AID, until: float | None = None,
    ) -> Answer:  # fmt: skip
        """Run incidents and what could be done about them.

        Parameters
        ----------
        value : (n_point,) usable values at ``now``, SI
        rolled_up : sums of a point by 5 minutes between two times
        hourly : means of points by the hour, for the outlook; None: the weather stays
        until : the present, where ``now`` is a stored moment: the weather that came until then is known

        Raises
        ------
        InputError : an incident is not possible, or too little is measured to start from
        """
        with self._lock:
            began = time.monotonic()
            system = self.system()
            past = read_past(self._county, system, value, rolled_up, now)
            state = settle_system(system, past)
            weather = read_weather(self._county, hourly, now - PAST_S, now) if hourly else None
            later = hourly and until is not None and until - now > 3600.0
            came = read_weather(self._county, hourly, now, until or now) if hourly and later else None
            outlook = look_ahead(system, past, weather, hours, now, came)
            buildings = {b.id: b for b in self._county.buildings}

            def judge(run: Rehearsal) -> Alternative:
                return _judge(system, buildings, run)

            def play(case: Case) -> Alternative:
                return judge(rehearse(system, state, outlook, case))

            nothing = _play_nothing(play, judge, incidents, _limit_make_up(system))
            boilers, gains = _place_boilers(system, buildings, nothing.run, aid, incidents)
            spare = find_spare(system, buildings, nothing.run)
            cases = list_options(self._county.network, incidents, boilers, spare)
            found = [nothing, *(play(c) for c in cases if c.measures)]
        found.sort(key=_rank)
        at = min((x.after_h for x in incidents), default=0.0) + DECIDE_AFTER_H
        less = rank_shedding(system, buildings, nothing.run, at)
        return Answer(now, incidents, tuple(found), gains, less, aid, time.monotonic() - began)


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


def read_past(county: County, system: HeatSystem, value: Floats, rolled_up: RolledUp, now: float) -> Past:
    """The last hours as the store knows them; what is not measured takes its design value.

    Raises
    ------
    InputError : no outdoor temperature or no source temperature is known
    """
    n = round(PAST_H * 3600.0 / STEP_S)
    grid = now - STEP_S * np.arange(n)[::-1]

    def series(point_id: str, fallback: float) -> Floats:
        p = county.point_by_id.get(point_id)
        last = float(value[p.no]) if p is not None else math.nan
        base = last if math.isfinite(last) else fallback
        if p is None:
            return np.full(n, base)
        s = rolled_up(p.no, grid[0] - 600.0, now)
        known = np.isfinite(s.mean)
        return np.interp(grid, s.t[known], s.mean[known]) if known.sum() > 3 else np.full(n, base)

    def latest(point_id: str, fallback: float) -> float:
        p = county.point_by_id.get(point_id)
        x = float(value[p.no]) if p is not None else math.nan
        return x if math.isfinite(x) else fallback

    weather = {p.key: p.id for p in county.points if p.key in ("t_out", "wind", "solar")}
    t_out = series(weather.get("t_out", ""), math.nan)
    sources = county.network.sources
    t_source = np.stack([series(f"{s.id}/src_ts", math.nan) for s in sources], axis=1)
    if not np.isfinite(t_out).all():
        raise InputError("no outdoor temperature is known: the weather station must report first")
    known = np.isfinite(t_source).all(axis=0)
    if not known.any():
        raise InputError("no source temperature is known: a heat source must report first")
    t_source[:, ~known] = t_source[:, known].mean(axis=1, keepdims=True)
    flow = [
        math.nan if s.holds_pressure
        else latest(f"{s.id}/src_flow", 0.0) * float(density_kg_m3(latest(f"{s.id}/src_tr", 50.0)))
        for s in sources
    ]  # fmt: skip
    return Past(
        STEP_S, t_out, series(weather.get("wind", ""), 2.0), series(weather.get("solar", ""), 0.0),
        t_source,
        np.array([latest(f"{s.id}/src_ps", s.p_supply_pa) for s in sources]),
        np.array([latest(f"{s.id}/src_pr", s.p_return_pa) for s in sources]),
        np.array(flow),
        _rooms(county, system, value),
    )  # fmt: skip


def _rooms(county: County, system: HeatSystem, value: Floats) -> Floats:
    """Mean of the room sensors per building of the system, NaN without one."""
    row = {b: k for k, b in enumerate(system.buildings.ids)}
    total, count = np.zeros(len(row)), np.zeros(len(row))
    for p in county.points:
        k = row.get(p.place_id.split(":", maxsplit=1)[0])
        if p.key == "room_t" and k is not None and math.isfinite(value[p.no]):
            total[k] += value[p.no]
            count[k] += 1
    with np.errstate(invalid="ignore"):
        mean: Floats = total / count
    return mean
