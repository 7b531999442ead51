"""What a temperature sensor shows: the water in its fitting, which a room cools.

A sensor in a house connection sits in a short piece of pipe inside a room. While water flows it shows the
water; when the water stands, it shows how that piece cools to the room, not how the buried pipe cools to the
ground. Between two records ``M dT/dt = m (T_w - T) + M (T_room - T) / tau`` is solved exactly.

A logger stores at its own pace what a meter sent last. Where no telegram came in between, it stores the last
one again: such a record is no reading.
"""

from math import exp

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.model.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FITTING_KG = 1.0
"""Water-equivalent of the fitting: follows the water within a second at 1 kg/s."""
FITTING_TAU_S = 6500.0
"""Time in which a fitting without flow cools to 1/e of its excess over the room."""
ROOM_C = 20.0
"""The three values are those of the sensors in the published model of the Pongau branch (IBPSA, PlugFlowAIT:
tau 1 s at 1 kg/s, tauHeaTra 6500 s, ambient 20 °C)."""


def read_sensor(
    t_s: Floats,
    t_water_c: Floats,
    mass_flow_kg_s: Floats,
    t_room_c: float = ROOM_C,
    fitting_kg: float = FITTING_KG,
    tau_s: float = FITTING_TAU_S,
) -> Floats:
    """Temperatures a sensor shows at ``t_s`` (n,) for the water that reaches it; it starts at the water's.

    Parameters
    ----------
    t_water_c, mass_flow_kg_s : (n,) the sign of the flow does not matter; values hold up to their time

    Raises
    ------
    InputError : times do not rise, columns differ in length, or a size is not positive
    """
    t, water, flow = (np.ascontiguousarray(x, dtype=np.float64) for x in (t_s, t_water_c, mass_flow_kg_s))
    if t.size < 2 or np.any(np.diff(t) <= 0.0) or not t.shape == water.shape == flow.shape:
        raise InputError("read_sensor: t_s must rise and all columns have its length, two values at least")
    if not (fitting_kg > 0.0 and tau_s > 0.0):
        raise InputError("read_sensor: fitting_kg and tau_s must be positive")
    out: Floats = _follow(t, water, flow, t_room_c, fitting_kg, tau_s)
    return out


def find_held(*channels: Floats) -> Bools:
    """Records (n,) that repeat the record before in every channel of a meter, to the last digit."""
    if not channels or any(c.shape != channels[0].shape for c in channels):
        raise InputError("find_held: give the channels of one meter, all of the same length")
    held: Bools = np.logical_and.reduce([np.diff(c, prepend=np.nan) == 0.0 for c in channels])
    return held


def show_held(values: Floats, held: Bools) -> Floats:
    """What a logger shows of ``values`` (n,): at a held record the value of the last one that was not."""
    last = np.maximum.accumulate(np.where(held, 0, np.arange(len(held))))
    shown: Floats = values[last]
    return shown


@njit(cache=True, error_model="numpy")
def _follow(t: Floats, water: Floats, flow: Floats, room: float, kg: float, tau: float) -> Floats:
    out = np.empty(t.shape[0])
    out[0] = shown = water[0]
    for k in range(1, t.shape[0]):
        a, b = abs(flow[k]) / kg, 1.0 / tau
        goal = (a * water[k] + b * room) / (a + b)
        shown = goal + (shown - goal) * exp(-(a + b) * (t[k] - t[k - 1]))
        out[k] = shown
    return out
