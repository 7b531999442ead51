"""The complaints desk: who may see and write what, and a call by hand from the telephone to the call back."""

import json
import stat
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from app.complaints import judge_of
from app.domains.heating.report import make_report
from app.domains.heating.visits import list_visits, read_visits
from app.web.context import Context
from ingest.store.finding_api import FoundSuspect, TwinFinding
from tests.support.fake_store import FakeStore
from tests.web import test_documents
from tests.web.conftest import Site, make_settings, open_page
from tests.web.test_commands import post, sign_in
from tests.web.test_complaint_cases import GOOD, HEADS, as_csv

guarded = test_documents.guarded
API = "/api/complaints"
CALL = {
    "building": "B01", "home": "2-301", "kind": "cold", "channel": "phone", "text": "电话13912345678 太冷",
    "phone": "139 1234 5678", "room_c": 15.5,
}  # fmt: skip


def look(site: Site, cookie: str = "", lang: str = "zh") -> dict:  # type: ignore[type-arg]
    answer = site.ask(f"{API}?lang={lang}", **({"cookie": cookie} if cookie else {}))
    return json.loads(answer.text) | {"status": answer.status}


def test_every_role_sees_and_does_what_is_its_own_and_numbers_stand_nowhere(guarded: Site) -> None:
    li, sun = sign_in(guarded, "li"), sign_in(guarded, "sun")
    assert guarded.ask(API).status == 401 == guarded.ask(API, "POST", "{}", origin=guarded.url).status
    assert post(guarded, API, CALL, sun)[0] == 403
    status, said = post(guarded, API, CALL, li)
    no = said["no"]
    assert status == 200
    (seen,) = look(guarded, sun)["cases"]
    assert (seen["home"], seen["text"], seen["phone"], seen["building"]) == ("", "", "", "B01")
    assert "2-301" not in json.dumps(seen) and not look(guarded, sun)["may"]
    (whole,) = look(guarded, li)["cases"]
    assert (whole["home"], whole["phone"], whole["text"]) == ("2-301", "139****78", "电话139****78 太冷")
    assert guarded.ask(f"{API}/buildings?q=1", cookie=sun).status == 403
    assert post(guarded, f"{API}/{no}/phone", {}, sun)[0] == 403
    assert post(guarded, f"{API}/{no}", {"act": "dispatched", "crew": "x"}, sun)[0] == 403
    assert post(guarded, f"{API}/import?name=a.csv", {}, sun)[0] == 403
    assert post(guarded, f"{API}/{no}/phone", {}, li)[1]["phone"] == "139 1234 5678"
    (after,) = look(guarded, li)["cases"]
    assert [(s["act"], s["who"]) for s in after["steps"]] == [("received", "li"), ("phone", "li")]
    kept = json.dumps([line.body for _, line in guarded.store.kept_lines], ensure_ascii=False)
    assert "13912345678" not in kept.replace(" ", "")
    file = guarded.settings.data / "complaints" / "phones.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and "139 1234 5678" in file.read_text()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "找不到楼栋"), ({"building": "B01", "kind": "sad"}, "之一"),
        ({"building": "B01", "kind": 3}, "之一"),
        ({**CALL, "phone": "12"}, "7 位"), ({**CALL, "room_c": 99}, "0 至 40"), ({**CALL, "text": 3}, "文字"),
        ({**CALL, "home": "9" * 60}, "最多"), ({**CALL, "t": "soon"}, "不是时间"),
        ({**CALL, "t": 4e9}, "将来"),
        ({**CALL, "t": 1e9}, "不能早于"), ({**CALL, "room_c": True}, "0 至 40"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_is_refused_in_a_sentence(
    store: FakeStore, tmp_path: Path, body: dict[str, object], why: str
) -> None:
    from app.complaints import Complaints
    from app.domains.heating.complaints import ComplaintRefused

    desk = Complaints(Context(make_settings(tmp_path), store.county, store))
    with pytest.raises(ComplaintRefused) as refused:
        desk.receive(body, "li")
    assert why in refused.value.tell("zh") and store.kept_lines == []


def test_a_measured_room_is_a_room_of_the_crew_until_it_is_taken_back_and_a_table_comes_once(
    site: Site,
) -> None:
    no = post(site, API, CALL)[1]["no"]
    status, said = post(site, f"{API}/{no}", {"act": "measured", "room_c": 16.5})
    assert (status, said["status"], said["said"]) == (200, "measured", "")
    (visit,) = read_visits(site.store, time.time())
    assert (visit.building_id, visit.home, visit.room_c) == ("B01", "2-301", 16.5)
    (case,) = look(site)["cases"]
    assert case["measured_c"] == 16.5 and [s["act"] for s in case["steps"]] == ["received", "measured"]
    assert post(site, f"{API}/{no}", {"act": "solved", "cause": "air", "seen": 1})[1]["code"] == "changed"
    assert post(site, f"{API}/{no}", {"act": "undone"})[1]["status"] == "received"
    assert read_visits(site.store, time.time()) == () == list_visits(site.store, 0.0)
    assert post(site, f"{API}/1", {"act": "solved", "cause": "air"})[0] == 404
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time()))
    table = as_csv(HEADS, [GOOD[0], when, *GOOD[2:]], ["A2", when, "别处9号", *GOOD[3:]])
    for taken, known in ((1, 0), (0, 1)):
        said = json.loads(site.ask_bytes(f"{API}/import?name={quote('工单.csv')}", table))
        assert (said["taken"], said["known"], said["refused"]) == (taken, known, 1)
        assert said["troubles"][0]["line"] == 3 and "别处9号" in said["troubles"][0]["why"]
    context = Context(site.settings, site.store.county, site.store)
    figures = make_report(
        site.store.county, site.store, time.time() - 86_400, time.time(), complaints=judge_of(context)
    ).figures
    assert figures["complaints_homes"] > 0.0


