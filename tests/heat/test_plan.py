"""Cutting a network into trees, chains and junctions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.heat.test_random_networks import make_problem
from twin.heat.plan import CHAIN_A, CHAIN_B, CHAIN_SLOT, CORE_PIPE, LEAF, LEAF_PIPE, make_plan, sort_points
from twin.heat.program import write_program

specs = st.tuples(st.integers(0, 10_000), st.integers(2, 120), st.sampled_from([0.0, 0.05, 0.3, 0.6]))


def cut(q, rank=None):
    return make_plan(q.start, q.end, q.open_.copy(), sort_points(q.fixed_pa, q.emitter), rank)


@given(specs)
def test_every_pipe_is_in_a_tree_or_in_a_chain(spec):
    q = make_problem(*spec)
    plan, _ = cut(q)
    assert plan.reached.all()
    assert sorted([*plan.tree[LEAF_PIPE], *plan.core[CORE_PIPE]]) == list(range(len(q.start)))
    assert len(set(plan.tree[LEAF])) == plan.tree.shape[1]


@given(specs)
def test_an_order_that_is_kept_gives_the_same_elimination(spec):
    q = make_problem(*spec)
    new, rank = cut(q)
    again, _ = cut(q, rank)
    for name in ("first", "row", "target", "junction", "chain", "core", "tree"):
        assert np.array_equal(getattr(new, name), getattr(again, name)), name


@given(specs)
def test_slots_hold_the_pair_of_junctions_of_their_chain(spec):
    plan, _ = cut(make_problem(*spec))
    column = np.repeat(np.arange(plan.n_free), np.diff(plan.first))
    for a, b, slot in zip(plan.chain[CHAIN_A], plan.chain[CHAIN_B], plan.chain[CHAIN_SLOT], strict=True):
        if slot >= 0:
            assert (column[slot], plan.row[slot]) == (min(a, b), max(a, b))
        else:
            assert a == b or max(a, b) >= plan.n_free


def test_a_tree_has_no_unknowns_and_a_ring_one_chain():
    tree, _ = cut(make_problem(3, 40, 0.0))
    assert tree.core.shape == (4, 0)
    assert tree.n_free == 0
    kind = np.array([1, 0, 0, 0], np.int8)
    plan, _ = make_plan(np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0]), np.ones(4, bool), kind, None)
    assert plan.chain.shape[1] == 1
    assert plan.core.shape[1] == 4


def test_the_last_plans_are_kept_and_change_nothing():
    q = make_problem(5, 60, 0.2)
    program = write_program(q.start, q.end, len(q.fixed_pa))
    first = program.find_plan(q.open_, q.fixed_pa, q.emitter)
    for k in range(3):
        shut = q.open_.copy()
        shut[k] = False
        assert program.find_plan(shut, q.fixed_pa, q.emitter) is not first
    assert program.find_plan(q.open_, q.fixed_pa, q.emitter) is first
    for k in range(8):
        shut = q.open_.copy()
        shut[k] = False
        program.find_plan(shut, q.fixed_pa, q.emitter)
    assert len(program.plans) == 4
