"""M-Bus and CJ/T 188 meters behind a serial converter with a TCP port, as links.

Each reading opens the connection anew and holds the line of the converter meanwhile: many meters share it,
and converters take one or few connections.
"""

import math
import socket
import time

from ingest.gateways import cjt188, mbus
from ingest.gateways.config_meters import Cjt188Device, MBusDevice, MeterValue
from ingest.gateways.link import LinkError, find_bus
from twin.model.quantities import convert_from_si

TIMEOUT_S = 3.0
"""Silence that is none of a line's own, before an answer and within it."""
WHOLE_S = 30.0
"""The longest answer (261 bytes) at 300 baud takes 10 s; some meters pause after each byte."""
MAX_TELEGRAMS = 8
MAX_BYTES = 600


class Line:
    """One connection to a converter."""

    def __init__(self, host: str, port: int) -> None:
        self._where = f"{host}:{port}"
        try:
            self._socket = socket.create_connection((host, port), TIMEOUT_S)
        except OSError as e:
            raise LinkError(f"{self._where}: {e.strerror or e}") from e

    def say(self, frame: bytes) -> None:
        """Send a frame."""
        try:
            self._socket.sendall(frame)
        except OSError as e:
            raise LinkError(f"{self._where}: {e.strerror or e}") from e

    def hear(self, head: int, size_at: int, around: int, single: int | None = None) -> bytes:
        """One answer: up to its length byte, then as many bytes as it says and ``around`` more.

        Parameters
        ----------
        head : leading byte that may be repeated and is left out; 256: none
        single : a byte that is a whole answer
        """
        got, end = b"", time.monotonic() + WHOLE_S
        while True:
            got = got.lstrip(bytes((head,))) if head < 256 else got
            if single is not None and got[:1] == bytes((single,)):
                return got[:1]
            if len(got) > size_at and len(got) >= got[size_at] + around:
                return got[: got[size_at] + around]
            try:
                if time.monotonic() > end or len(got) > MAX_BYTES:
                    raise TimeoutError
                self._socket.settimeout(TIMEOUT_S)
                more = self._socket.recv(512)
            except TimeoutError:
                told = "no whole answer in time" if got else "no answer"
                raise LinkError(f"{self._where}: {told}") from None
            except OSError as e:
                raise LinkError(f"{self._where}: {e.strerror or e}") from e
            if not more:
                raise LinkError(f"{self._where}: the connection was closed")
            got += more

    def close(self) -> None:
        """Let go."""
        self._socket.close()


def _collect(wanted: tuple[MeterValue, ...], found: dict[tuple[str, int, int, int, str], float]) -> tuple[
    dict[str, float | None], str
]:  # fmt: skip
    """(values by key in their units, what was not there)."""
    values: dict[str, float | None] = {}
    missing = []
    for w in wanted:
        si = found.get((w.quantity, w.storage, w.tariff, w.subunit, w.function))
        if si is None:
            missing.append(w.key)
        else:
            values[w.key] = convert_from_si(si, w.unit) if math.isfinite(si) else None
    if not values:
        raise LinkError(f"the meter answers without any of {', '.join(missing)}")
    return values, f"the meter has no {', '.join(missing)}" if missing else ""


class MBusLink:
    """See ``Link``; by primary address, or by identification number."""

    def __init__(self, device: MBusDevice) -> None:
        self._device = device
        self.refused = ""

    def read(self) -> dict[str, float | None]:
        """See ``Link``."""
        d = self._device
        with find_bus(d.host, d.port):
            line = Line(d.host, d.port)
            try:
                records = self._ask(line)
            finally:
                line.close()
        found: dict[tuple[str, int, int, int, str], float] = {}
        for r in records:  # of repeated ones the first is the meter's main value
            found.setdefault((r.quantity, r.storage, r.tariff, r.subunit, r.function), r.value)
        values, self.refused = _collect(d.values, found)
        return values

    def _ask(self, line: Line) -> list[mbus.Record]:
        d = self._device
        address = 0xFD if d.secondary else d.address
        line.say(mbus.select_frame(d.secondary) if d.secondary else mbus.short_frame(0x40, address))
        if line.hear(256, 1, 6, mbus.ACK)[0] != mbus.ACK:
            raise mbus.MBusError("the meter does not acknowledge")
        records: list[mbus.Record] = []
        for control in mbus.find_frames(MAX_TELEGRAMS):
            line.say(mbus.short_frame(control, address))
            body = mbus.take_frame(line.hear(256, 1, 6))
            part, more = mbus.decode_records(body)
            if d.secondary and mbus.read_number(body) != d.secondary:
                raise mbus.MBusError(f"asked for {d.secondary}, {mbus.read_number(body)} answers")
            records += part
            if not more:
                break
        return records

    def close(self) -> None:
        """Nothing is held between readings."""


class Cjt188Link:
    """See ``Link``."""

    def __init__(self, device: Cjt188Device) -> None:
        self._device = device
        self._serial = 0
        self.refused = ""

    def read(self) -> dict[str, float | None]:
        """See ``Link``."""
        d = self._device
        self._serial = (self._serial + 1) & 0xFF
        with find_bus(d.host, d.port):
            line = Line(d.host, d.port)
            try:
                line.say(cjt188.encode_read(d.address, d.meter_type, d.dialect, self._serial))
                frame = line.hear(0xFE, 10, 13)
            finally:
                line.close()
        values = cjt188.decode_heat(cjt188.take_frame(frame, d.address), d.dialect)
        found = {(q, 0, 0, 0, "instant"): v for q, v in values.items()}
        out, self.refused = _collect(d.values, found)
        return out

    def close(self) -> None:
        """Nothing is held between readings."""
