"""A network with what was learnt while running in its tables, for whoever simulates it further."""

from dataclasses import replace

from twin.compare import Correction
from twin.model.network import HeatNetwork


def apply_correction(network: HeatNetwork, correction: Correction) -> HeatNetwork:
    """Return the network with heat losses, roughness, section valves and exchangers as corrected.

    What a source's outlet is warmer than its meter says (``correction.source_k``) is no part of a network:
    whoever reads that meter adds it.
    """
    c = correction
    pipes = tuple(
        replace(p, u_w_m_k=p.u_w_m_k * float(u), roughness_m=p.roughness_m * float(r))
        for p, u, r in zip(network.pipes, c.u_factor, c.roughness_factor, strict=True)
    )
    valves = tuple(
        replace(v, kv_m3_h=v.kv_m3_h * float(opening) / v.opening) if v.opening > 0.0 else v
        for v, opening in zip(network.valves, c.valve_opening, strict=True)
    )
    stations = tuple(
        replace(s, hx_ua_w_k=s.hx_ua_w_k * float(factor))
        for s, factor in zip(network.substations, c.ua_factor, strict=True)
    )
    return replace(network, pipes=pipes, valves=valves, substations=stations)
