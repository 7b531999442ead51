"""Plug flow of water through a pipe with a wall that stores heat.

Water is a queue of parcels (mass, enthalpy) between the start and the end of the pipe: a step pushes what
enters at one end and lets the same volume leave at the other, so a temperature front keeps its shape whatever
the step. The wall is a row of fixed cells with one insulation node around each. After every move the parcels
and the wall cells beside them exchange heat by the exact solution of the two-capacity problem; wall,
insulation and surroundings follow implicitly. What one side loses the other gains, so energy is conserved to
rounding, and every new temperature is a mean of old ones, so none leaves the range of what came in.

All pipes lie in shared arrays, one row each: ``mass`` and ``h`` (n_pipe, cap) used as rings, ``ring``
(n_pipe, 2) = [first, count], ``t_wall`` and ``t_shell`` (n_pipe, n_cell). ``k`` names the row. Rows are never
sliced: that would cost more than the physics.
"""

from math import exp, pi, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.kernels import heat_capacity, quick_temperature
from twin.heat.quick import film_w_m_k, fluidity, relative_dispersion, volume_m3_kg

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FLOW, WARMTH, CONDUCTANCE, CAPACITY, DISPERSION = range(5)
"""Columns of ``films``: the flow and temperature they hold for, W/(m K), J/(kg K), ``D / (u d)``."""
UNKNOWN = -1.0
"""Fills ``films`` before anything is known: no flow is near it."""
FILM_SHARE, FILM_K = 0.01, 1.0
"""Films are looked up again when the flow has moved by this share or the water by this much."""


@njit(cache=True, error_model="numpy", inline="always")
def push(
    k: int, mass: Floats, h: Floats, ring: Ints, at_start: bool, m: float, h_in: float, share: float
) -> None:
    """Add ``m`` kg at one end. It joins the parcel there while that one is below ``share`` kg."""
    cap, first, count = mass.shape[1], ring[k, 0], ring[k, 1]
    j = first if at_start else first + count - 1
    j = j - cap if j >= cap else j
    if count > 0 and (mass[k, j] < share or count >= cap):
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


@njit(cache=True, error_model="numpy", inline="always")
def pop_excess(
    k: int, mass: Floats, h: Floats, ring: Ints, at_start: bool, volume: float
) -> tuple[float, float, float]:
    """Let leave at one end what does not fit into ``volume`` m³.

    Returns
    -------
    kg and J (enthalpy) that left, kg that are left
    """
    cap = mass.shape[1]
    over, content, j = -volume, 0.0, ring[k, 0]
    for _ in range(ring[k, 1]):
        over += mass[k, j] * volume_m3_kg(h[k, j])
        content += mass[k, j]
        j = 0 if j + 1 == cap else j + 1
    gone, energy = 0.0, 0.0
    while over > 0.0 and ring[k, 1] > 0:
        j = ring[k, 0]
        if not at_start:
            j = j + ring[k, 1] - 1
            j = j - cap if j >= cap else j
        leave = over / volume_m3_kg(h[k, j])
        if leave < mass[k, j] or ring[k, 1] == 1:
            leave = min(leave, 0.999999 * mass[k, j])
            mass[k, j] -= leave
            gone += leave
            energy += leave * h[k, j]
            break
        gone += mass[k, j]
        energy += mass[k, j] * h[k, j]
        over *= 1.0 - mass[k, j] / leave
        if at_start:
            ring[k, 0] = 0 if j + 1 == cap else j + 1
        ring[k, 1] -= 1
    return gone, energy, content - gone


@njit(cache=True, error_model="numpy", inline="always")
def disperse(k: int, mass: Floats, h: Floats, ring: Ints, from_start: bool, factor: float) -> None:
    """Mix neighbouring parcels by axial dispersion; ``factor`` = 2 (kg/m)² D dt."""
    cap, first, count = mass.shape[1], ring[k, 0], ring[k, 1]
    for n in range(count - 1):
        i = first + (n if from_start else count - 2 - n)
        i = i - cap if i >= cap else i
        j = 0 if i + 1 == cap else i + 1
        m1, m2 = mass[k, i], mass[k, j]
        # implicit exchange of J = m1 m2 / (m1 + m2) dh x / (1 + x), x = factor / (m1 m2); one division
        part = (h[k, i] - h[k, j]) * factor / ((m1 + m2) * (m1 * m2 + factor))
        h[k, i] -= part * m2
        h[k, j] += part * m1


