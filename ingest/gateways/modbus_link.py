"""A Modbus device as a link: registers in blocks, each a number by its kind, order, scale and offset."""

import math
import threading

from ingest.gateways.config import ModbusDevice
from ingest.gateways.modbus import (
    KINDS,
    ModbusError,
    ModbusTcp,
    decode_number,
    encode_number,
    plan_blocks,
)
from twin.model.errors import InputError


class ModbusLink:
    """See ``Link``; a block that is refused costs only its own values."""

    def __init__(self, device: ModbusDevice) -> None:
        self._device = device
        self._link = ModbusTcp(device.host, device.port)
        self._blocks = plan_blocks([(r.table, r.address, KINDS[r.kind]) for r in device.registers])
        self.refused = ""
        self._turn = threading.Lock()  # commands come in another thread than the reading
        self.writable = {r.key: r for r in device.registers if r.writable}

    def write(self, key: str, value: float) -> None:
        """Write the register of ``key``, in the unit of its point.

        Raises
        ------
        InputError : it is not writable, or the number does not fit
        ModbusError : the device did not take it
        """
        r = self.writable.get(key)
        if r is None or not math.isfinite(value):
            raise InputError(f"{key} cannot be written")
        raw = (value - r.offset) / r.scale
        values = [round(raw)] if r.kind == "bit" else encode_number(raw, r.kind, r.order)
        with self._turn:
            self._link.write(self._device.unit, r.table, r.address, values)

    def read(self) -> dict[str, float | None]:
        """See ``Link``."""
        seen: dict[tuple[str, int], int] = {}
        refused: ModbusError | None = None
        for block in self._blocks:
            try:
                with self._turn:
                    raws_read = self._link.read(self._device.unit, block)
                for i, raw in enumerate(raws_read):
                    seen[block.table, block.address + i] = raw
            except ModbusError as e:
                refused = e
        if not seen:
            raise refused or ModbusError("nothing to read")
        self.refused = str(refused) if refused is not None else ""
        values: dict[str, float | None] = {}
        for r in self._device.registers:
            raws = [seen.get((r.table, r.address + i)) for i in range(KINDS[r.kind])]
            known = [x for x in raws if x is not None]
            if len(known) < len(raws):
                continue
            number = float(known[0]) if r.kind == "bit" else decode_number(known, r.kind, r.order)
            value = number * r.scale + r.offset
            values[r.key] = value if math.isfinite(value) else None
        return values

    def close(self) -> None:
        """See ``Link``."""
        self._link.close()
