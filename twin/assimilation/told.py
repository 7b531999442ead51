"""What has been learnt, in tables: for people, and to be kept over a restart."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

import numpy as np

from twin.assimilation.layout import Layout
from twin.assimilation.learner import BOUND, UNUSUAL, Learner, begin_learner
from twin.calibration.result import SECTION_VALVES
from twin.compare import PointBook
from twin.model.errors import InputError
from twin.model.network import HeatNetwork

FORMAT = 1
MODEL_SIGMA = {"heat_loss": 0.3, "roughness": 0.7, "valve_loss": 1.0}
"""Effective values say of the thing itself no more than was known of it before (1 sigma of the logarithm, as
calibration believes it): groups make up for each other, and for what is wrong elsewhere in the model. Added
to what the filter says it does not know."""
KNOWN_SHARE = 0.85
"""A parameter counts as learnt when its uncertainty is below this share of what it was."""
REFUSED_S = 12 * 3600.0
"""A reading that has been beyond the gate for so long is told."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """One parameter. ``kind``: heat_loss, roughness (factor on a pipe group), valve_loss (factor), source_k
    (K), exchanger (factor) or offset (SI, or a share); ``place``: group, source, station or point id.
    ``low``, ``high``: 95 % for the thing itself, with what the model adds. ``unusual``: further from what was
    believed than it should be."""

    kind: str
    place: str
    value: float
    low: float
    high: float
    learnt: bool
    unusual: bool


@dataclass(frozen=True, slots=True)
class KeyScore:
    """Readings of one key: root mean square of measured less simulated over the last day or so, SI or share,
    without and with corrections; ``spread``: the same over what is expected (1: as honest as it claims)."""

    key: str
    before: float
    after: float
    count: int


def list_learnt(learner: Learner) -> tuple[Learnt, ...]:
    """All parameters, those of the network first."""
    layout, (g, own) = learner.layout, learner.parameters
    loss, rough, valve, outlet = layout.common()
    out = []
    for kind, part, names in (
        ("heat_loss", loss, layout.groups), ("roughness", rough, layout.groups),
        ("valve_loss", valve, (SECTION_VALVES,)), ("source_k", outlet, layout.source_ids),
    ):  # fmt: skip
        rows = zip(names, g[part], learner.belief.sigma_g[part], layout.prior_g[part], strict=True)
        more = MODEL_SIGMA.get(kind, 0.0)
        out += [_tell(kind, n, x, s, p, kind != "source_k", more) for n, x, s, p in rows]
    sigma = learner.belief.sigma_own
    for i, place in enumerate(layout.places):
        if i < len(layout.station_ids):
            out.append(_tell("exchanger", place, own[i, -1], sigma[i, -1], layout.prior_l[i, -1], True))
        for j in np.flatnonzero(layout.point[i] >= 0):
            name = f"{place}/{layout.key[i][j]}"
            out.append(_tell("offset", name, own[i, j], sigma[i, j], layout.prior[i, j], False))
    return tuple(out)


def _tell(
    kind: str, place: str, x: float, sigma: float, prior: float, factor: bool, model: float = 0.0
) -> Learnt:
    """One row; ``model``: what the model adds to the standard deviation ``sigma`` of the filter."""
    wide = 1.96 * float(np.hypot(sigma, model))
    low, high = x - wide, x + wide
    if factor:
        x, low, high = exp(x), exp(low), exp(high)
    far = abs(np.log(x) if factor else x) > UNUSUAL * prior
    return Learnt(kind, place, float(x), float(low), float(high), sigma < KNOWN_SHARE * prior, bool(far))


def score_keys(learner: Learner) -> tuple[KeyScore, ...]:
    """Residuals with and without corrections, by key."""
    layout, out = learner.layout, []
    keys = np.array(layout.key)
    for key in dict.fromkeys(keys.ravel()):
        mine = (keys == key) & (layout.point >= 0) & (learner.known_s > 0.0)
        if key and mine.any():
            floor2 = np.square(layout.floor[mine])
            before, after = (float(np.mean(x[mine] * floor2)) for x in (learner.plain2, learner.score2))
            out.append(KeyScore(str(key), sqrt(before), sqrt(after), int(mine.sum())))
    return tuple(out)


def list_refused(learner: Learner) -> tuple[str, ...]:
    """Ids of points that have long stood where nobody expected them."""
    layout = learner.layout
    rows = np.argwhere((learner.refused_s > REFUSED_S) & (layout.point >= 0))
    return tuple(f"{layout.places[i]}/{layout.key[i][j]}" for i, j in rows)


_ARRAYS = ("spread2", "score2", "plain2", "known_s", "refused_s")
_BLOCKS = ("gg", "gl", "ll", "rhs_g", "rhs_l")


def as_body(learner: Learner) -> dict[str, Any]:
    """Plain tables, for JSON; six digits are kept."""

    def plain(x: Any) -> Any:
        return [plain(y) for y in x] if np.ndim(x) else float(f"{x:.6g}")

    layout = learner.layout
    return {
        "format": FORMAT, "t": learner.t, "places": list(layout.places), "groups": list(layout.groups),
        "keys": [list(k) for k in layout.key],
        **{k: plain(getattr(learner, k)) for k in _ARRAYS},
        **{k: plain(getattr(learner.filter, k)) for k in _BLOCKS},
    }  # fmt: skip


def read_learner(body: Mapping[str, Any], network: HeatNetwork, book: PointBook) -> Learner:
    """Take up what :func:`as_body` kept.

    Raises
    ------
    InputError : it is none, of another format, or of a county with other places or pipe groups
    """
    learner = begin_learner(network, book)
    layout = learner.layout
    if body.get("format") != FORMAT:
        raise InputError(f"learnt corrections of format {body.get('format')!r}: this version reads {FORMAT}")
    same = (list(layout.places), list(layout.groups), [list(k) for k in layout.key])
    if (body.get("places"), body.get("groups"), body.get("keys")) != same:
        raise InputError("learnt corrections are of other stations, sources or pipes: begin anew")
    try:
        for names, owner in ((_ARRAYS, learner), (_BLOCKS, learner.filter)):
            for name in names:
                old, new = getattr(owner, name), np.array(body[name], dtype=np.float64)
                if new.shape != old.shape or not np.isfinite(new).all():
                    raise InputError(f"learnt corrections: {name} is not what it should be: begin anew")
                setattr(owner, name, new)
        learner.t = learner.taken_t = float(body["t"])
        learner.belief = learner.filter.solve()
    except (KeyError, TypeError, ValueError, np.linalg.LinAlgError) as e:
        raise InputError(f"learnt corrections cannot be read: {e}") from e
    return learner


def unusual(learner: Learner) -> tuple[Learnt, ...]:
    """Parameters that stand further off than they should, the furthest first by their bound."""
    return tuple(x for x in list_learnt(learner) if x.unusual)


__all__ = [
    "BOUND", "KeyScore", "Layout", "Learnt", "as_body", "list_learnt", "list_refused", "read_learner",
    "score_keys", "unusual",
]  # fmt: skip
