"""When pipes freeze: water that stands in houses, and water that stands in the network.

Houses: risers and connections run through stairwells and cellars, whose air lies half way between the rooms
and the outdoors; water that the pump moves stays as warm as the rooms, water that stands follows the
stairwell within hours. Network: buried below the frost line water keeps the ground's temperature; above it,
it follows the outdoors with the time constant of its own insulation. Defaults of engineering practice, no
survey.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.heat import HeatSystem
from twin.rehearsal.frames import Frames

Floats = NDArray[np.float64]

STAIRWELL = 0.5
"""How far the air around risers lies from the rooms' towards the outdoors'."""
RISER_H = 4.0
"""Time constant of the water that stands in them (DN25 to DN50, lagged)."""
FROST_DEPTH_M = 1.0
"""Ground above this may freeze in a hard winter (Lanzhou 1.03 m)."""
STILL_KG_S = 1e-3
CP_J_KG_K = 4187.0


@dataclass(frozen=True, slots=True, eq=False)
class Frost:
    """``building_h`` (n_building,) and ``pipe_h`` (n_pipe,): hours until the first ice, inf: not within the
    hours."""

    building_h: Floats
    pipe_h: Floats


def find_frost(
    system: HeatSystem, time_s: Floats, t_room_c: Floats, t_out_c: Floats, pump_share: Floats, frames: Frames
) -> Frost:
    """When the first ice forms.

    Parameters
    ----------
    time_s, t_out_c : (n_step,); t_room_c : (n_step, n_building); pump_share : (n_step, n_station)
    """
    return Frost(
        _freeze_houses(system, time_s, t_room_c, t_out_c, pump_share),
        _freeze_pipes(system, t_out_c, time_s, frames),
    )


def _freeze_houses(
    system: HeatSystem, time_s: Floats, t_room_c: Floats, t_out_c: Floats, pump_share: Floats
) -> Floats:
    every = max(1, round(600.0 / float(time_s[0])))
    kept = np.exp(-every * float(time_s[0]) / 3600.0 / RISER_H)
    water, found = t_room_c[0].copy(), np.full(t_room_c.shape[1], np.inf)
    for k in range(0, len(time_s), every):
        room = t_room_c[k]
        around = (1.0 - STAIRWELL) * room + STAIRWELL * t_out_c[k]
        still = pump_share[k][system.buildings.station] < 0.05
        water = np.where(still, around + (water - around) * kept, room)
        found = np.where((water <= 0.0) & ~np.isfinite(found), time_s[k] / 3600.0, found)
    return found


def _freeze_pipes(system: HeatSystem, t_out_c: Floats, time_s: Floats, frames: Frames) -> Floats:
    pipes = system.net.network.pipes
    depth, d, u = (np.array([getattr(p, k) for p in pipes]) for k in ("depth_m", "diameter_m", "u_w_m_k"))
    tau_h = 975.0 * CP_J_KG_K * np.pi / 4.0 * d**2 / np.maximum(u, 1e-6) / 3600.0
    shallow = depth < FROST_DEPTH_M
    water, found = frames.t_pipe_c[0].copy(), np.full(len(pipes), np.inf)
    for k in range(1, len(frames.hour)):
        dt_h = float(frames.hour[k] - frames.hour[k - 1])
        step = min(int(np.searchsorted(time_s, 3600.0 * frames.hour[k])), len(t_out_c) - 1)
        still = shallow & (np.abs(frames.mass_flow_kg_s[k]) < STILL_KG_S)
        around = t_out_c[step]
        water = np.where(still, around + (water - around) * np.exp(-dt_h / tau_h), frames.t_pipe_c[k])
        found = np.where((water <= 0.0) & still & ~np.isfinite(found), frames.hour[k], found)
    return found
