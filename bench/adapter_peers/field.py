"""Who takes part, and the county in which every peer is a device with the same points."""

from dataclasses import dataclass, replace

from tests.support.tiny import make_tiny_county
from twin.model.county import County, Device, Point
from twin.model.points import POINT_KINDS

Values = dict[str, float | bool]

UNITS = {
    "p1_ts": "°C", "p1_ps": "MPa", "p1_flow": "m3/h", "p1_energy": "GJ", "t_stn": "°C", "cp1_run": "1",
    "cv_pos": "%", "cv_sp": "%", "mode": "1",
}  # fmt: skip
TO_SI = {"MPa": 1e6, "m3/h": 1 / 3600.0, "GJ": 1e9, "%": 0.01}
"""By hand, so that a wrong table of units is seen; units that are not named are SI or °C already."""
FIRST: Values = {
    "p1_ts": 81.5, "p1_ps": 0.625, "p1_flow": 36.0, "p1_energy": 1234567.875, "t_stn": -5, "cp1_run": True,
    "cv_pos": 40.0, "cv_sp": 40.0,
}  # fmt: skip
SECOND: Values = {
    "p1_ts": 82.25, "p1_ps": 0.5, "p1_flow": 36.5, "p1_energy": 1234568.125, "t_stn": -6, "cp1_run": False,
    "cv_pos": 41.0, "cv_sp": 41.0,
}  # fmt: skip
"""All of them are exact as 32-bit numbers, but for the counter."""
ORDER_PERCENT = 45.0


@dataclass(frozen=True, slots=True)
class Peer:
    """One SDK. ``name``: ``Device.external_id``; ``key``: how it writes a key;
    ``written``: it takes set-points; ``end``: whether ingest learns of its end; ``extra``: further points as
    (vendor's key, kind, unit); ``switch``: it also has a boolean that can be set."""

    script: str
    package: str
    licence: str
    family: str
    dialect: str
    name: str
    exchanged: str
    key: str = "{}"
    written: bool = True
    end: bool = True
    extra: tuple[tuple[str, str, str], ...] = ()
    switch: bool = False

    def keys(self) -> dict[str, str]:
        """Point key -> the vendor's key."""
        plain = {k: k.replace("_", "-") if self.dialect == "homie" else k.upper() for k in UNITS}
        return {k: self.key.format(v) for k, v in plain.items() if self.switch or k != "mode"}


EPL, MIT, APACHE, ISC = "EPL-2.0", "MIT", "Apache-2.0", "ISC"
HUAWEI = "huaweicloud-iot-device-sdk-python"
PEERS = (
    Peer("tahu.cjs", "sparkplug-client", EPL, "node", "sparkplug", "tahu",
         "births with aliases, data by alias, compressed data, DCMD, NDEATH"),
    Peer("sparkplug_py.py", "pysparkplug", APACHE, "modern", "sparkplug", "pyspb",
         "births, data, 16-bit integers, DCMD, NDEATH"),
    Peer("sparkplug_wrapper.py", "mqtt-spb-wrapper", EPL, "protobuf3", "sparkplug", "wrapper",
         "birth of a device alone, data, DCMD, DDEATH"),
    Peer("tb_gateway.py", "tb-mqtt-client", APACHE, "thingsboard", "thingsboard", "tb-behind-a-gateway",
         "gateway API: connect, attributes, telemetry, RPC, disconnect"),
    Peer("tb_device.py", "tb-mqtt-client", APACHE, "thingsboard", "thingsboard", "tb-device",
         "device API behind a mount point of Mosquitto: attributes, telemetry", written=False, end=False),
    Peer("tb_http.py", "tb-mqtt-client", APACHE, "thingsboard", "thingsboard", "tb-http",
         "device API over HTTP, through the push gateway: attributes, telemetry", written=False, end=False),
    Peer("homie_node.cjs", "node-homie", MIT, "node", "homie", "homie-node",
         "description, states, retained values, log, alert, set of a number and of a switch, end",
         key="station/{}", switch=True),
    Peer("homie_ebus.py", "ebus-sdk", MIT, "modern", "homie", "homie-ebus",
         "description, strict datatypes, a value taken back, set of a number and of a switch, end",
         key="station/{}", switch=True, extra=(("station/spare", "tank_l", "m"),)),
    Peer("chirpstack.py", "chirpstack-api", MIT, "modern", "chirpstack", "24e124136b502217",
         "its message definitions as JSON: join, uplink, status, ack, txack, log", written=False, end=False,
         extra=(("rssi", "t_out", "°C"), ("batteryLevel", "s2_tr", "°C"))),
    Peer("huawei_device.py", HUAWEI, APACHE, "huawei", "huawei", "5e06bfee_hrz01",
         "property report with and without a time, property set and its answer",
         key="Station/{}", end=False),
    Peer("huawei_gateway.py", HUAWEI, APACHE, "huawei", "huawei", "5e06bfee_sub01",
         "a gateway's report for a sub-device, property set through the gateway",
         key="Station/{}", end=False),
    Peer("aliyun_linkkit.py", "aliyun-iot-linkkit", APACHE, "protobuf3", "aliyun", "a1B2c3/linkkit",
         "property posts and their answers, property set and its answer", end=False),
    Peer("aliyun_node.cjs", "alibabacloud-iot-device-sdk", MIT, "node", "aliyun", "a1B2c3/node",
         "property posts, an event, their answers, property set and its answer", end=False),
    Peer("ngsi.py", "ngsildclient", APACHE, "modern", "ngsi-ld", "urn:ngsi-ld:HeatSubstation:S07",
         "normalized entities in a notification", written=False, end=False),
    Peer("csv_pandas.py", "pandas", "BSD-3-Clause", "here", "csv", "LOG-pandas",
         "wide with a time index, long with semicolons", written=False, end=False),
    Peer("csv_node.cjs", "csv-stringify", MIT, "node", "csv", "LOG-node",
         "byte order mark, quoted cells, Windows line ends", written=False, end=False),
    Peer("flat_node.cjs", "mqtt", MIT, "node", "flat", "RTU-node",
         "MQTT 5, state, data, set-point and its answer, last will"),
)  # fmt: skip


def make_field() -> County:
    """The tiny county with one building and one device per peer, named after its script."""
    tiny = make_tiny_county()
    buildings, devices, points = list(tiny.buildings), list(tiny.devices), list(tiny.points)
    for peer in PEERS:
        place = f"X-{peer.script.partition('.')[0]}"
        buildings.append(replace(tiny.buildings[-1], id=place))
        devices.append(Device(place, "rtu", peer.package, place, peer.dialect, peer.name, ""))
        rows = [(external, key, UNITS[key]) for key, external in peer.keys().items()]
        for external, key, unit in (*rows, *peer.extra):
            kind = POINT_KINDS[key]
            points.append(
                Point(len(points), f"{place}/{key}", place, place, key, kind.quantity, external, unit,
                      kind.period_s, kind.deadband, kind.low, kind.high)
            )  # fmt: skip
    return replace(tiny, buildings=tuple(buildings), devices=tuple(devices), points=tuple(points))


def to_si(unit: str, value: float | bool) -> float:
    """The number the store must hold."""
    return float(value) * TO_SI.get(unit, 1.0)
