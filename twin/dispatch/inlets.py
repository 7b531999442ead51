"""Balance inside the circuits: which inlet valve of which building to turn, and how far.

A station heats all its buildings with one water temperature, so its curve must serve the coldest of them and
the others are overheated. Rooms that report, and heat meters at inlets, tell a building's place beside its
circuit, and so do rooms that somebody went to with a thermometer where nothing is installed; how far the
truth may be from it is learned from buildings where several report. A valve is turned where the building is
out by more than that.

At a room temperature ``T`` a building takes ``e (T_s - T)`` and loses ``L (T - T_o)``; for the circuit's mean
``T*`` it needs ``e* / e = (T_s - T) (T* - T_o) / ((T_s - T*) (T - T_o))``. Emission follows the flow as
``v (1 - exp(-NTU / v))``, with NTU from the design temperatures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.model.county import Building, County
from twin.model.errors import InputError
from twin.model.network import Substation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROOM_SIGMA_K = 0.8
"""Rooms of one building beside its mean, where too few buildings have several sensors to tell."""
METER_SIGMA_K = 1.2
"""Room temperature from the return of an inlet, where too few buildings have both."""
ENOUGH = 12
"""So many buildings with several sensors, or with sensors and a meter, tell their own scatter."""
GAINS_K = 3.0
"""By so much people, appliances and sun lift a building above the weather."""
LEAST_K = 0.5
"""A building that is out by less is left alone: people went there before and will again."""
CALM_TURN = (0.35, 1.6)
"""Largest change of the flow in one round: throttling is sure, more water than this hardly heats more."""
INSIDE_C = 18.0
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class InletBook:
    """Heated buildings with a station, and where they are measured: ``station`` (m,), ``ntu`` (m,),
    ``weight`` (m,) floor area; ``room`` (r,) point numbers and ``room_row`` (r,) their building;
    ``supply``, ``back``, ``flow`` (m,) point numbers of inlet meters, -1 without; ``share`` (m,) of
    its circuit's water by the survey, ``circuit_flow`` (n,) point numbers of the circuits' flow meters, -1
    without."""

    buildings: tuple[Building, ...]
    station: Ints
    ntu: Floats
    weight: Floats
    room: Ints
    room_row: Ints
    supply: Ints
    back: Ints
    flow: Ints
    share: Floats
    circuit_flow: Ints

    @property
    def numbers(self) -> Ints:
        """Every point that is needed, rising."""
        each = (self.room, self.supply, self.back, self.flow, self.circuit_flow)
        every = np.unique(np.concatenate(each))
        return every[every >= 0]


@dataclass(frozen=True, slots=True)
class Visits:
    """Rooms measured by hand since their building's valve was turned last: ``row`` (v,) of their buildings,
    ``beside_k`` (v,) above the mean of their circuit's reporting rooms at that time, which later weather
    does not change."""

    row: Ints
    beside_k: Floats


NO_VISITS = Visits(np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True, slots=True)
class InletRow:
    """One building: ``room_c`` and ``sigma_k`` as believed, ``beside_k`` above its circuit's mean, ``turn``
    its flow as it should be over what it is, ``flow_kg_s`` measured (NaN: no meter), ``rooms`` that report or
    were visited; ``act``: go there; ``blind``: neither room nor inlet is measured."""

    building_id: str
    station_id: str
    room_c: float
    sigma_k: float
    beside_k: float
    turn: float
    flow_kg_s: float
    rooms: int
    act: bool
    blind: bool


def compile_inlets(county: County) -> InletBook:
    """Find buildings, rooms and meters."""
    stations = {s.id: i for i, s in enumerate(county.network.substations)}
    rows = tuple(b for b in county.buildings if b.heated and b.substation_id in stations)
    row = {b.id: i for i, b in enumerate(rows)}
    rooms = [(p.no, row.get(p.place_id.split(":")[0], -1)) for p in county.points if p.key == "room_t"]
    rooms = [r for r in rooms if r[1] >= 0]

    def meter(key: str, places: Sequence[Building | Substation] = rows) -> Ints:
        found = (county.point_by_id.get(f"{x.id}/{key}") for x in places)
        return np.array([-1 if p is None else p.no for p in found], dtype=np.int64)

    at = np.array([stations[b.substation_id or ""] for b in rows], dtype=np.int64)
    design = [(s.t_secondary_supply_c, s.t_secondary_return_c) for s in county.network.substations]
    load = np.array([max(b.design_heat_w, 1.0) for b in rows])
    whole = np.bincount(at, load, len(stations))
    taken = np.array([(d[0] - d[1]) / max(d[0] - INSIDE_C, 1.0) for d in design])
    return InletBook(
        rows, at, -np.log1p(-np.clip(taken, 0.05, 0.95))[at], np.array([max(b.area_m2, 1.0) for b in rows]),
        np.array([r[0] for r in rooms], dtype=np.int64), np.array([r[1] for r in rooms], dtype=np.int64),
        meter("b_ts"), meter("b_tr"), meter("b_flow"), load / whole[at],
        meter("s2_flow", county.network.substations),
    )  # fmt: skip


def balance_inlets(
    county: County, book: InletBook, mean: Floats, t_out_c: float, water_c: Floats,
    visits: Visits = NO_VISITS,
) -> tuple[InletRow, ...]:  # fmt: skip
    """The work list, what helps most homes most first.

    Parameters
    ----------
    mean : (n_point,) means of the last day by point number, NaN where nothing usable was measured
    t_out_c : mean outdoor temperature of that day; ``water_c``: (n_station,) mean secondary supply
        temperature, NaN unknown

    Raises
    ------
    InputError : no room and no inlet is measured
    """
    measured, precision, rooms, scatter = _rooms(book, mean)
    if not precision.any():
        raise InputError(
            "balance: no room and no inlet meter reports: without them nobody knows which building is warm"
        )
    station_ids = [s.id for s in county.network.substations]
    middle = _middles(book, measured, precision, len(station_ids))
    measured, precision = _add_visits(book, measured, precision, middle, visits, scatter)
    rooms = rooms + np.bincount(visits.row, minlength=rooms.size)
    beside, sigma = _shrink(book, measured, precision, middle)
    turn = _turn(book, beside, middle, t_out_c, water_c)
    flow = _pick(mean, book.flow) * 985.0
    act = (np.abs(beside) >= LEAST_K) & (np.abs(beside) > sigma) & np.isfinite(turn)
    out = [
        InletRow(
            b.id, station_ids[book.station[i]], float(middle[book.station[i]] + beside[i]), float(sigma[i]),
            float(beside[i]), float(turn[i]) if np.isfinite(turn[i]) else 1.0, float(flow[i]), int(rooms[i]),
            bool(act[i]), bool(precision[i] == 0.0),
        )
        for i, b in enumerate(book.buildings)
    ]  # fmt: skip
    size = {b.id: max(b.homes, 1) for b in book.buildings}
    return tuple(sorted(out, key=lambda r: (not r.act, -abs(r.beside_k) * size[r.building_id])))


def _pick(mean: Floats, no: Ints) -> Floats:
    out = np.full(no.size, np.nan)
    out[no >= 0] = mean[no[no >= 0]]
    return out


def middle_of_circuits(book: InletBook, value: Floats, n: int) -> Floats:
    """Mean of the rooms that report per circuit (n,), °C, from values by point number: what a room that is
    measured by hand is set beside. The county's mean where a circuit has none.

    Raises
    ------
    InputError : no room and no inlet is measured
    """
    measured, precision, _, _ = _rooms(book, value)
    if not precision.any():
        raise InputError("visits: no room reports now: nothing to set a measured room beside")
    return _middles(book, measured, precision, n)


def _add_visits(
    book: InletBook, room: Floats, precision: Floats, middle: Floats, visits: Visits, scatter: float
) -> tuple[Floats, Floats]:
    """Temperatures and precisions with what was measured by hand: a visited room counts as a sensor."""
    if visits.row.size == 0:
        return room, precision
    m = room.size
    count = np.bincount(visits.row, minlength=m)
    value = middle[book.station] + np.bincount(visits.row, visits.beside_k, m) / np.maximum(count, 1)
    more = count / max(scatter, 0.1) ** 2
    whole = precision + more
    known = whole > 0.0
    summed = np.where(precision > 0.0, room, 0.0) * precision + value * more
    return np.where(known, summed / np.where(known, whole, 1.0), np.nan), whole


def _rooms(book: InletBook, mean: Floats) -> tuple[Floats, Floats, Ints, float]:
    """Room temperature per building (m,) from sensors and meter, its precision 1/K² (0: unknown), the count
    of sensors, and how rooms of one building scatter (K)."""
    m, value = len(book.buildings), mean[book.room]
    known = np.isfinite(value)
    at = book.room_row[known]
    count = np.bincount(at, minlength=m)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_sensor = np.bincount(at, value[known], m) / count
    many = count[at] >= 2
    free = int(count[count >= 2].sum() - (count >= 2).sum())
    scatter = ROOM_SIGMA_K
    if (count >= 2).sum() >= ENOUGH:
        scatter = float(np.sqrt(((value[known] - by_sensor[at])[many] ** 2).sum() / free))
    sensor = np.where(count > 0, count / max(scatter, 0.1) ** 2, 0.0)
    ts, tr = _pick(mean, book.supply), _pick(mean, book.back)
    by_meter = ts - (ts - tr) / -np.expm1(-book.ntu / _let_through(book, mean))
    both = np.isfinite(by_meter) & (count > 0)
    bias, spread = 0.0, METER_SIGMA_K
    if both.sum() >= ENOUGH:
        apart = (by_meter - by_sensor)[both]
        bias = float(np.median(apart))
        noise = float(np.mean(1.0 / sensor[both]))
        spread = max(float(np.var(apart)) - noise, 0.2**2) ** 0.5
    meter = np.where(np.isfinite(by_meter), 1.0 / spread**2, 0.0)
    whole = sensor + meter
    value = np.where(sensor > 0.0, by_sensor, 0.0) * sensor
    value = value + np.where(meter > 0.0, by_meter - bias, 0.0) * meter
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0.0, value / whole, np.nan), whole, count, scatter


def _let_through(book: InletBook, mean: Floats) -> Floats:
    """Flow of each building (m,) beside its share of what its circuit moves: a throttled radiator cools its
    water further. 1 where it is not measured."""
    with np.errstate(invalid="ignore", divide="ignore"):
        v = _pick(mean, book.flow) / (book.share * _pick(mean, book.circuit_flow)[book.station])
    return np.where(np.isfinite(v), np.clip(v, 0.05, 5.0), 1.0)


def _middles(book: InletBook, room: Floats, precision: Floats, n: int) -> Floats:
    """Mean room temperature per circuit (n,), by floor area of the buildings that are known; the county's
    where none is."""
    known = precision > 0.0
    weight = np.where(known, book.weight, 0.0)
    total = np.bincount(book.station, weight, n)
    summed = np.bincount(book.station, weight * np.where(known, room, 0.0), n)
    whole = float(np.average(room[known], weights=book.weight[known]))
    return np.where(total > 0.0, summed / np.maximum(total, 1e-9), whole)


def _shrink(book: InletBook, room: Floats, precision: Floats, middle: Floats) -> tuple[Floats, Floats]:
    """Posterior of each building beside its circuit's mean (m,) and its sigma, from how much buildings
    differ beyond what their rooms scatter."""
    known = precision > 0.0
    beside = np.where(known, room - middle[book.station], 0.0)
    circuits = np.unique(book.station[known]).size
    between = spread_between(beside[known], 1.0 / precision[known], max(int(known.sum()) - circuits, 1))
    trust = np.where(known, precision * between / (precision * between + 1.0), 0.0)
    return trust * beside, np.sqrt(between * (1.0 - trust))


def spread_between(beside: Floats, noise: Floats, free: int) -> float:
    """Variance between buildings (K²) beyond the ``noise`` (n,) of each one's reading ``beside`` (n,), by
    Paule and Mandel (1982): that at which ``free`` squares are expected. Buildings with many sensors tell
    most; a plain difference of variances is lost in those with one. At least 0.04 K²."""
    low, high = 0.2**2, max(float(np.var(beside)) * 4.0, 0.2**2)
    for _ in range(50):
        middle = 0.5 * (low + high)
        more = float((beside**2 / (middle + noise)).sum()) > free
        low, high = (middle, high) if more else (low, middle)
    return low


def _turn(book: InletBook, beside: Floats, middle: Floats, t_out_c: float, water_c: Floats) -> Floats:
    """Flow as it should be over what it is, (m,); NaN where the water is no warmer than the rooms."""
    aim = middle[book.station]
    room, water, out = aim + beside, water_c[book.station], t_out_c + GAINS_K
    with np.errstate(invalid="ignore", divide="ignore"):
        need = (water - room) * (aim - out) / ((water - aim) * np.maximum(room - out, 1.0))
    need = np.where((water > aim + 2.0) & (aim > out + 2.0), need, np.nan)
    low, high = np.full(need.size, CALM_TURN[0]), np.full(need.size, CALM_TURN[1])
    now = -np.expm1(-book.ntu)
    for _ in range(30):  # emission grows with the flow: halve the interval
        v = 0.5 * (low + high)
        less = v * -np.expm1(-book.ntu / v) < need * now
        low, high = np.where(less, v, low), np.where(less, high, v)
    return np.where(np.isfinite(need), 0.5 * (low + high), np.nan)


def carry_out(rows: Sequence[InletRow]) -> dict[str, float]:
    """What a crew does with the list: factor of the flow per building that is to be turned."""
    return {r.building_id: r.turn for r in rows if r.act}
