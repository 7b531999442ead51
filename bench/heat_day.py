"""How fast heat moves: a transient step, a simulated day of the whole, members of an ensemble.

    python bench/heat_day.py [--json FILE] [--sizes 1000 10000]

One thread; times are processor time, best of several, so that neighbours on a shared machine do not count.
Networks as in ``bench/heat_network.py`` (5 % loops, both sides counted), a substation wherever
water is drawn, two buildings behind each.
"""

import argparse
import json
import os
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from bench.heat_network import make_network, make_pairs
from twin.heat import Ensemble, SteadyBoundary, begin_transient, compile_network, step_transient
from twin.heat.curve import design_curve
from twin.heat.day import begin_day, compile_system, simulate_day
from twin.heat.day_result import DayPlan, HeatSystem, Weather
from twin.model.county import Building

CP_J_KG_K = 4190.0
DESIGN_OUTDOOR_C = -10.0


def make_system(n_pipe: int, buildings_each: int = 2, imbalance: float = 0.0) -> HeatSystem:
    """A network of ``n_pipe`` pipes with stations sized for their draw at 110/55 °C and buildings,
    whose flows are off by up to ``imbalance``."""
    network = make_pairs(make_network(n_pipe // 2))
    curve = design_curve(70.0, 46.0, DESIGN_OUTDOOR_C)
    stations, buildings = [], []
    for s in network.substations:
        heat = s.design_flow_kg_s * CP_J_KG_K * 55.0
        hot, cold = 40.0, 9.0
        stations.append(
            replace(
                s, area_m2=heat / 45.0, design_heat_w=heat, secondary_flow_kg_s=heat / (CP_J_KG_K * 24.0),
                hx_ua_w_k=heat / ((hot - cold) / np.log(hot / cold)), t_secondary_supply_c=70.0,
                t_secondary_return_c=46.0, curve=curve,
            )
        )  # fmt: skip
        for k in range(buildings_each):
            part = heat / buildings_each
            ua = part / (18.0 - DESIGN_OUTDOOR_C)
            buildings.append(
                Building(
                    f"{s.id}B{k}", "", "", "residential", (), 0.0, 18.0, 6, 2005, True, part / 45.0, 40, s.id,
                    part, ua, ua * 80.0 * 3600.0, 100.0, part / (CP_J_KG_K * 24.0),
                )
            )  # fmt: skip
    demand = sum(s.design_heat_w for s in stations)
    sources = (replace(network.sources[0], capacity_w=1.3 * demand, ramp_w_s=demand / 3600.0),)
    net = compile_network(replace(network, substations=tuple(stations), sources=sources))
    off = np.random.default_rng(3).uniform(1.0 - imbalance, 1.0 + imbalance, len(buildings))
    return compile_system(net, buildings, imbalance=off.tolist())


def make_weather(n_step: int, dt_s: float, mean_c: float = -5.0) -> Weather:
    """A clear winter day: coldest at 6, sun from 8 to 18."""
    h = np.arange(n_step) * dt_s / 3600.0 % 24.0
    sun = np.where((h > 8.0) & (h < 18.0), 400.0 * np.sin(np.pi * (h - 8.0) / 10.0), 0.0)
    return Weather(mean_c - 5.0 * np.cos(2 * np.pi * (h - 6.0) / 24.0), 2.0 + np.sin(h), sun)


def make_boundary(system: HeatSystem) -> SteadyBoundary:
    """One source that holds the pressures."""
    flow = system.net.station_design_kg_s
    return SteadyBoundary(
        t_source_c=np.array([110.0]),
        p_supply_pa=np.array([4e6]),
        p_return_pa=np.array([3e5]),
        source_flow_kg_s=np.array([np.nan]),
        flow_kg_s=flow,
        t_return_c=np.full(len(flow), 55.0),
    )


def measure_step(n_pipe: int, repeats: int) -> dict:
    """A coupled step of 60 s with hydraulics and findings, draws moved by 5 %."""
    system = make_system(n_pipe)
    boundary, net = make_boundary(system), system.net
    state, _ = begin_transient(net, boundary)
    rng, best, error = np.random.default_rng(4), np.inf, 0.0
    for _ in range(repeats):
        moved = replace(
            boundary, flow_kg_s=boundary.flow_kg_s * rng.uniform(0.95, 1.05, len(boundary.flow_kg_s))
        )
        t0 = time.process_time()
        state, _, energy = step_transient(net, moved, state, 60.0)
        best = min(best, time.process_time() - t0)
        error = max(error, abs(energy.error) / energy.brought)
    return {
        "figure": f"transient step of 60 s, {net.n_pipe} pipes, 8 parcels and 5 cells",
        "ms": 1e3 * best,
        "energy_error_rel": error,
    }


def measure_day(n_pipe: int, repeats: int) -> dict:
    """A day at 60 s with stations, buildings and sources."""
    system = make_system(n_pipe)
    weather, n = make_weather(1440, 60.0), 1440
    plan = DayPlan(60.0, make_boundary(system), np.full((n, 1), 110.0))
    state, best = begin_day(system, weather, plan), np.inf
    run = simulate_day(system, weather, plan, state)
    for _ in range(repeats):
        t0 = time.process_time()
        run = simulate_day(system, weather, plan, state)
        best = min(best, time.process_time() - t0)
    return {
        "figure": f"simulated day at 60 s, {system.net.n_pipe} pipes, {len(system.stations.ids)} stations, "
        f"{len(system.buildings.ids)} buildings",
        "s": best,
        "hydraulic_solves": run.solves,
        "energy_error_rel": abs(run.energy.error) / run.energy.throughput,
        "findings": [str(f) for f in run.findings],
    }


def measure_ensemble(n_pipe: int, n_member: int, repeats: int) -> dict:
    """Members that differ in ground, losses and draws; draws move by 1 % from step to step."""
    system = make_system(n_pipe)
    boundary, rng, best = make_boundary(system), np.random.default_rng(5), np.inf
    flow = boundary.flow_kg_s
    members = [
        replace(
            boundary, t_ground_c=float(rng.uniform(0.0, 12.0)),
            u_factor=np.full(system.net.n_pipe, rng.uniform(0.8, 1.5)),
            flow_kg_s=flow * rng.uniform(0.6, 1.0),
        )
        for _ in range(n_member)
    ]  # fmt: skip
    many = Ensemble(system.net)
    state = many.begin(members)
    for _ in range(repeats):
        moved = [
            replace(b, flow_kg_s=b.flow_kg_s * rng.uniform(0.99, 1.01, len(flow)), t_source_c=np.array([t]))
            for b, t in zip(members, rng.uniform(105.0, 110.0, n_member), strict=True)
        ]
        t0 = time.process_time()
        state, now = many.step(moved, state, 60.0)
        best = min(best, time.process_time() - t0)
    spent = 60.0 * (now.heat_w.sum(1) + now.ground_loss_w) + now.drawn_j + now.stored_j
    return {
        "figure": f"ensemble step of 60 s, {system.net.n_pipe} pipes, {n_member} members",
        "ms": 1e3 * best,
        "member_steps_per_s": n_member / best,
        "energy_error_rel": float(np.abs(1.0 - spent / now.brought_j).max()),
    }


def main() -> None:
    """Print the table; write it where ``--json`` says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json")
    args = parser.parse_args()
    rows = [measure_step(size, args.repeats) for size in args.sizes]
    rows.append(measure_day(1000, 3))
    rows.append(measure_ensemble(1000, 64, args.repeats))
    rows.append({"figure": "peak memory", "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0})
    for row in rows:
        print("; ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
