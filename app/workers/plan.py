"""Once an hour: the load of the next days and the dispatch for the next hour, kept in the store.

Runs in its own thread beside the live runs of the twin, so that a plan of some seconds delays none of them.
"""

import logging
import threading
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.following import follow_weather
from app.domains.heating.past import read_past
from app.domains.heating.present import Present, read_present
from app.domains.heating.rehearse import compile_county
from app.domains.heating.tariff import read_tariff
from app.domains.heating.tomorrow import carry_on, describe_ahead, simulate_ahead
from app.domains.heating.weather_file import read_weather_file
from app.workers.calibrations import apply_adopted, find_adopted
from ingest.store.api import RollUpSeries, Store
from twin.compare import make_snapshot
from twin.dispatch import Course, Dispatcher, Hours, Proposal, Tariff, compile_dispatcher, make_hours, propose
from twin.dispatch.outlook import Outlook
from twin.forecast import LoadForecast, LoadPast, WeatherPast, expect_weather, forecast_load, join_service
from twin.model.county import County
from twin.model.errors import CountyTwinError, InputError
from twin.rehearsal import settle_system

log = logging.getLogger("twin")

Floats = NDArray[np.float64]

PAST_S = 10 * 86_400.0
LEARN_H = 144
"""Hours that the belief about the houses is folded from."""
STEPS_S = np.array([3600.0] * 24 + [7200.0] * 24)
"""Steps of the load forecast, 72 h."""
PLANNED = 36
"""Of them those that are dispatched, 48 h: beyond that the weather is too unsure to move heat for."""
AFTER_HOUR_S = 150.0
"""The sums of an hour are there so long after it."""
HARSH_K = 4.0
"""Outdoors this near the design temperature the closed loop kept rooms warmer at more cost, which is said."""
AHEAD_H = 24
AGAIN_S = 60.0
"""After a refusal for want of data."""


@dataclass
class Planner:
    """Plans when an hour is over. ``folder``: of the county; ``data``: where a service's weather may lie."""

    county: County
    store: Store
    folder: Path
    stop: threading.Event
    calibration: int = 0
    data: Path | None = None
    desk: Dispatcher | None = None
    planned: float = float("-inf")
    refused: str = field(default="")
    learnt: County = field(init=False)

    def __post_init__(self) -> None:
        self.learnt = self.county  # with the calibration in force

    def loop(self) -> None:
        """Until stopped; whatever goes wrong is told once and tried again."""
        while not self.stop.wait(10.0):
            now = time.time()
            if now < self.planned or ((now % 3600.0) < AFTER_HOUR_S and np.isfinite(self.planned)):
                continue
            try:
                self.plan(now)
                self.planned = np.floor(now / 3600.0) * 3600.0 + 3600.0 + AFTER_HOUR_S
                self.refused = ""
            except CountyTwinError as e:
                if str(e) != self.refused:
                    log.info("no plan: %s", e)
                    self.refused = str(e)
                self.planned = now + AGAIN_S

    def plan(self, now: float) -> None:
        """Forecast and propose, and keep both.

        Raises
        ------
        InputError : too little is known, or the tariff is wrong
        EngineError : the solver found no plan
        StoreUnavailable : the owner does not answer
        """
        began = time.monotonic()
        present = self.read_present(now)
        desk = self.desk = compile_dispatcher(present.county)
        tariff, own = read_tariff(self.folder)
        hours = read_hours(desk, self.store, now)
        past = weather_of(hours)
        outlook, told = self._expect(past, now)
        load = forecast_load(
            LoadPast(past, _total(hours), _design(self.county), self.county.meta.design_outdoor_c), outlook
        )
        self.store.keep("forecast", "", describe_forecast(load, outlook) | told)
        value = self._newest()
        proposal = propose(desk, last_hours(hours, LEARN_H), cut_outlook(outlook, PLANNED), value, tariff)
        body = describe_proposal(desk, proposal, tariff, own)
        body["seconds"] = time.monotonic() - began
        self.store.keep("dispatch", "", body)
        log.info(
            "planned: %.0f -> %.0f yuan in 48 h, %.1f s", proposal.before.cost_yuan, proposal.after.cost_yuan,
            body["seconds"],
        )  # fmt: skip
        self._look_ahead(present, outlook, now)

    def _expect(self, past: WeatherPast, now: float) -> tuple[Outlook, dict[str, object]]:
        """The weather of the steps ahead, and where it comes from; a service's table that cannot be read is
        passed over and told."""
        outlook = expect_weather(past, STEPS_S)
        try:
            found = None
            if self.data is not None:
                found = read_weather_file(self.data, self.county.meta.timezone, now)
            if found is not None:
                outlook = join_service(outlook, found.t, found.t_out_c)
                return outlook, {"weather": "service", "weather_end": float(found.t[-1]), "weather_why": ""}
        except InputError as e:
            log.warning("weather: %s", e)
            return outlook, {"weather": "habit", "weather_end": None, "weather_why": str(e)}
        return outlook, {"weather": "habit", "weather_end": None, "weather_why": ""}

    def read_present(self, now: float) -> Present:
        """The county with the calibration and the corrections in force."""
        no = find_adopted(self.store)
        if no != self.calibration:
            self.learnt, self.calibration = apply_adopted(self.store, self.county, no), no
        return read_present(self.store, self.learnt, no, now)

    def _look_ahead(self, present: Present, expected: Outlook, now: float) -> None:
        """Keep the next day of the whole network, for the scene's time line."""
        began, table = time.monotonic(), self.store.latest()
        system = compile_county(present.county)
        points = self.county.points
        value = make_snapshot(points, now, table.point_no, table.t, table.value, table.quality).value

        def sums(no: int, start: float, end: float) -> RollUpSeries:
            return self.store.rolled_up(no, start, end, 300)

        past = read_past(self.county, system, value, sums, now, present)
        past = follow_weather(self.county, past, value, self.store.hourly, now - PAST_S, now)
        outlook = carry_on(system, past, expected, now, AHEAD_H)
        course = simulate_ahead(system, settle_system(system, past), outlook, now)
        self.store.keep("ahead", "", describe_ahead(course))
        log.info("simulated %d h ahead, %.1f s", AHEAD_H, time.monotonic() - began)

    def _newest(self) -> Floats:
        table = self.store.latest()
        value = np.full(len(self.county.points), np.nan)
        known = (table.point_no >= 0) & (table.point_no < value.size)
        value[table.point_no[known]] = table.value[known]
        return value


