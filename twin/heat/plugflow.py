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

from math import exp, pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.kernels import heat_capacity, quick_temperature
from twin.heat.quick import film_w_m_k, fluidity, relative_dispersion, volume_m3_kg

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MEAN, PARCEL, PULL, SEGMENT = 0, 1, 2, 3
"""Rows of the scratch array: cell means, parcel temperatures, pull of each parcel, masses of the overlaps."""


@njit(cache=True)
def make_scratch(cap: int, n_cell: int) -> tuple[Floats, Ints]:
    """Working memory of :func:`advance_pipe` and :func:`exchange`."""
    return np.zeros((4, cap + n_cell)), np.zeros((2, cap + n_cell), np.int64)


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
) -> tuple[float, float]:
    """Let leave at one end what does not fit into ``volume`` m³; return kg and J (enthalpy) that left."""
    cap = mass.shape[1]
    over, j = -volume, ring[k, 0]
    for _ in range(ring[k, 1]):
        over += mass[k, j] * volume_m3_kg(h[k, j])
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
            return gone + leave, energy + leave * h[k, j]
        gone += mass[k, j]
        energy += mass[k, j] * h[k, j]
        over *= 1.0 - mass[k, j] / leave
        if at_start:
            ring[k, 0] = 0 if j + 1 == cap else j + 1
        ring[k, 1] -= 1
    return gone, energy


@njit(cache=True, error_model="numpy", inline="always")
def disperse(
    k: int, mass: Floats, h: Floats, ring: Ints, from_start: bool, d_ax: float, kg_m: float, dt: float
) -> None:
    """Mix neighbouring parcels by axial dispersion ``d_ax`` m²/s; ``kg_m`` is the water per metre."""
    cap, first, count = mass.shape[1], ring[k, 0], ring[k, 1]
    factor = 2.0 * kg_m * kg_m * d_ax * dt
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
def _overlap(k: int, mass: Floats, ring: Ints, n_cell: int, m_cell: float, work: Floats, index: Ints) -> int:
    """Cut parcels and cells into overlaps (parcel, cell, kg) and sum the cells' heat; returns how many."""
    cap, count = mass.shape[1], ring[k, 1]
    j, q, cell, n = ring[k, 0], 0, 0, 0
    rest, room = mass[k, j], m_cell
    for i in range(n_cell):
        work[MEAN, i] = 0.0
    while True:
        ends = rest < room or cell == n_cell - 1
        take = rest if ends else room
        work[SEGMENT, n], index[0, n], index[1, n] = take, q, cell
        work[MEAN, cell] += take * work[PARCEL, q]
        n += 1
        if ends:
            room -= take
            q += 1
            if q == count:
                return n
            j = 0 if j + 1 == cap else j + 1
            rest = mass[k, j]
        else:
            rest -= take
            cell += 1
            room = m_cell


@njit(cache=True, error_model="numpy", inline="always")
def exchange(
    k: int,
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    length: float,
    wall: Floats,
    film: float,
    t_ground: float,
    dt: float,
    work: Floats,
    index: Ints,
) -> float:
    """Exchange heat between parcels, wall cells, insulation and surroundings of row ``k`` over ``dt``.

    Parameters
    ----------
    wall : (n_pipe, 4) capacities of wall and insulation, J/(m K); conductances wall to insulation node and
        insulation node to surroundings, W/(m K)
    film : conductance from water to wall, W/(m K)

    Returns
    -------
    energy lost to the surroundings, J
    """
    cap, count, n_cell = mass.shape[1], ring[k, 1], t_wall.shape[1]
    content, j = 0.0, ring[k, 0]
    for q in range(count):
        work[PARCEL, q] = quick_temperature(h[k, j])
        work[PULL, q] = 0.0
        content += mass[k, j]
        j = 0 if j + 1 == cap else j + 1
    cp = heat_capacity(work[PARCEL, count // 2])
    size, m_cell = length / n_cell, content / n_cell
    c_water, c_wall, c_shell = m_cell * cp, wall[k, 0] * size, wall[k, 1] * size
    rate = film * size * dt / c_water
    share = c_wall / (c_water + c_wall) * (1.0 - exp(-rate * (1.0 + c_water / c_wall)))
    n_overlap = _overlap(k, mass, ring, n_cell, m_cell, work, index)
    g1, g2 = wall[k, 2] * size * dt, wall[k, 3] * size * dt
    b11, b22 = c_wall + g1, c_shell + g1 + g2
    inverse, per_cell, lost = 1.0 / (b11 * b22 - g1 * g1), 1.0 / m_cell, 0.0
    for i in range(n_cell):
        mean = work[MEAN, i] * per_cell
        gain = share * (mean - t_wall[k, i])
        work[MEAN, i] = t_wall[k, i]
        r1 = c_wall * t_wall[k, i] + c_water * gain
        r2 = c_shell * t_shell[k, i] + g2 * t_ground
        t_wall[k, i] = (r1 * b22 + r2 * g1) * inverse
        t_shell[k, i] = (r2 * b11 + r1 * g1) * inverse
        lost += g2 * (t_shell[k, i] - t_ground)
    for n in range(n_overlap):
        work[PULL, index[0, n]] += work[SEGMENT, n] * work[MEAN, index[1, n]]
    j = ring[k, 0]
    for q in range(count):
        h[k, j] += cp * share * (work[PULL, q] / mass[k, j] - work[PARCEL, q])
        j = 0 if j + 1 == cap else j + 1
    return lost


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
    m_in: float,
    at_start: bool,
    h_in: float,
    t_ground: float,
    dt: float,
    work: Floats,
    index: Ints,
) -> tuple[float, float, float]:
    """Move pipe ``k`` on by ``dt``: ``m_in`` kg of enthalpy ``h_in`` enter at one end.

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
    content = volume / v_mid
    n_sub = max(1, int(np.ceil(m_in / content)))
    step, part = dt / n_sub, m_in / n_sub
    re = m_in / dt * diameter / area * fluidity(t_mid)
    film = film_w_m_k(re, t_mid)
    d_ax = relative_dispersion(re) * m_in / dt * v_mid / area * diameter
    gone, energy, lost = 0.0, 0.0, 0.0
    for _ in range(n_sub):
        if part > 0.0:
            push(k, mass, h, ring, at_start, part, h_in, content / (cap - 2))
        out, out_energy = pop_excess(k, mass, h, ring, not at_start, volume)
        gone += out
        energy += out_energy
        if d_ax > 0.0:
            disperse(k, mass, h, ring, at_start, d_ax, content / length, step)
        lost += exchange(k, mass, h, ring, t_wall, t_shell, length, wall, film, t_ground, step, work, index)
    return gone, energy, lost
