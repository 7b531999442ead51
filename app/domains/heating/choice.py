"""What was chosen on the map, as a table: buildings, stations and pipes, for CSV and Excel."""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from openpyxl import Workbook

from app.domains.heating.moment import Moment
from app.i18n import translate
from twin.model.county import County
from twin.model.errors import InputError

Cell = str | float | int | None
MOST = 200_000
UNSAFE = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be a formula to a spreadsheet."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows of the county's building and pipe tables, and ids of stations."""

    buildings: tuple[int, ...]
    stations: tuple[str, ...]
    pipes: tuple[int, ...]


def read_choice(body: object, county: County) -> Choice:
    """From a request.

    Raises
    ------
    InputError : a row is not of the county, or there are too many
    """
    if not isinstance(body, dict):
        raise InputError("choice: give an object with buildings, stations and pipes")
    limits = {"buildings": len(county.buildings), "pipes": len(county.network.pipes)}
    rows: dict[str, tuple[int, ...]] = {}
    for name, limit in limits.items():
        found = body.get(name, [])
        good = isinstance(found, list) and len(found) <= MOST
        if not good or not all(type(n) is int and 0 <= n < limit for n in found):
            raise InputError(f"choice {name}: give a list of rows from 0 to {limit - 1}")
        rows[name] = tuple(found)
    known = {s.id for s in county.network.substations}
    stations = body.get("stations", [])
    if not isinstance(stations, list) or not all(isinstance(s, str) and s in known for s in stations):
        raise InputError("choice stations: give a list of ids of stations")
    return Choice(rows["buildings"], tuple(stations), rows["pipes"])


def list_tables(county: County, c: Choice, moment: Moment, lang: str) -> dict[str, list[list[Cell]]]:
    """Name -> rows, the first row is the head; display units."""
    tables = {
        "buildings": _buildings(county, c, moment, lang),
        "stations": _stations(county, c, moment, lang),
        "pipes": _pipes(county, c, moment, lang),
    }
    names = {k: "choice_" + k for k in tables}
    return {translate(f"scene.{names[k]}", lang): rows for k, rows in tables.items() if len(rows) > 1}


def _head(lang: str, keys: Iterable[str]) -> list[Cell]:
    return [translate(f"scene.{name}", lang) for name in ("col_" + k for k in keys)]


def _round(x: float, digits: int) -> float | None:
    return round(float(x), digits) if math.isfinite(x) else None


def _buildings(county: County, c: Choice, m: Moment, lang: str) -> list[list[Cell]]:
    keys = ("id", "name", "use", "year", "floors", "homes", "area", "heated", "load", "station", "room",
            "room_is", "address")  # fmt: skip
    rows = [_head(lang, keys)]
    for k in c.buildings:
        b = county.buildings[k]
        said = "" if not math.isfinite(m.room_c[k]) else "measured" if m.measured[k] else "estimated"
        rows.append(
            [b.id, b.name, b.use, b.year, b.floors, b.homes, _round(b.area_m2, 0), int(b.heated),
             _round(b.design_heat_w / 1e3, 1), b.substation_id, _round(m.room_c[k], 1),
             translate(f"scene.{said}", lang) if said else "", b.address]
        )  # fmt: skip
    return rows


def _stations(county: County, c: Choice, m: Moment, lang: str) -> list[list[Cell]]:
    rows = [_head(lang, ("id", "name", "area", "load", "t_supply", "t_return", "flow_m3_h", "heat_mw"))]
    for s in county.network.substations:
        if s.id not in c.stations:
            continue

        def at(key: str, scale: float, digits: int, place: str = s.id) -> float | None:
            p = county.point_by_id.get(f"{place}/{key}")
            return None if p is None else _round(m.value[p.no] * scale, digits)

        name = s.name if lang == "zh" else s.name_en
        rows.append(
            [s.id, name, _round(s.area_m2, 0), _round(s.design_heat_w / 1e3, 1), at("p1_ts", 1.0, 1),
             at("p1_tr", 1.0, 1), at("p1_flow", 3600.0, 1), at("p1_heat", 1e-6, 2)]
        )  # fmt: skip
    return rows


def _pipes(county: County, c: Choice, m: Moment, lang: str) -> list[list[Cell]]:
    rows = [_head(lang, ("id", "side", "diameter", "length", "year", "flow", "temperature"))]
    for k in c.pipes:
        p = county.network.pipes[k]
        flow, t = (m.state.mass_flow_kg_s[k], m.state.t_pipe_c[k]) if m.state else (np.nan, np.nan)
        rows.append(
            [p.id, translate(f"scene.{p.side.value}", lang), round(p.diameter_m * 1000),
             _round(p.length_m, 1), p.year, _round(flow * 3.6, 2), _round(t, 1)]
        )  # fmt: skip
    return rows


def _safe(x: Cell) -> Cell:
    return f"'{x}" if isinstance(x, str) and x.startswith(UNSAFE) else x


def write_xlsx(tables: dict[str, list[list[Cell]]]) -> bytes:
    """An Excel workbook, a sheet per table."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name[:31])
        for row in rows:
            sheet.append([_safe(x) for x in row])
        sheet.freeze_panes = "A2"
    if not book.sheetnames:
        book.create_sheet("-")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def write_csv(tables: dict[str, list[list[Cell]]]) -> bytes:
    """One CSV: the tables below each other, each under its name; with the mark that Excel reads UTF-8 by."""
    out = io.StringIO()
    writer = csv.writer(out)
    for n, (name, rows) in enumerate(tables.items()):
        if n:
            writer.writerow([])
        writer.writerow([name])
        writer.writerows([[_safe(x) for x in row] for row in rows])
    return b"\xef\xbb\xbf" + out.getvalue().encode()
