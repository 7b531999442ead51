"""The report of a period: what every source and station gave and took, and the county's key figures.

Counters give amounts (over roll-overs and resets), hourly means temperatures; the same queries answer the
page and the Excel file. Formulas: docs/reports.md (CJJ/T 241 practice, JGJ/T 132 for the loss rate).
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from openpyxl import Workbook
from openpyxl.styles import Font

from app.domains.heating.complaints.figures import COMPLAINT_FIGURES, Judge, know_nothing
from app.domains.heating.costs import judge_costs
from app.domains.heating.quality import judge_quality
from app.i18n import translate
from ingest.store.api import Store
from twin.dispatch import Tariff
from twin.model.county import County
from twin.model.errors import InputError

Floats = NDArray[np.float64]

ROOM_C = 18.0
WATER_KG_M3 = 985.0
HOUR_S = 3600.0
LONGEST_S = 200 * 86_400.0
DAILY_AFTER = 14
"""Beyond so many days a course is drawn by the day."""


@dataclass(frozen=True, slots=True)
class StationReport:
    """One station over a period; NaN where it was not measured. ``rooms`` sensors behind ``room_c`` and
    ``warm_share`` (hours of rooms at 18 °C or more)."""

    id: str
    heat_j: float
    volume_m3: float
    make_up_m3: float
    power_j: float
    supply_c: float
    return_c: float
    room_c: float
    warm_share: float
    rooms: int


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A period hour by hour (by day beyond a fortnight): ``t`` (H,) middle of each, heat of all sources,
    outdoors, mean of all rooms; NaN where nothing was measured."""

    t: Floats
    heat_w: Floats
    t_out_c: Floats
    room_c: Floats


@dataclass(frozen=True, slots=True)
class Report:
    """A period (s since 1970 UTC; what of it is over and recorded), its stations and the county's figures by
    key, SI; NaN: unknown.

    Figures: ``heat_j`` of the sources, ``station_j``, ``delivery`` share, ``heat_j_m2``, ``index_w_m2``,
    ``power_j`` of sources and stations, ``power_j_m2``, ``make_up_m3``, ``water_kg_m2``, ``loss_rate``,
    ``t_out_c``, ``room_c``, ``warm_share``, ``dt_k`` supply less return of the sources, ``ehr`` electricity
    over heat, ``imbalance`` worst |x - 1|, x a station's share of the water over its share by design; and
    those of :func:`app.domains.heating.quality.judge_quality`,
    :func:`app.domains.heating.costs.judge_costs` and
    :func:`app.domains.heating.complaints.judge_complaints`.
    """

    start: float
    end: float
    stations: tuple[StationReport, ...]
    figures: dict[str, float]
    course: Course


FIGURES = (
    "heat_j", "station_j", "delivery", "index_w_m2", "heat_j_m2", "power_j", "power_j_m2", "make_up_m3",
    "water_kg_m2", "loss_rate", "ehr", "imbalance", "dt_k", "t_out_c", "hdd_k_d", "room_c", "room_std_k",
    "warm_share", "overheat", "curve_k", "approach_k", "branch_std_k", "heat_kd_j_m2", "cost_yuan_gj",
    "cost_yuan_m2", *COMPLAINT_FIGURES,
)  # fmt: skip


def make_report(
    county: County, store: Store, start: float, end: float, tariff: Tariff | None = None,
    complaints: Judge = know_nothing,
) -> Report:  # fmt: skip
    """Ask the store for a period. ``tariff``: what heat and electricity cost; without one, the defaults.
    ``complaints``: what the desk tells of it; without one, nothing.

    Raises
    ------
    InputError : the period is empty or longer than a season
    StoreUnavailable : the owner does not answer
    """
    if not 0.0 < end - start <= LONGEST_S:
        raise InputError("report: give a period of more than nothing and at most 200 days")
    means = _means(county, store, start, end)
    if "t" in means:  # what was not lived through, or not recorded, is no time to divide by
        start, end = max(start, float(means["t"][0]) - HOUR_S), min(end, float(means["t"][-1]))
    stations = tuple(_station(county, store, means, s.id, start, end) for s in county.network.substations)
    heat = [_counted(county, store, s.id, "src_energy", start, end) for s in county.network.sources]
    figures = _figures(county, store, means, stations, heat, start, end)
    figures |= _ratios(county, means, stations, figures) | judge_quality(county, means)
    figures |= judge_costs(county, tariff or Tariff(), heat, figures, means.get("t", np.empty(0)))
    figures |= complaints(start, end)
    return Report(start, end, stations, figures, _course(means))


def _course(means: dict[str, Floats]) -> Course:
    """The period for charts."""
    t = means.get("t", np.empty(0))

    def rows(end: str) -> Floats:
        found = [x for i, x in means.items() if i.endswith(end)]
        return np.stack(found, axis=1) if found else np.full((t.size, 1), np.nan)

    heat, out, room = rows("/src_heat"), rows("/t_out"), rows("/room_t")
    total = np.where(np.isfinite(heat).any(axis=1), np.nansum(heat, axis=1), np.nan)
    columns = [t - HOUR_S / 2.0, total, _row_mean(out), _row_mean(room)]
    days = t.size // 24
    if days > DAILY_AFTER:
        columns = [_row_mean(x[: 24 * days].reshape(days, 24)) for x in columns]
    return Course(*columns)


