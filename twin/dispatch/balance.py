"""Hydraulic balance: which valve to set to what, so that every station gets its share of the water.

A station's ratio is its flow over its share of what flows (its share by design load). At the wanted flows
the network is solved once; what pressure is then left at a station, and what strainer and exchanger take of
it, says how far its valve must open. Where even an open valve is not enough, the source's head is short.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.dispatch.belief import valve_pa_s2_kg2
from twin.heat import CompiledNetwork, SteadyBoundary, solve_steady
from twin.model.errors import EngineError, InputError

Floats = NDArray[np.float64]

GOOD = (0.9, 1.2)
"""Ratio that counts as balanced (JGJ/T 132)."""
LOWEST, HIGHEST = 0.05, 1.0


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One station: ``ratio`` now, ``opening`` now and as it should be (0..1), ``spare_pa`` pressure left
    over the open valve at the wanted flow (negative: the source's head is short), ``wanted_kg_s``; ``act``:
    it is outside the good range and its valve can mend it."""

    station_id: str
    ratio: float
    opening: float
    wanted_opening: float
    wanted_kg_s: float
    spare_pa: float
    act: bool


def balance_stations(
    net: CompiledNetwork, boundary: SteadyBoundary, opening: Floats, plate_pa_s2_kg2: Floats,
    shares: Sequence[float] | None = None,
) -> tuple[BalanceRow, ...]:  # fmt: skip
    """The work list, the most out of balance first.

    Parameters
    ----------
    boundary : what holds now, with the measured ``flow_kg_s`` of every station
    opening : (n_station,) valve positions now, 0..1, NaN unknown
    plate_pa_s2_kg2 : (n_station,) drop beside the valve over flow squared
    shares : of the whole flow, default by design flow

    Raises
    ------
    InputError : shapes differ, or nothing flows
    EngineError : the network has no state at the wanted flows
    """
    rows = net.network.substations
    flow = np.asarray(boundary.flow_kg_s, float)
    if flow.shape != (len(rows),) or opening.shape != flow.shape or plate_pa_s2_kg2.shape != flow.shape:
        raise InputError(f"balance: one flow, opening and drop per station are needed ({len(rows)})")
    total = float(np.nansum(flow))
    if total <= 0.0:
        raise InputError("balance: no water flows, so there is nothing to balance")
    share = net.station_design_kg_s if shares is None else np.asarray(shares, float)
    wanted = total * share / share.sum()
    state = solve_steady(net, replace(boundary, flow_kg_s=wanted))
    if not state.converged:
        raise EngineError("balance: the network has no state at the wanted flows")
    at = net.station_node
    left = state.p_supply_pa[at] - state.p_return_pa[at]
    kv = np.array([s.kv_m3_h for s in rows])
    spare = left - wanted**2 * (plate_pa_s2_kg2 + valve_pa_s2_kg2(kv, np.full(flow.size, HIGHEST)))
    for_valve = np.maximum(left / wanted**2 - plate_pa_s2_kg2, 0.0)
    full = valve_pa_s2_kg2(kv, np.ones(flow.size))
    with np.errstate(divide="ignore"):
        target = np.clip(np.sqrt(full / for_valve), LOWEST, HIGHEST)
    ratio = flow / wanted
    out = [
        BalanceRow(
            s.id, float(ratio[i]), float(opening[i]), float(target[i]), float(wanted[i]), float(spare[i]),
            bool(np.isfinite(ratio[i]) and not GOOD[0] <= ratio[i] <= GOOD[1] and spare[i] >= 0.0),
        )
        for i, s in enumerate(rows)
    ]  # fmt: skip
    return tuple(sorted(out, key=lambda r: -abs(np.log(max(r.ratio, 1e-3))) if np.isfinite(r.ratio) else 0.0))
