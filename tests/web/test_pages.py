"""The pages in a real Chromium: values, ages, words, sizes, outages; nothing from another host."""

import dataclasses
import json
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from app.format import MINUS, format_age, format_number
from app.i18n import TEXTS
from tests.web.conftest import Site, open_page, simulate

CELL = '.ct-points [data-point="S01/p1_ts"][data-field="value"]'
ROW_OF = "//tr[.//*[@data-point='S01/{key}']]"


@pytest.fixture
def heating(page: Page, site: Site) -> Page:
    open_page(page, site, "/heating?sel=S01")
    return page


def test_a_value_stands_with_unit_age_simulation_and_deviation(heating: Page, site: Site) -> None:
    simulate(site.store, p1_ts=4.0)
    row = heating.locator(ROW_OF.format(key="p1_ts"))
    expect(row.locator('[data-field="value"]')).to_contain_text("88.0°C")
    expect(row.locator('[data-field="sim"]')).to_contain_text("84.0°C")
    expect(row.locator('[data-field="residual"]')).to_contain_text("4.0")
    expect(row.locator('[data-field="z"]')).to_have_text("4.1")
    expect(row.locator('[data-field="z"]')).to_have_attribute("data-level", "bad")
    expect(row.locator('[data-field="age"]')).to_contain_text("s")


def test_a_new_value_comes_by_itself_and_zero_is_a_value(heating: Page, site: Site) -> None:
    for value, text in ((71.5, "71.5"), (0.0, "0.0"), (-3.25, f"{MINUS}3.")):
        site.store.put("S01/p1_ts", value)
        expect(heating.locator(CELL)).to_contain_text(text)


def test_what_was_never_measured_is_missing_and_not_zero(heating: Page) -> None:
    cell = heating.locator('.ct-points [data-point="S01/t_stn"][data-field="value"]')
    expect(cell.locator(".ct-num")).to_have_text("--")


def test_a_state_is_a_word_in_the_language_of_the_page(heating: Page, site: Site) -> None:
    site.store.put("S01/cp1_run", 1.0)
    cell = heating.locator('.ct-points [data-point="S01/cp1_run"][data-field="value"]')
    expect(cell).to_contain_text("运行")
    site.store.put("S01/cp1_run", 0.0)
    expect(cell).to_contain_text("停止")
    heating.locator("#ct-language").click()
    expect(cell).to_contain_text("stopped")


def test_an_old_value_says_how_old_it_is(heating: Page, site: Site) -> None:
    site.store.put("S01/p1_ts", 66.6, t=time.time() - 7200.0)
    expect(heating.locator(CELL)).to_contain_text("66.6")
    expect(heating.locator(f"{CELL}.ct-stale .ct-age")).to_have_text("2 h")


def test_measured_is_solid_and_simulated_dashed_on_one_chart(heating: Page) -> None:
    heating.wait_for_function(
        """() => {
          const gd = document.querySelector('#station-chart .js-plotly-plot');
          const lines = gd?.querySelectorAll('.scatterlayer path.js-line') ?? [];
          const dash = gd?.data?.map(d => d.line?.dash ?? 'solid') ?? [];
          return lines.length === 2 && dash.join() === 'solid,dash';
        }"""
    )


def test_the_pressure_diagram_stands_over_the_ground_from_source_to_station(heating: Page) -> None:
    heating.locator("#chart-key").click()
    heating.get_by_role("option", name=TEXTS["profile.heads"][0]).click()
    heating.wait_for_function(
        """() => {
          const gd = document.querySelector('#station-chart .js-plotly-plot');
          return (gd?.querySelectorAll('.scatterlayer path.js-line').length ?? 0) >= 3
            && gd.layout.xaxis.title.text.includes('km');
        }"""
    )


def test_a_station_chosen_in_the_list_is_the_station_of_the_panel_and_the_address(heating: Page) -> None:
    heating.locator('.ct-stations .ag-row[row-id="S03"] .ag-cell').first.click()
    expect(heating.locator("#station-head h2")).to_have_text("文昌换热站")
    expect(heating).to_have_url(re.compile("sel=S03"))
    heating.reload()
    expect(heating.locator("#station-head h2")).to_have_text("文昌换热站")


