"""The Dash component of the scene: an empty box that ``assets/scene.js`` finds and fills."""

from typing import Any

from dash import html

from app.scene.texts import read_texts


def scene_component(id: str, view: str = "heating", **options: object) -> html.Div:
    """Return the box of a scene.

    Parameters
    ----------
    id : element id, unique on the page
    view : key of ``app.scene.spec.VIEWS``: what colours the pipes at first
    options : further settings, as ``data-scene-*`` attributes: ``lang``, ``theme``, ``controls`` (0 hides
        the buttons, as on a wall), ``legend`` (0 hides it), ``orbit`` (1 turns slowly when nobody has touched
        anything for a while). Text, numbers and booleans.

    The box takes the size of its parent. The camera, the renderer and the buffers are the browser's own;
    nothing of them passes through Dash.
    """
    attributes: dict[str, Any] = {
        f"data-scene-{key.replace('_', '-')}": str(int(value) if isinstance(value, bool) else value)
        for key, value in options.items()
    }
    texts = read_texts(str(options.get("lang", "zh")))
    attributes |= {
        "data-scene": view,
        "data-scene-loading": texts["loading"],
        "data-scene-failed": texts["failed"],
        "aria-label": texts["title"],
    }
    return html.Div(id=id, className="ct-scene", role="region", **attributes)
