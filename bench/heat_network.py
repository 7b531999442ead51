"""How fast the heat network engine is, and how far it agrees with its peers, in one run.

    python bench/heat_network.py [--peers build/peers/bin/python] [--json FILE] [--quick]

Prints one row per figure: what was measured, what must be and what is aimed at, and the peer's time of the
same run. The peers need older packages than the project: give them a Python of their own
(``python -m venv build/peers && build/peers/bin/pip install -r bench/peers.txt``). One thread each; times are
processor time, the best of many: on an idle machine that is the time on the clock (the load is printed).
The process keeps the memory it frees, as the twin worker does (``twin.heat.memory``).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from twin.heat import (
    SteadyBoundary,
    begin_transient,
    compile_network,
    list_pipe_leaks,
    solve_batch,
    solve_steady,
    step_transient,
)
from twin.heat.hydraulics import FlowProblem, solve_flows
from twin.heat.memory import keep_freed_memory
from twin.heat.program import write_program
from twin.heat.water import density_kg_m3, heat_capacity_j_kg_k, viscosity_pa_s
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


def measure_flows(n: dict, repeats: int) -> dict:
    """Cold and warm solves, the posing of the problem included (best of ``repeats``)."""
    t0 = time.process_time()
    program = write_program(n["start"], n["end"], n["n_point"])
    answer = solve_flows(pose(n, n["draw"]), program)
    first_s = time.process_time() - t0
    rng = np.random.default_rng(2)
    cold, warm, steps = [], [], []
    for _ in range(repeats):
        t0 = time.process_time()
        answer = solve_flows(pose(n, n["draw"]), program)
        cold.append(time.process_time() - t0)
        moved = n["draw"] * rng.uniform(0.95, 1.05, n["n_point"])
        t0 = time.process_time()
        again = solve_flows(pose(n, moved), program, answer.m)
        warm.append(time.process_time() - t0)
        steps.append(again.iterations)
    return {
        "first_s": first_s,
        "cold_s": min(cold),
        "warm_s": min(warm),
        "steps": f"{answer.iterations}/{int(np.median(steps))}",
        "residual_kg_s": answer.residual_kg_s,
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


def make_boundary(n_station: int, flow: np.ndarray) -> SteadyBoundary:
    """One source that holds both pressures, stations of given flow."""
    return SteadyBoundary(
        t_source_c=np.array([110.0]),
        p_supply_pa=np.array([4e6]),
        p_return_pa=np.array([3e5]),
        source_flow_kg_s=np.array([np.nan]),
        flow_kg_s=flow,
        t_return_c=np.full(n_station, 55.0),
    )


def time_many(repeats: int, call: Callable[[], object]) -> np.ndarray:
    """Times of a call in seconds (repeats,), after one that does not count."""
    call()
    spent = np.empty(repeats)
    for k in range(repeats):
        t0 = time.process_time()
        call()
        spent[k] = time.process_time() - t0
    return spent


def best_of(repeats: int, call: Callable[[], object]) -> float:
    """Shortest time of a call in seconds, after one that does not count."""
    return float(time_many(repeats, call).min())


def measure_doors(n_pipe: int, repeats: int) -> list[dict]:
    """The public doors, both sides together, on ``n_pipe`` pipes: steady flow and heat, transient step."""
    net = compile_network(make_pairs(make_network(n_pipe // 2)))
    flow, rng = net.station_design_kg_s, np.random.default_rng(4)
    boundary = make_boundary(len(flow), flow)
    state, steady = begin_transient(net, boundary, parcels=8, cells=5)

    def move() -> SteadyBoundary:
        return replace(boundary, flow_kg_s=flow * rng.uniform(0.95, 1.05, len(flow)))

    steady_s = best_of(repeats, lambda: solve_steady(net, move(), steady))
    step_s = time_many(5 * repeats, lambda: step_transient(net, move(), state, 60.0))
    step = {"must": 4.0, "aim": 2.0} if n_pipe == 10_000 else {}
    spread = {"median_ms": 1e3 * float(np.median(step_s)), "p95_ms": 1e3 * float(np.percentile(step_s, 95))}
    rows = [
        {"figure": f"steady flow and heat, warm, {n_pipe} pipes", "value": 1e3 * steady_s},
        {"figure": f"transient step of 60 s, {n_pipe} pipes", "value": 1e3 * float(step_s.min())},
    ]
    return [rows[0] | {"unit": "ms"}, rows[1] | {"unit": "ms"} | step | spread]


def measure_leaks(repeats: int) -> dict:
    """A leak at each of 1,000 pipes (both sides), flows and pressures."""
    net = compile_network(make_pairs(make_network(500)))
    boundary = make_boundary(len(net.station_node), net.station_design_kg_s)
    base, scenarios = solve_steady(net, boundary), list_pipe_leaks(net, 1e-3)
    if not solve_batch(net, boundary, scenarios, base).converged.all():
        raise SystemExit("not every leak was solved")
    best = best_of(repeats, lambda: solve_batch(net, boundary, scenarios, base))
    return {
        "figure": "1,000 leaks, 1,000 pipes",
        "value": 1e3 * best,
        "unit": "ms",
        "must": 150.0,
        "aim": 50.0,
    }


def solve_first(n_pipe: int) -> None:
    """One steady state in a fresh process; prints its peak of memory in MB."""
    net = compile_network(make_pairs(make_network(n_pipe // 2)))
    state = solve_steady(net, make_boundary(len(net.station_node), net.station_design_kg_s))
    if not state.converged:
        raise SystemExit("no answer")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)


def measure_starts(size: int) -> list[dict]:
    """Process start to first solution with and without compiled caches, and memory at ``size`` pipes."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache}

        def start(n_pipe: int) -> tuple[float, float, float]:
            clock, busy = time.monotonic(), os.times()
            command = [sys.executable, __file__, "--first", str(n_pipe)]
            out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            now = os.times()
            spent = now.children_user + now.children_system - busy.children_user - busy.children_system
            return spent, time.monotonic() - clock, float(out.stdout)

        cold_s, cold_clock_s, _ = start(100)
        warm_s, warm_clock_s, _ = min(start(100) for _ in range(5))
        memory = start(size)[2]
    name = "process start to first solution"
    return [
        {
            "figure": f"{name}, caches warm",
            "value": warm_clock_s,
            "unit": "s",
            "must": 1.0,
            "processor_s": warm_s,
        },
        {
            "figure": f"{name}, nothing compiled",
            "value": cold_clock_s,
            "unit": "s",
            "must": 10.0,
            "processor_s": cold_s,
        },
        {"figure": f"peak memory, {size} pipes", "value": memory, "unit": "MB", "must": 400.0, "aim": 250.0},
    ]


