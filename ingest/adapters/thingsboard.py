"""ThingsBoard: gateway API (``v1/gateway/...``, arrays per device) and device API (``v1/devices/me/...``).

In the device API the topic says "me": who that is, only the broker knows, from the credentials. It must say
so in front of the topic: ``tb/{device}/v1/devices/me/telemetry`` (a mount point of the broker, or our HTTP
gateway; see docs/gateways.md). Source: ThingsBoard documentation, MQTT gateway API and MQTT device API.
"""

from collections.abc import Mapping

import msgspec

from ingest.adapters.base import MAX_PAYLOAD, Decoded, Directory, read_timestamp_ms
from ingest.adapters.downlink import Answer, Downlink, plain_number, read_number, to_json
from ingest.adapters.json_object import decode_object
from twin.model.county import Device
from twin.model.errors import PayloadError

ME = "v1/devices/me/"
_FIRMWARE = ("current_fw_version", "fw_version", "firmwareVersion", "firmware")
"""Attributes that name the firmware that runs, the first found counts."""


class ThingsBoardAdapter:
    """Payload ``{"<device>": [{"ts": ms, "values": {"<key>": number}}, ...], ...}``, or of one device."""

    name = "thingsboard"
    filters: tuple[str, ...] = ("v1/gateway/+", f"tb/+/{ME}#")
    clockless = False

    def __init__(self, memory: Mapping[str, str] | None = None) -> None:
        keys = [key.split("/", 1) for key in memory or {}]
        self._direct = {sender for dialect, sender in keys if dialect == self.name}

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        return topic.startswith(("v1/gateway/", "tb/"))

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        if topic.startswith("tb/"):
            return self._read_own(topic, payload, received, directory)
        verb = topic.removeprefix("v1/gateway/")
        body = decode_object(payload)
        out = Decoded()
        if verb in ("connect", "disconnect"):
            device = directory.find_device(self.name, str(body.get("device", "")))
            return Decoded(heard={device.id: received}, online={device.id: verb == "connect"})
        if verb == "rpc":
            return self._read_rpc(body, received, directory)
        if verb == "attributes":
            for external_id, values in body.items():
                device_ = directory.devices.get((self.name, external_id))
                if device_ is not None and isinstance(values, dict):
                    _add_firmware(out, device_, values)
            return out
        if verb != "telemetry":
            raise PayloadError(f"unknown gateway message {verb[:40]!r}")
        for external_id, rows in body.items():
            try:
                self._read_rows(out, directory, external_id, rows, received)
            except PayloadError as e:
                out.problems.append(str(e))
        return _refuse_empty(out)

    def _read_own(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """The device API; the broker has put ``tb/{device}/`` in front."""
        _, external_id, rest = (*topic.split("/", 2), "")[:3]
        if not rest.startswith(ME):
            raise PayloadError(f"topic is not tb/{{device}}/{ME}...")
        verb = rest.removeprefix(ME)
        device = directory.find_device(self.name, external_id)
        out = Decoded(heard={device.id: received})
        if external_id not in self._direct:
            self._direct.add(external_id)
            out.memory[f"{self.name}/{external_id}"] = "device API"
        if verb.startswith(("rpc/request/", "attributes/request/", "attributes/response/")):
            return Decoded()
        if verb == "attributes":
            _add_firmware(out, device, decode_object(payload))
            return out
        if verb.startswith("rpc/response/"):
            no, body = read_number(verb.removeprefix("rpc/response/")), decode_object(payload)
            if no is not None:
                out.answers.append(_read_answer(device, no, body))
            return out
        if verb != "telemetry":
            raise PayloadError(f"unknown device message {verb[:40]!r}")
        del out.heard[device.id]
        self._read_rows(out, directory, external_id, _read_telemetry(payload), received)
        return _refuse_empty(out)

    def _read_rpc(self, body: Mapping[str, object], received: float, directory: Directory) -> Decoded:
        """An answer ``{"device", "id", "data": {...}}``; our own request on the same topic is passed over."""
        said, no = body.get("data"), read_number(body.get("id"))
        if isinstance(said, dict) and "method" in said:
            return Decoded()
        device = directory.find_device(self.name, str(body.get("device", "")))
        out = Decoded(heard={device.id: received})
        if no is not None:
            out.answers.append(_read_answer(device, no, said))
        return out

    def encode_set(self, down: Downlink) -> tuple[str, bytes]:
        """See ``Commander``: RPC ``set`` with ``{key: value}``, by the API that the device itself uses."""
        call = {"method": "set", "params": {down.key: plain_number(down.number)}}
        own = down.device.external_id
        if own in self._direct:
            return f"tb/{own}/{ME}rpc/request/{down.no}", to_json(call)
        return "v1/gateway/rpc", to_json({"device": own, "data": {"id": down.no, **call}})

    def _read_rows(
        self, out: Decoded, directory: Directory, external_id: str, rows: object, received: float
    ) -> None:
        device = directory.find_device(self.name, external_id)
        if not isinstance(rows, list):
            raise PayloadError(f"{external_id[:80]}: a list of rows is needed, not {type(rows).__name__}")
        for row in rows:
            values = row.get("values", row) if isinstance(row, dict) else None
            if not isinstance(row, dict) or not isinstance(values, dict):
                out.problems.append(f'{external_id[:80]}: a row is {{"ts": ..., "values": {{...}}}}')
                continue
            try:
                t = read_timestamp_ms(row.get("ts"), received)
            except PayloadError as e:
                out.problems.append(f"{external_id[:80]}: {e}")
                continue
            measured = {k: v for k, v in values.items() if k != "ts"} if "ts" in values else values
            out.add_values(directory, device, t, received, measured)


def _refuse_empty(out: Decoded) -> Decoded:
    if not out.point_no and out.problems:
        raise PayloadError("; ".join(out.problems[:3]))
    return out


def _read_telemetry(payload: bytes) -> list[object]:
    """Rows of the device API: one object, one row with a time, or a list of either."""
    if payload[:1].strip() != b"[" or len(payload) > MAX_PAYLOAD:
        return [decode_object(payload)]
    try:
        rows: list[object] = msgspec.json.decode(payload, type=list[object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise PayloadError(f"not JSON: {e}") from e
    return rows


def _read_answer(device: Device, no: int, said: object) -> Answer:
    """What devices answer is not laid down: an ``error``, or a ``success`` that is false, is a no."""
    if not isinstance(said, dict):
        return Answer(device.id, no, True)
    bad = "error" in said or said.get("success") is False
    return Answer(device.id, no, not bad, str(said.get("error", ""))[:200])


def _add_firmware(out: Decoded, device: Device, attributes: Mapping[str, object]) -> None:
    found = next((v for k in _FIRMWARE if isinstance(v := attributes.get(k), str) and v), None)
    if found is not None:
        out.facts[device.id] = {"firmware": found[:80]}
