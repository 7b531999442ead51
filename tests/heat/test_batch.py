"""Many scenarios at once: the same answers as one by one, in arrays with names."""

from dataclasses import replace

import numpy as np
import pytest

from tests.heat.pairs import make_pairs
from tests.heat.test_steady import NET, make_boundary
from twin.heat import (
    Leak,
    PumpDrive,
    Scenario,
    StationControl,
    SteadyBoundary,
    batch,
    list_pipe_leaks,
    solve_batch,
    solve_steady,
)
from twin.heat.case import prepare_case
from twin.heat.network_flow import solve_case
from twin.model.errors import EngineError, InputError

NAN = np.nan
BOUNDARY = make_boundary(source_flow_kg_s=np.array([NAN, 3.0]))
BASE = solve_steady(NET, BOUNDARY)


def solve_alone(net, boundary, base):
    return solve_case(net, boundary, prepare_case(net, boundary), base.t_pipe_c, np.full(net.n_point, 60.0))[
        0
    ]


def test_a_leak_at_every_pipe_equals_one_leak_after_the_other():
    many = solve_batch(NET, BOUNDARY, list_pipe_leaks(NET, 2e-3), BASE)
    assert many.names == tuple(p.id for p in NET.network.pipes)
    assert many.converged.all()
    assert many.residual_kg_s.max() < 1e-9
    for k, name in enumerate(many.names):
        leaks = (Leak(pipe_id=name, emitter=2e-3),)
        one = solve_alone(NET, replace(BOUNDARY, leaks=leaks), BASE)
        assert np.allclose(many.mass_flow_kg_s[k], one.m, atol=1e-7)
        assert np.allclose(many.p_supply_pa[k], one.p[: NET.n_node], atol=0.01)
        assert many.leak_kg_s[k] == pytest.approx(one.leak.sum(), rel=1e-8)


def test_what_leaks_is_made_up():
    many = solve_batch(NET, BOUNDARY, list_pipe_leaks(NET, 2e-3), BASE)
    assert np.all(many.leak_kg_s > 0.5)
    assert np.allclose(many.make_up_kg_s.sum(axis=1), many.leak_kg_s, rtol=1e-9)
    assert np.allclose(many.make_up_kg_s[:, 1], 0.0)


@pytest.mark.parametrize("seed", range(4))
def test_random_networks_with_loops_and_a_leak_that_is_there_already(seed):
    net = make_pairs(seed, 30, 5)
    n = len(net.station_node)
    b = SteadyBoundary(
        np.array([110.0, 100.0]), np.array([8e5, NAN]), np.array([3e5, NAN]), np.array([NAN, 0.0]),
        net.station_design_kg_s, np.full(n, 50.0), leaks=(Leak("N3", emitter=1e-4),),
    )  # fmt: skip
    base = solve_steady(net, b)
    many = solve_batch(net, b, list_pipe_leaks(net, 1e-3), base)
    assert many.converged.all()
    for k in range(0, net.n_pipe, 7):
        one = solve_alone(net, replace(b, leaks=(*b.leaks, Leak(pipe_id=many.names[k], emitter=1e-3))), base)
        assert np.allclose(many.mass_flow_kg_s[k], one.m, atol=1e-6)


def test_valves_pipes_and_loads_stand_beside_leaks():
    scenarios = (
        Scenario("as it is"),
        Scenario("leak", (Leak("N03", emitter=3e-3),)),
        Scenario("shut", openings=((NET.network.valves[2].id, 0.0), (NET.network.valves[3].id, 0.0))),
        Scenario("half", load=0.5),
        Scenario("out", closed=("P03-S",)),
        Scenario("hole", (Leak("N03", flow_kg_s=1.5),)),
    )
    many = solve_batch(NET, BOUNDARY, scenarios, BASE)
    row = {name: k for k, name in enumerate(many.names)}
    at = NET.network.node_index["NS02"]
    assert many.converged.all()
    assert np.allclose(many.mass_flow_kg_s[row["as it is"]], BASE.mass_flow_kg_s, atol=1e-5)
    assert np.isnan(many.p_supply_pa[row["shut"], at])
    assert many.flow_kg_s[row["shut"], 1] == 0.0
    assert np.allclose(many.flow_kg_s[row["half"]], 0.5 * BASE.flow_kg_s)
    assert many.mass_flow_kg_s[row["out"], NET.pipe_index["P03-S"]] == 0.0
    assert many.make_up_kg_s[row["hole"]].sum() == pytest.approx(1.5)
    assert many.leak_kg_s[row["leak"]] > 1.0
    assert many.lowest_pa.shape == (6,)


