"""The tiny county through time: energy, the steady limit, travel, standstill, reversal, time step."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.heat.test_steady import NET, make_boundary
from twin.heat import Leak, begin_transient, simulate, solve_steady, step_transient
from twin.heat.transient import choose_resolution
from twin.model.errors import InputError

NAN = np.nan


def throughput(run):
    return sum(abs(e.brought) + abs(e.drawn) + abs(e.taken) + abs(e.lost) for e in run.energy)


def test_constant_boundary_stays_at_the_steady_state():
    b = make_boundary()
    steady = solve_steady(NET, b)
    run = simulate(NET, [b] * 144, 300.0)
    assert np.allclose(run.states[-1].t_supply_c, steady.t_supply_c, atol=0.05)
    assert np.allclose(run.states[-1].t_return_c, steady.t_return_c, atol=0.05)
    assert run.states[-1].heat_loss_w.sum() == pytest.approx(steady.heat_loss_w.sum(), rel=0.03)  # film


def test_a_hotter_source_reaches_the_far_station_later_than_the_near_one():
    b = make_boundary(source_flow_kg_s=np.array([NAN, 0.0]))
    start, _ = begin_transient(NET, b)
    hot = replace(b, t_source_c=np.array([120.0, 105.0]))
    run = simulate(NET, [hot] * 480, 30.0, start)  # the far water takes over two hours
    at = NET.network.node_index
    arrival = {}
    for node in ("NS01", "NS03"):
        t = np.array([s.t_supply_c[at[node]] for s in run.states])
        arrival[node] = int(np.argmax(t > 0.5 * (t[0] + t[-1])))
    assert 0 < arrival["NS01"] < arrival["NS03"]
    final = solve_steady(NET, hot)
    for node in ("NS01", "NS02"):
        assert run.states[-1].t_supply_c[at[node]] == pytest.approx(final.t_supply_c[at[node]], abs=0.1)


@given(
    st.lists(
        st.tuples(st.floats(60.0, 120.0), st.floats(0.0, 1.2), st.floats(0.0, 6.0), st.floats(30.0, 60.0)),
        min_size=3,
        max_size=12,
    ),
    st.sampled_from([10.0, 60.0, 600.0]),
)
def test_energy_is_conserved_through_reversal_and_standstill(rows, dt):
    boundaries = []
    for t_source, load, second, t_return in rows:
        flow = (load if load > 0.2 else 0.0) * NET.station_design_kg_s
        boundaries.append(
            make_boundary(
                t_source_c=np.array([t_source, t_source]),
                flow_kg_s=flow,
                source_flow_kg_s=np.array([NAN, min(second, 0.9 * flow.sum())]),
                t_return_c=np.full(4, t_return),
            )
        )
    run = simulate(NET, boundaries, dt)
    assert abs(sum(e.error for e in run.energy)) <= 1e-6 * throughput(run) + 1.0
    for s in run.states:
        assert np.nanmin(s.t_supply_c) >= 6.0 - 0.1
        assert np.nanmax(s.t_supply_c) <= 120.0 + 0.1


def test_leak_and_shut_branch_keep_the_balance():
    b = make_boundary(leaks=(Leak("N03", emitter=0.003),), valve_opening=np.array([1.0, 1.0, 0.0, 0.0]))
    run = simulate(NET, [b] * 30, 60.0)
    assert abs(sum(e.error for e in run.energy)) <= 1e-6 * throughput(run) + 1.0
    at = NET.network.node_index["NS02"]
    assert np.isnan(run.states[-1].t_supply_c[at])


def test_result_does_not_depend_on_the_time_step():
    def go(dt):
        n = int(7200 / dt)
        rows = []
        for k in range(n):
            t_source = 100.0 + 10.0 * np.sin((k + 0.5) * dt / 1800.0)
            rows.append(make_boundary(t_source_c=np.array([t_source, 105.0])))
        return np.array([s.t_supply_c for s in simulate(NET, rows, dt).states])

    coarse, fine = go(60.0), go(20.0)[2::3]
    assert np.sqrt(np.mean((coarse - fine)[30:] ** 2)) < 0.35


def test_going_on_from_a_kept_state_is_the_same_as_not_stopping():
    b = [make_boundary(t_source_c=np.array([100.0 + k, 105.0])) for k in range(10)]
    whole = simulate(NET, b, 60.0)
    first = simulate(NET, b[:5], 60.0)
    second = simulate(NET, b[5:], 60.0, first.end)
    assert np.array_equal(second.states[-1].t_supply_c, whole.states[-1].t_supply_c)


def test_a_step_leaves_the_state_it_was_given_untouched():
    b = make_boundary()
    start, _ = begin_transient(NET, b)
    before = start.pipes.h.copy()
    step_transient(NET, replace(b, t_source_c=np.array([120.0, 120.0])), start, 60.0)
    assert np.array_equal(start.pipes.h, before)


def test_resolution_follows_the_length_of_the_pipes():
    parcels, cells = choose_resolution(NET)
    longer = np.percentile(NET.length_m, 75.0)
    assert cells == round(longer / 12.0)
    start, _ = begin_transient(NET, make_boundary())
    assert start.pipes.h.shape[1] == parcels
    assert start.pipes.t_wall.shape[1] == cells
    coarse, _ = begin_transient(NET, make_boundary(), parcels=8, cells=5)
    assert coarse.pipes.t_wall.shape[1] == 5


def test_mistakes_get_a_sentence():
    start, _ = begin_transient(NET, make_boundary())
    with pytest.raises(InputError, match="dt_s is 0"):
        step_transient(NET, make_boundary(), start, 0.0)
    with pytest.raises(InputError, match="at least 3 parcels"):
        begin_transient(NET, make_boundary(), parcels=2)
    with pytest.raises(InputError, match="no boundaries"):
        simulate(NET, [], 60.0)
