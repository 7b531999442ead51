"""The plant keeps what goes in and answers faults with the right sign."""

import numpy as np
import pytest

from ingest.demo.plant import Plant
from ingest.demo.plant.grid import CP_J_KG_K
from ingest.demo.plant.weather import MODES, Weather
from tests.support.tiny import make_tiny_county

NOW = 1_795_000_000.0
S = slice(None)


@pytest.fixture
def plant() -> Plant:
    plant = Plant(make_tiny_county(), seed=3)
    plant.settle(NOW)
    return plant


def run(plant: Plant, seconds: float, start: float = NOW, dt: float = 10.0):  # type: ignore[no-untyped-def]
    reading = None
    for i in range(int(seconds / dt)):
        reading = plant.step(start + (i + 1) * dt, dt)
    return reading


def test_the_same_seed_gives_the_same_field_and_another_seed_another() -> None:
    def state(seed: int) -> np.ndarray:
        plant = Plant(make_tiny_county(), seed=seed)
        plant.settle(NOW)
        return run(plant, 300).station["p1_ts"]

    assert np.array_equal(state(3), state(3))
    assert not np.allclose(state(3), state(4))


def test_mass_balances_at_every_node(plant: Plant) -> None:
    plant.upset.leak_kg_s[plant.grid.s_in[0]] = 1.5
    run(plant, 60)
    g, f = plant.grid, plant.flow
    assert f is not None
    balance = -plant.upset.leak_kg_s.copy()
    np.add.at(balance, g.b, f.pipe_kg_s)
    np.add.at(balance, g.a, -f.pipe_kg_s)
    np.add.at(balance, g.s_in, -f.station_kg_s)
    np.add.at(balance, g.s_out, f.station_kg_s)
    inner = np.ones(balance.size, bool)
    inner[[*g.q_out, *g.q_in]] = False
    assert np.abs(balance[inner]).max() < 1e-3


def test_heat_in_equals_heat_out_lost_and_stored_over_an_hour(plant: Plant) -> None:
    g = plant.grid
    capacity = np.concatenate([g.cell_capacity_j_k, np.full(2 * g.n, 4.0e5)])

    def stored() -> float:
        return float(capacity @ np.concatenate([plant.heat.cell_c, plant.heat.node_c]))

    before, into, out, lost = stored(), 0.0, 0.0, 0.0
    for i in range(360):
        t_back = plant.t_back_c.copy()
        plant.step(NOW + 10.0 * (i + 1), 10.0)
        assert plant.flow is not None
        m1 = np.maximum(plant.flow.station_kg_s, 0)
        ms = plant._source_flow(np.zeros(plant.n_source))
        node = plant.heat.node_c
        into += 10.0 * CP_J_KG_K * float(ms[0] * plant.t_source_c[0] - ms[0] * node[g.q_in[0]])
        out += 10.0 * CP_J_KG_K * float(m1 @ (node[g.s_in] - t_back))
        lost += 10.0 * plant.loss_w
    assert abs(into - out - lost - (stored() - before)) < 0.005 * into


@pytest.mark.parametrize("mode", MODES)
def test_weather_stays_plausible_and_is_smooth(mode: str) -> None:
    weather = Weather(5, -9.0, mode, wave_start=NOW if mode == "cold-wave" else None)
    t = NOW + np.arange(0, 14 * 86_400, 600.0)
    out = np.array([weather.at(float(x)).t_out_c for x in t])
    assert -40 < out.min() < out.max() < 40
    assert np.abs(np.diff(out)).max() < 1.5


def test_a_cold_wave_takes_ten_kelvin_away() -> None:
    calm, wave = Weather(5, -9.0), Weather(5, -9.0, wave_start=NOW, wave_k=10.0)
    t = NOW + 36 * 3600.0
    assert calm.at(t).t_out_c - wave.at(t).t_out_c == pytest.approx(10.0)


def test_a_supply_leak_draws_make_up_and_lowers_the_pressure_behind_it(plant: Plant) -> None:
    before = run(plant, 60)
    plant.upset.leak_kg_s[plant.grid.s_in[2]] = 4.0
    after = run(plant, 300, NOW + 60)
    assert after.source["src_mk"][plant.hold] - before.source["src_mk"][plant.hold] == pytest.approx(
        4 / 990, rel=0.05
    )
    assert after.station["p1_ps"][2] < before.station["p1_ps"][2]


def test_a_tripped_source_cools_the_supply(plant: Plant) -> None:
    before = run(plant, 60)
    plant.upset.source[plant.hold] = 0.4
    after = run(plant, 5400, NOW + 60)
    assert after.source["src_ts"][plant.hold] < before.source["src_ts"][plant.hold] - 5


def test_a_fouled_exchanger_returns_warmer_primary_water(plant: Plant) -> None:
    other = Plant(plant.county, seed=3)
    other.settle(NOW)
    other.upset.exchanger_ua[1] = 0.5
    a, b = run(plant, 3600), run(other, 3600)
    assert b.station["p1_tr"][1] > a.station["p1_tr"][1] + 0.3


def test_a_tripped_pump_stops_the_secondary_and_rooms_cool(plant: Plant) -> None:
    plant.upset.pump[0] = 0.0
    before = plant.stations.room_c.copy()
    r = run(plant, 6 * 3600, dt=30.0)
    mine = plant.blocks.station == 0
    assert r.station["s2_flow"][0] == 0 and r.station["cp1_run"][0] == 0 and r.station["p1_heat"][0] < 1e4
    assert (plant.stations.room_c[mine] < before[mine]).all()


def test_a_blocked_pipe_takes_pressure_from_the_station_behind_it(plant: Plant) -> None:
    pipe = next(i for i, p in enumerate(plant.county.network.pipes) if p.to_node == "NS03")
    before = run(plant, 60)
    plant.upset.zeta[pipe] = 3e5
    after = run(plant, 120, NOW + 60)
    before_dp = before.station["p1_ps"][2] - before.station["p1_pr"][2]
    assert after.station["p1_ps"][2] - after.station["p1_pr"][2] < before_dp


def test_temperatures_stay_between_the_ground_and_the_hottest_source(plant: Plant) -> None:
    for i in range(200):
        plant.step(NOW + 60.0 * (i + 1), 60.0)
        top = max(plant.t_source_c.max(), 110.0)
        assert 5.0 < plant.heat.node_c.min() <= plant.heat.node_c.max() <= top + 1e-6


def test_a_kept_state_is_taken_up_and_a_foreign_one_refused(plant: Plant) -> None:
    kept = {k: v.copy() for k, v in plant.save().items()}
    twin = Plant(plant.county, seed=3)
    assert twin.restore(kept)
    assert np.array_equal(twin.heat.cell_c, plant.heat.cell_c)
    kept["valve"] = np.zeros(99)
    assert not Plant(plant.county, seed=3).restore(kept)
