"""What the last days taught about every station: its rooms and their losses, its water, its valve, its way.

Rooms: a Kalman filter per station over air and structure temperature, the part by which the buildings lose
more than the survey says, and the part by which they gain more (sun and people). All stations at once.
Source of the filter: Jazwinski, Stochastic Processes and Filtering Theory (1970), chapter 7.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twin.dispatch.houses import (
    Houses,
    HouseStep,
    emission_w_k,
    gains,
    reshape_houses,
    step_houses,
    wind_loss_w_k,
)
from twin.dispatch.records import FEWEST_ROOMS, HOUR_S, Hours
from twin.heat.exchanger import estimate_ua_w_k
from twin.heat.substation import StationSet
from twin.model.errors import InputError

Floats = NDArray[np.float64]

ROOM_SIGMA_K = 0.12
"""Error of the mean of a station's sensors, beside their fixed offsets."""
STRANGE_SIGMA_K = 4.0
"""The same where a station has no sensors and the county's rooms must do: its own heat tells more."""
DRIFT = np.array([0.05, 0.03, 0.003, 0.02]) ** 2
"""Variance added per hour: K² air, K² structure, loss share², gain share²."""
PRIOR = np.array([0.5, 1.0, 0.15, 0.4]) ** 2
AIR_SHARES = (0.06, 0.2, 0.5, 0.9)
CAPACITIES = (0.6, 0.8, 1.0, 1.3, 1.7)
"""Candidates: capacity that follows the air over the whole, and the whole over the survey's."""
FULL_HZ = 42.0
"""Pump frequency at which the design flow runs, where nothing better is known."""
ENOUGH = 20
"""So many sensors tell as much of the width of their spread as the county does."""
LATE_H = 24
"""Hours that count for what changes with dirt and hands: exchangers, valves, pipes."""
PLATE_PA, PLATE_SIGMA = 3e4, 0.5
"""Drop of strainer and exchanger at design flow where nothing is measured, and how far it may be wrong."""
VALVE_SIGMA = 0.15
"""Part of a valve's drop by which its Kv in the survey may be wrong."""
FEWEST_HOURS = 6
GROUP_SHARE = np.array([0.02, 0.04, 0.08, 0.16, 0.70])
"""Rooms of a station in groups from the coldest on: what counts are the few that are cold."""
GROUPS = GROUP_SHARE.size


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """State and parameters per station (n,), after the newest hour ``t``.

    ``air_c``, ``structure_c``; ``loss``, ``gain``: shares by which losses and gains exceed the survey's, and
    their sigmas; ``offset_k`` (n, GROUPS) rising: rooms beside the mean; ``excess``: (supply - room) over
    what the radiators' law says; ``flow_exponent``: of the heat in the secondary flow at the same water;
    ``ua_w_k`` of the exchanger at design flows; ``plate_pa_s2_kg2``: drop of strainer and exchanger over flow
    squared; ``way_k``: temperature lost on the way times flow, K kg/s; ``hz`` of the pumps;
    ``heat_w`` of the last hour; ``known``: hours with rooms and heat; ``houses``: with the capacities that
    explain the hours best.
    """

    t: float
    air_c: Floats
    structure_c: Floats
    loss: Floats
    gain: Floats
    sigma_loss: Floats
    sigma_gain: Floats
    offset_k: Floats
    excess: Floats
    flow_exponent: Floats
    ua_w_k: Floats
    plate_pa_s2_kg2: Floats
    way_k: Floats
    hz: Floats
    heat_w: Floats
    known: NDArray[np.int64]
    houses: Houses