@njit(cache=True, error_model="numpy", inline="always")
def exchange(
    k: int,
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    content: float,
    length: float,
    wall: Floats,
    film: float,
    cp: float,
    t_ground: float,
    dt: float,
) -> float:
    """Exchange heat between parcels, wall cells, insulation and surroundings of row ``k`` over ``dt``.

    Parcels and cells are walked together, overlap by overlap: a parcel goes its share of the way to the
    temperature of the walls it touches, a wall cell takes what they leave.

    Parameters
    ----------
    content : kg of water in the pipe
    wall : (n_pipe, 4) capacities of wall and insulation, J/(m K); conductances wall to insulation node and
        insulation node to surroundings, W/(m K)
    film : conductance from water to wall, W/(m K); ``cp``: heat capacity of the water, J/(kg K)

    Returns
    -------
    energy lost to the surroundings, J
    """
    cap, count, n_cell = mass.shape[1], ring[k, 1], t_wall.shape[1]
    size, m_cell = length / n_cell, content / n_cell
    c_water, c_wall, c_shell = m_cell * cp, wall[k, 0] * size, wall[k, 1] * size
    both = c_water + c_wall
    share = c_wall / both * (1.0 - exp(-film * size * dt * both / (c_water * c_wall)))
    g1, g2 = wall[k, 2] * size * dt, wall[k, 3] * size * dt
    b11, b22 = c_wall + g1, c_shell + g1 + g2
    inverse, from_ground, lost = 1.0 / (b11 * b22 - g1 * g1), g2 * t_ground, 0.0
    given = cp * share
    j, left, cell, room = ring[k, 0], count, 0, m_cell
    rest = mass[k, j]
    t, t_w = quick_temperature(h[k, j]), t_wall[k, 0]
    in_cell, in_parcel = 0.0, 0.0  # kg K of water beside the cell less its wall; of walls beside the parcel
    while True:
        if rest < room or cell == n_cell - 1:  # the parcel ends here
            in_cell += rest * (t - t_w)
            in_parcel += rest * t_w
            room -= rest
            h[k, j] += given * (in_parcel / mass[k, j] - t)
            left -= 1
            if left == 0:
                break
            j = 0 if j + 1 == cap else j + 1
            rest, in_parcel = mass[k, j], 0.0
            t = quick_temperature(h[k, j])
            continue
        in_cell += room * (t - t_w)
        in_parcel += room * t_w
        rest -= room
        r1 = c_wall * t_w + given * in_cell
        r2 = c_shell * t_shell[k, cell] + from_ground
        t_wall[k, cell] = (r1 * b22 + r2 * g1) * inverse
        t_new = (r2 * b11 + r1 * g1) * inverse
        t_shell[k, cell] = t_new
        lost += t_new - t_ground
        cell += 1
        t_w, room, in_cell = t_wall[k, cell], m_cell, 0.0
    for i in range(cell, n_cell):  # the last cell; by rounding one before it
        r1 = c_wall * t_wall[k, i] + given * in_cell
        r2 = c_shell * t_shell[k, i] + from_ground
        t_wall[k, i] = (r1 * b22 + r2 * g1) * inverse
        t_new = (r2 * b11 + r1 * g1) * inverse
        t_shell[k, i] = t_new
        lost += t_new - t_ground
        in_cell = 0.0
    joule: float = g2 * lost
    return joule


@njit(cache=True, error_model="numpy", inline="always")
def flush_pipe(
    k: int,
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    length: float,
    volume: float,
    wall: Floats,
    film: float,
    cp: float,
    m_in: float,
    h_in: float,
    t_ground: float,
    dt: float,
) -> tuple[float, float, float]:
    """More enters than the pipe holds: the old water leaves, all that enters shares the wall, the rest stays.

    Returns
    -------
    kg and J that leave, J lost to the surroundings
    """
    cap, n_cell, gone, energy, j = mass.shape[1], t_wall.shape[1], 0.0, 0.0, ring[k, 0]
    for _ in range(ring[k, 1]):
        gone += mass[k, j]
        energy += mass[k, j] * h[k, j]
        j = 0 if j + 1 == cap else j + 1
    size = length / n_cell
    c_water, c_wall, c_shell = m_in * cp / n_cell, wall[k, 0] * size, wall[k, 1] * size
    both = c_water + c_wall
    share = c_wall / both * (1.0 - exp(-film * size * dt * both / (c_water * c_wall)))
    g1, g2 = wall[k, 2] * size * dt, wall[k, 3] * size * dt
    b11, b22 = c_wall + g1, c_shell + g1 + g2
    inverse, given, t = 1.0 / (b11 * b22 - g1 * g1), c_water * share, quick_temperature(h_in)
    taken, lost = 0.0, 0.0
    for i in range(n_cell):
        gain = given * (t - t_wall[k, i])
        taken += gain
        r1, r2 = c_wall * t_wall[k, i] + gain, c_shell * t_shell[k, i] + g2 * t_ground
        t_wall[k, i] = (r1 * b22 + r2 * g1) * inverse
        t_shell[k, i] = (r2 * b11 + r1 * g1) * inverse
        lost += t_shell[k, i] - t_ground
    h_new = h_in - taken / m_in
    stays = min(volume / volume_m3_kg(h_new), m_in)
    ring[k, 0], ring[k, 1], mass[k, 0], h[k, 0] = 0, 1, stays, h_new
    return gone + m_in - stays, energy + (m_in - stays) * h_new, g2 * lost