def ask_peers(python: str, n: dict, repeats: int) -> dict:
    """Run the peers on the same network with their own Python."""
    with tempfile.TemporaryDirectory() as d:
        case, out = Path(d) / "case.npz", Path(d) / "out.json"
        np.savez(case, **n)
        script = Path(__file__).with_name("heat_peers.py")
        one = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        subprocess.run(
            [python, str(script), str(case), str(out), "--repeats", str(repeats)], check=True, env=one
        )
        return json.loads(out.read_text(encoding="utf-8"))


def compare_flows(size: int, peers: str, repeats: int) -> list[dict]:
    """Steady hydraulics of ``size`` pipes beside the peers."""
    n = make_network(size)
    mine = measure_flows(n, repeats)
    answers = ask_peers(peers, n, 40 if size <= 1000 else 15) if peers else {}
    rows: list[dict] = []
    strict = size >= 1000
    wanted = {"cold": (150.0, 300.0), "warm": (300.0, 1000.0)}
    for name, peer in answers.items():
        if "best_s" not in peer:
            rows.append(
                {"figure": f"{name}, {size} pipes", "value": np.nan, "unit": peer.get("error", "")[:60]}
            )
            continue
        m = np.array(peer["m"])
        agreement = {"flows_differ_of_largest": float(np.abs(mine["m"] - m).max() / np.abs(m).max())}
        if "p" in peer:
            agreement["pressures_differ_pa"] = float(np.abs(mine["p"] - np.array(peer["p"])).max())
        for start in ("cold", "warm") if name == "pandapipes" else ("cold",):
            row = {
                "figure": f"steady hydraulics, {start}, {size} pipes, times faster than {name}",
                "value": peer["best_s"] / mine[f"{start}_s"], "unit": "x",
                "ours_ms": 1e3 * mine[f"{start}_s"], "peer_ms": 1e3 * peer["best_s"],
            }  # fmt: skip
            if name == "pandapipes" and strict:
                row["must"], row["aim"] = wanted[start]
            elif name == "epanet" and size == 10_000:
                row["must"], row["aim"] = 4.0, 10.0
            rows.append(row | (agreement if start == "cold" else {}))
    for start in ("cold", "warm") if not answers else ():
        row = {"figure": f"steady hydraulics, {start}, {size} pipes", "value": 1e3 * mine[f"{start}_s"]}
        rows.append(row | {"unit": "ms"})
    rows[-1] |= {
        "steps": mine["steps"],
        "first_ms": 1e3 * mine["first_s"],
        "residual_kg_s": mine["residual_kg_s"],
    }
    return rows


