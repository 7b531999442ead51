"""What must be said beside a state: isolation, boiling, overload and the like."""

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import Finding, Reason, SteadyState
from twin.heat.case import Case, HeatAnswer
from twin.heat.hydraulics import FlowAnswer
from twin.heat.topology import CompiledNetwork
from twin.heat.water import vapour_pressure_pa

Bools = NDArray[np.bool_]

P_ATMOSPHERE_PA = 85_000.0
"""Air pressure at about 1500 m; the margin to boiling is counted from here."""
P_RATING_PA = 1.6e6
"""Usual nominal pressure of primary networks (PN16)."""


def find_reasons(
    net: CompiledNetwork,
    case: Case,
    answer: FlowAnswer,
    heat: HeatAnswer,
    state: SteadyState,
) -> tuple[Finding, ...]:
    """Everything about a state that its user must know; most severe reasons are not sorted out."""
    nodes, stations, sources = net.network.nodes, net.network.substations, net.network.sources
    points = [f"{k.id}/supply" for k in nodes] + [f"{k.id}/return" for k in nodes]
    found: list[Finding] = []

    def add(reason: Reason, ids: list[str], mask: Bools, worst: float = float("nan")) -> None:
        if np.any(mask):
            found.append(Finding(reason, tuple(ids[i] for i in np.flatnonzero(mask)), worst))

    station_ids = [s.id for s in stations]
    add(Reason.FLOW_ASSUMED, station_ids, case.assumed)
    served = answer.reached[net.station_node] & answer.reached[net.n_node + net.station_node]
    add(Reason.ISOLATED, station_ids, ~served)
    add(Reason.ISOLATED, points, ~answer.reached)
    if not (answer.converged and heat.settled):
        worst = np.flatnonzero(answer.reached)[:1]
        found.append(Finding(Reason.NOT_CONVERGED, tuple(points[i] for i in worst), answer.residual_pa))
        return tuple(found)
    p, t = answer.p, heat.t_point
    boiling = vapour_pressure_pa(np.clip(t, 0.0, 150.0)) - P_ATMOSPHERE_PA
    margin = np.where(answer.reached, p - boiling, np.inf)
    add(Reason.PRESSURE_BELOW_VAPOUR, points, margin < 0.0, float(margin.min(initial=np.inf)))
    high = np.where(answer.reached, p, -np.inf)
    add(Reason.PRESSURE_ABOVE_RATING, points, high > P_RATING_PA, float(high.max(initial=-np.inf)))
    add(Reason.TEMPERATURE_UNREACHABLE, station_ids, heat.unreachable)
    dp = p[net.station_node] - p[net.n_node + net.station_node]
    add(
        Reason.NO_DIFFERENTIAL_PRESSURE,
        station_ids,
        served & (state.flow_kg_s > 0.0) & (dp <= 0.0),
        float(np.nanmin(dp, initial=np.inf)),
    )
    pipe_ids = [q.id for q in net.network.pipes]
    add(Reason.CHECK_VALVE_CLOSED, pipe_ids, case.one_way & (answer.m <= 0.0))
    source_ids = [s.id for s in sources]
    capacity = np.array([s.capacity_w for s in sources])
    add(Reason.DEMAND_ABOVE_CAPACITY, source_ids, state.source_heat_w > 1.001 * capacity)
    unbalanced = (
        state.source_flow_kg_s
        - state.source_return_flow_kg_s
        - (state.leak_kg_s if case.holds.sum() == 1 else 0.0)
    )
    limit = 0.02 * np.abs(state.source_flow_kg_s).max(initial=0.0) + state.leak_kg_s
    add(Reason.SOURCE_UNBALANCED, source_ids, np.abs(unbalanced) > np.maximum(limit, 1e-3))
    return tuple(found)
