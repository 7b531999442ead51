"""Shared by every folder: one driver of the browser per run (it cannot be started twice in one process)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, expect, sync_playwright

expect.set_options(timeout=60_000)  # a limit costs time only in a test that fails


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver
