"""The PDF files of heating: the report of a period, a contingency plan, the score sheet of a drill."""

import math
import time
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.drill import HEADS, TOTAL, Row, sheet_cells, total_points
from app.domains.heating.paper import BLUE, TEAL, WARM, Paper
from app.domains.heating.report import COLUMNS, FIGURES, UNITS, Course, Report
from app.format import MISSING, format_number
from app.i18n import translate
from twin.model.county import County

Floats = NDArray[np.float64]


def begin_paper(county: County, title: str, lang: str) -> Paper:
    """An empty paper of the county."""
    name = county.meta.name if lang == "zh" else county.meta.name_en
    made = f"{datetime.fromtimestamp(time.time(), ZoneInfo(county.meta.timezone)):%Y-%m-%d %H:%M}"
    place = f"{name} · {translate('paper.issuer', lang)}"
    if county.meta.demo:
        place += f" · {translate('app.demo', lang)}"
    return Paper(title, place, translate("paper.page", lang), translate("paper.made", lang, at=made))


def print_report(
    county: County, now: Report, before: Report, title: str, spans: tuple[str, str], lang: str
) -> bytes:
    """The report of a period as PDF, from the same numbers as the page and the Excel file.

    Parameters
    ----------
    spans : the period and the one before, in words

    Raises
    ------
    InputError : this machine has no font with Chinese
    """
    paper = begin_paper(county, title, lang)
    area = sum(s.area_m2 for s in county.network.substations) / 1e4
    paper.begin(
        [
            f"{translate('paper.period', lang)}: {spans[0]}",
            f"{translate('paper.compared', lang)}: {spans[1]}",
            translate("paper.county", lang, area=format_number(area, 1), n=len(county.network.substations),
                      sources=len(county.network.sources)),
        ]
    )  # fmt: skip
    paper.heading(translate("paper.summary", lang))
    paper.say(_sum_up(now, before, lang))
    paper.heading(translate("report.figures", lang))
    rows = []
    for key in FIGURES:
        unit, factor, digits = UNITS[key]
        a, b = (r.figures[key] * factor for r in (now, before))
        rows.append(
            [translate(f"report.{key}", lang), unit, _show(a, digits), _show(b, digits), _change(a, b, unit)]
        )
    heads = [translate(f"report.{h}", lang) for h in ("figure", "unit", "now", "before", "change")]
    paper.grid(heads, rows, (52, 20, 24, 24, 24), left=(0, 1))
    _draw_course(paper, now.course, county.meta.timezone, lang)
    paper.heading(translate("report.stations", lang))
    names = {s.id: s.name if lang == "zh" else s.name_en for s in county.network.substations}
    heads = [translate("report.station", lang)]
    heads += [f"{translate(f'report.col.{n}', lang)} {u}".strip() for n, u, _, _ in COLUMNS]
    cells = [
        [names[s.id], *(_show(float(getattr(s, n)) * f, d) for n, _, f, d in COLUMNS)] for s in now.stations
    ]
    paper.grid(heads, cells, (34, 20, 20, 18, 20, 18, 18, 18, 20, 14))
    paper.heading(translate("paper.formulas", lang))
    for key in FIGURES:
        paper.say(f"{translate(f'report.{key}', lang)}: {translate(f'report.how.{key}', lang)}")
    paper.sign_lines(_name_lines(("author", "checked", "approved"), lang))
    return paper.finish()


def _draw_course(paper: Paper, c: Course, timezone: str, lang: str) -> None:
    if c.t.size < 2:
        return
    zone, pattern = ZoneInfo(timezone), "%H:%M" if c.t[-1] - c.t[0] < 2 * 86_400 else "%m-%d"
    at = np.linspace(c.t[0], c.t[-1], 7)
    marks = [(float(x), f"{datetime.fromtimestamp(float(x), zone):{pattern}}") for x in at]
    paper.heading(translate("paper.course", lang))
    heat = translate("paper.heat", lang)
    paper.chart([(heat, c.t, c.heat_w / 1e6, WARM)], "MW", marks)
    out, rooms = (translate(f"report.{k}", lang) for k in ("t_out_c", "room_c"))
    paper.chart([(out, c.t, c.t_out_c, BLUE), (rooms, c.t, c.room_c, TEAL)], "°C", marks)