def learn(houses: Houses, stations: StationSet, hours: Hours) -> Belief:
    """Fold the hours into a belief.

    Raises
    ------
    InputError : fewer than ``FEWEST_HOURS`` hours with outdoor temperature, heat and rooms
    """
    heat = hours.station["p1_heat"]
    room = hours.station_room_c()
    usable = np.isfinite(hours.t_out_c) & np.isfinite(heat).any(1) & np.isfinite(room).any(1)
    if usable.sum() < FEWEST_HOURS:
        raise InputError(
            f"dispatch: {int(usable.sum())} hours with outdoor temperature, heat and rooms are known, "
            f"{FEWEST_HOURS} are needed: let the stations and room sensors report first"
        )
    share = _fill(heat / houses.design_w, axis=1)
    heat = np.where(np.isfinite(heat), heat, share[:, None] * houses.design_w)
    houses, x, p = _best_filter(houses, hours, heat, room, usable)
    late = slice(-LATE_H, None)
    excess, exponent, hz = _emission(houses, hours, heat, room)
    sigma = np.sqrt(np.maximum(p[:, [2, 3], [2, 3]], 0.0))
    return Belief(
        t=float(hours.t[-1]),
        air_c=x[:, 0], structure_c=x[:, 1], loss=x[:, 2], gain=x[:, 3],
        sigma_loss=sigma[:, 0], sigma_gain=sigma[:, 1],
        offset_k=_offsets(hours, room, late),
        excess=excess, flow_exponent=exponent,
        ua_w_k=_exchangers(stations, hours, heat, late),
        plate_pa_s2_kg2=_plates(stations, hours),
        way_k=_ways(hours, late),
        hz=hz,
        heat_w=heat[-1],
        known=np.isfinite(hours.station["p1_heat"] + room).sum(0),
        houses=houses,
    )  # fmt: skip


def _fill(x: Floats, axis: int) -> Floats:
    """Median over what is known, 0.5 where nothing is."""
    rows = x if axis == 1 else x.T
    return np.array([np.median(r[np.isfinite(r)]) if np.isfinite(r).any() else 0.5 for r in rows])


def _best_filter(
    houses: Houses, hours: Hours, heat: Floats, room: Floats, usable: NDArray[np.bool_]
) -> tuple[Houses, Floats, Floats]:
    """The filter whose capacities make the measured rooms most likely: what follows the air at once is not
    in any survey, and a wrong answer would be taken for losses that come and go."""
    best: tuple[float, Houses, Floats, Floats] | None = None
    for share in AIR_SHARES:
        for capacity in CAPACITIES:
            shaped = reshape_houses(houses, share, capacity)
            x, p, score = _filter(shaped, hours, heat, room, usable)
            score -= 0.5 * (np.log(capacity) / 0.3) ** 2 * houses.h_air.size
            if best is None or score > best[0]:
                best = (score, shaped, x, p)
    assert best is not None
    return best[1:]


def _filter(
    h: Houses, hours: Hours, heat: Floats, room: Floats, usable: NDArray[np.bool_]
) -> tuple[Floats, Floats, float]:
    """States (n, 4) and covariances (n, 4, 4) after the last hour, and the log-likelihood of the rooms."""
    n, first = h.h_air.size, int(np.flatnonzero(usable)[0])
    own = np.bincount(hours.room_station, minlength=n) >= FEWEST_ROOMS
    start = np.where(np.isfinite(room[first]), room[first], np.nanmean(room[first]))
    x = np.zeros((n, 4))
    x[:, 0] = start
    out = float(hours.t_out_c[first])
    x[:, 1] = (h.h_inner * start + h.h_structure * out) / (h.h_inner + h.h_structure)
    p = np.tile(np.diag(PRIOR), (n, 1, 1))
    step, score = step_houses(h, HOUR_S), 0.0
    for k in range(first, len(hours.t)):
        out = float(hours.t_out_c[k]) if np.isfinite(hours.t_out_c[k]) else out
        x, p = _predict(h, step, x, p, heat[k], out, float(hours.wind_m_s[k]), float(hours.sun_w_m2[k]))
        known = np.isfinite(room[k])
        s = p[:, 0, 0] + np.where(own, ROOM_SIGMA_K, STRANGE_SIGMA_K) ** 2
        gain = np.where(known[:, None], p[:, :, 0] / s[:, None], 0.0)
        miss = np.where(known, room[k] - x[:, 0], 0.0)
        score -= 0.5 * float((known * (miss**2 / s + np.log(s))).sum())
        x = x + gain * miss[:, None]
        p = p - gain[:, :, None] * p[:, 0, :][:, None, :]
    return x, p, score


