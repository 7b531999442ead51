"""Key figures by hand: means weighted as they must be, shares with their counts, nothing from nothing."""

import math
from dataclasses import replace

import numpy as np
import pytest

from app.domains.heating.kpi import compute_figures, delivery_share, rank_stations, rms
from tests.support.tiny import make_tiny_county
from twin.model.county import County


@pytest.fixture(scope="module")
def county() -> County:
    return make_tiny_county()


def snapshot(county: County, **values: float) -> np.ndarray:
    """All missing but what is named ``S01__p1_heat`` or, for every place, ``p1_heat``."""
    x = np.full(len(county.points), np.nan)
    for name, value in values.items():
        place, _, key = name.rpartition("__")
        for p in county.points:
            if p.key == key and place in ("", p.place_id):
                x[p.no] = value
    return x


def test_nothing_measured_gives_no_figures_and_no_zeros(county: County) -> None:
    f = compute_figures(county, np.full(len(county.points), np.nan))
    shown = (f.heat_w, f.index_w_m2, f.t_supply_c, f.t_return_c, f.flow_m3_s, f.room_c, f.pass_share)
    assert all(math.isnan(x) for x in (*shown, f.t_out_c))
    assert (f.rooms, f.cold_rooms) == (0, 0)


def test_supply_is_weighted_by_flow_and_a_source_at_rest_has_no_say(county: County) -> None:
    x = snapshot(county, SRC1__src_ts=100.0, SRC2__src_ts=40.0, SRC1__src_flow=0.3, SRC2__src_flow=0.0)
    assert compute_figures(county, x).t_supply_c == 100.0
    x = snapshot(county, SRC1__src_ts=100.0, SRC2__src_ts=80.0, SRC1__src_flow=0.3, SRC2__src_flow=0.1)
    f = compute_figures(county, x)
    assert f.t_supply_c == pytest.approx(95.0)
    assert f.flow_m3_s == pytest.approx(0.4)


def test_the_heat_index_is_station_heat_by_heated_area(county: County) -> None:
    area = sum(s.area_m2 for s in county.network.substations)
    f = compute_figures(county, snapshot(county, p1_heat=1.0e6))
    assert f.index_w_m2 == pytest.approx(4.0e6 / area)


def test_the_heat_index_is_missing_when_a_tenth_of_the_stations_is(county: County) -> None:
    x = snapshot(county, p1_heat=1.0e6)
    x[county.point_by_id["S02/p1_heat"].no] = np.nan
    assert math.isnan(compute_figures(county, x).index_w_m2)


def test_the_pass_share_counts_only_rooms_that_were_heard(county: County) -> None:
    f = compute_figures(county, snapshot(county, B01__room_t=18.0, B03__room_t=17.9))
    assert (f.rooms, f.cold_rooms, f.pass_share) == (2, 1, 0.5)
    assert f.room_c == pytest.approx(17.95)


def test_the_delivery_share_compares_counters_of_the_same_span(county: County) -> None:
    before = snapshot(county, src_energy=1e12, p1_energy=2e12)
    now = snapshot(county, src_energy=1e12 + 50e9, p1_energy=2e12 + 23e9)
    assert delivery_share(county, now, before) == pytest.approx(4 * 23 / (2 * 50))


def test_the_delivery_share_is_missing_without_yesterday_or_after_a_counter_fell(county: County) -> None:
    now = snapshot(county, src_energy=1e12, p1_energy=2e12)
    assert math.isnan(delivery_share(county, now, np.full(now.size, np.nan)))
    assert math.isnan(delivery_share(county, now, snapshot(county, src_energy=1e12, p1_energy=1e12)))
    fallen = snapshot(county, src_energy=0.9e12, p1_energy=2.1e12)
    assert math.isnan(delivery_share(county, now, fallen))


def test_rms_leaves_missing_out() -> None:
    assert rms(np.array([3.0, np.nan, -4.0])) == pytest.approx(math.sqrt(12.5))
    assert math.isnan(rms(np.array([np.nan])))


def test_the_coldest_homes_come_first_and_a_station_without_sensors_last(county: County) -> None:
    x = snapshot(county, p1_heat=6e5)
    rooms = [p for p in county.points if p.key == "room_t"]
    station = {b.id: b.substation_id for b in county.buildings}
    at = {d.id: d.place_id for d in county.devices}
    homes = [station[at[p.device_id]] for p in rooms]
    assert len(set(homes)) >= 2
    for i, p in enumerate(rooms):
        x[p.no] = 21.0 - 1.5 * sorted(set(homes)).index(homes[i])
    supply = county.point_by_id["S01/p1_ts"].no, county.point_by_id["S01/p1_tr"].no
    rows = rank_stations(county, x, np.array(supply), np.array([1.0, -4.0]))
    assert [r.id for r in rows if r.rooms] == sorted(set(homes), reverse=True)
    assert all(math.isnan(r.room_c) for r in rows[len(set(homes)) :])
    by_id = {r.id: r for r in rows}
    assert by_id["S01"].deviation == -4.0 and math.isnan(by_id["S02"].deviation)
    area = next(s.area_m2 for s in county.network.substations if s.id == "S01")
    assert by_id["S01"].index_w_m2 == pytest.approx(6e5 / area)
    assert len(rows) == len(county.network.substations)


def test_a_second_meter_in_a_station_is_not_counted_twice(county: County) -> None:
    p = county.point_by_id["S01/p1_heat"]
    extra = replace(p, no=len(county.points), id="S01:check/p1_heat", place_id="S01:check")
    more = replace(county, points=(*county.points, extra))
    x = snapshot(county, p1_heat=1e6, p1_energy=5.0, src_energy=10.0)
    y = np.append(x, 1e6)
    assert compute_figures(more, y).index_w_m2 == compute_figures(county, x).index_w_m2
    energy = replace(extra, key="p1_energy", id="S01:check/p1_energy")
    more = replace(county, points=(*county.points, energy))
    before = np.append(snapshot(county, p1_energy=0.0, src_energy=0.0), 0.0)
    assert delivery_share(more, np.append(x, 99.0), before) == delivery_share(county, x, before[:-1])
