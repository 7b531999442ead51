"""``python -m app.web``: the dashboard process."""

import logging
import sys
import threading
import time

import uvicorn

from app.scene.assets import SceneLibrary
from app.web.server import create_app
from ingest.county import load_county
from ingest.settings import read_settings
from ingest.store.client import connect_store
from twin.model.errors import CountyTwinError

EX_CONFIG = 78
WARM_AFTER_S = 12.0


def _warm(scene: SceneLibrary) -> None:
    """Paint the scene's ground before the first visitor comes; not in the way of what else starts."""
    time.sleep(WARM_AFTER_S)
    scene.warm()


def main() -> int:
    """Exit status: 0 stopped, 78 wrong configuration."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        settings = read_settings()
        county = load_county(settings.county)
        app = create_app(settings, county, connect_store(settings))
    except CountyTwinError as e:
        print(e, file=sys.stderr)
        return EX_CONFIG
    threading.Thread(target=_warm, args=(app.state.scene,), daemon=True).start()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        ws_ping_interval=20.0,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
