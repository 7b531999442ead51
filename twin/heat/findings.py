"""What must be said beside a state: isolation, boiling, overload and the like."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import Finding, Reason, SteadyState
from twin.heat.case import Case, HeatAnswer
from twin.heat.components import OPEN, SHUT, PumpDrive
from twin.heat.hydraulics import FlowAnswer
from twin.heat.topology import CompiledNetwork
from twin.heat.water import vapour_pressure_pa

Bools = NDArray[np.bool_]

P_ATMOSPHERE_PA = 85_000.0
"""Air pressure at about 1500 m; the margin to boiling is counted from here."""
LEAST_PUMP_KG_S = 1e-3
"""A pump that moves less works against something shut, or is overpowered by another."""
P_NEVER_BOILS_PA = 5e5
"""Gauge pressure above which water of 150 °C does not boil."""
P_RATING_PA = 1.6e6
"""Usual nominal pressure of primary networks (PN16)."""


def find_reasons(
    net: CompiledNetwork,
    case: Case,
    answer: FlowAnswer,
    heat: HeatAnswer,
    state: SteadyState,
    pumps: tuple[PumpDrive, ...] = (),
) -> tuple[Finding, ...]:
    """Everything about a state that its user must know; most severe reasons are not sorted out."""
    network, name_point = net.network, net.point_names.__getitem__
    sources = network.sources
    found: list[Finding] = []

    def name_station(i: int) -> str:
        return network.substations[i].id

    def name_source(i: int) -> str:
        return sources[i].id

    def add(reason: Reason, name: Callable[[int], str], mask: Bools, worst: float = float("nan")) -> None:
        if np.any(mask):
            found.append(Finding(reason, tuple(map(name, np.flatnonzero(mask).tolist())), worst))

    add(Reason.FLOW_ASSUMED, name_station, case.assumed)
    served = answer.reached[net.station_node] & answer.reached[net.n_node + net.station_node]
    add(Reason.ISOLATED, name_station, ~served)
    add(Reason.ISOLATED, name_point, ~answer.reached)
    if not (answer.converged and heat.settled):
        worst = np.flatnonzero(answer.reached)[:1]
        found.append(
            Finding(Reason.NOT_CONVERGED, tuple(net.point_names[int(i)] for i in worst), answer.residual_pa)
        )
        return tuple(found)
    p, t = answer.p, heat.t_point
    margin = np.full(len(p), np.inf)
    near = np.flatnonzero(answer.reached & (p < P_NEVER_BOILS_PA))
    margin[near] = p[near] - vapour_pressure_pa(np.clip(t[near], 0.0, 150.0)) + P_ATMOSPHERE_PA
    add(Reason.PRESSURE_BELOW_VAPOUR, name_point, margin < 0.0, float(margin.min(initial=np.inf)))
    low = np.where(answer.reached & (margin >= 0.0), p, np.inf)
    add(Reason.PRESSURE_BELOW_AIR, name_point, low < 0.0, float(low.min(initial=np.inf)))
    high = np.where(answer.reached, p, -np.inf)
    add(Reason.PRESSURE_ABOVE_RATING, name_point, high > P_RATING_PA, float(high.max(initial=-np.inf)))
    add(Reason.TEMPERATURE_UNREACHABLE, name_station, heat.unreachable)
    dp = p[net.station_node] - p[net.n_node + net.station_node]
    status = case.links.status if case.links is not None else np.zeros(0, np.int64)
    backwards = (status == SHUT) if len(status) else np.zeros(len(dp), bool)
    add(
        Reason.NO_DIFFERENTIAL_PRESSURE,
        name_station,
        served & (((state.flow_kg_s > 0.0) & (dp <= 0.0)) | backwards),
        float(np.nanmin(dp, initial=np.inf)),
    )
    if len(status):
        unmet = float(np.nan_to_num(state.unmet_heat_w).max(initial=0.0))
        add(Reason.VALVE_SATURATED, name_station, served & (status == OPEN), unmet)
    off = (state.pump_flow_kg_s <= LEAST_PUMP_KG_S) | (state.pump_rise_pa < 0.0)
    running = np.array([pump.speed > 0.0 for pump in pumps], bool)
    add(Reason.PUMP_OUTSIDE_CURVE, lambda k: pumps[k].id, off & running)
    add(Reason.CHECK_VALVE_CLOSED, lambda k: network.pipes[k].id, case.one_way & (answer.m <= 0.0))
    capacity = np.array([s.capacity_w for s in sources])
    add(Reason.DEMAND_ABOVE_CAPACITY, name_source, state.source_heat_w > 1.001 * capacity)
    unbalanced = (
        state.source_flow_kg_s
        - state.source_return_flow_kg_s
        - (state.leak_kg_s if case.holds.sum() == 1 else 0.0)
    )
    limit = 0.02 * np.abs(state.source_flow_kg_s).max(initial=0.0) + state.leak_kg_s
    add(Reason.SOURCE_UNBALANCED, name_source, np.abs(unbalanced) > np.maximum(limit, 1e-3))
    return tuple(found)
