"""What the live twin of the demo county costs: real time, a diagnosis pass, a rehearsal, a dispatch.

    python -m bench.live_twin [--json FILE] [--seed 7] [--only NAME ...]

Each figure in a process of its own, one thread, once compiled, so that the peak memory beside it is its own
(the played field that it listens to included, which a real county does not need). Processor time.

``real time``: an hour of the field in cycles of 30 s, each with what the worker does: the plain walk, the
corrected walk, diagnosis, and every five minutes the slopes and the filter; two seconds an hour are added for
the plan. Fetching and keeping are not in it: with them the process of a running system takes what
``bench.end_to_end`` prints for it. ``diagnosis``: the longest pass of that hour, with every pattern simulated
anew. ``rehearsal``: 24 hours of the costliest incident, and the whole answer with every alternative.
``dispatch``: a proposal for 48 hours after two days of history.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from bench.diagnosis_field import COARSE_S, STEP_S, Field
from bench.table import Row, Table
from bench.table import row as line

CYCLE_S, UPDATE_S = 30.0, 300.0
WINTER = 1_800_000_000.0
PLAN_S_H = 2.0


def peak_mb() -> float:
    """Most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def make_field(seed: int, folder: str) -> Field:
    """The demo field with hidden truth."""
    from ingest.demo.county import generate_county

    return Field(generate_county(seed), seed, "normal", WINTER, Path(folder) / "truth.jsonl")


def measure_twin(seed: int) -> list[Row]:
    """An hour in cycles of 30 s, after half a day of history."""
    from twin.assimilation import begin_learner, correct, hold_readings, learn
    from twin.compare import Memory, StandIn, compare_network, compile_points
    from twin.diagnosis import begin_watch, compile_book, diagnose
    from twin.heat import compile_network

    with tempfile.TemporaryDirectory() as folder:
        f = make_field(seed, folder)
        network, points = f.county.network, compile_points(f.county)
        net, book = compile_network(network), compile_book(f.county)
        watch, learner = begin_watch(book), begin_learner(network, points)
        held = hold_readings(learner.layout, (), {})
        nobody = StandIn(np.zeros(len(f.county.points), bool), np.full(len(f.county.points), np.nan))
        plain_water: Memory | None = None
        water: Memory | None = None
        spent: list[tuple[float, float]] = []
        for step_s, count in ((COARSE_S, 100), (STEP_S, 60), (CYCLE_S, 120)):
            for _ in range(count):
                f.step(step_s)
                snapshot, began = f.snapshot(), time.process_time()
                plain = compare_network(net, network, points, snapshot, plain_water)
                learnt = correct(learner, len(f.county.points))
                c = compare_network(net, network, points, snapshot, water, learnt, nobody)
                plain_water, water = plain.memory, c.memory
                learn(learner, net, network, points, c, plain, held)
                walked = time.process_time()
                diagnose(net, book, watch, plain, snapshot.value, f.reported_t)
                spent.append((walked - began, time.process_time() - walked))
        walk, look = np.array(spent[-120:]).T
        share = 100.0 * (float((walk + look).sum()) + PLAN_S_H) / 3600.0
        memory = peak_mb()
    return [
        {**line("twin of the demo county in real time, of one core", share, "%", "10 %"), "peak_mb": memory},
        line("of it walks and learning, a cycle", 1e3 * float(walk.mean()), "ms"),
        line("of it diagnosis, a cycle", 1e3 * float(look.mean()), "ms"),
        {**line("full diagnosis pass, longest", float(look.max()), "s", "5 s"), "peak_mb": memory},
    ]


def measure_rehearsal(seed: int) -> list[Row]:
    """The costliest incident of ``bench/rehearsal.py``."""
    from app.domains.heating.rehearse import Stage
    from bench.rehearsal import answer_all, make_cases, measure_one
    from ingest.demo.county import generate_county

    county = generate_county(seed)
    stage, cases = Stage(county), make_cases(county)
    answer_all(county, stage, cases["main burst, 80 mm"], 1.0)
    one = max(measure_one(county, stage, c, 24.0) for c in cases.values())
    whole = max(answer_all(county, stage, c, 24.0)[1] for c in cases.values())
    memory = peak_mb()
    return [
        {**line("rehearsal of 24 h", one, "s", "2 s"), "peak_mb": memory},
        {**line("whole answer, every alternative", whole, "s"), "peak_mb": memory},
    ]


def measure_dispatch(seed: int) -> list[Row]:
    """A proposal after two days; the second of the process, once compiled."""
    from bench.dispatch import expect
    from twin.dispatch import HourKeeper, Tariff, compile_dispatcher, propose

    with tempfile.TemporaryDirectory() as folder:
        f = make_field(seed, folder)
        desk = compile_dispatcher(f.county)
        keeper, rng = HourKeeper(desk.book), np.random.default_rng(seed)
        for _ in range(round(48 * 3600.0 / COARSE_S)):
            f.step(COARSE_S)
            keeper.take(f.t, f.snapshot().value)
        spent = 0.0
        for _ in range(2):
            began = time.process_time()
            propose(desk, keeper.hours(), expect(f, rng), f.snapshot().value, Tariff())
            spent = time.process_time() - began
        return [{**line("dispatch of 48 h", spent, "s", "30 s"), "peak_mb": peak_mb()}]


PARTS: dict[str, Callable[[int], list[Row]]] = {
    "twin": measure_twin,
    "rehearsal": measure_rehearsal,
    "dispatch": measure_dispatch,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run every part in a process of its own, print the table, write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--here", choices=PARTS, help=argparse.SUPPRESS)
    said = parser.parse_args(argv)
    if said.here:
        print(json.dumps(PARTS[said.here](said.seed)))
        return 0
    table = Table()
    for name in said.only:
        command = [sys.executable, "-m", "bench.live_twin", "--here", name, "--seed", str(said.seed)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        for r in json.loads(done.stdout.splitlines()[-1]):
            table.keep(r)
            if "peak_mb" in r:
                print(f"|   peak memory | {r['peak_mb']:.0f} MB | |", flush=True)
    table.write(said.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
