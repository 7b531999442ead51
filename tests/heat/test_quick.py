"""The fast forms of the transient step against the formulae they stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.heat.film import axial_dispersion, nusselt
from twin.heat.kernels import enthalpy
from twin.heat.quick import look_up_film, read_temperature, volume_m3_kg
from twin.heat.water import conductivity_w_m_k, density_kg_m3, heat_capacity_j_kg_k, prandtl, viscosity_pa_s

T_C = st.floats(0.0, 150.0)


@given(T_C)
def test_polynomials_in_enthalpy_agree_with_the_property_fits(t):
    h = enthalpy(t)
    assert read_temperature(h) == pytest.approx(t, abs=1e-7)
    assert volume_m3_kg(h) == pytest.approx(1.0 / float(density_kg_m3(t)), rel=1e-6)


@given(T_C, st.floats(2.0, 6.5))
def test_film_table_agrees_with_gnielinski(t, log_re):
    re = 10.0**log_re
    exact = nusselt(re, float(prandtl(t))) * float(conductivity_w_m_k(t)) * np.pi
    film, cp, _ = look_up_film(re * np.pi / 4.0 * 0.1 * float(viscosity_pa_s(t)), 0.1, t)
    assert film == pytest.approx(exact, rel=5e-4)
    assert cp == pytest.approx(float(heat_capacity_j_kg_k(t)), rel=1e-12)


@given(st.floats(2301.0, 1e6))
def test_dispersion_table_agrees_with_wen_and_fan(re):
    d, rho, mu = 0.1, 1000.0, float(viscosity_pa_s(60.0))
    m = re * np.pi * d * mu / 4.0
    u = m / (rho * np.pi / 4.0 * d**2)
    assert look_up_film(m, d, 60.0)[2] == pytest.approx(axial_dispersion(m, d, rho, mu) / (u * d), rel=2e-4)


def test_no_dispersion_in_laminar_flow():
    assert look_up_film(0.01, 0.1, 60.0)[2] == 0.0
