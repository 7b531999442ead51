"""A Kalman filter in information form whose memory fades towards what was believed before.

Parameters are of two sorts: ``g`` common ones, and ``l`` of each place, which touch the readings of their
place only. In information form a reading adds ``h h'/s²`` to the matrix, so that places never become
entangled but through the common ones: the matrix keeps the shape of an arrow, and a county of a thousand
stations is solved place by place. What was learnt from readings is multiplied by ``exp(-dt / T)`` as time
passes, the belief is not: without data every parameter goes back to what was believed, with the uncertainty
it had then, and no direction that nothing excites can run away.

In units of what was believed before, information is never below one in any direction. The matrices are taken
apart by their eigenvalues, which are kept there: covariances stay symmetric, positive definite and no larger
than the belief in finite arithmetic too, which is what Joseph's form is for in the other one.

Source: A. H. Jazwinski, Stochastic Processes and Filtering Theory (1970), sections 7.4 (information form) and
8.9 (limited memory).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass
class FadingFilter:
    """What has been learnt: data parts of the information matrix and of its right-hand side.

    ``prior_g`` (k,), ``prior_l`` (n_place, l): standard deviations believed before, mean 0. Blocks: ``gg``
    (k, k), ``gl`` (n_place, k, l), ``ll`` (n_place, l, l), ``rhs_g`` (k,), ``rhs_l`` (n_place, l).
    """

    prior_g: Floats
    prior_l: Floats
    gg: Floats = field(init=False)
    gl: Floats = field(init=False)
    ll: Floats = field(init=False)
    rhs_g: Floats = field(init=False)
    rhs_l: Floats = field(init=False)

    def __post_init__(self) -> None:
        k, (n, m) = self.prior_g.size, self.prior_l.shape
        self.gg, self.gl, self.ll = np.zeros((k, k)), np.zeros((n, k, m)), np.zeros((n, m, m))
        self.rhs_g, self.rhs_l = np.zeros(k), np.zeros((n, m))

    def fade(self, share: float) -> None:
        """Keep this share of what the readings so far have said."""
        for block in (self.gg, self.gl, self.ll, self.rhs_g, self.rhs_l):
            np.multiply(block, share, out=block)

    def take(self, h_g: Floats, h_l: Floats, y: Floats, weight: Floats) -> None:
        """Add readings.

        Parameters
        ----------
        h_g : (n_place, row, k) what a reading moves per unit of each common parameter
        h_l : (n_place, row, l) the same for the parameters of its place
        y : (n_place, row) reading, linear in all parameters: ``y = h_g g + h_l l + noise``
        weight : (n_place, row) inverse variance; 0: no reading
        """
        w_g, w_l = h_g * weight[..., None], h_l * weight[..., None]
        self.gg += np.einsum("prk,prj->kj", w_g, h_g)
        self.gl += np.einsum("prk,prl->pkl", w_g, h_l)
        self.ll += np.einsum("prl,prm->plm", w_l, h_l)
        self.rhs_g += np.einsum("prk,pr->k", w_g, y)
        self.rhs_l += np.einsum("prl,pr->pl", w_l, y)

    def solve(self) -> "Belief":
        """Most probable parameters and their covariance."""
        p_g, p_l = self.prior_g, self.prior_l
        gl = self.gl * p_g[:, None] * p_l[:, None, :]
        inverse = _invert(self.ll * p_l[:, :, None] * p_l[:, None, :])
        through = np.einsum("pkl,plm->pkm", gl, inverse)
        cov_g = _invert(self.gg * p_g[:, None] * p_g - np.einsum("pkl,pjl->kj", through, gl))
        rhs_l = self.rhs_l * p_l
        g = cov_g @ (self.rhs_g * p_g - np.einsum("pkl,pl->k", through, rhs_l))
        own = np.einsum("plm,pm->pl", inverse, rhs_l - np.einsum("pkl,k->pl", gl, g))
        cov_gl = -np.einsum("kj,pjl->pkl", cov_g, through)
        cov_l = inverse - np.einsum("pkl,pkm->plm", through, cov_gl)
        return Belief(
            g * p_g, own * p_l, cov_g * p_g[:, None] * p_g, cov_gl * p_g[:, None] * p_l[:, None, :],
            cov_l * p_l[:, :, None] * p_l[:, None, :],
        )  # fmt: skip


def _invert(information: Floats) -> Floats:
    """Inverse of belief (one) and data together, (..., n, n)."""
    values, vectors = np.linalg.eigh(0.5 * (information + np.swapaxes(information, -1, -2)))
    scaled = vectors / (1.0 + np.maximum(values, 0.0))[..., None, :]
    out: Floats = scaled @ np.swapaxes(vectors, -1, -2)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """Parameters ``g`` (k,), ``own`` (n_place, l), and the blocks of their covariance."""

    g: Floats
    own: Floats
    cov_g: Floats
    cov_gl: Floats
    cov_l: Floats

    @property
    def sigma_g(self) -> Floats:
        """Standard deviations of the common parameters (k,)."""
        return np.sqrt(np.diagonal(self.cov_g))

    @property
    def sigma_own(self) -> Floats:
        """Standard deviations of the places' parameters (n_place, l)."""
        return np.sqrt(np.diagonal(self.cov_l, axis1=1, axis2=2))

    def variance_of(self, h_g: Floats, h_l: Floats) -> Floats:
        """Variance of predicted readings (n_place, row) from what is not known of the parameters."""
        own = np.einsum("prk,kj,prj->pr", h_g, self.cov_g, h_g)
        cross = np.einsum("prk,pkl,prl->pr", h_g, self.cov_gl, h_l)
        place = np.einsum("prl,plm,prm->pr", h_l, self.cov_l, h_l)
        whole: Floats = np.maximum(own + 2.0 * cross + place, 0.0)
        return whole
