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
    judge_run,
    list_options,
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


@pytest.mark.parametrize(
    ("incident", "says"),
    [
        (Incident("flood"), "not one of"),
        (Incident("burst", "P9999", 0.05), "P9999"),
        (Incident("burst", NETWORK.pipes[0].id, 3.0), "between"),
        (Incident("source_trip", "S99", 0.5), "not a source"),
        (Incident("power_cut", "S99"), "not a station"),
        (Incident("cold_wave", "", 5.0, after_h=-1.0), "after_h"),
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
