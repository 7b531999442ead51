"""Survey values with the factors of a calibration; the county itself is never changed."""

from collections.abc import Callable
from dataclasses import replace

from twin.calibration.result import SECTION_VALVES, Calibration, Kind
from twin.model.county import County
from twin.model.network import HeatNetwork


def _look_up(calibration: Calibration) -> Callable[[Kind, str], float]:
    table = {(f.kind, f.group): f.value for f in calibration.factors}
    return lambda kind, group: table.get((kind, group), 1.0)


def apply_to_network(network: HeatNetwork, calibration: Calibration) -> HeatNetwork:
    """Return the network with roughness, heat loss and exchangers as learnt.

    Pipes and stations that the calibration does not know stay as surveyed.
    """
    factor, group_of = _look_up(calibration), calibration.pipes
    pipes = tuple(
        replace(
            p,
            roughness_m=p.roughness_m * factor("roughness", group_of.get(p.id, "")),
            u_w_m_k=p.u_w_m_k * factor("heat_loss", group_of.get(p.id, "")),
        )
        for p in network.pipes
    )
    loss = factor("valve_loss", SECTION_VALVES)
    valves = tuple(
        replace(v, kv_m3_h=v.kv_m3_h * loss**-0.5) if v.kind == "section" else v for v in network.valves
    )
    stations = tuple(
        replace(s, hx_ua_w_k=s.hx_ua_w_k * factor("exchanger", s.id)) for s in network.substations
    )
    return replace(network, pipes=pipes, valves=valves, substations=stations)


def apply_calibration(county: County, calibration: Calibration) -> County:
    """Return the county with its network and its buildings as learnt."""
    factor = _look_up(calibration)
    buildings = tuple(
        replace(
            b,
            ua_w_k=b.ua_w_k * factor("building_loss", b.substation_id),
            capacity_j_k=b.capacity_j_k * factor("building_capacity", b.substation_id),
            gain_factor=b.gain_factor * factor("building_gain", b.substation_id),
            wind_factor=b.wind_factor * factor("building_wind", b.substation_id),
            air_factor=b.air_factor * factor("building_air", b.substation_id),
        )
        if b.heated
        else b
        for b in county.buildings
    )
    return replace(county, network=apply_to_network(county.network, calibration), buildings=buildings)
