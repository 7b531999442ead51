"""Network 0 of the DESTEST exercise: its coordinates and routes, and the pipes its published runs used.

The exercise's repository holds a pipe table (``pipes.csv``: steel sizes, 36 m from i to h and d) that none of
the published runs of network 0 used. Its case description (tables 4 to 6; transcribed by
markisbell/rtheatflow, ``data/networks/destest_16/DATASET.md``) has plastic pipes; the same sizes stand in the
model of one of the participants: ghorwin/SIM-VICUS @ 6cbf0b28,
``data/validation/DESTEST/DestestNetwork_CE1.vicus``. There the two main pipes are 36 m long; in the case
description they have the 26.83 m that follow from the coordinates.
"""

import csv
from math import dist, log, pi

from tests.heat.rigs import DATA
from twin.heat import CompiledNetwork, compile_network
from twin.model.network import HeatNetwork, Node, Pipe, Side, Source, Substation

LABELS = {
    25: (0.025, 0.0023, 0.034),
    32: (0.032, 0.0029, 0.030),
    40: (0.040, 0.0037, 0.026),
    50: (0.050, 0.0046, 0.031),
}
"""Outer diameter, wall and insulation of the PE-X pipes, m."""
PEX_W_M_K, FOAM_W_M_K, ROUGHNESS_M = 0.35, 0.026, 7e-6
WATER_KG_M3, WATER_M2_S = 988.0, 5.5e-7
"""The exercise's water is that of 50 °C everywhere."""
FLOW_KG_S = 553.0 / 3600.0
"""Of every building: five of the six models have 16 x 553 kg/h, one 16 x 0.154 kg/s."""
MAINS = {frozenset("ih"): 50, frozenset("id"): 50, frozenset("ef"): 32, frozenset("ab"): 32}


def read_rows(name):
    with (DATA / "destest" / name).open(encoding="utf-8") as f:
        return list(csv.DictReader(f))


def read_results():
    """The published rows, one per model, in the order of the columns: time, flow, three pressure drops, six
    temperatures of the supply and six of the return, loss, heat."""
    rows = {}
    for path in sorted((DATA / "destest").glob("network0_*.csv")):
        with path.open(encoding="utf-8") as f:
            rows[path.stem.removeprefix("network0_")] = [float(x) for x in list(csv.reader(f))[1]]
    return rows


def make_network(pipes: list[tuple[str, str, float, float, float, float]]) -> CompiledNetwork:
    """From rows (upstream node, downstream node, length, diameter, roughness, loss coefficient)."""
    names = [r["Node"] for r in read_rows("nodes.csv")]
    homes = [n for n in names if n.startswith("Simple")]
    rows = [
        Pipe(f"{a}-{b}-{side.value}", f"{a}-{b}", side, a, b, length, d, k, u, 0.0, 1.0, 2020, ())
        for a, b, length, d, k, u in pipes
        for side in Side
    ]
    source = Source("PLANT", "", "", "boiler", "i", 0, 0, 1e6, 0, 0, 0.9, 70.0, 40.0, 6e5, 3e5)
    stations = tuple(
        Substation(n, "", "", n, "", 0, 0, 0, 19347.28, FLOW_KG_S, 0, 0, 1, 0, 0, 0, ()) for n in homes
    )
    return compile_network(
        HeatNetwork(tuple(Node(n, 0, 0, 0.0) for n in names), tuple(rows), (), (), (source,), stations)
    )


def make_repository_network() -> CompiledNetwork:
    """With ``pipes.csv`` of the repository, which the published runs did not use."""
    pipes = []
    for r in read_rows("pipes.csv"):
        d, s = float(r["Inner Diameter [m]"]), float(r["Insulation Thickness [m]"])
        u = 2 * pi * 0.025 / log((d + 2 * s) / d)
        pipes.append((r["Ending Node"], r["Beginning Node"], float(r["Length [m]"]), d, 5e-5, u))
    return make_network(pipes)


def make_described_network(main_m: float | None = None) -> CompiledNetwork:
    """With the pipes of the case description; ``main_m``: length of the two pipes from the plant."""
    at = {r["Node"]: (float(r["X-Position [m]"]), float(r["Y-Position [m]"])) for r in read_rows("nodes.csv")}
    pipes = []
    for r in read_rows("pipes.csv"):
        a, b = r["Ending Node"], r["Beginning Node"]
        outer, wall, foam = LABELS[25 if b.startswith("Simple") else MAINS.get(frozenset((a, b)), 40)]
        inner = outer - 2.0 * wall
        u = 2 * pi / (log(outer / inner) / PEX_W_M_K + log((outer + 2 * foam) / outer) / FOAM_W_M_K)
        length = main_m if main_m is not None and "i" in (a, b) else dist(at[a], at[b])
        pipes.append((a, b, length, inner, ROUGHNESS_M, u))
    return make_network(pipes)
