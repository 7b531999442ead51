"""The page 指令: who may ask and approve, what is shown, and the form by keyboard."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from app.auth import AccountFile
from app.i18n import TEXTS
from ingest.store.command_api import Command, CommandStep, DeviceLife
from tests.support.fake_store import FakeStore
from tests.support.system import free_port, wait_until
from tests.web.conftest import Site, make_settings
from twin.model.setpoints import list_setpoints

NAN = float("nan")
PASSWORD = "Qingshui-2026"


@pytest.fixture
def guarded(store: FakeStore, tmp_path: Path) -> Iterator[Site]:
    settings = make_settings(tmp_path)
    accounts = AccountFile(settings.data / "auth" / "accounts.json")
    for name, role in (("li", "operator"), ("sun", "viewer"), ("wang", "admin")):
        accounts.add(name, PASSWORD, role)  # type: ignore[arg-type]
    site = Site(store, settings, free_port())
    site.start()
    yield site
    site.stop()


def sign_in(site: Site, name: str) -> str:
    form = urlencode({"name": name, "password": PASSWORD})
    return site.ask("/login", "POST", form, origin=site.url).headers["set-cookie"].split(";")[0]


def post(site: Site, path: str, body: object = None, cookie: str = "") -> tuple[int, dict[str, object]]:
    text = "" if body is None else json.dumps(body)
    said = site.ask(path, "POST", text, origin=site.url, **({"cookie": cookie} if cookie else {}))
    return said.status, json.loads(said.text)


def command(store: FakeStore, point: str = "S01/cv_sp", **change: object) -> Command:
    base = Command(
        no=1_795_000_000_000_000, t=time.time() - 60, point_no=store.county.point_by_id[point].no,
        device_id="D-S01", value=0.5, before=0.4, state="waiting", changed=time.time() - 60,
        requested_by="li", approved_by="", origin="page", reason="cold homes",
        sent=NAN, until=NAN, answered=None, seen=NAN, detail="",
    )  # fmt: skip
    return replace(base, **change)


def test_an_operator_asks_in_display_units_and_the_name_goes_along(guarded: Site) -> None:
    body = {"point": "S01/cv_sp", "value": 50, "reason": "cold homes"}
    status, said = post(guarded, "/api/commands", body, sign_in(guarded, "li"))
    assert (status, said["ok"]) == (200, True)
    no = guarded.store.county.point_by_id["S01/cv_sp"].no
    assert guarded.store.asked == [(no, 0.5, "li", "cold homes", "page")]


def test_a_viewer_may_look_and_not_touch(guarded: Site) -> None:
    cookie = sign_in(guarded, "sun")
    assert guarded.ask("/api/commands", cookie=cookie).status == 200
    assert (
        post(guarded, "/api/commands", {"point": "S01/cv_sp", "value": 50, "reason": "x"}, cookie)[0] == 403
    )
    assert post(guarded, "/api/commands/7/approve", None, cookie)[0] == 403
    assert post(guarded, "/api/devices/D-S01/retire", None, sign_in(guarded, "li"))[0] == 403
    assert guarded.store.asked == guarded.store.decided == guarded.store.retired == []


def test_a_foreign_page_cannot_ask(guarded: Site) -> None:
    said = guarded.ask(
        "/api/commands", "POST", "{}", origin="http://evil.example", cookie=sign_in(guarded, "li")
    )
    assert said.status == 403 and guarded.store.asked == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"value": 50, "reason": "x"}, "point"), ({"point": "S01/cv_sp", "reason": "x"}, "value"),
        ({"point": "S01/cv_sp", "value": True, "reason": "x"}, "value"), ([1], "point"),
        ({"point": "S01/cv_sp", "value": 50, "reason": " "}, "reason"), ("x" * 5000, "point"),
    ],
)  # fmt: skip
def test_what_lacks_something_is_refused_with_its_name(site: Site, body: object, words: str) -> None:
    status, said = post(site, "/api/commands", body)
    assert status == 422 and words in str(said["why"]) and site.store.asked == []


def test_the_second_account_decides_and_who_manages_retires(guarded: Site) -> None:
    cookie = sign_in(guarded, "wang")
    assert post(guarded, "/api/commands/7/approve", None, cookie)[0] == 200
    assert post(guarded, "/api/commands/7/explode", None, cookie)[0] == 422
    assert post(guarded, "/api/devices/D-S01/retire", None, cookie)[0] == 200
    assert post(guarded, "/api/devices/nobody/retire", None, cookie)[0] == 422
    assert guarded.store.decided == [(7, "approve", "wang")]
    assert guarded.store.retired == [("D-S01", "wang", False)]


def test_undo_asks_for_the_value_of_before(site: Site) -> None:
    done = command(site.store, state="done", sent=time.time())
    site.store.command_rows = [done, command(site.store, no=2, state="rejected")]
    assert post(site, f"/api/commands/{done.no}/undo")[0] == 200
    assert post(site, "/api/commands/2/undo")[0] == 422
    assert [(a[1], a[4]) for a in site.store.asked] == [(0.4, f"undo {done.no}")]


def test_the_store_away_is_told(site: Site) -> None:
    site.store.down = True
    assert post(site, "/api/commands", {"point": "S01/cv_sp", "value": 50, "reason": "x"})[0] == 503


@pytest.fixture
def commands(page: Page, site: Site) -> Page:
    site.store.command_rows = [
        command(site.store),
        command(site.store, no=5, state="done", sent=time.time(), approved_by="wang", seen=0.5),
    ]
    site.store.steps = [CommandStep(5, time.time(), "approved", "wang", "")]
    page.goto(f"{site.url}/commands", wait_until="domcontentloaded")
    expect(page.locator("#command-list tbody tr")).to_have_count(2)
    return page


def tab_to(page: Page, name: str) -> None:
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == name:
            return
    raise AssertionError(f"no way to {name} by Tab")


def test_a_set_point_is_asked_for_by_keyboard_with_its_limits_shown(commands: Page, site: Site) -> None:
    options = commands.locator("#command-point option")
    expect(options).to_have_count(1 + len(list_setpoints(site.store.county)))
    commands.locator("#command-point").focus()
    commands.locator("#command-point").select_option("S01/cv_sp")
    expect(commands.locator("#command-limits")).to_contain_text("5 至 100 %")
    expect(commands.locator("#command-feedback")).to_contain_text("43")
    tab_to(commands, "command-value")
    commands.keyboard.type("48")
    tab_to(commands, "command-reason")
    commands.keyboard.type("cold homes")
    commands.keyboard.press("Enter")
    expect(commands.locator("#command-said")).to_have_text(TEXTS["command.asked"][0])
    assert [a[1] for a in site.store.asked] == [pytest.approx(0.48)]


def test_what_the_server_refuses_stands_under_the_form(commands: Page, site: Site) -> None:
    commands.locator("#command-point").select_option("S01/cv_sp")
    commands.locator("#command-value").fill("50")
    commands.locator("form[data-command] button[type=submit]").click()
    expect(commands.locator("#command-said")).to_contain_text("reason")
    assert site.store.asked == []


def test_waiting_commands_have_buttons_and_done_ones_can_be_undone(commands: Page, site: Site) -> None:
    waiting = commands.locator('tr[data-state="waiting"]')
    expect(waiting.locator("button")).to_have_count(3)
    expect(commands.locator('tr[data-state="done"] button')).to_have_text(TEXTS["command.undo"][0])
    waiting.get_by_role("button", name=TEXTS["command.approve"][0]).click()
    wait_until(lambda: site.store.decided, 5, "the server heard it")
    assert site.store.decided[0][1:] == ("approve", "")
    expect(commands.locator("#command-audit")).to_contain_text("wang")


def test_a_wall_has_no_form_and_no_buttons(page: Page, site: Site) -> None:
    site.store.command_rows = [command(site.store)]
    page.goto(f"{site.url}/commands?kiosk=1&lang=en", wait_until="domcontentloaded")
    expect(page.locator("#command-list tbody tr")).to_have_count(1)
    expect(page.locator("#command-list")).to_contain_text("waits for approval")
    expect(page.locator("button")).to_have_count(0)


def test_where_devices_stand_is_shown_on_data_quality(page: Page, site: Site) -> None:
    ends = time.time() + 12.5 * 86_400
    site.store.lives = [
        DeviceLife("D-S01", "faulty", time.time() - 600, "fault code 11", "2.4.1", ends),
        DeviceLife("D-S02", "silent", time.time() - 600, "last will", "", NAN),
    ]
    page.goto(f"{site.url}/data-quality?lang=en", wait_until="domcontentloaded")
    row = page.locator('.ag-row[row-id="D-S01"]').first
    expect(row).to_contain_text(re.compile("faulty.*fault code 11.*2.4.1.*12", re.DOTALL))
    expect(page.locator('.ag-row[row-id="D-S02"]').first).to_contain_text("last will")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator('.ag-row[row-id="D-S02"] button[data-post]').click()
    wait_until(lambda: site.store.retired, 5, "the server heard it")
    assert site.store.retired == [("D-S02", "", False)]


def test_a_refusal_is_said_in_the_language_of_the_page(page: Page, site: Site) -> None:
    why = "limits: S01/cv_sp: 140 % is outside 5 % to 100 %"
    site.store.command_rows = [command(site.store, state="refused", detail=why)]
    site.store.steps = [CommandStep(7, time.time(), "approve refused", "li", "second: li has asked for it")]
    page.goto(f"{site.url}/commands", wait_until="domcontentloaded")
    expect(page.locator("#command-list")).to_contain_text("超出允许范围")
    expect(page.locator("#command-audit")).to_contain_text("批准未成")
    page.goto(f"{site.url}/commands?lang=en", wait_until="domcontentloaded")
    expect(page.locator("#command-list")).to_contain_text("140 % is outside")
