"""The whole way on the demo field: its plant shares no code with the twin, and its truth is hidden."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.diagnosis_field import Fault, Field, Twin, play
from ingest.demo.county import generate_county
from twin.compare import compile_points
from twin.diagnosis import Rejection, Verdict, compile_book
from twin.heat import compile_network

WINTER = 1_800_000_000.0


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Field, Twin]]:
    county = generate_county(7)
    folder: Path = tmp_path_factory.mktemp("truth")
    field = Field(county, 11, "normal", WINTER, folder / "truth.jsonl")
    twin = Twin(compile_network(county.network), compile_points(county), compile_book(county))
    play(field, twin, 9.0, 300.0)
    for _, verdicts in play(field, twin, 0.7, 60.0):
        assert verdicts == (), "nothing is wrong yet"
    yield field, twin


def _break(
    healthy: tuple[Field, Twin], kind: str, at: str, size: float | None, hours: float
) -> list[Verdict]:
    field, twin = healthy[0].branch(), healthy[1].branch()
    field.faults.add(Fault(kind, at, size, field.t + 30.0))
    return list(play(field, twin, hours, 60.0)[-1][1])


def test_a_leak_of_three_per_cent_is_told_in_five_minutes_with_its_size(healthy) -> None:
    lost = 0.03 * float(healthy[0].plant.flow.station_kg_s.sum())
    verdicts = _break(healthy, "leak", "P0161S", lost, 5 / 60)
    assert [v.kind for v in verdicts] == ["leak"]
    assert verdicts[0].size == pytest.approx(lost, rel=0.25)


@pytest.mark.parametrize(
    ("kind", "at", "size"),
    [
        ("fouling", "S12", 0.8),
        ("pump_trip", "S08", None),
        ("sensor_bias", "S10/p1_ts", 3.0),
        ("sensor_bias", "S01/p1_ts", 4.0),  # where two waters meet the simulated value is doubted more
        ("sensor_bias", "S22/p1_ps", 4e4),
        ("sensor_bias", "S13/s2_tr", -3.0),
        ("weak_pump", "S09", 0.8),
        ("air", "S14", 0.2),
        ("secondary_leak", "S07", 1.0),
        ("imbalance", "S12", 0.35),
        ("sensor_swap", "S24/p1_ps", None),
        ("sensor_swap", "S05/s2_ts", None),
    ],
)
def test_the_right_fault_is_named_at_the_right_place_and_nothing_else(healthy, kind, at, size) -> None:
    verdicts = _break(healthy, kind, at, size, 0.35)
    assert [(v.kind, v.place) for v in verdicts] == [(kind, at)]
    assert verdicts[0].probability > 0.75
    assert verdicts[0].since >= healthy[0].t


def test_a_source_that_trips_is_one_finding_not_thirty(healthy) -> None:
    source = healthy[0].county.network.sources[0].id
    verdicts = _break(healthy, "source_trip", source, 0.5, 0.5)
    assert [(v.kind, v.place) for v in verdicts] == [("source_trip", source)]


def test_a_frozen_meter_is_named_within_three_quarters_of_an_hour(healthy) -> None:
    verdicts = _break(healthy, "sensor_freeze", "S05/p1_tr", None, 0.8)
    assert [(v.kind, v.place) for v in verdicts] == [("sensor_freeze", "S05/p1_tr")]


def test_a_station_that_falls_silent_is_one_finding(healthy) -> None:
    verdicts = _break(healthy, "gateway_offline", "D-S11", None, 0.4)
    assert [(v.kind, v.place) for v in verdicts] == [("gateway_offline", "D-S11")]


def test_a_device_that_is_heard_again_is_not_told_any_more(healthy) -> None:
    field, twin = healthy[0].branch(), healthy[1].branch()
    field.faults.add(Fault("gateway_offline", "D-S11", None, field.t + 30.0, minutes=20.0))
    told = [bool(v) for _, v in play(field, twin, 0.42, 60.0)]
    assert any(told[:20])
    assert not any(told[-3:]), "it has spoken: silence is over at once"


def test_a_downtime_of_the_twin_is_no_silence_of_the_devices(healthy) -> None:
    field, twin = healthy[0].branch(), healthy[1].branch()
    away = field.branch()
    play(away, twin.branch(), 2.0, 300.0)
    field.t, away.reported_t = away.t, field.reported_t.copy()  # what came meanwhile was not taken
    field.plant, field.instruments = away.plant, away.instruments
    assert all(v.kind != "gateway_offline" for _, said in play(field, twin, 0.2, 60.0) for v in said)


def test_a_meter_that_has_drifted_past_its_pair_is_not_called_crossed(healthy) -> None:
    verdicts = _break(healthy, "sensor_drift", "S14/s2_tr", 12.0, 1.5)
    assert [(v.kind, v.place) for v in verdicts] == [("sensor_drift", "S14/s2_tr")]


def test_a_gateway_that_falls_silent_is_one_finding_not_thirty(healthy) -> None:
    field, twin = healthy[0].branch(), healthy[1].branch()
    field.faults.add(Fault("gateway_offline", "sparkplug", None, field.t + 30.0))
    told = play(field, twin, 0.4, 60.0)
    assert [(v.kind, v.place) for v in told[-1][1]] == [("gateway_offline", "*sparkplug")]
    assert {v.kind for _, said in told for v in said} == {"gateway_offline"}, "its last words accuse no meter"


def test_a_room_with_open_windows_is_told(healthy) -> None:
    room = next(p.place_id for p in healthy[0].county.points if p.key == "room_t")
    verdicts = _break(healthy, "open_room", room, 0.3, 1.0)
    assert [(v.kind, v.place) for v in verdicts] == [("open_room", room)]


def test_a_leak_is_placed_in_a_zone_and_a_rejected_one_is_not_told_again(healthy) -> None:
    field, twin = healthy[0].branch(), healthy[1].branch()
    lost = 0.03 * float(field.plant.flow.station_kg_s.sum())
    field.faults.add(Fault("leak", "P0131R", lost, field.t + 30.0))
    (leak,) = play(field, twin, 0.5, 60.0)[-1][1]
    assert sum(s.probability for s in leak.suspects) >= 0.8
    assert all(s.kind == "leak" and s.place.endswith("R") for s in leak.suspects)
    length = {p.id: p.length_m for p in field.county.network.pipes}
    assert sum(length[s.place] for s in leak.suspects) < 0.1 * sum(length.values())
    twin.watch.rejected[("leak", "")] = Rejection(field.t + 86_400.0, leak.size)
    assert play(field, twin, 0.2, 60.0)[-1][1] == ()
    field.faults.add(Fault("leak", "P0131R", 2.0 * lost, field.t + 30.0))
    assert [v.kind for v in play(field, twin, 0.75, 60.0)[-1][1]] == ["leak"]


def test_a_finding_ends_when_its_fault_does(healthy) -> None:
    field, twin = healthy[0].branch(), healthy[1].branch()
    field.faults.add(Fault("sensor_bias", "S22/p1_ps", 4e4, field.t + 30.0, minutes=10.0))
    seen = [bool(v) for _, v in play(field, twin, 1.6, 60.0)]
    assert any(seen[:15])
    assert not seen[-1]


def test_the_same_moment_again_changes_nothing(healthy) -> None:
    field, twin = healthy[0].branch(), healthy[1].branch()
    field.step(60.0)
    twin.look(field)
    before = twin.watch.habit.part.copy()
    twin.look(field)
    assert np.array_equal(before, twin.watch.habit.part)
