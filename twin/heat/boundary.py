"""What drives a steady state, and what comes out of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import overload

import numpy as np
from numpy.typing import NDArray

from twin.heat.components import PumpDrive, StationControl
from twin.model.network import Side

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Leak:
    """Water lost at a node's ``side``, or half way along pipe ``pipe_id`` (half at either end).

    Give either ``flow_kg_s`` or the emitter coefficient ``emitter`` of ``m = C sqrt(p gauge)`` in
    kg/(s Pa**0.5). A hole of area A: ``C = 0.6 A sqrt(2 rho)``.
    """

    node_id: str = ""
    side: Side = Side.SUPPLY
    pipe_id: str = ""
    flow_kg_s: float = 0.0
    emitter: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class SteadyBoundary:
    """What drives one steady state.

    Sources (n_source,): ``t_source_c`` supply temperature; ``source_flow_kg_s`` where the source is given by
    its flow, NaN where it is given by its pressures ``p_supply_pa``, ``p_return_pa`` (gauge). At least one
    source must be given by pressures: it holds the network.
    Substations (n_substation,): ``flow_kg_s`` primary mass flow (NaN: design flow times the mean load of the
    others, and a finding says so); ``t_return_c`` primary return temperature, or NaN where ``heat_w``
    (taken by the substation) is given instead.
    ``t_ground_c``: undisturbed soil around the pipes.
    Optional (None: as built): ``roughness_factor``, ``u_factor`` (n_pipe,) multipliers; ``valve_opening``
    (n_valve,) 0 shut .. 1 open; ``closed_pipe`` (n_pipe,) true where a pipe is out of service; ``leaks``;
    ``pumps`` at work in pipes and at sources (a source with a pump is given by its ``p_return_pa``, held
    before the pump, or by neither pressure; ``p_supply_pa`` and ``source_flow_kg_s`` are NaN); ``control``
    of the substations (None: every ``flow_kg_s`` flows, whatever the pressures).
    """

    t_source_c: Floats
    p_supply_pa: Floats
    p_return_pa: Floats
    source_flow_kg_s: Floats
    flow_kg_s: Floats
    t_return_c: Floats
    heat_w: Floats | None = None
    t_ground_c: float = 6.0
    roughness_factor: Floats | None = None
    u_factor: Floats | None = None
    valve_opening: Floats | None = None
    closed_pipe: NDArray[np.bool_] | None = None
    leaks: tuple[Leak, ...] = ()
    pumps: tuple[PumpDrive, ...] = ()
    control: StationControl | None = None


class Reason(StrEnum):
    """Why an answer is missing or must be doubted."""

    NOT_CONVERGED = "not_converged"
    ISOLATED = "isolated"
    FLOW_ASSUMED = "flow_assumed"
    PRESSURE_BELOW_VAPOUR = "pressure_below_vapour"
    PRESSURE_ABOVE_RATING = "pressure_above_rating"
    TEMPERATURE_UNREACHABLE = "temperature_unreachable"
    DEMAND_ABOVE_CAPACITY = "demand_above_capacity"
    NO_DIFFERENTIAL_PRESSURE = "no_differential_pressure"
    CHECK_VALVE_CLOSED = "check_valve_closed"
    SOURCE_UNBALANCED = "source_unbalanced"
    PRESSURE_BELOW_AIR = "pressure_below_air"
    VALVE_SATURATED = "valve_saturated"
    PUMP_OUTSIDE_CURVE = "pump_outside_curve"
    UNSETTLED = "unsettled"


class Ids(Sequence[str]):
    """Names of some rows, looked up when somebody asks: a finding may concern ten thousand points, and most
    are counted, not read. Equal to the tuple of its names."""

    __slots__ = ("_known", "_look_up", "_places")

    def __init__(
        self, places: NDArray[np.int64], look_up: Callable[[NDArray[np.int64]], Iterable[str]]
    ) -> None:
        self._places, self._look_up = places, look_up
        self._known: tuple[str, ...] | None = None

    def _names(self) -> tuple[str, ...]:
        if self._known is None:
            self._known = tuple(self._look_up(self._places))
        return self._known

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...

    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        return self._names()[at]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __eq__(self, other: object) -> bool:
        return self._names() == (other._names() if isinstance(other, Ids) else other)

    def __hash__(self) -> int:
        return hash(self._names())

    def __repr__(self) -> str:
        return repr(self._names())

    def __reduce__(self) -> tuple[object, ...]:
        return tuple, (self._names(),)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason with the ids it concerns (nodes as ``id/supply`` or ``id/return``) and the worst value."""

    reason: Reason
    ids: Sequence[str]
    value: float = float("nan")

    def __str__(self) -> str:
        more = f" and {len(self.ids) - 5} more" if len(self.ids) > 5 else ""
        value = "" if np.isnan(self.value) else f" ({self.value:g})"
        return f"{self.reason.value}{value}: {', '.join(self.ids[:5])}{more}"


@dataclass(frozen=True, slots=True, eq=False)
class SteadyState:
    """One steady state, in the order of the network's tables; NaN where there is no answer.

    Nodes (n_node,): ``t_supply_c``, ``t_return_c``, ``p_supply_pa``, ``p_return_pa`` (gauge).
    Pipes (n_pipe,): ``mass_flow_kg_s`` positive from ``from_node`` to ``to_node``; ``t_pipe_c`` mean of the
    water; ``t_out_c`` where the water leaves; ``dp_pa`` pressure at ``from_node`` minus pressure at
    ``to_node`` (friction and height); ``heat_loss_w`` to the ground.
    Substations (n_substation,): ``flow_kg_s`` as solved, ``heat_w`` taken, ``t_station_return_c``.
    Sources (n_source,): ``source_flow_kg_s`` into the supply pipes, ``source_return_flow_kg_s`` from the
    return pipes (the difference is make-up), ``t_source_return_c``, ``source_heat_w``.
    Checks: ``converged``, ``iterations`` (Newton steps in all), ``residual_kg_s`` worst mass balance,
    ``residual_pa`` worst pipe, ``leak_kg_s`` lost in all, ``findings``.
    With pumps (n_pump,), in the boundary's order: ``pump_flow_kg_s``, ``pump_rise_pa``. With control
    (n_substation,): ``unmet_heat_w``, what a valve could not pass (NaN where no return temperature is given).
    """

    t_supply_c: Floats
    t_return_c: Floats
    p_supply_pa: Floats
    p_return_pa: Floats
    mass_flow_kg_s: Floats
    t_pipe_c: Floats
    t_out_c: Floats
    dp_pa: Floats
    heat_loss_w: Floats
    flow_kg_s: Floats
    heat_w: Floats
    t_station_return_c: Floats
    source_flow_kg_s: Floats
    source_return_flow_kg_s: Floats
    t_source_return_c: Floats
    source_heat_w: Floats
    leak_kg_s: float
    converged: bool
    iterations: int
    residual_kg_s: float
    residual_pa: float
    findings: tuple[Finding, ...]
    pump_flow_kg_s: Floats = field(default_factory=lambda: np.zeros(0))
    pump_rise_pa: Floats = field(default_factory=lambda: np.zeros(0))
    unmet_heat_w: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def make_up_kg_s(self) -> Floats:
        """Water that each source adds to keep the pressure (n_source,)."""
        return self.source_flow_kg_s - self.source_return_flow_kg_s