def _sum_up(now: Report, before: Report, lang: str) -> str:
    """Three sentences a head of county reads first."""
    f, b = now.figures, before.figures

    def said(key: str) -> str:
        unit, factor, digits = UNITS[key]
        return f"{_show(f[key] * factor, digits)} {unit}"

    words = [
        translate("paper.said_heat", lang, heat=said("heat_j"), index=said("index_w_m2"), out=said("t_out_c"))
    ]
    if math.isfinite(f["room_c"]):
        words.append(translate("paper.said_rooms", lang, room=said("room_c"), share=said("warm_share")))
    if f["heat_j"] > 0.0 and b["heat_j"] > 0.0:
        change = 100.0 * (f["heat_j"] / b["heat_j"] - 1.0)
        words.append(translate("paper.said_change", lang, change=format_number(change, 1, sign=True)))
    cold = sum(s.warm_share < 0.98 for s in now.stations if math.isfinite(s.warm_share))
    if cold:
        words.append(translate("paper.said_cold", lang, n=cold))
    return ("" if lang == "zh" else " ").join(words)


def _show(x: float, digits: int) -> str:
    return format_number(x, digits) if math.isfinite(x) else MISSING


def _change(a: float, b: float, unit: str) -> str:
    """In per cent; of shares and temperatures the difference."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return MISSING
    if unit in ("%", "°C"):
        return f"{format_number(a - b, 1, sign=True)} {'K' if unit == '°C' else 'pp'}"
    return f"{format_number(100.0 * (a / b - 1.0), 1, sign=True)} %" if b else MISSING


def _name_lines(keys: Sequence[str], lang: str) -> list[str]:
    """Who signs."""
    return [translate(f"paper.{key}", lang) + ":" for key in keys]


def print_plan(county: County, text: str, lang: str) -> bytes:
    """A plan (Markdown as ``write_plan`` makes it) as PDF.

    Raises
    ------
    InputError : this machine has no font with Chinese
    """
    lines = [line for line in text.splitlines() if line.strip()]
    paper = begin_paper(county, lines[0].removeprefix("# "), lang)
    paper.begin(lines[1:2])
    table: list[list[str]] = []
    for line in [*lines[2:], ""]:
        if line.startswith("|"):
            cells = [c.strip() for c in line.strip("|").split("|")]
            if not set("".join(cells)) <= {"-"}:
                table.append(cells)
            continue
        if table:
            paper.grid(table[0], table[1:], (58, *(24,) * (len(table[0]) - 1)))
            table = []
        if line.startswith("## "):
            paper.heading(line[3:])
        elif line:
            paper.say(line.removeprefix("- "))
    paper.sign_lines(_name_lines(("author", "checked", "approved"), lang))
    return paper.finish()


def print_sheet(
    county: County, subject: str, rows: Sequence[Row], note: str, leader: str, lang: str
) -> bytes:
    """A score sheet as PDF.

    Raises
    ------
    InputError : this machine has no font with Chinese
    """
    paper = begin_paper(county, translate("drill.sheet", lang), lang)
    paper.begin([subject, f"{translate('drill.leader', lang)}: {leader or '________'}"])
    cells = [sheet_cells(r) for r in rows]
    last = [translate("drill.total", lang), "", "", "", "", str(TOTAL), format_number(total_points(rows), 1)]
    heads = [translate(f"drill.{h}", lang) for h in HEADS]
    paper.grid(heads, [*cells, last], (70, 24, 17, 17, 20, 13, 13), left=(0, 1, 4))
    paper.say(f"{translate('drill.note', lang)}: {note or MISSING}")
    paper.sign_lines(_name_lines(("referee", "checked"), lang))
    return paper.finish()
