"""How fast the heat network engine is, and how far it agrees with its peers, in one run.

    python bench/heat_network.py [--peers build/peers/bin/python] [--json FILE] [--sizes 100 1000 10000]

The peers need older packages than the project: give them a Python of their own
(``python -m venv build/peers && build/peers/bin/pip install -r bench/peers.txt``). One thread each.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from twin.heat import SteadyBoundary, begin_transient, compile_network, solve_steady, step_transient
from twin.heat.hydraulics import FlowProblem, solve_flows
from twin.heat.program import write_program
from twin.heat.water import density_kg_m3, viscosity_pa_s
from twin.model.network import HeatNetwork, Node, Pipe, Side, Source, Substation

T_C = 20.0


def make_network(n_pipe: int, loops: float = 0.05, seed: int = 1) -> dict:
    """A random tree with 5 % more pipes than a tree needs; diameters for about 1 m/s in the tree."""
    rng = np.random.default_rng(seed)
    n_point = n_pipe - int(loops * n_pipe) + 1
    at = np.arange(1, n_point)
    parent = np.maximum(at - 1 - rng.integers(0, 1 + np.minimum(at - 1, 8)), 0)
    draw = np.where(rng.random(n_point) < 0.5, rng.uniform(0.05, 0.4, n_point), 0.0)
    leaf = np.setdiff1d(at, parent)
    draw[leaf] = np.maximum(draw[leaf], 0.05)
    draw[0] = 0.0
    below = draw.copy()
    for i in range(n_point - 1, 0, -1):
        below[parent[i - 1]] += below[i]
    extra_a = rng.integers(1, n_point, n_pipe - n_point + 1)
    extra_b = np.clip(extra_a + rng.integers(2, 30, extra_a.size), 1, n_point - 1)
    extra_b = np.where(extra_a == extra_b, extra_a - 1, extra_b)
    start, end = np.concatenate([parent, extra_a]), np.concatenate([at, extra_b])
    flow = np.concatenate([below[1:], 0.5 * np.minimum(below[extra_a], below[extra_b])])
    diameter = np.clip(np.sqrt(4.0 * flow / (np.pi * 1000.0 * 1.0)), 0.03, 1.5)
    return {
        "n_point": n_point,
        "start": start,
        "end": end,
        "length": rng.uniform(20.0, 80.0, n_pipe),
        "diameter": diameter,
        "roughness": np.full(n_pipe, 1e-4),
        "zeta": rng.uniform(0.0, 2.0, n_pipe),
        "elevation": 0.02 * np.cumsum(rng.normal(size=n_point)),
        "draw": draw,
        "p0": 5.0e6,
        "t_c": T_C,
        "rho": float(density_kg_m3(T_C)),
        "mu": float(viscosity_pa_s(T_C)),
    }


def pose(n: dict, draw: np.ndarray) -> FlowProblem:
    """The hydraulic problem of a generated network."""
    n_pipe = len(n["start"])
    fixed = np.full(n["n_point"], np.nan)
    fixed[0] = n["p0"]
    none = np.zeros(n_pipe, bool)
    return FlowProblem(
        n["start"], n["end"], n["length"], n["diameter"], n["roughness"], n["zeta"], np.zeros(n_pipe),
        np.full(n_pipe, n["rho"]), np.full(n_pipe, n["mu"]), ~none, none, n["elevation"], fixed, draw,
        np.zeros(n["n_point"]),
    )  # fmt: skip


def measure(n: dict, repeats: int) -> dict:
    """Times of compile, cold and warm solves (best of ``repeats``)."""
    t0 = time.perf_counter()
    program = write_program(n["start"], n["end"], n["n_point"])
    compile_s = time.perf_counter() - t0
    rng = np.random.default_rng(2)
    answer = solve_flows(pose(n, n["draw"]), program)
    cold, warm, steps = [], [], []
    for _ in range(repeats):
        t0 = time.perf_counter()
        answer = solve_flows(pose(n, n["draw"]), program)
        cold.append(time.perf_counter() - t0)
        moved = n["draw"] * rng.uniform(0.95, 1.05, n["n_point"])
        t0 = time.perf_counter()
        again = solve_flows(pose(n, moved), program, answer.m)
        warm.append(time.perf_counter() - t0)
        steps.append(again.iterations)
    return {
        "compile_s": compile_s,
        "cold_s": min(cold),
        "warm_s": min(warm),
        "cold_steps": answer.iterations,
        "warm_steps": int(np.median(steps)),
        "converged": answer.converged,
        "residual_pa": answer.residual_pa,
        "m": answer.m,
        "p": answer.p,
    }


def make_pairs(n: dict) -> HeatNetwork:
    """The generated network as supply and return, a substation wherever water is drawn."""
    nodes = tuple(Node(str(i), 0.0, 0.0, float(z)) for i, z in enumerate(n["elevation"]))
    pipes = tuple(
        Pipe(
            f"{k}{side}", str(k), side, str(a), str(b), float(n["length"][k]), float(n["diameter"][k]), 1e-4,
            0.15 + 0.5 * float(n["diameter"][k]), float(n["zeta"][k]), 1.5, 2010, (),
        )
        for k, (a, b) in enumerate(zip(n["start"], n["end"], strict=True))
        for side in Side
    )  # fmt: skip
    stations = tuple(
        Substation(f"S{i}", "", "", str(i), "", 0, 0, 0, 0, float(n["draw"][i]), 0, 0, 1, 0, 0, 0, ())
        for i in np.flatnonzero(n["draw"] > 0.0)
    )
    source = Source("SRC", "", "", "chp", "0", 0, 0, 1e10, 0, 0, 0.9, 110.0, 60.0, 4e6, 3e5)
    return HeatNetwork(nodes, pipes, (), (), (source,), stations)


def measure_doors(n_pipe: int, repeats: int) -> dict:
    """The public doors, both sides together, on ``n_pipe`` pipes: compile, steady, transient step."""
    t0 = time.perf_counter()
    net = compile_network(make_pairs(make_network(n_pipe // 2)))
    compile_s = time.perf_counter() - t0
    flow = net.station_design_kg_s
    boundary = SteadyBoundary(
        t_source_c=np.array([110.0]),
        p_supply_pa=np.array([4e6]),
        p_return_pa=np.array([3e5]),
        source_flow_kg_s=np.array([np.nan]),
        flow_kg_s=flow,
        t_return_c=np.full(len(flow), 55.0),
    )
    state, steady = begin_transient(net, boundary, parcels=8, cells=5)
    rng = np.random.default_rng(4)
    steady_s, step_s, error = [], [], 0.0
    for _ in range(repeats):
        moved = replace(boundary, flow_kg_s=flow * rng.uniform(0.95, 1.05, len(flow)))
        t0 = time.perf_counter()
        steady = solve_steady(net, moved, steady)
        steady_s.append(time.perf_counter() - t0)
        t0 = time.perf_counter()
        state, _, energy = step_transient(net, moved, state, 60.0)
        step_s.append(time.perf_counter() - t0)
        error = max(error, abs(energy.error) / energy.brought)
    return {
        "figure": f"public doors, {net.n_pipe} pipes of both sides, {len(flow)} substations",
        "compile_ms": 1e3 * compile_s,
        "steady_flow_and_heat_warm_ms": 1e3 * min(steady_s),
        "transient_step_60s_ms": 1e3 * min(step_s),
        "energy_error_rel": error,
    }


def ask_peers(python: str, n: dict, repeats: int) -> dict:
    """Run the peers on the same network with their own Python."""
    with tempfile.TemporaryDirectory() as d:
        case, out = Path(d) / "case.npz", Path(d) / "out.json"
        np.savez(case, **n)
        script = Path(__file__).with_name("heat_peers.py")
        subprocess.run([python, str(script), str(case), str(out), "--repeats", str(repeats)], check=True)
        return json.loads(out.read_text(encoding="utf-8"))


def compare(mine: dict, peer: dict) -> dict:
    """Largest differences from a peer's answer."""
    if "m" not in peer:
        return {}
    m = np.array(peer["m"])
    out = {"m_rel": float(np.abs(mine["m"] - m).max() / np.abs(m).max())}
    if "p" in peer:
        out["p_pa"] = float(np.abs(mine["p"] - np.array(peer["p"])).max())
    return out


