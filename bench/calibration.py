"""What calibration learns of a field whose truth is hidden, and what that is worth on other days.

    python -m bench.calibration [--days 10] [--seeds 2] [--json FILE] [--quick]

For each seed the plant of the demo field draws factors on survey values, which the twin does not know, and
has laws of its own. History is what the instruments report, every ten minutes. The last 30 % of the days are
kept apart. Printed: root mean square of measured less simulated there, with survey values and with what was
learnt; and how far the factors are from the hidden ones, beside what was believed before (factor 1).
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.diagnosis_field import COARSE_S, Field
from ingest.demo.county import generate_county
from twin.calibration import Calibration, Records, calibrate, gather_records
from twin.heat.memory import keep_freed_memory
from twin.model.county import County

WINTER = 1_800_000_000.0
EVERY_S = 600.0
WEATHERS = ("normal", "cold", "mild")
BROUGHT = 0.7
"""What people bring in the plant (3.2 W/m², 0.9 of it in the mean of a day) and its sun (0.6) over what is
usual. Wind and the part that follows the air have other laws there: no factor can be compared."""
UNITS = {"p": ("kPa", 1e-3), "t": ("K", 1.0)}
Floats = np.ndarray


def play_history(county: County, seed: int, days: float, folder: Path) -> tuple[Field, Records]:
    """Let the field run and keep what the store would know every ten minutes."""
    f = Field(
        county, seed, WEATHERS[seed % len(WEATHERS)], WINTER + 40 * 86_400.0 * seed, folder / f"{seed}.json"
    )
    snapshots = []
    for _ in range(round(days * 86_400.0 / EVERY_S)):
        for _ in range(round(EVERY_S / COARSE_S)):
            f.step(COARSE_S)
        snapshots.append(f.snapshot())
    return f, gather_records(snapshots)


def hidden_factors(f: Field, made: Calibration) -> dict[tuple[str, str], float]:
    """What each factor would be if it were known: means over the group, pipes by what they lose of pressure
    and heat, buildings by their loss."""
    n, h = f.county.network, f.plant.hidden
    assert f.plant.flow is not None
    size = np.array([(p.length_m, p.diameter_m, p.u_w_m_k) for p in n.pipes])
    drop = f.plant.flow.pipe_kg_s**2 * size[:, 0] / size[:, 1] ** 5
    group = np.array([made.pipes[p.id] for p in n.pipes])
    out: dict[tuple[str, str], float] = {}
    for g in set(made.pipes.values()):
        mine = group == g
        out["roughness", g] = float(np.exp(np.average(np.log(h.roughness[mine]), weights=drop[mine] + 1e-12)))
        out["heat_loss", g] = float(np.average(h.u[mine], weights=(size[:, 0] * size[:, 2])[mine]))
    out["valve_loss", "section valves"] = 1e-3  # the plant's valves lose nothing
    heated = [b for b in f.county.buildings if b.heated]
    for i, s in enumerate(n.substations):
        mine = np.array([b.substation_id == s.id for b in heated])
        ua = np.array([b.ua_w_k for b in heated])
        out["exchanger", s.id] = float(h.exchanger_ua[i])
        out["building_loss", s.id] = float(np.average(h.building_ua[mine], weights=ua[mine]))
        out["building_capacity", s.id] = 1.0
        gain = np.array([b.area_m2 for b in heated])[mine]
        out["building_gain", s.id] = BROUGHT * float(np.average(h.building_gain[mine], weights=gain))
    return out


def judge(seed: int, f: Field, made: Calibration) -> list[dict]:
    """Rows of the table: errors on other days, and factors against the hidden ones."""
    rows: list[dict] = []
    for s in made.scores:
        unit, scale = UNITS["p" if s.key.endswith(("_ps", "_pr")) else "t"]
        rows.append(
            {
                "figure": f"error of {s.key} on other days, seed {seed}", "value": s.after * scale,
                "before": s.before * scale, "unit": unit, "readings": s.count,
            }
        )  # fmt: skip
    truth = hidden_factors(f, made)
    for kind in dict.fromkeys(x.kind for x in made.factors):
        mine = [x for x in made.factors if x.kind == kind and x.learnt and (kind, x.group) in truth]
        if not mine:
            rows.append({"figure": f"{kind}, seed {seed}", "value": np.nan, "unit": "", "learnt": 0})
            continue
        miss = np.array([np.log(x.value / truth[kind, x.group]) for x in mine])
        before = np.array([np.log(truth[kind, x.group]) for x in mine])
        inside = np.mean(np.abs(miss) <= 1.96 * np.array([x.sigma for x in mine]))
        rows.append(
            {
                "figure": f"{kind}, error of the factor, seed {seed}",
                "value": 100.0 * float(np.sqrt(np.mean(miss**2))),
                "before": 100.0 * float(np.sqrt(np.mean(before**2))), "unit": "%",
                "learnt": f"{len(mine)}/{sum(x.kind == kind for x in made.factors)}",
                "in_95": float(inside), "stated": 100.0 * float(np.mean([x.sigma for x in mine])),
            }
        )  # fmt: skip
    return rows


def main() -> None:
    """Print the table; write it where ``--json`` says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="two days of one seed")
    parser.add_argument("--json")
    args = parser.parse_args()
    keep_freed_memory()
    county, rows = generate_county(1), []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(11, 12 if args.quick else 11 + args.seeds):
            f, records = play_history(county, seed, 2.0 if args.quick else args.days, Path(folder))
            began, busy = time.monotonic(), time.process_time()
            made = calibrate(county, records)
            spent = time.process_time() - busy
            rows += judge(seed, f, made)
            rows.append({"figure": f"time of a calibration, seed {seed}", "value": spent, "unit": "s",
                         "clock_s": time.monotonic() - began})  # fmt: skip
            print(*made.unknown, sep="\n")
            for x in made.factors:
                if x.kind in ("roughness", "heat_loss"):
                    print(f"  {x.kind} {x.group}: {x.value:.2f} ({x.low:.2f} to {x.high:.2f})"
                          f" hidden {hidden_factors(f, made)[x.kind, x.group]:.2f}")  # fmt: skip
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    rows.append({"figure": "peak memory, the plant included", "value": memory, "unit": "MB"})
    for row in rows:
        more = {k: v for k, v in row.items() if k not in ("figure", "value", "unit")}
        text = ", ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in more.items())
        print(f"{row['figure']:<55} {row['value']:>9.3g} {row['unit']:<4} {text}")
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
