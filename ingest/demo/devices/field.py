"""The field: plant, instruments, manners and voices on one clock."""

import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.demo.devices.dialects import (
    EDGE,
    Bundle,
    SparkplugEdge,
    encode_flat,
    encode_identity,
    encode_thingsboard,
)
from ingest.demo.devices.faults import FaultBook, read_fault
from ingest.demo.devices.instruments import Instruments
from ingest.demo.devices.manners import Manners, draw_manners
from ingest.demo.devices.obedience import Obedience, answers
from ingest.demo.plant import Plant
from ingest.demo.plant.truth import TruthMap
from twin.model.county import County
from twin.model.errors import InputError

log = logging.getLogger("devices")
Floats = NDArray[np.float64]

PLANT_STEP_S = 10.0
SPREAD_S = 4
GATEWAY_ROWS = 40
"""Rooms that one gateway message carries at most."""

Say = Callable[[str, str, bytes], None]
"""(voice "json" or "edge", topic, payload)."""


@dataclass
class Field:
    """Everything that moves. ``clock`` gives the field's time (s since 1970 UTC)."""

    county: County
    seed: int
    mode: str
    truth_file: Path
    say: Say
    plant: Plant = field(init=False)
    instruments: Instruments = field(init=False)
    manners: Manners = field(init=False)
    edge: SparkplugEdge = field(init=False)
    faults: FaultBook = field(init=False)
    bundles_sent: int = 0

    def __post_init__(self) -> None:
        self.plant = Plant(self.county, self.seed, self.mode)
        self.instruments = Instruments(self.county, self.plant.hidden.sensor_bias, self.seed)
        self.manners = draw_manners(self.county, self.seed)
        self.edge = SparkplugEdge(self.county.meta.adcode, self.county.points)
        self.faults = FaultBook(self.truth_file)
        self.truth = TruthMap(self.county, self.seed)
        self.obedience = Obedience(self.county)
        self._device = {d.id: d for d in self.county.devices}
        self._slot = {d.id: i % SPREAD_S for i, d in enumerate(self.county.devices)}
        self._of = [p.device_id for p in self.county.points]
        self._plant_t: float | None = None
        self._shown: Floats | None = None
        self._ticks = 0

    def start(self, t: float) -> None:
        """Set the plant's clock to ``t``."""
        self._plant_t = t
        self._true = self.truth.read(self.plant.step(t, PLANT_STEP_S))

    def tick(self, t: float) -> int:
        """Let the field come to ``t`` and say what is due; returns the number of messages."""
        assert self._plant_t is not None
        self.faults.apply(t, self.plant, self.instruments, self.manners)
        gap = t - self._plant_t
        while gap >= PLANT_STEP_S:
            step = PLANT_STEP_S if gap < 300.0 else 120.0
            self._plant_t += step
            self._true = self.truth.read(self.plant.step(self._plant_t, step))
            gap = t - self._plant_t
        self.manners.drop_out(t, 1.0)
        if told := self.obedience.due(t):
            self.instruments.send_all_again(np.array(told, np.int64))
        due = self.instruments.pick_due(self.instruments.measure(self._true, t), t)
        if self._ticks == SPREAD_S:
            self._introduce()
        if self._ticks < SPREAD_S:  # the first round is spread over a few seconds
            mine = np.array([self._slot[self._of[n]] == self._ticks for n in due], bool)
            self.instruments.send_all_again(due[~mine] if due.size else due)
            due = due[mine] if due.size else due
        self._ticks += 1
        return self.speak(self._gather(due, t), t)

    def _introduce(self) -> None:
        """Stations and sources say what they run; small sensors do not."""
        for d in self.county.devices:
            said = encode_identity(d) if d.kind in ("station_plc", "source_dcs", "rtu", "plc") else None
            if said is not None:
                self.say("json", *said)

    def _gather(self, due: NDArray[np.int64], t: float) -> list[Bundle]:
        by_device: dict[str, dict[int, float]] = {}
        for n in due:
            by_device.setdefault(self._of[n], {})[int(n)] = self.instruments.last_shown(int(n))
        return [Bundle(self._device[d], t, values) for d, values in by_device.items()]

    def speak(self, bundles: Iterable[Bundle], now: float) -> int:
        """Send bundles as their devices do."""
        rows: list[Bundle] = []
        n = 0
        for bundle in bundles:
            for out in self.manners.pass_on(bundle, now):
                self.bundles_sent += 1
                if out.device.dialect == "thingsboard":
                    rows.append(out)
                    continue
                n += self._say_one(out, late=now - out.t > 10.0)
        return n + self.say_rows(rows)

    def speak_late(self, bundles: list[Bundle]) -> int:
        """Deliver stored bundles; the gateways' manners do not apply twice."""
        rows = [b for b in bundles if b.device.dialect == "thingsboard"]
        n = sum(self._say_one(b, late=True) for b in bundles if b.device.dialect != "thingsboard")
        return n + self.say_rows(rows)

    def _say_one(self, bundle: Bundle, late: bool) -> int:
        if bundle.device.dialect == "sparkplug":
            self.say("edge", *self.edge.device(bundle, historical=late))
        else:
            self.say("json", *encode_flat(self.county.points, bundle))
        return 1

    def say_rows(self, rows: list[Bundle]) -> int:
        """ThingsBoard gateways: a station alone, many small sensors together."""
        n = 0
        small = [b for b in rows if len(b.values) <= 3]
        groups = [[b] for b in rows if len(b.values) > 3]
        groups += [small[i : i + GATEWAY_ROWS] for i in range(0, len(small), GATEWAY_ROWS)]
        for group in groups:
            self.say("json", *encode_thingsboard(self.county.points, group))
            n += 1
        return n

    def birth(self, t: float) -> None:
        """Announce the edge node; its devices are born with everything they know."""
        self.say("edge", *self.edge.birth(t))
        numbers = [p.no for p in self.county.points if self._device[p.device_id].dialect == "sparkplug"]
        self.instruments.send_all_again(np.array(numbers, dtype=np.int64))

    def hear(self, topic: str, payload: bytes, t: float) -> None:
        """A command, a control message or a request for a new birth; a wrong one is answered in the log."""
        if topic != "demo/control" and "/NCMD/" not in topic:
            self._obey(topic, payload, t)
            return
        if topic.startswith("spBv1.0/"):
            if topic.endswith(f"/NCMD/{EDGE}") and b"Rebirth" in payload:
                self.birth(t)
            return
        try:
            said = json.loads(payload)
            if not isinstance(said, dict):
                raise InputError("a JSON object is needed")
            if said.get("fault") == "clear":
                self.faults.clear(t)
                log.info("faults cleared")
                return
            fault = read_fault(said, t, self.plant)
        except (ValueError, InputError) as e:
            log.warning("control message refused: %s", e)
            return
        self.faults.add(fault)
        log.info("fault planned: %s at %s, size %s", fault.kind, fault.at or "-", fault.size)

    def _obey(self, topic: str, payload: bytes, t: float) -> None:
        order = self.obedience.read(topic, payload)
        if order is None or self.manners.is_out(order.device.id, t):
            return
        refused = self.obedience.carry_out(order, self.plant, t)
        log.info("%s was told %s: %s", order.device.external_id, dict(order.values), refused or "done")
        for said in answers(order, refused):
            self.say("json", *said)

    def save(self, path: Path) -> None:
        """Keep the plant's state (whole or not at all)."""
        assert self._plant_t is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, t=np.array(self._plant_t), allow_pickle=False, **self.plant.save())
        part.replace(path)

    def restore(self, path: Path, now: float) -> bool:
        """Continue from a kept state; catches up at most a day. False when there is none that fits."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                arrays = {k: kept[k] for k in kept.files}
        except (OSError, ValueError, KeyError):
            return False
        t = float(arrays.pop("t", np.array(0.0)))
        if not 0 <= now - t < 86_400.0 or not self.plant.restore(arrays):
            return False
        began = time.monotonic()
        while t < now - 300.0 and time.monotonic() - began < 5.0:
            t += 300.0
            self.plant.step(t, 300.0)
        return True
