"""What stands behind a station, gathered into two thermal nodes, and what it does in an hour.

    C_a dT_a/dt = q + H_i (T_m - T_a) + H_a (T_o - T_a) + gains to the air
    C_m dT_m/dt = H_i (T_a - T_m) + H_s (T_o - T_m) + gains to the structure

the sums of :mod:`twin.heat.building`; the step is exact for inputs that hold during it (the exponential of
a 2 x 2 matrix).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.heat import HeatSystem
from twin.heat.building import RADIATOR_EXPONENT, SUN_TO_AIR, WATER_J_KG_K, WIND_REFERENCE_M_S
from twin.model.county import Building

Floats = NDArray[np.float64]


HOME_M2 = 120.0
"""Heated area that counts as a home where nobody lives: shops, schools and wards want to be warm too."""


@dataclass(frozen=True, slots=True, eq=False)
class Houses:
    """Sums per station, (n,): conductances W/K, capacities J/K, ``sun_m2``, ``people_w``, ``wind_w_s_m_k``
    growth of ``h_air`` per m/s; ``radiator_w_k`` of the emission law; ``secondary_w_k`` heat capacity flow of
    the secondary water at full flow; ``design_w``; ``homes``."""

    ids: tuple[str, ...]
    h_air: Floats
    h_structure: Floats
    h_inner: Floats
    c_air: Floats
    c_structure: Floats
    sun_m2: Floats
    people_w: Floats
    wind_w_s_m_k: Floats
    radiator_w_k: Floats
    secondary_w_k: Floats
    design_w: Floats
    homes: Floats

    @property
    def ua_w_k(self) -> Floats:
        """Loss coefficient at the reference wind, W/K."""
        return self.h_air + 1.0 / (1.0 / self.h_inner + 1.0 / self.h_structure)


@dataclass(frozen=True, slots=True, eq=False)
class HouseStep:
    """``x' = a x + heat q_air + mass q_structure + out T_o`` for x = (T_a, T_m): ``a`` (n, 2, 2), the others
    (n, 2) in K/W, K/W and K/K."""

    dt_s: float
    a: Floats
    heat: Floats
    mass: Floats
    out: Floats


def gather_houses(system: HeatSystem, buildings: Sequence[Building]) -> Houses:
    """Sum up the buildings of a system by station."""
    b, st = system.buildings, system.stations
    n = len(st.ids)
    homes = {x.id: max(float(x.homes), x.area_m2 / HOME_M2) for x in buildings}

    def total(x: Floats) -> Floats:
        summed: Floats = np.bincount(b.station, x, n).astype(np.float64)
        return summed

    rows = system.net.network.substations
    return Houses(
        ids=st.ids,
        h_air=total(b.h_air_w_k),
        h_structure=total(b.h_structure_w_k),
        h_inner=total(b.h_inner_w_k),
        c_air=total(b.c_air_j_k),
        c_structure=total(b.c_structure_j_k),
        sun_m2=total(b.sun_m2),
        people_w=total(b.people_w),
        wind_w_s_m_k=total(b.h_air_w_k * b.wind_s_m),
        radiator_w_k=total(b.radiator_w_k),
        secondary_w_k=st.secondary_kg_s * WATER_J_KG_K,
        design_w=np.array([s.design_heat_w for s in rows]),
        homes=total(np.array([homes.get(i, 1.0) for i in b.ids])),
    )


def step_houses(h: Houses, dt_s: float) -> HouseStep:
    """The exact step of ``dt_s`` seconds."""
    a, d = -(h.h_inner + h.h_air) / h.c_air, -(h.h_inner + h.h_structure) / h.c_structure
    b, c = h.h_inner / h.c_air, h.h_inner / h.c_structure
    # two real, different roots: the matrix is similar to a symmetric one with a positive coupling
    middle, apart = 0.5 * (a + d), np.sqrt(0.25 * (a - d) ** 2 + b * c)
    fast, slow = np.exp((middle - apart) * dt_s), np.exp((middle + apart) * dt_s)
    linear = (slow - fast) / (2.0 * apart)
    base = 0.5 * (slow + fast) - middle * linear
    e = np.empty((a.size, 2, 2))
    e[:, 0, 0], e[:, 1, 1] = base + a * linear, base + d * linear
    e[:, 0, 1], e[:, 1, 0] = b * linear, c * linear
    # inputs: M^-1 (E - 1), M inverted in closed form
    det = a * d - b * c
    inverse = np.stack([np.stack([d, -b], 1), np.stack([-c, a], 1)], 1) / det[:, None, None]
    moved = inverse @ (e - np.eye(2))
    heat, mass = moved[:, :, 0] / h.c_air[:, None], moved[:, :, 1] / h.c_structure[:, None]
    out = heat * h.h_air[:, None] + mass * h.h_structure[:, None]
    return HouseStep(dt_s, e, heat, mass, out)


def reshape_houses(h: Houses, air_share: float, capacity: float) -> Houses:
    """The same houses with ``air_share`` of their capacity in the air, and ``capacity`` times as much."""
    whole = (h.c_air + h.c_structure) * capacity
    return replace(h, c_air=air_share * whole, c_structure=(1.0 - air_share) * whole)


def gains(h: Houses, sun_w_m2: float, people: float = 1.0) -> tuple[Floats, Floats]:
    """Heat of sun and people into air and structure, W (n,) each."""
    sun, persons = h.sun_m2 * sun_w_m2, h.people_w * people
    return SUN_TO_AIR * sun + 0.5 * persons, (1.0 - SUN_TO_AIR) * sun + 0.5 * persons


def wind_loss_w_k(h: Houses, wind_m_s: float) -> Floats:
    """What the wind adds to ``h_air``, W/K (n,)."""
    least = -0.8 * h.h_air
    return np.maximum(h.wind_w_s_m_k * (wind_m_s - WIND_REFERENCE_M_S), least)


def emission_w_k(h: Houses, heat_w: Floats, share: Floats) -> Floats:
    """Heat over (supply - room) that radiators give out at ``heat_w`` and a secondary flow of ``share``.

    Shapes broadcast against (n,); ``share`` 0..1.2 of full flow; 0 where no heat is wanted.
    """
    q = np.maximum(heat_w, 1.0)
    u = q / (q / h.radiator_w_k) ** (1.0 / RADIATOR_EXPONENT)
    w = h.secondary_w_k * np.maximum(share, 1e-3)
    out: Floats = w * -np.expm1(-u / w)
    return out
