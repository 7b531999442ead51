"""Huawei Cloud IoTDA: property reports of devices and of gateways for their sub-devices.

Source: Huawei Cloud IoTDA API reference, MQTT: "Reporting device properties" and "Gateway reporting device
properties in batches". Topics begin with ``$oc/devices/{device_id}/sys/``; point keys are
``{service_id}/{property}``. What a gateway reports of a sub-device is remembered: the sub-device is written
through it.
"""

from collections.abc import Mapping

from ingest.adapters.base import Decoded, Directory
from ingest.adapters.downlink import Answer, Downlink, plain_number, read_number, to_json
from ingest.adapters.json_object import decode_object
from ingest.adapters.times import read_iso_time
from twin.model.errors import InputError, PayloadError

_OWN, _BATCH = "properties/report", "gateway/sub_devices/properties/report"
_MAX_ORDERS = 1000
_ANSWER = "properties/set/response/request_id="


class HuaweiAdapter:
    """``{"services": [{"service_id", "properties": {...}, "event_time"}]}``, for a gateway per device."""

    name = "huawei"
    filters: tuple[str, ...] = (f"$oc/devices/+/sys/{_OWN}", f"$oc/devices/+/sys/{_BATCH}",
                                "$oc/devices/+/sys/properties/set/response/+")  # fmt: skip
    clockless = False

    def __init__(self, memory: Mapping[str, str] | None = None) -> None:
        beginning = f"{self.name}/"
        self._behind = {
            k.removeprefix(beginning): v for k, v in (memory or {}).items() if k.startswith(beginning)
        }
        """Sub-device -> its gateway."""
        self._orders: dict[int, str] = {}
        """Number of a command -> the sub-device it is for: the gateway answers without naming it."""

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        return topic.startswith("$oc/devices/")

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        parts = topic.split("/", 4)
        what = parts[4] if len(parts) == 5 else ""
        body = decode_object(payload)
        out = Decoded()
        if what == _OWN:
            self._read_services(out, directory, parts[2], body.get("services"), received)
        elif what.startswith(_ANSWER):
            no = read_number(what.removeprefix(_ANSWER))
            device = directory.find_device(self.name, self._orders.pop(no or 0, parts[2]))
            out.heard[device.id] = received
            if no is not None:
                said = str(body.get("result_desc", ""))[:200]
                out.answers.append(Answer(device.id, no, body.get("result_code") == 0, said))
        elif what == _BATCH:
            devices = body.get("devices")
            if not isinstance(devices, list):
                raise PayloadError('a gateway reports {"devices": [{"device_id": ..., "services": [...]}]}')
            for d in devices:
                try:
                    self._read_device(out, directory, parts[2], d, received)
                except PayloadError as e:
                    out.problems.append(str(e))
        else:
            raise PayloadError(
                "topic is not $oc/devices/{device}/sys/[gateway/sub_devices/]properties/report"
            )
        if not out.point_no and out.problems:
            raise PayloadError("; ".join(out.problems[:3]))
        return out

    def encode_set(self, down: Downlink) -> tuple[str, bytes]:
        """See ``Commander``. Source: as above, "Platform setting device properties"."""
        service, _, name = down.key.partition("/")
        if not name:
            raise InputError(f"{down.key!r} is not {{service_id}}/{{property}}")
        body: dict[str, object] = {
            "services": [{"service_id": service, "properties": {name: plain_number(down.number)}}]
        }
        own = down.device.external_id
        gateway = self._behind.get(own, own)
        if gateway != own:
            body["object_device_id"] = own
            if len(self._orders) >= _MAX_ORDERS:
                del self._orders[next(iter(self._orders))]
            self._orders[down.no] = own
        return f"$oc/devices/{gateway}/sys/properties/set/request_id={down.no}", to_json(body)

    def _read_device(
        self, out: Decoded, directory: Directory, gateway: str, row: object, received: float
    ) -> None:
        if not isinstance(row, dict) or not isinstance(row.get("device_id"), str):
            raise PayloadError('a device of a gateway is {"device_id": ..., "services": [...]}')
        own = row["device_id"]
        self._read_services(out, directory, own, row.get("services"), received)
        if self._behind.get(own) != gateway:
            self._behind[own] = gateway
            out.memory[f"{self.name}/{own}"] = gateway

    def _read_services(
        self, out: Decoded, directory: Directory, external_id: str, services: object, received: float
    ) -> None:
        device = directory.find_device(self.name, external_id)
        if not isinstance(services, list) or not services:
            raise PayloadError(f'{external_id[:80]}: "services" must be a list of service reports')
        for s in services:
            properties = s.get("properties") if isinstance(s, dict) else None
            name = s.get("service_id") if isinstance(s, dict) else None
            if not isinstance(properties, dict) or not isinstance(name, str):
                out.problems.append(
                    f'{external_id[:80]}: a service is {{"service_id": ..., "properties": {{...}}}}'
                )
                continue
            try:
                raw = s.get("event_time")
                t = received if raw is None else read_iso_time(raw)
            except PayloadError as e:
                out.problems.append(f"{external_id[:80]}: {e}")
                continue
            values = {f"{name}/{key}": value for key, value in properties.items()}
            out.add_values(directory, device, t, received, values)
