"""入户测温: where nothing is installed, what a crew measured at the door (a panel of 平衡与补偿)."""

from dash import dcc, html

from app.domains.heating.visits import LEAST_C, MOST_C, MOST_NAME, Visit
from app.format import format_number, local_time
from app.i18n import translate
from app.web.balance_routes import VISITS_PATH
from app.web.context import Context
from app.web.shell import View
from twin.dispatch.inlets import InletRow

SHOWN = 40
"""Buildings without any reading that the panel lists; the next come when these have been measured."""


def tell_visits(view: View) -> html.P:
    """The button by which an operator writes down what the crew read."""
    return note_button(view, "visits", "visits_note", {"data-visits": VISITS_PATH}, "visits-said")


def note_button(view: View, kind: str, label: str, address: dict[str, str], said: str) -> html.P:
    """A button that writes down what a crew did, and beside it (id ``said``) what became of it; texts are
    ``balance.<kind>_done`` and ``_none``. Walls and frames have none."""
    lang = view.lang
    words = {
        **address,
        "data-done": translate(f"balance.{kind}_done", lang),
        "data-refused": translate("balance.turned_refused", lang),
        "data-none": translate(f"balance.{kind}_none", lang),
    }
    button = html.Button(translate(f"balance.{label}", lang), className="ct-button", **words)
    shown = [] if view.kiosk or view.embed else [button]
    return html.P([*shown, html.Span(id=said, className="ct-quiet ct-said")])


def draw_visits(
    context: Context, rows: tuple[InletRow, ...], visits: tuple[Visit, ...], lang: str
) -> html.Div:
    """Buildings that nobody knows anything of, most homes first, and below them what was measured lately."""
    county = context.county
    buildings = {b.id: b for b in county.buildings}
    stations = {s.id: s.name if lang == "zh" else s.name_en for s in county.network.substations}
    at = {r.building_id: stations[r.station_id] for r in rows}
    known: dict[str, list[Visit]] = {}
    for v in visits:
        if v.building_id in at:
            known.setdefault(v.building_id, []).append(v)
    blind = sorted((r for r in rows if r.blind), key=lambda r: -buildings[r.building_id].homes)
    if not blind and not known:
        return html.Div(html.P(translate("balance.visits_all", lang), className="ct-calm"))
    heads = ("building", "visits_home", "visits_room", "homes", "station", "visits_done_before")
    head = html.Thead(html.Tr([html.Th(translate(f"balance.{h}", lang)) for h in heads]))
    zone = county.meta.timezone
    body = []
    for building in [*(r.building_id for r in blind[:SHOWN]), *known]:
        b = buildings[building]
        seen = "、".join(
            f"{v.home} {format_number(v.room_c, 1)}".strip() + f" ({local_time(v.t, zone, '%m-%d %H:%M')})"
            for v in known.get(building, ())
        )
        cells: list[object] = [b.name or b.id, *_fields(lang), str(b.homes), at[building], seen]
        body.append(html.Tr([html.Td(c) for c in cells], **{"data-building": building}))
    said = translate("balance.visits_said", lang, n=str(len(blind)))
    return html.Div(
        [html.P(said, className="ct-quiet"), html.Table([head, html.Tbody(body)], className="ct-table")]
    )


def _fields(lang: str) -> tuple[object, object]:
    home = dcc.Input(
        type="text", maxLength=MOST_NAME, className="ct-visit-home",
        placeholder=translate("balance.visits_home", lang),
    )  # fmt: skip
    room = dcc.Input(
        type="number", min=LEAST_C, max=MOST_C, step=0.1, className="ct-visit-room", placeholder="°C"
    )
    return home, room