def test_an_operator_takes_a_call_answers_it_and_brings_the_case_to_its_end(site: Site, page: Page) -> None:
    suspect = FoundSuspect("fouling", "S01", 0.3, 0.9)
    site.store.write_findings(
        [TwinFinding("f1", time.time(), True, "fouling", "S01", 0.3, 0.9, time.time() - 600, 9.0, (suspect,))]
    )
    page.on("dialog", lambda d: d.accept())
    open_page(page, site, "/complaints")
    expect(page.locator(".ct-case-list")).to_contain_text("还没有诉求")
    expect(page.locator("#case-building")).to_be_focused()
    page.keyboard.type("建设路2号 2-301")
    page.keyboard.press("Enter")
    expect(page.locator("#case-home")).to_have_value("2-301")
    expect(page.locator("#complaint-facts")).to_contain_text("东关换热站 二次供温 52.0 °C")
    expect(page.locator("#complaint-facts a.ct-line")).to_contain_text("结垢")
    page.locator("#case-phone").fill("13912345678")
    page.locator("#case-room").fill("15.5")
    page.keyboard.press("Enter")
    row = page.locator(".ct-case[data-no]")
    expect(row).to_contain_text("1号楼 2-301")
    expect(row.locator(".ct-case-due")).to_contain_text("● 测温 剩 24 小时")
    row.click()
    expect(page.locator(".ct-case-side")).to_contain_text("139****78")
    for act, field, value in (("dispatched", "#step-crew", "一班"), ("measured", "#step-room", "16.2")):
        page.locator(f'[data-act="{act}"]').click()
        page.locator(field).fill(value)
        page.locator("#step-save").click()
        expect(page.locator(".ct-case-life li").last).to_contain_text(value)
    expect(page.locator(".ct-case-life li").last).to_contain_text("已计入入户测温")
    page.locator('[data-act="undone"]').click()
    expect(page.locator(".ct-case-life .ct-struck")).to_contain_text("16.2 °C")
    page.locator('[data-act="solved"]').click()
    page.locator("#step-cause").select_option("air")
    page.locator("#step-save").click()
    page.locator('[data-act="satisfied"]').click()
    page.locator("#step-save").click()
    expect(page.locator(".ct-case-list .ct-case-state")).to_have_text("已办结")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