def test_a_chosen_station_goes_along_to_the_overview_and_back(heating: Page) -> None:
    heating.get_by_role("link", name="总览").click()
    expect(heating.locator("#vitals .ct-vital")).to_have_count(10)
    expect(heating).to_have_url(re.compile("sel=S01"))
    heating.get_by_role("link", name="智慧供热").click()
    expect(heating.locator("#station-head h2")).to_have_text("东关换热站")


def test_the_language_switch_changes_every_word_and_stays(heating: Page) -> None:
    heating.locator("#ct-language").click()
    expect(heating.locator("#station-head h2")).to_have_text("Dongguan station")
    expect(heating.locator("#ct-language")).to_have_text("中文")
    heating.get_by_role("link", name="Overview").click()
    expect(heating.get_by_role("heading", name="Vital signs")).to_be_visible()
    heating.wait_for_function("() => document.documentElement.lang === 'en'")
    # names of streets and waters on the map have no English in this county: they are proper names
    heating.add_style_tag(content=".ct-scene-names { display: none }")
    chinese = heating.evaluate(
        "() => (document.querySelector('.ct-app').innerText.match(/[\\u4e00-\\u9fff]+/g) ?? [])"
    )
    assert set(chinese) <= {"中文"}


def test_an_outage_of_the_store_is_said_with_its_age_and_heals_without_reload(
    heating: Page, site: Site
) -> None:
    heating.evaluate("() => { window.__same = true; }")
    expect(heating.locator("#ct-outage")).to_be_hidden()
    site.store.down = True
    expect(heating.locator("#ct-outage")).to_contain_text("数据中断")
    expect(heating.locator("#ct-outage")).to_contain_text("s（自 ")
    site.store.down = False
    site.store.put("S01/p1_ts", 79.9)
    expect(heating.locator("#ct-outage")).to_be_hidden(timeout=15_000)
    expect(heating.locator(CELL)).to_contain_text("79.9")
    assert heating.evaluate("() => window.__same === true")


def test_a_restart_of_the_server_heals_without_reload(heating: Page, site: Site) -> None:
    heating.evaluate("() => { window.__same = true; }")
    site.stop()
    expect(heating.locator("#ct-outage")).to_contain_text("数据中断")
    site.start()
    site.store.put("S01/p1_ts", 78.8)
    expect(heating.locator(CELL)).to_contain_text("78.8")
    expect(heating.locator("#ct-outage")).to_be_hidden()
    assert heating.evaluate("() => window.__same === true")


def test_the_overview_shows_figures_with_their_counts(page: Page, site: Site) -> None:
    open_page(page, site, "/")
    vitals = page.locator("#vitals")
    expect(vitals).to_contain_text("11.20MW")  # two sources of 5.6 MW
    expect(vitals).to_contain_text("室温合格率3 个测点100.0%".replace("3 个测点", ""))
    expect(vitals).to_contain_text("3 个测点")
    expect(page.locator("#matters")).to_contain_text(TEXTS["overview.calm"][0])


def test_a_deviation_asks_for_a_decision_and_leads_to_its_station(page: Page, site: Site) -> None:
    simulate(site.store, p1_tr=9.0)
    open_page(page, site, "/")
    first = page.locator("#matters .ct-matter").first
    expect(first).to_contain_text("一次回水温度")
    first.click()
    expect(page).to_have_url(re.compile("sel=S0"))


def test_refused_messages_are_shown_with_reason_and_content(page: Page, site: Site) -> None:
    from ingest.store.api import DeadLetter

    now = time.time()
    bad = b'{"ts": "<script>window.bad = 1</script>"}\xff\x00'
    site.store.dead = [DeadLetter("h", now, now, 3, "heat/x/data", "not JSON at 7", bad)]
    open_page(page, site, "/data-quality")
    row = page.locator("#dead tbody tr")
    expect(row).to_contain_text("not JSON at 7")
    expect(row).to_contain_text("heat/x/data")
    assert page.evaluate("() => window.bad") is None


