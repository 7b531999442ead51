"""Diagnosis: which faults explain what the field shows beside what the network should do.

Pure: comparison and snapshot in, memory and findings out. Signs (``signs``) are relations that hold while
everything is whole; their habit is learned (``habit``); every hypothesis has the pattern of signs it would
cause (``patterns``); findings are the hypotheses that explain the present signs (``explain``), kept through
time (``watch``).
"""

from twin.diagnosis.book import DiagnosisBook, compile_book
from twin.diagnosis.explain import Candidate
from twin.diagnosis.habit import LEARNING_S
from twin.diagnosis.kinds import FAULTS, FaultKind
from twin.diagnosis.placing import hourly_sigma
from twin.diagnosis.sight import Sight, judge_sight
from twin.diagnosis.state import Placed, Verdict, Watch, begin_watch
from twin.diagnosis.tracks import Rejection
from twin.diagnosis.watch import diagnose

__all__ = [
    "FAULTS",
    "LEARNING_S",
    "Candidate",
    "DiagnosisBook",
    "FaultKind",
    "Placed",
    "Rejection",
    "Sight",
    "Verdict",
    "Watch",
    "begin_watch",
    "compile_book",
    "diagnose",
    "hourly_sigma",
    "judge_sight",
]
