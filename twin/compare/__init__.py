"""Comparison: what the network should read now, beside what it reads.

Pure: a snapshot of measurements in, simulated values with their uncertainty out. The worker
(``app.workers.twin``) fetches the snapshot and keeps the result.
"""

from twin.compare.book import PointBook, compile_points
from twin.compare.run import Comparison, compare_steady
from twin.compare.snapshot import Snapshot, make_snapshot

__all__ = ["Comparison", "PointBook", "Snapshot", "compare_steady", "compile_points", "make_snapshot"]