def main() -> None:
    """Print the table; write it where ``--json`` says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default="build/peers/bin/python")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json")
    args = parser.parse_args()
    t0 = time.perf_counter()
    small = make_network(30)
    solve_flows(pose(small, small["draw"]), write_program(small["start"], small["end"], small["n_point"]))
    rows = [{"figure": "import of kernels and first solution", "ours_ms": 1e3 * (time.perf_counter() - t0)}]
    peers_here = Path(args.peers).exists()
    if not peers_here:
        print(f"no peers: {args.peers} does not exist (see the docstring)")
    for size in args.sizes:
        n = make_network(size)
        mine = measure(n, args.repeats)
        peers = ask_peers(args.peers, n, 5) if peers_here else {}
        row = {
            "figure": f"steady hydraulics, {size} pipes",
            "compile_ms": 1e3 * mine["compile_s"],
            "cold_ms": 1e3 * mine["cold_s"],
            "warm_ms": 1e3 * mine["warm_s"],
            "steps": f"{mine['cold_steps']}/{mine['warm_steps']}",
            "converged": mine["converged"],
        }
        for name, peer in peers.items():
            if "best_s" not in peer:
                row[name] = peer.get("error", "no answer")[:60]
                continue
            row[f"{name}_ms"] = 1e3 * peer["best_s"]
            row[f"{name}/cold"] = peer["best_s"] / mine["cold_s"]
            row[f"{name}/warm"] = peer["best_s"] / mine["warm_s"]
            row.update({f"{name}_{k}": v for k, v in compare(mine, peer).items()})
        rows.append(row)
    rows.extend(measure_doors(size, args.repeats) for size in args.sizes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    rows.append({"figure": "peak memory", "MB": peak})
    for row in rows:
        print("; ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
