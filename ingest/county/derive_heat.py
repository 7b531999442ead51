"""Fill what a survey leaves out of buildings, stations, sources and points, by the usual design rules.

Sources: CJJ 34 design practice (110/60 primary, 75/50 secondary, heat index per floor area); the radiator
equation t_s = t_n + dm * Q^(1/1.3) + dd * Q / 2 for the compensation curve.
"""

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
import shapely

from ingest.county.mapping import ImportOptions
from ingest.county.records import convert_cell
from ingest.county.report import Note, make_note
from ingest.county.schema import LAYERS
from ingest.county.tables import ImportTable
from twin.model.county import CountyMeta
from twin.model.plane import Plane
from twin.model.points import POINT_KINDS

Tables = dict[str, ImportTable]

_CP_J_KG_K = 4190.0
_PRIMARY_C = (110.0, 60.0)
_SECONDARY_DT_K = 25.0
_TIME_CONSTANT_S = 80.0 * 3600.0
_FLOOR_M = 3.0
_OUTDOOR_C = (-20.0, -15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0)


def derive_heat(tables: Tables, meta: CountyMeta, options: ImportOptions, plane: Plane) -> list[Note]:
    """Complete buildings, substations, sources and points, in place."""
    notes: list[Note] = []
    _derive_buildings(tables, meta, options, plane, notes)
    _derive_substations(tables, meta, options, notes)
    _derive_sources(tables["sources"], notes)
    _derive_points(tables, notes)
    return notes


def _fill(table: ImportTable, column: str, how: str, make: Callable[[int], Any], notes: list[Note]) -> None:
    """Fill a column by ``make``; a row whose inputs are missing or mistyped stays missing, to be found."""

    def attempt(row: int) -> Any:
        try:
            return make(row)
        except (TypeError, ValueError, ZeroDivisionError, LookupError, AttributeError):
            return None

    count = table.fill(column, attempt)
    if count:
        notes.append(make_note(table.target, "derived", column=column, count=count, how=how))


def _number(table: ImportTable, column: str, row: int) -> float:
    value = table.column(column)[row]
    if value is None:
        raise LookupError(column)
    return float(value)


def _derive_buildings(
    tables: Tables, meta: CountyMeta, options: ImportOptions, plane: Plane, notes: list[Note]
) -> None:
    table = tables["buildings"]
    if not table.size:
        return
    flag = next(c for c in LAYERS["buildings"].columns if c.name == "heated")
    span_k = meta.room_target_c - meta.design_outdoor_c

    def is_heated(n: int) -> bool:
        return bool(convert_cell(flag, table.column("heated")[n]))

    def make_heat(n: int) -> float:
        return _number(table, "area_m2", n) * options.heat_index_w_m2 if is_heated(n) else 0.0

    stations = tables["substations"]
    place = {stations.id_at(n): shape for n, shape in enumerate(stations.shapes) if shape is not None}

    def make_circuit(n: int) -> float:
        station, at = place[str(table.column("substation_id")[n])], table.shapes[n].centroid
        dx, dy = np.subtract(plane.to_xy((at.x, at.y)), plane.to_xy((station.x, station.y)))
        return 2.0 * float(np.hypot(dx, dy)) if is_heated(n) else 0.0

    _fill(table, "floors", "height / 3 m", lambda n: max(1, round(_number(table, "height_m", n) / 3)), notes)
    _fill(table, "height_m", "3 m per floor", lambda n: _FLOOR_M * _number(table, "floors", n), notes)
    _fill(table, "heated", "substation given", lambda n: table.column("substation_id")[n] is not None, notes)
    _fill(
        table,
        "area_m2",
        "footprint x floors",
        lambda n: _measure_area(table.shapes[n], plane) * _number(table, "floors", n),
        notes,
    )
    _fill(table, "design_heat_w", f"{options.heat_index_w_m2:g} W/m2", make_heat, notes)
    _fill(
        table,
        "ua_w_k",
        "heat / design difference",
        lambda n: _number(table, "design_heat_w", n) / span_k,
        notes,
    )
    _fill(table, "capacity_j_k", "80 h", lambda n: _number(table, "ua_w_k", n) * _TIME_CONSTANT_S, notes)
    flow = _CP_J_KG_K * _SECONDARY_DT_K
    _fill(table, "circuit_flow_kg_s", "25 K", lambda n: _number(table, "design_heat_w", n) / flow, notes)
    _fill(table, "circuit_length_m", "2 x distance to station", make_circuit, notes)


