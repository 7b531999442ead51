"""Encoding: device readings to (topic, payload) in each dialect, in the vendor's keys and units."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest.adapters.sparkplug_b_pb2 import Payload
from twin.model.county import Device, Point
from twin.model.quantities import convert_from_si

DOUBLE, BOOLEAN, STRING, UINT64 = 10, 11, 12, 8
EDGE = "EDGE01"
_STATE_QUANTITIES = ("state",)

Values = Mapping[int, float]
"""Point number -> SI value."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one device says at one moment of its own clock."""

    device: Device
    t: float
    values: Values


def vendor_value(point: Point, value_si: float) -> float | int:
    """SI to the vendor's unit, rounded as instruments do."""
    value = convert_from_si(value_si, point.unit)
    if point.quantity in ("state", "code"):
        return round(value)
    return round(value, 2) if abs(value) >= 10 else round(value, 5)


def encode_flat(points: Sequence[Point], bundle: Bundle) -> tuple[str, bytes]:
    """``heat/{device}/data`` with one JSON object."""
    body: dict[str, float | int] = {"ts": round(bundle.t * 1000)}
    body |= {points[n].external_key: vendor_value(points[n], v) for n, v in bundle.values.items()}
    return f"heat/{bundle.device.external_id}/data", json.dumps(body, ensure_ascii=False).encode()


def encode_thingsboard(points: Sequence[Point], bundles: Sequence[Bundle]) -> tuple[str, bytes]:
    """``v1/gateway/telemetry`` with rows of several devices."""
    body: dict[str, list[dict[str, object]]] = {}
    for b in bundles:
        values = {points[n].external_key: vendor_value(points[n], v) for n, v in b.values.items()}
        body.setdefault(b.device.external_id, []).append({"ts": round(b.t * 1000), "values": values})
    return "v1/gateway/telemetry", json.dumps(body, ensure_ascii=False).encode()


def firmware_of(device: Device) -> str:
    """What a device says it runs; makers differ, and some devices were forgotten at the last update."""
    odd = sum(device.id.encode()) % 5 == 0
    return (
        {"flat": "2.4.1", "thingsboard": "7.0.3", "sparkplug": "1.12"}[device.dialect] if not odd else "1.9"
    )


def encode_identity(device: Device) -> tuple[str, bytes] | None:
    """What a device says of itself when it starts; Sparkplug says it in its births."""
    said = firmware_of(device)
    if device.dialect == "flat":
        state = {"online": True, "firmware": said}
        return f"heat/{device.external_id}/state", json.dumps(state).encode()
    if device.dialect == "thingsboard":
        body = {device.external_id: {"fw_version": said}}
        return "v1/gateway/attributes", json.dumps(body, ensure_ascii=False).encode()
    return None


@dataclass
class SparkplugEdge:
    """One edge node: sequence number, birth-death number and the aliases it gave out."""

    group: str
    points: Sequence[Point]
    bd_seq: int = 0
    seq: int = 0
    born: set[str] = field(default_factory=set)

    def death(self) -> tuple[str, bytes]:
        """The last will of this connection."""
        p = Payload()
        p.metrics.add(name="bdSeq", datatype=UINT64, long_value=self.bd_seq)
        return f"spBv1.0/{self.group}/NDEATH/{EDGE}", p.SerializeToString()

    def birth(self, t: float) -> tuple[str, bytes]:
        """Node birth: sequence 0, the number of the will; devices must be born again."""
        self.seq, self.born = 0, set()
        p = Payload(timestamp=round(t * 1000), seq=0)
        p.metrics.add(name="bdSeq", datatype=UINT64, long_value=self.bd_seq)
        p.metrics.add(name="Node Control/Rebirth", datatype=BOOLEAN, boolean_value=False)
        return f"spBv1.0/{self.group}/NBIRTH/{EDGE}", p.SerializeToString()

    def device(self, bundle: Bundle, historical: bool = False) -> tuple[str, bytes]:
        """Birth (names and aliases) the first time, then data by alias."""
        external_id = bundle.device.external_id
        verb = "DDATA" if external_id in self.born else "DBIRTH"
        p = Payload(timestamp=round(bundle.t * 1000), seq=self._next())
        if verb == "DBIRTH":
            self.born.add(external_id)
            p.metrics.add(name="Properties/FW", datatype=STRING, string_value=firmware_of(bundle.device))
            for point in self.points:
                if point.device_id == bundle.device.id:
                    self._add(p, point, bundle.values.get(point.no), True, historical)
        else:
            for n, value in bundle.values.items():
                self._add(p, self.points[n], value, False, historical)
        return f"spBv1.0/{self.group}/{verb}/{EDGE}/{external_id}", p.SerializeToString()

    def _next(self) -> int:
        self.seq = (self.seq + 1) % 256
        return self.seq

    def _add(self, p: Payload, point: Point, value: float | None, named: bool, historical: bool) -> None:
        m = p.metrics.add(alias=point.no, datatype=DOUBLE)
        if named:
            m.name = point.external_key
        if historical:
            m.is_historical = True
        if value is None:
            m.is_null = True
        elif point.quantity in _STATE_QUANTITIES:
            m.datatype, m.boolean_value = BOOLEAN, bool(round(value))
        else:
            m.double_value = float(vendor_value(point, value))
