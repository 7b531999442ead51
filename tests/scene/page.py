"""A bare page around the scene, for tests only: no Dash, the same scripts, made-up answers of the twin."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from app.scene import register_scene_routes
from app.scene.tiles import register_tile_routes
from twin.model.county import County

ASSETS = Path(__file__).resolve().parents[2] / "assets"
CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip

# Hot at the source, cooler with the distance to it; what a real answer looks like.
ANSWER = """
window.answer = (gap) => {
  const scene = CT.scene.spec.scene, nodes = scene.counts.nodes, pipes = scene.counts.pipes;
  const tables = window.sceneTables;
  const far = Float32Array.from(tables.pipes.from, (n, i) => i / pipes);
  const tPipe = Float32Array.from(far, (f, i) => tables.pipes.side[i] === 'supply' ? 98 - 9 * f : 46 + 5 * f);
  if (gap !== undefined) tPipe[gap] = NaN;
  const detail = { tPipe, massFlow: Float32Array.from(far, (f) => 300 * (1 - f) + 5),
    pSupply: new Float32Array(nodes).fill(8e5), pReturn: new Float32Array(nodes).fill(3e5),
    tSupply: new Float32Array(nodes).fill(95), tReturn: new Float32Array(nodes).fill(48),
    t: Date.now() / 1000 - 12 };
  document.dispatchEvent(new CustomEvent('ct-network', { detail }));
};
window.liveTable = new Map();
window.CT = window.CT || {};
CT.live = { get: (no) => window.liveTable.get(no) };
window.feed = () => {
  for (const p of CT.scene.spec.scene.places) {
    const key = p.kind === 'source' ? 'src_ts' : 'p1_ts';
    const no = p.points[key];
    if (no !== undefined) liveTable.set(no, { value: 90 + (no % 70) / 10, t: Date.now() / 1000 - 8 });
  }
  document.dispatchEvent(new CustomEvent('ct-live', { detail: {} }));
};
"""


def make_page(
    county: County, *, scene: bool = True, extra: str = "", folder: Path = Path("/nonexistent")
) -> FastAPI:
    """``folder``: the county's, where its tiles lie."""
    app = FastAPI()
    register_scene_routes(app, county)
    register_tile_routes(app, folder)
    app.mount("/assets", StaticFiles(directory=ASSETS), name="assets")
    scripts = "".join(f'<script src="/assets/{p.name}"></script>' for p in sorted(ASSETS.glob("scene*.js")))

    @app.get("/", response_class=HTMLResponse)
    def read_page(view: str = "heating") -> str:
        box = f'<div id="box" class="ct-scene" data-scene="{view}"></div>' if scene else ""
        return (
            "<!doctype html><html lang='zh'><head><meta charset='utf-8'>"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>"
            "<link rel='icon' href='data:,'><link rel='stylesheet' href='/assets/scene.css'>"
            f"<style>html,body{{margin:0;height:100%}}#stage{{height:100vh}}</style><script>{ANSWER}</script>"
            f"{scripts}</head><body><div id='stage'>{box}</div>{extra}</body></html>"
        )

    return app


@contextmanager
def serve(app: FastAPI) -> Iterator[str]:
    """Run ``app`` on a free port of loopback; yields its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(400):
        if server.started:
            break
        time.sleep(0.025)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass(frozen=True)
class Answer:
    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(frozen=True)
class Client:
    """GET with the path as it is written: no library tidies ``..`` away."""

    base: str

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        connection = HTTPConnection(self.base.removeprefix("http://"), timeout=60)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            names = {k.lower(): v for k, v in answer.getheaders()}
            return Answer(answer.status, names, answer.read())
        finally:
            connection.close()
