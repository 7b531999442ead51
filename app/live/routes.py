"""``/ws/live`` and ``/api/meta``."""

import asyncio
import contextlib
import json

from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect

from app.live.hub import LiveHub
from app.live.meta import make_meta
from ingest.settings import Settings
from ingest.store.api import Store
from twin.model.county import County


def register_live(app: FastAPI, county: County, store: Store, settings: Settings) -> LiveHub:
    """Add the routes; the hub starts with the first screen or health check. Call before Dash's catch-all."""
    hub = LiveHub(store, settings.status_file)
    meta = json.dumps(make_meta(county), ensure_ascii=False).encode()

    @app.get("/api/meta")
    async def get_meta() -> Response:
        return Response(meta, media_type="application/json", headers={"Cache-Control": "no-cache"})

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
