"""Temperatures where water runs in circles: every start settles, and what it settles at adds up."""

import numpy as np
import pytest

from twin.heat.thermal import STILL_KG_S, outlet_temperature, sweep_steady
from twin.heat.water import enthalpy_j_kg

GROUND_C = 6.0


def draw_network(seed: int) -> tuple[np.ndarray, ...]:
    """Ways from a source to every point, and circles of any size and strength laid over them."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 60))
    up = np.array([rng.integers(0, i) for i in range(1, n)])
    start, end, m = list(up), list(range(1, n)), []
    below = np.zeros(n)
    below[1:] = rng.uniform(0.0, 2.0, n - 1) * (rng.random(n - 1) > 0.5)
    for i in range(n - 1, 0, -1):
        below[up[i - 1]] += below[i]
    m += list(below[1:])
    for _ in range(int(rng.integers(1, 6))):
        ring = rng.permutation(n)[: int(rng.integers(2, min(n, 12) + 1))]
        strength = 10.0 ** rng.uniform(-3, 3)
        for a, b in zip(ring, np.roll(ring, -1), strict=True):
            start.append(a), end.append(b), m.append(strength)
    turned = rng.random(len(m)) < 0.5  # a flow against its pipe is negative
    a, b, m = np.array(start), np.array(end), np.array(m)
    inflow = np.zeros(n)
    inflow[0] = below[0]
    ul = 10.0 ** rng.uniform(-1, 3, len(m))
    return np.where(turned, b, a), np.where(turned, a, b), np.where(turned, -m, m), ul, inflow


@pytest.mark.parametrize("block", range(4))
def test_water_that_runs_in_circles_settles_from_any_start(block: int) -> None:
    for seed in range(200 * block, 200 * block + 200):
        start, end, m, ul, inflow = draw_network(seed)
        n = inflow.size
        t_point, t_out = np.empty(n), np.empty(m.size)
        passes = sweep_steady(start, end, m, ul, GROUND_C, inflow, np.full(n, 95.0), t_point, t_out)
        assert passes > 0, seed
        up, down = np.where(m > 0, start, end), np.where(m > 0, end, start)
        flows = np.abs(m) > STILL_KG_S
        expected = [
            outlet_temperature(t_point[u], abs(x), k, GROUND_C) for u, x, k in zip(up, m, ul, strict=True)
        ]
        assert np.where(flows, t_out - expected, 0.0) == pytest.approx(0.0, abs=1e-6)
        mass = inflow + np.bincount(down, np.abs(m) * flows, n)
        heat = inflow * enthalpy_j_kg(95.0) + np.bincount(down, np.abs(m) * flows * enthalpy_j_kg(t_out), n)
        mixed = np.where(mass > STILL_KG_S, heat / np.maximum(mass, STILL_KG_S), enthalpy_j_kg(GROUND_C))
        assert enthalpy_j_kg(t_point) == pytest.approx(mixed, abs=0.05), seed  # J/kg: 1e-5 K
        assert t_point.min() >= GROUND_C - 1e-9 and t_point.max() <= 95.0 + 1e-9
