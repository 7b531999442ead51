"""What a rehearsal in which nothing happens is worth by its start: the plain walk, or what the twin knows.

    python -m bench.rehearsal_start [--days 4] [--test-days 2] [--seeds 31 32 33] [--json FILE]

The demo field with its hidden truth; ``--days`` teach the running twin, then every ``--every`` hours of the
days that follow the county is simulated ahead from that moment, and stations are compared with what their
meters showed later (root mean square over all stations and moments, by hours ahead). All starts look into the
same weather and the same source temperatures (those that came), so that they differ in the start alone;
other rows let the sources stay as they were, or follow the weather as they did before, as a rehearsal does.

``plain``: twelve hours walked with the survey, stations on their curves. ``corrected``: the same with what
was learnt. ``water``: and the water of the running twin and what stations read.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.domains.heating.ahead import STEP_S
from app.domains.heating.following import learn_following
from app.domains.heating.past import read_past
from app.domains.heating.present import Present, plain_present
from app.domains.heating.rehearse import compile_county
from app.domains.heating.tomorrow import ARRAYS
from bench.calibration import WEATHERS, WINTER
from bench.diagnosis_field import COARSE_S, Field, make_parser
from ingest.demo.county import generate_county
from ingest.store.api import NetworkState, RollUpSeries
from twin.assimilation import apply_correction, begin_learner, correct, hold_readings, learn
from twin.compare import Comparison, Memory, compare_network, compile_points
from twin.heat import compile_network
from twin.heat.memory import keep_freed_memory
from twin.model.county import County
from twin.rehearsal import Case, Outlook, Past, rehearse, settle_system
from twin.rehearsal.start import drive_sources, hold_boundary

HOURS = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0)
SOURCES = ("as they came", "stay", "follow the weather")
STARTS = ("plain", "corrected", "water")
KEYS = ("p1_ts", "s2_ts")


@dataclass(frozen=True, eq=False)
class Moment:
    """Row of the played history, and what the twin knew then, by start."""

    row: int
    known: dict[str, Present]


@dataclass(frozen=True, eq=False)
class Played:
    """``t`` (n,), ``value`` (n, n_point) as the twin had it every five minutes; moments to start from."""

    county: County
    t: np.ndarray
    value: np.ndarray
    moments: list[Moment]


def play(county: County, seed: int, days: float, test_days: float, every_h: float, folder: Path) -> Played:
    """Let the field run with the twin beside it."""
    f = Field(county, seed, WEATHERS[seed % 3], WINTER + 40 * 86_400.0 * (seed % 4), folder / f"{seed}.json")
    network, book = county.network, compile_points(county)
    net, learner = compile_network(network), begin_learner(network, book)
    nobody = hold_readings(learner.layout, (), {})
    water: list[Memory | None] = [None, None]
    t, values, moments = [], [], []
    cycles, first = round((days + test_days) * 86_400.0 / COARSE_S), round(days * 86_400.0 / COARSE_S)
    last, every = cycles - round(max(HOURS) * 3600.0 / COARSE_S), round(every_h * 3600.0 / COARSE_S)
    for i in range(cycles):
        f.step(COARSE_S)
        s = f.snapshot()
        c = correct(learner, len(county.points))
        plain = compare_network(net, network, book, s, water[0])
        best = compare_network(net, network, book, s, water[1], c)
        water = [plain.memory, best.memory]
        learn(learner, net, network, book, best, plain, nobody)
        t.append(s.t)
        values.append(s.value)
        if first <= i + 1 < last and (i + 1) % every == 0:
            better = replace(county, network=apply_correction(network, c))
            learnt = Present(better, c.source_k, s.t, "")
            with_water = replace(learnt, water=as_state(best))
            known = {"plain": plain_present(county), "corrected": learnt, "water": with_water}
            moments.append(Moment(i, known))
    return Played(county, np.array(t), np.array(values), moments)


def as_state(c: Comparison) -> NetworkState:
    """The network as the store would keep it."""
    return NetworkState(0, c.t, "ok", **{k: getattr(c.state, k) for k in ARRAYS})


def look_out(p: Played, past: Past, row: int, source_k: np.ndarray, sources: str) -> Outlook:
    """The weather that came, and the source temperatures as ``SOURCES`` says."""
    n = round(max(HOURS) * 3600.0 / STEP_S)
    at = p.t[row] + STEP_S * np.arange(1.0, n + 1.0)

    def came(point_id: str) -> np.ndarray:
        x = p.value[:, p.county.point_by_id[point_id].no]
        known = np.isfinite(x)
        found: np.ndarray = np.interp(at, p.t[known], x[known])
        return found

    by_key = {q.key: q.id for q in p.county.points if q.key in ("t_out", "wind", "solar")}
    weather = (came(by_key["t_out"]), came(by_key["wind"]), came(by_key["solar"]))
    t_source = np.stack([came(f"{s.id}/src_ts") for s in p.county.network.sources], axis=1) + source_k
    system = compile_county(p.county)
    if sources == "follow the weather":
        numbers = [p.county.point_by_id[by_key["t_out"]].no]
        numbers += [p.county.point_by_id[f"{s.id}/src_ts"].no for s in p.county.network.sources]
        hours = p.value[: row // 12 * 12, numbers].reshape(-1, 12, len(numbers)).mean(axis=1)
        past = replace(past, following=learn_following(hours[:, 0], hours[:, 1:]))
    if sources != "as they came":
        t_source = drive_sources(system, past, weather[0])
    return Outlook(STEP_S, *weather, t_source, hold_boundary(system, past), past.lift_k, past.pump_share)


def predict(p: Played, m: Moment, start: str, sources: str) -> dict[str, np.ndarray]:
    """Primary and secondary supply temperatures at stations (hour, n_station) by hours ahead."""
    known = m.known[start]
    system = compile_county(known.county)

    def rolled_up(no: int, begin: float, end: float) -> RollUpSeries:
        mine = (p.t >= begin) & (p.t <= end)
        x = p.value[mine, no]
        return RollUpSeries(p.t[mine], np.ones(x.size, np.int64), x, x, x, x)

    past = read_past(p.county, system, p.value[m.row], rolled_up, float(p.t[m.row]), known)
    if start == "plain":  # as it was before anything was known of the stations
        past = replace(past, lift_k=None, pump_share=None)
    outlook = look_out(p, past, m.row, known.source_k, sources)
    run = rehearse(system, settle_system(system, past), outlook, Case("nothing"))
    at = [round(h * 3600.0 / STEP_S) - 1 for h in HOURS]
    net, f = system.net, run.frames
    node = net.station_node
    primary = np.stack([np.interp(HOURS, f.hour, f.t_supply_c[:, k]) for k in node], axis=1)
    return {"p1_ts": primary, "s2_ts": run.t_supply_c[at]}


def measured(p: Played, m: Moment, key: str) -> np.ndarray:
    """What stations showed (hour, n_station)."""
    no = [p.county.point_by_id[f"{s.id}/{key}"].no for s in p.county.network.substations]
    rows = [m.row + round(h * 3600.0 / COARSE_S) for h in HOURS]
    shown: np.ndarray = p.value[np.ix_(rows, no)]
    return shown


def score(
    p: Played, seed: int, starts: Sequence[str] = STARTS, sources: Sequence[str] = SOURCES
) -> Iterator[dict[str, object]]:
    """Rows of one field."""
    for what in sources:
        for start in starts:
            said = [predict(p, m, start, what) for m in p.moments]
            for key in KEYS:
                miss = np.stack([s[key] - measured(p, m, key) for s, m in zip(said, p.moments, strict=True)])
                rms = np.sqrt(np.nanmean(np.square(miss), axis=(0, 2)))
                row = {"seed": seed, "start": start, "sources": what}
                hours = {f"{h:g} h": float(x) for h, x in zip(HOURS, rms, strict=True)}
                yield {**row, "point": key, "moments": len(p.moments), **hours}


def main() -> None:
    """Print the table; write it where ``--json`` says."""
    parser = make_parser(__doc__, (31, 32, 33))
    parser.add_argument("--every", type=float, default=3.0, help="hours between two starts")
    said = parser.parse_args()
    keep_freed_memory()
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in said.seeds:
            p = play(generate_county(1), seed, said.days, said.test_days, said.every, Path(folder))
            for row in score(p, seed):
                rows.append(row)
                print(*(f"{v:.3f}" if isinstance(v, float) else v for v in row.values()), flush=True)
    if said.json:
        said.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
