"""Asks each device at its period and publishes what it said, flat, with the time of asking."""

import json
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.gateways.config import PolledDevice
from ingest.gateways.modbus import KINDS, Block, ModbusError, ModbusTcp, decode_number, plan_blocks

log = logging.getLogger("gateway")
Publish = Callable[[str, bytes], None]
RETRY_MAX_S = 60.0


@dataclass
class Poller:
    """One device in a thread of its own; one that does not answer is asked less often, up to a minute."""

    device: PolledDevice
    publish: Publish
    stop: threading.Event
    trouble: str = ""
    _link: ModbusTcp = field(init=False)
    _blocks: list[Block] = field(init=False)

    def __post_init__(self) -> None:
        self._link = ModbusTcp(self.device.host, self.device.port)
        self._blocks = plan_blocks([(r.table, r.address, KINDS[r.kind]) for r in self.device.registers])

    def run(self) -> None:
        """Ask until stopped."""
        wait, due = self.device.period_s, time.monotonic()
        while not self.stop.wait(max(due - time.monotonic(), 0.0)):
            try:
                self.ask_once(time.time())
                wait = self.device.period_s
                if self.trouble:
                    log.info("%s answers again", self.device.name)
                self.trouble = ""
            except ModbusError as e:
                wait = min(max(2 * wait, 1.0), max(RETRY_MAX_S, self.device.period_s))
                if str(e) != self.trouble:
                    log.warning("%s: %s; asked again every %.0f s", self.device.name, e, wait)
                self.trouble = str(e)
            due = max(due + wait, time.monotonic())
        self._link.close()

    def ask_once(self, now: float) -> None:
        """Read all blocks and publish one message; a block that is refused costs only its own values.

        Raises
        ------
        ModbusError : nothing could be read
        """
        seen: dict[tuple[str, int], int] = {}
        refused: ModbusError | None = None
        for block in self._blocks:
            try:
                for i, raw in enumerate(self._link.read(self.device.unit, block)):
                    seen[block.table, block.address + i] = raw
            except ModbusError as e:
                refused = e
        if not seen:
            raise refused or ModbusError("nothing to read")
        values: dict[str, float | None] = {"ts": round(now * 1000)}
        for r in self.device.registers:
            raws = [seen.get((r.table, r.address + i)) for i in range(KINDS[r.kind])]
            known = [x for x in raws if x is not None]
            if len(known) < len(raws):
                continue
            number = float(known[0]) if r.kind == "bit" else decode_number(known, r.kind, r.order)
            value = number * r.scale + r.offset
            values[r.key] = value if math.isfinite(value) else None
        self.publish(f"heat/{self.device.name}/data", json.dumps(values).encode())
        if refused is not None and str(refused) != self.trouble:
            log.warning("%s: %s; the other values are read", self.device.name, refused)
