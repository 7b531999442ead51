"""统计报表: a day, a week or a season, beside the period before, as an Excel file too."""

import math
import time
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from app.complaints import judge_of
from app.domains.heating.papers import print_report
from app.domains.heating.report import COLUMNS, FIGURES, UNITS, Report, make_report, write_report
from app.domains.heating.tariff import read_tariff
from app.format import MISSING, format_number
from app.i18n import translate
from app.pages.parts import panel
from app.web.context import Context
from app.web.shell import View
from twin.model.errors import InputError, StoreUnavailable

PERIODS = {"day": 1, "week": 7, "month": 30, "season": 151}
"""Days of each; they end with the end of the day that was picked."""


def layout(view: View, context: Context) -> list[object]:
    lang = view.lang
    zone = ZoneInfo(context.county.meta.timezone)
    yesterday = datetime.fromtimestamp(time.time(), zone).date() - timedelta(days=1)
    options = [{"label": translate(f"report.{p}", lang), "value": p} for p in PERIODS]
    tools = html.Div(
        [
            dcc.RadioItems(options, "day", id="report-period", inline=True, className="ct-hours"),
            html.Label(
                [
                    translate("report.date", lang),
                    html.Span(
                        dcc.Input(
                            id="report-date",
                            type="text",
                            value=yesterday.isoformat(),
                            maxLength=10,
                            className="ct-input",
                        )
                    ),
                ],
                className="ct-report-date",
            ),
            html.Button(translate("balance.save", lang), id="report-save", className="ct-button"),
            html.Button(translate("report.pdf", lang), id="report-pdf", className="ct-button"),
            html.Span(id="report-said", className="ct-quiet"),
        ],
        className="ct-tools",
    )
    return [
        html.Div(
            [
                panel(translate("report.title", lang), tools, "ct-fit"),
                html.Div(
                    [
                        panel(
                            translate("report.figures", lang),
                            html.Div(id="report-figures", className="ct-scroll"),
                            "ct-half",
                        ),
                        panel(
                            translate("report.stations", lang),
                            html.Div(id="report-stations", className="ct-scroll"),
                            "ct-half",
                        ),
                    ],
                    className="ct-report",
                ),
            ],
            className="ct-column ct-report-page",
        ),
        dcc.Store(id="report-lang", data=[lang]),
        dcc.Download(id="report-file"),
    ]


def register(app: Dash, context: Context) -> None:
    @app.callback(
        Output("report-figures", "children"),
        Output("report-stations", "children"),
        Output("report-said", "children"),
        Input("report-period", "value"),
        Input("report-date", "value"),
        State("report-lang", "data"),
    )
    def show(period: str, day: str | None, words: list[str]) -> tuple[object, object, object]:
        lang = words[0]
        try:
            now, before = read_reports(context, period, day)
        except InputError:
            return no_update, no_update, translate("report.wrong_date", lang)
        except StoreUnavailable:
            return no_update, no_update, translate("app.unavailable", lang)
        return draw_figures(now, before, lang), draw_stations(context, now, lang), _span(context, now)

    @app.callback(
        Output("report-file", "data"),
        Output("report-said", "children", allow_duplicate=True),
        Input("report-save", "n_clicks"),
        Input("report-pdf", "n_clicks"),
        State("report-period", "value"),
        State("report-date", "value"),
        State("report-lang", "data"),
        prevent_initial_call=True,
    )
    def save(
        _excel: int | None, _pdf: int | None, period: str, day: str | None, words: list[str]
    ) -> tuple[object, object]:
        lang = words[0]
        try:
            now, before = read_reports(context, period, day)
            if ctx.triggered_id == "report-pdf":
                title = translate(f"report.named.{period}", lang)
                spans = _span(context, now), _span(context, before)
                content, end = print_report(context.county, now, before, title, spans, lang), "pdf"
            else:
                title = f"{translate('report.title', lang)} {_span(context, now)}"
                content, end = write_report(context.county, now, before, lang, title), "xlsx"
        except InputError as e:
            return no_update, str(e)
        except StoreUnavailable:
            return no_update, translate("app.unavailable", lang)
        return dcc.send_bytes(lambda out: out.write(content), f"report-{period}-{day}.{end}"), no_update


def read_reports(context: Context, period: str, day: str | None) -> tuple[Report, Report]:
    """The period that ends with a day of the county, and the one before.

    Raises
    ------
    InputError : no such day or period
    StoreUnavailable : the owner does not answer
    """
    try:
        last, days = date.fromisoformat(day or ""), PERIODS[period]
        zone = ZoneInfo(context.county.meta.timezone)
        ends = [
            datetime.combine(last + timedelta(days=1 - k * days), datetime.min.time(), zone) for k in range(3)
        ]
    except (ValueError, KeyError, OverflowError):
        raise InputError(f"report: {str(day)[:20]!r} is no day, or {str(period)[:20]!r} no period") from None
    end, start, earlier = (e.timestamp() for e in ends)

    def ask(a: float, b: float) -> Report:
        found: Report = context.ask(
            f"report-{a}-{b}",
            60.0,
            lambda: make_report(
                context.county, context.store, a, b, read_tariff(context.settings.county)[0],
                judge_of(context),
            ),
        )  # fmt: skip
        return found

    return ask(start, end), ask(earlier, start)


def _span(context: Context, r: Report) -> str:
    zone = ZoneInfo(context.county.meta.timezone)
    a, b = (f"{datetime.fromtimestamp(t, zone):%Y-%m-%d %H:%M}" for t in (r.start, r.end))
    return f"{a} – {b}"


def draw_figures(now: Report, before: Report, lang: str) -> html.Table:
    """Key figures with unit, the period before, and the formula."""
    heads = ("figure", "now", "before", "unit", "formula")
    head = html.Thead(html.Tr([html.Th(translate(f"report.{h}", lang)) for h in heads]))
    rows = []
    for key in FIGURES:
        unit, factor, digits = UNITS[key]
        values = [_show(r.figures[key] * factor, digits) for r in (now, before)]
        how = html.Td(translate(f"report.how.{key}", lang), className="ct-wrap ct-quiet")
        rows.append(
            html.Tr([html.Td(translate(f"report.{key}", lang)), *map(html.Td, values), html.Td(unit), how])
        )
    return html.Table([head, html.Tbody(rows)], className="ct-table ct-figures")


def draw_stations(context: Context, now: Report, lang: str) -> html.Table:
    """Every station of the period."""
    names = {s.id: s.name if lang == "zh" else s.name_en for s in context.county.network.substations}
    heads = [
        html.Th([translate(f"report.col.{n}", lang), html.Small(f" {unit}")]) for n, unit, _, _ in COLUMNS
    ]
    head = html.Thead(html.Tr([html.Th(translate("report.station", lang)), *heads]))
    rows = [
        html.Tr(
            [
                html.Td(names[s.id]),
                *(
                    html.Td(_show(float(getattr(s, name)) * factor, digits))
                    for name, _, factor, digits in COLUMNS
                ),
            ]
        )
        for s in now.stations
    ]
    return html.Table([head, html.Tbody(rows)], className="ct-table ct-right")


def _show(x: float, digits: int) -> str:
    return format_number(x, digits) if math.isfinite(x) else MISSING
