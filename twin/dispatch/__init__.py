"""Dispatch: heat of every station, water of the sources and speed of the pumps for the hours ahead.

Pure: hourly records and an outlook in, a proposal out. The belief about every station is folded from its last
days (``belief``), a linear programme plans the heat (``heatplan``), a search over supply temperatures
finds the water that carries it (``drive``), and the first hour becomes set-points (``propose``).
"""

from twin.dispatch.belief import Belief, learn
from twin.dispatch.outlook import Outlook
from twin.dispatch.propose import (
    Course,
    Dispatcher,
    Proposal,
    Wish,
    compile_dispatcher,
    propose,
)
from twin.dispatch.records import HourKeeper, Hours, RecordBook, compile_records, make_hours
from twin.dispatch.tariff import Objective, Tariff

__all__ = [
    "Belief",
    "Course",
    "Dispatcher",
    "HourKeeper",
    "Hours",
    "Objective",
    "Outlook",
    "Proposal",
    "RecordBook",
    "Tariff",
    "Wish",
    "compile_dispatcher",
    "compile_records",
    "learn",
    "make_hours",
    "propose",
]
