"""Everything is solved, or flagged with its reason; never silent nonsense."""

from dataclasses import replace

import numpy as np
import pytest

from tests.heat.test_steady import NET, make_boundary
from twin.heat import Leak, PumpDrive, Reason, StationControl, compile_network, solve_steady
from twin.model.network import Valve

NAN = np.nan
DESIGN = NET.station_design_kg_s
ONE_SOURCE = {"source_flow_kg_s": np.array([NAN, 0.0])}


def reasons(state):
    return {f.reason for f in state.findings}


def assert_honest(state):
    assert state.converged or Reason.NOT_CONVERGED in reasons(state)
    if not state.converged:
        assert np.all(np.isnan(state.mass_flow_kg_s))
        return
    assert state.residual_kg_s < 1e-6
    t = np.concatenate([state.t_supply_c, state.t_return_c])
    assert np.nanmin(t) >= 5.9
    assert np.nanmax(t) <= 130.1
    if np.nanmin(np.concatenate([state.p_supply_pa, state.p_return_pa])) < -85_000.0:
        assert Reason.PRESSURE_BELOW_VAPOUR in reasons(state)


@pytest.mark.parametrize("load", [0.0, 0.02, 0.5, 1.0, 3.0])
def test_any_load(load):
    assert_honest(solve_steady(NET, make_boundary(flow_kg_s=load * DESIGN, **ONE_SOURCE)))


def test_half_the_consumers_shut():
    state = solve_steady(NET, make_boundary(flow_kg_s=DESIGN * np.array([1, 0, 1, 0]), **ONE_SOURCE))
    assert_honest(state)
    assert state.heat_w[1] == state.heat_w[3] == 0.0


@pytest.mark.parametrize("out", range(NET.n_pipe))
def test_every_single_pipe_out_in_turn(out):
    closed = np.zeros(NET.n_pipe, bool)
    closed[out] = True
    state = solve_steady(NET, make_boundary(closed_pipe=closed, **ONE_SOURCE))
    assert_honest(state)
    assert state.mass_flow_kg_s[out] == 0.0
    reached = np.isfinite(state.p_supply_pa[NET.station_node]) & np.isfinite(
        state.p_return_pa[NET.station_node]
    )
    assert np.all(state.flow_kg_s[~reached] == 0.0)
    assert (Reason.ISOLATED in reasons(state)) == bool(
        np.isnan(state.p_supply_pa).any() or np.isnan(state.p_return_pa).any()
    )


def test_return_warmer_than_supply():
    state = solve_steady(NET, make_boundary(t_return_c=np.full(4, 120.0)))
    assert_honest(state)
    assert np.all(state.heat_w < 0.0)


def test_two_sources_fighting_are_told_apart():
    state = solve_steady(
        NET,
        make_boundary(
            source_flow_kg_s=np.full(2, NAN),
            p_supply_pa=np.array([8e5, 9.5e5]),
            p_return_pa=np.array([3e5, 3e5]),
        ),
    )
    assert_honest(state)
    assert Reason.SOURCE_UNBALANCED in reasons(state)


def test_a_check_valve_closes_against_the_flow():
    wrong = Valve("CV", "P02-S", "check", 900.0, 1.0, 0.0, 0.0)
    supply = next(p for p in NET.network.pipes if p.id == "P02-S")
    turned = replace(supply, from_node=supply.to_node, to_node=supply.from_node)
    pipes = tuple(turned if p.id == "P02-S" else p for p in NET.network.pipes)
    net = compile_network(replace(NET.network, pipes=pipes, valves=(*NET.network.valves, wrong)))
    b = make_boundary(**ONE_SOURCE)
    state = solve_steady(net, b)
    at = [p.id for p in pipes].index("P02-S")
    assert state.converged
    assert abs(state.mass_flow_kg_s[at]) < 1e-2
    assert any(f.reason is Reason.CHECK_VALVE_CLOSED and f.ids == ("P02-S",) for f in state.findings)


def test_a_leak_that_empties_a_zone_is_flagged():
    state = solve_steady(NET, make_boundary(leaks=(Leak("NS03", emitter=0.5),), **ONE_SOURCE))
    assert_honest(state)
    assert state.leak_kg_s > 20.0
    assert Reason.PRESSURE_BELOW_VAPOUR in reasons(state) or state.p_supply_pa.min() < 2e5


