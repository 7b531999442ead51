"""What each common parameter moves: the network walked beside the live one, one parameter a little off.

The water in a member has felt its parameter for as long as it has been under way, so delays, loops and places
where waters meet are in the slopes as the engine has them; no adjoint has to be written for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.assimilation.layout import Layout
from twin.heat import (
    CompiledNetwork,
    SteadyBoundary,
    SteadyState,
    TransientState,
    begin_transient,
    step_transient,
)
from twin.model.errors import EngineError

Floats = NDArray[np.float64]

STEP_LOSS, STEP_ROUGHNESS, STEP_VALVE, STEP_K = 0.2, 0.4, 0.5, 1.0
"""How far a member is off: logarithms of factors, and kelvins."""
LONGEST_S = 1800.0
"""After a longer pause the members start from a steady state again."""


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """What stations and sources see per unit of each common parameter, the parameter last.

    ``t_supply``, ``p_supply``, ``p_return`` (n_station, k); ``t_back`` (n_source, k); NaN: no answer.
    """

    t_supply: Floats
    p_supply: Floats
    p_return: Floats
    t_back: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The water of the undisturbed member and of one per common parameter, at ``t``."""

    states: tuple[TransientState, ...]
    t: float


def walk_members(
    net: CompiledNetwork, layout: Layout, b: SteadyBoundary, before: Members | None, t: float
) -> tuple[Members | None, Slopes | None]:
    """Bring all members to ``t`` with the boundary ``b`` and read their slopes; (None, None) where the
    engine has no answer."""
    boundaries, steps = disturb(net, layout, b)
    fresh = before is None or not 0.0 < t - before.t <= LONGEST_S
    states, seen = [], []
    try:
        for i, boundary in enumerate(boundaries):
            if fresh or before is None:
                state, now = begin_transient(net, boundary)
            else:
                state, now, _ = step_transient(net, boundary, before.states[i], t - before.t)
            if not now.converged:
                return None, None
            states.append(state)
            seen.append(now)
    except EngineError:
        return None, None
    return Members(tuple(states), t), _read_slopes(net, seen, steps)


def disturb(
    net: CompiledNetwork, layout: Layout, b: SteadyBoundary
) -> tuple[tuple[SteadyBoundary, ...], Floats]:
    """The boundary as it is, and with each common parameter a step further; the steps (k,)."""
    loss = np.ones(net.n_pipe) if b.u_factor is None else b.u_factor
    rough = np.ones(net.n_pipe) if b.roughness_factor is None else b.roughness_factor
    out, steps = [b], []
    for g in range(len(layout.groups)):
        out.append(replace(b, u_factor=np.where(layout.group == g, np.exp(STEP_LOSS), 1.0) * loss))
        steps.append(STEP_LOSS)
    for g in range(len(layout.groups)):
        factor = np.where(layout.group == g, np.exp(STEP_ROUGHNESS), 1.0)
        out.append(replace(b, roughness_factor=factor * rough))
        steps.append(STEP_ROUGHNESS)
    opening = layout.opening if b.valve_opening is None else b.valve_opening
    wider = np.where(layout.section, np.exp(-0.5 * STEP_VALVE), 1.0) * opening
    out.append(replace(b, valve_opening=wider))
    steps.append(STEP_VALVE)
    for i in range(len(layout.source_ids)):
        out.append(replace(b, t_source_c=b.t_source_c + STEP_K * np.eye(len(layout.source_ids))[i]))
        steps.append(STEP_K)
    return tuple(out), np.array(steps)


def _read_slopes(net: CompiledNetwork, seen: Sequence[SteadyState], steps: Floats) -> Slopes:
    first, *others = seen

    def slope(name: str, at: NDArray[np.int64]) -> Floats:
        base = getattr(first, name)[at]
        rows: Floats = np.stack([(getattr(s, name)[at] - base) for s in others], axis=1) / steps
        return rows

    at = net.station_node
    return Slopes(
        slope("t_supply_c", at), slope("p_supply_pa", at), slope("p_return_pa", at),
        slope("t_return_c", net.source_node),
    )  # fmt: skip
