"""Flat JSON: topic ``heat/{device}/data``, payload ``{"ts": ms, "<key>": number, ...}``.

Down: ``heat/{device}/set`` with ``{"id": number, "ts": ms, "until": ms, "<key>": number}``; the device
answers on ``heat/{device}/ack`` with ``{"id": number, "ok": true}``, or ``"ok": false`` and an ``"error"``.
``heat/{device}/state`` says ``{"online": true, "firmware": "1.2"}``; ``{"online": false}`` is its will.
"""

from ingest.adapters.base import Decoded, Directory, read_timestamp_ms
from ingest.adapters.downlink import Answer, Downlink, plain_number, read_number, to_json
from ingest.adapters.json_object import decode_object
from twin.model.county import Device
from twin.model.errors import PayloadError

_VERBS = ("data", "ack", "state")


class FlatAdapter:
    """One object per message, keys as the vendor names them (``Point.external_key``)."""

    name = "flat"
    filters: tuple[str, ...] = ("heat/+/data", "heat/+/ack", "heat/+/state")
    clockless = False

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        parts = topic.split("/")
        return len(parts) == 3 and parts[0] == "heat" and parts[2] in _VERBS

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        _, external_id, verb = topic.split("/")
        device = directory.find_device(self.name, external_id)
        values = decode_object(payload)
        if verb == "ack":
            return _read_answer(device, values, received)
        if verb == "state":
            return _read_state(device, values, received)
        t = read_timestamp_ms(values.pop("ts", None), received)
        if not values:
            raise PayloadError("no values beside the time stamp")
        out = Decoded()
        out.add_values(directory, device, t, received, values)
        return out

    def encode_set(self, down: Downlink) -> tuple[str, bytes]:
        """See ``Commander``."""
        body = {
            "id": down.no, "ts": round(down.t * 1000), "until": round(down.until * 1000),
            down.key: plain_number(down.number),
        }  # fmt: skip
        return f"heat/{down.device.external_id}/set", to_json(body)


def _read_answer(device: Device, body: dict[str, object], received: float) -> Decoded:
    no, ok = read_number(body.get("id")), body.get("ok")
    if no is None or not isinstance(ok, bool):
        raise PayloadError('an answer is {"id": number, "ok": true or false, "error": "why"}')
    return Decoded(
        heard={device.id: received}, answers=[Answer(device.id, no, ok, str(body.get("error", ""))[:200])]
    )


def _read_state(device: Device, body: dict[str, object], received: float) -> Decoded:
    online, firmware = body.get("online"), body.get("firmware")
    if not isinstance(online, bool):
        raise PayloadError('a state is {"online": true or false, "firmware": "version"}')
    out = Decoded(heard={device.id: received}, online={device.id: online})
    if isinstance(firmware, str) and firmware:
        out.facts[device.id] = {"firmware": firmware[:80]}
    return out
