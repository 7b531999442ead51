"""指令: write a set-point, let it through, see what became of it, and who did what."""

import math
import time
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, dcc, html, no_update

from app.auth import AccountFile
from app.format import MISSING, format_number, format_value, local_time
from app.i18n import TEXTS, translate
from app.pages.parts import kind_name, panel
from app.web.command_routes import PATH, can_undo
from app.web.context import Context
from app.web.shell import View
from ingest.store.command_api import Command, CommandStep
from twin.model.county import Point
from twin.model.errors import StoreUnavailable
from twin.model.quantities import find_quantity
from twin.model.setpoints import Limits, list_setpoints

SHOWN_S = 30 * 86_400.0
LEVEL = {
    "done": "",
    "waiting": "watch",
    "sent": "watch",
    "differs": "bad",
    "timed_out": "bad",
    "refused": "bad",
}


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    bare = view.kiosk or view.embed
    form = [] if bare else [panel(translate("command.ask", lang), _form(context, lang), "ct-fit")]
    table = html.Div(id="command-list", className="ct-scroll")
    audit = html.Div(id="command-audit", className="ct-scroll")
    return [
        html.Div(
            [
                *form,
                html.Div(
                    [
                        panel(translate("command.list", lang), table, "ct-half"),
                        panel(translate("command.audit", lang), audit, "ct-half"),
                    ],
                    className="ct-column",
                ),
            ],
            className="ct-commands",
        ),
        dcc.Store(id="command-lang", data={"lang": lang, "bare": bare}),
        dcc.Interval(id="command-tick", interval=2000),
    ]


def _form(context: Context, lang: str) -> html.Form:
    """Plain form elements, so that a keyboard is enough; the script shows limits and sends it."""
    groups: dict[str, list[object]] = {}
    names = _place_names(context)
    for point, limits in list_setpoints(context.county):
        groups.setdefault(point.place_id, []).append(_option(point, limits, names, lang))
    options: list[object] = [html.Option(f"— {translate('command.choose', lang)} —", value="")]
    options += [html.Optgroup(rows, label=names.get(place, place)) for place, rows in groups.items()]
    rule = translate(f"rule.{_rule(context)}", lang)
    words = {
        "data-asked": translate("command.asked", lang),
        "data-refused": TEXTS["command.refused"][lang != "zh"],
    }
    return html.Form(
        [
            html.Label([translate("command.point", lang), html.Select(options, id="command-point")]),
            html.P(
                [
                    html.Span([translate("command.now", lang), " ", html.B(id="command-now")]),
                    html.Span([translate("command.feedback", lang), " ", html.B(id="command-feedback")]),
                ],
                className="ct-command-now",
            ),
            html.P(id="command-limits", className="ct-quiet"),
            html.Label(
                [translate("command.value", lang), html.Span(dcc.Input(id="command-value", type="number"))]
            ),
            html.Label(
                [translate("command.reason", lang), html.Span(dcc.Input(id="command-reason", maxLength=300))]
            ),
            html.P(
                [
                    html.Button(translate("command.submit", lang), className="ct-button", type="submit"),
                    html.Span(rule),
                ]
            ),
            html.P(id="command-said", role="status"),
        ],
        className="ct-command-form",
        **{"data-command": PATH, **words},
    )


def _rule(context: Context) -> str:
    """Who lets a command through; a demo county without accounts is confirmed by whoever sits there."""
    said = context.settings.commands
    accounts = AccountFile(context.settings.data / "auth" / "accounts.json").accounts()
    return "here" if said == "second" and context.county.meta.demo and not accounts else said


def _option(point: Point, limits: Limits, names: dict[str, str], lang: str) -> html.Option:
    q, row = find_quantity(point.quantity), limits.setpoint
    low, high, step = (x * q.scale for x in (limits.low, limits.high, row.step))
    said = translate(
        "command.limits", lang, low=format_number(low, q.decimals), high=format_number(high, q.decimals),
        unit=q.display_unit, step=format_number(step, q.decimals), timeout=f"{row.timeout_s:.0f}",
    )  # fmt: skip
    data = {
        "data-limits": said, "data-low": f"{low:.6g}", "data-high": f"{high:.6g}",
        "data-step": f"{10.0 ** -q.decimals:.6g}",
        "data-feedback": limits.feedback.id if limits.feedback is not None else "",
    }  # fmt: skip
    title = f"{names.get(point.place_id, point.place_id)} {kind_name(point.key, lang)}"
    return html.Option(title, value=point.id, **data)


def _place_names(context: Context) -> dict[str, str]:
    n = context.county.network
    return {s.id: s.name for s in n.substations} | {s.id: s.name for s in n.sources}


