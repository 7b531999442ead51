"""How well faults are found: the demo field's plant with hidden truth, faults drawn at random.

    python -m bench.diagnosis [--episodes 300] [--days 30] [--seeds 3] [--json FILE] [--quick]

For each seed and weather a field is made whose code and parameters the twin does not know. The twin watches a
day of history in five-minute steps and some hours in one-minute steps. From there each episode is a branch of
its own: half a minute later one fault, then watched for as long as its kind is given. Healthy days go on from
there without a fault. Prints a table; a row that falls short of what it must be says so.

Peer, in the same run: thresholds, the rule of the trade. A point is in alarm when it has differed from its
simulated value by more than three standard uncertainties (the limits of the comparison) for ten minutes.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bench.diagnosis_faults import MIX, draw_fault
from bench.diagnosis_field import Fault, Field, Twin, play
from bench.diagnosis_score import Episode, print_table, summarise
from ingest.demo.county import generate_county
from twin.compare import compile_points
from twin.diagnosis import Verdict, compile_book
from twin.heat import compile_network
from twin.model.county import County

WINTER = 1_800_000_000.0
WEATHERS = ("normal", "cold", "mild")
WATCHED_H = {
    "fouling": 1.5, "stuck_valve": 4.0, "sensor_drift": 3.0, "blockage": 2.0, "draw": 2.5,
    "secondary_draw": 2.5, "imbalance": 1.5, "open_room": 1.5,
}  # fmt: skip
OTHERS_H = 1.0
HEALTHY_STEP_S = 120.0
PIPE_KINDS = ("leak", "draw", "blockage")


def run_episode(label: str, f0: Field, twin0: Twin, rng: np.random.Generator, weather: str) -> Episode:
    """Branch off, break, watch."""
    f, twin = f0.branch(), twin0.branch()
    before = {v.id for v in twin.said}
    old_alarms = twin.peer.alarms()
    fault = draw_fault(label, f, rng)
    f.faults.add(fault)
    found = right = away = peer = math.nan
    first_kind, others, in_three = "", set(), False
    holds = zone = math.nan
    home = _homes(f.county)
    elsewhere: set[str] = set()
    for t, verdicts in play(f, twin, WATCHED_H.get(fault.kind, OTHERS_H), 60.0):
        for point in twin.peer.alarms() - old_alarms:
            wide = fault.kind in (*PIPE_KINDS, "source_trip") or fault.at == fault.at.lower()
            if wide or _station(point, home) == _station(fault.at, home):
                peer = (t - fault.start) / 60.0 if math.isnan(peer) else peer
            else:
                elsewhere.add(point)
        for v in verdicts:
            if v.id in before:
                continue
            mine = _is_mine(v, fault, home)
            if mine and math.isnan(found):
                found = (t - fault.start) / 60.0
            if not mine:
                others.add(v.id)
            if mine and v.kind == fault.kind:
                right = (t - fault.start) / 60.0 if math.isnan(right) else right
                if fault.kind in PIPE_KINDS:
                    away, holds, zone = _judge_place(f.county, v, fault.at)
    last = [v for v in verdicts if v.id not in before]
    if last:
        first_kind = last[0].kind
        named = [*[v.kind for v in last], *[s.kind for v in last for s in v.suspects]]
        in_three = fault.kind in list(dict.fromkeys(named))[:3]
    size = math.nan if fault.size is None else fault.size
    return Episode(label, fault.kind, fault.at, size, f.seed, weather, found, right, first_kind, in_three,
                   away, holds, zone, len(others), peer, len(elsewhere))  # fmt: skip


def _homes(county: County) -> dict[str, str]:
    """Station of every place that has one, itself included."""
    return {s.id: s.id for s in county.network.substations} | {
        b.id: b.substation_id for b in county.buildings if b.substation_id
    }


def _station(place: str, home: dict[str, str]) -> str:
    at = place.split("/", maxsplit=1)[0].removeprefix("D-").split(":")[0]
    return home.get(at, at)


def _is_mine(v: Verdict, fault: Fault, home: dict[str, str]) -> bool:
    """Whether a finding speaks of this fault: of its place, or of a pipe when a pipe is broken."""
    if fault.kind in PIPE_KINDS:
        return v.kind in PIPE_KINDS
    return v.place == f"*{fault.at}" or _station(v.place, home) == _station(fault.at, home)


def _judge_place(county: County, v: Verdict, at: str) -> tuple[float, float, float]:
    """How far off the named pipe is (m), whether the zone holds the true one (1 or 0), the zone's metres."""
    pipes = {s.place for s in v.suspects if s.kind == v.kind}
    length = sum(p.length_m for p in county.network.pipes if p.id in pipes)
    return _distance_m(county, v.place, at), float(at in pipes), length


