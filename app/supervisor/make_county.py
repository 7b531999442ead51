"""Makes the demo county in a process of its own: ``python -m app.supervisor.make_county --seed 7``."""

import argparse
import sys
import time

from ingest.settings import read_settings
from twin.model.errors import CountyTwinError


def main() -> int:
    """Generate and save the demo county into the county folder; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make the demo county")
    parser.add_argument("--seed", type=int, required=True)
    seed = parser.parse_args().seed
    folder = read_settings().county
    begun = time.monotonic()
    print(f"making the demo county (seed {seed}) in {folder}; only at the first start", flush=True)
    try:
        from ingest.county import save_county
        from ingest.demo.county import generate_county

        county = generate_county(seed)
        save_county(county, folder)
    except (CountyTwinError, OSError) as e:
        print(f"the demo county could not be made: {e}", flush=True)
        return 1
    print(
        f"{county.meta.name} ({county.meta.name_en}): {len(county.buildings)} buildings, "
        f"{len(county.network.pipes)} pipes, {len(county.points)} points; "
        f"{time.monotonic() - begun:.1f} s",
        flush=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