def _predict(
    h: Houses, step: HouseStep, x: Floats, p: Floats, heat: Floats, out: float, wind: float, sun: float
) -> tuple[Floats, Floats]:
    air, mass = gains(h, sun)
    ua = h.ua_w_k
    drop = x[:, 0] - out
    push = heat + air * (1.0 + x[:, 3]) - (ua * x[:, 2] + wind_loss_w_k(h, wind)) * drop
    new = np.einsum("nij,nj->ni", step.a, x[:, :2])
    new += step.heat * push[:, None] + step.mass * (mass * (1.0 + x[:, 3]))[:, None] + step.out * out
    f = np.zeros((len(x), 4, 4))
    f[:, :2, :2] = step.a
    f[:, :2, 2] = -step.heat * (ua * drop)[:, None]
    f[:, :2, 3] = step.heat * air[:, None] + step.mass * mass[:, None]
    f[:, 2, 2] = f[:, 3, 3] = 1.0
    x = np.concatenate([new, x[:, 2:]], axis=1)
    return x, f @ p @ f.transpose(0, 2, 1) + np.diag(DRIFT)


def _offsets(hours: Hours, room: Floats, late: slice) -> Floats:
    """Rooms beside their station's mean, cut into groups (n, GROUPS); the county's where rooms are few."""
    n = room.shape[1]
    beside = hours.room_c[late] - room[late][:, hours.room_station]
    known = np.isfinite(beside).sum(0) > 0
    mean = np.full(beside.shape[1], np.nan)
    mean[known] = np.nanmean(beside[:, known], axis=0)
    found = mean[known]
    whole = _cut(found) if known.sum() >= ENOUGH else np.array([-2.4, -1.8, -1.3, -0.8, 0.4])
    spread = float(found.std()) if known.sum() >= ENOUGH else 1.0
    out = np.tile(whole, (n, 1))
    for s in range(n):  # the shape is the county's, the width the station's as far as its sensors can tell
        mine = mean[known & (hours.room_station == s)]
        width = (
            np.sqrt((mine.var() * mine.size + spread**2 * ENOUGH) / (mine.size + ENOUGH))
            if mine.size
            else spread
        )
        out[s] = whole * width / max(spread, 1e-3)
    return out


def _cut(x: Floats) -> Floats:
    """Means of the groups (GROUPS,) of sorted offsets."""
    order, edges = np.sort(x), np.concatenate([[0.0], np.cumsum(GROUP_SHARE)])
    place = (np.arange(x.size * 20) + 0.5) / (x.size * 20)
    fine = np.interp(place, (np.arange(x.size) + 0.5) / x.size, order)
    return np.array([fine[(place > a) & (place <= b)].mean() for a, b in pairwise(edges)])


def _emission(h: Houses, hours: Hours, heat: Floats, room: Floats) -> tuple[Floats, Floats, Floats]:
    """Excess of the water over what the radiators' law says, the flow's exponent, and the pump frequency."""
    hz = hours.station["cp1_hz"]
    share = np.where(np.isfinite(hz), hz, FULL_HZ) / FULL_HZ
    lift = hours.station["s2_ts"] - room
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = lift * emission_w_k(h, heat, share) / heat
        usable = np.isfinite(ratio) & (heat > 0.05 * h.design_w) & (share > 0.2) & (lift > 3.0)
    n = heat.shape[1]
    excess, exponent = np.ones(n), np.full(n, 0.5)
    for s in range(n):
        rows = np.flatnonzero(usable[:, s])
        if rows.size < 3:
            continue
        excess[s] = float(np.clip(np.mean(ratio[rows[-3:], s]), 0.5, 2.0))
        exponent[s] = _exponent(np.log(share[rows, s]), np.log(heat[rows, s] / lift[rows, s]))
    now = np.array([c[np.isfinite(c)][-1] if np.isfinite(c).any() else FULL_HZ for c in hz.T])
    return excess, exponent, now


