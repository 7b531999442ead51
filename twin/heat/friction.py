"""Pressure drop of a pipe: Darcy-Weisbach with laminar, transition and turbulent friction.

Laminar ``f = 64 / Re`` below Re 2000; Colebrook-White above Re 4000, solved to rounding by Newton's method
started from Haaland's formula; between them the cubic in Re that meets both with the same slope, so that
the pressure drop and its derivative are continuous in the flow. The solver works with many pipes at once,
:mod:`twin.heat.drops`; this is the law itself, one pipe at a time, with the library's logarithm.

Sources: C. F. Colebrook, J. Inst. Civ. Eng. 11 (1939) 133; S. E. Haaland, J. Fluids Eng. 105 (1983) 89.
"""

from math import log, pi, sqrt

from numba import njit

RE_LAMINAR = 2000.0
RE_TURBULENT = 4000.0
TWO_BY_LN10 = 2.0 / log(10.0)
HAALAND = 1.8 / log(10.0)


@njit(cache=True, error_model="numpy")
def colebrook(re: float, k_rel: float) -> tuple[float, float]:
    """Friction factor and ``Re * df/dRe`` of turbulent flow at relative roughness ``k_rel``."""
    a = k_rel / 3.7
    b = 2.51 / re
    x = -HAALAND * log(a**1.11 + 6.9 / re)
    for _ in range(3):
        s = a + b * x
        step = (x + TWO_BY_LN10 * log(s)) / (1.0 + TWO_BY_LN10 * b / s)
        x -= step
        if abs(step) < 1e-10 * x:
            break
    s = a + b * x
    slope = TWO_BY_LN10 * b * x / s / (1.0 + TWO_BY_LN10 * b / s)
    f = 1.0 / (x * x)
    return f, -2.0 * f / x * slope


@njit(cache=True, error_model="numpy")
def friction_factor(re: float, k_rel: float) -> tuple[float, float]:
    """Darcy friction factor and ``Re * df/dRe``.

    Parameters
    ----------
    re : Reynolds number, positive
    k_rel : roughness over inner diameter, 0..0.05
    """
    if re <= RE_LAMINAR:
        f = 64.0 / re
        return f, -f
    if re >= RE_TURBULENT:
        return colebrook(re, k_rel)
    f1, s1 = colebrook(RE_TURBULENT, k_rel)
    width = RE_TURBULENT - RE_LAMINAR
    f0 = 64.0 / RE_LAMINAR
    d0 = -f0 / RE_LAMINAR * width
    d1 = s1 / RE_TURBULENT * width
    t = (re - RE_LAMINAR) / width
    c2 = 3.0 * (f1 - f0) - 2.0 * d0 - d1
    c3 = 2.0 * (f0 - f1) + d0 + d1
    f = f0 + t * (d0 + t * (c2 + t * c3))
    return f, re / width * (d0 + t * (2.0 * c2 + 3.0 * t * c3))


@njit(cache=True, error_model="numpy")
def pipe_drop(
    m: float, length: float, diameter: float, roughness: float, zeta: float, rho: float, mu: float
) -> tuple[float, float]:
    """Pressure drop of a pipe along its flow direction and its derivative.

    Parameters
    ----------
    m : mass flow, kg/s, signed
    length, diameter, roughness : m
    zeta : sum of minor-loss coefficients
    rho, mu : density kg/m³ and dynamic viscosity Pa s

    Returns
    -------
    dp_pa : with the sign of ``m``
    slope : d(dp)/dm, Pa s/kg, positive
    """
    area = 0.25 * pi * diameter * diameter
    per_square = 0.5 / (rho * area * area)
    size = abs(m)
    re = 4.0 * size / (pi * diameter * mu)
    if re < 1.0:
        slope = 32.0 * mu * length / (rho * area * diameter * diameter) + 2.0 * zeta * per_square * size
        return m * (slope - zeta * per_square * size), slope
    f, re_df = friction_factor(re, roughness / diameter)
    per_length = per_square * length / diameter
    dp = (per_length * f + per_square * zeta) * size * m
    return dp, (per_length * (2.0 * f + re_df) + 2.0 * per_square * zeta) * size


@njit(cache=True, error_model="numpy")
def relative_residual(re: float, k_rel: float) -> float:
    """How far the friction factor misses Colebrook's equation, relative to ``1/sqrt(f)`` (for checks)."""
    f, _ = colebrook(re, k_rel)
    x = 1.0 / sqrt(f)
    return (x + TWO_BY_LN10 * log(k_rel / 3.7 + 2.51 * x / re)) / x
