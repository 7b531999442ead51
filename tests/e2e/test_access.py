"""设备接入 as an operator meets it: a device nobody described before, from its message to its chart.

A real broker, a real ingest and the real page; once by dragging blocks, once with the keyboard alone.
"""

import json
import re
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.pieces import Pieces, run_pieces
from tests.support.system import wait_until

pytestmark = pytest.mark.e2e
KINDS = ("source", "decode", "map", "check", "publish")


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pieces]:
    with run_pieces(tmp_path_factory.mktemp("access")) as pieces:
        yield pieces


@pytest.fixture
def page(browser: Browser, pieces: Pieces) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, bypass_csp=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.goto(f"{pieces.url}/access", wait_until="domcontentloaded")
    page.locator("#access-root[data-ready]").wait_for(timeout=60_000)
    yield page
    context.close()
    assert faults == []


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def middle(page: Page, selector: str) -> tuple[float, float]:
    for _ in range(300):  # blocks are drawn anew when something has changed, and are nowhere meanwhile
        if (box := page.locator(selector).bounding_box()) is not None:
            break
        page.wait_for_timeout(100)
    assert box is not None, selector
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def expect_chart(page: Page, value: str) -> None:
    """The chart of the point that was clicked shows a last value, and a curve with it."""
    expect(page.locator("#point-head")).to_contain_text(value, timeout=90_000)
    page.wait_for_function(
        """() => { const g = document.querySelector('#point-chart .js-plotly-plot');
                   return g && g.data && g.data[0] && (g.data[0].x.length || g.data[0].x.bdata) &&
                          g.querySelectorAll('.scatterlayer .trace').length > 0; }""",
        timeout=90_000,
    )


def test_a_stranger_is_onboarded_by_dragging_blocks(page: Page, pieces: Pieces) -> None:
    def say(temp: float) -> None:
        body = {"t": round(time.time() * 1000), "d": {"temp": str(temp), "press": 850, "fw": 3}}
        pieces.say("mill/M7/up", json.dumps(body))

    board = page.locator("#access-board").bounding_box()
    assert board is not None
    # a live message: listen, take it, let it be recognised
    page.fill("#access-listen-filter", "mill/#")
    page.click("#access-listen")
    heard = page.locator(".ct-heard button").first
    for _ in range(90):  # what is said before it listens is not heard
        say(55.5)
        page.wait_for_timeout(1000)
        if heard.is_visible():
            break
    heard.click()
    expect(page.locator("#access-filter")).to_have_value("mill/+/up", timeout=90_000)
    page.fill("#access-name", "七号磨")
    page.fill("#access-id", "mill-m7")
    # blocks from the palette onto the canvas; nothing is reached before it is linked
    for i, kind in enumerate(KINDS[1:], 1):
        at = (board["x"] + 120 + 230 * i, board["y"] + (40 if i % 2 else 110))
        drag(page, middle(page, f".ct-chip-block[data-kind={kind}]"), at)
    expect(page.locator(".ct-block")).to_have_count(5)
    expect(page.locator("[data-block=decode]")).to_have_class(re.compile("ct-is-idle"))
    # a link against the order is refused in words
    drag(page, middle(page, "[data-out=source]"), middle(page, "[data-block=check]"))
    expect(page.locator("#access-note")).to_contain_text("来源 → 解析")
    expect(page.locator("[data-link]")).to_have_count(0)
    for one, other in pairwise(KINDS):
        drag(page, middle(page, f"[data-out={one}]"), middle(page, f"[data-in={other}]"))
        expect(page.locator(f"[data-link={one}-{other}]")).to_be_attached()
    # decoded at every block
    page.locator("[data-block=decode]").click()
    expect(page.locator("#access-rows-shown")).to_contain_text("55.5")
    page.locator("[data-block=map]").click()
    page.select_option("#access-become-temp", "*")
    page.fill("[data-key=temp] td:nth-child(5) input", "mill_t")
    page.select_option("#access-quantity-temp", "temperature")
    page.select_option("#access-unit-temp", "°C")
    page.fill("[data-key=temp] td:nth-child(9) input", "120")
    page.select_option("#access-become-press", "*")
    page.select_option("#access-quantity-press", "pressure")
    page.select_option("#access-unit-press", "kPa")
    page.fill("[data-key=press] td:nth-child(9) input", "1600")
    page.select_option("#access-become-fw", "-")
    page.fill("[data-device=M7] .ct-place", "S01")
    expect(page.locator("#access-rows-shown")).to_contain_text("0.850 MPa")
    expect(page.locator("[data-block=map]")).to_have_class(re.compile("ct-is-ok"))
    page.locator("[data-block=check]").click()
    expect(page.locator("#access-rows-shown tr[data-quality=good]")).to_have_count(2)
    # published, followed without a restart, and drawn
    page.locator("[data-block=publish]").click()
    page.click("#access-publish")
    page.locator("[data-followed]").wait_for(timeout=90_000)
    say(61.5)
    page.locator("#access-points a", has_text="S01:M7/mill_t").click()
    expect_chart(page, "61.5 °C")
    assert [x for x in pieces.store.dead_letters() if x.topic.startswith("mill/")] == []


