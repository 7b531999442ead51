"""The form of the rehearsal room: incidents with place, size and times, the start, mobile boilers."""

import math
from typing import Any

from dash import dcc, html

from app.domains.heating.contingency import name_place
from app.format import MISSING, local_time
from app.i18n import translate
from app.web.context import Context
from app.web.rehearsal_routes import stored_since
from twin.model.county import County
from twin.model.network import Side
from twin.rehearsal import INCIDENTS, Incident

HORIZONS_H = (12, 24, 48)
PICKS = {"pipe": ("burst",), "source": ("source_trip", "fuel_shortage"),
         "station": ("pump_trip", "power_cut"), "valve": ("valve_shut", "valve_stuck")}  # fmt: skip
"""What a picked place may be the place of; the first, unless one of them is chosen already."""


def draw_form(context: Context, lang: str) -> html.Div:
    """The form, from top to bottom: what happens, when and where it starts, what is at hand."""
    county = context.county
    kinds = [{"label": translate(f"incident.{k}", lang), "value": k} for k in INCIDENTS]
    hours = [{"label": f"{h} h", "value": h} for h in HORIZONS_H]
    places = list_places(county, "burst", lang)
    since = stored_since(context)
    known = local_time(since + 3600.0, county.meta.timezone, "%m-%d %H:%M") if math.isfinite(since) else ""

    def number(name: str, value: float | None, text: str, hint: str = "") -> html.Label:
        field = dcc.Input(
            id=f"rehearsal-{name}", type="number", value=value, min=0, placeholder=hint, className="ct-input"
        )
        return html.Label([translate(text, lang), html.Span(field)])

    on = translate("rehearsal.lasts_hint", lang)

    def button(name: str, strong: bool = False) -> html.Button:
        look = "ct-button ct-strong" if strong else "ct-button"
        return html.Button(translate(f"rehearsal.{name}", lang), id=f"rehearsal-{name}", className=look)

    return html.Div(
        [
            html.Label([translate("rehearsal.kind", lang),
                        dcc.Dropdown(kinds, "burst", id="rehearsal-kind", clearable=False, searchable=False,
                                     className="ct-pick")]),
            html.Label([translate("rehearsal.place", lang),
                        dcc.Dropdown(places, places[0]["value"] if places else None, id="rehearsal-place",
                                     className="ct-pick", placeholder=translate("rehearsal.pick", lang))]),
            html.P(translate("rehearsal.pick_hint", lang), className="ct-quiet ct-small"),
            html.Div([html.Label([html.Span(id="rehearsal-size-name"),
                                  html.Span(dcc.Input(id="rehearsal-size", type="number", value=80,
                                                      className="ct-input"))]),
                      number("after", 0, "rehearsal.after"), number("lasts", None, "rehearsal.lasts", on)],
                     className="ct-three"),
            html.Div([button("add")], className="ct-acts"),
            html.Div(id="rehearsal-list", className="ct-incidents"),
            html.Hr(),
            html.Label([translate("rehearsal.moment", lang, since=known or MISSING),
                        html.Span(dcc.Input(id="rehearsal-moment", type="text", maxLength=16, debounce=True,
                                            placeholder=translate("rehearsal.moment_hint", lang),
                                            className="ct-input"))]),
            html.Label([translate("rehearsal.horizon", lang),
                        dcc.RadioItems(hours, 24, id="rehearsal-hours", inline=True, className="ct-hours")]),
            html.Div([number("boilers", 4, "rehearsal.boilers"),
                      number("boiler-mw", 1.4, "rehearsal.boiler_mw"),
                      number("boiler-h", 3, "rehearsal.boiler_h")], className="ct-three"),
            html.Div([button("run", True), button("save")], className="ct-acts"),
            html.P(id="rehearsal-said", className="ct-quiet", role="status"),
            html.P(dcc.Link(translate("rehearsal.to_drill", lang),
                            href="/drill" if lang == "zh" else f"/drill?lang={lang}")),
        ],
        className="ct-form",
    )  # fmt: skip


