"""ChirpStack v4 (LoRaWAN): ``application/{id}/device/{devEui}/event/{event}``, JSON.

Source: ChirpStack v4 documentation, integrations, event types. A device is known by its DevEUI; point keys
are those of ``object`` (nested ones joined by dots), which the codec of the device profile makes; ``rssi``
and ``snr`` of the best gateway and ``batteryLevel`` of a status event are read where there are such points.
"""

from ingest.adapters.base import Decoded, Directory
from ingest.adapters.json_object import decode_object, flatten
from ingest.adapters.times import read_iso_time
from twin.model.county import Device
from twin.model.errors import PayloadError

_QUIET = ("join", "ack", "txack", "log", "location", "integration")
"""Events that say the device lives but measure nothing."""


class ChirpStackAdapter:
    """``up`` carries readings, ``status`` the battery."""

    name = "chirpstack"
    filters: tuple[str, ...] = ("application/+/device/+/event/+",)
    clockless = False

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        parts = topic.split("/")
        return len(parts) == 6 and (parts[0], parts[2], parts[4]) == ("application", "device", "event")

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        _, _, _, eui, _, event = topic.split("/")
        body = decode_object(payload)
        device = directory.find_device(self.name, eui.lower())
        raw = body.get("time")
        t = received if raw is None else read_iso_time(raw)
        out = Decoded()
        if event == "up":
            measured = body.get("object")
            if not isinstance(measured, dict) or not measured:
                raise PayloadError(
                    f"{eui}: no object in the uplink: give its device profile a codec in ChirpStack"
                )
            out.add_values(directory, device, t, received, flatten(measured))
            self._add_radio(out, directory, device, t, body.get("rxInfo"))
        elif event == "status":
            out.heard[device.id] = t
            if (
                body.get("batteryLevelUnavailable") is not True
                and body.get("externalPowerSource") is not True
            ):
                self._add_known(out, directory, device, t, {"batteryLevel": body.get("batteryLevel")})
        elif event in _QUIET:
            out.heard[device.id] = t
            if event == "join":
                out.online[device.id] = True
        else:
            raise PayloadError(f"unknown event {event[:40]!r}")
        return out

    def _add_radio(self, out: Decoded, directory: Directory, device: Device, t: float, info: object) -> None:
        heard = [g for g in info if isinstance(g, dict)] if isinstance(info, list) else []
        best = max(
            (g for g in heard if isinstance(g.get("rssi"), (int, float))),
            key=lambda g: g["rssi"],
            default=None,
        )
        if best is not None:
            self._add_known(out, directory, device, t, {"rssi": best["rssi"], "snr": best.get("snr")})

    def _add_known(
        self, out: Decoded, directory: Directory, device: Device, t: float, values: dict[str, object]
    ) -> None:
        """What every device sends: read where the county has a point for it."""
        known = directory.keys.get(device.id, {})
        wanted = {k: v for k, v in values.items() if k in known}
        if wanted:
            out.add_values(directory, device, t, t, wanted)
