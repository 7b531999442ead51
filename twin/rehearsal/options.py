"""What could be done about an incident: the alternatives worth simulating beside doing nothing."""

from collections.abc import Sequence

from twin.model.network import HeatNetwork
from twin.rehearsal.case import MEASURES, Case, Incident, Measure, find_stuck
from twin.rehearsal.section import find_section

CLOSE_AFTER_H = (0.5, 2.0)
"""A crew that waits by the valves, and one that is called from home."""
DECIDE_AFTER_H = 0.5
SPARE_SHED_K = 8.0


def list_options(
    network: HeatNetwork,
    incidents: tuple[Incident, ...],
    boilers: Sequence[Measure] = (),
    spare: Sequence[str] = (),
) -> tuple[Case, ...]:
    """Cases for the same incidents, beginning with nothing done. Names are keys: words are the caller's.

    Parameters
    ----------
    boilers : mobile boilers where they relieve most (``rank_mobile``), none: not at hand
    spare : stations that can give (``find_spare``)

    Several things that are done together have a name joined by ``+``.
    """
    cases = [Case("nothing", incidents)]
    bursts = [x for x in incidents if x.kind == "burst"]
    shut: tuple[Measure, ...] = ()
    first = ""
    for h in CLOSE_AFTER_H if bursts else ():
        close = tuple(Measure("isolate", x.at, 0.0, x.after_h + h) for x in bursts)
        cases.append(Case(f"isolate_{h:g}", incidents, close))
        shut, first = shut or close, first or f"isolate_{h:g}+"
    at = min((x.after_h for x in incidents), default=0.0) + DECIDE_AFTER_H
    peak = next((s.id for s in network.sources if not s.holds_pressure), "")
    if peak and _cut_off(network, incidents):
        alone = tuple(Measure("island", peak, 0.0, m.after_h + DECIDE_AFTER_H) for m in shut[:1])
        shut, first = (*shut, *alone), f"{first}island+"
        cases.append(Case(first[:-1], incidents, shut))
    if any(x.kind in ("source_trip", "fuel_shortage", "cold_wave") for x in incidents):
        cases += [Case(first + c.name, incidents, shut + c.measures) for c in _for_short_heat(network, at)]
        if spare:
            give = Measure("shed_load", ",".join(spare), SPARE_SHED_K, at)
            cases.append(Case(f"{first}shed_spare", incidents, (*shut, give)))
    if boilers:
        cases.append(Case(f"{first}mobile", incidents, (*shut, *boilers)))
    return tuple(cases)


def _cut_off(network: HeatNetwork, incidents: tuple[Incident, ...]) -> bool:
    """Whether shutting the bursts off leaves nobody with a source that holds the pressure."""
    stuck, every = find_stuck(incidents), {s.id for s in network.substations}
    for x in incidents:
        if x.kind == "burst":
            every -= set(find_section(network, x.at, stuck).stations)
    return not every


def _for_short_heat(network: HeatNetwork, at: float) -> list[Case]:
    shed = Measure("shed_load", "", MEASURES["shed_load"][3], at)
    cases = [Case("shed_load", (), (shed,))]
    peak = next((s.id for s in network.sources if not s.holds_pressure), "")
    if peak:
        boiler = Measure("peak_boiler", peak, MEASURES["peak_boiler"][3], at)
        hotter = Measure("raise_supply", "", MEASURES["raise_supply"][3], at)
        cases += [Case("peak_boiler", (), (boiler,)), Case("raise_supply", (), (boiler, hotter))]
    return cases
