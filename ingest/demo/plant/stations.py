"""Stations and buildings of the plant: exchanger, control valve, secondary circuit, rooms.

Secondary radiators: with ``k = 1 - exp(-NTU)`` a building returns ``ts - k (ts - room)``. Buildings are one
thermal mass each; wind and draught raise their loss. A balancing valve at the inlet takes water from one
building of a circuit and gives it to the others; less water stays longer in the radiators.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.demo.plant.grid import CP_J_KG_K
from ingest.demo.plant.hidden import HiddenTruth
from ingest.demo.plant.orders import Orders
from ingest.demo.plant.weather import Sky
from twin.model.county import County

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROOM_DESIGN_C = 18.0
SUPPLY_LAG_S, RETURN_LAG_S = 90.0, 900.0
VALVE_RATE_1_S = 0.004
MIN_OPENING = 0.02


@dataclass(frozen=True, slots=True)
class Blocks:
    """Fixed data. Per station (n,): design values; per heated building (m,): ``station`` row and shares."""

    ua_w_k: Floats
    kv_pa: Floats
    flow_1_kg_s: Floats
    flow_2_kg_s: Floats
    curve_x: Floats
    curve_y: Floats
    station: Ints
    flow_share: Floats
    loss_w_k: Floats
    capacity_j_k: Floats
    radiator_k: Floats
    gain_w: Floats
    sun_m2: Floats


@dataclass
class Stations:
    """State: (n,) per station, ``room_c`` (m,) per heated building."""

    valve: Floats
    t_supply_2_c: Floats
    t_return_2_c: Floats
    room_c: Floats
    error_k: Floats


def make_blocks(county: County, hidden: HiddenTruth) -> Blocks:
    """Read design values and apply the hidden factors."""
    stations = county.network.substations
    row = {s.id: i for i, s in enumerate(stations)}
    heated = [b for b in county.buildings if b.heated]
    at = np.array([row[b.substation_id] for b in heated], dtype=np.int64)
    weight = np.array([max(b.design_heat_w, 1.0) for b in heated])
    total = np.bincount(at, weight, len(stations))
    t_s = np.array([s.t_secondary_supply_c for s in stations])
    t_r = np.array([s.t_secondary_return_c for s in stations])
    k = ((t_s - t_r) / (t_s - ROOM_DESIGN_C))[at]
    area = np.array([b.area_m2 for b in heated])
    # kv is m³/h at 1 bar fully open: dp = (m / kv_pa)^2 with m in kg/s
    kv_pa = np.array([s.kv_m3_h for s in stations]) * hidden.valve_kv / 3600 * np.sqrt(1000.0 * 970.0 / 1e5)
    curves = [np.array(s.curve, dtype=float).reshape(-1, 2) for s in stations]
    return Blocks(
        ua_w_k=np.array([s.hx_ua_w_k for s in stations]) * hidden.exchanger_ua,
        kv_pa=kv_pa,
        flow_1_kg_s=np.array([s.design_flow_kg_s for s in stations]),
        flow_2_kg_s=np.array([s.secondary_flow_kg_s for s in stations]),
        curve_x=np.stack([c[:, 0] for c in curves]),
        curve_y=np.stack([c[:, 1] for c in curves]),
        station=at,
        flow_share=weight / total[at],
        loss_w_k=np.array([b.ua_w_k for b in heated]) * hidden.building_ua,
        capacity_j_k=np.array([max(b.capacity_j_k, 1e6) for b in heated]),
        radiator_k=-np.log(1 - np.clip(k, 0.05, 0.95)),
        gain_w=3.2 * area * hidden.building_gain,
        sun_m2=0.018 * area,
    )


def wanted_supply_c(blocks: Blocks, t_out_c: float) -> Floats:
    """Compensation curves at ``t_out_c``: (n,) secondary supply temperatures."""
    return np.array(
        [np.interp(t_out_c, x, y) for x, y in zip(blocks.curve_x, blocks.curve_y, strict=True)], dtype=float
    )


def exchange(m1: Floats, t1: Floats, m2: Floats, t2: Floats, ua: Floats) -> Floats:
    """Heat (W) from primary to secondary water in counterflow; 0 where a side stands or is colder."""
    c1, c2 = np.maximum(m1, 0) * CP_J_KG_K, np.maximum(m2, 0) * CP_J_KG_K
    low, high = np.minimum(c1, c2), np.maximum(c1, c2)
    ok = (low > 1.0) & (t1 > t2)
    low_s, high_s = np.where(ok, low, 1.0), np.where(ok, high, 2.0)
    r = np.minimum(low_s / high_s, 0.9999)
    e = np.exp(-np.minimum(ua / low_s, 50.0) * (1 - r))
    return np.where(ok, (1 - e) / (1 - r * e) * low_s * (t1 - t2), 0.0)


def share_water(blocks: Blocks, inlet: Floats) -> tuple[Floats, Floats]:
    """Share of its circuit's water (m,) that each building gets with the valves at ``inlet``, and what its
    radiators take of the water's lift over the room."""
    opened = blocks.flow_share * inlet
    whole = np.bincount(blocks.station, opened, blocks.ua_w_k.size)[blocks.station]
    share = opened / whole
    return share, 1 - np.exp(-blocks.radiator_k * blocks.flow_share / share)


