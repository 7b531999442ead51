"""Pressures or temperatures along the pipes from a source to a station."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts.lines import COOL, QUIET, QUIET_LIGHT, WARM, dress, say_empty

Floats = NDArray[np.float64]
Curve = tuple[Floats, str]
"""Values (n,) and the name in the legend."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a sensor says at a distance: (n,) both; drawn as a point of its colour."""

    distance_m: Floats
    y: Floats
    name: str
    warm: bool


def draw_profile(
    distance_m: Floats, supply: Curve, back: Curve, ground: Curve | None, measured: list[Measured],
    titles: tuple[str, str], *, keep: str, light: bool = False, empty: str = "",
) -> go.Figure:  # fmt: skip
    """Supply and return over distance, the ground below them, measured values as points.

    Parameters
    ----------
    titles : of the distance and of the values
    """
    figure = go.Figure()
    km = distance_m / 1000.0
    hover = "%{y:.1f}<extra>%{fullData.name}</extra>"
    if ground is not None:
        quiet = QUIET_LIGHT if light else QUIET
        figure.add_scatter(
            x=km, y=ground[0], name=ground[1], mode="lines", hovertemplate=hover,
            line={"color": quiet, "width": 1}, fill="tozeroy", fillcolor="rgba(143,163,184,0.12)",
        )  # fmt: skip
    for (y, name), colour in ((supply, WARM), (back, COOL)):
        figure.add_scatter(
            x=km, y=y, name=name, mode="lines", hovertemplate=hover,
            line={"color": colour, "width": 2, "dash": "dash"},
        )  # fmt: skip
    for m in measured:
        figure.add_scatter(
            x=m.distance_m / 1000.0, y=m.y, name=m.name, mode="markers", hovertemplate=hover,
            marker={"color": WARM if m.warm else COOL, "size": 9, "symbol": "diamond",
                    "line": {"color": "#ffffff", "width": 1}},
        )  # fmt: skip
    axis = dress(figure, titles[1], keep=keep, light=light)
    figure.update_xaxes(**axis, title={"text": titles[0], "standoff": 4, "font": axis["tickfont"]})
    figure.update_layout(margin={"b": 44})
    shown = [y for y, _ in (supply, back, *([ground] if ground else []))]
    known = np.concatenate([y[np.isfinite(y)] for y in shown]) if shown else np.empty(0)
    if known.size:
        room = max(0.06 * float(known.max() - known.min()), 1.0)
        figure.update_yaxes(range=[float(known.min()) - room, float(known.max()) + room])
    elif empty:
        say_empty(figure, empty, light)
    return figure
