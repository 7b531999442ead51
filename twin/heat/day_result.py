"""What goes into a simulated day and what comes out of it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import SteadyBoundary
from twin.heat.building import BuildingStock
from twin.heat.curve import TimeSlot
from twin.heat.source import SourceSet
from twin.heat.substation import StationSet
from twin.heat.topology import CompiledNetwork
from twin.heat.transient import TransientState
from twin.model.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROOM_C = 18.0
"""Lowest room temperature by rule (兰州市供热用热条例, article 24)."""


@dataclass(frozen=True, slots=True, eq=False)
class HeatSystem:
    """The whole, compiled: network, substations, buildings behind them, sources."""

    net: CompiledNetwork
    stations: StationSet
    buildings: BuildingStock
    sources: SourceSet


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """Weather per step, (n_step,): ``t_outdoor_c``; ``wind_m_s``; ``sun_w_m2`` on the horizontal."""

    t_outdoor_c: Floats
    wind_m_s: Floats
    sun_w_m2: Floats

    def __post_init__(self) -> None:
        shape = np.shape(self.t_outdoor_c)
        for name in ("t_outdoor_c", "wind_m_s", "sun_w_m2"):
            values = np.asarray(getattr(self, name))
            if values.shape != shape or values.ndim != 1 or not np.all(np.isfinite(values)):
                raise InputError(f"weather {name}: one finite number per step is needed, as for t_outdoor_c")


@dataclass(frozen=True, slots=True, eq=False)
class DayPlan:
    """How the day is run.

    ``dt_s`` step; ``start_s`` local time of the first step, seconds of the day (for time slots);
    ``boundary``: pressures, source flows (NaN where a source holds the pressure), leaks, valves, ground; its
    ``flow_kg_s`` and ``t_return_c`` are not used. ``t_source_c`` (n_step, n_source) set-points;
    ``slots``: offsets of the compensation curves by the hour; ``people`` (n_step,) share of the internal
    gains, None: 1; ``setpoint_c`` (n_step, n_station): instead of the curves; ``pump_share``
    (n_step, n_station): secondary flow over full flow, 0 (standing) to 1.2, None: 1.
    """

    dt_s: float
    boundary: SteadyBoundary
    t_source_c: Floats
    start_s: float = 0.0
    slots: tuple[TimeSlot, ...] = ()
    people: Floats | None = None
    setpoint_c: Floats | None = None
    pump_share: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DayState:
    """What the whole remembers: water in the pipes; per station temperatures of the secondary volumes and at
    the exchanger's outlet, controller and flow; per building both nodes and the radiators' last excess
    temperature; per source its last output."""

    transient: TransientState
    t_supply_c: Floats
    t_return_c: Floats
    t_out_c: Floats
    integral: Floats
    flow_kg_s: Floats
    flow_cap_kg_s: Floats
    t_air_c: Floats
    t_structure_c: Floats
    excess_k: Floats
    source_w: Floats


class DayReason(StrEnum):
    """What a day's user must know."""

    NOT_CONVERGED = "not_converged"
    ISOLATED = "isolated"
    NO_DIFFERENTIAL_PRESSURE = "no_differential_pressure"
    DEMAND_ABOVE_CAPACITY = "demand_above_capacity"
    SOURCE_RAMP = "source_ramp"
    SOURCE_BELOW_MINIMUM = "source_below_minimum"
    TEMPERATURE_UNREACHABLE = "temperature_unreachable"
    ROOM_TOO_COLD = "room_too_cold"


@dataclass(frozen=True, slots=True)
class DayFinding:
    """A reason with the ids concerned, the worst value (share, K or °C) and the longest time in hours."""

    reason: DayReason
    ids: tuple[str, ...]
    value: float
    hours: float

    def __str__(self) -> str:
        more = f" and {len(self.ids) - 5} more" if len(self.ids) > 5 else ""
        return f"{self.reason.value} ({self.value:g}, {self.hours:.1f} h): {', '.join(self.ids[:5])}{more}"


@dataclass(frozen=True, slots=True)
class DayEnergy:
    """Energy of a run, J. In: ``source`` heat, ``makeup`` (enthalpy above 0 °C), ``gain`` of sun and people.
    Out: ``leak`` (enthalpy), ``ground``, ``outdoor``, ``refill`` (make-up of the secondary water).
    ``stored``: change of network, secondary water, buildings and the plants' own water."""

    source: float
    makeup: float
    gain: float
    leak: float
    ground: float
    outdoor: float
    refill: float
    stored: float

    @property
    def error(self) -> float:
        """What does not add up, J."""
        into = self.source + self.makeup + self.gain
        return into - self.leak - self.ground - self.outdoor - self.refill - self.stored

    @property
    def throughput(self) -> float:
        """Sum of all terms by size, J."""
        terms = (self.source, self.makeup, self.gain, self.leak, self.ground, self.outdoor, self.refill)
        return sum(abs(x) for x in terms) + abs(self.stored)


@dataclass(frozen=True, slots=True, eq=False)
class DayRun:
    """Result of ``simulate_day``; arrays per step.

    ``time_s`` (n_step,) end of each step since the start. Stations (n_step, n_station): ``flow_kg_s``,
    ``t_in_c``, ``t_back_c`` primary flow, supply and return (NaN without flow); ``t_supply_c``,
    ``t_return_c`` secondary; ``setpoint_c``; ``heat_w``; ``short`` (valve wide open and still too little);
    ``pump_w`` of the secondary pump.
    Buildings (n_step, n_building): ``t_room_c``. Sources (n_step, n_source): ``source_flow_kg_s``,
    ``source_heat_w``, ``source_wanted_w``, ``source_t_c``, ``source_back_c``, ``fuel_w``, ``electric_w``.
    ``ground_loss_w`` (n_step,); ``solves``: hydraulic solutions found; ``end`` to go on from.
    """

    time_s: Floats
    flow_kg_s: Floats
    t_in_c: Floats
    t_back_c: Floats
    t_supply_c: Floats
    t_return_c: Floats
    setpoint_c: Floats
    heat_w: Floats
    short: Bools
    pump_w: Floats
    t_room_c: Floats
    source_flow_kg_s: Floats
    source_heat_w: Floats
    source_wanted_w: Floats
    source_t_c: Floats
    source_back_c: Floats
    fuel_w: Floats
    electric_w: Floats
    ground_loss_w: Floats
    energy: DayEnergy
    findings: tuple[DayFinding, ...]
    solves: int
    end: DayState
