"""Calibration from history: what the survey does not say about pipes, exchangers and buildings.

Pure: a county and its history in, factors with their uncertainty out, and a county with them applied.
Fetching history and keeping versions is done by ``app.workers.calibrations``.
"""

from twin.calibration.apply import apply_calibration, apply_to_network
from twin.calibration.calibrate import calibrate
from twin.calibration.groups import group_pipes
from twin.calibration.records import Records, gather_records
from twin.calibration.result import KINDS, Calibration, Factor, Kind, Score, read_calibration

__all__ = [
    "KINDS",
    "Calibration",
    "Factor",
    "Kind",
    "Records",
    "Score",
    "apply_calibration",
    "apply_to_network",
    "calibrate",
    "gather_records",
    "group_pipes",
    "read_calibration",
]
