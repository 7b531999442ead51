"""资料: documents and photos beside the readings; found, added, and linked with what they belong to.

The page itself is drawn by ``assets/documents.js``; here are its frame and its words.
"""

import json

from dash import Dash, html

from app.i18n import DOCUMENT_TEXTS, translate
from app.web.context import Context
from app.web.shell import View


def layout(view: View, context: Context) -> list[object]:
    words = {
        name: translate(f"document.{name}", view.lang)
        for group, _, name in (k.partition(".") for k in DOCUMENT_TEXTS)
        if group == "document"
    }
    told = {
        "data-words": json.dumps(words, ensure_ascii=False),
        "data-lang": view.lang,
        "data-zone": context.county.meta.timezone,
        "data-bare": "1" if view.kiosk or view.embed else "",
    }
    return [html.Div(id="documents-root", className="ct-documents", **told)]


def register(_app: Dash, _context: Context) -> None:
    """Nothing to add: its routes are ``app.documents``'s, which stand before Dash's own."""
