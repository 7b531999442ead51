"""The same system on the embedded broker: no Mosquitto anywhere."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.system import System

pytestmark = pytest.mark.e2e


def test_the_demo_county_runs_on_the_embedded_broker(browser: Browser, tmp_path: Path) -> None:
    system = System(tmp_path / "var", args=("--broker", "embedded"), env={"CT_DEMO_BACKFILL_H": "0"})
    system.start()
    try:
        system.wait_ready()
        page = browser.new_page(bypass_csp=True)
        page.goto(f"{system.url}/heating?sel=S01", wait_until="domcontentloaded")
        page.wait_for_function(
            """() => [...document.querySelectorAll('[data-point="S01/p1_ts"]')]
                .some(e => /\\d+\\.\\d/.test(e.textContent))""",
            timeout=60_000,
        )
        page.wait_for_function("window.CT?.network?.tSupply?.length > 0", timeout=60_000)
        page.close()
        assert "broker" in system.status()
    finally:
        assert system.stop() == 0
