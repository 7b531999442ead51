"""Plug flow of water through pipes with walls that store heat.

Water is a queue of parcels (mass, enthalpy) between the start and the end of a pipe: a step pushes what
enters at one end and lets the same volume leave at the other, so a temperature front keeps its shape whatever
the step. The wall is a row of fixed cells with one insulation node each. After every move the parcels and the
wall cells beside them exchange heat by the exact solution of the two-capacity problem; wall, insulation and
surroundings follow implicitly. What one side loses the other gains, so energy is conserved to rounding, and
every new temperature is a mean of old ones, so none leaves the range of what came in.

A step has two parts. Moving (here) needs the pipes in flow order, but looks at the ends of the queues only;
the exchange of heat (:mod:`twin.heat.exchange`) needs no order and takes the pipes as they lie in memory.
"""

from math import pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.heat.compiled import inline
from twin.heat.kernels import heat_capacity, quick_temperature
from twin.heat.quick import decay, film_w_m_k, fluidity, relative_dispersion, volume_m3_kg

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FLOW, WARMTH, CONDUCTANCE, CAPACITY, DISPERSION, CONTENT, EXCESS, MEAN = range(8)
N_KNOWN = 8
"""Columns of ``known``: the flow and temperature films were looked up for, and what was found, W/(m K),
J/(kg K), ``D / (u d)``; of the water in the pipe kg, m³ beyond what the pipe holds, mean enthalpy J/kg."""
UNKNOWN = -1.0
"""Fills ``known`` before anything is known: no flow is near it."""
FILM_SHARE, FILM_K = 0.01, 1.0
"""Films are looked up again when the flow has moved by this share or the water by this much."""


class Pipes(NamedTuple):
    """Many pipes in shared arrays, one row each. Rows are never sliced: it would cost more than the physics.

    ``mass``, ``h`` (n_pipe, n_parcel) used as rings, ``ring`` (n_pipe, 2) = [first, count]; unused places
    have no mass. ``t_wall``, ``t_shell`` (n_pipe, n_cell) steel and insulation, °C; ``known`` (n_pipe, 8).
    Unchanged: ``wall`` (n_pipe, 4) capacities of wall and insulation, J/(m K), conductances wall to
    insulation node and insulation node to surroundings, W/(m K); ``length``, ``diameter`` (n_pipe,) m.
    """

    mass: Floats
    h: Floats
    ring: Ints
    t_wall: Floats
    t_shell: Floats
    known: Floats
    wall: Floats
    length: Floats
    diameter: Floats


@inline()
def push(
    k: int, mass: Floats, h: Floats, ring: Ints, at_start: bool, m: float, h_in: float, small: float
) -> None:
    """Add ``m`` kg at one end. It joins the parcel there while that one is below ``small`` kg."""
    cap, first, count = mass.shape[1], ring[k, 0], ring[k, 1]
    j = first if at_start else first + count - 1
    j = j - cap if j >= cap else j
    if count > 0 and (mass[k, j] < small or count >= cap):
        joint = mass[k, j] + m
        h[k, j] = (h[k, j] * mass[k, j] + h_in * m) / joint
        mass[k, j] = joint
        return
    if at_start:
        j = cap - 1 if first == 0 else first - 1
        ring[k, 0] = j
    else:
        j = first + count
        j = j - cap if j >= cap else j
    mass[k, j] = m
    h[k, j] = h_in
    ring[k, 1] = count + 1


@inline()
def pop(k: int, mass: Floats, h: Floats, ring: Ints, at_start: bool, over: float) -> tuple[float, float]:
    """Let ``over`` m³ leave at one end.

    Returns
    -------
    kg and J (enthalpy) that left
    """
    cap, gone, energy = mass.shape[1], 0.0, 0.0
    while over > 0.0 and ring[k, 1] > 0:
        j = ring[k, 0]
        if not at_start:
            j = j + ring[k, 1] - 1
            j = j - cap if j >= cap else j
        here = mass[k, j]
        leave = over / volume_m3_kg(h[k, j])
        if leave < here or ring[k, 1] == 1:
            leave = min(leave, 0.999999 * here)
            mass[k, j] = here - leave
            gone += leave
            energy += leave * h[k, j]
            break
        gone += here
        energy += here * h[k, j]
        over *= 1.0 - here / leave
        mass[k, j] = 0.0
        if at_start:
            ring[k, 0] = 0 if j + 1 == cap else j + 1
        ring[k, 1] -= 1
    return gone, energy


