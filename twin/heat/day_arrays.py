"""The parts of a simulated day as named tuples of arrays, for the steps of ``twin.heat.day_kernel``."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.heat.plugflow import Pipes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Grid(NamedTuple):
    """Pipes and places, as compiled."""

    start: Ints
    end: Ints
    station: Ints
    source: Ints


class Water(NamedTuple):
    """The network's water and steel (see ``TransientState``); changed in place."""

    pipes: Pipes
    h_point: Floats
    wait_kg: Floats
    wait_j: Floats
    m: Floats


class Stations(NamedTuple):
    """Parameters of the stations (``full``: pump at full speed), what the pump makes of them in a step, and
    their state; the last two are changed in place."""

    ua: Floats
    m_design: Floats
    m_2_full: Floats
    film_2_full: Floats
    m_2: Floats
    film_2: Floats
    fouling: Floats
    flow_cap: Floats
    controller: Ints
    gain: Floats
    reset: Floats
    w: Floats
    c_supply: Floats
    c_return: Floats
    w_makeup: Floats
    t_makeup: float
    t_supply: Floats
    t_return: Floats
    t_out: Floats
    integral: Floats
    flow: Floats


class Rooms(NamedTuple):
    """Parameters of the buildings, then their state (changed in place), then scratch."""

    station: Ints
    flow_full_w_k: Floats
    flow_w_k: Floats
    radiator: Floats
    h_air: Floats
    h_structure: Floats
    h_inner: Floats
    c_air: Floats
    c_structure: Floats
    sun_m2: Floats
    people_w: Floats
    wind_s_m: Floats
    t_air: Floats
    t_structure: Floats
    excess: Floats
    u: Floats
    emit: Floats
    own: Floats
    gain: Floats
    heat: Floats


class Plants(NamedTuple):
    """Sources: limits, enthalpy of make-up, last output (changed in place)."""

    capacity: Floats
    ramp: Floats
    h_makeup: Floats
    given: Floats


class Drive(NamedTuple):
    """Drives the steps: weather (n_step,); set-points, pumps (n_step, n_station); sources."""

    dt: float
    t_ground: float
    t_outdoor: Floats
    wind: Floats
    sun: Floats
    people: Floats
    setpoint: Floats
    pump: Floats
    pump_film: Floats
    h_source: Floats


class Flows(NamedTuple):
    """The last hydraulic solution and how to follow it between solutions (see ``twin.heat.share``)."""

    order: Ints
    parent: Ints
    chord: Bools
    root: Bools
    fixed: Bools
    m: Floats
    supplied: Floats
    base: Floats
    leak: Floats
    given: Floats
    station_flow: Floats
    served: Bools


class Log(NamedTuple):
    """What is kept: per step and station, building, source; and sums over all steps, J."""

    flow: Floats
    t_in: Floats
    t_back: Floats
    t_supply: Floats
    t_return: Floats
    heat: Floats
    short: Bools
    t_room: Floats
    source_flow: Floats
    source_heat: Floats
    source_t: Floats
    source_back: Floats
    source_wanted: Floats
    ground_w: Floats
    sums: Floats


SOURCE, MAKEUP, LEAK, GROUND, OUTDOOR, GAIN, REFILL, PLANT = range(8)
"""Places of ``Log.sums``: heat of sources; make-up and leaks of the network (enthalpy); losses to the ground
and outdoors; sun and people; loss by make-up of the secondary water; what the plants' own water took up."""