def test_what_happened_on_the_way_in_is_told_in_words(page: Page, site: Site) -> None:
    from ingest.store.api import Notice

    now = time.time()
    meter = site.store.county.point_by_id["S01/p1_energy"]
    site.store.noticed = [
        Notice("broker_dropped", "mosquitto", now - 60, now - 5, 17, "queue full"),
        Notice("counter_reset", str(meter.no), now - 90, now - 90, 1, "1,000 -> 0"),
        Notice("counter_reset", "gone", now - 2 * 86_400, now - 2 * 86_400, 1, "two days ago"),
    ]
    open_page(page, site, "/data-quality")
    rows = page.locator("#notices tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(TEXTS["notice.broker_dropped"][0])
    expect(rows.nth(1)).to_contain_text("S01/p1_energy")
    expect(page.locator(".ct-nav-item[data-alarm]")).to_have_text(TEXTS["nav.data"][0])


def test_kept_messages_are_read_again_at_a_click(page: Page, site: Site) -> None:
    open_page(page, site, "/data-quality")
    button = page.locator('button[data-post="/api/dead-letters/redo"]')
    button.click()
    expect(button).to_have_text(TEXTS["live.asked"][0])
    assert site.store.redo_wanted == [None]
    site.store.down = True
    expect(button).to_have_text(TEXTS["data.redo"][0])
    button.click()
    expect(button).to_have_text(TEXTS["live.refused"][0])


def test_processes_are_shown_as_the_supervisor_tells_them(page: Page, site: Site) -> None:
    file = site.settings.status_file
    file.parent.mkdir(parents=True)
    said = {"name": "ingest", "state": "backoff", "pid": 1, "since": time.time() - 30, "restarts": 4}
    file.write_text(json.dumps({"t": time.time(), "processes": [said]}))
    open_page(page, site, "/data-quality")
    expect(page.locator("#processes tbody tr")).to_contain_text("数据接入等待重启4")


def test_the_public_page_tells_sums_and_means_in_plain_words(page: Page, site: Site) -> None:
    page.goto(site.url + "/public")
    expect(page.locator(".state")).to_have_text("供热正常")
    expect(page.locator("main")).to_contain_text("20.5 °C")
    expect(page.locator("main")).to_contain_text("依据 3 个室温测点")
    site.store.down = True
    page.goto(site.url + "/public?lang=en")
    expect(page.locator("main")).to_contain_text("20.5 °C")  # what was known half a minute ago


def test_the_public_page_without_data_says_so(page: Page, site: Site) -> None:
    site.store.down = True
    page.goto(site.url + "/public")
    expect(page.locator(".state")).to_have_text("暂时没有供热数据")
    expect(page.locator("main")).to_contain_text("-- °C")


def test_a_twin_that_still_walks_through_the_past_says_so(page: Page, site: Site) -> None:
    assert site.store.result is not None and site.store.result.network is not None
    network = dataclasses.replace(site.store.result.network, status="warming")
    site.store.result = dataclasses.replace(site.store.result, network=network)
    open_page(page, site, "/")
    expect(page.locator("#vitals")).to_contain_text(TEXTS["vital.warming"][0])
    open_page(page, site, "/data-quality")
    expect(page.locator("#twin-state")).to_contain_text(TEXTS["data.twin_warming"][0])


def test_an_empty_store_is_no_error(page: Page, site: Site) -> None:
    site.store.rows.clear()
    site.store.past.clear()
    site.store.result = None
    problems: list[str] = []
    page.on("pageerror", lambda e: problems.append(str(e)))
    page.on("response", lambda r: problems.append(r.url) if r.status >= 400 else None)
    for path in ("/", "/heating?sel=S01", "/data-quality"):
        open_page(page, site, path)
        page.locator(".ct-panel").first.wait_for()
    open_page(page, site, "/diagnosis")
    expect(page.locator("#finding-grid .ag-overlay")).to_contain_text("未发现故障")
    expect(page.locator(".ct-finding-say")).to_be_hidden()
    open_page(page, site, "/")
    expect(page.locator("#vitals .ct-vital").first).to_contain_text("--")
    assert problems == []


def test_nothing_leaves_this_machine_and_nothing_is_missing_under_the_real_policy(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.on("pageerror", lambda e: problems.append(str(e)))
    page.on("response", lambda r: problems.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.on("console", lambda m: problems.append(m.text) if "Content Security Policy" in m.text else None)
    for path, sign in (
        ("/", "#vitals .ct-vital"),
        ("/heating?sel=S01", CELL),
        ("/data-quality", ".ct-counter"),
    ):
        page.goto(site.url + path)
        page.locator(sign).first.wait_for()
    expect(page.locator("#device-grid .ag-row").first).to_be_visible()
    context.close()
    outside = [
        u for u in asked if not u.startswith((site.url, site.url.replace("http", "ws"), "data:", "blob:"))
    ]
    assert (outside, problems) == ([], [])


FORMATTERS: tuple[tuple[str, Callable[[float], str], list[float]], ...] = (
    ("x => CT.formatNumber(x, 2)", lambda x: format_number(x, 2), [0.0, -0.004, -0.006, 1234.5, -98765.432]),
    ("x => CT.formatNumber(x, 0)", lambda x: format_number(x, 0), [0.4, -0.4, 1e6, -12.0]),
    ("x => CT.formatAge(x)", lambda x: format_age(x, "zh"), [-5.0, 0.0, 99.0, 101.0, 5990.0, 7300.0, 2e6]),
)


@pytest.mark.parametrize(("script", "ours", "cases"), FORMATTERS)
def test_the_browser_writes_numbers_and_ages_as_the_server_does(
    heating: Page, script: str, ours: Callable[[float], str], cases: list[float]
) -> None:
    assert [heating.evaluate(script, x) for x in cases] == [ours(x) for x in cases]


def test_zoom_survives_an_update_of_the_chart(heating: Page) -> None:
    chart = "document.querySelector('#station-chart .js-plotly-plot')"
    span = f"() => {chart}._fullLayout.xaxis.range.map(x => Date.parse(x.replace(' ', 'T') + 'Z') / 1000)"
    heating.wait_for_function(f"() => {chart}?.querySelectorAll('.scatterlayer path.js-line').length === 2")
    start, end = heating.evaluate(span)
    assert end - start == pytest.approx(6 * 3600, rel=0.02)
    box = heating.locator("#station-chart .nsewdrag").bounding_box()
    assert box is not None
    heating.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
    heating.mouse.down()
    heating.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.5 * box["height"], steps=8)
    heating.mouse.up()
    heating.wait_for_function(f"() => !{chart}._fullLayout.xaxis.autorange")
    zoomed = heating.evaluate(span)
    assert zoomed[1] - zoomed[0] == pytest.approx(0.3 * (end - start), rel=0.1)
    heating.evaluate(
        f"""() => {{
          {chart}.__before = {chart}.data;
          window.dash_clientside.set_props('heating-tick', {{ n_intervals: 99 }});
        }}"""
    )
    heating.wait_for_function(f"() => {chart}.data !== {chart}.__before")
    assert heating.evaluate(span) == zoomed


def test_the_twin_page_shows_what_differs_what_was_learnt_and_obeys(page: Page, site: Site) -> None:
    simulate(site.store, p1_ts=4.0)
    told = {
        "learnt": [
            {"kind": "exchanger", "place": "S01", "value": 0.82, "low": 0.78, "high": 0.86, "learnt": True,
             "unusual": False},
            {"kind": "offset", "place": "S02/p1_ps", "value": 21e3, "low": 18e3, "high": 24e3, "learnt": True,
             "unusual": True},
        ],
        "scores": [{"key": "p1_ts", "before": 0.68, "after": 0.19, "count": 4}],
        "refused": ["S03/p1_tr"],
    }  # fmt: skip
    site.store.keep("assimilation", "", {"told": told})
    open_page(page, site, "/twin")
    expect(page.locator("#twin-worst tbody tr").first).to_contain_text("4.1")
    expect(page.locator("#twin-stations")).to_contain_text("4.1")
    expect(page.locator("#twin-learnt tbody tr")).to_have_count(2)
    expect(page.locator("#twin-learnt tbody tr").first).to_contain_text("+21.0 kPa")
    expect(page.locator("#twin-learnt")).to_contain_text("S03/p1_tr")
    expect(page.locator("#twin-scores")).to_contain_text("0.19 K")
    page.locator("button[data-body*=off]").click()
    expect(page.locator("#twin-said")).not_to_be_empty()
    assert [r.state for r in site.store.kept("assimilation_order")] == ["off"]
    page.locator("#twin-worst a").first.click()
    expect(page.locator("#station-head")).to_be_visible()
