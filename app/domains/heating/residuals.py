"""How far the twin is from the meters, by point, station and county; and what it has learnt."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.kpi import rms
from app.domains.heating.present import corrections_on
from ingest.store.api import SimulatedTable, Store
from ingest.store.finding_api import TwinFinding
from twin.assimilation.hold import Doubt, doubted_points
from twin.model.county import County, Point

Floats = NDArray[np.float64]

BAD_Z = 3.0


@dataclass(frozen=True, slots=True)
class PlaceScore:
    """Residuals of one station or source: root mean square in sigmas over ``count`` points, and the worst."""

    place_id: str
    rms: float
    count: int
    worst: str
    worst_z: float


@dataclass(frozen=True, slots=True)
class PointScore:
    """One point: measured and simulated, SI, residual in sigmas."""

    point: Point
    measured: float
    simulated: float
    z: float


def score_places(county: County, table: SimulatedTable) -> list[PlaceScore]:
    """Every place with a simulated point, the furthest off first."""
    rows: dict[str, list[tuple[float, str]]] = {}
    for no, z in zip(table.point_no, table.z, strict=True):
        p = county.points[int(no)]
        if np.isfinite(z):
            rows.setdefault(p.place_id, []).append((float(z), p.key))
    out = []
    for place, found in rows.items():
        z, key = max(found, key=lambda r: abs(r[0]))
        out.append(PlaceScore(place, rms(np.array([r[0] for r in found])), len(found), key, z))
    return sorted(out, key=lambda s: -s.rms)


def worst_points(county: County, table: SimulatedTable, count: int) -> list[PointScore]:
    """The points that are furthest off in sigmas."""
    known = np.flatnonzero(np.isfinite(table.z))
    order = known[np.argsort(-np.abs(table.z[known]))][:count]
    return [
        PointScore(
            county.points[int(table.point_no[k])], float(table.value[k] + table.residual[k]),
            float(table.value[k]), float(table.z[k]),
        )
        for k in order
    ]  # fmt: skip


def stood_in(status: str, findings: Iterable[TwinFinding], active: bool = True) -> frozenset[str]:
    """Ids of points whose simulated value counts instead of what their meter says: silent ones that the run
    names (``assumed:...``), and those that an open finding says are wrong. With the corrections switched off
    (not ``active``) meters in doubt drive the simulation again, and none of them is stood in for."""
    silent = status.removeprefix("assumed:").split(",") if status.startswith("assumed:") else []
    if not active:
        return frozenset(silent)
    return frozenset(silent) | doubted_points(Doubt(f.kind, f.place) for f in findings if f.open)


def count_bad(table: SimulatedTable) -> tuple[int, int]:
    """Points beyond three sigmas, and points with a residual."""
    z = table.z[np.isfinite(table.z)]
    return int((np.abs(z) > BAD_Z).sum()), int(z.size)


@dataclass(frozen=True, slots=True)
class LearntBody:
    """What was kept last: when (s since 1970), whether corrections are in force, and the tables of
    ``twin.assimilation`` as plain rows."""

    t: float
    active: bool
    learnt: list[dict[str, Any]]
    scores: list[dict[str, Any]]
    refused: list[str]


def read_learnt(store: Store) -> LearntBody | None:
    """What the twin has learnt, None: nothing is kept yet. Raises ``StoreUnavailable``."""
    active = corrections_on(store)
    for row in store.kept("assimilation", limit=1):
        body = store.kept_body(row.no)
        if isinstance(body, dict) and isinstance(body.get("told"), dict):
            told = body["told"]
            return LearntBody(row.made, active, told["learnt"], told["scores"], told["refused"])
    return LearntBody(math.nan, active, [], [], []) if not active else None
