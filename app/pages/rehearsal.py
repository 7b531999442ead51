"""预演: pick incidents in the scene or the form, see the county hours ahead, the alternatives side by side,
and a plan to keep."""

import math
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from app.domains.heating.contingency import tell_start, write_plan
from app.domains.heating.hindsight import describe_rehearsal
from app.domains.heating.rehearse import Aid
from app.format import local_time
from app.i18n import translate
from app.pages.parts import panel
from app.pages.rehearsal_form import (
    check_form,
    draw_form,
    list_places,
    name_row,
    read_incident,
    scale_size,
    take_picked,
)
from app.pages.rehearsal_views import (
    draw_facts,
    draw_gains,
    draw_rooms,
    draw_spare,
    draw_steps,
    draw_table,
    draw_worst,
    empty_rooms,
    pack_series,
)
from app.scene import scene_component
from app.web.context import Context
from app.web.rehearsal_routes import find_room, rehearse_now, stored_since
from app.web.shell import View
from twin.model.errors import EngineError, InputError, StoreUnavailable
from twin.rehearsal import INCIDENTS, Incident

MOST_INCIDENTS = 6
MOST_BOILERS_W = 50e6
Row = dict[str, Any]


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    bare = view.kiosk or view.embed
    scene = scene_component(
        "rehearsal-scene", view="heating", lang=lang, theme="light" if view.light else "dark",
        controls=not bare,
    )  # fmt: skip
    chart = dcc.Graph(
        id="rehearsal-chart", config={"displayModeBar": False, "responsive": True}, className="ct-graph"
    )
    return [
        html.Div(
            [
                panel(translate("rehearsal.incident", lang), draw_form(context, lang), "ct-rehearsal-form"),
                html.Div(
                    [
                        html.Div(
                            [scene, html.Span(id="rehearsal-badge", hidden=True)], className="ct-scene-box"
                        ),
                        _timeline(lang),
                        panel(translate("rehearsal.rooms", lang), chart, "ct-rehearsal-chart"),
                    ],
                    className="ct-column ct-rehearsal-middle",
                ),
                _answers(lang),
            ],
            className="ct-rehearsal",
            id="rehearsal-page",
        ),
        html.Pre(id="rehearsal-series", hidden=True),
        dcc.Store(id="rehearsal-lang", data=[lang, view.light]),
        dcc.Store(id="rehearsal-incidents", data=[]),
        dcc.Store(id="rehearsal-no"),
        dcc.Store(id="rehearsal-shown", data=0),
        dcc.Store(id="rehearsal-picked"),
        dcc.Download(id="rehearsal-plan"),
    ]


def _timeline(lang: str) -> html.Section:
    return html.Section(
        [
            html.Button("▶", id="rehearsal-play", className="ct-button", disabled=True,
                        title=translate("rehearsal.play", lang)),
            html.Strong("--", id="rehearsal-clock"),
            html.Div(
                dcc.Input(id="rehearsal-time", type="range", min=0, max=24, step=1, value=0, disabled=True),
                className="ct-timeline-bar",
            ),
            html.Span(translate("rehearsal.timeline", lang), id="rehearsal-now", className="ct-quiet"),
        ],
        className="ct-panel ct-timeline",
    )  # fmt: skip


def _answers(lang: str) -> html.Div:
    hint = html.P(translate("rehearsal.hint", lang), className="ct-quiet")
    parts = (
        (
            "alternatives",
            dcc.Loading(html.Div(hint, id="rehearsal-table", className="ct-scroll"), type="dot"),
        ),
        ("facts", html.Div(id="rehearsal-facts")),
        ("gains", html.Div(id="rehearsal-gains", className="ct-scroll")),
        ("spare", html.Div(id="rehearsal-spare", className="ct-scroll")),
        ("plan", html.Div(id="rehearsal-steps")),
        ("first", html.Div(id="rehearsal-worst", className="ct-scroll")),
    )
    return html.Div(
        [panel(translate(f"rehearsal.{name}", lang), body, "ct-fit") for name, body in parts],
        className="ct-column ct-rehearsal-answers",
    )


def register(app: Dash, context: Context) -> None:
    _register_form(app, context)
    _register_list(app, context)
    _register_run(app, context)
    _register_shown(app, context)
    _register_save(app, context)


