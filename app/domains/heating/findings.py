"""Findings of the twin in words: what it is, where, how big, what shows it, what to check next."""

import math
from dataclasses import dataclass

from app.domains.heating.effects import tell_effect
from app.domains.heating.spots import (
    DIG,
    Spot,
    find_pipe,
    find_spot,
    nearest_station,
    select_place,
    silent_devices,
)
from app.format import format_number, format_value
from app.i18n import translate
from ingest.store.finding_api import TwinFinding
from twin.diagnosis.kinds import FAULTS, RELATIVE
from twin.model.county import County, Point
from twin.model.network import Source, Substation
from twin.model.points import POINT_KINDS

URGENT = frozenset({"leak", "draw", "pump_trip", "source_trip"})
SHOWS: dict[str, tuple[str, ...]] = {
    "blockage": ("p1_ps", "p1_pr"),
    "fouling": ("p1_tr", "s2_ts"),
    "stuck_valve": ("cv_pos", "s2_ts"),
    "pump_trip": ("s2_flow", "s2_ts"),
    "weak_pump": ("s2_flow", "s2_ps"),
    "air": ("s2_flow", "s2_ps"),
    "secondary_leak": ("mk_flow",),
    "secondary_draw": ("mk_flow",),
    "imbalance": ("s2_flow", "s2_tr"),
    "source_trip": ("src_ts", "src_ps"),
}
"""Points of the place that show a fault; a leak shows at the sources, a meter in itself."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding ready to be read.

    ``place_id``: the station or source to select, "" without one; ``spot``: what the scene shows of it, often
    finer; ``points``: what to draw.
    """

    kind: str
    place: str
    size: str
    effect: str
    check: str
    place_id: str
    spot: Spot
    points: tuple[str, ...]


def tell_finding(county: County, f: TwinFinding, lang: str) -> Told:
    """Put a finding into words of ``lang``."""
    place_id, spot = select_place(county, f), find_spot(county, f)
    return Told(
        kind=translate(f"fault.{f.kind}", lang),
        place=_name_found(county, f, spot, lang),
        size=tell_size(county, f.kind, f.place, f.size, lang),
        effect=tell_effect(county, f, lang),
        check=translate(f"advice.{f.kind}", lang),
        place_id=place_id,
        spot=spot,
        points=_points(county, f, place_id, spot),
    )


def _name_found(county: County, f: TwinFinding, spot: Spot, lang: str) -> str:
    """A pipe by its id only when it is likely enough to dig there; of uneven buildings also the worst."""
    if f.kind == "imbalance" and spot.building:
        station = _place_name(county, f.place, lang)
        return translate(
            "fault.worst", lang, station=station, building=_name_room(county, spot.building, lang)
        )
    sure = not f.suspects or f.suspects[0].probability >= DIG
    pipe = find_pipe(county, f.place) if FAULTS[f.kind].place == "pipe" else None
    if pipe is None or sure:
        return name_place(county, f.kind, f.place, lang)
    near = _place_name(county, nearest_station(county, f.place), lang)
    return translate("fault.region", lang, side=translate(f"fault.{pipe.side.value}", lang), near=near)


def name_place(county: County, kind: str, place: str, lang: str) -> str:
    """The place as people call it."""
    sort = FAULTS[kind].place
    if sort == "point":
        return _name_point(county, place, lang)
    if sort == "room":
        return _name_room(county, place, lang)
    if sort == "device":
        return _name_device(county, place, lang)
    if sort == "pipe":
        near = _place_name(county, nearest_station(county, place), lang)
        pipe = find_pipe(county, place)
        side = translate(f"fault.{pipe.side.value}", lang) if pipe is not None else ""
        return translate("fault.pipe", lang, id=place, side=side, near=near)
    return _place_name(county, place, lang)


def _name_point(county: County, place: str, lang: str) -> str:
    point = county.point_by_id.get(place)
    if point is None:
        return place
    what = POINT_KINDS[point.key]
    return f"{_point_place(county, point.place_id, lang)} {what.zh if lang == 'zh' else what.en}"


def _name_device(county: County, place: str, lang: str) -> str:
    if place.startswith("*"):
        return translate("fault.gateway", lang, name=place[1:])
    device = next((d for d in county.devices if d.id == place), None)
    return place if device is None else device.name


def _name_room(county: County, place: str, lang: str) -> str:
    """Building and room of ``building:room``."""
    building, _, room = place.partition(":")
    name = next((b.name for b in county.buildings if b.id == building), building)
    if not room:
        return name
    return translate("fault.room", lang, building=name, room=room)


def tell_size(county: County, kind: str, place: str, size: float, lang: str) -> str:
    """The size with its unit, empty where a fault has none."""
    unit = FAULTS[kind].unit
    point = county.point_by_id.get(place) if kind.startswith("sensor_") else None
    if not math.isfinite(size) or (point is None and not unit):
        return ""
    if point is not None:
        return _tell_error(point, size)
    if kind.startswith("secondary"):
        return translate("fault.times", lang, v=format_number(math.exp(min(size, 7.0)), 1))
    if unit == "share":
        return f"{format_number(100 * size, 0)} %"
    if unit == "mass_flow":
        return f"{format_number(3.6 * size, 1)} t/h"
    return format_value(unit, size)


def _tell_error(point: Point, size: float) -> str:
    if point.key in RELATIVE:
        return f"{format_number(100 * size, 1, sign=True)} %"
    quantity = "temperature_difference" if point.quantity == "temperature" else point.quantity
    return ("+" if size > 0 else "") + format_value(quantity, size)


def _place_name(county: County, place_id: str, lang: str) -> str:
    places: list[Substation | Source] = [*county.network.substations, *county.network.sources]
    for s in places:
        if s.id == place_id:
            return s.name if lang == "zh" else s.name_en
    return place_id


def _point_place(county: County, place_id: str, lang: str) -> str:
    """A meter's place: station, source, building or room."""
    if any(b.id == place_id.partition(":")[0] for b in county.buildings):
        return _name_room(county, place_id, lang)
    return _place_name(county, place_id, lang)


def _points(county: County, f: TwinFinding, place_id: str, spot: Spot) -> tuple[str, ...]:
    sort = FAULTS[f.kind].place
    if f.kind == "sensor_swap":
        rows = [f.place, f"{f.place[:-1]}r"]
        return tuple(r for r in rows if r in county.point_by_id)
    if sort == "point":
        return (f.place,) if f.place in county.point_by_id else ()
    if sort == "room":
        return (f"{f.place}/room_t",) if f"{f.place}/room_t" in county.point_by_id else ()
    if f.kind in ("leak", "draw"):
        rows = [f"{s.id}/{key}" for key in ("src_mk", "src_flow") for s in county.network.sources]
    elif sort == "device":
        mine = silent_devices(county, f.place)
        first = {p.device_id: p.id for p in reversed(county.points)}
        rows = [first[d] for d in mine if d in first] if len(mine) > 1 else []
        rows = rows or [p.id for p in county.points if p.device_id == f.place]
    elif f.kind == "imbalance" and spot.building:
        rows = [f"{spot.building}/{key}" for key in ("b_flow", "b_tr")]
    else:
        rows = [f"{place_id}/{key}" for key in SHOWS.get(f.kind, ())]
    return tuple(r for r in rows if r in county.point_by_id)[:2]
