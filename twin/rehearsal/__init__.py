"""Rehearsal: an incident simulated hours ahead from a present state, with and without what could be done.

Pure: a heat system, a state and an outlook in, the county hours ahead out.
"""

from twin.rehearsal.case import INCIDENTS, MEASURES, Case, Incident, Measure
from twin.rehearsal.frames import Extreme, Frames, Pressures, judge_pressures
from twin.rehearsal.frost import Frost, find_frost
from twin.rehearsal.judge import Judgement, judge_run
from twin.rehearsal.options import list_options
from twin.rehearsal.rank import Gain, Spare, find_spare, rank_mobile, rank_shedding
from twin.rehearsal.run import Outlook, Rehearsal, rehearse
from twin.rehearsal.section import Section, find_section
from twin.rehearsal.start import Past, Seen, settle_system

__all__ = [
    "INCIDENTS",
    "MEASURES",
    "Case",
    "Extreme",
    "Frames",
    "Frost",
    "Gain",
    "Incident",
    "Judgement",
    "Measure",
    "Outlook",
    "Past",
    "Pressures",
    "Rehearsal",
    "Section",
    "Seen",
    "Spare",
    "find_frost",
    "find_section",
    "find_spare",
    "judge_pressures",
    "judge_run",
    "list_options",
    "rank_mobile",
    "rank_shedding",
    "rehearse",
    "settle_system",
]
