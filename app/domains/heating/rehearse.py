"""From the store to a rehearsal and back to words: the present, the outlook, the alternatives ranked."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ingest.store.api import RollUpSeries
from twin.heat import HeatSystem, compile_network, compile_system
from twin.heat.water import density_kg_m3
from twin.model.county import Building, County
from twin.model.errors import InputError
from twin.rehearsal import (
    Case,
    Incident,
    Judgement,
    Outlook,
    Past,
    Rehearsal,
    judge_run,
    list_options,
    rehearse,
    settle_system,
)
from twin.rehearsal.start import hold_boundary

Floats = NDArray[np.float64]
RolledUp = Callable[[int, float, float], RollUpSeries]

STEP_S = 60.0
PAST_H = 12.0
DAY_S = 86_400.0
FORGET_S = 12 * 3600.0
"""Time in which tomorrow's weather goes back from today's to yesterday's at the same hour."""
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


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Alternatives from best to worst, where they started, and how long it took."""

    t: float
    alternatives: tuple[Alternative, ...]
    seconds: float


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
        self, value: Floats, rolled_up: RolledUp, now: float, incident: Incident, hours: float
    ) -> Answer:
        """Run an incident and what could be done about it.

        Parameters
        ----------
        value : (n_point,) usable values at ``now``, SI
        rolled_up : sums of a point by 5 minutes between two times

        Raises
        ------
        InputError : the incident is not possible, or too little is measured to start from
        """
        with self._lock:
            began = time.monotonic()
            system = self.system()
            past = read_past(self._county, system, value, rolled_up, now)
            state = settle_system(system, past)
            outlook = look_ahead(system, past, self._yesterday(rolled_up, now), hours)
            buildings = {b.id: b for b in self._county.buildings}
            found = []
            for case in list_options(self._county.network, (incident,)):
                a = _judge(system, buildings, rehearse(system, state, outlook, case))
                if not case.measures and not a.sustainable:
                    # make-up cannot replace what is lost: the network loses its pressure and stops
                    after = incident.after_h + TANK_H
                    stops = Case("collapse", (incident, Incident("power_cut", "", 0.0, after)))
                    a = replace(
                        _judge(system, buildings, rehearse(system, state, outlook, stops)), lasts_h=TANK_H
                    )
                found.append(a)
        found.sort(key=lambda a: (a.judgement.degree_hours, a.judgement.lost_t))
        return Answer(now, tuple(found), time.monotonic() - began)

    def _yesterday(self, rolled_up: RolledUp, now: float) -> Floats | None:
        """Outdoor temperature of the 24 h before, every 5 minutes, or None."""
        for p in self._county.points:
            if p.key == "t_out":
                s = rolled_up(p.no, now - DAY_S, now)
                if s.t.size > 12:
                    grid = np.arange(now - DAY_S, now, 300.0)
                    series: Floats = np.interp(grid, s.t, s.mean)
                    return series
        return None


def _judge(system: HeatSystem, buildings: dict[str, Building], run: Rehearsal) -> Alternative:
    limit = MAKE_UP_SHARE * float(system.net.station_design_kg_s.sum())
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


def look_ahead(system: HeatSystem, past: Past, yesterday_c: Floats | None, hours: float) -> Outlook:
    """Weather as yesterday at the same hour, starting from today's; sources as they are now."""
    n = round(hours * 3600.0 / STEP_S)
    t = STEP_S * np.arange(1, n + 1)
    now_c = float(past.t_outdoor_c[-1])
    if yesterday_c is None or yesterday_c.size == 0:
        t_out = np.full(n, now_c)
    else:
        step = DAY_S / yesterday_c.size
        same = np.interp(t % DAY_S, step * np.arange(yesterday_c.size), yesterday_c)
        t_out = same + (now_c - yesterday_c[0]) * np.exp(-t / FORGET_S)
    return Outlook(
        STEP_S, t_out, np.full(n, float(past.wind_m_s[-60:].mean())), np.zeros(n),
        np.tile(past.t_source_c[-1], (n, 1)), hold_boundary(system, past),
    )  # fmt: skip
