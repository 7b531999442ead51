"""What the diagnosis page says of a finding, in both languages."""

import time

import pytest

from app.domains.heating.decide import find_matters
from app.domains.heating.findings import nearest_station, silent_stations, tell_finding
from app.domains.heating.said import HitRate, latest_words, rate_hits, rejected_keys, say, sayings
from app.domains.heating.sight import tell_sight
from app.i18n import TEXTS
from ingest.store.api import SimulatedTable
from ingest.store.finding_api import FoundSuspect, TwinFinding
from tests.support.fake_store import FakeStore
from tests.support.tiny import make_tiny_county
from twin.diagnosis.kinds import FAULTS
from twin.model.errors import InputError


def finding(kind: str, place: str, size: float = 2.0) -> TwinFinding:
    now = time.time()
    suspects = (FoundSuspect(kind, place, size, 0.9),)
    return TwinFinding(f"{kind}:{place}:1", now, True, kind, place, size, 0.9, now - 600, 50.0, suspects)


def places(county) -> dict[str, str]:
    station, source = county.network.substations[0].id, county.network.sources[0].id
    return {
        "pipe": county.network.pipes[0].id, "station": station, "source": source,
        "point": f"{station}/p1_ts", "device": county.devices[0].id,
        "room": next(p.place_id for p in county.points if p.key == "room_t"),
    }  # fmt: skip


@pytest.mark.parametrize("kind", sorted(FAULTS))
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_fault_has_its_words_and_something_to_show(kind: str, lang: str) -> None:
    county = make_tiny_county()
    told = tell_finding(county, finding(kind, places(county)[FAULTS[kind].place]), lang)
    assert told.kind and told.place and told.effect and told.check
    assert told.place_id in {s.id for s in (*county.network.substations, *county.network.sources)}
    assert all(p in county.point_by_id for p in told.points)


def test_sizes_carry_their_unit_and_sign() -> None:
    county = make_tiny_county()
    station = county.network.substations[0].id
    assert tell_finding(county, finding("leak", county.network.pipes[0].id, 2.5), "zh").size == "9.0 t/h"
    assert tell_finding(county, finding("fouling", station, 0.22), "zh").size == "22 %"
    assert (
        tell_finding(county, finding("sensor_bias", f"{station}/p1_ts", -3.0), "zh").size
        == "\N{MINUS SIGN}3.0 K"
    )
    assert tell_finding(county, finding("sensor_bias", f"{station}/p1_flow", 0.1), "zh").size == "+10.0 %"
    assert (
        tell_finding(county, finding("gateway_offline", county.devices[0].id, float("nan")), "zh").size == ""
    )


def test_a_leak_is_told_near_a_station_that_exists() -> None:
    county = make_tiny_county()
    for pipe in county.network.pipes:
        assert nearest_station(county, pipe.id) in {s.id for s in county.network.substations}


def test_what_a_finding_explains_is_not_told_again_as_a_deviation() -> None:
    import numpy as np

    county = make_tiny_county()
    station = county.network.substations[0].id
    no = county.point_by_id[f"{station}/p1_ts"].no
    one = np.ones(1)
    table = SimulatedTable(1, 0.0, np.array([no]), one, one, 8 * one, 8 * one)
    value = np.full(len(county.points), np.nan)
    before = find_matters(county, value, table, {}, "zh")
    after = find_matters(county, value, table, {}, "zh", [finding("sensor_bias", f"{station}/p1_ts", 8.0)])
    assert len(before) == 1 and len(after) == 1
    assert before[0].text != after[0].text
    assert TEXTS["fault.sensor_bias"][0] in after[0].text


def test_effects_carry_figures() -> None:
    county = make_tiny_county()
    station = county.network.substations[0].id
    homes = sum(b.homes for b in county.buildings if b.substation_id == station)
    assert (
        "216" in tell_finding(county, finding("leak", county.network.pipes[0].id, 2.5), "zh").effect
    )  # t a day
    assert f"{homes} homes" in tell_finding(county, finding("pump_trip", station, 1.0), "en").effect
    fouled = tell_finding(county, finding("fouling", station, 0.22), "en").effect
    assert any(f"some {n} %" in fouled for n in range(1, 20))


@pytest.fixture
def store() -> FakeStore:
    store = FakeStore(make_tiny_county())
    store.write_findings([finding("sensor_bias", f"{store.county.network.substations[0].id}/p1_ts")])
    return store


def test_what_people_say_stays_beside_the_finding_and_counts(store: FakeStore) -> None:
    (found,) = store.findings()
    say(store, found.id, "note", "someone is on the way", "li")
    say(store, found.id, "reject", "compared with a portable meter", "wang")
    said = sayings(store, found)
    assert {(s.who, s.state, s.text) for s in said} == {
        ("li", "noted", "someone is on the way"), ("wang", "rejected", "compared with a portable meter"),
    }  # fmt: skip
    assert rate_hits(latest_words(store, 0.0)) == HitRate(judged=1, true=0)
    say(store, found.id, "confirm", "", "wang")
    assert rate_hits(latest_words(store, 0.0)) == HitRate(judged=1, true=1)


def test_a_rejected_finding_mutes_its_key_until_somebody_confirms_it(store: FakeStore) -> None:
    (found,) = store.findings()
    now = time.time()
    say(store, found.id, "reject", "", "")
    keys = rejected_keys(store.kept("verdict"), now)
    assert list(keys) == [("sensor_bias", found.place)]
    assert keys[("sensor_bias", found.place)][0] > now + 3600.0
    assert rejected_keys(store.kept("verdict"), now + 2 * 86_400.0) == {}
    say(store, found.id, "confirm", "", "")
    assert rejected_keys(store.kept("verdict"), now) == {}


@pytest.mark.parametrize(
    ("verdict", "text", "why"),
    [("burn", "", "one of"), ("note", "  ", "without words"), ("reject", "x" * 501, "at most 500")],
)
def test_what_cannot_be_said_is_refused_in_words(store: FakeStore, verdict: str, text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        say(store, store.findings()[0].id, verdict, text, "")
    with pytest.raises(InputError, match="there is no finding"):
        say(store, "leak:nowhere:1", "confirm", "", "")


def test_what_the_twin_cannot_know_is_told_in_both_languages() -> None:
    county = make_tiny_county()
    body = {
        "zone_m": 900.0, "least_leak": 0.006,
        "limits": [
            {"code": c, "place": p, "value": 0.4}
            for c, p in (
                ("no_loop", ""), ("one_station", "S01"), ("dead", ""), ("blind", "fouling"),
                ("crossed", "S01/p1_ts"), ("survey", county.network.pipes[0].id),
            )
        ],
        "mends": [{"points": ["S01/p1_ts", "S01/p1_tr", "S01/p1_ps", "S01/p1_pr"], "gain": 0.05}],
    }  # fmt: skip
    for lang in ("zh", "en"):
        told = tell_sight(county, body, lang)
        assert len(told) == 8
        assert not any("{" in line for line in told)


def test_a_silent_gateway_shows_its_stations_and_a_chart() -> None:
    county = make_tiny_county()
    dialect = county.devices[0].dialect
    found = finding("gateway_offline", f"*{dialect}", float("nan"))
    mine = {d.place_id for d in county.devices if d.dialect == dialect}
    stations = silent_stations(county, found)
    assert set(stations) == mine & {s.id for s in county.network.substations}
    assert silent_stations(county, finding("gateway_offline", county.devices[0].id)) in (
        [],
        [county.devices[0].place_id],
    )
    points = tell_finding(county, found, "zh").points
    assert points and all(p in county.point_by_id for p in points)
