"""What must be said about a simulated day, and its energy balance."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.heat.day_arrays import GAIN, GROUND, LEAK, MAKEUP, OUTDOOR, PLANT, REFILL, SOURCE, Log
from twin.heat.day_result import ROOM_C, DayEnergy, DayFinding, DayReason, DayState, HeatSystem

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SHORT_K = 1.0
"""A set-point counts as missed when the supply stays this far below it with the valve open."""


@dataclass(slots=True)
class HydraulicNotes:
    """What the hydraulic solutions of a run had to say, gathered."""

    n_station: int
    solves: int = 0
    failed: int = 0
    isolated: Bools = field(init=False)
    starved: Bools = field(init=False)

    def __post_init__(self) -> None:
        self.isolated = np.zeros(self.n_station, np.bool_)
        self.starved = np.zeros(self.n_station, np.bool_)

    def add(self, converged: bool, served: Bools, starved: Bools) -> None:
        """Take note of one solution."""
        self.solves += 1
        self.failed += not converged
        if converged:
            self.isolated |= ~served
            self.starved |= starved & served


def _finding(reason: DayReason, ids: tuple[str, ...], mask: Bools, worst: Floats, dt_s: float) -> DayFinding:
    """``mask`` and ``worst`` (n_step, n): where the reason holds and how bad it is (the largest counts)."""
    concerned = np.flatnonzero(mask.any(axis=0))
    value = float(np.where(mask, worst, -np.inf).max())
    hours = float(mask.sum(axis=0).max()) * dt_s / 3600.0
    return DayFinding(reason, tuple(ids[i] for i in concerned), value, hours)


def find_day_reasons(
    system: HeatSystem, dt_s: float, setpoint: Floats, log: Log, notes: HydraulicNotes
) -> tuple[DayFinding, ...]:
    """Everything about a day that its user must know."""
    sources, stations, rooms = system.sources, system.stations.ids, system.buildings.ids
    found: list[DayFinding] = []
    nan = float("nan")
    if notes.failed:
        found.append(DayFinding(DayReason.NOT_CONVERGED, (), float(notes.failed), nan))
    for reason, mask in (
        (DayReason.ISOLATED, notes.isolated),
        (DayReason.NO_DIFFERENTIAL_PRESSURE, notes.starved),
    ):
        if mask.any():
            found.append(DayFinding(reason, tuple(stations[i] for i in np.flatnonzero(mask)), nan, nan))
    wanted, given = log.source_wanted, log.source_heat
    above = wanted > 1.001 * sources.capacity_w
    slow = (np.abs(wanted - given) > 1e-3 * sources.capacity_w) & ~above & (wanted > 0.0)
    below = (given > 0.0) & (given < sources.min_w)
    missed = log.short & (log.t_supply < setpoint - SHORT_K)
    cold = log.t_room < ROOM_C
    table = (
        (DayReason.DEMAND_ABOVE_CAPACITY, sources.ids, above, wanted / sources.capacity_w),
        (DayReason.SOURCE_RAMP, sources.ids, slow, np.abs(wanted - given) / sources.capacity_w),
        (DayReason.SOURCE_BELOW_MINIMUM, sources.ids, below, 1.0 - given / np.maximum(sources.min_w, 1.0)),
        (DayReason.TEMPERATURE_UNREACHABLE, stations, missed, setpoint - log.t_supply),
    )
    found.extend(_finding(r, ids, mask, worst, dt_s) for r, ids, mask, worst in table if mask.any())
    if cold.any():
        worst = _finding(DayReason.ROOM_TOO_COLD, rooms, cold, -log.t_room, dt_s)
        found.append(DayFinding(worst.reason, worst.ids, -worst.value, worst.hours))
    return tuple(found)


def sum_energy(system: HeatSystem, before: DayState, end: DayState, log: Log) -> DayEnergy:
    """Energy balance of a run."""
    st, b = system.stations, system.buildings
    stored = end.transient.stored_j - before.transient.stored_j + log.sums[PLANT]
    stored += float(st.c_supply_j_k @ (end.t_supply_c - before.t_supply_c))
    stored += float(st.c_return_j_k @ (end.t_return_c - before.t_return_c))
    stored += float(b.c_air_j_k @ (end.t_air_c - before.t_air_c))
    stored += float(b.c_structure_j_k @ (end.t_structure_c - before.t_structure_c))
    return DayEnergy(
        source=float(log.sums[SOURCE]),
        makeup=float(log.sums[MAKEUP]),
        gain=float(log.sums[GAIN]),
        leak=float(log.sums[LEAK]),
        ground=float(log.sums[GROUND]),
        outdoor=float(log.sums[OUTDOOR]),
        refill=float(log.sums[REFILL]),
        stored=float(stored),
    )
