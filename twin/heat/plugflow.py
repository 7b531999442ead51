"""Plug flow of water through a pipe with a wall that stores heat.

Water is a queue of parcels (mass, enthalpy) between the start and the end of the pipe: a step pushes what
enters at one end and takes the same mass from the other, so a temperature front keeps its shape whatever the
step. The wall is a row of fixed cells, and around it lies one insulation node per cell. After each move the
parcels and the wall cells they touch exchange heat by the exact solution of the two-capacity problem; wall,
insulation and surroundings follow implicitly. Every exchange is a difference that one side loses and the
other gains: energy is conserved to rounding, and every new temperature is a mean of old ones.
"""

from math import exp, pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.heat.film import nusselt
from twin.heat.kernels import (
    conductivity,
    density,
    enthalpy,
    heat_capacity,
    quick_temperature,
    temperature,
    viscosity,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, error_model="numpy")
def push(
    mass: Floats, h: Floats, base: int, cap: int, head: int, count: int, at_start: bool, m: float, h_in: float
) -> tuple[int, int]:
    """Add ``m`` kg of enthalpy ``h_in`` at one end of the queue; return new ``head`` and ``count``.

    Water joins the parcel at that end when that one is still smaller than its share of the pipe.
    """
    total_share = mass[base + cap]
    j = base + (head if at_start else (head + count - 1) % cap)
    if count > 0 and (mass[j] < total_share or count >= cap):
        h[j] = (h[j] * mass[j] + h_in * m) / (mass[j] + m)
        mass[j] += m
        return head, count
    if at_start:
        head = (head - 1) % cap
        j = base + head
    else:
        j = base + (head + count) % cap
    mass[j] = m
    h[j] = h_in
    return head, count + 1


@njit(cache=True, error_model="numpy")
def pop(
    mass: Floats, h: Floats, base: int, cap: int, head: int, count: int, at_start: bool, m: float
) -> tuple[int, int, float]:
    """Take ``m`` kg from one end; return new ``head``, ``count`` and the energy taken, J."""
    energy = 0.0
    while m > 0.0 and count > 0:
        j = base + (head if at_start else (head + count - 1) % cap)
        if mass[j] > m or count == 1:
            energy += m * h[j]
            mass[j] -= m
            return head, count, energy
        energy += mass[j] * h[j]
        m -= mass[j]
        mass[j] = 0.0
        if at_start:
            head = (head + 1) % cap
        count -= 1
    return head, count, energy


@njit(cache=True, error_model="numpy")
def excess_mass(
    mass: Floats, h: Floats, base: int, cap: int, head: int, count: int, at_start: bool, volume: float
) -> float:
    """Mass that must leave at one end so that the rest fills ``volume`` m³ at its own densities."""
    over = -volume
    for q in range(count):
        j = base + (head + q) % cap
        over += mass[j] / density(quick_temperature(h[j]))
    leave = 0.0
    for q in range(count):
        j = base + ((head + q) % cap if at_start else (head + count - 1 - q) % cap)
        rho = density(quick_temperature(h[j]))
        if over * rho <= mass[j]:
            return max(leave + over * rho, 0.0)
        over -= mass[j] / rho
        leave += mass[j]
    return leave


@njit(cache=True, error_model="numpy")
def axial_dispersion(m_flow: float, diameter: float, rho: float, mu: float) -> float:
    """Coefficient of axial dispersion in turbulent pipe flow, m²/s; none below Re 2300.

    ``D / (u d) = 3e7 / Re**2.1 + 1.35 / Re**0.125``, which tends to Taylor's 10.1 a u* at high Re.
    Source: C. Y. Wen, L. T. Fan, Models for Flow Systems and Chemical Reactors (1975), equation 5-15.
    """
    re = 4.0 * abs(m_flow) / (pi * diameter * mu)
    if re < 2300.0:
        return 0.0
    u = 4.0 * abs(m_flow) / (pi * diameter * diameter * rho)
    return diameter * u * (3.0e7 * re**-2.1 + 1.35 * re**-0.125)


@njit(cache=True, error_model="numpy")
def disperse(
    mass: Floats, h: Floats, base: int, cap: int, head: int, count: int, d_ax: float, kg_m: float, dt: float
) -> None:
    """Mix neighbouring parcels by axial dispersion ``d_ax`` m²/s; ``kg_m`` is the water per metre."""
    for q in range(count - 1):
        i, j = base + (head + q) % cap, base + (head + q + 1) % cap
        m1, m2 = mass[i], mass[j]
        joint = m1 * m2 / (m1 + m2)
        x = 2.0 * kg_m * kg_m * d_ax * dt / ((m1 + m2) * joint)
        moved = joint * (h[i] - h[j]) * (1.0 - exp(-x))
        h[i] -= moved / m1
        h[j] += moved / m2


@njit(cache=True, error_model="numpy")
def _mean_per_cell(
    mass: Floats,
    t_parcel: Floats,
    base: int,
    cap: int,
    head: int,
    count: int,
    n_cell: int,
    m_cell: float,
    mean: Floats,
) -> None:
    """Fill ``mean[:n_cell]`` with the temperature of the water beside each wall cell."""
    cell, room, acc = 0, m_cell, 0.0
    for q in range(count):
        rest, t_j = mass[base + (head + q) % cap], t_parcel[q]
        while rest >= room and cell < n_cell - 1:
            mean[cell] = (acc + room * t_j) / m_cell
            rest -= room
            cell += 1
            room, acc = m_cell, 0.0
        acc += rest * t_j
        room -= rest
    mean[cell] = acc / (m_cell - room)


