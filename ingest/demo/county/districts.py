"""Which station heats which building: neighbouring blocks with together about the same area."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_M2, MOST_M2 = 82_000.0, 158_000.0
SPLIT_M2 = 52_000.0
RIVER_APART_M = 2_500.0


@dataclass(frozen=True, slots=True)
class Unit:
    """Houses that stay together: their numbers, middle and heated area."""

    houses: tuple[int, ...]
    x: float
    y: float
    area_m2: float


def make_units(block: list[int], xy: Floats, area_m2: Floats) -> list[Unit]:
    """Units of all heated houses; ``block``: block number per house. A very large block is cut into strips."""
    out: list[Unit] = []
    for b in sorted(set(block)):
        mine = [n for n, q in enumerate(block) if q == b]
        mine.sort(key=lambda n: (float(xy[n, 0]), n))
        parts = int(np.ceil(sum(float(area_m2[n]) for n in mine) / SPLIT_M2))
        total, part, group = float(area_m2[mine].sum()) / parts, 0.0, list[int]()
        for n in mine:
            group.append(n)
            part += float(area_m2[n])
            if part >= total:
                out.append(_unit(group, xy, area_m2))
                group, part = [], 0.0
        if group:
            out.append(_unit(group, xy, area_m2))
    return out


def _unit(group: list[int], xy: Floats, area_m2: Floats) -> Unit:
    w = area_m2[group]
    x, y = (xy[group] * w[:, None]).sum(axis=0) / w.sum()
    return Unit(tuple(group), float(x), float(y), float(w.sum()))


def share_out(units: list[Unit], count: int, south: list[bool]) -> list[int]:
    """Station number of each unit: compact districts between ``LEAST_M2`` and ``MOST_M2``.

    Lloyd's rounds with a price per station that rises while it has too much; then single units move until
    every district is within its limits. ``south``: units across the river, kept to themselves.
    """
    xy = np.array([(u.x, u.y - (RIVER_APART_M if s else 0.0)) for u, s in zip(units, south, strict=True)])
    area = np.array([u.area_m2 for u in units])
    centre = _spread(xy, area, count)
    price = np.zeros(count)
    target = area.sum() / count
    mine = np.zeros(len(units), int)
    for turn in range(120):
        cost = ((xy[:, None] - centre[None]) ** 2).sum(axis=2) + price[None]
        mine = cost.argmin(axis=1)
        load = np.bincount(mine, area, count).astype(float)
        price += (load / target - 1.0) * (1.0 - turn / 150.0) * 3.0e4
        for s in range(count):
            if load[s] > 0:
                centre[s] = 0.5 * centre[s] + 0.5 * np.average(xy[mine == s], axis=0, weights=area[mine == s])
    return _repair(xy, area, mine, count)


def _spread(xy: Floats, area: Floats, count: int) -> Floats:
    """Starting places: each next one farthest from those before."""
    picks = [int(area.argmax())]
    far = ((xy - xy[picks[0]]) ** 2).sum(axis=1)
    while len(picks) < count:
        picks.append(int((far * area).argmax()))
        far = np.minimum(far, ((xy - xy[picks[-1]]) ** 2).sum(axis=1))
    return xy[picks].copy()


def _repair(xy: Floats, area: Floats, mine: NDArray[np.intp], count: int) -> list[int]:
    """Move single units, the cheapest way first, until every load is within its limits."""
    mine = mine.copy()
    rows = np.arange(len(area))
    for _ in range(400):
        load = np.bincount(mine, area, count).astype(float)
        if _excess(load).sum() == 0.0:
            break
        centre = np.array(
            [xy[mine == s].mean(axis=0) if (mine == s).any() else xy.mean(axis=0) for s in range(count)]
        )
        leave = _excess(load[mine] - area) - _excess(load[mine])
        enter = _excess(load[None] + area[:, None]) - _excess(load)[None]
        gain = leave[:, None] + enter
        gain[rows, mine] = 0.0
        away = np.hypot(xy[:, None, 0] - centre[None, :, 0], xy[:, None, 1] - centre[None, :, 1])
        score = np.where(gain < -1.0, away - away[rows, mine][:, None] + 0.005 * gain, np.inf)
        if not np.isfinite(score).any():
            break
        u, s = np.unravel_index(int(score.argmin()), score.shape)
        mine[u] = s
    return [int(s) for s in mine]


def _excess(load: Floats) -> Floats:
    """Area above the upper or below the lower limit."""
    return np.asarray(np.clip(load - MOST_M2, 0.0, None) + np.clip(LEAST_M2 - load, 0.0, None))
