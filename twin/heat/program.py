"""What a network keeps between two solves: the plans of its last few states of valves and pressures."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.heat.plan import Plan, make_plan, serves, sort_points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

KEPT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Plans of one graph, most recent first. A plan follows from what it is asked for alone: keeping the last
    ones saves time and changes no answer."""

    start: Ints
    end: Ints
    n_point: int
    plans: list[Plan] = field(default_factory=list, repr=False)
    ranks: list[Ints] = field(default_factory=list, repr=False)
    longer: "list[Program]" = field(default_factory=list, repr=False)

    def find_plan(self, open_: Bools, fixed_pa: Floats, emitter: Floats) -> Plan:
        """The plan for these open pipes (n_pipe,), pressures (n_point,) and emitters (n_point,)."""
        kept = self.plans
        for plan in kept:
            if serves(plan.open_, plan.kind, open_, fixed_pa, emitter):
                return plan
        rank = self.ranks[0] if self.ranks else None
        plan, rank = make_plan(self.start, self.end, open_.copy(), sort_points(fixed_pa, emitter), rank)
        self.plans[:], self.ranks[:] = [plan, *kept[: KEPT - 1]], [rank]
        return plan

    def extend(self, start: Ints, end: Ints) -> "Program":
        """The program of this graph with more edges (n_edge,) behind its own."""
        n = len(self.start)
        for longer in self.longer:
            if np.array_equal(longer.start[n:], start) and np.array_equal(longer.end[n:], end):
                return longer
        new = Program(
            np.concatenate([self.start, start]), np.concatenate([self.end, end]), self.n_point,
            ranks=list(self.ranks),
        )  # fmt: skip
        self.longer[:] = [new, *self.longer[: KEPT - 1]]
        return new


def write_program(start: Ints, end: Ints, n_point: int) -> Program:
    """Prepare the graph of pipes from points ``start`` to ``end`` (n_pipe,) for :func:`solve_flows`."""
    return Program(start, end, n_point)
