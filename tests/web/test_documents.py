"""The page 资料: what is taken and served, who may, and the way by hand from a file to its finding."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Page, expect

from app.auth import AccountFile
from app.documents.routes import split_list
from app.i18n import TEXTS
from ingest.documents.refusal import REFUSALS
from ingest.store.api import DeadLetter
from ingest.store.document_api import KeptMessage
from tests.documents.samples import paper, picture, put
from tests.support.fake_store import FakeStore
from tests.support.system import free_port
from tests.web.conftest import Answer, Site, make_settings
from tests.web.test_commands import PASSWORD, sign_in

API = "/api/documents"


@pytest.fixture
def guarded(store: FakeStore, tmp_path: Path) -> Iterator[Site]:
    settings = make_settings(tmp_path)
    accounts = AccountFile(settings.data / "auth" / "accounts.json")
    for name, role in (("li", "operator"), ("zhao", "operator"), ("sun", "viewer"), ("wang", "admin")):
        accounts.add(name, PASSWORD, role)  # type: ignore[arg-type]
    site = Site(store, settings, free_port())
    site.start()
    yield site
    site.stop()


def send(site: Site, name: str, data: str | bytes, cookie: str = "", **said: object) -> tuple[int, dict]:  # type: ignore[type-arg]
    words = urlencode({"name": name, **said}, doseq=True)
    headers = {"origin": site.url, **({"cookie": cookie} if cookie else {})}
    r = site.ask(f"{API}?{words}", "POST", data, **headers)  # type: ignore[arg-type]
    return r.status, json.loads(r.text)


def post(site: Site, path: str, cookie: str, body: object = None) -> int:
    return site.ask(API + path, "POST", json.dumps(body or {}), origin=site.url, cookie=cookie).status


def test_what_is_added_is_found_and_served_so_that_nothing_of_it_can_run(site: Site) -> None:
    evil = "<script>alert(document.domain)</script>"
    for name, data, kind in (("a.txt", evil, "text/plain"), ("b.pdf", paper("x"), "application/pdf")):
        status, said = send(site, name, data, title=f"标题 {name}", tags="一号，二号", about="device:D-S01")
        assert (status, said["ok"]) == (200, True), said
        assert said["document"]["tags"] == ["一号", "二号"]
        served = site.ask(f"{API}/{said['document']['no']}/file")
        assert (
            served.headers["content-type"].startswith(kind)
            and served.headers["x-content-type-options"] == "nosniff"
        )
        assert served.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
        assert "sandbox" in served.headers["content-security-policy"]
        assert "default-src 'none'" in served.headers["content-security-policy"]
    found = json.loads(site.ask(f"{API}?q={quote('document.domain')}").text)
    assert [d["name"] for d in found["documents"]] == ["a.txt"] and "said" not in found["documents"][0]
    text = site.ask(f"{API}/{found['documents'][0]['no']}/text")
    assert text.headers["content-type"].startswith("text/plain") and text.text == evil


def test_a_refusal_has_a_code_that_the_page_can_say(site: Site) -> None:
    for name, data, said, code, status in (
        ("a.exe", "MZ\x00", {}, "type", 422), ("a.pdf", "no", {}, "mismatch", 422),
        ("a.txt", "", {}, "empty", 422), ("a.txt", "x", {"about": "device:nobody"}, "about", 422),
        ("a.txt", "x", {"title": "x" * 121}, "title", 422),
    ):  # fmt: skip
        got, answer = send(site, name, data, **said)
        assert (got, answer["code"]) == (status, code)
        assert TEXTS[f"document.why_{code}"][0].format(**answer["values"])
    assert {f"document.why_{c}" for c in REFUSALS} <= set(TEXTS)
    big = site.ask(f"{API}?name=a.txt", "POST", "x", origin=site.url, content_length="99000000")
    assert big.status == 413 and site.store.document_rows == []
    assert split_list("a，b、 c;;") == ["a", "b", "c"]


def test_who_may_what(guarded: Site) -> None:
    li, zhao, sun, wang = (sign_in(guarded, n) for n in ("li", "zhao", "sun", "wang"))
    no = send(guarded, "a.txt", "x", li)[1]["document"]["no"]
    assert send(guarded, "b.txt", "y", sun)[0] == 403

    def ask(path: str, cookie: str = "") -> Answer:
        return guarded.ask(path, cookie=cookie)

    assert ask(f"{API}/{no}/file", sun).status == 200 and ask(API, sun).status == 200
    for path in ("", f"/{no}/file", f"/{no}/small", f"/{no}/steps", "/choices"):
        assert ask(API + path).status == 401, "a stranger"
    assert post(guarded, f"/{no}/remove", sun) == post(guarded, f"/{no}/remove", zhao) == 403
    assert post(guarded, f"/{no}", zhao, {"title": "mine"}) == 403
    assert post(guarded, f"/{no}", li, {"title": "new", "tags": ["t"], "about": []}) == 200
    assert post(guarded, f"/{no}/remove", wang) == 200 and post(guarded, f"/{no}/restore", li) == 200
    assert post(guarded, f"/{no}/erase", wang) == post(guarded, "/17/remove", wang) == 404
    steps = json.loads(ask(f"{API}/{no}/steps", sun).text)["steps"]
    assert [(s["act"], s["who"]) for s in steps] == [
        ("added", "li"), ("changed", "li"), ("removed", "wang"), ("restored", "li"),
    ]  # fmt: skip
    foreign = guarded.ask(f"{API}?name=a.txt", "POST", "x", origin="http://evil.example", cookie=li)
    assert foreign.status == 403


def test_by_hand_a_photo_is_added_found_said_anew_and_taken_away(
    site: Site, page: Page, tmp_path: Path
) -> None:
    site.store.dead.append(DeadLetter("h", 1.0, time.time(), 2, "heat/x/data", "not JSON", b"nameplate"))
    said = KeptMessage(time.time(), ("D-S01",), "heat/x/data", b'{"P1_TS": 88.5}', 15)
    site.store.messages.append(said)
    page.goto(f"{site.url}/documents?about=device:D-S01")
    expect(page.locator(".ct-doc-message code")).to_have_text(said.payload.decode())
    page.locator("#document-files").set_input_files(put(tmp_path, "plate.jpg", picture()))
    page.fill("#new-title", "铭牌照片")
    page.fill("#new-tags", "nameplate, 2024")
    page.press("#new-tags", "Enter")
    expect(page.locator(".ct-doc-said li")).to_have_text(TEXTS["document.sent"][0].format(name="plate.jpg"))
    card = page.locator(".ct-doc-list .ct-doc:not(.ct-doc-message)")
    expect(card.locator("h3")).to_have_text("铭牌照片")
    page.wait_for_function("document.querySelector('.ct-doc img')?.naturalWidth === 480")
    page.locator("#document-files").set_input_files(put(tmp_path, "bad.jpg", b"no picture"))
    page.click("#document-submit")
    expect(page.locator(".ct-doc-said li[data-level=bad]")).to_contain_text("bad.jpg")
    page.goto(f"{site.url}/documents")
    page.fill("#document-search", "nameplate")
    expect(page.locator(".ct-doc-message")).to_have_count(1)
    expect(card).to_have_count(1)
    page.fill("#document-search", "没有这个")
    expect(card).to_have_count(0)
    page.fill("#document-search", "")
    card.get_by_role("button", name=TEXTS["document.edit"][0]).click()
    title = page.locator(".ct-doc-list input[id$=-title]")
    title.fill("泵的铭牌")
    title.press("Enter")
    expect(card.locator("h3")).to_have_text("泵的铭牌")
    page.once("dialog", lambda d: d.accept())
    card.get_by_role("button", name=TEXTS["document.remove"][0]).click()
    expect(card).to_have_count(0)
    page.check("#document-removed")
    card.get_by_role("button", name=TEXTS["document.restore"][0]).click()
    page.uncheck("#document-removed")
    expect(card.locator("h3")).to_have_text("泵的铭牌")
    assert [d.act for d in site.store.document_rows] == ["added", "changed", "removed", "restored"]
