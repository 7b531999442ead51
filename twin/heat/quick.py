"""Fast forms of what a transient step asks for millions of times: polynomials, no branches.

Volume and temperature are polynomials in the enthalpy of the water, so that a parcel needs no inversion. Film
coefficient and dispersion differ from the formulae of :mod:`twin.heat.film` by less than 0.05 % (the formulae
themselves are known to about 10 %); every pipe takes the same path, so that the compiler can work on several
in one instruction.
"""

from math import log, pi, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.compiled import inline
from twin.heat.drops import fast_log
from twin.heat.film import NU_LAMINAR, RE_LAMINAR, RE_TURBULENT
from twin.heat.kernels import enthalpy, heat_capacity, quick_temperature
from twin.heat.water import CONDUCTIVITY, HEAT_CAPACITY

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
F0, F1, F2, F3, F4, F5, F6, F7, F8 = (
    558.7772508013302,
    1941.308563438277,
    1381.268962682536,
    -575.337568963536,
    834.1850911264363,
    -1191.4716403496295,
    887.9877510595073,
    -343.98474915075974,
    55.5098010359428,
)
L0, L1, L2, L3, L4, L5, L6, L7, L8, L9 = (
    59.47440423535244,
    -191.21731428028298,
    445.5527267461639,
    -883.884463065997,
    1376.7416796265115,
    -1559.0164160901456,
    1209.585024607263,
    -602.4689662139803,
    172.50633127617638,
    -21.513527241331644,
)
E0, E1, E2, E3, E4, E5 = (
    0.9985420261112303,
    -0.0992183572048435,
    0.004825815886119546,
    -0.00014579549412015782,
    2.7146631933561158e-06,
    -2.4118844053849914e-08,
)
"""Of the fluidity 1/viscosity, within 0.002 %; of ``12.7 (Pr**(2/3) - 1)``, within 0.005; of ``Re**-0.1``
over the logarithm, within 1e-6 for Re 2300 to 3e7."""
C0, C1, C2, C3, C4, C5, C6, C7 = HEAT_CAPACITY
K0, K1, K2, K3, K4, K5 = CONDUCTIVITY
RE_HIGHEST, LN10, LN_RE_TURBULENT = 3.0e7, log(10.0), log(RE_TURBULENT)


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
def read_temperature(h_j_kg: float) -> float:
    """Temperature in °C of water of enthalpy ``h_j_kg``, to 1e-8 K: the polynomial and one Newton step."""
    t = quick_temperature(h_j_kg)
    return t - (enthalpy(t) - h_j_kg) / heat_capacity(t)


@njit(cache=True, error_model="numpy")
def read_temperatures(h_j_kg: Floats, t_c: Floats) -> None:
    """Fill ``t_c`` (n,) from ``h_j_kg`` (n,)."""
    for i in range(h_j_kg.shape[0]):
        t_c[i] = read_temperature(h_j_kg[i])


@inline()
def film_and_dispersion(re_per_fluidity: float, t_c: float) -> tuple[float, float, float]:
    """What the water at ``t_c`` in a pipe of Reynolds ``re_per_fluidity`` / viscosity gives to its wall.

    Returns
    -------
    conductance per metre of pipe, ``Nu lambda pi`` W/(m K) (:func:`twin.heat.film.nusselt`); heat capacity
    J/(kg K); ``D / (u d)`` of :func:`twin.heat.film.axial_dispersion`, 0 below Re 2300
    """
    x = min(max(t_c, 0.0), 150.0) * 0.01
    fluidity = F0 + x * (F1 + x * (F2 + x * (F3 + x * (F4 + x * (F5 + x * (F6 + x * (F7 + x * F8)))))))
    cp = C0 + x * (C1 + x * (C2 + x * (C3 + x * (C4 + x * (C5 + x * (C6 + x * C7))))))
    conduction = pi * (K0 + x * (K1 + x * (K2 + x * (K3 + x * (K4 + x * K5)))))
    low = L4 + x * (L5 + x * (L6 + x * (L7 + x * (L8 + x * L9))))
    layer = L0 + x * (L1 + x * (L2 + x * (L3 + x * low)))  # 12.7 (Pr**(2/3) - 1)
    re = re_per_fluidity * fluidity
    ln_re = fast_log(min(max(re, RE_LAMINAR), RE_HIGHEST))
    root = (0.125**0.5) / (1.8 / LN10 * max(ln_re, LN_RE_TURBULENT) - 1.5)  # of Konakov's factor over 8
    full = root * root * max(re, RE_TURBULENT) * pi * cp / (fluidity * (1.0 + root * layer))
    share = min(max((re - RE_LAMINAR) * (1.0 / (RE_TURBULENT - RE_LAMINAR)), 0.0), 1.0)
    laminar = NU_LAMINAR * conduction
    inverse = 1.0 / min(max(re, RE_LAMINAR), RE_HIGHEST)
    tenth = E0 + ln_re * (E1 + ln_re * (E2 + ln_re * (E3 + ln_re * (E4 + ln_re * E5))))  # re**-0.1
    spread = 3.0e7 * inverse * inverse * tenth + 1.35 * sqrt(sqrt(sqrt(inverse)))
    return laminar + share * (full - laminar), cp, spread if re > RE_LAMINAR * (1.0 - 1e-9) else 0.0


@njit(cache=True, error_model="numpy")
def look_up_film(flow_kg_s: float, diameter_m: float, t_c: float) -> tuple[float, float, float]:
    """:func:`film_and_dispersion` of ``flow_kg_s`` in a pipe of ``diameter_m``, outside vector loops."""
    return film_and_dispersion(4.0 / pi * flow_kg_s / diameter_m, t_c)
