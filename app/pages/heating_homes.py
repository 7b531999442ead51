"""From the county down to a room: what lies below the place that is chosen, and where one is."""

import math
from urllib.parse import urlencode

import numpy as np
from dash import dcc, html
from numpy.typing import NDArray

from app.format import MISSING, format_number
from app.i18n import translate
from app.pages.parts import live
from app.web.context import Context
from twin.model.county import Building, Point

Floats = NDArray[np.float64]

LIMIT_C = 18.0


def draw_trail(context: Context, place: str, building: str, lang: str) -> html.Nav:
    """County, source, station, building: where one is, each a way back."""
    county, network = context.county, context.county.network
    name = county.meta.name if lang == "zh" else county.meta.name_en
    rows: list[object] = [html.Button(name, **{"data-select": ""})]
    sources = {s.id: s for s in network.sources}
    station = next((s for s in network.substations if s.id == place), None)
    main = sources.get(place) or next((s for s in network.sources if s.holds_pressure), None)
    if main is not None and (station is not None or place in sources):
        rows.append(html.Button(main.name if lang == "zh" else main.name_en, **{"data-select": main.id}))
    if station is not None:
        text = station.name if lang == "zh" else station.name_en
        rows.append(html.Button(text, **{"data-building": ""}))
        if building:
            found = next((b for b in county.buildings if b.id == building), None)
            rows.append(html.Span((found.name or found.id) if found is not None else building))
    return html.Nav(rows, className="ct-trail")


def draw_below(context: Context, place: str, building: str, lang: str) -> html.Table:
    """Sources of the county, stations of a source, buildings of a station, rooms of a building."""
    network, value = context.county.network, context.values_now()
    rooms = _rooms_by_building(context)
    if building and any(b.id == building for b in context.county.buildings):
        return _draw_rooms(rooms.get(building, []), lang)
    if any(s.id == place for s in network.substations):
        mine = [b for b in context.county.buildings if b.substation_id == place and b.heated]
        return _draw_buildings(mine, rooms, value, lang)
    if any(s.id == place for s in network.sources):
        table = [(s.id, s.name if lang == "zh" else s.name_en, f"{s.id}/p1_heat", f"{s.id}/s2_ts")
                 for s in network.substations]  # fmt: skip
    else:
        table = [(s.id, s.name if lang == "zh" else s.name_en, f"{s.id}/src_heat", f"{s.id}/src_ts")
                 for s in network.sources]  # fmt: skip
    heads = ("col.name", "col.heat", "col.supply")
    body = [
        html.Tr([html.Td(name), html.Td(live(heat)), html.Td(live(supply))], **{"data-select": i})
        for i, name, heat, supply in table
    ]
    return _table([translate(h, lang) for h in heads], body)


def _table(heads: list[str], rows: list[html.Tr]) -> html.Table:
    head = html.Thead(html.Tr([html.Th(h) for h in heads]))
    return html.Table([head, html.Tbody(rows)], className="ct-table ct-below")


def _rooms_by_building(context: Context) -> dict[str, list[Point]]:
    found: dict[str, list[Point]] = {}
    for p in context.county.points:
        if p.key == "room_t":
            found.setdefault(p.place_id.split(":", maxsplit=1)[0], []).append(p)
    return found


def _draw_buildings(
    buildings: list[Building], rooms: dict[str, list[Point]], value: Floats, lang: str
) -> html.Table:
    """Coldest first; those without a sensor last."""
    rows = []
    for b in buildings:
        known = [float(value[p.no]) for p in rooms.get(b.id, []) if math.isfinite(value[p.no])]
        rows.append((float(np.mean(known)) if known else math.nan, len(known), b))
    rows.sort(key=lambda r: (not math.isfinite(r[0]), r[0]))
    body = []
    for mean, n, b in rows:
        level = {"data-level": "watch"} if mean < LIMIT_C else {}
        cells = [
            html.Td(b.name or b.id), html.Td(format_number(b.area_m2, 0)), html.Td(str(b.homes)),
            html.Td(f"{format_number(mean, 1)} °C" if n else MISSING, **level), html.Td(str(n)),
        ]  # fmt: skip
        body.append(html.Tr(cells, **({"data-building": b.id} if n else {})))
    heads = ("below.building", "below.area", "below.households", "below.room", "below.sensors")
    return _table([translate(h, lang) for h in heads], body)


def _draw_rooms(points: list[Point], lang: str) -> html.Table:
    body = []
    for p in points:
        words = {"point": p.id} | ({"lang": lang} if lang != "zh" else {})
        link = dcc.Link(translate("below.course", lang), href=f"/point?{urlencode(words)}")
        room = p.place_id.partition(":")[2] or p.place_id
        body.append(html.Tr([html.Td(room), html.Td(live(p.id)), html.Td(live(p.id, "age")), html.Td(link)]))
    heads = ("below.home", "below.room", "col.age", "below.more")
    return _table([translate(h, lang) for h in heads], body)
