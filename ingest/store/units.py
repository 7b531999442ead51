"""Readings are kept as their vendor sent them: a number of few decimals packs into half the room of SI.

``value (SI) = number * scale + shift``. A number is kept only when this gives back the very same SI value;
any other is kept in SI itself (unit 0). Decision record 0120.
"""

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.model.county import Point
from twin.model.quantities import VENDOR_UNITS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SI = 0
DECIMALS = (5, 2, 9)
"""Tried in this order: what instruments send, large counters, fine steps."""


class UnitBook:
    """Unit of each point in table ``point_unit``; a point that changes its unit gets a further one.

    ``code``, ``scale``, ``shift``: (n_point,) of the unit that is used now.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, points: Sequence[Point]) -> None:
        n = len(points)
        self.scale = np.array([VENDOR_UNITS[p.unit][0] for p in points], float)
        self.shift = np.array([VENDOR_UNITS[p.unit][1] for p in points], float)
        self.code = np.zeros(n, np.uint8)
        known: dict[int, dict[tuple[float, float], int]] = {}
        for no, unit, scale, shift in db.execute("FROM point_unit").fetchall():
            known.setdefault(no, {})[scale, shift] = unit
        new: list[tuple[int, int, float, float]] = []
        for no in range(n):
            mine = known.setdefault(no, {})
            if not mine:
                mine[1.0, 0.0] = SI
                new.append((no, SI, 1.0, 0.0))
            key = (float(self.scale[no]), float(self.shift[no]))
            if key not in mine:
                mine[key] = max(mine.values()) + 1
                new.append((no, mine[key], *key))
            self.code[no] = mine[key]
        if new:
            table = pa.table(
                {
                    "point_no": pa.array([r[0] for r in new], pa.int32()),
                    "unit": pa.array([r[1] for r in new], pa.uint8()),
                    "scale": [r[2] for r in new],
                    "shift": [r[3] for r in new],
                }
            )
            db.register("new_unit", table)
            db.execute("INSERT INTO point_unit SELECT * FROM new_unit")
            db.unregister("new_unit")

    def encode(self, point_no: Ints, value: Floats) -> tuple[Floats, NDArray[np.uint8]]:
        """(number, unit) of SI values (n,) of points (n,): turned back they are the same to the last bit."""
        scale, shift = self.scale[point_no], self.shift[point_no]
        with np.errstate(all="ignore"):  # a value near the largest number overflows and stays in SI
            raw = (value - shift) / scale
            number, unit = value.copy(), np.full(value.size, SI, np.uint8)
            open_ = np.flatnonzero(np.isfinite(raw))
            for decimals in DECIMALS:
                tried = np.round(raw[open_], decimals)
                same = tried * scale[open_] + shift[open_] == value[open_]
                done = open_[same]
                number[done], unit[done] = tried[same], self.code[point_no[done]]
                open_ = open_[~same]
                if not open_.size:
                    break
        return number, unit
