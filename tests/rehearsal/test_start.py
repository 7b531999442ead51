"""The start of a rehearsal: the water that is under way, what stations are set to, and what that is worth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.rehearsal_start import HOURS, play, score
from tests.rehearsal.test_rehearsal import PAST, STATE, SYSTEM
from tests.support.tiny import make_tiny_county
from twin.heat import DayPlan, Weather, begin_day, resume_transient, simulate_day
from twin.heat.quick import read_temperatures
from twin.model.errors import EngineError
from twin.rehearsal import Seen, settle_system
from twin.rehearsal.frames import take_frame
from twin.rehearsal.start import hold_boundary, lift_curves


def seen_of(state=STATE, **change: np.ndarray) -> Seen:  # type: ignore[no-untyped-def]
    n, net = SYSTEM.net.n_node, SYSTEM.net
    t = np.empty(net.n_point)
    read_temperatures(state.transient.h_point, t)
    rest = np.full(len(SYSTEM.stations.ids), np.nan)
    known = {"t_warm_c": rest, "t_cold_c": rest, "flow_kg_s": state.flow_kg_s} | change
    return Seen(t[:n], t[n:], state.transient.t_pipe, state.transient.m, **known)


def test_water_taken_up_from_points_and_means_goes_on_like_the_water_it_was_read_from() -> None:
    weather = Weather(np.full(90, -5.0), np.zeros(90), np.zeros(90))
    boundary = hold_boundary(SYSTEM, PAST)
    hotter = np.full((90, 2), 112.0)
    front = simulate_day(SYSTEM, weather, DayPlan(60.0, boundary, hotter), STATE).end  # a front under way
    s, net = seen_of(front), SYSTEM.net
    t_point = np.concatenate([s.t_supply_c, s.t_return_c])
    taken = resume_transient(net, STATE.transient, t_point, s.t_pipe_c, s.mass_flow_kg_s, boundary.t_ground_c)
    assert taken.stored_j == pytest.approx(front.transient.stored_j, rel=2e-3)
    ends = []
    for water in (front.transient, taken, STATE.transient):
        start = replace(front, transient=water)
        run = simulate_day(SYSTEM, weather, DayPlan(60.0, boundary, hotter), start)
        ends.append(take_frame(SYSTEM, boundary, run.end, 1.5).t_point_c[net.station_node])
    assert np.abs(ends[1] - ends[0]).max() < 1.0 < np.abs(ends[2] - ends[0]).max()


def test_what_is_not_known_of_the_moment_stays_as_it_was_walked() -> None:
    none = np.full(SYSTEM.net.n_node, np.nan)
    nothing = replace(seen_of(flow_kg_s=np.full(4, np.nan)), t_supply_c=none, t_return_c=none,
                      t_pipe_c=np.full(SYSTEM.net.n_pipe, np.nan))  # fmt: skip
    plain, settled = settle_system(SYSTEM, PAST), settle_system(SYSTEM, replace(PAST, seen=nothing))
    assert settled.flow_kg_s == pytest.approx(plain.flow_kg_s)
    assert settled.transient.t_pipe == pytest.approx(plain.transient.t_pipe, abs=1e-3)
    assert settled.t_supply_c == pytest.approx(plain.t_supply_c)


def no_state(*_: object) -> None:
    raise EngineError("no steady state to start from")


def test_a_first_step_without_a_state_does_not_stop_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def begin(system, weather, plan):  # type: ignore[no-untyped-def]
        asked.append(float(weather.t_outdoor_c[0]))
        if len(asked) < 3:
            raise EngineError("no steady state to start from")
        return begin_day(system, weather, plan)

    monkeypatch.setattr("twin.rehearsal.start.begin_day", begin)
    settled = settle_system(SYSTEM, PAST)
    assert asked == [-4.0, -5.0, -7.0] and np.abs(settled.t_air_c - STATE.t_air_c).max() < 0.3
    monkeypatch.setattr("twin.rehearsal.start.begin_day", no_state)
    with pytest.raises(EngineError):
        settle_system(SYSTEM, PAST)


def test_stations_go_on_from_what_they_read_and_are_set_to() -> None:
    n = len(SYSTEM.stations.ids)
    warm, cold = np.full(n, 61.5), np.full(n, 47.25)
    told = replace(PAST, lift_k=np.full(n, 4.0), pump_share=np.full(n, 0.8))
    state = settle_system(SYSTEM, replace(told, seen=seen_of(t_warm_c=warm, t_cold_c=cold)))
    assert state.t_supply_c == pytest.approx(warm) and state.t_return_c == pytest.approx(cold)
    lifted = lift_curves(SYSTEM, np.array([-5.0]), told.lift_k) - lift_curves(SYSTEM, np.array([-5.0]), None)
    assert lifted == pytest.approx(np.full((1, n), 4.0))


def test_on_the_played_plant_the_present_state_tells_the_next_hours_better(tmp_path: Path) -> None:
    county = make_tiny_county()
    played = play(county, 10, 0.25, 0.54, 1.0, tmp_path)
    assert len(played.moments) >= 1
    soon = [f"{h:g} h" for h in HOURS if h <= 2.0]
    error = {
        (r["start"], r["point"]): np.mean([float(str(r[h])) for h in soon])
        for r in score(played, 10, ("plain", "water"), ("as they came",))
    }
    assert error["water", "p1_ts"] < 0.7 * error["plain", "p1_ts"]
    assert error["water", "s2_ts"] < 0.5 * error["plain", "s2_ts"]
