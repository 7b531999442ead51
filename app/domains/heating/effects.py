"""What a finding costs if nothing is done, in figures: water, heat, homes, hours until rooms are cold."""

import math

import numpy as np

from app.format import format_number
from app.i18n import translate
from ingest.store.finding_api import TwinFinding
from twin.diagnosis.kinds import FAULTS
from twin.heat import solve_exchanger
from twin.model.county import Building, County

CP_J_KG_K = 4190.0
FRESH_C, HOT_C, WARM_C = 10.0, 80.0, 42.0
"""Fresh water; primary water that is lost; secondary water that is."""
ROOM_C, COLD_C = 20.0, 16.0
DAY_S = 86_400.0
LESS_HEAT = 0.35
"""Share by which a radiator gives less when its flow falls by one."""


def tell_effect(county: County, f: TwinFinding, lang: str) -> str:
    """One sentence in ``lang`` with the figures of this finding."""
    return translate(f"effect.{f.kind}", lang, **_figures(county, f))


def _figures(county: County, f: TwinFinding) -> dict[str, str]:
    size = abs(f.size) if math.isfinite(f.size) else 0.0
    if f.kind in ("leak", "draw", "secondary_leak", "secondary_draw"):
        return _water(county, f, size)
    sort = FAULTS[f.kind].place
    if sort == "station":
        return _station(county, f.kind, f.place, size)
    if sort == "device":
        return _device(county, f.place)
    if f.kind == "source_trip":
        return {"v": format_number(size, 0), "homes": _count(county.buildings)}
    told = {"blockage": format_number(size / 1e3, 0), "open_room": format_number(size, 1)}
    return {"v": told.get(f.kind, "")}


def _water(county: County, f: TwinFinding, size: float) -> dict[str, str]:
    """Tonnes and heat of a day; a secondary loss is told as the logarithm of make-up over its habit."""
    warm_c = HOT_C
    if f.kind.startswith("secondary"):
        station = next((s for s in county.network.substations if s.id == f.place), None)
        usual = 0.0015 * station.secondary_flow_kg_s if station is not None else 0.0
        size, warm_c = usual * math.expm1(min(size, 6.0)), WARM_C
    heat_gj = size * CP_J_KG_K * (warm_c - FRESH_C) * DAY_S / 1e9
    return {"v": format_number(3.6 * size, 1), "day": format_number(86.4 * size, 0),
            "heat": format_number(heat_gj, 0)}  # fmt: skip


def _station(county: County, kind: str, station_id: str, size: float) -> dict[str, str]:
    mine = [b for b in county.buildings if b.substation_id == station_id]
    hours = _hours_until_cold(mine, county.meta.design_outdoor_c)
    out = {"homes": _count(mine), "hours": format_number(hours, 0) if math.isfinite(hours) else "--",
           "v": format_number(100.0 * size, 0)}  # fmt: skip
    if kind == "fouling":
        out["heat"] = format_number(100.0 * _lost_by_fouling(county, station_id, size), 0)
    if kind in ("air", "weak_pump"):
        out["heat"] = format_number(100.0 * LESS_HEAT * -math.expm1(-size), 0)
        out["v"] = format_number(100.0 * -math.expm1(-size), 0)
    return out


def _lost_by_fouling(county: County, station_id: str, size: float) -> float:
    """Share of the design heat that an exchanger of less conductance cannot pass any more."""
    s = next((s for s in county.network.substations if s.id == station_id), None)
    if s is None:
        return 0.0
    hot = max(x.t_supply_design_c for x in county.network.sources)
    one = np.ones(1)
    heat = [
        float(solve_exchanger(hot * one, s.design_flow_kg_s * one, s.t_secondary_return_c * one,
                              s.secondary_flow_kg_s * one, s.hx_ua_w_k * share * one)[2][0])
        for share in (1.0, math.exp(-size))
    ]  # fmt: skip
    return max(1.0 - heat[1] / heat[0], 0.0) if heat[0] > 0 else 0.0


def _hours_until_cold(buildings: list[Building], outdoor_c: float) -> float:
    """Hours until unheated rooms reach ``COLD_C`` at design cold, by the whole of these buildings."""
    loss, capacity = sum(b.ua_w_k for b in buildings), sum(b.capacity_j_k for b in buildings)
    if loss <= 0.0 or outdoor_c >= COLD_C:
        return math.inf
    return capacity / loss * math.log((ROOM_C - outdoor_c) / (COLD_C - outdoor_c)) / 3600.0


def _device(county: County, place: str) -> dict[str, str]:
    points = [p for p in county.points if p.device_id == place]
    if place.startswith("*"):
        mine = {d.id for d in county.devices if d.dialect == place[1:]}
        points = [p for p in county.points if p.device_id in mine]
    return {"v": format_number(len(points), 0)}


def _count(buildings: "list[Building] | tuple[Building, ...]") -> str:
    return format_number(sum(b.homes for b in buildings), 0)
