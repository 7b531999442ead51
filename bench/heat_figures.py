"""Draw the figures of docs/heat-engine.md.

python bench/heat_figures.py            (needs matplotlib, which the project itself does not)
"""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from matplotlib.figure import Figure

from bench.heat_day import make_boundary, make_system, make_weather
from tests.heat.rigs import run_graz, run_liege, run_pongau
from twin.heat import DayPlan, TimeSlot, simulate_day

IMG = Path(__file__).resolve().parent.parent / "docs" / "img"


def draw_validation() -> None:
    """Outlets of the measured rigs."""
    fig = Figure(figsize=(10.5, 5.5))
    axes = fig.subplots(2, 3)
    rows = [
        ("copper pipe, outlet", *run_graz(), (760, 1000)),
        ("Liège 150801, outlet", *run_liege("ulg_150801.csv"), None),
        ("Liège 151202, outlet", *run_liege("ulg_151202.csv"), None),
    ]
    at, simulated, measured, _ = run_pongau()
    rows += [(f"Pongau, point {k}", at / 3600.0, simulated[k], measured[k], None) for k in (2, 3, 4)]
    for ax, (title, t, s, m, window) in zip(axes.flat, rows, strict=True):
        inside = np.ones(len(t), bool) if window is None else (t >= window[0]) & (t <= window[1])
        ax.plot(t[inside], m[inside], color="tab:blue", label="measured")
        ax.plot(t[inside], s[inside], "--", color="tab:red", lw=1.0, label="simulated")
        ax.set(title=title, xlabel="h" if "Pongau" in title else "s", ylabel="°C")
        ax.grid(alpha=0.3)
    axes[0, 0].legend()
    fig.tight_layout()
    fig.savefig(IMG / "heat-validation.png", dpi=100)


def draw_day() -> None:
    """Two days with flows out of balance and a source that gives three quarters of the design heat."""
    system, n, dt = make_system(200, imbalance=0.4), 2 * 1440, 60.0
    capacity = 0.75 * sum(s.design_heat_w for s in system.net.network.substations)
    system = replace(system, sources=replace(system.sources, capacity_w=np.array([capacity])))
    weather = make_weather(n, dt, mean_c=-5.0)
    slots = (TimeSlot(6 * 3600.0, 0.0), TimeSlot(22 * 3600.0, -2.0))
    plan = DayPlan(dt, make_boundary(system), np.full((n, 1), 105.0), slots=slots)
    run = simulate_day(system, weather, plan)
    h = run.time_s / 3600.0
    fig = Figure(figsize=(10.5, 3.2))
    axes = fig.subplots(1, 3)
    axes[0].plot(h, run.source_t_c[:, 0], label="source, supply")
    axes[0].plot(h, run.t_in_c[:, -1], label="last station, supply")
    axes[0].plot(h, run.source_back_c[:, 0], label="source, return")
    axes[1].plot(h, run.setpoint_c[:, 0], color="k", lw=0.8, label="set-point")
    axes[1].plot(h, run.t_supply_c[:, 0], "--", label="secondary supply")
    axes[1].plot(h, run.t_return_c[:, 0], label="secondary return")
    axes[1].plot(h, weather.t_outdoor_c, label="outdoor")
    axes[2].plot(h, run.t_room_c.mean(axis=1), label="rooms, mean")
    axes[2].plot(h, run.t_room_c.min(axis=1), lw=0.8, label="coldest")
    for ax in axes:
        ax.set(xlabel="h", ylabel="°C")
        ax.grid(alpha=0.3)
        ax.legend(fontsize=7)
    fig.tight_layout()
    fig.savefig(IMG / "heat-day.png", dpi=100)


if __name__ == "__main__":
    draw_validation()
    draw_day()
