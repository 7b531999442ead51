"""Buildings as two thermal nodes: air with contents, and structure.

    C_a dT_a/dt = Q + H_am (T_m - T_a) + H_ao (T_o - T_a) + gains to the air
    C_m dT_m/dt = H_am (T_a - T_m) + H_mo (T_o - T_m) + gains to the structure

``H_ao`` (windows and infiltration) grows with the wind. ``Q`` comes from radiators: ``Q = K dT_log**1.3``
with the logarithmic mean between water and room, which at given flow is
``Q = m c (1 - exp(-U / (m c))) (T_s - T_a)``, ``U = K dT_log**0.3``. ``U`` is taken from the step before (it
settles within a few steps), all else is implicit: stable for any step, and what one side loses the other
gains exactly.

Source: two-node lumped models after ISO 13790 annex C; radiators EN 442-2 (exponent 1.3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.model.county import Building
from twin.model.errors import InputError
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RADIATOR_EXPONENT = 1.3
WATER_J_KG_K = 4183.0
"""Heat capacity of secondary water (40 to 70 °C within 0.2 %)."""
AIR_SHARE = 0.35
"""Part of a building's loss coefficient that lies between air and outdoors (windows, infiltration)."""
INFILTRATION_SHARE = 0.5
"""Part of that which is infiltration at the reference wind."""
WIND_REFERENCE_M_S = 2.0
COUPLING = 8.0
"""Conductance between air and structure over the building's loss coefficient (ISO 13790: 3.45 W/(m² K) on
4.5 m² of surface per m² of floor, against 1.5 to 2.5 W/K of loss)."""
AIR_CAPACITY_SHARE, MOST_AIR_SHARE = 0.06, 0.9
"""Part of the effective capacity that follows the air (air, furniture, thin inner layers), and the most."""
SUN_M2_PER_M2 = 0.03
"""Effective solar aperture per floor area: windows of 15 %, transmission and frames 0.5, orientation 0.4."""
SUN_TO_AIR = 0.3
PEOPLE_W_M2 = 3.8
"""Internal gains of dwellings, W per m² of floor (JGJ 26-2018)."""
LOWEST_EXCESS_K = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class BuildingStock:
    """Buildings in rising order of their station; all arrays (n_building,).

    ``station``: index of the substation; ``share``: part of its secondary flow (sums to 1 per station);
    ``radiator_w_k``: ``K`` of the emission law, W/K**1.3; ``h_air_w_k``, ``h_structure_w_k`` to outdoors;
    ``h_inner_w_k`` between the nodes; ``c_air_j_k``, ``c_structure_j_k``; ``sun_m2`` aperture; ``people_w``;
    ``wind_s_m``: relative growth of ``h_air_w_k`` per m/s above the reference wind.
    """

    ids: tuple[str, ...]
    station: Ints
    share: Floats
    radiator_w_k: Floats
    h_air_w_k: Floats
    h_structure_w_k: Floats
    h_inner_w_k: Floats
    c_air_j_k: Floats
    c_structure_j_k: Floats
    sun_m2: Floats
    people_w: Floats
    wind_s_m: Floats

    @property
    def ua_w_k(self) -> Floats:
        """Loss coefficient of the whole building at the reference wind, W/K."""
        return self.h_air_w_k + 1.0 / (1.0 / self.h_inner_w_k + 1.0 / self.h_structure_w_k)


def _check_rows(rows: Sequence[tuple[Building, float]], index: Mapping[str, int]) -> None:
    for b, f in rows:
        if b.substation_id not in index:
            raise InputError(f"building {b.id}: substation {b.substation_id!r} is not in the network")
        if not min(b.ua_w_k, b.capacity_j_k, b.design_heat_w, b.area_m2, f) > 0.0:
            raise InputError(
                f"building {b.id}: ua, capacity, design heat, area and imbalance must be positive"
            )


def describe_buildings(
    buildings: Sequence[Building],
    network: HeatNetwork,
    imbalance: Sequence[float] | None = None,
    room_c: float = 20.0,
) -> BuildingStock:
    """Stock of the heated buildings from survey values (loss coefficient, capacity, design heat).

    Parameters
    ----------
    imbalance : per building of ``buildings``, its circuit flow over what it should be; default 1
    room_c : room temperature at which design heat is given out

    Raises
    ------
    InputError : a building names a station that does not exist, or has a size that is not positive
    """
    index = {s.id: i for i, s in enumerate(network.substations)}
    factor = [1.0] * len(buildings) if imbalance is None else list(imbalance)
    if len(factor) != len(buildings):
        raise InputError(f"imbalance has {len(factor)} values for {len(buildings)} buildings")
    rows = [(b, f) for b, f in zip(buildings, factor, strict=True) if b.heated and b.substation_id]
    _check_rows(rows, index)
    rows.sort(key=lambda row: index[row[0].substation_id])
    station = np.array([index[b.substation_id] for b, _ in rows], dtype=np.int64)
    flow = np.array([(b.circuit_flow_kg_s or b.design_heat_w) * f for b, f in rows], dtype=np.float64)
    whole = np.bincount(station, flow, len(index))
    hot = np.array([s.t_secondary_supply_c for s in network.substations])[station] - room_c
    cold = np.array([s.t_secondary_return_c for s in network.substations])[station] - room_c
    if np.any(cold <= 0.0) or np.any(hot <= cold):
        raise InputError(
            f"secondary design temperatures must fall from supply to return, above {room_c:g} °C"
        )
    design = np.array([b.design_heat_w for b, _ in rows], dtype=np.float64)
    ua = np.array([b.ua_w_k for b, _ in rows], dtype=np.float64)
    capacity = np.array([b.capacity_j_k for b, _ in rows], dtype=np.float64)
    area = np.array([b.area_m2 for b, _ in rows], dtype=np.float64)
    inner, through = COUPLING * ua, (1.0 - AIR_SHARE) * ua
    gain, wind, air = (
        np.array([(b.gain_factor, b.wind_factor, b.air_factor) for b, _ in rows]).reshape(-1, 3).T
    )
    air_share = np.clip(AIR_CAPACITY_SHARE * air, 0.0, MOST_AIR_SHARE)
    return BuildingStock(
        ids=tuple(b.id for b, _ in rows),
        station=station,
        share=flow / whole[station],
        radiator_w_k=design / ((hot - cold) / np.log(hot / cold)) ** RADIATOR_EXPONENT,
        h_air_w_k=AIR_SHARE * ua,
        h_structure_w_k=1.0 / (1.0 / through - 1.0 / inner),
        h_inner_w_k=inner,
        c_air_j_k=air_share * capacity,
        c_structure_j_k=(1.0 - air_share) * capacity,
        sun_m2=gain * SUN_M2_PER_M2 * area,
        people_w=gain * PEOPLE_W_M2 * area,
        wind_s_m=wind * INFILTRATION_SHARE / WIND_REFERENCE_M_S,
    )


