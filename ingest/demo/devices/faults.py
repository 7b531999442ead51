"""Faults: what breaks, when, how much; every one written down with its truth.

Kinds (``at``, ``size``): ``leak`` (pipe, kg/s), ``blockage`` (pipe, added loss coefficient), ``fouling``
(station, share of UA left), ``stuck_valve`` (station, opening; empty: where it is), ``pump_trip`` (station),
``weak_pump`` (station, share of speed left), ``air`` (station, share of flow kept away),
``secondary_leak`` (station, kg/s), ``secondary_draw`` (station, kg/s in bouts), ``draw`` (pipe, kg/s in
bouts), ``imbalance`` (station, share by which every other building is throttled or opened), ``open_room``
(room, share of the way to outdoor air), ``source_trip`` (source, share of capacity left), ``sensor_bias``
(point, SI), ``sensor_drift`` (point, SI per hour), ``sensor_freeze`` (point), ``sensor_swap`` (supply point,
crossed with its return point), ``gateway_offline`` (device or dialect), ``cold_wave`` (-, K).
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.demo.devices.instruments import Instruments
from ingest.demo.devices.manners import Manners
from ingest.demo.plant.plant import Plant
from twin.model.errors import InputError
from twin.model.network import Side

_PLACE = {
    "leak": "pipe", "blockage": "pipe", "fouling": "station", "stuck_valve": "station",
    "pump_trip": "station", "weak_pump": "station", "air": "station", "secondary_leak": "station",
    "secondary_draw": "station", "draw": "pipe", "imbalance": "station", "open_room": "room",
    "sensor_swap": "point", "source_trip": "source", "sensor_bias": "point", "sensor_drift": "point",
    "sensor_freeze": "point",
    "gateway_offline": "device", "cold_wave": "",
}  # fmt: skip
_SIZE = {"leak": 5.0, "blockage": 2000.0, "fouling": 0.7, "source_trip": 0.4, "sensor_bias": 5.0,
         "sensor_drift": 1.0, "cold_wave": 10.0, "weak_pump": 0.8, "air": 0.25, "secondary_leak": 1.0,
         "secondary_draw": 0.6, "draw": 3.0, "imbalance": 0.35, "open_room": 0.25}  # fmt: skip
SIBLING = {"p1_ts": "p1_tr", "s2_ts": "s2_tr", "p1_ps": "p1_pr", "s2_ps": "s2_pr", "src_ts": "src_tr",
           "src_ps": "src_pr"}  # fmt: skip
"""Meters whose wires may be crossed: supply -> return."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault from ``start`` (s since 1970 UTC) for ``minutes`` (None: until cleared)."""

    kind: str
    at: str
    size: float | None
    start: float
    minutes: float | None = None

    def active(self, t: float) -> bool:
        """Whether it is on at ``t``."""
        return t >= self.start and (self.minutes is None or t < self.start + 60.0 * self.minutes)


def read_fault(said: Mapping[str, object], now: float, plant: Plant) -> Fault:
    """A fault from a control message or a script row.

    Raises
    ------
    InputError : unknown kind or place, or a wrong number; the text says which
    """
    kind = str(said.get("fault", said.get("kind", ""))).replace("-", "_")
    if kind not in _PLACE:
        raise InputError(f"unknown fault {kind!r}; one of: {', '.join(sorted(_PLACE))}")
    at, c = str(said.get("at", "")), plant.county
    places = {
        "pipe": {p.id for p in c.network.pipes},
        "station": {s.id for s in c.network.substations},
        "source": {s.id for s in c.network.sources},
        "point": set(c.point_by_id),
        "room": {p.place_id for p in c.points if p.key == "room_t"},
        "device": {d.id for d in c.devices} | {d.dialect for d in c.devices},
    }.get(_PLACE[kind])
    if places is not None and at not in places:
        raise InputError(f"fault {kind}: {at!r} is not a {_PLACE[kind]} of this county")
    if kind == "sensor_swap" and at.rsplit("/", 1)[-1] not in SIBLING:
        raise InputError(f"fault {kind}: {at!r} has no return meter; one of: {', '.join(SIBLING)}")
    numbers = {}
    for key in ("size", "minutes", "after_min"):
        raw = said.get(key)
        if raw is not None and (isinstance(raw, bool) or not isinstance(raw, (int, float))):
            raise InputError(f"fault {kind}: {key} is {raw!r}, a number is needed")
        numbers[key] = None if raw is None else float(raw)
    size = numbers["size"] if numbers["size"] is not None else _SIZE.get(kind)
    return Fault(kind, at, size, now + 60.0 * (numbers["after_min"] or 0.0), numbers["minutes"])


def read_script(path: Path, now: float, plant: Plant) -> list[Fault]:
    """Faults of a TOML file: ``[[fault]]`` rows with kind, at, size, after_min, minutes.

    Raises
    ------
    InputError : the file or a row is wrong
    """
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("fault", [])
    except (OSError, tomllib.TOMLDecodeError) as e:
        raise InputError(f"fault script {path}: {e}") from e
    if not isinstance(rows, list) or not rows:
        raise InputError(f"fault script {path}: write [[fault]] tables")
    out = []
    for i, row in enumerate(rows, 1):
        try:
            out.append(read_fault(row, now, plant))
        except InputError as e:
            raise InputError(f"fault script {path}, fault {i}: {e}") from e
    return out


