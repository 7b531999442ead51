"""Water properties against published values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.heat import kernels, water

# IAPWS-IF97 / R12-08 / R15-11 at 1 MPa: t °C, rho kg/m³, cp J/(kg K), mu Pa s, lambda W/(m K)
PUBLISHED = (
    (0.01, 1000.3017, 4214.93, 1.789121e-3, 0.55636),
    (20.0, 998.6168, 4182.01, 1.001322e-3, 0.59854),
    (50.0, 988.4380, 4177.48, 5.467025e-4, 0.64110),
    (80.0, 972.2043, 4193.55, 3.542990e-4, 0.66749),
    (100.0, 958.7750, 4214.58, 2.818276e-4, 0.67773),
    (120.0, 943.5061, 4244.33, 2.322453e-4, 0.68273),
    (150.0, 917.3042, 4308.57, 1.827443e-4, 0.68137),
)


@pytest.mark.parametrize(("t", "rho", "cp", "mu", "lam"), PUBLISHED)
def test_properties_match_the_published_formulations(t, rho, cp, mu, lam):
    assert float(water.density_kg_m3(t)) == pytest.approx(rho, rel=5e-5)
    assert float(water.heat_capacity_j_kg_k(t)) == pytest.approx(cp, rel=3e-4)
    assert float(water.viscosity_pa_s(t)) == pytest.approx(mu, rel=2e-4)
    assert float(water.conductivity_w_m_k(t)) == pytest.approx(lam, rel=1e-3)


# saturation line: t °C, Pa (IAPWS steam tables)
@pytest.mark.parametrize(("t", "p"), [(20.0, 2339.3), (60.0, 19946.0), (100.0, 101418.0), (150.0, 476160.0)])
def test_vapour_pressure_matches_the_steam_tables(t, p):
    assert float(water.vapour_pressure_pa(t)) == pytest.approx(p, rel=3e-4)


@given(st.floats(-20.0, 180.0))
def test_compiled_and_array_forms_are_the_same(t):
    assert kernels.density(t) == pytest.approx(float(water.density_kg_m3(t)), rel=1e-12)
    assert kernels.heat_capacity(t) == pytest.approx(float(water.heat_capacity_j_kg_k(t)), rel=1e-12)
    assert kernels.viscosity(t) == pytest.approx(float(water.viscosity_pa_s(t)), rel=1e-12)
    assert kernels.conductivity(t) == pytest.approx(float(water.conductivity_w_m_k(t)), rel=1e-12)
    assert kernels.enthalpy(t) == pytest.approx(float(water.enthalpy_j_kg(t)), rel=1e-12, abs=1e-9)


@given(st.floats(-20.0, 180.0))
def test_temperature_is_the_inverse_of_enthalpy(t):
    assert kernels.temperature(kernels.enthalpy(t)) == pytest.approx(t, abs=1e-8)


def test_enthalpy_is_the_integral_of_heat_capacity():
    t = np.linspace(0.0, 150.0, 3001)
    cp = water.heat_capacity_j_kg_k(t)
    steps = 0.5 * (cp[1:] + cp[:-1]) * np.diff(t)
    assert np.allclose(np.cumsum(steps), water.enthalpy_j_kg(t)[1:], rtol=1e-7)


def test_missing_temperature_stays_missing():
    assert np.isnan(water.density_kg_m3(np.nan))
    assert np.isnan(water.heat_capacity_j_kg_k(np.nan))
