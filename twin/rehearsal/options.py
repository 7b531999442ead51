"""What could be done about an incident: the alternatives worth simulating beside doing nothing."""

from twin.model.network import HeatNetwork
from twin.rehearsal.case import MEASURES, Case, Incident, Measure

CLOSE_AFTER_H = (0.5, 2.0)
"""A crew that waits by the valves, and one that is called from home."""
DECIDE_AFTER_H = 0.5


def list_options(network: HeatNetwork, incidents: tuple[Incident, ...]) -> tuple[Case, ...]:
    """Cases for the same incidents, beginning with nothing done. Names are keys: words are the caller's."""
    cases = [Case("nothing", incidents)]
    burst = next((x for x in incidents if x.kind == "burst"), None)
    if burst is not None:
        cases += [
            Case(f"isolate_{h:g}", incidents, (Measure("isolate", burst.at, 0.0, burst.after_h + h),))
            for h in CLOSE_AFTER_H
        ]
        return tuple(cases)
    at = min((x.after_h for x in incidents), default=0.0) + DECIDE_AFTER_H
    peak = next((s.id for s in network.sources if not s.holds_pressure), "")
    short = any(x.kind in ("source_trip", "fuel_shortage", "cold_wave") for x in incidents)
    if short:
        shed = Measure("shed_load", "", MEASURES["shed_load"][3], at)
        cases.append(Case("shed_load", incidents, (shed,)))
    if short and peak:
        boiler = Measure("peak_boiler", peak, MEASURES["peak_boiler"][3], at)
        hotter = Measure("raise_supply", "", MEASURES["raise_supply"][3], at)
        cases += [
            Case("peak_boiler", incidents, (boiler,)),
            Case("raise_supply", incidents, (boiler, hotter)),
        ]
    return tuple(cases)
