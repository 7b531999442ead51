"""Rooms of one station's buildings over the last hours, simulated from the water that was measured.

The same two-node houses as in rehearsals (:mod:`twin.heat.building`), walked with the measured secondary
supply, flow and weather by the hour; nothing is drawn to the rooms that were measured, so that both can be
compared.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.store.api import Store
from twin.heat import read_curve
from twin.heat.building import (
    WATER_J_KG_K,
    BuildingStock,
    describe_buildings,
    respond_to_water,
    settle_buildings,
)
from twin.heat.water import density_kg_m3
from twin.model.county import County
from twin.model.network import Substation

Floats = NDArray[np.float64]

STEP_S, HOUR_S = 900.0, 3600.0
BEFORE_H = 96
"""Hours walked before those that are shown: after them a house has mostly forgotten how it began."""
SPIN_H = 240
"""Hours of the first day's mean weather before that, so that structures begin warm."""
MOST_PUMP = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class HouseCourse:
    """``t`` (H,) ends of hours, s since 1970 UTC; simulated rooms ``room_c`` (H, n) of ``building``;
    ``water_c`` measured secondary supply, ``wanted_c`` what the station's curve asks for, ``t_out_c`` (H,);
    NaN where nothing was measured. ``known``: hours of the water that were measured."""

    t: Floats
    building: tuple[str, ...]
    room_c: Floats
    water_c: Floats
    wanted_c: Floats
    t_out_c: Floats
    known: int

    def of(self, building: str) -> Floats:
        """Simulated room temperature of a building (H,), NaN throughout for one that is not there."""
        if building not in self.building:
            return np.full(self.t.size, np.nan)
        found: Floats = self.room_c[:, self.building.index(building)]
        return found


def walk_houses(county: County, store: Store, station: Substation, now: float, hours: int) -> HouseCourse:
    """The last ``hours`` of the buildings of a station; empty where neither weather nor water was measured.

    Raises
    ------
    InputError : a building of the survey cannot be
    StoreUnavailable : the owner does not answer
    """
    out = next((p.id for p in county.points if p.key == "t_out"), "")
    weather = {p.key: p.id for p in county.points if p.key in ("wind", "solar")}
    ids = (out, f"{station.id}/s2_ts", f"{station.id}/s2_flow", f"{station.id}/s2_tr",
           weather.get("wind", ""), weather.get("solar", ""))  # fmt: skip
    numbers = [county.point_by_id[i].no if i in county.point_by_id else -1 for i in ids]
    known = np.array([n for n in numbers if n >= 0], dtype=np.int64)
    table = store.hourly(known, now - (hours + BEFORE_H) * HOUR_S, now)
    mine = [b for b in county.buildings if b.heated and b.substation_id == station.id]
    column = dict(zip(known.tolist(), table.mean.T, strict=True)) if table.t.size else {}
    rows = [column.get(n, np.full(table.t.size, np.nan)) for n in numbers]
    t_out, water, flow, back, wind, sun = rows
    wanted = read_curve(station.curve, t_out) if station.curve and t_out.size else np.full(t_out.size, np.nan)
    keep = slice(-hours, None)
    if not mine or not np.isfinite(t_out).any() or not np.isfinite(water).any():
        none = np.full((table.t[keep].size, 0), np.nan)
        return HouseCourse(table.t[keep], (), none, water[keep], wanted[keep], t_out[keep], 0)
    stock = describe_buildings(mine, county.network)
    share = _pump_share(station, flow, back)
    room = _walk(
        stock, station, _fill(t_out), _fill(np.where(np.isfinite(water), water, wanted)), share,
        _fill(wind, 2.0), np.nan_to_num(sun),
    )  # fmt: skip
    count = int(np.isfinite(water[keep]).sum())
    return HouseCourse(table.t[keep], stock.ids, room[keep], water[keep], wanted[keep], t_out[keep], count)


def _pump_share(station: Substation, flow: Floats, back: Floats) -> Floats:
    """Secondary flow over full flow (H,); 1 where it is not measured."""
    mass = flow * density_kg_m3(np.nan_to_num(back, nan=40.0))
    share = mass / max(station.secondary_flow_kg_s, 1e-9)
    return np.where(np.isfinite(share), np.clip(share, 0.0, MOST_PUMP), 1.0)


def _fill(x: Floats, default: float = 0.0) -> Floats:
    """Without gaps: between two known hours a line, before the first and after the last they stay."""
    known = np.isfinite(x)
    if not known.any():
        return np.full(x.size, default)
    at = np.arange(x.size, dtype=float)
    filled: Floats = np.interp(at, at[known], x[known])
    return filled


def _walk(
    stock: BuildingStock, station: Substation, t_out: Floats, water: Floats, share: Floats, wind: Floats,
    sun: Floats,
) -> Floats:  # fmt: skip
    """Rooms at the end of every hour (H, n), °C."""
    n = len(stock.ids)
    full = WATER_J_KG_K * station.secondary_flow_kg_s * stock.share
    air, structure = np.full(n, 20.0), np.full(n, 18.0)
    excess, work = np.full(n, 20.0), [np.empty(n) for _ in range(5)]
    at = np.zeros(n, dtype=np.int64)

    def hour(out: float, warm: float, part: float, blow: float, shine: float) -> None:
        u, emit, own, gain, heat = work
        house = (stock.h_air_w_k, stock.h_structure_w_k, stock.h_inner_w_k)
        for _ in range(round(HOUR_S / STEP_S)):
            respond_to_water(
                STEP_S, out, blow, shine, 1.0, full * part, stock.radiator_w_k, *house, stock.c_air_j_k,
                stock.c_structure_j_k, stock.sun_m2, stock.people_w, stock.wind_s_m, air, structure, excess,
                u, emit, own, gain,
            )  # fmt: skip
            settle_buildings(
                STEP_S, out, blow, shine, 1.0, np.array([warm]), at, *house, stock.c_structure_j_k,
                stock.sun_m2, stock.people_w, stock.wind_s_m, air, structure, excess, u, emit, own, gain,
                heat,
            )  # fmt: skip

    first = slice(0, 24)
    for _ in range(SPIN_H):
        hour(*(float(x[first].mean()) for x in (t_out, water, share, wind, sun)))
    rooms = np.empty((t_out.size, n))
    for k in range(t_out.size):
        hour(*(float(x[k]) for x in (t_out, water, share, wind, sun)))
        rooms[k] = air
    return rooms
