"""Aliyun IoT (Alink thing model): property posts of devices and packs of gateways.

Source: Alibaba Cloud IoT Platform, Alink protocol, "Device properties, events, and services". Topics are
``/sys/{productKey}/{deviceName}/thing/event/...``; a device is known as ``{productKey}/{deviceName}``, point
keys are property identifiers. A post is answered after it was read, unless it says not to (``sys.ack`` = 0):
the SDKs say nothing and wait for the answer.
"""

import json
from collections.abc import Mapping

from ingest.adapters.base import Decoded, Directory, read_timestamp_ms
from ingest.adapters.downlink import Answer, Downlink, plain_number, read_number, to_json
from ingest.adapters.json_object import decode_object
from twin.model.county import Device
from twin.model.errors import PayloadError

_LONGEST_ID = 256
"""Characters; an SDK puts a whole topic into its ids."""
_POST, _PACK = "property/post", "property/pack/post"


class AliyunAdapter:
    """Values are ``{"value": number, "time": ms}`` or a plain number; packs may hold lists of them."""

    name = "aliyun"
    filters: tuple[str, ...] = ("/sys/+/+/thing/event/#", "/sys/+/+/thing/service/property/set_reply")
    clockless = False

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        return topic.startswith("/sys/")

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        parts = topic.split("/", 6)
        if parts[4:] == ["thing", "service", "property/set_reply"]:
            return self._read_answer(f"{parts[2]}/{parts[3]}", decode_object(payload), received, directory)
        if len(parts) != 7 or parts[4:6] != ["thing", "event"]:
            raise PayloadError("topic is not /sys/{productKey}/{deviceName}/thing/event/...")
        what, own = parts[6], f"{parts[2]}/{parts[3]}"
        if what.endswith("_reply"):
            return Decoded()
        body = decode_object(payload)
        out = Decoded()
        params = body.get("params")
        if not isinstance(params, dict):
            raise PayloadError('"params" must be an object')
        if what == _POST:
            self._read(out, directory, directory.find_device(self.name, own), params, received)
        elif what == _PACK:
            self._read_pack(out, directory, own, params, received)
        else:  # an event of the thing model: it lives, but measures nothing
            out.heard[directory.find_device(self.name, own).id] = received
        if not out.point_no and out.problems:
            raise PayloadError("; ".join(out.problems[:3]))
        self._answer(out, topic, body)
        return out

    def encode_set(self, down: Downlink) -> tuple[str, bytes]:
        """See ``Commander``."""
        body = {
            "id": str(down.no), "version": "1.0", "params": {down.key: plain_number(down.number)},
            "method": "thing.service.property.set",
        }  # fmt: skip
        return f"/sys/{down.device.external_id}/thing/service/property/set", to_json(body)

    def _read_answer(
        self, own: str, body: Mapping[str, object], received: float, directory: Directory
    ) -> Decoded:
        device, no = directory.find_device(self.name, own), read_number(body.get("id"))
        out = Decoded(heard={device.id: received})
        if no is not None:
            said = str(body.get("message", ""))[:200]
            out.answers.append(Answer(device.id, no, body.get("code") == 200, said))
        return out

    def _answer(self, out: Decoded, topic: str, body: Mapping[str, object]) -> None:
        asked = body.get("sys")
        if isinstance(asked, dict) and asked.get("ack") == 0:
            return
        if (number := body.get("id")) is None:  # nobody could tell the answer
            return
        said = {
            "id": str(number)[:_LONGEST_ID], "code": 200, "data": {}, "message": "success",
            "method": str(body.get("method", ""))[:_LONGEST_ID], "version": "1.0",
        }  # fmt: skip
        out.replies.append((f"{topic}_reply", json.dumps(said).encode()))

    def _read_pack(
        self, out: Decoded, directory: Directory, own: str, params: Mapping[str, object], received: float
    ) -> None:
        groups: list[tuple[str, object]] = []
        if params.get("properties"):
            groups.append((own, params["properties"]))
        subs = params.get("subDevices", [])
        for sub in subs if isinstance(subs, list) else []:
            who = sub.get("identity") if isinstance(sub, dict) else None
            if not isinstance(who, dict):
                out.problems.append('a sub-device is {"identity": {...}, "properties": {...}}')
                continue
            groups.append((f"{who.get('productKey')}/{who.get('deviceName')}", sub.get("properties")))
        for name, properties in groups:
            try:
                device = directory.find_device(self.name, name)
                if not isinstance(properties, dict):
                    raise PayloadError(f'{name[:80]}: "properties" must be an object')
                self._read(out, directory, device, properties, received)
            except PayloadError as e:
                out.problems.append(str(e))

    def _read(
        self,
        out: Decoded,
        directory: Directory,
        device: Device,
        values: Mapping[str, object],
        received: float,
    ) -> None:
        by_time: dict[float, dict[str, object]] = {}
        for key, raw in values.items():
            for item in raw if isinstance(raw, list) else [raw]:
                value, stamp = item, None
                if isinstance(item, dict):
                    value, stamp = item.get("value"), item.get("time")
                try:
                    t = read_timestamp_ms(stamp, received)
                except PayloadError as e:
                    out.problems.append(f"{device.external_id}: {key[:60]!r}: {e}")
                    continue
                by_time.setdefault(t, {})[key] = value
        for t, measured in by_time.items():
            out.add_values(directory, device, t, received, measured)
