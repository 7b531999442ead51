"""Which hypotheses explain the signs: the best one first, then what is left, as in matching pursuit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.diagnosis.patterns import Patterns, Rules

Floats = NDArray[np.float64]

TEMPER = 0.35
"""Share of the gathered evidence that counts: signs err together, and patterns are linear."""
MOST = 8
"""At most this many faults at one moment."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One hypothesis: fault kind, place, size in the fault's unit, and probability among its rivals."""

    kind: str
    place: str
    size: float
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """One fault that the signs speak of: candidates by falling probability (those of one kind and place
    together), the evidence gathered, and the signs (n_sign,) it moves."""

    candidates: tuple[Candidate, ...]
    evidence: float
    moves: NDArray[np.bool_]


def explain_signs(patterns: Patterns, mean: Floats, sigma: Floats) -> tuple[Explanation, ...]:
    """Explain one window's means by as few faults as possible.

    Parameters
    ----------
    mean, sigma : (n_sign,) what differs from the habit and its standard deviation, in the signs' units;
        sigma infinite where a sign is not known

    Returns
    -------
    explanations by falling evidence, none when nothing reaches what its kind needs
    """
    weight = np.where(np.isfinite(sigma) & (sigma > 0), 1.0 / sigma, 0.0)
    left = np.where(np.isfinite(mean), mean, 0.0)
    square = patterns.square @ weight**2
    usable = square > 1e-12
    rules = patterns.rules
    out = []
    for _ in range(MOST):
        along = patterns.matrix @ (left * weight**2)
        size = np.where(usable, along / np.where(usable, square, 1.0), 0.0)
        told = size * patterns.unit
        gain = np.where(usable & ((rules.sign == 0) | (told > 0)), 0.5 * along * size, 0.0)
        best = int(np.argmax(gain + rules.rarity))
        if gain[best] < rules.evidence[best]:
            best = int(np.argmax(np.where(gain >= rules.evidence, gain, 0.0)))
            if gain[best] < rules.evidence[best]:
                break
        moved = patterns.table[:, best] * size[best]
        # a fault too small to tell is taken out all the same, or another would be blamed for it
        if abs(told[best]) >= rules.least[best]:
            out.append(_write(patterns, rules, gain, told, best, np.abs(moved) * weight > 1.0))
        left = left - moved
    return tuple(out)


def _write(
    patterns: Patterns, rules: Rules, gain: Floats, told: Floats, best: int, moves: NDArray[np.bool_]
) -> Explanation:
    score = TEMPER * gain + rules.rarity
    # what is too small to be told of its kind is no rival: it would lend the finding a name that is none
    rivals = np.flatnonzero((gain > 0.0) & (score > score[best] - 8.0) & (np.abs(told) >= rules.least))
    rivals = rivals[np.argsort(-score[rivals])][:400]
    chance = np.exp(score[rivals] - score[rivals[0]])
    chance /= chance.sum()
    found: dict[tuple[str, str], Candidate] = {}
    for j, p in zip(rivals, chance, strict=True):
        key = (patterns.kind[j], patterns.place[j])
        old = found.get(key)
        found[key] = Candidate(*key, float(told[j]) if old is None else old.size,
                               float(p) + (0.0 if old is None else old.probability))  # fmt: skip
    ranked = sorted(found.values(), key=lambda c: -c.probability)
    return Explanation(tuple(ranked), float(gain[best]), moves)