def test_a_stranger_is_onboarded_with_the_keyboard_alone(page: Page, pieces: Pieces) -> None:
    def say(ch4: float) -> None:
        body = {"ts": round(time.time() * 1000), "ch4": ch4, "co": 2, "temp": 11.5}
        pieces.say("heat/GD-42/data", json.dumps(body))

    def press_until(selector: str) -> None:
        """Tab to an element, as somebody without a mouse does."""
        for _ in range(120):
            if page.evaluate("s => document.activeElement?.matches(s)", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{selector} is not reached with Tab")

    say(1.5)
    wait_until(lambda: any("GD-42" in x.topic for x in pieces.store.dead_letters()), 30, "a dead letter")
    page.locator("[data-stranger='GD-42']").wait_for(timeout=90_000)
    expect(page.locator("[data-stranger='GD-42']")).to_contain_text("可燃气体探测器")
    press_until("[data-stranger='GD-42']")
    page.keyboard.press("Enter")
    expect(page.locator("#access-name")).to_have_value("可燃气体探测器", timeout=90_000)
    for step in ("decode", "map"):
        press_until("#access-next")
        page.keyboard.press("Enter")
        expect(page.locator(f"#access-step-{step}[aria-selected=true]")).to_be_visible()
    expect(page.locator("#access-troubles")).to_contain_text("地点")
    press_until("#access-form .ct-place")
    page.keyboard.type("S02")
    expect(page.locator("#access-troubles li")).to_have_count(0, timeout=90_000)
    expect(page.locator("#access-rows-shown")).to_contain_text("S02:GD-42/ch4_lel")
    for step in ("check", "publish"):
        press_until("#access-next")
        page.keyboard.press("Enter")
        expect(page.locator(f"#access-step-{step}[aria-selected=true]")).to_be_visible()
    expect(page.locator("[data-link]")).to_have_count(4)
    press_until("#access-publish")
    page.keyboard.press("Enter")
    page.locator("[data-followed]").wait_for(timeout=90_000)
    # what was said before is read again, what comes now is stored at once
    press_until("#access-reread")
    page.keyboard.press("Enter")
    wait_until(lambda: not any("GD-42" in x.topic for x in pieces.store.dead_letters()), 30, "it was read")
    say(2.5)
    press_until("#access-points a[href*='ch4_lel']")
    page.keyboard.press("Enter")
    expect_chart(page, "2.5 %")
    say(7.5)
    expect_chart(page, "7.5 %")


def test_a_published_flow_is_undone_restored_exported_and_imported(page: Page, pieces: Pieces) -> None:
    page.locator("[data-flow='mill-m7']").click()
    page.click("#access-step-publish")
    with page.expect_download() as got:
        page.click("#access-export")
    file = got.value.path()
    assert json.loads(file.read_text(encoding="utf-8"))["flow"]["id"] == "mill-m7"
    page.click("#access-undo")
    page.locator("[data-followed]").wait_for(timeout=90_000)
    expect(page.locator("[data-flow='mill-m7']")).to_contain_text("已撤回")
    page.click("#access-new")
    page.set_input_files("#access-file", file)
    expect(page.locator("#access-name")).to_have_value("七号磨")
    page.click("#access-step-publish")
    page.get_by_role("button", name="恢复").click()
    expect(page.locator("[data-flow='mill-m7']")).to_contain_text("已发布", timeout=90_000)


def test_devices_not_delivered_yet_are_simulated_and_marked(page: Page, pieces: Pieces) -> None:
    page.locator("[data-flow='mill-m7']").click()
    page.click("#access-step-publish")
    page.click("#access-simulate")
    expect(page.locator("[data-flow='mill-m7']")).to_contain_text("模拟数据", timeout=90_000)
    page.locator("#access-points a", has_text="S01:M7/press").click()
    expect(page.locator("#point-head .ct-simulated")).to_be_visible(timeout=90_000)
    wait_until(lambda: any(d.device_id == "mill-m7.M7" and time.time() - d.last_received < 8
                           for d in pieces.store.device_states()), 30, "the simulator speaks")  # fmt: skip
    expect(page.locator("#point-chart .shapelayer path").first).to_be_attached(timeout=90_000)
    assert [x for x in pieces.store.dead_letters() if x.topic.startswith("mill/")] == []
    page.goto(f"{pieces.url}/access", wait_until="domcontentloaded")
    page.locator("[data-flow='mill-m7']").click(timeout=90_000)
    page.click("#access-step-publish")
    page.get_by_role("button", name="停止模拟").click()
    expect(page.locator("[data-flow='mill-m7']")).not_to_contain_text("模拟数据", timeout=90_000)


def test_the_page_fits_a_phone(browser: Browser, pieces: Pieces) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{pieces.url}/access?lang=en", wait_until="domcontentloaded")
    page.locator("#access-root[data-ready]").wait_for(timeout=60_000)
    page.locator("[data-flow='mill-m7']").click()
    page.click("#access-step-map")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    expect(page.locator("#access-form")).to_contain_text("Thing model")
    small = page.evaluate(
        """() => [...document.querySelectorAll('.ct-access button, .ct-access select')]
            .filter(e => e.offsetParent && e.getBoundingClientRect().height < 43).map(e => e.textContent)"""
    )
    assert small == []
    context.close()
