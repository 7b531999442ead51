"""Plug flow of water through a pipe with a wall that stores heat.

Water is a queue of parcels (mass, enthalpy) between the start and the end of the pipe: a step pushes what
enters at one end and lets the same volume leave at the other, so a temperature front keeps its shape whatever
the step. The wall is a row of fixed cells with one insulation node around each. After every move the parcels
and the wall cells beside them exchange heat by the exact solution of the two-capacity problem; wall,
insulation and surroundings follow implicitly. What one side loses the other gains, so energy is conserved to
rounding, and every new temperature is a mean of old ones, so none leaves the range of what came in.

A queue is three rows: ``mass`` and ``h`` (cap,) used as a ring, ``ring`` = [first, count].
"""

from math import exp, pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.film import axial_dispersion, nusselt
from twin.heat.kernels import conductivity, density, heat_capacity, quick_temperature, viscosity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, error_model="numpy")
def push(mass: Floats, h: Floats, ring: Ints, at_start: bool, m: float, h_in: float, share: float) -> None:
    """Add ``m`` kg at one end. It joins the parcel there while that one is below ``share`` kg."""
    cap, first, count = mass.shape[0], ring[0], ring[1]
    j = first if at_start else (first + count - 1) % cap
    if count > 0 and (mass[j] < share or count >= cap):
        h[j] = (h[j] * mass[j] + h_in * m) / (mass[j] + m)
        mass[j] += m
        return
    if at_start:
        ring[0] = (first - 1) % cap
        j = ring[0]
    else:
        j = (first + count) % cap
    mass[j] = m
    h[j] = h_in
    ring[1] = count + 1


@njit(cache=True, error_model="numpy")
def pop_excess(mass: Floats, h: Floats, ring: Ints, at_start: bool, volume: float) -> tuple[float, float]:
    """Let leave at one end what does not fit into ``volume`` m³; return kg and J (enthalpy) that left."""
    cap, first, count = mass.shape[0], ring[0], ring[1]
    over = -volume
    for q in range(count):
        j = (first + q) % cap
        over += mass[j] / density(quick_temperature(h[j]))
    gone, energy = 0.0, 0.0
    while over > 0.0 and ring[1] > 0:
        j = ring[0] if at_start else (ring[0] + ring[1] - 1) % cap
        leave = over * density(quick_temperature(h[j]))
        if leave < mass[j] or ring[1] == 1:
            leave = min(leave, 0.999999 * mass[j])
            mass[j] -= leave
            return gone + leave, energy + leave * h[j]
        gone += mass[j]
        energy += mass[j] * h[j]
        over *= 1.0 - mass[j] / leave
        if at_start:
            ring[0] = (ring[0] + 1) % cap
        ring[1] -= 1
    return gone, energy


@njit(cache=True, error_model="numpy")
def disperse(
    mass: Floats, h: Floats, ring: Ints, from_start: bool, d_ax: float, kg_m: float, dt: float
) -> None:
    """Mix neighbouring parcels by axial dispersion ``d_ax`` m²/s; ``kg_m`` is the water per metre."""
    cap, first = mass.shape[0], ring[0]
    last = ring[1] - 2
    for n in range(last + 1):
        q = n if from_start else last - n
        i, j = (first + q) % cap, (first + q + 1) % cap
        m1, m2 = mass[i], mass[j]
        joint = m1 * m2 / (m1 + m2)
        x = 2.0 * kg_m * kg_m * d_ax * dt / ((m1 + m2) * joint)
        moved = joint * (h[i] - h[j]) * x / (1.0 + x)
        h[i] -= moved / m1
        h[j] += moved / m2


@njit(cache=True, error_model="numpy")
def _mean_per_cell(
    mass: Floats, t_parcel: Floats, ring: Ints, n_cell: int, m_cell: float, mean: Floats
) -> None:
    """Fill ``mean[:n_cell]`` with the temperature of the water beside each wall cell."""
    cap, first = mass.shape[0], ring[0]
    cell, room, acc = 0, m_cell, 0.0
    for q in range(ring[1]):
        rest, t_j = mass[(first + q) % cap], t_parcel[q]
        while rest >= room and cell < n_cell - 1:
            mean[cell] = (acc + room * t_j) / m_cell
            rest -= room
            cell += 1
            room, acc = m_cell, 0.0
        acc += rest * t_j
        room -= rest
    mean[cell] = acc / (m_cell - room) if m_cell > room else t_parcel[ring[1] - 1]


