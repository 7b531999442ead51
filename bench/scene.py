"""Print what the scene costs: bytes, painting, time to the first picture, an update, a turn of the camera.

Run: ``python -m bench.scene`` (``--tiny`` for the tiny county instead of the demo county, ``--json FILE`` to
keep the figures, ``--photo COUNTY`` with photography, ``--large`` an update at 10,000 pipes, ``--long`` the
heap after half an hour of updates and tours, run as fast as they go). Software GL: a graphics card is many
times faster.
"""

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from app.scene import ground
from app.scene.assets import SceneLibrary
from app.scene.routes import read_renderer
from tests.scene.page import CHROMIUM_ARGS, Client, make_page, serve
from twin.model.county import County

TURN = """async (frames) => {
  const start = {...CT.scene.camera}, times = [];
  for (let i = 0; i < frames; i++) {
    const began = performance.now();
    CT.scene.stage.see({...start, bearing: start.bearing + i, transitionDuration: 0});
    CT.scene.deck.redraw('bench');
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[frames >> 1];
}"""


def _load(tiny: bool) -> County:
    if tiny:
        from tests.support.tiny import make_tiny_county

        return make_tiny_county()
    from ingest.demo.county import generate_county

    return generate_county()


def measure_library(county: County) -> dict[str, float]:
    """Seconds of processor time to build and paint, kilobytes to send."""
    began = time.process_time()
    library = SceneLibrary(county)
    blobs = list(library.assets.blobs.values())
    figures = {"build_cpu_s": time.process_time() - began}
    for near in (False, True) if library.assets.near else (False,):
        began = time.process_time()
        picture = library.read_ground("dark", near)
        figures["paint_near_cpu_s" if near else "paint_cpu_s"] = time.process_time() - began
        blobs.append(picture)
    with serve(make_page(county)) as base:
        spec = Client(base).get("/scene/spec.json", {"Accept-Encoding": "gzip"}).content
    figures |= {f"{b.name} KiB": len(b.packed or b.plain) / 1024 for b in blobs}
    figures["spec.json KiB"] = len(spec) / 1024
    figures["together KiB"] = sum(v for k, v in figures.items() if k.endswith("KiB"))
    figures["renderer KiB"] = len(read_renderer().packed) / 1024
    return figures


def measure_browser(county: County, width: int, height: int) -> dict[str, float]:
    """First picture and what was sent for it, an update of all pipes, a frame while the camera turns.

    The ground is painted already, as it is in an app that has run for ten seconds.
    """
    with serve(make_page(county)) as base, sync_playwright() as playwright:
        for picture in Client(base).get("/scene/spec.json").json()["scene"]["pictures"].values():
            Client(base).get(picture)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(base)
        figures = _measure_page(page)
        browser.close()
    return {f"{name} {width}x{height}": value for name, value in figures.items()}


def _wait(page: Page) -> None:
    page.wait_for_function("CT.scene.ready", timeout=90_000)
    page.evaluate(
        "async () => { window.sceneTables = await CT.sceneKit.loadTables(CT.scene.spec.scene.tables); }"
    )


def _measure_page(page: Page) -> dict[str, float]:
    _wait(page)
    first = page.evaluate("CT.scene.stats.firstPictureMs") / 1000
    sent = page.evaluate(
        "(before) => performance.getEntriesByType('resource').filter((e) => !/\\/tiles\\//.test(e.name)"
        " && e.responseEnd <= before).reduce((n, e) => n + e.encodedBodySize, 0)",
        page.evaluate("CT.scene.stats.readyAt"),
    )
    costs = page.evaluate(UPDATE, 9)
    turn_ms = page.evaluate(TURN, 9)
    return {
        "first_picture_s": first,
        "sent before it MiB": sent / (1 << 20),
        "update_ms": sorted(costs)[4],
        "update_most_ms": max(costs),
        "turn_frame_ms": turn_ms,
        "frames_per_s": 1000.0 / turn_ms,
    }


