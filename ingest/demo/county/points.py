"""Devices and points: three vendors' dialects, keys and units."""

import numpy as np

from ingest.demo.county.vendors import MAKERS, external_key, vendor_unit
from twin.model.county import Building, Device, Feature, Point
from twin.model.network import Source, Substation
from twin.model.points import POINT_KINDS

STATION_KEYS = [
    "p1_ts",
    "p1_tr",
    "p1_ps",
    "p1_pr",
    "p1_flow",
    "p1_vol",
    "p1_heat",
    "p1_energy",
    "cv_pos",
    "cv_sp",
    "s2_ts",
    "s2_tr",
    "s2_ps",
    "s2_pr",
    "s2_flow",
    "mk_flow",
    "mk_vol",
    "tank_l",
    "cp1_run",
    "cp1_hz",
    "cp1_a",
    "p_kw",
    "e_kwh",
    "mains",
    "t_stn",
    "flood",
    "mode",
    "fault",
]
SOURCE_KEYS = [
    "src_ts",
    "src_tr",
    "src_ps",
    "src_pr",
    "src_flow",
    "src_heat",
    "src_energy",
    "src_kwh",
    "src_mk",
]
STATION_SETPOINTS = ("s2_ts_sp", "cp1_hz_sp")
SOURCE_SETPOINTS = ("src_ts_sp", "src_auto")
PUMP_SETPOINTS = {True: ("src_dp_sp",), False: ("src_flow_sp",)}
"""Of a source that holds the pressure, and of another."""
WEATHER_KEYS = ("t_out", "wind", "solar", "rh_out")
ROOM_KEYS = ("room_t", "room_rh", "room_bat")
BUILDING_KEYS = ("b_ts", "b_tr", "b_flow")


class Registry:
    """Collects devices and numbers their points in order."""

    def __init__(self) -> None:
        self.devices: list[Device] = []
        self.points: list[Point] = []

    def add(self, device: Device, keys: tuple[str, ...] | list[str], place_id: str = "") -> None:
        """A device with its points; ``place_id``: where the points belong when not at the device's place."""
        self.devices.append(device)
        self.extend(device, keys, place_id)

    def extend(self, device: Device, keys: tuple[str, ...] | list[str], place_id: str = "") -> None:
        """More points of a device; numbers that were given stay."""
        place = place_id or device.place_id
        for key in keys:
            kind = POINT_KINDS[key]
            self.points.append(
                Point(
                    len(self.points),
                    f"{place}/{key}",
                    device.id,
                    place,
                    key,
                    kind.quantity,
                    external_key(device.dialect, key),
                    vendor_unit(device.dialect, kind.quantity),
                    float(kind.period_s),
                    float(kind.deadband),
                    float(kind.low),
                    float(kind.high),
                    kind.simulated,
                )
            )


def make_registry(
    stations: list[Substation], sources: list[Source], buildings: list[Building], features: list[Feature],
    rng: np.random.Generator, rooms: int = 750, metered: int = 150,
) -> Registry:  # fmt: skip
    """Every device of the county."""
    r = Registry()
    dialects = ("flat", "thingsboard", "sparkplug")
    for i, s in enumerate(stations):
        d = dialects[(i * 2 + i // 5) % 3] if i else "flat"
        code = {"flat": f"HRZ{i + 1:03d}", "thingsboard": f"站点-{i + 1:02d}", "sparkplug": f"HS{i + 1:02d}"}[
            d
        ]
        r.add(Device(f"D-{s.id}", "station_plc", f"{s.name}控制柜", s.id, d, code, MAKERS[d]), STATION_KEYS)
    for source, code in zip(sources, ("CHP01", "PB01"), strict=True):
        r.add(
            Device(
                f"D-{source.id}",
                "source_dcs",
                f"{source.name}采集站",
                source.id,
                "sparkplug",
                code,
                "Nordwerk",
            ),
            SOURCE_KEYS,
        )
    for f in features:
        if f.layer == "weather_station":
            r.add(
                Device(f"D-{f.id}", "weather_station", f.name, f.id, "flat", "QX001", "陇中自控"),
                WEATHER_KEYS,
            )
        if f.layer == "river_gauge":
            r.add(Device(f"D-{f.id}", "river_gauge", f.name, f.id, "flat", f.id, "水文仪器"), ("river_l",))
    heated = [b for b in buildings if b.heated]
    for b in [heated[j] for j in sorted(rng.permutation(len(heated))[:metered])]:
        r.add(
            Device(f"D-{b.id}", "heat_meter", f"{b.name}热表", b.id, "thingsboard", f"RB-{b.id}", "华热物联"),
            BUILDING_KEYS,
        )
    homes = [b for b in heated if b.homes > 0]
    weight = np.array([b.homes for b in homes], float)
    picks = rng.choice(len(homes), rooms, p=weight / weight.sum())
    count: dict[str, int] = {}
    for no, j in enumerate(sorted(picks.tolist()), 1):
        b = homes[j]
        count[b.id] = count.get(b.id, 0) + 1
        floor = 1 + (count[b.id] * 5) % max(b.floors, 1)
        room = f"{floor}{count[b.id]:02d}"
        device = Device(
            f"D-R{no:04d}", "room_sensor", f"{b.name}{room}室", b.id, "thingsboard", f"SW{no:05d}", "华热物联"
        )
        r.add(device, ROOM_KEYS, f"{b.id}:{room}")
    for device in r.devices:
        if device.kind in ("station_plc", "source_dcs"):
            r.extend(device, STATION_SETPOINTS if device.kind == "station_plc" else SOURCE_SETPOINTS)
    holds = {s.id: s.holds_pressure for s in sources}
    for device in r.devices:
        if device.kind == "source_dcs":
            r.extend(device, PUMP_SETPOINTS[holds[device.place_id]])
    return r
