"""Flat JSON: topic ``heat/{device}/data``, payload ``{"ts": ms, "<key>": number, ...}``."""

from ingest.adapters.base import Decoded, Directory, read_timestamp_ms
from ingest.adapters.json_object import decode_object
from twin.model.errors import PayloadError


class FlatAdapter:
    """One object per message, keys as the vendor names them (``Point.external_key``)."""

    name = "flat"
    filters: tuple[str, ...] = ("heat/+/data",)
    clockless = False

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        parts = topic.split("/")
        return len(parts) == 3 and parts[0] == "heat" and parts[2] == "data"

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        device = directory.find_device(self.name, topic.split("/")[1])
        values = decode_object(payload)
        t = read_timestamp_ms(values.pop("ts", None), received)
        if not values:
            raise PayloadError("no values beside the time stamp")
        out = Decoded()
        out.add_values(directory, device, t, received, values)
        return out
