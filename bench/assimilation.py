"""What the running twin learns of a field whose truth is hidden, and its worth on days that taught nothing.

    python -m bench.assimilation [--days 4] [--test-days 2] [--seeds 11 12 13] [--json FILE]

The plant of the demo field draws factors on survey values that the twin does not know. Every five minutes
the twin compares, as a survey has it (before) and with what it has learnt (after). After ``--days`` it learns
no more; the days that follow are scored: root mean square of measured less simulated over all stations, by
kind of point, and apart for the moments at which waters of different temperature meet near a station.
"""

import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.calibration import WEATHERS, WINTER
from bench.diagnosis_field import COARSE_S, Field, make_parser
from ingest.demo.county import generate_county
from twin.assimilation import Learnt, begin_learner, correct, hold_readings, learn, list_learnt
from twin.compare import Comparison, Memory, compare_network, compile_points, spread_near
from twin.heat import compile_network
from twin.heat.memory import keep_freed_memory
from twin.model.county import County

KINDS = {
    "p1_ts": ("K", 1.0), "p1_tr": ("K", 1.0), "s2_ts": ("K", 1.0), "p1_ps": ("kPa", 1e-3),
    "p1_pr": ("kPa", 1e-3), "p1_flow": ("%", 100.0), "p1_heat": ("%", 100.0), "src_tr": ("K", 1.0),
}  # fmt: skip
MEET_K = 2.5
"""Waters near a station that differ by more than this meet there."""


def miss(c: Comparison, numbers: np.ndarray, share: bool) -> np.ndarray:
    """Measured less simulated of points; NaN without an answer."""
    out = np.full(int(max(numbers.max(), c.point_no.max())) + 1, np.nan)
    out[c.point_no] = (c.measured - c.value) / (np.where(c.value > 1e-4, c.value, np.nan) if share else 1.0)
    found: np.ndarray = out[numbers]
    return found


def play(county: County, seed: int, days: float, test_days: float, folder: Path) -> list[dict[str, object]]:
    """Rows of one field."""
    f = Field(county, seed, WEATHERS[seed % 3], WINTER + 40 * 86_400.0 * (seed % 4), folder / f"{seed}.json")
    network, book = county.network, compile_points(county)
    net, learner = compile_network(network), begin_learner(network, book)
    nobody = hold_readings(learner.layout, (), {})
    waters: list[Memory | None] = [None, None]
    numbers = {k: (book.source if k.startswith("src") else book.station)[k] for k in KINDS}
    seen: dict[str, list[np.ndarray]] = {k: [] for k in (*KINDS, "met")}
    spent, cycles = 0.0, round((days + test_days) * 86_400.0 / COARSE_S)
    for i in range(cycles):
        f.step(COARSE_S)
        s, began = f.snapshot(), time.process_time()
        plain = compare_network(net, network, book, s, waters[0])
        c = compare_network(net, network, book, s, waters[1], correct(learner, len(county.points)))
        waters = [plain.memory, c.memory]
        if i * COARSE_S < days * 86_400.0:
            learn(learner, net, network, book, c, plain, nobody)
            spent += time.process_time() - began
            continue
        for k, no in numbers.items():
            relative = KINDS[k][0] == "%"
            seen[k].append(np.stack([miss(plain, no, relative), miss(c, no, relative)]))
        seen["met"].append(spread_near(plain.state.t_supply_c, book.near) > MEET_K)
    rows = [describe(seed, k, np.array(seen[k])) for k in KINDS]
    met = np.array(seen["met"])
    apart = np.array(seen["p1_ts"])
    apart[np.broadcast_to(~met[:, None, :], apart.shape)] = np.nan
    rows.append(
        describe(seed, "p1_ts", apart) | {"point": "p1_ts where waters meet", "moments": float(met.mean())}
    )
    truth = hidden_factors(f, learner.layout.groups, learner.layout.group)
    rows += [hold_against(seed, kind, list_learnt(learner), known) for kind, known in truth.items()]
    ms = 1e3 * spent / (days * 86_400.0 / COARSE_S)
    return [
        *rows,
        {"seed": seed, "point": "time of both walks and learning, five minutes", "unit": "ms", "after": ms},
    ]