def read_hours(desk: Dispatcher, store: Store, now: float) -> Hours:
    """The last days by the hour.

    Raises
    ------
    InputError : no hour is complete yet
    """
    numbers = desk.book.numbers
    table = store.hourly(numbers, now - PAST_S, now)
    if table.t.size == 0:
        raise InputError("no hour of readings is complete yet: the first plan comes within an hour or two")
    mean = np.full((table.t.size, len(desk.county.points)), np.nan)
    mean[:, numbers] = table.mean
    return make_hours(desk.book, table.t, mean)


def last_hours(hours: Hours, count: int) -> Hours:
    """The newest ``count`` hours."""
    cut = slice(-count, None)
    return Hours(
        hours.t[cut], hours.t_out_c[cut], hours.wind_m_s[cut], hours.sun_w_m2[cut],
        {k: v[cut] for k, v in hours.station.items()}, {k: v[cut] for k, v in hours.source.items()},
        hours.room_c[cut], hours.room_station,
    )  # fmt: skip


def cut_outlook(o: Outlook, steps: int) -> Outlook:
    """The first steps of an outlook."""
    return Outlook(*(getattr(o, f.name)[:steps] for f in fields(o)))


def weather_of(hours: Hours) -> WeatherPast:
    """The weather of hours."""
    return WeatherPast(hours.t, hours.t_out_c, hours.wind_m_s, hours.sun_w_m2)


def _total(hours: Hours) -> Floats:
    """Heat of all sources by hour; NaN where none was measured."""
    heat = hours.source["src_heat"]
    return np.where(np.isfinite(heat).any(1), np.nansum(heat, axis=1), np.nan)


def _design(county: County) -> float:
    return float(sum(s.design_heat_w for s in county.network.substations))


def describe_forecast(f: LoadForecast, o: Outlook) -> dict[str, object]:
    """The body that is kept of a forecast."""
    return {
        "t": f.t, "dt_s": o.dt_s, "load_w": f.load_w, "low_w": f.low_w, "high_w": f.high_w,
        "persistence_w": f.persistence_w, "error_w": f.error_w,
        "persistence_error_w": f.persistence_error_w, "covered": f.covered, "trials": f.trials,
        "hours": f.hours, "t_out_c": o.t_out_c, "sigma_k": o.sigma_k,
        "leads": [asdict(x) for x in f.leads],
    }  # fmt: skip


def describe_proposal(d: Dispatcher, p: Proposal, tariff: Tariff, own: bool) -> dict[str, object]:
    """The body that is kept of a proposal."""
    homes = d.houses.homes / d.houses.homes.sum()

    def course(c: Course) -> dict[str, object]:
        cold = c.room_c + p.belief.offset_k[:, 0]
        return {
            "heat_w": c.heat_w.sum(1), "source_w": c.source_w, "electric_w": c.electric_w,
            "room_c": c.room_c @ homes, "coldest_c": cold.min(1), "cost_yuan": c.cost_yuan,
            "cold_k_h": c.cold_k_h,
        }  # fmt: skip

    b = p.belief
    return {
        "t": p.t, "ends": p.outlook.t, "dt_s": p.outlook.dt_s, "before": course(p.before),
        "after": course(p.after), "supply_c": p.drive.supply_c, "head_pa": p.drive.head_pa,
        "hz": p.drive.hz.mean(1), "reached": bool(p.drive.reached.all()), "margin_k": p.plan.margin_k,
        "wishes": [{"point": w.point_id, "value": w.value, "before": w.before} for w in p.wishes],
        "stations": [
            {"id": s, "room_c": b.air_c[i], "loss": b.loss[i], "sigma_loss": b.sigma_loss[i],
             "heat_w": p.plan.heat_w[0, i], "hours": int(b.known[i])}
            for i, s in enumerate(d.houses.ids)
        ],
        "harsh": bool(p.outlook.t_out_c.min() < d.county.meta.design_outdoor_c + HARSH_K),
        "own_tariff": own, "objective": tariff.objective, "room_low_c": tariff.room_low_c,
    }  # fmt: skip
