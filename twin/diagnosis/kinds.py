"""The faults that are looked for: one row each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One row.

    ``place``: pipe, station, source, room, point or device. ``unit``: quantity of the size (see
    ``twin.model.quantities``), "share" for a share of the value, "" for none. ``least``: sizes below are not
    told. ``evidence`` that must be gathered before it is told (half the squared sigmas explained).
    ``rarity``: logarithm of how rare it is against a drifting sensor.
    ``sign``: 1 where the size can only be positive, else 0.
    """

    key: str
    place: str
    unit: str
    least: float
    evidence: float
    rarity: float
    sign: int = 0


_ROWS = (
    FaultKind("leak", "pipe", "mass_flow", 0.4, 18.0, -1.0, 1),
    FaultKind("blockage", "pipe", "pressure", 1.5e2, 20.0, -2.5, 1),
    FaultKind("fouling", "station", "share", 0.10, 18.0, -0.5, 1),
    FaultKind("stuck_valve", "station", "", 0.0, 12.0, -0.5),
    FaultKind("pump_trip", "station", "", 0.4, 12.0, 0.0, 1),
    FaultKind("weak_pump", "station", "share", 0.06, 25.0, -0.5, 1),
    FaultKind("air", "station", "share", 0.06, 25.0, -0.7, 1),
    FaultKind("secondary_leak", "station", "share", 1.0, 30.0, -0.5, 1),
    FaultKind("secondary_draw", "station", "share", 1.0, 30.0, -0.5, 1),
    FaultKind("draw", "pipe", "mass_flow", 0.4, 18.0, -1.0, 1),
    FaultKind("imbalance", "station", "share", 0.08, 25.0, -0.5),
    FaultKind("open_room", "room", "temperature_difference", 1.2, 18.0, -0.5),
    FaultKind("source_trip", "source", "temperature_difference", 4.0, 40.0, -0.5, 1),
    FaultKind("sensor_bias", "point", "", 0.0, 30.0, -0.5),
    FaultKind("sensor_drift", "point", "", 0.0, 30.0, -0.5),
    FaultKind("sensor_freeze", "point", "", 0.0, 12.0, 0.0),
    FaultKind("sensor_swap", "point", "", 0.0, 12.0, 0.0),
    FaultKind("gateway_offline", "device", "", 0.0, 1.0, 0.0),
)
FAULTS: dict[str, FaultKind] = {row.key: row for row in _ROWS}

SENSOR_STEP: dict[str, float] = {
    "p1_ts": 1.0, "p1_tr": 1.0, "s2_ts": 1.0, "s2_tr": 1.0, "src_ts": 1.0, "src_tr": 1.0,
    "p1_ps": 1e4, "p1_pr": 1e4, "src_ps": 1e4, "src_pr": 1e4,
    "s2_ps": 1e4, "s2_pr": 1e4,
    "p1_flow": 0.01, "p1_heat": 0.01, "s2_flow": 0.01, "src_flow": 0.01, "src_heat": 0.01,
}  # fmt: skip
"""By how much each meter is moved to see what its error would do: K, Pa, or a share of the value."""
SENSOR_LEAST: dict[str, float] = {
    "p1_ts": 1.0, "p1_tr": 1.0, "s2_ts": 1.0, "s2_tr": 1.0, "src_ts": 1.0, "src_tr": 1.0,
    "p1_ps": 1.5e4, "p1_pr": 1.5e4, "src_ps": 1.5e4, "src_pr": 1.5e4,
    "s2_ps": 1.5e4, "s2_pr": 1.5e4,
    "p1_flow": 0.05, "p1_heat": 0.05, "s2_flow": 0.05, "src_flow": 0.05, "src_heat": 0.05,
}  # fmt: skip
"""Errors below these are not told, in the same units."""
RELATIVE = frozenset(k for k, v in SENSOR_STEP.items() if v == 0.01)
