"""Random networks of supply and return with substations and one or two sources."""

import numpy as np

from twin.heat import CompiledNetwork, compile_network
from twin.model.network import HeatNetwork, Node, Pipe, Side, Source, Substation


def make_pairs(seed: int, n_node: int, loops: int) -> CompiledNetwork:
    """A tree of ``n_node`` nodes with ``loops`` more trenches, a station at about every second node."""
    rng = np.random.default_rng(seed)
    ends = [(int(rng.integers(max(0, i - 5), i)), i) for i in range(1, n_node)]
    for _ in range(loops):
        a = int(rng.integers(0, n_node))
        ends.append((a, (a + int(rng.integers(1, n_node))) % n_node))
    z = rng.uniform(0.0, 15.0, n_node)
    nodes = tuple(Node(f"N{i}", 0.0, 0.0, float(z[i])) for i in range(n_node))
    pipes = tuple(
        Pipe(
            f"P{k}-{side[0]}", f"P{k}", side, f"N{a}", f"N{b}", float(length), float(d), 5e-4, 0.3, 2.0, 1.5,
            2010, (),
        )
        for k, ((a, b), length, d) in enumerate(
            zip(ends, rng.uniform(20, 300, len(ends)), rng.uniform(0.08, 0.3, len(ends)), strict=True)
        )
        for side in Side
    )  # fmt: skip
    at = [i for i in range(1, n_node) if rng.random() < 0.5] or [n_node - 1]
    stations = tuple(
        Substation(
            f"S{i}", "", "", f"N{i}", "", 0, 0, 0, 0, float(rng.uniform(0.3, 3.0)), 0, 0,
            float(rng.uniform(2.0, 30.0)), 0, 0, 0, (),
        )
        for i in at
    )  # fmt: skip
    sources = tuple(
        Source(f"SRC{k}", "", "", "chp", f"N{i}", 0, 0, 1e9, 0, 0, 0.9, 110.0, 60.0, 8e5, 3e5)
        for k, i in enumerate((0, n_node // 2))
    )
    return compile_network(HeatNetwork(nodes, pipes, (), (), sources, stations))