UPDATE = """async (n) => {
  // every pipe and every point changes; what is counted: readings into the table, pipes, markers and labels
  const { counts } = CT.scene.spec.scene, tables = window.sceneTables, stats = CT.scene.stats, costs = [];
  const detail = { tPipe: new Float32Array(counts.pipes), massFlow: new Float32Array(counts.pipes),
    pSupply: new Float32Array(counts.nodes).fill(8e5), pReturn: new Float32Array(counts.nodes).fill(3e5),
    tSupply: new Float32Array(counts.nodes), tReturn: new Float32Array(counts.nodes) };
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < counts.pipes; i++) {
      detail.tPipe[i] = (tables.pipes.side[i] === 'supply' ? 94 : 48) + 3 * Math.sin(i + k);
      detail.massFlow[i] = 120 * Math.sin(0.37 * i + 0.1 * k);
    }
    detail.t = Date.now() / 1000;
    const began = performance.now();
    for (let no = 0; no < 5000; no++) {
      const p = liveTable.get(no) || {};
      p.t = detail.t; p.value = 90 + Math.sin(no + k); p.quality = 192;
      liveTable.set(no, p);
    }
    const written = performance.now() - began;
    document.dispatchEvent(new CustomEvent('ct-network', { detail }));
    CT.scene.stage.readLive();
    costs.push(written + stats.lastUpdateMs + stats.lastLiveMs);
    await new Promise((done) => setTimeout(done, 40)); // frames are drawn when the processor gets to them
  }
  return costs;
}"""
UPDATES = 1800
"""Half an hour of live answers at one a second; here one after the other."""
FLOOD = """async (n) => {
  const began = performance.now();
  for (let i = 0; i < n; i++) {
    feed();
    answer(i % 7);
    if (i % 20 === 0) await new Promise((done) => requestAnimationFrame(done));
  }
  return (performance.now() - began) / n;
}"""


