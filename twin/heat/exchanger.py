"""Plate heat exchanger in counterflow, by effectiveness and number of transfer units."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.heat.water import heat_capacity_j_kg_k

Floats = NDArray[np.float64]

FLOW_EXPONENT = 0.7
"""Exponent of the film coefficient of a plate channel in the mass flow (0.6 to 0.8 in the literature)."""


def estimate_ua_w_k(
    ua_design_w_k: ArrayLike,
    m_hot_kg_s: ArrayLike,
    m_cold_kg_s: ArrayLike,
    m_hot_design_kg_s: ArrayLike,
    m_cold_design_kg_s: ArrayLike,
    r_fouling_k_w: ArrayLike = 0.0,
) -> Floats:
    """Conductance of a plate exchanger away from its design flows.

    Both films carry half of the design resistance and scale with flow**0.7; fouling adds in series:
    ``1/UA = 0.5/UA_d * ((m_h,d/m_h)**0.7 + (m_c,d/m_c)**0.7) + R_f``.

    Parameters
    ----------
    r_fouling_k_w : resistance of the dirt, K/W, not negative

    Returns
    -------
    W/K, 0 where a side stands still

    Source: VDI Heat Atlas, 2nd ed., chapter M6 (plate heat exchangers).
    """
    m_h, m_c = np.abs(np.asarray(m_hot_kg_s, float)), np.abs(np.asarray(m_cold_kg_s, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        films = (np.asarray(m_hot_design_kg_s, float) / m_h) ** FLOW_EXPONENT
        films = films + (np.asarray(m_cold_design_kg_s, float) / m_c) ** FLOW_EXPONENT
        ua = 1.0 / (0.5 * films / np.asarray(ua_design_w_k, float) + np.asarray(r_fouling_k_w, float))
    return np.where((m_h > 0.0) & (m_c > 0.0), ua, 0.0)


def effectiveness(ntu: ArrayLike, ratio: ArrayLike) -> Floats:
    """Effectiveness of counterflow: ``(1 - E) / (1 - r E)``, ``E = exp(-NTU (1 - r))``.

    Parameters
    ----------
    ntu : transfer units of the weaker stream, not negative
    ratio : capacity of the weaker over the stronger stream, 0..1

    Returns
    -------
    0..1, the same shape; the limit ``NTU / (1 + NTU)`` near ``ratio == 1``

    Source: Kays and London, Compact Heat Exchangers, equation 2-13.
    """
    n, r = np.broadcast_arrays(np.minimum(np.asarray(ntu, float), 1e9), np.asarray(ratio, float))
    even = 1.0 - r < 1e-6
    s = np.where(even, 0.0, r)
    e = np.exp(-n * (1.0 - s))
    return np.where(even, n / (1.0 + n), (1.0 - e) / (1.0 - s * e))


def solve_exchanger(
    t_hot_in_c: ArrayLike, m_hot: ArrayLike, t_cold_in_c: ArrayLike, m_cold: ArrayLike, ua_w_k: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Outlet temperatures and heat of a counterflow exchanger.

    Parameters
    ----------
    t_hot_in_c, t_cold_in_c : inlet temperatures, °C. The names are a habit: with the cold side warmer the
        heat is negative.
    m_hot, m_cold : mass flows, kg/s; the size counts, not the sign
    ua_w_k : conductance, W/K, not negative

    Returns
    -------
    t_hot_out_c, t_cold_out_c, heat_w : heat is positive from hot to cold; a side that stands still takes
        the inlet temperature of the other side (its water has all the time it needs). NaN in gives NaN out.

    Source: Kays and London, Compact Heat Exchangers, chapter 2.
    """
    t_h, t_c = np.asarray(t_hot_in_c, float), np.asarray(t_cold_in_c, float)
    mean = 0.5 * (t_h + t_c)
    c_h = np.abs(np.asarray(m_hot, float)) * heat_capacity_j_kg_k(0.5 * (t_h + mean))
    c_c = np.abs(np.asarray(m_cold, float)) * heat_capacity_j_kg_k(0.5 * (t_c + mean))
    c_min, c_max = np.minimum(c_h, c_c), np.maximum(c_h, c_c)
    flowing = c_min > 1e-9
    safe = np.where(flowing, c_min, 1.0)
    eps = effectiveness(np.asarray(ua_w_k, float) / safe, safe / np.where(flowing, c_max, 1.0))
    known = np.isfinite(c_h + c_c + t_h + t_c + np.asarray(ua_w_k, float))
    heat = np.where(known, np.where(flowing, eps * safe * (t_h - t_c), 0.0), np.nan)
    t_h_out = t_h - heat / np.where(flowing, c_h, 1.0)
    t_c_out = t_c + heat / np.where(flowing, c_c, 1.0)
    still_hot = known & (c_h <= 1e-9) & (c_c > 1e-9)
    still_cold = known & (c_c <= 1e-9) & (c_h > 1e-9)
    return np.where(still_hot, t_c, t_h_out), np.where(still_cold, t_h, t_c_out), heat
