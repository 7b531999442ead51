"""Mobile boilers: heat that is brought to a station's houses from outside the network."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.heat import HeatSystem, Weather
from twin.rehearsal.case import Measure

Floats = NDArray[np.float64]

ROOM_C = 18.0
RESTORE_S = 6 * 3600.0
"""In which a boiler with power to spare brings cold houses back."""


def warm_by_boilers(
    system: HeatSystem, done: Sequence[Measure], t_room_c: Floats, weather: Weather, heat_w: Floats | None
) -> HeatSystem:
    """The system with the heat of mobile boilers as a gain of the houses they serve.

    A boiler has its own pump and fires no more than its houses lack to be at 18 °C; it is set anew in every
    phase (an hour at most). Half of its heat is given to the air and half to the structure.

    Parameters
    ----------
    t_room_c : (n_building,) at the start of the phase; heat_w : (n_station,) what the stations gave last
    """
    power = {m.at: 0.0 for m in done if m.kind == "mobile_boiler"}
    for m in done:
        if m.kind == "mobile_boiler":
            power[m.at] += m.size
    if not power:
        return system
    b = system.buildings
    outside = float(weather.t_outdoor_c.mean())
    people = b.people_w.copy()
    for station, most in power.items():
        k = system.stations.ids.index(station)
        mine = b.station == k
        need = b.ua_w_k * (ROOM_C - outside) - b.people_w
        need = need + (b.c_air_j_k + b.c_structure_j_k) * (ROOM_C - t_room_c) / RESTORE_S
        need = np.where(mine, np.maximum(need, 0.0), 0.0)
        lacking = float(need.sum()) - (0.0 if heat_w is None else max(float(heat_w[k]), 0.0))
        if lacking > 0.0:
            people += need / need.sum() * min(lacking, most)
    return replace(system, buildings=replace(b, people_w=people))
