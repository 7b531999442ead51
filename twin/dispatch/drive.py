"""Water for the planned heat: supply temperature and head at the source, frequency of the secondary pumps.

For every step and every candidate supply temperature the stations' primary flows follow from their
exchangers, each with the pump frequency that costs least; the head is what the worst station needs with its
valve at ``VALVE_OPEN``; a programme over the steps (Bellman) picks the cheapest course within the ramp.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.dispatch.belief import FULL_HZ, Belief, valve_pa_s2_kg2
from twin.dispatch.houses import Houses, emission_w_k
from twin.dispatch.tariff import Tariff
from twin.dispatch.way import WATER_J_KG_K, Way
from twin.heat.exchanger import FLOW_EXPONENT
from twin.heat.substation import StationSet, find_flow

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VALVE_OPEN = 0.85
"""Opening that the worst station's valve may need; the rest is its controller's."""
STEP_C = 3.0
"""Distance between candidate supply temperatures."""
CHANGE_YUAN_K = 4.0
"""What a kelvin of change of the supply temperature counts: steel and joints age by it, and people watch."""
LEAST_LIFT_K = 12.0
"""Supply temperature above the warmest secondary water that an exchanger needs."""
HZ_STEPS = 7
HIGHEST_HZ = 46.0
HZ_RAMP = 2.0
"""Largest change of a secondary pump per step, Hz: what it does to the rooms is learned on the way."""
LARGEST_DROP_K = 25.0
"""Largest drop of the secondary water: beyond it the far ends of a circuit starve."""
SHORT_YUAN_H, LACK_YUAN_H = 1e5, 1e6
"""Cost of an hour in which not every station gets its heat, and what the lack adds: where nothing reaches
all, what reaches most is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Bounds of the source: supply temperature, its ramp per hour, head."""

    low_c: float
    high_c: float
    ramp_k_h: float
    low_pa: float
    high_pa: float


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """The chosen course: ``supply_c``, ``head_pa``, ``flow_kg_s``, ``pump_w`` (K,) of all sources'
    pumps; per station (K, n): ``hz``, ``water_c`` secondary supply, ``primary_kg_s``,
    ``station_w`` electric; ``reached`` (K,): every station gets its heat."""

    supply_c: Floats
    head_pa: Floats
    flow_kg_s: Floats
    pump_w: Floats
    hz: Floats
    water_c: Floats
    primary_kg_s: Floats
    station_w: Floats
    reached: NDArray[np.bool_]


def water_for(houses: Houses, b: Belief, heat_w: Floats, room_c: Floats, hz: Floats) -> Floats:
    """Secondary supply temperature (°C) that gives ``heat_w`` at ``hz``; shapes broadcast against (n,)."""
    now = b.hz / FULL_HZ
    e = emission_w_k(houses, heat_w, now) / b.excess * (hz / b.hz) ** b.flow_exponent
    water: Floats = room_c + heat_w / np.maximum(e, 1.0)
    return water


@njit(cache=True, error_model="numpy")
def _flows(
    heat: Floats, hot: Floats, cold: Floats, m_2: Floats, most: Floats, ua: Floats, design: Floats,
    film: Floats, out: Floats,
) -> None:  # fmt: skip
    for i in range(heat.shape[0]):
        out[i] = find_flow(
            heat[i], hot[i], cold[i], design[i], most[i], m_2[i], ua[i], design[i], film[i], 0.0
        )


def choose_drive(
    houses: Houses, stations: StationSet, belief: Belief, tariff: Tariff, way: Way, limits: Limits,
    heat_w: Floats, room_c: Floats, dt_s: Floats, el_yuan_mwh: Floats, heat_yuan_mwh: float, now_c: float,
    pump_w_42: Floats, pump_efficiency: float, other_share: Floats,
) -> Drive:  # fmt: skip
    """Pick the course.

    Parameters
    ----------
    heat_w, room_c : (K, n) planned heat and room temperatures
    now_c : supply temperature now; ``pump_w_42``: (n,) electric power of the stations' pumps at 42 Hz
    other_share : (K,) part of the flow that comes from sources which do not hold the pressure
    """
    count = len(dt_s)
    grid = np.arange(limits.low_c, limits.high_c + 1e-6, STEP_C)
    found = [[_try(houses, stations, belief, tariff, way, limits, heat_w[k], room_c[k], float(t),
                   float(el_yuan_mwh[k]), _hz_range(belief, tariff, k), pump_w_42, pump_efficiency,
                   float(other_share[k]))
              for t in grid] for k in range(count)]  # fmt: skip
    loss = way.loss_w_k * (grid - way.ground_c) / 1e6 * heat_yuan_mwh
    cost = np.array([
        [(x.electric_w / 1e6 * el_yuan_mwh[k] + loss[j] + x.penalty_yuan_h) * dt_s[k] / 3600.0
         for j, x in enumerate(row)] for k, row in enumerate(found)
    ])  # fmt: skip
    course = _cheapest(cost, grid, limits.ramp_k_h * dt_s / 3600.0, now_c)
    best = [found[k][j] for k, j in enumerate(course)]
    return Drive(
        supply_c=grid[course],
        head_pa=np.array([x.head_pa for x in best]),
        flow_kg_s=np.array([x.primary.sum() for x in best]),
        pump_w=np.array([x.pump_w for x in best]),
        hz=np.array([x.hz for x in best]),
        water_c=np.array([x.water for x in best]),
        primary_kg_s=np.array([x.primary for x in best]),
        station_w=np.array([x.station_w for x in best]),
        reached=np.array([x.reached for x in best]),
    )


def _hz_range(b: Belief, tariff: Tariff, k: int) -> tuple[Floats, Floats]:
    low = np.maximum(tariff.lowest_hz, b.hz - HZ_RAMP * (k + 1))
    high = np.minimum(HIGHEST_HZ, b.hz + HZ_RAMP * (k + 1))
    return np.minimum(low, high), np.maximum(high, low)


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    primary: Floats
    hz: Floats
    water: Floats
    station_w: Floats
    head_pa: float
    pump_w: float
    lack: float

    @property
    def reached(self) -> bool:
        """Every station gets its heat."""
        return self.lack <= 0.0

    @property
    def penalty_yuan_h(self) -> float:
        """What the lack counts."""
        return 0.0 if self.reached else SHORT_YUAN_H + LACK_YUAN_H * self.lack

    @property
    def electric_w(self) -> float:
        return self.pump_w + float(self.station_w.sum())


def _try(
    houses: Houses, st: StationSet, b: Belief, tariff: Tariff, way: Way, limits: Limits, heat: Floats,
    room: Floats, supply_c: float, el: float, hz_range: tuple[Floats, Floats], pump_w_42: Floats, eta: float,
    other: float,
) -> _Trial:  # fmt: skip
    """Stations at one supply temperature: each pump at the frequency that costs least."""
    n = heat.size
    hz = np.linspace(hz_range[0], hz_range[1], HZ_STEPS)  # (F, n)
    water = water_for(houses, b, heat, room, hz)
    m_2 = st.secondary_kg_s * hz / FULL_HZ
    drop = heat / (m_2 * WATER_J_KG_K)
    cold = water - drop
    hot = np.maximum(supply_c - b.way_k / np.maximum(heat / (WATER_J_KG_K * 45.0), 0.3), 0.0)
    primary = np.empty((HZ_STEPS, n))
    film = (FULL_HZ / hz) ** FLOW_EXPONENT
    for f in range(HZ_STEPS):
        _flows(
            heat, hot, cold[f], m_2[f], st.flow_max_kg_s, b.ua_w_k, st.flow_design_kg_s, film[f], primary[f]
        )
    power = pump_w_42 * (hz / FULL_HZ) ** 3
    wrong = (water > tariff.highest_supply_c) + (drop > LARGEST_DROP_K) + (primary >= st.flow_max_kg_s)
    need = primary**2 * (valve_pa_s2_kg2(st.kv_m3_h, np.full(n, VALVE_OPEN)) + b.plate_pa_s2_kg2)
    middle = primary[HZ_STEPS // 2]
    rise = float(np.max(need[HZ_STEPS // 2] + way.lost_pa(float(middle.sum()), other)))
    per_kg = 3.0 * max(rise, limits.low_pa) / 975.0 / eta  # W per kg/s: the whole goes with the cube
    cost = power * el + per_kg * primary * el + 1e9 * wrong
    pick = np.argmin(cost, axis=0)
    at = (pick, np.arange(n))
    flow = float(primary[at].sum())
    head = float(np.max(need[at] + way.lost_pa(flow, other)))
    full = primary[at] >= st.flow_max_kg_s
    lack = (
        max(head / limits.high_pa - 1.0, 0.0)
        + float(heat[full].sum() / max(float(heat.sum()), 1.0))
        + max(float(water[at].max()) + LEAST_LIFT_K - supply_c, 0.0) / 20.0
    )
    head = min(max(head, limits.low_pa), limits.high_pa)
    return _Trial(primary[at], hz[at], water[at], power[at], head, flow / 975.0 * head / eta, lack)


def _cheapest(cost: Floats, grid: Floats, ramp_k: Floats, now_c: float) -> Ints:
    """Indices (K,) into ``grid`` of the cheapest course within the ramp (Bellman, backwards)."""
    count, size = cost.shape
    apart = np.abs(grid[:, None] - grid[None, :])
    value, best = cost[-1].copy(), np.zeros((count, size), dtype=np.int64)
    for k in range(count - 1, 0, -1):
        step = np.where(apart <= ramp_k[k] + 1e-9, value[None, :] + CHANGE_YUAN_K * apart, np.inf)
        best[k] = np.argmin(step, axis=1)
        value = cost[k - 1] + step[np.arange(size), best[k]]
    reach = np.abs(grid - now_c)
    allowed = reach <= max(float(ramp_k[0]), float(reach.min())) + 1e-9
    at = int(np.argmin(np.where(allowed, value, np.inf)))
    course = [at]
    for k in range(1, count):
        at = int(best[k][at])
        course.append(at)
    return np.array(course, dtype=np.int64)
