"""ThingsBoard gateway API: ``v1/gateway/telemetry`` with arrays per device, ``connect``, ``disconnect``."""

from ingest.adapters.base import Decoded, Directory, read_timestamp_ms
from ingest.adapters.json_object import decode_object
from twin.model.errors import PayloadError


class ThingsBoardAdapter:
    """Payload ``{"<device>": [{"ts": ms, "values": {"<key>": number}}, ...], ...}``.

    Source: ThingsBoard documentation, MQTT gateway API.
    """

    name = "thingsboard"
    filters: tuple[str, ...] = ("v1/gateway/+",)
    clockless = False

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        return topic.startswith("v1/gateway/")

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        verb = topic.removeprefix("v1/gateway/")
        body = decode_object(payload)
        if verb in ("connect", "disconnect"):
            device = directory.find_device(self.name, str(body.get("device", "")))
            return Decoded(heard={device.id: received}, online={device.id: verb == "connect"})
        if verb == "attributes":
            return Decoded()
        if verb != "telemetry":
            raise PayloadError(f"unknown gateway message {verb[:40]!r}")
        out = Decoded()
        for external_id, rows in body.items():
            try:
                self._read_rows(out, directory, external_id, rows, received)
            except PayloadError as e:
                out.problems.append(str(e))
        if not out.point_no and out.problems:
            raise PayloadError("; ".join(out.problems[:3]))
        return out

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
