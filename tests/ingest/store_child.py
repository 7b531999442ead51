"""A process of its own that owns a store, so that a test can kill or stop it.

``write``: writes numbered batches for ever and prints the number of each one after its commit.
``serve``: one batch, then serves at URI with TOKEN and prints "ready".
"""

import sys
import time
from pathlib import Path

import numpy as np

from ingest.store.batch import Batch
from ingest.store.owner import StoreOwner
from tests.support.tiny import make_tiny_county

ROWS = 20
BASE_US = 1_700_000_000_000_000


def make_batch(number: int) -> Batch:
    """Batch ``number``: ROWS points at one moment, value = number."""
    at = np.full(ROWS, BASE_US + number * 1_000_000, np.int64)
    return Batch(np.arange(ROWS), at, at, np.full(ROWS, float(number)), np.full(ROWS, 192, np.int64))


def main() -> None:
    what, path = sys.argv[1], Path(sys.argv[2])
    owner = StoreOwner(path, make_tiny_county().points)
    if what == "serve":
        owner.write(make_batch(1))
        owner.serve(sys.argv[3], sys.argv[4])
        print("ready", flush=True)
        time.sleep(600)
    row = owner.db.execute("SELECT coalesce(max(value), 0)::BIGINT FROM reading").fetchone()
    number = int(row[0]) if row else 0
    while True:
        number += 1
        owner.write(make_batch(number))
        print(number, flush=True)


if __name__ == "__main__":
    main()
