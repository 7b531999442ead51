"""Small pieces that pages share."""

from dash import html

from app.i18n.grid_texts import GRID_TEXTS
from app.i18n.texts import translate
from twin.model.points import POINT_KINDS


def panel(title: str, children: object, class_name: str = "", extra: object = None) -> html.Section:
    """A titled panel."""
    head = html.H2([title, *([extra] if extra is not None else [])])
    return html.Section([head, children], className=f"ct-panel {class_name}".strip())


def live(point_id: str, field: str = "value", *, unit: bool = True, age: str = "dot") -> html.Span:
    """A live value; ``age``: dot, text or no."""
    words = {"data-point": point_id, "data-field": field}
    if not unit:
        words["data-unit"] = "no"
    if age != "dot":
        words["data-age"] = age
    return html.Span(**words)


def kind_name(key: str, lang: str) -> str:
    """Name of a point kind; of one that only a thing model or a flow knows, its key."""
    kind = POINT_KINDS.get(key)
    if kind is None:
        return key
    return kind.zh if lang == "zh" else kind.en


def grid_words(lang: str, empty: str) -> dict[str, str]:
    """What a table says by itself, by the table's own keys; ``empty``: what stands where no row is."""
    names = [key.partition(".")[2] for key in GRID_TEXTS]
    words = {name: translate(f"grid.{name}", lang) for name in names}
    return {**words, "noRowsToShow": empty}
