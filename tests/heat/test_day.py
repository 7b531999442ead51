"""The whole through a day: energy, controllers, sources, findings, going on, the network as by its door."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.heat.test_steady import NET
from tests.support.tiny import make_tiny_county
from twin.heat import Leak, SteadyBoundary, simulate
from twin.heat.curve import TimeSlot, read_curve
from twin.heat.day import compile_system, simulate_day
from twin.heat.day_result import DayPlan, DayReason, HeatSystem, Weather
from twin.heat.substation import Controller, describe_stations
from twin.model.errors import InputError

COUNTY = make_tiny_county()
SYSTEM = compile_system(NET, COUNTY.buildings)
SOURCES = NET.network.sources
DT = 60.0


def make_plan(n, system=SYSTEM, t_source=110.0, boundary=None, **changes):
    base = SteadyBoundary(
        t_source_c=np.full(len(SOURCES), t_source),
        p_supply_pa=np.array([s.p_supply_pa for s in SOURCES]),
        p_return_pa=np.array([s.p_return_pa for s in SOURCES]),
        source_flow_kg_s=np.array([np.nan, 0.0]),
        flow_kg_s=NET.station_design_kg_s,
        t_return_c=np.full(len(NET.station_node), 50.0),
    )
    base = replace(base, **(boundary or {}))
    return replace(DayPlan(DT, base, np.full((n, len(SOURCES)), t_source)), **changes)


def make_weather(n, t_outdoor=-5.0, wind=2.0, sun=0.0):
    return Weather(*(np.broadcast_to(np.asarray(x, float), (n,)).copy() for x in (t_outdoor, wind, sun)))


def with_sources(**changes):
    sources = tuple(replace(s, **changes) for s in SOURCES)
    network = replace(NET.network, sources=sources)
    return compile_system(replace(NET, network=network), COUNTY.buildings)


def reasons(run):
    return {f.reason for f in run.findings}


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.floats(-25.0, 20.0), st.floats(0.0, 15.0), st.floats(0.0, 800.0), st.floats(45.0, 120.0)
        ),
        min_size=3,
        max_size=12,
    ),
    st.sampled_from([10.0, 60.0, 900.0]),
    st.sampled_from(list(Controller)),
    st.sampled_from([0.0, 0.002]),
    st.floats(0.0, 4.0),
)
def test_energy_of_the_whole_balances_whatever_happens(rows, dt, controller, emitter, second):
    out, wind, sun, hot = (np.array(x) for x in zip(*rows, strict=True))
    system = HeatSystem(NET, describe_stations(NET.network, controller), SYSTEM.buildings, SYSTEM.sources)
    leaks = (Leak("N03", emitter=emitter), Leak("N06", flow_kg_s=0.2)) if emitter else ()
    plan = make_plan(
        len(rows), boundary={"leaks": leaks, "source_flow_kg_s": np.array([np.nan, second])}, dt_s=dt,
        t_source_c=np.repeat(hot[:, None], 2, 1),
    )  # fmt: skip
    run = simulate_day(system, Weather(out, wind, sun), plan)
    assert abs(run.energy.error) <= 1e-6 * run.energy.throughput
    assert np.all(run.source_heat_w <= SYSTEM.sources.capacity_w * (1.0 + 1e-12))
    assert np.nanmin(run.t_in_c) >= 5.9
    assert np.nanmin(run.t_supply_c) >= 5.9
    assert np.nanmax(run.t_in_c) <= np.nanmax(np.append(run.source_t_c, 120.0)) + 0.1


def test_an_ideal_controller_holds_the_curve_and_its_slots():
    n = 720
    out = -5.0 + 6.0 * np.sin(2 * np.pi * np.arange(n) / n)
    slots = (TimeSlot(0.0, 0.0), TimeSlot(6 * 3600.0, 3.0))
    run = simulate_day(SYSTEM, make_weather(n, out), make_plan(n, slots=slots))
    curve = read_curve(NET.network.substations[0].curve, out) + np.where(np.arange(n) >= 360, 3.0, 0.0)
    assert np.allclose(run.setpoint_c[:, 0], curve)
    settled = np.r_[30:355, 375:n]
    assert np.abs(run.t_supply_c - run.setpoint_c)[settled].max() < 0.15
    assert not run.short.any()


def test_a_proportional_integral_controller_settles_on_the_curve():
    n = 480
    stations = describe_stations(NET.network, Controller.PI)
    system = HeatSystem(NET, stations, SYSTEM.buildings, SYSTEM.sources)
    run = simulate_day(system, make_weather(n), make_plan(n))
    assert np.abs(run.t_supply_c - run.setpoint_c)[-60:].max() < 0.1


def test_a_valve_that_is_wide_open_is_flagged_when_the_supply_is_too_cold():
    n = 180
    run = simulate_day(SYSTEM, make_weather(n, -20.0), make_plan(n, t_source=70.0))
    assert run.short[-60:].all()
    assert np.allclose(run.flow_kg_s[-1], run.end.flow_cap_kg_s, rtol=0.02)
    found = next(f for f in run.findings if f.reason is DayReason.TEMPERATURE_UNREACHABLE)
    assert found.ids == SYSTEM.stations.ids
    assert found.hours > 1.0
    assert np.all(run.t_supply_c[-1] < run.setpoint_c[-1] - 1.0)


def test_supply_falls_and_rooms_cool_when_the_demand_is_above_the_capacity():
    demand = sum(s.design_heat_w for s in NET.network.substations)
    system = with_sources(capacity_w=0.35 * demand, ramp_w_s=0.0, min_w=0.0)
    n = 36 * 60
    run = simulate_day(system, make_weather(n, -15.0), make_plan(n))
    capacity = system.sources.capacity_w[0]
    assert run.source_heat_w[-1, 0] == pytest.approx(capacity)
    assert run.source_t_c[-1, 0] < 100.0
    assert {DayReason.DEMAND_ABOVE_CAPACITY, DayReason.ROOM_TOO_COLD} <= reasons(run)
    assert np.all(run.t_room_c[-1] < run.t_room_c[0])
    cold = next(f for f in run.findings if f.reason is DayReason.ROOM_TOO_COLD)
    assert cold.value == pytest.approx(run.t_room_c.min())


def test_a_source_follows_its_ramp_and_says_so():
    system = with_sources(ramp_w_s=200.0)
    n = 120
    hot = np.where(np.arange(n)[:, None] < 10, 90.0, 120.0) * np.ones((1, 2))
    run = simulate_day(system, make_weather(n), make_plan(n, t_source_c=hot))
    rise = np.diff(run.source_heat_w[:, 0])
    assert rise.max() <= 200.0 * DT + 1e-6
    assert DayReason.SOURCE_RAMP in reasons(run)
    assert run.source_t_c[12, 0] < 119.0


def test_a_source_below_its_minimum_is_flagged():
    system = with_sources(min_w=0.9 * SOURCES[0].capacity_w)
    run = simulate_day(system, make_weather(60, 10.0), make_plan(60))
    assert DayReason.SOURCE_BELOW_MINIMUM in reasons(run)


def test_fuel_and_power_follow_heat_and_flow():
    run = simulate_day(SYSTEM, make_weather(60), make_plan(60))
    assert run.fuel_w[:, 0] == pytest.approx(run.source_heat_w[:, 0] / SOURCES[0].efficiency)
    volume = run.source_flow_kg_s[-1, 0] / 985.0
    pump = volume * (SOURCES[0].p_supply_pa - SOURCES[0].p_return_pa) / 0.7
    assert run.electric_w[-1, 0] == pytest.approx(pump + 0.004 * run.source_heat_w[-1, 0], rel=0.01)


def test_a_day_in_two_halves_is_the_same_day():
    n = 120
    out = np.linspace(-10.0, 5.0, n)
    whole = simulate_day(SYSTEM, make_weather(n, out), make_plan(n))
    first = simulate_day(SYSTEM, make_weather(60, out[:60]), make_plan(60))
    second = simulate_day(SYSTEM, make_weather(60, out[60:]), make_plan(60), first.end)
    # the second half solves its hydraulics anew where the whole still follows the last solution
    assert np.allclose(second.t_room_c[-1], whole.t_room_c[-1], atol=1e-4)
    assert np.allclose(second.t_supply_c[-1], whole.t_supply_c[-1], atol=0.02)
    again = simulate_day(SYSTEM, make_weather(60, out[60:]), make_plan(60), first.end)
    assert np.array_equal(again.t_room_c, second.t_room_c)  # the state was left untouched


def test_result_does_not_hang_on_the_time_step():
    runs = {}
    for dt in (30.0, 120.0):
        n = int(6 * 3600 / dt)
        h = (np.arange(n) + 0.5) * dt / 3600.0
        runs[dt] = simulate_day(SYSTEM, make_weather(n, -5.0 + 4.0 * np.sin(h)), make_plan(n, dt_s=dt))
    assert np.abs(runs[30.0].t_room_c[-1] - runs[120.0].t_room_c[-1]).max() < 0.02
    assert np.abs(runs[30.0].t_supply_c[-1] - runs[120.0].t_supply_c[-1]).max() < 0.3
    assert runs[30.0].energy.source == pytest.approx(runs[120.0].energy.source, rel=0.01)


def test_the_network_moves_as_through_its_own_door():
    n = 90
    run = simulate_day(SYSTEM, make_weather(n), make_plan(n))
    start = simulate_day(SYSTEM, make_weather(1), make_plan(1)).end.transient
    base = make_plan(n).boundary
    rows = [
        replace(
            base, t_source_c=np.array([run.source_t_c[k, 0], 110.0]), flow_kg_s=run.flow_kg_s[k],
            t_return_c=run.t_back_c[k],
        )
        for k in range(1, n)
    ]  # fmt: skip
    states = simulate(NET, rows, DT, start).states
    t_in = np.array([s.t_supply_c[NET.station_node] for s in states])
    assert np.abs(t_in - run.t_in_c[1:]).max() < 0.1
    back = np.array([s.t_source_return_c[0] for s in states])  # a source knows it one step later
    assert np.abs(back[:-1] - run.source_back_c[2:, 0]).mean() < 0.05


def test_a_slower_secondary_pump_warms_less_and_takes_power_by_the_cube():
    n = 24 * 60
    share = np.ones((n, len(SYSTEM.stations.ids)))
    share[:, 0] = 0.5
    share[:, 1] = 0.0
    full = simulate_day(SYSTEM, make_weather(n), make_plan(n))
    slow = simulate_day(SYSTEM, make_weather(n), make_plan(n, pump_share=share))
    assert slow.pump_w[0, 0] == pytest.approx(full.pump_w[0, 0] / 8.0)
    assert slow.t_return_c[-1, 0] < full.t_return_c[-1, 0] - 3.0
    rooms = SYSTEM.buildings.station
    assert np.all(slow.t_room_c[-1, rooms == 0] < full.t_room_c[-1, rooms == 0])
    assert np.all(slow.heat_w[1:, 1] == 0.0)
    assert np.all(slow.t_room_c[-1, rooms == 1] < 18.0)
    assert abs(slow.energy.error) <= 1e-6 * slow.energy.throughput


def test_an_isolated_station_stands_still_and_is_named():
    closed = np.array([p.id.startswith("P02") for p in NET.network.pipes])
    at = [s.id for s in NET.network.substations]
    branch = np.array([p.to_node == "NS02" or p.from_node == "NS02" for p in NET.network.pipes])
    n = 60
    run = simulate_day(SYSTEM, make_weather(n), make_plan(n, boundary={"closed_pipe": closed | branch}))
    found = next(f for f in run.findings if f.reason is DayReason.ISOLATED)
    assert found.ids == ("S02",)
    assert np.all(run.flow_kg_s[:, at.index("S02")] == 0.0)
    assert np.all(np.diff(run.t_supply_c[1:, at.index("S02")]) < 0.0)
    assert abs(run.energy.error) <= 1e-6 * run.energy.throughput


def test_mistakes_get_a_sentence():
    with pytest.raises(InputError, match="dt_s 0 must be positive"):
        simulate_day(SYSTEM, make_weather(2), make_plan(2, dt_s=0.0))
    with pytest.raises(InputError, match="t_source_c: shape"):
        simulate_day(SYSTEM, make_weather(2), make_plan(3))
    with pytest.raises(InputError, match="weather wind_m_s"):
        Weather(np.zeros(3), np.zeros(2), np.zeros(3))
    with pytest.raises(InputError, match="people: shape"):
        simulate_day(SYSTEM, make_weather(2), make_plan(2, people=np.ones(3)))
    with pytest.raises(InputError, match="pump_share"):
        simulate_day(SYSTEM, make_weather(2), make_plan(2, pump_share=np.full((2, 4), 2.0)))
    with pytest.raises(InputError, match="setpoint_c: shape"):
        simulate_day(SYSTEM, make_weather(2), make_plan(2, setpoint_c=np.ones((3, 4))))
