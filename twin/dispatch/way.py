"""How the network carries the water: pressure lost between the source that holds the pressure and every
station, and what the sources can send, from the engine, scaled to what was measured.

The pressure lost grows with the square of the whole flow as long as stations and sources keep their shares;
what it is at other shares of the sources the engine says.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twin.dispatch.belief import LATE_H
from twin.dispatch.records import Hours
from twin.heat import CompiledNetwork, SteadyBoundary, solve_steady
from twin.model.errors import EngineError
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]

GROUND_C = 7.0
WATER_J_KG_K = 4190.0
SHARES = np.linspace(0.0, 0.7, 8)
"""Parts of the whole flow that come from the sources which do not hold the pressure."""
PRESSURE_SIGMA_PA = 4e3
"""By so much two pressure meters together may read wrong for good."""
SCALE_SIGMA = 0.25
"""How far a station's way may differ from what the survey and the others say."""
RETURN_C = 50.0
UNEVEN = 0.1
"""So much may a station's part of the water differ from its part of the design flow at full load."""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """``share`` (S,) of the flow that other sources send; ``drop_pa_s2_kg2`` (S, n) lost between the holding
    source and each station, there and back, over the square of the whole flow (negative where another source
    lifts it); ``usual`` (n,) shares of the stations; ``loss_w_k``: heat lost to the ground per kelvin
    of mean supply temperature above it; ``ground_c``."""

    share: Floats
    drop_pa_s2_kg2: Floats
    usual: Floats
    loss_w_k: float
    ground_c: float

    def lost_pa(self, flow_kg_s: float, share: float) -> Floats:
        """Pressure lost at a whole flow, (n,)."""
        if self.share.size == 1:
            return np.asarray(self.drop_pa_s2_kg2[0] * flow_kg_s**2)
        at = min(max(share, float(self.share[0])), float(self.share[-1]))
        right = min(int(np.searchsorted(self.share, at, side="right")), self.share.size - 1)
        left = right - 1
        part = (at - self.share[left]) / (self.share[right] - self.share[left])
        between = (1.0 - part) * self.drop_pa_s2_kg2[left] + part * self.drop_pa_s2_kg2[right]
        lost: Floats = between * flow_kg_s**2
        return lost


def learn_way(net: CompiledNetwork, hours: Hours, holding: int) -> Way:
    """How the network carried the water in the last hours; ``holding``: row of the source that holds the
    pressure.

    Raises
    ------
    EngineError : the engine finds no state of the network at the measured flows
    """
    late = slice(-LATE_H, None)
    flow = hours.flow_kg_s()[late]
    usual = _usual(net, flow)
    by_source = np.nan_to_num(hours.source_flow_kg_s()[late])
    whole = by_source.sum(1)
    typical = float(np.median(whole[whole > 0.0])) if (whole > 0.0).any() else float(
        net.station_design_kg_s.sum()
    )  # fmt: skip
    count = by_source.shape[1]
    grid = SHARES if count > 1 else SHARES[:1]
    drop = np.stack([_solve(net, usual, typical, x, holding) for x in grid]) / typical**2
    known = np.isfinite(drop).all(1)
    if not known.any():
        raise EngineError(
            "dispatch: the network has no state at the measured flows: check the survey of the pipes and the "
            "pressures of the source that holds the network"
        )
    grid, drop = grid[known], drop[known]
    plain = Way(grid, drop, usual, 0.0, GROUND_C)
    scaled = drop * _scale(plain, hours, whole, by_source, holding)
    return Way(grid, scaled, usual, _loss_w_k(hours), GROUND_C)


def _usual(net: CompiledNetwork, flow: Floats) -> Floats:
    """Share of every station in the whole flow (n,)."""
    middle = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else np.nan for c in flow.T])
    known = np.isfinite(middle)
    design = net.station_design_kg_s
    load = float(middle[known].sum() / design[known].sum()) if known.any() else 1.0
    middle = np.maximum(np.where(known, middle, load * design), 1e-3 * design)
    share: Floats = middle / middle.sum()
    return share


def _solve(net: CompiledNetwork, usual: Floats, whole: float, share: float, holding: int) -> Floats:
    """Pressure lost on the way to each station (n,), Pa; NaN where the engine finds no state."""
    sources = net.network.sources
    n = len(sources)
    power = np.array([s.capacity_w if i != holding else 0.0 for i, s in enumerate(sources)])
    given = share * whole * power / max(float(power.sum()), 1.0)
    given[holding] = np.nan
    hold = sources[holding]
    state = solve_steady(net, SteadyBoundary(
        t_source_c=np.full(n, 95.0), p_supply_pa=np.full(n, hold.p_supply_pa),
        p_return_pa=np.full(n, hold.p_return_pa), source_flow_kg_s=given, flow_kg_s=usual * whole,
        t_return_c=np.full(usual.size, RETURN_C), t_ground_c=GROUND_C,
    ))  # fmt: skip
    if not state.converged:
        return np.full(usual.size, np.nan)
    at = net.station_node
    lost: Floats = (hold.p_supply_pa - hold.p_return_pa) - (state.p_supply_pa[at] - state.p_return_pa[at])
    return lost