def _register_form(app: Dash, context: Context) -> None:
    @app.callback(
        Output("rehearsal-kind", "value"),
        Output("rehearsal-place", "options"),
        Output("rehearsal-place", "value"),
        Output("rehearsal-place", "disabled"),
        Output("rehearsal-size-name", "children"),
        Output("rehearsal-size", "value"),
        Output("rehearsal-size", "disabled"),
        Input("rehearsal-kind", "value"),
        Input("rehearsal-picked", "data"),
        State("rehearsal-lang", "data"),
        State("rehearsal-size", "value"),
    )
    def choose(kind: str, picked: Row | None, words: list[object], size: float | None) -> tuple[object, ...]:
        lang, before, place = str(words[0]), kind, ""
        if ctx.triggered_id == "rehearsal-picked" and picked:
            kind, place = take_picked(context.county, kind, str(picked["kind"]), str(picked["id"]))
        places = list_places(context.county, kind, lang)
        usual, most = INCIDENTS[kind][3], INCIDENTS[kind][2]
        label = translate(f"size.{kind}", lang) if most > 0 else translate("size.none", lang)
        first = places[0]["value"] if places else None
        value = (usual * scale_size(kind) if kind != before or not place else size) if most > 0 else None
        return kind, places, place or first, not places, label, value, most == 0


def _register_list(app: Dash, context: Context) -> None:
    @app.callback(
        Output("rehearsal-incidents", "data"),
        Output("rehearsal-list", "children"),
        Output("rehearsal-said", "children", allow_duplicate=True),
        Input("rehearsal-add", "n_clicks"),
        Input({"type": "rehearsal-drop", "index": ALL}, "n_clicks"),
        State("rehearsal-incidents", "data"),
        State("rehearsal-kind", "value"),
        State("rehearsal-place", "value"),
        State("rehearsal-size", "value"),
        State("rehearsal-after", "value"),
        State("rehearsal-lasts", "value"),
        State("rehearsal-lang", "data"),
        prevent_initial_call=True,
    )
    def change(
        _add: int | None, drops: list[int | None], rows: list[Row], kind: str, place: str | None,
        size: float | None, after: float | None, lasts: float | None, words: list[object],
    ) -> tuple[object, ...]:  # fmt: skip
        lang, said = str(words[0]), ""
        if ctx.triggered_id == "rehearsal-add":
            said = check_form(kind, place, size, lang, after, lasts)
            if not said and len(rows) >= MOST_INCIDENTS:
                said = translate("rehearsal.too_many", lang, n=MOST_INCIDENTS)
            if not said:
                new = {"kind": kind, "place": place, "size": size, "after": after, "lasts": lasts}
                rows = [*rows, new]
        elif any(drops) and isinstance(ctx.triggered_id, dict):
            rows = [r for k, r in enumerate(rows) if k != ctx.triggered_id["index"]]
        else:
            return no_update, no_update, no_update
        return rows, [name_row(context.county, k, r, lang) for k, r in enumerate(rows)], said


def _register_run(app: Dash, context: Context) -> None:
    @app.callback(
        Output("rehearsal-said", "children"),
        Output("rehearsal-no", "data"),
        Output("rehearsal-shown", "data"),
        Input("rehearsal-run", "n_clicks"),
        State("rehearsal-incidents", "data"),
        State("rehearsal-kind", "value"),
        State("rehearsal-place", "value"),
        State("rehearsal-size", "value"),
        State("rehearsal-after", "value"),
        State("rehearsal-lasts", "value"),
        State("rehearsal-hours", "value"),
        State("rehearsal-moment", "value"),
        State("rehearsal-boilers", "value"),
        State("rehearsal-boiler-mw", "value"),
        State("rehearsal-boiler-h", "value"),
        State("rehearsal-lang", "data"),
        prevent_initial_call=True,
    )
    def run(
        _clicks: int | None, rows: list[Row], kind: str, place: str | None, size: float | None,
        after: float | None, lasts: float | None, hours: int, moment: str | None, count: float | None,
        power_mw: float | None, boiler_h: float | None, words: list[object],
    ) -> tuple[object, ...]:  # fmt: skip
        lang = str(words[0])
        if not rows:
            wrong = check_form(kind, place, size, lang, after, lasts)
            if wrong:
                return wrong, no_update, no_update
            rows = [{"kind": kind, "place": place, "size": size, "after": after, "lasts": lasts}]
        try:
            aid = read_aid(count, power_mw, boiler_h, lang)
            start = read_moment(context, moment, lang)
            incidents = tuple(read_incident(r) for r in rows)
        except InputError as e:
            return str(e), no_update, no_update
        return (*_answer(context, incidents, float(hours), start, aid, lang), 0)


def _answer(
    context: Context, incidents: tuple[Incident, ...], hours: float, start: float | None, aid: Aid, lang: str
) -> tuple[object, object]:
    """What is said of a run, and its key."""
    try:
        key, answer = rehearse_now(context, incidents, hours, start, aid)
    except InputError:
        return translate("rehearsal.no_start", lang), no_update
    except EngineError as e:
        return translate("rehearsal.no_state", lang, why=str(e)), no_update
    except StoreUnavailable:
        return translate("app.unavailable", lang), no_update
    at = local_time(answer.t, context.county.meta.timezone, "%m-%d %H:%M")
    took = translate("rehearsal.took", lang, s=f"{answer.seconds:.1f}", n=len(answer.alternatives), at=at)
    return [took, html.Br(), html.Small(tell_start(context.county, answer, lang))], key