def _row_mean(x: Floats) -> Floats:
    known = np.isfinite(x)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(known, x, 0.0).sum(axis=1) / known.sum(axis=1)
    return mean


def _ratios(
    county: County, means: dict[str, Floats], stations: Sequence[StationReport], figures: dict[str, float]
) -> dict[str, float]:
    """Electricity over heat, balance of the water, supply less return."""
    heat, power = figures["heat_j"], figures["power_j"]
    apart = [
        means[f"{s.id}/src_ts"] - means[f"{s.id}/src_tr"]
        for s in county.network.sources
        if f"{s.id}/src_ts" in means and f"{s.id}/src_tr" in means and s.holds_pressure
    ]
    design = np.array([s.design_flow_kg_s for s in county.network.substations])
    volume = np.array([s.volume_m3 for s in stations])
    known = np.isfinite(volume) & (design > 0.0)
    worst = math.nan
    if known.sum() > 1 and volume[known].sum() > 0.0:
        share = volume[known] / volume[known].sum() / (design[known] / design[known].sum())
        worst = float(np.abs(share - 1.0).max())
    return {
        "ehr": power / heat if heat > 0.0 else math.nan, "imbalance": worst,
        "dt_k": _mean(np.concatenate(apart) if apart else None),
    }  # fmt: skip


def _counted(county: County, store: Store, place: str, key: str, start: float, end: float) -> float:
    p = county.point_by_id.get(f"{place}/{key}")
    return math.nan if p is None else store.consumption(p.no, start, end)


def _means(county: County, store: Store, start: float, end: float) -> dict[str, Floats]:
    """Hourly means of temperatures, rooms and flows over the period, (H,) by point id; ``t`` their ends."""
    keys = ("p1_ts", "p1_tr", "room_t", "t_out", "src_flow", "src_heat", "src_ts", "src_tr", "s2_ts", "s2_tr",
            "b_tr")  # fmt: skip
    points = [p for p in county.points if p.key in keys]
    table = store.hourly(np.array([p.no for p in points], dtype=np.int64), start, end - 1.0)
    if table.t.size == 0:
        return {}
    return {"t": table.t, **{p.id: table.mean[:, i] for i, p in enumerate(points)}}


def _mean(x: Floats | None) -> float:
    return float(np.nanmean(x)) if x is not None and np.isfinite(x).any() else math.nan


def _rooms(county: County, means: dict[str, Floats], station: str) -> list[Floats]:
    home = {b.id for b in county.buildings if b.substation_id == station}
    return [
        x for i, x in means.items()
        if i.endswith("/room_t") and i.split("/")[0].split(":")[0] in home and np.isfinite(x).any()
    ]  # fmt: skip


def _warm(rooms: Sequence[Floats]) -> float:
    every = np.concatenate([x[np.isfinite(x)] for x in rooms]) if rooms else np.empty(0)
    return float((every >= ROOM_C).mean()) if every.size else math.nan


def _station(
    county: County, store: Store, means: dict[str, Floats], station: str, start: float, end: float
) -> StationReport:
    rooms = _rooms(county, means, station)
    heat, volume, water, power = (
        _counted(county, store, station, key, start, end)
        for key in ("p1_energy", "p1_vol", "mk_vol", "e_kwh")
    )
    return StationReport(
        station, heat, volume, water, power, _mean(means.get(f"{station}/p1_ts")),
        _mean(means.get(f"{station}/p1_tr")), _mean(np.concatenate(rooms) if rooms else None), _warm(rooms),
        len(rooms),
    )  # fmt: skip


def _total(values: Sequence[float]) -> float:
    """Sum of what is known; NaN when nothing is."""
    known = [v for v in values if math.isfinite(v)]
    return sum(known) if known else math.nan


def _figures(
    county: County, store: Store, means: dict[str, Floats], stations: Sequence[StationReport],
    source_j: Sequence[float], start: float, end: float,
) -> dict[str, float]:  # fmt: skip
    sources = [s.id for s in county.network.sources]
    area = sum(s.area_m2 for s in county.network.substations)
    heat = _total(source_j)
    taken = _total([s.heat_j for s in stations])
    power = _total([_counted(county, store, s, "src_kwh", start, end) for s in sources])
    power = _total([power, *(s.power_j for s in stations)])
    water = _total([s.make_up_m3 for s in stations])
    moved = _total([_mean(means.get(f"{s}/src_flow")) for s in sources]) * (end - start)
    rooms = [x for i, x in means.items() if i.endswith("/room_t") and np.isfinite(x).any()]
    out = [x for i, x in means.items() if i.endswith("/t_out")]
    made_up = [p for p in county.points if p.key == "src_mk"]
    lost = _total([_mean_of(store, p.no, start, end) for p in made_up]) * (end - start)
    return {
        "heat_j": heat, "station_j": taken, "delivery": taken / heat if heat > 0.0 else math.nan,
        "index_w_m2": taken / (end - start) / area if area > 0.0 else math.nan,
        "heat_j_m2": taken / area if area > 0.0 else math.nan, "power_j": power,
        "power_j_m2": power / area if area > 0.0 else math.nan, "make_up_m3": water,
        "water_kg_m2": water * WATER_KG_M3 / area if area > 0.0 else math.nan,
        "loss_rate": lost / moved if moved > 0.0 else math.nan,
        "t_out_c": _mean(np.concatenate(out) if out else None),
        "room_c": _mean(np.concatenate(rooms) if rooms else None), "warm_share": _warm(rooms),
    }  # fmt: skip


