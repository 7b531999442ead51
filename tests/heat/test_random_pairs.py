"""Random networks of supply and return with pumps and substations that saturate: every law at once."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.heat.pairs import make_pairs
from twin.heat import PumpDrive, Reason, StationControl, SteadyBoundary, compile_network, solve_steady
from twin.heat.water import density_kg_m3, enthalpy_j_kg

NAN = np.nan
cases = st.tuples(
    st.integers(0, 10_000), st.integers(2, 25), st.integers(0, 4), st.floats(0.0, 3.0), st.booleans()
)


def make_case(seed, n_node, loops, load, second):
    net = make_pairs(seed, n_node, loops)
    rng = np.random.default_rng(seed + 1)
    n = len(net.station_node)
    pumps = (PumpDrive("A", 5e5, float(10.0 ** rng.uniform(7, 9)), 1.0, source_id="SRC0"),)
    if second:
        pumps += (
            PumpDrive("B", 4.5e5, float(10.0 ** rng.uniform(7, 9)), rng.uniform(0.7, 1.1), source_id="SRC1"),
        )
    by_heat = rng.random(n) < 0.4
    opening = np.where(~by_heat & (rng.random(n) < 0.3), rng.random(n), NAN)
    flow = load * net.station_design_kg_s
    boundary = SteadyBoundary(
        t_source_c=np.array([110.0, 100.0]),
        p_supply_pa=np.full(2, NAN),
        p_return_pa=np.array([3e5, NAN]),
        source_flow_kg_s=np.array([NAN, NAN if second else 0.0]),
        flow_kg_s=flow,
        t_return_c=np.full(n, 50.0),
        heat_w=flow * 2.2e5,
        pumps=pumps,
        control=StationControl(by_heat, opening),
    )
    return net, boundary


@given(cases)
def test_every_network_is_solved_or_named_and_every_valve_obeys_its_law(spec):
    net, b = make_case(*spec)
    s = solve_steady(net, b)
    assert s.converged, s.findings
    if any(f.reason is Reason.UNSETTLED for f in s.findings):  # convection in loops with hardly any flow
        return
    assert s.residual_kg_s < 1e-9
    at, named = net.station_node, {f.reason: f.ids for f in s.findings}
    dp = (s.p_supply_pa - s.p_return_pa)[at]
    rho = density_kg_m3(np.minimum(s.t_supply_c, s.t_return_c)[at])
    standing = np.isfinite(b.control.opening)
    settled = 1e-3 * float(np.abs(s.mass_flow_kg_s).max())  # what may still move without a word
    kv = np.array([x.kv_m3_h for x in net.network.substations]) * np.where(standing, b.control.opening, 1.0)
    most = kv / 3600.0 * np.sqrt(np.maximum(dp, 0.0) / 1e5 * 1000.0 * rho)
    gain = enthalpy_j_kg(s.t_supply_c[at]) - enthalpy_j_kg(50.0)
    wanted = np.where(b.control.by_heat, b.heat_w / np.maximum(gain, 1.0), b.flow_kg_s)
    assert np.all(s.flow_kg_s >= 0.0)
    assert np.allclose(s.flow_kg_s[standing], most[standing], rtol=2e-3, atol=1e-4 + settled)
    free = ~standing
    assert np.allclose(s.flow_kg_s[free], np.minimum(wanted, most)[free], rtol=2e-3, atol=1e-4 + settled)
    short = free & (s.flow_kg_s < 0.98 * wanted - 1e-3) & (dp > 100.0)
    ids = np.array([x.id for x in net.network.substations])
    assert set(ids[short]) <= set(named.get(Reason.VALVE_SATURATED, ()))
    assert abs(s.make_up_kg_s).max() < 1e-7
    assert np.isclose(s.source_flow_kg_s.sum(), s.flow_kg_s.sum(), rtol=1e-9, atol=1e-7)
    p = np.concatenate([s.p_supply_pa, s.p_return_pa])
    if p.min() < 0.0:
        assert {Reason.PRESSURE_BELOW_AIR, Reason.PRESSURE_BELOW_VAPOUR} & set(named)


@given(cases)
def test_the_order_of_the_tables_does_not_matter(spec):
    net, b = make_case(*spec)
    order = np.random.default_rng(2).permutation(net.n_pipe)
    mixed = compile_network(
        replace(net.network, pipes=tuple(net.network.pipes[int(k)] for k in order), nodes=net.network.nodes)
    )
    one, two = solve_steady(net, b), solve_steady(mixed, b)
    if not any(f.reason is Reason.UNSETTLED for f in (*one.findings, *two.findings)):
        scale = np.abs(one.mass_flow_kg_s).max() + 1e-2
        assert np.allclose(one.mass_flow_kg_s[order], two.mass_flow_kg_s, atol=2e-4 * scale)
