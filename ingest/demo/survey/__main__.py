"""``python -m ingest.demo.survey``: makes the photography of the demo county in the background."""

import argparse
import os
import sys
import time

from ingest.settings import read_settings
from twin.model.errors import CountyTwinError

NICE = 15


def main() -> int:
    """Wait, step back behind all others, make the tiles; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make the demo county's tilt photography")
    parser.add_argument("--wait-s", type=float, default=0.0, help="begin so much later")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    parser.add_argument("--again", action="store_true", help="make it anew though it is there")
    args = parser.parse_args()
    folder = read_settings().county
    os.nice(NICE)
    time.sleep(args.wait_s)
    begun = time.monotonic()
    try:
        from ingest.county import load_county
        from ingest.demo.survey.build import build_survey
        from ingest.demo.survey.listing import has_survey

        if has_survey(folder) and not args.again:
            print("the photography is there already", flush=True)
            return 0
        print("making the photography of the demo county; the plain scene stands in until then", flush=True)
        layer = build_survey(load_county(folder), folder, workers=max(args.workers, 1))
    except (CountyTwinError, OSError) as e:
        print(f"the photography could not be made, the plain scene stays: {e}", flush=True)
        return 1
    took = time.monotonic() - begun
    print(f"photography: {layer.tiles} tiles, {layer.bytes / 1e6:.0f} MB, {took:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
