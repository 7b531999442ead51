"""Fast forms of what a transient step asks for millions of times: polynomials in enthalpy, and tables.

Volume and temperature are polynomials in the enthalpy of the water, so that a parcel needs no inversion. Film
coefficient and dispersion are tables over temperature and ``Re**0.25``; between their points they are linear,
which differs from the formulae of :mod:`twin.heat.film` by less than 0.2 % (the formulae themselves are known
to about 10 %). Deterministic: the same question has the same answer whatever was asked before.
"""

from math import pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.compiled import inline
from twin.heat.film import NU_LAMINAR, RE_LAMINAR, RE_TURBULENT, gnielinski
from twin.heat.kernels import enthalpy, heat_capacity, quick_temperature
from twin.heat.water import conductivity_w_m_k, prandtl

Floats = NDArray[np.float64]

W0, W1, W2, W3, W4, W5, W6 = (
    0.0009996774904296108,
    -1.3105711470628997e-06,
    4.568440224991993e-06,
    -7.921206912172853e-07,
    1.2778552133832988e-07,
    -1.158793384495086e-08,
    4.5996763294711626e-10,
)
F0, F1, F2, F3, F4, F5, F6 = (
    558.6907918865975,
    1946.095351551069,
    1319.9920976899632,
    -259.6154915788679,
    26.152068908916526,
    -68.01750930029215,
    25.010467988664942,
)

T_STEP_C, T_COUNT = 5.0, 31
Y_FIRST, Y_STEP, Y_COUNT = RE_TURBULENT**0.25, 0.125, 512


@inline()
def volume_m3_kg(h_j_kg: float) -> float:
    """Specific volume of water of enthalpy ``h_j_kg``, within 1e-6 of the density fit over 0..150 °C."""
    y = min(max(h_j_kg, 0.0), 6.3213e5) * 1e-5
    return W0 + y * (W1 + y * (W2 + y * (W3 + y * (W4 + y * (W5 + y * W6)))))


@inline()
def decay(x: float) -> float:
    """``exp(-x)`` for x >= 0, within 2e-7: six terms of the series at x/16, squared four times."""
    y = 0.0625 * x
    e = 1.0 + y * (1.0 + y * (1 / 2 + y * (1 / 6 + y * (1 / 24 + y * (1 / 120)))))
    e *= e
    e *= e
    e *= e
    return 1.0 / (e * e)


@njit(cache=True)
def fluidity(t_c: float) -> float:
    """One over the dynamic viscosity, 1/(Pa s), within 0.02 %."""
    x = min(max(t_c, 0.0), 150.0) * 0.01
    return F0 + x * (F1 + x * (F2 + x * (F3 + x * (F4 + x * (F5 + x * F6)))))


@njit(cache=True)
def read_temperature(h_j_kg: float) -> float:
    """Temperature in °C of water of enthalpy ``h_j_kg``, to 1e-8 K: the polynomial and one Newton step."""
    t = quick_temperature(h_j_kg)
    return t - (enthalpy(t) - h_j_kg) / heat_capacity(t)


@njit(cache=True, error_model="numpy")
def read_temperatures(h_j_kg: Floats, t_c: Floats) -> None:
    """Fill ``t_c`` (n,) from ``h_j_kg`` (n,)."""
    for i in range(h_j_kg.shape[0]):
        t_c[i] = read_temperature(h_j_kg[i])


def _tabulate_film() -> Floats:
    """Film conductance per metre, W/(m K): (T_COUNT, Y_COUNT)."""
    t = T_STEP_C * np.arange(T_COUNT)
    pr, lam = prandtl(t), conductivity_w_m_k(t)
    re = (Y_FIRST + Y_STEP * np.arange(Y_COUNT)) ** 4
    return np.array([[gnielinski(r, float(p)) * x * pi for r in re] for p, x in zip(pr, lam, strict=True)])


def _tabulate_dispersion() -> Floats:
    """``D / (u d)`` over ``Re**0.25`` from Re 2300 on (see :func:`twin.heat.film.axial_dispersion`)."""
    y = RE_LAMINAR**0.25 + 0.25 * Y_STEP * np.arange(4 * Y_COUNT)
    table: Floats = 3.0e7 * y**-8.4 + 1.35 * y**-0.5
    return table


FILM = _tabulate_film()
LAMINAR_W_M_K = NU_LAMINAR * pi * conductivity_w_m_k(T_STEP_C * np.arange(T_COUNT))
DISPERSION = _tabulate_dispersion()
Y_DISPERSION, DY_DISPERSION = RE_LAMINAR**0.25, 0.25 * Y_STEP


@njit(cache=True, error_model="numpy")
def _film_turbulent(y: float, i: int, rest: float) -> float:
    place = min((y - Y_FIRST) * (1.0 / Y_STEP), Y_COUNT - 1.001)
    j = int(place)
    part = place - j
    low: float = FILM[i, j] + part * (FILM[i, j + 1] - FILM[i, j])
    high: float = FILM[i + 1, j] + part * (FILM[i + 1, j + 1] - FILM[i + 1, j])
    value: float = low + rest * (high - low)
    return value


@njit(cache=True, error_model="numpy")
def film_w_m_k(re: float, y: float, t_c: float) -> float:
    """Conductance from water to wall per metre of pipe: ``Nu lambda pi`` (:func:`twin.heat.film.nusselt`).

    ``y`` is ``re**0.25``.
    """
    place = min(max(t_c * (1.0 / T_STEP_C), 0.0), T_COUNT - 1.001)
    i = int(place)
    rest = place - i
    if re >= RE_TURBULENT:
        return _film_turbulent(y, i, rest)
    laminar: float = LAMINAR_W_M_K[i] + rest * (LAMINAR_W_M_K[i + 1] - LAMINAR_W_M_K[i])
    if re <= RE_LAMINAR:
        return laminar
    share = (re - RE_LAMINAR) * (1.0 / (RE_TURBULENT - RE_LAMINAR))
    value: float = laminar + share * (_film_turbulent(Y_FIRST, i, rest) - laminar)
    return value


@njit(cache=True, error_model="numpy")
def relative_dispersion(re: float, y: float) -> float:
    """``D / (u d)`` of :func:`twin.heat.film.axial_dispersion`; 0 below Re 2300. ``y`` is ``re**0.25``."""
    if re < RE_LAMINAR:
        return 0.0
    place = min((y - Y_DISPERSION) * (1.0 / DY_DISPERSION), 4.0 * Y_COUNT - 1.001)
    j = int(place)
    value: float = DISPERSION[j] + (place - j) * (DISPERSION[j + 1] - DISPERSION[j])
    return value
