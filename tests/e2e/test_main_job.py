"""The main job as a user meets it: one command, a real Mosquitto, a real browser."""

import io
import os
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page
from playwright.sync_api import TimeoutError as NotShown

from tests.e2e.conftest import Field, display
from tests.support.system import System, wait_until
from twin.model.county import County

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def page(browser: Browser, system: System) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{system.url}/heating", wait_until="domcontentloaded")
    yield page
    context.close()


def look(page: Page, selector: str) -> np.ndarray:
    """Pixels of one element, (height, width, 3) 0..255."""
    image = Image.open(io.BytesIO(page.locator(selector).first.screenshot()))
    return np.asarray(image.convert("RGB")).astype(int)


def test_every_process_is_up(system: System) -> None:
    expected = {"ingest", "twin", "dashboard", "devices"}

    def up() -> bool:
        return {n for n, p in system.status().items() if p["state"] == "up"} >= expected

    wait_until(up, 120, f"{expected} are up")


def test_the_scene_shows_warm_supply_and_cool_return_pipes(page: Page) -> None:
    page.wait_for_function("window.CT?.scene?.ready === true", timeout=60_000)
    page.wait_for_function("window.CT?.network?.tSupply?.length > 0", timeout=60_000)
    page.wait_for_timeout(1500)
    rgb = look(page, ".ct-scene canvas")
    spread = rgb.max(axis=2) - rgb.min(axis=2)
    warm = (rgb[..., 0] > 150) & (rgb[..., 0] - rgb[..., 2] > 70)
    cool = (rgb[..., 2] > 130) & (rgb[..., 2] - rgb[..., 0] > 50)
    assert warm.mean() > 0.0008, "no warm supply pipes in the picture"
    assert cool.mean() > 0.0008, "no cool return pipes in the picture"
    assert rgb.std() > 12, "the picture is almost one colour"
    assert (spread > 25).mean() > 0.01, "the picture is grey"


def test_the_value_on_the_page_is_the_value_last_published(page: Page, field: Field) -> None:
    point = field.point("p1_tr")
    page.goto(page.url.split("?")[0] + f"?sel={point.place_id}")
    cell = page.locator(f'[data-point="{point.id}"]').first
    cell.wait_for(timeout=60_000)
    shown = (
        '([id, text]) => [...document.querySelectorAll(`[data-point="${id}"]`)]'
        ".some(e => e.textContent.includes(text))"
    )
    for value in (33.3, 36.6, 39.9):
        for last in (False, False, True):  # the demo device itself speaks too, once a minute
            field.say("p1_tr", value)
            try:
                page.wait_for_function(shown, arg=[point.id, display(point, value)], timeout=20_000)
                break
            except NotShown:
                if last:
                    raise


def test_measured_and_simulated_are_both_drawn_for_a_clicked_station(
    page: Page, county: County, system: System
) -> None:
    station = county.network.substations[2].id
    page.goto(f"{system.url}/heating?sel={station}")
    page.wait_for_function(
        """() => {
          const gd = document.querySelector('#station-chart .js-plotly-plot, #station-chart.js-plotly-plot');
          if (!gd || !gd.data) return false;
          const has = d => d.x && d.x.length > 1 || (d.x && d.x.bdata);
          const solid = gd.data.filter(d => has(d) && (!d.line || !d.line.dash || d.line.dash === 'solid'));
          const dashed = gd.data.filter(d => has(d) && d.line && d.line.dash && d.line.dash !== 'solid');
          return solid.length > 0 && dashed.length > 0 && gd.querySelectorAll('path.js-line').length >= 2;
        }""",
        timeout=90_000,
    )  # fmt: skip


