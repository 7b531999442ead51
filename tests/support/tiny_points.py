"""Devices and measured points of the tiny county: every dialect, every vendor's units."""

from twin.model.county import Device, Point
from twin.model.points import POINT_KINDS

_STATION_KEYS = [
    *("p1_ts", "p1_tr", "p1_ps", "p1_pr", "p1_flow", "p1_vol", "p1_heat", "p1_energy", "cv_pos", "cv_sp"),
    *("s2_ts", "s2_tr", "s2_ps", "s2_pr", "s2_flow", "mk_flow", "mk_vol", "tank_l", "cp1_run", "cp1_hz"),
    *("cp1_a", "p_kw", "e_kwh", "mains", "t_stn", "flood", "mode", "fault"),
]
_SOURCE_KEYS = [
    *("src_ts", "src_tr", "src_ps", "src_pr", "src_flow", "src_heat", "src_energy", "src_kwh", "src_mk"),
]
_WEATHER_KEYS = ["t_out", "wind", "solar", "rh_out"]
_ROOM_KEYS = ["room_t", "room_rh", "room_bat"]

# dialect: vendor unit by quantity
_UNITS = {
    "flat": {"temperature": "°C", "pressure": "MPa", "volume_flow": "m3/h", "power": "kW", "energy": "GJ"},
    "thingsboard": {
        "temperature": "degC",
        "pressure": "kPa",
        "volume_flow": "L/h",
        "power": "MW",
        "energy": "MWh",
    },
    "sparkplug": {
        "temperature": "K",
        "pressure": "bar",
        "volume_flow": "m3/s",
        "power": "GJ/h",
        "energy": "GJ",
    },
}
_PLAIN_UNITS = {
    "volume": "m3", "fraction": "%", "humidity": "%", "level": "m", "frequency": "Hz", "current": "A",
    "voltage": "V", "electric_power": "kW", "electric_energy": "kWh", "speed": "m/s", "irradiance": "W/m2",
    "state": "1", "code": "1",
}  # fmt: skip


def make_devices() -> tuple[tuple[Device, ...], dict[str, list[str]]]:
    """Return devices and, per device id, its point keys."""
    rows: list[tuple[Device, list[str]]] = [
        (Device("D-S01", "rtu", "东关站控制器", "S01", "flat", "RTU0001", "Lanke"), _STATION_KEYS),
        (Device("D-S02", "rtu", "河滨站控制器", "S02", "thingsboard", "HRZ-002", "Hengtong"), _STATION_KEYS),
        (Device("D-S03", "rtu", "文昌站控制器", "S03", "sparkplug", "station03", "Ruitong"), _STATION_KEYS),
        (Device("D-S04", "rtu", "南门站控制器", "S04", "flat", "RTU0004", "Lanke"), _STATION_KEYS),
        (Device("D-SRC1", "plc", "热电厂首站", "SRC1", "sparkplug", "chp", "Ruitong"), _SOURCE_KEYS),
        (Device("D-SRC2", "plc", "调峰锅炉房", "SRC2", "sparkplug", "boiler", "Ruitong"), _SOURCE_KEYS),
        (Device("D-WX1", "weather", "气象站", "WX1", "flat", "WX0001", "Tianqi"), _WEATHER_KEYS),
        (Device("D-RG1", "river_gauge", "河道水位计", "RG1", "flat", "RG0001", "Shuiwen"), ["river_l"]),
    ]
    for building_id in ("B01", "B03", "B05"):
        name = f"室温采集器 {building_id}"
        rows.append(
            (
                Device(
                    f"D-{building_id}",
                    "room",
                    name,
                    building_id,
                    "thingsboard",
                    f"ROOM-{building_id}",
                    "Wenxin",
                ),
                _ROOM_KEYS,
            )
        )
    return tuple(d for d, _ in rows), {d.id: keys for d, keys in rows}


def _external_key(dialect: str, key: str) -> str:
    if dialect == "flat":
        return key.upper()
    if dialect == "thingsboard":
        return "".join(w.capitalize() if i else w for i, w in enumerate(key.split("_")))
    return f"Station/{key}"


_SETPOINTS = {"S": ["s2_ts_sp", "cp1_hz_sp"], "SRC": ["src_ts_sp", "src_auto", "src_dp_sp", "src_flow_sp"]}
"""By the letters of the place's id; numbered after all others."""


def make_points(devices: tuple[Device, ...], keys: dict[str, list[str]]) -> tuple[Point, ...]:
    """Return the points of ``devices``, numbered in their order."""
    points: list[Point] = []
    rows = [(d, key) for d in devices for key in keys[d.id]]
    rows += [(d, key) for d in devices for key in _SETPOINTS.get(d.place_id.rstrip("0123456789"), [])]
    for device, key in rows:
        units = {**_PLAIN_UNITS, **_UNITS[device.dialect]}
        kind = POINT_KINDS[key]
        points.append(
            Point(
                no=len(points),
                id=f"{device.place_id}/{key}",
                device_id=device.id,
                place_id=device.place_id,
                key=key,
                quantity=kind.quantity,
                external_key=_external_key(device.dialect, key),
                unit=units[kind.quantity],
                period_s=float(kind.period_s),
                deadband=float(kind.deadband),
                low=float(kind.low),
                high=float(kind.high),
                simulated=kind.simulated,
            )
        )
    return tuple(points)