@njit(cache=True, error_model="numpy", inline="always")
def rest_pipe(
    k: int,
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    length: float,
    wall: Floats,
    t_ground: float,
    dt: float,
) -> float:
    """Pipe ``k`` without flow for ``dt``; returns J lost to the surroundings."""
    cap, content, j = mass.shape[1], 0.0, ring[k, 0]
    t = quick_temperature(h[k, j])
    for _ in range(ring[k, 1]):
        content += mass[k, j]
        j = 0 if j + 1 == cap else j + 1
    film, cp = film_w_m_k(0.0, 0.0, t), heat_capacity(t)
    return exchange(k, mass, h, ring, t_wall, t_shell, content, length, wall, film, cp, t_ground, dt)


@njit(cache=True, error_model="numpy", inline="always")
def look_up_film(k: int, films: Floats, flow: float, t_c: float, diameter: float, area: float) -> None:
    """Film, heat capacity and dispersion of pipe ``k`` at ``flow`` kg/s and ``t_c``."""
    re = flow / area * diameter * fluidity(t_c)
    y = sqrt(sqrt(re))
    films[k, FLOW], films[k, WARMTH] = flow, t_c
    films[k, CONDUCTANCE], films[k, CAPACITY] = film_w_m_k(re, y, t_c), heat_capacity(t_c)
    films[k, DISPERSION] = relative_dispersion(re, y)


@njit(cache=True, error_model="numpy", inline="always")
def advance_pipe(
    k: int,
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    length: float,
    diameter: float,
    wall: Floats,
    films: Floats,
    m_in: float,
    at_start: bool,
    h_in: float,
    t_ground: float,
    dt: float,
) -> tuple[float, float, float]:
    """Move pipe ``k`` on by ``dt``: ``m_in`` kg of enthalpy ``h_in`` enter at one end.

    ``films`` (n_pipe, 5): what :func:`look_up_film` found last, part of the state; ``UNKNOWN`` at first.

    Returns
    -------
    kg and J that leave at the other end, and J lost to the surroundings
    """
    cap = mass.shape[1]
    area = 0.25 * pi * diameter * diameter
    volume = area * length
    j = ring[k, 0] + ring[k, 1] // 2
    j = j - cap if j >= cap else j
    t_mid, v_mid = quick_temperature(h[k, j]), volume_m3_kg(h[k, j])
    flow, kg_m = m_in / dt, area / v_mid
    if abs(flow - films[k, FLOW]) > FILM_SHARE * films[k, FLOW] or abs(t_mid - films[k, WARMTH]) > FILM_K:
        look_up_film(k, films, flow, t_mid, diameter, area)
    film, cp = films[k, CONDUCTANCE], films[k, CAPACITY]
    if m_in * v_mid > volume:
        return flush_pipe(
            k, mass, h, ring, t_wall, t_shell, length, volume, wall, film, cp, m_in, h_in, t_ground, dt
        )
    if m_in > 0.0:
        push(k, mass, h, ring, at_start, m_in, h_in, kg_m * length / (cap - 2))
    gone, energy, content = pop_excess(k, mass, h, ring, not at_start, volume)
    if films[k, DISPERSION] > 0.0:
        disperse(k, mass, h, ring, at_start, 2.0 * kg_m * films[k, DISPERSION] * m_in * diameter)
    lost = exchange(k, mass, h, ring, t_wall, t_shell, content, length, wall, film, cp, t_ground, dt)
    return gone, energy, lost
