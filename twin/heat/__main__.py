"""``python -m twin.heat``: compile the kernels of the live twin and of simulated days; nobody waits later."""

import time

import numpy as np

from twin.heat import (
    DayPlan,
    SteadyBoundary,
    Weather,
    begin_transient,
    compile_network,
    compile_system,
    name_of_sources,
    simulate_day,
    step_transient,
)
from twin.model.county import Building
from twin.model.network import HeatNetwork, Node, Pipe, Side, Source, Substation


def make_smallest() -> HeatNetwork:
    """A source, a loop of three trenches and a station: every kernel has something to do."""
    here = (105.0, 35.0)
    nodes = tuple(Node(i, *here, 1700.0) for i in ("a", "b", "c"))
    pipes = tuple(
        Pipe(f"{a}{b}{side}", f"{a}{b}", side, a, b, 400.0, 0.2, 5e-4, 0.3, 0.5, 1.2, 2015, (here, here))
        for a, b in (("a", "b"), ("b", "c"), ("a", "c"))
        for side in Side
    )
    source = Source(
        "S", "", "", "chp", "a", *here, 2e7, 0.0, 1e5, 0.9, 110.0, 60.0, 9e5, 3e5,
    )  # fmt: skip
    curve = tuple((float(t), 60.0 - t) for t in range(-20, 12, 4))
    station = Substation(
        "H", "", "", "c", "", *here, 1e4, 5e5, 3.0, 10.0, 2e4, 20.0, 50.0, 40.0, 3e5, curve,
    )  # fmt: skip
    return HeatNetwork(nodes, pipes, sources=(source,), substations=(station,))


def main() -> None:
    """Solve, step, and say how long it took."""
    began = time.perf_counter()
    net = compile_network(make_smallest())
    boundary = SteadyBoundary(
        t_source_c=np.array([90.0]), p_supply_pa=np.array([9e5]), p_return_pa=np.array([3e5]),
        source_flow_kg_s=np.array([np.nan]), flow_kg_s=np.array([3.0]), t_return_c=np.array([45.0]),
    )  # fmt: skip
    state, _ = begin_transient(net, boundary)
    step_transient(net, boundary, state, 60.0)
    building = Building(
        "B",
        "",
        "",
        "residential",
        (),
        1700.0,
        18.0,
        6,
        2005,
        True,
        1e4,
        100,
        "H",
        4.5e5,
        1.6e4,
        4e9,
        100.0,
        10.0,
    )
    weather = Weather(np.full(3, -5.0), np.full(3, 2.0), np.zeros(3))
    simulate_day(compile_system(net, [building]), weather, DayPlan(60.0, boundary, np.full((3, 1), 90.0)))
    print(f"the heat engine is compiled ({name_of_sources()}, {time.perf_counter() - began:.0f} s)")


if __name__ == "__main__":
    main()
