"""Members over one network: agreement with plug flow, energy, bounds, independence of each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.heat.test_steady import NET, make_boundary
from twin.heat import Ensemble, Leak, begin_transient, simulate, solve_steady
from twin.model.errors import InputError

MANY = Ensemble(NET)
ONE_SOURCE = {"source_flow_kg_s": np.array([np.nan, 0.0])}


def march(rows, dt):
    """Step an ensemble through ``rows`` (per step, per member); all steps."""
    state, out = MANY.begin(rows[0]), []
    for row in rows:
        state, now = MANY.step(row, state, dt)
        out.append(now)
    return state, out


def error_of(now, dt):
    return now.brought_j - now.drawn_j - dt * (now.heat_w.sum(1) + now.ground_loss_w) - now.stored_j


def test_constant_boundaries_stay_at_the_steady_states():
    members = [make_boundary(t_ground_c=g, **ONE_SOURCE) for g in (2.0, 6.0, 12.0)]
    _, out = march([members] * 200, 600.0)
    for i, b in enumerate(members):
        steady = solve_steady(NET, b)
        assert np.allclose(out[-1].t_supply_c[i], steady.t_supply_c, atol=0.1)
        assert np.allclose(out[-1].t_return_c[i], steady.t_return_c, atol=0.15)
        assert np.allclose(out[-1].mass_flow_kg_s[i], steady.mass_flow_kg_s, atol=1e-2)


def test_it_comes_closer_to_plug_flow_the_finer_its_cells():
    dt, n = 20.0, 540
    hot = 100.0 + 8.0 * np.sin(2 * np.pi * np.arange(n) * dt / (2 * 3600.0))
    rows = [make_boundary(t_source_c=np.array([h, 105.0]), **ONE_SOURCE) for h in hot]
    fine, _ = begin_transient(NET, rows[0], parcels=40, cells=40)
    plug = np.array([s.t_supply_c[NET.station_node] for s in simulate(NET, rows, dt, fine).states])
    error = {}
    for cells in (5, 20, 80):
        many, state, upwind = Ensemble(NET, cells), None, []
        state = many.begin(rows[:1])
        for b in rows:
            state, now = many.step([b], state, dt)
            upwind.append(now.t_supply_c[0, NET.station_node])
        error[cells] = np.sqrt(np.mean((plug - np.array(upwind))[180:] ** 2))
    # a wave of 8 K every two hours: cells of up to 80 m smear it, of 5 m they do not
    assert error[80] < 0.5 * error[20] < 0.5 * error[5]
    assert error[80] < 0.6


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.floats(60.0, 120.0), st.sampled_from([0.0, 0.3, 1.0]), st.floats(0.0, 20.0),
            st.floats(0.5, 3.0), st.booleans(),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([10.0, 600.0, 86_400.0]),
)  # fmt: skip
def test_energy_balances_and_temperatures_stay_inside_for_any_step(rows, dt):
    start = [make_boundary(t_source_c=np.full(2, 90.0), **ONE_SOURCE) for _ in rows]
    later = [
        make_boundary(
            t_source_c=np.array([hot, hot]), flow_kg_s=load * NET.station_design_kg_s, t_ground_c=ground,
            u_factor=np.full(NET.n_pipe, factor), leaks=(Leak("N03", emitter=0.002),) if leaky else (),
            **ONE_SOURCE,
        )
        for hot, load, ground, factor, leaky in rows
    ]  # fmt: skip
    state = MANY.begin(start)
    for _ in range(3):
        state, now = MANY.step(later, state, dt)
        scale = np.abs(now.brought_j) + np.abs(now.stored_j) + dt * np.abs(now.ground_loss_w) + 1.0
        assert np.all(np.abs(error_of(now, dt)) <= 1e-9 * scale)
        t = np.concatenate([now.t_supply_c, now.t_return_c, now.t_pipe_c], axis=1)
        low = min(6.0, *(r[2] for r in rows)) - 1e-6
        assert np.nanmin(t) >= low
        assert np.nanmax(t) <= max(90.0, *(r[0] for r in rows)) + 1e-6


def test_a_member_does_not_hang_on_its_neighbours():
    members = [
        make_boundary(t_ground_c=float(k), u_factor=np.full(NET.n_pipe, 1.0 + 0.1 * k), **ONE_SOURCE)
        for k in range(20)
    ]
    hotter = [replace(b, t_source_c=np.array([115.0, 105.0])) for b in members]
    _, together = march([members, hotter, hotter], 120.0)
    for k in (0, 7, 19):
        _, alone = march([[members[k]], [hotter[k]], [hotter[k]]], 120.0)
        assert np.allclose(alone[-1].t_supply_c[0], together[-1].t_supply_c[k], atol=1e-9)


def test_members_whose_flows_run_apart_are_told_apart():
    second = [make_boundary(source_flow_kg_s=np.array([np.nan, f])) for f in (0.0, 8.0)]
    _, out = march([second] * 30, 300.0)
    for i, b in enumerate(second):
        steady = solve_steady(NET, b)
        assert np.allclose(out[-1].mass_flow_kg_s[i], steady.mass_flow_kg_s, atol=0.02)
        assert np.allclose(out[-1].t_supply_c[i], steady.t_supply_c, atol=0.3)
    assert np.any(np.sign(out[-1].mass_flow_kg_s[0]) != np.sign(out[-1].mass_flow_kg_s[1]))


def test_source_heat_covers_stations_losses_and_store():
    rows = [[make_boundary(**ONE_SOURCE)]] * 5
    _, out = march(rows, 60.0)
    now = out[-1]
    assert now.source_heat_w.sum() * 60.0 == pytest.approx(
        60.0 * (now.heat_w.sum() + now.ground_loss_w[0]) + now.stored_j[0], rel=1e-6
    )


def test_mistakes_get_a_sentence():
    b = make_boundary(**ONE_SOURCE)
    state = MANY.begin([b])
    with pytest.raises(InputError, match="2 boundaries for 1 members"):
        MANY.step([b, b], state, 60.0)
    with pytest.raises(InputError, match="dt_s is 0"):
        MANY.step([b], state, 0.0)
    with pytest.raises(InputError, match="no members"):
        MANY.begin([])
