"""Rehearsal: an incident simulated hours ahead from a present state, with and without what could be done.

Pure: a heat system, a state and an outlook in, the county hours ahead out.
"""

from twin.rehearsal.case import INCIDENTS, MEASURES, Case, Incident, Measure
from twin.rehearsal.judge import Judgement, judge_run
from twin.rehearsal.options import list_options
from twin.rehearsal.run import Outlook, Rehearsal, rehearse
from twin.rehearsal.section import Section, find_section
from twin.rehearsal.start import Past, settle_system

__all__ = [
    "INCIDENTS",
    "MEASURES",
    "Case",
    "Incident",
    "Judgement",
    "Measure",
    "Outlook",
    "Past",
    "Rehearsal",
    "Section",
    "find_section",
    "judge_run",
    "list_options",
    "rehearse",
    "settle_system",
]
