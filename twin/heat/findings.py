"""What must be said beside a state: isolation, boiling, overload and the like."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import Finding, Ids, Reason, SteadyState
from twin.heat.case import Case, HeatAnswer
from twin.heat.compiled import outer
from twin.heat.components import OPEN, SHUT, PumpDrive
from twin.heat.hydraulics import FlowAnswer
from twin.heat.topology import CompiledNetwork
from twin.heat.water import vapour_pressure_pa

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Names = Callable[[Ints], Iterable[str]]
Add = Callable[[Reason, Names, Bools, float], None]

P_ATMOSPHERE_PA = 85_000.0
"""Air pressure at about 1500 m; the margin to boiling is counted from here."""
LEAST_PUMP_KG_S = 1e-3
"""A pump that moves less works against something shut, or is overpowered by another."""
P_NEVER_BOILS_PA = 5e5
"""Gauge pressure above which water of 150 °C does not boil."""
T_NEVER_BOILS_C = 94.0
"""Temperature up to which water does not boil at the air's pressure at about 1500 m."""
P_RATING_PA = 1.6e6
"""Usual nominal pressure of primary networks (PN16)."""
NAN = float("nan")


class HasId(Protocol):
    """A row of a table."""

    @property
    def id(self) -> str:
        """Its id."""
        ...


def name_rows(rows: Sequence[HasId]) -> Names:
    """Ids of the rows at some places."""
    return lambda places: (rows[i].id for i in places.tolist())


def find_reasons(
    net: CompiledNetwork,
    case: Case,
    answer: FlowAnswer,
    heat: HeatAnswer,
    state: SteadyState,
    pumps: tuple[PumpDrive, ...] = (),
) -> tuple[Finding, ...]:
    """Everything about a state that its user must know; most severe reasons are not sorted out."""
    found: list[Finding] = []

    def add(reason: Reason, names: Names, mask: Bools, worst: float = NAN) -> None:
        if mask.any():
            found.append(Finding(reason, Ids(np.flatnonzero(mask), names), worst))

    name_stations = name_rows(net.network.substations)
    add(Reason.FLOW_ASSUMED, name_stations, case.assumed)
    served = answer.reached[net.station_node] & answer.reached[net.n_node + net.station_node]
    add(Reason.ISOLATED, name_stations, ~served)
    if not answer.reached.all():
        add(Reason.ISOLATED, net.point_names.__getitem__, ~answer.reached)
    if not (answer.converged and heat.settled):
        worst = np.flatnonzero(answer.reached)[:1]
        found.append(Finding(Reason.NOT_CONVERGED, tuple(net.point_names[worst]), answer.residual_pa))
        return tuple(found)
    _find_pressures(net, answer, heat, add)
    add(Reason.TEMPERATURE_UNREACHABLE, name_stations, heat.unreachable)
    _find_stations(net, case, answer, state, served, add)
    off = (state.pump_flow_kg_s <= LEAST_PUMP_KG_S) | (state.pump_rise_pa < 0.0)
    running = np.array([pump.speed > 0.0 for pump in pumps], bool)
    add(Reason.PUMP_OUTSIDE_CURVE, name_rows(pumps), off & running)
    add(Reason.CHECK_VALVE_CLOSED, name_rows(net.network.pipes), case.one_way & (answer.m <= 0.0))
    _find_sources(net, case, state, add)
    return tuple(found)


@outer()
def sort_pressures(p: Floats, t_c: Floats, reached: Bools) -> tuple[Bools, Bools]:
    """Points (n_point,) that may boil or lie below the air's pressure, and those above the rating."""
    low, high = np.zeros(p.shape[0], np.bool_), np.zeros(p.shape[0], np.bool_)
    for i in range(p.shape[0]):
        if reached[i]:
            low[i] = p[i] < 0.0 or (p[i] < P_NEVER_BOILS_PA and t_c[i] > T_NEVER_BOILS_C)
            high[i] = p[i] > P_RATING_PA
    return low, high


def _find_pressures(net: CompiledNetwork, answer: FlowAnswer, heat: HeatAnswer, add: Add) -> None:
    p, t, name_points = answer.p, heat.t_point, net.point_names.__getitem__
    low, high = sort_pressures(p, t, answer.reached)
    if low.any():
        margin = np.full(len(p), np.inf)
        margin[low] = p[low] - vapour_pressure_pa(np.clip(t[low], 0.0, 150.0)) + P_ATMOSPHERE_PA
        add(Reason.PRESSURE_BELOW_VAPOUR, name_points, margin < 0.0, float(margin.min()))
        dry = low & (margin >= 0.0) & (p < 0.0)
        add(Reason.PRESSURE_BELOW_AIR, name_points, dry, float(p[dry].min(initial=np.inf)))
    if high.any():
        add(Reason.PRESSURE_ABOVE_RATING, name_points, high, float(p[high].max()))


def _find_stations(
    net: CompiledNetwork, case: Case, answer: FlowAnswer, state: SteadyState, served: Bools, add: Add
) -> None:
    name_stations = name_rows(net.network.substations)
    dp = answer.p[net.station_node] - answer.p[net.n_node + net.station_node]
    status = case.links.status if case.links is not None else np.zeros(0, np.int64)
    backwards = (status == SHUT) if len(status) else np.zeros(len(dp), bool)
    lacking = served & (((state.flow_kg_s > 0.0) & (dp <= 0.0)) | backwards)
    if np.any(lacking):
        add(Reason.NO_DIFFERENTIAL_PRESSURE, name_stations, lacking, float(np.nanmin(dp, initial=np.inf)))
    if len(status):
        unmet = float(np.nan_to_num(state.unmet_heat_w).max(initial=0.0))
        add(Reason.VALVE_SATURATED, name_stations, served & (status == OPEN), unmet)


def _find_sources(net: CompiledNetwork, case: Case, state: SteadyState, add: Add) -> None:
    name_sources = name_rows(net.network.sources)
    capacity = np.array([s.capacity_w for s in net.network.sources])
    add(Reason.DEMAND_ABOVE_CAPACITY, name_sources, state.source_heat_w > 1.001 * capacity, NAN)
    unbalanced = (
        state.source_flow_kg_s
        - state.source_return_flow_kg_s
        - (state.leak_kg_s if case.holds.sum() == 1 else 0.0)
    )
    limit = 0.02 * np.abs(state.source_flow_kg_s).max(initial=0.0) + state.leak_kg_s
    add(Reason.SOURCE_UNBALANCED, name_sources, np.abs(unbalanced) > np.maximum(limit, 1e-3), NAN)
