"""Friction against Colebrook's equation, Hagen-Poiseuille and its own derivative."""

import itertools
from math import log10, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.heat.drops import evaluate_drops
from twin.heat.friction import friction_factor, pipe_drop, relative_residual


@given(st.floats(4000.0, 1e8), st.floats(0.0, 0.05))
def test_turbulent_friction_solves_colebrook_with_the_exact_logarithm(re, k):
    f, _ = friction_factor(re, k)
    x = 1.0 / sqrt(f)
    assert abs(x + 2.0 * log10(k / 3.7 + 2.51 * x / re)) < 1e-8 * x
    assert abs(relative_residual(re, k)) < 1e-8


# Moody chart values, e.g. F. M. White, Fluid Mechanics, table 6.4
@pytest.mark.parametrize(("re", "k", "f"), [(1e5, 0.0, 0.01799), (1e6, 0.001, 0.01994), (1e7, 0.01, 0.03790)])
def test_friction_matches_the_moody_chart(re, k, f):
    assert friction_factor(re, k)[0] == pytest.approx(f, rel=3e-3)


def test_slow_flow_follows_hagen_poiseuille():
    m, length, d, mu, rho = 0.001, 30.0, 0.05, 4e-4, 975.0
    dp, slope = pipe_drop(m, length, d, 1e-4, 0.0, rho, mu)
    assert dp == pytest.approx(128.0 * mu * length * m / (pi * d**4 * rho), rel=1e-12)
    assert slope == pytest.approx(dp / m)


@given(st.floats(1e-6, 400.0), st.floats(0.02, 1.0), st.floats(0.0, 1e-3), st.floats(0.0, 20.0))
def test_slope_is_the_derivative_and_drop_is_odd(m, d, roughness, zeta):
    args = (100.0, d, roughness, zeta, 970.0, 3.5e-4)
    dp, slope = pipe_drop(m, *args)
    step = 1e-6 * m
    numeric = (pipe_drop(m + step, *args)[0] - pipe_drop(m - step, *args)[0]) / (2.0 * step)
    assert slope > 0.0
    assert numeric == pytest.approx(slope, rel=2e-3)
    assert pipe_drop(-m, *args)[0] == pytest.approx(-dp)


def test_drop_grows_without_jumps_through_the_transition():
    d, mu = 0.1, 4e-4
    flows = [re * pi * d * mu / 4.0 for re in range(1900, 4200, 5)]
    drops = [pipe_drop(m, 10.0, d, 2e-4, 0.0, 980.0, mu)[0] for m in flows]
    steps = [b - a for a, b in itertools.pairwise(drops)]
    assert min(steps) > 0.0
    assert max(steps) < 10.0 * min(steps)


def test_many_pipes_at_once_solve_colebrook_with_the_exact_logarithm():
    rng = np.random.default_rng(5)
    re = 10.0 ** rng.uniform(np.log10(4000.0), 8.0, 50_000)
    k = 10.0 ** rng.uniform(-8.0, np.log10(0.05), 50_000)
    k[::50], re[::77] = 0.0, 4000.0
    one, dp, slope = np.ones_like(re), np.empty_like(re), np.empty_like(re)
    evaluate_drops(re / 1e5, np.stack([1e5 * one, k, one, 0.0 * one]), dp, slope)
    x = re / 1e5 / np.sqrt(dp)
    assert np.abs(x + 2.0 * np.log10(k / 3.7 + 2.51 * x / re)).max() < 1e-8
    assert np.isfinite(slope).all()


@given(st.floats(1e-6, 400.0), st.floats(0.02, 1.0), st.floats(0.0, 1e-3), st.floats(0.0, 20.0))
def test_many_pipes_at_once_follow_the_same_law(m, d, roughness, zeta):
    rho, mu, length = 970.0, 3.5e-4, 100.0
    half = 0.5 / (rho * (0.25 * pi * d * d) ** 2)
    constants = np.array([[4.0 / (pi * d * mu)], [roughness / d], [half * length / d], [half * zeta]])
    dp, slope = np.empty(1), np.empty(1)
    evaluate_drops(np.array([-m]), constants, dp, slope)
    want, want_slope = pipe_drop(-m, length, d, roughness, zeta, rho, mu)
    assert dp[0] == pytest.approx(want, rel=1e-8)
    assert slope[0] == pytest.approx(want_slope, rel=1e-6)
