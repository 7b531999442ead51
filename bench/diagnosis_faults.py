"""Faults of the diagnosis bench: what breaks, where, how much, drawn at random from the present field."""

import math

import numpy as np

from bench.diagnosis_field import Fault, Field

SENSORS = ("p1_ts", "p1_tr", "p1_ps", "p1_pr", "p1_flow", "s2_ts", "s2_tr", "s2_flow")
MIX = (
    ("leak 1 %", 5), ("leak 3 %", 4), ("draw", 2), ("blockage", 4), ("source_trip", 1), ("fouling", 4),
    ("stuck_valve", 4), ("pump_trip", 2), ("weak_pump", 3), ("air", 3), ("secondary_leak", 2),
    ("secondary_draw", 2), ("imbalance", 3), ("open_room", 2), ("sensor_bias", 5), ("sensor_drift", 3),
    ("sensor_freeze", 4), ("sensor_swap", 3), ("gateway_offline", 3), ("gateway dialect", 1),
)  # fmt: skip
STATION_SIZES = {"fouling": (0.8, 0.8), "weak_pump": (0.75, 0.9), "air": (0.1, 0.3),
                 "secondary_leak": (0.3, 1.5), "secondary_draw": (0.3, 1.2),
                 "imbalance": (0.2, 0.4)}  # fmt: skip
"""Station faults of a size between these, in the unit of the demo field."""
SWAPS = ("p1_ts", "s2_ts", "p1_ps", "s2_ps")


def draw_fault(label: str, f: Field, rng: np.random.Generator) -> Fault:
    """A fault of one line of the mix, at a random place of the present field."""
    start = f.t + 30.0
    if label.startswith(("leak", "draw", "blockage")):
        return _draw_pipe(label, f, rng, start)
    n = f.county.network
    station = str(rng.choice([s.id for s in n.substations]))
    if label in STATION_SIZES:
        return Fault(label, station, float(rng.uniform(*STATION_SIZES[label])), start)
    if label.startswith("gateway"):
        dialect = str(rng.choice(sorted({d.dialect for d in f.county.devices})))
        return Fault("gateway_offline", dialect if label.endswith("dialect") else f"D-{station}", None, start)
    if label in ("source_trip", "open_room"):
        rooms = [p.place_id for p in f.county.points if p.key == "room_t"]
        at, least = (str(rng.choice(rooms)), 0.15) if label == "open_room" else (n.sources[0].id, 0.4)
        return Fault(label, at, float(rng.uniform(least, least + 0.25)), start)
    if label in ("stuck_valve", "pump_trip"):
        return Fault(label, station, None, start)
    return _draw_meter(label, station, f, rng, start)


def _draw_pipe(label: str, f: Field, rng: np.random.Generator, start: float) -> Fault:
    pipes = f.county.network.pipes
    assert f.plant.flow is not None
    total = float(f.plant.flow.station_kg_s.sum())
    if label != "blockage":
        share = {"leak 1 %": 0.01, "leak 3 %": 0.03, "draw": 0.015}[label]
        return Fault(label.split(maxsplit=1)[0], str(rng.choice([p.id for p in pipes])), share * total, start)
    carried = np.abs(f.plant.flow.pipe_kg_s)
    k = int(rng.choice(np.flatnonzero(carried > 0.02 * total)))
    area = math.pi / 4 * pipes[k].diameter_m ** 2
    drop_pa = float(rng.uniform(3e4, 8e4))
    return Fault(label, pipes[k].id, drop_pa * 2 * 970.0 * area**2 / carried[k] ** 2, start)


def _draw_meter(label: str, station: str, f: Field, rng: np.random.Generator, start: float) -> Fault:
    if label == "sensor_swap":
        return Fault(label, f"{station}/{rng.choice(SWAPS)}", None, start)
    key = str(rng.choice(SENSORS))
    point = f.county.point_by_id[f"{station}/{key}"]
    sign = float(rng.choice([-1.0, 1.0]))
    scale = {"temperature": 3.0, "pressure": 4e4}.get(point.quantity, 0.12 * float(f.value[point.no]))
    return Fault(label, point.id, None if label == "sensor_freeze" else sign * scale, start)
