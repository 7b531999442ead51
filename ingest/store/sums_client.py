"""The client's side of sums: kept ones, and readings where a span was touched since it was summed up."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ingest.store.bind import Bindable, in_time, microseconds
from ingest.store.sums_api import RollUpTable
from twin.model.errors import InputError
from twin.model.readings import Quality

Ints = NDArray[np.int64]
TABLES = {300: "rollup_5min", 3600: "rollup_1h", 86_400: "rollup_1d"}
NAMES = ("point_no", "t", "n", "low", "high", "mean", "last")
GROUPS = 6
"""Touched spans that lie together are summed up by one question; more groups than this are joined."""
_DIRTY = """
SELECT DISTINCT epoch_us(t) // $width * $width AS t FROM rollup_dirty
WHERE t >= make_timestamp($start - $start % $width) AND t < make_timestamp($end) ORDER BY 1
"""
_KEPT = """
SELECT point_no, epoch_us(t) AS t, n, low, high, mean, last FROM {table}
WHERE t >= make_timestamp($start) AND t < make_timestamp($end)
"""
# each reading once: in a lake there may be repeats until the night
_FRESH = f"""
SELECT point_no, t_ms // ($width // 1000) * $width AS t, count(*) AS n, min(value) AS low, max(value) AS high,
       avg(value) AS mean, arg_max(value, t_ms) AS last
FROM (SELECT DISTINCT point_no, t_ms, value FROM reading
      WHERE t_ms >= $first AND t_ms < $last AND quality >= $usable AND value IS NOT NULL
      AND {in_time("t_ms")})
GROUP BY ALL
"""  # noqa: S608 - our own text


class SumCalls:
    """What ``StoreClient`` offers of sums; see ``SumDoor``."""

    def _ask(self, sql: str, values: Mapping[str, Bindable] | None = None) -> dict[str, NDArray[np.generic]]:
        raise NotImplementedError

    def sums_of_all(self, start: float, end: float, step_s: int = 3600) -> RollUpTable:
        """See ``SumDoor.sums_of_all``."""
        if step_s not in TABLES:
            raise InputError(f"sums are kept by {', '.join(map(str, TABLES))} s, not {step_s}")
        width = step_s * 1_000_000
        values: dict[str, Bindable] = {
            "start": microseconds(start), "end": microseconds(end), "width": width,
            "usable": int(Quality.UNCERTAIN),
        }  # fmt: skip
        dirty = np.zeros(0, np.int64)
        if step_s < 86_400:
            dirty = np.asarray(self._ask(_DIRTY, values)["t"], np.int64)
            dirty = dirty[dirty >= microseconds(start)]
        kept = self._ask(_KEPT.format(table=TABLES[step_s]), values)
        summed = ~np.isin(np.asarray(kept["t"], np.int64), dirty) if dirty.size else slice(None)
        parts = [_take(kept, summed)]
        for first, last in join_spans(dirty, width):
            fresh = self._ask(_FRESH, {**values, "first": first // 1000, "last": (last + width) // 1000})
            parts.append(_take(fresh, np.isin(np.asarray(fresh["t"], np.int64), dirty)))
        return _join(parts)


def join_spans(starts: Ints, width: int) -> list[tuple[int, int]]:
    """(first, last) of groups of sorted starts of spans that lie beside each other, ``GROUPS`` at most."""
    if not starts.size:
        return []
    gaps = np.diff(starts)
    wide = np.flatnonzero(gaps > width)
    cuts = np.sort(wide[np.argsort(gaps[wide])[::-1][: GROUPS - 1]]) + 1
    return [(int(g[0]), int(g[-1])) for g in np.split(starts, cuts)]


def _take(
    rows: Mapping[str, NDArray[np.generic]], which: NDArray[np.bool_] | slice
) -> dict[str, NDArray[np.generic]]:
    return {k: np.ma.filled(np.ma.asarray(rows[k]), 0)[which] for k in NAMES}


def _join(parts: list[dict[str, NDArray[np.generic]]]) -> RollUpTable:
    columns = {k: np.concatenate([p[k] for p in parts]) for k in NAMES}
    t_us = np.asarray(columns["t"], np.int64)
    # one key sorts faster than two; spans begin at whole seconds, which 36 bits hold beyond the year 4000
    key = np.asarray(columns["point_no"], np.int64) * 2**36 + t_us // 1_000_000
    order = np.argsort(key, kind="stable")
    whole = {k: np.asarray(columns[k][order], np.int64) for k in ("point_no", "n")}
    low, high, mean, last = (np.asarray(columns[k][order], float) for k in ("low", "high", "mean", "last"))
    t = t_us[order] / 1e6
    return RollUpTable(whole["point_no"], t, whole["n"], low, high, mean, last)
