"""How much heat every station takes in the hours ahead: one linear programme for the county.

Per station and step: heat ``q``, air and structure temperature (exact steps of :mod:`twin.dispatch.houses`),
kelvins below the limit for each group of rooms, kelvins above. Cost: heat by source, cold and hot homes,
changes of heat, and houses left colder at the end than comfort needs. Solved by HiGHS.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, csc_array

from twin.dispatch.belief import GROUP_SHARE, GROUPS, Belief
from twin.dispatch.houses import Houses, gains, step_houses, wind_loss_w_k
from twin.dispatch.outlook import Outlook
from twin.dispatch.tariff import Tariff
from twin.model.errors import EngineError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MW = 1e6
CHANGE_YUAN_MW = 40.0
"""Cost of changing a station's heat by 1 MW from hour to hour: keeps the plan calm."""
CHANGE_SHARE_H = 0.06
"""Largest change of a station's heat in an hour, of design."""
DEEP_K, DEEP_TIMES = 1.5, 4.0
"""So far below the limit a kelvin-hour counts so many times: no price of fuel makes rooms that cold."""
LEAST_SHARE = 0.12
"""Heat that always flows, of design: nothing freezes and pumps see water."""
END_WEIGHT = 1.3
"""Value of heat that misses in the houses at the end, over its price."""
WAYS = (("highs-ipm", False), ("highs-ds", False), ("highs-ds", True))
"""Method and presolve, in turn until one finds the optimum. HiGHS 1.12 loses its way in the presolve of one
plan in some fifty (status unknown); the interior point is quicker than the simplex in cold weather, when many
comfort rows bind."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceLimits:
    """Per source (n_source,): ``most_w``, ``least_w`` while it runs, ``yuan_mwh``. Row ``holding`` sends at
    most ``a + b * heat of the others`` for every line ``(a, b)`` of ``reach``."""

    most_w: Floats
    least_w: Floats
    yuan_mwh: Floats
    holding: int = 0
    reach: tuple[tuple[float, float], ...] = ()

    @property
    def alone_w(self) -> Floats:
        """What each can send while the others stand (n_source,)."""
        out = self.most_w.copy()
        if self.reach:
            out[self.holding] = min(out[self.holding], self.reach[0][0])
        return out


@dataclass(frozen=True, slots=True, eq=False)
class HeatPlan:
    """``heat_w``, ``air_c`` (K, n) at the end of each step; ``source_w`` (K, n_source); ``margin_k`` (K,)
    above the limit for the weather's uncertainty; ``cost_yuan`` of heat alone; ``short_w`` (K,) beyond all
    capacity."""

    heat_w: Floats
    air_c: Floats
    source_w: Floats
    margin_k: Floats
    cost_yuan: float
    short_w: Floats


def weather_margin_k(houses: Houses, outlook: Outlook) -> Floats:
    """By how much rooms may be colder than planned if the weather errs by one sigma all the time, (K,)."""
    x, out = np.zeros((houses.h_air.size, 2)), np.empty(len(outlook.dt_s))
    for k, dt in enumerate(outlook.dt_s):
        step = step_houses(houses, float(dt))
        x = np.einsum("nij,nj->ni", step.a, x) + step.out * outlook.sigma_k[k]
        out[k] = float(np.average(x[:, 0], weights=houses.homes))
    return out


class _Rows:
    """Collects the rows of a sparse system."""

    def __init__(self) -> None:
        self.i: list[Ints] = []
        self.j: list[Ints] = []
        self.v: list[Floats] = []
        self.right: list[Floats] = []
        self.count = 0

    def add(self, terms: list[tuple[Ints, Floats | float]], right: Floats | float) -> None:
        """As many rows as each column array is long; ``terms`` of (columns, coefficients)."""
        size = len(terms[0][0])
        row = self.count + np.arange(size)
        for column, value in terms:
            self.i.append(row)
            self.j.append(column)
            self.v.append(np.broadcast_to(np.asarray(value, float), (size,)))
        self.right.append(np.broadcast_to(np.asarray(right, float), (size,)))
        self.count += size

    def add_sum(self, columns: Ints, values: Floats | float, right: float) -> None:
        """One row over many columns."""
        self.i.append(np.full(columns.size, self.count))
        self.j.append(columns)
        self.v.append(np.broadcast_to(np.asarray(values, float), columns.shape))
        self.right.append(np.array([right]))
        self.count += 1

    def matrix(self, width: int) -> tuple[csc_array, Floats]:
        """The sparse matrix and the right-hand side."""
        at = (np.concatenate(self.i), np.concatenate(self.j))
        return csc_array(coo_array((np.concatenate(self.v), at), (self.count, width))), np.concatenate(
            self.right
        )


class _Columns:
    """Numbers of the unknowns."""

    def __init__(self, k: int, n: int, s: int) -> None:
        self.width = 0
        self.heat, self.air, self.mass = (self._take(k, n) for _ in range(3))
        self.cold, self.deep = self._take(k, n, GROUPS), self._take(k, n, GROUPS)
        self.hot, self.change = self._take(k, n), self._take(k, n)
        self.source, self.short = self._take(k, s), self._take(k)
        self.end_air, self.end_mass = self._take(n), self._take(n)

    def _take(self, *shape: int) -> Ints:
        size = int(np.prod(shape))
        out = np.arange(self.width, self.width + size).reshape(shape)
        self.width += size
        return out


def plan_heat(
    houses: Houses, belief: Belief, outlook: Outlook, tariff: Tariff, limits: SourceLimits, most_w: Floats,
    loss_w: Floats, margin_sigmas: float = 1.0, comfort_times: float = 1.0,
) -> HeatPlan:  # fmt: skip
    """Plan the heat of every station.

    Parameters
    ----------
    most_w : (n,) what each station can take at most
    loss_w : (K,) lost to the ground, all pipes together
    margin_sigmas : so many sigmas of the weather are kept in hand
    comfort_times : cold counts so many times its price

    Raises
    ------
    EngineError : the solver found no plan
    """
    k_count, n = len(outlook.dt_s), houses.h_air.size
    col = _Columns(k_count, n, limits.most_w.size)
    margin = margin_sigmas * weather_margin_k(houses, outlook)
    least_w = np.minimum(LEAST_SHARE * houses.design_w, most_w)
    equal, below = _Rows(), _Rows()
    _houses(equal, col, houses, belief, outlook)
    hours = outlook.dt_s / 3600.0
    _balance(equal, col, loss_w)
    _comfort(below, col, belief, tariff, margin)
    _carry(below, col, limits)
    _changes(below, col, np.clip(belief.heat_w, least_w, np.maximum(most_w, least_w)))
    air_end, mass_end = _wanted_end(houses, belief, outlook, tariff)
    below.add([(col.air[-1], -1.0), (col.end_air, -1.0)], -air_end)
    below.add([(col.mass[-1], -1.0), (col.end_mass, -1.0)], -mass_end)
    cost = np.zeros(col.width)
    cost[col.source] = hours[:, None] * limits.yuan_mwh
    cost[col.short] = hours * 1e4
    cold = tariff.cold_yuan_k_h * comfort_times
    cost[col.cold] = (hours[:, None] * houses.homes * cold)[:, :, None] * GROUP_SHARE
    cost[col.deep] = DEEP_TIMES * cost[col.cold]
    cost[col.hot] = hours[:, None] * houses.homes * GROUP_SHARE[-1] * tariff.hot_yuan_k_h
    cost[col.change] = CHANGE_YUAN_MW
    worth = END_WEIGHT * float(limits.yuan_mwh.min()) / 3.6e9
    cost[col.end_air], cost[col.end_mass] = worth * houses.c_air, worth * houses.c_structure
    low, high = np.zeros(col.width), np.full(col.width, np.inf)
    low[col.air], low[col.mass] = -60.0, -60.0
    low[col.heat] = least_w / MW
    high[col.heat] = most_w / MW
    high[col.source] = limits.most_w / MW
    high[col.change] = CHANGE_SHARE_H * hours[:, None] * houses.design_w / MW
    x = _solve(cost, equal, below, low, high, col, limits)
    source = x[col.source]
    return HeatPlan(
        x[col.heat] * MW, x[col.air], source * MW, margin,
        float((hours[:, None] * limits.yuan_mwh * source).sum()), x[col.short] * MW,
    )  # fmt: skip


def _balance(equal: _Rows, col: _Columns, loss_w: Floats) -> None:
    """Sources give what stations take and the ground loses."""
    n = col.heat.shape[1]
    for k in range(len(col.heat)):
        columns = np.concatenate([col.source[k], col.short[k : k + 1], col.heat[k]])
        signs = np.concatenate([np.ones(col.source.shape[1] + 1), -np.ones(n)])
        equal.add_sum(columns, signs, float(loss_w[k]) / MW)


def _carry(below: _Rows, col: _Columns, limits: SourceLimits) -> None:
    """What the network can carry from the source that holds its pressure."""
    others = np.delete(np.arange(col.source.shape[1]), limits.holding)
    for a, b in limits.reach:
        terms: list[tuple[Ints, Floats | float]] = [(col.source[:, limits.holding], 1.0)]
        terms += [(col.source[:, s], -b) for s in others.tolist()]
        below.add(terms, a / MW)


def _comfort(below: _Rows, col: _Columns, b: Belief, tariff: Tariff, margin: Floats) -> None:
    """Kelvins below and above the limits, by group of rooms."""
    for k in range(len(col.air)):
        for g in range(GROUPS):
            limit = tariff.room_low_c + margin[k] - b.offset_k[:, g]
            below.add([(col.air[k], -1.0), (col.cold[k, :, g], -1.0)], -limit)
            below.add([(col.air[k], -1.0), (col.deep[k, :, g], -1.0)], -(limit - DEEP_K))
        below.add([(col.air[k], 1.0), (col.hot[k], -1.0)], tariff.room_high_c - b.offset_k[:, -1])


def _changes(below: _Rows, col: _Columns, now_w: Floats) -> None:
    """Changes of heat from step to step, either way."""
    for sign in (1.0, -1.0):
        below.add([(col.heat[0], sign), (col.change[0], -1.0)], sign * now_w / MW)
        for k in range(1, len(col.heat)):
            below.add([(col.heat[k], sign), (col.heat[k - 1], -sign), (col.change[k], -1.0)], 0.0)


def _houses(rows: _Rows, col: _Columns, h: Houses, b: Belief, o: Outlook) -> None:
    """Air and structure from step to step."""
    for k, dt in enumerate(o.dt_s.tolist()):
        step = step_houses(h, dt)
        out = float(o.t_out_c[k])
        air, mass = gains(h, float(o.sun_w_m2[k]), float(o.people[k]))
        lost = h.ua_w_k * b.loss + wind_loss_w_k(h, float(o.wind_m_s[k]))
        push = air * (1.0 + b.gain) + lost * out
        for row, unknown in ((0, col.air), (1, col.mass)):
            heat = step.heat[:, row]
            right = heat * push + step.mass[:, row] * mass * (1.0 + b.gain) + step.out[:, row] * out
            from_air = step.a[:, row, 0] - heat * lost
            from_mass = step.a[:, row, 1]
            terms: list[tuple[Ints, Floats | float]] = [(unknown[k], 1.0), (col.heat[k], -heat * MW)]
            if k == 0:
                right = right + from_air * b.air_c + from_mass * b.structure_c
            else:
                terms += [(col.air[k - 1], -from_air), (col.mass[k - 1], -from_mass)]
            rows.add(terms, right)


def _wanted_end(h: Houses, b: Belief, o: Outlook, tariff: Tariff) -> tuple[Floats, Floats]:
    """Air and structure of rooms whose cold groups are at the limit, in the mean weather of the last half."""
    half = len(o.t_out_c) // 2
    out = float(np.average(o.t_out_c[half:], weights=o.dt_s[half:]))
    room = tariff.room_low_c - b.offset_k[:, 1]
    wanted: Floats = (h.h_inner * room + h.h_structure * out) / (h.h_inner + h.h_structure)
    return room, wanted


def _solve(
    cost: Floats, equal: _Rows, below: _Rows, low: Floats, high: Floats, col: _Columns, limits: SourceLimits
) -> Floats:
    x, why = _run(cost, equal, below, low, high)
    if x is None:
        raise EngineError(f"dispatch: the solver found no plan ({why}): check capacities and temperatures")
    source = x[col.source] * MW
    torn = (source > 1e3) & (source < limits.least_w - 1e3)
    if not torn.any():
        return x
    # a boiler below its least load: it runs or it does not, hour by hour
    on = (source >= 0.5 * limits.least_w) & (limits.least_w > 0.0)
    for s in np.flatnonzero(torn.any(0)).tolist():
        low[col.source[:, s]] = np.where(on[:, s], limits.least_w[s] / MW, 0.0)
        high[col.source[:, s]] = np.where(on[:, s], limits.most_w[s] / MW, 0.0)
    again, _ = _run(cost, equal, below, low, high)
    return x if again is None else again


def _run(cost: Floats, equal: _Rows, below: _Rows, low: Floats, high: Floats) -> tuple[Floats | None, str]:
    """The solution, or None and what the solver says."""
    a_eq, b_eq = equal.matrix(cost.size)
    a_ub, b_ub = below.matrix(cost.size)
    solve: Any = linprog
    bounds, why = np.stack([low, high], 1), ""
    for method, presolve in WAYS:
        options = {"presolve": presolve}
        answer = solve(cost, a_ub, b_ub, a_eq, b_eq, bounds, method=method, options=options)
        if answer.x is not None:
            return np.asarray(answer.x, np.float64), ""
        why = str(answer.message)
    return None, why
