"""``/ws/live`` and ``/api/meta``."""

import asyncio
import contextlib
import json
from collections.abc import Callable

from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect

from app.live.hub import LiveHub
from app.live.meta import make_meta
from ingest.settings import Settings
from ingest.store.api import Store
from twin.model.county import County


def register_live(app: FastAPI, store: Store, settings: Settings, county: Callable[[], County]) -> LiveHub:
    """Add the routes; the hub starts with the first screen or health check. Call before Dash's catch-all.

    ``county`` is asked for each page that is opened: devices are onboarded while it runs.
    """
    hub = LiveHub(store, settings.status_file)
    made: list[tuple[County, bytes]] = []

    @app.get("/api/meta")
    async def get_meta() -> Response:
        now = county()
        if not made or made[0][0] is not now:
            made[:] = [(now, json.dumps(make_meta(now), ensure_ascii=False).encode())]
        return Response(made[0][1], media_type="application/json", headers={"Cache-Control": "no-cache"})

    @app.websocket("/ws/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        hub.start()
        screen = hub.join()
        reader = asyncio.create_task(_wait_closed(socket))
        try:
            while not reader.done():
                sending = asyncio.create_task(screen.queue.get())
                await asyncio.wait({sending, reader}, return_when=asyncio.FIRST_COMPLETED)
                if not sending.done():
                    sending.cancel()
                    break
                await socket.send_bytes(sending.result())
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            hub.leave(screen)
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await reader

    return hub


async def _wait_closed(socket: WebSocket) -> None:
    """Read and drop whatever a screen sends, until it leaves."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