def enlarge(county: County, pipes: int) -> County:
    """The county with its network repeated to the north until it has so many pipes; stations come along."""
    n = county.network
    times = -(-pipes // len(n.pipes))
    nodes, rows, stations = [], [], []
    for k in range(times):
        up, end = 0.004 * k, f"-{k}" if k else ""
        nodes += [replace(x, id=x.id + end, lat=x.lat + up) for x in n.nodes]
        rows += [
            replace(p, id=p.id + end, from_node=p.from_node + end, to_node=p.to_node + end,
                    path=tuple((lon, lat + up) for lon, lat in p.path))
            for p in n.pipes
        ]  # fmt: skip
        stations += [
            replace(s, id=s.id + end, node_id=s.node_id + end, lat=s.lat + up) for s in n.substations
        ]
    network = replace(
        n, nodes=tuple(nodes), pipes=tuple(rows[:pipes]), substations=tuple(stations), valves=()
    )
    return replace(county, network=network)


def measure_large(county: County) -> dict[str, float]:
    """Main-thread time of an update at 10,000 pipes and 5,000 points."""
    ground.PICTURE_PX = ground.NEAR_PX = 256  # not what is measured here
    with serve(make_page(enlarge(county, 10_000))) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": 640, "height": 360})
        page.set_default_timeout(240_000)
        page.goto(base)
        _wait(page)
        page.wait_for_timeout(2000)  # the first frames of so many pipes are drawn
        costs = sorted(page.evaluate(UPDATE, 41))
        count = page.evaluate("CT.scene.spec.scene.counts.pipes")
        browser.close()
    name = f"{count} pipes 5000 points"
    return {f"update_ms {name}": costs[20], f"update_most_ms {name}": costs[-1]}


def measure_heap(county: County, folder: Path | None) -> dict[str, float]:
    """Heap of the page before and after half an hour's updates and six tours, after collecting garbage."""
    with (
        serve(make_page(county, folder=folder or Path("/nonexistent"))) as base,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": 800, "height": 450})
        page.set_default_timeout(240_000)
        page.goto(base)
        _wait(page)
        _tour(page, 1)
        page.evaluate(FLOOD, 100)
        client = page.context.new_cdp_session(page)

        def heap() -> float:
            client.send("HeapProfiler.collectGarbage")
            rows = client.send("Performance.getMetrics")["metrics"]
            return float(next(m["value"] for m in rows if m["name"] == "JSHeapUsedSize")) / 1e6

        client.send("Performance.enable")
        before = heap()
        each = page.evaluate(FLOOD, UPDATES)
        _tour(page, 6)
        after = heap()
        browser.close()
    return {"heap_before MB": before, "heap_after MB": after, "heap_growth %": 100 * (after / before - 1),
            "flood_update_ms": each}  # fmt: skip


def _tour(page: Page, times: int) -> None:
    for _ in range(times):
        for spot in ROUTE:
            page.evaluate(SEE, spot)
            page.wait_for_timeout(250)


SEE = """([x, y, zoom]) => {
  const stage = CT.scene.stage, origin = stage.spec.scene.origin;
  const [longitude, latitude] = CT.sceneKit.toLonLat(stage.deckModule, origin, x, y);
  stage.see({...stage.view, longitude, latitude, zoom, pitch: 55, transitionDuration: 0});
}"""
QUIET = "(() => { const t = CT.scene.tiles(); return t && t.covered && !t.loading && !t.wanted; })()"
ROUTE = (
    (0, 0, 14),
    (-800, 100, 16),
    (-1100, 200, 17.3),
    (300, -600, 17.3),
    (1200, 200, 16.5),
    (-3800, 300, 15.5),
)


def measure_photo(county: County, folder: Path, width: int, height: int) -> dict[str, float]:
    """Photography: the first picture with it, bytes sent, memory against its budget on a flight."""
    with serve(make_page(county, folder=folder)) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(120_000)
        began = time.perf_counter()
        page.goto(base)
        page.wait_for_function(QUIET)
        figures = {"photo_first_s": time.perf_counter() - began, "photo_first MiB": _sent(page)}
        most = 0.0
        for spot in ROUTE:
            page.evaluate(SEE, spot)
            page.wait_for_timeout(300)
            page.wait_for_function(QUIET)
            most = max(most, page.evaluate("CT.scene.tiles().bytes"))
        told = page.evaluate("CT.scene.tiles()")
        figures |= {"photo_memory_most MB": most / 1e6, "photo_budget MB": told["budget"] / 1e6}
        figures |= {"photo_flight MiB": _sent(page), "photo_turn_frame_ms": page.evaluate(TURN, 9)}
        browser.close()
    return {f"{name} {width}x{height}": value for name, value in figures.items()}


def _sent(page: Page) -> float:
    """Mebibytes of tiles that have come so far."""
    return float(
        page.evaluate(
            "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.glb'))"
            ".reduce((n, e) => n + e.encodedBodySize, 0)"
        )
    ) / (1 << 20)


def main() -> None:
    """Print the table; keep it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--photo", type=Path, metavar="COUNTY", help="county folder with tiles: measure them too"
    )
    parser.add_argument("--large", action="store_true", help="an update at 10,000 pipes")
    parser.add_argument("--long", action="store_true", help="the heap after half an hour of updates")
    options = parser.parse_args()
    county = _load(options.tiny)
    figures: dict[str, Any] = measure_library(county)
    for width, height in ((1920, 1080), (1280, 720), (390, 844)):
        figures |= measure_browser(county, width, height)
    if options.photo:
        figures |= measure_photo(county, options.photo, 1920, 1080)
    if options.large:
        figures |= measure_large(county)
    if options.long:
        figures |= measure_heap(county, options.photo)
    figures["load average"] = os.getloadavg()[0]
    for name, value in figures.items():
        print(f"{name:<32}{value:10.2f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
