"""Properties of liquid water between 0 and 150 °C.

Polynomials in t/100 °C fitted to IAPWS-IF97 (density, heat capacity; region 1 at 1 MPa), IAPWS R12-08
(viscosity) and IAPWS R15-11 (conductivity). Largest deviation from the formulations over 0..150 °C:
density 0.003 %, heat capacity 0.02 %, viscosity 0.01 %, conductivity 0.06 %. District heating runs between
0.2 and 2.5 MPa, where pressure changes density by less than 0.1 %.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

T_MIN_C, T_MAX_C = 0.0, 150.0
"""Range of the fits; values outside are evaluated at the edge."""

DENSITY = (1000.32341, 5.48288314, -80.7415123, 60.879965, -39.8398171, 15.1994047, -2.52588747)
HEAT_CAPACITY = (
    4214.33691,
    -308.333386,
    1063.8283,
    -2144.39146,
    2725.5287,
    -1975.00909,
    757.202109,
    -118.501221,
)
LN_VISCOSITY = (
    0.5819919237517375,
    -3.4728822809122724,
    3.541219970750826,
    -4.24229573537247,
    4.482976050448263,
    -3.465727852878619,
    1.7587030506285675,
    -0.5164410110368647,
    0.066003993590076,
)
CONDUCTIVITY = (
    0.5566429012919929,
    0.24491474205031286,
    -0.20144254504421122,
    0.12712108618686468,
    -0.062135647889011915,
    0.012655059629559335,
)


def _evaluate(coefficients: tuple[float, ...], t_c: ArrayLike) -> NDArray[np.float64]:
    x = np.clip(np.asarray(t_c, dtype=np.float64), T_MIN_C, T_MAX_C) / 100.0
    out = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        out = out * x + c
    return out


def density_kg_m3(t_c: ArrayLike) -> NDArray[np.float64]:
    """Density of water at 1 MPa, kg/m³.

    Parameters
    ----------
    t_c : any shape, °C, clipped to 0..150; NaN stays NaN

    Source: IAPWS-IF97, region 1.
    """
    return _evaluate(DENSITY, t_c)


def heat_capacity_j_kg_k(t_c: ArrayLike) -> NDArray[np.float64]:
    """Isobaric heat capacity of water at 1 MPa, J/(kg K). ``t_c`` as in :func:`density_kg_m3`.

    Source: IAPWS-IF97, region 1.
    """
    return _evaluate(HEAT_CAPACITY, t_c)


def viscosity_pa_s(t_c: ArrayLike) -> NDArray[np.float64]:
    """Dynamic viscosity of water, Pa s. ``t_c`` as in :func:`density_kg_m3`.

    Source: IAPWS R12-08.
    """
    return np.exp(_evaluate(LN_VISCOSITY, t_c)) * 1e-3


def conductivity_w_m_k(t_c: ArrayLike) -> NDArray[np.float64]:
    """Thermal conductivity of water, W/(m K). ``t_c`` as in :func:`density_kg_m3`.

    Source: IAPWS R15-11.
    """
    return _evaluate(CONDUCTIVITY, t_c)


def prandtl(t_c: ArrayLike) -> NDArray[np.float64]:
    """Prandtl number of water. ``t_c`` as in :func:`density_kg_m3`."""
    return viscosity_pa_s(t_c) * heat_capacity_j_kg_k(t_c) / conductivity_w_m_k(t_c)


def vapour_pressure_pa(t_c: ArrayLike) -> NDArray[np.float64]:
    """Vapour pressure of water, Pa absolute; 0..150 °C.

    Source: W. Wagner, A. Pruß, J. Phys. Chem. Ref. Data 31 (2002) 387, equation 2.5.
    """
    t_k = np.asarray(t_c, dtype=np.float64) + 273.15
    v = 1.0 - t_k / 647.096
    series = (
        -7.85951783 * v
        + 1.84408259 * v**1.5
        - 11.7866497 * v**3
        + 22.6807411 * v**3.5
        - 15.9618719 * v**4
        + 1.80122502 * v**7.5
    )
    out: NDArray[np.float64] = 22.064e6 * np.exp(647.096 / t_k * series)
    return out


def enthalpy_j_kg(t_c: ArrayLike) -> NDArray[np.float64]:
    """Enthalpy of water relative to 0 °C, J/kg: the integral of :func:`heat_capacity_j_kg_k`.

    Outside 0..150 °C it goes on with the heat capacity at the edge.
    """
    t = np.asarray(t_c, dtype=np.float64)
    inside = np.clip(t, T_MIN_C, T_MAX_C)
    x = inside / 100.0
    out = np.full_like(x, HEAT_CAPACITY[-1] / len(HEAT_CAPACITY))
    for k in range(len(HEAT_CAPACITY) - 2, -1, -1):
        out = out * x + HEAT_CAPACITY[k] / (k + 1)
    return out * x * 100.0 + heat_capacity_j_kg_k(t) * (t - inside)
