"""``python -m ingest.demo.devices.history COUNTY SEED WEATHER START END FILE``: see ``backfill``."""

import os
import sys
from pathlib import Path

import numpy as np

from ingest.county import load_county
from ingest.demo.devices.backfill import compute_history


def main() -> None:
    """Compute and write, at low priority."""
    folder, seed, mode, start, end, out = sys.argv[1:7]
    os.nice(10)
    t, value = compute_history(load_county(Path(folder)), int(seed), mode, float(start), float(end))
    part = Path(out).with_suffix(".part.npz")
    np.savez(part, t=t, value=value, allow_pickle=False)
    part.replace(out)


if __name__ == "__main__":
    main()
