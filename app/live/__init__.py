"""Live values to the screens: one poller per server, one websocket per screen, binary frames."""

from app.live.hub import LiveHub
from app.live.routes import register_live

__all__ = ["LiveHub", "register_live"]
