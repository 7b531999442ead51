"""Plug flow of one pipe: energy, bounds, limits, reversal, standstill, time step."""

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.heat.pipe import describe_shell, simulate_pipe
from twin.heat.water import heat_capacity_j_kg_k
from twin.model.errors import InputError

SHELL = describe_shell(0.1, 0.108, 0.2, 0.03, ground_w_m_k=1.5)


def run(t, flow, t_in, around=8.0, length=200.0, start=50.0, **options):
    n = len(t)
    full = [np.broadcast_to(np.asarray(x, float), (n,)) for x in (flow, t_in, around)]
    return simulate_pipe(np.asarray(t, float), *full, length, 0.1, SHELL, start, **options)


@given(
    st.lists(st.tuples(st.floats(-12.0, 12.0), st.floats(20.0, 120.0)), min_size=5, max_size=40),
    st.sampled_from([5.0, 60.0, 300.0, 1800.0]),
    st.integers(4, 40),
)
def test_energy_is_conserved_and_temperatures_bounded_through_reversal_and_standstill(rows, dt, resolution):
    flow = np.array([r[0] if abs(r[0]) > 1.0 else 0.0 for r in rows])
    t_in = np.array([r[1] for r in rows])
    r = run(dt * np.arange(len(rows)), flow, t_in, resolution=resolution)
    error = r.in_j - r.out_j - r.lost_j - r.stored_j
    scale = abs(r.in_j) + abs(r.out_j) + abs(r.stored_j) + abs(r.lost_j)
    # expanding water takes its enthalpy along, so throughput is what passed, not what was pushed
    assert abs(error) <= 1e-6 * scale
    assert r.t_out_c.min() >= min(8.0, t_in.min()) - 0.05
    assert r.t_out_c.max() <= max(50.0, t_in.max()) + 0.05


def test_steady_outlet_follows_the_exponential():
    t = np.arange(0.0, 40_000.0, 60.0)
    r = run(t, 2.0, 90.0)
    cp = float(heat_capacity_j_kg_k(89.0))
    # the film adds its resistance to the shell's: under 1 % here
    assert r.t_out_c[-1] == pytest.approx(8.0 + 82.0 * exp(-SHELL.u_w_m_k * 200.0 / (2.0 * cp)), abs=0.02)


def test_a_front_arrives_when_the_water_and_its_wall_are_filled():
    t = np.arange(0.0, 3000.0, 5.0)
    r = run(t, 2.0, 51.0, start=50.0)
    area = np.pi / 4.0 * 0.1**2
    per_metre = area * 987.8 * 4178.0 + SHELL.wall_j_m_k
    transit = 200.0 * per_metre / (2.0 * 4178.0)
    half = t[np.argmax(r.t_out_c > 0.5 * (r.t_out_c[0] + r.t_out_c[-1]))]
    assert half == pytest.approx(transit, rel=0.02)


def test_standing_water_cools_towards_the_ground():
    t = np.arange(0.0, 400 * 3600.0, 1800.0)
    r = run(t, 0.0, 50.0)
    assert np.all(np.diff(r.t_out_c) < 1e-9)
    assert 8.0 <= r.t_out_c[-1] < 9.0


@pytest.mark.parametrize("steps", [(10.0, 20.0), (30.0, 60.0)])
def test_outlet_does_not_depend_on_the_time_step(steps):
    outs = []
    for dt in steps:
        t = np.arange(0.0, 7200.0 + 1.0, dt)
        r = run(t, 2.0 + 1.0 * np.sin(t / 900.0), 80.0 + 10.0 * np.sin(t / 1500.0))
        outs.append(np.interp(np.arange(1800.0, 7200.0, 60.0), t, r.t_out_c))
    assert np.sqrt(np.mean((outs[0] - outs[1]) ** 2)) < 0.1


def test_forward_and_backward_are_the_same_pipe():
    t = np.arange(0.0, 3600.0, 30.0)
    there, back = run(t, 2.0, 90.0), run(t, -2.0, 90.0)
    assert np.allclose(there.t_out_c, back.t_out_c, atol=0.1)


def test_mistakes_get_a_sentence():
    with pytest.raises(InputError, match="t_s must rise"):
        run([0.0, 0.0], 1.0, 50.0)
    with pytest.raises(InputError, match="missing values"):
        run([0.0, 1.0], np.nan, 50.0)
    with pytest.raises(InputError, match="diameters must rise"):
        describe_shell(0.1, 0.09, 0.2, 0.03)
