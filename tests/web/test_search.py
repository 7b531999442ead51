"""The leak search from a crew's hand to the twin and back: kept with names, weighed, advised in words."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.auth import AccountFile
from app.domains.heating.search import fetch_advice, note_result, read_results, undo_result
from app.domains.heating.search_words import name_chamber, tell_check, tell_result
from app.i18n import TEXTS
from app.web.search_routes import PATH
from app.workers.search import LeakSearch
from ingest.store.finding_api import FoundSuspect, TwinFinding
from tests.support.fake_store import FakeStore
from tests.support.system import free_port
from tests.support.tiny import make_tiny_county
from tests.web.conftest import Site, make_settings
from twin.diagnosis import Placed, Verdict, begin_watch, compile_book
from twin.diagnosis.search import compile_trench
from twin.heat import SteadyBoundary, compile_network, solve_steady
from twin.model.errors import InputError

PASSWORD = "Qingshui-2026"
COUNTY = make_tiny_county()
NETWORK = COUNTY.network
NET = compile_network(NETWORK)
TRENCH = compile_trench(NET)
PAIR = TRENCH.pair_ids[0]
CHAMBER = NETWORK.nodes[TRENCH.ends[0, 0]].id


@pytest.fixture
def store() -> FakeStore:
    store = FakeStore(COUNTY)
    pipe = NETWORK.pipes[0].id
    now = time.time()
    suspects = (FoundSuspect("leak", pipe, 2.0, 0.4),)
    store.write_findings(
        [TwinFinding("leak::1", now, True, "leak", pipe, 2.0, 0.99, now - 600, 50.0, suspects)]
    )
    return store


def clamp(**more: object) -> dict[str, object]:
    body = {"finding": "leak::1", "kind": "clamp", "sections": [PAIR], "chamber": CHAMBER,
            "supply_m3_h": 72.0, "return_m3_h": 64.8, "text": " wet ground "}  # fmt: skip
    return {**body, **more}


def test_a_result_is_kept_with_its_name_and_counts_until_it_is_taken_back(store: FakeStore) -> None:
    no = note_result(store, NET, TRENCH, clamp(), "li")
    note_result(store, NET, TRENCH, clamp(kind="listen", heard=False), "wang")
    first, second = read_results(store, time.time())
    assert (first.row.no, first.who, first.counts, first.text) == (no, "li", True, "wet ground")
    assert (first.result.first, first.result.second) == (pytest.approx(0.02), pytest.approx(0.018))
    assert (second.result.check.pair_ids, second.result.first) == ((), 0.0)
    assert "72.0" in tell_result(first, "12:00", "zh") and "wang" in tell_result(second, "12:00", "en")
    undo_result(store, no, "zhao")
    assert [n.counts for n in read_results(store, time.time())] == [False, True]
    with pytest.raises(InputError, match="no such result"):
        undo_result(store, no, "zhao")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"finding": "leak::0"}, "no open leak"),
        ({"kind": "smell"}, "kind: one of"),
        ({"chamber": 7}, "name the chamber"),
        ({"chamber": "N-none"}, "no chamber 'N-none'"),
        ({"sections": "P01"}, "a list of at most"),
        ({"sections": ["P-none"]}, "no pair of pipes 'P-none'"),
        ({"sections": []}, "needs one pair"),
        ({"supply_m3_h": None}, "supply_m3_h: a number"),
        ({"supply_m3_h": True}, "supply_m3_h: a number"),
        ({"return_m3_h": 1e9}, "return: a flow of"),
        ({"kind": "listen"}, "heard: say true"),
        ({"text": "x" * 201}, "at most 200"),
    ],
)
def test_what_cannot_be_a_result_is_refused_in_words(store: FakeStore, more: dict, why: str) -> None:
    with pytest.raises(InputError, match=why):
        note_result(store, NET, TRENCH, clamp(**more), "li")
    assert read_results(store, time.time()) == []


def placed(watch) -> Placed:
    n = len(NETWORK.substations)
    holds = np.array([s.holds_pressure for s in NETWORK.sources])
    p_pa = [np.array([getattr(s, k) for s in NETWORK.sources]) for k in ("p_supply_pa", "p_return_pa")]
    flow = np.array([0.7 * s.design_flow_kg_s for s in NETWORK.substations])
    boundary = SteadyBoundary(
        np.full(holds.size, 100.0), *p_pa, np.where(holds, np.nan, 0.0), flow, np.full(n, 50.0)
    )
    chance = np.full(NET.n_pipe, 1.0 / NET.n_pipe)
    size = np.full(NET.n_pipe, 0.03 * flow.sum())
    return Placed(chance, size, tuple(watch.checks), (5000.0, 900.0), solve_steady(NET, boundary))


def test_the_worker_weighs_what_is_noted_and_keeps_its_advice_in_words(store: FakeStore) -> None:
    search, watch, now = LeakSearch(NET), begin_watch(compile_book(COUNTY)), time.time()
    no = note_result(store, NET, TRENCH, clamp(), "li")
    search.heed(store, watch, now)
    assert [r.check.pair_ids for r in watch.checks] == [(PAIR,)]
    watch.placed = placed(watch)
    leak = Verdict("leak::1", "leak", NETWORK.pipes[0].id, 2.0, 0.9, now - 600, now, 50.0, ())
    search.keep(store, watch, [leak], now)
    search.keep(store, watch, [leak], now + 1.0)
    assert len(store.kept("search_advice")) == 1, "nothing new is not kept again"
    advice = fetch_advice(store, "leak::1")
    assert advice is not None and advice["zones_m"] == [5000.0, 900.0]
    json.dumps(advice, allow_nan=False)
    kinds = {c["check"]["kind"] for c in advice["checks"]}
    assert kinds, "there is something to do"
    for check in advice["checks"]:
        for lang in ("zh", "en"):
            told = tell_check(COUNTY, check, lang)
            assert all(told) and not any("{" in t or "--" in t for t in told)
            assert check["check"]["node_id"] in told[0]
    undo_result(store, no, "li")
    search.heed(store, watch, now + 60.0)
    assert watch.checks == ()
    anew = LeakSearch(NET)  # a worker that was started again
    note_result(store, NET, TRENCH, clamp(kind="listen", heard=True), "li")
    anew.heed(store, watch, now)
    assert [r.check.kind for r in watch.checks] == ["listen"]


def test_a_chamber_is_told_by_what_people_see_around_it() -> None:
    for node in NETWORK.nodes:
        told = name_chamber(COUNTY, node.id, "zh")
        assert node.id in told and any(s.name in told for s in NETWORK.substations)


@pytest.fixture
def guarded(store: FakeStore, tmp_path: Path) -> Iterator[Site]:
    settings = make_settings(tmp_path)
    accounts = AccountFile(settings.data / "auth" / "accounts.json")
    accounts.add("li", PASSWORD, "operator")
    accounts.add("sun", PASSWORD, "viewer")
    site = Site(store, settings, free_port())
    site.start()
    yield site
    site.stop()


def test_operators_note_with_their_name_viewers_may_not_and_nonsense_is_refused(guarded: Site) -> None:
    def post(name: str, body: object) -> tuple[int, dict[str, object]]:
        form = urlencode({"name": name, "password": PASSWORD})
        cookie = guarded.ask("/login", "POST", form, origin=guarded.url).headers["set-cookie"].split(";")[0]
        said = guarded.ask(PATH, "POST", json.dumps(body), origin=guarded.url, cookie=cookie)
        return said.status, json.loads(said.text)

    assert post("sun", clamp())[0] == 403
    assert read_results(guarded.store, time.time()) == []
    status, said = post("li", clamp())
    assert status == 200
    (noted,) = read_results(guarded.store, time.time())
    assert noted.who == "li"
    status, refused = post("li", clamp(chamber="N-none"))
    assert (status, refused["why"]) == (422, "chamber: there is no chamber 'N-none'")
    assert post("li", [])[0] == 422
    assert post("li", {"undo": said["result"]["no"]})[0] == 200
    assert not read_results(guarded.store, time.time())[0].counts


def test_a_crew_enters_what_was_advised_and_takes_it_back_on_the_page(
    page: Page, store: FakeStore, site: Site
) -> None:
    search, watch, now = LeakSearch(NET), begin_watch(compile_book(COUNTY)), time.time()
    watch.placed = placed(watch)
    (leak,) = store.findings()
    told = Verdict(leak.id, "leak", leak.place, 2.0, 0.9, leak.since, now, 50.0, ())
    search.keep(store, watch, [told], now)
    page.goto(f"{site.url}/diagnosis", wait_until="domcontentloaded")
    use = page.locator("#search-advice button[data-search-use*=clamp]").first
    expect(use).to_be_visible(timeout=30_000)
    use.click()
    expect(page.locator("#search-before_m3_h")).to_be_hidden()
    page.locator("input#search-supply_m3_h, #search-supply_m3_h input").fill("80.2")
    page.locator("input#search-return_m3_h, #search-return_m3_h input").fill("76")
    page.locator("#search-form [data-search-send]").click()
    expect(page.locator("#search-said")).to_have_text(TEXTS["search.done"][0])
    (noted,) = read_results(store, time.time())
    advised = json.loads(use.get_attribute("data-search-use"))
    assert list(noted.result.check.pair_ids) == advised["sections"]
    assert noted.result.first == pytest.approx(80.2 / 3600.0)
    undo = page.locator("[data-search-undo]")
    expect(undo).to_be_visible(timeout=15_000)
    undo.click()
    expect(page.locator("#search-advice s")).to_be_visible(timeout=15_000)
    assert not read_results(store, time.time())[0].counts
