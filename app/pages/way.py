"""The way of the water from the source to a station, as a chart: pressure diagram and temperatures."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts.profile import Measured, draw_profile
from app.domains.heating.profile import PA_PER_M_WATER, Profile, make_profile
from app.i18n import translate
from app.web.context import Context

WAYS = ("heads", "temperatures")
"""Charts over distance instead of time."""


def draw_way(context: Context, place: str, key: str, lang: str, light: bool) -> go.Figure:
    """Heads or temperatures from the source to ``place`` as simulated, and what is measured at both ends."""
    network = context.county.network
    at = {s.id: s.node_id for s in network.sources} | {s.id: s.node_id for s in network.substations}
    state = context.ask("network", 2.0, context.store.network_state)
    if state is None or place not in at:
        empty = translate("app.no_data" if place else "heating.pick", lang)
        return draw_no_way(empty, light)
    way = make_profile(network, state, at[place])
    measured = find_measured(context, way, way.source_id, place, key, lang, context.values_now())
    return draw_along(way, key, measured, lang, light, keep=f"{place}{key}")


def draw_no_way(empty: str, light: bool) -> go.Figure:
    """The chart without anything but a sentence."""
    none = np.empty(0)
    return draw_profile(none, (none, ""), (none, ""), None, [], ("", ""), keep="", light=light, empty=empty)


def draw_along(
    way: Profile, key: str, measured: list[Measured], lang: str, light: bool, *, keep: str
) -> go.Figure:
    """Heads or temperatures (a key of ``WAYS``) along a way."""
    heads = key == "heads"
    names = [
        translate(f"profile.{x}", lang) for x in ("supply", "return", "ground", "distance", f"{key}_axis")
    ]
    up, down = (way.supply_head_m, way.return_head_m) if heads else (way.t_supply_c, way.t_return_c)
    return draw_profile(
        way.distance_m, (up, names[0]), (down, names[1]), (way.ground_m, names[2]) if heads else None,
        measured, (names[3], names[4]), keep=keep, light=light, empty=translate("app.no_data", lang),
    )  # fmt: skip


def find_measured(
    context: Context, way: Profile, start: str, end: str, key: str, lang: str, value: NDArray[np.float64]
) -> list[Measured]:
    """What the meters at both ends of the way say; an end that is no place says nothing.

    Parameters
    ----------
    start, end : ids of a source or a station, or ""
    value : (n_point,) of the moment
    """
    known, heads, found = context.county.point_by_id, key == "heads", []
    for kind, warm in (("ps", True), ("pr", False)) if heads else (("ts", True), ("tr", False)):
        x, y = [], []
        for n, place in ((0, start), (-1, end)):
            point = known.get(f"{place}/src_{kind}") or known.get(f"{place}/p1_{kind}")
            if way.node.size and point is not None and np.isfinite(value[point.no]):
                x.append(float(way.distance_m[n]))
                raw = float(value[point.no])
                y.append(way.ground_m[n] + raw / PA_PER_M_WATER if heads else raw)
        name = translate("profile.measured_supply" if warm else "profile.measured_return", lang)
        found.append(Measured(np.array(x), np.array(y), name, warm))
    return found
