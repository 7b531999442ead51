"""Checks of devices and measured points: references, names on the wire, quantities and units."""

from collections.abc import Iterable, Sequence
from typing import Any

from twin.model.check_table import UNIT_CARRIES
from twin.model.county import County
from twin.model.findings import Finding, make_finding
from twin.model.points import POINT_KINDS
from twin.model.quantities import QUANTITIES, VENDOR_UNITS


def list_place_ids(county: County) -> set[str]:
    """Return every id that a device or a point may be at."""
    n = county.network
    tables: tuple[Sequence[Any], ...] = (
        county.places, county.buildings, n.sources, n.substations, n.nodes, county.features,
    )  # fmt: skip
    return {row.id for table in tables for row in table}


def _is_known_place(place_id: str, known: set[str]) -> bool:
    """``<id>`` or ``<id>:<part>``, e.g. a room ``B0007:302`` of building ``B0007``."""
    return place_id in known or place_id.partition(":")[0] in known


def check_devices(county: County) -> Iterable[Finding]:
    """Yield the findings of the devices: places and names on the wire."""
    known = list_place_ids(county)
    names: dict[tuple[str, str], str] = {}
    for d in county.devices:
        if not _is_known_place(d.place_id, known):
            yield make_finding("devices", d.id, "unknown_place", field="place_id", ref=d.place_id)
        other = names.setdefault((d.dialect, d.external_id), d.id)
        if other != d.id:
            yield make_finding("devices", d.id, "duplicate_external", other=other, name=d.external_id)


def check_points(county: County) -> Iterable[Finding]:
    """Yield the findings of the points: numbering, references, quantities and units."""
    known, devices = list_place_ids(county), {d.id for d in county.devices}
    names: dict[tuple[str, str], str] = {}
    for row, p in enumerate(county.points):
        if p.no != row:
            yield make_finding("points", p.id, "point_no", no=p.no, row=row)
        if p.id != f"{p.place_id}/{p.key}":
            yield make_finding("points", p.id, "point_id", expected=f"{p.place_id}/{p.key}")
        if p.device_id not in devices:
            yield make_finding("points", p.id, "unknown_device", ref=p.device_id)
        if not _is_known_place(p.place_id, known):
            yield make_finding("points", p.id, "unknown_place", field="place_id", ref=p.place_id)
        if not p.low < p.high:
            yield make_finding("points", p.id, "wrong_order", high="high", low="low")
        other = names.setdefault((p.device_id, p.external_key), p.id)
        if other != p.id:
            yield make_finding("points", p.id, "duplicate_external", other=other, name=p.external_key)
        yield from _check_quantity(p.id, p.key, p.quantity, p.unit)


def _check_quantity(point_id: str, key: str, quantity: str, unit: str) -> Iterable[Finding]:
    kind = POINT_KINDS.get(key)
    if kind is None:
        yield make_finding("points", point_id, "unknown_key", value=key)
    if quantity not in QUANTITIES:
        yield make_finding("points", point_id, "unknown_quantity", value=quantity)
    elif kind is not None and kind.quantity != quantity:
        yield make_finding(
            "points", point_id, "quantity_differs", key=key, expected=kind.quantity, found=quantity
        )
    if unit not in VENDOR_UNITS:
        yield make_finding("points", point_id, "unknown_unit", value=repr(unit))
    elif quantity in QUANTITIES and quantity not in UNIT_CARRIES.get(unit, (quantity,)):
        yield make_finding("points", point_id, "unit_misfit", unit=unit or "''", quantity=quantity)