def hidden_factors(f: Field, groups: tuple[str, ...], group: np.ndarray) -> dict[str, dict[str, float]]:
    """Kind -> place -> what the factor would be if it were known: of pipes by what they lose of heat and of
    pressure."""
    n, h = f.county.network, f.plant.hidden
    assert f.plant.flow is not None
    length, diameter, u = np.array([(p.length_m, p.diameter_m, p.u_w_m_k) for p in n.pipes]).T
    loss, drop = length * u, f.plant.flow.pipe_kg_s**2 * length / diameter**5 + 1e-12
    mine = [group == k for k in range(len(groups))]
    rough = [float(np.exp(np.average(np.log(h.roughness[m]), weights=drop[m]))) for m in mine]
    heat = [float(np.average(h.u[m], weights=loss[m])) for m in mine]
    return {
        "exchanger": dict(zip((s.id for s in n.substations), map(float, h.exchanger_ua), strict=True)),
        "heat_loss": dict(zip(groups, heat, strict=True)),
        "roughness": dict(zip(groups, rough, strict=True)),
    }


def hold_against(seed: int, kind: str, rows: Sequence[Learnt], truth: dict[str, float]) -> dict[str, object]:
    """Learnt factors of a kind beside the hidden ones."""
    found = {x.place: x for x in rows if x.kind == kind and x.learnt and x.place in truth}
    before = [float(np.log(v)) for v in truth.values()]
    error = [float(np.log(x.value / truth[p])) for p, x in found.items()]
    inside = [x.low <= truth[p] <= x.high for p, x in found.items()]
    wide = [float(np.log(x.high / x.low)) / 3.92 for x in found.values()]

    def mean(x: Sequence[float] | np.ndarray) -> float:
        return float(np.mean(x)) if len(x) else np.nan

    return {"seed": seed, "point": f"{kind}, error", "unit": "%", "learnt": len(found), "of": len(truth),
            "before": 100.0 * float(np.sqrt(mean(np.square(before)))),
            "after": 100.0 * float(np.sqrt(mean(np.square(error)))) if error else np.nan,
            "in_95": mean(inside), "stated": 100.0 * mean(wide)}  # fmt: skip


def describe(seed: int, key: str, x: np.ndarray) -> dict[str, object]:
    """Root mean squares without and with corrections of (n, 2, n_place), and the worst place's."""
    unit, scale = KINDS[key]
    with np.errstate(invalid="ignore"):
        x = np.clip(x, -1.0, 1.0) if unit == "%" else x
        rms = scale * np.sqrt(np.nanmean(np.square(x), axis=(0, 2)))
        known = np.isfinite(x).any(axis=(0, 1))
        worst = scale * np.sqrt(np.nanmean(np.square(x[:, :, known]), axis=0)).max(axis=1)
    return {"seed": seed, "point": key, "unit": unit, "before": float(rms[0]), "after": float(rms[1]),
            "worst_before": float(worst[0]), "worst_after": float(worst[1])}  # fmt: skip


def main() -> None:
    """Print the table; write it where ``--json`` says."""
    said = make_parser(__doc__, (11, 12, 13)).parse_args()
    keep_freed_memory()
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in said.seeds:
            rows += play(generate_county(1), seed, said.days, said.test_days, Path(folder))
            for r in rows:
                if r["seed"] == seed:
                    more = {k: v for k, v in r.items() if k not in ("seed", "point", "unit")}
                    text = ", ".join(f"{k} {v:.3g}" for k, v in more.items())
                    print(f"seed {seed} {r['point']} ({r['unit']}): {text}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    rows.append({"seed": 0, "point": "peak memory, the plant included", "unit": "MB", "after": peak})
    print(f"peak memory, the plant included: {peak:.0f} MB")
    if said.json:
        said.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
