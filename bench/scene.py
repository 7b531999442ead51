"""Print what the scene costs: bytes, time to the first picture, time of an update. Software GL; say so.

Run: ``python -m bench.scene`` (``--tiny`` for the tiny county instead of the demo county).
"""

import sys
import time

from playwright.sync_api import sync_playwright

from app.scene.assets import SceneLibrary
from app.scene.routes import read_renderer
from tests.scene.page import CHROMIUM_ARGS, Client, make_page, serve
from twin.model.county import County


def _load() -> County:
    if "--tiny" in sys.argv:
        from tests.support.tiny import make_tiny_county

        return make_tiny_county()
    from ingest.demo.county import generate_county

    return generate_county(1)


def main() -> None:
    """Print the table."""
    county = _load()
    began = time.perf_counter()
    library = SceneLibrary(county)
    blobs = library.assets.blobs.values()
    built = time.perf_counter()
    ground = library.read_ground("dark")
    painted = time.perf_counter()
    print(f"buffers built in {built - began:.2f} s, ground painted in {painted - built:.2f} s")
    with serve(make_page(county)) as base:
        spec = Client(base).get("/scene/spec.json", {"Accept-Encoding": "gzip"}).content
        sizes = {b.name: len(b.packed or b.plain) for b in blobs} | {"spec.json": len(spec)}
        sizes[ground.name] = len(ground.plain)
        for name, size in sizes.items():
            print(f"{name:<20}{size / 1024:8.0f} KiB compressed")
        print(f"{'together':<20}{sum(sizes.values()) / 1024:8.0f} KiB")
        print(f"{'renderer':<20}{len(read_renderer().packed) / 1024:8.0f} KiB")
        _draw(base, len(county.network.pipes))


def _draw(base: str, pipes: int) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(base)
        page.wait_for_function("CT.scene.ready", timeout=60_000)
        page.evaluate(
            "async () => { window.sceneTables = await CT.sceneKit.loadTables(CT.scene.spec.scene.tables); }"
        )
        first = page.evaluate("CT.scene.stats.firstPictureMs") / 1000
        print(f"first picture after {first:.2f} s (software GL, 1920 x 1080)")
        costs = page.evaluate(
            "() => [...Array(21)].map((_, i) => { answer(i); return CT.scene.stats.lastUpdateMs; })"
        )
        print(f"update of {pipes} pipes: median {sorted(costs)[10]:.1f} ms on the main thread")
        browser.close()


if __name__ == "__main__":
    main()
