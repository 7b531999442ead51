"""How fast the county is rehearsed: 24 hours of incidents with every alternative, and the memory it takes.

    python bench/rehearsal.py [--json FILE] [--hours 24] [--seed 7]

The demo county, one thread, once compiled (the first run of a process loads the kernels and is not counted);
the start is a made-up cold evening, so that nothing but the engine is measured. ``one alternative`` is the
figure that must stay under 2 s; ``answer`` is what a person waits for: the walk to the present, every
alternative, the ranking of mobile boilers and the judgement.
"""

import argparse
import json
import math
import os
import resource
import sys
import time
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from app.domains.heating.ahead import look_ahead
from app.domains.heating.past import read_past
from app.domains.heating.rehearse import Aid, Answer, Stage
from ingest.demo.county import generate_county
from ingest.store.api import RollUpSeries
from twin.model.county import County
from twin.model.network import Side
from twin.rehearsal import Case, Incident, judge_run, rehearse, settle_system

KNOWN = {"t_out": -6.0, "src_ts": 95.0, "src_tr": 50.0, "src_flow": 0.05, "room_t": 20.0, "wind": 2.0,
         "solar": 0.0}  # fmt: skip
AID = Aid(4, 1.4e6, 3.0)


def make_cases(county: County) -> dict[str, tuple[Incident, ...]]:
    """Incidents alone and together, each at its usual size."""
    n = county.network
    main = max((p for p in n.pipes if p.side == Side.SUPPLY), key=lambda p: (p.diameter_m, p.length_m))
    source, station = n.sources[0].id, n.substations[0].id
    burst, cold = Incident("burst", main.id, 0.08), Incident("cold_wave", "", 10.0)
    trip = Incident("source_trip", source, 0.4)
    return {
        "main burst, 80 mm": (burst,),
        "source trip, 40 % left": (trip,),
        "pump trip at one station": (Incident("pump_trip", station),),
        "power cut at all stations": (Incident("power_cut"),),
        "cold wave, 10 K": (cold,),
        "fuel shortage, 70 % left": (Incident("fuel_shortage", source, 0.7),),
        "valve stuck, burst": (burst, *(Incident("valve_stuck", v.id) for v in n.valves[:1])),
        "trip, burst after 4 h, cold wave": (trip, Incident("burst", main.id, 0.05, 4.0), cold),
    }


def no_history(_no: int, _start: float, _end: float) -> RollUpSeries:
    """A store without sums: the latest value stands for the past."""
    none = np.empty(0)
    return RollUpSeries(none, none.astype(np.int64), none, none, none, none)


def measure_one(county: County, stage: Stage, incidents: tuple[Incident, ...], hours: float) -> float:
    """Processor seconds of one alternative: simulation and judgement, best of three."""
    value, system = make_values(county), stage.system()
    past = read_past(county, system, value, no_history, 1.8e9)
    state = settle_system(system, past)
    outlook = look_ahead(system, past, None, hours)
    buildings, best = {b.id: b for b in county.buildings}, math.inf
    for _ in range(3):
        began = time.process_time()
        judge_run(system, buildings, rehearse(system, state, outlook, Case("x", incidents)))
        best = min(best, time.process_time() - began)
    return best


def make_values(county: County) -> np.ndarray:
    """What is measured: a cold evening."""
    return np.array([KNOWN.get(p.key, math.nan) for p in county.points])


def answer_all(
    county: County, stage: Stage, incidents: tuple[Incident, ...], hours: float
) -> tuple[Answer, float]:
    """An answer as the page asks for it, and its processor seconds."""
    began = time.process_time()
    found = stage.rehearse(make_values(county), no_history, 1.8e9, incidents, hours, aid=AID)
    return found, time.process_time() - began


def main() -> None:
    """Print the table; write it where ``--json`` says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json")
    args = parser.parse_args()
    county = generate_county(args.seed)
    stage = Stage(county)
    cases = make_cases(county)
    answer_all(county, stage, cases["main burst, 80 mm"], 1.0)
    rows, seconds_each = [], []
    for name, incidents in cases.items():
        one = measure_one(county, stage, incidents, args.hours)
        seconds_each.append(one)
        found, seconds = answer_all(county, stage, incidents, args.hours)
        rows.append({"case": name, "one_s": one, "answer_s": seconds, "alternatives": len(found.alternatives),
                     "advised": found.alternatives[0].run.case.name})  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    print(f"{'case':36} {'one alternative':>16} {'answer':>9}  alternatives, advised")
    for r in rows:
        print(
            f"{r['case']:36} {r['one_s']:14.2f} s {r['answer_s']:7.2f} s  {r['alternatives']}, {r['advised']}"
        )
    worst = max(seconds_each)
    print(f"worst alternative {worst:.2f} s (must stay under 2 s); peak memory {peak:.0f} MB")
    if args.json:
        body = {"hours": args.hours, "rows": rows, "worst_s": worst, "peak_mb": peak}
        Path(args.json).write_text(json.dumps(body, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
