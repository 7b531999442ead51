"""Which points may be written, within which limits, and where their effect is read back.

A set-point is an ordinary measured point (the device says what it holds) whose key stands in this table. The
range of the point in the county's table narrows the limits further. Source: usual ranges of station
controllers (GB/T 28638, CJJ 203); a county with other plants narrows them in its point table.
"""

from dataclasses import dataclass

from twin.model.county import County, Point


@dataclass(frozen=True, slots=True)
class Setpoint:
    """One row. ``low``, ``high``, ``step`` (largest change at once) and ``tolerance`` in SI.

    ``feedback``: key of the point (of the same place) that shows that the value has arrived, within
    ``tolerance`` and before ``timeout_s``. ``switch``: only whole values.
    """

    key: str
    feedback: str
    low: float
    high: float
    step: float
    tolerance: float
    timeout_s: float
    switch: bool = False


_ROWS = (
    Setpoint("cv_sp", "cv_pos", 0.05, 1.0, 0.30, 0.02, 240.0),
    Setpoint("s2_ts_sp", "s2_ts_sp", 25.0, 75.0, 8.0, 0.5, 120.0),
    Setpoint("cp1_hz_sp", "cp1_hz", 20.0, 50.0, 10.0, 0.5, 120.0),
    Setpoint("mode", "mode", 0.0, 1.0, 1.0, 0.1, 120.0, switch=True),
    Setpoint("src_ts_sp", "src_ts_sp", 60.0, 130.0, 15.0, 0.5, 120.0),
    Setpoint("src_dp_sp", "src_dp_sp", 5e4, 1.2e6, 1.5e5, 5e3, 120.0),
    Setpoint("src_flow_sp", "src_flow_sp", 0.0, 3.0, 0.15, 2e-3, 120.0),
    Setpoint("src_auto", "src_auto", 0.0, 1.0, 1.0, 0.1, 120.0, switch=True),
)

SETPOINTS: dict[str, Setpoint] = {row.key: row for row in _ROWS}


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be asked of one point: its row, the narrower of the limits, and its read-back point."""

    setpoint: Setpoint
    low: float
    high: float
    feedback: Point | None


def find_limits(county: County, point: Point) -> Limits | None:
    """Limits of a point; None when it may not be written at all."""
    row = SETPOINTS.get(point.key)
    if row is None:
        return None
    feedback = county.point_by_id.get(f"{point.place_id}/{row.feedback}")
    return Limits(row, max(row.low, point.low), min(row.high, point.high), feedback)


def list_setpoints(county: County) -> list[tuple[Point, Limits]]:
    """Every point of the county that may be written, in the order of its table."""
    found = [(p, find_limits(county, p)) for p in county.points]
    return [(p, limits) for p, limits in found if limits is not None]