def _measure_area(shape: Any, plane: Plane) -> float:
    scale = np.array([plane.east_m_deg, plane.north_m_deg])
    return float(shapely.transform(shape, lambda c: c * scale).area)


def _derive_substations(tables: Tables, meta: CountyMeta, options: ImportOptions, notes: list[Note]) -> None:
    table, buildings = tables["substations"], tables["buildings"]
    areas: dict[str, float] = {}
    for n in range(buildings.size):
        station, area = buildings.column("substation_id")[n], buildings.column("area_m2")[n]
        if station is not None and area is not None:
            try:
                areas[str(station)] = areas.get(str(station), 0.0) + float(area)
            except ValueError:
                continue
    primary = _CP_J_KG_K * (_PRIMARY_C[0] - _PRIMARY_C[1])
    table_defaults = {c.name: c.default for c in LAYERS["substations"].columns}

    def secondary_c(n: int) -> tuple[float, float]:
        names = ("t_secondary_supply_c", "t_secondary_return_c")
        ts, tr = (table.column(c)[n] for c in names)
        return (
            float(table_defaults[names[0]] if ts is None else ts),
            float(table_defaults[names[1]] if tr is None else tr),
        )

    def make_ua(n: int) -> float:
        ts, tr = secondary_c(n)
        hot, cold = _PRIMARY_C[0] - ts, _PRIMARY_C[1] - tr
        mean = hot if abs(hot - cold) < 1e-6 else (hot - cold) / log(hot / cold)
        return _number(table, "design_heat_w", n) / mean

    def heat(n: int) -> float:
        return _number(table, "design_heat_w", n)

    _fill(table, "area_m2", "sum of its buildings", lambda n: areas[table.id_at(n)], notes)
    how = f"{options.heat_index_w_m2:g} W/m2"
    _fill(
        table, "design_heat_w", how, lambda n: _number(table, "area_m2", n) * options.heat_index_w_m2, notes
    )
    _fill(table, "design_flow_kg_s", "110/60 °C", lambda n: heat(n) / primary, notes)
    _fill(table, "secondary_flow_kg_s", "25 K", lambda n: heat(n) / (_CP_J_KG_K * _SECONDARY_DT_K), notes)
    _fill(table, "hx_ua_w_k", "mean difference", make_ua, notes)
    _fill(table, "kv_m3_h", "1.5 x flow", lambda n: 1.5 * 3.6 * _number(table, "design_flow_kg_s", n), notes)
    _fill(table, "curve", "radiator equation", lambda n: make_curve(meta, *secondary_c(n)), notes)


def make_curve(meta: CountyMeta, supply_c: float, return_c: float) -> tuple[tuple[float, float], ...]:
    """Return the compensation curve of a radiator system designed for ``supply_c``/``return_c``."""
    room = meta.room_target_c
    excess, spread = (supply_c + return_c) / 2.0 - room, supply_c - return_c
    curve = []
    for outdoor in _OUTDOOR_C:
        load = min(1.0, max(0.0, (room - outdoor) / (room - meta.design_outdoor_c)))
        curve.append((outdoor, round(room + excess * load ** (1.0 / 1.3) + spread * load / 2.0, 1)))
    return tuple(curve)


def _derive_sources(table: ImportTable, notes: list[Note]) -> None:
    if not table.size or any(v is not None for v in table.column("holds_pressure")):
        return
    try:
        sizes = [float(v) if v is not None else 0.0 for v in table.column("capacity_w")]
    except ValueError:
        return
    largest = int(np.argmax(sizes))
    _fill(table, "holds_pressure", "largest source", lambda n: n == largest, notes)


def _derive_points(tables: Tables, notes: list[Note]) -> None:
    table, devices = tables["points"], tables["devices"]
    if not table.size:
        return
    places = dict(
        zip((devices.id_at(n) for n in range(devices.size)), devices.column("place_id"), strict=True)
    )
    _fill(table, "no", "in order", lambda n: n, notes)
    _fill(table, "place_id", "of the device", lambda n: places[str(table.column("device_id")[n])], notes)
    _fill(
        table,
        "id",
        "place_id/key",
        lambda n: f"{table.column('place_id')[n]}/{table.column('key')[n]}",
        notes,
    )
    _fill(table, "external_key", "the key", lambda n: table.column("key")[n], notes)
    for name in ("quantity", "period_s", "deadband", "low", "high", "simulated"):

        def take(n: int, name: str = name) -> Any:
            return getattr(POINT_KINDS[str(table.column("key")[n])], name)

        _fill(table, name, "point kind", take, notes)
