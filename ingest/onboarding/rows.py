"""Devices and points that the published flows make; those taken back stay as retired."""

from dataclasses import replace

import msgspec

from ingest.onboarding.flow import Flow, MapRow
from ingest.onboarding.state import RETIRED, State
from twin.model.county import County, Device, Point
from twin.model.points import POINT_KINDS
from twin.model.quantities import convert_to_si

GONE = "~"
"""Beginning of a name on the wire that no message carries."""
NEVER_S = 1e7
"""Period of a retired point: nobody waits for it."""


def make_devices(flow: Flow) -> tuple[Device, ...]:
    """The devices of one flow."""
    return tuple(
        Device(
            flow.device_id(d.external_id), flow.kind, d.name, d.place_id, flow.dialect,
            flow.wire_name(d.external_id), flow.vendor,
        )
        for d in flow.devices
    )  # fmt: skip


def make_points(flow: Flow) -> tuple[Point, ...]:
    """The points of one flow, without numbers (-1)."""
    return tuple(
        _make_point(flow.device_id(d.external_id), d.where, m) for d in flow.devices for m in flow.maps
    )


def _make_point(device_id: str, where: str, m: MapRow) -> Point:
    scale = convert_to_si(1.0, m.unit) - convert_to_si(0.0, m.unit)
    kind = POINT_KINDS.get(m.key)  # the twin gives a value beside a station's own points, not its parts'
    return Point(
        -1, f"{where}/{m.key}", device_id, where, m.key, m.quantity, m.external_key, m.unit, m.period_s,
        m.deadband * scale, convert_to_si(m.low, m.unit), convert_to_si(m.high, m.unit),
        simulated=kind is not None and kind.simulated and ":" not in where,
    )  # fmt: skip


def rebuild(state: State, county: County) -> State:
    """``state`` with the devices and points of its live flows; known points keep their numbers.

    Parameters
    ----------
    county : without what was onboarded
    """
    devices = {d.id: d for flow in state.live for d in make_devices(flow)}
    points = {p.id: p for flow in state.live for p in make_points(flow)}
    numbers = {p.id: p.no for p in state.points}
    taken = set(numbers.values()) | {p.no for p in county.points}
    free = max(taken, default=-1) + 1
    rows: list[Point] = []
    for p in points.values():
        if p.id in numbers:
            no = numbers[p.id]
        else:
            no, free = free, free + 1
        rows.append(replace(p, no=no))
    retired = [_retire(p) for p in state.points if p.id not in points]
    rows += retired
    held = {p.device_id for p in retired}
    gone = [
        Device(d.id, RETIRED, d.name, d.place_id, d.dialect, _gone(d.external_id, d.id), d.vendor)
        for d in state.devices
        if d.id not in devices and d.id in held
    ]
    return msgspec.structs.replace(
        state, devices=(*devices.values(), *gone), points=tuple(sorted(rows, key=lambda p: p.no))
    )


def _retire(p: Point) -> Point:
    return replace(p, external_key=_gone(p.external_key, p.id), period_s=NEVER_S, simulated=False)


def _gone(name: str, own: str) -> str:
    """A name that no message carries, unlike those of other retired rows."""
    return name if name.startswith(GONE) else f"{GONE}{own}/{name}"