def test_nothing_is_asked_from_another_host_and_nothing_is_missing(browser: Browser, system: System) -> None:
    context = browser.new_context()
    page = context.new_page()
    outside: list[str] = []
    failed: list[str] = []
    page.on(
        "request",
        lambda r: (
            outside.append(r.url)
            if "//127.0.0.1:" not in r.url and r.url.startswith(("http", "ws"))
            else None
        ),
    )
    page.on("requestfailed", lambda r: failed.append(f"{r.failure} {r.url}"))
    page.on("response", lambda r: failed.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    for path in ("/", "/heating", "/data-quality", "/public"):
        page.goto(system.url + path, wait_until="load")
        page.wait_for_timeout(2500)
    context.close()
    assert outside == []
    # a request that is under way when the next page is opened is given up by the browser itself
    assert [f for f in failed if not f.startswith("net::ERR_ABORTED")] == []


def test_garbage_is_counted_and_kept_and_good_messages_go_on(
    page: Page, field: Field, system: System
) -> None:
    point = field.point("p1_tr")
    topic = f"heat/{field.device.external_id}/data"
    for payload in (b"{", b"\xff\xfe\x00garbage", b"[1,2,3]", b"x" * 1_000_000, b'{"ts": "yesterday"}'):
        field.send(topic, payload)
    field.send("heat/nobody-knows-me/data", b'{"ts": 1, "a": 2}')
    field.say("p1_tr", 34.4)
    page.goto(f"{system.url}/heating?sel={point.place_id}")
    page.wait_for_function(
        "t => document.body.innerText.includes(t)", arg=display(point, 34.4), timeout=60_000
    )
    page.goto(f"{system.url}/data-quality")
    page.wait_for_function("() => document.body.innerText.includes('nobody-knows-me')", timeout=60_000)


def test_kill_9_of_ingest_shows_an_outage_and_heals_without_reload(
    page: Page, field: Field, system: System
) -> None:
    page.goto(f"{system.url}/heating?sel={field.point('p1_tr').place_id}")
    page.wait_for_function("window.CT?.scene?.ready === true", timeout=60_000)
    page.evaluate(
        """() => {
          window.__same_page = true;
          window.__outage = '';
          setInterval(() => {
            const e = document.getElementById('ct-outage');
            if (e && !e.hidden) window.__outage = e.innerText;
          }, 50);
        }"""
    )
    pid = int(str(system.status()["ingest"]["pid"]))
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    said = [round(20.0 + 0.1 * i, 6) for i in range(100)]
    base = time.time()
    for i, value in enumerate(said):  # every one of these is acknowledged by the broker while ingest is dead
        field.say("t_stn", value, t=base - 100 + i)
    page.wait_for_function("() => /数据中断 \\d+ s/.test(window.__outage)", timeout=60_000)
    field.say("p1_tr", 37.7)
    wait_until(lambda: system.status()["ingest"]["pid"] not in (None, pid), 60, "ingest was started again")
    page.wait_for_function(
        """([id, text]) => [...document.querySelectorAll(`[data-point="${id}"]`)]
            .some(e => e.textContent.includes(text)) && !/数据中断/.test(document.body.innerText)""",
        arg=[field.point("p1_tr").id, display(field.point("p1_tr"), 37.7)],
        timeout=60_000,
    )
    healed = time.monotonic() - killed
    assert page.evaluate("window.__same_page === true")
    print(f"healed {healed:.1f} s after the kill")


def test_a_restart_keeps_the_history_and_lost_nothing(system: System, field: Field, county: County) -> None:
    assert system.stop() == 0
    rows = read_history(system, field.point("t_stn").no)
    lost = {round(20.0 + 0.1 * i, 6) for i in range(100)} - set(rows)
    assert lost == set(), "acknowledged messages were lost"
    system.start()
    system.wait_ready()
    again = wait_until(
        lambda: system.status().get("ingest", {}).get("state") == "up", 60, "ingest is up again"
    )
    assert again
    assert system.stop() == 0
    after = read_history(system, field.point("t_stn").no)
    assert set(rows) <= set(after)


def read_history(system: System, point_no: int) -> list[float]:
    """All stored values of one point, read from the file of a stopped system."""
    import duckdb

    with duckdb.connect(str(system.data / "store" / "county.duckdb"), read_only=True) as db:
        found = db.execute("SELECT value FROM reading WHERE point_no = ? ORDER BY t", [point_no]).fetchall()
    return [round(float(v), 6) for (v,) in found]
