"""Dispatch on the tiny county, whose houses are played with other losses than the survey says."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.tiny import make_tiny_county
from twin.dispatch import Hours, Outlook, Tariff, compile_dispatcher, learn, make_hours, propose
from twin.dispatch.belief import FULL_HZ
from twin.dispatch.drive import _cheapest
from twin.dispatch.heatplan import CHANGE_SHARE_H, weather_margin_k
from twin.dispatch.houses import emission_w_k, gains, reshape_houses, step_houses
from twin.dispatch.tariff import OBJECTIVES, heat_yuan_mwh
from twin.model.errors import InputError

COUNTY = make_tiny_county()
DESK = compile_dispatcher(COUNTY)
N = len(COUNTY.network.substations)
LOSS = 0.12


def play(hours: int = 96, missing: tuple[str, ...] = ()) -> Hours:
    """Hours of a field that loses 12 % more than the survey says and keeps its curves."""
    h, t0 = reshape_houses(DESK.houses, 0.5, 1.0), 1_800_000_000.0 // 3600 * 3600
    t = t0 + 3600.0 * np.arange(1, hours + 1)
    out = -3.0 + 6.0 * np.sin(2 * np.pi * t / 86_400.0) + 2.0 * np.sin(2 * np.pi * t / 260_000.0)
    step, x = step_houses(h, 3600.0), np.full((N, 2), 20.0)
    mean = np.full((hours, len(COUNTY.points)), np.nan)
    flow = np.array([s.design_flow_kg_s for s in COUNTY.network.substations])
    for k in range(hours):
        q = h.design_w * np.clip((25.0 - out[k]) / 36.0, 0.1, 1.1) * (1.0 + 0.1 * np.sin(k / 3.0))
        air, mass = gains(h, 0.0)
        push = q + air - h.ua_w_k * LOSS * (x[:, 0] - out[k])
        x = np.einsum("nij,nj->ni", step.a, x) + step.heat * push[:, None] + step.out * out[k]
        x = x + step.mass * mass[:, None]
        water = x[:, 0] + q / emission_w_k(h, q, np.ones(N))
        put(mean[k], out[k], q, x[:, 0], water, flow * q / h.design_w)
    for key in missing:
        mean[:, [p.no for p in COUNTY.points if p.key == key]] = np.nan
    return make_hours(DESK.book, t, mean)


def put(
    row: np.ndarray, out: float, q: np.ndarray, room: np.ndarray, water: np.ndarray, m: np.ndarray
) -> None:  # type: ignore[type-arg]
    at, station = COUNTY.point_by_id, [s.id for s in COUNTY.network.substations]
    home = {b.id: station.index(b.substation_id) for b in COUNTY.buildings if b.heated}
    for p in COUNTY.points:
        if p.key == "t_out":
            row[p.no] = out
        elif p.key == "room_t":
            row[p.no] = room[home[p.place_id.split(":")[0]]]
    for i, s in enumerate(station):
        known = {"p1_ts": 95.0, "p1_tr": 50.0, "p1_ps": 7e5, "p1_pr": 5e5, "p1_flow": m[i] / 985.0,
                 "p1_heat": q[i], "cv_pos": 0.5, "s2_ts": water[i], "s2_tr": water[i] - 10.0,
                 "cp1_hz": FULL_HZ, "p_kw": 15e3}  # fmt: skip
        for key, value in known.items():
            if f"{s}/{key}" in at:
                row[at[f"{s}/{key}"].no] = value
    for i, source in enumerate(COUNTY.network.sources):
        share = 1.0 if i == 0 else 0.0
        known = {"src_ts": 96.0, "src_tr": 49.0, "src_ps": 8e5, "src_pr": 4e5,
                 "src_flow": share * m.sum() / 988.0, "src_heat": share * 1.03 * q.sum()}  # fmt: skip
        for key, value in known.items():
            row[at[f"{source.id}/{key}"].no] = value


def outlook(steps: int = 24, out: float = -4.0) -> Outlook:
    dt = np.full(steps, 3600.0)
    t = float(HOURS.t[-1]) + np.cumsum(dt)
    one = np.ones(steps)
    return Outlook(t, dt, out * one, 1.0 * one, 2.0 * one, 0.0 * one, one)


HOURS = play()
NOW = np.full(len(COUNTY.points), np.nan)
PROPOSAL = propose(DESK, HOURS, outlook(), NOW, Tariff())


def test_hidden_losses_are_learned_within_their_own_uncertainty() -> None:
    b = learn(DESK.houses, DESK.system.stations, HOURS)
    assert np.all(np.abs(b.loss - LOSS) < 3.0 * b.sigma_loss + 0.02), (b.loss, b.sigma_loss)
    assert np.all(b.sigma_loss < 0.15), "four days must teach something"
    rooms = HOURS.station_room_c()[-1]
    assert np.allclose(b.air_c, rooms, atol=0.5)  # one sensor a station: the rooms are the county's


def test_too_few_hours_are_refused_with_what_is_missing() -> None:
    with pytest.raises(InputError, match="rooms are known, 6 are needed"):
        learn(DESK.houses, DESK.system.stations, play(48, missing=("room_t",)))


def test_the_plan_keeps_rooms_capacities_and_calm() -> None:
    p = PROPOSAL
    heat = p.plan.heat_w
    assert np.all(np.abs(np.diff(heat, axis=0)) <= CHANGE_SHARE_H * DESK.houses.design_w + 1.0)
    capacity = np.array([s.capacity_w for s in COUNTY.network.sources])
    assert np.all(p.plan.source_w <= capacity + 1.0) and np.all(p.plan.short_w < 1e3)
    balance = p.plan.source_w.sum(1) + p.plan.short_w - p.plan.heat_w.sum(1)
    assert np.all(balance >= -1.0), "the ground takes, it does not give"
    assert np.ptp(balance) < 1.0


def test_the_planned_rooms_are_what_the_houses_would_do() -> None:
    p, h = PROPOSAL, PROPOSAL.belief.houses
    step, x = step_houses(h, 3600.0), np.stack([p.belief.air_c, p.belief.structure_c], 1)
    for k in range(24):
        air, mass = gains(h, 0.0)
        push = p.plan.heat_w[k] + air * (1 + p.belief.gain) - h.ua_w_k * p.belief.loss * (x[:, 0] + 4.0)
        x = np.einsum("nij,nj->ni", step.a, x) + step.heat * push[:, None] - step.out * 4.0
        x = x + step.mass * (mass * (1 + p.belief.gain))[:, None]
        assert np.allclose(x[:, 0], p.plan.air_c[k], atol=1e-6)


def test_a_higher_limit_makes_warmer_rooms_and_a_worse_forecast_more_margin() -> None:
    warm = propose(DESK, HOURS, outlook(), NOW, Tariff(room_low_c=18.0))
    cool = propose(DESK, HOURS, outlook(), NOW, Tariff(room_low_c=16.0))
    assert warm.plan.air_c[-1].mean() > cool.plan.air_c[-1].mean() + 0.5
    assert warm.after.cost_yuan > cool.after.cost_yuan
    careless = propose(DESK, HOURS, outlook(), NOW, Tariff(room_low_c=18.0, cold_yuan_k_h=1e-4))
    assert careless.plan.air_c.min() < warm.plan.air_c.min() - 0.05
    sure, unsure = outlook(), replace(outlook(), sigma_k=np.full(24, 3.0))
    assert np.all(weather_margin_k(DESK.houses, unsure) > weather_margin_k(DESK.houses, sure))


def test_carbon_in_place_of_money_turns_the_order_of_the_sources() -> None:
    dear = Tariff(chp_yuan_gj=10.0, chp_kg_gj=120.0, boiler_kg_gj=5.0, el_kg_kwh=0.0)
    money, carbon = (heat_yuan_mwh(dear, COUNTY.network.sources, o) for o in OBJECTIVES)
    assert (np.argsort(money) == np.argsort(carbon)[::-1]).all()
    least = {o: propose(DESK, HOURS, outlook(out=-12.0), NOW, replace(dear, objective=o)) for o in OBJECTIVES}
    clean = int(np.argmin(carbon))
    heat = {o: p.plan.source_w[:, clean].sum() for o, p in least.items()}
    assert heat["carbon"] > 1.1 * heat["money"]


def test_every_wish_is_a_setpoint_within_what_may_be_asked_at_once() -> None:
    now = NOW.copy()
    for p in COUNTY.points:
        now[p.no] = {"s2_ts_sp": 50.0, "cp1_hz_sp": 42.0, "src_ts_sp": 96.0, "src_dp_sp": 4e5}.get(
            p.key, np.nan
        )
    wishes = propose(DESK, HOURS, outlook(out=-18.0), now, Tariff()).wishes
    assert {w.point_id.split("/")[1] for w in wishes} >= {"s2_ts_sp", "cp1_hz_sp", "src_ts_sp", "src_dp_sp"}
    for w in wishes:
        point = COUNTY.points[w.point_no]
        assert point.id == w.point_id and point.low <= w.value <= point.high
        if point.key == "s2_ts_sp":
            assert abs(w.value - 50.0) <= 8.0


def test_the_cheapest_course_of_supply_temperatures_is_the_best_of_all() -> None:
    rng = np.random.default_rng(5)
    grid, ramp = np.array([70.0, 75.0, 80.0]), np.full(4, 5.0)
    cost = rng.uniform(0.0, 100.0, (4, 3))

    def price(course: tuple[int, ...]) -> float:
        moved = np.abs(np.diff(grid[list(course)]))
        if abs(grid[course[0]] - 75.0) > 5.0 or moved.max() > 5.0:
            return np.inf
        return float(cost[range(4), list(course)].sum() + 4.0 * moved.sum())

    every = [(a, b, c, d) for a in range(3) for b in range(3) for c in range(3) for d in range(3)]
    assert price(tuple(_cheapest(cost, grid, ramp, 75.0).tolist())) == pytest.approx(min(map(price, every)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"el_peak_hours": (25,)},
        {"cold_yuan_k_h": -1.0},
        {"room_low_c": 23.0},
        {"lowest_hz": 5.0},
        {"objective": "fun"},
    ],
)
def test_a_tariff_that_cannot_be_is_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Tariff(**wrong)  # type: ignore[arg-type]
