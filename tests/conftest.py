"""Shared by every folder: one driver of the browser per run (it cannot be started twice in one process), one
second chance for tests that start real processes (docs/decisions/0210-one-second-chance.md), and which tests
share one of the two lanes of `make test` (docs/decisions/0212-two-lanes-of-tests.md)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.support.lanes import Lanes
from tests.support.system import CHROMIUM_ARGS

os.environ.setdefault("CT_SCOUT_S", "0")  # nobody looks for strangers but in the test of it
expect.set_options(timeout=60_000)  # a limit costs time only in a test that fails

PROCESSES = {
    "broker", "commands", "documents", "e2e", "ingest", "live", "onboarding", "rehearsal", "scene",
    "supervisor", "survey", "tiles", "web",
}  # fmt: skip
"""Folders whose tests start brokers, workers, servers and browsers on a machine that others use too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in PROCESSES:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Lanes:
    return Lanes(config, log)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium with software GL for all folders that have none of their own."""
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
    yield browser
    browser.close()
