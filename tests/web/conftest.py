"""The dashboard on a free port over a store in memory, and a browser that looks at it."""

import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Playwright
from websockets.sync.client import connect
from websockets.typing import Origin

from app.web.server import create_app
from ingest.settings import Settings, read_settings
from ingest.store.api import NetworkState, SimulationResult
from tests.support.fake_store import FakeStore
from tests.support.system import CHROMIUM_ARGS, free_port, wait_until
from tests.support.tiny import make_tiny_county
from twin.model.county import County

NORMAL = {
    "p1_ts": 88.0, "p1_tr": 41.0, "p1_ps": 8.2e5, "p1_pr": 4.1e5, "p1_flow": 0.008, "p1_heat": 1.4e6,
    "s2_ts": 52.0, "s2_tr": 40.0, "cv_pos": 0.43, "src_ts": 91.0, "src_tr": 43.0, "src_flow": 0.03,
    "src_heat": 5.6e6, "room_t": 20.5, "t_out": -4.5,
}  # fmt: skip


def make_settings(data: Path, **env: str) -> Settings:
    return read_settings({"CT_DATA": str(data), **env})


def fill(store: FakeStore, age_s: float = 5.0) -> None:
    """A quiet evening: every point of ``NORMAL`` measured, an hour of it behind."""
    end = time.time() - age_s
    for p in store.county.points:
        if p.key in NORMAL:
            for back in range(60, -1, -1):
                store.put(p.id, NORMAL[p.key], t=end - 60.0 * back)


def simulate(store: FakeStore, **offset: float) -> None:
    """A run of the twin that agrees with the meters but for ``offset`` (key -> measured minus simulated)."""
    points = [p for p in store.county.points if p.simulated and p.key in NORMAL]
    measured = np.array([NORMAL[p.key] for p in points])
    sigma = np.abs(measured) * 0.01 + 0.1
    value = measured - np.array([offset.get(p.key, 0.0) for p in points])
    n, m = len(store.county.network.nodes), len(store.county.network.pipes)
    warm, cool = np.full(n, 88.0), np.full(n, 41.0)
    state = NetworkState(
        1, time.time(), "ok", warm, cool, np.full(n, 8e5), np.full(n, 4e5), np.full(m, 5.0), np.full(m, 80.0)
    )
    no = np.array([p.no for p in points])
    store.write_simulation(SimulationResult(time.time(), "ok", 3, 0.1, no, value, sigma, measured, state))


@dataclass(frozen=True)
class Answer:
    """Of the server; header names in small letters."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Site:
    """A running dashboard; ``stop`` and ``start`` are a restart of its process."""

    store: FakeStore
    settings: Settings
    port: int
    app: FastAPI | None = None
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", body: str = "", **headers: str) -> Answer:
        """One request as it stands, no redirect followed; ``accept="text/html"`` is how a browser asks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            said = {k.replace("_", "-"): v for k, v in headers.items()}
            connection.request(method, path, body or None, said)
            r = connection.getresponse()
            return Answer(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read().decode())
        finally:
            connection.close()

    def fetch(self, path: str) -> bytes:
        """GET bytes; the answer must be 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            r = connection.getresponse()
            assert r.status == 200, r.read()
            return r.read()
        finally:
            connection.close()

    def ask_bytes(self, path: str, body: bytes) -> bytes:
        """POST bytes, bytes back; the answer must be 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", path, body)
            r = connection.getresponse()
            assert r.status == 200, r.read()
            return r.read()
        finally:
            connection.close()

    def first_frame(self, **headers: str) -> bytes:
        """What ``/ws/live`` says first. Raises ``InvalidStatus`` when it is refused."""
        origin = Origin(headers.pop("origin", self.url))
        with connect(f"{self.url.replace('http', 'ws')}/ws/live", origin=origin, proxy=None) as socket:
            data = socket.recv(timeout=10)
        assert isinstance(data, bytes)
        return data

    def start(self) -> None:
        self.app = create_app(self.settings, self.store.county, self.store)
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=self.port, log_level="error", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        wait_until(lambda: self._server is not None and self._server.started, 30, "the dashboard listens")

    def stop(self) -> None:
        assert self._server is not None and self._thread is not None
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture(scope="package")
def county() -> County:
    return make_tiny_county()


@pytest.fixture
def store(county: County) -> FakeStore:
    store = FakeStore(county)
    fill(store)
    simulate(store)
    return store


@pytest.fixture
def site(store: FakeStore, tmp_path: Path) -> Iterator[Site]:
    site = Site(store, make_settings(tmp_path), free_port())
    site.start()
    yield site
    site.stop()


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of the design canvas; ``bypass_csp`` only lets the driver itself evaluate conditions."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, bypass_csp=True)
    yield context.new_page()
    context.close()


def open_page(page: Page, site: Site, path: str) -> None:
    page.goto(site.url + path)
    page.locator(".ct-app").wait_for()
    page.wait_for_function("() => window.CT?.status?.store?.up === true")