def test_too_much_load_is_flagged():
    state = solve_steady(NET, make_boundary(flow_kg_s=3.0 * DESIGN, **ONE_SOURCE))
    assert reasons(state) & {Reason.DEMAND_ABOVE_CAPACITY, Reason.NO_DIFFERENTIAL_PRESSURE}


def test_a_blank_state_is_no_harm_as_a_warm_start():
    good = solve_steady(NET, make_boundary())
    blank = replace(
        good,
        mass_flow_kg_s=np.full_like(good.mass_flow_kg_s, NAN),
        t_pipe_c=np.full_like(good.t_pipe_c, NAN),
        converged=False,
    )
    again = solve_steady(NET, make_boundary(), blank)
    assert again.converged
    assert np.allclose(again.p_supply_pa, good.p_supply_pa, atol=1.0)


# The same set with a pump at the source and valves that follow the pressures.

PUMPED = {
    "source_flow_kg_s": np.array([NAN, 0.0]),
    "p_supply_pa": np.full(2, NAN),
    "p_return_pa": np.array([3e5, NAN]),
    "pumps": (PumpDrive("CP", 6e5, 2e8, source_id="SRC1"),),
    "control": StationControl(np.zeros(4, bool), np.full(4, NAN), np.full(4, 25.0)),
}


def assert_obeyed(state, wanted):
    """Flows are what is wanted or less, and less is named."""
    assert state.converged
    assert_honest(state)
    assert np.all(state.flow_kg_s <= wanted * (1.0 + 1e-5) + 1e-9)
    short = {f"S0{i + 1}" for i in np.flatnonzero(state.flow_kg_s < wanted * (1.0 - 1e-4))}
    named = {i for f in state.findings if f.reason in LACK for i in f.ids}
    assert short <= named


LACK = {Reason.VALVE_SATURATED, Reason.ISOLATED, Reason.NO_DIFFERENTIAL_PRESSURE}


@pytest.mark.parametrize("load", [0.0, 0.02, 0.5, 1.0, 3.0, 10.0])
def test_any_load_with_pump_and_valves(load):
    assert_obeyed(solve_steady(NET, make_boundary(flow_kg_s=load * DESIGN, **PUMPED)), load * DESIGN)


@pytest.mark.parametrize("out", range(NET.n_pipe))
def test_every_single_pipe_out_in_turn_with_pump_and_valves(out):
    closed = np.zeros(NET.n_pipe, bool)
    closed[out] = True
    state = solve_steady(NET, make_boundary(closed_pipe=closed, **PUMPED))
    assert_obeyed(state, 0.8 * DESIGN)
    assert state.source_flow_kg_s.sum() == pytest.approx(state.flow_kg_s.sum(), abs=1e-9)


def test_a_leak_that_empties_a_zone_starves_the_valves_behind_it():
    state = solve_steady(NET, make_boundary(leaks=(Leak("NS03", emitter=0.5),), **PUMPED))
    assert_obeyed(state, 0.8 * DESIGN)
    assert state.flow_kg_s[2] < 0.8 * DESIGN[2]
    assert state.make_up_kg_s[0] == pytest.approx(state.leak_kg_s, rel=1e-6)


def test_two_pumps_fighting_are_told_apart():
    pumps = (*PUMPED["pumps"], PumpDrive("CP2", 9e5, 2e8, source_id="SRC2"))
    state = solve_steady(NET, make_boundary(**PUMPED | {"pumps": pumps, "source_flow_kg_s": np.full(2, NAN)}))
    assert_obeyed(state, 0.8 * DESIGN)
    assert any(f.reason is Reason.PUMP_OUTSIDE_CURVE and f.ids == ("CP",) for f in state.findings)


def test_return_warmer_than_supply_with_pump_and_valves():
    state = solve_steady(NET, make_boundary(t_return_c=np.full(4, 120.0), **PUMPED))
    assert_obeyed(state, 0.8 * DESIGN)
    assert np.all(state.heat_w < 0.0)