def test_a_leak_at_a_held_point_is_made_up_there():
    source = NET.network.sources[0].node_id
    s = solve_steady(NET, replace(BOUNDARY, leaks=(Leak(source, emitter=1e-3),)))
    many = solve_batch(NET, BOUNDARY, (Scenario("at the source", (Leak(source, emitter=1e-3),)),), BASE)
    lost = 1e-3 * np.sqrt(8e5)
    assert s.leak_kg_s == pytest.approx(lost)
    assert s.make_up_kg_s[0] == pytest.approx(lost)
    assert many.make_up_kg_s[0, 0] == pytest.approx(lost)


@pytest.mark.parametrize(
    ("scenario", "text"),
    [
        (Scenario("x", (Leak(pipe_id="X"),)), "pipe 'X' is not"),
        (Scenario("x", (Leak("X"),)), "node 'X' is not"),
        (Scenario("x", closed=("X",)), "scenario x: pipe 'X'"),
        (Scenario("x", openings=(("X", 0.5),)), "scenario x: valve 'X'"),
    ],
)
def test_mistakes_get_a_sentence(scenario, text):
    with pytest.raises(InputError, match=text):
        solve_batch(NET, BOUNDARY, (scenario,), BASE)


def test_a_state_that_did_not_converge_is_no_base():
    with pytest.raises(EngineError, match="did not converge"):
        solve_batch(NET, BOUNDARY, (), replace(BASE, converged=False))


def start_pumped(seed, control=None, heat_w=None):
    """A random network whose first source has a pump, and its state."""
    net = make_pairs(seed, 30, 5)
    n = len(net.station_node)
    most = float(net.station_design_kg_s.sum()) / 980.0
    pump = PumpDrive("CP", 7e5, 2e5 / most**2, source_id=net.network.sources[0].id)
    b = SteadyBoundary(
        np.array([110.0, 100.0]), np.array([NAN, NAN]), np.array([3e5, NAN]), np.array([NAN, 0.0]),
        net.station_design_kg_s, np.full(n, 50.0), heat_w=heat_w, pumps=(pump,), control=control,
    )  # fmt: skip
    return net, b, solve_steady(net, b)


def check_alone(net, b, base, many, emitter, rows):
    t = np.concatenate([base.t_supply_c, base.t_return_c])
    for k in rows:
        leaking = replace(b, leaks=(*b.leaks, Leak(pipe_id=many.names[k], emitter=emitter)))
        one, solved = solve_case(net, leaking, prepare_case(net, leaking), base.t_pipe_c, t)
        assert np.allclose(many.mass_flow_kg_s[k], one.m, atol=1e-5)
        assert np.allclose(many.flow_kg_s[k], solved.flow, atol=1e-5)
        assert np.allclose(many.p_supply_pa[k], one.p[: net.n_node], atol=1.0)


@pytest.mark.parametrize("seed", range(3))
def test_leaks_of_a_network_with_a_pump_at_its_source_are_solved_in_compiled_code(seed, monkeypatch):
    net, b, base = start_pumped(seed)
    monkeypatch.setattr("twin.heat.batch._solve_one", None)  # calling it would fail
    many = solve_batch(net, b, list_pipe_leaks(net, 1e-3), base)
    assert many.converged.all()
    assert np.allclose(many.make_up_kg_s.sum(axis=1), many.leak_kg_s, rtol=1e-8)
    check_alone(net, b, base, many, 1e-3, range(0, net.n_pipe, 9))


@pytest.mark.parametrize("emitter", [1e-4, 0.1])
def test_leaks_that_make_valves_of_stations_move_are_solved_by_themselves(emitter, monkeypatch):
    alone, solve_one = [], batch._solve_one
    monkeypatch.setattr(batch, "_solve_one", lambda *a: (alone.append(a[2].name), solve_one(*a))[1])
    net = make_pairs(1, 30, 5)
    n = len(net.station_node)
    control = StationControl(np.zeros(n, bool), np.full(n, NAN), 1.5 * 3.6 * net.station_design_kg_s)
    net, b, base = start_pumped(1, control)
    many = solve_batch(net, b, list_pipe_leaks(net, emitter), base)
    assert many.converged.all()
    assert len(alone) < net.n_pipe if emitter < 1e-3 else len(alone) > 0
    check_alone(net, b, base, many, emitter, range(0, net.n_pipe, 9))