def _mean_of(store: Store, point_no: int, start: float, end: float) -> float:
    table = store.hourly(np.array([point_no], dtype=np.int64), start, end - 1.0)
    return _mean(table.mean[:, 0]) if table.t.size else math.nan


UNITS: dict[str, tuple[str, float, int]] = {
    "heat_j": ("GJ", 1e-9, 1), "station_j": ("GJ", 1e-9, 1), "delivery": ("%", 100.0, 1),
    "index_w_m2": ("W/m²", 1.0, 1), "heat_j_m2": ("GJ/m²", 1e-9, 4), "power_j": ("kWh", 1 / 3.6e6, 0),
    "power_j_m2": ("kWh/m²", 1 / 3.6e6, 4), "make_up_m3": ("m³", 1.0, 1), "water_kg_m2": ("kg/m²", 1.0, 3),
    "loss_rate": ("%", 100.0, 3), "t_out_c": ("°C", 1.0, 1), "room_c": ("°C", 1.0, 1),
    "warm_share": ("%", 100.0, 1), "ehr": ("", 1.0, 4), "imbalance": ("", 1.0, 2), "dt_k": ("K", 1.0, 1),
    "hdd_k_d": ("K·d", 1.0, 1), "room_std_k": ("K", 1.0, 2), "overheat": ("%", 100.0, 1),
    "curve_k": ("K", 1.0, 2), "approach_k": ("K", 1.0, 1), "branch_std_k": ("K", 1.0, 2),
    "heat_kd_j_m2": ("kJ/(m²·K·d)", 1e-3, 1), "cost_yuan_gj": ("¥/GJ", 1.0, 1),
    "cost_yuan_m2": ("¥/m²", 1.0, 3), "complaints_homes": ("", 1.0, 2),
    "complaints_m2": ("", 1.0, 3), "measured_share": ("%", 100.0, 1),
    "solved_share": ("%", 100.0, 1), "satisfied_share": ("%", 100.0, 1),
}  # fmt: skip
"""Unit, factor from SI and decimals of every figure."""
COLUMNS: tuple[tuple[str, str, float, int], ...] = (
    ("heat_j", "GJ", 1e-9, 1), ("volume_m3", "m³", 1.0, 0), ("make_up_m3", "m³", 1.0, 2),
    ("power_j", "kWh", 1 / 3.6e6, 0), ("supply_c", "°C", 1.0, 1), ("return_c", "°C", 1.0, 1),
    ("room_c", "°C", 1.0, 1), ("warm_share", "%", 100.0, 1), ("rooms", "", 1.0, 0),
)  # fmt: skip
"""Columns of a station: name, unit, factor from SI, decimals."""


def write_report(county: County, now: Report, before: Report, lang: str, title: str) -> bytes:
    """The report as an Excel file: figures beside the period before, and every station."""
    names = {s.id: s.name if lang == "zh" else s.name_en for s in county.network.substations}
    book = Workbook()
    sheet = book.active
    sheet.title = translate("report.figures", lang)[:31]
    sheet.append([title])
    sheet.append([translate(f"report.{h}", lang) for h in ("figure", "unit", "now", "before", "formula")])
    for key in FIGURES:
        unit, factor, digits = UNITS[key]
        values = [_plain(r.figures[key] * factor, digits) for r in (now, before)]
        sheet.append([translate(f"report.{key}", lang), unit, *values, translate(f"report.how.{key}", lang)])
    table = book.create_sheet(translate("report.stations", lang)[:31])
    heads = [f"{translate(f'report.col.{name}', lang)} {unit}".strip() for name, unit, _, _ in COLUMNS]
    table.append([translate("report.station", lang), *heads])
    for s in now.stations:
        cells = [_plain(float(getattr(s, name)) * factor, digits) for name, _, factor, digits in COLUMNS]
        table.append([names[s.id], *cells])
    for page, widths in ((sheet, (30, 12, 14, 14, 60)), (table, (24, *(12,) * len(COLUMNS)))):
        for column, width in zip("ABCDEFGHIJ", widths, strict=False):
            page.column_dimensions[column].width = width
        for cell in page[1 if page is table else 2]:
            cell.font = Font(bold=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _plain(x: float, digits: int) -> float | None:
    return round(x, digits) if math.isfinite(x) else None
