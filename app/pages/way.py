"""The way of the water from the source to a station, as a chart: pressure diagram and temperatures."""

import numpy as np
import plotly.graph_objects as go

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
    empty = translate("app.no_data" if place else "heating.pick", lang)
    if state is None or place not in at:
        none = np.empty(0)
        return draw_profile(
            none, (none, ""), (none, ""), None, [], ("", ""), keep="", light=light, empty=empty
        )
    way = make_profile(network, state, at[place])
    heads = key == "heads"
    names = [
        translate(f"profile.{x}", lang) for x in ("supply", "return", "ground", "distance", f"{key}_axis")
    ]
    up, down = (way.supply_head_m, way.return_head_m) if heads else (way.t_supply_c, way.t_return_c)
    return draw_profile(
        way.distance_m, (up, names[0]), (down, names[1]), (way.ground_m, names[2]) if heads else None,
        _measured_on(way, place, heads, context, lang), (names[3], names[4]),
        keep=f"{place}{key}", light=light, empty=empty,
    )  # fmt: skip


def _measured_on(way: Profile, place: str, heads: bool, context: Context, lang: str) -> list[Measured]:
    """What the meters at both ends of the way say."""
    known, value = context.county.point_by_id, context.values_now()
    found = []
    for key, warm in (("ps", True), ("pr", False)) if heads else (("ts", True), ("tr", False)):
        x, y = [], []
        for n, end in ((0, f"{way.source_id}/src_{key}"), (-1, f"{place}/p1_{key}")):
            point = known.get(end)
            if point is not None and np.isfinite(value[point.no]):
                x.append(float(way.distance_m[n]))
                raw = float(value[point.no])
                y.append(way.ground_m[n] + raw / PA_PER_M_WATER if heads else raw)
        name = translate("profile.measured_supply" if warm else "profile.measured_return", lang)
        found.append(Measured(np.array(x), np.array(y), name, warm))
    return found
