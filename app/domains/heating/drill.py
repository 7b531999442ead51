"""The score sheet of a drill: the plan's steps as criteria, with points, times and who."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

from app.format import MISSING, format_number
from app.i18n import translate

POINTS = {"report": 15, "preheat": 15, "confirm": 10, "isolate": 20, "boiler": 15, "shed": 10, "pump": 15,
          "power": 15, "valve": 15, "beyond": 15, "notify": 15, "standby": 10, "mobile": 15, "island": 15,
          "drain": 10, "repair": 15, "restore": 15}  # fmt: skip
"""Weights of the steps; a sheet's points are scaled so that all of them make ``TOTAL``."""
GENERAL = ("command", "record")
GENERAL_POINTS = 10
TOTAL = 100
LATE = 3.0
"""No point for a step that took this many times as long as planned; full points in time, a straight line in
between."""


@dataclass(frozen=True, slots=True)
class Row:
    """One criterion. ``planned_min`` and ``actual_min`` after the start (NaN: not timed, not done)."""

    key: str
    who: str
    what: str
    most: int
    planned_min: float = math.nan
    actual_min: float = math.nan
    person: str = ""
    points: float = math.nan


def make_sheet(body: Mapping[str, Any], lang: str) -> list[Row]:
    """An empty sheet from a kept plan; the last criteria are the same for every drill."""
    steps = body.get("steps" if lang == "zh" else "steps_en") or []
    weights = [POINTS[str(s[1])] for s in steps] + [GENERAL_POINTS] * len(GENERAL)
    most = _scale(weights)
    rows = [
        Row(str(key), str(role), str(what), m, float(at))
        for (at, key, role, what), m in zip(steps, most, strict=False)
    ]
    general = [
        Row(key, translate("role.dispatcher", lang), translate(f"drill.{key}", lang), m)
        for key, m in zip(GENERAL, most[len(steps) :], strict=True)
    ]
    return rows + general


def _scale(weights: Sequence[int]) -> list[int]:
    """Whole points in proportion that make ``TOTAL``: what rounding leaves goes to the greatest parts."""
    exact = [TOTAL * w / sum(weights) for w in weights]
    whole = [math.floor(x) for x in exact]
    for k in sorted(range(len(exact)), key=lambda k: whole[k] - exact[k])[: TOTAL - sum(whole)]:
        whole[k] += 1
    return whole


def advise_points(row: Row) -> float:
    """Points by time: full when in time, none at ``LATE`` times the plan; NaN where nothing was timed."""
    if not math.isfinite(row.actual_min):
        return math.nan
    if not math.isfinite(row.planned_min):
        return float(row.most)
    allowed = max(row.planned_min, 5.0)
    share = (LATE * allowed - row.actual_min) / ((LATE - 1.0) * allowed)
    return round(row.most * min(max(share, 0.0), 1.0) * 2.0) / 2.0


def total_points(rows: Sequence[Row]) -> float:
    """Sum of the points that were given."""
    return sum(r.points for r in rows if math.isfinite(r.points))


def describe_drill(no: int, rows: Sequence[Row], note: str, leader: str) -> dict[str, object]:
    """What is kept of a sheet."""
    return {
        "rehearsal": no, "rows": [asdict(r) for r in rows], "note": note, "leader": leader,
        "total": total_points(rows),
    }  # fmt: skip


def read_rows(body: Mapping[str, Any]) -> list[Row]:
    """The rows of a kept sheet."""

    def number(x: object) -> float:
        return float(x) if isinstance(x, int | float) else math.nan

    return [
        Row(
            str(r["key"]), str(r["who"]), str(r["what"]), int(r["most"]), number(r["planned_min"]),
            number(r["actual_min"]), str(r["person"]), number(r["points"]),
        )
        for r in body["rows"]
    ]  # fmt: skip


HEADS = ("criterion", "who", "planned", "actual", "person", "most", "points")


def sheet_cells(row: Row) -> list[str]:
    """A criterion as text cells, in the order of ``HEADS``."""

    def number(x: float, digits: int = 0) -> str:
        return format_number(x, digits) if math.isfinite(x) else MISSING

    points = number(row.points, 0 if row.points == round(row.points or 0, 0) else 1) \
        if math.isfinite(row.points) else MISSING  # fmt: skip
    return [row.what, row.who, number(row.planned_min), number(row.actual_min), row.person or MISSING,
            str(row.most), points]  # fmt: skip


def write_sheet(title: str, rows: Sequence[Row], note: str, leader: str, lang: str) -> bytes:
    """The sheet as an Excel file."""
    book = Workbook()
    sheet = book.active
    sheet.title = translate("drill.sheet", lang)[:31]
    sheet.append([title])
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.append([f"{translate('drill.leader', lang)}: {leader or MISSING}"])
    sheet.append([translate(f"drill.{h}", lang) for h in HEADS])
    for r in rows:
        plain = [None if not math.isfinite(x) else x for x in (r.planned_min, r.actual_min, r.points)]
        sheet.append([r.what, r.who, plain[0], plain[1], r.person, r.most, plain[2]])
    n = 3 + len(rows)
    sheet.append([translate("drill.total", lang), None, None, None, None, f"=SUM(F4:F{n})", f"=SUM(G4:G{n})"])
    sheet.append([f"{translate('drill.note', lang)}: {note}"])
    for cell in (*sheet[3], *sheet[n + 1]):
        cell.font = Font(bold=True)
    for row in sheet.iter_rows(min_row=4, max_row=n, max_col=1):
        row[0].alignment = Alignment(wrap_text=True, vertical="top")
    for column, width in zip("ABCDEFG", (64, 14, 12, 12, 14, 8, 8), strict=True):
        sheet.column_dimensions[column].width = width
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
