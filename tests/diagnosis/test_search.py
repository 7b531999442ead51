"""Leak search: what portable instruments would show, what a result says, and which check is advised next."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.heat.pairs import make_pairs
from tests.support.tiny import make_tiny_county
from twin.diagnosis.search import (
    KIT,
    Check,
    Kit,
    Result,
    advise,
    answer_checks,
    check_result,
    compile_trench,
    measure_zone,
    spread_chance,
    weigh_results,
)
from twin.heat import Leak, SteadyBoundary, compile_network, solve_steady
from twin.model.errors import InputError

NAN = math.nan


def make_state(seed: int, loops: int, leaks: tuple[Leak, ...] = ()):
    network = make_pairs(seed, 24, loops).network
    holds, other = network.sources
    level = tuple(
        replace(node, elevation_m=0.0) for node in network.nodes
    )  # no water rises because it is warm
    net = compile_network(
        replace(network, nodes=level, sources=(holds, replace(other, holds_pressure=False)))
    )
    n = len(net.station_node)
    boundary = SteadyBoundary(
        np.array([110.0, 100.0]), np.array([8e5, NAN]), np.array([3e5, NAN]), np.array([NAN, 0.0]),
        4.0 * net.station_design_kg_s, np.full(n, 50.0), leaks=leaks,
    )  # fmt: skip
    return net, solve_steady(net, boundary), boundary


def clamps(net, trench) -> list[Check]:
    nodes = net.network.nodes
    return [
        Check("clamp", (p,), nodes[e].id)
        for p, ends in zip(trench.pair_ids, trench.ends, strict=True)
        for e in ends
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_clamp_on_meter_shows_what_the_engine_says_of_a_leak(seed: int) -> None:
    net, base, boundary = make_state(seed, 5)
    trench = compile_trench(net)
    checks = clamps(net, trench)
    told = answer_checks(net, trench, base, checks, KIT)
    lost = 0.001 * float(np.nansum(base.source_flow_kg_s))
    for k in range(0, net.n_pipe, 5):
        leak = (Leak(pipe_id=net.network.pipes[k].id, flow_kg_s=lost),)
        after = solve_steady(net, replace(boundary, leaks=leak))
        more = (after.mass_flow_kg_s - base.mass_flow_kg_s) * np.sign(base.mass_flow_kg_s)
        for i, pair in enumerate(np.repeat(np.arange(len(trench.pair_ids)), 2)):
            s, r = trench.supply[pair], trench.back[pair]
            if k in (s, r) or min(abs(base.mass_flow_kg_s[[s, r]])) < 20.0 * lost:
                continue
            assert told.change[i, k] == pytest.approx((more[s] - more[r]) / lost, abs=0.06)


@settings(max_examples=15)
@given(st.integers(0, 500))
def test_in_a_tree_a_leak_is_behind_a_section_or_it_is_not(seed: int) -> None:
    net, base, _ = make_state(seed, 0)
    trench = compile_trench(net)
    moving = np.minimum(abs(base.mass_flow_kg_s[trench.supply]), abs(base.mass_flow_kg_s[trench.back])) > 0.05
    told = answer_checks(net, trench, base, clamps(net, trench), KIT)
    rows = np.repeat(moving, 2)
    share = told.change[rows]
    assert np.all((np.abs(share) < 0.01) | (np.abs(share - 1.0) < 0.01))
    assert np.all(told.doubt[rows] < 1e-3 * np.nansum(base.source_flow_kg_s))
    # both ends of a section differ by what the section itself loses, and by nothing else
    differ = np.abs(told.change[0::2] - told.change[1::2]) > 0.5
    own = trench.pair_of[None, :] == np.arange(len(trench.pair_ids))[:, None]
    assert np.array_equal(differ[moving], own[moving])


@settings(max_examples=10)
@given(st.integers(0, 500), st.integers(1, 6))
def test_what_flows_into_a_junction_and_is_lost_there_adds_up_in_loops(seed: int, loops: int) -> None:
    net, base, _ = make_state(seed, loops)
    trench = compile_trench(net)
    nodes = net.network.nodes
    checks = clamps(net, trench)
    told = answer_checks(net, trench, base, checks, KIT)
    held = {int(n) for n in net.source_node}
    for node in range(net.n_node):
        rows = [i for i, c in enumerate(checks) if c.node_id == nodes[node].id]
        if node in held:
            continue
        total = np.zeros(net.n_pipe)
        for i in rows:
            pair = trench.number[checks[i].pair_ids[0]]
            s = trench.supply[pair]
            supply = net.start < net.n_node
            along = 1.0 if base.mass_flow_kg_s[s] >= 0.0 else -1.0
            leaves = along if net.start[s] == node else -along
            total += np.where(supply, leaves * told.change[i], 0.0)
        assert np.allclose(total, 0.0, atol=0.01), "read at the chamber, nothing is lost in between"


def read(told, i: int, size: float, broken: int, t: float = 0.0) -> Result:
    """Exactly what check ``i`` shows of a leak."""
    check = told.checks[i]
    if check.kind == "listen":
        return Result(check, float(told.change[i, broken] > 0.4), NAN, t)
    there, back = told.flow[i]
    more = told.change[i, broken] * size
    if told.supply[broken]:
        there = abs(there + more)
    else:
        back = abs(back - more)
    return Result(check, *(np.array([there, back]) / told.rho_kg_m3[i]).tolist(), t)


@settings(max_examples=20)
@given(st.integers(0, 200), st.integers(0, 4), st.randoms(use_true_random=False))
def test_results_make_a_probability_whatever_their_order(seed: int, loops: int, rnd) -> None:
    net, base, _ = make_state(seed, loops)
    trench = compile_trench(net)
    told = answer_checks(net, trench, base, clamps(net, trench), KIT)
    size = np.full(net.n_pipe, 0.02 * float(np.nansum(base.source_flow_kg_s)))
    broken = rnd.randrange(net.n_pipe)
    rows = [rnd.randrange(len(told.checks)) for _ in range(4)]
    results = [read(told, i, float(size[0]), broken) for i in rows]
    score = weigh_results(told.pick(rows), results, size, KIT)
    back = weigh_results(told.pick(rows[::-1]), results[::-1], size, KIT)
    assert np.all(np.isfinite(score))
    assert np.allclose(score.sum(axis=0), back.sum(axis=0))
    chance = spread_chance(score.sum(axis=0))
    assert chance.sum() == pytest.approx(1.0)
    # exact readings never speak against the pipe that is broken
    assert chance[broken] >= chance.max() * 0.3


@pytest.mark.parametrize("loops", [0, 5])
def test_a_crew_that_follows_the_advice_finds_the_leak_though_one_reading_is_wrong(loops: int) -> None:
    net, base, _ = make_state(3, loops)
    trench = compile_trench(net)
    size = np.full(net.n_pipe, 0.03 * float(np.nansum(base.source_flow_kg_s)))
    rng = np.random.default_rng(4)
    near = []
    for broken in rng.integers(0, net.n_pipe, 6).tolist():
        results: list[Result] = []
        chance = np.full(net.n_pipe, 1.0 / net.n_pipe)
        zones = [measure_zone(net.length_m, chance)]
        for n in range(9):
            told = advise(net, trench, base, chance, size, KIT, [r.check for r in results])
            if not told.checks:
                break
            best = answer_checks(net, trench, base, [told.checks[0].check], KIT)
            result = read(best, 0, float(size[0]), broken, float(n))
            if n == 0:  # a plainly wrong reading: a fifth of the water missing in the return pipe
                result = (
                    replace(result, second=0.8 * result.first) if result.second == result.second else result
                )
            results.append(result)
            asked = answer_checks(net, trench, base, [r.check for r in results], KIT)
            chance = spread_chance(weigh_results(asked, results, size, KIT).sum(axis=0))
            zones.append(measure_zone(net.length_m, chance))
        assert zones[-1] < 0.3 * zones[0]
        pair = trench.pair_of[int(np.argmax(chance))]
        near.append(bool(np.isin(trench.ends[pair], trench.ends[trench.pair_of[broken]]).any()))
    assert np.mean(near) >= 0.8, "the most probable section is the broken one or touches it"


def test_one_reading_cannot_lock_a_place() -> None:
    net, base, _ = make_state(3, 3)
    trench = compile_trench(net)
    told = answer_checks(net, trench, base, clamps(net, trench), KIT)
    size = np.full(net.n_pipe, 0.02 * float(np.nansum(base.source_flow_kg_s)))
    for i in range(len(told.checks)):
        wild = Result(told.checks[i], 5.0, 0.0, 0.0)
        (score,) = weigh_results(told.pick([i]), [wild], size, KIT)
        assert np.ptp(score) < 0.5, "what no leak explains says nothing"
        best = told.pick([i])
        (score,) = weigh_results(best, [read(told, i, float(size[0]), 0)], size, KIT)
        assert np.ptp(score) < 12.0


def test_a_valve_test_tells_what_is_behind_it_and_nothing_in_a_loop() -> None:
    network = make_tiny_county().network
    net = compile_network(network)
    n = len(network.substations)
    flow = np.array([0.7 * s.design_flow_kg_s for s in network.substations])
    holds = np.array([s.holds_pressure for s in network.sources])
    p_pa = [np.array([getattr(s, key) for s in network.sources]) for key in ("p_supply_pa", "p_return_pa")]
    boundary = SteadyBoundary(
        np.full(holds.size, 100.0), *p_pa, np.where(holds, NAN, 0.0), flow, np.full(n, 50.0)
    )
    trench = compile_trench(net)
    shut = np.flatnonzero(trench.valve_end >= 0)
    ends = trench.ends[shut, trench.valve_end[shut]]
    checks = [
        Check("valve", (trench.pair_ids[p],), network.nodes[e].id) for p, e in zip(shut, ends, strict=True)
    ]
    told = answer_checks(net, trench, solve_steady(net, boundary), checks, KIT)
    assert 0 < np.sum(told.cut < 0) < len(checks), "sections of the loop, and of branches"
    size = np.full(net.n_pipe, 1.0)
    for i, check in enumerate(checks):
        (score,) = weigh_results(told.pick([i]), [Result(check, 2e-3, 1e-3, 0.0)], size, KIT)
        behind = told.change[i] > 0.5
        if told.cut[i] < 0:
            assert np.all(score == 0.0)
        else:
            assert told.cut[i] >= 1
            assert behind.any() and score[behind].min() > score[~behind].max() + 1.0


def test_listening_reaches_as_far_as_it_is_said_to() -> None:
    net, base, _ = make_state(3, 3)
    trench = compile_trench(net)
    checks = [Check("listen", (), n.id) for n in net.network.nodes]
    told = answer_checks(net, trench, base, checks, KIT)
    assert told.change.max() <= KIT.hear + 1e-9
    assert told.change.min() == pytest.approx(KIT.imagine)
    deaf = answer_checks(net, trench, base, checks, Kit(hear_m=0.1, deaf_m=0.2))
    assert deaf.change.max() < told.change.max()


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (Result(Check("smell", (), "N1"), 1.0, NAN, 0.0), "is no check"),
        (Result(Check("listen", (), "N1"), 0.5, NAN, 0.0), "true or false"),
        (Result(Check("clamp", ("P1",), "N1"), -0.1, 0.1, 0.0), "supply: a flow"),
        (Result(Check("clamp", ("P1",), "N1"), 0.1, NAN, 0.0), "return: a flow"),
        (Result(Check("valve", ("P1",), "N1"), 0.1, math.inf, 0.0), "after: a flow"),
    ],
)
def test_what_cannot_be_a_result_is_refused_in_words(result: Result, why: str) -> None:
    with pytest.raises(InputError, match=why):
        check_result(result)


@pytest.mark.parametrize(
    ("check", "why"),
    [
        (Check("clamp", ("P-none",), "N1"), "there is no pair"),
        (Check("listen", (), "nowhere"), "there is no chamber"),
        (Check("clamp", (), "N1"), "needs one pair"),
        (Check("valve", ("P1",), "N1"), "neither end|no section valves"),
    ],
)
def test_a_check_at_no_place_is_refused_in_words(check: Check, why: str) -> None:
    net, base, _ = make_state(3, 3)
    with pytest.raises(InputError, match=why):
        answer_checks(net, compile_trench(net), base, [check], KIT)
