"""Golden cases of the adapters: folders of files, so that a case is added without code.

``cases/<adapter>/<case>/``: ``topic.txt`` and ``payload.json|bin``; ``before<i>.topic.txt`` and
``before<i>.bin`` are messages that came earlier; ``expected.json`` says what is read, or ``error.txt`` why
the whole message is refused. Devices and points are those of the tiny county, with one more device for each
dialect that it does not have.
"""

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ingest.adapters import Adapter, Decoded, Directory, compile_directory, make_adapters
from ingest.adapters.sparkplug_b_pb2 import Payload
from ingest.onboarding.flow import Source
from tests.support.tiny import make_tiny_county
from twin.model.county import County, Device, Point
from twin.model.points import POINT_KINDS
from twin.model.readings import Quality

CASES = Path(__file__).parent / "cases"
RECEIVED = 1_700_000_000.0
"""When every message of the cases arrives, seconds since 1970 UTC."""


# dialect: vendor's name of the device, then (point kind, vendor's key, vendor's unit)
VENDORS: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "homie": ("boiler-1", (("s2_ts", "secondary/supply", "°C"), ("cp1_run", "pump/running", "1"))),
    "chirpstack": (
        "24e124136b502217",
        (("room_t", "temperature", "°C"), ("room_rh", "humidity", "%"), ("p1_energy", "meter.energy", "GJ"),
         ("fault", "snr", "1"), ("room_bat", "batteryLevel", "V")),
    ),
    "huawei": ("5e06bfee334dd4f3_hrz01", (("p1_ts", "Station/p1Ts", "°C"), ("p1_ps", "Station/p1Ps", "MPa"))),
    "aliyun": ("a1B2c3/hrz01", (("p1_ts", "P1Ts", "°C"), ("p1_heat", "Heat", "kW"))),
    "ngsi-ld": (
        "urn:ngsi-ld:HeatSubstation:S01",
        (("p1_ts", "supplyTemperature", "°C"), ("mode", "auto", "1")),
    ),
    "csv": ("LOG7", (("p1_ts", "P1_TS", "°C"), ("p1_vol", "累计流量", "m3"))),
    "mapped": ("pump/P7", (("s2_ts", "temp", "°C"), ("cp1_run", "pump.run", "1"), ("p1_ps", "p", "MPa"))),
}  # fmt: skip


SOURCES = {
    "pump": Source("factory/+/up", values="d", time="t", text_numbers=True, words={"on": 1.0, "off": 0.0}),
    "list": Source("pumps/report", rows="list", device_from="field", device_at="id", time="ts"),
    "table": Source("pumps/table", format="csv", device_from="field", device_at="sn", time="time"),
    "pairs": Source("pairs/+", rows="data", key_field="name", value_field="value", time="at"),
}
"""Sources of flows, for the adapter of what no dialect reads."""


@cache
def county() -> County:
    """The tiny county and a device ``X-<dialect>`` of each further dialect, in a building of its own."""
    tiny = make_tiny_county()
    devices, points = list(tiny.devices), list(tiny.points)
    taken = {p.place_id for p in points}
    free = [b.id for b in tiny.buildings if b.id not in taken]
    for place, (dialect, (external_id, rows)) in zip(free, VENDORS.items(), strict=False):
        device = Device(f"X-{dialect}", "rtu", dialect, place, dialect, external_id, "")
        devices.append(device)
        for kind, key, unit in rows:
            k = POINT_KINDS[kind]
            points.append(
                Point(len(points), f"{place}/{kind}", device.id, place, kind, k.quantity, key, unit,
                      k.period_s, k.deadband, k.low, k.high)
            )  # fmt: skip
    assert len(devices) == len(tiny.devices) + len(VENDORS)
    return replace(tiny, devices=tuple(devices), points=tuple(points))


@cache
def directory() -> Directory:
    found = compile_directory(county(), SOURCES, {"X-mapped": frozenset({"model"})})
    pump = found.devices[("mapped", "pump/P7")]
    return replace(found, devices={**found.devices, **{("mapped", f"{flow}/P7"): pump for flow in SOURCES}})


@cache
def point_ids() -> tuple[str, ...]:
    return tuple(p.id for p in county().points)


def fresh_adapter(name: str) -> Adapter:
    return next(a for a in make_adapters() if a.name == name)


@dataclass(frozen=True)
class Case:
    folder: Path

    @property
    def id(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def topic(self) -> str:
        return (self.folder / "topic.txt").read_text(encoding="utf-8").rstrip("\n")

    @property
    def payload(self) -> bytes:
        return next(self.folder.glob("payload.*")).read_bytes()

    def decode(self) -> Decoded:
        adapter = fresh_adapter(self.folder.parent.name)
        for file in sorted(self.folder.glob("before*.bin")):
            topic = file.with_suffix(".topic.txt").read_text(encoding="utf-8").rstrip("\n")
            adapter.decode(topic, file.read_bytes(), RECEIVED - 1, directory())
        return adapter.decode(self.topic, self.payload, RECEIVED, directory())


def find_cases() -> list[Case]:
    return [Case(f.parent) for f in sorted(CASES.glob("*/*/topic.txt"))]


def describe(found: Decoded) -> dict[str, object]:
    """What a case expects, as plain data; values to 9 digits, ages in seconds before arrival."""
    return {
        "readings": [
            [point_ids()[r.point_no], f"{r.value:.9g}", RECEIVED - r.t, Quality(r.quality).name]
            for r in found.readings(directory(), RECEIVED)
        ],
        "problems": found.problems,
        "online": found.online,
        "replies": [[topic, _short_reply(topic, payload)] for topic, payload in found.replies],
        **({"answers": [[a.device_id, a.no, a.ok, a.text] for a in found.answers]} if found.answers else {}),
        **({"facts": found.facts} if found.facts else {}),
    }


def _short_reply(topic: str, payload: bytes) -> object:
    if topic.startswith("spBv1.0/"):
        return [m.name for m in Payload.FromString(payload).metrics]
    return json.loads(payload)


def as_json(found: Decoded) -> str:
    return json.dumps(describe(found), ensure_ascii=False, indent=1) + "\n"
