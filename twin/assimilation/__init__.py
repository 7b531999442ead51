"""Assimilation: what the county teaches the twin while it runs, slowly, with its uncertainty.

Corrections of the simulation (heat loss and roughness of pipe groups, outlets of sources, exchangers) and of
what single points show over it. Pure: a comparison in, corrections out.
"""

from twin.assimilation.apply import apply_correction
from twin.assimilation.hold import Doubt, doubted_points, hold_readings
from twin.assimilation.learner import Learner, begin_learner, correct, learn
from twin.assimilation.told import (
    KeyScore,
    Learnt,
    as_body,
    list_learnt,
    list_refused,
    read_learner,
    score_keys,
    unusual,
)

__all__ = [
    "Doubt",
    "KeyScore",
    "Learner",
    "Learnt",
    "apply_correction",
    "as_body",
    "begin_learner",
    "correct",
    "doubted_points",
    "hold_readings",
    "learn",
    "list_learnt",
    "list_refused",
    "read_learner",
    "score_keys",
    "unusual",
]
