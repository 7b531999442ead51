"""The frame around every page: top bar, navigation, and the words of the address."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

import dash_mantine_components as dmc
from dash import dcc, html

from app.charts.lines import FONTS
from app.i18n import translate
from app.web.context import Context

THEME = {
    "primaryColor": "cyan",
    "fontFamily": FONTS,
    "defaultRadius": "sm",
}


@dataclass(frozen=True, slots=True)
class View:
    """What the address asks for."""

    path: str
    lang: str
    kiosk: bool
    embed: bool
    light: bool
    selection: str
    point: str = ""
    building: str = ""

    def link(self, path: str, **change: str) -> str:
        """The address of another page that keeps language and wall mode."""
        words = {"lang": self.lang} if self.lang != "zh" else {}
        words |= {"kiosk": "1"} if self.kiosk else {}
        words |= change
        return path + ("?" + urlencode(words) if words else "")


def read_view(path: str | None, search: str | None, default_lang: str, known: set[str]) -> View:
    """Parse the address; unknown words are ignored, an unknown selection is none."""
    words = {k: v[0] for k, v in parse_qs((search or "").lstrip("?")).items()}
    path = "/" + (path or "/").strip("/")
    embed = path.startswith("/embed")
    if embed:
        path = "/" + path.removeprefix("/embed").strip("/")
        path = "/" if path == "/overview" else path
    lang = words.get("lang", default_lang)
    picked = words.get("sel", "")
    return View(
        path=path,
        lang=lang if lang in ("zh", "en") else default_lang,
        kiosk=words.get("kiosk") == "1",
        embed=embed,
        light=words.get("theme") == "light",
        selection=picked if picked in known else "",
        point=words.get("point", "")[:200],
        building=words.get("building", "")[:200],
    )


def draw_frame(view: View, context: Context, body: list[object], pages: list[tuple[str, str, str]]) -> object:
    """The whole document of a page; wall and embedded views go without navigation."""
    bare = view.kiosk or view.embed
    classes = ["ct-app", "ct-kiosk" if view.kiosk else "", "ct-embed" if view.embed else ""]
    children: list[object] = []
    if not view.embed:
        children.append(_top_bar(view, context))
    middle: list[object] = [] if bare else [_navigation(view, pages)]
    middle.append(html.Main(body, className="ct-main"))
    children.append(html.Div(middle, className="ct-middle"))
    return dmc.MantineProvider(
        html.Div(children, className=" ".join(c for c in classes if c)),
        theme=THEME,
        forceColorScheme="light" if view.light else "dark",
    )


def _top_bar(view: View, context: Context) -> html.Header:
    lang, meta = view.lang, context.county.meta
    other = "en" if lang == "zh" else "zh"
    weather = next((p.id for p in context.county.points if p.key == "t_out"), "")
    right: list[object] = []
    if weather:
        right.append(
            html.Span(
                [translate("app.weather", lang), html.Span(**{"data-point": weather, "data-age": "no"})],
                className="ct-chip",
            )
        )
    right.append(
        html.Span([translate("app.data_time", lang), html.Span("--", id="ct-data-time")], className="ct-chip")
    )
    right.append(html.Span("--:--:--", id="ct-clock", className="ct-clock"))
    if not view.kiosk:
        text = translate("app.other_language", lang)
        right.append(html.A(text, href=f"?lang={other}", id="ct-language", className="ct-language"))
    badge = [html.Span(translate("app.demo", lang), className="ct-demo")] if meta.demo else []
    name = meta.name if lang == "zh" else meta.name_en
    return html.Header(
        [
            html.Div(
                [html.Strong(name), html.Span(translate("app.centre", lang)), *badge], className="ct-title"
            ),
            html.Div(right, className="ct-top-right"),
        ],
        className="ct-top",
    )


def _navigation(view: View, pages: list[tuple[str, str, str]]) -> html.Nav:
    """1+1+1+N: groups in their order, only what exists."""
    items: list[object] = []
    seen = ""
    for group, key, path in pages:
        if group != seen:
            items.append(html.Span(translate(group, view.lang), className="ct-nav-group"))
            seen = group
        active = " ct-active" if view.path == path else ""
        words = {"sel": view.selection} if view.selection and path in ("/", "/heating") else {}
        items.append(
            dcc.Link(
                translate(key, view.lang), href=view.link(path, **words), className="ct-nav-item" + active
            )
        )
    return html.Nav(items, className="ct-nav")
