"""Homie 5: ``homie/5/{device}/{node}/{property}`` with one value as text, ``$state`` for life and death.

Source: The Homie Convention 5.0, topics, payloads and device lifecycle. Point keys are ``{node}/{property}``.
Values carry no time: they were measured when they arrive, so retained ones, which may be of any age, are not
read (``clockless``). The description is read for the datatypes of what may be set; it is retained, so that it
comes again with every subscription.
"""

from collections.abc import Mapping

from ingest.adapters.base import MAX_PAYLOAD, Decoded, Directory
from ingest.adapters.downlink import Downlink, plain_number
from ingest.adapters.json_object import decode_object
from twin.model.errors import PayloadError

_ALIVE = {"init": True, "ready": True, "sleeping": True, "alert": True, "disconnected": False, "lost": False}
_STATES = {"true": True, "false": False}


class HomieAdapter:
    """One property per message; ``set``, ``$target``, logs, alerts and broadcasts carry no reading."""

    name = "homie"
    filters: tuple[str, ...] = ("homie/5/#",)
    clockless = True

    def __init__(self) -> None:
        self._switches: dict[str, frozenset[str]] = {}
        """Keys of boolean properties, by device."""

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        return topic.startswith("homie/5/")

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        parts = topic.split("/")[2:]
        out = Decoded()
        if parts[0] == "$broadcast" or parts[-1] in ("set", "$target", "$log", "$alert"):
            return out
        if len(parts) >= 3 and parts[1] in ("$alert", "$log"):
            return out
        device = directory.find_device(self.name, parts[0])
        if not payload and len(parts) <= 3:  # a retained value or the whole device is taken back
            if parts[1:] == ["$state"]:
                out.online[device.id] = False
                out.heard[device.id] = received
            return out
        if parts[1:] == ["$description"]:
            self._switches[parts[0]] = frozenset(_find_switches(decode_object(payload)))
            return out
        if len(payload) > MAX_PAYLOAD:
            raise PayloadError(f"{len(payload)} bytes, at most {MAX_PAYLOAD} are read")
        try:
            text = payload.decode()
        except UnicodeDecodeError as e:
            raise PayloadError(f"not text: {e}") from e
        if parts[1:] == ["$state"]:
            if text not in _ALIVE:
                raise PayloadError(f"state {text[:40]!r}: one of {', '.join(_ALIVE)} is needed")
            out.online[device.id] = _ALIVE[text]
            out.heard[device.id] = received
            return out
        if len(parts) != 3 or not all(parts):
            raise PayloadError("topic is not homie/5/{device}/{node}/{property}")
        out.add_values(directory, device, received, received, {f"{parts[1]}/{parts[2]}": _value(text)})
        if out.problems:
            raise PayloadError("; ".join(out.problems))
        return out

    def encode_set(self, down: Downlink) -> tuple[str, bytes]:
        """See ``Commander``; the convention has no answers: only the property's new value tells."""
        own = down.device.external_id
        text = str(plain_number(down.number))
        if down.key in self._switches.get(own, ()):
            text = "true" if down.number else "false"
        return f"homie/5/{own}/{down.key}/set", text.encode()


def _find_switches(description: Mapping[str, object]) -> list[str]:
    """Keys of the boolean properties of a description; what is not as the convention says is passed over."""
    found: list[str] = []
    for node, body in _objects(description.get("nodes")):
        for name, row in _objects(body.get("properties")):
            if row.get("datatype") == "boolean":
                found.append(f"{node}/{name}")
    return found


def _objects(table: object) -> list[tuple[str, dict[str, object]]]:
    return [(k, v) for k, v in table.items() if isinstance(v, dict)] if isinstance(table, dict) else []


def _value(text: str) -> object:
    """A number or a boolean of the convention; anything else stays text, which no point takes."""
    if text in _STATES:
        return _STATES[text]
    try:
        return float(text) if len(text) < 40 and "_" not in text else text
    except ValueError:
        return text