@inline()
def look_up_film(k: int, known: Floats, diameter: float, flow: float, t_c: float) -> None:
    """Film, heat capacity and dispersion of pipe ``k`` at ``flow`` kg/s and ``t_c``, unless known nearly."""
    before = known[k, FLOW]
    if abs(flow - before) > FILM_SHARE * before or abs(t_c - known[k, WARMTH]) > FILM_K:
        re = flow * (4.0 / pi) / diameter * fluidity(t_c)
        y = sqrt(sqrt(re))
        known[k, FLOW], known[k, WARMTH] = flow, t_c
        known[k, CONDUCTANCE], known[k, CAPACITY] = film_w_m_k(re, y, t_c), heat_capacity(t_c)
        known[k, DISPERSION] = relative_dispersion(re, y)


@inline()
def couple(
    k: int, known: Floats, wall: Floats, size: float, m_cell: float, dt: float
) -> tuple[float, float, float, float, float]:
    """Coefficients of one step of pipe ``k`` with ``m_cell`` kg of water beside a wall cell of ``size`` m.

    Returns
    -------
    J/(kg K) that water gives to its wall; the matrix of wall and insulation (both diagonals, J/K, and the
    conductances between them and to the surroundings times ``dt``)
    """
    cp = known[k, CAPACITY]
    c_water, c_wall, c_shell = m_cell * cp, wall[k, 0] * size, wall[k, 1] * size
    both = c_water + c_wall
    share = c_wall / both * (1.0 - decay(known[k, CONDUCTANCE] * size * dt * both / (c_water * c_wall)))
    g1, g2 = wall[k, 2] * size * dt, wall[k, 3] * size * dt
    return cp * share, c_wall + g1, c_shell + g1 + g2, g1, g2


@inline()
def move_pipe(
    k: int, mass: Floats, h: Floats, ring: Ints, known: Floats, m_in: float, at_start: bool, h_in: float,
    v_in: float,
) -> tuple[float, float]:  # fmt: skip
    """Let ``m_in`` kg of enthalpy ``h_in`` and volume ``v_in`` m³/kg enter pipe ``k`` at one end.

    No more than the pipe holds (else :func:`flush_pipe`).

    Returns
    -------
    kg and J that leave at the other end
    """
    if m_in > 0.0:
        push(k, mass, h, ring, at_start, m_in, h_in, known[k, CONTENT] / (mass.shape[1] - 2))
    return pop(k, mass, h, ring, not at_start, known[k, EXCESS] + m_in * v_in)


@inline()
def flush_pipe(
    k: int, mass: Floats, h: Floats, ring: Ints, t_wall: Floats, t_shell: Floats, known: Floats, wall: Floats,
    length: float, diameter: float, m_in: float, h_in: float, t_ground: float, dt: float,
) -> tuple[float, float, float]:  # fmt: skip
    """More enters than the pipe holds: the old water leaves, all that enters shares the wall, the rest stays.

    Returns
    -------
    kg and J that leave, J lost to the surroundings
    """
    n_cell, gone, energy, t = t_wall.shape[1], 0.0, 0.0, quick_temperature(h_in)
    for j in range(mass.shape[1]):
        gone += mass[k, j]
        energy += mass[k, j] * h[k, j]
        mass[k, j] = 0.0
    look_up_film(k, known, diameter, m_in / dt, t)
    m_cell = m_in / n_cell
    given, b11, b22, g1, g2 = couple(k, known, wall, length / n_cell, m_cell, dt)
    inverse, c_wall, c_shell, taken, lost = 1.0 / (b11 * b22 - g1 * g1), b11 - g1, b22 - g1 - g2, 0.0, 0.0
    for i in range(n_cell):
        gain = given * m_cell * (t - t_wall[k, i])
        taken += gain
        r1, r2 = c_wall * t_wall[k, i] + gain, c_shell * t_shell[k, i] + g2 * t_ground
        t_wall[k, i] = (r1 * b22 + r2 * g1) * inverse
        t_shell[k, i] = (r2 * b11 + r1 * g1) * inverse
        lost += t_shell[k, i] - t_ground
    h_new = h_in - taken / m_in
    room = 0.25 * pi * diameter * diameter * length
    stays = min(room / volume_m3_kg(h_new), m_in)
    ring[k, 0], ring[k, 1], mass[k, 0], h[k, 0] = 0, 1, stays, h_new
    return gone + m_in - stays, energy + (m_in - stays) * h_new, g2 * lost