def _scale(way: Way, hours: Hours, whole: Floats, by_source: Floats, holding: int) -> Floats:
    """Measured over simulated pressure lost, (n,): a station's own as far as its meters can tell."""
    head = (hours.source["src_ps"] - hours.source["src_pr"])[-LATE_H:, holding]
    dp = (hours.station["p1_ps"] - hours.station["p1_pr"])[-LATE_H:]
    measured = head[:, None] - dp
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(whole > 0.0, 1.0 - by_source[:, holding] / whole, 0.0)
    simulated = np.stack([way.lost_pa(float(m), float(x)) for m, x in zip(whole, share, strict=True)])
    known = np.isfinite(measured) & (simulated > 0.0)
    if not known.any():
        return np.ones(way.usual.size)
    county = float(measured[known].sum() / simulated[known].sum())
    county = min(max(county, 0.3), 3.0)
    out = np.full(way.usual.size, county)
    for i in range(out.size):
        rows = known[:, i]
        if rows.any():
            s, m = float(simulated[rows, i].mean()), float(measured[rows, i].mean())
            weight, prior = (s / PRESSURE_SIGMA_PA) ** 2, 1.0 / SCALE_SIGMA**2
            out[i] = (weight * m / s + prior * county) / (weight + prior)
    return np.asarray(np.clip(out, 0.2, 5.0))


def _loss_w_k(hours: Hours) -> float:
    """Heat lost to the ground per kelvin of the supply temperature above it."""
    late = slice(-LATE_H, None)
    sent = np.nansum(hours.source["src_heat"][late], axis=1)
    taken = hours.station["p1_heat"][late]
    complete = np.isfinite(taken).all(1) & (sent > 0.0)
    lost = (
        float((sent[complete] - taken[complete].sum(1)).mean())
        if complete.sum() >= 6
        else 0.02 * float(sent.mean())
    )
    return max(lost, 0.0) / max(supply_now(hours) - GROUND_C, 10.0)


def supply_now(hours: Hours) -> float:
    """Supply temperature of the sources now, by flow, °C."""
    flow, t = np.nan_to_num(hours.source_flow_kg_s()[-1]), hours.source["src_ts"][-1]
    known = np.isfinite(t)
    weight = np.where(known, flow + 1e-6, 0.0)
    return float(np.average(np.where(known, t, 0.0), weights=weight)) if known.any() else 90.0


def find_reach(
    way: Way,
    design_kg_s: Floats,
    need_pa_s2_kg2: Floats,
    high_pa: float,
    lift_k: float,
    most_w: Floats,
    holding: int,
) -> tuple[tuple[float, float], ...]:
    """What the holding source can send beside the others: lines ``(a, b)``, heat of the holding source at
    most ``a + b * heat of the others``, W.

    Parameters
    ----------
    design_kg_s : (n,) of the stations: at full load they share the water about like this, whatever one of
        them takes today
    need_pa_s2_kg2 : (n,) drop of strainer, exchanger and open valve over the square of the station's flow
    high_pa : largest head of the holding source; ``lift_k`` between supply and return at the most
    most_w : (n_source,) capacities
    """
    others = float(np.delete(most_w, holding).sum())
    even = design_kg_s / design_kg_s.sum()
    usual = np.clip(way.usual, (1.0 - UNEVEN) * even, (1.0 + UNEVEN) * even)
    found = []
    for x in way.share.tolist():
        worst = float(np.max(usual**2 * need_pa_s2_kg2 + way.lost_pa(1.0, x)))
        heat = np.sqrt(high_pa / max(worst, 1e-9)) * WATER_J_KG_K * lift_k
        found.append((min(x * heat, others), min((1.0 - x) * heat, float(most_w[holding]))))
    corners = _upper_hull(sorted(set(found)))
    if len(corners) == 1:
        return ((corners[0][1], 0.0),)
    lines = []
    for (x1, y1), (x2, y2) in pairwise(corners):
        slope = (y2 - y1) / (x2 - x1)
        lines.append((y1 - slope * x1, slope))
    return tuple(lines)


def _upper_hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Corners from left to right of the smallest concave line above the points."""
    best: dict[float, float] = {}
    for x, y in points:
        best[x] = max(y, best.get(x, -np.inf))
    hull: list[tuple[float, float]] = []
    for p in sorted(best.items()):
        while len(hull) >= 2 and _turns_left(hull[-2], hull[-1], p):
            hull.pop()
        hull.append(p)
    return hull


def _turns_left(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) >= 0.0


def find_holding(network: HeatNetwork) -> int:
    """Row of the source that holds the pressure."""
    return next((i for i, s in enumerate(network.sources) if s.holds_pressure), 0)
