"""Substations (换热站): exchanger, primary control valve with its controller, secondary water with make-up.

The secondary water is two stirred volumes, supply and return, of heat capacity ``C_s`` and ``C_r``:

    C_s dT_s/dt = w (T_out - T_s)          T_out = T_r + Q / w at the exchanger, w = m_2 c
    C_r dT_r/dt = w (T_s - T_r) - sum(Q_buildings) - w_mk (T_r - T_cold)

``Q = eps C_min (T_1 - T_r)`` (:mod:`twin.heat.exchanger`). One implicit step of both volumes and of all
buildings behind them is one 2 x 2 system per station, because every building answers linearly to ``T_s``
(:mod:`twin.heat.building`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import exp

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.building import WATER_J_KG_K
from twin.heat.exchanger import FLOW_EXPONENT
from twin.heat.kernels import heat_capacity
from twin.model.errors import InputError
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SECONDARY_L_M2 = 1.0
"""Secondary water per heated floor area, litres per m² (pipes and radiators, 0.8 to 1.5)."""
FLOW_TOLERANCE = 3e-4
"""An ideal controller stops when the heat is within this share of what is wanted (0.01 K at the outlet)."""
HIGHEST_FLOW = 1.5
"""Primary flow at a fully open valve over design flow, where nothing better is known."""


class Controller(IntEnum):
    """How the primary valve is moved. ``IDEAL`` finds the flow that holds the set-point; ``PI`` moves an
    opening; ``FIXED`` leaves the opening where it is (manual)."""

    IDEAL = 0
    PI = 1
    FIXED = 2


@dataclass(frozen=True, slots=True, eq=False)
class StationSet:
    """Substations in the order of the network's table; all arrays (n_station,).

    ``ua_w_k`` at the design flows ``flow_design_kg_s`` (primary) and ``secondary_kg_s``; ``fouling_k_w``;
    ``flow_max_kg_s`` at a fully open valve; ``kv_m3_h`` of the valve (0: unknown, pressure does not limit);
    ``controller`` (:class:`Controller`); ``gain_1_k``, ``reset_s`` of the PI; ``c_supply_j_k``,
    ``c_return_j_k`` of the secondary water; ``makeup_kg_s`` lost and made up; ``pump_dp_pa``.
    """

    ids: tuple[str, ...]
    ua_w_k: Floats
    fouling_k_w: Floats
    flow_design_kg_s: Floats
    secondary_kg_s: Floats
    flow_max_kg_s: Floats
    kv_m3_h: Floats
    controller: Ints
    gain_1_k: Floats
    reset_s: Floats
    c_supply_j_k: Floats
    c_return_j_k: Floats
    makeup_kg_s: Floats
    pump_dp_pa: Floats


def describe_stations(
    network: HeatNetwork,
    controller: Controller = Controller.IDEAL,
    fouling_k_w: float = 0.0,
    makeup_share: float = 0.002,
    secondary_l_m2: float = SECONDARY_L_M2,
) -> StationSet:
    """Substations of a network from its table.

    Parameters
    ----------
    makeup_share : secondary water lost over secondary flow (JGJ/T 132: at most 0.5 %)
    secondary_l_m2 : litres of secondary water per m² of heated area

    Raises
    ------
    InputError : a size that must be positive is not
    """
    rows = network.substations
    for s in rows:
        if not min(s.hx_ua_w_k, s.design_flow_kg_s, s.secondary_flow_kg_s, s.area_m2) > 0.0:
            raise InputError(f"substation {s.id}: exchanger, design flows and area must be positive")

    def column(values: Sequence[float]) -> Floats:
        return np.array(values, dtype=np.float64)

    n, flow = len(rows), column([s.design_flow_kg_s for s in rows])
    water = secondary_l_m2 * column([s.area_m2 for s in rows]) * WATER_J_KG_K
    secondary = column([s.secondary_flow_kg_s for s in rows])
    return StationSet(
        ids=tuple(s.id for s in rows),
        ua_w_k=column([s.hx_ua_w_k for s in rows]),
        fouling_k_w=np.full(n, fouling_k_w),
        flow_design_kg_s=flow,
        secondary_kg_s=secondary,
        flow_max_kg_s=HIGHEST_FLOW * flow,
        kv_m3_h=column([s.kv_m3_h for s in rows]),
        controller=np.full(n, int(controller), dtype=np.int64),
        gain_1_k=np.full(n, 0.02),
        reset_s=np.full(n, 600.0),
        c_supply_j_k=0.5 * water,
        c_return_j_k=0.5 * water,
        makeup_kg_s=makeup_share * secondary,
        pump_dp_pa=np.full(n, 1.5e5),
    )


@njit(cache=True, error_model="numpy")
def exchanger_w_k(
    m_1: float, m_2: float, ua: float, m_1_design: float, film_2: float, fouling: float, cp: float
) -> float:
    """``eps C_min`` of a counterflow exchanger: heat per kelvin between its inlets.

    ``film_2`` = (m_2 design / m_2)**0.7; the conductance follows :func:`twin.heat.estimate_ua_w_k`.
    """
    if m_1 <= 0.0 or m_2 <= 0.0:
        return 0.0
    u = 1.0 / (0.5 / ua * ((m_1_design / m_1) ** FLOW_EXPONENT + film_2) + fouling)
    c_1, c_2 = m_1 * cp, m_2 * WATER_J_KG_K
    low: float = min(c_1, c_2)
    r, ntu = low / max(c_1, c_2), u / low
    if 1.0 - r < 1e-6:
        even: float = low * ntu / (1.0 + ntu)
        return even
    e = exp(-ntu * (1.0 - r))
    g: float = low * (1.0 - e) / (1.0 - r * e)
    return g


@njit(cache=True, error_model="numpy")
def find_flow(
    heat: float,
    t_hot: float,
    t_cold: float,
    m_start: float,
    m_max: float,
    m_2: float,
    ua: float,
    m_1_design: float,
    film_2: float,
    fouling: float,
) -> float:
    """Primary flow that gives ``heat`` W; ``m_max`` if even that gives less, 0 if none is wanted."""
    if heat <= 0.0 or t_hot <= t_cold or m_max <= 0.0:
        return 0.0
    cp, wanted = heat_capacity(0.5 * (t_hot + t_cold)), heat / (t_hot - t_cold)
    low, high, tried_max = 0.0, m_max, False
    m = min(max(m_start, 1e-3 * m_max), m_max)
    for _ in range(60):
        g = exchanger_w_k(m, m_2, ua, m_1_design, film_2, fouling, cp)
        if abs(g - wanted) <= FLOW_TOLERANCE * wanted:
            break
        if g < wanted:
            if m >= m_max:
                return m_max
            low = m
        else:
            high = m
        step = 1e-3 * m
        slope = (exchanger_w_k(m + step, m_2, ua, m_1_design, film_2, fouling, cp) - g) / step
        m += (wanted - g) / max(slope, 1e-12)
        if m >= high and not tried_max and high == m_max:
            m, tried_max = m_max, True
        elif not low < m < high:
            m = 0.5 * (low + high)
    return m


@njit(cache=True, error_model="numpy")
def solve_secondary(
    dt: float,
    w: float,
    c_supply: float,
    c_return: float,
    w_makeup: float,
    t_makeup: float,
    t_supply: float,
    t_return: float,
    emit: float,
    own: float,
    conductance: float,
    t_hot: float,
) -> tuple[float, float, float]:
    """One implicit step of the two volumes; buildings take ``emit T_s - own`` watts.

    Parameters
    ----------
    conductance : ``eps C_min`` of the exchanger, W/K; ``t_hot``: primary inlet, °C

    Returns
    -------
    supply and return temperatures at the end of the step, °C, and heat through the exchanger, W
    """
    s, r = c_supply / dt, c_return / dt
    # s (Ts' - Ts) = w (Tr' - Ts') + g (Th - Tr')
    # r (Tr' - Tr) = w (Ts' - Tr') - emit Ts' + own - w_mk (Tr' - Tc)
    a11, a12, b1 = s + w, conductance - w, s * t_supply + conductance * t_hot
    a21, a22, b2 = emit - w, r + w + w_makeup, r * t_return + own + w_makeup * t_makeup
    det = a11 * a22 - a12 * a21
    new_supply, new_return = (b1 * a22 - a12 * b2) / det, (a11 * b2 - a21 * b1) / det
    return new_supply, new_return, conductance * (t_hot - new_return)


@njit(cache=True, error_model="numpy")
def heat_for_setpoint(
    dt: float,
    w: float,
    c_supply: float,
    c_return: float,
    w_makeup: float,
    t_makeup: float,
    t_supply: float,
    t_return: float,
    emit: float,
    own: float,
    setpoint: float,
) -> tuple[float, float]:
    """Heat (W) after which water leaves the exchanger at ``setpoint``, and the return temperature (°C)."""
    s, r = c_supply / dt, c_return / dt
    new_supply = (s * t_supply + w * setpoint) / (s + w)
    new_return = (r * t_return + (w - emit) * new_supply + own + w_makeup * t_makeup) / (r + w + w_makeup)
    return w * (setpoint - new_return), new_return