def _exponent(log_share: Floats, log_emission: Floats) -> float:
    """Slope with a prior of 0.5 +- 0.3 and a scatter of 0.03; between the radiators' law and proportional."""
    x, y = log_share - log_share.mean(), log_emission - log_emission.mean()
    weight, prior = 1.0 / 0.03**2, 1.0 / 0.3**2
    slope = (weight * float(x @ y) + prior * 0.5) / (weight * float(x @ x) + prior)
    return float(np.clip(slope, 0.1, 1.0))


def _exchangers(st: StationSet, hours: Hours, heat: Floats, late: slice) -> Floats:
    """Conductance at design flows, from inlet and outlet temperatures; the survey's where unknown."""
    s = {k: v[late] for k, v in hours.station.items()}
    m_1 = hours.flow_kg_s()[late]
    share = np.where(np.isfinite(s["cp1_hz"]), s["cp1_hz"], FULL_HZ) / FULL_HZ
    with np.errstate(invalid="ignore", divide="ignore"):
        hot, cold = s["p1_ts"] - s["s2_ts"], s["p1_tr"] - s["s2_tr"]
        mean = (hot - cold) / np.log(hot / cold)
        ua = heat[late] / mean
        law = estimate_ua_w_k(
            st.ua_w_k, m_1, share * st.secondary_kg_s, st.flow_design_kg_s, st.secondary_kg_s
        )
        factor = np.where((hot > 0.5) & (cold > 0.3) & (law > 0.0), ua / law, np.nan)
    middle = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).sum() > 2 else 1.0 for c in factor.T])
    found: Floats = st.ua_w_k * np.clip(middle, 0.4, 1.4)
    return found


def _plates(st: StationSet, hours: Hours) -> Floats:
    """Drop beside the valve over flow squared, Pa s²/kg². What a throttled valve takes is known to some per
    cent only, so hours with an open valve count most, and the usual drop where there was none."""
    s, m = hours.station, hours.flow_kg_s()
    dp = s["p1_ps"] - s["p1_pr"]
    valve = valve_pa_s2_kg2(st.kv_m3_h, np.where(np.isfinite(s["cv_pos"]), s["cv_pos"], 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(np.isfinite(s["cv_pos"]) & (m > 0.05 * st.flow_design_kg_s), dp / m**2 - valve, np.nan)
    design = PLATE_PA / st.flow_design_kg_s**2
    known = np.isfinite(r)
    weight = np.where(known, 1.0 / (VALVE_SIGMA * valve) ** 2, 0.0)
    total = weight.sum(0)
    mean = np.where(total > 0.0, (weight * np.where(known, r, 0.0)).sum(0) / np.maximum(total, 1e-300), 0.0)
    own = weight.max(axis=0)  # hours share the valve's error: they do not add up
    prior = 1.0 / (PLATE_SIGMA * design) ** 2
    return np.asarray(np.maximum((own * mean + prior * design) / (own + prior), 0.1 * design))


def valve_pa_s2_kg2(kv_m3_h: Floats, opening: Floats) -> Floats:
    """Drop of a linear valve over flow squared, Pa s²/kg²; ``kv`` in m³/h at 1 bar, fully open."""
    kg_s_at_1_pa = kv_m3_h / 3600.0 * np.sqrt(1000.0 * 975.0 / 1e5)
    r: Floats = 1.0 / (kg_s_at_1_pa * np.maximum(opening, 0.01)) ** 2
    return r


def _ways(hours: Hours, late: slice) -> Floats:
    """Temperature lost from the sources to each station times its flow, K kg/s (n,); never negative."""
    flow = np.nan_to_num(hours.source_flow_kg_s()[late])
    t = hours.source["src_ts"][late]
    with np.errstate(invalid="ignore", divide="ignore"):
        sent = np.nansum(flow * t, axis=1) / flow.sum(1)
    lost = (sent[:, None] - hours.station["p1_ts"][late]) * hours.flow_kg_s()[late]
    mean = np.array([np.mean(c[np.isfinite(c)]) if np.isfinite(c).any() else 0.0 for c in lost.T])
    found: Floats = np.maximum(mean, 0.0)
    return found
