"""The 3D scene: its layer spec (pydeck), its binary buffers, its routes and its Dash component."""

from app.scene.component import scene_component
from app.scene.routes import register_scene_routes

__all__ = ["register_scene_routes", "scene_component"]