@njit(cache=True, error_model="numpy")
def _pull_parcels(
    mass: Floats,
    h: Floats,
    t_parcel: Floats,
    base: int,
    cap: int,
    head: int,
    count: int,
    n_cell: int,
    m_cell: float,
    pull: Floats,
    relax: float,
    cp: float,
) -> None:
    """Move every parcel towards the mean of ``pull`` over the cells it touches."""
    cell, room = 0, m_cell
    for q in range(count):
        j = base + (head + q) % cap
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
    base: int,
    cap: int,
    head: int,
    count: int,
    t_wall: Floats,
    t_shell: Floats,
    cell0: int,
    n_cell: int,
    content: float,
    length: float,
    diameter: float,
    wall: Floats,
    m_flow: float,
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
    mean, t_parcel : scratch, at least ``n_cell`` and ``count`` long

    Returns
    -------
    energy lost to the surroundings, J
    """
    for q in range(count):
        t_parcel[q] = quick_temperature(h[base + (head + q) % cap])
    t_mid = t_parcel[count // 2]
    cp, mu, lam = heat_capacity(t_mid), viscosity(t_mid), conductivity(t_mid)
    nu = nusselt(4.0 * abs(m_flow) / (pi * diameter * mu), mu * cp / lam)
    size = length / n_cell
    g_film = nu * lam * pi * size
    m_cell = content / n_cell
    c_water, c_wall, c_shell = m_cell * cp, wall[0] * size, wall[1] * size
    relax = 1.0 - exp(-g_film * dt / c_water)
    share = c_wall / (c_water + c_wall) * (1.0 - exp(-g_film * dt * (1.0 / c_water + 1.0 / c_wall)))
    _mean_per_cell(mass, t_parcel, base, cap, head, count, n_cell, m_cell, mean)
    g1, g2 = wall[2] * size * dt, wall[3] * size * dt
    b11, b22 = c_wall + g1, c_shell + g1 + g2
    det = b11 * b22 - g1 * g1
    lost = 0.0
    for i in range(n_cell):
        k = cell0 + i
        gain = share * (mean[i] - t_wall[k])
        mean[i] = relax * mean[i] - gain
        r1 = c_wall * t_wall[k] + c_water * gain
        r2 = c_shell * t_shell[k] + g2 * t_ground
        t_wall[k] = (r1 * b22 + r2 * g1) / det
        t_shell[k] = (r2 * b11 + r1 * g1) / det
        lost += g2 * (t_shell[k] - t_ground)
    _pull_parcels(mass, h, t_parcel, base, cap, head, count, n_cell, m_cell, mean, relax, cp)
    return lost


@njit(cache=True, error_model="numpy")
def run_pipe(
    t: Floats,
    m_flow: Floats,
    t_in: Floats,
    t_around: Floats,
    content: float,
    length: float,
    diameter: float,
    wall: Floats,
    n_cell: int,
    cap: int,
    t_start: float,
    t_out: Floats,
) -> tuple[float, float]:
    """One pipe fed by a measured inlet: fill ``t_out`` (n,), the outlet temperature at every ``t``.

    ``m_flow`` and ``t_in`` hold between ``t[k - 1]`` and ``t[k]`` as the mean of both values.
    """
    mass, h = np.zeros(cap + 1), np.zeros(cap + 1)
    mass[cap] = content / (cap - 2)
    mass[0], h[0] = content, enthalpy(t_start)
    head, count = 0, 1
    volume = content / density(t_start)
    t_wall, t_shell = np.full(n_cell, t_start), np.full(n_cell, t_start)
    g = wall[2] * wall[3] / (wall[2] + wall[3])
    for i in range(n_cell):  # insulation starts in balance between wall and surroundings
        t_shell[i] = t_around[0] + (t_start - t_around[0]) * g / wall[3]
    mean, t_parcel = np.empty(n_cell), np.empty(cap)
    t_out[0] = t_start
    DISP = wall[4]
    stored, given = 0.0, 0.0
    for k in range(1, t.shape[0]):
        dt = t[k] - t[k - 1]
        flow = 0.5 * (m_flow[k] + m_flow[k - 1])
        h_in = enthalpy(0.5 * (t_in[k] + t_in[k - 1]))
        n_sub = max(1, int(np.ceil(abs(flow) * dt / content)))
        out, gone, through = 0.0, 0.0, abs(flow) * dt / n_sub
        for _ in range(n_sub):
            if through > 0.0:
                head, count = push(mass, h, 0, cap, head, count, flow > 0.0, through, h_in)
                leave = excess_mass(mass, h, 0, cap, head, count, flow <= 0.0, volume)
                head, count, energy = pop(mass, h, 0, cap, head, count, flow <= 0.0, leave)
                out += energy
                gone += leave
            disperse(
                mass,
                h,
                0,
                cap,
                head,
                count,
                DISP * axial_dispersion(flow, diameter, 985.0, 5e-4),
                content / length,
                dt / n_sub,
            )
            lost = exchange(
                mass, h, 0, cap, head, count, t_wall, t_shell, 0, n_cell, content, length, diameter, wall, flow,
                t_around[k], dt / n_sub, mean, t_parcel,
            )  # fmt: skip
            given += lost
        if gone > 0.0:
            t_out[k] = temperature(out / gone)
        else:
            t_out[k] = temperature(h[(head + count - 1) % cap])
    return stored, given
