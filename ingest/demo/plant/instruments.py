"""What the plant's instruments see, by point key, in SI (flow meters sit in the return pipe)."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.demo.plant.grid import CP_J_KG_K, water_density_kg_m3
from ingest.demo.plant.mischief import tell_bout
from ingest.demo.plant.orders import NOMINAL_HZ
from ingest.demo.plant.stations import share_water, wanted_supply_c
from ingest.demo.plant.weather import Sky

if TYPE_CHECKING:
    from ingest.demo.plant.plant import Plant

Floats = NDArray[np.float64]

SECONDARY_RISE_PA = 1.6e5
TAP_SHARE = 0.003


def read_stations(plant: "Plant", sky: Sky, m1: Floats, t: float, dt_s: float) -> dict[str, Floats]:
    """(n_station,) by key; counters move on by ``dt_s``."""
    g, s, u, b = plant.grid, plant.stations, plant.upset, plant.blocks
    assert plant.flow is not None
    p, node = plant.flow.p_pa, plant.heat.node_c
    rho = water_density_kg_m3(plant.t_back_c)
    orders = plant.orders
    m2 = b.flow_2_kg_s * plant.pump_share()
    p2 = np.array([x.p_secondary_return_pa for x in plant.county.network.substations])
    lost = u.loss_2_kg_s + tell_bout(t) * u.draw_2_kg_s
    make_up = (TAP_SHARE * b.flow_2_kg_s * 0.5 + lost) / 990.0
    hz = np.where(u.pump > 0, orders.pump_hz, 0.0)
    # air shuts the circuit, so that the pump goes back on its curve; a worn pump keeps most of its power
    speed = u.pump * orders.pump_hz / NOMINAL_HZ
    head = SECONDARY_RISE_PA * speed**2 * (1.0 + 0.5 * u.air)
    work = m2 / 985.0 * head / 0.6 / np.maximum(u.pump, 0.1) ** 2
    power = np.where(u.pump > 0, work + 900.0, 900.0)
    by_hand = np.isfinite(orders.valve)
    heat_metered = m1 * CP_J_KG_K * (node[g.s_in] - plant.t_back_c)
    count = plant.counters
    count["p1_vol"] += m1 / rho * dt_s
    count["p1_energy"] += np.maximum(heat_metered, 0.0) * dt_s
    count["mk_vol"] += make_up * dt_s
    count["e_kwh"] += power * dt_s
    one = np.ones_like(m1)
    t_station = 18.0 + 0.25 * (sky.t_out_c - 5.0) + 4.0 * np.minimum(u.pump, 1.0)
    return {
        "p1_ts": node[g.s_in], "p1_tr": plant.t_back_c, "p1_ps": p[g.s_in], "p1_pr": p[g.s_out],
        "p1_flow": m1 / rho, "p1_heat": heat_metered, "p1_vol": count["p1_vol"].copy(),
        "p1_energy": count["p1_energy"].copy(), "cv_pos": s.valve,
        "cv_sp": np.where(by_hand, orders.valve, s.valve), "cp1_hz_sp": orders.pump_hz.copy(),
        "s2_ts_sp": wanted_supply_c(b, sky.t_out_c) + orders.shift_k,
        "s2_ts": s.t_supply_2_c, "s2_tr": s.t_return_2_c, "s2_ps": p2 + head,
        "s2_pr": p2,
        "s2_flow": m2 / water_density_kg_m3(s.t_return_2_c), "mk_flow": make_up,
        "mk_vol": count["mk_vol"].copy(),
        "tank_l": 1.55 + 0.2 * np.sin(count["mk_vol"] / 3.0), "cp1_run": (u.pump > 0) * one, "cp1_hz": hz,
        "cp1_a": power / (1.732 * 380.0 * 0.85), "p_kw": power, "e_kwh": count["e_kwh"].copy(), "mains": one,
        "t_stn": t_station * one, "flood": 0.0 * one, "mode": np.where(by_hand, 0.0, 1.0),
        "fault": np.where(u.pump > 0, 0.0, 11.0),
    }  # fmt: skip


def read_sources(plant: "Plant", m: Floats, make_up: Floats, dt_s: float) -> dict[str, Floats]:
    """(n_source,) by key; a source that stands shows the temperature of its pipe."""
    g = plant.grid
    assert plant.flow is not None
    p, node = plant.flow.p_pa, plant.heat.node_c
    running = m > 0.05
    t_s = np.where(running, plant.t_source_c, node[g.q_out])
    t_r = node[g.q_in]
    heat = np.where(running, m * CP_J_KG_K * (t_s - t_r), 0.0)
    power = np.maximum(m, 0) / 975.0 * np.maximum(p[g.q_out] - p[g.q_in], 0.0) / 0.72 + 2e4
    plant.counters["src_energy"] += np.maximum(heat, 0.0) * dt_s
    plant.counters["src_kwh"] += power * dt_s
    base = np.where(np.arange(m.size) == plant.hold, 0.0009 * max(float(m.sum()), 0.0), 0.0)
    return {
        "src_ts": t_s, "src_tr": t_r, "src_ps": p[g.q_out], "src_pr": p[g.q_in],
        "src_flow": np.maximum(m, 0.0) / water_density_kg_m3(t_r), "src_heat": heat,
        "src_energy": plant.counters["src_energy"].copy(), "src_kwh": plant.counters["src_kwh"].copy(),
        "src_mk": (base + make_up) / 990.0, "src_ts_sp": plant.want_source_c.copy(),
        "src_dp_sp": plant.want_dp_pa.copy(), "src_flow_sp": plant.want_m3_s.copy(),
        "src_auto": np.where(plant.orders.by_hand(), 0.0, 1.0),
    }  # fmt: skip


def read_buildings(plant: "Plant") -> dict[str, Floats]:
    """(n_heated_building,) by key."""
    b, s = plant.blocks, plant.stations
    t_s = s.t_supply_2_c[b.station] - 0.6
    share, k = share_water(b, plant.orders.inlet * plant.upset.branch)
    flow = (b.flow_2_kg_s * plant.pump_share())[b.station] * share
    return {"b_ts": t_s, "b_tr": t_s - k * (t_s - s.room_c), "b_flow": flow / 985.0}
