"""Closed loop on the demo field: the dispatcher against the fixed compensation curve, four kinds of weather.

``python -m bench.dispatch [--days 7] [--week N] [--seed 7 11 ...] [--json FILE]``

The field is played at five-minute steps with its hidden truth; the twin gets what the instruments report and,
as a weather service would give it, the coming weather with an error that grows with the lead. Every hour it
proposes, and the field's controllers take what is within their limits. The peer is the same field in the same
weeks left to its curves. What colder houses gave out of their walls is not saved: heat is also told with
what is missing in the buildings at the end put back. Comfort is judged on the true temperature of every
building and on how homes differ within it: kelvin-hours per home.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bench.diagnosis_field import Field
from ingest.demo.county import generate_county
from ingest.demo.plant.truth import ROOM_OFFSET_K
from twin.dispatch import Dispatcher, HourKeeper, Outlook, Tariff, compile_dispatcher, propose
from twin.dispatch.inlets import (
    InletBook,
    Visits,
    balance_inlets,
    carry_out,
    compile_inlets,
    middle_of_circuits,
)
from twin.dispatch.tariff import electricity_yuan_mwh
from twin.model.county import County

Floats = NDArray[np.float64]
Arm = Literal["curve", "dispatch", "balance"]
ARMS: tuple[Arm, ...] = ("dispatch", "balance")
"""Left to its curves; dispatched; dispatched after the inlet valves of the buildings were balanced."""

WEEKS = (
    ("mild November", "mild", "2026-11-25"),
    ("December", "normal", "2026-12-17"),
    ("cold January", "cold", "2027-01-19"),
    ("February", "normal", "2027-02-27"),
)
STEP_S = 300.0
WARM_D = 21
"""Days before the judged ones that only teach: houses take ten days to come to their own temperatures."""
ROUNDS_H = (230.0, 390.0)
"""When a crew goes round to the inlet valves of the list, in the weeks before. Rooms answer to a valve within
days. Where a building has no sensor they knock at ``KNOCKS`` doors with a thermometer first."""
KNOCKS, BY_HAND_K = 2, 0.3
STEPS_S = np.array([3600.0] * 24 + [7200.0] * 12)


@dataclass
class Bill:
    """Sums of one week: J, yuan, K h per home; ``stored``: what the buildings hold more at the end."""

    heat: float = 0.0
    boiler: float = 0.0
    pump_source: float = 0.0
    pump_station: float = 0.0
    yuan: float = 0.0
    yuan_one_price: float = 0.0
    cold: float = 0.0
    hot: float = 0.0
    stored: float = 0.0
    solve_s: list[float] = field(default_factory=list)


SUMS = (
    "heat", "boiler", "pump_source", "pump_station", "yuan", "yuan_one_price", "cold", "hot", "stored",
)  # fmt: skip


def expect(f: Field, rng: np.random.Generator) -> Outlook:
    """The coming weather with the error of a service: 0.4 K at once, about 2 K after two days."""
    ends = f.t + np.cumsum(STEPS_S)
    skies = [[f.plant.weather.at(e - d + d * q) for q in (0.125, 0.375, 0.625, 0.875)]
             for e, d in zip(ends, STEPS_S, strict=True)]  # fmt: skip
    lead = (ends - f.t) / 3600.0
    sigma = 0.4 + 1.6 * (1.0 - np.exp(-lead / 24.0))
    near, far = rng.normal(size=2)
    error = 0.8 * sigma * (near * np.exp(-lead / 20.0) + far * (1.0 - np.exp(-lead / 20.0)))
    out = np.array([np.mean([s.t_out_c for s in row]) for row in skies])
    sun = np.array([np.mean([s.solar_w_m2 for s in row]) for row in skies])
    wind = np.array([np.mean([s.wind_m_s for s in row]) for row in skies])
    cloud, gust = float(np.clip(1.0 + 0.3 * rng.normal(), 0.3, 1.7)), float(rng.normal())
    return Outlook(
        ends, STEPS_S, out + error, sigma, np.maximum(wind + gust, 0.2), sun * cloud, np.ones(len(ends))
    )


def play_week(county: County, desk: Dispatcher, week: tuple[str, str, str], days: int, seed: int,
              arm: Arm, tariff: Tariff) -> Bill:  # fmt: skip
    """One week, after those that only teach."""
    start = np.datetime64(week[2] + "T16:00").astype("datetime64[s]").astype(float) - WARM_D * 86400.0
    with tempfile.TemporaryDirectory() as folder:
        f = Field(county, seed, week[1], float(start), Path(folder) / "truth.jsonl")
        keeper, rng, bill = HourKeeper(desk.book), np.random.default_rng(seed), Bill()
        homes = np.array([b.homes for b in county.buildings if b.heated], float)
        inlets = compile_inlets(county)
        warm = 24.0 * WARM_D
        for i in range(round((warm + 24 * days) * 3600.0 / STEP_S)):
            hours = i * STEP_S / 3600.0
            judged = hours >= warm
            if hours == warm:
                bill.stored = -stored_j(f)
            if arm == "balance" and hours in ROUNDS_H:
                turn_valves(f, inlets, keeper, rng)
            if arm != "curve" and judged and hours == round(hours):
                obey(f, desk, keeper, rng, tariff, bill)
            before = f.plant.counters["src_kwh"].sum(), f.plant.counters["e_kwh"].sum()
            f.step(STEP_S)
            keeper.take(f.t, f.snapshot().value)
            if judged:
                pay(f, bill, before, homes, tariff)
        bill.stored += stored_j(f)
    return bill


def stored_j(f: Field) -> float:
    """Heat in the buildings, J above 0 °C."""
    return float((f.plant.stations.room_c * f.plant.blocks.capacity_j_k).sum())


def knock(f: Field, inlets: InletBook, rng: np.random.Generator) -> Visits:
    """A crew measures rooms where no sensor is."""
    here = np.repeat(np.setdiff1d(np.arange(len(inlets.buildings)), inlets.room_row), KNOCKS)
    shown = f.plant.stations.room_c[here] + rng.normal(0.0, np.hypot(ROOM_OFFSET_K, BY_HAND_K), here.size)
    middle = middle_of_circuits(inlets, f.snapshot().value, len(f.county.network.substations))
    return Visits(here, shown - middle[inlets.station[here]])


def turn_valves(f: Field, inlets: InletBook, keeper: HourKeeper, rng: np.random.Generator) -> None:
    """A crew sets the inlet valves of the work list, as the last day's readings and its own say."""
    mean = np.nanmean(np.stack(keeper.rows[-24:]), axis=0)
    hours = keeper.hours()
    water = np.nanmean(hours.station["s2_ts"][-24:], axis=0)
    out = float(hours.t_out_c[-24:].mean())
    rows = balance_inlets(f.county, inlets, mean, out, water, knock(f, inlets, rng))
    turn = carry_out(rows)
    row = {b.id: i for i, b in enumerate(b for b in f.county.buildings if b.heated)}
    for building, factor in turn.items():
        f.plant.orders.inlet[row[building]] *= factor