def _distance_m(county: County, pipe_a: str, pipe_b: str) -> float:
    n = county.network
    pipes = {p.id: p for p in n.pipes}

    def middle(pipe_id: str) -> tuple[float, float]:
        a, b = (n.nodes[n.node_index[x]] for x in (pipes[pipe_id].from_node, pipes[pipe_id].to_node))
        return (a.lon + b.lon) / 2, (a.lat + b.lat) / 2

    (x1, y1), (x2, y2) = middle(pipe_a), middle(pipe_b)
    return 111_320.0 * math.hypot((x1 - x2) * math.cos(math.radians(y1)), y1 - y2)


def run_healthy(f0: Field, twin0: Twin, days: float) -> tuple[list[str], int]:
    """False findings of a branch without any fault; and how many alarms the thresholds gave."""
    f, twin = f0.branch(), twin0.branch()
    told: dict[str, str] = {}
    alarms, before = 0, twin.peer.alarms()
    for _, verdicts in play(f, twin, 24.0 * days, HEALTHY_STEP_S):
        told.update({v.id: f"{v.kind} {v.place}" for v in verdicts})
        now = twin.peer.alarms()
        alarms, before = alarms + len(now - before), now
    return sorted(told.values()), alarms


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=300, help="fields are drawn from here on")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="40 episodes and 2 days of one field")
    args = parser.parse_args()
    if args.quick:
        args.episodes, args.days, args.seeds = 40, 2.0, 1
    county = generate_county(7)
    shared = (compile_network(county.network), compile_points(county), compile_book(county))
    fields = [
        (args.first_seed + s, w)
        for s in range(args.seeds)
        for w in (WEATHERS[:1] if args.quick else WEATHERS)
    ]
    labels = [label for label, n in MIX for _ in range(n)]
    rows: list[Episode] = []
    alarms, wrong, began = 0, [], time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for i, (seed, weather) in enumerate(fields):
            rng = np.random.default_rng((seed, i))
            start = WINTER + 86_400.0 * float(rng.uniform(-40, 40))
            f = Field(county, seed, weather, start, Path(folder) / "truth.jsonl")
            twin = Twin(*shared)
            play(f, twin, 24.0, 300.0)
            play(f, twin, float(rng.uniform(1, 8)), 60.0)
            share = range(i, args.episodes, len(fields))
            rows += [run_episode(labels[k % len(labels)], f, twin, rng, weather) for k in share]
            what, n = run_healthy(f, twin, args.days / len(fields))
            alarms += n
            wrong += [f"seed {seed} {weather}: {w}" for w in what]
            _keep(args.json, rows, args.days * (i + 1) / len(fields), wrong, alarms, twin)
            print(f"field {i + 1} of {len(fields)}: seed {seed}, {weather}; {len(rows)} episodes, "
                  f"{time.monotonic() - began:.0f} s", file=sys.stderr)  # fmt: skip
    table = [*summarise(rows, args.days, len(wrong), alarms), *twin.figures()]
    print_table(table)
    print(f"{len(rows)} episodes, {args.days:g} healthy days, {len(fields)} fields; false: {wrong or 'none'}")
    return 0


def _keep(
    path: Path | None, rows: Sequence[Episode], days: float, wrong: Sequence[str], alarms: int, twin: Twin
) -> None:
    """What is known so far, after every field."""
    if path is not None:
        table = [*summarise(rows, days, len(wrong), alarms), *twin.figures()]
        said = {"table": table, "days": days, "episodes": [asdict(e) for e in rows], "false": list(wrong)}
        path.write_text(json.dumps(said, indent=1), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
