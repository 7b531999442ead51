"""设备接入: the service behind the onboarding page, and its routes."""

from app.access.routes import register_access
from app.access.service import Access, current_points

__all__ = ["Access", "current_points", "register_access"]
