"""How well faults are found: the demo field's plant with hidden truth, faults drawn at random.

    python -m bench.diagnosis [--episodes 300] [--days 30] [--seeds 3]
        [--only FIELD] [--keep FOLDER] [--minutes M] [--json FILE] [--quick]

For each seed and weather a field is made whose code and parameters the twin does not know. The twin watches a
day of history in five-minute steps and some hours in one-minute steps. From there each episode is a branch of
its own: half a minute later one fault, then watched for as long as its kind is given. A fouled exchanger
that has not been found in an hour and a half is watched on in five-minute steps until it is, for three days;
a stuck valve or a blockage, which may do nothing for hours, for twelve hours in all.
Healthy days go on from the branch without a fault. With ``--keep`` every field is a file of its own, and a
long run can be made in pieces: field by field (``--only``), and with ``--minutes`` also in the middle of one
(the next start plays the history again, the same by its seed, and goes on). Prints a table; a row that falls
short of its mark says so.

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
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from bench.diagnosis_faults import MIX, draw_fault
from bench.diagnosis_field import COARSE_S, STEP_S, Fault, Field, Twin, play
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
LONG_H = {"fouling": 72.0, "stuck_valve": 12.0, "blockage": 12.0}
"""So long it is watched on, in steps of five minutes, until it is found."""
OTHERS_H = 1.0
HEALTHY_STEP_S = 120.0
PIPE_KINDS = ("leak", "draw", "blockage")


@dataclass
class Seen:
    """What an episode's findings have said so far; times in minutes after its start, NaN: never."""

    fault: Fault
    county: County
    before: set[str]
    old_alarms: set[str]
    home: dict[str, str]
    found: float = math.nan
    right: float = math.nan
    peer: float = math.nan
    place: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    others: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    last: list[Verdict] = field(default_factory=list)

    def take(self, t: float, verdicts: Sequence[Verdict], alarms: set[str]) -> None:
        """The findings and the peer's alarms at ``t``."""
        fault, minutes = self.fault, (t - self.fault.start) / 60.0
        wide = fault.kind in (*PIPE_KINDS, "source_trip") or fault.at == fault.at.lower()
        for point in alarms - self.old_alarms:
            if wide or _station(point, self.home) == _station(fault.at, self.home):
                self.peer = minutes if math.isnan(self.peer) else self.peer
            else:
                self.elsewhere.add(point)
        self.last = [v for v in verdicts if v.id not in self.before]
        for v in self.last:
            if not _is_mine(v, fault, self.home):
                self.others.add(v.id)
                continue
            self.found = minutes if math.isnan(self.found) else self.found
            if v.kind == fault.kind:
                self.right = minutes if math.isnan(self.right) else self.right
                if fault.kind in PIPE_KINDS:
                    self.place = _judge_place(self.county, v, fault.at)

    def score(self, label: str, seed: int, weather: str) -> Episode:
        """The row of the table."""
        fault, last = self.fault, self.last
        first_kind = last[0].kind if last else ""
        named = [*[v.kind for v in last], *[s.kind for v in last for s in v.suspects]]
        in_three = fault.kind in list(dict.fromkeys(named))[:3]
        size = math.nan if fault.size is None else fault.size
        return Episode(label, fault.kind, fault.at, size, seed, weather, self.found, self.right, first_kind,
                       in_three, *self.place, len(self.others), self.peer, len(self.elsewhere))  # fmt: skip


def run_episode(label: str, f0: Field, twin0: Twin, fault: Fault, weather: str) -> Episode:
    """Branch off, break, watch; what has three days to be found is watched on at coarse steps until then."""
    f, twin = f0.branch(), twin0.branch()
    f.faults.add(fault)
    home = _homes(f.county)
    seen = Seen(fault, f.county, {v.id for v in twin.said}, twin.peer.alarms(), home)
    for t, verdicts in play(f, twin, WATCHED_H.get(fault.kind, OTHERS_H), STEP_S):
        seen.take(t, verdicts, twin.peer.alarms())
    while math.isnan(seen.right) and f.t - fault.start < 3600.0 * LONG_H.get(fault.kind, 0.0):
        for t, verdicts in play(f, twin, 0.5, COARSE_S):
            seen.take(t, verdicts, twin.peer.alarms())
    return seen.score(label, f.seed, weather)


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


