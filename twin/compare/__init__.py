"""Comparison: what the network should read now, beside what it reads.

Pure: a snapshot of measurements in, simulated values with their uncertainty out. The worker
(``app.workers.twin``) fetches the snapshot and keeps the result.
"""

from twin.compare.average import HeldMean, begin_mean
from twin.compare.book import PointBook, compile_points, find_near, spread_near
from twin.compare.correction import Correction
from twin.compare.run import Comparison, Memory, as_steady, compare_network, exchange_heat
from twin.compare.snapshot import Snapshot, make_snapshot
from twin.compare.standin import StandIn
from twin.compare.young import Young, doubt_water

__all__ = [
    "Comparison",
    "Correction",
    "HeldMean",
    "Memory",
    "PointBook",
    "Snapshot",
    "StandIn",
    "Young",
    "as_steady",
    "begin_mean",
    "compare_network",
    "compile_points",
    "doubt_water",
    "exchange_heat",
    "find_near",
    "make_snapshot",
    "spread_near",
]
