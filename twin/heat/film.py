"""Heat transfer between water and pipe wall, and from the wall to the surroundings."""

from math import log, log10, pi

from numba import njit

NU_LAMINAR = 3.66
RE_LAMINAR = 2300.0
RE_TURBULENT = 4000.0


@njit(cache=True, error_model="numpy")
def gnielinski(re: float, pr: float) -> float:
    """Nusselt number of turbulent pipe flow at Reynolds ``re`` >= 4000 and Prandtl ``pr``.

    Source: V. Gnielinski, Forsch. Ing.-Wes. 41 (1975) 8, with Konakov's friction factor, as in VDI Heat
    Atlas, 2nd ed., G1, equation 26.
    """
    xi = (1.8 * log10(re) - 1.5) ** -2
    s = (xi / 8.0) ** 0.5
    nu: float = s * s * re * pr / (1.0 + 12.7 * s * (pr ** (2.0 / 3.0) - 1.0))
    return nu


@njit(cache=True, error_model="numpy")
def nusselt(re: float, pr: float) -> float:
    """Nusselt number of pipe flow: 3.66 laminar, Gnielinski turbulent, linear in ``re`` between.

    Source: V. Gnielinski, Int. J. Heat Mass Transfer 63 (2013) 134, for the range 2300..4000.
    """
    if re <= RE_LAMINAR:
        return NU_LAMINAR
    if re >= RE_TURBULENT:
        return gnielinski(re, pr)
    share = (re - RE_LAMINAR) / (RE_TURBULENT - RE_LAMINAR)
    return NU_LAMINAR + share * (gnielinski(RE_TURBULENT, pr) - NU_LAMINAR)


@njit(cache=True, error_model="numpy")
def cylinder_resistance(d_inner_m: float, d_outer_m: float, lambda_w_m_k: float) -> float:
    """Resistance of a hollow cylinder, m K/W per metre of length."""
    return log(d_outer_m / d_inner_m) / (2.0 * pi * lambda_w_m_k)


@njit(cache=True, error_model="numpy")
def axial_dispersion(flow_kg_s: float, diameter_m: float, rho: float, mu: float) -> float:
    """Coefficient of axial dispersion in turbulent pipe flow, m²/s; none below Re 2300.

    ``D / (u d) = 3e7 / Re**2.1 + 1.35 / Re**0.125``.
    Source: C. Y. Wen, L. T. Fan, Models for Flow Systems and Chemical Reactors (1975), chapter 5.
    """
    re = 4.0 * abs(flow_kg_s) / (pi * diameter_m * mu)
    if re < RE_LAMINAR:
        return 0.0
    u = 4.0 * abs(flow_kg_s) / (pi * diameter_m * diameter_m * rho)
    d_ax: float = diameter_m * u * (3.0e7 * re**-2.1 + 1.35 * re**-0.125)
    return d_ax