@dataclass
class Part:
    """What one field gave, or has given so far (``done`` is False until its healthy days are over)."""

    name: str
    days: float
    episodes: list[Episode]
    false: list[str]
    alarms: int
    figures: list[dict[str, object]]
    done: bool = True

    def keep(self, path: Path) -> None:
        """Write it down."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Part":
        """What :meth:`keep` wrote."""
        said = json.loads(path.read_text(encoding="utf-8"))
        said["episodes"] = [Episode(**e) for e in said["episodes"]]
        return cls(**said)


@dataclass(frozen=True)
class Plan:
    """All fields, their episodes and healthy days together, and the wall seconds for one start."""

    fields: Sequence[tuple[int, str]]
    episodes: int
    days: float
    budget_s: float = math.inf


def run_field(i: int, plan: Plan, path: Path | None) -> Part:
    """Field ``i`` of ``plan``: its share of the episodes and healthy days, or as much as there is time for.

    What ``path`` holds already is not run again; after every episode it is written anew.
    """
    began = time.monotonic()
    seed, weather = plan.fields[i]
    county = generate_county(7)
    labels = [label for label, n in MIX for _ in range(n)]
    rng = np.random.default_rng((seed, i))
    start = WINTER + 86_400.0 * float(rng.uniform(-40, 40))
    days = plan.days / len(plan.fields)
    part = Part(f"seed {seed}, {weather}", days, [], [], 0, [], done=False)
    if path is not None and path.exists():
        part = Part.read(path)
    with tempfile.TemporaryDirectory() as folder:
        f = Field(county, seed, weather, start, Path(folder) / "truth.jsonl")
        twin = Twin(compile_network(county.network), compile_points(county), compile_book(county))
        play(f, twin, 24.0, COARSE_S)
        play(f, twin, float(rng.uniform(1, 8)), STEP_S)
        chosen = [labels[k % len(labels)] for k in range(i, plan.episodes, len(plan.fields))]
        faults = [draw_fault(label, f, rng) for label in chosen]
        old = part.figures
        for n in range(len(part.episodes), len(chosen) + 1):
            if time.monotonic() - began >= plan.budget_s:
                break
            if n < len(chosen):
                part.episodes.append(run_episode(chosen[n], f, twin, faults[n], weather))
            else:
                wrong, part.alarms = run_healthy(f, twin, days)
                part.false, part.done = [f"{part.name}: {w}" for w in wrong], True
            part.figures = _largest([x for x in (old, twin.figures()) if x])
            if path is not None:
                part.keep(path)
    return part


def _largest(figures: Sequence[list[dict[str, object]]]) -> list[dict[str, object]]:
    """Of every figure the largest."""
    return [max(rows, key=lambda r: float(str(r["value"]))) for rows in zip(*figures, strict=True)]


def _join(parts: Sequence[Part]) -> list[dict[str, object]]:
    """One table of all fields; of figures the largest."""
    rows = [e for p in parts for e in p.episodes]
    days = sum(p.days for p in parts if p.done)
    table = summarise(rows, days, sum(len(p.false) for p in parts), sum(p.alarms for p in parts))
    return [*table, *_largest([p.figures for p in parts if p.figures])]


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=600, help="fields are drawn from here on")
    parser.add_argument("--only", type=int, help="run only this field (from 0) of them")
    parser.add_argument("--keep", type=Path, help="folder of one JSON file per field; those there are taken")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin nothing new after so long")
    parser.add_argument("--json", type=Path, help="write table and episodes")
    parser.add_argument("--quick", action="store_true", help="40 episodes and 2 days of one field")
    args = parser.parse_args()
    if args.quick:
        args.episodes, args.days, args.seeds = 40, 2.0, 1
    weathers = WEATHERS[:1] if args.quick else WEATHERS
    fields = [(args.first_seed + s, w) for s in range(args.seeds) for w in weathers]
    plan = Plan(fields, args.episodes, args.days, 60.0 * args.minutes)
    parts = []
    for i, (seed, weather) in enumerate(fields):
        began = time.monotonic()
        path = args.keep / f"{seed}-{weather}.json" if args.keep else None
        kept = Part.read(path) if path is not None and path.exists() else None
        if (kept is not None and kept.done) or (args.only is not None and args.only != i):
            parts += [kept] if kept is not None else []
            continue
        parts.append(run_field(i, plan, path))
        spent, n = time.monotonic() - began, len(parts[-1].episodes)
        so_far = "" if parts[-1].done else f" (to be gone on with: {n} episodes so far)"
        print(f"field {i + 1} of {len(fields)}: {parts[-1].name}; {spent:.0f} s{so_far}", file=sys.stderr)
    table = _join(parts)
    print_table(table)
    rows, wrong = [e for p in parts for e in p.episodes], [w for p in parts for w in p.false]
    days = sum(p.days for p in parts if p.done)
    print(f"{len(rows)} episodes, {days:g} healthy days, {len(parts)} fields; false: {wrong or 'none'}")
    if args.json is not None:
        said = {"table": table, "days": days, "episodes": [asdict(e) for e in rows], "false": wrong}
        args.json.write_text(json.dumps(said, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
