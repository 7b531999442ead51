"""Table and marks of the diagnosis bench."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.diagnosis_faults import MIX


@dataclass(frozen=True, slots=True)
class Episode:
    """One fault and what became of it. Times in minutes after its start; NaN: never."""

    label: str
    kind: str
    at: str
    size: float
    seed: int
    weather: str
    found_min: float
    right_min: float
    first_kind: str
    in_three: bool
    away_m: float
    zone_holds: float
    zone_m: float
    others: int
    peer_min: float
    peer_others: int


def summarise(
    rows: Sequence[Episode], days: float, false_findings: int, alarms: int
) -> list[dict[str, object]]:
    """The table: one row per line of the mix, then the marks."""
    table: list[dict[str, object]] = []
    for label, _ in MIX:
        mine = [e for e in rows if e.label == label]
        if not mine:
            continue
        found = np.array([e.found_min for e in mine])
        away = np.array([e.away_m for e in mine])
        table.append(
            {
                "fault": label,
                "episodes": len(mine),
                "found": float(np.isfinite(found).mean()),
                "delay_p50_min": float(np.nanmedian(found)) if np.isfinite(found).any() else math.nan,
                "class_first": float(np.mean([e.first_kind == e.kind for e in mine])),
                "class_in_three": float(np.mean([e.in_three for e in mine])),
                "away_p50_m": float(np.nanmedian(away)) if np.isfinite(away).any() else math.nan,
                "within_200_m": float(np.mean(away[np.isfinite(away)] <= 200)) if np.isfinite(away).any()
                else math.nan,
                "zone_holds": _mean([e.zone_holds for e in mine]),
                "zone_p50_m": _median([e.zone_m for e in mine]),
                "other_findings": float(np.mean([e.others for e in mine])),
                "peer_found": float(np.mean([math.isfinite(e.peer_min) for e in mine])),
                "peer_alarms_elsewhere": float(np.mean([e.peer_others for e in mine])),
            }
        )  # fmt: skip
    return [*table, *_marks(rows, days, false_findings, alarms)]


def _mean(x: Sequence[float]) -> float:
    known = [v for v in x if math.isfinite(v)]
    return float(np.mean(known)) if known else math.nan


def _median(x: Sequence[float]) -> float:
    known = [v for v in x if math.isfinite(v)]
    return float(np.median(known)) if known else math.nan


def _marks(rows: Sequence[Episode], days: float, false_findings: int, alarms: int) -> list[dict[str, object]]:
    def share(chosen: Sequence[Episode], ok: Sequence[bool]) -> float:
        return float(np.mean(ok)) if chosen else math.nan

    one = [e for e in rows if e.label == "leak 1 %"]
    three = [e for e in rows if e.label == "leak 3 %"]
    sensor = [e for e in rows if e.kind.startswith("sensor")]
    fouled = [e for e in rows if e.kind == "fouling"]
    return [
        _mark("leaks of 1 % found in 30 min", share(one, [e.found_min <= 30 for e in one]), 0.90),
        _mark("leaks of 3 % found in 5 min", share(three, [e.found_min <= 5 for e in three]), 0.90),
        _mark("right class first", share(rows, [e.first_kind == e.kind for e in rows]), 0.80),
        _mark("right class in three", share(rows, [e.in_three for e in rows]), 0.95),
        _mark("fouling of 20 % found", share(fouled, [e.found_min <= 3 * 1440 for e in fouled]), 0.90),
        _mark("sensor faults found", share(sensor, [math.isfinite(e.found_min) for e in sensor]), 0.95),
        _mark("false findings per healthy day", false_findings / days if days else math.nan, 1.0, most=True),
        _mark("alarms of the peer per healthy day", alarms / days if days else math.nan, 1.0, most=True),
    ]


def _mark(name: str, value: float, must: float, most: bool = False) -> dict[str, object]:
    met = value <= must if most else value >= must
    return {"mark": name, "value": value, "must": must, "met": bool(met)}


def print_table(table: Sequence[dict[str, object]]) -> None:
    """Columns, aligned."""
    for part in ([r for r in table if k in r] for k in ("fault", "mark", "figure")):
        if not part:
            continue
        heads = list(part[0])
        cells = [[f"{v:.3g}" if isinstance(v, float) else str(v) for v in r.values()] for r in part]
        width = [max(len(h), *(len(c[i]) for c in cells)) for i, h in enumerate(heads)]
        for line in (heads, *cells):
            print(
                "  ".join(
                    x.rjust(w) if i else x.ljust(w) for i, (x, w) in enumerate(zip(line, width, strict=True))
                )
            )
        print()
