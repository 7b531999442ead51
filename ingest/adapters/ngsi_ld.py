"""NGSI-LD notifications over MQTT: ``ngsi-ld/...``, as a context broker sends them for a subscription.

Source: ETSI GS CIM 009 V1.8.1, 5.3 (notification), 5.2.23 and 7.2 (MQTT: ``{"metadata", "body"}``), 4.5
(normalized, concise and simplified entities). A device is known by its entity id; point keys are attribute
names. Only numbers and booleans are read; relationships, geo and language properties are passed over.
"""

from collections.abc import Mapping

from ingest.adapters.base import Decoded, Directory
from ingest.adapters.json_object import decode_object
from ingest.adapters.times import read_iso_time
from twin.model.errors import PayloadError

_NOT_ATTRIBUTES = ("id", "type", "@context", "scope", "createdAt", "modifiedAt", "deletedAt")
_OTHER_KINDS = (
    "Relationship", "GeoProperty", "LanguageProperty", "VocabProperty", "ListProperty", "ListRelationship",
    "JsonProperty",
)  # fmt: skip


class NgsiLdAdapter:
    """A notification, with or without the envelope that carries the headers over MQTT."""

    name = "ngsi-ld"
    filters: tuple[str, ...] = ("ngsi-ld/#",)
    clockless = False

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        return topic.startswith("ngsi-ld/")

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        body = decode_object(payload)
        inner = body.get("body")
        if isinstance(inner, dict):
            body = inner
        data = body.get("data")
        if body.get("type") != "Notification" or not isinstance(data, list):
            raise PayloadError('an NGSI-LD notification is {"type": "Notification", "data": [...]}')
        out = Decoded()
        for entity in data:
            try:
                self._read_entity(out, directory, entity, body.get("notifiedAt"), received)
            except PayloadError as e:
                out.problems.append(str(e))
        if not out.point_no and out.problems:
            raise PayloadError("; ".join(out.problems[:3]))
        return out

    def _read_entity(
        self, out: Decoded, directory: Directory, entity: object, notified: object, received: float
    ) -> None:
        if not isinstance(entity, dict) or not isinstance(entity.get("id"), str):
            raise PayloadError("an entity of a notification has an id")
        device = directory.find_device(self.name, entity["id"])
        usual = received if notified is None else read_iso_time(notified)
        by_time: dict[float, dict[str, object]] = {}
        for key, attribute in entity.items():
            if key in _NOT_ATTRIBUTES:
                continue
            shown = self._pick(attribute)
            if shown is None:
                continue
            value, observed = shown
            try:
                t = usual if observed is None else read_iso_time(observed)
            except PayloadError as e:
                out.problems.append(f"{device.external_id}: {key[:60]!r}: {e}")
                continue
            by_time.setdefault(t, {})[key] = value
        for t, values in by_time.items():
            out.add_values(directory, device, t, received, values)

    def _pick(self, attribute: object) -> tuple[object, object] | None:
        """(value, observedAt) of an attribute; of several instances the default one; None: not a number."""
        if isinstance(attribute, list):
            instances = [a for a in attribute if isinstance(a, dict)]
            attribute = next(
                (a for a in instances if "datasetId" not in a), instances[0] if instances else None
            )
        observed: object = None
        if isinstance(attribute, Mapping):
            if attribute.get("type") in _OTHER_KINDS or "value" not in attribute:
                return None
            observed = attribute.get("observedAt")
            attribute = attribute["value"]
        return (attribute, observed) if isinstance(attribute, (int, float)) else None
