"""What happens, and what is done about it."""

import math
from dataclasses import dataclass

from twin.model.errors import InputError
from twin.model.network import HeatNetwork

INCIDENTS: dict[str, tuple[str, float, float, float]] = {
    "burst": ("pipe", 0.005, 0.5, 0.08),  # diameter of the hole, m
    "source_trip": ("source", 0.0, 1.0, 0.4),  # share of the capacity that is left
    "fuel_shortage": ("source", 0.0, 1.0, 0.7),
    "pump_trip": ("station", 0.0, 0.0, 0.0),
    "power_cut": ("stations", 0.0, 0.0, 0.0),
    "cold_wave": ("", 1.0, 30.0, 10.0),  # K colder, reached within 24 h
    "valve_shut": ("valve", 0.0, 0.0, 0.0),
    "valve_stuck": ("valve", 0.0, 0.0, 0.0),  # cannot be closed: the valves beyond it are then used
}
"""Kind -> (sort of place, least size, largest size, usual size)."""
MEASURES: dict[str, tuple[str, float, float, float]] = {
    "isolate": ("pipe", 0.0, 0.0, 0.0),
    "peak_boiler": ("source", 0.05, 0.6, 0.25),  # share of the design flow that it sends out
    "island": ("source", 0.0, 0.0, 0.0),  # a source that holds the pressure from then on
    "raise_supply": ("", 1.0, 30.0, 8.0),  # K at every source
    "shed_load": ("stations", 1.0, 20.0, 5.0),  # K off the compensation curves of these stations
    "mobile_boiler": ("station", 0.1e6, 50e6, 1.4e6),  # heat of the boilers that stand there, W
}


@dataclass(frozen=True, slots=True)
class Incident:
    """``kind`` of ``INCIDENTS`` at ``at`` (an id, or ids joined by commas where stations are meant; empty:
    all), ``after_h`` hours after the start, for ``hours`` (inf: to the end)."""

    kind: str
    at: str = ""
    size: float = 0.0
    after_h: float = 0.0
    hours: float = math.inf


@dataclass(frozen=True, slots=True)
class Measure:
    """``kind`` of ``MEASURES`` from ``after_h`` on; ``at`` as for incidents."""

    kind: str
    at: str = ""
    size: float = 0.0
    after_h: float = 0.5


@dataclass(frozen=True, slots=True)
class Case:
    """One course of things: what happens and what is done."""

    name: str
    incidents: tuple[Incident, ...] = ()
    measures: tuple[Measure, ...] = ()


def check_case(network: HeatNetwork, case: Case) -> None:
    """Refuse what cannot be simulated.

    Raises
    ------
    InputError : unknown kind or place, or a size or time out of range; the text says which
    """
    places = {
        "pipe": {p.id for p in network.pipes},
        "source": {s.id for s in network.sources},
        "station": {s.id for s in network.substations},
        "valve": {v.id for v in network.valves},
    }
    rows = [(x, INCIDENTS) for x in case.incidents] + [(x, MEASURES) for x in case.measures]
    for x, table in rows:
        if x.kind not in table:
            raise InputError(f"rehearsal: {x.kind!r} is not one of {', '.join(table)}")
        sort, least, most, _ = table[x.kind]
        if sort in places and x.at not in places[sort]:
            raise InputError(f"rehearsal, {x.kind}: {x.at!r} is not a {sort} of this network")
        unknown = set(x.at.split(",")) - places["station"] - {""} if sort == "stations" else set()
        if unknown:
            raise InputError(f"rehearsal, {x.kind}: {', '.join(sorted(unknown))} is not a station")
        if most > 0.0 and not least <= x.size <= most:
            raise InputError(f"rehearsal, {x.kind}: size {x.size:g} must be between {least:g} and {most:g}")
        if not 0.0 <= x.after_h <= 240.0:
            raise InputError(f"rehearsal, {x.kind}: after_h {x.after_h:g} must be between 0 and 240")
    for i in case.incidents:
        if not i.hours > 0.0:
            raise InputError(f"rehearsal, {i.kind}: it ends before it begins (hours {i.hours:g})")


def find_stuck(incidents: tuple[Incident, ...]) -> frozenset[str]:
    """Valves that these incidents leave unable to close."""
    return frozenset(x.at for x in incidents if x.kind == "valve_stuck")
