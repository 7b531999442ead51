"""The climate compensation as heat engineers draw it: supply temperature over outdoor temperature."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts.lines import ACCENT, QUIET, WARM, WATCH, dress, say_empty

NEAR_K = 2.0
"""A station this near its curve follows it."""
MOST_NAMES = 4
DASHES = ("solid", "dash", "dot", "dashdot")
Floats = NDArray[np.float64]
Curve = tuple[tuple[float, float], ...]
Dot = tuple[str, float, float]


def draw_compensation(
    curves: Mapping[Curve, str], dots: Sequence[Dot], t_out_c: float, words: Sequence[str], *,
    light: bool = False, empty: str = "",
) -> go.Figure:  # fmt: skip
    """Every different curve as a line with its name, every station as a dot over the outdoor temperature of
    now.

    Parameters
    ----------
    curves : points of each curve (outdoor °C, supply °C), rising -> whose it is; more than ``MOST_NAMES``
        are not named one by one
    dots : (name, measured, wanted) of every station, °C
    words : titles of both axes, name of the curves, of dots near their curve and of those that are off
    """
    figure = go.Figure()
    for k, (curve, name) in enumerate(curves.items()):
        x, y = np.array(curve).T
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": ACCENT, "width": 1.5, "dash": DASHES[k % len(DASHES)]},
            name=words[2], showlegend=k == 0, hoverinfo="skip",
        )  # fmt: skip
        if len(curves) <= MOST_NAMES:
            _name_curve(figure, x, y, name)
    for name, colour, symbol, mine in (
        (words[3], WARM, "circle", [d for d in dots if abs(d[1] - d[2]) <= NEAR_K]),
        (words[4], WATCH, "diamond", [d for d in dots if abs(d[1] - d[2]) > NEAR_K]),
    ):
        if mine:
            figure.add_scatter(
                x=[t_out_c] * len(mine), y=[d[1] for d in mine], mode="markers", name=name,
                text=[f"{d[0]}<br>{d[1]:.1f} / {d[2]:.1f} °C" for d in mine],
                hovertemplate="%{text}<extra></extra>",
                marker={"color": colour, "size": 8, "symbol": symbol, "opacity": 0.85},
            )  # fmt: skip
    axis = dress(figure, words[1], keep="compensation", light=light)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(**axis, title={"text": words[0], "font": {"size": 12}, "standoff": 2})
    if np.isfinite(t_out_c):
        figure.add_vline(x=t_out_c, line={"width": 1, "dash": "dot", "color": QUIET})
    if not dots:
        say_empty(figure, empty, light)
    return figure


def _name_curve(figure: go.Figure, x: Floats, y: Floats, name: str) -> None:
    """The name above the cold third of a curve, where curves are furthest apart."""
    at = float(x[0] + 0.3 * (x[-1] - x[0]))
    figure.add_annotation(
        x=at, y=float(np.interp(at, x, y)), text=name, showarrow=False, xanchor="left", yanchor="bottom",
        font={"color": ACCENT, "size": 12},
    )  # fmt: skip
