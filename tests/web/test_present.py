"""The present state for rehearsals and the day ahead: corrections and water in force, and how it is said."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.domains.heating.contingency import tell_start
from app.domains.heating.following import follow_weather, learn_following
from app.domains.heating.past import read_past
from app.domains.heating.present import WATER_AGE_S, corrections_on, read_present
from app.domains.heating.rehearse import compile_county
from app.domains.heating.tomorrow import ARRAYS, read_ahead
from app.pages.heating_desk import list_virtual
from app.web.context import Context
from app.workers.plan import Planner
from ingest.settings import read_settings
from ingest.store.api import NetworkState, SimulationResult
from ingest.store.finding_api import TwinFinding
from ingest.store.hour_api import HourTable
from tests.support.fake_store import FakeStore
from tests.web.test_rehearsal import COUNTY, STAGE, measured, nothing_stored
from twin.assimilation import as_body, begin_learner
from twin.assimilation.learner import Learner
from twin.compare import compile_points
from twin.dispatch.outlook import Outlook
from twin.rehearsal import Incident
from twin.rehearsal.start import drive_sources

NET = COUNTY.network


def taught() -> Learner:
    """A learner that has seen pipes lose a quarter more and the first exchanger foul."""
    learner = begin_learner(NET, compile_points(COUNTY))
    n = len(learner.layout.groups)
    learner.filter.gg[:n, :n] = 1e6 * np.eye(n)
    learner.filter.rhs_g[:n] = 1e6 * np.log(1.25)
    learner.filter.ll[0, -1, -1], learner.filter.rhs_l[0, -1] = 1e6, 1e6 * np.log(0.8)
    at = learner.layout.common()[3].start
    learner.filter.gg[at, at], learner.filter.rhs_g[at] = 1e6, 1e6 * 0.5
    learner.t = 1.0
    return learner


def keep(store: FakeStore, calibration: int = 0) -> float:
    no = store.keep("assimilation", "", as_body(taught()) | {"calibration": calibration})
    return store.kept_rows[no][0].made


def network(t: float, supply_c: float, status: str = "ok") -> NetworkState:
    sizes = {"mass_flow_kg_s": len(NET.pipes), "t_pipe_c": len(NET.pipes)}
    arrays = {name: np.full(sizes.get(name, len(NET.nodes)), supply_c) for name in ARRAYS}
    arrays["mass_flow_kg_s"][:] = 1.0
    return NetworkState(1, t, status, **arrays)


def write(store: FakeStore, state: NetworkState) -> None:
    none = np.empty(0)
    store.write_simulation(
        SimulationResult(state.t, state.status, 1, 0.0, np.empty(0, np.int64), none, none, none, state)
    )


def test_the_present_state_has_the_corrections_and_the_water_in_force() -> None:
    store, now = FakeStore(COUNTY), time.time()
    assert read_present(store, COUNTY, 0, now).why == "none"
    kept = keep(store)
    write(store, network(now, 91.0))
    now = time.time()
    found = read_present(store, COUNTY, 0, now)
    assert found.learnt_t == kept and found.corrected and found.water is not None
    u = [b.u_w_m_k / a.u_w_m_k for a, b in zip(NET.pipes, found.county.network.pipes, strict=True)]
    assert u == pytest.approx([1.25] * len(u), rel=1e-3)
    fouled = found.county.network.substations[0].hx_ua_w_k / NET.substations[0].hx_ua_w_k
    assert fouled == pytest.approx(0.8, rel=1e-3)
    assert found.source_k == pytest.approx([0.5, 0.0], abs=1e-3)
    assert read_present(store, COUNTY, 7, now).why == "other"
    assert read_present(store, COUNTY, 0, now, kept - 60.0).why == "none", "not kept yet at that moment"
    assert read_present(store, COUNTY, 0, now + 2 * WATER_AGE_S).water is None, "water of long ago"
    write(store, network(now, 91.0, "warming"))
    assert read_present(store, COUNTY, 0, now).water is None, "a guess is no state"
    store.keep("assimilation_order", "", {}, "li", "off")
    off = read_present(store, COUNTY, 0, time.time())
    assert off.why == "off" and off.county is COUNTY and not corrections_on(store)


def test_a_rehearsal_starts_from_it_and_says_so() -> None:
    store = FakeStore(COUNTY)
    keep(store)
    now = time.time()
    write(store, network(now, 91.0))
    present = read_present(store, COUNTY, 0, now)
    value = measured()
    trip = (Incident("pump_trip", NET.substations[0].id),)
    plain = STAGE.rehearse(value, nothing_stored, now, trip, 2.0)
    better = STAGE.rehearse(value, nothing_stored, now, trip, 2.0, present=present)
    fed = better.nothing.run.frames.t_supply_c[0][STAGE.system().net.station_node]
    assert fed == pytest.approx(91.0, abs=0.01)
    assert not np.allclose(plain.nothing.run.frames.t_supply_c[0], better.nothing.run.frames.t_supply_c[0])
    zh, en = (tell_start(COUNTY, better, lang) for lang in ("zh", "en"))
    assert "在线修正（" in zh and "live twin's water" in en
    assert "no corrections" in tell_start(COUNTY, plain, "en") and "推算" in tell_start(COUNTY, plain, "zh")


def test_sources_follow_the_weather_as_they_did_and_stay_where_they_are_fixed() -> None:
    now = 1.8e9 // 3600 * 3600
    ends = now - 3600.0 * np.arange(96)[::-1]
    out = -6.0 + 5.0 * np.sin(2 * np.pi * ends / 86_400.0)

    def hourly(numbers: np.ndarray, start: float, end: float) -> HourTable:
        keys = [COUNTY.points[int(n)].key for n in numbers]
        return HourTable(ends, np.stack([out if k == "t_out" else 90.0 - 1.5 * out for k in keys], axis=1))

    value = measured(t_out=-5.0, src_auto=1.0)
    past = read_past(COUNTY, STAGE.system(), value, nothing_stored, now)
    follows = follow_weather(COUNTY, past, value, hourly, now - 10 * 86_400.0, now)
    assert follows.following == pytest.approx([-1.5, -1.5])
    ahead = drive_sources(STAGE.system(), follows, np.array([-5.0, -9.0, -90.0]))
    assert ahead[:, 0] == pytest.approx([95.0, 101.0, NET.sources[0].t_supply_design_c])
    fixed = follow_weather(COUNTY, past, measured(src_auto=0.0), hourly, now - 10 * 86_400.0, now)
    assert np.all(drive_sources(STAGE.system(), fixed, np.array([-20.0])) == 95.0)
    assert np.all(learn_following(out[:20], np.full((20, 2), 90.0)) == 0.0), "a day tells nothing"
    assert np.all(learn_following(out, 90.0 + 2.0 * out[:, None]) == 0.0), "warmer in mild weather is no law"


def test_stations_that_were_told_something_else_than_their_curve_go_on_so() -> None:
    value, s = measured(), NET.substations[0]
    for key, x in (("s2_ts_sp", 60.0), ("s2_tr", 40.0), ("s2_flow", 0.5 * s.secondary_flow_kg_s / 992.2)):
        value[COUNTY.point_by_id[f"{s.id}/{key}"].no] = x
    past = read_past(COUNTY, STAGE.system(), value, nothing_stored, 0.0)
    assert past.pump_share is not None and past.lift_k is not None
    assert past.pump_share[0] == pytest.approx(0.5, abs=0.01) and np.all(past.pump_share[1:] == 1.0)
    assert np.all(past.lift_k[1:] == 0.0)
    curve = float(np.interp(-5.0, *np.array(s.curve).T))
    assert past.lift_k[0] == pytest.approx(60.0 - curve) and curve != 60.0


def test_the_hourly_day_ahead_and_the_dispatcher_begin_with_it_too() -> None:
    store, now = FakeStore(COUNTY), time.time()
    keep(store)
    write(store, network(now, 91.0))
    for p in COUNTY.points:
        x = measured()[p.no]
        if np.isfinite(x):
            store.put(p.id, float(x), now)
    planner = Planner(COUNTY, store, Path("nowhere"), threading.Event())
    now = time.time()
    present = planner.read_present(now)
    hours, none = now + 3600.0 * np.arange(1, 26), np.zeros(25)
    weather = Outlook(hours, np.full(25, 3600.0), np.full(25, -5.0), none, none + 2.0, none, none + 1.0)
    planner._look_ahead(present, weather, now)
    ahead = read_ahead(store.kept_body(store.kept("ahead")[0].no))
    assert ahead is not None
    node = compile_county(present.county).net.station_node
    assert ahead.state_at(now)[0].t_supply_c[node] == pytest.approx(91.0, abs=0.05)


def test_with_corrections_switched_off_no_meter_in_doubt_is_marked_as_stood_in_for(tmp_path: Path) -> None:
    store, now = FakeStore(COUNTY), time.time()
    write(store, replace(network(now, 91.0), status="assumed:S03/p1_flow"))
    wrong = TwinFinding("f", now, True, "sensor_bias", "S02/p1_flow", 0.3, 0.9, now - 600.0, 50.0, ())
    store.write_findings([wrong])
    context = Context(read_settings({"CT_DATA": str(tmp_path)}), COUNTY, store)
    assert list_virtual(context) == {"S02/p1_flow", "S03/p1_flow"}
    store.keep("assimilation_order", "", {}, "li", "off")
    context = Context(read_settings({"CT_DATA": str(tmp_path)}), COUNTY, store)
    assert list_virtual(context) == {"S03/p1_flow"}, "a silent meter is stood in for all the same"
