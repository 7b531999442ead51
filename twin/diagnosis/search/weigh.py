"""What a result says of every pipe: its likelihood, with room for a reading that is simply wrong."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.diagnosis.search.answers import FRESH_KG_M3, Answers
from twin.diagnosis.search.kit import LISTEN, VALVE, Kit, Result

Floats = NDArray[np.float64]

BROAD = 3.0
"""A wrong reading may be anything within so many standard deviations and leaks around the usual one."""


def spread_chance(score: Floats) -> Floats:
    """Probabilities (n,) of logarithms of likelihoods; even where nothing is finite."""
    finite = np.isfinite(score)
    if not finite.any():
        return np.full(score.size, 1.0 / max(score.size, 1))
    chance = np.where(finite, np.exp(score - score[finite].max()), 0.0)
    out: Floats = chance / chance.sum()
    return out


def expect(answers: Answers, size_kg_s: Floats, kit: Kit) -> tuple[Floats, Floats]:
    """Difference (kg/s) that each check shows for a leak of ``size_kg_s`` (n_pipe,) in each pipe, and its
    standard deviation: (n, n_pipe) both. Rows of listening hold probabilities and zeros."""
    return answers.differ(size_kg_s), _spread(answers, size_kg_s, _errors(answers, kit, answers.flow), kit)


def _spread(answers: Answers, size_kg_s: Floats, error: Floats, kit: Kit) -> Floats:
    own = np.square(error) + np.square(answers.doubt)
    out: Floats = np.sqrt(own[:, None] + np.square(kit.size_share * answers.change * size_kg_s))
    return out


def _errors(answers: Answers, kit: Kit, flow_kg_s: Floats) -> Floats:
    """(n,) error of the instruments at these flows (n, 2), kg/s."""
    least = kit.flow_least_m_s * answers.area_m2 * answers.rho_kg_m3
    clamp = np.hypot(*np.maximum(kit.flow_share * flow_kg_s, least).T)
    valve = np.array([c.kind == VALVE for c in answers.checks], bool)
    out: Floats = np.where(valve, np.sqrt(2.0) * kit.make_up_m3_s * FRESH_KG_M3, clamp)
    return out


def weigh_results(answers: Answers, results: Sequence[Result], size_kg_s: Floats, kit: Kit) -> Floats:
    """Logarithm of the likelihood of every result for a leak in every pipe.

    Parameters
    ----------
    answers : one row for each of ``results``
    size_kg_s : (n_pipe,) how big the leak would be in each pipe

    Returns
    -------
    (n_result, n_pipe); no result counts more than its ``Kit.wrong`` allows
    """
    out: Floats = np.zeros(answers.change.shape)
    if not results:
        return out
    read = np.array([(r.first, r.second) for r in results])
    flow = np.nan_to_num(read) * answers.rho_kg_m3
    mean = answers.differ(size_kg_s)
    sd = _spread(answers, size_kg_s, _errors(answers, kit, flow), kit)
    seen = flow[:, 0] - flow[:, 1]
    density = np.exp(-0.5 * np.square((seen[:, None] - mean) / sd)) / (sd * np.sqrt(2.0 * np.pi))
    wide = 2.0 * BROAD * (sd.max(axis=1) + np.median(size_kg_s))
    out = np.log((1.0 - kit.wrong) * density + (kit.wrong / wide)[:, None])
    for i, r in enumerate(results):
        if r.check.kind == LISTEN:
            heard = np.clip(answers.change[i], 1e-3, 1.0 - 1e-3)
            out[i] = np.log(heard if r.first > 0.5 else 1.0 - heard)
        elif answers.cut[i] < 0:
            out[i] = 0.0  # a loop goes round the valve: it says nothing
    return out