@njit(cache=True, error_model="numpy")
def respond_to_water(
    dt: float,
    t_outdoor: float,
    wind: float,
    sun: float,
    people: float,
    flow_w_k: Floats,
    radiator: Floats,
    h_air: Floats,
    h_structure: Floats,
    h_inner: Floats,
    c_air: Floats,
    c_structure: Floats,
    sun_m2: Floats,
    people_w: Floats,
    wind_s_m: Floats,
    t_air: Floats,
    t_structure: Floats,
    excess: Floats,
    u: Floats,
    emit: Floats,
    own: Floats,
    gain: Floats,
) -> None:
    """How every building answers to the temperature ``T_s`` of its water over one implicit step.

    Fills ``emit`` (W/K), ``own`` (°C) and ``gain`` so that ``T_a = own + gain T_s`` at the end of the step
    and ``Q = emit (T_s - T_a)``; ``u`` (W/K) is the radiators' conductance. ``flow_w_k``: heat capacity flow
    of each building's water; ``excess``: logarithmic excess temperature of the step before.
    """
    for b in range(t_air.shape[0]):
        w = flow_w_k[b]
        g = 0.0
        if w > 0.0:
            u[b] = radiator[b] * excess[b] ** (RADIATOR_EXPONENT - 1.0)
            g = w * (1.0 - exp(-u[b] / w))
        emit[b] = g
        h_out = h_air[b] * max(1.0 + wind_s_m[b] * (wind - WIND_REFERENCE_M_S), 0.2)
        heat_sun, heat_people = sun_m2[b] * sun, people_w[b] * people
        d1 = c_air[b] / dt + g + h_inner[b] + h_out
        d2 = c_structure[b] / dt + h_inner[b] + h_structure[b]
        r1 = c_air[b] / dt * t_air[b] + h_out * t_outdoor + SUN_TO_AIR * heat_sun + 0.5 * heat_people
        r2 = c_structure[b] / dt * t_structure[b] + h_structure[b] * t_outdoor
        r2 += (1.0 - SUN_TO_AIR) * heat_sun + 0.5 * heat_people
        inverse = 1.0 / (d1 - h_inner[b] * h_inner[b] / d2)
        own[b] = (r1 + h_inner[b] * r2 / d2) * inverse
        gain[b] = g * inverse


@njit(cache=True, error_model="numpy")
def settle_buildings(
    dt: float,
    t_outdoor: float,
    wind: float,
    sun: float,
    people: float,
    t_water: Floats,
    station: Ints,
    h_air: Floats,
    h_structure: Floats,
    h_inner: Floats,
    c_structure: Floats,
    sun_m2: Floats,
    people_w: Floats,
    wind_s_m: Floats,
    t_air: Floats,
    t_structure: Floats,
    excess: Floats,
    u: Floats,
    emit: Floats,
    own: Floats,
    gain: Floats,
    heat: Floats,
) -> tuple[float, float]:
    """Close the step once the water temperatures ``t_water`` (n_station,) are known; fills ``heat`` (W).

    Returns
    -------
    J lost outdoors, J gained from sun and people, all buildings together
    """
    lost, gained = 0.0, 0.0
    for b in range(t_air.shape[0]):
        t_s = t_water[station[b]]
        t_a = own[b] + gain[b] * t_s
        heat[b] = emit[b] * (t_s - t_a)
        heat_sun, heat_people = sun_m2[b] * sun, people_w[b] * people
        d2 = c_structure[b] / dt + h_inner[b] + h_structure[b]
        r2 = c_structure[b] / dt * t_structure[b] + h_structure[b] * t_outdoor
        r2 += (1.0 - SUN_TO_AIR) * heat_sun + 0.5 * heat_people + h_inner[b] * t_a
        t_m = r2 / d2
        h_out = h_air[b] * max(1.0 + wind_s_m[b] * (wind - WIND_REFERENCE_M_S), 0.2)
        lost += h_out * (t_a - t_outdoor) + h_structure[b] * (t_m - t_outdoor)
        gained += heat_sun + heat_people
        t_air[b], t_structure[b] = t_a, t_m
        if emit[b] > 0.0:
            excess[b] = max(heat[b] / u[b], LOWEST_EXCESS_K)
    return lost * dt, gained * dt
