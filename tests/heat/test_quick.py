"""The fast forms of the transient step against the formulae they stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.heat.film import axial_dispersion, nusselt
from twin.heat.kernels import enthalpy
from twin.heat.quick import film_w_m_k, fluidity, read_temperature, relative_dispersion, volume_m3_kg
from twin.heat.water import conductivity_w_m_k, density_kg_m3, prandtl, viscosity_pa_s

T_C = st.floats(0.0, 150.0)


@given(T_C)
def test_polynomials_in_enthalpy_agree_with_the_property_fits(t):
    h = enthalpy(t)
    assert read_temperature(h) == pytest.approx(t, abs=1e-7)
    assert volume_m3_kg(h) == pytest.approx(1.0 / float(density_kg_m3(t)), rel=1e-6)
    assert fluidity(t) == pytest.approx(1.0 / float(viscosity_pa_s(t)), rel=2e-4)


@given(T_C, st.floats(2.0, 6.5))
def test_film_table_agrees_with_gnielinski(t, log_re):
    re = 10.0**log_re
    exact = nusselt(re, float(prandtl(t))) * float(conductivity_w_m_k(t)) * np.pi
    assert film_w_m_k(re, re**0.25, t) == pytest.approx(exact, rel=6e-3 if t < 10.0 else 2e-3)


@given(st.floats(2300.0, 1e6))
def test_dispersion_table_agrees_with_wen_and_fan(re):
    d, rho, mu = 0.1, 1000.0, 1e-3
    m = re * np.pi * d * mu / 4.0
    u = m / (rho * np.pi / 4.0 * d**2)
    assert relative_dispersion(re, re**0.25) == pytest.approx(
        axial_dispersion(m, d, rho, mu) / (u * d), rel=2e-3
    )


def test_no_dispersion_in_laminar_flow():
    assert relative_dispersion(2000.0, 2000.0**0.25) == 0.0
