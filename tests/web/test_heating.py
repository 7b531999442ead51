"""Key figures and the rules of what asks for a decision, on the tiny county."""

import math
import time

import numpy as np
import pytest

from app.domains.heating.decide import find_matters
from app.domains.heating.kpi import compute_figures, delivery_share, rms
from app.pages.public import draw_public, read_public
from app.web.context import Context
from ingest.settings import read_settings
from ingest.store.api import SimulatedTable
from tests.support.fake_store import FakeStore
from tests.support.tiny import make_tiny_county
from twin.model.county import County


@pytest.fixture(scope="module")
def county() -> County:
    return make_tiny_county()


def values(county: County, **given: float) -> np.ndarray:
    out = np.full(len(county.points), np.nan)
    for name, value in given.items():
        out[county.point_by_id[name.replace("__", "/")].no] = value
    return out


def no_simulation() -> SimulatedTable:
    none = np.empty(0)
    return SimulatedTable(0, math.nan, np.empty(0, np.int64), none, none, none, none)


def test_nothing_measured_gives_no_figures_rather_than_zero(county: County) -> None:
    f = compute_figures(county, np.full(len(county.points), np.nan))
    assert math.isnan(f.heat_w) and math.isnan(f.room_c) and math.isnan(f.index_w_m2) and f.rooms == 0


def test_rooms_are_counted_and_judged(county: County) -> None:
    rooms = [p.no for p in county.points if p.key == "room_t"]
    v = np.full(len(county.points), np.nan)
    v[rooms[0]], v[rooms[1]] = 17.9, 20.1
    f = compute_figures(county, v)
    assert (f.rooms, f.cold_rooms, f.pass_share) == (2, 1, 0.5)
    assert f.room_c == pytest.approx(19.0)


def test_source_temperature_is_weighted_with_flow_and_standing_sources_do_not_count(county: County) -> None:
    v = values(county, SRC1__src_ts=90.0, SRC1__src_flow=0.2, SRC2__src_ts=20.0, SRC2__src_flow=0.0)
    assert compute_figures(county, v).t_supply_c == 90.0


def test_heat_index_is_station_heat_by_area(county: County) -> None:
    given = {f"{s.id}__p1_heat": 40.0 * s.area_m2 for s in county.network.substations}
    assert compute_figures(county, values(county, **given)).index_w_m2 == pytest.approx(40.0)


def test_delivery_comes_from_counters_of_two_moments(county: County) -> None:
    keys = ("src_energy", "p1_energy")
    before = np.array([1e12 if p.key in keys else np.nan for p in county.points])
    now = before.copy()
    for p in county.points:
        now[p.no] += {"src_energy": 5e11, "p1_energy": 2.3e11}.get(p.key, 0.0)
    sources = sum(p.key == "src_energy" for p in county.points)
    stations = sum(p.key == "p1_energy" for p in county.points)
    assert delivery_share(county, now, before) == pytest.approx(2.3e11 * stations / (5e11 * sources))
    assert math.isnan(delivery_share(county, now, np.full(len(county.points), np.nan)))


def test_rms_of_deviations() -> None:
    assert rms(np.array([3.0, -4.0, np.nan])) == pytest.approx(math.sqrt(12.5))
    assert math.isnan(rms(np.array([np.nan])))


def test_a_calm_county_asks_for_nothing(county: County) -> None:
    v = values(county, S01__p1_ps=0.8e6, S01__p1_pr=0.4e6, S01__p1_tr=45.0)
    assert find_matters(county, v, no_simulation(), {}, "zh") == []


def test_worst_matters_come_first_and_name_their_place(county: County) -> None:
    v = values(county, S01__p1_ps=0.40e6, S01__p1_pr=0.38e6, S02__p1_tr=66.0)
    no = np.array([county.point_by_id["S03/p1_ts"].no])
    one = np.array([1.0])
    simulated = SimulatedTable(1, time.time(), no, 80 * one, one, 4 * one, 4 * one)
    found = find_matters(county, v, simulated, {"D-S04": 4000.0}, "zh")
    assert [m.place_id for m in found][:2] == ["S01", "S01"] and found[0].level == "high"
    assert {m.place_id for m in found} == {"S01", "S02", "S03", "S04"}
    english = find_matters(county, v, simulated, {"D-S04": 4000.0}, "en")
    assert all(ord(c) < 0x4E00 for m in english if m.place_id != "S04" for c in m.text)


def test_the_public_page_says_sums_only_and_an_outage_in_words(county: County) -> None:
    store = FakeStore(county)
    for p in county.points:
        if p.key == "room_t":
            store.put(p.id, 20.4)
    store.put("SRC1/src_ts", 91.0)
    store.put("SRC1/src_flow", 0.2)
    context = Context(read_settings({}), county, store)
    data = read_public(context)
    assert data["room_c"] == 20.4 and data["pass_share"] == 1.0 and data["supply_c"] == 91.0
    page = draw_public(context, "zh")
    assert "供热正常" in page and "<script" not in page
    store.down = True
    assert "暂时没有供热数据" in draw_public(Context(read_settings({}), county, store), "zh")