def compare_temperatures(size: int, peers: str) -> dict:
    """Steady temperatures of the supply side beside pandapipes with the same water, losses and ground."""
    n, t_c = make_network(size), np.linspace(0.0, 150.0, 301)
    net = compile_network(make_pairs(n))
    boundary = make_boundary(len(net.station_node), net.station_design_kg_s)
    mine = solve_steady(net, boundary)
    water = {
        "water_t_c": t_c, "water_rho": density_kg_m3(t_c), "water_mu": viscosity_pa_s(t_c),
        "water_cp": heat_capacity_j_kg_k(t_c), "u": 0.15 + 0.5 * n["diameter"], "t_source_c": 110.0,
        "t_ground_c": boundary.t_ground_c, "p_supply": 4e6,
    }  # fmt: skip
    peer = ask_peers(peers, n | water, 1)["pandapipes"]
    row = {"figure": f"steady temperatures, {size} pipes, differ from pandapipes", "unit": "K", "must": 0.05}
    if "t_c" not in peer:
        return row | {"value": np.nan, "error": peer.get("error", "")[:80]}
    m, mine_m = np.array(peer["m"]), mine.mass_flow_kg_s[net.start < net.n_node]
    return row | {
        "value": float(np.abs(mine.t_supply_c - np.array(peer["t_c"])).max()),
        "coldest_c": float(mine.t_supply_c.min()),
        "flows_differ_of_largest": float(np.abs(mine_m - m).max() / np.abs(m).max()),
    }


def print_rows(rows: list[dict]) -> None:
    """One line per row, whether it meets what it must, and the rest of what is known."""
    for row in rows:
        higher, word = row["unit"] == "x", ""
        if "must" in row:
            met = row["value"] >= row["must"] if higher else row["value"] <= row["must"]
            word = f"must {row['must']:g}: {'met' if met else 'NOT MET'}"
            word += f", aim {row['aim']:g}" if "aim" in row else ""
        extra = {k: v for k, v in row.items() if k not in ("figure", "value", "unit", "must", "aim")}
        more = ", ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in extra.items())
        print(f"{row['figure']:<75} {row['value']:>9.3g} {row['unit']:<3} {word:<28} {more}")


def main() -> None:
    """Print the table; write it where ``--json`` says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default="build/peers/bin/python")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--quick", action="store_true", help="small networks, no simulated day")
    parser.add_argument("--first", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--json")
    args = parser.parse_args()
    if args.first:
        solve_first(args.first)
        return
    keep_freed_memory()
    peers = args.peers if Path(args.peers).exists() else ""
    if not peers:
        print(f"no peers: {args.peers} does not exist (see the docstring)")
    sizes = [x for x in args.sizes if x <= 1000] if args.quick else args.sizes
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    rows = [row for size in sizes for row in compare_flows(size, peers, args.repeats)]
    if peers:
        rows += [compare_temperatures(size, peers) for size in sizes if size <= 1000]
    rows += [row for size in sizes for row in measure_doors(size, args.repeats)]
    rows.append(measure_leaks(5))
    rows += measure_starts(max(sizes))
    if not args.quick:
        from bench.heat_day import measure_day

        day = measure_day(1000, 3)
        rows.append({"figure": day["figure"], "value": day["s"], "unit": "s", "must": 1.0, "aim": 0.4})
    print(f"load {os.getloadavg()[0]:.1f}")
    print_rows(rows)
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