def list_places(county: County, kind: str, lang: str) -> list[dict[str, str]]:
    """Places an incident can be at; none where it needs none."""
    n, sort = county.network, INCIDENTS[kind][0]
    if sort == "pipe":
        rows = sorted(n.pipes, key=lambda p: (-p.diameter_m, p.side != Side.SUPPLY, p.id))
        return [
            {
                "label": f"{p.id} · {translate(f'fault.{p.side.value}', lang)} · DN{1000 * p.diameter_m:.0f}",
                "value": p.id,
            }
            for p in rows
        ]
    if sort == "valve":
        return [{"label": f"{v.id} · {v.pipe_id}", "value": v.id} for v in n.valves]
    stations = [s.id for s in n.substations]
    ids = {"source": [s.id for s in n.sources], "station": stations, "stations": stations}
    rows_of = [{"label": name_place(county, i, lang), "value": i} for i in ids.get(sort, [])]
    every = [{"label": translate("rehearsal.all_stations", lang), "value": ""}] if sort == "stations" else []
    return every + rows_of


def take_picked(county: County, kind: str, sort: str, place: str) -> tuple[str, str]:
    """Kind and place after something was picked in the scene: a pipe stands for the valve in it where a valve
    is asked for."""
    if sort == "pipe" and kind in PICKS["valve"]:
        valve = next((v.id for v in county.network.valves if v.pipe_id == place), "")
        if valve:
            return kind, valve
    fitting = PICKS.get(sort, ())
    if not fitting:
        return kind, ""
    return (kind if kind in fitting else fitting[0]), place


def scale_size(kind: str) -> float:
    """From SI to the unit of the form: holes in mm, shares in per cent."""
    return {"burst": 1000.0, "source_trip": 100.0, "fuel_shortage": 100.0}.get(kind, 1.0)


def check_form(
    kind: str, place: str | None, size: float | None, lang: str, after: float | None = 0.0,
    lasts: float | None = None,
) -> str:  # fmt: skip
    """What is wrong with the form, in words; empty when nothing is."""
    sort, least, most, _ = INCIDENTS[kind]
    if sort in ("pipe", "source", "station", "valve") and not place:
        return translate("rehearsal.need_place", lang)
    if most > 0.0:
        low, high = least * scale_size(kind), most * scale_size(kind)
        if size is None or not math.isfinite(size) or not low <= size <= high:
            return translate("rehearsal.need_size", lang, low=f"{low:g}", high=f"{high:g}")
    if after is None or not 0.0 <= after <= 48.0 or (lasts is not None and not 0.0 < lasts <= 240.0):
        return translate("rehearsal.need_times", lang)
    return ""


def read_incident(row: dict[str, Any]) -> Incident:
    """An incident of the list, in SI."""
    size, lasts = row.get("size"), row.get("lasts")
    return Incident(
        row["kind"], row.get("place") or "", 0.0 if size is None else float(size) / scale_size(row["kind"]),
        float(row.get("after") or 0.0), math.inf if lasts is None else float(lasts),
    )  # fmt: skip


def name_row(county: County, k: int, row: dict[str, Any], lang: str) -> html.Div:
    """A line of the list, with a button that takes it out."""
    size, lasts = row.get("size"), row.get("lasts")
    sized = INCIDENTS[row["kind"]][2] > 0.0 and size is not None
    unit = {"burst": "mm", "cold_wave": "K"}.get(row["kind"], "%")
    facts = [
        translate(f"incident.{row['kind']}", lang), name_place(county, row.get("place") or "", lang),
        f"{size:g} {unit}" if sized else "",
        translate("rehearsal.from_h", lang, h=f"{float(row.get('after') or 0.0):g}"),
        translate("rehearsal.for_h", lang, h=f"{lasts:g}") if lasts is not None else "",
    ]  # fmt: skip
    drop = html.Button("×", id={"type": "rehearsal-drop", "index": k}, className="ct-button",
                       title=translate("rehearsal.drop", lang))  # fmt: skip
    return html.Div([html.Span(" · ".join(f for f in facts if f)), drop], className="ct-incident")
