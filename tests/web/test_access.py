"""The routes of the onboarding page over a store in memory: what comes back, and who may ask."""

import io
import json
import time
from pathlib import Path

import msgspec
import openpyxl
import pytest
from playwright.sync_api import Page, expect

from app.access import service
from app.auth import AccountFile
from app.auth.tokens import Tokens, read_secret
from ingest.county import save_county
from ingest.onboarding import listen
from ingest.onboarding.state import read_state
from ingest.settings import Broker
from ingest.store.api import DeadLetter, Notice
from ingest.worker.scout import SCOUTED
from tests.onboarding.flows import TOPIC, payload, pump_flow
from tests.support.system import free_port
from tests.web.conftest import Site

FLOW = msgspec.to_builtins(pump_flow())
PATH = "/api/access/"


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A broker that lets everybody in; which flows were tried with it."""
    tried: list[str] = []
    monkeypatch.setattr(service, "check_connection", lambda _broker, flow: tried.append(flow.id))
    return tried


@pytest.fixture
def open_site(site: Site) -> Site:
    """A site whose county folder is there."""
    save_county(site.store.county, site.settings.county)
    return site


def post(site: Site, name: str, body: object, **headers: str) -> tuple[int, dict[str, object]]:
    raw = body if isinstance(body, str) else json.dumps(body)
    said = site.ask(PATH + name + "?lang=en", "POST", raw, **headers)
    return said.status, json.loads(said.text) if said.text.startswith("{") else {}


def message() -> dict[str, object]:
    return {"topic": TOPIC, "payload": payload(time.time()).decode()}


def test_the_page_starts_with_models_places_and_strangers(open_site: Site) -> None:
    now = time.time()
    body = json.dumps({"ts": round(now * 1000), "t1g": 88, "t1h": 44}).encode()
    open_site.store.dead = [
        DeadLetter("a" * 32, now, now, 7, "heat/NEW77/data", "unknown device 'NEW77'", body),
        DeadLetter("b" * 32, now, now, 1, "heat/RTU0001/data", "unknown point 'x'", b'{"x": 1}'),
        DeadLetter("c" * 32, now, now, 1, "heat/GARBAGE/data", "not JSON", b"{"),
    ]
    open_site.store.noticed = [Notice("county_reloaded", "onboarding", now, now, 1, "4")]
    said = json.loads(open_site.ask(PATH + "state").text)
    assert said["revision"] == 0 and said["may"] is True and said["taken"] == 4
    assert {m["id"] for m in said["models"]} >= {"heat_meter", "gas_detector"}
    assert {"S01", "B01"} <= {p["id"] for p in said["places"]}
    assert [(s["device"], s["model"], s["count"]) for s in said["strangers"]] == [
        ("NEW77", "换热站控制器", 7)
    ]
    status, draft = post(open_site, "propose", {"hash": "a" * 32})
    assert status == 200 and draft["matches"][0]["id"] == "heat_station_plc"
    assert post(open_site, "propose", {"hash": "d" * 32})[0] == 422


def test_a_flow_is_traced_published_undone_and_followed_by_the_pages(open_site: Site) -> None:
    status, said = post(open_site, "trace", {"flow": FLOW, "message": message()})
    assert status == 200 and [b["state"] for b in said["blocks"]] == ["ok"] * 5
    status, said = post(open_site, "publish", {"flow": {**FLOW, "maps": []}, "revision": 0})
    assert said["ok"] is False and "no key is mapped" in said["troubles"][0]["text"]
    status, said = post(open_site, "publish", {"flow": FLOW, "revision": 0})
    assert (status, said) == (200, {"ok": True, "revision": 1})
    assert "S01:P7/pump_t" in json.loads(open_site.ask("/api/meta").text)["ids"], "a new page knows the point"
    status, said = post(open_site, "publish", {"flow": FLOW, "revision": 0})
    assert [t["code"] for t in said["troubles"]] == ["conflict"]
    assert post(open_site, "undo", {"id": "pump-p7"})[1]["ok"] is True
    assert post(open_site, "version", {"id": "pump-p7", "number": 1})[1]["ok"] is True
    assert read_state(open_site.settings.county).find("pump-p7").live == 1
    assert post(open_site, "version", {"id": "nobody", "number": 1})[0] == 422


def test_kept_messages_of_the_flow_are_read_again_and_no_others(open_site: Site) -> None:
    now = time.time()
    mine = json.dumps({"ts": round(now * 1000), "temp": 4}).encode()
    open_site.store.dead = [
        DeadLetter("a" * 32, now, now, 1, "heat/P7/data", "unknown device", mine),
        DeadLetter("b" * 32, now, now, 1, "heat/P8/data", "unknown device", mine),
    ]
    post(open_site, "publish", {"flow": {**FLOW, "dialect": "flat", "source": None}, "revision": 0})
    assert post(open_site, "reread", {"id": "pump-p7"})[1] == {"count": 1}
    assert open_site.store.redo_wanted == [["a" * 32]]


def test_another_device_of_a_known_topic_joins_its_flow(open_site: Site) -> None:
    now = time.time()
    post(open_site, "publish", {"flow": FLOW, "revision": 0})
    letter = DeadLetter("a" * 32, now, now, 1, "factory/P8/up", "unknown device", payload(now))
    open_site.store.dead = [letter]
    _, draft = post(open_site, "propose", {"hash": "a" * 32})
    assert draft["flow"]["id"] == "pump-p7"
    assert [d["external_id"] for d in draft["flow"]["devices"]] == ["P7", "P8"]
    draft["flow"]["devices"][1]["place_id"] = "S02"
    assert post(open_site, "publish", {"flow": draft["flow"], "revision": 1})[1]["ok"] is True


def test_a_table_is_taken_whole_or_not_at_all(open_site: Site) -> None:
    made = open_site.ask_bytes(PATH + "template", json.dumps({"flow": FLOW}).encode())
    book = openpyxl.load_workbook(io.BytesIO(made))
    for i in range(100):
        book["devices"].append([f"P{i}", f"泵{i}", "S01", f"P{i}"])
    book["devices"].delete_rows(2)
    good = io.BytesIO()
    book.save(good)
    head = json.dumps({"flow": FLOW}).encode() + b"\n"
    said = json.loads(open_site.ask_bytes(PATH + "table", head + good.getvalue()))
    assert said["ok"] is True and len(said["devices"]) == 100
    book["devices"].append(["P200", "x", "S99", ""])
    bad = io.BytesIO()
    book.save(bad)
    said = json.loads(open_site.ask_bytes(PATH + "table", head + bad.getvalue()))
    assert said["ok"] is False and said["devices"] is None
    assert [r["device"] for r in said["rows"] if r["troubles"]] == ["P200"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("trace", "{"),
        ("trace", "[]"),
        ("trace", {"flow": {"id": 3}}),
        ("trace", {"flow": {**FLOW, "evil": 1}}),
        ("publish", {"flow": FLOW, "revision": "0"}),
        ("listen", {"filter": "#", "seconds": 1}),
        ("listen", {"filter": "$SYS/#", "seconds": 1}),
        ("listen", {"filter": "a/b", "seconds": "long"}),
        ("propose", {}),
        ("row", {"model": "mill", "key": "x", "external_key": "y"}),
        ("simulate", {"id": "nobody", "on": True}),
    ],
)
def test_what_is_wrong_is_a_sentence_and_no_fault_of_the_server(
    open_site: Site, name: str, body: object
) -> None:
    status, said = post(open_site, name, body)
    assert status == 422 and len(str(said["error"])) > 10


def test_a_body_that_is_too_long_is_not_read(open_site: Site) -> None:
    assert post(open_site, "trace", "x" * 1_600_000)[0] == 422


def test_without_a_store_the_page_still_edits(open_site: Site) -> None:
    open_site.store.down = True
    said = json.loads(open_site.ask(PATH + "state").text)
    assert said["strangers"] == [] and said["taken"] is None
    assert post(open_site, "trace", {"flow": FLOW, "message": message()})[0] == 200
    assert post(open_site, "reread", {"id": "pump-p7"})[0] in (422, 503)


def cookie_of(data: Path, name: str) -> str:
    account = AccountFile(data / "auth" / "accounts.json").accounts()[name]
    return "ct_session=" + Tokens(read_secret(data / "auth" / "secret.key")).sign_session(account)


def test_viewers_look_and_only_operators_change(open_site: Site) -> None:
    data = open_site.settings.data
    file = AccountFile(data / "auth" / "accounts.json")
    file.add("wang", "blue horse battery", "viewer")
    file.add("li", "green horse battery", "operator")
    viewer, operator = cookie_of(data, "wang"), cookie_of(data, "li")
    assert json.loads(open_site.ask(PATH + "state", cookie=viewer).text)["may"] is False
    names = (
        "trace",
        "propose",
        "row",
        "listen",
        "publish",
        "undo",
        "version",
        "reread",
        "simulate",
        "table",
        "template",
    )
    for name in names:
        assert post(open_site, name, {"flow": FLOW}, cookie=viewer)[0] == 403, name
        assert post(open_site, name, {"flow": FLOW})[0] == 401, name
        foreign = {"origin": "http://evil.example", "cookie": operator}
        assert post(open_site, name, {"flow": FLOW}, **foreign)[0] == 403, name
    assert post(open_site, "publish", {"flow": FLOW, "revision": 0}, cookie=operator)[0] == 200
    assert read_state(open_site.settings.county).find("pump-p7").versions[0].by == "li"


def test_a_viewer_sees_the_page_read_only_and_what_the_scout_has_heard(open_site: Site, page: Page) -> None:
    data, now = open_site.settings.data, time.time()
    body = json.dumps({"ts": round(now * 1000), "P1_TS": 88, "P1_TR": 44, "P1_FLOW": 20}).encode()
    open_site.store.dead = [DeadLetter("a" * 32, now, now, 1, "mill/ST77/up", SCOUTED, body)]
    heard = "1204 messages in 20 s, 1 topics that nobody has described"
    open_site.store.noticed = [Notice("scout", "broker", now, now, 12, heard)]
    post(open_site, "publish", {"flow": FLOW, "revision": 0})
    AccountFile(data / "auth" / "accounts.json").add("wang", "blue horse battery", "viewer")
    name, _, value = cookie_of(data, "wang").partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": open_site.url}])
    page.goto(open_site.url + "/access", wait_until="domcontentloaded")
    stranger = page.locator("[data-stranger='ST77']")
    expect(stranger).to_contain_text("换热站控制器", timeout=90_000)
    expect(stranger).to_be_disabled()
    expect(page.locator("#access-scout")).to_have_text("侦听：20 秒内听到 1204 条报文，其中 1 个主题无人登记")
    page.locator("[data-flow='pump-p7']").click()
    expect(page.locator(".ct-notice")).to_contain_text("操作员")
    page.click("#access-step-publish")
    expect(page.locator("#access-publish")).to_be_disabled()
    expect(page.locator("#access-points a").first).to_be_visible()


def test_the_chart_of_any_point(open_site: Site, page: Page) -> None:
    page.goto(open_site.url + "/point?point=S01/p1_ts&lang=en", wait_until="domcontentloaded")
    expect(page.locator("#point-head")).to_contain_text("primary supply temp", timeout=90_000)
    expect(page.locator("#point-head")).to_contain_text("88.0 °C")
    expect(page.locator("#point-chart .js-plotly-plot .trace")).to_have_count(1)
    page.goto(open_site.url + "/point?point=nobody/x", wait_until="domcontentloaded")
    expect(page.locator("#point-chart")).to_contain_text("没有这个测点", timeout=90_000)


def test_publishing_tests_the_connection_whoever_asks(
    open_site: Site, connections: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(open_site, "publish", {"flow": {**FLOW, "maps": []}, "revision": 0})[1]["ok"] is False
    assert connections == [], "a flow that will not do is not tried"
    assert post(open_site, "publish", {"flow": FLOW, "revision": 0})[1]["ok"] is True
    assert connections == [FLOW["id"]]
    nobody = Broker("127.0.0.1", free_port(), None, None, False)
    monkeypatch.setattr(
        service, "check_connection", lambda _broker, flow: listen.check_connection(nobody, flow)
    )
    status, said = post(open_site, "publish", {"flow": FLOW, "revision": 1})
    assert (status, said["ok"], [t["code"] for t in said["troubles"]]) == (200, False, ["no_connection"])
    assert "does not answer" in said["troubles"][0]["text"]
    assert json.loads(open_site.ask(PATH + "state").text)["revision"] == 1


def test_edits_are_taken_back_and_done_again_by_keys_and_buttons(open_site: Site, page: Page) -> None:
    page.goto(f"{open_site.url}/access")
    blocks, back, forth = (
        page.locator(".ct-block"),
        page.locator("#access-back"),
        page.locator("#access-forth"),
    )
    expect(blocks).to_have_count(1)
    expect(back).to_be_disabled()
    for kind in ("decode", "map"):
        page.locator(f".ct-chip-block.ct-kind-{kind}").focus()
        page.keyboard.press("Enter")
    expect(blocks).to_have_count(3)
    page.locator("#access-board").click(position={"x": 5, "y": 5})
    page.keyboard.press("Control+z")
    expect(blocks).to_have_count(2)
    back.click()
    expect(blocks).to_have_count(1)
    expect(back).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    expect(blocks).to_have_count(2)
    page.keyboard.press("Control+y")
    expect(blocks).to_have_count(3)
    expect(forth).to_be_disabled()
    back.click()
    page.locator(".ct-chip-block.ct-kind-check").focus()
    page.keyboard.press("Enter")
    expect(forth).to_be_disabled()
    expect(page.locator(".ct-link-hit")).to_have_count(3)
