"""设备接入: blocks from a message to a point, dragged and linked or filled step by step.

The page itself is drawn by ``assets/access*.js``; here are its frame, its words and its routes.
"""

import json

from dash import Dash, html

from app.i18n import ACCESS_TEXTS, translate
from app.web.context import Context
from app.web.shell import View


def layout(view: View, _context: Context) -> list[object]:
    words = {
        name: translate(f"access.{name}", view.lang)
        for group, _, name in (k.partition(".") for k in ACCESS_TEXTS)
        if group == "access"
    }
    chart = view.link("/point")
    return [
        html.Div(
            id="access-root",
            className="ct-access",
            **{
                "data-words": json.dumps(words, ensure_ascii=False),
                "data-lang": view.lang,
                "data-chart": chart,
            },
        )
    ]


def register(_app: Dash, _context: Context) -> None:
    """Nothing to add: its routes are ``app.access``'s, which stand before Dash's own."""
