"""Incidents rehearsed on the tiny county: what must be so, whatever the numbers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tiny import make_tiny_county
from twin.heat import compile_network, compile_system
from twin.model.errors import InputError
from twin.model.network import Valve
from twin.rehearsal import (
    Case,
    Incident,
    Measure,
    Outlook,
    Past,
    find_section,
    find_spare,
    judge_run,
    list_options,
    rank_mobile,
    rank_shedding,
    rehearse,
    settle_system,
)
from twin.rehearsal.start import hold_boundary

COUNTY = make_tiny_county()
NETWORK = COUNTY.network
HEATED = [b for b in COUNTY.buildings if b.heated]
SYSTEM = compile_system(compile_network(NETWORK), HEATED)
BUILDINGS = {b.id: b for b in COUNTY.buildings}
SOURCES = NETWORK.sources


def past(n: int = 360, t_out_c: float = -4.0, rooms: float = np.nan) -> Past:
    return Past(
        60.0, np.full(n, t_out_c), np.full(n, 2.0), np.zeros(n),
        np.tile([s.t_supply_design_c - 10.0 for s in SOURCES], (n, 1)),
        np.array([s.p_supply_pa for s in SOURCES]), np.array([s.p_return_pa for s in SOURCES]),
        np.where([s.holds_pressure for s in SOURCES], np.nan, 0.0), np.full(len(HEATED), rooms),
    )  # fmt: skip


PAST = past()
STATE = settle_system(SYSTEM, PAST)


def outlook(hours: float = 12.0) -> Outlook:
    n = round(hours * 60)
    return Outlook(60.0, np.full(n, -6.0), np.full(n, 2.0), np.zeros(n), np.tile(PAST.t_source_c[-1], (n, 1)),
                   hold_boundary(SYSTEM, PAST))  # fmt: skip


def run(*incidents: Incident, measures: tuple[Measure, ...] = (), hours: float = 12.0):  # type: ignore[no-untyped-def]
    return rehearse(SYSTEM, STATE, outlook(hours), Case("x", incidents, measures))


def judge(r):  # type: ignore[no-untyped-def]
    return judge_run(SYSTEM, BUILDINGS, r)


def test_measured_rooms_are_where_it_starts() -> None:
    state = settle_system(SYSTEM, past(rooms=21.5))
    np.testing.assert_allclose(state.t_air_c, 21.5)


def test_a_case_cut_into_phases_is_the_case_run_at_once() -> None:
    whole = run(hours=4.0)
    cut = run(Incident("cold_wave", "", 5.0, after_h=3.99), hours=4.0)
    np.testing.assert_allclose(whole.t_room_c[:200], cut.t_room_c[:200], atol=1e-9)


def test_a_stopped_pump_cools_its_own_station_only() -> None:
    station = SYSTEM.stations.ids[0]
    calm, stopped = run(), run(Incident("pump_trip", station))
    mine = SYSTEM.buildings.station == 0
    assert np.all(stopped.t_room_c[-1][mine] < calm.t_room_c[-1][mine] - 1.0)
    assert np.all(np.abs(stopped.t_room_c[-1][~mine] - calm.t_room_c[-1][~mine]) < 0.5)
    assert judge(stopped).stations == (station,)


def test_power_that_comes_back_ends_the_cooling() -> None:
    short, long = run(Incident("power_cut", "", 0.0, 1.0, 2.0)), run(Incident("power_cut", "", 0.0, 1.0))
    assert np.all(short.t_room_c[-1] > long.t_room_c[-1] + 0.5)
    assert judge(short).degree_hours < judge(long).degree_hours


def test_less_capacity_is_never_warmer_and_shedding_spares_the_source() -> None:
    source = SOURCES[0].id
    rooms = [run(Incident("source_trip", source, share)).t_room_c[-1].mean() for share in (1.0, 0.5, 0.1)]
    assert rooms[0] >= rooms[1] >= rooms[2]
    assert rooms[2] < rooms[0] - 0.5
    shed = Measure("shed_load", "", 8.0, 0.5)
    assert run(measures=(shed,)).source_heat_w[-60:].sum() < run().source_heat_w[-60:].sum()


def test_a_bigger_hole_loses_more_and_shutting_its_section_stops_it() -> None:
    pipe = next(p.id for p in NETWORK.pipes if p.side == "supply")
    small = judge(run(Incident("burst", pipe, 0.02), hours=3.0)).lost_t
    big = judge(run(Incident("burst", pipe, 0.05), hours=3.0)).lost_t
    assert 0.0 < small < big
    cut = run(Incident("burst", pipe, 0.05), measures=(Measure("isolate", pipe, 0.0, 1.0),), hours=3.0)
    assert 0.0 < judge(cut).lost_t < 0.5 * big
    assert np.all(cut.lost_kg_s[60:] == 0.0)


def test_the_lost_water_is_what_the_emitter_passes() -> None:
    pipe = next(p for p in NETWORK.pipes if p.side == "supply")
    lost = judge(run(Incident("burst", pipe.id, 0.02), hours=2.0)).lost_t / 7.2
    area = np.pi / 4 * 0.02**2
    at_source = 0.6 * area * np.sqrt(2 * 970.0 * float(PAST.p_supply_pa.max()))
    assert 0.4 * at_source < lost < 1.15 * at_source


def _valve(name: str, pipe: str) -> Valve:
    return Valve(name, pipe, "section", 500.0, 1.0, 0.0, 0.0)


def test_a_section_is_bounded_by_valves_and_names_who_is_behind() -> None:
    supply = [p for p in NETWORK.pipes if p.side == "supply"]
    valved = replace(NETWORK, valves=tuple(_valve(f"V{k}", p.id) for k, p in enumerate(supply)))
    for p in supply:
        s = find_section(valved, p.id)
        assert s.pipes == (p.id,)
        assert all(v.startswith("V") for v in s.valves)
    none = find_section(replace(NETWORK, valves=()), supply[0].id)
    assert set(none.pipes) == {p.id for p in supply}
    assert none.source and set(none.stations) == {s.id for s in NETWORK.substations}
    with pytest.raises(InputError, match="P9999"):
        find_section(NETWORK, "P9999")


def test_a_valve_that_does_not_close_is_replaced_by_those_beyond_it() -> None:
    supply = [p for p in NETWORK.pipes if p.side == "supply"]
    valved = replace(NETWORK, valves=tuple(_valve(f"V{k}", p.id) for k, p in enumerate(supply)))
    burst = supply[0].id
    whole = find_section(valved, burst)
    stuck = whole.valves[0]
    wider = find_section(valved, burst, frozenset({stuck}))
    assert stuck not in wider.valves and set(wider.pipes) > set(whole.pipes)
    system = compile_system(compile_network(valved), HEATED)
    both = (Incident("burst", burst, 0.03), Incident("valve_stuck", stuck))
    case = Case("x", both, (Measure("isolate", burst, 0.0, 0.5),))
    found = rehearse(system, STATE, outlook(2.0), case)
    assert found.sections == (wider,)
    assert np.all(found.lost_kg_s[30:] == 0.0), "the wider section is shut off all the same"


def test_two_incidents_at_their_own_times_add_up() -> None:
    pipes = [p.id for p in NETWORK.pipes if p.side == "supply"][:2]
    one = run(Incident("burst", pipes[0], 0.02, 1.0, 1.0), hours=4.0)
    two = run(Incident("burst", pipes[0], 0.02, 1.0, 1.0), Incident("burst", pipes[1], 0.02, 3.0), hours=4.0)
    assert np.all(one.lost_kg_s[:60] == 0.0) and np.all(one.lost_kg_s[60:120] > 0.0)
    assert np.all(one.lost_kg_s[120:] == 0.0), "it ends when it is said to"
    np.testing.assert_allclose(two.lost_kg_s[:180], one.lost_kg_s[:180], rtol=1e-6)
    assert np.all(two.lost_kg_s[180:] > 0.0)


def test_a_mobile_boiler_goes_where_it_relieves_most_and_warms_only_that_station() -> None:
    station = SYSTEM.stations.ids[0]
    stopped = (Incident("pump_trip", station),)
    nothing = run(*stopped, hours=24.0)
    gains = rank_mobile(SYSTEM, BUILDINGS, nothing, 0.5e6, 2, 2.0)
    assert gains[0].station == station and gains[0].boilers == 2
    sent = (Measure("mobile_boiler", station, 1e6, 2.0),)
    warmed = run(*stopped, measures=sent, hours=24.0)
    mine = SYSTEM.buildings.station == 0
    assert np.all(warmed.t_room_c[-1][mine] > nothing.t_room_c[-1][mine] + 0.3)
    assert np.all(warmed.t_room_c[:, mine].mean(axis=1) < 21.5), "it does not heat beyond what is lacking"
    np.testing.assert_allclose(warmed.t_room_c[-1][~mine], nothing.t_room_c[-1][~mine], atol=0.05)
    assert judge(warmed).degree_hours < judge(nothing).degree_hours
    assert station not in find_spare(SYSTEM, BUILDINGS, nothing)
    names = [c.name for c in list_options(NETWORK, stopped, sent)]
    assert names == ["nothing", "mobile"]


def test_a_town_cut_off_from_its_main_source_lives_on_its_peak_boiler() -> None:
    peak = next((s.id for s in NETWORK.sources if not s.holds_pressure), "")
    if not peak:
        pytest.skip("the tiny county has one source")
    main = next(s for s in NETWORK.sources if s.holds_pressure)
    supply = [p for p in NETWORK.pipes if p.side == "supply"]
    first = next(p for p in supply if main.node_id in (p.from_node, p.to_node))
    valved = replace(NETWORK, valves=tuple(_valve(f"V{k}", p.id) for k, p in enumerate(supply)))
    incidents = (Incident("burst", first.id, 0.03),)
    case = next(c for c in list_options(valved, incidents) if c.name.endswith("+island"))
    system = compile_system(compile_network(valved), HEATED)
    alone = rehearse(system, STATE, outlook(6.0), case)
    cut = rehearse(system, STATE, outlook(6.0), Case("cut", incidents, case.measures[:1]))
    assert cut.heat_w[-1].sum() == 0.0 and alone.heat_w[-1].sum() > 1e6
    assert judge(alone).degree_hours <= judge(cut).degree_hours


def test_water_that_stands_in_cold_houses_freezes_and_moving_water_does_not() -> None:
    harsh = replace(outlook(72.0), t_outdoor_c=np.full(72 * 60, -25.0))
    cut = rehearse(SYSTEM, STATE, harsh, Case("x", (Incident("power_cut"),)))
    frost = judge(cut).frost
    assert np.isfinite(frost.building_h).any() and np.nanmin(frost.building_h) > 3.0
    assert np.all(frost.building_h <= judge(cut).hours_until[2] + 1e9), "hours, not steps"
    calm = judge(rehearse(SYSTEM, STATE, harsh, Case("x"))).frost
    assert not np.isfinite(calm.building_h).any() and not np.isfinite(calm.pipe_h).any()


def test_pressures_name_their_extremes_and_fall_where_water_is_lost() -> None:
    pipe = next(p.id for p in NETWORK.pipes if p.side == "supply")
    still, broken = run(hours=2.0), run(Incident("burst", pipe, 0.1), hours=2.0)
    calm, burst = judge(still).pressures, judge(broken).pressures
    assert calm.highest.p_pa == pytest.approx(float(PAST.p_supply_pa.max()), rel=0.2)
    assert calm.lowest.p_pa < calm.highest.p_pa and calm.above == 0
    fallen = still.frames.p_supply_pa[1:3].min(axis=1) - broken.frames.p_supply_pa[1:3].min(axis=1)
    assert np.all(fallen > 1e4), "while the make-up feeds it"
    assert burst.lowest.p_pa <= calm.lowest.p_pa and burst.surge_pa > calm.surge_pa
    assert burst.lowest.node in NETWORK.node_index


def test_frames_are_the_network_of_the_hours() -> None:
    found = run(Incident("source_trip", SOURCES[0].id, 0.1, 1.0), hours=6.0)
    f = found.frames
    assert f.hour[0] == 0.0 and f.hour[-1] == 6.0 and np.all(np.diff(f.hour) > 0.0)
    assert {1.0, 2.0, 3.0, 4.0, 5.0} <= set(np.round(f.hour, 6))
    at = SYSTEM.net.source_node[0]
    assert f.t_supply_c[-1, at] < f.t_supply_c[0, at] - 5.0
    np.testing.assert_allclose(f.t_room_c[-1], found.t_room_c[-1])


@pytest.mark.parametrize(
    ("incident", "says"),
    [
        (Incident("flood"), "not one of"),
        (Incident("burst", "P9999", 0.05), "P9999"),
        (Incident("burst", NETWORK.pipes[0].id, 3.0), "between"),
        (Incident("source_trip", "S99", 0.5), "not a source"),
        (Incident("power_cut", "S99"), "not a station"),
        (Incident("cold_wave", "", 5.0, after_h=-1.0), "after_h"),
        (Incident("cold_wave", "", 5.0, hours=0.0), "ends before"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_words(incident: Incident, says: str) -> None:
    with pytest.raises(InputError, match=says):
        run(incident)


@given(size=st.floats(1.0, 30.0), after=st.floats(0.0, 5.0))
@settings(max_examples=8, deadline=None)
def test_a_cold_wave_asks_for_more_heat_and_options_begin_with_nothing(size: float, after: float) -> None:
    wave = Incident("cold_wave", "", size, after)
    # rooms may stay as warm: the compensation curves answer
    assert run(wave, hours=6.0).heat_w.sum() > run(hours=6.0).heat_w.sum()
    options = list_options(NETWORK, (wave,))
    assert options[0].name == "nothing" and options[0].measures == ()
    assert len({c.name for c in options}) == len(options)


def test_load_is_shed_where_every_house_stays_warm_and_hospitals_come_last() -> None:
    station = SYSTEM.stations.ids[0]
    nothing = run(Incident("pump_trip", station), hours=24.0)
    early, late = (rank_shedding(SYSTEM, BUILDINGS, nothing, h) for h in (1.0, 12.0))
    given = {s.station: s for s in early}
    assert station not in given, "its rooms fall by themselves"
    assert given and all(s.power_w > 0.0 and s.room_c > 18.0 for s in early)
    flags = [s.first for s in early]
    assert flags == sorted(flags)
    powers = [s.power_w for s in early if not s.first]
    assert powers == sorted(powers, reverse=True)
    assert all(s.power_w >= given[s.station].power_w for s in late if s.station in given), (
        "walls hold for hours"
    )
    b = SYSTEM.buildings
    for s in early:  # a steady loss of that heat leaves no house below the limit
        mine = b.station == SYSTEM.stations.ids.index(s.station)
        share = b.ua_w_k[mine] / b.ua_w_k[mine].sum()
        tau_h = ((b.c_air_j_k + b.c_structure_j_k) / b.ua_w_k / 3600.0)[mine]
        fallen = s.power_w * share / b.ua_w_k[mine] * (1.0 - np.exp(-23.0 / tau_h))
        assert np.all(nothing.t_room_c[-1][mine] - fallen > 18.0 - 1e-6)
    assert rank_shedding(SYSTEM, BUILDINGS, nothing, 25.0) == ()
