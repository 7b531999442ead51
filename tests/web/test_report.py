"""Reports: amounts from counters, temperatures from hours, the same in the page and the file."""

import io
import math
import re
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from app.domains.heating.papers import print_report
from app.domains.heating.quality import count_degree_days
from app.domains.heating.report import FIGURES, make_report, write_report
from app.pages.report import read_reports
from app.web.context import Context
from ingest.settings import read_settings
from tests.support.fake_store import FakeStore
from tests.support.tiny import make_tiny_county
from tests.web.conftest import Site
from twin.dispatch import Tariff
from twin.model.errors import InputError

COUNTY = make_tiny_county()
START = 1_800_000_000.0 // 86_400 * 86_400
AREA = sum(s.area_m2 for s in COUNTY.network.substations)


def filled() -> FakeStore:
    """A day of counters and temperatures: 10 GJ an hour from the source, 9.5 into the stations."""
    store = FakeStore(COUNTY)
    stations = [s.id for s in COUNTY.network.substations]
    for k in range(25):
        t = START + 3600.0 * k
        for key, value in (("src_energy", 1e12 + 1e10 * k), ("src_kwh", 3.6e8 * k)):
            put(store, f"SRC1/{key}", value, t)
        for s in stations:
            put(store, f"{s}/p1_energy", 5e12 + 9.5e9 / len(stations) * k, t)
            put(store, f"{s}/p1_ts", 90.0 + k % 2, t)
        for p in COUNTY.points:
            if p.key == "room_t":
                put(store, p.id, 17.0 if k < 6 else 20.0, t)
    return store


def test_the_paper_says_what_the_page_says_with_its_chinese_to_be_searched() -> None:
    now = make_report(COUNTY, filled(), START, START + 86_400.0)
    made = print_report(COUNTY, now, now, "供热日报", ("a", "b"), "zh")
    pages = PdfReader(io.BytesIO(made)).pages
    text = re.sub("[\\x00 ]", "", "".join(p.extract_text() for p in pages))
    for word in ("供热日报", "240.0", "管网输送效率", "东关换热站", "批准", f"共{len(pages)}页"):
        assert word in text
    assert len(made) < 200_000, "only the characters that are used are embedded"


def put(store: FakeStore, point_id: str, value: float, t: float) -> None:
    if point_id in COUNTY.point_by_id:
        store.put(point_id, value, t=t)


def test_amounts_come_from_counters_and_shares_from_hours() -> None:
    r = make_report(COUNTY, filled(), START, START + 86_400.0)
    assert r.figures["heat_j"] == pytest.approx(24e10)
    assert r.figures["station_j"] == pytest.approx(24 * 9.5e9)
    assert r.figures["delivery"] == pytest.approx(0.95)
    assert r.figures["index_w_m2"] == pytest.approx(24 * 9.5e9 / 86_400.0 / AREA)
    assert r.figures["warm_share"] == pytest.approx(18 / 24, abs=0.03)
    assert 90.0 <= r.stations[0].supply_c <= 91.0
    assert math.isnan(r.figures["loss_rate"]), "what is not measured is not zero"


def test_comfort_and_control_are_told_in_figures() -> None:
    store = filled()
    outdoors = next(p.id for p in COUNTY.points if p.key == "t_out")
    rooms = [p.id for p in COUNTY.points if p.key == "room_t"]
    for k in range(25):
        t = START + 3600.0 * k
        store.put(outdoors, -5.0, t=t)
        store.put(rooms[0], 25.0, t=t + 60.0)
        for s in COUNTY.network.substations:
            curve = float(np.interp(-5.0, *np.array(s.curve).T))
            for key, x in (("s2_ts", curve - 1.5), ("s2_tr", 40.0), ("p1_tr", 44.0)):
                put(store, f"{s.id}/{key}", x, t)
    f = make_report(COUNTY, store, START, START + 86_400.0).figures
    assert f["hdd_k_d"] == pytest.approx(23.0) and f["curve_k"] == pytest.approx(1.5)
    assert f["approach_k"] == pytest.approx(4.0) and f["room_std_k"] > 0.0 and f["overheat"] == 0.0
    assert math.isnan(f["branch_std_k"]) or f["branch_std_k"] >= 0.0
    assert count_degree_days(np.array([20.0] * 24 + [math.nan] * 23 + [8.0])) == pytest.approx(10.0)


def test_heat_beside_the_weather_and_what_it_costs() -> None:
    store = filled()
    outdoors = next(p.id for p in COUNTY.points if p.key == "t_out")
    for k in range(25):
        store.put(outdoors, -2.0, t=START + 3600.0 * k)
    tariff = Tariff(chp_yuan_gj=40.0, boiler_yuan_gj=40.0, el_peak_yuan_kwh=0.5, el_flat_yuan_kwh=0.5,
                    el_valley_yuan_kwh=0.5)  # fmt: skip
    f = make_report(COUNTY, store, START, START + 86_400.0, tariff).figures
    money = 240.0 * 40.0 + 24 * 3.6e8 / 3.6e6 * 0.5
    assert f["heat_kd_j_m2"] == pytest.approx(24 * 9.5e9 / AREA / 20.0)
    assert f["cost_yuan_gj"] == pytest.approx(money / (24 * 9.5))
    assert f["cost_yuan_m2"] == pytest.approx(money / AREA)
    assert math.isnan(make_report(COUNTY, FakeStore(COUNTY), START, START + 86_400.0).figures["cost_yuan_m2"])


def test_the_file_holds_what_the_page_shows_and_gaps_stay_empty() -> None:
    store = filled()
    now = make_report(COUNTY, store, START, START + 86_400.0)
    before = make_report(COUNTY, store, START - 86_400.0, START)
    book = openpyxl.load_workbook(io.BytesIO(write_report(COUNTY, now, before, "zh", "日报")))
    figures, stations = book.worksheets
    rows = {r[0].value: [c.value for c in r[1:]] for r in figures.iter_rows(min_row=3)}
    assert len(rows) == len(FIGURES)
    assert rows["热源供热量"][:2] == ["GJ", 240.0] and rows["一次网失水率"][1] is None
    assert stations.max_row == 1 + len(COUNTY.network.substations)


def test_a_period_that_cannot_be_is_refused(tmp_path: Path) -> None:
    context = Context(read_settings({"CT_DATA": str(tmp_path)}), COUNTY, FakeStore(COUNTY))
    for period, day in (
        ("day", "yesterday"),
        ("decade", "2026-11-21"),
        ("day", None),
        ("season", "9999-12-31"),
    ):
        with pytest.raises(InputError):
            read_reports(context, period, day)
    with pytest.raises(InputError, match="200 days"):
        make_report(COUNTY, FakeStore(COUNTY), 0.0, 1e9)


def test_the_page_shows_figures_stations_and_gives_the_file(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/report")
    page.locator("#report-stations tbody tr").first.wait_for(timeout=30_000)
    assert page.locator("#report-stations tbody tr").count() == len(COUNTY.network.substations)
    assert page.locator("#report-figures tbody tr").count() == len(FIGURES)
    with page.expect_download() as download:
        page.locator("#report-save").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.locator("#report-date").fill("21.11.2026")
    page.locator("#report-date").press("Enter")
    page.wait_for_function("document.getElementById('report-said').textContent.includes('日期格式')")
