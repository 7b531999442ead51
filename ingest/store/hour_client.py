"""The client's side of many points by the hour."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ingest.store.bind import Bindable, microseconds
from ingest.store.hour_api import Floats, HourTable, Ints

HOUR_S = 3600.0
HOURLY = """
SELECT point_no, epoch(t) AS t, mean FROM rollup_1h
WHERE t BETWEEN make_timestamp($start) AND make_timestamp($end) AND point_no IN (SELECT unnest($points))
"""


class HourCalls:
    """What ``StoreClient`` offers of hours; see ``HourDoor``."""

    def _ask(self, sql: str, values: Mapping[str, Bindable] | None = None) -> dict[str, NDArray[np.generic]]:
        raise NotImplementedError

    def hourly(self, point_no: Ints, start: float, end: float) -> HourTable:
        """See ``HourDoor.hourly``."""
        no = np.asarray(point_no, np.int64)
        if no.size == 0:
            return HourTable(np.empty(0), np.empty((0, 0)))
        known = np.unique(no[no >= 0])
        values: dict[str, Bindable] = {
            "points": known,
            "start": microseconds(start),
            "end": microseconds(end),
        }
        r = self._ask(HOURLY, values)
        return sort_hours(
            no, np.asarray(r["point_no"], np.int64), np.asarray(r["t"], float), np.asarray(r["mean"], float)
        )


def sort_hours(no: Ints, row_no: Ints, row_t: Floats, row_mean: Floats) -> HourTable:
    """Rows of (point, beginning of the hour, mean) into a table of whole hours."""
    if row_t.size == 0:
        return HourTable(np.empty(0), np.empty((0, no.size)))
    hour = np.round(row_t / HOUR_S).astype(np.int64)
    first, last = int(hour.min()), int(hour.max())
    table = np.full((last - first + 1, int(max(no.max(), row_no.max())) + 2), np.nan)
    table[hour - first, row_no] = row_mean
    t: Floats = HOUR_S * (np.arange(first, last + 1) + 1.0).astype(np.float64)
    return HourTable(t, table[:, np.where(no >= 0, no, table.shape[1] - 1)])
