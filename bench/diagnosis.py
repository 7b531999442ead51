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
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench.diagnosis_field import Fault, Field, Twin, play
from ingest.demo.county import generate_county
from twin.compare import compile_points
from twin.diagnosis import Verdict, compile_book
from twin.heat import compile_network
from twin.model.county import County

WINTER = 1_800_000_000.0
WEATHERS = ("normal", "cold", "mild")
WATCHED_H = {"fouling": 3.0, "stuck_valve": 6.0, "sensor_drift": 4.0, "blockage": 2.0}
OTHERS_H = 1.0
PIPE_KINDS = ("leak", "blockage")
SENSORS = ("p1_ts", "p1_tr", "p1_ps", "p1_pr", "p1_flow", "s2_ts", "s2_tr", "s2_flow")
MIX = (
    ("leak 1 %", 5), ("leak 3 %", 4), ("blockage", 4), ("fouling", 4), ("stuck_valve", 4), ("pump_trip", 3),
    ("source_trip", 1), ("sensor_bias", 5), ("sensor_drift", 3), ("sensor_freeze", 4), ("gateway_offline", 3),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Episode:
    """One fault and what became of it. Times in minutes after its start; NaN: never."""

    label: str
    kind: str
    at: str
    size: float
    seed: int
    weather: str
    found_min: float
    right_min: float
    first_kind: str
    in_three: bool
    away_m: float
    others: int
    peer_min: float
    peer_others: int


def draw_fault(label: str, f: Field, rng: np.random.Generator) -> Fault:
    """A fault of one line of the mix, at a random place of the present field."""
    n = f.county.network
    assert f.plant.flow is not None
    total = float(f.plant.flow.station_kg_s.sum())
    start = f.t + 30.0
    station = str(rng.choice([s.id for s in n.substations]))
    if label.startswith("leak"):
        share = 0.01 if "1" in label else 0.03
        return Fault("leak", str(rng.choice([p.id for p in n.pipes])), share * total, start)
    if label == "blockage":
        carried = np.abs(f.plant.flow.pipe_kg_s)
        k = int(rng.choice(np.flatnonzero(carried > 0.02 * total)))
        area = math.pi / 4 * n.pipes[k].diameter_m ** 2
        drop_pa = float(rng.uniform(3e4, 8e4))
        return Fault(label, n.pipes[k].id, drop_pa * 2 * 970.0 * area**2 / carried[k] ** 2, start)
    if label == "fouling":
        return Fault(label, station, 0.8, start)
    if label == "source_trip":
        return Fault(label, n.sources[0].id, float(rng.uniform(0.4, 0.7)), start)
    if label in ("stuck_valve", "pump_trip", "gateway_offline"):
        return Fault(label, f"D-{station}" if label == "gateway_offline" else station, None, start)
    return _draw_meter(label, station, f, rng, start)


def _draw_meter(label: str, station: str, f: Field, rng: np.random.Generator, start: float) -> Fault:
    key = str(rng.choice(SENSORS))
    point = f.county.point_by_id[f"{station}/{key}"]
    sign = float(rng.choice([-1.0, 1.0]))
    scale = {"temperature": 3.0, "pressure": 4e4}.get(point.quantity, 0.12 * float(f.value[point.no]))
    return Fault(label, point.id, None if label == "sensor_freeze" else sign * scale, start)


def run_episode(label: str, f0: Field, twin0: Twin, rng: np.random.Generator, weather: str) -> Episode:
    """Branch off, break, watch."""
    f, twin = f0.branch(), twin0.branch()
    before = {v.id for v in twin.look(f)}
    old_alarms = twin.peer.alarms()
    fault = draw_fault(label, f, rng)
    f.faults.add(fault)
    found = right = away = peer = math.nan
    first_kind, others, in_three = "", set(), False
    elsewhere: set[str] = set()
    for t, verdicts in play(f, twin, WATCHED_H.get(fault.kind, OTHERS_H), 60.0):
        for point in twin.peer.alarms() - old_alarms:
            if fault.kind in (*PIPE_KINDS, "source_trip") or _station(point) == _station(fault.at):
                peer = (t - fault.start) / 60.0 if math.isnan(peer) else peer
            else:
                elsewhere.add(point)
        for v in verdicts:
            if v.id in before:
                continue
            mine = _is_mine(v, fault)
            if mine and math.isnan(found):
                found = (t - fault.start) / 60.0
            if not mine:
                others.add(v.id)
            if mine and v.kind == fault.kind:
                right = (t - fault.start) / 60.0 if math.isnan(right) else right
                away = _distance_m(f.county, v.place, fault.at) if fault.kind in PIPE_KINDS else away
    last = [v for v in verdicts if v.id not in before]
    if last:
        first_kind = last[0].kind
        named = [*[v.kind for v in last], *[s.kind for v in last for s in v.suspects]]
        in_three = fault.kind in list(dict.fromkeys(named))[:3]
    size = math.nan if fault.size is None else fault.size
    return Episode(label, fault.kind, fault.at, size, f.seed, weather, found, right, first_kind, in_three,
                   away, len(others), peer, len(elsewhere))  # fmt: skip


def _station(place: str) -> str:
    return place.split("/", maxsplit=1)[0].removeprefix("D-")


def _is_mine(v: Verdict, fault: Fault) -> bool:
    """Whether a finding speaks of this fault: of its place, or of a pipe when a pipe is broken."""
    if fault.kind in PIPE_KINDS:
        return v.kind in PIPE_KINDS
    return _station(v.place) == _station(fault.at)


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
    for _, verdicts in play(f, twin, 24.0 * days, 60.0):
        told.update({v.id: f"{v.kind} {v.place}" for v in verdicts})
        now = twin.peer.alarms()
        alarms, before = alarms + len(now - before), now
    return sorted(told.values()), alarms


def summarise(
    rows: Sequence[Episode], days: float, false_findings: int, alarms: int
) -> list[dict[str, object]]:
    """The table: one row per line of the mix, then the marks."""
    table: list[dict[str, object]] = []
    for label, _ in MIX:
        mine = [e for e in rows if e.label == label]
        if not mine:
            continue
        found = np.array([e.found_min for e in mine])
        away = np.array([e.away_m for e in mine])
        table.append(
            {
                "fault": label,
                "episodes": len(mine),
                "found": float(np.isfinite(found).mean()),
                "delay_p50_min": float(np.nanmedian(found)) if np.isfinite(found).any() else math.nan,
                "class_first": float(np.mean([e.first_kind == e.kind for e in mine])),
                "class_in_three": float(np.mean([e.in_three for e in mine])),
                "away_p50_m": float(np.nanmedian(away)) if np.isfinite(away).any() else math.nan,
                "within_200_m": float(np.mean(away[np.isfinite(away)] <= 200)) if np.isfinite(away).any()
                else math.nan,
                "other_findings": float(np.mean([e.others for e in mine])),
                "peer_found": float(np.mean([math.isfinite(e.peer_min) for e in mine])),
                "peer_alarms_elsewhere": float(np.mean([e.peer_others for e in mine])),
            }
        )  # fmt: skip
    return [*table, *_marks(rows, days, false_findings, alarms)]


def _marks(rows: Sequence[Episode], days: float, false_findings: int, alarms: int) -> list[dict[str, object]]:
    def share(chosen: Sequence[Episode], ok: Sequence[bool]) -> float:
        return float(np.mean(ok)) if chosen else math.nan

    one = [e for e in rows if e.label == "leak 1 %"]
    three = [e for e in rows if e.label == "leak 3 %"]
    sensor = [e for e in rows if e.kind.startswith("sensor")]
    fouled = [e for e in rows if e.kind == "fouling"]
    return [
        _mark("leaks of 1 % found in 30 min", share(one, [e.found_min <= 30 for e in one]), 0.90),
        _mark("leaks of 3 % found in 5 min", share(three, [e.found_min <= 5 for e in three]), 0.90),
        _mark("right class first", share(rows, [e.first_kind == e.kind for e in rows]), 0.80),
        _mark("right class in three", share(rows, [e.in_three for e in rows]), 0.95),
        _mark("fouling of 20 % found", share(fouled, [e.found_min <= 3 * 1440 for e in fouled]), 0.90),
        _mark("sensor faults found", share(sensor, [math.isfinite(e.found_min) for e in sensor]), 0.95),
        _mark("false findings per healthy day", false_findings / days if days else math.nan, 1.0, most=True),
        _mark("alarms of the peer per healthy day", alarms / days if days else math.nan, 1.0, most=True),
    ]


def _mark(name: str, value: float, must: float, most: bool = False) -> dict[str, object]:
    met = value <= must if most else value >= must
    return {"mark": name, "value": value, "must": must, "met": bool(met)}


def print_table(table: Sequence[dict[str, object]]) -> None:
    """Columns, aligned."""
    for part in ([r for r in table if "fault" in r], [r for r in table if "mark" in r]):
        if not part:
            continue
        heads = list(part[0])
        cells = [[f"{v:.3g}" if isinstance(v, float) else str(v) for v in r.values()] for r in part]
        width = [max(len(h), *(len(c[i]) for c in cells)) for i, h in enumerate(heads)]
        for line in (heads, *cells):
            print(
                "  ".join(
                    x.rjust(w) if i else x.ljust(w) for i, (x, w) in enumerate(zip(line, width, strict=True))
                )
            )
        print()


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="40 episodes and 2 days of one field")
    args = parser.parse_args()
    if args.quick:
        args.episodes, args.days, args.seeds = 40, 2.0, 1
    county = generate_county(7)
    shared = (compile_network(county.network), compile_points(county), compile_book(county))
    fields = [(100 + s, w) for s in range(args.seeds) for w in (WEATHERS[:1] if args.quick else WEATHERS)]
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
            play(f, twin, float(rng.uniform(2, 20)), 60.0)
            share = range(i, args.episodes, len(fields))
            rows += [run_episode(labels[k % len(labels)], f, twin, rng, weather) for k in share]
            what, n = run_healthy(f, twin, args.days / len(fields))
            alarms += n
            wrong += [f"seed {seed} {weather}: {w}" for w in what]
            print(f"field {i + 1} of {len(fields)}: seed {seed}, {weather}; {len(rows)} episodes, "
                  f"{time.monotonic() - began:.0f} s", file=sys.stderr)  # fmt: skip
    table = summarise(rows, args.days, len(wrong), alarms)
    print_table(table)
    print(f"{len(rows)} episodes, {args.days:g} healthy days, {len(fields)} fields; false: {wrong or 'none'}")
    if args.json:
        said = {"table": table, "episodes": [asdict(e) for e in rows], "false": wrong}
        args.json.write_text(json.dumps(said, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