def obey(f: Field, desk: Dispatcher, keeper: HourKeeper, rng: np.random.Generator, tariff: Tariff,
         bill: Bill) -> None:  # fmt: skip
    """Propose, and let the controllers do it."""
    began = time.process_time()
    proposal = propose(desk, keeper.hours(), expect(f, rng), f.snapshot().value, tariff)
    bill.solve_s.append(time.process_time() - began)
    for wish in proposal.wishes:
        place, key = wish.point_id.split("/")
        f.plant.write(place, key, wish.value)


def pay(f: Field, bill: Bill, before: tuple[float, float], homes: Floats, tariff: Tariff) -> None:
    """Add one step up."""
    heat, count = f.plant.shown["src_heat"] * STEP_S, f.plant.counters
    pump = float(count["src_kwh"].sum() - before[0]), float(count["e_kwh"].sum() - before[1])
    is_chp = np.array([s.kind == "chp" for s in f.county.network.sources])
    price = float(electricity_yuan_mwh(tariff, np.array([f.t - STEP_S]), f.county.meta.timezone, "money")[0])
    electric = sum(pump) / 3.6e9 * price
    bill.heat += float(heat.sum())
    bill.boiler += float(heat[~is_chp].sum())
    bill.pump_source += pump[0]
    bill.pump_station += pump[1]
    chp, boiler = float(heat[is_chp].sum()) / 1e9, float(heat[~is_chp].sum()) / 1e9
    bill.yuan += chp * tariff.chp_yuan_gj + boiler * tariff.boiler_yuan_gj + electric
    bill.yuan_one_price += (chp + boiler) * tariff.chp_yuan_gj + electric
    room, hours = f.plant.stations.room_c, STEP_S / 3600.0
    bill.cold += float(beyond(tariff.room_low_c - room) @ homes) * hours / homes.sum()
    bill.hot += float(beyond(room - tariff.room_high_c) @ homes) * hours / homes.sum()