def register(app: Dash, context: Context) -> None:
    @app.callback(
        Output("command-list", "children"),
        Output("command-audit", "children"),
        Input("command-tick", "n_intervals"),
        State("command-lang", "data"),
    )
    def refresh(_n: int | None, said: dict[str, object]) -> tuple[object, object]:
        lang, bare = str(said["lang"]), bool(said["bare"])
        since = math.floor((time.time() - SHOWN_S) / 3600.0) * 3600.0
        try:
            found = context.ask("commands", 1.0, lambda: context.store.commands(since))
            steps = context.ask("command-steps", 1.0, lambda: context.store.command_steps(limit=200))
        except StoreUnavailable:
            return html.P(translate("app.unavailable", lang), className="ct-quiet"), no_update
        return _list(found, context, lang, bare), _audit(steps, found, context, lang)


def _list(found: list[Command], context: Context, lang: str, bare: bool) -> object:
    if not found:
        return html.P(translate("command.none", lang), className="ct-calm")
    keys = ("command.time", "command.point", "command.before", "command.wanted", "command.seen",
            "command.who", "command.state", "command.reason")  # fmt: skip
    head = html.Tr([*(html.Th(translate(k, lang)) for k in keys), html.Th()])
    rows = [_row(c, context, lang, bare) for c in found]
    return html.Table([html.Thead(head), html.Tbody(rows)], className="ct-table")


def _link_documents(c: Command, lang: str) -> html.A:
    """What was kept about a command: a photo of the valve, an order."""
    words = {"about": f"command:{c.no}"} | ({"lang": lang} if lang != "zh" else {})
    return html.A(
        translate("nav.documents", lang), href=f"/documents?{urlencode(words)}", className="ct-link-quiet"
    )


def _row(c: Command, context: Context, lang: str, bare: bool) -> html.Tr:
    zone = context.county.meta.timezone
    known = 0 <= c.point_no < len(context.county.points)
    quantity = context.county.points[c.point_no].quantity if known else "code"
    state = [html.Span(translate(f"cmd.{c.state}", lang), **{"data-level": LEVEL.get(c.state, "")})]
    if c.detail:
        state += [html.Small(text) for text in _why(c.detail, lang)]
    approved = _who(c.approved_by, lang) if c.approved_by or math.isfinite(c.sent) else MISSING
    who = f"{_who(c.requested_by, lang)} / {approved}"
    return html.Tr(
        [
            html.Td(local_time(c.t, zone, "%m-%d %H:%M:%S")),
            html.Td(_point_name(c.point_no, context, lang)),
            *(
                html.Td(format_value(quantity, x) if math.isfinite(x) else MISSING)
                for x in (c.before, c.value, c.seen)
            ),
            html.Td(who),
            html.Td(state),
            html.Td(c.reason, className="ct-wrap"),
            html.Td([] if bare else [*_buttons(c, lang), _link_documents(c, lang)]),
        ],
        **{"data-command-no": str(c.no), "data-state": c.state},
    )


def _buttons(c: Command, lang: str) -> list[object]:
    acts = ("approve", "reject", "withdraw") if c.state == "waiting" else ("undo",) if can_undo(c) else ()
    return [
        html.Button(
            translate(f"command.{act}", lang), className="ct-button", **{"data-post": f"{PATH}/{c.no}/{act}"}
        )
        for act in acts
    ]


def _point_name(point_no: int, context: Context, lang: str) -> str:
    if not 0 <= point_no < len(context.county.points):
        return MISSING
    p = context.county.points[point_no]
    return f"{_place_names(context).get(p.place_id, p.place_id)} {kind_name(p.key, lang)}"


def _why(detail: str, lang: str) -> list[str]:
    """The translated word of a refusal, then the sentence of ingest or of the device as it is."""
    word, colon, sentence = detail.partition(": ")
    if not colon or f"why.{word}" not in TEXTS:
        return [detail]
    return [sentence] if lang == "en" else [translate(f"why.{word}", lang), sentence]


def _step_name(step: str, lang: str) -> str:
    """A step of the audit; what was tried and refused is ``<act> refused``."""
    act = f"act.{step.removesuffix(' refused')}"
    key = act if act in TEXTS else f"cmd.{step}"
    return translate(key, lang) if key in TEXTS else step


def _who(name: str, lang: str) -> str:
    return name or translate("command.here", lang)


def _audit(steps: list[CommandStep], found: list[Command], context: Context, lang: str) -> object:
    """Newest first; who did what to which command."""
    if not steps:
        return html.P(translate("command.none", lang), className="ct-calm")
    points = {c.no: c.point_no for c in found}
    keys = ("command.time", "command.point", "command.step", "command.by", "data.detail")
    by_itself = ("sent", "done", "refused", "expired", "timed_out", "differs")
    rows = [
        html.Tr(
            [
                html.Td(local_time(s.t, context.county.meta.timezone, "%m-%d %H:%M:%S")),
                html.Td(_point_name(points.get(s.no, -1), context, lang)),
                html.Td(_step_name(s.step, lang)),
                html.Td(
                    translate("command.ingest", lang)
                    if not s.who and s.step in by_itself
                    else _who(s.who, lang)
                ),
                html.Td(" · ".join(_why(s.detail, lang)), className="ct-wrap"),
            ]
        )
        for s in reversed(steps)
    ]
    head = html.Tr([html.Th(translate(k, lang)) for k in keys])
    return html.Table([html.Thead(head), html.Tbody(rows)], className="ct-table")
