"""The balance of a county as it is measured now, and every station beside its compensation curve."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from openpyxl import Workbook

from app.i18n import translate
from twin.compare import compile_points
from twin.dispatch.balance import BalanceRow, balance_stations
from twin.dispatch.belief import PLATE_PA, valve_pa_s2_kg2
from twin.dispatch.inlets import InletRow
from twin.dispatch.way import GROUND_C
from twin.heat import CompiledNetwork, SteadyBoundary, read_curve
from twin.heat.water import density_kg_m3
from twin.model.county import County
from twin.model.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CurveDot:
    """One station: measured secondary supply beside what its curve asks for now, °C."""

    station_id: str
    measured_c: float
    wanted_c: float


def compare_curves(county: County, value: Floats, t_out_c: float) -> tuple[CurveDot, ...]:
    """Every station with a measured secondary supply temperature; none without an outdoor temperature."""
    if not np.isfinite(t_out_c):
        return ()
    out = []
    for s in county.network.substations:
        p = county.point_by_id.get(f"{s.id}/s2_ts")
        if p is not None and np.isfinite(value[p.no]) and s.curve:
            wanted = float(read_curve(s.curve, np.array([t_out_c]))[0])
            out.append(CurveDot(s.id, float(value[p.no]), wanted))
    return tuple(out)


def balance_now(county: County, net: CompiledNetwork, value: Floats) -> tuple[BalanceRow, ...]:
    """The work list from what is measured now.

    Raises
    ------
    InputError : no flow or no source pressure is measured
    EngineError : the network has no state at the wanted flows
    """
    book = compile_points(county)
    n = len(county.network.substations)
    back = np.nan_to_num(book.read_station(value, "p1_tr"), nan=50.0)
    flow = book.read_station(value, "p1_flow") * density_kg_m3(back)
    ts, ps, pr = (book.read_source(value, k) for k in ("src_ts", "src_ps", "src_pr"))
    sources = county.network.sources
    holds = np.array([s.holds_pressure for s in sources])
    if not np.isfinite(flow).any() or not np.isfinite((ps - pr)[holds]).any():
        raise InputError("balance: station flows and the pressures of the holding source must be measured")
    hot = float(np.nanmean(ts)) if np.isfinite(ts).any() else 90.0
    given = np.nan_to_num(book.read_source(value, "src_flow")) * 980.0
    boundary = SteadyBoundary(
        t_source_c=np.where(np.isfinite(ts), ts, hot),
        p_supply_pa=np.where(np.isfinite(ps), ps, [s.p_supply_pa for s in sources]),
        p_return_pa=np.where(np.isfinite(pr), pr, [s.p_return_pa for s in sources]),
        source_flow_kg_s=np.where(holds, np.nan, given), flow_kg_s=flow, t_return_c=back,
        t_ground_c=GROUND_C,
    )  # fmt: skip
    opening = _read(county, value, "cv_pos")
    dp = book.read_station(value, "p1_ps") - book.read_station(value, "p1_pr")
    kv = np.array([s.kv_m3_h for s in county.network.substations])
    with np.errstate(invalid="ignore", divide="ignore"):
        plate = dp / flow**2 - valve_pa_s2_kg2(kv, opening)
    usual = PLATE_PA / net.station_design_kg_s**2
    plate = np.where(np.isfinite(plate), np.clip(plate, 0.1 * usual, 10.0 * usual), usual)
    return balance_stations(net, boundary, opening.reshape(n), plate)


def _read(county: County, value: Floats, key: str) -> Floats:
    found = (county.point_by_id.get(f"{s.id}/{key}") for s in county.network.substations)
    return np.array([np.nan if p is None else value[p.no] for p in found])


def write_work_list(
    county: County, rows: tuple[BalanceRow, ...], inlets: tuple[InletRow, ...], lang: str
) -> bytes:
    """The work lists of stations and of inlet valves as an Excel file of two sheets."""
    names = {s.id: s.name if lang == "zh" else s.name_en for s in county.network.substations}
    book = Workbook()
    sheet = book.active
    sheet.title = translate("balance.list", lang)[:31]
    heads = ("station", "ratio", "opening", "wanted_opening", "wanted_flow", "spare", "act")
    sheet.append([translate(f"balance.{h}", lang) for h in heads])
    for r in rows:
        sheet.append(
            [names[r.station_id], _plain(r.ratio, 2), _plain(100.0 * r.opening, 0),
             _plain(100.0 * r.wanted_opening, 0), _plain(3.6 * r.wanted_kg_s, 1), _plain(r.spare_pa / 1e3, 0),
             say_act(r, lang)]
        )  # fmt: skip
    for column, width in zip("ABCDEFG", (24, 10, 12, 12, 14, 14, 40), strict=True):
        sheet.column_dimensions[column].width = width
    _write_inlets(county, book, inlets, lang)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_inlets(county: County, book: Workbook, rows: tuple[InletRow, ...], lang: str) -> None:
    names = {s.id: s.name if lang == "zh" else s.name_en for s in county.network.substations}
    buildings = {b.id: b for b in county.buildings}
    sheet = book.create_sheet(translate("balance.inlets", lang)[:31])
    heads = ("building", "station", "homes", "room", "beside", "sigma", "turn", "flow_now", "flow_wanted")
    sheet.append([translate(f"balance.{h}", lang) for h in heads])
    for r in rows:
        if r.act:
            b = buildings[r.building_id]
            sheet.append(
                [b.name or b.id, names[r.station_id], b.homes, _plain(r.room_c, 1), _plain(r.beside_k, 1),
                 _plain(r.sigma_k, 1), _plain(100.0 * (r.turn - 1.0), 0), _plain(3.6 * r.flow_kg_s, 1),
                 _plain(3.6 * r.flow_kg_s * r.turn, 1)]
            )  # fmt: skip
    for column, width in zip("ABCDEFGHI", (24, 24, 8, 12, 14, 12, 14, 14, 14), strict=True):
        sheet.column_dimensions[column].width = width


def _plain(x: float, digits: int) -> float | None:
    return round(x, digits) if np.isfinite(x) else None


def say_act(r: BalanceRow, lang: str) -> str:
    """What is to be done at a station, in words; empty when nothing is."""
    if not np.isfinite(r.ratio):
        return translate("balance.unknown", lang)
    if r.spare_pa < 0.0:
        return translate("balance.short", lang, kpa=f"{-r.spare_pa / 1e3:.0f}")
    if not r.act:
        return ""
    return translate("balance.set", lang, opening=f"{100.0 * r.wanted_opening:.0f}")