def step_stations(
    blocks: Blocks, s: Stations, sky: Sky, m1: Floats, t1: Floats, pump: Floats, orders: Orders,
    stuck: Floats, ua_factor: Floats, gain_share: float, dt_s: float, branch: Floats,
) -> tuple[Stations, Floats, Floats]:  # fmt: skip
    """One step; returns the new state, the heat exchanged (W) and the primary return temperatures (°C).

    Parameters
    ----------
    m1, t1 : (n,) primary flow and supply temperature; ``pump`` (n,) share of secondary flow (0: tripped)
    orders : what the controllers were told
    stuck : (n,) opening at which a valve is stuck, NaN where it moves
    gain_share : people and appliances, share of the mean
    branch : (m,) what faults leave of the flow of a building, 1 where it is whole
    """
    m2 = blocks.flow_2_kg_s * pump
    flows = np.sqrt(np.maximum(m1, 1e-3) / blocks.flow_1_kg_s * np.maximum(pump, 1e-3))
    ua = blocks.ua_w_k * ua_factor * np.clip(flows, 0.1, 1.3) ** 0.65
    heat = exchange(m1, t1, m2, s.t_return_2_c, ua)
    c1, c2 = np.maximum(m1, 1e-6) * CP_J_KG_K, np.maximum(m2, 1e-6) * CP_J_KG_K
    t1_back = np.where(m1 > 1e-3, t1 - heat / c1, t1)
    aim = np.where(m2 > 1e-3, s.t_return_2_c + heat / c2, s.t_supply_2_c)
    follow = 1 - np.exp(-dt_s / SUPPLY_LAG_S)
    t_s = s.t_supply_2_c + follow * (aim - s.t_supply_2_c)

    at = blocks.station
    share, k = share_water(blocks, orders.inlet * branch)
    mb = m2[at] * share * CP_J_KG_K
    into = mb * k * (t_s[at] - s.room_c)
    loss = blocks.loss_w_k * (1 + 0.025 * max(sky.wind_m_s - 2.0, 0.0))
    gain = blocks.gain_w * gain_share + blocks.sun_m2 * sky.solar_w_m2
    rate = (mb * k + loss) / blocks.capacity_j_k
    balance = (mb * k * t_s[at] + loss * sky.t_out_c + gain) / np.maximum(mb * k + loss, 1e-9)
    room = balance + (s.room_c - balance) * np.exp(-rate * dt_s)
    back = np.bincount(at, into, blocks.ua_w_k.size)
    aim_r = np.where(m2 > 1e-3, t_s - back / c2, s.t_return_2_c)
    t_r = s.t_return_2_c + (1 - np.exp(-dt_s / RETURN_LAG_S)) * (aim_r - s.t_return_2_c)

    error = wanted_supply_c(blocks, sky.t_out_c) + orders.shift_k - t_s
    move = 0.012 * (error - s.error_k) + 0.012 / 240.0 * error * dt_s
    move = np.where(np.isfinite(orders.valve), orders.valve - s.valve, move)
    valve = np.clip(s.valve + np.clip(move, -VALVE_RATE_1_S * dt_s, VALVE_RATE_1_S * dt_s), MIN_OPENING, 1.0)
    valve = np.where(np.isfinite(stuck), stuck, valve)
    return Stations(valve, t_s, t_r, room, error), heat, t1_back
