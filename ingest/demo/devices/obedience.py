"""Commands as the demo's controllers hear them: three dialects in, an answer out, the plant moves."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from ingest.adapters.sparkplug_b_pb2 import Payload
from ingest.demo.plant import Plant
from twin.model.county import County, Device, Point
from twin.model.errors import InputError
from twin.model.quantities import convert_to_si
from twin.model.setpoints import find_limits

LISTEN = ("heat/+/set", "v1/gateway/rpc")
"""Topics of commands, beside those of the Sparkplug edge node."""
ATTENTION_S = 300.0
"""So long a controller tells often what was written, and its effect."""
TELL_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """One command as a device hears it, in its own words; ``no`` is None where nobody wants an answer."""

    device: Device
    no: int | None
    values: Mapping[str, float]
    until: float


class Obedience:
    """Reads commands of a county's devices; keeps which points are told often."""

    def __init__(self, county: County) -> None:
        self._county = county
        self._device = {(d.dialect, d.external_id): d for d in county.devices}
        self._point = {(p.device_id, p.external_key): p for p in county.points}
        self._attention: dict[int, float] = {}
        self._told = float("-inf")

    def read(self, topic: str, payload: bytes) -> Order | None:
        """A command for one of the devices; None when it is something else. Never raises."""
        try:
            if topic.startswith("spBv1.0/"):
                return self._read_sparkplug(topic, payload)
            body = json.loads(payload)
            if topic == "v1/gateway/rpc":
                call = body["data"]
                device = self._device.get(("thingsboard", str(body["device"])))
                return None if device is None else Order(device, call["id"], call["params"], float("inf"))
            device = self._device.get(("flat", topic.split("/")[1]))
            values = {k: v for k, v in body.items() if k not in ("id", "ts", "until")}
            return None if device is None else Order(device, body["id"], values, body["until"] / 1000.0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, DecodeError):
            return None

    def _read_sparkplug(self, topic: str, payload: bytes) -> Order | None:
        device = self._device.get(("sparkplug", topic.rsplit("/", 1)[-1]))
        if device is None or "/DCMD/" not in topic:
            return None
        values: dict[str, float] = {}
        for m in Payload.FromString(payload).metrics:  # its edge gives every point its number for an alias
            key = self._county.points[m.alias].external_key if m.HasField("alias") else m.name
            values[key] = float(getattr(m, m.WhichOneof("value") or "double_value"))
        return Order(device, None, values, float("inf"))

    def carry_out(self, order: Order, plant: Plant, t: float) -> str:
        """Do it; returns why not, empty when done. A controller checks for itself what it is told."""
        try:
            if time.time() > order.until:
                raise InputError("too late")
            for key, number in order.values.items():
                point = self._point.get((order.device.id, key))
                limits = find_limits(self._county, point) if point is not None else None
                if point is None or limits is None:
                    raise InputError(f"{key} cannot be written")
                value = convert_to_si(float(number), point.unit)
                if not limits.low - 1e-9 <= value <= limits.high + 1e-9:
                    raise InputError(f"{key} is out of range")
                plant.write(point.place_id, point.key, value)
                self._watch(point, limits.feedback, t)
        except (InputError, TypeError, ValueError) as e:
            return str(e)
        return ""

    def _watch(self, point: Point, feedback: Point | None, t: float) -> None:
        near = [self._county.point_by_id.get(f"{point.place_id}/{k}") for k in ("mode", "src_auto")]
        for p in (point, feedback, *near):
            if p is not None:
                self._attention[p.no] = t + ATTENTION_S
        self._told = float("-inf")

    def due(self, t: float) -> list[int]:
        """Numbers of the points that a controller tells now because of a command."""
        if not self._attention or t - self._told < TELL_EVERY_S:
            return []
        self._told = t
        self._attention = {no: until for no, until in self._attention.items() if t < until}
        return list(self._attention)


def answers(order: Order, refused: str) -> Iterator[tuple[str, bytes]]:
    """What the device says to it, in its dialect."""
    if order.no is None:
        return
    if order.device.dialect == "flat":
        said = {"id": order.no, "ok": not refused, **({"error": refused} if refused else {})}
        yield f"heat/{order.device.external_id}/ack", json.dumps(said).encode()
    else:
        data = {"error": refused} if refused else {"success": True}
        said = {"device": order.device.external_id, "id": order.no, "data": data}
        yield "v1/gateway/rpc", json.dumps(said, ensure_ascii=False).encode()