def beyond(k: Floats) -> Floats:
    """Mean of what is positive of kelvins that scatter around ``k`` as homes do around their building."""
    d = k / ROOM_OFFSET_K
    out: Floats = ROOM_OFFSET_K * np.exp(-0.5 * d * d) / np.sqrt(2.0 * np.pi) + k * ndtr(d)
    return out


def describe(name: str, arm: Arm, curve: Bill, plan: Bill) -> dict[str, object]:
    """One row of the table: curve, dispatch and change in per cent."""

    def change(a: float, b: float) -> float:
        return round(100.0 * (b / a - 1.0), 1) if a > 0.0 else 0.0

    pumps = [b.pump_source + b.pump_station for b in (curve, plan)]
    return {
        "week": name,
        "arm": arm,
        "heat_gj": [round(curve.heat / 1e9), round(plan.heat / 1e9)],
        "heat_change_pct": change(curve.heat, plan.heat),
        "heat_change_with_storage_pct": change(curve.heat, plan.heat + curve.stored - plan.stored),
        "pump_mwh": [round(p / 3.6e9, 1) for p in pumps],
        "pump_change_pct": change(*pumps),
        "cost_yuan": [round(curve.yuan), round(plan.yuan)],
        "cost_change_pct": change(curve.yuan, plan.yuan),
        "cost_one_heat_price_change_pct": change(curve.yuan_one_price, plan.yuan_one_price),
        "boiler_gj": [round(curve.boiler / 1e9), round(plan.boiler / 1e9)],
        "below_18_k_h": [round(curve.cold, 3), round(plan.cold, 3)],
        "above_22_k_h": [round(curve.hot, 2), round(plan.hot, 2)],
        "propose_s": round(float(np.median(plan.solve_s)), 2),
    }


def add_up(bills: list[Bill]) -> Bill:
    """All weeks together; comfort adds up too."""
    total = Bill()
    for b in bills:
        for name in SUMS:
            setattr(total, name, getattr(total, name) + getattr(b, name))
        total.solve_s += b.solve_s
    return total


def main() -> None:
    """Play, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--week", type=int, choices=range(len(WEEKS)), help="only this one")
    parser.add_argument("--seed", type=int, nargs="+", default=[7])
    parser.add_argument("--cold-yuan", type=float, default=Tariff().cold_yuan_k_h)
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    tariff = Tariff(cold_yuan_k_h=said.cold_yuan)
    weeks = WEEKS if said.week is None else WEEKS[said.week : said.week + 1]
    rows: list[dict[str, object]] = []
    bills: dict[Arm, list[Bill]] = {"curve": [], "dispatch": [], "balance": []}
    for seed in said.seed:
        county = generate_county(seed)
        desk = compile_dispatcher(county)
        for week in weeks:
            for arm, played in bills.items():
                played.append(play_week(county, desk, week, said.days, seed, arm, tariff))
                if arm != "curve":
                    name = f"{week[0]}, seed {seed}"
                    rows.append(describe(name, arm, bills["curve"][-1], played[-1]))
                    print(json.dumps(rows[-1]), flush=True)
    whole = {arm: add_up(played) for arm, played in bills.items()}
    rows += [describe("all", arm, whole["curve"], whole[arm]) for arm in ARMS]
    print_table(rows)
    if said.json:
        said.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def print_table(rows: list[dict[str, object]]) -> None:
    """As it stands in docs/dispatch.md."""
    print("\n| weeks | | heat GJ | | walls put back | pumps MWh | | cost | below 18 °C | above 22 °C |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for r in rows:
        both = {k: " -> ".join(str(x) for x in v) for k, v in r.items() if isinstance(v, list)}
        print(
            f"| {r['week']} | {r['arm']} | {both['heat_gj']} | {r['heat_change_pct']} % | "
            f"{r['heat_change_with_storage_pct']} % | {both['pump_mwh']} | "
            f"{r['pump_change_pct']} % | {r['cost_change_pct']} % | "
            f"{both['below_18_k_h']} | {both['above_22_k_h']} |"
        )


if __name__ == "__main__":
    main()