class FaultBook:
    """The faults of a run; applies the active ones and writes every start and end down."""

    def __init__(self, truth_file: Path) -> None:
        self._truth = truth_file
        self.faults: list[Fault] = []
        self._on: set[int] = set()

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        self.faults.append(fault)

    def clear(self, t: float) -> None:
        """End everything that is on or planned."""
        self.faults = [
            replace(f, minutes=max((t - f.start) / 60.0, 0.0)) if f.minutes is None or f.active(t) else f
            for f in self.faults
        ]

    def apply(self, t: float, plant: Plant, instruments: Instruments, manners: Manners) -> None:
        """Set plant, instruments and gateways to the faults active at ``t``."""
        on = {i for i, f in enumerate(self.faults) if f.active(t)}
        if on == self._on:
            return
        for i in sorted(on ^ self._on):
            self._write(i, t, i in on)
        self._on = on
        plant.reset_upset()
        instruments.fault_offset[:] = 0.0
        instruments.fault_drift_per_s[:] = 0.0
        instruments.fault_since[:] = np.nan
        frozen, instruments.frozen = instruments.frozen, np.full_like(instruments.frozen, np.nan)
        manners.forced.clear()
        instruments.swapped.clear()
        wave = None
        for i in sorted(on):
            f = self.faults[i]
            if f.kind == "cold_wave":
                wave = f
            elif f.kind == "gateway_offline":
                manners.forced |= {d.id for d in plant.county.devices if f.at in (d.id, d.dialect)}
            elif f.kind.startswith("sensor_"):
                _break_sensor(f, plant, instruments, frozen)
            else:
                _break_plant(f, plant)
        plant.weather = replace(
            plant.weather,
            wave_start=wave.start if wave else None,
            wave_k=float(wave.size or 10.0) if wave else 10.0,
        )

    def _write(self, i: int, t: float, begins: bool) -> None:
        self._truth.parent.mkdir(parents=True, exist_ok=True)
        row = {"t": t, "event": "start" if begins else "end", "no": i, **asdict(self.faults[i])}
        with self._truth.open("a", encoding="utf-8") as f:
            f.write(json.dumps(row) + "\n")


def _break_sensor(
    f: Fault, plant: Plant, instruments: Instruments, frozen_before: NDArray[np.float64]
) -> None:
    no = plant.county.point_by_id[f.at].no
    size = float(f.size or 0.0)
    if f.kind == "sensor_swap":
        place, _, key = f.at.rpartition("/")
        instruments.swapped.append((no, plant.county.point_by_id[f"{place}/{SIBLING[key]}"].no))
    elif f.kind == "sensor_bias":
        instruments.fault_offset[no] = size
    elif f.kind == "sensor_drift":
        instruments.fault_since[no], instruments.fault_drift_per_s[no] = f.start, size / 3600.0
    else:
        held = frozen_before[no]
        instruments.frozen[no] = held if np.isfinite(held) else instruments.last_shown(no)


def _break_plant(f: Fault, plant: Plant) -> None:
    c, u = plant.county, plant.upset
    size = float(f.size) if f.size is not None else 0.0
    if f.kind in ("leak", "draw", "blockage"):
        i = next(k for k, p in enumerate(c.network.pipes) if p.id == f.at)
        if f.kind == "blockage":
            u.zeta[i] += size
            return
        side = c.network.pipes[i].side
        for node in (c.network.pipes[i].from_node, c.network.pipes[i].to_node):
            row = c.network.node_index[node] + (0 if side == Side.SUPPLY else plant.grid.n)
            (u.leak_kg_s if f.kind == "leak" else u.draw_kg_s)[row] += size / 2.0
    elif f.kind == "open_room":
        u.open_room[f.at] = size
    elif f.kind == "source_trip":
        u.source[[s.id for s in c.network.sources].index(f.at)] = size
    else:
        _break_station(f, plant, [s.id for s in c.network.substations].index(f.at), size)


def _break_station(f: Fault, plant: Plant, i: int, size: float) -> None:
    u = plant.upset
    at_station = {
        "fouling": u.exchanger_ua, "pump_trip": u.pump, "weak_pump": u.pump, "air": u.air,
        "secondary_leak": u.loss_2_kg_s, "secondary_draw": u.draw_2_kg_s,
    }  # fmt: skip
    if f.kind in at_station:
        at_station[f.kind][i] = 0.0 if f.kind == "pump_trip" else size
    elif f.kind == "imbalance":
        mine = np.flatnonzero(plant.blocks.station == i)
        u.branch[mine] = 1.0 + size * np.where(np.arange(mine.size) % 2, 1.0, -1.0)
    else:
        u.stuck[i] = size if f.size is not None else plant.stations.valve[i]
