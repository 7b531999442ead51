"""Sources and stations: design values from the buildings they feed."""

import math

import numpy as np

from twin.model.network import Source, Substation

T_ROOM = 18.0
DESIGN_OUTDOOR_C = -11.3
T1_SUPPLY, T1_RETURN = 105.0, 50.0
CP = 4190.0
CURVE_AT = (-20.0, -15.0, -11.3, -7.0, -3.0, 1.0, 5.0, 10.0)


def compensation_curve(t_s: float, t_r: float, exponent: float = 0.3) -> tuple[tuple[float, float], ...]:
    """Secondary supply temperature over outdoor temperature, 8 points (quality control).

    ``ts = tn + dm q^(1/(1+b)) + dd q / 2`` with ``q`` the share of design load. Source: textbook formula of
    central quality control for radiators.
    """
    mean, drop = (t_s + t_r) / 2 - T_ROOM, t_s - t_r
    out = []
    for t in CURVE_AT:
        q = min(max((T_ROOM - t) / (T_ROOM - DESIGN_OUTDOOR_C), 0.0), 1.12)
        out.append((t, round(T_ROOM + mean * q ** (1 / (1 + exponent)) + drop * q / 2, 1)))
    return tuple(out)


def exchanger_ua_w_k(heat_w: float, t_s: float, t_r: float) -> float:
    """UA at design with 12 % in hand, from the logarithmic mean temperature difference."""
    hot, cold = T1_SUPPLY - t_s, T1_RETURN - t_r
    return round(1.12 * heat_w / ((hot - cold) / math.log(hot / cold)), 0)


def make_station(
    no: int, name: str, name_en: str, node_id: str, community_id: str, lon: float, lat: float, area_m2: float,
    heat_w: float, available_pa: float, height_m: float, floor: bool,
) -> Substation:  # fmt: skip
    """One station; the valve passes design flow at 60 % opening under what the network leaves for it."""
    t_s, t_r = (50.0, 40.0) if floor else (70.0, 46.0)
    flow = heat_w / (CP * (T1_SUPPLY - T1_RETURN))
    for_valve = max(available_pa - 45_000.0, 40_000.0)
    kv = flow / 970.0 * 3600.0 / math.sqrt(for_valve / 1e5 * 1000.0 / 970.0) / 0.6
    return Substation(
        id=f"S{no:02d}", name=f"{name}换热站", name_en=f"{name_en} station", node_id=node_id,
        community_id=community_id, lon=lon, lat=lat, area_m2=round(area_m2, 1), design_heat_w=round(heat_w, 0),
        design_flow_kg_s=round(flow, 3), secondary_flow_kg_s=round(heat_w / (CP * (t_s - t_r)), 3),
        hx_ua_w_k=exchanger_ua_w_k(heat_w, t_s, t_r), kv_m3_h=round(kv, 1), t_secondary_supply_c=t_s,
        t_secondary_return_c=t_r, p_secondary_return_pa=round((height_m + 3.0) * 9810.0 + 30_000.0, -2),
        curve=compensation_curve(t_s, t_r, 0.1 if floor else 0.3),
    )  # fmt: skip


def make_sources(
    nodes: tuple[str, str],
    places: list[tuple[float, float]],
    heat_w: float,
    worst_drop_pa: float,
    boiler_drop_pa: float,
    p_return_pa: float,
) -> list[Source]:
    """CHP with the whole base load, peak boiler with a third of the design load.

    ``worst_drop_pa``, ``boiler_drop_pa``: pressure lost in the supply from the CHP to the worst station and to
    the boiler. While the boiler runs the network is less loaded, and it stands against less than the latter.
    """
    p_supply = round(p_return_pa + 2 * worst_drop_pa + 170_000.0, -3)
    return [
        Source("SRC1", "渭阳热电厂", "Weiyang CHP", "chp", nodes[0], *places[0], round(1.0 * heat_w, -5),
               round(0.2 * heat_w, -5), round(heat_w / 7200.0), 0.88, T1_SUPPLY, T1_RETURN, p_supply, p_return_pa, True),
        Source("SRC2", "东郊调峰锅炉房", "East peak boiler", "boiler", nodes[1], *places[1], round(0.35 * heat_w, -5),
               round(0.05 * heat_w, -5), round(heat_w / 3600.0), 0.91, T1_SUPPLY, T1_RETURN,
               round(p_supply - 0.4 * boiler_drop_pa, -3), round(p_return_pa + 0.4 * boiler_drop_pa, -3), False),
    ]  # fmt: skip


def heat_index_w_m2(year: int, use: str, rng: np.random.Generator) -> float:
    """Design heat per heated floor area by age and use."""
    base = 58.0 if year < 2000 else 50.0 if year < 2010 else 43.0 if year < 2018 else 37.0
    extra = {"hospital": 12.0, "market": 6.0, "school": 3.0}.get(use, 0.0)
    return base + extra + float(rng.normal(0, 2.0))
