"""Hourly values as curves: between two hours the line goes on, over a longer gap it does not."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FINE_S = 900.0
LONGEST_S = 7200.0


def as_curve(t: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Values at the middle of hours (or two hours) on a fine grid; NaN over gaps longer than two hours."""
    known = np.isfinite(y)
    t, y = t[known], y[known]
    if t.size < 2:
        return t, y
    grid = np.arange(t[0], t[-1] + 1.0, FINE_S)
    fine = np.interp(grid, t, y)
    after = np.searchsorted(t, grid, side="left")
    gap = t[np.minimum(after, t.size - 1)] - t[np.maximum(after - 1, 0)]
    fine[(gap > LONGEST_S + 1.0) & (after > 0)] = np.nan
    return grid, fine


def add_band(figure: go.Figure, stamps: NDArray[np.datetime64], low: Floats, high: Floats, name: str) -> None:
    """A filled band behind the curves of a plotly figure."""
    figure.add_scatter(x=stamps, y=high, mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False)
    figure.add_scatter(
        x=stamps, y=low, mode="lines", line={"width": 0}, fill="tonexty", name=name, hoverinfo="skip",
        fillcolor="rgba(76,194,255,0.18)",
    )  # fmt: skip
