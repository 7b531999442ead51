"""Two-node buildings against the exact solution, the emission law and bounds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tiny import make_tiny_county
from twin.heat.building import (
    RADIATOR_EXPONENT,
    BuildingStock,
    describe_buildings,
    respond_to_water,
    settle_buildings,
)
from twin.model.errors import InputError

COUNTY = make_tiny_county()
STOCK = describe_buildings(COUNTY.buildings, COUNTY.network)


class Rooms:
    """Buildings of one stock stepped with given water."""

    def __init__(self, b: BuildingStock, t_c: float, flow_w_k):
        self.b, n = b, len(b.ids)
        self.flow = np.broadcast_to(np.asarray(flow_w_k, float), (n,)).copy()
        self.air, self.structure, self.excess = np.full(n, t_c), np.full(n, t_c), np.full(n, 20.0)
        self.u, self.emit, self.own, self.gain, self.heat = np.zeros((5, n))

    def step(self, dt, t_out, t_water, wind=2.0, sun=0.0, people=0.0):
        b = self.b
        water = np.full(int(b.station.max()) + 1, t_water)
        respond_to_water(
            dt, t_out, wind, sun, people, self.flow, b.radiator_w_k, b.h_air_w_k, b.h_structure_w_k,
            b.h_inner_w_k, b.c_air_j_k, b.c_structure_j_k, b.sun_m2, b.people_w, b.wind_s_m, self.air,
            self.structure, self.excess, self.u, self.emit, self.own, self.gain,
        )  # fmt: skip
        return settle_buildings(
            dt, t_out, wind, sun, people, water, b.station, b.h_air_w_k, b.h_structure_w_k, b.h_inner_w_k,
            b.c_structure_j_k, b.sun_m2, b.people_w, b.wind_s_m, self.air, self.structure, self.excess,
            self.u, self.emit, self.own, self.gain, self.heat,
        )  # fmt: skip


def cool_exactly(b, k, t0, t_out, seconds):
    """Both nodes of building ``k`` without heat, by the eigenvalues of their system."""
    h_a, h_m, h_i = b.h_air_w_k[k], b.h_structure_w_k[k], b.h_inner_w_k[k]
    c_a, c_m = b.c_air_j_k[k], b.c_structure_j_k[k]
    a = np.array([[-(h_a + h_i) / c_a, h_i / c_a], [h_i / c_m, -(h_m + h_i) / c_m]])
    value, vector = np.linalg.eig(a)
    x = np.linalg.solve(vector, np.full(2, t0 - t_out))
    return t_out + vector @ (x * np.exp(value * seconds))


def test_free_cooling_follows_the_exact_solution_and_its_error_shrinks_with_the_step():
    exact = np.array([cool_exactly(STOCK, k, 20.0, -10.0, 12 * 3600.0) for k in range(len(STOCK.ids))])
    errors = []
    for dt in (60.0, 30.0):
        rooms = Rooms(STOCK, 20.0, 0.0)
        for _ in range(int(12 * 3600 / dt)):
            rooms.step(dt, -10.0, 60.0)
        errors.append(np.abs(np.stack([rooms.air, rooms.structure], 1) - exact).max())
    assert errors[0] < 0.02
    assert errors[1] == pytest.approx(0.5 * errors[0], rel=0.1)


def test_steady_emission_obeys_the_radiator_law_and_the_loss_coefficient():
    w = 4183.0 * 5.0
    rooms = Rooms(STOCK, 15.0, w)
    for _ in range(400):
        rooms.step(86_400.0, -5.0, 60.0)
    t_back = 60.0 - rooms.heat / w
    log_mean = (60.0 - t_back) / np.log((60.0 - rooms.air) / (t_back - rooms.air))
    assert rooms.heat == pytest.approx(STOCK.radiator_w_k * log_mean**RADIATOR_EXPONENT, rel=1e-6)
    assert rooms.heat == pytest.approx(STOCK.ua_w_k * (rooms.air + 5.0), rel=1e-6)


def test_design_conditions_give_design_heat_at_twenty_degrees():
    b, rows = STOCK, {x.id: x for x in COUNTY.buildings}
    for k, name in enumerate(b.ids):
        s = COUNTY.network.substations[b.station[k]]
        drop = s.t_secondary_supply_c - s.t_secondary_return_c
        w = rows[name].design_heat_w / drop
        log_mean = drop / np.log((s.t_secondary_supply_c - 20.0) / (s.t_secondary_return_c - 20.0))
        heat = b.radiator_w_k[k] * log_mean**RADIATOR_EXPONENT
        assert heat == pytest.approx(w * drop, rel=1e-9)


@given(
    st.floats(1.0, 1e6), st.floats(-40.0, 30.0), st.floats(5.0, 90.0), st.floats(0.0, 30.0),
    st.floats(0.0, 1e6),
)  # fmt: skip
def test_any_step_is_stable_bounded_and_balances(dt, t_out, t_water, wind, flow):
    rooms = Rooms(STOCK, 20.0, flow)
    b = STOCK
    for _ in range(3):
        before = b.c_air_j_k @ rooms.air + b.c_structure_j_k @ rooms.structure
        lost, gained = rooms.step(dt, t_out, t_water, wind, 100.0, 1.0)
        after = b.c_air_j_k @ rooms.air + b.c_structure_j_k @ rooms.structure
        terms = np.array([rooms.heat.sum() * dt, gained, -lost])
        assert abs(terms.sum() - (after - before)) <= 1e-9 * (np.abs(terms).sum() + abs(after))
    low = min(t_out, t_water, 20.0)
    highest_gain = (b.people_w + b.sun_m2 * 100.0) / b.h_structure_w_k
    assert np.all(rooms.air >= low - 1e-6)
    assert np.all(rooms.air <= max(t_out, t_water, 20.0) + 2.0 * highest_gain + 1e-6)


def test_wind_sun_and_people_push_the_room_the_right_way():
    base = Rooms(STOCK, 20.0, 0.0)
    base.step(3600.0, 0.0, 60.0)
    windy, sunny, busy = (Rooms(STOCK, 20.0, 0.0) for _ in range(3))
    windy.step(3600.0, 0.0, 60.0, wind=8.0)
    sunny.step(3600.0, 0.0, 60.0, sun=300.0)
    busy.step(3600.0, 0.0, 60.0, people=1.0)
    assert np.all(windy.air < base.air)
    assert np.all(sunny.air > base.air)
    assert np.all(busy.air > base.air)


def test_imbalance_moves_water_between_the_buildings_of_a_station():
    factor = [1.0] * len(COUNTY.buildings)
    factor[0] = 0.5
    skewed = describe_buildings(COUNTY.buildings, COUNTY.network, factor)
    at = skewed.ids.index(COUNTY.buildings[0].id)
    assert skewed.share[at] < STOCK.share[at]
    assert np.bincount(skewed.station, skewed.share)[skewed.station[at]] == pytest.approx(1.0)


def test_mistakes_name_the_building():
    lost = replace(COUNTY.buildings[0], substation_id="S99")
    with pytest.raises(InputError, match=r"building .*S99"):
        describe_buildings((lost,), COUNTY.network)
    flat = replace(COUNTY.buildings[0], ua_w_k=0.0)
    with pytest.raises(InputError, match="must be positive"):
        describe_buildings((flat,), COUNTY.network)
    with pytest.raises(InputError, match="imbalance has 1 values"):
        describe_buildings(COUNTY.buildings, COUNTY.network, [1.0])
