"""History of the day before the first start, as gateways with a memory deliver it: late, in bundles.

The plant itself walks through that day, so the live values go on where the history ends, counters too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.demo.devices.dialects import Bundle
from ingest.demo.devices.instruments import Instruments
from ingest.demo.plant import Plant
from ingest.demo.plant.truth import TruthMap
from twin.model.county import County

Floats = NDArray[np.float64]

STEP_S = 150.0
FINE_STEP_S = 10.0
FINE_S = 600.0
"""The last minutes go in the steps of live values."""
EVERY_S = 300.0
ROOM_EVERY_S = 1800.0


@dataclass(frozen=True, slots=True)
class History:
    """``time``: (n,) s since 1970, every 5 min; ``value``: (n, n_point) what instruments showed, SI."""

    time: Floats
    value: Floats


def walk_history(plant: Plant, start: float, end: float) -> History:
    """Settle a new plant at ``start`` and walk it to ``end``, where it stays."""
    county = plant.county
    plant.settle(start)
    truth = TruthMap(county, plant.seed)
    instruments = Instruments(county, plant.hidden.sensor_bias, plant.seed + 1)
    turn = max(end - FINE_S, start)
    coarse = np.arange(start + STEP_S, turn + 1e-6, STEP_S)
    fine = np.arange(end, turn + 1e-6, -FINE_STEP_S)[::-1]
    times, rows = [], []
    before, due = start, start + EVERY_S
    for t in np.concatenate([coarse, fine]):
        reading = plant.step(float(t), float(t) - before)
        before = float(t)
        if t >= due:
            due += EVERY_S
            times.append(before)
            rows.append(instruments.measure(truth.read(reading), before))
    return History(np.array(times), np.array(rows).reshape(len(times), len(county.points)))


def read_bundles(county: County, history: History) -> Iterator[list[Bundle]]:
    """One list per moment, newest moment first: operators look at the last hours first."""
    times, rows = history.time, history.value
    device = {d.id: d for d in county.devices}
    slow = np.array([p.period_s >= 900.0 for p in county.points])
    start = float(times[0]) if times.size else 0.0
    for i in range(len(times) - 1, -1, -1):
        t, row = float(times[i]), rows[i]
        rooms_too = round(t - start) % round(ROOM_EVERY_S) == 0
        by_device: dict[str, dict[int, float]] = {}
        for n in np.flatnonzero(np.isfinite(row) & (~slow | rooms_too)):
            by_device.setdefault(county.points[n].device_id, {})[int(n)] = float(row[n])
        yield [Bundle(device[d], t, values) for d, values in by_device.items()]