@njit(cache=True, error_model="numpy")
def _pull_parcels(
    mass: Floats,
    h: Floats,
    t_parcel: Floats,
    ring: Ints,
    n_cell: int,
    m_cell: float,
    pull: Floats,
    relax: float,
    cp: float,
) -> None:
    """Move every parcel by the mean of ``pull`` over the cells it touches, less its own ``relax`` share."""
    cap, first = mass.shape[0], ring[0]
    cell, room = 0, m_cell
    for q in range(ring[1]):
        j = (first + q) % cap
        rest, acc = mass[j], 0.0
        while rest >= room and cell < n_cell - 1:
            acc += room * pull[cell]
            rest -= room
            cell += 1
            room = m_cell
        acc += rest * pull[cell]
        room -= rest
        h[j] += cp * (acc / mass[j] - relax * t_parcel[q])


@njit(cache=True, error_model="numpy")
def exchange(
    mass: Floats,
    h: Floats,
    ring: Ints,
    t_wall: Floats,
    t_shell: Floats,
    length: float,
    diameter: float,
    wall: Floats,
    flow: float,
    t_ground: float,
    dt: float,
    mean: Floats,
    t_parcel: Floats,
) -> float:
    """Exchange heat between parcels, wall cells, insulation and surroundings over ``dt``.

    Parameters
    ----------
    wall : (4,) capacities of wall and insulation, J/(m K); conductances wall to insulation node and
        insulation node to surroundings, W/(m K)
    flow : kg/s, for the film and the dispersion
    mean, t_parcel : scratch, as long as the wall and the queue

    Returns
    -------
    energy lost to the surroundings, J
    """
    cap, first, count, n_cell = mass.shape[0], ring[0], ring[1], t_wall.shape[0]
    content = 0.0
    for q in range(count):
        j = (first + q) % cap
        t_parcel[q] = quick_temperature(h[j])
        content += mass[j]
    t_mid = t_parcel[count // 2]
    cp, mu, lam = heat_capacity(t_mid), viscosity(t_mid), conductivity(t_mid)
    re = 4.0 * abs(flow) / (pi * diameter * mu)
    size = length / n_cell
    g_film = nusselt(re, mu * cp / lam) * lam * pi * size
    m_cell = content / n_cell
    c_water, c_wall, c_shell = m_cell * cp, wall[0] * size, wall[1] * size
    relax = 1.0 - exp(-g_film * dt / c_water)
    share = c_wall / (c_water + c_wall) * (1.0 - exp(-g_film * dt * (1.0 / c_water + 1.0 / c_wall)))
    _mean_per_cell(mass, t_parcel, ring, n_cell, m_cell, mean)
    g1, g2 = wall[2] * size * dt, wall[3] * size * dt
    b11, b22 = c_wall + g1, c_shell + g1 + g2
    inverse = 1.0 / (b11 * b22 - g1 * g1)
    lost = 0.0
    for i in range(n_cell):
        gain = share * (mean[i] - t_wall[i])
        mean[i] = relax * mean[i] - gain
        r1 = c_wall * t_wall[i] + c_water * gain
        r2 = c_shell * t_shell[i] + g2 * t_ground
        t_wall[i] = (r1 * b22 + r2 * g1) * inverse
        t_shell[i] = (r2 * b11 + r1 * g1) * inverse
        lost += g2 * (t_shell[i] - t_ground)
    _pull_parcels(mass, h, t_parcel, ring, n_cell, m_cell, mean, relax, cp)
    return lost


@njit(cache=True, error_model="numpy")
def advance_pipe(
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
    mean: Floats,
    t_parcel: Floats,
) -> tuple[float, float, float]:
    """Move a pipe on by ``dt``: ``m_in`` kg of enthalpy ``h_in`` enter at one end.

    Returns
    -------
    kg and J that leave at the other end, and J lost to the surroundings
    """
    cap = mass.shape[0]
    volume = 0.25 * pi * diameter * diameter * length
    j = (ring[0] + ring[1] // 2) % cap
    t_mid = quick_temperature(h[j])
    content = volume * density(t_mid)
    n_sub = max(1, int(np.ceil(m_in / content)))
    step, part = dt / n_sub, m_in / n_sub
    d_ax = axial_dispersion(m_in / dt, diameter, density(t_mid), viscosity(t_mid))
    gone, energy, lost = 0.0, 0.0, 0.0
    for _ in range(n_sub):
        if part > 0.0:
            push(mass, h, ring, at_start, part, h_in, content / (cap - 2))
        out, out_energy = pop_excess(mass, h, ring, not at_start, volume)
        gone += out
        energy += out_energy
        if d_ax > 0.0:
            disperse(mass, h, ring, at_start, d_ax, content / length, step)
        lost += exchange(
            mass,
            h,
            ring,
            t_wall,
            t_shell,
            length,
            diameter,
            wall,
            m_in / dt,
            t_ground,
            step,
            mean,
            t_parcel,
        )
    return gone, energy, lost
