"""The main job in figures: start, memory, CPU, sensor-to-pixel delay, message rates.

Starts a Mosquitto and the whole system with the demo county in a fresh folder, opens the heating page in
headless Chromium (software rendering) and measures for two minutes. Run: ``python -m bench.end_to_end
[--json FILE] [--seconds 120]``; it takes two and a half minutes and ``--seconds`` more. Nothing here is a
test; the table says what was measured. Ended by SIGTERM it ends the system too.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import psutil
from playwright.sync_api import Page, sync_playwright

from bench.table import Table
from ingest.county import load_county
from tests.e2e.conftest import Field, display
from tests.support.system import CHROMIUM_ARGS, System, run_mosquitto, wait_until

Row = Callable[[str, float, str, str], None]
WATCH = """([id]) => {
  window.__seen = {};
  const note = () => requestAnimationFrame(() => {
    for (const e of document.querySelectorAll(`[data-point="${id}"]`)) {
      const text = (e.textContent.match(/[\\d.]+/) || [''])[0];
      if (text && !(text in window.__seen)) window.__seen[text] = performance.timeOrigin + performance.now();
    }
  });
  new MutationObserver(note).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


class Counter:
    """Counts every message on the broker."""

    def __init__(self, port: int) -> None:
        self.messages = 0
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_message = self._count
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("#", qos=0)
        self.client.loop_start()

    def _count(self, *_: object) -> None:
        self.messages += 1


def cpu_seconds(family: list[psutil.Process]) -> dict[int, float]:
    """User + system seconds by process."""
    out = {}
    for p in family:
        try:
            times = p.cpu_times()
        except psutil.NoSuchProcess:
            continue
        out[p.pid] = times.user + times.system
    return out


def memory_mb(system: System) -> dict[str, float]:
    """Proportional set size by process name, and the sum (shared pages counted once)."""
    names = {p["pid"]: name for name, p in system.status().items()}
    out: dict[str, float] = {}
    for p in system.family():
        try:
            out[names.get(p.pid, "supervisor" if p.pid == system.process.pid else str(p.pid))] = (
                p.memory_full_info().pss / 2**20
            )
        except psutil.NoSuchProcess:
            continue
    out["all"] = sum(out.values())
    return out


def measure_delay(page: Page, field: Field, n: int) -> list[float]:
    """Seconds from publishing a value to the frame that shows it."""
    point = field.point("p1_tr")
    page.evaluate(WATCH, [point.id])
    sent: dict[str, float] = {}
    for i in range(n):
        value = 30.0 + 0.1 * i
        text = display(point, value)
        sent[text] = time.time()
        field.say("p1_tr", value)
        time.sleep(0.6 + 0.037 * (i % 11))
    page.wait_for_timeout(3000)
    seen = page.evaluate("window.__seen")
    return [seen[t] / 1000 - at for t, at in sent.items() if t in seen]


@contextmanager
def run_system(data: Path, port: int) -> Iterator[System]:
    """The whole system on a broker; ended however the block ends."""
    system = System(data, env={"MQTT_URL": f"mqtt://127.0.0.1:{port}"})
    system.start()
    try:
        system.wait_ready()
        yield system
    finally:
        system.stop()


def wait_live(system: System, page: Page) -> None:
    """Until the heating page shows a live value."""
    page.goto(f"{system.url}/heating?sel=S01", wait_until="domcontentloaded")
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-point=\"S01/p1_ts\"]')]"
        ".some(e => /\\d/.test(e.textContent))",
        timeout=120_000,
    )


def measure_running(system: System, page: Page, port: int, seconds: float, row: Row) -> None:
    """Processor, memory and delay of a system that has settled."""
    counter = Counter(port)
    before, at = cpu_seconds(system.family()), time.monotonic()
    time.sleep(seconds)
    span = time.monotonic() - at
    after = cpu_seconds(system.family())
    names = {pr["pid"]: n for n, pr in system.status().items()}
    used = {names.get(pid, "supervisor"): (after[pid] - before.get(pid, 0.0)) / span for pid in after}
    row("CPU of all processes at demo rate", 100 * sum(used.values()), "% of one core", "60")
    for name, share in sorted(used.items()):
        row(f"  CPU {name}", 100 * share, "% of one core", "")
    row("messages on the broker", counter.messages / span, "1/s", "")
    stats = page.evaluate("window.CT?.status?.stats || null") or {}
    if stats:
        row("readings stored", float(stats["readings_per_s"]), "1/s", "")
    for name, mb in memory_mb(system).items():
        whole = name == "all"
        row("resident memory, all processes (PSS)" if whole else f"  memory {name}", mb, "MB",
            "1500" if whole else "")  # fmt: skip
    field = Field(port, load_county(system.data / "county"))
    page.goto(f"{system.url}/heating?sel={field.device.place_id}")
    page.locator(f'[data-point="{field.point("p1_tr").id}"]').first.wait_for(timeout=30_000)
    delays = sorted(measure_delay(page, field, 60))
    if delays:
        row("sensor to pixel, p50", statistics.median(delays), "s", "")
        row("sensor to pixel, p95", delays[int(0.95 * (len(delays) - 1))], "s", "1.5")
        row("sensor to pixel, values seen of 60", len(delays), "", "")
    field.close()


def measure(seconds: float, row: Row) -> None:
    """Run everything once; each figure goes to ``row`` (figure, value, unit, aim)."""
    with (
        tempfile.TemporaryDirectory() as tmp,
        run_mosquitto(Path(tmp) / "mq") as port,
        sync_playwright() as p,
    ):
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080}, bypass_csp=True)
        for name in ("first start (county generated)", "second start"):
            began = time.monotonic()
            with run_system(Path(tmp) / "var", port) as system:
                wait_live(system, page)
                row(f"start to first live value on the page, {name}", time.monotonic() - began, "s", "20")
                if name == "second start":
                    time.sleep(30)
                    measure_running(system, page, port, seconds, row)
                else:
                    wait_until(lambda s=system: s.status()["twin"]["state"] == "up", 60, "twin is up")  # type: ignore[misc]
                    time.sleep(45)
        browser.close()


def main() -> None:
    """Print the table; with ``--json`` write the same rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seconds", type=float, default=120.0)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    table = Table()
    measure(args.seconds, table.add)
    table.write(args.json)


if __name__ == "__main__":
    main()
