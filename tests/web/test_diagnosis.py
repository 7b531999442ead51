"""What the diagnosis page says of a finding, in both languages."""

import time
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from app.domains.heating.decide import find_matters
from app.domains.heating.findings import tell_finding
from app.domains.heating.said import HitRate, latest_words, rate_hits, rejected_keys, say, sayings
from app.domains.heating.sight import tell_sight
from app.domains.heating.spots import find_spot, nearest_station, silent_stations
from app.i18n import TEXTS
from ingest.store.api import SimulatedTable
from ingest.store.finding_api import FoundSuspect, TwinFinding
from tests.support.fake_store import FakeStore
from tests.support.tiny import make_tiny_county
from tests.web.conftest import Site
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


def test_every_finding_is_shown_at_its_own_place() -> None:
    county = make_tiny_county()
    n, room = county.network, places(county)["room"]
    building, station, source = room.partition(":")[0], n.substations[0].id, n.sources[0].id
    home = next(b.substation_id for b in county.buildings if b.id == building)
    inside = next(d.id for d in county.devices if d.place_id.partition(":")[0] == building)
    at = {"station": f"places {station}", "source": f"places {source}", "room": f"building {building}",
          "pipe": f"pipes {n.pipes[0].id}", "point": f"places {station}"}  # fmt: skip
    for kind, fault in FAULTS.items():
        if fault.place in at:
            assert str(find_spot(county, finding(kind, places(county)[fault.place]))) == at[fault.place]
    for kind, place, spot, chosen in (
        ("sensor_bias", f"{room}/room_t", f"building {building}", home),
        ("sensor_freeze", f"{building}/b_flow", f"building {building}", home),
        ("sensor_drift", f"{source}/src_ts", f"places {source}", source),
        ("gateway_offline", inside, f"building {building}", home),
        ("gateway_offline", next(d.id for d in county.devices if d.place_id == station),
         f"places {station}", station),
    ):  # fmt: skip
        told = tell_finding(county, finding(kind, place), "zh")
        assert (str(told.spot), told.place_id) == (spot, chosen)
    uneven = finding("imbalance", home)
    uneven = replace(
        uneven, suspects=(*uneven.suspects, FoundSuspect("sensor_bias", f"{building}/b_flow", -0.2, 0.1))
    )
    told = tell_finding(county, uneven, "zh")
    assert (str(told.spot), told.place_id) == (f"building {building}", home)
    assert next(b.name for b in county.buildings if b.id == building) in told.place
    wide = tuple(FoundSuspect("leak", p.id, 2.0, 0.2) for p in n.pipes[1:4])
    leak = find_spot(county, replace(finding("leak", n.pipes[1].id), suspects=wide))
    assert leak.kind == "pipes" and leak.ids == tuple(p.id for p in n.pipes[1:4])


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
    young = tell_sight(county, body | {"learnt_s": 7200.0, "learning_s": 18_000.0}, "en")
    assert "2.0 h" in young[0] and "5.0 h" in young[0], (
        "a twin too young to tell says so, not what it would see"
    )
    assert len(young) == 8
    assert tell_sight(county, body | {"learnt_s": 20_000.0, "learning_s": 18_000.0}, "en")[0] == told[0]


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


def test_a_finding_in_a_room_shows_its_building_and_leads_inside(page: Page, site: Site) -> None:
    county = site.store.county
    room = places(county)["room"]
    building = next(b for b in county.buildings if b.id == room.partition(":")[0])
    site.store.write_findings([finding("open_room", room, 3.0)])
    page.goto(f"{site.url}/diagnosis", wait_until="domcontentloaded")
    page.wait_for_function("window.CT?.scene?.ready && window.CT.scene.stage.places", timeout=60_000)
    page.locator("#finding-grid .ag-row").first.click()
    row = [b.id for b in county.buildings].index(building.id)
    page.wait_for_function("(row) => CT.scene.stage.state.building === row", arg=row, timeout=30_000)
    assert page.evaluate("CT.selection.id") == building.substation_id
    page.evaluate("CT.scene.stage.highlight('building', null)")
    page.locator("#finding-grid .ag-row").first.click()  # again: back to it
    page.wait_for_function("(row) => CT.scene.stage.state.building === row", arg=row, timeout=30_000)
    page.locator("#finding-detail a").first.click()
    trail = page.locator(".ct-trail")
    expect(trail).to_contain_text(building.name or building.id, timeout=30_000)
    rooms = [p.place_id.partition(":")[2] for p in county.points if p.key == "room_t"
             and p.place_id.partition(":")[0] == building.id]  # fmt: skip
    expect(page.locator("#station-points")).to_contain_text(rooms[0])
