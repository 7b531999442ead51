"""Hydraulics of random networks: conservation, symmetry, equivalences."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twin.heat.hydraulics import FlowProblem, solve_flows
from twin.heat.program import write_program


def make_problem(seed, n_pipe, loops):
    rng = np.random.default_rng(seed)
    extra = int(loops * n_pipe)
    n_point = n_pipe - extra + 1
    at = np.arange(1, n_point)
    parent = np.array([rng.integers(max(0, i - 6), i) for i in at], dtype=np.int64)
    a = rng.integers(0, n_point, extra)
    b = (a + rng.integers(1, n_point, extra)) % n_point if n_point > 1 else a
    draw = np.where(rng.random(n_point) < 0.5, rng.uniform(0.0, 2.0, n_point), 0.0)
    fixed = np.full(n_point, np.nan)
    fixed[0] = 8e5
    n = n_point - 1 + extra
    none = np.zeros(n, bool)
    return FlowProblem(
        np.concatenate([parent, a]), np.concatenate([at, b]), rng.uniform(5, 500, n),
        rng.uniform(0.03, 0.5, n), rng.uniform(0, 1e-3, n), rng.uniform(0, 5, n), np.zeros(n),
        np.full(n, 970.0), np.full(n, 3.5e-4), ~none, none, rng.uniform(0, 30, n_point),
        fixed, draw, np.zeros(n_point),
    )  # fmt: skip


networks = st.tuples(st.integers(0, 10_000), st.integers(2, 120), st.sampled_from([0.0, 0.05, 0.3]))


def solve(q, **options):
    return solve_flows(q, write_program(q.start, q.end, len(q.fixed_pa)), **options)


@given(networks)
def test_every_network_is_solved_and_mass_is_conserved(spec):
    a = solve(make_problem(*spec))
    assert a.converged
    assert a.residual_kg_s < 1e-9
    assert np.all(np.isfinite(a.p))


@given(networks)
def test_turning_pipes_round_changes_signs_only(spec):
    q = make_problem(*spec)
    a, b = solve(q), solve(replace(q, start=q.end, end=q.start))
    scale = np.abs(a.m).max() + 1e-2
    assert np.allclose(a.m, -b.m, atol=1e-5 * scale)
    assert np.allclose(a.p, b.p, atol=1.0 + 1e-5 * np.ptp(a.p))


@given(networks)
def test_numbering_of_pipes_does_not_matter(spec):
    q = make_problem(*spec)
    order = np.random.default_rng(1).permutation(len(q.start))
    per_pipe = ("start", "end", "length_m", "diameter_m", "roughness_m", "zeta", "quadratic", "rho", "mu")
    mixed = replace(q, **{k: getattr(q, k)[order] for k in (*per_pipe, "open_", "one_way")})
    a, b = solve(q), solve(mixed)
    assert np.allclose(a.m[order], b.m, atol=1e-5 * (np.abs(a.m).max() + 1e-2))


@given(st.integers(0, 10_000), st.integers(6, 80))
def test_a_shut_loop_equals_the_network_without_that_pipe(seed, n_pipe):
    q = make_problem(seed, n_pipe, 0.2)
    shut = q.open_.copy()
    shut[-1] = False
    without = {k: getattr(q, k)[:-1] for k in FlowProblem.__slots__ if len(getattr(q, k)) == len(q.start)}
    if len(q.start) == len(q.fixed_pa):
        return
    a, b = solve(replace(q, open_=shut)), solve(replace(q, **without))
    assert a.m[-1] == 0.0
    assert np.allclose(a.m[:-1], b.m, atol=1e-5 * (np.abs(a.m).max() + 1e-2))


@given(networks)
def test_warm_start_from_anywhere_finds_the_same_flows(spec):
    q = make_problem(*spec)
    a = solve(q)
    b = solve(q, m_start=np.random.default_rng(3).normal(scale=5.0, size=len(q.start)))
    assert b.converged
    assert np.allclose(a.m, b.m, atol=1e-5 * (np.abs(a.m).max() + 1e-2))


def test_two_equal_pipes_share_the_flow():
    q = make_problem(1, 2, 0.0)
    two = replace(
        q, start=np.array([0, 0]), end=np.array([1, 1]), length_m=np.full(2, 100.0),
        diameter_m=np.full(2, 0.1), roughness_m=np.full(2, 1e-4), zeta=np.zeros(2), elevation_m=np.zeros(2),
        fixed_pa=np.array([5e5, np.nan]),
        draw_kg_s=np.array([0.0, 6.0]), emitter=np.zeros(2),
    )  # fmt: skip
    assert np.allclose(solve(two).m, 3.0)