def read_aid(count: float | None, power_mw: float | None, after_h: float | None, lang: str) -> Aid:
    """Mobile boilers of the form. Raises ``InputError`` in words."""
    numbers = (count or 0.0, 0.0 if power_mw is None else power_mw, 0.0 if after_h is None else after_h)
    n, mw, h = (float(x) for x in numbers)
    fine = all(map(math.isfinite, (n, mw, h))) and 0 <= n <= 50 and 0 <= h <= 48 and (n == 0 or mw >= 0.1)
    if not fine or n * mw * 1e6 > MOST_BOILERS_W:
        raise InputError(translate("rehearsal.wrong_aid", lang, most=f"{MOST_BOILERS_W / 1e6:g}"))
    return Aid(int(n), mw * 1e6, h)


def read_moment(context: Context, text: str | None, lang: str) -> float | None:
    """Time of a stored moment, None: the present. Raises ``InputError`` with the range in words."""
    if not (text or "").strip():
        return None
    zone = ZoneInfo(context.county.meta.timezone)
    first = stored_since(context)
    try:
        t = datetime.strptime(str(text).strip().replace("T", " ")[:16], "%Y-%m-%d %H:%M").replace(tzinfo=zone)
    except ValueError:
        raise InputError(translate("rehearsal.wrong_moment", lang)) from None
    if not first + 3600.0 <= t.timestamp() <= time.time():
        since = local_time(first + 3600.0, context.county.meta.timezone, "%Y-%m-%d %H:%M")
        raise InputError(translate("rehearsal.moment_range", lang, since=since))
    return t.timestamp()


def _register_shown(app: Dash, context: Context) -> None:
    @app.callback(
        Output("rehearsal-table", "children"),
        Output("rehearsal-chart", "figure"),
        Output("rehearsal-facts", "children"),
        Output("rehearsal-gains", "children"),
        Output("rehearsal-spare", "children"),
        Output("rehearsal-steps", "children"),
        Output("rehearsal-worst", "children"),
        Output("rehearsal-series", "children"),
        Input("rehearsal-no", "data"),
        Input("rehearsal-shown", "data"),
        State("rehearsal-lang", "data"),
    )
    def show(key: str | None, shown: int, words: list[object]) -> tuple[object, ...]:
        lang, light = str(words[0]), bool(words[1])
        answer = find_room(context).get(key)
        if answer is None or key is None:
            hint = html.P(translate("rehearsal.hint", lang), className="ct-quiet")
            none = html.P(translate("rehearsal.later", lang), className="ct-quiet")
            return hint, empty_rooms(context.county, lang, light), none, none, none, none, none, ""
        system, at = find_room(context).stage.system(), min(max(int(shown), 0), len(answer.alternatives) - 1)
        chosen = answer.alternatives[at]
        return (
            draw_table(answer, lang, at), draw_rooms(context.county, answer, lang, light),
            draw_facts(context.county, chosen, lang), draw_gains(context.county, answer, lang),
            draw_spare(context.county, answer, lang),
            draw_steps(context.county, answer, chosen, lang),
            draw_worst(context.county, system, chosen, lang),
            pack_series(context.county, system, answer, key, at, lang),
        )  # fmt: skip


def _register_save(app: Dash, context: Context) -> None:
    @app.callback(
        Output("rehearsal-plan", "data"),
        Output("rehearsal-said", "children", allow_duplicate=True),
        Input("rehearsal-save", "n_clicks"),
        State("rehearsal-no", "data"),
        State("rehearsal-lang", "data"),
        prevent_initial_call=True,
    )
    def save(_clicks: int | None, key: str | None, words: list[object]) -> object:
        answer, lang = find_room(context).get(key), str(words[0])
        if answer is None:
            return no_update, translate("rehearsal.nothing_yet", lang)
        text = write_plan(context.county, answer, lang)
        first = answer.incidents[0]
        name = f"plan-{first.kind}-{first.at.split(',')[0] or 'county'}.md"
        title = text.splitlines()[0].removeprefix("# ")
        try:
            system = find_room(context).stage.system()
            context.store.keep(
                "rehearsal", title, describe_rehearsal(context.county, system, answer, text, name)
            )
            said = translate("rehearsal.is_kept", lang)
        except StoreUnavailable:
            said = translate("app.unavailable", lang)
        return {"content": text, "filename": name}, said
