"""From the last days and the outlook to set-points for the next hour and the course behind them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.dispatch.belief import FULL_HZ, GROUP_SHARE, LATE_H, Belief, learn, valve_pa_s2_kg2
from twin.dispatch.drive import (
    HIGHEST_HZ,
    STEP_C,
    VALVE_OPEN,
    Drive,
    Limits,
    choose_drive,
)
from twin.dispatch.heatplan import HeatPlan, SourceLimits, plan_heat
from twin.dispatch.houses import Houses, emission_w_k, gains, gather_houses, step_houses, wind_loss_w_k
from twin.dispatch.outlook import Outlook
from twin.dispatch.records import Hours, RecordBook, compile_records
from twin.dispatch.tariff import Objective, Tariff, electricity_yuan_mwh, heat_yuan_mwh
from twin.dispatch.way import RETURN_C, Way, find_holding, find_reach, learn_way, supply_now
from twin.heat import HeatSystem, compile_network, compile_system, read_curve
from twin.heat.water import density_kg_m3
from twin.model.county import County
from twin.model.setpoints import find_limits

Floats = NDArray[np.float64]

LOW_SUPPLY_C = 65.0
SUPPLY_RAMP_K_H = 6.0
"""Change of the supply temperature per hour that steel and joints of a network bear for years."""
LOW_HEAD_PA = 8e4
OWN_W = 2e4
"""Power of a source beside its circulation pumps that does not depend on them, where nothing is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Dispatcher:
    """What is compiled once per county."""

    county: County
    system: HeatSystem
    houses: Houses
    book: RecordBook


