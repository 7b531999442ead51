"""History of the day before the first start, as gateways with a memory deliver it: late, in bundles.

The history is computed by a process of its own (a coarse run of the same plant), so that live values are
never delayed, and published at a measured pace.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.demo.devices.dialects import Bundle
from ingest.demo.devices.instruments import Instruments
from ingest.demo.plant import Plant
from ingest.demo.plant.truth import TruthMap
from twin.model.county import County

Floats = NDArray[np.float64]

STEP_S = 150.0
EVERY_S = 300.0
ROOM_EVERY_S = 1800.0


def compute_history(county: County, seed: int, mode: str, start: float, end: float) -> tuple[Floats, Floats]:
    """Run the plant from ``start`` to ``end``; (n,) times and (n, n_point) instrument values, SI."""
    plant = Plant(county, seed, mode)
    plant.settle(start)
    truth = TruthMap(county, seed)
    instruments = Instruments(county, plant.hidden.sensor_bias, seed + 1)
    counters = [p.no for p in county.points if p.key.endswith(("_vol", "_energy", "_kwh"))]
    times, rows = [], []
    t = start
    while t + STEP_S <= end:
        t += STEP_S
        reading = plant.step(t, STEP_S)
        if round(t - start) % round(EVERY_S) == 0:
            times.append(t)
            shown = instruments.measure(truth.read(reading), t)
            shown[counters] = np.nan  # the live plant counts from its own start: no step back at the seam
            rows.append(shown)
    return np.array(times), np.array(rows).reshape(len(times), len(county.points))


def start_history(
    county_folder: Path, seed: int, mode: str, start: float, end: float
) -> tuple["subprocess.Popen[bytes]", Path]:
    """Compute in another process; the result lands in the returned file."""
    out = Path(tempfile.mkdtemp(prefix="county-twin-")) / "history.npz"
    command = [
        sys.executable, "-m", "ingest.demo.devices.history", str(county_folder), str(seed), mode,
        str(start), str(end), str(out),
    ]  # fmt: skip
    return subprocess.Popen(command, stdin=subprocess.DEVNULL), out  # noqa: S603 - own module, own arguments


def read_bundles(county: County, file: Path) -> Iterator[list[Bundle]]:
    """One list per moment, newest moment first: operators look at the last hours first."""
    with np.load(file, allow_pickle=False) as kept:
        times, rows = kept["t"], kept["value"]
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
