"""How fast a crew with portable instruments finds a leak: from the zone that fixed meters leave to a place.

    python -m bench.leak_search [--leaks 12] [--seeds 3] [--first-seed 700] [--checks 8] [--only FIELD]
        [--wrong 0.05] [--keep FOLDER] [--json FILE]

For each seed and weather a field is made whose code and hidden parameters the twin does not know. It runs
until the twin has learned its habits; from there every leak (half of 1 %, half of 3 % of the circulation, in
a pipe drawn at random) is a branch of its own. An hour after it began a crew sets out: it does the first
check that the twin advises, reads the plant's true flows with the instrument's stated error
(``twin.diagnosis.search.KIT``), and one reading in twenty is plainly wrong (``--wrong``). The field goes on
for as long as a check takes, the twin places the leak anew, and so on. It is near when the most probable pipe
lies within 200 m of the true one, middle to middle, as in ``bench.diagnosis``.

What the crew sees is of the plant, not of the twin: flows and temperatures in its pipes (in the broken pipe
itself, the half of the leak that has not left it yet too), the make-up that is saved when what is shut off by
the county's map holds the leak, and a noise that carries along the trench.
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

from bench.diagnosis import WEATHERS, WINTER
from bench.diagnosis_field import COARSE_S, STEP_S, Fault, Field, Twin, play
from ingest.demo.county import generate_county
from ingest.demo.plant.grid import water_density_kg_m3
from twin.compare import compile_points
from twin.diagnosis import compile_book
from twin.diagnosis.search import KIT, Check, Result, advise, compile_trench, near_share
from twin.diagnosis.search.trench import find_cut, walk_trench
from twin.heat import CompiledNetwork, compile_network

SHARES = (0.01, 0.03)
AFTER = (0, 1, 2, 3, 5, 8)
NEAR_M = 200.0


@dataclass
class Search:
    """One leak and its crew: after 0, 1, 2, ... checks the metres of the zone, how far off the most probable
    pipe is, whether the zone holds the true one, and what the twin itself says of being near; ``kinds`` of
    the checks, ``minutes`` of the crew after each, and how many chambers it has been at."""

    seed: int
    weather: str
    share: float
    at: str
    zone_m: list[float] = field(default_factory=list)
    away_m: list[float] = field(default_factory=list)
    holds: list[bool] = field(default_factory=list)
    near: list[float] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    minutes: list[float] = field(default_factory=lambda: [0.0])
    visits: list[int] = field(default_factory=lambda: [0])

    def found_after(self) -> float:
        """Checks from which on the most probable pipe stays near; infinite: never."""
        far = [n for n, x in enumerate(self.away_m) if not x <= NEAR_M]
        first = far[-1] + 1 if far else 0
        return float(first) if first < len(self.away_m) else math.inf


@dataclass
class Crew:
    """Reads the true plant with the errors of its instruments.

    ``broken``: number of the pipe that leaks ``lost`` kg/s at the share ``along`` of its length; ``wrong``
    readings among all.
    """

    net: CompiledNetwork
    rng: np.random.Generator
    wrong: float
    broken: int
    along: float
    lost: float

    def __post_init__(self) -> None:
        self.trench = compile_trench(self.net)

    def read(self, f: Field, check: Check) -> Result:
        """Do one check."""
        bad = bool(self.rng.random() < self.wrong)
        if check.kind == "listen":
            return Result(check, self._listen(check, bad), math.nan, f.t)
        first, second = self._clamp(f, check, bad) if check.kind == "clamp" else self._shut(f, check, bad)
        return Result(check, max(first, 0.0), max(second, 0.0), f.t)

    def _clamp(self, f: Field, check: Check, bad: bool) -> tuple[float, float]:
        net, pair = self.net, self.trench.number[check.pair_ids[0]]
        node = net.network.node_index[check.node_id]
        assert f.plant.flow is not None
        out = []
        for k in (int(self.trench.supply[pair]), int(self.trench.back[pair])):
            m = float(f.plant.flow.pipe_kg_s[k])
            if k == self.broken:
                m += 0.5 * self.lost * (1.0 if net.start[k] % net.n_node == node else -1.0)
            t_c = f.plant.heat.node_c[[net.start[k] if m > 0.0 else net.end[k]]]
            flow = abs(m) / float(water_density_kg_m3(t_c)[0])
            area = math.pi / 4 * net.diameter_m[k] ** 2
            error = max(KIT.flow_share * flow, KIT.flow_least_m_s * area)
            out.append(flow + float(self.rng.normal(0.0, error)))
        if bad:
            out[int(self.rng.integers(2))] *= float(self.rng.uniform(0.7, 1.3))
        return out[0], out[1]

    def _listen(self, check: Check, bad: bool) -> float:
        node = np.array([self.net.network.node_index[check.node_id]])
        away = walk_trench(self.net, self.trench, node, 2.0 * KIT.deaf_m)[0, self.broken]
        d = float(away[int(self.along * len(away))])
        share = min(max((KIT.deaf_m - d) / (KIT.deaf_m - KIT.hear_m), 0.0), 1.0)
        heard = bool(self.rng.random() < KIT.imagine + (KIT.hear - KIT.imagine) * share)
        return float(heard != bad)

    def _shut(self, f: Field, check: Check, bad: bool) -> tuple[float, float]:
        net, trench, k = self.net, self.trench, self.broken
        pairs = tuple(trench.number[p] for p in check.pair_ids)
        cut = find_cut(net, trench, pairs)
        behind = bool(cut[[net.start[k] % net.n_node, net.end[k] % net.n_node]].all())
        if trench.pair_of[k] in pairs:
            n = int(trench.pair_of[k])
            behind = bool(cut[trench.ends[n, 1 - trench.valve_end[n]]])
        assert f.plant.flow is not None
        usual = (0.002 * float(f.plant.flow.station_kg_s.sum()) + self.lost) / 990.0
        saved = self.lost / 990.0 if behind != bad else 0.0
        noise = self.rng.normal(0.0, KIT.make_up_m3_s, 2)
        return usual + float(noise[0]), usual - saved + float(noise[1])


def search_leak(f0: Field, twin0: Twin, share: float, weather: str, rng: np.random.Generator,
                checks: int, wrong: float) -> Search | None:  # fmt: skip
    """Break a pipe, wait an hour, send the crew; None when the twin does not see the leak at all."""
    f, twin = f0.branch(), twin0.branch()
    assert f.plant.flow is not None
    broken = int(rng.integers(twin.net.n_pipe))
    out = Search(f.seed, weather, share, twin.net.network.pipes[broken].id)
    lost = share * float(f.plant.flow.station_kg_s.sum())
    f.faults.add(Fault("leak", out.at, lost, f.t + 30.0))
    crew = Crew(twin.net, rng, wrong, broken, float(rng.random()), lost)
    play(f, twin, 1.0, STEP_S)
    done: list[Result] = []
    for n in range(checks + 1):
        placed = twin.watch.placed
        if placed is None:
            print(f"seed {f.seed}: leak in {out.at} is not told (any more)", file=sys.stderr)
            return None if n == 0 else out
        _score(out, twin, crew, broken)
        if n == checks:
            break
        asked = [r.check for r in done]
        advice = advise(twin.net, crew.trench, placed.state, placed.chance, placed.size_kg_s, KIT, asked)
        if not advice.checks:
            break
        told = advice.checks[0]
        done.append(crew.read(f, told.check))
        out.kinds.append(told.check.kind)
        out.minutes.append(out.minutes[-1] + told.minutes)
        out.visits.append(out.visits[-1] + (len(asked) == 0 or asked[-1].node_id != told.check.node_id))
        twin.watch.checks = tuple(done)
        play(f, twin, max(round(told.minutes), 1) / 60.0, STEP_S)
    return out


def _score(out: Search, twin: Twin, crew: Crew, broken: int) -> None:
    placed = twin.watch.placed
    assert placed is not None
    order = np.argsort(-placed.chance, kind="stable")
    many = int(np.searchsorted(np.cumsum(placed.chance[order]), 0.8)) + 1
    out.zone_m.append(float(twin.net.length_m[order[:many]].sum()))
    out.holds.append(bool(np.isin(broken, order[:many])))
    out.away_m.append(float(np.hypot(*(crew.trench.middle[order[0]] - crew.trench.middle[broken]))))
    out.near.append(near_share(crew.trench, placed.chance))


def run_field(seed: int, weather: str, leaks: int, checks: int, wrong: float) -> list[Search]:
    """All leaks of one field."""
    county = generate_county(7)
    rng = np.random.default_rng((seed, WEATHERS.index(weather), 5))
    start = WINTER + 86_400.0 * float(rng.uniform(-40, 40))
    with tempfile.TemporaryDirectory() as folder:
        f = Field(county, seed, weather, start, Path(folder) / "truth.jsonl")
        twin = Twin(compile_network(county.network), compile_points(county), compile_book(county))
        play(f, twin, 24.0, COARSE_S)
        play(f, twin, float(rng.uniform(1, 4)), STEP_S)
        rows = [
            search_leak(f, twin, SHARES[k % 2], weather, rng, checks, wrong) for k in range(leaks)
        ]  # fmt: skip
    return [r for r in rows if r is not None]


def print_table(rows: Sequence[Search]) -> None:
    """After so many checks: zone, distance, near; then how many it took."""
    for share in SHARES:
        mine = [r for r in rows if r.share == share and r.zone_m]
        if not mine:
            continue
        print(f"leak of {100 * share:g} %: {len(mine)} leaks")
        print("checks  zone_m  zone_holds  away_p50_m  within_200_m  twin_says_near  crew_min  chambers")
        for n in AFTER:
            if all(len(r.zone_m) <= n for r in mine):
                continue
            last = [min(n, len(r.zone_m) - 1) for r in mine]  # no further check was worth its way

            def mid(name: str, last: Sequence[int] = last, mine: Sequence[Search] = mine) -> float:
                return float(np.median([getattr(r, name)[k] for r, k in zip(mine, last, strict=True)]))

            near = np.mean([r.away_m[k] <= NEAR_M for r, k in zip(mine, last, strict=True)])
            holds = np.mean([r.holds[k] for r, k in zip(mine, last, strict=True)])
            says = np.mean([r.near[k] for r, k in zip(mine, last, strict=True)])
            print(f"{n:6d}  {mid('zone_m'):6.0f}  {100 * holds:8.0f} %  {mid('away_m'):10.0f}  "
                  f"{100 * near:10.0f} %  {100 * says:12.0f} %  {mid('minutes'):8.0f}  "
                  f"{mid('visits'):8.0f}")  # fmt: skip
        took = np.array([r.found_after() for r in mine])
        half = float(np.quantile(took, 0.5, method="higher"))
        most = float(np.quantile(took, 0.9, method="higher"))
        print(f"near for good after {half:g} checks (median), {most:g} (nine in ten)")
    kinds = [k for r in rows for k in r.kinds]
    print({k: kinds.count(k) for k in sorted(set(kinds))})


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--leaks", type=int, default=12, help="per field")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=700)
    parser.add_argument("--checks", type=int, default=8)
    parser.add_argument("--wrong", type=float, default=0.05, help="share of readings that are plainly wrong")
    parser.add_argument("--only", type=int, help="run only this field (from 0) of them")
    parser.add_argument("--keep", type=Path, help="folder of one JSON file per field; those there are taken")
    parser.add_argument("--json", type=Path, help="write every search")
    args = parser.parse_args()
    fields = [(args.first_seed + s, w) for s in range(args.seeds) for w in WEATHERS]
    rows: list[Search] = []
    for i, (seed, weather) in enumerate(fields):
        path = args.keep / f"search-{seed}-{weather}.json" if args.keep else None
        if path is not None and path.exists():
            rows += [Search(**r) for r in json.loads(path.read_text(encoding="utf-8"))]
            continue
        if args.only is not None and args.only != i:
            continue
        began = time.monotonic()
        part = run_field(seed, weather, args.leaks, args.checks, args.wrong)
        rows += part
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps([asdict(r) for r in part]), encoding="utf-8")
        spent = time.monotonic() - began
        print(f"field {i + 1} of {len(fields)}: seed {seed}, {weather}; {spent:.0f} s", file=sys.stderr)
    print_table(rows)
    if args.json is not None:
        args.json.write_text(json.dumps([asdict(r) for r in rows], indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
