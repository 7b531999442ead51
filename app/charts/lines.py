"""Lines over time: measured solid, simulated dashed, the same on every page."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go
from dash import Patch
from numpy.typing import NDArray

Floats = NDArray[np.float64]

INK, QUIET, GRID = "#dfe8f2", "#8fa3b8", "rgba(143,163,184,0.16)"
INK_LIGHT, QUIET_LIGHT, GRID_LIGHT = "#17222e", "#526273", "rgba(40,60,84,0.14)"
WARM, COOL, ACCENT, CALM = "#ffb066", "#6db6ff", "#4cc2ff", "#9fd8c4"
WATCH = "#f2c94c"
GAP_S = 1800.0
FONTS = "Noto Sans SC, Source Han Sans SC, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: times (s since 1970 UTC), values in the unit of the axis, name, colour, dashed or not."""

    t: Floats
    y: Floats
    name: str
    colour: str
    dashed: bool = False
    second_axis: bool = False


def local_stamps(t: Floats, timezone: str) -> NDArray[np.datetime64]:
    """Clock time of the county as naive stamps, which is what an axis should show."""
    if t.size == 0:
        return np.array([], dtype="datetime64[ms]")
    from datetime import datetime

    zone = ZoneInfo(timezone)
    shift = datetime.fromtimestamp(float(t[-1]), zone).utcoffset()
    seconds = 0.0 if shift is None else shift.total_seconds()
    return ((t + seconds) * 1000).astype("datetime64[ms]")


def break_gaps(t: Floats, y: Floats) -> tuple[Floats, Floats]:
    """A missing value in every gap, so that no line is drawn where nothing was measured."""
    holes = np.flatnonzero(np.diff(t) > GAP_S)
    return np.insert(t, holes + 1, t[holes] + 1.0), np.insert(y, holes + 1, np.nan)


def dress(
    figure: go.Figure, y_title: str, *, keep: str, second_title: str = "", light: bool = False
) -> dict[str, object]:
    """Colours, fonts and margins of every chart; returns what all axes have. ``keep``: whose zoom it is."""
    ink, quiet, grid = (INK_LIGHT, QUIET_LIGHT, GRID_LIGHT) if light else (INK, QUIET, GRID)
    axis = {"gridcolor": grid, "zeroline": False, "tickfont": {"color": quiet, "size": 12}, "linecolor": grid}
    title = {"font": {"color": quiet, "size": 12}}
    figure.update_layout(
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", uirevision=keep, hovermode="x unified",
        font={"family": FONTS, "color": ink, "size": 13},
        margin={"l": 58, "r": 58 if second_title else 16, "t": 30, "b": 34},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
        yaxis={**axis, "title": {**title, "text": y_title}},
        hoverlabel={"bgcolor": "#ffffff" if light else "#14202e", "font": {"color": ink}},
        showlegend=len(figure.data) > 0,
    )  # fmt: skip
    if second_title:
        figure.update_layout(yaxis2={
            **axis, "overlaying": "y", "tickformat": ".1f", "nticks": 4, "side": "right", "showgrid": False,
            "title": {**title, "text": second_title},
        })  # fmt: skip
    return axis


def say_empty(figure: go.Figure, text: str, light: bool = False) -> None:
    """A sentence in the middle of a chart that has nothing to draw."""
    figure.add_annotation(text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper",
                          font={"color": QUIET_LIGHT if light else QUIET, "size": 14})  # fmt: skip


def draw_lines(
    lines: Sequence[Line], y_title: str, timezone: str, *, keep: str, second_title: str = "",
    light: bool = False, empty: str = "", span: tuple[float, float] | None = None,
) -> go.Figure:  # fmt: skip
    """A figure of ``lines`` over time; ``keep`` names what zoom belongs to (it survives updates)."""
    figure = go.Figure()
    for line in lines:
        t, y = break_gaps(line.t, line.y)
        figure.add_scatter(
            x=local_stamps(t, timezone), y=y, name=line.name, mode="lines",
            line={"color": line.colour, "width": 2, "dash": "dash" if line.dashed else "solid"},
            yaxis="y2" if line.second_axis else "y", hovertemplate="%{y:.2f}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    axis = dress(figure, y_title, keep=keep, second_title=second_title, light=light)
    figure.update_xaxes(**axis, tickformat="%H:%M\n%m-%d", hoverformat="%m-%d %H:%M:%S")
    if span is not None:
        # not ``range``: one that moves with the clock would win over the zoom of who looks
        ends = [str(x) for x in local_stamps(np.array(span), timezone)]
        figure.update_xaxes(autorangeoptions={"include": ends})
    if empty and not any(np.isfinite(line.y).any() for line in lines):
        say_empty(figure, empty, light)
        figure.update_layout({f"{axis}axis.showticklabels": False for axis in "xy"})  # numbers of nothing
    return figure


def renew_lines(figure: go.Figure) -> Patch:
    """What changes in a drawn ``figure`` as time goes on: its curves, not the zoom of who looks at it.

    Dash writes a zoom into the figure it holds, so a whole new figure would undo it.
    """
    patch, new = Patch(), figure.to_plotly_json()
    patch["data"] = new["data"]
    patch["layout"]["annotations"] = new["layout"].get("annotations", [])
    patch["layout"]["xaxis"]["autorangeoptions"] = new["layout"]["xaxis"].get("autorangeoptions", {})
    for axis in ("xaxis", "yaxis"):
        patch["layout"][axis]["showticklabels"] = new["layout"][axis].get("showticklabels", True)
    return patch
