"""Water properties as compiled scalar functions, for use inside other compiled loops.

The same polynomials as :mod:`twin.heat.water`, without the array machinery.
"""

from math import exp

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.compiled import inline, outer
from twin.heat.water import CONDUCTIVITY, DENSITY, HEAT_CAPACITY, LN_VISCOSITY

Floats = NDArray[np.float64]

D0, D1, D2, D3, D4, D5, D6 = DENSITY
C0, C1, C2, C3, C4, C5, C6, C7 = HEAT_CAPACITY
V0, V1, V2, V3, V4, V5, V6, V7, V8 = LN_VISCOSITY
K0, K1, K2, K3, K4, K5 = CONDUCTIVITY


@njit(cache=True)
def _scaled(t_c: float) -> float:
    return min(max(t_c, 0.0), 150.0) * 0.01


@njit(cache=True)
def density(t_c: float) -> float:
    """Density, kg/m³."""
    x = _scaled(t_c)
    return D0 + x * (D1 + x * (D2 + x * (D3 + x * (D4 + x * (D5 + x * D6)))))


@njit(cache=True)
def heat_capacity(t_c: float) -> float:
    """Heat capacity, J/(kg K)."""
    x = _scaled(t_c)
    return C0 + x * (C1 + x * (C2 + x * (C3 + x * (C4 + x * (C5 + x * (C6 + x * C7))))))


@njit(cache=True)
def viscosity(t_c: float) -> float:
    """Dynamic viscosity, Pa s."""
    x = _scaled(t_c)
    return 1e-3 * exp(
        V0 + x * (V1 + x * (V2 + x * (V3 + x * (V4 + x * (V5 + x * (V6 + x * (V7 + x * V8)))))))
    )


@outer()
def fill_flow_properties(t_c: Floats, rho: Floats, ln_mu: Floats) -> None:
    """Fill density (n,) kg/m³ and the logarithm of the viscosity in mPa s; NaN stays NaN."""
    for i in range(t_c.shape[0]):
        t = t_c[i]
        t = 0.0 if t < 0.0 else t
        x = 1.5 if t > 150.0 else 0.01 * t
        rho[i] = D0 + x * (D1 + x * (D2 + x * (D3 + x * (D4 + x * (D5 + x * D6)))))
        tail = V3 + x * (V4 + x * (V5 + x * (V6 + x * (V7 + x * V8))))
        ln_mu[i] = V0 + x * (V1 + x * (V2 + x * tail))


@njit(cache=True)
def conductivity(t_c: float) -> float:
    """Thermal conductivity, W/(m K)."""
    x = _scaled(t_c)
    return K0 + x * (K1 + x * (K2 + x * (K3 + x * (K4 + x * K5))))


@njit(cache=True)
def enthalpy(t_c: float) -> float:
    """Enthalpy relative to 0 °C, J/kg."""
    x = _scaled(t_c)
    inside = 100.0 * x
    s = C3 / 4 + x * (C4 / 5 + x * (C5 / 6 + x * (C6 / 7 + x * (C7 / 8))))
    return (C0 + x * (C1 / 2 + x * (C2 / 3 + x * s))) * inside + heat_capacity(t_c) * (t_c - inside)


@njit(cache=True)
def temperature(h_j_kg: float) -> float:
    """Temperature in °C of water of enthalpy ``h_j_kg``: the inverse of :func:`enthalpy`."""
    t = h_j_kg / 4190.0
    for _ in range(4):
        step = (enthalpy(t) - h_j_kg) / heat_capacity(t)
        t -= step
        if abs(step) < 1e-9:
            break
    return t


Q0, Q1, Q2, Q3, Q4, Q5, Q6, Q7 = (
    -0.000682053049974,
    23.7361443932,
    0.185737170474,
    -0.0872948726941,
    0.025158618863,
    -0.00474049761784,
    0.000473782831185,
    -1.94499067957e-05,
)


@inline()
def quick_temperature(h_j_kg: float) -> float:
    """Inverse of :func:`enthalpy` as one polynomial, within 0.001 K over 0..150 °C.

    For driving differences inside a step only; results are read with :func:`temperature`.
    """
    y = min(max(h_j_kg, -4.0e4), 6.6e5) * 1e-5
    rest = Q4 + y * (Q5 + y * (Q6 + y * Q7))
    return Q0 + y * (Q1 + y * (Q2 + y * (Q3 + y * rest)))