@dataclass(frozen=True, slots=True)
class Wish:
    """A set-point wished for: SI; ``before`` as it stands (NaN: not known)."""

    point_no: int
    point_id: str
    value: float
    before: float


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A course over the steps: ``heat_w``, ``room_c`` (K, n); ``source_w`` (K, n_source); ``electric_w`` (K,)
    of sources' and stations' pumps; ``cost_yuan`` heat and electricity; ``cold_k_h`` degree-hours per home
    below the limit, by the groups of rooms."""

    heat_w: Floats
    room_c: Floats
    source_w: Floats
    electric_w: Floats
    cost_yuan: float
    cold_k_h: float


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """What is proposed at ``t``: ``wishes`` for the next hour, the course behind them, and the course without
    (the curves and sources as they are)."""

    t: float
    outlook: Outlook
    belief: Belief
    plan: HeatPlan
    drive: Drive
    after: Course
    before: Course
    wishes: tuple[Wish, ...]


def compile_dispatcher(county: County) -> Dispatcher:
    """Compile a county.

    Raises
    ------
    InputError : it has no heat network, or its tables cannot be simulated
    """
    book = compile_records(county)
    heated = [b for b in county.buildings if b.heated]
    system = compile_system(compile_network(county.network), heated)
    return Dispatcher(county, system, gather_houses(system, heated), book)


def propose(
    d: Dispatcher, hours: Hours, outlook: Outlook, setpoints: Floats, tariff: Tariff,
    objective: Objective | None = None, margin_sigmas: float = 1.0,
) -> Proposal:  # fmt: skip
    """Propose the next hour's set-points.

    Parameters
    ----------
    setpoints : (n_point,) newest value of every point, SI, NaN where unknown
    objective : what is to be least; None: what the tariff says

    Raises
    ------
    InputError : too little is measured (see :func:`twin.dispatch.belief.learn`)
    EngineError : the solver found no plan
    """
    belief = learn(d.houses, d.system.stations, hours)
    held = find_holding(d.county.network)
    way = learn_way(d.system.net, hours, held)
    sources = d.county.network.sources
    objective = objective or tariff.objective
    heat_price = heat_yuan_mwh(tariff, sources, objective)
    el = electricity_yuan_mwh(tariff, outlook.t - outlook.dt_s, d.county.meta.timezone, objective)
    now_c = supply_now(hours)
    loss = np.full(len(outlook.t), way.loss_w_k * (now_c - way.ground_c))
    most = np.minimum(1.25 * d.houses.design_w, _carried(d, belief, tariff))
    d = replace(d, houses=belief.houses)
    holding = sources[held]
    limits = Limits(
        LOW_SUPPLY_C, max(s.t_supply_design_c for s in sources), SUPPLY_RAMP_K_H,
        LOW_HEAD_PA, 1.1 * (holding.p_supply_pa - holding.p_return_pa),
    )  # fmt: skip
    capacity = np.array([s.capacity_w for s in sources])
    reach = _reach(d, belief, hours, way, limits, capacity, held)
    caps = SourceLimits(capacity, np.array([s.min_w for s in sources]), heat_price, held, reach)
    before = _as_it_is(d, belief, tariff, outlook, hours, loss, caps, heat_price, el)
    times = worth_of_comfort(before.heat_w.sum(1) + loss, outlook.dt_s, caps)
    plan = plan_heat(d.houses, belief, outlook, tariff, caps, most, loss, margin_sigmas, times)
    other = 1.0 - plan.source_w[:, held] / np.maximum(plan.source_w.sum(1), 1.0)
    pump_42 = _pump_at_full(d, hours)
    eta = float(d.system.sources.pump_efficiency[0])
    drive = choose_drive(
        d.houses, d.system.stations, belief, tariff, way, limits, plan.heat_w, plan.air_c, outlook.dt_s, el,
        float(heat_price.min()), now_c, pump_42, eta, other,
    )  # fmt: skip
    own = OWN_W * len(sources)
    electric = drive.pump_w + drive.station_w.sum(1) + own
    after = _course(
        d, belief, tariff, outlook, plan.heat_w, plan.air_c, plan.source_w, electric, heat_price, el
    )
    wishes = _wishes(d, plan, drive, outlook, hours, setpoints)
    return Proposal(float(hours.t[-1]), outlook, belief, plan, drive, after, before, wishes)


def worth_of_comfort(load_w: Floats, dt_s: Floats, caps: SourceLimits) -> float:
    """Price of the last joule that the load ahead asks for over that of the first: rooms are not let cool
    because the weather is cold enough for the dear boiler.

    Parameters
    ----------
    load_w : (K,) of all stations with what the ground takes
    """
    order = np.argsort(caps.yuan_mwh)
    reach, price = np.cumsum(caps.alone_w[order]), caps.yuan_mwh[order]
    last = price[np.minimum(np.searchsorted(reach, load_w), price.size - 1)]
    return float(np.average(last, weights=dt_s) / price[0])


def _carried(d: Dispatcher, b: Belief, tariff: Tariff) -> Floats:
    """What radiators can give out at the highest water temperature, (n,) W."""
    lift = tariff.highest_supply_c - b.air_c
    now = emission_w_k(d.houses, d.houses.design_w, b.hz / FULL_HZ) / b.excess
    found: Floats = now * (HIGHEST_HZ / b.hz) ** b.flow_exponent * lift
    return found


def _reach(
    d: Dispatcher, b: Belief, hours: Hours, way: Way, limits: Limits, most_w: Floats, held: int
) -> tuple[tuple[float, float], ...]:
    """What the holding source can send at its highest temperature and head."""
    st, back = d.system.stations, hours.source["src_tr"][-1]
    need = valve_pa_s2_kg2(st.kv_m3_h, np.full(st.kv_m3_h.size, VALVE_OPEN)) + b.plate_pa_s2_kg2
    return_c = float(np.nanmean(back)) if np.isfinite(back).any() else RETURN_C
    lift = max(limits.high_c - STEP_C - return_c, 10.0)
    return find_reach(way, d.system.net.station_design_kg_s, need, limits.high_pa, lift, most_w, held)


def _pump_at_full(d: Dispatcher, hours: Hours) -> Floats:
    """Electric power of every station at 42 Hz: as measured lately, by the affinity law."""
    power, hz = hours.station["p_kw"][-LATE_H:], hours.station["cp1_hz"][-LATE_H:]
    with np.errstate(invalid="ignore", divide="ignore"):
        full = np.where(hz > 15.0, power * (FULL_HZ / hz) ** 3, np.nan)
    st = d.system.stations
    default = st.pump_dp_pa * st.secondary_kg_s / 985.0 / 0.7
    return np.array(
        [np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else default[i] for i, c in enumerate(full.T)]
    )


def _course(
    d: Dispatcher, b: Belief, tariff: Tariff, o: Outlook, heat: Floats, room: Floats, source: Floats,
    electric: Floats, heat_price: Floats, el: Floats,
) -> Course:  # fmt: skip
    hours = o.dt_s / 3600.0
    cost = float((hours[:, None] * source / 1e6 * heat_price).sum() + (hours * electric / 1e6 * el).sum())
    below = np.maximum(tariff.room_low_c - room[:, :, None] - b.offset_k, 0.0) @ GROUP_SHARE
    cold = float((hours[:, None] * below * d.houses.homes).sum() / d.houses.homes.sum())
    return Course(heat, room, source, electric, cost, cold)


def _as_it_is(
    d: Dispatcher, b: Belief, tariff: Tariff, o: Outlook, hours: Hours, loss: Floats, caps: SourceLimits,
    heat_price: Floats, el: Floats,
) -> Course:  # fmt: skip
    """The same hours with every station on its curve and pumps as they are."""
    h, rows = d.houses, d.county.network.substations
    x = np.stack([b.air_c, b.structure_c], axis=1)
    heat, room = np.empty((len(o.t), h.h_air.size)), np.empty((len(o.t), h.h_air.size))
    q = b.heat_w
    for k, dt in enumerate(o.dt_s.tolist()):
        step, out = step_houses(h, dt), float(o.t_out_c[k])
        water = np.array([float(read_curve(s.curve, np.array([out]))[0]) for s in rows])
        for _ in range(4):  # heat and room together
            e = emission_w_k(h, q, b.hz / FULL_HZ) / b.excess
            q = np.maximum(e * (water - x[:, 0]), 0.0)
        air, mass = gains(h, float(o.sun_w_m2[k]), float(o.people[k]))
        lost = h.ua_w_k * b.loss + wind_loss_w_k(h, float(o.wind_m_s[k]))
        push = q + air * (1.0 + b.gain) - lost * (x[:, 0] - out)
        x = np.einsum("nij,nj->ni", step.a, x) + step.heat * push[:, None] + step.out * out
        x = x + step.mass * (mass * (1.0 + b.gain))[:, None]
        heat[k], room[k] = q, x[:, 0]
    total = heat.sum(1) + loss
    share = np.nan_to_num(hours.source["src_heat"][-LATE_H:]).sum(0)
    share = share / max(share.sum(), 1.0)
    source = np.minimum(total[:, None] * share, caps.most_w)
    flow, head = (
        np.nan_to_num(hours.source_flow_kg_s()[-LATE_H:]),
        hours.source["src_ps"] - hours.source["src_pr"],
    )
    pumps = (flow / 975.0 * np.nan_to_num(head[-LATE_H:]) / d.system.sources.pump_efficiency).sum(1).mean()
    stations = np.nansum(hours.station["p_kw"][-LATE_H:], axis=1).mean()
    electric = np.full(len(o.t), pumps + stations + OWN_W * len(caps.most_w))
    return _course(d, b, tariff, o, heat, room, source, electric, heat_price, el)


def _wishes(
    d: Dispatcher, plan: HeatPlan, drive: Drive, o: Outlook, hours: Hours, setpoints: Floats
) -> tuple[Wish, ...]:
    """Set-points of the first step, within what may be asked at once."""
    network, wanted = d.county.network, {}
    for i, s in enumerate(network.substations):
        wanted[f"{s.id}/s2_ts_sp"] = float(drive.water_c[0, i])
        wanted[f"{s.id}/cp1_hz_sp"] = float(drive.hz[0, i])
    back = hours.source["src_tr"][-1]
    return_c = float(np.nanmean(back)) if np.isfinite(back).any() else RETURN_C
    whole = plan.source_w.sum(1)
    for i, source in enumerate(network.sources):
        wanted[f"{source.id}/src_ts_sp"] = float(drive.supply_c[0])
        if source.holds_pressure:
            wanted[f"{source.id}/src_dp_sp"] = float(drive.head_pa[0])
        else:
            share = plan.source_w[:2, i] / np.maximum(whole[:2], 1.0)
            flow = float(share.max() * drive.flow_kg_s[0])
            if not drive.reached[:2].all():  # where the network is short, nothing is taken away
                flow = max(flow, float(np.nan_to_num(hours.source_flow_kg_s()[-1, i])))
            wanted[f"{source.id}/src_flow_sp"] = flow / float(density_kg_m3(return_c))
    found = (_wish(d.county, i, v, setpoints) for i, v in wanted.items())
    return tuple(w for w in found if w is not None)


def _wish(county: County, point_id: str, value: float, setpoints: Floats) -> Wish | None:
    point = county.point_by_id.get(point_id)
    limits = find_limits(county, point) if point is not None else None
    if point is None or limits is None:
        return None
    before = float(setpoints[point.no])
    value = min(max(value, limits.low), limits.high)
    if np.isfinite(before):
        step = 0.98 * limits.setpoint.step
        value = min(max(value, before - step), before + step)
    return Wish(point.no, point.id, value, before)


def replan(p: Proposal, wishes: tuple[Wish, ...]) -> Proposal:
    """The same proposal with set-points as an operator edited them."""
    return replace(p, wishes=wishes)
