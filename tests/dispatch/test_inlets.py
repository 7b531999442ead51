"""Inlet valves: what the work list says is done to a field of its own, whose rooms must come together."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.tiny import make_tiny_county
from twin.dispatch.inlets import (
    InletBook,
    InletRow,
    Visits,
    balance_inlets,
    carry_out,
    compile_inlets,
    middle_of_circuits,
)
from twin.model.errors import InputError

COUNTY = make_tiny_county()
STATIONS = len(COUNTY.network.substations)
M, PER = 80, 3
OUT_C, WATER_C, NTU = -4.0, 46.0, 0.43
Floats = NDArray[np.float64]


def make_book() -> InletBook:
    one = next(b for b in COUNTY.buildings if b.heated)
    rows = tuple(replace(one, id=f"X{i:03d}", homes=10 + i % 7, area_m2=2000.0) for i in range(M))
    none = np.full(M, -1)
    return InletBook(
        rows, np.arange(M) % STATIONS, np.full(M, NTU), np.full(M, 2000.0), np.arange(M * PER),
        np.repeat(np.arange(M), PER), none, none, none, np.full(M, STATIONS / M), np.full(STATIONS, -1),
    )  # fmt: skip


def rooms(loss: Floats, gain: Floats, share: Floats) -> Floats:
    """Room temperatures at which every building takes what it loses; ``share`` of flow over the surveyed."""
    emitted = share * -np.expm1(-NTU / share) / -np.expm1(-NTU)
    return (emitted * WATER_C + loss * OUT_C + gain) / (emitted + loss)


def show(room: Floats, rng: np.random.Generator, offset: Floats) -> Floats:
    return np.repeat(room, PER) + offset + rng.normal(0.0, 0.05, M * PER)


def spread(book: InletBook, room: Floats) -> float:
    mean = np.bincount(book.station, room) / np.bincount(book.station)
    return float(np.std(room - mean[book.station]))


def test_rooms_come_together_when_the_list_is_carried_out() -> None:
    rng, book = np.random.default_rng(3), make_book()
    loss, gain = rng.normal(1.0, 0.1, M), rng.normal(2.5, 0.6, M)
    offset = rng.normal(0.0, 0.8, M * PER)
    share = np.ones(M)
    before = rooms(loss, gain, share)
    water = np.full(STATIONS, WATER_C)
    rows = balance_inlets(COUNTY, book, show(before, rng, offset), OUT_C, water)
    turn = carry_out(rows)
    assert 0 < len(turn) < M
    for i, b in enumerate(book.buildings):
        share[i] *= turn.get(b.id, 1.0)
    for s in range(STATIONS):  # the pump moves what it moved
        share[book.station == s] /= share[book.station == s].mean()
    after = rooms(loss, gain, share)
    assert spread(book, after) < 0.55 * spread(book, before)
    again = carry_out(balance_inlets(COUNTY, book, show(after, rng, offset), OUT_C, water))
    assert len(again) < 0.4 * len(turn)


def test_warm_buildings_get_less_water_and_no_row_is_lost() -> None:
    rng, book = np.random.default_rng(4), make_book()
    room = np.full(M, 20.0)
    room[:8] += 2.5
    room[8:16] -= 2.5
    rows = balance_inlets(COUNTY, book, show(room, rng, np.zeros(M * PER)), OUT_C, np.full(STATIONS, WATER_C))
    by_id: dict[str, InletRow] = {r.building_id: r for r in rows}
    assert len(by_id) == M
    assert all(by_id[f"X{i:03d}"].turn < 0.9 and by_id[f"X{i:03d}"].act for i in range(8))
    assert all(by_id[f"X{i:03d}"].turn > 1.1 and by_id[f"X{i:03d}"].act for i in range(8, 16))
    assert {r.building_id for r in rows[:16]} == {f"X{i:03d}" for i in range(16)}
    assert not any(by_id[f"X{i:03d}"].act for i in range(16, M))


def test_where_nothing_reports_nobody_is_sent() -> None:
    book, value = make_book(), np.full(M * PER, np.nan)
    with pytest.raises(InputError, match="no room and no inlet meter"):
        balance_inlets(COUNTY, book, value, OUT_C, np.full(STATIONS, WATER_C))
    value[: 4 * PER] = 21.0
    value[:PER] = 26.0
    rows = balance_inlets(COUNTY, book, value, OUT_C, np.full(STATIONS, np.nan))
    assert not any(r.act for r in rows)  # without the water's temperature no turn can be told
    rows = balance_inlets(COUNTY, book, value, OUT_C, np.full(STATIONS, WATER_C))
    assert all(not r.act for r in rows if r.rooms == 0)


def test_the_countys_rooms_and_meters_are_found() -> None:
    book = compile_inlets(COUNTY)
    heated = [b.id for b in COUNTY.buildings if b.heated]
    assert [b.id for b in book.buildings] == heated
    points = COUNTY.points
    assert all(
        points[n].place_id.split(":")[0] == heated[r] for n, r in zip(book.room, book.room_row, strict=True)
    )


def test_a_throttled_inlet_is_not_taken_for_a_cold_building() -> None:
    """Rooms at 20 °C everywhere; every second building takes half of its share of the water."""
    rng, book = np.random.default_rng(5), make_book()
    first = M * PER
    v = np.where(np.arange(M) % 2 == 0, 0.5, 1.5)
    value = np.full(first + 3 * M + STATIONS, np.nan)
    value[first : first + M] = WATER_C
    value[first + M : first + 2 * M] = WATER_C - (WATER_C - 20.0) * -np.expm1(-NTU / v)
    value[first + 2 * M : first + 3 * M] = 0.001 * v * STATIONS / M
    value[first + 3 * M :] = 0.001
    value[: 40 * PER] = 20.0 + rng.normal(0.0, 0.3, 40 * PER)
    at = np.arange(M) + first
    book = replace(
        book, supply=at, back=at + M, flow=at + 2 * M, circuit_flow=first + 3 * M + np.arange(STATIONS)
    )
    rows = balance_inlets(COUNTY, book, value, OUT_C, np.full(STATIONS, WATER_C))
    assert max(abs(r.beside_k) for r in rows) < 0.4
    assert not any(r.act for r in rows)


def test_a_room_measured_by_hand_counts_as_one_that_reports() -> None:
    rng, book = np.random.default_rng(6), make_book()
    room = np.full(M, 20.0)
    room[-10:-5] += 3.0
    room[-5:] -= 3.0
    value = show(room, rng, rng.normal(0.0, 0.8, M * PER))
    value[-10 * PER :] = np.nan  # no sensors in the last ten
    water = np.full(STATIONS, WATER_C)
    blind = {f"X{i:03d}" for i in range(M - 10, M)}
    before = balance_inlets(COUNTY, book, value, OUT_C, water)
    assert {r.building_id for r in before if r.blind} == blind
    assert not blind & set(carry_out(before))
    seen = np.repeat(np.arange(M - 10, M), 2)
    middle = middle_of_circuits(book, value, STATIONS)
    visits = Visits(seen, room[seen] + rng.normal(0.0, 0.5, seen.size) - middle[book.station[seen]])
    value += 1.5  # another day, all rooms warmer: what was measured by hand goes with them
    after = {r.building_id: r for r in balance_inlets(COUNTY, book, value, OUT_C, water, visits)}
    assert not any(after[b].blind for b in blind) and all(after[b].rooms == 2 for b in blind)
    assert all(after[f"X{i:03d}"].turn < 1.0 and after[f"X{i:03d}"].act for i in range(M - 10, M - 5))
    assert all(after[f"X{i:03d}"].turn > 1.0 and after[f"X{i:03d}"].act for i in range(M - 5, M))


def test_one_who_knocks_where_nothing_reports_is_told_so() -> None:
    with pytest.raises(InputError, match="no room reports"):
        middle_of_circuits(make_book(), np.full(M * PER, np.nan), STATIONS)
