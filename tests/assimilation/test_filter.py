"""The fading filter against the same sum done whole, and against what it must never do."""

import numpy as np
import pytest

from twin.assimilation.filter import FadingFilter

K, PLACES, OWN, ROWS = 3, 4, 2, 3


def _draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    h_g, h_l = rng.normal(size=(PLACES, ROWS, K)), rng.normal(size=(PLACES, ROWS, OWN))
    return h_g, h_l, rng.normal(size=(PLACES, ROWS)), rng.uniform(0.0, 2.0, size=(PLACES, ROWS))


def test_it_is_weighted_least_squares_over_everything_with_the_old_counting_less() -> None:
    rng = np.random.default_rng(1)
    prior_g, prior_l = rng.uniform(0.5, 2.0, K), rng.uniform(0.5, 2.0, (PLACES, OWN))
    f = FadingFilter(prior_g, prior_l)
    size = K + PLACES * OWN
    matrix, right = np.zeros((size, size)), np.zeros(size)
    for _ in range(6):
        h_g, h_l, y, weight = _draw(rng)
        f.fade(0.8)
        f.take(h_g, h_l, y, weight)
        matrix, right = 0.8 * matrix, 0.8 * right
        for p in range(PLACES):
            for r in range(ROWS):
                h = np.zeros(size)
                h[:K], h[K + OWN * p : K + OWN * (p + 1)] = h_g[p, r], h_l[p, r]
                matrix += weight[p, r] * np.outer(h, h)
                right += weight[p, r] * h * y[p, r]
    covariance = np.linalg.inv(matrix + np.diag(1.0 / np.concatenate([prior_g, prior_l.ravel()]) ** 2))
    whole, found = covariance @ right, f.solve()
    np.testing.assert_allclose(np.concatenate([found.g, found.own.ravel()]), whole, atol=1e-10)
    np.testing.assert_allclose(
        np.concatenate([found.sigma_g, found.sigma_own.ravel()]), np.sqrt(np.diag(covariance)), atol=1e-10
    )
    h = np.zeros((PLACES, ROWS, size))
    for p in range(PLACES):
        h[p, :, :K], h[p, :, K + OWN * p : K + OWN * (p + 1)] = h_g[p], h_l[p]
    wanted = np.einsum("prk,kj,prj->pr", h, covariance, h)
    np.testing.assert_allclose(found.variance_of(h_g, h_l), wanted, atol=1e-10)


def test_without_readings_it_goes_back_to_what_was_believed_and_never_further() -> None:
    rng = np.random.default_rng(2)
    f = FadingFilter(np.full(K, 0.3), np.full((PLACES, OWN), 0.5))
    for _ in range(50):
        f.take(*_draw(rng))
    learnt = f.solve()
    assert np.all(learnt.sigma_g < 0.2)
    for _ in range(5000):
        f.fade(0.99)
    bare = f.solve()
    assert np.abs(bare.g).max() < 1e-12 and np.abs(bare.own).max() < 1e-12
    assert bare.sigma_g == pytest.approx(0.3) and bare.sigma_own == pytest.approx(0.5)


def test_years_of_readings_of_one_direction_leave_a_sound_matrix() -> None:
    rng = np.random.default_rng(3)
    f = FadingFilter(np.full(K, 1.0), np.full((PLACES, OWN), 1.0))
    h_g, h_l, _, _ = _draw(rng)
    for _ in range(20_000):
        f.fade(0.9999)
        f.take(h_g[:, :1], h_l[:, :1], np.ones((PLACES, 1)), np.full((PLACES, 1), 1e6))
    b = f.solve()
    assert np.all(np.linalg.eigvalsh(b.cov_g) > 0.0) and np.all(np.linalg.eigvalsh(b.cov_l) > 0.0)
    assert np.all(b.sigma_g <= 1.0 + 1e-9) and np.all(b.sigma_own <= 1.0 + 1e-6)
