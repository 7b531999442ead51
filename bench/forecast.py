"""The load forecast on the demo field against persistence: 24, 48 and 72 h ahead, four kinds of weather.

``python -m bench.forecast [--days 8] [--week N] [--seed 7 ...] [--json FILE]``

The field is played at five-minute steps and left to its curves; every six hours the load is forecast from the
last ten days as they were reported, once with the weather that their habit makes likely, once with a weather
service whose error grows with the lead (0.4 K at once, about 2 K after two days). The peer is the same hour
of the last day that is known. Errors are mean absolute ones of hours, in per cent of the mean load.
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.diagnosis_field import Field
from bench.dispatch import WEEKS
from ingest.demo.county import generate_county
from twin.dispatch import HourKeeper, Hours, Outlook, compile_dispatcher
from twin.forecast import LoadPast, WeatherPast, expect_weather, forecast_load, join_service
from twin.model.county import County

Floats = NDArray[np.float64]

STEP_S, HOUR_S = 300.0, 3600.0
PAST_H, AHEAD_H, EVERY_H = 240, 72, 6
ARMS = ("habit", "service")


def play(county: County, week: tuple[str, str, str], days: int, seed: int) -> Hours:
    """Hours of a field left to its curves: ten days that only teach, those judged, and three to look at."""
    start = np.datetime64(week[2] + "T16:00").astype("datetime64[s]").astype(float) - PAST_H * HOUR_S
    keeper = HourKeeper(compile_dispatcher(county).book, keep=PAST_H + 24 * days + AHEAD_H + 2)
    with tempfile.TemporaryDirectory() as folder:
        field = Field(county, seed, week[1], float(start), Path(folder) / "truth.jsonl")
        for _ in range(round((PAST_H + 24 * days + AHEAD_H) * HOUR_S / STEP_S)):
            field.step(STEP_S)
            keeper.take(field.t, field.snapshot().value)
    return keeper.hours()


def serve(own: Outlook, truth: Floats, rng: np.random.Generator) -> Outlook:
    """A weather service: the truth with an error that grows with the lead, now this way, now that."""
    lead = np.arange(truth.size) + 0.5
    sigma = 0.4 + 1.6 * (1.0 - np.exp(-lead / 24.0))
    near, far = rng.normal(size=2)
    error = 0.8 * sigma * (near * np.exp(-lead / 20.0) + far * (1.0 - np.exp(-lead / 20.0)))
    return join_service(own, own.t - HOUR_S / 2.0, truth + error)


def judge(county: County, hours: Hours, seed: int) -> dict[tuple[str, int], list[Floats]]:
    """(arm, day ahead) -> rows of absolute error, that of persistence, and whether it was in the band."""
    heat = hours.source["src_heat"]
    load = np.where(np.isfinite(heat).any(1), np.nansum(heat, axis=1), np.nan)
    design = float(sum(s.design_heat_w for s in county.network.substations))
    rng, found = np.random.default_rng(seed), defaultdict(list)
    for end in range(PAST_H, load.size - AHEAD_H + 1, EVERY_H):
        cut, ahead = slice(end - PAST_H, end), slice(end, end + AHEAD_H)
        past = WeatherPast(hours.t[cut], hours.t_out_c[cut], hours.wind_m_s[cut], hours.sun_w_m2[cut])
        own = expect_weather(past, np.full(AHEAD_H, HOUR_S))
        for arm, outlook in zip(ARMS, (own, serve(own, hours.t_out_c[ahead], rng)), strict=True):
            f = forecast_load(LoadPast(past, load[cut], design, county.meta.design_outdoor_c), outlook)
            truth = load[ahead]
            row = np.stack([
                np.abs(f.load_w - truth), np.abs(f.persistence_w - truth),
                ((truth >= f.low_w) & (truth <= f.high_w)).astype(float), truth,
            ])  # fmt: skip
            for day in range(AHEAD_H // 24):
                found[arm, day].append(row[:, 24 * day : 24 * day + 24])
    return found


def describe(name: str, found: dict[tuple[str, int], list[Floats]]) -> list[dict[str, object]]:
    """Rows of the table."""
    out: list[dict[str, object]] = []
    for (arm, day), rows in sorted(found.items()):
        error, rival, inside, truth = np.concatenate(rows, axis=1)
        known = np.isfinite(truth)
        mean = float(truth[known].mean())
        out.append(
            {
                "weather": name, "outlook": arm, "until_h": 24 * (day + 1),
                "error_pct": round(100.0 * float(error[known].mean()) / mean, 1),
                "persistence_pct": round(100.0 * float(rival[known].mean()) / mean, 1),
                "in_band_pct": round(100.0 * float(inside[known].mean()), 0),
                "hours": int(known.sum()),
            }
        )  # fmt: skip
    return out


def main() -> None:
    """Play, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--week", type=int, choices=range(len(WEEKS)), help="only this one")
    parser.add_argument("--seed", type=int, nargs="+", default=[7])
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    began, rows = time.process_time(), []
    whole: dict[tuple[str, int], list[Floats]] = defaultdict(list)
    weeks = WEEKS if said.week is None else WEEKS[said.week : said.week + 1]
    for seed in said.seed:
        county = generate_county(seed)
        for week in weeks:
            found = judge(county, play(county, week, said.days, seed), seed)
            rows += describe(f"{week[0]}, seed {seed}", found)
            for key, part in found.items():
                whole[key] += part
    rows += describe("all", whole)
    print(
        "| weather | outlook | hours ahead | error | persistence | inside the band |\n"
        "|---|---|---|---|---|---|"
    )
    for r in rows:
        until = int(str(r["until_h"]))
        print(
            f"| {r['weather']} | {r['outlook']} | {until - 24} to {until} | {r['error_pct']} % | "
            f"{r['persistence_pct']} % | {r['in_band_pct']:.0f} % |"
        )
    print(f"{time.process_time() - began:.0f} s of processor time")
    if said.json:
        said.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
